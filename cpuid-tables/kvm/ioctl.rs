//! Operations that need `unsafe`: ioctls that kvm-ioctls lacks or implements only with allocation, a guest's memory,
//! and three system calls. Apart from the CPUID instruction, the crate has no other unsafe code.
//!
//! Linux, `include/uapi/linux/kvm.h`, `arch/x86/include/uapi/asm/kvm.h` and `asm/prctl.h`.
#![expect(
    unsafe_code,
    reason = "ioctls, mmap and system calls take pointers; each block explains why it is sound"
)]

use core::ffi::c_void;
use core::{fmt, ptr};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::vec::Vec;

use kvm_bindings::{
    CpuId, KVM_MAX_CPUID_ENTRIES, KVM_X86_XCOMP_GUEST_SUPP, KVMIO, Msrs, kvm_cpuid_entry2, kvm_cpuid2,
    kvm_device_attr, kvm_msrs, kvm_userspace_memory_region,
};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};

use super::error::{Errno, KvmError};

const WRITE: u32 = 1;
const READ: u32 = 2;

/// An ioctl's number, computed like `_IOC` of `asm-generic/ioctl.h`.
const fn ioc(direction: u32, number: u32, size: usize) -> u32 {
    assert!(size < 1 << 14, "an argument's size has 14 bits");
    #[expect(clippy::cast_possible_truncation, reason = "14 bits")]
    let size = size as u32;
    direction << 30 | size << 16 | KVMIO << 8 | number
}

const GET_MSRS: u32 = ioc(READ | WRITE, 0x88, size_of::<kvm_msrs>());
const SET_MSRS: u32 = ioc(WRITE, 0x89, size_of::<kvm_msrs>());
const SET_CPUID2: u32 = ioc(WRITE, 0x90, size_of::<kvm_cpuid2>());
const GET_CPUID2: u32 = ioc(READ | WRITE, 0x91, size_of::<kvm_cpuid2>());
const GET_SUPPORTED_HV_CPUID: u32 = ioc(READ | WRITE, 0xc1, size_of::<kvm_cpuid2>());
const GET_DEVICE_ATTR: u32 = ioc(WRITE, 0xe2, size_of::<kvm_device_attr>());

const SETUP_MCE: u32 = ioc(WRITE, 0x9c, size_of::<u64>());
const GET_MCE_CAP_SUPPORTED: u32 = ioc(READ, 0x9d, size_of::<u64>());
const GET_TSC_KHZ: u32 = ioc(0, 0xa3, 0);

fn last_error() -> Errno {
    Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}

/// A `struct kvm_cpuid2` with room for KVM's maximum number of entries.
///
/// Invariant: the memory behind it has room for `KVM_MAX_CPUID_ENTRIES` entries. A clone of a [`CpuId`] has room only
/// for the entries that it holds, so this type does not implement `Clone`.
pub struct CpuidBuffer(CpuId);

impl fmt::Debug for CpuidBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CpuidBuffer").field(&self.0.as_slice().len()).finish()
    }
}

impl CpuidBuffer {
    /// An empty buffer.
    ///
    /// # Errors
    ///
    /// [`KvmError`]: no memory.
    pub fn new() -> Result<CpuidBuffer, KvmError> {
        let all = CpuId::new(KVM_MAX_CPUID_ENTRIES);
        all.map(CpuidBuffer).map_err(|_| KvmError::System("allocation", Errno(libc::ENOMEM)))
    }

    /// A copy with the same entries.
    ///
    /// # Errors
    ///
    /// As [`new`](CpuidBuffer::new).
    pub fn try_clone(&self) -> Result<CpuidBuffer, KvmError> {
        let mut copy = CpuidBuffer::new()?;
        copy.fill(self.entries());
        Ok(copy)
    }

    /// The entries of the last call; zeros before.
    #[must_use]
    pub fn entries(&self) -> &[kvm_cpuid_entry2] {
        self.0.as_slice()
    }

    /// The same, mutable.
    pub fn entries_mut(&mut self) -> &mut [kvm_cpuid_entry2] {
        self.0.as_mut_slice()
    }

