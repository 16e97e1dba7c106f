//! What a program states.

use serde_json::Value;

use crate::facts::DefaultVersion;
use crate::location::{Bit, WordSource};
use crate::ordered::{Map, Set};

/// A named bit of a feature word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct NamedBit {
    /// The property.
    pub name: String,
    /// The word that it is a bit of.
    pub source: WordSource,
    /// The bit.
    pub bit: Bit,
}

/// A version of a CPU model, or `base`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
    /// Every property with its value, by its canonical and other names; VMX, SVM and the PMU are on.
    pub properties: Map<String, Value>,
    /// It is deprecated.
    pub deprecated: bool,
}

/// A machine type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// `pc-q35-11.1`.
    pub name: String,
    /// The version of models that it selects.
    pub default_version: Option<DefaultVersion>,
    /// Its compatibility properties of CPUs, in QEMU's order: QOM type, property, value. `None` if this program does not
    /// state them and the machine type is upstream's; for a distribution's, their effect on each CPU.
    pub compat: Option<Vec<(String, String, String)>>,
    /// Its alias, such as `q35`.
    pub alias: Option<String>,
    /// The maximum number of vCPUs.
    pub max_cpus: Option<u32>,
}

/// What a program states.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stated {
    /// `11.1.3`.
    pub release: String,
    /// The distribution's name for the package: `Debian 1:11.1.3+ds-1`, `pve-qemu-kvm_9.0.2-4`; empty if there is none.
    pub package: String,
    /// Every name of a bit.
    pub names: Set<String>,
    /// The locations of those that it shows, by name.
    pub bits: Vec<NamedBit>,
    /// By model and version.
    pub models: Map<(String, u32), Model>,
    /// The CPU without features.
    pub empty: Model,
    /// Aliases of versions.
    pub aliases: Map<(String, u32), String>,
    /// PC machine types.
    pub machines: Vec<Machine>,
    /// Properties of CPUs with their kinds.
    pub properties: Map<String, String>,
    /// The queries that were not made, and why.
    pub not_asked: Vec<String>,
}

/// The model and the version of a name: `EPYC-v2`.
pub(super) fn versioned(name: &str) -> Option<(String, u32)> {
    let (model, version) = name.rsplit_once("-v")?;
    Some((model.to_owned(), version.parse().ok()?))
}

/// A value in the form of facts and settings.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
