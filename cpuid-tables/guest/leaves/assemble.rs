//! The table: which leaves QEMU reads from its CPU, in which order, and which it omits (`kvm_arch_init_vcpu` and
//! `kvm_x86_build_cpuid` of target/i386/kvm/kvm.c).

use crate::bits::location::{Leaf, Registers, Subleaf};
use alloc::vec::Vec;

use super::caches::CacheInfo;
use crate::guest::board::apic_id::Vcpu;
use crate::guest::cpu::Cpu;
use crate::guest::error::BuildError;
use crate::guest::sgx::SgxSection;
use crate::table::{ApicLayout, CpuidEntry, CpuidTable, OwnBits, OwnPart, OwnPlace, TableFull, VcpuBase};

/// QEMU's maximum number of entries, `KVM_MAX_CPUID_ENTRIES`.
const ROOM: usize = 100;
/// The highest leaves that may be non-zero.
const LAST_BASIC: u32 = 0x29;
const LAST_EXTENDED: u32 = 0x8000_0022;
/// The last subleaf of leaf 0xD that QEMU reads, and its flag.
const LAST_OF_D: (u32, u32) = (63, CpuidEntry::SIGNIFICANT_INDEX);
/// The first hypervisor leaf, which ends the basic range.
const HYPERVISOR: u32 = Leaf::HYPERVISOR.0;

/// The input of every leaf.
pub(crate) struct Leaves<'c> {
    pub(crate) cpu: &'c Cpu<'c>,
    pub(crate) caches: &'c CacheInfo,
    pub(crate) sgx: &'c [SgxSection],
    pub(crate) sgx_provisioning: bool,
}

impl Leaves<'_> {
    /// A leaf as the CPU returns it (`cpu_x86_cpuid`); out of range, the highest basic leaf.
    fn cpuid(&self, leaf: u32, subleaf: u32, vcpu: Vcpu) -> Registers {
        let settings = &self.cpu.settings;
        let highest = match leaf {
            0xc000_0000.. => settings.xlevel2(),
            0x8000_0000.. => settings.xlevel(),
            HYPERVISOR.. => HYPERVISOR + 1,
            _ => settings.level(),
        };
        let leaf = if leaf > highest { settings.level() } else { leaf };
        if leaf < HYPERVISOR { self.basic(leaf, subleaf, vcpu) } else { self.extended(leaf, subleaf, vcpu) }
    }
}

/// The table under construction: the first vCPU's, with every entry that other vCPUs have.
struct Assembled {
    table: CpuidTable,
    /// The entries that differ between vCPUs.
    own: Vec<OwnPlace>,
    /// Entries that no vCPU at start has: all zero on the first one, which is alone.
    absent: usize,
    /// The next entry has leaf 0xD's flag and index: QEMU writes them there, steps back, and does not overwrite them
    /// for VMware's leaf.
    left_over: bool,
}

impl From<TableFull> for BuildError {
    fn from(_: TableFull) -> BuildError {
        BuildError::TooManyEntries(HYPERVISOR, 0)
    }
}

/// Reads all leaves.
pub(crate) fn assemble(leaves: &Leaves<'_>, layout: ApicLayout) -> Result<VcpuBase, BuildError> {
    let all = Assembled::new(leaves)?;
    Ok(VcpuBase::from_parts(all.table, all.own, layout))
}

impl Assembled {
    fn new(leaves: &Leaves<'_>) -> Result<Assembled, BuildError> {
        let vcpu = Vcpu::from_index(&leaves.cpu.topology, 0);
        let mut all =
            Assembled { table: CpuidTable::new(), own: Vec::with_capacity(8), absent: 0, left_over: false };
        leaves.cpu.hypervisor_leaves(&mut all.table)?;
        all.basic(leaves, vcpu)?;
        all.extended(leaves, vcpu)?;
        all.centaur(leaves, vcpu)?;
        leaves.cpu.frequency_leaf(&mut all.table, if all.left_over { LAST_OF_D } else { (0, 0) })?;
        Ok(all)
    }

