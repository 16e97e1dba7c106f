//! `enum cpuid_leafs` and `enum kvm_only_cpuid_leafs`: the register of each word.

use super::reader::Reader;
use crate::c::declare::find_enum;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{LinuxCount, LinuxWord};
use crate::leaf_name;
use crate::location::Word;
use crate::pattern;
use crate::source::{Sources, Span};

/// The names that 4.6 gave to the words of earlier kernels, which had no `enum cpuid_leafs`, by index. The comments
/// above each word in those kernels' cpufeature.h state the function, which is checked against these names.
const NAMES_SINCE_4_6: [&str; 14] = [
    "CPUID_1_EDX",
    "CPUID_8000_0001_EDX",
    "CPUID_8086_0001_EDX",
    "CPUID_LNX_1",
    "CPUID_1_ECX",
    "CPUID_C000_0001_EDX",
    "CPUID_8000_0001_ECX",
    "CPUID_LNX_2",
    "CPUID_LNX_3",
    "CPUID_7_0_EBX",
    "CPUID_D_1_EAX",
    "CPUID_F_0_EDX",
    "CPUID_F_1_EDX",
    "CPUID_8000_0008_EBX",
];

impl<'a> Reader<'a, '_> {
    /// Reads the values of counting macros.
    pub(super) fn counts(&mut self, unit: &Unit<'a>, names: &[&str]) {
        for name in names {
            let Some(define) = unit.defines.iter().find(|define| define.active && define.name.text == *name)
            else {
                // Kernels before 3.14 have no bug words.
                continue;
            };
            let at = define.name.span;
            let value = self.value_of(define).and_then(|value| {
                u16::try_from(value).map_err(|_| {
                    Diagnostic::error(at, format!("`{name}` is {value}, which does not fit into 16 bits"))
                })
            });
            if let Some(value) = self.diagnostics.take(value) {
                self.facts.counts.push(LinuxCount { name: (*name).to_owned(), value, at });
            }
        }
    }

    /// Reads one of the two enums. Its enumerators are words, except for the counts at its end.
    pub(super) fn leaf_enum(&mut self, unit: &Unit<'a>, name: &str) {
        let macros = &self.preprocessor.macros;
        let Some(found) = find_enum(unit, name, macros, &mut self.names, self.diagnostics) else { return };
        for enumerator in found {
            if enumerator.name.starts_with("NR_") || enumerator.name.starts_with("NKVM") {
                continue;
            }
            let Ok(word) = u16::try_from(enumerator.value) else {
                self.diagnostics.error(
                    enumerator.at,
                    format!("`{}` is {}, which does not fit into 16 bits", enumerator.name, enumerator.value),
                );
                continue;
            };
            if !enumerator.name.starts_with("CPUID_") {
                let message = format!("`{}` is neither a word (CPUID_*) nor a count", enumerator.name);
                self.diagnostics.error(enumerator.at, message);
            }
            let (name, at) = (enumerator.name, enumerator.at);
            self.facts.words.push(LinuxWord { name, word: Word(word), location: None, at });
        }
    }

    /// Without `reverse_cpuid[]`, a word's location comes from its name.
    pub(super) fn locations_from_names(&mut self) {
        for word in &mut self.facts.words {
            word.location = leaf_name::from_linux(&word.name);
        }
    }

    /// Reads the words of a kernel before 4.6.
    pub(super) fn words_without_names(&mut self, unit: &Unit<'a>) {
        let comments = word_comments(self.sources, unit);
        let Some(comments) = self.diagnostics.take(comments) else { return };
        let count = self.facts.count("NCAPINTS").unwrap_or(0);
        for index in 0..count {
            let found = comments.get(usize::from(index)).copied().flatten();
            let is_used = self.facts.features.iter().any(|feature| feature.word.0 == index);
            if !is_used && (found.is_none() || usize::from(index) >= NAMES_SINCE_4_6.len()) {
                // Vendors reserve words, so that their modules stay compatible.
                continue;
            }
            let Some((at, function)) = found else {
                let whole = self.sources.span(unit.file, 0, 0);
                self.diagnostics.error(whole, format!("no comment describes word {index}"));
                continue;
            };
            let Some(name) = NAMES_SINCE_4_6.get(usize::from(index)) else {
                self.diagnostics
                    .error(at, format!("unknown word {index} in a kernel without `enum cpuid_leafs`"));
                continue;
            };
            let location = leaf_name::from_linux(name);
            if location.map(|location| location.leaf.0) != function {
                let message = format!("the comment of word {index} does not match {name}");
                self.diagnostics.error(at, message);
            }
            self.facts.words.push(LinuxWord { name: (*name).to_owned(), word: Word(index), location, at });
        }
    }
}

/// By word: the place of the comment above it, and the function that the comment states, if any.
pub(super) type WordComments = Vec<Option<(Span, Option<u32>)>>;

/// The comments above the words, which have the form `CPUID level 0x00000001 (edx), word 0`.
pub(super) fn word_comments(sources: &Sources, unit: &Unit<'_>) -> Result<WordComments, Diagnostic> {
    let mut found = Vec::new();
    let (word, function) =
        (pattern::compile(pattern::LINUX_WORD)?, pattern::compile(pattern::LINUX_FUNCTION)?);
    for comment in &unit.comments {
        let text = sources.text(*comment);
        let Some(index) = word.captures(text).and_then(|groups| groups[1].parse::<usize>().ok()) else {
            continue;
        };
        let stated = function.captures(text).and_then(|groups| u32::from_str_radix(&groups[1][2..], 16).ok());
        if found.len() <= index {
            found.resize(index + 1, None);
        }
        // Words of bugs follow those of features.
        found[index].get_or_insert((*comment, stated));
    }
    Ok(found)
}
