//! A model's properties as QEMU reports them, computed from the facts and the resolved models.

use std::collections::{BTreeMap, BTreeSet};

use cpuid_gen::facts::QemuFacts;
use cpuid_gen::facts::records::{MaskKind, QemuSource};
use cpuid_gen::location::Word;
use cpuid_gen::model::cpu_models::{CpuDefinition, Properties, Property};

use super::recording::Props;

/// A row of `recorded/accelerators.tsv`.
pub(crate) struct Exception {
    pub(crate) accelerator: &'static str,
    pub(crate) property: &'static str,
    pub(crate) value: &'static str,
}

/// All of them, each with a reason.
pub(crate) fn exceptions() -> Vec<Exception> {
    let rows = include_str!("../../recorded/accelerators.tsv").lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| match row.split('\t').collect::<Vec<_>>()[..] {
        [accelerator, property, value, reason] if !reason.is_empty() => {
            Exception { accelerator, property, value }
        }
        _ => panic!("accelerators.tsv: {row}"),
    })
    .collect()
}

/// Feature words by index.
pub(crate) type Words = BTreeMap<Word, u64>;

/// A release's facts, in the form needed here.
pub(crate) struct Release<'f> {
    pub(crate) facts: &'f QemuFacts,
    pub(crate) properties: Properties<'f>,
    index: BTreeMap<&'f str, Word>,
}

