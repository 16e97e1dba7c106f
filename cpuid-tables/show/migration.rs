//! Whether a guest that was started on one host can continue on another.
//!
//! A guest can move to where every promise holds that its table makes. The destination is judged by what a VMM can give a
//! guest there: what its KVM supports, and what QEMU adds to that. Each bit is compared by its meaning
//! ([`meanings`]): a missing feature is an obstacle; a bit that announces a restriction, of which the guest does not
//! know, is a note; topology, caches and highest leaves are the VMM's own and are not compared.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::msr::is_control;
use super::{bit_list, name_of, number};
use crate::bits::description::Part;
use crate::bits::feature::Feature;
use crate::bits::kvm_treatment::KvmTreatment;
use crate::bits::location::{Bit, CpuidWord, Leaf, Location, Msr, Register, Registers, Subleaf};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::{LinuxRelease, QemuRelease};
use crate::meaning::{Meaning, Rule, meanings, msr_meanings};
use crate::table::{CpuidEntry, CpuidRead, Hypervisor, Vendor};

/// One side of a move: the table that the guest was started with, or what the destination supports.
#[derive(Clone, Copy, Debug, Default)]
pub struct MigrationSide<'a> {
    /// CPUID entries.
    pub entries: &'a [CpuidEntry],
    /// The bits of each entry that are known; `None` if all are. As long as `entries`.
    pub known: Option<&'a [Registers]>,
    /// Feature MSRs; `None` if they are not known.
    pub msrs: Option<&'a BTreeMap<Msr, u64>>,
    /// True if the entries are a KVM's answer (`KVM_GET_SUPPORTED_CPUID`), to which a VMM adds.
    pub is_kvm: bool,
}

/// The result of comparing two sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    /// What prevents the move, in order of places. Empty if the guest can move.
    pub obstacles: Vec<Obstacle>,
    /// What changes for the guest without harm.
    pub notes: Vec<Obstacle>,
    /// Feature MSRs that the guest may use and that one side does not state.
    pub msrs_not_compared: bool,
}

/// A difference between what the guest was promised and what the destination has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Another vendor.
    Vendor {
        /// The guest's.
        started: Vendor,
        /// The destination's.
        there: Vendor,
    },
    /// Bits of a register.
    Bits(BitsObstacle),
    /// Bits of a feature MSR.
    Msr(MsrObstacle),
}

/// Bits of a register that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitsObstacle {
    /// The register.
    pub word: CpuidWord,
    /// What the bits are, and the rule by which they are compared.
    pub meaning: Meaning,
    /// The guest's value, shifted down to bit 0.
    pub started: u32,
    /// The destination's value, shifted down to bit 0.
    pub there: u32,
}

/// A bit of a feature MSR that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsrObstacle {
    /// The MSR.
    pub msr: Msr,
    /// The bits.
    pub mask: u64,
    /// The rule by which they are compared.
    pub rule: Rule,
    /// The guest's value of these bits, in place.
    pub started: u64,
    /// The destination's value of these bits, in place.
    pub there: u64,
    /// Why they matter.
    pub reason: &'static str,
}

/// Features that a VMM gives a guest although KVM does not list them, with the reason (QEMU,
/// `kvm_arch_get_supported_cpuid` of target/i386/kvm/kvm.c).
static GIVEN_BY_VMM: [(Location, &str); 15] = [
    (at(1, 0, Register::Edx, 7), "KVM emulates machine checks, whatever an old one lists"),
    (at(1, 0, Register::Edx, 12), "KVM emulates the MTRRs, whatever an old one lists"),
    (at(1, 0, Register::Edx, 14), "KVM emulates machine checks, whatever an old one lists"),
    (at(1, 0, Register::Edx, 16), "KVM emulates the PAT, whatever an old one lists"),
    (at(1, 0, Register::Edx, 28), "the VMM sets it by the guest's topology"),
    (at(1, 0, Register::Ecx, 3), "the VMM lets guests execute MWAIT"),
    (at(1, 0, Register::Ecx, 21), "KVM's APIC has the x2APIC mode"),
    (at(1, 0, Register::Ecx, 24), "KVM emulates the TSC deadline timer"),
    (at(1, 0, Register::Ecx, 31), "the VMM sets it for every guest"),
    // On processors without leaf 6 KVM does not list it.
    (at(6, 0, Register::Eax, 2), "the timer of KVM's APIC does not stop"),
    (at(0x8000_0001, 0, Register::Ecx, 22), "the VMM fills the leaves that it announces"),
    (at(0x8000_0007, 0, Register::Ebx, 0), "KVM emulates AMD's machine check banks"),
    (at(0x8000_0007, 0, Register::Ebx, 1), "KVM emulates AMD's machine check banks"),
    (at(0x4000_0001, 0, Register::Eax, 7), "KVM emulates it with its own APIC"),
    (at(0x4000_0001, 0, Register::Eax, 15), "KVM emulates it with a split interrupt controller"),
];

