//! The options `-cpu`, `-smp`, `-m` and `-machine`, and how QEMU reads their values.

pub(crate) mod cpu;
pub(crate) mod keyval;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod smp;
pub(crate) mod values;
