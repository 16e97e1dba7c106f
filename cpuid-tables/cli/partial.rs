//! What can be said of a table that states only some bits, against a host: templates and lists of names.

use std::fmt;

use cpuid_tables::check::ALLOWED;
use cpuid_tables::dump::Cpu;
use cpuid_tables::show::name_of;
use cpuid_tables::{CpuidEntry, Feature, Registers, find_entry};
use serde_json::{Value, json};

use super::advice;

/// Something that the host does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A template changes a leaf that the host's KVM does not have.
    Leaf {
        /// The leaf and the registers that it changes.
        place: String,
        /// The leaf alone.
        leaf: String,
    },
    /// A feature is set that the host's KVM does not support.
    Feature(Feature),
}

impl Finding {
    fn kind(&self) -> &'static str {
        match self {
            Finding::Leaf { .. } => "template-leaf-not-there",
            Finding::Feature(_) => "feature-not-supported",
        }
    }

    fn why(&self) -> &'static str {
        match self {
            Finding::Leaf { .. } => {
                "Firecracker refuses to start a VM whose template changes a leaf that KVM does not have"
            }
            Finding::Feature(_) => "a guest that uses it fails, or reads a wrong value",
        }
    }

    fn help(&self) -> String {
        match self {
            Finding::Leaf { leaf, .. } => {
                format!("remove {leaf} from the template, or use a kernel whose KVM has it")
            }
            Finding::Feature(feature) => format!("clear {}", name_of(*feature)),
        }
    }

    fn what(&self) -> String {
        match self {
            Finding::Leaf { place, leaf } => {
                format!("the template changes {place}, and this host's KVM has no entry {leaf}")
            }
            Finding::Feature(feature) => {
                format!("{} is set, and KVM on this host does not support it", name_of(*feature))
            }
        }
    }

    pub(crate) fn heading(&self) -> String {
        format!("error[{}]", self.kind())
    }

    /// As `check` has a finding.
    pub(crate) fn to_json(&self) -> Value {
        let feature = if let Finding::Feature(feature) = self { Some(name_of(*feature)) } else { None };
        json!({
            "severity": "error",
            "kind": self.kind(),
            "feature": feature,
            "vcpus": [0],
            "at": null,
            "others": [],
            "what": self.what(),
            "why": self.why(),
            "help": self.help(),
        })
    }
}

impl fmt::Display for Finding {
    /// What comes after the heading.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ": {}\n  why: {}\n  help: {}", self.what(), self.why(), self.help())
    }
}

/// What a CPU states and the host does not have, by the table of what its KVM supports.
pub(crate) fn findings(cpu: &Cpu, host: &[CpuidEntry]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, entry) in cpu.entries.iter().enumerate() {
        let known = cpu.known(at);
        if known == Registers::ZERO {
            continue;
        }
        let there = find_entry(host, entry.function, entry.subleaf());
        if there.is_none() && cpu.beside.template {
            found.push(Finding::Leaf { place: places(entry, known), leaf: advice::leaf(entry) });
            continue;
        }
        let has = |feature: Feature| {
            there.is_some_and(|host| host.register(feature.register()) & feature.mask() != 0)
        };
        let here = |feature: &Feature| {
            feature.leaf() == entry.function && entry.answers(feature.leaf(), feature.subleaf())
        };
        let lacks = Feature::all()
            .filter(here)
            .filter(|feature| {
                known[feature.register()] & entry.register(feature.register()) & feature.mask() != 0
            })
            .filter(|feature| !has(*feature) && !ALLOWED.iter().any(|allowed| allowed.feature == *feature));
        found.extend(lacks.map(Finding::Feature));
    }
    found
}

/// The registers of which an entry states something.
fn places(entry: &CpuidEntry, known: Registers) -> String {
    let words = entry.words().into_iter().filter(|word| known[word.register] != 0);
    words.map(|word| word.to_string()).collect::<Vec<_>>().join(", ")
}
