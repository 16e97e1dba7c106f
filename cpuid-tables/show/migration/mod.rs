//! Whether a guest that was started on one host can continue on another.
//!
//! A guest can move to where every promise holds that its table makes. The destination is judged by what a VMM can give a
//! guest there: what its KVM supports, and what QEMU adds to that. Each bit is compared by its meaning
//! ([`meanings`]): a missing feature is an obstacle; a bit that announces a restriction, of which the guest does not
//! know, is a note; topology, caches and highest leaves are the VMM's own and are not compared. What QEMU migrates under no
//! circumstances, such as `invtsc` without a fixed TSC frequency, is an obstacle by itself. A feature that states only how fast
//! something is, is an obstacle for a guest that is started with `enforce`, and else a note.

mod blocker;
mod given;
mod obstacle;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::bits::known_places::{self, KVM_FEATURES};
use crate::bits::location::{CpuidWord, Leaf, Location, Msr, Register, Registers, Subleaf};
use crate::meaning::{Rule, meanings, msr_meanings};
use crate::table::{CpuidEntry, CpuidRead, Hypervisor, Vendor};
pub use blocker::{Blocker, Blocking};
use given::{at, has};
pub use obstacle::{BitsObstacle, MsrObstacle, Obstacle};

/// The feature that makes a guest read `IA32_ARCH_CAPABILITIES`.
const ARCH_CAPABILITIES: Location = at(7, 0, Register::Edx, 29);
/// The feature that makes a guest read the VMX MSRs.
const VMX: Location = at(1, 0, Register::Ecx, 5);

/// One side of a move: the table that the guest was started with, or what the destination supports.
#[derive(Clone, Copy, Debug, Default)]
pub struct MigrationSide<'a> {
    /// CPUID entries.
    pub entries: &'a [CpuidEntry],
    /// The bits of each entry that are known; `None` if all are. As long as `entries`.
    pub known: Option<&'a [Registers]>,
    /// Feature MSRs; `None` if they are not known.
    pub msrs: Option<&'a BTreeMap<Msr, u64>>,
    /// The vendor, where the entries do not state it.
    pub vendor: Option<Vendor>,
    /// What the guest's CPU is set to besides features, by QEMU's name of the property; `None` for what does not ask for a
    /// guest's CPU.
    pub settings: Option<&'a BTreeMap<String, String>>,
    /// True if the entries are a KVM's answer (`KVM_GET_SUPPORTED_CPUID`), to which a VMM adds.
    pub is_kvm: bool,
}

impl MigrationSide<'_> {
    /// True if the guest is started only where all its features are there: QEMU's `enforce`.
    #[must_use]
    pub fn is_enforced(self) -> bool {
        self.settings.and_then(|all| all.get("enforce")).is_some_and(|value| value == "on")
    }

    /// The vendor that the side states.
    #[must_use]
    pub fn vendor(self) -> Option<Vendor> {
        self.entries.vendor().filter(|vendor| vendor.0 != [0; 12]).or(self.vendor)
    }
}

/// The result of comparing two sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// What prevents the move, in order of places. Empty if the guest can move.
    pub obstacles: Vec<Obstacle>,
    /// What changes for the guest without harm.
    pub notes: Vec<Obstacle>,
    /// Feature MSRs that the guest may use and that one side does not state.
    pub msrs_not_compared: bool,
}

/// What prevents a guest with a table from moving to where a KVM supports another; see [`Migration::new`].
#[must_use]
pub fn obstacles(started: &[CpuidEntry], there: &[CpuidEntry]) -> Vec<Obstacle> {
    let side = |entries, is_kvm| MigrationSide { entries, is_kvm, ..MigrationSide::default() };
    Migration::new(side(started, false), side(there, true)).obstacles
}

impl Migration {
    /// Compares the guest's side with the destination's, and finds what makes QEMU refuse to migrate the guest at all.
    #[must_use]
    pub fn new(started: MigrationSide<'_>, there: MigrationSide<'_>) -> Migration {
        let mut migration = Migration::compared(started, there);
        for blocker in blocker::blockers(started.entries, started.settings) {
            let is_note = blocker.is_lifted == Some(true);
            let list = if is_note { &mut migration.notes } else { &mut migration.obstacles };
            list.push(Obstacle::Blocker(blocker));
        }
        migration
    }

