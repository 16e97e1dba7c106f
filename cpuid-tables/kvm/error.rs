//! Errors of a KVM, with messages that explain what to do.

use core::fmt;

/// A system error number, as in `errno`.
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

/// Error querying KVM.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KvmError {
    /// There is no `/dev/kvm`.
    NoDevice,
    /// `/dev/kvm` exists but has no driver.
    NoDriver,
    /// No permission to open `/dev/kvm`.
    NoPermission,
    /// The interface version is not 12.
    Version(i32),
    /// The kernel is too old for an ioctl, or was built without it.
    TooOld(&'static str),
    /// An ioctl failed.
    Ioctl(&'static str, Errno),
    /// A recorded host lacks this data.
    Recorded(&'static str),
    /// This processor has no CPUID instruction.
    NoCpuid,
    /// Another error opening it.
    Open(Errno),
    /// A system call other than an ioctl failed.
    System(&'static str, Errno),
}

impl KvmError {
    /// From the error number of opening `/dev/kvm`.
    pub(crate) fn of_opening(errno: Errno) -> KvmError {
        match errno.0 {
            libc::ENOENT => KvmError::NoDevice,
            libc::ENODEV | libc::ENXIO => KvmError::NoDriver,
            libc::EACCES | libc::EPERM => KvmError::NoPermission,
            _ => KvmError::Open(errno),
        }
    }

    /// From the error number of an ioctl: an unknown ioctl fails with ENOTTY, on some kernels with EINVAL or ENOSYS.
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
                "/dev/kvm has no driver: load the module kvm_intel or kvm_amd; if that fails, see the kernel's log",
            ),
            KvmError::NoPermission => f.write_str(
                "no permission to open /dev/kvm: join the group that owns it (usually kvm) and log in again, \
                 or run as root",
            ),
            KvmError::Version(version) => {
                write!(f, "/dev/kvm has interface version {version}: version 12 is needed, which Linux has since 2.6.22")
            }
            KvmError::TooOld(name) => write!(f, "this kernel's KVM lacks {name}: a newer kernel is needed"),
            KvmError::Ioctl(name, errno) => write!(f, "{name} failed: {errno}"),
            KvmError::Recorded(what) => write!(f, "the recorded host has no data for {what}: record it again"),
            KvmError::NoCpuid => f.write_str("this processor is not an x86-64 and has no CPUID instruction"),
            KvmError::Open(errno) => write!(f, "cannot open /dev/kvm: {errno}"),
            KvmError::System(name, errno) => write!(f, "{name} failed: {errno}"),
        }
    }
}

debug_by_message!(KvmError);

impl core::error::Error for KvmError {}
