//! Choosing a QEMU model for a fleet.
//!
//! A model fits if QEMU would not report any of its bits, including unnamed ones, as missing on any host: QEMU's
//! check runs on the common features as one host
//! ([`GuestCpuidBuilder::definitions`](crate::guest::GuestCpuidBuilder)). Unless all tables are KVM's own, which
//! contain its leaf, features that KVM emulates on every host count as present, so that dumps of the CPUID
//! instruction work too. The best model has the most feature bits; of equal ones, the one that QEMU lists later, and
//! the later version. Models of the hosts' vendor come before all others, and deprecated ones last.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;

use super::baseline::Baseline;
use super::left_out::{NESTED, of_vendor};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::known_places::{KVM_FEATURES, PERF_CAPABILITIES};
use crate::bits::kvm_treatment::KvmTreatment;
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, Register, Registers, Subleaf};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::{LinuxRelease, QemuRelease};
use crate::bits::xsave::XsaveComponent;
use crate::feature;
use crate::guest::{
    BuildError, CpuOption, CpuSetting, Definition, Filtered, GuestCpuid, Warning, WordSource, migrates,
};
use crate::host::Host;
use crate::meaning::{Rule, meanings, msr_meanings};
use crate::models::cpu_model::CpuModel;
use crate::table::{CpuidEntry, find_entry};

/// A model for a fleet, with the changes to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Choice {
    /// The model in one of its versions.
    pub model: CpuModel,
    /// Number of feature bits that QEMU requests from a host.
    pub bits: usize,
    /// Features that all hosts have, KVM can offer, and do not prevent migration, but the model lacks; without nested
    /// virtualization, see [`Baseline::nested`].
    pub add: FeatureSet,
    /// The same for MSR bits; empty unless all hosts provide their MSRs.
    pub add_msr: Vec<MsrFeature>,
    /// Features of the model that some hosts lack; empty for a model that fits.
    pub remove: Vec<Filtered>,
    /// The version of AVX10 that all hosts have, if the model requests a newer one.
    pub avx10_version: Option<u8>,
    /// False if the model is another vendor's.
    pub same_vendor: bool,
}

impl Choice {
    /// Number of added and removed features.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.add.len() + self.add_msr.len() + self.remove.len()
    }

    /// True if the model runs unchanged on all hosts.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.remove.is_empty()
    }

    /// Names of the added features in QEMU.
    pub fn added_names(&self) -> impl Iterator<Item = &'static str> {
        let release = self.model.release();
        let cpuid = self.add.iter().filter_map(move |feature| feature.qemu_names(release).next());
        let msr = self.add_msr.iter().filter_map(move |feature| feature.qemu_names(release).next());
        cpuid.chain(msr)
    }

    /// As `-cpu` has it, like its text.
    #[must_use]
    pub fn cpu_option(&self) -> CpuOption {
        let mut option = CpuOption::new(&self.model.to_string());
        option.settings.extend(self.added_names().map(|name| CpuSetting::Plus(name.to_string())));
        option.settings.extend(self.removed_names().map(|name| CpuSetting::Minus(name.to_string())));
        let avx10 = self.avx10_version.map(|version| version.to_string());
        option.settings.extend(avx10.map(|version| CpuSetting::Set("avx10-version".to_string(), version)));
        option
    }

    /// Names of the removed features.
    pub fn removed_names(&self) -> impl Iterator<Item = &'static str> {
        self.remove.iter().filter_map(|filtered| filtered.name)
    }
}

impl fmt::Display for Choice {
    /// In `-cpu` syntax: `EPYC-Milan-v2,+x,-y`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.model.fmt(f)?;
        self.added_names().try_for_each(|name| write!(f, ",+{name}"))?;
        self.removed_names().try_for_each(|name| write!(f, ",-{name}"))?;
        self.avx10_version.map_or(Ok(()), |version| write!(f, ",avx10-version={version}"))
    }
}

/// Emulated everywhere too: KVM sets it unconditionally in a guest's leaf.
const ALSO_EVERYWHERE: FeatureSet = FeatureSet::new().with(feature::ARAT);
/// VMX controls: bits that must be 1 in the lower half, bits that may be 1 in the upper.
const VMX_CONTROLS: [u32; 5] = [0x48b, 0x48d, 0x48e, 0x48f, 0x490];

impl Baseline {
    /// Every version of every model that runs on the hosts, possibly with features removed, in QEMU's order. Empty if
    /// the hosts have different vendors.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if QEMU would not start on such a host because XSAVE areas have unexpected sizes.
    pub fn choices(&self, release: QemuRelease) -> Result<Vec<Choice>, BuildError> {
        let Some(vendor) = self.vendor() else { return Ok(Vec::new()) };
        let host = self.as_host();
        let definitions = GuestCpuid::builder().release(release).host(&host).definitions()?;
        let versions = release.cpu_models().flat_map(CpuModel::versions);
        let choices = versions.filter_map(|model| {
            let definition =
                definitions.iter().find(|one| one.model == Some(model) && one.alias_of.is_none())?;
            let nameless = definition.unavailable.iter().any(|filtered| filtered.name.is_none());
            (!nameless).then(|| self.choice(model, definition, vendor))
        });
        Ok(choices.collect())
    }

