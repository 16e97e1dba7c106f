//! Lines of any form that mention features: conditions, calls, entries of tables, names in quotes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::forms::{feature, whose};
use super::tokens::Token::{self, Name, Number, Sign, Text};
use super::{Reading, SourceLine};
use crate::bits::location::{Leaf, Place, Subleaf};
use crate::show::find::found::Found;
use crate::show::find::names::{by_name, property_named};
use crate::show::find::places::{at, of_word as any_word};
use crate::show::msr::AboutMsr;

/// Words beside which a text in quotes is a feature's name.
static BEFORE_TEXTS: &[&str] = &[
    "feat_names",
    "__builtin_cpu_supports",
    "is_x86_feature_detected",
    "target_feature",
    "__target__",
    "target",
    "TYPE_X86_CPU",
    "X86_CPU_TYPE_NAME",
    "DEFINE_PROP_BOOL",
    "DEFINE_PROP_UINT8",
    "DEFINE_PROP_UINT32",
    "DEFINE_PROP_UINT64",
    "DEFINE_PROP_BIT64",
];

/// What was read, and its meaning.
type Mention = (String, Vec<Found>);

/// The features, registers and leaves that a line mentions.
pub(super) fn mentions(words: &[Token<'_>]) -> Option<Reading> {
    let mut all: Vec<Mention> = Vec::new();
    all.extend(qemu_word(words));
    for (index, word) in words.iter().enumerate() {
        let rest = &words[index + 1..];
        match word {
            Name(name) => {
                let found =
                    feature_word(name, rest).or_else(|| call(name, rest)).or_else(|| macro_name(name));
                all.extend(found.or_else(|| of_a_path(&words[..index], name)));
            }
            Text(text) if are_names(words) => {
                let names = text.split([',', '|', '+']).map(str::trim).filter(|name| !name.is_empty());
                all.extend(names.map(|name| (name.to_string(), feature_or_property(name))));
            }
            _ => {}
        }
    }
    all.retain(|(_, found)| !found.is_empty());
    let mut read: Vec<&str> = Vec::new();
    for (name, _) in &all {
        if !read.contains(&name.as_str()) {
            read.push(name);
        }
    }
    let line = SourceLine { whose: whose_line(words, &read), read: read.join(" "), note: None };
    let found: Vec<Found> = all.iter().flat_map(|(_, found)| found.clone()).collect();
    (!found.is_empty()).then_some(Reading { line, found, unknown: Vec::new() })
}

/// A register or bit by a word's name, which begins as those of QEMU or KVM do.
fn of_word(name: &str) -> Option<Place> {
    let begins = name.starts_with("FEAT_") || name.starts_with("CPUID_");
    begins.then(|| any_word(name)).flatten()
}

/// A word's name: QEMU's `FEAT_7_0_EBX` and KVM's `CPUID_7_0_EBX`, and the bit in `{ FEAT_7_0_EBX, 5 }`.
fn feature_word(name: &str, rest: &[Token<'_>]) -> Option<Mention> {
    let bit = match rest {
        [Sign(','), Number(bit), Sign('}' | ')'), ..] => Some(*bit),
        _ => None,
    };
    if let Some(place) = bit.and_then(|bit| of_word(&format!("{name}[{bit}]"))) {
        return Some((place.to_string(), at(place)));
    }
    let of_msr = || name.starts_with("FEAT_").then(|| AboutMsr::named(name)).flatten();
    match of_word(name) {
        Some(place) => Some((name.to_string(), at(place))),
        None => of_msr().map(|about| (name.to_string(), alloc::vec![Found::Msr(about)])),
    }
}

/// A call for a leaf: `cpuid_count(7, 0, ...)`, `cpuid_eax(0x80000008)`.
fn call(name: &str, rest: &[Token<'_>]) -> Option<Mention> {
    if !name.to_ascii_lowercase().contains("cpuid") {
        return None;
    }
    let [Sign('('), arguments @ ..] = rest else { return None };
    let arguments = if let [Name(_), Sign(','), rest @ ..] = arguments { rest } else { arguments };
    let (leaf, subleaf) = match arguments {
        [Number(leaf), Sign(','), Number(subleaf), ..] => (*leaf, Some(*subleaf)),
        [Number(leaf), ..] => (*leaf, None),
        _ => return None,
    };
    let subleaf = subleaf.map(u32::try_from).transpose().ok()?.map(Subleaf);
    let place = Place::Leaf(Leaf(u32::try_from(leaf).ok()?), subleaf);
    Some((place.to_string(), at(place)))
}

/// A feature by its name in Rust: `feature::AVX2`, and the question `has_avx2()`.
fn of_a_path(before: &[Token<'_>], name: &str) -> Option<Mention> {
    let of_module = matches!(before, [.., Name("feature" | "Feature"), Sign(':'), Sign(':')]);
    let asked = name.strip_prefix("has_").filter(|_| matches!(before.last(), Some(Sign('.'))));
    let name = if of_module { Some(name) } else { asked }?;
    Some((name.to_string(), feature(name)))
}

/// A feature, or a property of QEMU's `-cpu`.
fn feature_or_property(name: &str) -> Vec<Found> {
    let found = feature(name);
    if found.is_empty() { property_named(name).into_iter().collect() } else { found }
}

/// A name with a project's prefix.
fn macro_name(name: &str) -> Option<Mention> {
    whose(name)?;
    Some((name.to_string(), by_name(name)))
}

/// QEMU's `.eax = 7, .needs_ecx = true, .ecx = 0, .reg = R_EBX`.
fn qemu_word(words: &[Token<'_>]) -> Option<Mention> {
    let value = |wanted: &str| {
        words.windows(3).find_map(|words| match words {
            [Name(name), Sign('='), value] if *name == wanted => Some(*value),
            _ => None,
        })
    };
    let leaf = value("eax")?.number()?;
    let register = value("reg")?.name()?.strip_prefix("R_")?;
    let subleaf = value("ecx").and_then(Token::number).unwrap_or(0);
    let place: Place = format!("{leaf:#x}.{subleaf}.{register}").parse().ok()?;
    Some((place.to_string(), at(place)))
}

/// True where the texts of a line are names: behind a word that says so, or in a row of an array of names.
fn are_names(words: &[Token<'_>]) -> bool {
    let is_before = words.iter().any(|word| matches!(word, Name(name) if BEFORE_TEXTS.contains(name)));
    let is_row =
        words.iter().all(|word| matches!(word, Text(_) | Name("NULL") | Sign(',' | '{' | '}' | '[' | ']')));
    // A row of a table that begins with the name.
    let begins = matches!(words, [Sign('{'), Text(_), Sign(','), ..]);
    is_before || is_row || begins
}

/// Whose a line is, by the first name that says so; a prefix does so where the name was read.
fn whose_line(words: &[Token<'_>], read: &[&str]) -> &'static str {
    let of = |name: &str| {
        if name.starts_with("FEAT_") || name == "feat_names" || name.starts_with("R_E") {
            return Some("QEMU");
        }
        if of_word(name).is_some() {
            return Some("KVM");
        }
        whose(name).filter(|_| read.contains(&name)).map(|(whose, _)| whose)
    };
    words.iter().filter_map(|word| word.name()).find_map(of).unwrap_or("C or Rust")
}
