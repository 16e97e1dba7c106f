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
//! `optional` states nothing. Unless `check` is `none`, libvirt starts the guest only where all of its features are there, as QEMU's
//! `enforce` does; that is the default of `custom`. A domain without a model has QEMU's default. In `domcapabilities` the CPU is the host's (`host-model`), and features that block a model are
//! ones that it lacks. `feature` elements in no `cpu` are a CPU together. A `cpu` with a mode or in a domain asks for a guest's
//! CPU, and so do the frequency of the domain's TSC and the mode of its enlightenments. Everything else of the document is
//! ignored.

use std::boxed::Box;
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use super::cpu::Request;
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
    /// What the domain sets outside its `cpu`, by QEMU's name of the property.
    settings: BTreeMap<&'static str, String>,
    /// A domain of QEMU's is open.
    domain: Option<Domain>,
}

/// The domain at hand.
#[derive(Clone, Copy)]
struct Domain {
    /// KVM runs it.
    is_kvm: bool,
    /// The line on which it begins.
    line: u64,
    /// It has a `cpu`.
    has_cpu: bool,
}

/// The CPU at hand.
#[derive(Default)]
struct Open {
    names: Names,
    model: Option<String>,
    /// Its mode, if that means the host's CPU.
    mode: Option<String>,
    /// It is in a `cpu`.
    in_cpu: bool,
    /// It asks for a guest's CPU.
    is_a_guest_s: bool,
    /// The line on which a domain's begins: without a model it has the default one.
    of_domain: Option<u64>,
}

/// True for a line that only such a document has.
fn is_line(line: &[u8]) -> bool {
    let elements: [&[u8]; 5] = [b"<cpu ", b"<cpu>", b"<capabilities>", b"<domainCapabilities", b"<domain "];
    // In libvirt's map of features the element has children.
    let feature = trim(line).starts_with(b"<feature ")
        && find(line, b">").is_some_and(|end| line[..end].ends_with(b"/"));
    feature || elements.into_iter().any(|element| find(line, element).is_some())
}

/// QEMU's model where nothing asks for another one.
const DEFAULT_MODEL: &str = "qemu64";

/// Modes whose CPU is the host's.
const OF_THE_HOST: [&str; 3] = ["host-passthrough", "host-model", "maximum"];

/// The default model, with a note.
fn default_model(line: u64, sink: &mut Sink) -> String {
    sink.note(line, std::format!("the domain states no CPU model: QEMU's default, {DEFAULT_MODEL}, applies"));
    DEFAULT_MODEL.into()
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
        let settings = core::mem::take(&mut self.settings);
        let Some(mut cpu) = self.cpu.take() else { return Ok(()) };
        if cpu.is_a_guest_s {
            settings.iter().for_each(|(property, value)| cpu.names.set(property, value));
        }
        let mut model = cpu.model.or(cpu.mode);
        if let (None, Some(line)) = (&model, cpu.of_domain) {
            model = Some(default_model(line, sink));
        }
        cpu.names.finish(None, model, sink)
    }

    /// A domain ends: one without a `cpu` has the default model, which libvirt does not check.
    fn end_domain(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        if let Some(Domain { line, has_cpu: false, .. }) = self.domain.take() {
            let mut names = Names::default();
            names.ask_for_a_guest(Request::Libvirt);
            self.cpu = Some(Open { names, is_a_guest_s: true, of_domain: Some(line), ..Open::default() });
        }
        self.finish(sink)
    }

    /// A `cpu` begins.
    fn begin(&mut self, attributes: &[(String, String)], line: u64, sink: &mut Sink) -> Result<(), Fault> {
        // The settings before it are its domain's.
        let settings = if self.cpu.is_none() { core::mem::take(&mut self.settings) } else { BTreeMap::new() };
        self.finish(sink)?;
        self.settings = settings;
        let mode = attribute(attributes, "mode");
        let is_a_guest_s = mode.is_some() || attribute(attributes, "match").is_some() || self.is_in("domain");
        let mut cpu = Open { in_cpu: true, is_a_guest_s, ..Open::default() };
        cpu.mode = mode.filter(|mode| OF_THE_HOST.contains(mode)).map(String::from);
        if is_a_guest_s {
            cpu.names.ask_for_a_guest(Request::Libvirt);
        }
        if let Some(domain) = &mut self.domain {
            domain.has_cpu = true;
            cpu.of_domain = Some(line);
        }
        let is_kvm = self.domain.is_none_or(|domain| domain.is_kvm);
        let is_checked = attribute(attributes, "check").map_or(is_kvm, |check| check != "none");
        if is_a_guest_s && cpu.mode.is_none() && is_checked {
            cpu.names.set("enforce", "on");
        }
        if let Some(migratable) = attribute(attributes, "migratable") {
            cpu.names.set("migratable", migratable);
        }
        self.cpu = Some(cpu);
        Ok(())
    }

    /// An element of a domain that sets a property of its CPU.
    fn setting(&mut self, element: &str, attributes: &[(String, String)]) {
        let of = |name| attribute(attributes, name);
        match (element, of("name"), of("mode"), of("frequency")) {
            ("timer", Some("tsc"), _, Some(frequency)) => {
                self.settings.insert("tsc-frequency", frequency.into());
            }
            ("hyperv", _, Some("passthrough"), _) => {
                self.settings.insert("hv-passthrough", "on".into());
            }
            _ => {}
        }
    }

    /// The element of a domain itself: capabilities have some of that name.
    fn domain(&mut self, element: &str, attributes: &[(String, String)], line: u64) {
        let kind = attribute(attributes, "type").filter(|_| element == "domain");
        if self.is_in("capabilities") || self.is_in("domainCapabilities") {
            return;
        }
        if let Some(kind @ ("kvm" | "qemu")) = kind {
            self.domain = Some(Domain { is_kvm: kind == "kvm", line, has_cpu: false });
        }
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
                    self.begin(&attributes, line, sink)?;
                }
                if name == "feature" {
                    // One in no `cpu`, after a CPU.
                    if self.open.is_empty() && self.cpu.as_ref().is_some_and(|cpu| cpu.in_cpu) {
                        self.finish(sink)?;
                    }
                    self.feature(&attributes, line, sink);
                }
                self.setting(&name, &attributes);
                self.domain(&name, &attributes, line);
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
            // What the domain sets follows.
            (_, "domain") => return self.end_domain(sink),
            (_, "capabilities" | "domainCapabilities") => return self.finish(sink),
            _ => {}
        }
        Ok(())
    }
}

impl Parser for LibvirtCpu {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        // Between documents: a shell's prompt with its command, which may have markup in it.
        if self.tags.is_between() && !trim(line.text).starts_with(b"<") {
            return Ok(());
        }
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
