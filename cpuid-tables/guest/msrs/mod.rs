//! The MSRs that QEMU sets at a vCPU's reset and that depend on its CPU.
//!
//! QEMU sets them in two steps, in this order (target/i386/kvm/kvm.c): `kvm_init_msrs` once for each vCPU, the
//! capabilities, in `capabilities`; `kvm_arch_put_registers` at each reset, in `reset`. Which MSRs exist depends on the
//! list of those that KVM saves (`KVM_GET_MSR_INDEX_LIST`), on the CPU's features and on the processor's vendor.
//! [`LEFT_OUT`] lists what is not here.

mod capabilities;
mod counters;
mod reset;

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::cpu::Cpu;
use crate::bits::location::Msr;
use crate::bits::msr_feature::MsrValue;
use crate::table::CpuidTable;

/// MSRs that QEMU sets at reset and that are not in [`GuestCpuid::msrs`](super::GuestCpuid::msrs).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The MSRs.
    pub msrs: RangeInclusive<u32>,
    /// Why.
    pub reason: &'static str,
}

/// What is left out, in ascending order.
pub const LEFT_OUT: [LeftOut; 3] = [
    LeftOut {
        msrs: 0x1b..=0x1b,
        reason: "the APIC's base depends on the board and on which vCPU boots first; KVM_SET_SREGS sets it too",
    },
    LeftOut {
        msrs: 0x14ce..=0x14cf,
        reason: "the state of architectural branch records follows what KVM reports for a vCPU that exists, which no \
                 host's description has; at reset QEMU writes none",
    },
    LeftOut { msrs: 0x4000_00ff..=0x4000_00ff, reason: "options of Hyper-V's debugger come from a device" },
];

/// The vCPUs that have an MSR, and what its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// All, with the same value.
    Every(u64),
    /// Only the first one: the MSR concerns the whole VM.
    First(u64),
    /// All, with the vCPU's index.
    Index,
}

/// The MSRs of a guest.
#[derive(Clone, Debug, Default)]
pub(super) struct GuestMsrs(Vec<(Msr, Of)>);

impl GuestMsrs {
    /// Those of the vCPU with this index, in QEMU's order.
    pub(super) fn for_vcpu(&self, index: u32) -> impl Iterator<Item = MsrValue> {
        self.0.iter().filter_map(move |&(msr, of)| {
            let value = match of {
                Of::Every(value) => value,
                Of::First(value) if index == 0 => value,
                Of::First(_) => return None,
                Of::Index => index.into(),
            };
            Some(MsrValue { msr, value })
        })
    }
}

/// MSRs in the making.
struct List<'c> {
    cpu: &'c Cpu<'c>,
    table: &'c CpuidTable,
    msrs: Vec<(Msr, Of)>,
}

impl List<'_> {
    fn put(&mut self, msr: u32, value: u64) {
        self.msrs.push((Msr(msr), Of::Every(value)));
    }

    /// Puts an MSR if KVM saves it.
    fn put_saved(&mut self, msr: u32, value: u64) {
        if self.is_saved(msr) {
            self.put(msr, value);
        }
    }

    fn put_zeros(&mut self, msrs: impl IntoIterator<Item = u32>) {
        msrs.into_iter().for_each(|msr| self.put(msr, 0));
    }

    /// True if KVM saves the MSR.
    fn is_saved(&self, msr: u32) -> bool {
        self.cpu.supported.saves(msr)
    }

    /// The feature word of an MSR; 0 if the release has none.
    fn word(&self, msr: u32) -> u64 {
        self.cpu.release.msr_index(msr).map_or(0, |at| self.cpu.words[at])
    }

    /// A feature MSR of the host, as KVM returns it; 0 without it.
    fn of_host(&self, msr: u32) -> u64 {
        self.cpu.supported.stated_msr(Msr(msr)).unwrap_or(0)
    }
}

impl Cpu<'_> {
    /// The MSRs of a guest with this CPU; `table` is any vCPU's.
    pub(super) fn reset_msrs(&self, table: &CpuidTable) -> GuestMsrs {
        let mut list = List { cpu: self, table, msrs: Vec::new() };
        list.capabilities();
        list.reset();
        GuestMsrs(list.msrs)
    }
}
