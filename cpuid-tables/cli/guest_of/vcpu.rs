//! A vCPU of a running process.

/// A vCPU's descriptor in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Vcpu {
    /// KVM's id of the vCPU.
    pub(super) id: u32,
    /// The file descriptor's number in the process.
    pub(super) descriptor: u32,
}
