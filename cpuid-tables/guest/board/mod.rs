//! The machine around the CPU: its type, its topology, and the resulting APIC ids.

pub(crate) mod apic_id;
pub(crate) mod machine;
pub(crate) mod machine_kind;
pub(crate) mod memory;
mod options;
pub(crate) mod topology;
