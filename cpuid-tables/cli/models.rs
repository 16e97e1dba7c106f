//! `kvm-cpuid models`: which of QEMU's CPU models run on a host.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::QemuRelease;
use cpuid_tables::guest::{Definition, GuestCpuid, MachineOption};
use cpuid_tables::show::{Style, Styled};
use serde_json::json;

use super::format::Format;
use super::outcome::{Failed, Result, answer};
use super::output::{print_json, print_styled};
use super::{host, qemu_release};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid models --host                              all of QEMU's CPU models, on this machine
  kvm-cpuid models EPYC-Milan-v2 Skylake-Server        whether these run, and why not
  kvm-cpuid models --host hosts/milan --qemu 7.2 --format json

Each line has a CPU model's name, then the features that the host lacks, as in query-cpu-definitions'
unavailable-features: by word and bit; an XSAVE component by the feature that enables it; \"\" for an
unnamed bit. An unversioned name stands for the machine type's version; libvirt asks QEMU with
--machine none. --host DIR/NAME is a recorded host, as in `kvm-cpuid guest`.

Exit codes:
  0  done; with names: all of them run
  1  one of them does not run
  2  unknown CPU model, or the host could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Only these CPU models, with the reason for each missing feature
    names: Vec<String>,
    /// The host: a recorded host, a dump, or `real` for this machine
    #[arg(long, value_name = "FILE|DIR/NAME|real", default_value = "real", default_missing_value = "real", num_args = 0..=1)]
    host: String,
    /// QEMU release
    #[arg(long, value_name = "RELEASE", default_value = qemu_release::default(), value_parser = qemu_release::named)]
    qemu: QemuRelease,
    /// The machine, in QEMU's -machine syntax
    #[arg(long, value_name = "TYPE[,OPTION...]", default_value = "pc")]
    machine: String,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let host = host::named(&args.host)?;
    let machine = args.machine.parse::<MachineOption>().map_err(Failed::new)?;
    let builder = GuestCpuid::builder().release(args.qemu).machine(machine).host(&host);
    let definitions = builder.definitions().map_err(Failed::new)?;
    let definitions = chosen(definitions, &args.names, args.qemu)?;
    match args.format {
        Format::Json => print_json(&definitions.iter().map(to_json).collect())?,
        Format::Text => print_styled(&text(&definitions, !args.names.is_empty()))?,
    };
    Ok(answer(args.names.is_empty() || definitions.iter().all(Definition::runs)))
}

/// All of them, or the requested ones in their order.
fn chosen(all: Vec<Definition>, names: &[String], release: QemuRelease) -> Result<Vec<Definition>> {
    if names.is_empty() {
        return Ok(all);
    }
    let one = |name: &String| {
        let found = all.iter().find(|definition| definition.name == *name).cloned();
        found.ok_or_else(|| {
            let failed = Failed::new(format!("QEMU {release} has no CPU model `{name}`"));
            failed.help("`kvm-cpuid models` without a name lists them; case matters")
        })
    };
    names.iter().map(one).collect()
}

fn text(definitions: &[Definition], reasons: bool) -> Styled {
    let width = definitions.iter().map(|definition| definition.name.len()).max().unwrap_or(0);
    let mut text = Styled::new();
    for definition in definitions {
        let name = &definition.name;
        let names: Vec<&str> = definition.unavailable_names.iter().map(|name| shown(name)).collect();
        let alias = definition.alias_of.as_ref().map(|of| format!(" (is {of})")).unwrap_or_default();
        text.plain(format_args!("{name:width$}  "));
        if definition.runs() {
            text.push(Style::Good, "runs");
        } else {
            text.push(Style::Error, names.join(" "));
        }
        text.plain(format_args!("{alias}\n"));
        for filtered in definition.unavailable.iter().filter(|_| reasons) {
            text.plain(format_args!("    {filtered}\n"));
        }
    }
    if !reasons {
        let running = definitions.iter().filter(|definition| definition.runs()).count();
        text.plain(format_args!("{running} of {} run\n", definitions.len()));
    }
    text
}

fn shown(name: &'static str) -> &'static str {
    if name.is_empty() { "\"\"" } else { name }
}

/// With QEMU's keys where QEMU has them.
fn to_json(definition: &Definition) -> serde_json::Value {
    let reasons = definition.unavailable.iter().map(|filtered| {
        json!({ "name": filtered.name, "bit": filtered.bit.0, "reason": filtered.reason.to_string() })
    });
    json!({
        "name": definition.name,
        "alias-of": definition.alias_of,
        "unavailable-features": definition.unavailable_names,
        "reasons": reasons.collect::<Vec<_>>(),
        "deprecated": definition.model.is_some_and(|model| model.deprecated().is_some()),
    })
}
