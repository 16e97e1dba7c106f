//! Proxmox VE's CPU models (`/etc/pve/virtual-guest/cpu-models.conf`) and the line `cpu:` of a VM's configuration.
//!
//! ```text
//! cpu-model: avx
//!     flags +avx;+avx2;+xsave
//!     reported-model kvm64
//!
//! cpu: x86-64-v2-AES,flags=+pcid;-spec-ctrl
//! ```
//!
//! Each model is a CPU with its name, and so is a VM's. What the reported model itself has is not known here. `-cpu` in the
//! line `args:` is read as QEMU's. Other settings are ignored.

use std::boxed::Box;
use std::format;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::qemu_args;
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "proxmox",
    about: "Proxmox VE's cpu-models.conf and a VM's cpu:",
    marks: &[Mark::Line(is_model), Mark::MayBeLine(is_cpu)],
    parser: || Box::new(Proxmox::default()),
    style: None,
};

/// Proxmox VE's own flag since 9.1.
const NESTED: &str = "nested-virt";

/// The reader.
#[derive(Default)]
struct Proxmox {
    model: Option<(String, Names)>,
}

fn is_model(line: &[u8]) -> bool {
    line.starts_with(b"cpu-model:") || cpu(line).is_some_and(|value| find(value, b"flags=").is_some())
}

/// The value of a VM's `cpu:`.
fn cpu(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"cpu:").map(trim).filter(|value| value.first().is_some_and(u8::is_ascii_alphabetic))
}

fn is_cpu(line: &[u8]) -> bool {
    cpu(line).is_some()
}

/// Takes in `+a;-b`.
pub(super) fn flags(list: &str, names: &mut Names, line: u64, sink: &mut Sink) {
    for flag in list.split([';', ' ']).map(str::trim).filter(|flag| !flag.is_empty()) {
        let (name, on) = match flag.strip_prefix('-') {
            Some(name) => (name, false),
            None => (flag.strip_prefix('+').unwrap_or(flag), true),
        };
        if name == NESTED {
            sink.note(line, format!("`{NESTED}` is ignored: it is vmx or svm, by the vendor of the host"));
        } else if !name.starts_with("hv-") && names.feature(name, on).is_err() {
            sink.note(line, Unknown::note(name));
        }
    }
}

impl Proxmox {
    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let Some((name, names)) = self.model.take() else { return Ok(()) };
        names.finish(None, Some(name), sink)
    }

    /// `[cputype=]TYPE[,flags=LIST][,hidden=1]...`.
    fn vm(value: &str, line: u64, sink: &mut Sink) -> Result<(), Fault> {
        let mut names = Names::default();
        names.ask_for_a_guest();
        let mut name = String::new();
        for item in value.split(',').map(str::trim) {
            match item.split_once('=') {
                None if name.is_empty() => name = item.into(),
                Some(("cputype", of)) => name = of.into(),
                Some(("flags", list)) => flags(list, &mut names, line, sink),
                _ => {}
            }
        }
        names.finish(None, Some(name), sink)
    }
}

impl Parser for Proxmox {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = String::from_utf8_lossy(line.text);
        if let Some(name) = text.strip_prefix("cpu-model:") {
            self.finish(sink)?;
            self.model = Some((name.trim().into(), Names::default()));
            return Ok(());
        }
        if let Some(value) = cpu(line.text) {
            self.finish(sink)?;
            return Proxmox::vm(&String::from_utf8_lossy(value), line.number, sink);
        }
        if text.starts_with("args:") {
            self.finish(sink)?;
            let mut values = qemu_args::values(line.text);
            return values
                .try_for_each(|value| qemu_args::cpu(&String::from_utf8_lossy(value), line.number, sink));
        }
        let Some((_, names)) = &mut self.model else { return Ok(()) };
        if let Some(list) = text.trim_start().strip_prefix("flags") {
            flags(list, names, line.number, sink);
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)
    }
}
