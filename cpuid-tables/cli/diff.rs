//! `kvm-cpuid diff`: two tables compared.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::show::{
    EntryDifferences, Migration, MigrationSide, MsrDifference, Obstacle, Style, Styled, compare, compare_msrs,
};
use cpuid_tables::{CpuidRead, feature};
use serde_json::{Value, json};

use super::format::Format;
use super::outcome::{Result, answer};
use super::output::{print_json, print_styled, warn};
use super::source::{Input, Source};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid diff old.txt new.txt              the differences between two dumps
  kvm-cpuid diff --host --supported           what KVM here withholds from guests, and what it adds
  kvm-cpuid diff guest.txt --supported --migrate
                                              can a guest with that table migrate to this machine?

A line with - is in A only, + is in B only, ~ is in both with different values. Sources with several
CPUs are compared CPU by CPU; a single CPU is compared with every CPU of the other source.

With --migrate, A is the table that the guest was started with, and B is what the target host's
KVM supports. What a VMM adds to that counts as present. Each field is compared by its meaning:
features must be present and sizes must not shrink; a restriction that is new on B is a note.

Exit codes:
  0  no difference; with --migrate: the guest can migrate
  1  a difference; with --migrate: it cannot
  2  one of them could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<2, 2>,
    /// Check whether a guest started on A can move to B, and list the obstacles
    #[arg(long)]
    migrate: bool,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let [a, b] = args.input.sources() else { return Ok(answer(false)) };
    let reading = &args.input.reading;
    let (pairs, alone) = paired((a, reading.all(a)?), (b, reading.all(b)?));
    let code = if args.migrate { migrate(args, (a, b), &pairs)? } else { differ(args, (a, b), &pairs)? };
    // CPUs without a counterpart count as a difference.
    Ok(if alone == 0 { code } else { answer(false) })
}

/// Two CPUs to compare, and their names.
struct Pair {
    names: (String, String),
    a: Cpu,
    b: Cpu,
}

/// Pairs of CPUs: by number if both have numbers, else by position; a single CPU is paired with all of the other
/// side. Also returns the number of CPUs without a counterpart.
fn paired((source_a, a): (&Source, Vec<Cpu>), (source_b, b): (&Source, Vec<Cpu>)) -> (Vec<Pair>, usize) {
    let pair =
        |a: &Cpu, b: &Cpu| Pair { names: (source_a.title(a), source_b.title(b)), a: a.clone(), b: b.clone() };
    match (a.as_slice(), b.as_slice()) {
        ([a], all) => (all.iter().map(|b| pair(a, b)).collect(), 0),
        (all, [b]) => (all.iter().map(|a| pair(a, b)).collect(), 0),
        (all_a, all_b) => {
            let numbered = all_a.iter().chain(all_b).all(|cpu| cpu.number.is_some());
            let partner = |at: usize, cpu: &Cpu| {
                if numbered { all_b.iter().find(|other| other.number == cpu.number) } else { all_b.get(at) }
            };
            let found = all_a.iter().enumerate().filter_map(|(at, cpu)| Some(pair(cpu, partner(at, cpu)?)));
            let pairs: Vec<Pair> = found.collect();
            let alone = all_a.len() + all_b.len() - 2 * pairs.len();
            if alone > 0 {
                warn(format!(
                    "{alone} CPUs have no counterpart: {source_a} has {}, {source_b} has {}",
                    all_a.len(),
                    all_b.len()
                ));
            }
            (pairs, alone)
        }
    }
}

/// Equal results, grouped with all pairs that have them.
fn grouped<T: PartialEq>(pairs: &[Pair], of: impl Fn(&Pair) -> T) -> Vec<(Vec<&Pair>, T)> {
    let mut groups: Vec<(Vec<&Pair>, T)> = Vec::new();
    for pair in pairs {
        let result = of(pair);
        match groups.iter_mut().find(|(_, other)| *other == result) {
            Some((group, _)) => group.push(pair),
            None => groups.push((vec![pair], result)),
        }
    }
    groups
}

fn names(group: &[&Pair]) -> (String, String) {
    let told = |all: Vec<&str>| {
        let mut names = all;
        names.dedup();
        match names.as_slice() {
            [first, .., last] if names.len() > 4 => format!("{first} to {last} ({} CPUs)", names.len()),
            _ => names.join(", "),
        }
    };
    let a = told(group.iter().map(|pair| pair.names.0.as_str()).collect());
    (a, told(group.iter().map(|pair| pair.names.1.as_str()).collect()))
}

