//! A guest's tables by vCPU, and its other features.

use alloc::vec::Vec;

use super::board::apic_id::Vcpu;
use super::board::topology::Topology;
use super::cpu::flags::WORDS;
use super::filtered::Filtered;
use super::msrs::GuestMsrs;
use super::warning::Warning;
use crate::bits::location::{CpuidWord, Msr, WordSource};
use crate::bits::msr_feature::MsrValue;
use crate::generated::guest_tables::GuestWord;
use crate::table::{ApicLayout, CpuidTable, VcpuBase};

/// A guest's CPUID tables.
#[derive(Clone, Debug)]
pub struct GuestCpuid {
    pub(super) base: VcpuBase,
    pub(super) topology: Topology,
    pub(super) features: GuestFeatures,
    pub(super) msrs: GuestMsrs,
    pub(super) machine_checks: Option<u64>,
    pub(super) filtered: Vec<Filtered>,
    pub(super) warnings: Vec<Warning>,
}

/// A guest's feature words, including those that are in no leaf.
#[derive(Clone)]
pub(super) struct GuestFeatures {
    /// By index.
    pub(super) rows: &'static [GuestWord],
    pub(super) words: [u64; WORDS],
}

impl core::fmt::Debug for GuestFeatures {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.words).finish()
    }
}

impl GuestCpuid {
    /// The first vCPU's table.
    #[must_use]
    pub fn table(&self) -> CpuidTable {
        let mut table = CpuidTable::new();
        self.write(0, &mut table);
        table
    }

    /// The base from which every vCPU's table is made, including hot-plugged ones.
    ///
    /// ```
    /// # use cpuid_tables::{guest::GuestCpuid, host::Host};
    /// # let host = Host::default();
    /// let guest = GuestCpuid::builder().model("base").host(&host).build()?;
    /// # #[cfg(feature = "kvm")]
    /// let vcpus = cpuid_tables::kvm::Vcpus::from_base(guest.base());
    /// # Ok::<(), cpuid_tables::guest::BuildError>(())
    /// ```
    #[must_use]
    pub fn base(&self) -> &VcpuBase {
        &self.base
    }

    /// The positions of core and node numbers within an APIC id, which a table does not always contain.
    #[must_use]
    pub fn layout(&self) -> ApicLayout {
        self.base.layout()
    }

    /// The numbers of vCPUs, sockets and so on.
    #[must_use]
    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// The APIC id of the vCPU with this index, up to the maximum number of vCPUs (including hot-plugged ones).
    #[must_use]
    pub fn apic_id(&self, index: u32) -> u32 {
        Vcpu::from_index(&self.topology, index).apic_id
    }

    /// Each initial vCPU: the APIC id to create it with in KVM, and its table.
    pub fn vcpus(&self) -> impl Iterator<Item = (u32, CpuidTable)> + use<'_> {
        (0..self.topology.cpus).map(|index| {
            let mut table = CpuidTable::new();
            (self.write(index, &mut table), table)
        })
    }

    /// Replaces `table` by the table of the vCPU with this index and returns its APIC id. Does not allocate.
    pub fn write(&self, index: u32, table: &mut CpuidTable) -> u32 {
        let apic_id = self.apic_id(index);
        self.base.write(apic_id, table);
        apic_id
    }

    /// Passes each vCPU's APIC id and table to `show`. One table is modified from vCPU to vCPU, which is faster than
    /// making one for each.
    pub fn for_each(&self, mut show: impl FnMut(u32, &CpuidTable)) {
        let mut table = CpuidTable::clone(&self.base);
        for index in 0..self.topology.cpus {
            let apic_id = self.apic_id(index);
            self.base.rewrite(apic_id, &mut table);
            show(apic_id, &table);
        }
    }

    /// Requested features that the host lacks, by word.
    #[must_use]
    pub fn filtered(&self) -> &[Filtered] {
        &self.filtered
    }

    /// QEMU's warnings, in its order; with `check=off` without features that the host lacks.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The feature words of registers, in QEMU's order.
    pub fn words(&self) -> impl Iterator<Item = (CpuidWord, u32)> {
        self.sources().filter_map(|(source, value)| match source {
            WordSource::Cpuid(word) => Some((word, (value & 0xffff_ffff) as u32)),
            WordSource::Msr(_) => None,
        })
    }

    /// The feature words of MSRs, in QEMU's order: the values for the guest's MSRs; for VMX controls, the bits that
    /// may be 1.
    pub fn msr_words(&self) -> impl Iterator<Item = (Msr, u64)> {
        self.sources().filter_map(|(source, value)| match source {
            WordSource::Msr(msr) => Some((msr, value)),
            WordSource::Cpuid(_) => None,
        })
    }

    /// The MSRs that QEMU sets on the first vCPU at reset and that depend on the CPU, in its order: first the
    /// capabilities, which it sets once, then the state. [`LEFT_OUT`](super::LEFT_OUT) lists the others.
    ///
    /// Which ones exist depends on the MSRs that KVM saves; for a host without that list, those of Linux 6.12 are
    /// assumed.
    ///
    /// The time stamp counter (0x10) is 0, which QEMU sets first and by which KVM synchronizes a new vCPU with the others.
    /// At a later reset, before the guest runs too, QEMU sets 1 if the vCPU's counter is not 0. The controls of machine checks
    /// are all ones: KVM accepts that from a vCPU with [these capabilities](GuestCpuid::machine_checks).
    ///
    /// ```
    /// use cpuid_tables::{Msr, guest::GuestCpuid, host::{Host, HostFile}};
    ///
    /// let mut host = Host::default();
    /// host.read(HostFile::SavedMsrs, "10a\n1a0\n")?;
    /// let guest = GuestCpuid::builder().model("base").host(&host).build()?;
    /// let misc_enable = guest.msrs().find(|msr| msr.msr == Msr(0x1a0));
    /// assert_eq!(misc_enable.map(|msr| msr.value), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn msrs(&self) -> impl Iterator<Item = MsrValue> {
        self.vcpu_msrs(0)
    }

    /// The capabilities of machine checks (IA32_MCG_CAP) that QEMU passes to `KVM_X86_SETUP_MCE` for each vCPU, before it sets
    /// MSRs; `None` if the CPU or KVM has no machine checks.
    ///
    /// ```no_run
    /// # fn set(vcpu: &std::fs::File, guest: &cpuid_tables::guest::GuestCpuid) -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "kvm")]
    /// if let Some(capabilities) = guest.machine_checks() {
    ///     cpuid_tables::kvm::set_up_machine_checks(vcpu, capabilities)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn machine_checks(&self) -> Option<u64> {
        self.machine_checks
    }

    /// The [MSRs](GuestCpuid::msrs) of the vCPU with this index: Hyper-V's MSRs of the whole VM are set on the first one only, and one of
    /// them has the index.
    pub fn vcpu_msrs(&self, index: u32) -> impl Iterator<Item = MsrValue> {
        self.msrs.for_vcpu(index)
    }

    fn sources(&self) -> impl Iterator<Item = (WordSource, u64)> {
        let GuestFeatures { rows, words } = &self.features;
        rows.iter().zip(words).filter_map(|(row, value)| Some((row.source?, *value)))
    }
}
