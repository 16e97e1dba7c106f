//! What a text may mean: a name in any spelling, a location, or a register's value.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::enlightenment::{self, Enlightenment};
use super::hypervisor::{self, Kind, Ranges};
use super::message::{self, Message};
use super::msr::{self, AboutMsr, MsrBits};
use super::styled::{Style, Styled};
use super::{About, DecodedRegister, Place, decode_register, leaves, listed};
use crate::bits::description::{Part, describe};
use crate::bits::feature::Feature;
use crate::bits::field::Field;
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, MsrBit, Register, Subleaf, WordBit};
use crate::bits::lookup::{LookupError, Named, without_prefix};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::name_hash::fold_eq;
use crate::bits::own_fields;
use crate::bits::release::{LinuxRelease, QemuRelease};
use crate::naming::{alias_place, bits_in, cut_off};

/// One meaning of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// A bit.
    Bit(About),
    /// A field.
    Field(Field),
    /// A leaf, or one of its subleaves, and the parts of its registers.
    Leaf(Leaf, Option<Subleaf>, Vec<(CpuidWord, Part)>),
    /// A register and its parts.
    Register(CpuidWord, Vec<Part>),
    /// A register with a value, decoded.
    Value(DecodedRegister),
    /// A location in Linux's words, and the bits there in a release.
    LinuxBit(WordBit, LinuxRelease, Vec<Named>),
    /// An MSR.
    Msr(AboutMsr),
    /// An MSR with a value.
    MsrValue(AboutMsr, u64),
    /// A bit of an MSR that only the manual names.
    MsrBit(MsrBit, &'static str),
    /// Bits of an MSR, or one that has no name of its own.
    MsrBits(MsrBits),
    /// A property of QEMU's for a Hyper-V enlightenment.
    Enlightenment(Enlightenment),
    /// A message of a program.
    Message(Message),
}

/// Every meaning of a text; empty if it has none.
///
/// A text is a name, a place or a value, a line that QEMU, libvirt or Linux printed, or several names.
///
/// ```
/// use cpuid_tables::show::{Found, find};
///
/// assert!(matches!(find("avx2").as_slice(), [Found::Bit(_)]));
/// assert_eq!(find("kvmclock").len(), 2);
/// assert!(matches!(find("7.0.ebx=0x20").as_slice(), [Found::Value(_)]));
/// assert!(matches!(find("failed to set MSR 0x48e to 0x1").as_slice(), [Found::MsrValue(..)]));
/// assert!(find("no-such-thing").is_empty());
/// ```
#[must_use]
pub fn find(text: &str) -> Vec<Found> {
    meanings(text).found
}

/// What a text means, and the names in it that nothing has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meanings {
    /// Every meaning, as [`find`] has it.
    pub found: Vec<Found>,
    /// Names that a list in the text has and that are not known, such as `foobar` of `missing features: avx2,foobar`.
    pub unknown: Vec<String>,
}

/// Every meaning of a text, as [`find`] has it, and the names that are not known.
///
/// ```
/// use cpuid_tables::show::meanings;
///
/// let meant = meanings("missing features: avx2,foobar");
/// assert_eq!((meant.found.len(), meant.unknown), (1, vec!["foobar".to_string()]));
/// ```
#[must_use]
pub fn meanings(text: &str) -> Meanings {
    let text = text.trim();
    let known = |found: Vec<Found>| Meanings { found, unknown: Vec::new() };
    let ways: [&dyn Fn() -> Meanings; 9] = [
        &|| known(by_name(text)),
        &|| if text.contains("[bit ") { in_line(text) } else { Meanings::default() },
        &|| known(of_word(text).or_else(|| text.parse().ok()).map(at).unwrap_or_default()),
        &|| known(alias_place(text).map(at).unwrap_or_default()),
        &|| known(msr::bits_of(text).map(Found::MsrBits).into_iter().collect()),
        &|| of_message(text),
        &|| in_line(text),
        &|| known(bare_name(text)),
        &|| known(several(text)),
    ];
    let mut meant =
        ways.into_iter().map(|way| way()).find(|meant| !meant.found.is_empty()).unwrap_or_default();
    without_repetition(&mut meant.found);
    meant
}

/// Each meaning once: a log repeats its lines for every vCPU.
fn without_repetition(found: &mut Vec<Found>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    found.retain(|one| seen.insert(format!("{one:?}")));
}

/// A message of a program, with the names that belong to it and those that the line has.
fn of_message(text: &str) -> Meanings {
    let Some(message) = message::message(text) else { return Meanings::default() };
    let names = message.names().into_iter().flat_map(by_name);
    let named: Vec<Found> = names.collect();
    let mut meant = in_line(text);
    let mut found = alloc::vec![Found::Message(message)];
    found.append(&mut meant.found);
    found.extend(named);
    Meanings { found, ..meant }
}

