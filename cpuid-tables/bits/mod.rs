//! CPUID's bits: locations, their features and fields, and their names in each release of Linux, KVM and QEMU.

pub(crate) mod dependencies;
pub(crate) mod description;
pub(crate) mod feature;
pub(crate) mod feature_set;
pub(crate) mod field;
pub(crate) mod kernel_bits;
pub(crate) mod known_fields;
pub(crate) mod kvm_module;
pub(crate) mod kvm_treatment;
pub(crate) mod location;
pub(crate) mod lookup;
mod lookup_by_type;
pub(crate) mod msr_feature;
pub(crate) mod name_hash;
pub(crate) mod own_fields;
mod packed_fields;
pub(crate) mod qemu_cpu;
pub(crate) mod release;
#[cfg(feature = "show")]
pub(crate) mod release_order;
pub(crate) mod xsave;
