//! The forms: each takes a line's words, and reads it if it is one.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::tokens::Token::{self, Name, Number, Sign};
use super::{Reading, SourceLine, mentions};
use crate::bits::location::Place;
use crate::bits::lookup::Named;
use crate::show::find::found::Found;
use crate::show::find::names::by_name;
use crate::show::find::places::{at, of_word};
use crate::show::name_of;

/// A form of a line.
pub(super) type Form = fn(&[Token<'_>]) -> Option<Reading>;

/// The forms, the strictest first.
pub(super) static FORMS: &[Form] =
    &[definition, capabilities, scattered, cpuid_csv, dependency, macro_of_features, mentions::mentions];

/// Prefixes of names, and whose they are. `true`: a name with it is always a bit.
pub(super) static PREFIXES: &[(&str, &str, bool)] = &[
    ("KVM_X86_FEATURE_", "KVM", true),
    ("X86_FEATURE_", "Linux", true),
    ("X86_BUG_", "Linux", true),
    ("VMX_FEATURE_", "Linux", true),
    ("KVM_FEATURE_", "KVM", true),
    ("CPUID_", "QEMU", false),
    ("MSR_", "Linux or QEMU", false),
    ("ARCH_CAP_", "Linux", false),
    ("SECONDARY_EXEC_", "KVM", false),
    ("CPU_BASED_", "KVM", false),
    ("PIN_BASED_", "KVM", false),
    ("bit_", "a C compiler", false),
    ("FEATURE_", "a C compiler", false),
];

/// Whose a name is, by its prefix, and whether it is always a bit.
pub(super) fn whose(name: &str) -> Option<(&'static str, bool)> {
    let found = PREFIXES.iter().find(|(prefix, ..)| name.starts_with(prefix));
    found.map(|(_, whose, is_bit)| (*whose, *is_bit))
}

/// What a name means that may lack Linux's prefix.
pub(super) fn feature(name: &str) -> Vec<Found> {
    let found = by_name(&format!("X86_FEATURE_{name}"));
    if found.is_empty() { by_name(name) } else { found }
}

/// `#define X86_FEATURE_AVX2 ( 9*32+ 5)`, `#define CPUID_7_0_EBX_AVX2 (1U << 5)`.
fn definition(words: &[Token<'_>]) -> Option<Reading> {
    let start = words.windows(2).position(|pair| pair == [Sign('#'), Name("define")])?;
    let (name, value) = (words.get(start + 2)?.name()?, &words[start + 3..]);
    let (whose, is_bit) = whose(name)?;
    let named = by_name(name);
    let place = place_in(value);
    if named.is_empty() && place.is_none() && !is_bit {
        return None;
    }
    let bit = one_bit(value);
    let read = match (place, bit) {
        (Some(place), _) => format!("{name} is {place}"),
        (None, Some(bit)) => format!("{name} is bit {bit}"),
        (None, None) => name.to_string(),
    };
    let mut reading = placed(whose, read, name, named, place);
    if let (None, Some(bit)) = (place, bit) {
        reading.line.note = other_bit(&reading.found, bit);
    }
    Some(reading)
}

/// A reading of a name that is at a place: what is at the place, too, where no release has the name there.
fn placed(whose: &'static str, read: String, name: &str, named: Vec<Found>, place: Option<Place>) -> Reading {
    let there = place.map(at).unwrap_or_default();
    let mut reading =
        Reading { line: SourceLine { whose, read, note: None }, found: named, unknown: Vec::new() };
    let is_there = reading.found.iter().any(|one| there.iter().any(|other| is_same(one, other)));
    if let (Some(place), false) = (place, is_there) {
        reading.line.note = Some(match (reading.found.is_empty(), there.is_empty()) {
            (true, true) => format!("no release here has {name}, or a bit at {place}"),
            (true, false) => format!("no release here has {name}; at {place} is"),
            (false, true) => format!("no release here has {name}, or another bit, at {place}"),
            (false, false) => format!("no release here has {name} at {place}, where another bit is"),
        });
    }
    if reading.found.is_empty() {
        reading.unknown.push(name.to_string());
    }
    if !is_there {
        reading.found.extend(there);
    }
    reading
}

/// True where two meanings are of the same bit.
fn is_same(one: &Found, other: &Found) -> bool {
    match (one, other) {
        (Found::Bit(about), Found::LinuxBit(_, _, there)) => there.contains(&about.named),
        _ => one == other,
    }
}

/// `9*32+5` and `KVM_X86_FEATURE(CPUID_7_1_EDX, 4)`.
fn place_in(value: &[Token<'_>]) -> Option<Place> {
    let in_words = value.windows(5).find_map(|words| match words {
        [Number(word), Sign('*'), Number(32), Sign('+'), Number(bit)] => {
            format!("{word}*32+{bit}").parse().ok()
        }
        _ => None,
    });
    in_words.or_else(|| {
        value.windows(5).find_map(|words| match words {
            [Name("KVM_X86_FEATURE"), Sign('('), Name(word), Sign(','), Number(bit)] => {
                of_word(&format!("{word}[{bit}]"))
            }
            _ => None,
        })
    })
}

/// The bit of `(1U << 5)`, `BIT(5)`, `0x20`.
fn one_bit(value: &[Token<'_>]) -> Option<u64> {
    let shifted = value.windows(4).find_map(|words| match words {
        [Number(1), Sign('<'), Sign('<'), Number(bit)] => Some(*bit),
        [Name(of), Sign('('), Number(bit), Sign(')')] if of.contains("BIT") => Some(*bit),
        _ => None,
    });
    let masks = || value.iter().filter_map(|word| word.number());
    let only = || masks().next().filter(|mask| mask.is_power_of_two() && masks().count() == 1);
    shifted.or_else(|| only().map(|mask| mask.trailing_zeros().into()))
}

/// A note, where a bit has another number by the tables.
fn other_bit(found: &[Found], bit: u64) -> Option<String> {
    let known: Vec<(String, u64)> = found
        .iter()
        .filter_map(|one| match one {
            Found::Bit(about) => match about.named {
                Named::Feature(feature) => {
                    Some((name_of(feature).to_string(), feature.location().bit.0.into()))
                }
                Named::Msr(msr) => Some((msr.name().to_string(), msr.location().bit.0.into())),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let (name, other) = known.first()?;
    (!known.iter().any(|(_, known)| *known == bit)).then(|| format!("{name} is bit {other}"))
}

/// KVM's lists: `F(AVX2) | F(BMI2)`, `SCATTERED_F(...)`.
fn capabilities(words: &[Token<'_>]) -> Option<Reading> {
    let is_form = |of: &str| of == "F" || of == "SF" || of == "AF" || of.ends_with("_F");
    let is_macro = |name: &str| !name.contains(|c: char| c.is_ascii_lowercase());
    let names = words.windows(4).filter_map(|words| match words {
        [Name(of), Sign('('), Name(name), Sign(')')] if is_form(of) && is_macro(name) => Some(*name),
        _ => None,
    });
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| listed("KVM", format!("the capabilities {}", names.join(" ")), &names))
}

/// A reading of names in a list.
fn listed(whose: &'static str, read: String, names: &[&str]) -> Reading {
    let unknown = names.iter().filter(|name| feature(name).is_empty()).map(ToString::to_string);
    Reading {
        line: SourceLine { whose, read, note: None },
        found: names.iter().flat_map(|name| feature(name)).collect(),
        unknown: unknown.collect(),
    }
}

/// Linux's `{ X86_FEATURE_APERFMPERF, CPUID_ECX, 0, 0x00000006, 0 },`.
fn scattered(words: &[Token<'_>]) -> Option<Reading> {
    words.windows(9).find_map(|words| match words {
        [
            Name(name),
            Sign(','),
            Name(register),
            Sign(','),
            Number(bit),
            Sign(','),
            Number(leaf),
            Sign(','),
            Number(subleaf),
        ] => {
            let register = register.strip_prefix("CPUID_")?;
            let place: Place = format!("{leaf:#x}.{subleaf}.{register}[{bit}]").parse().ok()?;
            Some(placed("Linux", format!("{name} is {place}"), name, by_name(name), Some(place)))
        }
        _ => None,
    })
}

/// A row of Linux's cpuid.csv: `0x7, 0, ebx, 5, avx2, ...`.
fn cpuid_csv(words: &[Token<'_>]) -> Option<Reading> {
    let [
        Number(leaf),
        Sign(','),
        Number(subleaf),
        Sign(','),
        Name(register),
        Sign(','),
        Number(bit),
        Sign(','),
        Name(name),
        ..,
    ] = words
    else {
        return None;
    };
    let place: Place = format!("{leaf:#x}.{subleaf}.{register}[{bit}]").parse().ok()?;
    Some(placed("Linux's cpuid.csv", format!("{name} is {place}"), name, by_name(name), Some(place)))
}

/// Linux's `{ X86_FEATURE_AVX2, X86_FEATURE_AVX, },`.
fn dependency(words: &[Token<'_>]) -> Option<Reading> {
    let [Sign('{'), Name(name), Sign(','), Name(needed), ..] = words else { return None };
    if !(name.starts_with("X86_FEATURE_") && needed.starts_with("X86_FEATURE_")) {
        return None;
    }
    let mut reading = listed("Linux", format!("{name} needs {needed}"), &[name, needed]);
    let feature = |name: &str| match by_name(name).as_slice() {
        [Found::Bit(about)] => {
            if let Named::Feature(feature) = about.named {
                Some(feature)
            } else {
                None
            }
        }
        _ => None,
    };
    if let (Some(one), Some(other)) = (feature(name), feature(needed)) {
        if !one.needs().contains(other) {
            reading.line.note = Some("no release here has this dependency".into());
        }
    }
    Some(reading)
}

/// A macro's arguments: Xen's `XEN_CPUFEATURE(AVX2, 5*32+ 5)`, LLVM's `X86_FEATURE_COMPAT(AVX2, "avx2", 6)`, glibc's
/// `CPU_FEATURE_USABLE (AVX2)`.
fn macro_of_features(words: &[Token<'_>]) -> Option<Reading> {
    let is_macro = |of: &str| {
        of.contains("FEATURE") && !of.contains(|c: char| c.is_ascii_lowercase()) && of != "KVM_X86_FEATURE"
    };
    let start = words.windows(2).position(|pair| matches!(pair, [Name(of), Sign('(')] if is_macro(of)))?;
    let of = words[start].name()?;
    let arguments = words[start + 2..].iter().take_while(|word| **word != Sign(')'));
    let names: Vec<&str> = arguments.filter_map(|word| word.name()).collect();
    let known: Vec<&str> = names.iter().copied().filter(|name| !feature(name).is_empty()).collect();
    let whose = if of.starts_with("XEN_") { "Xen" } else { "C or Rust" };
    let names = if known.is_empty() { names.first().map(|first| alloc::vec![*first])? } else { known };
    Some(listed(whose, format!("{of} of {}", names.join(" ")), &names))
}
