//! `kvm-cpuid models`: which of QEMU's CPU models run on a host.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::guest::{BuildError, Definition, GuestCpuid, MachineOption};
use cpuid_tables::naming::PsabiLevel;
use cpuid_tables::show::{Style, Styled, name_of};
use cpuid_tables::{CpuidRead, FeatureSet, QemuRelease};
use serde_json::{Value, json};

use super::format::Format;
use super::host::HostArg;
use super::named_model::NOT_MODELS;
use super::outcome::{Result, answer};
use super::output::{print_document, print_styled};
use super::{hint, qemu_release};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid models --host                              all of QEMU's CPU models, on this machine
  kvm-cpuid models EPYC-Milan-v2 Skylake-Server        whether these run, and why not
  kvm-cpuid models x86-64-v3                           whether the host has this level
  kvm-cpuid models --host hosts/milan --qemu 7.2 --format json

Each line has a CPU model's name, and whether it runs or what the host lacks of it, as in query-cpu-definitions' \
unavailable-features: by word and bit; an XSAVE component by the feature that enables it; \"\" for an unnamed bit. An \
unversioned name stands for the machine type's version; libvirt asks QEMU with --machine none. The levels of x86-64 \
(x86-64-v3) and Proxmox's x86-64-v2-AES are listed after the models.

Exit codes:
  0  done; with names: all of them run
  1  one of them does not run
  2  unknown CPU model, or the host could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Only these CPU models or levels, with the reason for each missing feature
    names: Vec<String>,
    #[command(flatten)]
    host: HostArg,
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
    // A wrong name is wrong on every host.
    if let Some(name) = args.names.iter().find(|name| !is_name(name, args.qemu)) {
        return Err(hint::no_model(name, args.qemu));
    }
    let host = args.host.read()?;
    let refused = |error: &BuildError| hint::refused(error, args.qemu);
    let machine = args.machine.parse::<MachineOption>().map_err(|error| refused(&error))?;
    let builder = GuestCpuid::builder().release(args.qemu).machine(machine).host(&host);
    let all = builder.definitions().map_err(|error| refused(&error))?;
    let (levels, names): (Vec<&String>, Vec<&String>) =
        args.names.iter().partition(|name| PsabiLevel::named(name).is_some());
    let definitions = if args.names.is_empty() { all } else { chosen(all, &names, args.qemu)? };
    let features = host.supported.features();
    let levels: Vec<(PsabiLevel, FeatureSet)> = PsabiLevel::all()
        .filter(|level| {
            args.names.is_empty() || levels.iter().any(|name| PsabiLevel::named(name) == Some(*level))
        })
        .map(|level| (level, level.missing(&features)))
        .collect();
    match args.format {
        Format::Json => print_document(json!({
            "models": definitions.iter().map(to_json).collect::<Vec<Value>>(),
            "levels": levels.iter().map(level_to_json).collect::<Vec<Value>>(),
        }))?,
        Format::Text => print_styled(&text(&definitions, &levels, !args.names.is_empty()))?,
    };
    let runs =
        definitions.iter().all(Definition::runs) && levels.iter().all(|(_, missing)| missing.is_empty());
    Ok(answer(args.names.is_empty() || runs))
}

/// Whether a release has a CPU of this name, or it is a level's.
fn is_name(name: &str, release: QemuRelease) -> bool {
    PsabiLevel::named(name).is_some() || NOT_MODELS.contains(&name) || release.cpu_model(name).is_some()
}

/// The requested ones in their order.
fn chosen(all: Vec<Definition>, names: &[&String], release: QemuRelease) -> Result<Vec<Definition>> {
    let one = |name: &&String| {
        let found = all.iter().find(|definition| definition.name == **name).cloned();
        found.ok_or_else(|| hint::no_model(name, release))
    };
    names.iter().map(one).collect()
}

fn text(definitions: &[Definition], levels: &[(PsabiLevel, FeatureSet)], reasons: bool) -> Styled {
    let names = definitions.iter().map(|definition| definition.name.as_str());
    let width = names.chain(levels.iter().map(|(level, _)| level.name())).map(str::len).max().unwrap_or(0);
    let mut text = Styled::new();
    for definition in definitions {
        let name = &definition.name;
        let names = hint::each_once(definition.unavailable_names.iter().map(|name| shown(name)));
        let alias = definition.alias_of.as_ref().map(|of| format!(" (is {of})")).unwrap_or_default();
        text.plain(format_args!("{name:width$}  "));
        if definition.runs() {
            text.push(Style::Good, "runs");
        } else {
            text.push(Style::Error, "lacks").plain(' ').plain(names.join(" "));
        }
        text.plain(format_args!("{alias}\n"));
        for filtered in definition.unavailable.iter().filter(|_| reasons) {
            text.plain(format_args!("    {filtered}\n"));
        }
    }
    if !reasons && !levels.is_empty() {
        text.plain('\n');
    }
    for (level, missing) in levels {
        text.plain(format_args!("{:width$}  ", level.name()));
        if missing.is_empty() {
            text.push(Style::Good, "runs");
        } else {
            text.push(Style::Error, "lacks").plain(' ').plain(hint::names(*missing));
        }
        text.plain('\n');
    }
    if !reasons {
        let running = definitions.iter().filter(|definition| definition.runs()).count();
        text.plain(format_args!("\n{running} of {} models run\n", definitions.len()));
    }
    text
}

fn shown(name: &'static str) -> &'static str {
    if name.is_empty() { "\"\"" } else { name }
}

fn to_json(definition: &Definition) -> Value {
    let reasons = definition.unavailable.iter().map(
        |filtered| json!({ "name": filtered.name, "bit": filtered.bit.0, "reason": filtered.reason.to_string() }),
    );
    json!({
        "name": definition.name,
        "alias_of": definition.alias_of,
        "runs": definition.runs(),
        "unavailable_features": definition.unavailable_names,
        "reasons": reasons.collect::<Vec<_>>(),
        "deprecated": definition.model.is_some_and(|model| model.deprecated().is_some()),
    })
}

fn level_to_json((level, missing): &(PsabiLevel, FeatureSet)) -> Value {
    json!({
        "name": level.name(),
        "runs": missing.is_empty(),
        "missing": missing.iter().map(name_of).collect::<Vec<_>>(),
    })
}