impl<'f> Release<'f> {
    pub(crate) fn new(facts: &'f QemuFacts) -> Release<'f> {
        let index = facts.words.iter().map(|word| (word.name.as_str(), word.index)).collect();
        Release { facts, properties: Properties::new(facts), index }
    }

    /// Sets one property's bits.
    pub(crate) fn set(&self, words: &mut Words, name: &str, on: bool) {
        let Some(Property::Bits(word, mask)) = self.properties.get(name) else {
            panic!("{name} is not a feature of QEMU {}", self.facts.release);
        };
        let word = words.entry(word).or_default();
        *word = if on { *word | mask } else { *word & !mask };
    }

    /// Applies what every model gets under an accelerator; `used` collects the rows that had an effect.
    pub(crate) fn accelerate(&self, words: &mut Words, accelerator: &str, used: &mut BTreeSet<usize>) {
        for (row, exception) in exceptions().iter().enumerate() {
            if [accelerator, "any"].contains(&exception.accelerator) {
                let before = words.clone();
                self.set(words, exception.property, exception.value == "on");
                words.retain(|_, mask| *mask != 0);
                if *words != before {
                    used.insert(row);
                }
            }
        }
    }

    /// Removes features whose prerequisites are missing, in QEMU's order.
    pub(crate) fn depend(&self, words: &mut Words) {
        for dep in &self.facts.deps {
            let get = |name: &str| words.get(&self.index[name]).copied().unwrap_or(0);
            if get(&dep.from.0) & dep.from.1 == 0 {
                let left = get(&dep.to.0) & !dep.to.1;
                words.insert(self.index[dep.to.0.as_str()], left);
            }
        }
    }

    /// Every named feature: `on` if all its bits are set.
    pub(crate) fn features(&self, words: &Words) -> Props {
        let names: BTreeSet<&str> = self.facts.bits.iter().flat_map(|bit| bit.names()).collect();
        let value = |name: &str| match self.properties.get(name) {
            Some(Property::Bits(word, mask)) => words.get(&word).copied().unwrap_or(0) & mask == mask,
            _ => panic!("{name} has no bit"),
        };
        names
            .into_iter()
            .map(|name| (name.to_owned(), if value(name) { "on" } else { "off" }.to_owned()))
            .collect()
    }

    /// The names of the bits that are on.
    pub(crate) fn on(&self, words: &Words) -> BTreeSet<String> {
        self.features(words).into_iter().filter(|(_, value)| value == "on").map(|(name, _)| name).collect()
    }

    /// The word of a mask; 0 if it is not listed.
    pub(crate) fn mask(&self, word: &str, kind: MaskKind) -> u64 {
        self.facts
            .masks
            .iter()
            .find(|mask| mask.word == word && mask.kind == kind)
            .map_or(0, |mask| mask.mask)
    }

    /// The XSAVE components of the enabled features, as two words of XCR0 and two of IA32_XSS. Components that TCG
    /// does not support are omitted, except by QEMU 7.2, which does not ask the accelerator.
    pub(crate) fn xsave(&self, words: &mut Words) {
        let get = |words: &Words, name: &str| words.get(&self.index[name]).copied().unwrap_or(0);
        let saves = self.facts.xsave.iter().find(|area| area.component == 0).unwrap();
        let has = |words: &Words, word: &str, bit: u8| get(words, word) >> bit & 1 == 1;
        let mut components = 0u64;
        if has(words, &saves.word, saves.bit.0) {
            let areas = self.facts.xsave.iter().filter(|area| has(words, &area.word, area.bit.0));
            components = areas.map(|area| 1u64 << area.component).sum();
        }
        for (name, shift, supervisor) in [
            ("FEAT_XSAVE_XCR0_LO", 0, false),
            ("FEAT_XSAVE_XCR0_HI", 32, false),
            ("FEAT_XSAVE_COMP_LO", 0, false),
            ("FEAT_XSAVE_COMP_HI", 32, false),
            ("FEAT_XSAVE_XSS_LO", 0, true),
            ("FEAT_XSAVE_XSS_HI", 32, true),
        ] {
            let Some(word) = self.index.get(name) else { continue };
            // Components of IA32_XSS: PASID to HDC, and LBR; the source uses a macro that is not in a feature word.
            let of_xss = components & (1 << 15);
            let mask = if supervisor { of_xss } else { components & !of_xss };
            let of_tcg = self.mask(name, MaskKind::Tcg);
            let limit = if self.facts.release.starts_with("7.2.") { u64::MAX } else { of_tcg };
            words.insert(*word, mask >> shift & 0xffff_ffff & limit);
        }
    }

    /// Bits of 0x80000001.EDX that repeat those of 1.EDX for vendor AMD only, not for Hygon.
    pub(crate) fn amd_aliases(&self, words: &mut Words, vendor: &str) {
        if vendor == "AuthenticAMD" {
            let mask = self.facts.macros.iter().find(|known| known.name == "CPUID_EXT2_AMD_ALIASES").unwrap();
            let first = words.get(&self.index["FEAT_1_EDX"]).copied().unwrap_or(0);
            let second = words.entry(self.index["FEAT_8000_0001_EDX"]).or_default();
            *second = *second & !mask.value | first & mask.value;
        }
    }

    /// The words of CPUID registers that are not zero, named like in the recording.
    pub(crate) fn registers(&self, words: &Words) -> BTreeMap<String, u64> {
        let mut found = BTreeMap::new();
        for word in &self.facts.words {
            let QemuSource::Cpuid { leaf, subleaf, register } = word.source else { continue };
            let value = words.get(&word.index).copied().unwrap_or(0);
            if value != 0 {
                let subleaf = subleaf.map_or("-".to_owned(), |subleaf| subleaf.0.to_string());
                found.insert(format!("{:#x}.{subleaf}.{}", leaf.0, register.name().to_lowercase()), value);
            }
        }
        found
    }
}

/// The properties of a definition that are not bits.
pub(crate) fn fields(definition: &CpuDefinition) -> Props {
    let text = |text: &str| format!("\"{text}\"");
    let mut props: Props = [
        ("min-level", definition.level.to_string()),
        ("level", definition.level.to_string()),
        ("min-xlevel", definition.xlevel.to_string()),
        ("xlevel", definition.xlevel.to_string()),
        ("vendor", text(&definition.vendor)),
        ("family", definition.family.to_string()),
        ("model", definition.model.to_string()),
        ("stepping", definition.stepping.to_string()),
        ("model-id", text(&definition.model_id)),
        // A model with its own caches does not use the legacy ones.
        ("legacy-cache", if definition.caches.is_empty() { "on" } else { "off" }.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if definition.avx10 != 0 {
        props.insert("avx10-version".to_owned(), definition.avx10.to_string());
    }
    props.extend(definition.props.clone());
    props
}