    /// Sets the number of entries and keeps existing ones; `count` is at most `KVM_MAX_CPUID_ENTRIES`.
    pub(crate) fn resize(&mut self, count: usize) {
        assert!(count <= KVM_MAX_CPUID_ENTRIES);
        let count = u32::try_from(count).unwrap_or(0);
        // SAFETY: the number of entries is within what the memory behind has room for, by the type's invariant.
        unsafe { self.0.as_mut_fam_struct() }.nent = count;
    }

    /// The structure to pass to KVM.
    #[must_use]
    pub fn as_kvm(&self) -> &CpuId {
        &self.0
    }

    /// Stores these entries, for a fake vCPU; those beyond `KVM_MAX_CPUID_ENTRIES` are dropped.
    pub fn fill(&mut self, entries: &[kvm_cpuid_entry2]) {
        let count = entries.len().min(KVM_MAX_CPUID_ENTRIES);
        self.resize(count);
        self.0.as_mut_slice().copy_from_slice(&entries[..count]);
    }

    /// Requests entries: the ioctl's argument is this structure, and `nent` is its capacity.
    fn ask(&mut self, fd: RawFd, request: u32) -> Result<(), Errno> {
        self.resize(KVM_MAX_CPUID_ENTRIES);
        // SAFETY: KVM writes at most `nent` entries, for which there is room. It sets `nent` to the number written, which is
        // at most the number requested.
        let result = unsafe { libc::ioctl(fd, request as _, self.0.as_mut_fam_struct_ptr()) };
        if result < 0 { Err(last_error()) } else { Ok(()) }
    }

    /// A vCPU's table, without allocating: `KVM_GET_CPUID2`.
    pub(crate) fn read_back(&mut self, vcpu: RawFd) -> Result<(), Errno> {
        self.ask(vcpu, GET_CPUID2)
    }

    /// Hyper-V's leaves: `KVM_GET_SUPPORTED_HV_CPUID` on the system's file descriptor.
    pub(crate) fn ask_hyperv(&mut self, kvm: &Kvm) -> Result<(), Errno> {
        self.ask(kvm.as_raw_fd(), GET_SUPPORTED_HV_CPUID)
    }
}

