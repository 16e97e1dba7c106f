//! Adds a Linux release to the model: the kernel's bits, then KVM's.

use super::joined::Joined;
use super::types::{KernelView, LinuxRelease, LinuxView, ModuleParameter, ModuleRule};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{KvmBit, KvmParam, LinuxFacts, LinuxFlag};
use crate::leaf_name;
use crate::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf, Word, WordBit};
use crate::ordered::Map;
use crate::source::Span;

/// AMD repeats bits of 1.EDX here (APM volume 3, E.4.2). Neither project has names for the copies, so KVM's treatment
/// of a copy is recorded with the original.
const ALIAS: CpuidWord = CpuidWord { leaf: Leaf(0x8000_0001), subleaf: Subleaf(0), register: Register::Edx };
const ALIASED: CpuidWord = CpuidWord { leaf: Leaf(1), ..ALIAS };

/// The model's record of the release itself.
pub(super) fn release(facts: &LinuxFacts) -> LinuxRelease {
    let words = facts.words.iter().map(|word| (word.word, word.name.clone())).collect();
    let parameter = |param: &KvmParam| ModuleParameter {
        module: param.module,
        name: param.name.clone(),
        default: param.default.clone(),
    };
    let parameters = facts.kvm_params.iter().map(parameter).collect();
    LinuxRelease { name: facts.release.clone(), words, parameters }
}

/// One release's facts, indexed for merging. The maps are only used for look-ups.
pub(super) struct Tree<'a> {
    release: usize,
    facts: &'a LinuxFacts,
    by_word: Map<Word, Option<CpuidWord>>,
    by_leaf: Map<&'a str, CpuidWord>,
    /// Locations of features whose kernel word is software-defined.
    moved: Map<&'a str, Vec<Location>>,
    /// Locations by macro, which resolve KVM's capability calls.
    named: Map<&'a str, Vec<Location>>,
}

/// Adds the release with index `release`, except for KVM's capabilities: those may name a bit by a number for which
/// only another release has a macro.
pub(super) fn add<'a>(
    joined: &mut Joined,
    release: usize,
    facts: &'a LinuxFacts,
    diagnostics: &mut Diagnostics,
) -> Tree<'a> {
    let located = |word: &'_ crate::facts::LinuxWord| word.location;
    let mut tree = Tree {
        release,
        facts,
        by_word: facts.words.iter().map(|word| (word.word, located(word))).collect(),
        by_leaf: facts.words.iter().filter_map(|word| Some((word.name.as_str(), word.location?))).collect(),
        moved: Map::new(),
        named: Map::new(),
    };
    for bit in &facts.scattered {
        push(&mut tree.moved, &bit.name, bit.location);
    }
    for bit in &facts.kvm_translates {
        if let Some(location) = tree.kvm_location(bit, diagnostics) {
            push(&mut tree.moved, &bit.name, location);
        }
    }
    tree.features(joined, diagnostics);
    tree.kvm_features(joined, diagnostics);
    tree.kvm_words(joined);
    kernel_bits(&mut joined.bugs, (release, joined.linux), &facts.bugs, diagnostics);
    kernel_bits(&mut joined.vmx, (release, joined.linux), &facts.vmx, diagnostics);
    tree
}

impl<'a> Tree<'a> {
    /// The hardware location of KVM's bit.
    fn kvm_location(&self, bit: &KvmBit, diagnostics: &mut Diagnostics) -> Option<Location> {
        let word = self.by_leaf.get(bit.leaf_name.as_str());
        if word.is_none() {
            let message = format!("`{}` is in `{}`, a word without a location", bit.name, bit.leaf_name);
            diagnostics.push(Diagnostic::error(bit.at, message));
        }
        word.map(|&word| Location { word, bit: bit.bit })
    }

    fn features(&mut self, joined: &mut Joined, diagnostics: &mut Diagnostics) {
        let mut software = Vec::new();
        for flag in &self.facts.features {
            let Some(word) = self.by_word.get(&flag.word) else {
                let message = format!("`{}` is in word {}, which this release lacks", flag.name, flag.word.0);
                diagnostics.push(Diagnostic::error(flag.at, message));
                continue;
            };
            let direct = word.map(|word| Location { word, bit: flag.bit });
            let locations: Vec<Location> = match (direct, self.moved.get(flag.name.as_str())) {
                (Some(location), _) => vec![location],
                (None, Some(moved)) => moved.clone(),
                (None, None) => {
                    software.push(flag.clone());
                    continue;
                }
            };
            for location in locations {
                self.kernel_feature(joined, flag, location, diagnostics);
            }
        }
        kernel_bits(&mut joined.software, (self.release, joined.linux), &software, diagnostics);
    }

    fn kernel_feature(
        &mut self,
        joined: &mut Joined,
        flag: &'a LinuxFlag,
        location: Location,
        diagnostics: &mut Diagnostics,
    ) {
        let view = &mut joined.feature(location).0[self.release];
        if !claim(view, &flag.name, flag.at, location, diagnostics) {
            return;
        }
        view.flag.clone_from(&flag.flag);
        view.kernel = Some(WordBit { word: flag.word, bit: flag.bit });
        push(&mut self.named, &flag.name, location);
    }

    fn kvm_features(&mut self, joined: &mut Joined, diagnostics: &mut Diagnostics) {
        for bit in &self.facts.kvm_features {
            let Some(location) = self.kvm_location(bit, diagnostics) else { continue };
            let view = &mut joined.feature(location).0[self.release];
            if claim(view, &bit.name, bit.at, location, diagnostics) {
                push(&mut self.named, &bit.name, location);
            }
        }
    }

