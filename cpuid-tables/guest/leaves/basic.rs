//! Leaves up to 0x29 (`cpu_x86_cpuid` of target/i386/cpu.c).

use super::assemble::Leaves;
use crate::bits::location::Registers;
use crate::guest::board::apic_id::Offsets;
use crate::guest::board::apic_id::Vcpu;
use crate::guest::cpu::filter::processor_trace;
use crate::guest::cpu::flags::{AMX_TILE, APXF, AVX10, INTEL_PT, INTEL_PT_LIP, PDCM, Reg, SGX, SGX_LC};

/// Bytes of a cache line in leaf 1: 8 times 8.
const CLFLUSH: u32 = 8 << 8;

impl Leaves<'_> {
    /// A leaf in range.
    pub(crate) fn basic(&self, leaf: u32, subleaf: u32, vcpu: Vcpu) -> Registers {
        let cpu = self.cpu;
        let settings = &cpu.settings;
        match leaf {
            0 => {
                let [ebx, ecx, edx] = settings.vendor.to_registers();
                Registers::new(settings.level(), ebx, ecx, edx)
            }
            1 => self.leaf_1(vcpu),
            2 => cpu.leaf_2(self.caches),
            4 => cpu.leaf_4(subleaf, self.caches),
            5 => cpu.mwait,
            6 => Registers::new(cpu.word(Reg::L6Eax), 0, 0, 0),
            7 => self.leaf_7(subleaf),
            0xa if settings.pmu => cpu.supported.leaf(0xa, subleaf),
            0xb if settings.cpuid_0xb => {
                let Registers { eax, ebx, ecx, .. } = cpu.topology.leaf_b(subleaf, cpu.counted_threads());
                Registers::new(eax, ebx, ecx, vcpu.apic_id)
            }
            0xd => cpu.leaf_d(subleaf),
            0x12 => self.leaf_12(subleaf),
            0x14 if cpu.has(INTEL_PT) => self.leaf_14(subleaf),
            0x1c if cpu.has_lbr() => {
                let Registers { eax, ebx, ecx, .. } = cpu.supported.leaf(0x1c, 0);
                Registers::new(eax, ebx, ecx, 0)
            }
            0x1d if cpu.has(AMX_TILE) => tiles(subleaf),
            0x1e if cpu.has(AMX_TILE) => self.leaf_1e(subleaf),
            0x1f if cpu.has_leaf_1f() => {
                let Registers { eax, ebx, ecx, .. } = cpu.topology.leaf_1f(subleaf);
                Registers::new(eax, ebx, ecx, vcpu.apic_id)
            }
            0x24 if cpu.has(AVX10) => match subleaf {
                0 => {
                    let ebx = cpu.word(Reg::L24Ebx) | u32::from(settings.avx10_version);
                    Registers::new(settings.avx10_last_subleaf, ebx, 0, 0)
                }
                1 => Registers::new(0, 0, cpu.word(Reg::L24s1Ecx), 0),
                _ => Registers::ZERO,
            },
            0x29 if cpu.release.behaviour.apx && cpu.has(APXF) && subleaf == 0 => {
                Registers::new(0, cpu.word(Reg::L29Ebx), 0, 0)
            }
            _ => Registers::ZERO,
        }
    }

    fn leaf_1(&self, vcpu: Vcpu) -> Registers {
        let cpu = self.cpu;
        let mut ebx = vcpu.apic_id << 24 | CLFLUSH;
        let threads = cpu.counted_threads();
        if threads > 1 {
            let rounds = cpu.release.behaviour.rounds_count;
            let counts_ids = rounds && (cpu.is_intel() || cpu.is_zhaoxin());
            let count = if counts_ids { 1 << Offsets::from_topology(&cpu.topology).package } else { threads };
            // The field has eight bits; older releases let the count overflow.
            ebx |= if rounds { count.min(255) } else { count } << 16;
        }
        // In releases that remove PDCM as a feature, it is already clear.
        let without = if cpu.settings.pmu || !cpu.settings.pdcm_on_even_without_pmu { 0 } else { PDCM.mask };
        Registers::new(cpu.settings.signature, ebx, cpu.word(Reg::L1Ecx) & !without, cpu.leaf_1_edx())
    }

    fn leaf_7(&self, subleaf: u32) -> Registers {
        let cpu = self.cpu;
        match subleaf {
            0 => {
                let (mut ebx, mut ecx) = (cpu.word(Reg::L7Ebx), cpu.word(Reg::L7Ecx));
                if !cpu.release.behaviour.sgx_needs_pc {
                    // Older releases check the host here, even for forced features.
                    ebx &= !SGX.mask | cpu.supported.register(Reg::L7Ebx.word());
                    let lc = cpu.supported.register(Reg::L7Ecx.word()) & SGX_LC.mask != 0;
                    if ebx & SGX.mask == 0 || !lc {
                        ecx &= !SGX_LC.mask;
                    }
                }
                Registers::new(cpu.settings.level_func7(), ebx, ecx, cpu.word(Reg::L7Edx))
            }
            1 => Registers::new(cpu.word(Reg::L7s1Eax), 0, cpu.word(Reg::L7s1Ecx), cpu.word(Reg::L7s1Edx)),
            2 => Registers::new(0, 0, 0, cpu.word(Reg::L7s2Edx)),
            _ => Registers::ZERO,
        }
    }

    fn leaf_12(&self, subleaf: u32) -> Registers {
        let cpu = self.cpu;
        if !cpu.has(SGX) {
            return Registers::ZERO;
        }
        if let Some(section) = subleaf.checked_sub(2) {
            let section = usize::try_from(section).ok().and_then(|at| self.sgx.get(at));
            let Some(section) = section else { return Registers::ZERO };
            let Registers { ecx, .. } = cpu.supported.instruction(0x12, 2);
            let halves =
                |value: u64| [value & 0xffff_f000, value >> 32].map(|half| (half & 0xffff_ffff) as u32);
            let ([base, base_high], [size, size_high]) = (halves(section.base), halves(section.size));
            return Registers::new(base | 1, base_high, size | ecx & 0xf, size_high);
        }
        let Registers { eax, ebx, ecx, edx } = cpu.supported.leaf(0x12, subleaf);
        if subleaf == 0 {
            return Registers::new(eax & cpu.word(Reg::L12Eax), ebx & cpu.word(Reg::L12Ebx), ecx, edx);
        }
        /// The provisioning key, for which QEMU needs a separate device; and x87 and SSE, which are always set.
        const PROVISIONING: u32 = 1 << 4;
        const X87_AND_SSE: u32 = 3;
        let xcr0 = [cpu.word(Reg::LdEax) | X87_AND_SSE, cpu.word(Reg::LdEdx)];
        let without = if self.sgx_provisioning { 0 } else { PROVISIONING };
        let eax = eax & cpu.word(Reg::L12s1Eax) & !without;
        Registers::new(eax, 0, ecx & xcr0[0] | X87_AND_SSE, edx & xcr0[1])
    }

    /// The matrix multiplication of AMX.
    fn leaf_1e(&self, subleaf: u32) -> Registers {
        /// As on Sapphire Rapids: 16 rows or columns, and 64 bytes.
        const SIZES: u32 = 0x10 | 0x40 << 8;
        let cpu = self.cpu;
        let more = cpu.release.behaviour.tmul_subleaves;
        match subleaf {
            0 => Registers::new(if more { cpu.supported.leaf(0x1e, 0).eax } else { 0 }, SIZES, 0, 0),
            1 if more => Registers::new(cpu.word(Reg::L1es1Eax), 0, 0, 0),
            _ => Registers::ZERO,
        }
    }

    /// QEMU's fixed processor trace description.
    fn leaf_14(&self, subleaf: u32) -> Registers {
        match subleaf {
            0 => {
                let lip = self.cpu.word(Reg::L14Ecx) & INTEL_PT_LIP.mask;
                Registers::new(1, processor_trace::EBX, processor_trace::ECX | lip, 0)
            }
            1 => Registers::new(
                processor_trace::MTC | processor_trace::RANGES,
                processor_trace::CYCLES_AND_PSB,
                0,
                0,
            ),
            _ => Registers::ZERO,
        }
    }
}

/// AMX's only palette, as on Sapphire Rapids: 8 tiles of 16 rows of 64 bytes.
fn tiles(subleaf: u32) -> Registers {
    match subleaf {
        0 => Registers::new(1, 0, 0, 0),
        1 => Registers::new(0x2000 | 0x400 << 16, 0x40 | 8 << 16, 0x10, 0),
        _ => Registers::ZERO,
    }
}