    /// The feature for nested virtualization, if all hosts have it: `vmx` or `svm`. Models are chosen without it.
    #[must_use]
    pub fn nested(&self) -> Option<Feature> {
        self.features().intersection(NESTED).iter().next()
    }

    /// The best model that runs unchanged on all hosts; `None` if no model does or the hosts have different vendors.
    ///
    /// # Errors
    ///
    /// As [`choices`](Baseline::choices).
    pub fn best_model(&self, release: QemuRelease) -> Result<Option<Choice>, BuildError> {
        let fitting = self.choices(release)?.into_iter().filter(Choice::fits);
        let best = fitting.max_by_key(|one| (one.same_vendor, one.model.deprecated().is_none(), one.bits));
        best.map(|choice| self.tried(choice)).transpose()
    }

    /// The model of the hosts' vendor with the fewest changes that give it exactly the common features; `None` if no
    /// model can be changed so or the hosts have different vendors.
    ///
    /// # Errors
    ///
    /// As [`choices`](Baseline::choices).
    pub fn closest_model(&self, release: QemuRelease) -> Result<Option<Choice>, BuildError> {
        let own = self.choices(release)?.into_iter().filter(|one| one.same_vendor);
        let current = own.filter(|one| one.model.deprecated().is_none());
        let closest = current.max_by_key(|one| Reverse((one.changes(), one.remove.len())));
        closest.map(|choice| self.tried(choice)).transpose()
    }

    /// The choice without features that QEMU would still filter: an added feature may lack a dependency, or QEMU may
    /// describe it differently than the hosts.
    fn tried(&self, mut choice: Choice) -> Result<Choice, BuildError> {
        let host = self.as_host();
        // Each round removes something, or is the last.
        loop {
            let builder = GuestCpuid::builder().release(choice.model.release()).host(&host);
            let guest = builder.cpu(choice.cpu_option()).build()?;
            let filtered = guest.filtered();
            let asks_more = guest.warnings().iter().find_map(|warning| match warning {
                Warning::Avx10 { gets, .. } => *gets,
                _ => None,
            });
            choice.avx10_version = choice.avx10_version.or(asks_more);
            let before = choice.add.len() + choice.add_msr.len();
            // QEMU drops some features without a warning.
            choice.add &= guest.table().features();
            for one in filtered {
                match one.source {
                    WordSource::Cpuid(word) => {
                        for feature in features_of(word, one.bit.0) {
                            choice.add.remove(feature);
                        }
                    }
                    WordSource::Msr(msr) => {
                        choice.add_msr.retain(|feature| (feature.msr(), feature.bit()) != (msr, one.bit));
                    }
                }
            }
            if choice.add.len() + choice.add_msr.len() == before {
                return Ok(choice);
            }
        }
    }

    /// The common features as one host: bits of only some hosts are cleared, and restrictions of any host are set.
    /// Unknown MSRs lack nothing.
    fn as_host(&self) -> Host {
        let mut there: Vec<(CpuidWord, u32)> = Vec::new();
        let emulated = |feature: &Feature| feature.kvm(LinuxRelease::NEWEST) == KvmTreatment::Emulated;
        let mut everywhere = Feature::all().filter(emulated).collect::<FeatureSet>() | ALSO_EVERYWHERE;
        let kvm = CpuidWord { leaf: KVM_FEATURES, ..CpuidWord::new(Leaf(0), Subleaf(0), Register::Eax) };
        if find_entry(&self.entries, KVM_FEATURES, Subleaf(0)).is_some() {
            everywhere = FeatureSet::new();
        } else {
            there.push((kvm, u32::MAX));
        }
        for (word, known) in FeatureSet::ALL.words() {
            let ignored = meanings(word).filter(|meaning| meaning.rule == Rule::Ignore);
            let ignored = ignored.fold(0, |mask, meaning| mask | meaning.mask) & known;
            there.push((word, everywhere.word(word) | ignored));
        }
        let mut supported = self.entries.clone();
        for entry in &mut supported {
            let words = entry.words();
            for ((_, value), word) in entry.registers.iter_mut().zip(words) {
                *value &= !self.warnings.word(word);
            }
        }
        for (word, bits) in there.into_iter().filter(|(_, bits)| *bits != 0) {
            add_bits(&mut supported, word, bits);
        }
        let msrs = match &self.msrs {
            Some(msrs) => msrs
                .iter()
                .map(|(msr, (value, all))| (*msr, if VMX_CONTROLS.contains(&msr.0) { *value } else { *all }))
                .collect(),
            None => MsrFeature::all().map(|feature| (feature.msr(), everything(feature.msr()))).collect(),
        };
        Host { instruction: supported.clone(), supported, msrs, ..Host::default() }
    }

