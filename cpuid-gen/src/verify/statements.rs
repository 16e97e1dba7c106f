//! The statements of one release, each with a subject and values, so that two releases can be compared: their form.
//! `linux_statements.rs` and `qemu_statements.rs` make them.

use std::fmt;

use super::linux_names::cap_name;
use super::numbers;
use super::release::Release;
use crate::facts::{CapKind, KvmModule, MaskKind, ModuleAction, QemuSource};
use crate::hash::QuickMap;
use crate::location::{Bit, CpuidWord, FieldPlace, Leaf, Location, Msr, Register, Subleaf, Word};
use crate::source::Span;

/// A subject or a value, in a form that is formatted only when shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Text<'a> {
    Nothing,
    Name(&'a str),
    Pair(&'a str, &'a str),
    Cap(Option<&'a str>, Option<CapKind>, &'a str),
    Mask(&'a str, MaskKind),
    Dep((&'a str, u64), (&'a str, u64)),
    BitOf(&'a str, Bit),
    Numbered(Word, Bit),
    Register(CpuidWord),
    SoftwareWord(Word),
    Place(Location),
    NameAt(&'a str, Location),
    Cpuid(Leaf, Option<Subleaf>, Register),
    Msr(Msr),
    Hex(u64),
    Count(u16),
    MsrBit(Msr, Bit),
    Field(FieldPlace),
    Module(KvmModule, ModuleAction, &'a str),
    OfModel(&'a str, Option<u32>, &'a str),
    CacheOf(&'a str, Option<u32>, &'a str, &'a str),
    Byte(u8, &'a str),
    Compat(&'a str, &'a str, &'a str),
    State(u8, &'a str, Bit),
    SizeAt(u32, Option<u32>),
    Enlightenment(&'a str, Leaf, Register),
    Number(u64),
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Text::Nothing => f.write_str("-"),
            Text::Name(name) => f.write_str(name),
            Text::Pair(one, other) => write!(f, "{one} {other}"),
            Text::Cap(leaf, call, name) => f.write_str(&cap_name(*leaf, *call, name)),
            Text::Mask(word, kind) => write!(f, "{word} {kind}"),
            Text::Dep((from, mask), (to, to_mask)) => write!(f, "{from} {mask:#x} {to} {to_mask:#x}"),
            Text::BitOf(word, bit) => write!(f, "{word}[{}]", bit.0),
            Text::Numbered(word, bit) => write!(f, "{}[{}]", word.0, bit.0),
            Text::Register(register) => register.fmt(f),
            Text::SoftwareWord(word) => write!(f, "software word {}", word.0),
            Text::Place(location) => location.fmt(f),
            Text::NameAt(name, location) => write!(f, "{name} {location}"),
            Text::Cpuid(leaf, subleaf, register) => {
                let (leaf, subleaf, register) = (*leaf, *subleaf, *register);
                QemuSource::Cpuid { leaf, subleaf, register }.fmt(f)
            }
            Text::Msr(msr) => msr.fmt(f),
            Text::Hex(value) => write!(f, "{value:#x}"),
            Text::Count(count) => count.fmt(f),
            Text::MsrBit(msr, bit) => f.write_str(&numbers::shown(*msr, *bit)),
            Text::Field(place) => place.fmt(f),
            Text::Module(module, action, name) => write!(f, "{module} {action} {name}"),
            Text::Byte(byte, key) => write!(f, "{byte:#x} {key}"),
            Text::Compat(machine, of, property) => write!(f, "{machine} {of} {property}"),
            Text::State(component, word, bit) => write!(f, "{component} {word}[{}]", bit.0),
            Text::SizeAt(size, Some(offset)) => write!(f, "{size} bytes at {offset}"),
            Text::SizeAt(size, None) => write!(f, "{size} bytes"),
            Text::Enlightenment(property, leaf, register) => write!(f, "{property} {leaf} {register}"),
            Text::Number(value) => value.fmt(f),
            Text::OfModel(..) | Text::CacheOf(..) => self.fmt_of_model(f),
        }
    }
}

impl Text<'_> {
    /// `EPYC vendor`, `EPYC-v2`, `EPYC-v4 l1d size`.
    fn fmt_of_model(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, version, parts) = match self {
            Text::OfModel(name, version, key) => (name, version, [*key, ""]),
            Text::CacheOf(name, version, slot, key) => (name, version, [*slot, *key]),
            _ => return Ok(()),
        };
        f.write_str(name)?;
        if let Some(version) = version {
            write!(f, "-v{version}")?;
        }
        parts.iter().filter(|part| !part.is_empty()).try_for_each(|part| write!(f, " {part}"))
    }
}

/// The subject of a statement: the kind of its row, and a name.
pub(super) type Subject<'a> = (&'static str, Text<'a>);
/// A value and its place.
pub(super) type Value<'a> = (Text<'a>, Span);

/// The values of one subject. Nearly always a single one, which needs no allocation.
#[derive(Debug)]
pub(super) struct Values<'a> {
    first: Value<'a>,
    more: Vec<Value<'a>>,
}

impl<'a> Values<'a> {
    /// In the order of the rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Value<'a>> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// One value at the place of others.
    pub(super) fn of(text: Text<'a>, others: &Values<'a>) -> Values<'a> {
        Values { first: (text, others.first.1), more: Vec::new() }
    }

    pub(super) fn has(&self, text: Text<'_>) -> bool {
        self.iter().any(|(known, _)| *known == text)
    }

    /// The hardware locations among them.
    pub(super) fn places(&self) -> impl Iterator<Item = Location> {
        self.iter().filter_map(|(value, _)| match value {
            Text::Place(location) => Some(*location),
            _ => None,
        })
    }
}

/// All statements of one release.
pub(super) struct Statements<'a> {
    pub(super) release: &'a Release,
    pub(super) at: Span,
    /// Unordered: findings are sorted when they are reported.
    pub(super) values: QuickMap<Subject<'a>, Values<'a>>,
}

/// The kind of the statements about the names of hardware bits.
pub(super) const LOCATION: &str = "location";

impl<'a> Statements<'a> {
    pub(super) fn new(release: &'a Release, at: Span) -> Statements<'a> {
        let mut values = QuickMap::default();
        values.reserve(4096);
        Statements { release, at, values }
    }

    pub(super) fn add(&mut self, sort: &'static str, subject: Text<'a>, value: Text<'a>, at: Span) {
        let first = (value, at);
        let values = self.values.entry((sort, subject)).or_insert_with(|| Values { first, more: Vec::new() });
        if !values.has(value) {
            values.more.push(first);
        }
    }
}