fn differ(args: &Args, (a, b): (&Source, &Source), pairs: &[Pair]) -> Result<ExitCode> {
    let groups = grouped(pairs, |pair| {
        let entries = compare(&pair.a.entries, &pair.b.entries);
        (entries, compare_msrs(pair.a.msrs.as_ref(), pair.b.msrs.as_ref()))
    });
    let same = groups.iter().all(|(_, (entries, msrs))| entries.is_empty() && msrs.is_empty());
    if args.format == Format::Json {
        let to_json =
            |(group, (entries, msrs)): &(Vec<&Pair>, (Vec<EntryDifferences>, Vec<MsrDifference>))| {
                json!({
                    "cpus": cpus(group),
                    "leaves": entries.iter().map(EntryDifferences::to_json).collect::<Vec<Value>>(),
                    "msrs": msrs.iter().map(MsrDifference::to_json).collect::<Vec<Value>>(),
                })
            };
        let groups: Vec<Value> = groups.iter().map(to_json).collect();
        print_json(&json!({ "a": a.to_string(), "b": b.to_string(), "same": same, "comparisons": groups }))?;
        return Ok(answer(same));
    }
    let mut text = Styled::new();
    for (group, (entries, msrs)) in
        groups.iter().filter(|(_, (one, other))| !one.is_empty() || !other.is_empty())
    {
        let (of_a, of_b) = names(group);
        text.line(Style::Error, format_args!("- A: {}", of_source(a, &of_a)));
        text.line(Style::Good, format_args!("+ B: {}", of_source(b, &of_b)));
        for entry in entries {
            text.append(&entry.styled());
        }
        for msr in msrs {
            text.append(&msr.styled());
        }
    }
    print_styled(&text)?;
    Ok(answer(same))
}

/// A source and one of its CPUs.
fn of_source(source: &Source, cpu: &str) -> String {
    let source = source.to_string();
    if source == cpu { source } else { format!("{source}, {cpu}") }
}

fn cpus(group: &[&Pair]) -> Vec<Value> {
    group.iter().map(|pair| json!({ "a": pair.a.number, "b": pair.b.number })).collect()
}

/// What the destination's VMM can give is judged for a host; a table that shows a hypervisor is a guest's.
fn side(cpu: &Cpu, is_destination: bool) -> MigrationSide<'_> {
    MigrationSide {
        entries: &cpu.entries,
        known: cpu.known.as_deref(),
        msrs: cpu.msrs.as_ref(),
        is_kvm: is_destination && !cpu.entries.as_slice().has(feature::HYPERVISOR)
            || cpu.name.as_deref() == Some("supported"),
    }
}

fn migrate(args: &Args, (a, b): (&Source, &Source), pairs: &[Pair]) -> Result<ExitCode> {
    let groups = grouped(pairs, |pair| Migration::new(side(&pair.a, false), side(&pair.b, true)));
    let can = groups.iter().all(|(_, found)| found.can_move());
    if args.format == Format::Json {
        let to_json = |(group, found): &(Vec<&Pair>, Migration)| {
            json!({
                "cpus": cpus(group),
                "obstacles": found.obstacles.iter().map(Obstacle::to_json).collect::<Vec<Value>>(),
                "notes": found.notes.iter().map(Obstacle::to_json).collect::<Vec<Value>>(),
                "msrs_compared": !found.msrs_not_compared,
                "remedy": found.remedy(),
            })
        };
        let groups: Vec<Value> = groups.iter().map(to_json).collect();
        print_json(
            &json!({ "a": a.to_string(), "b": b.to_string(), "can_move": can, "comparisons": groups }),
        )?;
        return Ok(answer(can));
    }
    let mut text = Styled::new();
    for (group, found) in &groups {
        let (of_a, of_b) = names(group);
        describe(&mut text, (&of_source(a, &of_a), &of_source(b, &of_b)), found);
    }
    if can {
        text.line(Style::Good, format_args!("A guest started on A ({a}) can move to B ({b})"));
    }
    print_styled(&text)?;
    Ok(answer(can))
}

/// The obstacles with what removes them, the notes, and what could not be compared.
fn describe(text: &mut Styled, (a, b): (&str, &str), found: &Migration) {
    let count = found.obstacles.len();
    if count > 0 {
        let obstacles = if count == 1 { "obstacle" } else { "obstacles" };
        text.line(
            Style::Error,
            format_args!("A guest started on A ({a}) cannot move to B ({b}): {count} {obstacles}"),
        );
        for obstacle in &found.obstacles {
            text.plain(format_args!("  {obstacle}\n"));
        }
        if let Some(remedy) = found.remedy() {
            text.plain(format_args!("  A guest started with -cpu MODEL,{remedy} can move.\n"));
        }
    }
    for note in &found.notes {
        text.line(Style::Doubt, format_args!("  note: {note}"));
    }
    if found.msrs_not_compared {
        let why = "feature MSRs (IA32_ARCH_CAPABILITIES, VMX) are not compared: one side does not state them";
        text.line(Style::Doubt, format_args!("  note: {why}"));
    }
}
