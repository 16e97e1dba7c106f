//! A guest's CPUID table, exactly as QEMU builds it for KVM.
//!
//! [`GuestCpuid::builder`] takes the options of QEMU's `-cpu`, `-smp` and `-machine`, and a
//! [`Host`](crate::host::Host). The result is what QEMU passes to `KVM_SET_CPUID2` for each vCPU: the same entries in
//! the same order, with the same flags and registers. What QEMU refuses is a [`BuildError`].
//!
//! Each of QEMU's steps has its own file, in this order:
//!
//! | file | QEMU |
//! |---|---|
//! | `parse/` | `-cpu`, `-smp`, `-m`, `-machine`, `-accel`, `-global`, and how values are read |
//! | `board/` | `machine_parse_smp_config`, hw/i386/pc*.c, topology.h |
//! | `cpu/supported` | `kvm_arch_get_supported_cpuid` |
//! | `cpu/load`, `cpu/properties`, `cpu/settings` | `x86_cpu_load_model`, the accelerator's and the machine type's properties |
//! | `cpu/expand`, `cpu/xsave`, `cpu/levels` | `x86_cpu_expand_features` |
//! | `cpu/filter` | `x86_cpu_filter_features` |
//! | `cpu/realize` | the rest of `x86_cpu_realizefn` |
//! | `leaves/basic`, `leaves/extended`, `leaves/caches`, `leaves/topology` | `cpu_x86_cpuid` |
//! | `hyperv/`, `leaves/kvm`, `leaves/assemble` | `kvm_arch_init_vcpu` |
//! | `msrs/` | `kvm_init_msrs`, `kvm_put_msrs` at reset |
//! | `definitions` | `query-cpu-definitions` |
//! | `program/` | models, machine types and properties of a QEMU program instead of a release |
//!
//! Differences between releases of QEMU are data, or a flag in `behaviour`.
//!
//! ```
//! use cpuid_tables::{CpuidWord, Register, feature, guest::GuestCpuid, host::{Host, HostFile}, Leaf, Subleaf};
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
//!     assert_eq!(table.word(CpuidWord::new(Leaf(1), Subleaf(0), Register::Ebx)) >> 24, apic_id); // what KVM_SET_CPUID2 takes
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod behaviour;
mod board;
mod builder;
mod cpu;
mod definitions;
mod error;
mod filtered;
mod guest_cpuid;
mod hyperv;
mod leaves;
mod msrs;
mod parse;
mod prepare;
mod program;
mod release;
mod sgx;
mod warning;

pub use crate::bits::location::WordSource;
pub use board::topology::Topology;
pub use builder::{GuestCpuidBuilder, default_release};
#[cfg(feature = "fleet")]
pub use definitions::Definition;
#[cfg(feature = "fleet")]
pub(crate) use definitions::migrates;
pub use error::{BuildError, TopologyError};
pub use filtered::{Filtered, Reason};
pub use guest_cpuid::GuestCpuid;
pub use msrs::{LEFT_OUT, LeftOut};
pub use parse::accel::AccelOption;
pub use parse::cpu::{CpuOption, CpuSetting};
pub use parse::global::GlobalOption;
pub use parse::machine::{Irqchip, MachineOption};
pub use parse::memory::Memory;
pub use parse::smp::Smp;
pub use program::{ProgramVersion, QemuProgram, upstream_machine};
#[cfg(feature = "program")]
pub use program::{Progress, QemuProgramError};
pub use sgx::SgxSection;
pub use warning::Warning;
