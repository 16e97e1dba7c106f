//! Facts: the contents of one release, row by row, not merged and not checked.
//!
//! A record mirrors one row of one upstream table, in upstream's order. It comes from a source tree (`linux`, `qemu`)
//! or from a facts file ([`read()`]); both give the same records. `write_linux` and `write_qemu` print them as the
//! tab-separated text kept in `upstream/`. Each record has its place in the source, for diagnostics.
//!
//! The facts of a release are for [`Model::merge`](crate::model::Model::merge), for `verify` and `diff`, and for text; their
//! rows are not part of the public API.
//!
//! ```
//! use cpuid_gen::facts::{self, Facts};
//! use cpuid_gen::{diagnostic::Diagnostics, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let text = "linux-release\t6.1\nlinux-feature\tAVX2\t9\t5\tavx2\n";
//! let file = sources.add("linux.tsv", text);
//! let Some(Facts::Linux(linux)) = facts::read(&sources, file, &mut diagnostics) else {
//!     panic!("{}", diagnostics.render(&sources))
//! };
//! assert_eq!(linux.release, "6.1");
//! ```

pub(crate) mod columns;
pub(crate) mod condition;
mod cpu_model;
mod kvm;
mod kvm_module;
mod linux;
mod machine;
mod qemu;
mod read;
mod release;
#[cfg(any(feature = "trees", feature = "verify"))]
mod witness;
#[cfg(any(feature = "trees", feature = "program", feature = "verify"))]
mod write;

pub(crate) use crate::vocabulary::cpu_model::{CacheKind, CacheSlot, DefaultVersion};
pub(crate) use crate::vocabulary::kvm_module::{KvmModule, ModuleAction};
pub use linux::LinuxFacts;
pub use qemu::QemuFacts;
pub use read::read;
pub(crate) use records::*;
pub use release::Facts;
#[cfg(any(feature = "trees", feature = "verify"))]
pub use witness::{Witness, WitnessFacts, read_witness, write_witness};
#[cfg(any(feature = "trees", feature = "program", feature = "verify"))]
pub use write::{write_linux, write_qemu};

/// The records themselves, one type for each upstream table.
///
/// They are public only for this workspace's command, tests and fuzz targets, and not covered by the semver promise:
/// they change with the tables of each new release. [`Model`](crate::model::Model) has what they state.
#[doc(hidden)]
pub mod records {
    pub use super::condition::Condition;
    pub use super::cpu_model::{
        Cache, QemuCache, QemuCacheDescriptor, QemuDep, QemuLegacyCache, QemuModel, QemuModelVersion,
        QemuModelWord, QemuProp, QemuXsave,
    };
    pub use super::kvm::{CapKind, KvmBit, KvmCap, KvmPara};
    pub use super::kvm_module::{KvmModuleCap, KvmParam};
    pub use super::linux::{
        ConfigKind, CpuidField, LinuxConfig, LinuxCount, LinuxDep, LinuxFlag, LinuxMsrBit, LinuxSpelling,
        LinuxWord, Scattered,
    };
    pub use super::machine::{
        QemuAlias, QemuCompat, QemuCompatList, QemuDefault, QemuHyperv, QemuHypervDep, QemuListLength,
        QemuMachine, QemuProperty,
    };
    pub use super::qemu::{MaskKind, QemuBit, QemuComment, QemuMacro, QemuMask, QemuSource, QemuWord};
    #[cfg(any(feature = "trees", feature = "verify"))]
    pub use super::witness::{BitPlace, WitnessBit, WitnessDep, WitnessModel};
}
