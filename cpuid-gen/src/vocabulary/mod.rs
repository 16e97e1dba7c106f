//! The types that the generator and the runtime crate share: each is defined once, here.
//!
//! The generator is compiled with them, and emits their sources for the runtime crate, which includes them in modules of
//! the same names. So they use `core` alone, and their files have no inner attributes or comments.
//!
//! ```
//! use cpuid_gen::location::{Bit, Location, Register};
//!
//! let avx2: Location = "CPUID.(EAX=7,ECX=0):EBX[5]".parse()?;
//! assert_eq!((avx2.word.register, avx2.bit), (Register::Ebx, Bit(5)));
//! # Ok::<(), cpuid_gen::location::NotAPlace>(())
//! ```

pub mod location;

/// What a CPU model of QEMU is made of: caches and the choice of a version (target/i386/cpu.h and cpu.c).
pub mod cpu_model;

/// What KVM does with a feature (arch/x86/kvm/cpuid.c).
pub mod kvm_treatment;

/// What the vendor modules do with a feature (arch/x86/kvm/vmx/vmx.c and svm/svm.c).
pub mod kvm_module;

/// The hash of the table of names.
#[cfg(feature = "emit")]
pub(crate) mod name_hash;

/// The order of releases by age.
pub(crate) mod release_order;

/// Their sources, by the names of the files to emit.
#[cfg(feature = "emit")]
pub(crate) const SOURCES: [(&str, &str); 8] = [
    ("coordinates.rs", include_str!("location/coordinates.rs")),
    ("cpu_model.rs", include_str!("cpu_model.rs")),
    ("kvm_module.rs", include_str!("kvm_module.rs")),
    ("kvm_treatment.rs", include_str!("kvm_treatment.rs")),
    ("name_hash.rs", include_str!("name_hash.rs")),
    ("notation.rs", include_str!("location/notation.rs")),
    ("register.rs", include_str!("location/register.rs")),
    ("release_order.rs", include_str!("release_order.rs")),
];

#[cfg(test)]
mod tests;
