//! The options `-cpu`, `-smp` and `-machine`, and how QEMU reads their values.

pub(crate) mod cpu;
pub(crate) mod machine;
pub(crate) mod smp;
pub(crate) mod values;
