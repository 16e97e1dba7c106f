//! QEMU's option `-cpu`, wherever a command line of QEMU is pasted from: `ps`, a log of libvirt's, a script.
//!
//! ```text
//! /usr/bin/qemu-system-x86_64 -name vm -cpu Haswell-noTSX,+pcid,-x2apic,vaes=on,enforce -smp 4
//! ```
//!
//! virt-install's `--cpu` is read as well, with its policies: `--cpu host-model,+pdpe1gb,disable=mpx`.
//!
//! Each `-cpu` is a CPU with the model's name. What the model itself has is not known here: `kvm-cpuid guest` builds it.
//! Properties that are no features state nothing, but for the level, vendor, family, model, stepping and the width of
//! addresses. Other text is ignored.

use std::boxed::Box;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::cpu::Request;
use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{Scan, find};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::Register;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "qemu-args",
    about: "-cpu of a QEMU command line",
    marks: &[Mark::MayBeLine(is_line)],
    parser: || Box::new(QemuArgs),
    style: None,
};

const OPTION: &[u8] = b"-cpu";
/// Properties that take `on` and `off` and stand for no bit of CPUID (`x86_cpu_properties` of target/i386/cpu.c, and the class
/// of KVM's host, up to 10.2).
static NOT_BITS: [&str; 24] = [
    "check",
    "enforce",
    "migratable",
    "kvm",
    "pmu",
    "host-phys-bits",
    "host-cache-info",
    "l3-cache",
    "cpuid-0xb",
    "full-cpuid-auto-level",
    "fill-mtrr-mask",
    "lmce",
    "legacy-cache",
    "legacy-multi-node",
    "xen-vapic",
    "tcg-cpuid",
    "kvm-no-smi-migration",
    "kvm-pv-enforce-cpuid",
    "vmware-cpuid-freq",
    "x-vendor-cpuid-only",
    "start-powered-off",
    "x-intel-pt-auto-level",
    "x-force-features",
    "x-consistent-cache",
];

/// The reader.
struct QemuArgs;

/// The value of each `-cpu`, without quotes.
pub(super) fn values(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    core::iter::from_fn(move || {
        loop {
            let at = find(rest, OPTION)?;
            // `--cpu`: virt-install's, and QEMU's, which takes two hyphens as well.
            let start = at - usize::from(rest[..at].ends_with(b"-"));
            let begins = start == 0 || b" \t'\"[,".contains(&rest[start - 1]);
            let mut after = Scan::new(&rest[at + OPTION.len()..]);
            rest = after.rest();
            // A list of arguments has `"-cpu", "host"`.
            let quoted = after.literal(b"\"") || after.literal(b"'");
            let separated = after.literal(b",") & quoted | after.blanks() || after.literal(b"=") || quoted;
            after.blanks();
            if !begins || !separated {
                continue;
            }
            let quote = after.rest().first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
            let value = match quote {
                Some(quote) => {
                    after.literal(&[quote]);
                    after.while_is(|byte| byte != quote)
                }
                None => after.while_is(|byte| !byte.is_ascii_whitespace() && !b"'\"\\".contains(&byte)),
            };
            rest = after.rest();
            if value.first().is_some_and(u8::is_ascii_alphanumeric) {
                return Some(value);
            }
        }
    })
}

fn is_line(line: &[u8]) -> bool {
    values(line).next().is_some()
}

/// An item with virt-install's policies as signs. Of an optional feature nothing is known.
fn signed(item: &str) -> Option<String> {
    match item.split_once('=') {
        Some(("require" | "force", name)) => Some(format!("+{name}")),
        Some(("disable" | "forbid", name)) => Some(format!("-{name}")),
        Some(("optional", _)) => None,
        _ => Some(String::from(item)),
    }
}

/// When QEMU applies an item, wherever it is: each `name=value`, then each `+name`, then each `-name`.
fn turn(item: &str) -> u8 {
    match item.as_bytes().first() {
        Some(b'-') => 2,
        Some(b'+') => 1,
        _ => 0,
    }
}

/// A model with its features. A name alone or with a sign is a feature, as is one with `on` or `off`.
pub(super) fn cpu(value: &str, line: u64, sink: &mut Sink) -> Result<(), Fault> {
    let mut items = value.split(',');
    let model = items.next().unwrap_or_default();
    let mut items: Vec<String> =
        items.map(str::trim).filter(|item| !item.is_empty()).filter_map(signed).collect();
    items.sort_by_key(|item| turn(item));
    let mut names = Names::default();
    names.ask_for_a_guest(Request::Qemu(String::from(value)));
    let (mut family, mut number, mut stepping) = (None, None, None);
    for item in &items {
        // Proxmox VE's list.
        if let Some(list) = item.strip_prefix("flags=") {
            super::proxmox_flags::flags(list, &mut names, line, sink);
            continue;
        }
        let (name, on) = match (item.strip_prefix('+'), item.strip_prefix('-'), item.split_once('=')) {
            (Some(name), ..) => (name, true),
            (_, Some(name), _) => (name, false),
            (.., Some((name, "on" | "true" | "yes" | "y"))) => (name, true),
            (.., Some((name, "off" | "false" | "no" | "n"))) => (name, false),
            (.., Some((name, value))) => {
                let whole = Scan::new(value.as_bytes()).number();
                match name {
                    "family" => family = whole,
                    "model" => number = whole,
                    "stepping" => stepping = whole,
                    "vendor" => names.vendor(value),
                    _ => {
                        names.set(name, value);
                        property(&mut names, name, whole);
                    }
                }
                continue;
            }
            _ => (item.as_str(), true),
        };
        let not_a_bit = NOT_BITS.contains(&name) || name.starts_with("hv-") || name.starts_with("hv_");
        if not_a_bit {
            names.set(name, if on { "on" } else { "off" });
        } else if names.feature(name, on).is_err() {
            sink.note(line, Unknown::note(name));
        }
    }
    names.signature(family, number, stepping);
    names.finish(None, Some(String::from(model)), sink)
}

/// A property with a number. The levels are what the guest has; `min-level` and others only bound it.
fn property(names: &mut Names, name: &str, number: Option<u32>) {
    let Some(number) = number else { return };
    match name {
        "level" => names.register(0, Register::Eax, u32::MAX, number),
        "xlevel" => names.register(0x8000_0000, Register::Eax, u32::MAX, number),
        "phys-bits" if (1..=0xff).contains(&number) => {
            names.register(0x8000_0008, Register::Eax, 0xff, number)
        }
        _ => {}
    }
}

impl Parser for QemuArgs {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        values(line.text).try_for_each(|value| cpu(&String::from_utf8_lossy(value), line.number, sink))
    }
}
