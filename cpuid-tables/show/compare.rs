//! Two tables compared, by feature and field.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::decode::decode_entry;
use super::hypervisor::Ranges;
use super::styled::{Style, Styled};
use super::{DecodedRegister, bit_list, name_of, number};
use crate::bits::feature::Feature;
use crate::bits::field::Field;
use crate::bits::location::{CpuidWord, Leaf, Registers, Subleaf};
use crate::table::{CpuidEntry, find_entry};

/// Which of two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// A difference between two tables.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// One table has an entry for the leaf and subleaf, the other has none.
    Entry(Side),
    /// `KVM_CPUID_FLAG_*` of the two.
    Flags(u32, u32),
    /// One has the feature.
    Feature(Feature, Side),
    /// A field in a register, and its values.
    Field(CpuidWord, Field, u32, u32),
    /// Undescribed bits of a register: those set in each table.
    Unknown(CpuidWord, u32, u32),
}

/// The differences of one leaf and subleaf; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryDifferences {
    /// The leaf.
    pub leaf: Leaf,
    /// The subleaf; `None` if the index is significant in neither table.
    pub subleaf: Option<Subleaf>,
    /// The leaf's title.
    pub title: Option<&'static str>,
    /// By register and bit.
    pub differences: Vec<Difference>,
}

/// Compares what the guest reads from two tables, in order of leaves. A missing entry counts as zeros; the order of
/// entries does not matter.
#[must_use]
pub fn compare(a: &[CpuidEntry], b: &[CpuidEntry]) -> Vec<EntryDifferences> {
    let keys: BTreeSet<(Leaf, Subleaf)> =
        a.iter().chain(b).map(|entry| (entry.function, entry.subleaf())).collect();
    let (of_a, of_b) = (Ranges::from_table(a), Ranges::from_table(b));
    keys.into_iter().filter_map(|key| compare_entries((a, b), (&of_a, &of_b), key)).collect()
}

fn compare_entries(
    (a, b): (&[CpuidEntry], &[CpuidEntry]),
    ranges: (&Ranges, &Ranges),
    (leaf, subleaf): (Leaf, Subleaf),
) -> Option<EntryDifferences> {
    let (one, other) = (find_entry(a, leaf, subleaf), find_entry(b, leaf, subleaf));
    let mut differences = Vec::new();
    match (one, other) {
        (Some(one), Some(other)) if one.same_answer(other) => return None,
        (Some(one), Some(other)) if one.flags != other.flags => {
            differences.push(Difference::Flags(one.flags, other.flags));
        }
        (Some(_), None) => differences.push(Difference::Entry(Side::A)),
        (None, Some(_)) => differences.push(Difference::Entry(Side::B)),
        _ => {}
    }
    let indexed = one.into_iter().chain(other).any(CpuidEntry::is_indexed);
    // As an entry for this subleaf, even if it answers for all.
    let at = |entry: Option<&CpuidEntry>| CpuidEntry {
        function: leaf,
        index: subleaf,
        flags: u32::from(indexed),
        registers: entry.map_or(Registers::ZERO, |entry| entry.registers),
    };
    // The table that has the hypervisor leaf determines the hypervisor.
    let (of_one, of_other) = match (one, other) {
        (Some(_), None) => (ranges.0, ranges.0),
        (None, Some(_)) => (ranges.1, ranges.1),
        _ => ranges,
    };
    let (one, other) = (decode_entry(&at(one), of_one), decode_entry(&at(other), of_other));
    for (one, other) in one.registers.iter().zip(&other.registers) {
        compare_registers(one, other, &mut differences);
    }
    let subleaf = indexed.then_some(subleaf);
    Some(EntryDifferences { leaf, subleaf, title: one.title.or(other.title), differences })
}

fn compare_registers(a: &DecodedRegister, b: &DecodedRegister, differences: &mut Vec<Difference>) {
    let features: BTreeSet<Feature> = a.features.iter().chain(&b.features).copied().collect();
    for feature in features {
        match (a.features.contains(&feature), b.features.contains(&feature)) {
            (true, false) => differences.push(Difference::Feature(feature, Side::A)),
            (false, true) => differences.push(Difference::Feature(feature, Side::B)),
            _ => {}
        }
    }
    let fields: BTreeSet<Field> = a.fields.iter().chain(&b.fields).map(|(field, _)| *field).collect();
    for field in fields {
        let (from, to) = (field.read(a.value), field.read(b.value));
        if from != to {
            differences.push(Difference::Field(a.word, field, from, to));
        }
    }
    if a.unknown != b.unknown {
        differences.push(Difference::Unknown(a.word, a.unknown, b.unknown));
    }
}

impl EntryDifferences {
    /// A heading, and a line for each difference: `-` if only A has it, `+` if only B has it, `~` for different
    /// values.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        text.push(Style::Heading, format_args!("{:#010x}", self.leaf.0));
        if let Some(subleaf) = self.subleaf {
            text.push(Style::Heading, format_args!(".{}", subleaf.0));
        }
        let title = self.title.unwrap_or("undescribed leaf");
        text.line(Style::Heading, format_args!(": {title}"));
        for difference in &self.differences {
            text.plain("  ").line(difference.style(), difference);
        }
        text
    }
}

impl fmt::Display for EntryDifferences {
    /// The text of [`EntryDifferences::styled`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled().fmt(f)
    }
}

impl Difference {
    /// An entry or feature that only A has is missing in B.
    const fn style(&self) -> Style {
        match self {
            Difference::Entry(Side::A) | Difference::Feature(_, Side::A) => Style::Error,
            Difference::Entry(Side::B) | Difference::Feature(_, Side::B) => Style::Good,
            Difference::Flags(..) | Difference::Field(..) | Difference::Unknown(..) => Style::Doubt,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Entry(Side::A) => f.write_str("- only A has this entry"),
            Difference::Entry(Side::B) => f.write_str("+ only B has this entry"),
            Difference::Flags(a, b) => write!(f, "~ flags: {a:#x} -> {b:#x}"),
            Difference::Feature(feature, side) => {
                let sign = if *side == Side::A { '-' } else { '+' };
                let place = format!("{}[{}]", feature.register(), feature.bit().0);
                write!(f, "{sign} {place:8}{}", name_of(*feature))
            }
            Difference::Field(word, field, a, b) => {
                let (low, high) = field.bits().into_inner();
                let bits = if low == high { format!("[{low}]") } else { format!("[{high}:{low}]") };
                let bits = if field.width() == 32 { String::new() } else { bits };
                let place = format!("{}{bits}", word.register);
                let (a, b) = (number::describe(*field, *a), number::describe(*field, *b));
                write!(f, "~ {place:8}{}{}: {a} -> {b}", if place.len() < 8 { "" } else { " " }, field.name())
            }
            Difference::Unknown(word, a, b) => {
                let text = |bits| if bits == 0 { String::from("none") } else { bit_list(bits) };
                write!(f, "~ {}     unknown bits: {} -> {}", word.register, text(*a), text(*b))
            }
        }
    }
}
