//! Compares QEMU's CPU models and names with KVM's capability lists.
//!
//! Each Linux release is compared by itself: a feature that KVM gained later is a difference with that reason.

use super::few::few;
use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::model_places::place_in;
use super::pair::joined;
use super::qemu::QemuIndex;
use super::release::Release;
use crate::diagnostic::Diagnostic;
use crate::facts::{CapKind, KvmModuleCap, ModuleAction};
use crate::location::{Bit, CpuidWord, Location};
use crate::model::cpu_models::CpuModel;
use crate::model::{KvmTreatment, LinuxView, ModuleRule};
use crate::ordered::{Map, Set};
use crate::source::Span;
use crate::vocabulary::location::{Word, WordBit};

/// What the KVM of one release does with each feature of the words that its lists fill.
pub(super) struct Support<'i, 'a> {
    linux: &'i LinuxIndex<'a>,
    /// Words that a list fills.
    words: Set<CpuidWord>,
    caps: Map<Location, Vec<CapKind>>,
    modules: Map<Location, Vec<ModuleRule>>,
}

impl<'i, 'a> Support<'i, 'a> {
    pub(super) fn new(linux: &'i LinuxIndex<'a>) -> Support<'i, 'a> {
        let (mut words, mut caps) = (Set::new(), Map::new());
        for cap in &linux.facts.kvm_caps {
            let word = cap.leaf_name.as_deref().and_then(|name| linux.rows.register(name));
            words.extend(word);
            for location in places(linux, &cap.name, word) {
                let all: &mut Vec<CapKind> = caps.or_default(location);
                all.push(cap.kind);
            }
        }
        let mut modules: Map<Location, Vec<ModuleRule>> = Map::new();
        for cap in &linux.facts.kvm_modules {
            for location in places(linux, &cap.name, None) {
                let (module, action) = (cap.module, cap.action);
                modules.or_default(location).push(ModuleRule { module, action, condition: None });
            }
        }
        Support { linux, words, caps, modules }
    }

    /// `None` if no list of this release fills the feature's word, or the release has no macro for it.
    fn treatment(&self, location: Location) -> Option<KvmTreatment> {
        if !self.words.contains(&location.word) || !self.linux.bits.contains_key(&location) {
            return None;
        }
        let caps = self.caps.get(&location).cloned().unwrap_or_default();
        let modules = self.modules.get(&location).cloned().unwrap_or_default();
        let kvm = Some(WordBit { word: Word(0), bit: Bit(0) });
        Some(KvmTreatment::from_view(&LinuxView { kvm, caps, modules, ..LinuxView::default() }))
    }

    /// True if a list of this release fills the feature's word, and advertises the feature.
    pub(super) fn advertises(&self, location: Location) -> bool {
        self.treatment(location).is_some_and(KvmTreatment::may_be_advertised)
    }

    /// What kvm-intel and kvm-amd set if one of their module parameters, and nothing else, allows it.
    pub(super) fn by_parameter(&self) -> impl Iterator<Item = (&'a KvmModuleCap, Location)> {
        let facts = self.linux.facts;
        let is_parameter = |condition: &str| {
            let parts = condition.split_once('.');
            parts.is_some_and(|(module, name)| {
                facts.kvm_params.iter().any(|param| param.module.name() == module && param.name == name)
            })
        };
        self.by_module().filter(move |(rule, _)| {
            rule.action == ModuleAction::Set && rule.condition.as_deref().is_some_and(is_parameter)
        })
    }

    /// What kvm-intel and kvm-amd do with features, and the features' places.
    pub(super) fn by_module(&self) -> impl Iterator<Item = (&'a KvmModuleCap, Location)> {
        let rules = self.linux.facts.kvm_modules.iter();
        rules
            .flat_map(|rule| places(self.linux, &rule.name, None).into_iter().map(move |place| (rule, place)))
    }

    pub(super) fn release(&self) -> &'i Release {
        &self.linux.release
    }

    /// The place in the list of a feature's word after which the feature belongs: the entry of the next lower bit, or the first.
    fn list_place(&self, location: Location) -> Option<Span> {
        let facts = self.linux.facts;
        let listed = facts.kvm_caps.iter().filter_map(|cap| {
            let word = self.linux.rows.register(cap.leaf_name.as_deref()?)?;
            let place = places(self.linux, &cap.name, Some(word)).first().copied()?;
            (word == location.word).then_some((place.bit, cap.at))
        });
        let listed: Vec<(Bit, Span)> = listed.collect();
        let lower = listed.iter().filter(|(bit, _)| *bit < location.bit).max_by_key(|(bit, _)| *bit);
        lower.or(listed.first()).map(|(_, at)| *at)
    }

    fn withholds(&self, location: Location) -> bool {
        self.treatment(location).is_some_and(|treatment| !treatment.may_be_advertised())
    }
}

/// The hardware locations of a feature that a capability names; in a list, the one in the list's word.
fn places(linux: &LinuxIndex<'_>, name: &str, word: Option<CpuidWord>) -> Vec<Location> {
    let feature = linux.features.get(name).and_then(|feature| linux.hardware_place(feature));
    let kvm = [linux.kvm_features.get(name), linux.translates.get(name)];
    let kvm = kvm.into_iter().flatten().filter_map(|bit| linux.rows.kvm_location(bit));
    let scattered = linux.facts.scattered.iter().filter(|bit| bit.name == name).map(|bit| bit.location);
    let number = name.strip_prefix("BIT(").and_then(|rest| rest.strip_suffix(')')?.parse().ok());
    let number = word.zip(number).map(|(word, bit)| word.bit(Bit(bit)));
    let all = feature.into_iter().chain(kvm).chain(scattered).chain(number);
    all.filter(|place| word.is_none_or(|word| place.word == word)).collect()
}

