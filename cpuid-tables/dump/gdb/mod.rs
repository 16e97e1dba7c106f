//! `cpuid_entries` of `struct kvm_vcpu_arch`, or any array of `struct kvm_cpuid_entry2`, as gdb and crash print it.
//!
//! ```text
//! cpuid_nent = 29,
//! cpuid_entries = {{
//!     function = 1073741824,
//!     index = 0,
//!     ...
//!     padding = {0, 0, 0}
//!   }, {
//! ```
//!
//! On a line or on many, in decimal or hexadecimal, with `<repeats 12 times>` and indexes. `cpuid_nent` before tells how
//! many entries there are; without it those at the end that are all zero are none. `vcpu_id` before tells the CPU.
//! Where `cpuid_entries` is a pointer, since Linux 5.11, `struct kvm_cpuid_entry2 ADDRESS -c COUNT` of crash prints the
//! entries one after the other, each as `struct kvm_cpuid_entry2 {...}`; these are one table too.
//! Whatever else a session prints is ignored.

mod token;

use core::mem;
use std::boxed::Box;
use std::format;
use std::io::Write;
use std::string::String;
use std::vec::Vec;

use self::token::{Token, number, token};
use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::scan::Scan;
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::CpuidEntry;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "gdb",
    about: "`cpuid_entries` as gdb and crash print them",
    marks: &[Mark::Text(b"function = "), Mark::Text(b"cpuid_entries = ")],
    parser: || Box::new(Gdb::default()),
    style: Some(Style { write, flags: Flags::All, open: false, several: Several::Yes }),
};

const FIELDS: [&[u8]; 7] = [b"function", b"index", b"flags", b"eax", b"ebx", b"ecx", b"edx"];
/// The type of an entry.
const ENTRY_TYPE: &[u8] = b"kvm_cpuid_entry2";
const EXPECTED_FIELD: &str = "expected `name = number` with the fields function, index, flags, eax, ebx, ecx and edx, each \
                              once, and padding";
const EXPECTED_ENTRY: &str = "expected a further `{function = ...}` or the end of the array";
const CUT_OFF: &str = "gdb left the rest out: `set print elements unlimited` makes it print all";

/// The reader.
#[derive(Default)]
struct Gdb {
    state: State,
    /// `cpuid_nent` of the table that comes.
    count: Option<u32>,
    /// `vcpu_id` of the table that comes.
    vcpu: Option<u32>,
    table: Vec<CpuidEntry>,
    /// Where the table began.
    began: u64,
}

/// Where in the text the reader is.
#[derive(Default)]
enum State {
    /// In no table.
    #[default]
    Outside,
    /// After a name that counts, or after it and `=`.
    Named { name: Name, equals: bool },
    /// After so many opening braces, with nothing but indexes between.
    Opened(usize),
    /// Between the entries of an array.
    Between,
    /// Between entries that each have their type before them.
    Listed,
    /// After the type's name.
    Typed,
    /// After the opening brace of an entry.
    EntryOpened(Within),
    /// In an entry.
    Entry(Partial),
}

/// What an entry is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Array,
    /// Entries that each have their type before them.
    List,
}

#[derive(Clone, Copy)]
enum Name {
    Count,
    Vcpu,
    Entries,
}

/// An entry of which some fields were read.
struct Partial {
    within: Within,
    fields: [Option<u32>; 7],
    /// What the next value belongs to, and whether `=` came.
    field: Option<(Field, bool)>,
    /// Braces of the padding that are open.
    padding: u32,
}

#[derive(Clone, Copy)]
enum Field {
    Number(usize),
    Padding,
}

impl Partial {
    fn new(within: Within) -> Partial {
        Partial { within, fields: [None; 7], field: None, padding: 0 }
    }

