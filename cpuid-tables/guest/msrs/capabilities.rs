//! MSRs that describe the CPU (`kvm_init_msrs`): Intel SDM volume 4 and, for VMX, volume 3D, appendix A.

use super::List;
use crate::bits::known_places;
use crate::guest::cpu::flags::{FRED, LM, VMX};

const CORE_CAPABILITIES: u32 = 0xcf;
const ARCH_CAPABILITIES: u32 = known_places::ARCH_CAPABILITIES.0;
const PERF_CAPABILITIES: u32 = known_places::PERF_CAPABILITIES.0;
const UCODE_REV: u32 = 0x8b;

const VMX_BASIC: u32 = 0x480;
const VMX_MISC: u32 = 0x485;
const VMX_CR0_FIXED0: u32 = 0x486;
const VMX_CR4_FIXED0: u32 = 0x488;
const VMX_VMCS_ENUM: u32 = 0x48a;
const VMX_SECONDARY: u32 = known_places::VMX_SECONDARY.0;
const VMX_EPT_VPID: u32 = 0x48c;
const VMX_PINBASED: u32 = known_places::VMX_PINBASED.0;
const VMX_PROCBASED: u32 = 0x48e;
const VMX_EXIT: u32 = 0x48f;
const VMX_ENTRY: u32 = 0x490;
const VMX_VMFUNC: u32 = 0x491;

/// Controls that must be 1 unless a feature allows 0.
const fn fixed_to_one(msr: u32) -> u32 {
    match msr {
        VMX_PINBASED => 0x0000_0016,
        VMX_PROCBASED => 0x0401_e172,
        VMX_EXIT => 0x0003_6dff,
        VMX_ENTRY => 0x0000_11ff,
        _ => 0,
    }
}

/// VMX_BASIC's revision, region size and memory type.
const BASIC_OF_HOST: u64 = 0x7fff_ffff | 0x1fff << 32 | 0xf << 50;
/// VMX_MISC's preemption timer rate and size of MSR lists.
const MISC_OF_HOST: u64 = 0x1f | 0x7 << 25;
/// Memory types of EPT: uncacheable and write-back.
const EPT_MEMORY_TYPES: u64 = 1 << 8 | 1 << 14;
/// Secondary control: EPT.
const ENABLE_EPT: u64 = 1 << 1;
/// Secondary control: TSC scaling.
const TSC_SCALING: u64 = 1 << 25;
/// Exit control: the host is 64-bit.
const HOST_ADDRESS_SPACE: u64 = 1 << 9;
/// Exit control: there are secondary exit controls.
const SECONDARY_EXIT_CONTROLS: u64 = 1 << 31;
/// CR0.PE, NE and PG.
const CR0_FIXED0: u64 = 1 | 1 << 5 | 1 << 31;
/// CR4.VMXE.
const CR4_FIXED0: u64 = 1 << 13;

/// The default revision of the microcode, KVM's own.
const UCODE_OF_AMD: u64 = 0x0100_0065;
const UCODE: u64 = 1 << 32;

impl List<'_> {
    pub(super) fn capabilities(&mut self) {
        for msr in [ARCH_CAPABILITIES, CORE_CAPABILITIES] {
            self.put_saved(msr, self.word(msr));
        }
        let perf = self.of_host(PERF_CAPABILITIES);
        if perf != 0 && self.cpu.settings.pmu {
            self.put_saved(PERF_CAPABILITIES, perf & self.word(PERF_CAPABILITIES));
        }
        let vmx_first = self.cpu.release.behaviour.vmx_before_microcode;
        if vmx_first {
            self.vmx();
        }
        self.put_saved(UCODE_REV, self.microcode());
        if !vmx_first {
            self.vmx();
        }
    }

    fn microcode(&self) -> u64 {
        let of_host = if self.cpu.class.is_max() { self.of_host(UCODE_REV) } else { 0 };
        let default = if self.cpu.is_amd() { UCODE_OF_AMD } else { UCODE };
        [self.cpu.settings.ucode_rev, of_host].into_iter().find(|revision| *revision != 0).unwrap_or(default)
    }

    fn vmx(&mut self) {
        if !self.cpu.has(VMX) || self.of_host(VMX_BASIC) == 0 {
            return;
        }
        let secondary = self.word(VMX_SECONDARY);
        let host_64 = if self.cpu.has(LM) { HOST_ADDRESS_SPACE << 32 } else { 0 };
        self.put(VMX_PROCBASED, self.controls(VMX_PROCBASED));
        self.put(VMX_PINBASED, self.controls(VMX_PINBASED));
        self.put(VMX_EXIT, self.controls(VMX_EXIT) | host_64);
        self.put(VMX_ENTRY, self.controls(VMX_ENTRY));
        self.put(VMX_SECONDARY, self.controls(VMX_SECONDARY));
        let memory = if secondary & ENABLE_EPT != 0 { EPT_MEMORY_TYPES } else { 0 };
        self.put(VMX_EPT_VPID, self.word(VMX_EPT_VPID) | self.of_host(VMX_EPT_VPID) & memory);
        self.put(VMX_BASIC, self.word(VMX_BASIC) | self.of_host(VMX_BASIC) & BASIC_OF_HOST);
        self.put(VMX_MISC, self.word(VMX_MISC) | self.of_host(VMX_MISC) & MISC_OF_HOST);
        self.put_saved(VMX_VMFUNC, self.word(VMX_VMFUNC));
        self.put(VMX_CR0_FIXED0, CR0_FIXED0);
        self.put(VMX_CR4_FIXED0, CR4_FIXED0);
        self.put(VMX_VMCS_ENUM, self.highest_vmcs_field(secondary));
    }

    /// Controls that must be 1 in the lower half, controls that may be 1 in the upper one.
    fn controls(&self, msr: u32) -> u64 {
        let (features, fixed) = (self.word(msr) & 0xffff_ffff, u64::from(fixed_to_one(msr)));
        (features | fixed) << 32 | fixed & !features
    }

    /// The highest index of a VMCS field, as FRED, secondary exit controls, TSC scaling and the preemption timer have
    /// it.
    fn highest_vmcs_field(&self, secondary: u64) -> u64 {
        let newer = self.cpu.release.behaviour.vmcs_of_fred;
        if newer && self.cpu.has(FRED) {
            0x52
        } else if newer && self.word(VMX_EXIT) & SECONDARY_EXIT_CONTROLS != 0 {
            0x44
        } else if secondary & TSC_SCALING != 0 {
            0x32
        } else {
            0x2e
        }
    }
}
