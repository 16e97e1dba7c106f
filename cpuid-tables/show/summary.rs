//! Whose table it is, in a line.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::facts;
use crate::table::{CpuidEntry, CpuidRead, Hypervisor, Signature, Vendor};

/// Vendor, version, brand and hypervisors of a table, as far as it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Who made the processor.
    pub vendor: Option<Vendor>,
    /// Family, model and stepping.
    pub signature: Option<Signature>,
    /// The brand, without blanks around; none where it is empty.
    pub brand: Option<String>,
    /// The hypervisors that show themselves.
    pub hypervisors: Vec<Hypervisor>,
}

impl Summary {
    /// Of a table.
    #[must_use]
    pub fn from_entries(entries: &[CpuidEntry]) -> Summary {
        Summary {
            // KVM's answer to what it supports has no vendor where the processor has none.
            vendor: entries.vendor().filter(|vendor| *vendor != Vendor([0; 12])),
            signature: entries.signature().filter(|signature| signature.0 != 0),
            brand: entries.brand().map(|brand| brand.to_string()).filter(|brand| !brand.is_empty()),
            hypervisors: entries.hypervisors().collect(),
        }
    }

    /// The hypervisors' signatures, those that are text.
    pub fn hypervisor_names(&self) -> impl Iterator<Item = String> {
        self.hypervisors.iter().filter_map(|found| facts::signature_text(&found.signature))
    }
}

impl fmt::Display for Summary {
    /// `GenuineIntel, family 0x6, model 0x8f, stepping 8, Intel(R) Xeon(R), under KVMKVMKVM`; empty if it tells nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.vendor.map(|vendor| vendor.to_string()));
        parts.extend(self.signature.map(facts::signature));
        parts.extend(self.brand.clone());
        parts.extend(self.hypervisor_names().map(|name| "under ".to_string() + &name));
        f.write_str(&parts.join(", "))
    }
}
