//! What people may mean by a text: a name in any spelling, a place, a register's value.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::hypervisor::Ranges;
use super::styled::{Style, Styled};
use super::{About, DecodedRegister, Place, decode_register, leaves};
use crate::bits::description::{Part, describe};
use crate::bits::feature::Feature;
use crate::bits::field::Field;
use crate::bits::location::{Bit, CpuidWord, Leaf, Register, Subleaf, WordBit};
use crate::bits::lookup::{LookupError, Named};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::own_fields;
use crate::bits::release::{LinuxRelease, QemuRelease};

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A bit.
    Bit(About),
    /// A field.
    Field(Field),
    /// A leaf, or one of its subleaves, and what its registers hold.
    Leaf(Leaf, Option<Subleaf>, Vec<(CpuidWord, Part)>),
    /// A register and what it holds.
    Register(CpuidWord, Vec<Part>),
    /// A register with a value.
    Value(DecodedRegister),
    /// A place in Linux's words, and what stands there in a release.
    LinuxBit(WordBit, LinuxRelease, Vec<Named>),
}

/// Everything that a text can mean; nothing if it means nothing.
///
/// ```
/// use cpuid_tables::show::{Found, find};
///
/// assert!(matches!(find("avx2").as_slice(), [Found::Bit(_)]));
/// assert_eq!(find("kvmclock").len(), 2);
/// assert!(matches!(find("7.0.ebx=0x20").as_slice(), [Found::Value(_)]));
/// assert!(find("no-such-thing").is_empty());
/// ```
#[must_use]
pub fn find(text: &str) -> Vec<Found> {
    let text = text.trim();
    let bits = all_of(super::named(text)).into_iter().map(|bit| Found::Bit(About::new(bit)));
    let by_name: Vec<Found> = bits.chain(Field::named(text).map(Found::Field)).collect();
    if !by_name.is_empty() {
        return by_name;
    }
    of_word(text).or_else(|| text.parse().ok()).map(at).unwrap_or_default()
}

/// A register, or a bit of it, by the name of its word: QEMU's `FEAT_7_0_EBX[5]`, Linux's and KVM's `CPUID_7_0_EBX`.
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
        Place::Leaf(leaf, subleaf) => in_leaf(leaf, subleaf).into_iter().collect(),
        Place::Register(word) => {
            let parts: Vec<Part> = describe(word).collect();
            if parts.is_empty() { Vec::new() } else { alloc::vec![Found::Register(word, parts)] }
        }
        Place::Bits(word, low, high) => {
            let wanted = u32::MAX >> (31 - (high.0 - low.0)) << low.0;
            let there = describe(word).filter(|part| part.mask() & wanted != 0);
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
        Place::MsrBit(at) => {
            MsrFeature::at(at).map(|bit| Found::Bit(About::new(Named::Msr(bit)))).into_iter().collect()
        }
    }
}

/// The parts of all registers of a leaf; those of several subleaves at the first that has them.
fn in_leaf(leaf: Leaf, subleaf: Option<Subleaf>) -> Option<Found> {
    let subleaves: Vec<u32> = match subleaf {
        Some(subleaf) => alloc::vec![subleaf.0],
        None => {
            let of_fields = Field::in_leaf(leaf).map(|field| *field.subleaves().start());
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
    let parts: Vec<(CpuidWord, Part)> =
        words.flat_map(|word| describe(word).map(move |part| (word, part))).filter(first).collect();
    (!parts.is_empty()).then_some(Found::Leaf(leaf, subleaf, parts))
}

/// `[11:8]`, or `[5]`.
fn bits(mask: u32) -> String {
    let (low, high) = (mask.trailing_zeros(), 31 - mask.leading_zeros());
    if low == high { format!("[{low}]") } else { format!("[{high}:{low}]") }
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Feature(feature) => super::name_of(feature),
        Part::Field(field) => field.name(),
    }
}

impl Found {
    /// A heading, and lines about what it is; a place in Linux's words is a line alone.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        match self {
            Found::Bit(about) => return about.styled(),
            Found::Field(field) => {
                text.line(Style::Heading, format_args!("{field:?}"));
                let title = leaves::title(field.leaf(), Ranges::default().kind(field.leaf()));
                if let Some(title) = title {
                    text.plain(format_args!("  leaf       {title}\n"));
                }
                text.plain(format_args!("  holds      0 to {}\n", (*field).max()));
                if let Some(manual) = own_fields::source(*field) {
                    text.plain(format_args!("  named by   {manual}; no release of Linux or QEMU here\n"));
                }
            }
            Found::Leaf(leaf, subleaf, parts) => {
                let title = leaves::title(*leaf, Ranges::default().kind(*leaf));
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
