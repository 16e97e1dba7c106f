//! Many hosts at once: what runs on all of them.
//!
//! A [`Fleet`] takes hosts in one after the other, as many as there are, and keeps of each its name and which features it
//! has. [`Fleet::baseline`] tells what they have in common, each field by its own [`Rule`], which model of QEMU fits, and
//! what each host costs the others.
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

pub use crate::meaning::{Meaning, MsrMeaning, Rule, meanings, msr_meanings, section};
pub use baseline::{Baseline, Group, LimitCost};
pub use choice::Choice;
pub use export::{ExportError, Template};
pub use fold::Unequal;
pub use hosts::{Fleet, FleetError, HostTables};
