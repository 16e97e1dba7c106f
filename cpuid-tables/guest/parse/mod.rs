//! The options `-cpu`, `-smp`, `-m`, `-machine`, `-accel` and `-global`, and how QEMU reads their values.

pub(crate) mod accel;
pub(crate) mod cpu;
pub(crate) mod global;
pub(crate) mod keyval;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod smp;
pub(crate) mod values;