/// Features that state how fast something is: a guest works without them. QEMU gives them by the CPU's word alone.
static SPEED: [Location; 6] = [
    at(7, 0, Register::Ebx, 9),
    at(7, 0, Register::Edx, 4),
    at(7, 1, Register::Eax, 10),
    at(7, 1, Register::Eax, 11),
    at(7, 1, Register::Eax, 12),
    at(7, 2, Register::Edx, 5),
];

const fn at(leaf: u32, subleaf: u32, register: Register, bit: u8) -> Location {
    CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register).bit(Bit(bit))
}

/// Copies of 1.EDX in 0x80000001.EDX on AMD: QEMU's `CPUID_EXT2_AMD_ALIASES`.
const AMD_ALIASES: u32 = 0x0183_f3ff;

/// XSAVE components that a VMM gives by the feature that announces them, whatever KVM lists: those that a process must ask
/// for (AMX), and that of architectural last branch records.
static COMPONENTS: [(CpuidWord, u32, Location); 2] = [
    (CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Eax), 3 << 17, at(7, 0, Register::Edx, 24)),
    (CpuidWord::new(Leaf(0xd), Subleaf(1), Register::Ecx), 1 << 15, at(7, 0, Register::Edx, 19)),
];

/// QEMU gives a guest 40 bits of physical addresses unless it is asked for a number, whatever the host has: that number is
/// no promise that the guest's memory needs.
fn is_qemus_default_width(word: CpuidWord, meaning: &Meaning, started: u32) -> bool {
    let width = CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Eax);
    word == width && meaning.mask == 0xff && started == 40
}

/// Details of MWAIT, which the VMM writes; KVM lists none.
const MWAIT: Leaf = Leaf(5);

/// Numbers that the VMM writes itself: highest leaves and subleaves, the width of linear addresses, which follows from
/// LA57, and Centaur's copy of the signature.
fn is_the_vmms(word: CpuidWord, meaning: &Meaning) -> bool {
    let eax = |leaf: u32| word == CpuidWord::new(Leaf(leaf), Subleaf(0), Register::Eax);
    if eax(0xc000_0001) || eax(0x8000_0008) && meaning.mask == 0xff00 {
        return true;
    }
    let first = matches!(word.leaf.0, 0 | 7 | 0x14 | 0x1d | 0x20 | 0x23 | 0x24 | 0x8000_0000 | 0xc000_0000);
    first && word.subleaf == Subleaf(0) && word.register == Register::Eax && meaning.rule == Rule::Min
}

/// What prevents a guest with a table from moving to where a KVM supports another; see [`Migration::new`].
#[must_use]
pub fn obstacles(started: &[CpuidEntry], there: &[CpuidEntry]) -> Vec<Obstacle> {
    let side = |entries, is_kvm| MigrationSide { entries, is_kvm, ..MigrationSide::default() };
    Migration::new(side(started, false), side(there, true)).obstacles
}

impl Migration {
    /// Compares the guest's side with the destination's.
    #[must_use]
    pub fn new(started: MigrationSide<'_>, there: MigrationSide<'_>) -> Migration {
        let mut migration = Migration::default();
        let vendor = |side: MigrationSide<'_>| side.entries.vendor().filter(|vendor| vendor.0 != [0; 12]);
        if let (Some(from), Some(to)) = (vendor(started), vendor(there)) {
            if from != to {
                migration.obstacles.push(Obstacle::Vendor { started: from, there: to });
            }
        }
        let keys: BTreeSet<(Leaf, Subleaf)> = started
            .entries
            .iter()
            .chain(there.entries)
            .map(|entry| (entry.function, entry.subleaf()))
            .collect();
        for (leaf, subleaf) in keys {
            if is_hypervisors(leaf) || leaf == MWAIT {
                continue;
            }
            for register in Register::ALL {
                migration.add_word(CpuidWord { leaf, subleaf, register }, (started, there));
            }
        }
        migration.add_kvm_leaf(started.entries, there);
        migration.add_msrs(started, there);
        migration
    }

    /// True if nothing prevents the move.
    #[must_use]
    pub fn can_move(&self) -> bool {
        self.obstacles.is_empty()
    }

