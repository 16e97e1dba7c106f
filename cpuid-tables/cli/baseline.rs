//! `kvm-cpuid baseline`: what many hosts have in common.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Format as DumpFormat, Writer};
use cpuid_tables::fleet::{Baseline, Choice, Fleet, Group, Unequal, meanings, section};
use cpuid_tables::show::{bit_list, name_of};
use cpuid_tables::{CpuidWord, FeatureSet, Leaf, QemuRelease, Register};
use serde_json::{Value, json};

use super::args::Format;
use super::fleet::take_in;
use super::guest::{default_release, release};
use super::output::{BAD, DOUBT, Failed, GOOD, HEADING, NAME, print, print_json, styled};
use super::source::{Input, format};
use super::{Result, answer};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid baseline hosts/                       all dumps in a directory, one host each
  kvm-cpuid baseline a.txt b.txt --to entries     the table that a guest may have on both
  collect | kvm-cpuid baseline - --format json    JSON, one line per host

A file is one host. CPUs with ascending numbers in a file belong to the same host, which has what all
of them have. A CPU with a name, or with a number not above the previous one's, is a separate
host: JSON lines with a \"name\" are one host each. A directory is read in order of names. Next to
NAME.supported, NAME.msrs has the host's feature MSRs and NAME.caps its capabilities; NAME.host and
NAME.hv are not read.

Dumps should hold what a host's KVM supports (KVM_GET_SUPPORTED_CPUID). For dumps of the CPUID
instruction, features that KVM always emulates are added, but features that KVM withholds are unknown.

Each field is combined by its meaning: a feature is set if all hosts have it, a restriction if any
host has it, and sizes and levels are minimums. The model is the one with the most features among
those that run unchanged on every host; -cpu adds the other common features. A host costs the fleet
the features that all other hosts have.

Exit codes:
  0  a model runs on all hosts
  1  no model does
  2  there are no hosts, or one could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<1, { usize::MAX }>,
    /// Write the common table in this dump format
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    to: Option<DumpFormat>,
    /// QEMU release whose models to use
    #[arg(long, value_name = "RELEASE", default_value = default_release(), value_parser = release)]
    qemu: QemuRelease,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut fleet = Fleet::new();
    take_in(&mut fleet, args.input.sources(), &args.input.reading)?;
    let baseline = fleet.baseline().map_err(Failed::new)?;
    let (best, closest) = (best(&baseline, args.qemu)?, closest(&baseline, args.qemu)?);
    if let Some(to) = args.to {
        write_table(&baseline, to)?;
    } else if args.format == Format::Json {
        print_json(&to_json(&baseline, best.as_ref(), closest.as_ref()))?;
    } else {
        print(&text(&baseline, best.as_ref(), closest.as_ref()))?;
    }
    Ok(answer(best.is_some()))
}

fn best(baseline: &Baseline, release: QemuRelease) -> Result<Option<Choice>> {
    baseline.best_model(release).map_err(Failed::new)
}

/// The closest model, where some of it has to be removed: one that fits is the best one, or as good.
fn closest(baseline: &Baseline, release: QemuRelease) -> Result<Option<Choice>> {
    let closest = baseline.closest_model(release).map_err(Failed::new)?;
    Ok(closest.filter(|choice| !choice.fits()))
}

fn write_table(baseline: &Baseline, format: DumpFormat) -> Result<()> {
    let mut writer = Writer::new(io::stdout().lock(), format).map_err(Failed::new)?;
    writer.write(&Cpu::from_entries(baseline.entries.clone())).map_err(Failed::new)?;
    writer.finish().map(drop).map_err(Failed::new)
}

fn names(features: FeatureSet) -> Vec<&'static str> {
    features.iter().map(name_of).collect()
}

fn hosts(count: usize) -> String {
    if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") }
}

fn text(baseline: &Baseline, best: Option<&Choice>, closest: Option<&Choice>) -> String {
    let vendors: Vec<String> = match baseline.vendors.as_slice() {
        [(vendor, _)] => vec![vendor.trim().to_owned()],
        all => all.iter().map(|(vendor, count)| format!("{count} {vendor}")).collect(),
    };
    let mut text = format!("{}: {}\n", styled(HEADING, hosts(baseline.hosts)), vendors.join(", "));
    text += &models(baseline, best, closest);
    text += &costs(&baseline.groups);
    text += &notes(baseline);
    text
}

fn models(baseline: &Baseline, best: Option<&Choice>, closest: Option<&Choice>) -> String {
    let Some(best) = best else {
        let why = if baseline.vendor().is_none() {
            "the hosts have different vendors"
        } else {
            "no model runs unchanged on all of them"
        };
        return format!("model:   {} ({why})\n{}", styled(BAD, "none"), closest_line(closest));
    };
    let whose =
        if best.same_vendor { "" } else { " (another vendor's model: none of the hosts' own vendor runs)" };
    let name = best.model.to_string();
    format!("model:   {}{whose}\n-cpu     {best}\n{}", styled(GOOD, name), closest_line(closest))
}

fn closest_line(closest: Option<&Choice>) -> String {
    closest.map(|choice| format!("closest: -cpu {choice}\n")).unwrap_or_default()
}

/// What groups of hosts cost the others.
fn costs(groups: &[Group]) -> String {
    let costly = |group: &&Group| !group.costs.is_empty() || !group.limits.is_empty();
    let mut text = String::new();
    for group in groups.iter().filter(costly) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {} {}", hosts(group.hosts.len()), styled(NAME, shortened(&group.hosts)));
        if !group.costs.is_empty() {
            let _ = writeln!(text, "    lacks what all others have: {}", names(group.costs).join(" "));
        }
        for limit in &group.limits {
            let (with, without) = (number(limit.with), number(limit.without));
            let _ = writeln!(text, "    {}: {with}, without them {without}", limit.field);
        }
    }
    if text.is_empty() {
        text
    } else {
        format!("\n{}\n{text}", styled(HEADING, "Features and limits that single hosts cost the fleet"))
    }
}

