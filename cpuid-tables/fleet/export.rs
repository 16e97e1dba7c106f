//! Features by name as a template of another VMM for a host: which bits of its KVM's supported table are set, cleared
//! or unchanged.
//!
//! A template specifies every feature bit, and every undescribed bit next to one, so that all hosts with the features
//! get the same result. It leaves to the VMM everything that does not depend on the host (the VMM's topology, bits
//! that reflect the guest's state; see [`Rule::Ignore`]), the hypervisor bit and KVM's own leaves. XSAVE components
//! follow from the features, and sizes from the components.

use alloc::vec::Vec;
use core::fmt;

use super::leaves::xsave_sizes;
use crate::bits::description::Part;
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::known_places::AMD_ALIASES;
use crate::bits::location::{CpuidWord, Leaf, Msr, Register, Registers, Subleaf};
use crate::bits::xsave::XsaveComponent;
use crate::feature;
use crate::meaning::{Rule, meanings};
use crate::table::{CpuidEntry, find_entry};

/// A template: a host's entries with some bits specified and the others unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The host's entries, in KVM's order; unspecified bits are 0.
    pub entries: Vec<CpuidEntry>,
    /// Which bits of each entry's registers are specified.
    pub known: Vec<Registers>,
    /// MSRs with their new values.
    pub msrs: Vec<(Msr, u64)>,
}

/// Why there is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The host's KVM does not support these features.
    Lacking(Vec<Feature>),
    /// The table lacks an entry of the template.
    NoEntry(Leaf, Subleaf),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExportError::Lacking(features) => {
                f.write_str("the host's KVM does not support")?;
                features.iter().try_for_each(|feature| write!(f, " {}", crate::naming::name_of(*feature)))
            }
            ExportError::NoEntry(leaf, subleaf) => {
                write!(f, "the table has no entry for leaf {leaf}, subleaf {subleaf}")
            }
        }
    }
}

impl core::error::Error for ExportError {}

/// Left to the VMM, which always sets it.
const LEFT: FeatureSet = FeatureSet::new().with(feature::HYPERVISOR);

impl Template {
    /// The template that gives exactly these features on a host whose KVM supports `supported`. Features that a
    /// template leaves to the VMM are ignored.
    ///
    /// # Errors
    ///
    /// [`ExportError::Lacking`]: the host lacks some.
    ///
    /// ```
    /// use cpuid_tables::{CpuidEntry, FeatureSet, feature, fleet::Template, Leaf, Registers, Subleaf};
    ///
    /// let host = [CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x1_0020, 0, 0))];
    /// let template = Template::new(&host, FeatureSet::new().with(feature::AVX2))?;
    /// assert_eq!(template.apply(&host)?[0].registers.ebx, 0x20); // AVX512F is cleared
    /// # Ok::<(), cpuid_tables::fleet::ExportError>(())
    /// ```
    pub fn new(supported: &[CpuidEntry], wanted: FeatureSet) -> Result<Template, ExportError> {
        let mut there = FeatureSet::new();
        for entry in supported {
            for word in entry.words() {
                // A set cannot hold bits that are not known features.
                let _ = there.set_word(word, entry.register(word.register));
            }
        }
        let lacking = (wanted - there) & specifiable();
        if lacking.is_empty() {
            Ok(Template::for_guest(supported, wanted))
        } else {
            Err(ExportError::Lacking(lacking.iter().collect()))
        }
    }

    /// The same for QEMU's features of a guest on that host, which may exceed KVM's list: QEMU adds features that it
    /// knows KVM to have. A feature whose leaf the host lacks is in no template.
    #[must_use]
    pub fn for_guest(supported: &[CpuidEntry], features: FeatureSet) -> Template {
        let mut known: Vec<Registers> =
            supported.iter().map(|entry| entry.words().map(specified).into()).collect();
        let mut entries = supported.to_vec();
        for (entry, known) in entries.iter_mut().zip(&known) {
            let words = entry.words();
            for word in words {
                entry.registers[word.register] = known[word.register] & features.word(word);
            }
        }
        repeat_aliases(supported, &mut entries, &mut known);
        xsave(supported, &mut entries, &mut known, features);
        Template { entries, known, msrs: Vec::new() }
    }

    /// Leaves bits to the VMM or to KVM: `decided` gives those of a register that has a value in the template.
    pub fn leave(&mut self, decided: impl Fn(CpuidWord, u32) -> u32) {
        for (entry, known) in self.entries.iter_mut().zip(&mut self.known) {
            for word in entry.words() {
                let left = decided(word, entry.register(word.register));
                known[word.register] &= !left;
                entry.registers[word.register] &= !left;
            }
        }
    }

    /// The features that a template specifies: those of its registers that are not left to the VMM.
    #[must_use]
    pub fn features() -> FeatureSet {
        specifiable()
    }

