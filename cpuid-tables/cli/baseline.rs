//! `kvm-cpuid baseline`: the features that many hosts have in common.

use std::io;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Format as DumpFormat, Writer};
use cpuid_tables::fleet::{Baseline, Choice, Fleet, Group, LeftOut, Unequal, meanings, section};
use cpuid_tables::show::{Style, Styled, bit_list, name_of};
use cpuid_tables::{CpuidWord, FeatureSet, Leaf, QemuRelease, Register};
use serde_json::{Value, json};

use super::baseline_output::{Output, no_model, output, write_cpu};
use super::convert::unwritable;
use super::fleet::take_in;
use super::format::Form;
use super::guest::{level, level_to_json};
use super::has::NOT_KNOWN;
use super::input::Input;
use super::outcome::{Failed, Result, answer};
use super::output::{print_document, print_styled};
use super::stated_fleet::StatedFleet;
use super::{advice, qemu_release};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid baseline hosts/                       all dumps in a directory, one host each
  kvm-cpuid baseline a.txt b.txt --format entries the table that a guest may have on both
  collect | kvm-cpuid baseline - --format json    JSON, one line per host
  kvm-cpuid baseline hosts/ --format proxmox      the model for cpu-models.conf

A file is one host. CPUs with ascending numbers in a file belong to the same host, which has what all of them have. A \
CPU with a name, or with a number not above the previous one's, is a separate host: JSON lines with a \"name\" are one \
host each. A directory is read in order of names. Next to NAME.supported, NAME.msrs has the host's feature MSRs and \
NAME.caps its capabilities; NAME.host and NAME.hv are not read.

Dumps should hold what a host's KVM supports (KVM_GET_SUPPORTED_CPUID): `kvm-cpuid record` writes that and the feature \
MSRs. For dumps of the CPUID instruction, features that KVM always emulates are added, but features that KVM withholds \
are unknown.

A source that states only some features, such as /proc/cpuinfo, lscpu or a node's labels, is taken as well: then the output \
has what every host states, what some host lacks, and what some do not state.

Each field is combined by its meaning: a feature is set if all hosts have it, a restriction if any host has it, and \
sizes and levels are minimums. The model is the one with the most features among those that run unchanged on every \
host; -cpu adds the other common features. A host costs the fleet the features that all other hosts have.

Exit codes:
  0  a model runs on all hosts
  1  no model does
  2  there are no hosts, or one could not be read
  3  some hosts state only some features, and of no model all features are stated by every host";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<1, { usize::MAX }>,
    /// QEMU release whose models to use
    #[arg(long, value_name = "RELEASE", default_value = qemu_release::default(), value_parser = qemu_release::named)]
    qemu: QemuRelease,
    /// text, json, libvirt-domain or proxmox (the model, for either), or a dump format for the common table
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = output)]
    format: Output,
    /// An old spelling of --format
    #[arg(long, value_name = "FORMAT", hide = true, conflicts_with = "format")]
    to: Option<DumpFormat>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let (mut fleet, mut stated) = (Fleet::new(), StatedFleet::default());
    take_in(&mut fleet, &mut stated, args.input.sources(), &args.input.reading)?;
    if stated.is_open() {
        return of_stated(args, &stated);
    }
    let baseline = fleet.baseline().map_err(Failed::new)?;
    let (best, closest) = (best(&baseline, args.qemu)?, closest(&baseline, args.qemu)?);
    let choice = || best.as_ref().or(closest.as_ref()).ok_or_else(no_model);
    match args.output() {
        Output::Form(Form::Dump(format)) => write_table(&baseline, format)?,
        Output::Form(Form::Json) => {
            print_document(to_json(&baseline, best.as_ref(), closest.as_ref()))?;
        }
        Output::Form(Form::Text) => {
            print_styled(&text(&baseline, best.as_ref(), closest.as_ref()))?;
        }
        Output::Cpu(dialect) => {
            let choice = choice()?;
            let changes = (choice.added_names().collect(), choice.removed_names().collect());
            write_cpu(dialect, choice.model, changes)?;
        }
    }
    Ok(answer(best.is_some()))
}

impl Args {
    fn output(&self) -> Output {
        self.to.map_or(self.format, |format| Output::Form(Form::Dump(format)))
    }
}

/// What hosts have in common of which some state only some features.
fn of_stated(args: &Args, stated: &StatedFleet) -> Result<ExitCode> {
    match args.output() {
        Output::Form(Form::Json) => drop(print_document(stated.to_json(args.qemu))?),
        Output::Form(Form::Text) => drop(print_styled(&stated.styled(args.qemu))?),
        Output::Form(Form::Dump(_)) => {
            let open = "a source states only some bits, and a common table takes all bits of each host";
            return Err(Failed::new(open).help(advice::HOST));
        }
        Output::Cpu(dialect) => {
            let model = stated.model(args.qemu).ok_or_else(no_model)?;
            write_cpu(dialect, model, (Vec::new(), Vec::new()))?;
        }
    }
    Ok(stated.has_model(args.qemu).map_or(ExitCode::from(NOT_KNOWN), answer))
}

fn best(baseline: &Baseline, release: QemuRelease) -> Result<Option<Choice>> {
    baseline.best_model(release).map_err(Failed::new)
}

/// The closest model, unless the best one fits, which is at least as good.
fn closest(baseline: &Baseline, release: QemuRelease) -> Result<Option<Choice>> {
    let closest = baseline.closest_model(release).map_err(Failed::new)?;
    Ok(closest.filter(|choice| !choice.fits()))
}