/// A count in decimal; a leaf's number, say, in hexadecimal.
fn number(value: u32) -> String {
    if value < 0x1_0000 { value.to_string() } else { format!("{value:#x}") }
}

/// Some names, and how many more there are.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn notes(baseline: &Baseline) -> String {
    let mut text = String::new();
    if !baseline.warnings.is_empty() {
        let names = names(baseline.warnings).join(" ");
        text += &format!("  restriction bits set on at least one host: {}\n", styled(DOUBT, names));
    }
    // Several vendors were told of above.
    let vendor =
        |word: CpuidWord| matches!(word.leaf, Leaf(0 | 0x8000_0000)) && word.register != Register::Eax;
    for unequal in baseline.unequal.iter().filter(|unequal| !vendor(unequal.word)) {
        let values: Vec<String> = unequal.values.iter().map(|value| format!("{value:#x}")).collect();
        let place = styled(BAD, place(unequal));
        text +=
            &format!("  must be equal, but differs: {place} is {}: {}\n", values.join(", "), reason(unequal));
    }
    text += &undescribed(&baseline.undescribed);
    if let Some(feature) = baseline.nested() {
        text +=
            &format!("  nested virtualization: every host has {0}; it is left out above\n", name_of(feature));
    }
    if baseline.msrs.is_none() {
        text += "  feature MSRs are not compared: not every host provides them\n";
    }
    if text.is_empty() { text } else { format!("\n{}\n{text}", styled(HEADING, "Besides")) }
}

/// Bits of which nobody says what they are: and-ed, since most bits promise something.
fn undescribed(all: &[(CpuidWord, u32, u32)]) -> String {
    const SHOWN: usize = 8;
    let mut text = String::new();
    for (word, all, some) in all.iter().take(SHOWN) {
        let _ = write!(text, "  undescribed bits: {word}");
        for (bits, whose) in [(*all, "set on all hosts"), (*some, "set on some hosts")] {
            if bits != 0 {
                let _ = write!(text, ", {whose} bits {}", bit_list(bits));
            }
        }
        text.push('\n');
    }
    if all.len() > SHOWN {
        let _ = writeln!(text, "  and {} more registers, see --format json", all.len() - SHOWN);
    }
    text
}

/// A field by its name, else by its bits.
fn place(unequal: &Unequal) -> String {
    let part = meanings(unequal.word).find(|meaning| meaning.mask == unequal.mask);
    match part.and_then(|meaning| meaning.part) {
        Some(part) => format!("{} {}", unequal.word, part.name()),
        None => format!("{} bits {:#x}", unequal.word, unequal.mask),
    }
}

fn reason(unequal: &Unequal) -> String {
    let found = meanings(unequal.word).find(|meaning| meaning.mask == unequal.mask);
    let reason = found.map_or("", |meaning| meaning.reason);
    format!("{reason} ({})", section(unequal.word.leaf))
}

fn choice_json(choice: Option<&Choice>) -> Value {
    choice.map_or(Value::Null, |choice| {
        json!({
            "name": choice.model.to_string(),
            "cpu": choice.to_string(),
            "add": choice.added_names().collect::<Vec<_>>(),
            "remove": choice.removed_names().collect::<Vec<_>>(),
            "same_vendor": choice.same_vendor,
        })
    })
}

fn group_json(group: &Group) -> Value {
    let limits = group
        .limits
        .iter()
        .map(|limit| json!({ "field": limit.field.name(), "with": limit.with, "without": limit.without }));
    json!({
        "hosts": group.hosts,
        "lacks": names(group.lacks),
        "costs": names(group.costs),
        "limits": limits.collect::<Vec<_>>(),
    })
}

fn to_json(baseline: &Baseline, best: Option<&Choice>, closest: Option<&Choice>) -> Value {
    let vendors = baseline.vendors.iter().map(|(vendor, hosts)| json!({ "vendor": vendor, "hosts": hosts }));
    let unequal = baseline.unequal.iter().map(|one| {
        json!({
            "register": one.word.to_string(),
            "mask": one.mask,
            "values": one.values,
            "what": place(one),
            "reason": reason(one),
        })
    });
    let undescribed = baseline
        .undescribed
        .iter()
        .map(|(word, all, some)| json!({ "register": word.to_string(), "all": all, "some": some }));
    let entries = baseline.entries.iter().map(|entry| {
        json!({
            "function": entry.function.0,
            "index": entry.index.0,
            "flags": entry.flags,
            "registers": entry.registers.to_array(),
        })
    });
    let msrs = baseline.msrs.as_ref().map(|msrs| {
        let one = |(msr, (value, _)): (&cpuid_tables::Msr, &(u64, u64))| {
            json!({ "msr": msr.0, "value": format!("{value:#x}") })
        };
        msrs.iter().map(one).collect::<Vec<_>>()
    });
    json!({
        "hosts": baseline.hosts,
        "vendors": vendors.collect::<Vec<_>>(),
        "model": choice_json(best),
        "closest": choice_json(closest),
        "nested": baseline.nested().map(name_of),
        "features": names(baseline.features()),
        "warnings": names(baseline.warnings),
        "unequal": unequal.collect::<Vec<_>>(),
        "undescribed": undescribed.collect::<Vec<_>>(),
        "groups": baseline.groups.iter().map(group_json).collect::<Vec<_>>(),
        "msrs": msrs,
        "entries": entries.collect::<Vec<_>>(),
    })
}
