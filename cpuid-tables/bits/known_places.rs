//! Leaves, MSRs and masks that several modules need, each named once.

#![allow(dead_code, reason = "each room uses some")]

use super::location::{Leaf, Msr};

/// KVM's features (EAX) and hints (EDX): Linux, `Documentation/virt/kvm/x86/cpuid.rst`.
pub(crate) const KVM_FEATURES: Leaf = Leaf(0x4000_0001);
/// The frequencies of the time stamp counter and of the local APIC's timer in kHz, which VMware defined.
pub(crate) const FREQUENCIES: Leaf = Leaf(0x4000_0010);

/// Bits 0 to 9, 12 to 17, 23 and 24 of 0x80000001.EDX, which on AMD repeat those of 1.EDX: AMD APM volume 3, E.4.2; QEMU's
/// `CPUID_EXT2_AMD_ALIASES`.
pub(crate) const AMD_ALIASES: u32 = 0x0183_f3ff;

/// `IA32_ARCH_CAPABILITIES`.
pub(crate) const ARCH_CAPABILITIES: Msr = Msr(0x10a);
/// Bits of [`ARCH_CAPABILITIES`] with which QEMU adds [`FB_CLEAR`]: MDS_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO and PSDP_NO
/// (`kvm_arch_get_supported_msr_feature` of target/i386/kvm/kvm.c).
pub(crate) const NOT_VULNERABLE: u64 = 1 << 5 | 1 << 8 | 1 << 13 | 1 << 14 | 1 << 15;
/// FB_CLEAR of [`ARCH_CAPABILITIES`].
pub(crate) const FB_CLEAR: u64 = 1 << 17;
/// `IA32_PERF_CAPABILITIES`, whose lowest six bits are the format of branch records.
pub(crate) const PERF_CAPABILITIES: Msr = Msr(0x345);
/// `IA32_VMX_PROCBASED_CTLS2`.
pub(crate) const VMX_SECONDARY: Msr = Msr(0x48b);
/// `IA32_VMX_TRUE_PINBASED_CTLS`.
pub(crate) const VMX_PINBASED: Msr = Msr(0x48d);