    fn choice(&self, model: CpuModel, definition: &Definition, vendor: &str) -> Choice {
        let mut has = FeatureSet::new();
        for (source, value) in definition.words() {
            if let WordSource::Cpuid(word) = source {
                // Unnamed bits must not be added again.
                let _ = has.set_word(*word, (value & 0xffff_ffff) as u32);
            }
        }
        let bits = definition.words().iter().map(|(_, value)| value.count_ones() as usize).sum();
        let add = self.additions(model.release(), has);
        Choice {
            model,
            bits,
            add,
            add_msr: self.msr_additions(model.release(), definition, has | add),
            remove: definition.unavailable.clone(),
            avx10_version: None,
            same_vendor: model.vendor() == vendor,
        }
    }

    /// Features that all hosts have, KVM can offer, `-cpu` can name, can migrate, and have all dependencies.
    fn additions(&self, release: QemuRelease, has: FeatureSet) -> FeatureSet {
        let offered = |feature: &Feature| {
            let location = feature.location();
            feature.known_to_qemu(release)
                && migrates(release, WordSource::Cpuid(location.word), location.bit)
                && feature.leaf() != KVM_FEATURES
                && feature.kvm(LinuxRelease::NEWEST).may_be_advertised()
        };
        let unasked = of_vendor(self.vendor()).fold(FeatureSet::new(), |all, row| all | row.features);
        let shown = self.features() - self.warnings - has - unasked;
        let mut add: FeatureSet = shown.iter().filter(offered).collect();
        loop {
            let there = has | add;
            let met: FeatureSet = add.iter().filter(|feature| feature.needs().is_subset(&there)).collect();
            if met == add {
                return add;
            }
            add = met;
        }
    }

    /// The same for MSR bits.
    fn msr_additions(
        &self,
        release: QemuRelease,
        definition: &Definition,
        features: FeatureSet,
    ) -> Vec<MsrFeature> {
        let Some(msrs) = &self.msrs else { return Vec::new() };
        let asked = |msr: Msr| {
            let mut words = definition.words().iter();
            words.find(|(source, _)| *source == WordSource::Msr(msr)).map_or(0, |(_, value)| *value)
        };
        let wanted = |feature: &MsrFeature| {
            let (msr, mask) = (feature.msr(), feature.mask());
            let all = msrs.get(&msr).map_or(0, |(value, all)| match VMX_CONTROLS.contains(&msr.0) {
                true => (value >> 32) & !(value & 0xffff_ffff),
                false => *all,
            });
            let promises = msr_meanings(msr).any(|bits| bits.rule == Rule::And && bits.mask & mask != 0);
            feature.known_to_qemu(release)
                && (msr != PERF_CAPABILITIES || features.contains(feature::PDCM))
                && migrates(release, WordSource::Msr(msr), feature.bit())
                && all & mask & !asked(msr) != 0
                && (promises || VMX_CONTROLS.contains(&msr.0))
                && feature.needs().is_subset(&features)
        };
        MsrFeature::all().filter(wanted).collect()
    }
}

/// The feature at a bit; for an unnamed bit of XCR0, the features that enable the component.
fn features_of(word: CpuidWord, bit: u8) -> Vec<Feature> {
    let first = match (word.leaf, word.subleaf, word.register) {
        (Leaf(0xd), Subleaf(0), Register::Eax) => 0,
        (Leaf(0xd), Subleaf(0), Register::Edx) => 32,
        _ => return Feature::at(word.bit(Bit(bit))).into_iter().collect(),
    };
    let components = XsaveComponent::all().filter(|component| component.number == first + bit);
    components.flat_map(|component| component.features().collect::<Vec<_>>()).collect()
}

/// An MSR value that lacks nothing.
fn everything(msr: Msr) -> u64 {
    if VMX_CONTROLS.contains(&msr.0) { u64::MAX << 32 } else { u64::MAX }
}

fn add_bits(entries: &mut Vec<CpuidEntry>, word: CpuidWord, bits: u32) {
    let at = entries.iter().position(|entry| entry.answers(word.leaf, word.subleaf));
    let at = at.unwrap_or_else(|| {
        entries.push(CpuidEntry {
            function: word.leaf,
            index: word.subleaf,
            flags: CpuidEntry::SIGNIFICANT_INDEX,
            registers: Registers::ZERO,
        });
        entries.len() - 1
    });
    *entries[at].register_mut(word.register) |= bits;
}
