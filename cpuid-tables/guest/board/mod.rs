//! The machine around the CPU: its type, its topology, and the APIC ids that follow.

pub(crate) mod apic_id;
pub(crate) mod machine;
pub(crate) mod topology;
