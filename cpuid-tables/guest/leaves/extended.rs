//! Leaves from 0x80000000 and from 0xC0000000 (`cpu_x86_cpuid` of target/i386/cpu.c).

use super::assemble::Leaves;
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::guest::board::apic_id::Offsets;
use crate::guest::board::apic_id::Vcpu;
use crate::guest::cpu::flags::{CMP_LEGACY, LA57, LM, PERFMON_V2, Reg, SVM};

impl Leaves<'_> {
    /// A leaf in range.
    pub(crate) fn extended(&self, leaf: u32, subleaf: u32, vcpu: Vcpu) -> Registers {
        let cpu = self.cpu;
        let settings = &cpu.settings;
        match leaf {
            0x8000_0000 => {
                let [ebx, ecx, edx] =
                    if self.is_not_amds() { [0; 3] } else { settings.vendor.to_registers() };
                Registers::new(settings.xlevel(), ebx, ecx, edx)
            }
            0x8000_0001 => {
                Registers::new(settings.signature, 0, self.leaf_80000001_ecx(), cpu.word(Reg::X1Edx))
            }
            0x8000_0002 => self.brand(0),
            0x8000_0003 => self.brand(1),
            0x8000_0004 => self.brand(2),
            0x8000_0005 => cpu.leaf_80000005(self.caches),
            0x8000_0006 => cpu.leaf_80000006(self.caches),
            0x8000_0007 => {
                let hidden = settings.vendor_cpuid_only_v2 && cpu.is_intel();
                Registers::new(0, if hidden { 0 } else { cpu.word(Reg::X7Ebx) }, 0, cpu.word(Reg::X7Edx))
            }
            0x8000_0008 => self.leaf_80000008(),
            0x8000_000a if cpu.has(SVM) => Registers::new(1, 16, 0, cpu.word(Reg::XaEdx)),
            0x8000_001d => cpu.leaf_8000001d(subleaf, self.caches),
            0x8000_001e => self.leaf_8000001e(vcpu),
            0x8000_0021 => {
                Registers::new(cpu.word(Reg::X21Eax), cpu.word(Reg::X21Ebx), cpu.word(Reg::X21Ecx), 0)
            }
            0x8000_0022 if settings.pmu && cpu.has(PERFMON_V2) => {
                let counters =
                    cpu.supported.register(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), Register::Ebx));
                Registers::new(PERFMON_V2.mask, counters & 0xf, 0, 0)
            }
            0xc000_0000 => Registers::new(settings.xlevel2(), 0, 0, 0),
            0xc000_0001 => Registers::new(settings.signature, 0, 0, cpu.word(Reg::C1Edx)),
            _ => Registers::ZERO,
        }
    }

    /// Older releases set CMP_LEGACY late, before it was a feature.
    fn leaf_80000001_ecx(&self) -> u32 {
        let cpu = self.cpu;
        let late = !cpu.release.behaviour.sets_ht_in_expand && cpu.counted_threads() > 1 && !cpu.is_intel();
        cpu.word(Reg::X1Ecx) | if late { CMP_LEGACY.mask } else { 0 }
    }

    /// True for a vendor other than AMD, in releases that hide AMD's leaves from it.
    fn is_not_amds(&self) -> bool {
        let cpu = self.cpu;
        cpu.settings.vendor_cpuid_only_v2 && (cpu.is_intel() || cpu.is_zhaoxin())
    }

    fn brand(&self, part: usize) -> Registers {
        let brand = &self.cpu.settings.brand;
        [0, 1, 2, 3].map(|at| brand[part * 4 + at]).into()
    }

    fn leaf_80000008(&self) -> Registers {
        let cpu = self.cpu;
        let mut eax = cpu.settings.phys_bits;
        if cpu.has(LM) {
            let linear = if cpu.has(LA57) { 57 } else { 48 };
            eax |= linear << 8 | cpu.settings.guest_phys_bits.unwrap_or(0) << 16;
        }
        let threads = cpu.counted_threads();
        let ecx = if threads > 1 && !self.is_not_amds() {
            Offsets::from_topology(&cpu.topology).package << 12 | (threads - 1)
        } else {
            0
        };
        Registers::new(eax, cpu.word(Reg::X8Ebx), ecx, 0)
    }

    /// The vCPU's position, in AMD's encoding.
    fn leaf_8000001e(&self, vcpu: Vcpu) -> Registers {
        let topology = &self.cpu.topology;
        // The field has eight bits.
        if vcpu.core > 255 {
            return Registers::ZERO;
        }
        let offsets = Offsets::from_topology(topology);
        let ebx = (topology.threads - 1) << 8 | vcpu.core & 0xff;
        let ecx = if self.cpu.settings.legacy_multi_node {
            (topology.dies - 1) << 8 | vcpu.apic_id >> offsets.die & 0xff
        } else {
            vcpu.apic_id >> offsets.package & 0xff
        };
        Registers::new(vcpu.apic_id, ebx, ecx, 0)
    }
}
