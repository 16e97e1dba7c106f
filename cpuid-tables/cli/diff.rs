//! `kvm-cpuid diff`: two tables compared.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::show::{EntryDifferences, Obstacle, Style, Styled, compare, obstacles};
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
KVM supports. Each field is compared by its meaning: features must be present, restrictions must
not be new, and sizes and levels must not shrink.

Exit codes:
  0  no difference; with --migrate: the guest can migrate
  1  a difference; with --migrate: it cannot
  2  one of them could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<2, 2>,
    /// Check whether a guest started on A can migrate to B, and list the obstacles
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
    let groups = grouped(pairs, |pair| compare(&pair.a.entries, &pair.b.entries));
    let same = groups.iter().all(|(_, differences)| differences.is_empty());
    if args.format == Format::Json {
        let to_json = |(group, found): &(Vec<&Pair>, Vec<EntryDifferences>)| {
            json!({
                "cpus": cpus(group),
                "leaves": found.iter().map(EntryDifferences::to_json).collect::<Vec<Value>>(),
            })
        };
        let groups: Vec<Value> = groups.iter().map(to_json).collect();
        print_json(&json!({ "a": a.to_string(), "b": b.to_string(), "same": same, "comparisons": groups }))?;
        return Ok(answer(same));
    }
    let mut text = Styled::new();
    for (group, differences) in groups.iter().filter(|(_, found)| !found.is_empty()) {
        let (of_a, of_b) = names(group);
        text.line(Style::Error, format_args!("- A: {}", of_source(a, &of_a)));
        text.line(Style::Good, format_args!("+ B: {}", of_source(b, &of_b)));
        for entry in differences {
            text.append(&entry.styled());
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

fn migrate(args: &Args, (a, b): (&Source, &Source), pairs: &[Pair]) -> Result<ExitCode> {
    let groups = grouped(pairs, |pair| {
        let mut found = obstacles(&pair.a.entries, &pair.b.entries);
        let of_kvm = pair.b.name.as_deref() == Some("supported");
        found.retain(|obstacle| !(of_kvm && obstacle.is_emulated_by_kvm()));
        found
    });
    let can = groups.iter().all(|(_, found)| found.is_empty());
    if args.format == Format::Json {
        let to_json = |(group, found): &(Vec<&Pair>, Vec<Obstacle>)| {
            json!({
                "cpus": cpus(group),
                "obstacles": found.iter().map(Obstacle::to_json).collect::<Vec<Value>>(),
            })
        };
        let groups: Vec<Value> = groups.iter().map(to_json).collect();
        print_json(
            &json!({ "a": a.to_string(), "b": b.to_string(), "can_move": can, "comparisons": groups }),
        )?;
        return Ok(answer(can));
    }
    let mut text = Styled::new();
    for (group, found) in groups.iter().filter(|(_, found)| !found.is_empty()) {
        let (of_a, of_b) = names(group);
        let (of_a, of_b) = (of_source(a, &of_a), of_source(b, &of_b));
        let count = found.len();
        let things = if count == 1 { "obstacle" } else { "obstacles" };
        text.line(
            Style::Error,
            format_args!("A guest started on A ({of_a}) cannot migrate to B ({of_b}): {count} {things}"),
        );
        for obstacle in found {
            text.plain(format_args!("  {obstacle}\n"));
        }
    }
    if can {
        text.line(Style::Good, format_args!("A guest started on A ({a}) can migrate to B ({b})"));
    }
    print_styled(&text)?;
    Ok(answer(can))
}
