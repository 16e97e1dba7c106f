//! The CPU of a `KubeVirt` VM: its manifest as YAML.
//!
//! ```text
//! apiVersion: kubevirt.io/v1
//! kind: VirtualMachine
//! ...
//!           cpu:
//!             model: Haswell-noTSX
//!             features:
//!             - name: apic
//!               policy: require
//! ```
//!
//! Each `cpu` with a model or features is a CPU. Policies are libvirt's; a feature without one is required. What the model itself
//! has is not known here. Other lines are ignored.

use std::boxed::Box;
use std::string::String;

use super::cpu::Request;
use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::trim;
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "kubevirt-vm",
    about: "KubeVirt's VirtualMachine as YAML",
    marks: &[Mark::Line(is_line), Mark::MayBeLine(is_cpu)],
    parser: || Box::new(Vmi::default()),
    style: None,
};

/// `KubeVirt`'s model where a VM names none.
const DEFAULT_MODEL: &str = "host-model";

/// The reader.
#[derive(Default)]
struct Vmi {
    /// The indentation of the open `cpu`.
    indent: Option<usize>,
    names: Option<Names>,
    model: Option<String>,
    /// The feature at hand, and its policy.
    feature: Option<(String, String)>,
}

fn is_line(line: &[u8]) -> bool {
    let kinds: [&[u8]; 4] = [
        b"apiVersion: kubevirt.io/v1",
        b"apiVersion: kubevirt.io/v1alpha3",
        b"kind: VirtualMachine",
        b"kind: VirtualMachineInstance",
    ];
    kinds.contains(&trim(line))
}

fn is_cpu(line: &[u8]) -> bool {
    trim(line) == b"cpu:"
}

/// The value of a member, without quotes.
fn member<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let value = text.strip_prefix(name)?.strip_prefix(':')?;
    Some(value.trim().trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

impl Vmi {
    fn feature(&mut self, line: u64, sink: &mut Sink) {
        let Some((name, policy)) = self.feature.take() else { return };
        let on = match policy.as_str() {
            "optional" => return,
            "disable" | "forbid" => false,
            _ => true,
        };
        if self.names.get_or_insert_default().feature(&name, on).is_err() {
            sink.note(line, Unknown::note(&name));
        }
    }

    fn finish(&mut self, line: u64, sink: &mut Sink) -> Result<(), Fault> {
        self.feature(line, sink);
        self.indent = None;
        let (names, model) = (self.names.take(), self.model.take());
        if names.is_none() && model.is_none() {
            return Ok(());
        }
        let mut names = names.unwrap_or_default();
        names.ask_for_a_guest(Request::Manager);
        names.set("enforce", "on");
        names.finish(None, model.or_else(|| Some(DEFAULT_MODEL.into())), sink)
    }
}

impl Parser for Vmi {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = String::from_utf8_lossy(line.text);
        let indent = text.len() - text.trim_start_matches(' ').len();
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        if self.indent.is_some_and(|open| indent <= open) {
            self.finish(line.number, sink)?;
        }
        if self.indent.is_none() {
            self.indent = (text == "cpu:").then_some(indent);
            return Ok(());
        }
        let (item, text) = text.strip_prefix("- ").map_or((false, text), |rest| (true, rest.trim_start()));
        if item {
            self.feature(line.number, sink);
            self.feature = Some(Default::default());
        }
        if let Some(model) = member(text, "model") {
            self.model = Some(model.into());
        } else if let (Some(name), Some((of, _))) = (member(text, "name"), &mut self.feature) {
            *of = name.into();
        } else if let (Some(policy), Some((_, of))) = (member(text, "policy"), &mut self.feature) {
            *of = policy.into();
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(0, sink)
    }
}
