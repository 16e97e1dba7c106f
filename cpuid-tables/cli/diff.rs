//! `kvm-cpuid diff`: two tables compared.

mod differences;
mod migrate;
mod pairs;
mod remedy;
mod target;

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::show::{Style, Styled};
use cpuid_tables::{CpuidRead, QemuRelease, Vendor};
use serde_json::{Value, json};

use super::format::Format;
use super::input::Input;
use super::named_model::{misspelt_model, with_features};
use super::outcome::{Result, answer};
use super::output::{print_document, print_styled, warn};
use super::reading::Reading;
use super::source::Source;
use super::{advice, hint, host, partial};
use differences::Differences;
use migrate::migrate;
use pairs::{Pair, paired};
use target::Target;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid diff old.txt new.txt              the differences between two dumps
  kvm-cpuid diff --instruction --supported    what KVM here withholds from guests, and what it adds
  kvm-cpuid diff guest.txt --supported --migrate
                                              can a guest with that table migrate to this machine?
  kvm-cpuid diff guest.txt --migrate --host node2.json
                                              or to the machine that was recorded in node2.json?
  kvm-cpuid diff guest.txt --migrate --host node2.json --vmm firecracker
                                              the same with Firecracker there

A line with - is in A only, + is in B only, ~ is in both with different values. Sources with several CPUs are compared \
CPU by CPU; a single CPU is compared with every CPU of the other source. If a source specifies only some bits, such as \
a list of names, only bits that both sides specify are compared; a CPU model that it names counts with its features.

With --migrate, A is the table that the guest was started with, and B is what the target host's KVM supports. What a \
VMM adds to that counts as present: QEMU by default, or that of --vmm, and \
what a VMM other than QEMU takes away counts as missing; its options are taken to allow all they can. Each field is compared by its meaning: features must be present and sizes must not \
shrink; a restriction that is new on B is a note. Where A asks for a CPU, as -cpu, libvirt's <cpu> or Proxmox VE's cpu: do, it has \
what QEMU asks of a host for it; enforce, which Proxmox VE sets, and libvirt's check need every feature. Without B, it is what the KVM of --host HOST supports.

Exit codes:
  0  no difference; with --migrate: the guest can migrate
  1  a difference; with --migrate: it cannot
  2  one of them could not be read, or A names a CPU model that no QEMU has
  3  with --migrate: B does not state all that the guest has, or A not what the guest has from its host";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<2, 2>,
    /// Check whether a guest started on A can move to B, and list the obstacles
    #[arg(long)]
    migrate: bool,
    /// With --migrate: the VMM that runs the guest on B
    #[arg(long, value_name = "NAME", requires = "migrate", default_value = target::QEMU, value_parser = target::named)]
    vmm: Target,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let [a, b] = args.input.sources() else { return Ok(answer(false)) };
    let reading = &args.input.reading;
    let all = |source: &Source| -> Result<Vec<Cpu>> {
        Ok(reading.all(source)?.into_iter().map(with_features).collect())
    };
    let (pairs, alone) = paired((a, all(a)?), (b, all(b)?));
    if args.migrate && pairs.iter().any(|pair| pair.a.beside.template) {
        return template(args, (a, b), &pairs);
    }
    if args.migrate {
        if let Some(name) = pairs.iter().find_map(|pair| misspelt_model(&pair.a)) {
            return Err(hint::no_model(name, QemuRelease::NEWEST).of(a));
        }
    }
    let code = if args.migrate {
        migrate((args.format, args.vmm), vendor_of_host(reading, b)?, (a, b), &pairs)?
    } else {
        differ(args, (a, b), &pairs)?
    };
    // CPUs without a counterpart count as a difference.
    Ok(if alone == 0 { code } else { answer(false) })
}

/// The vendor of the recorded host that a source asks: an old record of what its KVM supports can lack it.
fn vendor_of_host(reading: &Reading, source: &Source) -> Result<Option<Vendor>> {
    match reading.host() {
        Some(name) if *source == Source::Supported => Ok(host::named(name)?.instruction.vendor()),
        _ => Ok(None),
    }
}

fn differ(args: &Args, sources: (&Source, &Source), pairs: &[Pair]) -> Result<ExitCode> {
    let found = Differences::new(pairs);
    if pairs.iter().any(Pair::is_partial) {
        warn("only bits that both sides specify are compared");
    }
    if args.format == Format::Json {
        print_document(found.to_json(sources))?;
    } else {
        print_styled(&found.styled(sources))?;
    }
    Ok(answer(found.is_empty()))
}

/// A template is not a guest: checks whether a guest with it can start on B.
fn template(args: &Args, (a, b): (&Source, &Source), pairs: &[Pair]) -> Result<ExitCode> {
    let mut found: Vec<partial::Finding> = Vec::new();
    for pair in pairs {
        if advice::is_open(&pair.b) {
            return Err(advice::open_destination(b));
        }
        for finding in partial::findings(&pair.a, &pair.b.entries) {
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
    }
    let can = found.is_empty();
    if args.format == Format::Json {
        let obstacles: Vec<Value> = found.iter().map(partial::Finding::to_json).collect();
        let all = json!({ "a": a.to_string(), "b": b.to_string(), "can_move": can, "template": obstacles });
        print_document(all)?;
        return Ok(answer(can));
    }
    let mut text = Styled::new();
    let (style, can_or_not) = if can { (Style::Good, "can") } else { (Style::Error, "cannot") };
    text.line(style, format_args!("A guest with the template A ({a}) {can_or_not} be started on B ({b})"));
    for finding in &found {
        text.push(Style::Error, finding.heading()).plain(format_args!("{finding}\n"));
    }
    print_styled(&text)?;
    Ok(answer(can))
}
