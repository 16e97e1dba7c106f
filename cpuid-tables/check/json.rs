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

use serde_json::Value;

use super::{Finding, Report};

impl Report {
    /// As a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        value(self)
    }
}

impl Finding {
    /// As a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        value(self)
    }
}

/// Serializing to a value cannot fail: every key is a text.
fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}
