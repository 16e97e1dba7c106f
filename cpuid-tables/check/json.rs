//! Reports as JSON. The format is stable; members may be added.
//!
//! ```json
//! {"errors": 1, "warnings": 0, "skipped": ["feature-not-supported"], "findings": [{
//!   "severity": "error", "kind": "feature-needs", "feature": "avx2", "vcpus": [0, 1],
//!   "at": {"vcpu": null, "entry": 3, "leaf": "0x00000007", "subleaf": 0, "register": "EBX", "bits": [5]},
//!   "others": [{"vcpu": null, "entry": 1, "leaf": "0x00000001", "subleaf": null, "register": "ECX", "bits": [28]}],
//!   "what": "...", "why": "...", "help": "..."}]}
//! ```
//!
//! `kind` and `severity` are [`Kind::name`](super::Kind::name) and [`Kind::severity`](super::Kind::severity).
//! `skipped` lists the kinds that need a host. `entry` counts from 0 and is null if there is no such entry. `subleaf`
//! is null for the whole leaf, `register` and `bits` are null for all of them. `vcpu` is null if it is the finding's
//! own.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::{Value, json};

use super::{Finding, Kind, Report, Site};
use crate::naming::name_of;

impl Report {
    /// As a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "errors": self.errors(),
            "warnings": self.warnings(),
            "skipped": self.skipped().map(Kind::name).collect::<Vec<&str>>(),
            "findings": self.findings.iter().map(Finding::to_json).collect::<Vec<Value>>(),
        })
    }
}

impl Finding {
    /// As a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "severity": self.severity().to_string(),
            "kind": self.kind.name(),
            "feature": self.feature.map(name_of),
            "vcpus": self.vcpus,
            "at": self.at.to_json(),
            "others": self.others.iter().map(Site::to_json).collect::<Vec<Value>>(),
            "what": self.what,
            "why": self.why(),
            "help": self.help(),
        })
    }
}

impl Site {
    /// As a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let bits: Vec<u32> = (0..32).filter(|bit| self.bits >> bit & 1 != 0).collect();
        let hex = |number: u32| -> String { format!("{number:#010x}") };
        json!({
            "vcpu": self.vcpu,
            "entry": self.entry,
            "leaf": hex(self.leaf.0),
            "subleaf": self.subleaf.map(|subleaf| subleaf.0),
            "register": self.register.map(|register| register.name()),
            "bits": Some(bits).filter(|bits| !bits.is_empty()),
        })
    }
}
