//! The statements of one release, each with a subject and values, so that two releases can be compared.

use std::fmt;

use super::finding::Release;
use super::guest_statements;
use super::linux::LinuxIndex;
use super::linux_names::{call_of, cap_name};
use super::numbers;
use super::qemu::QemuIndex;
use crate::facts::{
    CapKind, KvmModule, LinuxFacts, LinuxFlag, MaskKind, ModuleAction, QemuFacts, QemuSource,
};
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

/// Fields of cpuid.csv.
const FIELD: &str = "cpuid-field";

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
    fn new(release: &'a Release, at: Span) -> Statements<'a> {
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

    /// The statements of a Linux release.
    pub(super) fn from_linux(index: &'a LinuxIndex<'a>) -> Statements<'a> {
        let facts: &LinuxFacts = index.facts;
        let mut all = Statements::new(&index.release, facts.at);
        for count in &facts.counts {
            all.add("linux-count", Text::Name(&count.name), Text::Count(count.value), count.at);
        }
        for word in &facts.words {
            // The kernel counts on from words of registers; a word of its own has its number only.
            let place = word.location.map_or(Text::SoftwareWord(word.word), Text::Register);
            all.add("linux-word", Text::Name(&word.name), place, word.at);
        }
        all.say_flags(("linux-feature", "linux-flag"), &facts.features, |flag| {
            let word = index.kernel_word(flag.word).filter(|word| word.location.is_none());
            word.map(|word| Text::BitOf(&word.name, flag.bit))
        });
        let numbered = |flag: &LinuxFlag| Some(Text::Numbered(flag.word, flag.bit));
        all.say_flags(("linux-bug", "linux-bug-flag"), &facts.bugs, numbered);
        all.say_flags(("linux-vmx", "linux-vmx-flag"), &facts.vmx, numbered);
        for (&location, names) in &index.bits {
            for name in names {
                all.add(name.sort, Text::Name(name.name), Text::Place(location), name.at);
                all.add(LOCATION, Text::Place(location), Text::Name(name.name), name.at);
            }
        }
        all.say_names(facts);
        all
    }

    fn say_flags(
        &mut self,
        (sort, flag_sort): (&'static str, &'static str),
        flags: &'a [LinuxFlag],
        place: impl Fn(&LinuxFlag) -> Option<Text<'a>>,
    ) {
        for flag in flags {
            let name = Text::Name(&flag.name);
            if let Some(place) = place(flag) {
                self.add(sort, name, place, flag.at);
            }
            self.add(flag_sort, name, Text::Name(flag.flag.as_deref().unwrap_or("hidden")), flag.at);
        }
    }

    fn say_names(&mut self, facts: &'a LinuxFacts) {
        for bit in &facts.scattered {
            self.add("linux-scattered", Text::NameAt(&bit.name, bit.location), Text::Nothing, bit.at);
        }
        for bit in &facts.kvm_translates {
            self.add("kvm-translate", Text::Name(&bit.name), Text::BitOf(&bit.leaf_name, bit.bit), bit.at);
        }
        for dep in &facts.deps {
            self.add("linux-dep", Text::Pair(&dep.name, &dep.needs), Text::Nothing, dep.at);
        }
        for cap in &facts.kvm_caps {
            let subject = Text::Cap(cap.leaf_name.as_deref(), call_of(cap), &cap.name);
            self.add("kvm-cap", subject, Text::Name(cap.kind.name()), cap.at);
        }
        for cap in &facts.kvm_modules {
            let subject = Text::Module(cap.module, cap.action, &cap.name);
            let condition = cap.condition.as_deref().unwrap_or("always");
            self.add("kvm-module", subject, Text::Name(condition), cap.at);
        }
        for param in &facts.kvm_params {
            let subject = Text::Pair(param.module.name(), &param.name);
            self.add("kvm-param", subject, Text::Name(&param.default), param.at);
        }
        for bit in &facts.msr_bits {
            self.add("linux-msr", Text::Name(&bit.name), Text::MsrBit(bit.msr, bit.bit), bit.at);
        }
        for config in &facts.configs {
            let condition = config.condition.as_deref().unwrap_or("-");
            let subject = Text::Pair(config.kind.name(), &config.name);
            self.add("linux-config", subject, Text::Name(condition), config.at);
        }
        for field in &facts.cpuid_fields {
            let place = Text::Field(field.place());
            self.add(FIELD, place, Text::Name(&field.name), field.at);
        }
        for field in &facts.leaf_fields {
            let place = Text::Field(field.place());
            self.add("leaf-field", place, Text::Name(&field.name), field.at);
        }
    }

    /// The statements of a QEMU release.
    pub(super) fn from_qemu(index: &'a QemuIndex<'a>) -> Statements<'a> {
        let facts: &QemuFacts = index.facts;
        let mut all = Statements::new(&index.release, facts.at);
        for word in &facts.words {
            let source = match word.source {
                QemuSource::Cpuid { leaf, subleaf, register } => Text::Cpuid(leaf, subleaf, register),
                QemuSource::Msr(msr) => Text::Msr(msr),
            };
            all.add("qemu-word", Text::Name(&word.name), source, word.at);
        }
        for bit in &facts.bits {
            all.add("qemu-bit", Text::BitOf(&bit.word, bit.bit), Text::Name(&bit.name), bit.at);
        }
        for mask in &facts.masks {
            all.add("qemu-mask", Text::Mask(&mask.word, mask.kind), Text::Hex(mask.mask), mask.at);
        }
        for constant in &facts.macros {
            all.add("qemu-macro", Text::Name(&constant.name), Text::Hex(constant.value), constant.at);
        }
        for dep in &facts.deps {
            let (from, to) = ((dep.from.0.as_str(), dep.from.1), (dep.to.0.as_str(), dep.to.1));
            all.add("qemu-dep", Text::Dep(from, to), Text::Nothing, dep.at);
        }
        for comment in &facts.comments {
            let source = Text::Cpuid(comment.leaf, comment.subleaf, comment.register);
            all.add("qemu-comment", Text::Name(&comment.word), source, comment.at);
        }
        guest_statements::add(&mut all, facts);
        all
    }
}