/// No name is longer.
const LONGEST_NAME: usize = 128;

fn by_name(text: &str) -> Vec<Found> {
    if text.len() > LONGEST_NAME && !text.contains("[bit ") {
        return Vec::new();
    }
    let bits = all_of(super::named(text)).into_iter().map(|bit| Found::Bit(About::new(bit)));
    let enlightenments = enlightenment::named(text, false).into_iter().map(Found::Enlightenment);
    let others = Field::named(text).map(Found::Field).chain(enlightenments);
    let found: Vec<Found> = bits.chain(others).collect();
    // Some MSRs have a feature's name, without the prefix that says which is meant.
    let msr = || AboutMsr::named(text).map(Found::Msr).into_iter().collect();
    if found.is_empty() { msr() } else { found }
}

/// Names that mean something only where nothing else has them: Hyper-V's fields, libvirt's enlightenments, an MSR's bits.
fn bare_name(text: &str) -> Vec<Found> {
    if text.len() > LONGEST_NAME {
        return Vec::new();
    }
    let short = without_prefix(text, "KVM_FEATURE_").unwrap_or(text);
    let fields = hypervisor::all_fields().map(|(_, field)| field);
    let fields = fields.filter(|field| fold_eq(field.name(), short)).map(Found::Field);
    let enlightenments = enlightenment::named(text, true).into_iter().map(Found::Enlightenment);
    let bit = msr::bit_named(text).map(|(at, name)| Found::MsrBit(at, name));
    fields.chain(enlightenments).chain(bit).collect()
}

/// What a line names that a program printed.
fn in_line(text: &str) -> Meanings {
    let known = |found: Vec<Found>| Meanings { found, unknown: Vec::new() };
    if let Some(left) = cut_off(text) {
        let bits: Vec<Found> = left.bits.into_iter().map(|bit| Found::Bit(About::new(bit))).collect();
        return known(if bits.is_empty() { left.place.map(at).unwrap_or_default() } else { bits });
    }
    if text.contains("[bit ") {
        let bits = bits_in(text).into_iter().flat_map(|found| match found.place {
            Some(place) if found.bits.is_empty() => at(place),
            _ => found.bits.into_iter().map(|bit| Found::Bit(About::new(bit))).collect(),
        });
        let bits: Vec<Found> = bits.collect();
        if !bits.is_empty() {
            return known(bits);
        }
    }
    let meant = in_lists(text);
    if !meant.found.is_empty() {
        return meant;
    }
    let msrs = msr::msrs_in(text).into_iter();
    let msrs = msrs.filter_map(|(msr, value)| {
        let about = AboutMsr::new(msr)?;
        Some(value.map_or(Found::Msr(about), |value| Found::MsrValue(about, value)))
    });
    let msrs: Vec<Found> = msrs.collect();
    known(if msrs.is_empty() { registers_in(text) } else { msrs })
}

/// The names of a line's lists.
fn in_lists(text: &str) -> Meanings {
    let mut meant = Meanings::default();
    for list in listed::lists(text) {
        let found = list.names.iter().map(|name| listed_name(name));
        if list.is_list {
            meant.found.extend(found.flatten());
            meant.unknown.extend(listed::unknown(&list.names, |name| !listed_name(name).is_empty()));
        } else {
            meant.found.extend(found.take_while(|found| !found.is_empty()).flatten());
        }
    }
    meant
}

/// A name in a list; libvirt and `KubeVirt` leave the prefix of an enlightenment out. Of features and other bits of one name
/// features are meant.
fn listed_name(name: &str) -> Vec<Found> {
    let mut found = by_name(name);
    if found.is_empty() {
        found = enlightenment::named(name, true).into_iter().map(Found::Enlightenment).collect();
    }
    let is_feature =
        |found: &Found| matches!(found, Found::Bit(about) if matches!(about.named, Named::Feature(_)));
    if found.iter().any(is_feature) {
        found.retain(is_feature);
    }
    found
}

/// VMware's `CPUID level 0x1 register 'ecx'`.
fn registers_in(text: &str) -> Vec<Found> {
    let folded = text.to_ascii_lowercase();
    let Some((_, after)) = folded.split_once("cpuid level ") else { return Vec::new() };
    let mut words = after.split([' ', '\'', '"', '.']).filter(|word| !word.is_empty());
    let (Some(leaf), Some("register"), Some(register)) = (words.next(), words.next(), words.next()) else {
        return Vec::new();
    };
    format!("{leaf}.0.{register}").parse().map(at).unwrap_or_default()
}