fn write_table(baseline: &Baseline, format: DumpFormat) -> Result<()> {
    let mut writer = Writer::new(io::stdout().lock(), format).map_err(Failed::new)?;
    writer.write(&common(baseline)).map_err(|error| unwritable(&error))?;
    writer.finish().map(drop).map_err(|error| unwritable(&error))
}

/// The common table, with the values of the feature MSRs that all hosts have.
fn common(baseline: &Baseline) -> Cpu {
    let msrs = baseline.msrs.as_ref();
    Cpu {
        name: Some("baseline".to_owned()),
        msrs: msrs.map(|msrs| msrs.iter().map(|(msr, (value, _))| (*msr, *value)).collect()),
        ..Cpu::from_entries(baseline.entries.clone())
    }
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
    text.append(&level(&baseline.features()));
    if baseline.vendor().is_none() {
        let mut common = Styled::new();
        common.plain(format_args!("  {}\n", names(baseline.features()).join(" ")));
        add_section(&mut text, "Features that all hosts share", &common);
    }
    add_section(&mut text, "Features and limits that single hosts cost the fleet", &costs(&baseline.groups));
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
        let whose = if best.same_vendor {
            ""
        } else {
            " (another vendor's model: none of the hosts' own vendor runs)"
        };
        text.push(Style::Good, best.model).plain(format_args!("{whose}\n-cpu     {best}\n"));
    } else {
        let why = if baseline.vendor().is_none() {
            "the hosts have different vendors"
        } else {
            "no model runs unchanged on all of them"
        };
        text.push(Style::Error, "none").plain(format_args!(" ({why})\n"));
        // Of several vendors the names have their own section.
        if baseline.vendor().is_some() {
            text.plain(format_args!("common:  {}\n", names(baseline.features()).join(" ")));
        }
    }
    if let Some(closest) = closest {
        text.plain(format_args!("closest: -cpu {closest}\n"));
    }
}

/// What groups of hosts cost the fleet.
fn costs(groups: &[Group]) -> Styled {
    let costly = |group: &&Group| !group.costs.is_empty() || !group.limits.is_empty();
    let mut text = Styled::new();
    for group in groups.iter().filter(costly) {
        text.plain(format_args!("  {} ", hosts(group.hosts.len())));
        text.line(Style::Name, shortened(&group.hosts));
        if !group.costs.is_empty() {
            let costs = names(group.costs).join(" ");
            text.plain(format_args!("    missing only here: {costs}\n"));
        }
        for limit in &group.limits {
            let (with, without) = (number(limit.with), number(limit.without));
            text.plain(format_args!("    {}: {with}, without these hosts {without}\n", limit.field));
        }
    }
    text
}

/// A count in decimal, or a leaf number in hexadecimal.
fn number(value: u32) -> String {
    if value < 0x1_0000 { value.to_string() } else { format!("{value:#x}") }
}

/// Some names, and the number of others.
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
        text.plain("  restriction bits set on at least one host: ").line(Style::Doubt, names);
    }
    // Different vendors are already reported above.
    let vendor =
        |word: CpuidWord| matches!(word.leaf, Leaf(0 | 0x8000_0000)) && word.register != Register::Eax;
    for unequal in baseline.unequal.iter().filter(|unequal| !vendor(unequal.word)) {
        let values: Vec<String> = unequal.values.iter().map(|value| format!("{value:#x}")).collect();
        text.plain("  must be equal, but differs: ").push(Style::Error, place(unequal));
        text.plain(format_args!(" is {}: {}\n", values.join(", "), reason(unequal)));
    }
    undescribed(&mut text, &baseline.undescribed);
    for LeftOut { features, reason, .. } in baseline.left_out() {
        let names = names(features).join(" ");
        text.plain(format_args!("  every host has {names}; left out above: {reason}\n"));
    }
    if baseline.msrs.is_none() {
        text.plain("  feature MSRs are not compared: not every host provides them\n");
    }
    text
}

/// Undescribed bits: *and*-ed, since most bits promise something.
fn undescribed(text: &mut Styled, all: &[(CpuidWord, u32, u32)]) {
    const SHOWN: usize = 8;
    for (word, all, some) in all.iter().take(SHOWN) {
        text.plain(format_args!("  undocumented: {word}"));
        for (bits, whose) in [(*all, "set on all hosts"), (*some, "set on some hosts")] {
            if bits != 0 {
                text.plain(format_args!(", bits {} {whose}", bit_list(bits)));
            }
        }
        text.plain('\n');
    }
    if all.len() > SHOWN {
        let more = all.len() - SHOWN;
        text.plain(format_args!("  and {more} more registers, see --format json\n"));
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

fn hex(value: &u32) -> String {
    format!("{value:#x}")
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
            "mask": hex(&one.mask),
            "values": one.values.iter().map(hex).collect::<Vec<_>>(),
            "what": place(one),
            "reason": reason(one),
        })
    });
    let undescribed = baseline
        .undescribed
        .iter()
        .map(|(word, all, some)| json!({ "register": word.to_string(), "all": hex(all), "some": hex(some) }));
    let left_out =
        baseline.left_out().map(|one| json!({ "features": names(one.features), "reason": one.reason }));
    json!({
        "hosts": baseline.hosts,
        "vendors": vendors.collect::<Vec<_>>(),
        "model": choice_json(best),
        "closest": choice_json(closest),
        "nested": baseline.nested().map(name_of),
        "left_out": left_out.collect::<Vec<_>>(),
        "features": names(baseline.features()),
        "warnings": names(baseline.warnings),
        "unequal": unequal.collect::<Vec<_>>(),
        "undescribed": undescribed.collect::<Vec<_>>(),
        "groups": baseline.groups.iter().map(group_json).collect::<Vec<_>>(),
        "level": level_to_json(&baseline.features()),
        "cpus": [common(baseline).to_json()],
    })
}
