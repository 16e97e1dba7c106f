//! The base of vCPUs' tables: what a snapshot stores, so that a vCPU can be added after it is restored.

use alloc::vec::Vec;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use serde::{Deserialize as DeriveDeserialize, Serialize as DeriveSerialize};

use super::{VERSION, check_version};
use crate::table::{ApicLayout, CpuidEntry, VcpuBase};

#[derive(DeriveSerialize, DeriveDeserialize)]
#[serde(deny_unknown_fields)]
struct LayoutForm {
    core_shift: u8,
    core_width: u8,
    node_shift: u8,
}

impl Serialize for ApicLayout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ApicLayout { core_shift, core_width, node_shift } = *self;
        LayoutForm { core_shift, core_width, node_shift }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ApicLayout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ApicLayout, D::Error> {
        let LayoutForm { core_shift, core_width, node_shift } = LayoutForm::deserialize(deserializer)?;
        Ok(ApicLayout { core_shift, core_width, node_shift })
    }
}

#[derive(DeriveSerialize, DeriveDeserialize)]
#[serde(deny_unknown_fields)]
struct BaseForm {
    version: u32,
    entries: Vec<CpuidEntry>,
    layout: ApicLayout,
    /// The APIC id is added to what leaf 1 has in its place.
    #[serde(default)]
    counted_id: bool,
}

impl Serialize for VcpuBase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (entries, counted_id) = (self.to_vec(), self.has_counted_id());
        BaseForm { version: VERSION, entries, layout: self.layout(), counted_id }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for VcpuBase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<VcpuBase, D::Error> {
        let form = BaseForm::deserialize(deserializer)?;
        check_version(form.version)?;
        let base = VcpuBase::with_layout(&form.entries, form.layout).map_err(D::Error::custom)?;
        Ok(if form.counted_id { base.with_counted_id() } else { base })
    }
}
