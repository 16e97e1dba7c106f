//! QEMU's CPU models; each version includes the properties of all earlier ones (target/i386/cpu.c,
//! `builtin_x86_defs`).
//!
//! These are the definitions of QEMU's table. QEMU changes them for a guest:
//!
//! * it sets the hypervisor bit (leaf 1, ECX bit 31), which is in no model;
//! * under KVM the vendor becomes the host's, and the accelerator's and the machine type's properties are set
//!   ([`MachineType`]);
//! * on AMD some bits of leaf 1 EDX are repeated in 0x80000001 EDX;
//! * it removes features without their dependencies, then those that the host lacks, and raises levels to the
//!   features' needs.

use core::fmt;

use super::cache::Caches;
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::location::{Bit, CpuidWord, Msr, WordSource};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::QemuRelease;
use crate::generated::bit_tables;
use crate::generated::model_tables::{
    DEFINITIONS, Definition, MODELS, Masked, ModelRow, SOURCES, WORDS, list, optional, pairs, text,
};

/// A CPU model of one QEMU release, in one of its versions.
///
/// QEMU has three names for a version: `EPYC-v2`, its alias `EPYC-IBPB`, and for one version `EPYC`. The machine type
/// decides to which version the last one refers: version 1 for every `pc` since 4.1, the newest for `microvm`, and for
/// `isapc` and older machine types the base, which has no version's properties. Here it is version 1 unless
/// [`version`](CpuModel::version), [`latest`](CpuModel::latest), [`base`](CpuModel::base) or
/// [`for_machine`](CpuModel::for_machine) selects another.
///
/// ```
/// use cpuid_tables::{CpuidWord, QemuRelease, Register, feature, Leaf, Subleaf};
///
/// let model = QemuRelease::NEWEST.cpu_model("EPYC-Rome-v2").ok_or("no such model")?;
/// assert_eq!((model.name(), model.version_number()), ("EPYC-Rome", 2));
/// assert!(model.has(feature::CLZERO) && !model.has(feature::AVX512F));
/// assert_eq!(model.word(CpuidWord::new(Leaf(7), Subleaf(0), Register::Ecx)), 0x0040_0004);
/// for (register, value) in model.words() {
///     println!("{register} = {value:#010x}");
/// }
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CpuModel {
    release: QemuRelease,
    index: u16,
    /// 0 is the base.
    pub(super) version: u16,
    pub(super) name: AskedName,
}

/// The kind of name by which a model was requested.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AskedName {
    /// `EPYC`.
    Plain,
    /// `EPYC-v2`.
    Version,
    /// `EPYC-IBPB`.
    Alias,
}

impl QemuRelease {
    /// A model by its name, with or without a version (`EPYC-v2`), or by a version's alias (`EPYC-IBPB`).
    /// Case-sensitive, as in QEMU. `None` for `host`, `max` and `base`, which have no definitions.
    #[must_use]
    pub fn cpu_model(self, name: &str) -> Option<CpuModel> {
        self.cpu_models().find_map(|model| model.called(name))
    }

    /// Every model, in QEMU's order, by its name without a version.
    pub fn cpu_models(self) -> impl Iterator<Item = CpuModel> {
        let count = bit_tables::short(MODELS[self.index()].len());
        (0..count).map(move |index| CpuModel { release: self, index, version: 1, name: AskedName::Plain })
    }
}

impl CpuModel {
    /// The version of this model that has the name.
    pub(crate) fn called(self, name: &str) -> Option<CpuModel> {
        if name == self.name() {
            return Some(self);
        }
        if let Some(alias) = self.versions().find(|version| version.alias() == Some(name)) {
            return Some(CpuModel { name: AskedName::Alias, ..alias });
        }
        self.versioned(name)
    }

    /// The version named `NAME-vN`.
    fn versioned(self, name: &str) -> Option<CpuModel> {
        let digits = name.strip_prefix(self.name())?.strip_prefix("-v")?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0');
        if plain { self.version(digits.parse().ok()?) } else { None }
    }

    /// Its release.
    #[must_use]
    pub const fn release(self) -> QemuRelease {
        self.release
    }

