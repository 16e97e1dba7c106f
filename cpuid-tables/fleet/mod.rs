//! Baselines of many hosts: features and models that run on all of them.
//!
//! A [`Fleet`] adds any number of hosts, one after the other, and keeps each host's name and features.
//! [`Fleet::baseline`] returns what they have in common, each field combined by its own [`Rule`], the QEMU model that
//! fits, and what each host costs the fleet.
//!
//! ```
//! use cpuid_tables::fleet::Fleet;
//! use cpuid_tables::{CpuidEntry, QemuRelease, feature, Leaf, Registers, Subleaf};
//!
//! let host = |ebx| {
//!     let vendor = [0x756e_6547, 0x6c65_746e, 0x4965_6e69];
//!     [CpuidEntry::new(Leaf(0), Registers::new(7, vendor[0], vendor[1], vendor[2])), CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, ebx, 0, 0))]
//! };
//! let mut fleet = Fleet::new();
//! fleet.add("old", &host(0x20))?; // AVX2
//! fleet.add("new", &host(0x1_0020))?; // and AVX512F
//! let baseline = fleet.baseline()?;
//! assert!(baseline.features().contains(feature::AVX2) && !baseline.features().contains(feature::AVX512F));
//! assert!(baseline.groups[0].costs.contains(feature::AVX512F));
//! # Ok::<(), cpuid_tables::fleet::FleetError>(())
//! ```

mod baseline;
mod choice;
mod export;
mod fold;
mod hosts;
mod leaves;
mod left_out;

pub use crate::meaning::{Meaning, MsrMeaning, Rule, meanings, msr_meanings, section};
pub use baseline::{Baseline, Group, LimitCost};
pub use choice::Choice;
pub use export::{ExportError, Template};
pub use fold::Unequal;
pub use hosts::{Fleet, FleetError, HostTables};
pub use left_out::LeftOut;
