//! A recorded host as a [`KvmSystem`].

use alloc::collections::BTreeMap;
use std::vec::Vec;

use super::Host;
use crate::bits::location::Msr;
use crate::kvm::{Capability, KvmError, KvmSystem};
use crate::table::CpuidEntry;

impl KvmSystem for Host {
    fn supported_cpuid(&self) -> Result<Vec<CpuidEntry>, KvmError> {
        Ok(self.supported.clone())
    }

    fn emulated_cpuid(&self) -> Result<Vec<CpuidEntry>, KvmError> {
        self.emulated.clone().ok_or(KvmError::Recorded("KVM_GET_EMULATED_CPUID"))
    }

    fn hyperv_cpuid(&self) -> Result<Option<Vec<CpuidEntry>>, KvmError> {
        Ok(self.hyperv.clone())
    }

    fn feature_msrs(&self) -> Result<BTreeMap<Msr, u64>, KvmError> {
        Ok(self.msrs.clone())
    }

    fn saved_msrs(&self) -> Result<Vec<Msr>, KvmError> {
        self.saved_msrs.clone().ok_or(KvmError::Recorded("KVM_GET_MSR_INDEX_LIST"))
    }

    fn capability(&self, capability: Capability) -> Result<i64, KvmError> {
        self.capabilities.get(&capability.number).copied().ok_or(KvmError::Recorded(capability.name))
    }

    fn guest_xcomponents(&self) -> Result<Option<u64>, KvmError> {
        Ok(self.guest_xcomponents)
    }

    fn tsc_khz(&self) -> Result<Option<u32>, KvmError> {
        Ok(self.tsc_khz)
    }

    fn mce_capabilities(&self) -> Result<Option<u64>, KvmError> {
        Ok(self.mce_capabilities)
    }
}
