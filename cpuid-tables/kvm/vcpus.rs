//! The tables of a VM's vCPUs: one base table, and for each vCPU what is its own.
//!
//! `KVM_SET_CPUID2` and `KVM_GET_CPUID2`: Linux, `Documentation/virt/kvm/api.rst` and `arch/x86/kvm/cpuid.c`
//! (`kvm_set_cpuid()`, `kvm_check_cpuid()`), releases 6.1 to 7.3.

use core::fmt;
use std::vec::Vec;

use kvm_bindings::{CpuId, kvm_cpuid_entry2};
use kvm_ioctls::VcpuFd;

use super::changes::{Change, Changes};
use super::error::{Errno, KvmError};
use super::ioctl::{CpuidBuffer, arch_prctl, arch_prctl_get};
use super::system::{entry_for, entry_of};
use crate::field::leaf_80000008;
use crate::location::{Leaf, Register, Subleaf};
use crate::table::{ApicLayout, CpuidEntry, CpuidRead, CpuidTable, OwnBits};

/// A vCPU that takes a table.
pub trait CpuidVcpu {
    /// `KVM_SET_CPUID2`.
    ///
    /// # Errors
    ///
    /// KVM's error number.
    fn set_cpuid2(&self, table: &CpuId) -> Result<(), Errno>;

    /// `KVM_GET_CPUID2`.
    ///
    /// # Errors
    ///
    /// KVM's error number.
    fn get_cpuid2(&self, into: &mut CpuidBuffer) -> Result<(), Errno>;
}

impl CpuidVcpu for VcpuFd {
    fn set_cpuid2(&self, table: &CpuId) -> Result<(), Errno> {
        Ok(VcpuFd::set_cpuid2(self, table)?)
    }

    fn get_cpuid2(&self, into: &mut CpuidBuffer) -> Result<(), Errno> {
        into.read_back(self)
    }
}

/// KVM does not take a vCPU's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VcpuError {
    /// E2BIG, or more than the 256 entries that any KVM takes.
    TooMany {
        /// How many there are.
        count: usize,
        /// The first that is beyond what KVM takes, as far as that is known.
        first: Option<CpuidEntry>,
    },
    /// EPERM: XSAVE components that the process has to ask for before there is a vCPU.
    NotPermitted {
        /// The entry: 0xD.0.
        entry: CpuidEntry,
        /// The components that it shows and the process has not asked for.
        components: u64,
    },
    /// EINVAL: a width of linear addresses that KVM does not know.
    AddressWidth {
        /// The entry: 0x80000008.
        entry: CpuidEntry,
        /// The width, in bits.
        width: u32,
    },
    /// EINVAL: the vCPU has run, or has a nested guest's state, and the table is not the one that it has.
    HasRun {
        /// The first thing that differs, one that KVM does not change itself if there is any.
        first: Change,
    },
    /// Another error of `KVM_SET_CPUID2`.
    Set(Errno),
    /// An error of `KVM_GET_CPUID2`.
    Get(Errno),
    /// The system has no memory for the tables.
    Memory(KvmError),
}

impl fmt::Display for VcpuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VcpuError::TooMany { count, first: Some(entry) } => write!(
                f,
                "{count} entries, and KVM takes {}: {} is the first too many; drop entries that answer zeros",
                CpuidTable::MAX,
                Named(entry)
            ),
            VcpuError::TooMany { count, first: None } => write!(
                f,
                "KVM refuses {count} entries as too many (E2BIG): before Linux 5.11 it takes 80; drop entries that answer \
                 zeros"
            ),
            VcpuError::NotPermitted { entry, components } => write!(
                f,
                "{} shows XSAVE components {components:#x}, which a process has to ask for (EPERM): call \
                 request_guest_components before the first vCPU is created, or hide them",
                Named(entry)
            ),
            VcpuError::AddressWidth { entry, width } => write!(
                f,
                "{} says that linear addresses have {width} bits, and KVM takes 48, 57 and 0 (EINVAL)",
                Named(entry)
            ),
            VcpuError::HasRun { first } => write!(
                f,
                "the vCPU has run, and after its first KVM_RUN takes only the table that it has (EINVAL); the first \
                 difference: {first}"
            ),
            VcpuError::Set(errno) => write!(f, "KVM_SET_CPUID2 failed: {errno}"),
            VcpuError::Get(errno) => write!(f, "KVM_GET_CPUID2 failed: {errno}"),
            VcpuError::Memory(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for VcpuError {}

/// An entry by its leaf and, where that counts, its subleaf.
struct Named<'a>(&'a CpuidEntry);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the entry for leaf {:#x}", self.0.function.0)?;
        if self.0.is_indexed() { write!(f, ", subleaf {:#x}", self.0.index.0) } else { Ok(()) }
    }
}

