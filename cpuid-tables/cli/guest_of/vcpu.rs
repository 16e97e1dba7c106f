//! A vCPU of a running process.

/// A vCPU's descriptor in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Vcpu {
    /// The id that KVM knows it by.
    pub(super) id: u32,
    /// The process's number for it.
    pub(super) descriptor: u32,
}
