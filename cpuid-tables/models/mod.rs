//! QEMU's CPU models, machine types and caches.

pub(crate) mod cache;
pub(crate) mod cpu_model;
pub(crate) mod machine;