    /// Compares the guest's side with the destination's, for a VMM other than QEMU.
    #[must_use]
    pub fn compared(started: MigrationSide<'_>, there: MigrationSide<'_>) -> Migration {
        let mut migration = Migration::default();
        let vendor = MigrationSide::vendor;
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
            if given::is_hypervisors(leaf) || leaf == given::MWAIT {
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

    /// The missing features that state only how fast something is: a guest with QEMU's `enforce` needs them too.
    pub fn slower(&self) -> impl Iterator<Item = &Obstacle> {
        let all = self.obstacles.iter().chain(&self.notes);
        all.filter(|one| matches!(one, Obstacle::Bits(bits) if given::is_speed(bits.word, bits.meaning.mask)))
    }

    /// The options that take what is missing away from the guest: `-avx2,-erms,-vmx-rdseed-exit`, with features that state only
    /// how fast something is. `None` if something cannot be taken away by such an option.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let mut options: Vec<String> = Vec::new();
        let slower = self.slower().filter(|one| !self.obstacles.contains(one));
        for obstacle in self.obstacles.iter().chain(slower) {
            if let Obstacle::Blocker(blocker) = obstacle {
                options.push(blocker.remedy?.into());
                continue;
            }
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
        let is_enforced = started.is_enforced();
        // A component without its feature was not promised.
        let unused = given::components(word, |feature| !has(started.entries, feature));
        let known = known_bits(started, word) & known_bits(there, word) & !unused;
        let from = CpuidRead::word(started.entries, word) & known;
        let to = (CpuidRead::word(there.entries, word) | given_bits(word, there)) & known;
        // Every rule bears an equal value.
        if from == to {
            return;
        }
        let absent = there.entries.registers(word.leaf, word.subleaf).unwrap_or_default().is_zero();
        for meaning in meanings(word).filter(|meaning| !given::is_the_vmms(word, meaning)) {
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
            let is_note = meaning.rule == Rule::Or
                || given::is_speed(word, meaning.mask) && !is_enforced
                || given::is_qemus_default_width(word, &meaning, started);
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
        let named = eax(KVM_FEATURES.0);
        let to = CpuidRead::word(there.entries, eax(to.0 + 1)) | given_bits(named, there);
        for meaning in meanings(named) {
            let (started, there) = (meaning.read(from), meaning.read(to));
            if !meaning.rule.bears(started, there) {
                self.obstacles.push(Obstacle::Bits(BitsObstacle { word: named, meaning, started, there }));
            }
        }
    }

    fn add_msrs(&mut self, started: MigrationSide<'_>, there: MigrationSide<'_>) {
        let uses = |msr: Msr| match msr {
            known_places::ARCH_CAPABILITIES => has(started.entries, ARCH_CAPABILITIES),
            Msr(0x480..=0x4ff) => has(started.entries, VMX),
            _ => true,
        };
        let (Some(from), Some(to)) = (started.msrs, there.msrs) else {
            self.msrs_not_compared =
                [ARCH_CAPABILITIES, VMX].iter().any(|feature| has(started.entries, *feature));
            return;
        };
        for (&msr, &started) in from.iter().filter(|(msr, _)| uses(**msr)) {
            let there = given::given_msr(msr, to.get(&msr).copied().unwrap_or(0));
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

/// Each differing bit by itself where bits are features; a number as a whole.
fn parts(rule: Rule, mask: u64, started: u64, there: u64) -> Vec<u64> {
    if matches!(rule, Rule::And | Rule::Or) {
        let differing = (started ^ there) & mask;
        return (0..64).map(|bit| 1 << bit).filter(|bit| differing & bit != 0).collect();
    }
    Vec::from([mask])
}

/// The bits of a register that a side states.
fn known_bits(side: MigrationSide<'_>, word: CpuidWord) -> u32 {
    let Some(known) = side.known else { return u32::MAX };
    let found = side.entries.iter().position(|entry| entry.answers(word.leaf, word.subleaf));
    found.and_then(|at| known.get(at)).map_or(0, |known| known.get(word.register))
}

/// The bits of a register that a VMM can give a guest beyond those of its KVM, if that is what a side is.
fn given_bits(word: CpuidWord, there: MigrationSide<'_>) -> u32 {
    if there.is_kvm { given::beyond_kvm(word, there.entries) } else { 0 }
}
