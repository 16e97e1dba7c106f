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
//! Each model is a CPU with its name, and so is a VM's; a VM without `cpu:` has the default model. What the model itself has is not
//! known here. Proxmox VE starts every x86 guest of a named model with `enforce`. `-cpu` in the line `args:` is read as QEMU's.
//! Other settings and snapshots are ignored.

use std::boxed::Box;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::cpu::Request;
use super::descriptor::{Descriptor, Mark};
use super::names::Names;
use super::proxmox_flags::flags;
use super::qemu_args;
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "proxmox",
    about: "Proxmox VE's cpu-models.conf and a VM's cpu:",
    marks: &[Mark::Line(is_model), Mark::MayBeLine(is_cpu), Mark::MayBeLine(is_vm)],
    parser: || Box::new(Proxmox::default()),
    style: None,
};

/// The model that is not enforced.
const HOST: &str = "host";

/// The model of a VM without `cpu:`, and of a custom model without `reported-model` (qemu-server, `PVE/QemuServer/CPUConfig.pm`).
const DEFAULT_MODEL: &str = "kvm64";

/// Lines that a VM's configuration has, and whose keys no other form uses.
const OF_A_VM: [&[u8]; 5] = [b"ostype:", b"sockets:", b"scsihw:", b"vmgenid:", b"boot: order="];

/// The reader.
#[derive(Default)]
struct Proxmox {
    model: Option<(String, Names)>,
    /// The first line of a VM's configuration, and whether a CPU was stated.
    vm: Option<u64>,
    has_cpu: bool,
    /// A snapshot's or a pending configuration follows, which is not what the VM runs with.
    ended: bool,
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

fn is_vm(line: &[u8]) -> bool {
    OF_A_VM.into_iter().any(|key| line.starts_with(key))
}

/// The names of a guest's CPU, which is enforced unless it is the host's.
fn asked() -> Names {
    let mut names = Names::default();
    names.ask_for_a_guest(Request::Proxmox(Vec::new()));
    names.set("enforce", "on");
    names
}

impl Proxmox {
    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let Some((name, mut names)) = self.model.take() else { return Ok(()) };
        self.has_cpu = true;
        if names.model().is_none() {
            names.based_on(DEFAULT_MODEL);
        }
        names.finish(None, Some(name), sink)
    }

    /// The configuration of a VM ends.
    fn end_vm(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let Some(line) = self.vm.take().filter(|_| !self.has_cpu) else { return Ok(()) };
        sink.note(line, format!("the VM has no line `cpu:`: Proxmox VE's default, {DEFAULT_MODEL}, applies"));
        asked().finish(None, Some(DEFAULT_MODEL.into()), sink)
    }

    /// A line of a model.
    fn of_model(names: &mut Names, text: &str, line: u64, sink: &mut Sink) {
        let text = text.trim();
        if let Some(list) = text.strip_prefix("flags") {
            flags(list, names, line, sink);
        }
        if let Some(model) = text.strip_prefix("reported-model") {
            names.based_on(model.trim());
            if model.trim() == HOST {
                names.set("enforce", "off");
            }
        }
    }

    /// `[cputype=]TYPE[,flags=LIST][,hidden=1]...`.
    fn vm(value: &str, line: u64, sink: &mut Sink) -> Result<(), Fault> {
        let mut names = asked();
        let mut name = String::new();
        for item in value.split(',').map(str::trim) {
            match item.split_once('=') {
                None if name.is_empty() => name = item.into(),
                Some(("cputype", of)) => name = of.into(),
                Some(("flags", list)) => flags(list, &mut names, line, sink),
                _ => {}
            }
        }
        if name == HOST {
            names.set("enforce", "off");
        }
        names.finish(None, Some(name), sink)
    }
}

impl Parser for Proxmox {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = String::from_utf8_lossy(line.text);
        self.ended |= self.vm.is_some() && text.starts_with('[');
        if self.ended {
            return Ok(());
        }
        if let Some(name) = text.strip_prefix("cpu-model:") {
            self.finish(sink)?;
            self.model = Some((name.trim().into(), asked()));
            return Ok(());
        }
        if is_vm(line.text) {
            self.finish(sink)?;
            self.vm.get_or_insert(line.number);
        }
        if let Some(value) = cpu(line.text) {
            self.finish(sink)?;
            self.has_cpu = true;
            return Proxmox::vm(&String::from_utf8_lossy(value), line.number, sink);
        }
        if text.starts_with("args:") {
            self.finish(sink)?;
            let mut values = qemu_args::values(line.text).peekable();
            self.has_cpu |= values.peek().is_some();
            return values
                .try_for_each(|value| qemu_args::cpu(&String::from_utf8_lossy(value), line.number, sink));
        }
        let Some((_, names)) = &mut self.model else { return Ok(()) };
        Proxmox::of_model(names, &text, line.number, sink);
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.finish(sink)?;
        self.end_vm(sink)
    }
}
