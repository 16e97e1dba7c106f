//! Labels of Kubernetes nodes: those that `KubeVirt`'s node labeller sets, and those of Node Feature Discovery, as `kubectl
//! describe node`, `-o yaml` and `-o json` print them.
//!
//! ```text
//! Name:    node1
//!          cpu-feature.node.kubevirt.io/adx=true
//!          host-model-cpu.node.kubevirt.io/EPYC-Rome=true
//!          feature.node.kubernetes.io/cpu-cpuid.AVX2=true
//! ```
//!
//! A node is a CPU; its name is that of the host's CPU model. A feature without a label may be part of that model, or the
//! labeller leaves it out: nothing is known of it. Other labels are ignored.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::lines::contains;
use super::names::{Names, Unknown};
use super::scan::trim;
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "kubevirt",
    about: "labels of Kubernetes nodes: KubeVirt's and NFD's",
    marks: &[Mark::Text(KUBEVIRT), Mark::Text(DISCOVERY)],
    parser: || Box::new(Kubevirt::default()),
    style: None,
};

const KUBEVIRT: &[u8] = b".node.kubevirt.io/";
const DISCOVERY: &[u8] = b"feature.node.kubernetes.io/cpu-cpuid.";
/// Labels that are a feature's.
const FEATURES: [&str; 3] = [
    "cpu-feature.node.kubevirt.io/",
    "host-model-required-features.node.kubevirt.io/",
    "feature.node.kubernetes.io/cpu-cpuid.",
];
const MODEL: &str = "host-model-cpu.node.kubevirt.io/";
const VENDOR: &str = "cpu-vendor.node.kubevirt.io/";
/// Names of Node Feature Discovery that nobody else has, and the flag of the same bit.
static ALIASES: [(&str, &str); 13] = [
    ("AESNI", "aes"),
    ("CLMUL", "pclmulqdq"),
    ("FMA3", "fma"),
    ("LZCNT", "abm"),
    ("SSE4", "sse4_1"),
    ("SSE42", "sse4_2"),
    ("LAHF", "lahf_lm"),
    ("OSXSAVE", "osxsave"),
    ("SHA", "sha_ni"),
    ("NX", "nx"),
    ("CMPXCHG8", "cx8"),
    ("X87", "fpu"),
    ("HTT", "ht"),
];

/// The reader.
#[derive(Default)]
struct Kubevirt {
    node: Option<Node>,
}

/// The node at hand.
#[derive(Default)]
struct Node {
    names: Names,
    model: Option<String>,
}

/// The name of a label after its beginning, and whether its value is `true`; other values have other meanings.
fn label<'a>(text: &'a str, begin: &str) -> Option<(&'a str, bool)> {
    let rest = text.split_once(begin)?.1;
    let end = rest.find(['=', ':', '"'])?;
    let (name, value) = rest.split_at(end);
    let value = value.trim_start_matches(['=', ':', '"', ' ']);
    let on = value.starts_with("true");
    (on || value.starts_with("false")).then_some((name, on))
}

impl Kubevirt {
    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.node.take().map_or(Ok(()), |node| node.names.finish(None, node.model, sink))
    }

    fn feature(&mut self, name: &str, on: bool, line: u64, sink: &mut Sink) {
        let names = &mut self.node.get_or_insert_default().names;
        let alias = ALIASES.into_iter().find(|(own, _)| *own == name).map_or(name, |(_, flag)| flag);
        if names.feature(alias, on).is_err() {
            sink.note(line, Unknown::note(name));
        }
    }
}

impl Parser for Kubevirt {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        // `kubectl describe` begins a node so; in YAML and JSON each has a kind.
        let begins = line.text.starts_with(b"Name:")
            || matches!(trim(line.text), b"kind: Node" | b"\"kind\": \"Node\",");
        if begins && self.node.is_some() {
            self.finish(sink)?;
        }
        if !contains(line.text, KUBEVIRT) && !contains(line.text, DISCOVERY) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(line.text);
        // `kubectl get nodes --show-labels` has a line for each node, with commas between the labels.
        let ours =
            |text: &&str| text.contains(".node.kubevirt.io/") || text.contains("feature.node.kubernetes.io/");
        let is_node = text.split(',').filter(ours).count() > 1;
        if is_node {
            self.finish(sink)?;
        }
        for text in text.split(',') {
            for begin in FEATURES {
                if let Some((name, on)) = label(text, begin) {
                    self.feature(name, on, line.number, sink);
                }
            }
            if let Some((model, true)) = label(text, MODEL) {
                self.node.get_or_insert_default().model = Some(model.into());
            }
            if let Some((vendor, true)) = label(text, VENDOR) {
                self.node.get_or_insert_default().names.vendor(vendor);
            }
        }
        if is_node { self.finish(sink) } else { Ok(()) }
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)
    }
}
