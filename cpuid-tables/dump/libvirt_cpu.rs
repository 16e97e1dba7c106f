//! libvirt's `<cpu>`: of a domain, of `virsh capabilities`, `domcapabilities`, `cpu-baseline` and `hypervisor-cpu-baseline`
//! (libvirt 0.7 to 11).
//!
//! ```xml
//! <cpu mode='custom' match='exact' check='full'>
//!   <model fallback='forbid'>EPYC-Rome</model>
//!   <vendor>AMD</vendor>
//!   <feature policy='require' name='x2apic'/>
//!   <feature policy='disable' name='svm'/>
//! </cpu>
//! ```
//!
//! A `cpu` is a CPU with its model's name; what the model has beyond the listed features is not known. The policies `force`
//! and `require` state a bit that is set, as a feature without a policy does; `disable` and `forbid` state one that is not;
//! `optional` states nothing. In `domcapabilities` the CPU is the host's (`host-model`), and features that block a model are
//! ones that it lacks. `feature` elements in no `cpu` are a CPU together. Everything else of the document is ignored.

use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};
use super::tags::{Tag, Tags};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "libvirt-cpu",
    about: "libvirt's <cpu>: domains, capabilities, domcapabilities",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(LibvirtCpu::default()),
    style: None,
};

/// The reader.
#[derive(Default)]
struct LibvirtCpu {
    tags: Tags,
    /// Elements that are open, as far as they matter.
    open: Vec<String>,
    cpu: Option<Open>,
}

/// The CPU at hand.
#[derive(Default)]
struct Open {
    names: Names,
    model: Option<String>,
    /// It is in a `cpu`.
    in_cpu: bool,
}

/// True for a line that only such a document has.
fn is_line(line: &[u8]) -> bool {
    let elements: [&[u8]; 5] = [b"<cpu ", b"<cpu>", b"<capabilities>", b"<domainCapabilities", b"<domain "];
    // In libvirt's map of features the element has children.
    let feature = trim(line).starts_with(b"<feature ")
        && find(line, b">").is_some_and(|end| line[..end].ends_with(b"/"));
    feature || elements.into_iter().any(|element| find(line, element).is_some())
}

fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

impl LibvirtCpu {
    /// True below an element of that name.
    fn is_in(&self, name: &str) -> bool {
        self.open.iter().any(|open| open == name)
    }

    /// What is in a mode other than `host-model` of `domcapabilities` is no CPU's.
    fn in_mode(&self) -> bool {
        self.is_in("mode") && !self.is_in("host-model")
    }

    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let Some(cpu) = self.cpu.take() else { return Ok(()) };
        cpu.names.finish(None, cpu.model, sink)
    }

    fn feature(&mut self, attributes: &[(String, String)], line: u64, sink: &mut Sink) {
        let in_cpu = self.is_in("cpu");
        // Firmware has `feature` elements too.
        if !in_cpu && !self.open.is_empty() {
            return;
        }
        let blocks = self.is_in("blockers");
        if self.in_mode() && !blocks {
            return;
        }
        let on = match attribute(attributes, "policy") {
            _ if blocks => false,
            Some("optional") => return,
            Some("disable" | "forbid") => false,
            _ => true,
        };
        let Some(name) = attribute(attributes, "name") else { return };
        let cpu = self.cpu.get_or_insert_default();
        if cpu.names.feature(name, on).is_err() {
            sink.note(line, Unknown::note(name));
        }
    }

    fn tag(&mut self, tag: Tag, line: u64, sink: &mut Sink) -> Result<(), Fault> {
        match tag {
            Tag::Begin { name, attributes } => {
                if name == "cpu" && !self.is_in("cpus") && !self.is_in("numa") && !self.is_in("cell") {
                    self.finish(sink)?;
                    self.cpu = Some(Open { in_cpu: true, ..Open::default() });
                }
                if name == "feature" {
                    self.feature(&attributes, line, sink);
                }
                // The mode's name tells whose the features are.
                let mode =
                    attribute(&attributes, "name").filter(|mode| name == "mode" && *mode == "host-model");
                let also = mode.map(String::from);
                self.open.push(name);
                self.open.extend(also);
            }
            Tag::End { name, text } => {
                if self.open.last().is_some_and(|open| open == "host-model") && name == "mode" {
                    self.open.pop();
                }
                if self.open.last() == Some(&name) {
                    self.open.pop();
                }
                self.end(&name, &text, sink)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, name: &str, text: &str, sink: &mut Sink) -> Result<(), Fault> {
        let (in_cpu, in_mode) = (self.is_in("cpu"), self.is_in("mode") && !self.is_in("host-model"));
        match (&mut self.cpu, name) {
            (Some(cpu), "model") if in_cpu && !in_mode && !text.is_empty() => cpu.model = Some(text.into()),
            (Some(cpu), "vendor") if in_cpu && !in_mode => cpu.names.vendor(text),
            (Some(cpu), "cpu") if cpu.in_cpu && !in_cpu => return self.finish(sink),
            _ => {}
        }
        Ok(())
    }
}

impl Parser for LibvirtCpu {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let mut tags = core::mem::take(&mut self.tags);
        let done = tags.line(line, |tag, began| self.tag(tag, began, sink));
        self.tags = tags;
        done
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)?;
        self.tags.end()
    }
}