/// Several names, with spaces or commas between them, each of which is known.
fn several(text: &str) -> Vec<Found> {
    let words = || text.split(|c: char| c.is_whitespace() || c == ',').filter(|name| !name.is_empty());
    let names = || words().map(|word| word.split_once('=').map_or(word, |(name, _)| name));
    if names().nth(1).is_none() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for name in names() {
        let found = by_name(name);
        if found.is_empty() {
            return Vec::new();
        }
        all.extend(found);
    }
    all
}

/// A register or one of its bits by its word's name: QEMU's `FEAT_7_0_EBX[5]`, Linux's and KVM's `CPUID_7_0_EBX`.
fn of_word(text: &str) -> Option<Place> {
    let (name, bit) = text.split_once('[').map_or((text, None), |(name, bit)| (name, Some(bit)));
    let is_called = |feature: &Feature| {
        let qemu = QemuRelease::ALL.into_iter().filter_map(|release| feature.qemu_word(release));
        let kvm = LinuxRelease::ALL.into_iter().filter_map(|release| feature.kvm_word(release));
        let mut names = qemu.map(|word| word.name).chain(kvm.map(|word| word.leaf));
        names.any(|known| known.eq_ignore_ascii_case(name))
    };
    let word = Feature::all().find(is_called)?.location().word;
    let Some(bit) = bit else { return Some(Place::Register(word)) };
    let bit = bit.strip_suffix(']')?.parse().ok().filter(|bit| *bit < 32)?;
    Some(Place::Bits(word, Bit(bit), Bit(bit)))
}

fn all_of(found: Result<Named, LookupError>) -> Vec<Named> {
    match found {
        Ok(named) => alloc::vec![named],
        Err(LookupError::Ambiguous(all)) => all.iter().collect(),
        Err(LookupError::Unknown) => Vec::new(),
    }
}

fn at(place: Place) -> Vec<Found> {
    match place {
        Place::Leaf(leaf, subleaf) => {
            let leaves = in_leaf(leaf, subleaf);
            // A number without a leaf may be an MSR's.
            let msr = || subleaf.is_none().then(|| AboutMsr::new(Msr(leaf.0))).flatten().map(Found::Msr);
            if leaves.is_empty() { msr().into_iter().collect() } else { leaves }
        }
        Place::Register(word) => {
            let parts: Vec<Part> = parts_of(word).collect();
            if parts.is_empty() { Vec::new() } else { alloc::vec![Found::Register(word, parts)] }
        }
        Place::Bits(word, low, high) => {
            let wanted = u32::MAX >> (31 - (high.0 - low.0)) << low.0;
            let there = parts_of(word).filter(|part| part.mask() & wanted != 0);
            there
                .map(|part| match part {
                    Part::Feature(feature) => Found::Bit(About::new(Named::Feature(feature))),
                    Part::Field(field) => Found::Field(field),
                })
                .collect()
        }
        Place::Value(word, value) => alloc::vec![Found::Value(decode_register(word, value))],
        Place::LinuxBit(at) => {
            let in_release = |release: LinuxRelease| {
                let there = all_of(release.feature_at(at.word, at.bit));
                (!there.is_empty()).then_some(Found::LinuxBit(at, release, there))
            };
            LinuxRelease::ALL.into_iter().filter_map(in_release).collect()
        }
        Place::Msr(msr) => AboutMsr::new(msr).map(Found::Msr).into_iter().collect(),
        Place::MsrValue(msr, value) => {
            AboutMsr::new(msr).map(|about| Found::MsrValue(about, value)).into_iter().collect()
        }
        Place::MsrBit(at) => {
            let feature = MsrFeature::at(at).map(|bit| Found::Bit(About::new(Named::Msr(bit))));
            let manual = || Some(Found::MsrBit(at, AboutMsr::new(at.msr)?.bit_name(at.bit)?));
            let other = || MsrBits::new(at.msr, at.bit, at.bit).map(Found::MsrBits);
            feature.or_else(manual).or_else(other).into_iter().collect()
        }
    }
}

/// The parts of a register, Hyper-V's leaves included.
fn parts_of(word: CpuidWord) -> impl Iterator<Item = Part> {
    let hypervisors = hypervisor::all_fields().map(|(_, field)| field).filter(move |field| field.is_in(word));
    describe(word).chain(hypervisors.map(Part::Field))
}

/// The parts of all registers of a leaf; a part of several subleaves is listed at the first one. A hypervisor's leaf
/// that KVM and Hyper-V both have is listed twice.
fn in_leaf(leaf: Leaf, subleaf: Option<Subleaf>) -> Vec<Found> {
    let hyperv =
        |part: &Part| matches!(part, Part::Field(field) if hypervisor::whose(*field) == Some(Kind::Hyperv));
    let (of_hyperv, others): (Vec<_>, Vec<_>) =
        parts_in(leaf, subleaf).into_iter().partition(|(_, part)| hyperv(part));
    let lists = [others, of_hyperv].into_iter().filter(|parts| !parts.is_empty());
    lists.map(|parts| Found::Leaf(leaf, subleaf, parts)).collect()
}

