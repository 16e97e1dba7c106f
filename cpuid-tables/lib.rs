//! What a guest sees of CPUID: the feature bits that Linux, KVM and QEMU know, in one table keyed by hardware.
//!
//! A hardware feature *is* its leaf, subleaf, register and bit. Everything else about it, such as the macro, the name
//! in `/proc/cpuinfo`, the word it stands in or QEMU's name, belongs to one release and is asked for with one:
//!
//! ```
//! use cpuid_tables::{LinuxRelease, QemuRelease, feature, lookup, Named};
//!
//! let avx2 = feature::AVX2;
//! assert_eq!(avx2.location().to_string(), "CPUID.(EAX=7,ECX=0):EBX[5]");
//! assert_eq!(avx2.flag(LinuxRelease::NEWEST), Some("avx2"));
//! assert_eq!(avx2.qemu_name(QemuRelease::NEWEST), Some("avx2"));
//! assert_eq!(lookup("X86_FEATURE_AVX2"), Ok(Named::Feature(avx2)));
//! ```
//!
//! # Five sorts of bits
//!
//! | type | constants | what it is |
//! |---|---|---|
//! | [`Feature`] | [`feature`] | a bit of a CPUID register |
//! | [`SoftwareFeature`] | [`software`] | an `X86_FEATURE_*` that Linux defines in software |
//! | [`Bug`] | [`bug`] | an `X86_BUG_*` |
//! | [`VmxFeature`] | [`vmx`] | a `VMX_FEATURE_*`, as Linux numbers them |
//! | [`MsrFeature`] | [`msr`] | a bit of an MSR that QEMU has a name for |
//!
//! Only the first has a CPUID location and a place among KVM's words. That the others are types of their own does at
//! compile time what KVM's `reverse_cpuid_check` does: a bit that software defines has no location to ask for,
//!
//! ```compile_fail,E0599
//! # use cpuid_tables::SoftwareFeature;
//! fn location(bit: SoftwareFeature) -> cpuid_tables::Location {
//!     bit.location()
//! }
//! ```
//!
//! ```compile_fail,E0599
//! # use cpuid_tables::{KvmWord, LinuxRelease, SoftwareFeature};
//! fn kvm(bit: SoftwareFeature) -> Option<KvmWord> {
//!     bit.kvm_word(LinuxRelease::NEWEST)
//! }
//! ```
//!
//! nor does it fit a set that becomes a guest's CPUID:
//!
//! ```compile_fail,E0308
//! # use cpuid_tables::{FeatureSet, SoftwareFeature};
//! fn offer(guest: &mut FeatureSet, bit: SoftwareFeature) {
//!     guest.insert(bit);
//! }
//! ```
//!
//! and neither does a bug, a VMX flag or an MSR's bit:
//!
//! ```compile_fail,E0308
//! # use cpuid_tables::{Bug, FeatureSet};
//! fn offer(guest: &mut FeatureSet, bit: Bug) {
//!     guest.insert(bit);
//! }
//! ```
//!
//! # Features
//!
//! `std` (default) is for later additions; everything here is `no_std`, does not allocate, and holds no `unsafe`.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

mod cache;
mod cpu_model;
mod cpu_tables;
pub mod cpuinfo;
mod hardware;
mod kernel;
mod kvm;
mod location;
mod machine;
mod model_specific;
mod names;
mod release;
mod set;
mod tables;
mod xsave;

pub use cache::{Cache, CacheDescriptor, CacheKind, CacheSlot, Caches, LegacyCache, SharedBy};
pub use cpu_model::CpuModel;
pub use hardware::Feature;
pub use kernel::{Bug, BugSet, SoftwareFeature, SoftwareSet, VmxFeature, VmxSet};
pub use kvm::{KvmCap, KvmCaps, KvmWord};
pub use location::{Bit, CpuidWord, Leaf, Location, Msr, Register, Subleaf, Word, WordBit};
pub use machine::{CompatProperty, CpuProperty, DefaultVersion, MachineType};
pub use model_specific::MsrFeature;
pub use names::{Candidates, LookupError, Named, lookup};
pub use release::{LinuxRelease, QemuRelease, QemuWord};
pub use set::{FeatureSet, FeatureSetIter};
pub use xsave::XsaveComponent;

/// The constants of a generated file.
macro_rules! bits {
    ($ty:ident: $($name:ident = $number:literal $doc:literal,)*) => {
        $(
            #[doc = $doc]
            pub const $name: $crate::$ty = $crate::$ty($number);
        )*
    };
}

/// A constant for every [`Feature`], called by its newest macro (else by QEMU's name, in upper case).
///
/// Where several bits want one name, their location is part of it: Linux's MBA stands at two, `MBA_10_EBX_3` and
/// `MBA_80000008_EBX_6`.
pub mod feature {
    include!(concat!(env!("OUT_DIR"), "/feature.rs"));
}

/// A constant for every [`SoftwareFeature`].
pub mod software {
    include!(concat!(env!("OUT_DIR"), "/software.rs"));
}

/// A constant for every [`Bug`].
pub mod bug {
    include!(concat!(env!("OUT_DIR"), "/bug.rs"));
}

/// A constant for every [`VmxFeature`].
pub mod vmx {
    include!(concat!(env!("OUT_DIR"), "/vmx.rs"));
}

/// A constant for every [`MsrFeature`].
pub mod msr {
    include!(concat!(env!("OUT_DIR"), "/msr.rs"));
}

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
