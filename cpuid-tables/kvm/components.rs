//! XSAVE components that a process must request before its guests may have them.
//!
//! Linux, `arch/x86/include/uapi/asm/prctl.h` and `Documentation/arch/x86/xstate.rst`, since 5.17.

use super::error::{Errno, KvmError};
use super::ioctl::{arch_prctl, arch_prctl_get};

/// The components that a process must request: AMX's tile data (`XFEATURE_MASK_USER_DYNAMIC`).
pub const DYNAMIC_COMPONENTS: u64 = 1 << 18;

/// `ARCH_GET_XCOMP_GUEST_PERM` of `arch/x86/include/uapi/asm/prctl.h`.
const ARCH_GET_XCOMP_GUEST_PERM: u64 = 0x1024;
/// `ARCH_REQ_XCOMP_GUEST_PERM`.
const ARCH_REQ_XCOMP_GUEST_PERM: u64 = 0x1025;

/// Requests permission for guests of this process to have these XSAVE components. It must be called before the first
/// vCPU is created. Components that need no permission may be included: `Host::guest_xcomponents` are all that this
/// machine's KVM has.
///
/// # Errors
///
/// [`KvmError::TooOld`] before Linux 5.17; [`KvmError::System`] if the processor lacks a component.
pub fn request_guest_components(components: u64) -> Result<(), KvmError> {
    let asked = (0..64).filter(|number| components & DYNAMIC_COMPONENTS & 1 << number != 0);
    for number in asked {
        match arch_prctl(ARCH_REQ_XCOMP_GUEST_PERM, number) {
            Ok(()) => {}
            Err(Errno(libc::EINVAL)) => return Err(KvmError::TooOld("ARCH_REQ_XCOMP_GUEST_PERM")),
            Err(errno) => return Err(KvmError::System("arch_prctl(ARCH_REQ_XCOMP_GUEST_PERM)", errno)),
        }
    }
    Ok(())
}

/// The XSAVE components that guests of this process may currently have.
///
/// # Errors
///
/// [`KvmError::TooOld`] before Linux 5.17.
pub fn permitted_guest_components() -> Result<u64, KvmError> {
    arch_prctl_get(ARCH_GET_XCOMP_GUEST_PERM).map_err(|_| KvmError::TooOld("ARCH_GET_XCOMP_GUEST_PERM"))
}
