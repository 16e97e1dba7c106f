//! `kvm-cpuid probe`: the CPUID values that a guest reads.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};
use cpuid_tables::dump::{self, Cpu};
use cpuid_tables::kvm::{Change, Device, Mode, PartChange, Probe, probe};
use cpuid_tables::show::{EntryDifferences, Style, Styled, compare};
use cpuid_tables::{CpuidEntry, CpuidRead, IndexedLeaf, Leaf, OwnBits, Registers, Subleaf};
use serde_json::{Value, json};

use super::advice;
use super::convert::unwritable;
use super::format::{Form, form};
use super::input::Input;
use super::outcome::{Failed, Result, answer};
use super::output::{print, print_document, print_styled};
use super::source::Source;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid probe                        a guest with everything that KVM here supports
  kvm-cpuid probe guest.txt              a guest with this table
  kvm-cpuid probe guest.txt --mode real  in 16-bit mode
  kvm-cpuid probe --format entries       the values that it reads, as a dump

A guest with one vCPU, with APIC id 0, executes CPUID for every leaf of the table and every leaf below its highest \
ones. A line with - is only in the table, + only in the guest.

Exit codes:
  0  it reads the table's values, apart from bits that every KVM updates
  1  it reads other values
  2  the guest could not be run";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<0, 1>,
    /// The mode in which the guest executes CPUID
    #[arg(long, value_enum, default_value = "long")]
    mode: GuestMode,
    /// text, json, or a dump format for the values that the guest reads
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = form)]
    format: Form,
}

#[derive(Clone, Copy, ValueEnum)]
enum GuestMode {
    /// 16 bits
    Real,
    /// 32 bits
    Protected,
    /// 64 bits
    Long,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let source = args.input.sources_or(Source::Supported).remove(0);
    let mode = match args.mode {
        GuestMode::Real => Mode::Real,
        GuestMode::Protected => Mode::Protected,
        GuestMode::Long => Mode::Long,
    };
    let device = Device::open().map_err(Failed::new)?;
    let mut same = true;
    for cpu in args.input.reading.open(&source)? {
        let cpu = cpu?;
        if advice::is_open(&cpu) {
            let why = advice::open_bits(&source, "a guest needs a whole table");
            return Err(Failed::new(why).help(advice::WHOLE));
        }
        let questions = questions(&cpu.entries);
        let probed = probe(&device, &cpu.entries, &questions, mode);
        let probed = probed.map_err(|error| Failed::new(format!("{}: {error}", source.title(&cpu))))?;
        let seen = seen(&questions, &probed);
        let differences = compare(&expected(&cpu.entries, &seen, &probed.changes), &seen);
        same &= differences.is_empty();
        report(args, &source.title(&cpu), (seen, &differences, &probed))?;
    }
    Ok(answer(same))
}

/// Every leaf and subleaf of the table, and the leaves below its highest ones.
fn questions(entries: &[CpuidEntry]) -> Vec<(Leaf, Subleaf)> {
    /// Maximum length of a processor's range.
    const LONGEST: u32 = 0x100;
    let mut all: BTreeSet<(Leaf, Subleaf)> =
        entries.iter().map(|entry| (entry.function, entry.subleaf())).collect();
    for base in [Leaf::BASIC, Leaf::EXTENDED] {
        let highest = entries.highest_leaf(base).map_or(base.0, |highest| highest.0.min(base.0 + LONGEST));
        all.extend((base.0..=highest).map(|leaf| (Leaf(leaf), Subleaf(0))));
    }
    all.into_iter().collect()
}

/// The table that the guest should read: processor-specific bits are the guest's, and bits that every KVM updates are
/// KVM's.
fn expected(entries: &[CpuidEntry], seen: &[CpuidEntry], changes: &[Change]) -> Vec<CpuidEntry> {
    let mut expected = entries.to_vec();
    for entry in &mut expected {
        for word in entry.words() {
            let own = OwnBits::mask(word.leaf, word.register);
            let register = entry.register_mut(word.register);
            *register = *register & !own | CpuidRead::word(seen, word) & own;
        }
    }
    for change in changes {
        let Change::Part(PartChange { word, mask, stored, expected: Some(_), .. }) = change else { continue };
        let there = expected.iter_mut().find(|entry| entry.answers(word.leaf, word.subleaf));
        if let Some(register) = there.map(|entry| entry.register_mut(word.register)) {
            *register = *register & !mask | stored << mask.trailing_zeros();
        }
    }
    expected
}

/// The values that the guest reads, as a table.
fn seen(questions: &[(Leaf, Subleaf)], probed: &Probe) -> Vec<CpuidEntry> {
    let indexed = |leaf: Leaf| {
        let more = questions.iter().any(|(other, subleaf)| *other == leaf && subleaf.0 != 0);
        let stored = probed.stored.iter().find(|entry| entry.function == leaf);
        stored.map_or(more || IndexedLeaf::get(leaf).is_some(), CpuidEntry::is_indexed)
    };
    let entry = |((leaf, subleaf), registers): (&(Leaf, Subleaf), &Registers)| {
        if indexed(*leaf) {
            CpuidEntry::indexed(*leaf, *subleaf, *registers)
        } else {
            CpuidEntry::new(*leaf, *registers)
        }
    };
    let all = questions.iter().zip(&probed.answers).map(entry);
    // A zero leaf below the highest that the table lacks counts as missing.
    all.filter(|entry| {
        entry.registers != Registers::ZERO || probed.stored.find(entry.function, entry.subleaf()).is_some()
    })
    .collect()
}

fn report(
    args: &Args,
    title: &str,
    (seen, differences, probed): (Vec<CpuidEntry>, &[EntryDifferences], &Probe),
) -> Result<()> {
    match args.format {
        Form::Dump(format) => {
            let mut out = Vec::new();
            dump::write(&mut out, format, &[Cpu::from_entries(seen)]).map_err(|error| unwritable(&error))?;
            print(&String::from_utf8_lossy(&out))?;
        }
        Form::Json => {
            let change =
                |change: &Change| json!({ "text": change.to_string(), "expected": change.is_expected() });
            print_document(json!({
                "cpus": [Cpu::from_entries(seen).to_json()],
                "table": title,
                "questions": probed.answers.len(),
                "changed_by_kvm": probed.changes.iter().map(change).collect::<Vec<Value>>(),
                "differences": differences.iter().map(EntryDifferences::to_json).collect::<Vec<Value>>(),
            }))?;
        }
        Form::Text => {
            print_styled(&text(title, differences, probed))?;
        }
    }
    Ok(())
}

fn text(title: &str, differences: &[EntryDifferences], probed: &Probe) -> Styled {
    let mut text = Styled::new();
    let changes = &probed.changes;
    if !changes.is_empty() {
        text.line(Style::Heading, "KVM changed the table when setting it:");
        for change in changes {
            let style = if change.is_expected() { Style::Plain } else { Style::Doubt };
            text.plain("  ").line(style, change);
        }
    }
    let asked = probed.answers.len();
    if differences.is_empty() {
        text.line(
            Style::Good,
            format_args!("The guest reads the table {title}: {asked} leaves and subleaves checked"),
        );
        return text;
    }
    text.line(
        Style::Heading,
        format_args!(
            "The guest reads values other than the table {title}; {asked} leaves and subleaves checked:"
        ),
    );
    for entry in differences {
        text.append(&entry.styled());
    }
    text
}
