//! CPUID's bits: locations, their features and fields, and their names in each release of Linux, KVM and QEMU.

pub(crate) mod dependencies;
pub(crate) mod description;
pub(crate) mod feature;
pub(crate) mod feature_set;
pub(crate) mod field;
pub(crate) mod kernel_bits;
pub(crate) mod known_fields;
pub(crate) mod known_places;
pub(crate) mod lookup;
mod lookup_by_type;
pub(crate) mod msr_feature;
pub(crate) mod own_fields;
mod packed_fields;
pub(crate) mod release;
pub(crate) mod xsave;

#[cfg(feature = "show")]
pub(crate) use crate::vocabulary::release_order;
pub(crate) use crate::vocabulary::{kvm_module, kvm_treatment, location, name_hash, qemu_cpu};
