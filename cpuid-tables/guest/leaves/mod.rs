//! A guest's entries, by leaf, in the order in which QEMU adds them.

pub(crate) mod assemble;
pub(crate) mod basic;
pub(crate) mod caches;
pub(crate) mod extended;
pub(crate) mod kvm;
pub(crate) mod topology;