    /// The model's name, without a version.
    #[must_use]
    pub fn name(self) -> &'static str {
        text(self.row().name)
    }

    /// The version's number, 0 for the base.
    #[must_use]
    pub const fn version_number(self) -> u16 {
        self.version
    }

    /// True if it was requested without a version, so that a machine type selects the version.
    #[must_use]
    pub fn is_unversioned(self) -> bool {
        self.name == AskedName::Plain
    }

    /// This version's alias.
    #[must_use]
    pub fn alias(self) -> Option<&'static str> {
        optional(self.version_row().map_or(0, |row| row[1]))
    }

    /// The description of this version, in QEMU's words.
    #[must_use]
    pub fn note(self) -> Option<&'static str> {
        optional(self.version_row().map_or(0, |row| row[2]))
    }

    /// The reason for its deprecation, in QEMU's words.
    #[must_use]
    pub fn deprecated(self) -> Option<&'static str> {
        optional(self.row().deprecated)
    }

    /// A version by its number, from 1.
    #[must_use]
    pub fn version(self, number: u16) -> Option<CpuModel> {
        let known = (1..=self.version_count()).contains(&number);
        known.then_some(CpuModel { version: number, name: AskedName::Version, ..self })
    }

    /// Every version, oldest first.
    pub fn versions(self) -> impl DoubleEndedIterator<Item = CpuModel> {
        (1..=self.version_count()).map(move |version| CpuModel { version, name: AskedName::Version, ..self })
    }

    /// The last version.
    #[must_use]
    pub fn latest(self) -> CpuModel {
        CpuModel { version: self.version_count(), name: AskedName::Version, ..self }
    }

    /// The definition before any version's properties.
    #[must_use]
    pub fn base(self) -> CpuModel {
        CpuModel { version: 0, name: AskedName::Plain, ..self }
    }

    /// True if it was requested by this name, which is also its `Display` output. Properties of machine types apply
    /// by this name, see [`CompatProperty::applies_to`](crate::CompatProperty::applies_to).
    #[must_use]
    pub fn is_called(self, name: &str) -> bool {
        match self.name {
            AskedName::Plain => name == self.name(),
            AskedName::Alias => self.alias() == Some(name),
            AskedName::Version => self.versioned(name).is_some_and(|found| found == self),
        }
    }

    /// The minimum highest basic leaf. Features may need more.
    #[must_use]
    pub fn level(self) -> u32 {
        self.definition().level
    }

    /// The minimum highest extended leaf, 0 for none.
    #[must_use]
    pub fn xlevel(self) -> u32 {
        self.definition().xlevel
    }

    /// The vendor's twelve characters: `AuthenticAMD`.
    #[must_use]
    pub fn vendor(self) -> &'static str {
        text(self.definition().vendor)
    }

    /// The vendor as in leaf 0: EBX, EDX and ECX, in this order.
    #[must_use]
    pub fn vendor_registers(self) -> [u32; 3] {
        registers(self.vendor())
    }

    /// The family, including the extended family.
    #[must_use]
    pub fn family(self) -> u16 {
        self.definition().family
    }

    /// The model number, including the extended model.
    #[must_use]
    pub fn model_number(self) -> u16 {
        self.definition().model
    }

    /// The stepping.
    #[must_use]
    pub fn stepping(self) -> u16 {
        self.definition().stepping
    }

    /// Family, model and stepping, encoded as in leaf 1's EAX.
    #[must_use]
    pub fn signature(self) -> u32 {
        let Definition { family, model, stepping, .. } = *self.definition();
        let [family, model, stepping] = [family, model, stepping].map(u32::from);
        let extended = family.saturating_sub(0xf);
        stepping & 0xf | (model & 0xf) << 4 | family.min(0xf) << 8 | (model >> 4 & 0xf) << 16 | extended << 20
    }

    /// The brand string.
    #[must_use]
    pub fn model_id(self) -> &'static str {
        text(self.definition().model_id)
    }

    /// The brand string as in leaves 0x80000002, 0x80000003 and 0x80000004, each in EAX, EBX, ECX and EDX.
    #[must_use]
    pub fn brand_registers(self) -> [u32; 12] {
        registers(self.model_id())
    }

    /// The AVX10 version, 0 for none.
    #[must_use]
    pub fn avx10_version(self) -> u8 {
        self.definition().avx10
    }

    /// Feature bits of CPUID registers, including unnamed ones, by leaf, subleaf and register. Registers without a
    /// bit are omitted.
    pub fn words(self) -> impl Iterator<Item = (CpuidWord, u32)> {
        self.masks().filter_map(|(place, mask)| match place {
            WordSource::Cpuid(word) => Some((word, u32::try_from(mask).ok()?)),
            WordSource::Msr(_) => None,
        })
    }

    /// Feature bits of MSRs, including unnamed ones, by MSR. MSRs without a bit are omitted.
    pub fn msrs(self) -> impl Iterator<Item = (Msr, u64)> {
        self.masks().filter_map(|(place, mask)| match place {
            WordSource::Msr(msr) => Some((msr, mask)),
            WordSource::Cpuid(_) => None,
        })
    }

    /// The feature bits of one register.
    #[must_use]
    pub fn word(self, word: CpuidWord) -> u32 {
        self.words().find(|(known, _)| *known == word).map_or(0, |(_, value)| value)
    }

    /// The feature bits of one MSR.
    #[must_use]
    pub fn msr(self, msr: Msr) -> u64 {
        self.msrs().find(|(known, _)| *known == msr).map_or(0, |(_, value)| value)
    }

    /// True when the model has a feature.
    #[must_use]
    pub fn has(self, feature: Feature) -> bool {
        self.word(feature.location().word) & feature.mask() != 0
    }

    /// True when the model has an MSR's feature.
    #[must_use]
    pub fn has_msr(self, feature: MsrFeature) -> bool {
        self.msr(feature.msr()) & feature.mask() != 0
    }

    /// Its features; unnamed bits are only in [`words`](CpuModel::words).
    #[must_use]
    pub fn features(self) -> FeatureSet {
        let mut set = FeatureSet::new();
        for (word, value) in self.words() {
            // A set cannot hold unnamed bits.
            let _ = set.set_word(word, value);
        }
        set
    }

    /// Its features of MSRs, by MSR and bit.
    pub fn msr_features(self) -> impl Iterator<Item = MsrFeature> {
        self.msrs().flat_map(|(msr, mask)| {
            let bits = (0..64).filter(move |bit| mask >> bit & 1 != 0);
            bits.filter_map(move |bit| MsrFeature::at(msr.bit(Bit(bit))))
        })
    }

    /// Other properties that its versions set, by name, with their values.
    pub fn properties(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        pairs(self.definition().props).map(|(name, value)| (name, value.unwrap_or_default()))
    }

    /// Its caches; `None` for a model with [legacy caches](QemuRelease::legacy_caches).
    #[must_use]
    pub fn caches(self) -> Option<Caches> {
        Caches::of_list(self.definition().caches)
    }

    fn row(self) -> ModelRow {
        MODELS[self.release.index()][usize::from(self.index)]
    }

    /// The base definition, then for each version its definition, alias and note.
    fn list(self) -> &'static [u16] {
        list(self.row().versions)
    }

    pub(super) fn version_count(self) -> u16 {
        bit_tables::short(self.list().len() / 3)
    }

    fn version_row(self) -> Option<&'static [u16]> {
        let start = usize::from(self.version.checked_sub(1)?) * 3 + 1;
        self.list().get(start..start + 3)
    }

    fn definition(self) -> &'static Definition {
        let index = self.version_row().map_or_else(|| self.list()[0], |row| row[0]);
        &DEFINITIONS[usize::from(index)]
    }

    /// Each non-zero word with its source.
    pub(crate) fn masks(self) -> impl Iterator<Item = (WordSource, u64)> {
        list(self.definition().words).iter().map(|&word| {
            let Masked { source, mask } = &WORDS[usize::from(word)];
            (SOURCES[usize::from(*source)], *mask)
        })
    }
}

/// A text as registers, four bytes in each, padded with zeros.
fn registers<const N: usize>(text: &str) -> [u32; N] {
    let mut registers = [0; N];
    for (register, bytes) in registers.iter_mut().zip(text.as_bytes().chunks(4)) {
        let mut four = [0; 4];
        four[..bytes.len()].copy_from_slice(bytes);
        *register = u32::from_le_bytes(four);
    }
    registers
}

impl fmt::Display for CpuModel {
    /// The name by which it was requested, as in `-cpu`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name, self.alias()) {
            (AskedName::Plain, _) => f.write_str(self.name()),
            (AskedName::Alias, Some(alias)) => f.write_str(alias),
            (AskedName::Alias | AskedName::Version, _) => write!(f, "{}-v{}", self.name(), self.version),
        }
    }
}

impl fmt::Debug for CpuModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
