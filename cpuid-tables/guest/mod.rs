//! A guest's CPUID table, exactly as QEMU builds it for KVM.
//!
//! [`GuestCpuid::builder`] takes what QEMU's `-cpu`, `-smp` and `-machine` say, and a [`Host`](crate::host::Host); what
//! comes out is what QEMU hands to `KVM_SET_CPUID2` for each vCPU: the same entries in the same order, the same flags and
//! registers. What QEMU refuses is a [`BuildError`].
//!
//! A reader of QEMU finds each of its steps in a file of its own, in this order:
//!
//! | file | QEMU |
//! |---|---|
//! | `parse_cpu`, `parse_smp`, `parse_machine`, `values` | `-cpu`, `-smp`, `-machine`, and how values are read |
//! | `machine`, `topology`, `apic_id` | `machine_parse_smp_config`, hw/i386/pc*.c, topology.h |
//! | `supported` | `kvm_arch_get_supported_cpuid` |
//! | `load`, `properties`, `settings` | `x86_cpu_load_model`, the accelerator's and the machine type's properties |
//! | `expand`, `xsave`, `levels` | `x86_cpu_expand_features` |
//! | `filter` | `x86_cpu_filter_features` |
//! | `realize` | the rest of `x86_cpu_realizefn` |
//! | `leaves_basic`, `leaves_extended`, `caches` | `cpu_x86_cpuid` |
//! | `hyperv_host`, `hyperv`, `kvm_leaves`, `assemble` | `kvm_arch_init_vcpu` |
//! | `definitions` | `query-cpu-definitions` |
//!
//! What differs between releases of QEMU is data, or one flag in `behaviour`.
//!
//! ```
//! use cpuid_tables::{CpuidWord, Register, feature, guest::GuestCpuid, host::{Host, HostFile}};
//!
//! let mut host = Host::default();
//! host.read(HostFile::Supported, "supported 7 0 1 0 20 0 0\nsupported 1 0 0 0 0 0 100")?;
//! host.read(HostFile::Instruction, "0 0 0 7 756e6547 6c65746e 49656e69")?;
//! let guest = GuestCpuid::builder()
//!     .cpu("base,+avx2,+sse3".parse()?)
//!     .topology("2,sockets=2".parse()?)
//!     .host(&host)
//!     .build()?;
//! assert!(guest.table().has(feature::AVX2) && !guest.table().has(feature::XMM3));
//! assert_eq!(
//!     guest.filtered()[0].to_string(),
//!     "host doesn't support requested feature: CPUID.01H:ECX.pni [bit 0]: the host's CPU does not have it"
//! );
//! for (apic_id, table) in guest.vcpus() {
//!     assert_eq!(table.word(CpuidWord::new(1, 0, Register::Ebx)) >> 24, apic_id); // what KVM_SET_CPUID2 takes
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::vec::Vec;

use crate::bits::location::{CpuidWord, Msr};
use crate::table::{ApicLayout, CpuidTable, VcpuBase};

mod behaviour;
mod board;
mod builder;
mod cpu;
mod definitions;
mod error;
mod hyperv;
mod leaves;
mod parse;
mod report;

pub use crate::bits::location::WordSource;
pub use board::machine::Irqchip;
pub use board::topology::{Smp, Topology, TopologyError};
pub use builder::{GuestCpuidBuilder, SgxSection, default_release};
#[cfg(feature = "fleet")]
pub(crate) use cpu::supported::AMD_ALIASES;
pub use definitions::Definition;
#[cfg(feature = "fleet")]
pub(crate) use definitions::migrates;
pub use error::BuildError;
pub use parse::cpu::{CpuOption, CpuSetting};
pub use parse::machine::MachineOption;
pub use report::{Filtered, Reason, Warning};

use behaviour::Release;
use cpu::flags::WORDS;
use leaves::assemble::Vcpu;

/// A guest's CPUID tables.
#[derive(Clone, Debug)]
pub struct GuestCpuid {
    base: VcpuBase,
    topology: Topology,
    features: GuestFeatures,
    filtered: Vec<Filtered>,
    warnings: Vec<Warning>,
}

/// A guest's feature words, those that no leaf shows included.
#[derive(Clone)]
struct GuestFeatures {
    release: Release,
    words: [u64; WORDS],
}

impl core::fmt::Debug for GuestFeatures {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.words).finish()
    }
}

impl GuestCpuid {
    /// Settings of a guest.
    #[must_use]
    pub fn builder<'h>() -> GuestCpuidBuilder<'h> {
        GuestCpuidBuilder::default()
    }

    /// The first vCPU's table.
    #[must_use]
    pub fn table(&self) -> CpuidTable {
        let mut table = CpuidTable::new();
        self.write(0, &mut table);
        table
    }

    /// What every vCPU's table is made from, hot-plugged ones included.
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

    /// Where the numbers of cores and nodes stand in an APIC id, which a table does not always tell.
    #[must_use]
    pub fn layout(&self) -> ApicLayout {
        self.base.layout()
    }

    /// The numbers of vCPUs, sockets and so on.
    #[must_use]
    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// The APIC id of the vCPU with this index, for any that there may be (hot-plugged ones too).
    #[must_use]
    pub fn apic_id(&self, index: u32) -> u32 {
        Vcpu::of(&self.topology, index).apic_id
    }

    /// Each vCPU that there is at the start: its APIC id, by which KVM is to know it, and its table.
    pub fn vcpus(&self) -> impl Iterator<Item = (u32, CpuidTable)> + use<'_> {
        (0..self.topology.cpus).map(|index| {
            let mut table = CpuidTable::new();
            (self.write(index, &mut table), table)
        })
    }

    /// Puts the table of the vCPU with this index in place of `table`, and returns its APIC id. Allocates nothing.
    pub fn write(&self, index: u32, table: &mut CpuidTable) -> u32 {
        let apic_id = self.apic_id(index);
        self.base.write(apic_id, table);
        apic_id
    }

    /// Shows each vCPU's table in turn, with its APIC id: one table is changed from vCPU to vCPU, which is faster than
    /// making one for each.
    pub fn for_each(&self, mut show: impl FnMut(u32, &CpuidTable)) {
        let mut table = CpuidTable::clone(&self.base);
        for index in 0..self.topology.cpus {
            let apic_id = self.apic_id(index);
            self.base.rewrite(apic_id, &mut table);
            show(apic_id, &table);
        }
    }

    /// What was asked for and the host lacks, word by word.
    #[must_use]
    pub fn filtered(&self) -> &[Filtered] {
        &self.filtered
    }

    /// What QEMU warns of, in its order; with `check=off`, not of what the host lacks.
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

    /// The feature words of MSRs, in QEMU's order: what the guest's MSRs are to hold, VMX's controls as the bits that
    /// may be 1.
    pub fn msrs(&self) -> impl Iterator<Item = (Msr, u64)> {
        self.sources().filter_map(|(source, value)| match source {
            WordSource::Msr(msr) => Some((msr, value)),
            WordSource::Cpuid(_) => None,
        })
    }

    fn sources(&self) -> impl Iterator<Item = (WordSource, u64)> {
        let GuestFeatures { release, words } = &self.features;
        words.iter().enumerate().filter_map(|(at, value)| Some((release.source(at)?, *value)))
    }
}
