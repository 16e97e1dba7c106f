//! `enum cpuid_leafs` and `enum kvm_only_cpuid_leafs`: which word mirrors which register.

use super::Reader;
use crate::c::declare::find_enum;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{LinuxCount, LinuxWord};
use crate::location::{CpuidWord, Word};
use crate::pattern;
use crate::source::{Sources, Span};

/// The words of kernels before 4.6, which had no `enum cpuid_leafs`: their indexes with the names that 4.6 gave them.
/// The comments above each word in those kernels' cpufeature.h state the function, which is checked against these.
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
    /// The values of counting macros.
    pub(super) fn counts(&mut self, unit: &Unit<'a>, names: &[&str]) {
        for name in names {
            let Some(define) = unit.defines.iter().find(|define| define.active && define.name.text == *name)
            else {
                // Kernels before 3.14 had no bug words.
                continue;
            };
            let at = define.name.span;
            let value = self.value_of(define).and_then(|value| {
                u16::try_from(value).map_err(|_| Diagnostic::error(at, format!("`{name}` is {value}")))
            });
            if let Some(value) = self.diagnostics.take(value) {
                self.facts.counts.push(LinuxCount { name: (*name).to_owned(), value, at });
            }
        }
    }

    /// One of the two enums. Its enumerators are words, apart from the counts at its end.
    pub(super) fn leaf_enum(&mut self, unit: &Unit<'a>, name: &str) {
        let macros = &self.preprocessor.macros;
        let Some(found) = find_enum(unit, name, macros, &mut self.names, self.diagnostics) else { return };
        for enumerator in found {
            if enumerator.name.starts_with("NR_") || enumerator.name.starts_with("NKVM") {
                continue;
            }
            let Ok(word) = u16::try_from(enumerator.value) else {
                self.diagnostics
                    .error(enumerator.at, format!("`{}` is {}", enumerator.name, enumerator.value));
                continue;
            };
            if !enumerator.name.starts_with("CPUID_") {
                let message =
                    format!("`{}` is neither a word, which starts with CPUID_, nor a count", enumerator.name);
                self.diagnostics.error(enumerator.at, message);
            }
            let (name, at) = (enumerator.name, enumerator.at);
            self.facts.words.push(LinuxWord { name, word: Word(word), location: None, at });
        }
    }

    /// Where there is no `reverse_cpuid[]`, a word's location comes from its name.
    pub(super) fn locations_from_names(&mut self) {
        for word in &mut self.facts.words {
            word.location = CpuidWord::from_leaf_name(&word.name);
        }
    }

    /// Words of a kernel before 4.6.
    pub(super) fn words_without_names(&mut self, unit: &Unit<'a>) {
        let comments = word_comments(self.sources, unit);
        let Some(comments) = self.diagnostics.take(comments) else { return };
        let count = self.facts.count("NCAPINTS").unwrap_or(0);
        for index in 0..count {
            let Some((at, function)) = comments.get(usize::from(index)).copied().flatten() else {
                let whole = self.sources.span(unit.file, 0, 0);
                self.diagnostics.error(whole, format!("no comment tells what word {index} is"));
                continue;
            };
            let Some(name) = NAMES_SINCE_4_6.get(usize::from(index)) else {
                self.diagnostics
                    .error(at, format!("word {index} in a kernel without `enum cpuid_leafs`: not known"));
                continue;
            };
            let location = CpuidWord::from_leaf_name(name);
            if location.map(|location| location.leaf.0) != function {
                let message = format!("the comment of word {index} does not suit {name}");
                self.diagnostics.error(at, message);
            }
            self.facts.words.push(LinuxWord { name: (*name).to_owned(), word: Word(index), location, at });
        }
    }
}

/// By word: the place of the comment above it, and the function that the comment states, if any.
type WordComments = Vec<Option<(Span, Option<u32>)>>;

/// The comments above the words, which have the form `CPUID level 0x00000001 (edx), word 0`.
fn word_comments(sources: &Sources, unit: &Unit<'_>) -> Result<WordComments, Diagnostic> {
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
        found[index] = Some((*comment, stated));
    }
    Ok(found)
}
