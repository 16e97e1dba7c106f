//! What can go wrong with a KVM, in sentences that say what to do.

use core::fmt;

/// An error number of the system, as `errno` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&std::io::Error::from_raw_os_error(self.0), f)
    }
}

impl From<kvm_ioctls::Error> for Errno {
    fn from(error: kvm_ioctls::Error) -> Errno {
        Errno(error.errno())
    }
}

/// A KVM cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KvmError {
    /// There is no `/dev/kvm`.
    NoDevice,
    /// `/dev/kvm` is there and no driver behind it.
    NoDriver,
    /// `/dev/kvm` may not be opened.
    NoPermission,
    /// It speaks another version of the interface than 12.
    Version(i32),
    /// The kernel is too old for an ioctl, or was built without it.
    TooOld(&'static str),
    /// An ioctl failed.
    Ioctl(&'static str, Errno),
    /// A recorded host lacks this answer.
    Recorded(&'static str),
    /// This processor has no CPUID instruction.
    NoCpuid,
    /// Another failure to open it.
    Open(Errno),
    /// A system call other than an ioctl failed.
    System(&'static str, Errno),
}

impl KvmError {
    /// By the error number of opening `/dev/kvm`.
    pub(crate) fn of_opening(errno: Errno) -> KvmError {
        match errno.0 {
            libc::ENOENT => KvmError::NoDevice,
            libc::ENODEV | libc::ENXIO => KvmError::NoDriver,
            libc::EACCES | libc::EPERM => KvmError::NoPermission,
            _ => KvmError::Open(errno),
        }
    }

    /// By the error number of an ioctl: an unknown one is answered with ENOTTY, by some kernels with EINVAL or ENOSYS.
    pub(crate) fn of_ioctl(name: &'static str, errno: Errno) -> KvmError {
        match errno.0 {
            libc::ENOTTY | libc::ENOSYS => KvmError::TooOld(name),
            _ => KvmError::Ioctl(name, errno),
        }
    }
}

impl fmt::Display for KvmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KvmError::NoDevice => f.write_str(
                "there is no /dev/kvm: enable virtualization in the firmware (nested virtualization, if this is a guest), \
                 and load the module kvm_intel or kvm_amd; in a container, pass the device in",
            ),
            KvmError::NoDriver => f.write_str(
                "/dev/kvm has no driver: load the module kvm_intel or kvm_amd; the kernel's log says why if that fails",
            ),
            KvmError::NoPermission => f.write_str(
                "no permission to open /dev/kvm: become a member of the group that owns it (kvm, often) and log in again, \
                 or run as root",
            ),
            KvmError::Version(version) => {
                write!(f, "/dev/kvm speaks version {version} of the interface; version 12 is needed, which Linux has since 2.6.22")
            }
            KvmError::TooOld(name) => write!(f, "this kernel's KVM lacks {name}: a newer kernel is needed"),
            KvmError::Ioctl(name, errno) => write!(f, "{name} failed: {errno}"),
            KvmError::Recorded(what) => write!(f, "the recorded host does not say what {what} answers: record it again"),
            KvmError::NoCpuid => f.write_str("this processor is no x86-64, and has no CPUID instruction to ask"),
            KvmError::Open(errno) => write!(f, "/dev/kvm cannot be opened: {errno}"),
            KvmError::System(name, errno) => write!(f, "{name} failed: {errno}"),
        }
    }
}

impl core::error::Error for KvmError {}