    /// The options that take what is missing away from the guest: `-avx2,-vmx-rdseed-exit`. `None` if something cannot be
    /// taken away by such an option.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let mut options: Vec<String> = Vec::new();
        for obstacle in &self.obstacles {
            // A control without a name goes only with VMX itself.
            let name = obstacle.qemu_name().or_else(|| obstacle.is_vmx().then_some("vmx"))?;
            options.push(format!("-{name}"));
        }
        if options.iter().any(|option| option == "-vmx") {
            options.retain(|option| option == "-vmx" || !option.starts_with("-vmx-"));
        }
        options.dedup();
        (!options.is_empty()).then(|| options.join(","))
    }

    fn add_word(&mut self, word: CpuidWord, (started, there): (MigrationSide<'_>, MigrationSide<'_>)) {
        if [Leaf::BASIC, Leaf::EXTENDED].contains(&word.leaf) && word.register != Register::Eax {
            return;
        }
        // A component without its feature was not promised.
        let unused = components(word, |feature| !has(started.entries, feature));
        let known = known_bits(started, word) & known_bits(there, word) & !unused;
        let from = CpuidRead::word(started.entries, word) & known;
        let to = (CpuidRead::word(there.entries, word) | given(word, there)) & known;
        // Every rule bears an equal value.
        if from == to {
            return;
        }
        let absent = there.entries.registers(word.leaf, word.subleaf).unwrap_or_default().is_zero();
        for meaning in meanings(word).filter(|meaning| !is_the_vmms(word, meaning)) {
            let (started, there) = (meaning.read(from), meaning.read(to));
            // A guest that was shown nothing was promised nothing.
            let compared = match meaning.rule {
                Rule::Equal => started != 0 && !absent,
                Rule::Max => started != 0,
                _ => true,
            };
            if !compared || meaning.rule.bears(started, there) {
                continue;
            }
            let found = Obstacle::Bits(BitsObstacle { word, meaning, started, there });
            // A restriction takes nothing away that the guest was promised.
            let is_speed = SPEED.iter().any(|at| at.word == word && 1 << at.bit.0 == meaning.mask);
            let is_note =
                meaning.rule == Rule::Or || is_speed || is_qemus_default_width(word, &meaning, started);
            if is_note { self.notes.push(found) } else { self.obstacles.push(found) }
        }
    }

    /// KVM's own features, wherever its leaves begin: at 0x40000100 for a guest with Hyper-V's.
    fn add_kvm_leaf(&mut self, started: &[CpuidEntry], there: MigrationSide<'_>) {
        let base = |entries: &[CpuidEntry]| {
            entries.hypervisors().find(|found| found.signature == Hypervisor::KVM).map(|found| found.base)
        };
        let (Some(from), Some(to)) = (base(started), base(there.entries)) else { return };
        let eax = |leaf: u32| CpuidWord::new(Leaf(leaf), Subleaf(0), Register::Eax);
        let from = CpuidRead::word(started, eax(from.0 + 1));
        let named = eax(0x4000_0001);
        let to = CpuidRead::word(there.entries, eax(to.0 + 1)) | given(named, there);
        for meaning in meanings(named) {
            let (started, there) = (meaning.read(from), meaning.read(to));
            if !meaning.rule.bears(started, there) {
                self.obstacles.push(Obstacle::Bits(BitsObstacle { word: named, meaning, started, there }));
            }
        }
    }

    fn add_msrs(&mut self, started: MigrationSide<'_>, there: MigrationSide<'_>) {
        let uses = |msr: Msr| {
            let [(arch, _), (vmx, _)] = MSR_USERS;
            match msr.0 {
                0x10a => has(started.entries, arch),
                0x480..=0x4ff => has(started.entries, vmx),
                _ => true,
            }
        };
        let (Some(from), Some(to)) = (started.msrs, there.msrs) else {
            self.msrs_not_compared = MSR_USERS.iter().any(|(feature, _)| has(started.entries, *feature));
            return;
        };
        for (&msr, &started) in from.iter().filter(|(msr, _)| uses(**msr)) {
            let there = given_msr(msr, to.get(&msr).copied().unwrap_or(0));
            for meaning in msr_meanings(msr) {
                for mask in parts(meaning.rule, meaning.mask, started, there) {
                    let (started, there) = (started & mask, there & mask);
                    let shift = mask.trailing_zeros();
                    let low = |value: u64| u32::try_from(value >> shift & 0xffff_ffff).unwrap_or(u32::MAX);
                    if meaning.rule.bears(low(started), low(there)) {
                        continue;
                    }
                    let (rule, reason) = (meaning.rule, meaning.reason);
                    let found = Obstacle::Msr(MsrObstacle { msr, mask, rule, started, there, reason });
                    if rule == Rule::Or { self.notes.push(found) } else { self.obstacles.push(found) }
                }
            }
        }
    }
}