    /// Makes room for another entry in which QEMU sets flags.
    fn claim(&mut self, leaf: u32, subleaf: u32) -> Result<(), BuildError> {
        self.left_over = false;
        self.check_room(leaf, subleaf)
    }

    /// Checks for room for another entry.
    fn check_room(&self, leaf: u32, subleaf: u32) -> Result<(), BuildError> {
        if self.table.len() - self.absent < ROOM {
            Ok(())
        } else {
            Err(BuildError::TooManyEntries(leaf, subleaf))
        }
    }

    fn push(&mut self, entry: CpuidEntry, own: Option<OwnPart>) -> Result<(), BuildError> {
        self.claim(entry.function.0, entry.index.0)?;
        self.own.extend(own.map(|part| OwnPlace { entry: self.table.len(), part }));
        Ok(self.table.push(entry)?)
    }

    /// A leaf without subleaves; omitted if it is all zero.
    fn plain(&mut self, leaf: u32, registers: Registers, own: Option<OwnPart>) -> Result<(), BuildError> {
        self.claim(leaf, 0)?;
        if registers == Registers::ZERO && own.is_none() {
            return Ok(());
        }
        self.push(CpuidEntry::new(Leaf(leaf), registers), own)
    }

    /// Subleaves from 0 up to and including the terminator.
    fn list(
        &mut self,
        leaf: u32,
        own: Option<OwnPart>,
        read: impl Fn(u32) -> Registers,
        ends: impl Fn(u32, Registers) -> bool,
    ) -> Result<(), BuildError> {
        for subleaf in 0.. {
            let registers = read(subleaf);
            self.push(CpuidEntry::indexed(Leaf(leaf), Subleaf(subleaf), registers), own)?;
            if ends(subleaf, registers) {
                break;
            }
        }
        Ok(())
    }

    fn basic(&mut self, leaves: &Leaves<'_>, vcpu: Vcpu) -> Result<(), BuildError> {
        let Registers { eax: highest, .. } = leaves.cpuid(0, 0, vcpu);
        if highest >= HYPERVISOR {
            return Err(BuildError::Level(highest));
        }
        let behaviour = &leaves.cpu.release.behaviour;
        for leaf in 0..=highest.min(LAST_BASIC) {
            let read = |subleaf| leaves.cpuid(leaf, subleaf, vcpu);
            match leaf {
                1 => self.plain(leaf, read(0), Some(OwnPart::CountedId))?,
                2 => self.leaf_2(read(0), behaviour.drops_obsolete)?,
                4 => self.list(leaf, None, read, |_, Registers { eax, .. }| eax == 0)?,
                0xb => {
                    self.list(leaf, leaf_b_id(leaves), read, |_, Registers { ecx, .. }| ecx & 0xff00 == 0)?
                }
                0x1f if !leaves.cpu.has_leaf_1f() => self.check_room(leaf, 0)?,
                0x1f => {
                    self.list(leaf, x2apic_id(leaf), read, |_, Registers { ecx, .. }| ecx & 0xff00 == 0)?;
                }
                0xd => self.leaf_d(read, behaviour.drops_obsolete)?,
                0x12 => self
                    .list(leaf, None, read, |subleaf, Registers { eax, .. }| subleaf > 1 && eax & 0xf != 1)?,
                0x7 | 0x14 | 0x1d | 0x1e => self.counted(leaf, read)?,
                0x24 if behaviour.avx10 => self.counted(leaf, read)?,
                _ => self.plain(leaf, read(0), None)?,
            }
        }
        Ok(())
    }

    /// Leaf 2, repeated as often as its register demands.
    fn leaf_2(&mut self, registers: Registers, drops_obsolete: bool) -> Result<(), BuildError> {
        let times = registers.eax & 0xff;
        let mut entry = CpuidEntry::new(Leaf(2), registers);
        if times > 1 || !drops_obsolete {
            entry.flags = CpuidEntry::STATEFUL_FUNC | CpuidEntry::STATE_READ_NEXT;
        }
        self.push(entry, None)?;
        entry.flags = CpuidEntry::STATEFUL_FUNC;
        for _ in 1..times {
            self.push(entry, None)?;
        }
        Ok(())
    }