    /// Takes a piece; the whole entry when it is at its end.
    fn token(&mut self, token: &Token<'_>) -> Result<Option<CpuidEntry>, Fault> {
        let wrong = Err(Fault::Here(EXPECTED_FIELD));
        match (token, self.field) {
            (Token::Open, _) if self.padding > 0 => self.padding += 1,
            (Token::Close, _) if self.padding > 0 => {
                self.padding -= 1;
                if self.padding == 0 {
                    self.field = None;
                }
            }
            (Token::Dots, _) => return Err(Fault::Here(CUT_OFF)),
            _ if self.padding > 0 => {}
            (Token::Open, Some((Field::Padding, true))) => self.padding = 1,
            (Token::Word(word), None) => {
                let number = FIELDS.into_iter().position(|field| field == *word);
                self.field = Some(match number {
                    Some(at) if self.fields[at].is_none() => (Field::Number(at), false),
                    None if *word == b"padding" => (Field::Padding, false),
                    _ => return wrong,
                });
            }
            (Token::Equals, Some((field, false))) => self.field = Some((field, true)),
            (Token::Word(word), Some((Field::Number(at), true))) => {
                self.fields[at] = Some(number(word).ok_or(Fault::Here(EXPECTED_FIELD))?);
                self.field = None;
            }
            (Token::Comma, None) => {}
            (Token::Close, None) => return self.entry().map(Some).ok_or(Fault::Here(EXPECTED_FIELD)),
            _ => return wrong,
        }
        Ok(None)
    }

    fn entry(&self) -> Option<CpuidEntry> {
        let [function, index, flags, registers @ ..] = self.fields;
        let [eax, ebx, ecx, edx] = registers;
        Some(CpuidEntry {
            function: Leaf(function?),
            index: Subleaf(index?),
            flags: flags?,
            registers: Registers::new(eax?, ebx?, ecx?, edx?),
        })
    }
}

impl Gdb {
    fn token(&mut self, token: &Token<'_>, line: u64, sink: &mut Sink) -> Result<(), Fault> {
        self.state = match mem::take(&mut self.state) {
            State::Outside => outside(token),
            State::Named { name, equals: false } => match token {
                Token::Equals => State::Named { name, equals: true },
                _ => outside(token),
            },
            State::Named { name, equals: true } => self.named(name, token, line),
            State::Opened(braces) => self.opened(braces, token, line)?,
            State::Between => return self.between(token, sink),
            State::Listed => return self.listed(token, line, sink),
            State::Typed => match token {
                Token::Open if self.table.is_empty() => self.begin(State::EntryOpened(Within::List), line),
                Token::Open => State::EntryOpened(Within::List),
                _ => return self.listed(token, line, sink),
            },
            State::EntryOpened(within) => {
                let mut entry = Partial::new(within);
                entry.token(token)?;
                State::Entry(entry)
            }
            State::Entry(mut entry) => match entry.token(token)? {
                None => State::Entry(entry),
                Some(whole) => return self.whole(whole, entry.within, sink),
            },
        };
        Ok(())
    }

    /// A piece after a name and `=`.
    fn named(&mut self, name: Name, token: &Token<'_>, line: u64) -> State {
        match (name, token) {
            (Name::Entries, Token::Open) => return self.begin(State::Between, line),
            (Name::Count, Token::Word(word)) => self.count = number(word),
            (Name::Vcpu, Token::Word(word)) => self.vcpu = number(word),
            _ => return outside(token),
        }
        State::Outside
    }

    /// A piece after opening braces.
    fn opened(&mut self, braces: usize, token: &Token<'_>, line: u64) -> Result<State, Fault> {
        Ok(match token {
            Token::Open => State::Opened(braces + 1),
            Token::Index => State::Opened(braces),
            Token::Word(b"function") => {
                let mut entry = Partial::new(if braces > 1 { Within::Array } else { Within::Nothing });
                entry.token(token)?;
                self.begin(State::Entry(entry), line)
            }
            _ => outside(token),
        })
    }

    /// An entry is at its end.
    fn whole(&mut self, entry: CpuidEntry, within: Within, sink: &mut Sink) -> Result<(), Fault> {
        self.push(entry, 1)?;
        self.state = match within {
            Within::Nothing => return self.finish(sink),
            Within::Array => State::Between,
            Within::List => State::Listed,
        };
        Ok(())
    }