/// A place in the table that is each vCPU's own.
#[derive(Clone, Copy, Debug)]
struct Patch {
    entry: usize,
    own: OwnBits,
}

/// The tables of a VM's vCPUs.
///
/// It holds one table in KVM's form, which is changed for each vCPU in turn: nothing is allocated after [`new`](Vcpus::new).
/// A vCPU that is added later is set in the same way. Threads that each set a vCPU have a clone each.
///
/// ```no_run
/// use cpuid_tables::kvm::{Device, KvmSystem, Vcpus};
///
/// let device = Device::open()?;
/// let mut vcpus = Vcpus::new(&device.supported_cpuid()?)?;
/// let vm = device.kvm().create_vm()?;
/// for apic_id in 0..4 {
///     let vcpu = vm.create_vcpu(apic_id.into())?;
///     for change in vcpus.set(&vcpu, apic_id)?.unexpected() {
///         eprintln!("vCPU {apic_id}: {change}");
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Vcpus {
    table: CpuId,
    stored: CpuidBuffer,
    patches: Vec<Patch>,
    layout: ApicLayout,
}

impl Vcpus {
    /// Tables made from a base, which may be any vCPU's; where cores and nodes stand in an APIC id is as it says.
    ///
    /// # Errors
    ///
    /// [`VcpuError::TooMany`]; [`VcpuError::Memory`].
    pub fn new(base: &[CpuidEntry]) -> Result<Vcpus, VcpuError> {
        Vcpus::with_layout(base, ApicLayout::of(base))
    }

    /// The same, with the layout given: a base with several dies or nodes in a socket may not tell.
    ///
    /// # Errors
    ///
    /// As [`new`](Vcpus::new).
    pub fn with_layout(base: &[CpuidEntry], layout: ApicLayout) -> Result<Vcpus, VcpuError> {
        if let Some(first) = base.get(CpuidTable::MAX) {
            return Err(VcpuError::TooMany { count: base.len(), first: Some(*first) });
        }
        let entries: Vec<kvm_cpuid_entry2> = base.iter().map(entry_for).collect();
        let no_memory = |_| VcpuError::Memory(KvmError::System("allocation", Errno(libc::ENOMEM)));
        let table = CpuId::from_entries(&entries).map_err(no_memory)?;
        let stored = CpuidBuffer::new().map_err(VcpuError::Memory)?;
        let patches = base.iter().enumerate().flat_map(|(entry, of)| {
            let here = OwnBits::all().iter().filter(|own| own.field.leaf() == of.function);
            here.map(move |&own| Patch { entry, own })
        });
        Ok(Vcpus { table, stored, patches: patches.collect(), layout })
    }

    /// The table of the vCPU with this APIC id, in KVM's form.
    pub fn table(&mut self, apic_id: u32) -> &CpuId {
        let entries = self.table.as_mut_slice();
        for patch in &self.patches {
            if let Some(entry) = entries.get_mut(patch.entry) {
                let register = match patch.own.field.register() {
                    Register::Eax => &mut entry.eax,
                    Register::Ebx => &mut entry.ebx,
                    Register::Ecx => &mut entry.ecx,
                    Register::Edx => &mut entry.edx,
                };
                patch.own.put(register, self.layout.number(patch.own.number, apic_id));
            }
        }
        &self.table
    }

