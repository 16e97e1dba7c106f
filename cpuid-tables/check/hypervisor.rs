//! The hypervisor bit, 1.ECX[31], and the leaves from 0x40000000 that it announces.
//!
//! KVM's leaves: Linux, `Documentation/virt/kvm/x86/cpuid.rst`. KVM searches for its own signature from 0x40000000 in
//! steps of 0x100, and for Hyper-V's interface only in 0x40000001 (`kvm_cpuid_has_hyperv()`).

use alloc::format;

use super::guest::Guest;
use super::{Findings, Input, Kind};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::feature;
use crate::table::{CpuidRead, Hypervisor};

/// "Hv#1", which identifies Hyper-V's interface.
const HYPERV_INTERFACE: u32 = 0x3123_7648;

/// The bit without leaves, and leaves without the bit.
pub(super) fn presence(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let bit = guest.site_of_feature(feature::HYPERVISOR);
        let first = guest.site(Leaf::HYPERVISOR, Subleaf(0));
        let leaf = guest.entries.hypervisors().next();
        match (guest.has(feature::HYPERVISOR), leaf) {
            (true, None) => {
                let what = "hypervisor is set, but leaf 0x40000000 is missing";
                let finding = findings.add(Kind::HypervisorBitAlone, guest, bit, what);
                finding.feature(feature::HYPERVISOR).and(first);
            }
            (false, Some(range)) => {
                let at = guest.site(range.base, Subleaf(0));
                let what = format!("leaf {} is present, but hypervisor is not set", range.base);
                let finding = findings.add(Kind::HypervisorLeavesHidden, guest, at, what);
                finding.feature(feature::HYPERVISOR).and(bit);
            }
            _ => {}
        }
    }
}

/// Signatures without their interface leaves.
pub(super) fn interfaces(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        for range in guest.entries.hypervisors() {
            match range.signature {
                Hypervisor::KVM => kvm(guest, range, findings),
                Hypervisor::HYPERV if range.base == Leaf::HYPERVISOR => hyperv(guest, findings),
                _ => {}
            }
        }
    }
}

fn kvm(guest: &Guest<'_>, range: Hypervisor, findings: &mut Findings) {
    let features = Leaf(range.base.0 + 1);
    if guest.entries.registers(features, Subleaf(0)).is_none() {
        let at = guest.site(range.base, Subleaf(0));
        let what = format!("leaf {} has KVM's signature, but leaf {features} is missing", range.base);
        findings.add(Kind::KvmFeaturesMissing, guest, at, what).and(guest.site(features, Subleaf(0)));
    }
}

fn hyperv(guest: &Guest<'_>, findings: &mut Findings) {
    let interface = guest.registers(0x4000_0001, 0).map_or(0, |Registers { eax, .. }| eax);
    if interface != HYPERV_INTERFACE {
        let at = guest.site_of(0x4000_0001, 0, Register::Eax, 0);
        let what = format!(
            "0x40000000 has Hyper-V's signature, but EAX of 0x40000001 is {interface:#x}: expected {HYPERV_INTERFACE:#x}"
        );
        findings.add(Kind::HypervInterface, guest, at, what).and(guest.site(Leaf::HYPERVISOR, Subleaf(0)));
    }
}
