//! Compares QEMU's constants with the names in its own tables.
//!
//! A constant's name determines its word: `CPUID_7_1_EAX_LAM` belongs to `FEAT_7_1_EAX`. For other names
//! (`CPUID_EXT2_`, `CPUID_SVM_`), a `macro-family` of `differences.tsv` determines the word. The constant's value
//! must be one bit, and the rest of the constant's name must be the bit's name.

use super::differences::MacroFamily;
use super::finding::Findings;
use super::fold::fold;
use super::key::{Key, Kind};
use super::qemu::QemuIndex;
use super::twice::{Claim, check_unique};
use crate::diagnostic::Diagnostic;
use crate::facts::QemuMacro;
use crate::leaf_name;

/// The meaning of a constant's name.
struct Meaning<'a> {
    /// The enumerator of its word.
    word: String,
    /// The text after the prefix.
    rest: &'a str,
    /// Prefixes of the bit's name.
    prefixes: &'a [String],
}

/// Checks every constant.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let macros = &index.facts.macros;
    let items = macros.iter().map(|constant| (&constant.name, constant));
    let by_value = |constant: &QemuMacro| Claim { by: format!("{:#x}", constant.value), at: constant.at };
    let what = |name: &&String| format!("qemu-macro {name}");
    check_unique(findings, &index.release, Kind::NameTwice, items, what, by_value);
    for constant in macros {
        check_case(index, constant, findings);
        check_macro(index, constant, findings);
    }
}

/// Constants are upper case: a search for the upper-case name does not find another spelling.
fn check_case(index: &QemuIndex<'_>, constant: &QemuMacro, findings: &mut Findings<'_>) {
    let upper = constant.name.to_ascii_uppercase();
    if upper == constant.name {
        return;
    }
    findings.add(Key::new(Kind::MacroCase, &constant.name, &upper, "-"), &[&index.release], || {
        Diagnostic::error(constant.at, format!("`{}` has lower-case letters", constant.name))
            .with_help(format!("all other constants are upper case: {upper}"))
    });
}

fn check_macro(index: &QemuIndex<'_>, constant: &QemuMacro, findings: &mut Findings<'_>) {
    let families = &findings.differences().families;
    let meaning = match meaning(&constant.name, families) {
        Ok((meaning, family)) => {
            if let Some(entry) = family {
                findings.use_entry(entry);
            }
            match meaning {
                Some(meaning) => meaning,
                None => return,
            }
        }
        Err(()) => {
            add(index, constant, "-", "no family", "its prefix does not determine a word", findings);
            return;
        }
    };
    if !index.rows.words.contains_key(meaning.word.as_str()) {
        let why = format!("`{}` is not a FeatureWord of this release", meaning.word);
        add(index, constant, &meaning.word, "no word", &why, findings);
        return;
    }
    if constant.value.count_ones() != 1 {
        let why = format!("{:#x} is not a single bit", constant.value);
        add(index, constant, &meaning.word, &format!("{:#x}", constant.value), &why, findings);
        return;
    }
    check_name(index, constant, &meaning, findings);
}

fn check_name(
    index: &QemuIndex<'_>,
    constant: &QemuMacro,
    meaning: &Meaning<'_>,
    findings: &mut Findings<'_>,
) {
    let number = u8::try_from(constant.value.trailing_zeros()).unwrap_or(u8::MAX);
    let bit = index.named.get(&(meaning.word.as_str(), number)).copied();
    let rest = fold(meaning.rest);
    let wanted = |name: &str| {
        name == rest || meaning.prefixes.iter().any(|prefix| name.strip_prefix(&fold(prefix)) == Some(&rest))
    };
    if bit.is_some_and(|bit| bit.names().any(|name| wanted(&fold(name)))) {
        return;
    }
    let subject = format!("{}[{number}]", meaning.word);
    let right = bit.map_or("-", |bit| bit.name.as_str());
    let key = Key::new(Kind::MacroName, &subject, &constant.name, right);
    findings.add(key, &[&index.release], || {
        let found = Diagnostic::error(constant.at, format!("`{}` is {subject}", constant.name));
        match (bit, index.rows.words.get(meaning.word.as_str())) {
            (Some(bit), _) => found.with_label(bit.at, format!("which is named `{}`", bit.name)),
            (None, Some(word)) => found.with_label(word.at, "which has no name in this word"),
            (None, None) => found,
        }
    });
}

fn add(
    index: &QemuIndex<'_>,
    constant: &QemuMacro,
    left: &str,
    right: &str,
    why: &str,
    findings: &mut Findings<'_>,
) {
    findings.add(Key::new(Kind::Macro, &constant.name, left, right), &[&index.release], || {
        Diagnostic::error(constant.at, format!("`{}`: {why}", constant.name))
    });
}

type Meant<'a> = (Option<Meaning<'a>>, Option<usize>);

/// The meaning of the longest prefix: a family, whose row is then used, or a register in the name.
fn meaning<'a>(name: &'a str, families: &'a [MacroFamily]) -> Result<Meant<'a>, ()> {
    let named = name.strip_prefix("CPUID_").and_then(leaf_name::stated_prefix);
    let length = named.map_or(0, |stated| "CPUID_".len() + stated.len() + 1);
    let family = families.iter().filter(|family| name.starts_with(&family.prefix));
    let family =
        family.max_by_key(|family| family.prefix.len()).filter(|family| family.prefix.len() >= length);
    match (family, named) {
        (Some(family), _) => {
            let meaning = family.word.as_ref().map(|word| Meaning {
                word: word.clone(),
                rest: &name[family.prefix.len()..],
                prefixes: &family.name_prefixes,
            });
            Ok((meaning, Some(family.entry)))
        }
        (None, Some(stated)) => {
            Ok((Some(Meaning { word: format!("FEAT_{stated}"), rest: &name[length..], prefixes: &[] }), None))
        }
        (None, None) => Err(()),
    }
}