/// Runs the checks.
pub(super) fn check(
    support: &[Support<'_, '_>],
    qemu: &[QemuIndex<'_>],
    models: &[ModelsByBit<'_>],
    findings: &mut Findings<'_>,
) {
    for one in support {
        check_synthesized(one, findings);
        check_handed_out(one, findings);
    }
    for one in support {
        for (index, models) in qemu.iter().zip(models) {
            check_models((index, models), one, findings);
            check_omitted(index, one, findings);
        }
    }
}

/// A synthesized feature is set from the kernel's own word; a word that only KVM has cannot provide it.
fn check_synthesized(one: &Support<'_, '_>, findings: &mut Findings<'_>) {
    let linux = one.linux;
    let all = linux.facts.kvm_caps.iter().filter(|cap| cap.kind == CapKind::SynthesizedF);
    for cap in all {
        let Some(leaf) = cap.leaf_name.as_deref() else { continue };
        let Some(word) = linux.rows.words.get(leaf).filter(|word| !linux.facts.is_kernel_word(word.word))
        else {
            continue;
        };
        // A scattered feature has a bit among the kernel's words too.
        if linux.features.contains_key(cap.name.as_str()) {
            continue;
        }
        findings.add(Key::new(Kind::Synthesized, &cap.name, leaf, "-"), &[&linux.release], || {
            let message = format!("`{}` is synthesized, but the kernel has no bit for it", cap.name);
            Diagnostic::error(cap.at, message).with_label(word.at, "a word that only KVM has")
        });
    }
}

/// A list without a use: no guest sees its features. Only a tree shows the uses.
fn check_handed_out(one: &Support<'_, '_>, findings: &mut Findings<'_>) {
    let facts = one.linux.facts;
    if facts.handed_out.is_empty() {
        return;
    }
    let listed = facts.kvm_caps.iter().filter_map(|cap| Some((cap.leaf_name.as_deref()?, cap.at)));
    let mut words: Map<&str, Span> = Map::new();
    for (word, at) in listed.filter(|(word, _)| !facts.handed_out.iter().any(|used| used == word)) {
        words.or_insert(word, at);
    }
    for (word, at) in words {
        findings.add(Key::new(Kind::NotHandedOut, word, "-", "-"), &[&one.linux.release], || {
            Diagnostic::error(
                at,
                format!("KVM lists features of `{word}`, but its CPUID code never uses the word"),
            )
        });
    }
}

/// A feature in a model that KVM does not advertise is missing from every guest of that model.
fn check_models(
    (index, models): (&QemuIndex<'_>, &ModelsByBit<'_>),
    one: &Support<'_, '_>,
    findings: &mut Findings<'_>,
) {
    for (&location, names) in models {
        if !one.withholds(location) {
            continue;
        }
        let name = one.linux.bits.get(&location).map_or(String::new(), |names| joined(names));
        let key = Key::new(Kind::ModelBit, location.to_string(), &name, "-");
        findings.add(key, &[&one.linux.release, &index.release], || {
            let at = place_in(index, names[0], location);
            let few = few(names, 3);
            Diagnostic::error(at, format!("`{name}` ({location}) is in {few}, but KVM does not advertise it"))
                .with_label(place(one.linux, location), "Linux defines it")
        });
    }
}

/// QEMU names it, Linux defines it, and KVM's list for its word leaves it out.
fn check_omitted(index: &QemuIndex<'_>, one: &Support<'_, '_>, findings: &mut Findings<'_>) {
    for (&location, named) in &index.bits {
        if !one.withholds(location) {
            continue;
        }
        let name = one.linux.bits.get(&location).map_or(String::new(), |names| joined(names));
        let key = Key::new(Kind::KvmOmits, location.to_string(), &name, "-");
        findings.add(key, &[&one.linux.release, &index.release], || {
            let message = format!("`{name}` ({location}) is not in KVM's capability list for its word");
            let defined = place(one.linux, location);
            let found = match one.list_place(location) {
                Some(list) => Diagnostic::error(list, message).with_label(defined, "Linux defines it"),
                None => Diagnostic::error(defined, message),
            };
            found.with_label(named.bit.at, "QEMU has a name for it")
        });
    }
}

fn place(linux: &LinuxIndex<'_>, location: Location) -> Span {
    linux.bits.get(&location).and_then(|names| names.first()).map_or(linux.facts.at, |name| name.at)
}

/// The names of the models that have a bit, for each bit of CPUID.
pub(super) type ModelsByBit<'i> = Map<Location, Vec<&'i str>>;

/// Those of one release.
pub(super) fn models_by_bit<'i>(index: &'i QemuIndex<'_>) -> ModelsByBit<'i> {
    let mut models = ModelsByBit::new();
    for model in &index.models {
        for location in bits_of(index, model) {
            models.or_default(location).push(&model.name);
        }
    }
    models
}

/// The CPUID bits of a model's base definition and of all its versions.
fn bits_of(index: &QemuIndex<'_>, model: &CpuModel) -> Set<Location> {
    let versions = model.versions.iter().map(|version| &version.definition);
    let words = [&model.base].into_iter().chain(versions).flat_map(|definition| &definition.words);
    let mut bits = Set::new();
    for (word, mask) in words {
        let source = index.facts.words.iter().find(|row| row.index == *word);
        let Some(register) = source.and_then(|row| row.source.cpuid_word()) else { continue };
        bits.extend((0..32).filter(|bit| mask >> bit & 1 != 0).map(|bit| register.bit(Bit(bit))));
    }
    bits
}
