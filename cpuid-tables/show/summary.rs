//! The processor that a table describes, in one line.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::facts;
use super::package::Package;
use crate::table::{CpuidEntry, CpuidRead, Hypervisor, Signature, Vendor};

/// Vendor, signature, brand, package and hypervisors of a table, as far as it contains them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The vendor.
    pub vendor: Option<Vendor>,
    /// Family, model and stepping.
    pub signature: Option<Signature>,
    /// The brand without surrounding blanks; `None` if it is empty.
    pub brand: Option<String>,
    /// Cores and threads of the package.
    pub package: Option<Package>,
    /// The hypervisors with a signature.
    pub hypervisors: Vec<Hypervisor>,
}

impl Summary {
    /// The summary of a table.
    #[must_use]
    pub fn from_entries(entries: &[CpuidEntry]) -> Summary {
        Summary {
            // KVM_GET_SUPPORTED_CPUID has no vendor if the processor has none.
            vendor: entries.vendor().filter(|vendor| *vendor != Vendor([0; 12])),
            signature: entries.signature().filter(|signature| signature.0 != 0),
            brand: entries.brand().map(|brand| brand.to_string()).filter(|brand| !brand.is_empty()),
            package: Package::from_entries(entries),
            hypervisors: entries.hypervisors().collect(),
        }
    }

    /// The hypervisors' signatures that are text.
    pub fn hypervisor_names(&self) -> impl Iterator<Item = String> {
        self.hypervisors.iter().filter_map(|found| facts::signature_text(&found.signature))
    }
}

impl fmt::Display for Summary {
    /// `GenuineIntel, family 0x6, model 0x8f, stepping 8, Intel(R) Xeon(R), 8 cores, 16 threads, under KVMKVMKVM`; empty if
    /// the table has none of these.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.vendor.map(|vendor| vendor.to_string()));
        parts.extend(self.signature.map(facts::signature));
        parts.extend(self.brand.clone());
        parts.extend(self.package.map(|package| package.to_string()));
        parts.extend(self.hypervisor_names().map(|name| "under ".to_string() + &name));
        f.write_str(&parts.join(", "))
    }
}