/// The features that make a guest read feature MSRs, and the first of these.
const MSR_USERS: [(Location, u32); 2] =
    [(at(7, 0, Register::Edx, 29), 0x10a), (at(1, 0, Register::Ecx, 5), 0x480)];

fn has(entries: &[CpuidEntry], feature: Location) -> bool {
    CpuidRead::word(entries, feature.word) >> feature.bit.0 & 1 != 0
}

/// Each differing bit by itself where bits are features; a number as a whole.
fn parts(rule: Rule, mask: u64, started: u64, there: u64) -> Vec<u64> {
    if matches!(rule, Rule::And | Rule::Or) {
        let differing = (started ^ there) & mask;
        return (0..64).map(|bit| 1 << bit).filter(|bit| differing & bit != 0).collect();
    }
    Vec::from([mask])
}

/// Leaves that a hypervisor defines: the VMM writes them, whatever KVM lists.
fn is_hypervisors(leaf: Leaf) -> bool {
    leaf.0 >> 28 == 4
}

/// The bits of a register that a side states.
fn known_bits(side: MigrationSide<'_>, word: CpuidWord) -> u32 {
    let Some(known) = side.known else { return u32::MAX };
    let found = side.entries.iter().position(|entry| entry.answers(word.leaf, word.subleaf));
    found.and_then(|at| known.get(at)).map_or(0, |known| known.get(word.register))
}

/// The bits of a register that a VMM can give a guest beyond what KVM lists.
fn given(word: CpuidWord, there: MigrationSide<'_>) -> u32 {
    if !there.is_kvm {
        return 0;
    }
    let listed = GIVEN_BY_VMM.iter().filter(|(location, _)| location.word == word);
    let mut bits = listed.fold(0, |bits, (location, _)| bits | 1 << location.bit.0);
    let features = (0..32).filter_map(|bit| Feature::at(word.bit(Bit(bit))));
    bits |= features
        .filter(|feature| feature.kvm(LinuxRelease::NEWEST) == KvmTreatment::Emulated)
        .fold(0, |bits, feature| bits | feature.mask());
    if word == CpuidWord::new(Leaf(0x8000_0001), Subleaf(0), Register::Edx) {
        let leaf_1 = CpuidWord::new(Leaf(1), Subleaf(0), Register::Edx);
        bits |= (CpuidRead::word(there.entries, leaf_1) | given(leaf_1, there)) & AMD_ALIASES;
    }
    // What enclaves may use of XCR0: the VMM writes it by the components that the guest has.
    if word.leaf == Leaf(0x12)
        && word.subleaf == Subleaf(1)
        && matches!(word.register, Register::Ecx | Register::Edx)
    {
        bits = u32::MAX;
    }
    bits | components(word, |feature| has(there.entries, feature))
}

/// Components of a register whose feature is as wanted.
fn components(word: CpuidWord, is: impl Fn(Location) -> bool) -> u32 {
    let here = COMPONENTS.iter().filter(|(at, _, feature)| *at == word && is(*feature));
    here.fold(0, |bits, (_, mask, _)| bits | mask)
}

/// An MSR as QEMU gives it to a guest: IA32_ARCH_CAPABILITIES has FB_CLEAR where nothing is vulnerable
/// (`kvm_arch_get_supported_msr_feature`).
fn given_msr(msr: Msr, value: u64) -> u64 {
    /// MDS_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO and PSDP_NO.
    const NOT_VULNERABLE: u64 = 1 << 5 | 1 << 8 | 1 << 13 | 1 << 14 | 1 << 15;
    const FB_CLEAR: u64 = 1 << 17;
    let clears = msr == Msr(0x10a) && value & NOT_VULNERABLE == NOT_VULNERABLE;
    if clears { value | FB_CLEAR } else { value }
}