    /// A piece between entries that each have their type before them, or after the last.
    fn listed(&mut self, token: &Token<'_>, line: u64, sink: &mut Sink) -> Result<(), Fault> {
        self.state = match token {
            Token::Word(b"struct") if !self.table.is_empty() => State::Listed,
            Token::Word(ENTRY_TYPE) => State::Typed,
            _ => {
                if !self.table.is_empty() {
                    self.finish(sink)?;
                }
                return self.token(token, line, sink);
            }
        };
        Ok(())
    }

    /// A piece between the entries of an array, or at its end.
    fn between(&mut self, token: &Token<'_>, sink: &mut Sink) -> Result<(), Fault> {
        self.state = match token {
            Token::Open => State::EntryOpened(Within::Array),
            Token::Comma | Token::Index => State::Between,
            Token::Repeats(times) => {
                let last = *self.table.last().ok_or(Fault::Here(EXPECTED_ENTRY))?;
                self.push(last, times.saturating_sub(1))?;
                State::Between
            }
            Token::Close => return self.finish(sink),
            Token::Dots => return Err(Fault::Here(CUT_OFF)),
            _ => return Err(Fault::Here(EXPECTED_ENTRY)),
        };
        Ok(())
    }

    fn begin(&mut self, state: State, line: u64) -> State {
        self.table.clear();
        self.began = line;
        state
    }

    fn push(&mut self, entry: CpuidEntry, times: u32) -> Result<(), Fault> {
        for _ in 0..times {
            if self.table.len() >= Cpu::MAX_ENTRIES {
                return Err(Fault::TooManyEntries);
            }
            self.table.push(entry);
        }
        Ok(())
    }

    /// The table is at its end.
    fn finish(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let mut table = mem::take(&mut self.table);
        let vcpu = self.vcpu.take();
        match self.count.take() {
            Some(count) => {
                let held = table.len();
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                if count > held {
                    return Err(Fault::At {
                        line: self.began,
                        text: format!("cpuid_nent = {count}"),
                        why: format!("the table that begins in this line has {held} entries").into(),
                    });
                }
                table.truncate(count);
            }
            None => {
                let end = table.iter().rposition(|entry| *entry != CpuidEntry::ZERO);
                table.truncate(end.map_or(0, |end| end + 1));
            }
        }
        sink.start(vcpu, None);
        for entry in table {
            sink.entry(entry)?;
        }
        sink.finish();
        Ok(())
    }
}

/// Where a piece leads that comes outside of a table.
fn outside(token: &Token<'_>) -> State {
    let named = |name| State::Named { name, equals: false };
    match token {
        Token::Open => State::Opened(1),
        Token::Word(b"cpuid_nent") => named(Name::Count),
        Token::Word(ENTRY_TYPE) => State::Typed,
        Token::Word(b"vcpu_id") => named(Name::Vcpu),
        Token::Word(b"cpuid_entries") => named(Name::Entries),
        _ => State::Outside,
    }
}

impl Parser for Gdb {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let mut rest = Scan::new(line.text);
        while let Some(token) = token(&mut rest) {
            // Of a table that makes no sense nothing is kept.
            self.token(&token, line.number, sink).inspect_err(|_| self.table.clear())?;
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        match self.state {
            State::Listed | State::Typed if !self.table.is_empty() => self.finish(sink),
            State::Between | State::EntryOpened(_) | State::Entry(_) => Err(Fault::At {
                line: self.began,
                text: String::from("{"),
                why: "the table that begins in this line is not closed".into(),
            }),
            _ => Ok(()),
        }
    }
}

/// Writes a CPU.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    if let Some(number) = cpu.number {
        writeln!(out, "  vcpu_id = {number},")?;
    }
    writeln!(out, "  cpuid_nent = {},", cpu.entries.len())?;
    write!(out, "  cpuid_entries = {{")?;
    for (at, entry) in cpu.entries.iter().enumerate() {
        if at > 0 {
            write!(out, ", ")?;
        }
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let numbers = [entry.function.0, entry.index.0, entry.flags, eax, ebx, ecx, edx];
        writeln!(out, "{{")?;
        for (field, number) in FIELDS.into_iter().zip(numbers) {
            writeln!(out, "      {} = {number},", String::from_utf8_lossy(field))?;
        }
        write!(out, "      padding = {{0, 0, 0}}\n    }}")?;
    }
    writeln!(out, "}},")?;
    Ok(())
}
