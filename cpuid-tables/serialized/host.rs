//! The stored form of a host.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::number::{Hex32, Hex64};
use super::{VERSION, check_version};
use crate::bits::location::Msr;
use crate::host::Host;
use crate::table::CpuidEntry;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostForm {
    version: u32,
    supported: Vec<CpuidEntry>,
    instruction: Vec<CpuidEntry>,
    msrs: BTreeMap<Hex32, Hex64>,
    #[serde(default)]
    saved_msrs: Option<Vec<Hex32>>,
    capabilities: BTreeMap<u32, i64>,
    hyperv: Option<Vec<CpuidEntry>>,
    emulated: Option<Vec<CpuidEntry>>,
    guest_xcomponents: Option<Hex64>,
    tsc_khz: Option<u32>,
    mce_capabilities: Option<Hex64>,
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Host { supported, instruction, msrs, saved_msrs, capabilities, hyperv, emulated, .. } =
            self.clone();
        let Host { guest_xcomponents, tsc_khz, mce_capabilities, .. } = *self;
        let form = HostForm {
            version: VERSION,
            supported,
            instruction,
            msrs: msrs.into_iter().map(|(msr, value)| (Hex32(msr.0), Hex64(value))).collect(),
            saved_msrs: saved_msrs.map(|all| all.into_iter().map(|msr| Hex32(msr.0)).collect()),
            capabilities,
            hyperv,
            emulated,
            guest_xcomponents: guest_xcomponents.map(Hex64),
            tsc_khz,
            mce_capabilities: mce_capabilities.map(Hex64),
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Host, D::Error> {
        let form = HostForm::deserialize(deserializer)?;
        check_version(form.version)?;
        Ok(Host {
            supported: form.supported,
            instruction: form.instruction,
            msrs: form.msrs.into_iter().map(|(msr, value)| (Msr(msr.0), value.0)).collect(),
            saved_msrs: form.saved_msrs.map(|all| all.into_iter().map(|msr| Msr(msr.0)).collect()),
            capabilities: form.capabilities,
            hyperv: form.hyperv,
            emulated: form.emulated,
            guest_xcomponents: form.guest_xcomponents.map(|value| value.0),
            tsc_khz: form.tsc_khz,
            mce_capabilities: form.mce_capabilities.map(|value| value.0),
        })
    }
}