    /// The result of applying the template to a table, as Firecracker documents its templates and Cloud Hypervisor
    /// its profiles: each specified bit is set or cleared in the entry of the same leaf and subleaf.
    ///
    /// # Errors
    ///
    /// [`ExportError::NoEntry`]: the table lacks an entry with specified bits.
    pub fn apply(&self, table: &[CpuidEntry]) -> Result<Vec<CpuidEntry>, ExportError> {
        let mut table = table.to_vec();
        for (specified, known) in
            self.entries.iter().zip(&self.known).filter(|(_, known)| **known != Registers::ZERO)
        {
            let (leaf, subleaf) = (specified.function, specified.subleaf());
            let mut all = table.iter_mut();
            let found = all.find(|entry| entry.function == leaf && entry.subleaf() == subleaf);
            let entry = found.ok_or(ExportError::NoEntry(leaf, subleaf))?;
            for (register, value) in entry.registers.iter_mut() {
                *value = *value & !known[register] | specified.registers[register];
            }
        }
        Ok(table)
    }
}

/// The bits of a register that a template specifies: features and, next to features, undescribed bits.
fn specified(word: CpuidWord) -> u32 {
    let features = FeatureSet::ALL.word(word);
    if features == 0 || word.leaf.0 & 0xffff_0000 == Leaf::HYPERVISOR.0 {
        return 0;
    }
    let parts = meanings(word)
        .filter(|meaning| !matches!(meaning.part, Some(Part::Field(_))) && meaning.rule != Rule::Ignore);
    parts.fold(0, |bits, meaning| bits | meaning.mask) & !LEFT.word(word)
}

fn specifiable() -> FeatureSet {
    let mut set = FeatureSet::new();
    for (word, features) in FeatureSet::ALL.words() {
        // It contains only known features.
        let _ = set.set_word(word, specified(word) & features);
    }
    set
}

/// AMD's copies of 1.EDX in 0x80000001.EDX (AMD APM volume 3, E.4.2), if the host has them.
fn repeat_aliases(supported: &[CpuidEntry], entries: &mut [CpuidEntry], known: &mut [Registers]) {
    let leaf_1 = find_entry(entries, Leaf(1), Subleaf(0)).map_or(0, |entry| entry.register(Register::Edx));
    let extended = Leaf(0x8000_0001);
    let own = find_entry(supported, extended, Subleaf(0)).map_or(0, |entry| entry.register(Register::Edx));
    if own & AMD_ALIASES == 0 {
        return;
    }
    for (entry, known) in entries.iter_mut().zip(known).filter(|(entry, _)| entry.function == extended) {
        known[Register::Edx] |= AMD_ALIASES;
        let edx = entry.register_mut(Register::Edx);
        *edx = *edx & !AMD_ALIASES | leaf_1 & AMD_ALIASES;
    }
}

/// XSAVE: components from their features, sizes from the components (Intel SDM volume 1, chapter 13).
fn xsave(supported: &[CpuidEntry], entries: &mut [CpuidEntry], known: &mut [Registers], wanted: FeatureSet) {
    /// x87 and SSE.
    const ALWAYS: u64 = 3;
    const D: Leaf = Leaf(0xd);
    let register = |subleaf, register: Register| {
        let entry = find_entry(supported, D, Subleaf(subleaf));
        u64::from(entry.map_or(0, |entry| entry.register(register)))
    };
    let xcr0 = register(0, Register::Eax) | register(0, Register::Edx) << 32;
    let xss = register(1, Register::Ecx) | register(1, Register::Edx) << 32;
    let enabled = XsaveComponent::all()
        .filter(|component| component.features().any(|feature| wanted.contains(feature)))
        .fold(ALWAYS, |mask, component| mask | 1 << component.number);
    // An unknown component cannot be requested; without XSAVE there are no components.
    let keep = if wanted.contains(feature::XSAVE) { enabled } else { 0 };
    let (xcr0, xss) = (xcr0 & keep, xss & keep & !ALWAYS);
    let half = |mask: u64, shift: u32| ((mask >> shift) & 0xffff_ffff) as u32;
    let [standard, compacted] = xsave_sizes(supported, xcr0, xss);
    let compacts = wanted.contains(feature::XSAVEC) || wanted.contains(feature::XSAVES);
    for (entry, known) in entries.iter_mut().zip(known).filter(|(entry, _)| entry.function == D) {
        let own = find_entry(supported, D, entry.subleaf()).map_or(Registers::ZERO, |entry| entry.registers);
        entry.registers = match entry.subleaf().0 {
            _ if keep == 0 => Registers::ZERO,
            0 => Registers::new(half(xcr0, 0), standard, standard, half(xcr0, 32)),
            1 => Registers::new(
                entry.registers.eax,
                if compacts { compacted } else { 0 },
                half(xss, 0),
                half(xss, 32),
            ),
            number if number < 64 && (xcr0 | xss) >> number & 1 != 0 => own,
            _ => Registers::ZERO,
        };
        *known = Registers::MAX;
    }
}
