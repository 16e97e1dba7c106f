//! A guest's tables made from any base by named steps, as VMMs do that do not follow QEMU.
//!
//! Most VMMs start from what KVM supports, and change it: the vendor and brand of the host, the bits that a hypervisor
//! sets, the topology, what is to stay hidden. Here each such change is a [`Step`]: it has a name, a reason and an
//! [`Action`], which is data. A [`Normalizer`] applies steps in their order; any of them can be left out, replaced or
//! preceded by another.
//!
//! | steps | file |
//! |---|---|
//! | identity, hypervisor bits, groups of features, address width, XSAVE, KVM's and Hyper-V's leaves | `steps` |
//! | the topology of both vendors, and who shares caches | `topology_steps` |
//! | what Firecracker, Cloud Hypervisor, crosvm, libkrun and Dragonball do | `presets/` |
//!
//! The base is any list of entries: `KVM_GET_SUPPORTED_CPUID`, a model's table, a recorded one. The result is a
//! [`VcpuBase`](crate::VcpuBase), which `Vcpus` takes.
//!
//! ```
//! use cpuid_tables::normalize::{Normalizer, VcpuTopology, steps};
//! use cpuid_tables::{CpuidEntry, CpuidRead, Leaf, Registers, feature};
//!
//! let supported = [
//!     CpuidEntry::new(Leaf(0), Registers::new(0xb, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
//!     CpuidEntry::new(Leaf(1), Registers::new(0x0008_06f8, 0x0800, 1 << 5, 0)),
//! ];
//! let topology = VcpuTopology { threads: 2, cores: 2, ..VcpuTopology::default() };
//! let guest = Normalizer::new(&supported)
//!     .steps(steps::hypervisor())
//!     .steps(steps::without(steps::Group::Nested))
//!     .topology(&topology)
//!     .build()?;
//! let tables: Vec<_> = guest.vcpus().collect();
//! assert_eq!(tables.len(), 4);
//! let (apic_id, table) = &tables[3];
//! assert!(table.has(feature::HYPERVISOR) && table.has(feature::HT) && !table.has(feature::VMX));
//! assert_eq!((*apic_id, table.apic_id()), (3, Some(3)));
//! # Ok::<(), cpuid_tables::normalize::NormalizeError>(())
//! ```

mod action;
mod apply;
mod brand;
mod error;
mod normalizer;
pub mod presets;
mod step;
pub mod steps;
mod topology;
mod topology_steps;

pub use action::{Action, Frequency, HostBrand, ListEnd, Missing, Partial, When};
pub use error::{NormalizeError, UnknownStep};
pub use normalizer::{Normalized, Normalizer};
pub use step::Step;
pub use topology::{ApicIds, VcpuTopology};
