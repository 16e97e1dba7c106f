//! The facts of a release of either project.

use super::linux::LinuxFacts;
use super::qemu::QemuFacts;

/// The facts of one release of one project.
#[derive(Clone, Debug)]
pub enum Facts {
    /// Linux with KVM.
    Linux(LinuxFacts),
    /// QEMU.
    Qemu(QemuFacts),
}
