//! KVM: its capabilities and tables, setting vCPUs' tables, and a guest that reports the CPUID values it reads.
//!
//! Everything but the ioctls themselves runs without a KVM: [`KvmSystem`] and [`CpuidVcpu`] are traits.
//!
//! ```no_run
//! use cpuid_tables::kvm::{Capability, Device, KvmSystem};
//!
//! let kvm = Device::open()?;
//! let entries = kvm.supported_cpuid()?;
//! println!("{} entries, {} vCPUs", entries.len(), kvm.capability(Capability::NR_VCPUS)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod changes;
mod components;
mod convert;
mod error;
mod guest_code;
pub(crate) mod ioctl;
mod msr_error;
mod msrs;
mod probe;
mod system;
mod vcpu;
mod vcpu_error;
mod vcpu_table;
mod vcpus;

pub use crate::capability::Capability;
pub use changes::{Change, Changes, PartChange};
pub use components::{DYNAMIC_COMPONENTS, permitted_guest_components, request_guest_components};
pub use error::{Errno, KvmError};
pub use guest_code::Mode;
pub use ioctl::CpuidBuffer;
pub use msr_error::{MsrChange, MsrError};
pub use msrs::{MsrVcpu, set_msrs, set_up_machine_checks};
pub use probe::{Guest, Probe, ProbeError, probe};
pub use system::{Device, KvmSystem};
pub use vcpu::{CpuidVcpu, RawVcpu};
pub use vcpu_error::VcpuError;
pub use vcpu_table::VcpuTable;
pub use vcpus::Vcpus;