    /// Leaf 0xD: the subleaves with a size. Older releases add an empty last one.
    fn leaf_d(&mut self, read: impl Fn(u32) -> Registers, drops_empty: bool) -> Result<(), BuildError> {
        const LAST: u32 = LAST_OF_D.0;
        self.claim(0xd, 0)?;
        for subleaf in 0..=LAST {
            let registers = read(subleaf);
            let kept = registers.eax != 0 || subleaf == LAST && !drops_empty;
            if kept {
                self.push(CpuidEntry::indexed(Leaf(0xd), Subleaf(subleaf), registers), None)?;
            }
            if kept && subleaf != LAST {
                self.claim(0xd, subleaf)?;
            }
        }
        self.left_over = drops_empty;
        Ok(())
    }

    /// Subleaf 0, and as many others as its EAX gives.
    fn counted(&mut self, leaf: u32, read: impl Fn(u32) -> Registers) -> Result<(), BuildError> {
        let first = read(0);
        self.push(CpuidEntry::indexed(Leaf(leaf), Subleaf(0), first), None)?;
        for subleaf in 1..=first.eax {
            self.push(CpuidEntry::indexed(Leaf(leaf), Subleaf(subleaf), read(subleaf)), None)?;
        }
        Ok(())
    }

    fn extended(&mut self, leaves: &Leaves<'_>, vcpu: Vcpu) -> Result<(), BuildError> {
        const FIRST: u32 = 0x8000_0000;
        let Registers { eax: highest, .. } = leaves.cpuid(FIRST, 0, vcpu);
        // Above the CPU's own highest leaf the highest basic leaf repeats until there is no room.
        let in_range = leaves.cpu.settings.xlevel();
        for leaf in FIRST..=highest {
            if leaf > LAST_EXTENDED && leaf <= in_range {
                if highest > in_range || in_range >= 0xc000_0000 {
                    return Err(BuildError::Level(highest));
                }
                break;
            }
            let read = |subleaf| leaves.cpuid(leaf, subleaf, vcpu);
            match leaf {
                0x8000_001d => self.list(leaf, None, read, |_, Registers { eax, .. }| eax == 0)?,
                0x8000_001e if leaf <= in_range => {
                    let node = read(0);
                    self.plain(leaf, node, Some(OwnPart::Node))?;
                    self.absent += usize::from(node == Registers::ZERO && leaves.cpu.topology.cpus == 1);
                }
                _ if leaf > in_range && read(0) == Registers::ZERO => return Err(BuildError::Level(highest)),
                _ => self.plain(leaf, read(0), None)?,
            }
        }
        Ok(())
    }

    fn centaur(&mut self, leaves: &Leaves<'_>, vcpu: Vcpu) -> Result<(), BuildError> {
        const FIRST: u32 = 0xc000_0000;
        if leaves.cpu.settings.xlevel2() == 0 {
            return Ok(());
        }
        let Registers { eax: highest, .. } = leaves.cpuid(FIRST, 0, vcpu);
        for leaf in FIRST..=highest {
            self.push(CpuidEntry::new(Leaf(leaf), leaves.cpuid(leaf, 0, vcpu)), None)?;
        }
        Ok(())
    }
}

/// The x2APIC id in a leaf that lists levels.
fn x2apic_id(leaf: u32) -> Option<OwnPart> {
    OwnBits::all().iter().find(|own| own.field.leaf().0 == leaf).copied().map(OwnPart::Field)
}

/// Leaf 0xB holds the APIC id unless it is turned off.
fn leaf_b_id(leaves: &Leaves<'_>) -> Option<OwnPart> {
    x2apic_id(0xb).filter(|_| leaves.cpu.settings.cpuid_0xb)
}
