//! Adds a QEMU release to the model.

use super::joined::Joined;
use super::types::{QemuRelease, QemuView};
use super::{board, cpu_models, guest};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{QemuBit, QemuFacts, QemuWord};
use crate::location::{CpuidWord, Location, Word, WordSource};
use crate::ordered::Map;

/// The model's record of the release itself.
pub(super) fn release(facts: &QemuFacts, diagnostics: &mut Diagnostics) -> QemuRelease {
    let words = facts.words.iter().map(|word| (word.index, word.name.clone())).collect();
    let sources = facts.words.iter().map(|word| (word.index, word.source.word_source())).collect();
    check_masks(facts, diagnostics);
    let models = cpu_models::resolve(facts, diagnostics);
    let board = board::board(facts, &models, diagnostics);
    let guest = guest::guest(facts, diagnostics);
    QemuRelease { name: facts.release.clone(), words, sources, models, board, guest }
}

/// A CPUID register has 32 bits, but QEMU keeps all feature words in 64.
fn check_masks(facts: &QemuFacts, diagnostics: &mut Diagnostics) {
    for row in facts.models.iter().flat_map(|model| &model.words).filter(|row| row.mask >> 32 != 0) {
        if facts.word_named(&row.word).and_then(register).is_some() {
            let message = format!("{:#x} does not fit `{}`, a CPUID register", row.mask, row.word);
            diagnostics.push(Diagnostic::error(row.at, message));
        }
    }
}

/// The feature word of each register; the first if there are two.
pub(super) fn registers(facts: &QemuFacts) -> Map<CpuidWord, Word> {
    let mut words = Map::new();
    for word in &facts.words {
        if let Some(register) = register(word) {
            words.or_insert(register, word.index);
        }
    }
    words
}

pub(super) fn register(word: &QemuWord) -> Option<CpuidWord> {
    word.source.cpuid_word()
}

/// Adds the release with index `release`.
pub(super) fn add(joined: &mut Joined, release: usize, facts: &QemuFacts, diagnostics: &mut Diagnostics) {
    let words: Map<&str, &QemuWord> = facts.words.iter().map(|word| (word.name.as_str(), word)).collect();
    for bit in &facts.bits {
        let Some(word) = words.get(bit.word.as_str()) else {
            let message = format!("`{}` is in `{}`, which is not a word of this release", bit.name, bit.word);
            diagnostics.push(Diagnostic::error(bit.at, message));
            continue;
        };
        match word.source.word_source() {
            WordSource::Msr(msr) => {
                let releases = joined.qemu;
                let none = || vec![QemuView::default(); releases];
                let views = joined.msr.or_insert_with((msr, bit.bit), none);
                views[release].word = Some(word.index);
                name(&mut views[release], bit, diagnostics);
            }
            WordSource::Cpuid(_) if bit.bit.0 > 31 => {
                let message =
                    format!("`{}` is bit {} of a CPUID register, which has 32", bit.name, bit.bit.0);
                diagnostics.push(Diagnostic::error(bit.at, message));
            }
            WordSource::Cpuid(word) => {
                let location = Location { word, bit: bit.bit };
                name(&mut joined.feature(location).1[release], bit, diagnostics);
            }
        }
    }
}

fn name(view: &mut QemuView, bit: &QemuBit, diagnostics: &mut Diagnostics) {
    match &view.name {
        Some(kept) if *kept != bit.name => {
            let message = format!("ignored `{}`: its bit is already `{kept}`", bit.name);
            diagnostics.warning(bit.at, message);
        }
        _ => view.name = Some(bit.name.clone()),
    }
}