fn parts_in(leaf: Leaf, subleaf: Option<Subleaf>) -> Vec<(CpuidWord, Part)> {
    let fields = || {
        let own = hypervisor::all_fields().map(|(_, field)| field).filter(move |field| field.leaf() == leaf);
        Field::in_leaf(leaf).chain(own_fields::in_leaf(leaf)).chain(own)
    };
    let subleaves: Vec<u32> = match subleaf {
        Some(subleaf) => alloc::vec![subleaf.0],
        None => {
            let of_fields = fields().map(|field| *field.subleaves().start());
            let of_features = Feature::all().filter(|bit| bit.leaf() == leaf).map(|bit| bit.subleaf().0);
            let mut all: Vec<u32> = of_fields.chain(of_features).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
    };
    let words = subleaves.into_iter().flat_map(|subleaf| {
        Register::ALL.map(|register| CpuidWord { leaf, subleaf: Subleaf(subleaf), register })
    });
    let first = |(word, part): &(CpuidWord, Part)| match part {
        Part::Field(field) => subleaf.is_some() || *field.subleaves().start() == word.subleaf.0,
        Part::Feature(_) => true,
    };
    words.flat_map(|word| parts_of(word).map(move |part| (word, part))).filter(first).collect()
}

/// `[11:8]`, or `[5]`.
fn bits(mask: u32) -> String {
    let (low, high) = (mask.trailing_zeros(), 31 - mask.leading_zeros());
    if low == high { format!("[{low}]") } else { format!("[{high}:{low}]") }
}

/// Whose a leaf is that holds a part.
fn kind_of(leaf: Leaf, part: Part) -> Option<Kind> {
    let own = if let Part::Field(field) = part { hypervisor::whose(field) } else { None };
    own.or_else(|| Ranges::default().kind(leaf))
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Feature(feature) => super::name_of(feature),
        Part::Field(field) => field.name(),
    }
}

impl Found {
    /// A heading and details; a location in Linux's words is a single line.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        match self {
            Found::Bit(about) => return about.styled(),
            Found::Field(field) => {
                text.line(Style::Heading, format_args!("{field:?}"));
                let title = leaves::title(field.leaf(), kind_of(field.leaf(), Part::Field(*field)));
                if let Some(title) = title {
                    text.plain(format_args!("  leaf       {title}\n"));
                }
                text.plain(format_args!("  range      0 to {}\n", (*field).max()));
                if let Some(manual) = own_fields::source(*field) {
                    text.plain(format_args!("  named by   {manual}; no release of Linux or QEMU here\n"));
                }
            }
            Found::Leaf(leaf, subleaf, parts) => {
                let kind = parts.first().and_then(|(_, part)| kind_of(*leaf, *part));
                let title = leaves::title(*leaf, kind);
                let title = title.unwrap_or("fields and features");
                let subleaf = subleaf.map(|subleaf| format!(".{}", subleaf.0)).unwrap_or_default();
                text.line(Style::Heading, format_args!("{:#010x}{subleaf}: {title}", leaf.0));
                for (word, part) in parts {
                    let place = format!("{}.{}{}", word.subleaf.0, word.register, bits(part.mask()));
                    text.plain(format_args!("  {place:13} {}\n", part_name(*part)));
                }
            }
            Found::Register(word, parts) => {
                text.line(Style::Heading, word);
                for part in parts {
                    text.plain(format_args!("  {:9} {}\n", bits(part.mask()), part_name(*part)));
                }
            }
            Found::Value(decoded) => {
                text.line(Style::Heading, decoded.word).append(&decoded.styled());
            }
            Found::LinuxBit(at, release, there) => {
                let names: Vec<String> = there
                    .iter()
                    .map(|named| About::new(*named))
                    .map(|about| format!("{}, {}", about.named.name(), about.place()))
                    .collect();
                let names = names.join("; or ");
                text.line(Style::Heading, format_args!("{at} of Linux {release}: {names}"));
            }
            Found::Msr(about) => return about.styled(),
            Found::MsrValue(about, value) => return about.styled_value(*value),
            Found::MsrBit(at, name) => {
                let msr = AboutMsr::new(at.msr).map_or("", |about| about.name);
                text.line(Style::Heading, format_args!("{name}: {at}, {msr}"));
            }
            Found::MsrBits(bits) => return bits.styled(),
            Found::Enlightenment(enlightenment) => return enlightenment.styled(),
            Found::Message(message) => return message.styled(),
        }
        text
    }
}

impl fmt::Display for Found {
    /// The text of [`Found::styled`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled().fmt(f)
    }
}
