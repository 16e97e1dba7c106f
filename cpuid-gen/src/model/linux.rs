//! Adds a Linux release to the model: the kernel's bits, then KVM's.

use super::joined::Joined;
use super::linux_view::{LinuxView, ModuleRule};
use super::types::{KernelView, LinuxRelease, ModuleParameter};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{KvmBit, KvmParam, LinuxFacts, LinuxFlag};
use crate::index::LinuxRows;
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

/// Adds the release with index `release`, except for KVM's capabilities: those may name a bit by a number for which
/// only another release has a macro.
pub(super) fn add(joined: &mut Joined, release: usize, rows: &LinuxRows<'_>, diagnostics: &mut Diagnostics) {
    let facts = rows.facts;
    let mut adding = Adding { joined, release, rows, diagnostics };
    for bit in &facts.kvm_translates {
        adding.kvm_location(bit);
    }
    adding.features();
    adding.kvm_features();
    adding.kvm_paravirtual();
    adding.kvm_words();
    kernel_bits(&mut joined.bugs, (release, joined.linux), &facts.bugs, diagnostics);
    kernel_bits(&mut joined.vmx, (release, joined.linux), &facts.vmx, diagnostics);
}

/// A release that is added.
struct Adding<'r, 'a> {
    joined: &'r mut Joined,
    release: usize,
    rows: &'r LinuxRows<'a>,
    diagnostics: &'r mut Diagnostics,
}

impl Adding<'_, '_> {
    /// The hardware location of KVM's bit.
    fn kvm_location(&mut self, bit: &KvmBit) -> Option<Location> {
        let location = self.rows.kvm_location(bit);
        if location.is_none() {
            let message = format!("`{}` is in `{}`, a word without a location", bit.name, bit.leaf_name);
            self.diagnostics.push(Diagnostic::error(bit.at, message));
        }
        location
    }

    fn features(&mut self) {
        let mut software = Vec::new();
        let words = self.rows.facts.count("NCAPINTS").unwrap_or(0);
        for flag in &self.rows.facts.features {
            // Vendors reserve words without a row and define features in them, which are software's.
            if flag.word.0 >= words && !self.rows.numbers.contains_key(&flag.word) {
                let message = format!("`{}` is in word {}, which this release lacks", flag.name, flag.word.0);
                self.diagnostics.push(Diagnostic::error(flag.at, message));
                continue;
            }
            let locations = self.rows.locations(flag);
            if locations.is_empty() {
                software.push(flag.clone());
            }
            for location in locations {
                self.kernel_feature(flag, location);
            }
        }
        let place = (self.release, self.joined.linux);
        kernel_bits(&mut self.joined.software, place, &software, self.diagnostics);
    }

    fn kernel_feature(&mut self, flag: &LinuxFlag, location: Location) {
        let view = &mut self.joined.feature(location).0[self.release];
        if claim(view, &flag.name, flag.at, location, self.diagnostics) {
            view.flag.clone_from(&flag.flag);
            view.kernel = Some(WordBit { word: flag.word, bit: flag.bit });
        }
    }

    fn kvm_features(&mut self) {
        for bit in &self.rows.facts.kvm_features {
            let Some(location) = self.kvm_location(bit) else { continue };
            let view = &mut self.joined.feature(location).0[self.release];
            claim(view, &bit.name, bit.at, location, self.diagnostics);
        }
    }

    /// KVM's own leaf, which is in no word.
    fn kvm_paravirtual(&mut self) {
        for bit in &self.rows.facts.kvm_para {
            let view = &mut self.joined.feature(bit.location).0[self.release];
            claim(view, &bit.macro_name(), bit.at, bit.location, self.diagnostics);
        }
    }

    /// KVM's words are the kernel's hardware words and its own, so a bit's place follows from its register.
    fn kvm_words(&mut self) {
        for (location, (views, _)) in self.joined.features.iter_mut() {
            let view = &mut views[self.release];
            if view.name.is_some() {
                let word = self.rows.registers.get(&location.word);
                view.kvm = word.map(|word| WordBit { word: word.word, bit: location.bit });
            }
        }
    }
}

/// Adds the bits in KVM's capability set-up of the release with index `release`, after the features of all releases.
pub(super) fn kvm_caps(
    joined: &mut Joined,
    release: usize,
    rows: &LinuxRows<'_>,
    diagnostics: &mut Diagnostics,
) {
    for cap in &rows.facts.kvm_caps {
        // The register of a list: its word's, or the one that its name states if the kernel has no such word.
        let register = |name: &str| rows.register(name).or_else(|| leaf_name::from_linux(name));
        let register = cap.leaf_name.as_deref().and_then(register);
        let mut found = false;
        for location in cap_locations(rows, &cap.name, register) {
            let Some((views, _)) = joined.features.get_mut(&location) else { continue };
            found = true;
            let caps = &mut views[release].caps;
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

/// Adds what the vendor modules of the release with index `release` do with features.
pub(super) fn kvm_modules(
    joined: &mut Joined,
    release: usize,
    rows: &LinuxRows<'_>,
    diagnostics: &mut Diagnostics,
) {
    for cap in &rows.facts.kvm_modules {
        let locations = rows.named(&cap.name);
        if locations.is_empty() {
            let message =
                format!("{} names `{}`, which has no location in this release", cap.module, cap.name);
            diagnostics.warning(cap.at, message);
        }
        for location in locations {
            let Some((views, _)) = joined.features.get_mut(location) else { continue };
            let (module, action, condition) = (cap.module, cap.action, cap.condition.clone());
            views[release].modules.push(ModuleRule { module, action, condition });
        }
    }
}

/// The bits that a name in KVM's set-up represents: a macro, in this register if one is given, or `BIT(n)` of the
/// register.
fn cap_locations(rows: &LinuxRows<'_>, name: &str, register: Option<CpuidWord>) -> Vec<Location> {
    let number = name.strip_prefix("BIT(").and_then(|rest| rest.strip_suffix(')'));
    match (number, register) {
        (Some(number), Some(word)) => {
            let bit = number.parse().ok().filter(|&bit| bit < 32);
            bit.map(|bit| Location { word, bit: Bit(bit) }).into_iter().collect()
        }
        _ => {
            let fits =
                |word| word == register.unwrap_or(word) || (register == Some(ALIAS) && word == ALIASED);
            rows.named(name).iter().copied().filter(|location| fits(location.word)).collect()
        }
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
