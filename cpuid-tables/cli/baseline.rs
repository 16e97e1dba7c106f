//! `kvm-cpuid baseline`: what many hosts have in common.

use std::io;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Format as DumpFormat, Writer};
use cpuid_tables::fleet::{Baseline, Choice, Fleet, Group, Unequal, meanings, section};
use cpuid_tables::show::{Style, Styled, bit_list, name_of};
use cpuid_tables::{CpuidWord, FeatureSet, Leaf, QemuRelease, Register};
use serde_json::{Value, json};

use super::fleet::take_in;
use super::format::Format;
use super::outcome::{Failed, Result, answer};
use super::output::{print_json, print_styled};
use super::qemu_release;
use super::source::Input;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid baseline hosts/                       every dump in a directory, one host each
  kvm-cpuid baseline a.txt b.txt --to entries     the table that a guest may have on both
  collect | kvm-cpuid baseline - --format json    JSON, a line for each host

A host is a file; CPUs that are numbered upwards in it, or not at all, are one host's, and what is true
of all of them is true of it. A CPU with a name, or one whose number is not above the last one's, is a host of its
own: JSON lines with a \"name\" are a host each. A directory is walked in order of names. Beside
NAME.supported, NAME.msrs has the host's feature MSRs and NAME.caps its capabilities; NAME.host and
NAME.hv are not read.

Dumps are best what KVM supports there (KVM_GET_SUPPORTED_CPUID). From dumps of the CPUID instruction,
what KVM emulates everywhere is added, but what a host's KVM keeps from guests is not known.

Each field is combined by its meaning: most bits promise something and are there when all hosts have
them, some warn and are there when any has them, sizes and levels are the least. The model is the one
with most features of all that run on every host as they are; -cpu adds what else all hosts have. A
host costs the others what all of them have but it.

Exit codes:
  0  there is a model that runs on all hosts
  1  there is none
  2  there is no host, or one could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<1, { usize::MAX }>,
    /// Write the table that all hosts have, in this format of dumps
    #[arg(long, value_name = "FORMAT")]
    to: Option<DumpFormat>,
    /// The release of QEMU whose models are taken
    #[arg(long, value_name = "RELEASE", default_value = qemu_release::default(), value_parser = qemu_release::named)]
    qemu: QemuRelease,
    /// For people or for programs
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
        print_styled(&text(&baseline, best.as_ref(), closest.as_ref()))?;
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

fn text(baseline: &Baseline, best: Option<&Choice>, closest: Option<&Choice>) -> Styled {
    let vendors: Vec<String> = match baseline.vendors.as_slice() {
        [(vendor, _)] => vec![vendor.trim().to_owned()],
        all => all.iter().map(|(vendor, count)| format!("{count} {vendor}")).collect(),
    };
    let mut text = Styled::new();
    text.push(Style::Heading, hosts(baseline.hosts)).plain(format_args!(": {}\n", vendors.join(", ")));
    models(&mut text, baseline, best, closest);
    add_section(&mut text, "What hosts cost the others", &costs(&baseline.groups));
    add_section(&mut text, "Besides", &notes(baseline));
    text
}

/// Adds a section under a heading, unless it is empty.
fn add_section(text: &mut Styled, heading: &str, section: &Styled) {
    if !section.is_empty() {
        text.plain('\n').line(Style::Heading, heading).append(section);
    }
}

fn models(text: &mut Styled, baseline: &Baseline, best: Option<&Choice>, closest: Option<&Choice>) {
    text.plain("model:   ");
    if let Some(best) = best {
        let whose = if best.same_vendor { "" } else { " (another vendor's: none of their own runs)" };
        text.push(Style::Good, best.model).plain(format_args!("{whose}\n-cpu     {best}\n"));
    } else {
        let why = if baseline.vendor().is_none() {
            "a guest can't be on hosts of several vendors"
        } else {
            "no model runs on all of them as it is"
        };
        text.push(Style::Error, "none").plain(format_args!(" ({why})\n"));
        text.plain(format_args!("common:  {}\n", names(baseline.features()).join(" ")));
    }
    if let Some(closest) = closest {
        text.plain(format_args!("closest: -cpu {closest}\n"));
    }
}

/// What groups of hosts cost the others.
fn costs(groups: &[Group]) -> Styled {
    let costly = |group: &&Group| !group.costs.is_empty() || !group.limits.is_empty();
    let mut text = Styled::new();
    for group in groups.iter().filter(costly) {
        text.plain(format_args!("  {} ", hosts(group.hosts.len())));
        text.line(Style::Name, shortened(&group.hosts));
        if !group.costs.is_empty() {
            let costs = names(group.costs).join(" ");
            text.plain(format_args!("    lack what all others have: {costs}\n"));
        }
        for limit in &group.limits {
            let (with, without) = (number(limit.with), number(limit.without));
            text.plain(format_args!("    {}: {with}, without them {without}\n", limit.field));
        }
    }
    text
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

fn notes(baseline: &Baseline) -> Styled {
    let mut text = Styled::new();
    if !baseline.warnings.is_empty() {
        let names = names(baseline.warnings).join(" ");
        text.plain("  shown because some hosts do it: ").line(Style::Doubt, names);
    }
    // Several vendors were told of above.
    let vendor =
        |word: CpuidWord| matches!(word.leaf, Leaf(0 | 0x8000_0000)) && word.register != Register::Eax;
    for unequal in baseline.unequal.iter().filter(|unequal| !vendor(unequal.word)) {
        let values: Vec<String> = unequal.values.iter().map(|value| format!("{value:#x}")).collect();
        text.plain("  has to be equal: ").push(Style::Error, place(unequal));
        text.plain(format_args!(" is {}: {}\n", values.join(", "), reason(unequal)));
    }
    undescribed(&mut text, &baseline.undescribed);
    if let Some(feature) = baseline.nested() {
        let name = name_of(feature);
        text.plain(format_args!(
            "  guests of guests: all hosts have {name}; the models above are without +{name}\n"
        ));
    }
    if baseline.msrs.is_none() {
        text.plain("  feature MSRs are not compared: not every host tells them\n");
    }
    text
}

/// Bits of which nobody says what they are: and-ed, since most bits promise something.
fn undescribed(text: &mut Styled, all: &[(CpuidWord, u32, u32)]) {
    const SHOWN: usize = 8;
    for (word, all, some) in all.iter().take(SHOWN) {
        text.plain(format_args!("  nobody describes: {word}"));
        for (bits, whose) in [(*all, "all have"), (*some, "some have")] {
            if bits != 0 {
                text.plain(format_args!(", {whose} bits {}", bit_list(bits)));
            }
        }
        text.plain('\n');
    }
    if all.len() > SHOWN {
        let more = all.len() - SHOWN;
        text.plain(format_args!("  and bits of {more} more registers, see --format json\n"));
    }
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
