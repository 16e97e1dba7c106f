//! Two tables compared feature by feature: what differs, as a value from which text and JSON are made.

use cpuid_tables::dump::Cpu;
use cpuid_tables::naming::usual_name;
use cpuid_tables::show::{EntryDifferences, MsrDifference, Style, Styled, compare, compare_msrs};
use cpuid_tables::{CpuidEntry, Registers};
use serde_json::{Value, json};

use super::pairs::{Group, Pair, grouped};
use crate::cli::source::Source;

/// What differs between the CPUs of two sources; equal differences are grouped.
pub(super) struct Differences<'p> {
    /// Entries and MSRs.
    tables: Vec<Group<'p, (Vec<EntryDifferences>, Vec<MsrDifference>)>>,
    /// Bits outside CPUID, as [`outside`] writes them.
    outside: Vec<Group<'p, Vec<String>>>,
    /// The features that only A, and only B states, where both are lists of names.
    stated_by_one: Vec<Group<'p, [Vec<&'static str>; 2]>>,
}

impl<'p> Differences<'p> {
    pub(super) fn new(pairs: &'p [Pair]) -> Differences<'p> {
        let tables = grouped(pairs, |pair| {
            let entries = compare(&stated_by_both(&pair.a, &pair.b), &stated_by_both(&pair.b, &pair.a));
            (entries, compare_msrs(pair.a.msrs.as_ref(), pair.b.msrs.as_ref()))
        });
        let mut outside = grouped(pairs, outside);
        outside.retain(|group| !group.found.is_empty());
        let mut stated_by_one = grouped(pairs, Pair::stated_by_one);
        // Two lists of names differ where only one of them has a name.
        let listed = |pair: &&Pair| pair.a.known.is_some() && pair.b.known.is_some();
        stated_by_one.retain(|Group { pairs, found: [a, b] }| {
            pairs.iter().any(listed) && !(a.is_empty() && b.is_empty())
        });
        Differences { tables, outside, stated_by_one }
    }

    /// True if nothing differs.
    pub(super) fn is_empty(&self) -> bool {
        let same = |Group { found: (entries, msrs), .. }: &Group<'_, (Vec<_>, Vec<_>)>| {
            entries.is_empty() && msrs.is_empty()
        };
        self.stated_by_one.is_empty() && self.outside.is_empty() && self.tables.iter().all(same)
    }

    pub(super) fn to_json(&self, (a, b): (&Source, &Source)) -> Value {
        let tables = self.tables.iter().map(|group| {
            let (entries, msrs) = &group.found;
            json!({
                "pairs": group.numbers(),
                "leaves": entries.iter().map(EntryDifferences::to_json).collect::<Vec<Value>>(),
                "msrs": msrs.iter().map(MsrDifference::to_json).collect::<Vec<Value>>(),
            })
        });
        let mut all = json!({
            "a": a.to_string(),
            "b": b.to_string(),
            "same": self.is_empty(),
            "comparisons": tables.collect::<Vec<Value>>(),
        });
        if !self.outside.is_empty() {
            let bits = self.outside.iter();
            all["outside"] =
                bits.map(|group| json!({ "pairs": group.numbers(), "bits": group.found })).collect();
        }
        if !self.stated_by_one.is_empty() {
            let names = self.stated_by_one.iter().map(|group| {
                let [a, b] = &group.found;
                json!({ "pairs": group.numbers(), "a": a, "b": b })
            });
            all["stated_by_one"] = names.collect();
        }
        all
    }

    pub(super) fn styled(&self, sources: (&Source, &Source)) -> Styled {
        let mut text = Styled::new();
        for group in &self.tables {
            let (entries, msrs) = &group.found;
            if entries.is_empty() && msrs.is_empty() {
                continue;
            }
            let (a, b) = group.sides(sources);
            text.line(Style::Error, format_args!("- A: {a}"));
            text.line(Style::Good, format_args!("+ B: {b}"));
            for entry in entries {
                text.append(&entry.styled());
            }
            for msr in msrs {
                text.append(&msr.styled());
            }
        }
        for group in &self.stated_by_one {
            let (a, b) = group.sides(sources);
            let [only_a, only_b] = &group.found;
            for (names, style, of) in [(only_a, Style::Error, a), (only_b, Style::Good, b)] {
                if !names.is_empty() {
                    text.line(style, format_args!("stated only by {of}: {}", names.join(" ")));
                }
            }
        }
        for group in &self.outside {
            let ((a, b), bits) = (group.sides(sources), group.found.join(" "));
            text.line(Style::Error, format_args!("outside CPUID, {a} and {b} differ in: {bits}"));
        }
        text
    }
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
        (on != other).then(|| format!("{}{}", if *on { '-' } else { '+' }, usual_name(*bit)))
    });
    differ.collect()
}
