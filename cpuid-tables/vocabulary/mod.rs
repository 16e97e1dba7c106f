//! The types that cpuid-gen and this crate share, with what this crate adds to them: places, KVM's treatment of a feature,
//! parts of CPU models, the hash of names, the order of releases. cpuid-gen defines them in its own `vocabulary/`, and the
//! build script puts their sources beside the tables.
//!
//! Rooms above `generated/` use them as `crate::bits::location` and so on.

pub(crate) mod kvm_module;
pub(crate) mod kvm_treatment;
pub(crate) mod location;
pub(crate) mod name_hash;
pub(crate) mod qemu_cpu;
#[cfg(feature = "show")]
pub(crate) mod release_order;