    /// KVM's words are the kernel's hardware words and its own, so a bit's place follows from its register.
    fn kvm_words(&self, joined: &mut Joined) {
        let words: Map<CpuidWord, Word> =
            self.facts.words.iter().filter_map(|word| Some((word.location?, word.word))).collect();
        for (location, (views, _)) in joined.features.iter_mut() {
            let view = &mut views[self.release];
            if view.name.is_some() {
                let word = words.get(&location.word);
                view.kvm = word.map(|&word| WordBit { word, bit: location.bit });
            }
        }
    }

    /// The release's facts.
    pub(super) fn facts(&self) -> &'a LinuxFacts {
        self.facts
    }

    /// The hardware locations of a macro; empty if software defines it.
    pub(super) fn locations(&self, name: &str) -> &[Location] {
        self.named.get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds the bits in KVM's capability set-up, after the features of all releases.
    pub(super) fn kvm_caps(&self, joined: &mut Joined, diagnostics: &mut Diagnostics) {
        for cap in &self.facts.kvm_caps {
            let leaf = cap.leaf_name.as_deref().and_then(|name| self.cap_word(name));
            let mut found = false;
            for location in self.cap_locations(&cap.name, leaf) {
                let Some((views, _)) = joined.features.get_mut(&location) else { continue };
                found = true;
                let caps = &mut views[self.release].caps;
                if let Err(at) = caps.binary_search(&cap.kind) {
                    caps.insert(at, cap.kind);
                }
            }
            if !found {
                let message = format!("KVM names `{}`, which has no location in this release", cap.name);
                diagnostics.warning(cap.at, message);
            }
        }
    }

    /// Adds what the vendor modules do with features.
    pub(super) fn kvm_modules(&self, joined: &mut Joined, diagnostics: &mut Diagnostics) {
        for cap in &self.facts.kvm_modules {
            let locations = self.locations(&cap.name);
            if locations.is_empty() {
                let message =
                    format!("{} names `{}`, which has no location in this release", cap.module, cap.name);
                diagnostics.warning(cap.at, message);
            }
            for location in locations {
                let Some((views, _)) = joined.features.get_mut(location) else { continue };
                let (module, action, condition) = (cap.module, cap.action, cap.condition.clone());
                views[self.release].modules.push(ModuleRule { module, action, condition });
            }
        }
    }

    /// The register of a list: its word's, or the one that its name states if the kernel has no such word.
    fn cap_word(&self, name: &str) -> Option<CpuidWord> {
        self.by_leaf.get(name).copied().or_else(|| leaf_name::from_linux(name))
    }

    /// The bits that a name in KVM's set-up represents: a macro, in this word if one is given, or `BIT(n)` of the
    /// word.
    fn cap_locations(&self, name: &str, leaf: Option<CpuidWord>) -> Vec<Location> {
        let number = name.strip_prefix("BIT(").and_then(|rest| rest.strip_suffix(')'));
        match (number, leaf) {
            (Some(number), Some(word)) => {
                let bit = number.parse().ok().filter(|&bit| bit < 32);
                bit.map(|bit| Location { word, bit: Bit(bit) }).into_iter().collect()
            }
            _ => {
                let all = self.named.get(name).into_iter().flatten().copied();
                let fits = |word| word == leaf.unwrap_or(word) || (leaf == Some(ALIAS) && word == ALIASED);
                all.filter(|location| fits(location.word)).collect()
            }
        }
    }
}

fn push<'a>(map: &mut Map<&'a str, Vec<Location>>, name: &'a str, location: Location) {
    let all = map.or_default(name);
    if !all.contains(&location) {
        all.push(location);
    }
}

/// Names a location's view. A second macro for the same bit cannot be kept and is reported.
fn claim(
    view: &mut LinuxView,
    name: &str,
    at: Span,
    location: Location,
    diagnostics: &mut Diagnostics,
) -> bool {
    match &view.name {
        None => {
            view.name = Some(name.to_owned());
            true
        }
        Some(kept) if kept == name => true,
        Some(kept) => {
            diagnostics.warning(at, format!("ignored `{name}`: {location} is already `{kept}`"));
            false
        }
    }
}

/// Adds bits that are identified by their macro.
fn kernel_bits(
    all: &mut Map<String, Vec<Option<KernelView>>>,
    (release, releases): (usize, usize),
    flags: &[LinuxFlag],
    diagnostics: &mut Diagnostics,
) {
    let mut taken: Map<(Word, Bit), &str> = Map::new();
    for flag in flags {
        let place = WordBit { word: flag.word, bit: flag.bit };
        if let Some(kept) = taken.insert((flag.word, flag.bit), &flag.name) {
            let at = format!("word {}, bit {}", flag.word.0, flag.bit.0);
            diagnostics.warning(flag.at, format!("ignored `{}`: {at} is already `{kept}`", flag.name));
            taken.insert((flag.word, flag.bit), kept);
            continue;
        }
        let views = all.or_insert_with(flag.name.clone(), || vec![None; releases]);
        if views[release].is_some() {
            diagnostics.warning(flag.at, format!("`{}` is defined twice; the first is kept", flag.name));
            continue;
        }
        views[release] = Some(KernelView { place, flag: flag.flag.clone() });
    }
}