    /// Gives a vCPU its table and reads back what it has.
    ///
    /// # Errors
    ///
    /// [`VcpuError`], which names the entry that KVM refuses.
    pub fn set<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V, apic_id: u32) -> Result<Changes<'_>, VcpuError> {
        self.set_only(vcpu, apic_id)?;
        vcpu.get_cpuid2(&mut self.stored).map_err(VcpuError::Get)?;
        Ok(Changes::between(self.table.as_slice(), self.stored.entries()))
    }

    /// Gives a vCPU its table, and does not look at what KVM makes of it.
    ///
    /// # Errors
    ///
    /// As [`set`](Vcpus::set).
    pub fn set_only<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V, apic_id: u32) -> Result<(), VcpuError> {
        match vcpu.set_cpuid2(self.table(apic_id)) {
            Ok(()) => Ok(()),
            Err(errno) => Err(self.why(vcpu, errno)),
        }
    }

    /// What KVM means by an error number.
    #[cold]
    fn why<V: CpuidVcpu + ?Sized>(&mut self, vcpu: &V, errno: Errno) -> VcpuError {
        let entries: Vec<CpuidEntry> = self.table.as_slice().iter().map(entry_of).collect();
        match errno.0 {
            libc::E2BIG => VcpuError::TooMany { count: entries.len(), first: None },
            libc::EPERM => not_permitted(&entries).unwrap_or(VcpuError::Set(errno)),
            libc::EINVAL => address_width(&entries)
                .or_else(|| has_run(self.table.as_slice(), &mut self.stored, vcpu))
                .unwrap_or(VcpuError::Set(errno)),
            _ => VcpuError::Set(errno),
        }
    }
}

impl fmt::Debug for Vcpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.table.as_slice().len();
        f.debug_struct("Vcpus")
            .field("entries", &entries)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

fn not_permitted(entries: &[CpuidEntry]) -> Option<VcpuError> {
    let entry = *crate::table::find_entry(entries, Leaf(0xd), Subleaf(0))?;
    let permitted = permitted_guest_components().unwrap_or(0);
    let components = entries.xcr0() & DYNAMIC_COMPONENTS & !permitted;
    (components != 0).then_some(VcpuError::NotPermitted { entry, components })
}

fn address_width(entries: &[CpuidEntry]) -> Option<VcpuError> {
    // KVM takes the first, whatever its index.
    let entry = *entries.iter().find(|entry| entry.function == leaf_80000008::VIRT_ADDR_BITS.leaf())?;
    let width = leaf_80000008::VIRT_ADDR_BITS.read_from(entry.registers);
    (!matches!(width, 0 | 48 | 57)).then_some(VcpuError::AddressWidth { entry, width })
}

/// A vCPU without a table has never been given one, and does not refuse this one for having run.
fn has_run<V: CpuidVcpu + ?Sized>(
    given: &[kvm_cpuid_entry2],
    stored: &mut CpuidBuffer,
    vcpu: &V,
) -> Option<VcpuError> {
    vcpu.get_cpuid2(stored).ok()?;
    if stored.entries().is_empty() {
        return None;
    }
    let changes = Changes::between(given, stored.entries());
    let first = changes.unexpected().next().or_else(|| changes.iter().next())?;
    Some(VcpuError::HasRun { first })
}

/// The components that a process has to ask for: AMX's tile data (`XFEATURE_MASK_USER_DYNAMIC`).
pub const DYNAMIC_COMPONENTS: u64 = 1 << 18;

/// `ARCH_GET_XCOMP_GUEST_PERM` of `arch/x86/include/uapi/asm/prctl.h`.
const ARCH_GET_XCOMP_GUEST_PERM: u64 = 0x1024;
/// `ARCH_REQ_XCOMP_GUEST_PERM`.
const ARCH_REQ_XCOMP_GUEST_PERM: u64 = 0x1025;

/// Asks Linux that guests of this process may be given these XSAVE components. It has to be done before the first vCPU is
/// created. Components that need no permission may be among them.
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

/// The XSAVE components that guests of this process may be given now.
///
/// # Errors
///
/// [`KvmError::TooOld`] before Linux 5.17.
pub fn permitted_guest_components() -> Result<u64, KvmError> {
    arch_prctl_get(ARCH_GET_XCOMP_GUEST_PERM).map_err(|_| KvmError::TooOld("ARCH_GET_XCOMP_GUEST_PERM"))
}
