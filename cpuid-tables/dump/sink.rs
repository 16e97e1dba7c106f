//! Where readers put what they read, and what a reader is.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::string::String;
use std::vec::Vec;

use super::cpu::{Beside, Cpu};
use crate::bits::location::{Leaf, Msr, Registers, Subleaf};
use crate::table::{CpuidEntry, IndexedLeaf};

/// All bits of an entry's registers.
pub(super) const ALL: Registers = Registers::MAX;

/// How many notes are kept.
const MAX_NOTES: usize = 100;

/// A format's reader. It is given every line, without its end, and keeps between them what it must.
pub(super) trait Parser {
    /// Takes a line.
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault>;

    /// The input is at its end.
    fn end(&mut self, _sink: &mut Sink) -> Result<(), Fault> {
        Ok(())
    }
}

/// A line of the input.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u64,
    pub(super) text: &'a [u8],
}

/// Something that makes no sense.
#[derive(Debug)]
pub(super) enum Fault {
    /// The line at hand is wrong: why.
    Here(&'static str),
    /// Something else than the line at hand, or a part of it.
    At { line: u64, text: String, why: Cow<'static, str> },
    /// What began at this line is longer than a limit.
    TooLong { line: u64, limit: usize },
    /// The CPU has too many entries.
    TooManyEntries,
    /// There are too many CPUs for a format whose CPUs take turns.
    TooManyCpus,
}

/// CPUs as they are read.
#[derive(Default)]
pub(super) struct Sink {
    open: Option<Cpu>,
    /// A subleaf other than 0 of a leaf that is not known to have any was read.
    more_subleaves: bool,
    done: VecDeque<Cpu>,
    read_any: bool,
    finished_any: bool,
    /// How many entries the last CPU had; the next will have as many.
    last: usize,
    notes: Vec<Note>,
    more_notes: u64,
}

/// Something that a reader could make nothing of, and that does not make the rest wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The line, from 1.
    pub line: u64,
    /// What it is about, and what follows from it.
    pub text: String,
}

impl core::fmt::Display for Note {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl Sink {
    /// A new CPU begins.
    pub(super) fn start(&mut self, number: Option<u32>, name: Option<String>) {
        self.finish();
        self.open = Some(Cpu { number, name, entries: Vec::with_capacity(self.last), ..Cpu::default() });
    }

    /// The CPU that is being read.
    pub(super) fn open(&self) -> Option<&Cpu> {
        self.open.as_ref()
    }

    /// An entry of a format that has flags. It belongs to the CPU that began last; else to one without a name.
    pub(super) fn entry(&mut self, entry: CpuidEntry) -> Result<(), Fault> {
        let entries = &mut self.open.get_or_insert_with(Cpu::default).entries;
        if entries.len() >= Cpu::MAX_ENTRIES {
            return Err(Fault::TooManyEntries);
        }
        entries.push(entry);
        self.read_any = true;
        Ok(())
    }

    /// An entry of a format that has no flags.
    pub(super) fn answer(&mut self, leaf: u32, subleaf: u32, registers: Registers) -> Result<(), Fault> {
        let (function, index) = (Leaf(leaf), Subleaf(subleaf));
        let known = IndexedLeaf::get(function).is_some();
        self.more_subleaves |= !known && subleaf != 0;
        let flags = if known { CpuidEntry::SIGNIFICANT_INDEX } else { 0 };
        self.entry(CpuidEntry { function, index, flags, registers })
    }

    /// Which bits the dump tells of the entry that was read last; the others are 0.
    pub(super) fn only_known(&mut self, known: Registers) {
        let Some(cpu) = &mut self.open else { return };
        if known == ALL && cpu.known.is_none() {
            return;
        }
        if let Some(entry) = cpu.entries.last_mut() {
            entry.registers = entry.registers.zip_with(known, |value, known| value & known);
        }
        let all = cpu.known.get_or_insert_with(Vec::new);
        all.resize(cpu.entries.len().saturating_sub(1), ALL);
        all.push(known);
    }

    /// A feature MSR of the CPU that is being read.
    pub(super) fn msr(&mut self, msr: Msr, value: u64) {
        let cpu = self.open.get_or_insert_with(Cpu::default);
        cpu.msrs.get_or_insert_with(BTreeMap::new).insert(msr, value);
        self.read_any = true;
    }

    /// What the dump states besides registers, of the CPU that is being read.
    pub(super) fn beside(&mut self) -> &mut Beside {
        &mut self.open.get_or_insert_with(Cpu::default).beside
    }

    /// Adds a note for the user; each text once.
    pub(super) fn note(&mut self, line: u64, text: String) {
        if self.notes.iter().any(|note| note.text == text) {
            return;
        }
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { line, text });
        } else {
            self.more_notes += 1;
        }
    }

    /// The notes for the user, and the number of further ones.
    pub(super) fn notes(&self) -> (&[Note], u64) {
        (&self.notes, self.more_notes)
    }

    /// The CPU that is being read is at its end.
    pub(super) fn finish(&mut self) {
        if let Some(mut cpu) = self.open.take() {
            if core::mem::take(&mut self.more_subleaves) {
                imply_flags(&mut cpu.entries);
            }
            if let Some(known) = &mut cpu.known {
                known.resize(cpu.entries.len(), ALL);
            }
            (self.read_any, self.finished_any) = (true, true);
            self.last = cpu.entries.len();
            self.done.push_back(cpu);
        }
    }

    /// What was read of the CPU makes no sense.
    pub(super) fn abandon(&mut self) {
        self.open = None;
        self.more_subleaves = false;
        self.read_any = self.finished_any;
    }

    /// The next CPU that is complete.
    pub(super) fn take(&mut self) -> Option<Cpu> {
        self.done.pop_front()
    }

    /// True when anything was read.
    pub(super) fn read_any(&self) -> bool {
        self.read_any
    }
}

/// The flags of entries of a format that has none: the index counts where the leaf is known to have subleaves, or where a
/// subleaf other than 0 is among them. Of an entry that answers for every subleaf, such a format says 0.
pub(super) fn implied_flags(entries: &[CpuidEntry]) -> impl Fn(&CpuidEntry) -> u32 + use<> {
    let mut more: Vec<Leaf> =
        entries.iter().filter(|entry| entry.subleaf() != Subleaf(0)).map(|entry| entry.function).collect();
    more.sort_unstable();
    more.dedup();
    move |entry| {
        let indexed =
            IndexedLeaf::get(entry.function).is_some() || more.binary_search(&entry.function).is_ok();
        if indexed { CpuidEntry::SIGNIFICANT_INDEX } else { 0 }
    }
}

/// Gives entries that were read without flags those that are implied.
fn imply_flags(entries: &mut [CpuidEntry]) {
    for entry in entries.iter_mut() {
        entry.flags = CpuidEntry::SIGNIFICANT_INDEX;
    }
    let implied = implied_flags(entries);
    for entry in entries {
        entry.flags = implied(entry);
    }
}
