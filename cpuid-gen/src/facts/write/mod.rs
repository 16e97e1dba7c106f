//! The writer of facts files, which [`super::read()`] reads, in upstream's order.

mod cpu_model;
mod linux;
mod machine;
mod qemu;
mod row;

pub use linux::write_linux;
pub use qemu::write_qemu;
