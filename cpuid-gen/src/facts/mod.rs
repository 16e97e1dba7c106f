//! Facts: the contents of one release, row by row, not merged and not checked.
//!
//! A record mirrors one row of one upstream table, in upstream's order. It comes from a source tree (`linux`, `qemu`)
//! or from a facts file ([`read()`]); both give the same records. `write_linux` and `write_qemu` print them as the
//! tab-separated text kept in `upstream/`. Each record has its place in the source, for diagnostics.
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
//! assert_eq!(linux.features[0].name, "AVX2");
//! ```

pub(crate) mod columns;
pub(crate) mod condition;
mod cpu_model;
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

pub use crate::vocabulary::cpu_model::{CacheKind, CacheSlot, DefaultVersion};
pub use crate::vocabulary::kvm_module::{KvmModule, ModuleAction};
pub use condition::Condition;
pub use cpu_model::{
    Cache, QemuCache, QemuCacheDescriptor, QemuDep, QemuLegacyCache, QemuModel, QemuModelVersion,
    QemuModelWord, QemuProp, QemuXsave,
};
pub use kvm_module::{KvmModuleCap, KvmParam};
pub use linux::{
    CapKind, ConfigKind, CpuidField, KvmBit, KvmCap, KvmPara, LinuxConfig, LinuxCount, LinuxDep, LinuxFacts,
    LinuxFlag, LinuxMsrBit, LinuxSpelling, LinuxWord, Scattered,
};
pub use machine::{
    QemuAlias, QemuCompat, QemuCompatList, QemuDefault, QemuHyperv, QemuHypervDep, QemuMachine, QemuProperty,
};
pub use qemu::{MaskKind, QemuBit, QemuComment, QemuFacts, QemuMacro, QemuMask, QemuSource, QemuWord};
pub use read::read;
pub use release::Facts;
#[cfg(any(feature = "trees", feature = "verify"))]
pub use witness::{
    BitPlace, Witness, WitnessBit, WitnessDep, WitnessFacts, WitnessModel, read_witness, write_witness,
};
#[cfg(any(feature = "trees", feature = "program", feature = "verify"))]
pub use write::{write_linux, write_qemu};
