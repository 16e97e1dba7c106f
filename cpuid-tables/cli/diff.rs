//! `kvm-cpuid diff`: two tables compared.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::show::{EntryDifferences, MsrDifference, Style, Styled, compare, compare_msrs, name_of};
use cpuid_tables::{CpuidEntry, Feature, Registers};
use serde_json::{Value, json};

use super::format::Format;
use super::has::stated;
use super::migrate::migrate;
use super::outcome::{Failed, Result, answer};
use super::output::{print_document, print_styled, warn};
use super::source::{Input, Source};
use super::target::{self, Target};
use super::{advice, partial};

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
a list of names, only bits that both sides specify are compared.

With --migrate, A is the table that the guest was started with, and B is what the target host's KVM supports. What a \
VMM adds to that counts as present: QEMU by default, or that of --vmm, and \
what a VMM other than QEMU takes away counts as missing; its options are taken to allow all they can. Each field is compared by its meaning: features must be present and sizes must not \
shrink; a restriction that is new on B is a note. Without B, it is what the KVM of --host HOST supports.

Exit codes:
  0  no difference; with --migrate: the guest can migrate
  1  a difference; with --migrate: it cannot
  2  one of them could not be read
  3  with --migrate: B does not state all that the guest has";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) input: Input<2, 2>,
    /// Check whether a guest started on A can move to B, and list the obstacles
    #[arg(long)]
    migrate: bool,
    /// With --migrate: the VMM that runs the guest on B
    #[arg(long, value_name = "NAME", requires = "migrate", default_value = target::QEMU, value_parser = target::named)]
    pub(super) vmm: Target,
    /// Output format
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let [a, b] = args.input.sources() else { return Ok(answer(false)) };
    let reading = &args.input.reading;
    let (pairs, alone) = paired((a, reading.all(a)?), (b, reading.all(b)?));
    if args.migrate && pairs.iter().any(|pair| pair.a.beside.template) {
        return template(args, (a, b), &pairs);
    }
    let code = if args.migrate { migrate(args, (a, b), &pairs)? } else { differ(args, (a, b), &pairs)? };
    // CPUs without a counterpart count as a difference.
    Ok(if alone == 0 { code } else { answer(false) })
}

