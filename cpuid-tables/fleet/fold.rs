//! Folds the tables of many CPUs into one, register by register, each field by its own rule.
//!
//! A missing subleaf counts as zeros, which CPUID returns for it. Memory does not grow with the number of tables,
//! only with the number of subleaves in any of them.

use alloc::vec::Vec;

use crate::bits::feature::register_of;
use crate::bits::feature_set::FeatureSet;
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::meaning::{Rule, limits, meanings};
use crate::table::CpuidEntry;

/// Maximum number of values kept of a field that must be equal.
const VALUES: usize = 16;

/// The folded tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    /// Sorted by leaf and subleaf.
    rows: Vec<Row>,
    tables: usize,
}

/// A field that is neither *and*-ed nor *or*-ed.
#[derive(Clone, Copy, Debug)]
struct Number {
    register: Register,
    mask: u32,
    rule: Rule,
}

/// A subleaf that at least one table has.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) leaf: Leaf,
    pub(super) subleaf: Subleaf,
    /// True if a table has the index flag.
    pub(super) indexed: bool,
    /// The combined values.
    pub(super) registers: Registers,
    /// The bits that all tables have.
    pub(super) all: Registers,
    /// The bits that any table has.
    pub(super) any: Registers,
    /// Registers that hold features: their position in a [`FeatureSet`], and which bits are *and*-ed features.
    pub(super) features: Vec<(Register, usize, u32)>,
    /// Numbers that limit a guest: their bits, and their position in [`limits`].
    pub(super) limits: Vec<(Register, u32, usize)>,
    or: Registers,
    and: Registers,
    numbers: Vec<Number>,
    /// The values of fields that must be equal but differ, sorted.
    unequal: Vec<(Register, u32, Vec<u32>)>,
    /// Number of tables with the subleaf.
    seen: usize,
    /// The last table with the subleaf, counted from 1.
    last: usize,
}

/// A field that must be equal but differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unequal {
    /// Its register.
    pub word: CpuidWord,
    /// Its bits in the register.
    pub mask: u32,
    /// The values, shifted down to bit 0; at most 16 of them.
    pub values: Vec<u32>,
}

impl Row {
    fn new(entry: &CpuidEntry) -> Row {
        let words = entry.words();
        let mut row = Row {
            leaf: entry.function,
            subleaf: entry.subleaf(),
            indexed: entry.is_indexed(),
            registers: entry.registers,
            all: entry.registers,
            any: entry.registers,
            features: Vec::new(),
            limits: Vec::new(),
            or: Registers::ZERO,
            and: Registers::ZERO,
            numbers: Vec::new(),
            unequal: Vec::new(),
            seen: 0,
            last: 0,
        };
        for word in words {
            row.set_rules(word);
        }
        row
    }

    /// The combined values as an entry.
    pub(super) fn entry(&self) -> CpuidEntry {
        let flags = if self.indexed { CpuidEntry::SIGNIFICANT_INDEX } else { 0 };
        CpuidEntry { function: self.leaf, index: self.subleaf, flags, registers: self.registers }
    }

    fn set_rules(&mut self, word: CpuidWord) {
        let register = word.register;
        for meaning in meanings(word) {
            let mask = meaning.mask;
            match meaning.rule {
                Rule::And => self.and[register] |= mask,
                Rule::Or => self.or[register] |= mask,
                rule => self.numbers.push(Number { register, mask, rule }),
            }
        }
        if let Some(at) = register_of(word) {
            let features = FeatureSet::ALL.word(word) & self.and[register];
            self.features.push((register, at, features));
        }
        let limits = limits().enumerate().filter(|(_, (field, _))| field.is_in(word));
        self.limits.extend(limits.map(|(at, (field, _))| (register, field.mask(), at)));
    }

    fn fold(&mut self, with: Registers) {
        self.all = self.all.zip_with(with, |all, with| all & with);
        if self.registers == with {
            return;
        }
        let mut folded = Registers::ZERO;
        for at in Register::ALL {
            self.any[at] |= with[at];
            let (a, b) = (self.registers[at], with[at]);
            folded[at] = a & b & self.and[at] | (a | b) & self.or[at];
        }
        for number in &self.numbers {
            let at = number.register;
            let (a, b) = (self.registers[at] & number.mask, with[at] & number.mask);
            folded[at] |= number.rule.combine(a, b).unwrap_or_else(|| {
                note(&mut self.unequal, number.register, number.mask, [a, b]);
                a
            });
        }
        self.registers = folded;
    }
}

/// Records values of a field that must be equal.
fn note(unequal: &mut Vec<(Register, u32, Vec<u32>)>, register: Register, mask: u32, values: [u32; 2]) {
    let known = unequal.iter().position(|(known, bits, _)| (*known, *bits) == (register, mask));
    let at = known.unwrap_or_else(|| {
        unequal.push((register, mask, Vec::new()));
        unequal.len() - 1
    });
    let kept = &mut unequal[at].2;
    for value in values {
        if let (Err(at), true) = (kept.binary_search(&value), kept.len() < VALUES) {
            kept.insert(at, value);
        }
    }
}

impl Folded {
    /// Folds a table in; calls `visit` with each of its effective entries and the entry's row.
    pub(super) fn add(&mut self, entries: &[CpuidEntry], mut visit: impl FnMut(&Row, &CpuidEntry)) {
        self.tables += 1;
        let mut next = 0;
        for entry in entries {
            let key = (entry.function, entry.subleaf());
            let is = |row: &Row| (row.leaf, row.subleaf) == key;
            let at = if self.rows.get(next).is_some_and(is) {
                next
            } else {
                let found = self.rows.binary_search_by_key(&key, |row| (row.leaf, row.subleaf));
                found.unwrap_or_else(|at| {
                    self.rows.insert(at, Row::new(entry));
                    at
                })
            };
            next = at + 1;
            let row = &mut self.rows[at];
            // Only the first matching entry is effective.
            if row.last == self.tables {
                continue;
            }
            row.last = self.tables;
            row.seen += 1;
            row.indexed |= entry.is_indexed();
            row.fold(entry.registers);
            visit(row, entry);
        }
    }

    /// Number of tables folded.
    pub(super) const fn tables(&self) -> usize {
        self.tables
    }

    /// The rows, and the fields that must be equal but differ, which are 0 in the rows.
    pub(super) fn finish(&self) -> (Vec<Row>, Vec<Unequal>) {
        let (mut rows, mut unequal) = (self.rows.clone(), Vec::new());
        for row in &mut rows {
            if row.seen < self.tables {
                row.fold(Registers::ZERO);
            }
            for (register, mask, values) in core::mem::take(&mut row.unequal) {
                row.registers[register] &= !mask;
                let word = CpuidWord { leaf: row.leaf, subleaf: row.subleaf, register };
                let values = values.into_iter().map(|value| value >> mask.trailing_zeros()).collect();
                unequal.push(Unequal { word, mask, values });
            }
        }
        unequal.sort_by_key(|one: &Unequal| (one.word, one.mask));
        (rows, unequal)
    }
}