impl Obstacle {
    /// Its name: a feature, a field, or bits by their numbers.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Obstacle::Vendor { .. } => "vendor".to_string(),
            Obstacle::Bits(bits) => bits.name(),
            Obstacle::Msr(bits) => bits.name(),
        }
    }

    /// QEMU's name of the feature that the guest would lose; `None` if it is something else.
    fn qemu_name(&self) -> Option<&'static str> {
        match self {
            Obstacle::Bits(BitsObstacle { meaning, .. }) => match meaning.part {
                Some(Part::Feature(feature)) => feature.qemu_name(QemuRelease::NEWEST),
                _ => None,
            },
            Obstacle::Msr(bits) => bits.feature()?.qemu_name(QemuRelease::NEWEST),
            Obstacle::Vendor { .. } => None,
        }
    }

    fn is_vmx(&self) -> bool {
        matches!(self, Obstacle::Msr(MsrObstacle { msr: Msr(0x480..=0x4ff), .. }))
    }
}

impl BitsObstacle {
    fn name(&self) -> String {
        match self.meaning.part {
            Some(Part::Feature(feature)) => name_of(feature).to_string(),
            Some(Part::Field(field)) => field.name().to_string(),
            None => {
                let bits = (self.started & !self.there) << self.meaning.mask.trailing_zeros();
                let plural = if bits.is_power_of_two() { "" } else { "s" };
                format!("unknown bit{plural} {}", bit_list(bits))
            }
        }
    }

    /// Its location.
    #[must_use]
    pub fn place(&self) -> String {
        let (low, high) = (self.meaning.mask.trailing_zeros(), 31 - self.meaning.mask.leading_zeros());
        match self.meaning.part {
            Some(_) if low == high => format!("{}[{low}]", self.word),
            Some(_) if high - low < 31 => format!("{}[{high}:{low}]", self.word),
            _ => self.word.to_string(),
        }
    }
}

impl MsrObstacle {
    /// The feature at its bit. Of a VMX control, the upper half states that the bit may be 1.
    fn feature(&self) -> Option<MsrFeature> {
        let bit = self.mask.is_power_of_two().then(|| self.mask.trailing_zeros())?;
        let bit = if is_control(self.msr) { bit % 32 } else { bit };
        MsrFeature::at(self.msr.bit(Bit(bit.to_le_bytes()[0])))
    }

    fn name(&self) -> String {
        match self.feature() {
            Some(feature) => feature.qemu_name(QemuRelease::NEWEST).unwrap_or(feature.name()).to_string(),
            None => self.place(),
        }
    }

    /// Its location: `MSR 0x48b[43]`.
    #[must_use]
    pub fn place(&self) -> String {
        let (low, high) = (self.mask.trailing_zeros(), 63 - self.mask.leading_zeros());
        let (low, high) = if is_control(self.msr) { (low % 32, high % 32) } else { (low, high) };
        if low == high { format!("{}[{low}]", self.msr) } else { format!("{}[{high}:{low}]", self.msr) }
    }
}

impl fmt::Display for Obstacle {
    /// Name, place, the two values, and why they matter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Vendor { started, there } => {
                write!(
                    f,
                    "vendor: the guest has {started}, but B {there}; their instructions and MSRs differ"
                )
            }
            Obstacle::Bits(bits) => bits.fmt(f),
            Obstacle::Msr(bits) => bits.fmt(f),
        }
    }
}

impl fmt::Display for BitsObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, place, reason) = (self.name(), self.place(), self.meaning.reason);
        let shown = |value: u32| match self.meaning.part {
            Some(Part::Field(field)) => number::describe(field, value),
            _ => format!("{value:#x}"),
        };
        let single = self.meaning.mask.is_power_of_two() || self.meaning.part.is_none();
        let difference = match self.meaning.rule {
            Rule::And if single => return write!(f, "{name} ({place}): the guest has it, but B does not"),
            Rule::Or if single => {
                return write!(
                    f,
                    "{name} ({place}): B has it, but the guest was started without it; {reason}"
                );
            }
            Rule::Min | Rule::MinTold => "below",
            Rule::Max => "above",
            Rule::And => "without all bits of",
            Rule::Or => "with bits beyond",
            _ => "different from",
        };
        let (started, there) = (shown(self.started), shown(self.there));
        write!(f, "{name} ({place}): B has {there}, {difference} the guest's {started}: {reason}")
    }
}

impl fmt::Display for MsrObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, place) = (self.name(), self.place());
        let shown = if name == place { place } else { format!("{name} ({place})") };
        match self.rule {
            Rule::And => write!(f, "{shown}: the guest has it, but B does not"),
            Rule::Or => write!(f, "{shown}: B has it, but the guest was started without it; {}", self.reason),
            _ => {
                let (started, there) = (self.started, self.there);
                write!(f, "{shown}: the guest has {started:#x}, B {there:#x}: {}", self.reason)
            }
        }
    }
}