/// Two CPUs to compare, and their names.
pub(super) struct Pair {
    names: (String, String),
    pub(super) a: Cpu,
    pub(super) b: Cpu,
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
pub(super) fn grouped<T: PartialEq>(pairs: &[Pair], of: impl Fn(&Pair) -> T) -> Vec<(Vec<&Pair>, T)> {
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

pub(super) fn names(group: &[&Pair]) -> (String, String) {
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

/// The features that one CPU has and another does not state, by name.
pub(super) fn unstated(one: &Cpu, other: &Cpu) -> Vec<&'static str> {
    if !advice::is_open(other) {
        return Vec::new();
    }
    let alone = |feature: &Feature| stated(one, *feature) == Some(true) && stated(other, *feature).is_none();
    Feature::all().filter(alone).map(name_of).collect()
}

fn differ(args: &Args, (a, b): (&Source, &Source), pairs: &[Pair]) -> Result<ExitCode> {
    let groups = grouped(pairs, |pair| {
        let entries = compare(&stated_by_both(&pair.a, &pair.b), &stated_by_both(&pair.b, &pair.a));
        (entries, compare_msrs(pair.a.msrs.as_ref(), pair.b.msrs.as_ref()))
    });
    let outside = grouped(pairs, outside);
    let outside: Vec<&(Vec<&Pair>, Vec<String>)> =
        outside.iter().filter(|(_, bits)| !bits.is_empty()).collect();
    let alone = grouped(pairs, |pair| [unstated(&pair.a, &pair.b), unstated(&pair.b, &pair.a)]);
    // Two lists of names differ where only one of them has a name.
    let listed = |pair: &&Pair| pair.a.known.is_some() && pair.b.known.is_some();
    let only = |(group, [a, b]): &(Vec<&Pair>, [Vec<&str>; 2])| {
        group.iter().any(listed) && !(a.is_empty() && b.is_empty())
    };
    let same = !alone.iter().any(only)
        && outside.is_empty()
        && groups.iter().all(|(_, (entries, msrs))| entries.is_empty() && msrs.is_empty());
    if pairs.iter().any(|pair| pair.a.known.is_some() || pair.b.known.is_some()) {
        warn("only bits that both sides specify are compared");
    }
    if args.format == Format::Json {
        let to_json =
            |(group, (entries, msrs)): &(Vec<&Pair>, (Vec<EntryDifferences>, Vec<MsrDifference>))| {
                json!({
                    "pairs": cpus(group),
                    "leaves": entries.iter().map(EntryDifferences::to_json).collect::<Vec<Value>>(),
                    "msrs": msrs.iter().map(MsrDifference::to_json).collect::<Vec<Value>>(),
                })
            };
        let groups: Vec<Value> = groups.iter().map(to_json).collect();
        let mut all = json!({ "a": a.to_string(), "b": b.to_string(), "same": same, "comparisons": groups });
        if let (Value::Object(members), false) = (&mut all, outside.is_empty()) {
            let bits = outside.iter().map(|(group, bits)| json!({ "pairs": cpus(group), "bits": bits }));
            members.insert("outside".into(), bits.collect());
        }
        if let (Value::Object(members), true) = (&mut all, alone.iter().any(only)) {
            let alone = alone.iter().filter(|group| only(group));
            let alone = alone.map(|(group, [a, b])| json!({ "pairs": cpus(group), "a": a, "b": b }));
            members.insert("stated_by_one".into(), alone.collect());
        }
        print_document(all)?;
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
    for (group, [only_a, only_b]) in alone.iter().filter(|group| only(group)) {
        let (of_a, of_b) = names(group);
        for (names, style, of) in
            [(only_a, Style::Error, of_source(a, &of_a)), (only_b, Style::Good, of_source(b, &of_b))]
        {
            if !names.is_empty() {
                text.line(style, format_args!("stated only by {of}: {}", names.join(" ")));
            }
        }
    }
    for (group, bits) in outside {
        let (of_a, of_b) = names(group);
        text.line(
            Style::Error,
            format_args!(
                "outside CPUID, {} and {} differ in: {}",
                of_source(a, &of_a),
                of_source(b, &of_b),
                bits.join(" ")
            ),
        );
    }
    print_styled(&text)?;
    Ok(answer(same))
}

/// A CPU's entries with only the bits that the other CPU specifies too.
fn stated_by_both(cpu: &Cpu, other: &Cpu) -> Vec<CpuidEntry> {
    if cpu.known.is_none() && other.known.is_none() {
        return cpu.entries.clone();
    }
    let one = |(at, entry): (usize, &CpuidEntry)| {
        let there = other.entries.iter().position(|there| there.answers(entry.function, entry.subleaf()));
        let stated = match there {
            Some(there) => other.known(there),
            // A whole table has none of it.
            None if other.known.is_none() => Registers::MAX,
            None => Registers::ZERO,
        };
        let both = cpu.known(at).zip_with(stated, |a, b| a & b);
        let registers = entry.registers.zip_with(both, |value, both| value & both);
        (both != Registers::ZERO).then_some(CpuidEntry { registers, ..*entry })
    };
    cpu.entries.iter().enumerate().filter_map(one).collect()
}

/// Bits outside CPUID that both specify and that differ: `+name` is in B only.
fn outside(pair: &Pair) -> Vec<String> {
    let differ = pair.a.beside.bits.iter().filter_map(|(bit, on)| {
        let other = pair.b.beside.bits.get(bit)?;
        (on != other).then(|| format!("{}{}", if *on { '-' } else { '+' }, super::show::outside(*bit)))
    });
    differ.collect()
}

/// A source and one of its CPUs.
pub(super) fn of_source(source: &Source, cpu: &str) -> String {
    let source = source.to_string();
    if source == cpu { source } else { format!("{source}, {cpu}") }
}

pub(super) fn cpus(group: &[&Pair]) -> Vec<Value> {
    group.iter().map(|pair| json!({ "a": pair.a.number, "b": pair.b.number })).collect()
}

/// A template is not a guest: checks whether a guest with it can start on B.
fn template(args: &Args, (a, b): (&Source, &Source), pairs: &[Pair]) -> Result<ExitCode> {
    let mut found: Vec<partial::Finding> = Vec::new();
    for pair in pairs {
        if advice::is_open(&pair.b) {
            return Err(Failed::new(advice::open_bits(
                b,
                "a destination host must specify everything that its KVM supports",
            ))
            .help(advice::HOST));
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