/// A vCPU's table: `KVM_SET_CPUID2`.
pub(crate) fn set_cpuid2(vcpu: RawFd, table: &CpuId) -> Result<(), Errno> {
    // SAFETY: KVM reads the structure, which has as many entries as it states.
    let result = unsafe { libc::ioctl(vcpu, SET_CPUID2 as _, table.as_fam_struct_ptr()) };
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

/// A vCPU's MSRs: `KVM_SET_MSRS`. Returns how many were set.
pub(crate) fn set_msrs(vcpu: RawFd, msrs: &Msrs) -> Result<usize, Errno> {
    // SAFETY: KVM reads the structure, which has as many entries as it states.
    let result = unsafe { libc::ioctl(vcpu, SET_MSRS as _, msrs.as_fam_struct_ptr()) };
    usize::try_from(result).map_err(|_| last_error())
}

/// The same: `KVM_GET_MSRS`. Returns how many were read.
pub(crate) fn get_msrs(vcpu: RawFd, msrs: &mut Msrs) -> Result<usize, Errno> {
    // SAFETY: KVM reads and writes the entries that the structure states that it has.
    let result = unsafe { libc::ioctl(vcpu, GET_MSRS as _, msrs.as_mut_fam_struct_ptr()) };
    usize::try_from(result).map_err(|_| last_error())
}

/// A vCPU's capabilities of machine checks: `KVM_X86_SETUP_MCE`.
pub(crate) fn setup_mce(vcpu: RawFd, capabilities: u64) -> Result<(), Errno> {
    // SAFETY: KVM reads the 8 bytes of `capabilities`.
    let result = unsafe { libc::ioctl(vcpu, SETUP_MCE as _, ptr::from_ref(&capabilities)) };
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

/// The KVM of an open file of `/dev/kvm`.
pub(crate) fn kvm_of(fd: OwnedFd) -> Kvm {
    // SAFETY: the descriptor is open and owned, and ownership passes on. KVM rejects ioctls of other files.
    unsafe { Kvm::from_raw_fd(fd.into_raw_fd()) }
}

/// Another descriptor of the same open file.
pub(crate) fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes numbers and accesses no memory.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return Err(last_error());
    }
    // SAFETY: the descriptor is new, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// `KVM_GET_DEVICE_ATTR` of `KVM_X86_XCOMP_GUEST_SUPP` on the system's file descriptor.
pub(crate) fn guest_xcomponents(kvm: &Kvm) -> Result<u64, Errno> {
    let mut value = 0_u64;
    let addr = ptr::from_mut(&mut value) as u64;
    let attribute = kvm_device_attr { flags: 0, group: 0, attr: u64::from(KVM_X86_XCOMP_GUEST_SUPP), addr };
    // SAFETY: KVM reads the structure, and writes the 8 bytes of `value`, which outlives the call.
    let result = unsafe { libc::ioctl(kvm.as_raw_fd(), GET_DEVICE_ATTR as _, ptr::from_ref(&attribute)) };
    // The compiler did not see `value` change: the kernel wrote it through an address passed as a number.
    if result < 0 { Err(last_error()) } else { Ok(value) }
}

/// `KVM_X86_GET_MCE_CAP_SUPPORTED`: the bits that IA32_MCG_CAP may have.
pub(crate) fn mce_capabilities(kvm: &Kvm) -> Result<u64, Errno> {
    let mut value = 0_u64;
    // SAFETY: KVM writes the 8 bytes of `value`.
    let result =
        unsafe { libc::ioctl(kvm.as_raw_fd(), GET_MCE_CAP_SUPPORTED as _, ptr::from_mut(&mut value)) };
    if result < 0 { Err(last_error()) } else { Ok(value) }
}

/// `KVM_GET_TSC_KHZ` of a VM: its vCPUs' initial frequency.
pub(crate) fn tsc_khz(vm: &VmFd) -> Result<u32, Errno> {
    // SAFETY: the ioctl takes no argument, and returns the frequency.
    let result = unsafe { libc::ioctl(vm.as_raw_fd(), GET_TSC_KHZ as _, 0) };
    u32::try_from(result).map_err(|_| last_error())
}

/// `arch_prctl` with a number instead of a pointer.
pub(crate) fn arch_prctl(code: u64, value: u64) -> Result<(), Errno> {
    // SAFETY: the codes that callers pass take a number and access no memory.
    let result = unsafe { libc::syscall(libc::SYS_arch_prctl, code, value) };
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

/// `arch_prctl` that writes 64 bits.
pub(crate) fn arch_prctl_get(code: u64) -> Result<u64, Errno> {
    let mut value = 0_u64;
    // SAFETY: the codes that callers pass write 8 bytes to the address, which is that of `value`.
    let result = unsafe { libc::syscall(libc::SYS_arch_prctl, code, ptr::from_mut(&mut value)) };
    if result < 0 { Err(last_error()) } else { Ok(value) }
}

/// Maximum number of CPUs in a CPU set: as many as Linux supports on x86.
const MAX_CPUS: usize = 8192;
type CpuMask = [u64; MAX_CPUS / 64];

/// The CPUs that this thread may run on, in ascending order.
pub(crate) fn allowed_cpus() -> Result<Vec<usize>, Errno> {
    let mut mask: CpuMask = [0; MAX_CPUS / 64];
    // SAFETY: the size is that of the mask, and the kernel writes no more.
    let result = unsafe { libc::sched_getaffinity(0, size_of::<CpuMask>(), mask.as_mut_ptr().cast()) };
    if result < 0 {
        return Err(last_error());
    }
    Ok((0..MAX_CPUS).filter(|cpu| mask[cpu / 64] >> (cpu % 64) & 1 != 0).collect())
}

/// Restricts this thread to one CPU.
pub(crate) fn pin_this_thread(cpu: usize) -> Result<(), Errno> {
    let mut mask: CpuMask = [0; MAX_CPUS / 64];
    *mask.get_mut(cpu / 64).ok_or(Errno(libc::EINVAL))? |= 1 << (cpu % 64);
    // SAFETY: the size is that of the mask, and the kernel reads no more.
    let result = unsafe { libc::sched_setaffinity(0, size_of::<CpuMask>(), mask.as_ptr().cast()) };
    if result < 0 { Err(last_error()) } else { Ok(()) }
}

/// Memory of this process for a guest.
struct Memory {
    start: *mut u8,
    size: usize,
}

impl Memory {
    fn new(size: usize) -> Result<Memory, Errno> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping at an address that the kernel chooses does not touch memory in use.
        let start = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED { Err(last_error()) } else { Ok(Memory { start: start.cast(), size }) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: this value owns the mapping, and nothing borrows from it.
        unsafe { libc::munmap(self.start.cast::<c_void>(), self.size) };
    }
}

/// A machine with its vCPUs and its memory, from physical address 0 on.
///
/// Invariants: there is a vCPU. The memory outlives the vCPUs and the VM, which are dropped before it and never moved
/// out.
pub(crate) struct Machine {
    vcpus: Vec<VcpuFd>,
    /// Held to define the drop order.
    _vm: VmFd,
    memory: Memory,
}

impl Machine {
    /// `size` is in bytes, a multiple of a page; each vCPU's id is its APIC id.
    pub(crate) fn new(kvm: &Kvm, size: usize, apic_ids: &[u32]) -> Result<Machine, KvmError> {
        let memory = Memory::new(size).map_err(|errno| KvmError::System("mmap", errno))?;
        let vm = kvm.create_vm().map_err(|error| KvmError::of_ioctl("KVM_CREATE_VM", error.into()))?;
        let region = kvm_userspace_memory_region {
            slot: 0,
            flags: 0,
            guest_phys_addr: 0,
            memory_size: size as u64,
            userspace_addr: memory.start as u64,
        };
        // SAFETY: the mapping has that size, and outlives the VM by the type's invariant.
        unsafe { vm.set_user_memory_region(region) }
            .map_err(|error| KvmError::of_ioctl("KVM_SET_USER_MEMORY_REGION", error.into()))?;
        let vcpu = |&id: &u32| vm.create_vcpu(id.into());
        let vcpus: Result<Vec<VcpuFd>, _> = apic_ids.iter().map(vcpu).collect();
        let vcpus = vcpus.map_err(|error| KvmError::of_ioctl("KVM_CREATE_VCPU", error.into()))?;
        Ok(Machine { vcpus, _vm: vm, memory })
    }

    /// The vCPU with this index, by a reference so that it cannot be moved out.
    pub(crate) fn vcpu(&self, at: usize) -> &VcpuFd {
        &self.vcpus[at]
    }

    /// Runs the vCPU with this index until it exits.
    pub(crate) fn run(&mut self, at: usize) -> Result<VcpuExit<'_>, Errno> {
        self.vcpus[at].run().map_err(Errno::from)
    }

    fn at(&self, address: usize, length: usize) -> *mut u8 {
        let end = address.checked_add(length);
        assert!(end.is_some_and(|end| end <= self.memory.size), "a guest's address is within its memory");
        // SAFETY: the address is within the mapping, as checked above.
        unsafe { self.memory.start.add(address) }
    }

    /// Copies bytes to a physical address.
    pub(crate) fn write(&mut self, address: usize, bytes: &[u8]) {
        let to = self.at(address, bytes.len());
        // SAFETY: `at` checked the range, `bytes` is not in the mapping, and the vCPU does not run while the machine is
        // borrowed here.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Copies bytes from a physical address.
    pub(crate) fn read(&mut self, address: usize, bytes: &mut [u8]) {
        let from = self.at(address, bytes.len());
        // SAFETY: as for `write`.
        unsafe { ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
    }
}
