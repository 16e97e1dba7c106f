//! Adds a QEMU release to the model.

use super::joined::Joined;
use super::types::{QemuRelease, QemuView};
use super::{board, cpu_models, guest};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::QemuBit;
use crate::index::QemuRows;
use crate::location::{Location, WordSource};

/// The model's record of the release itself.
pub(super) fn release(rows: &QemuRows<'_>, diagnostics: &mut Diagnostics) -> QemuRelease {
    let facts = rows.facts;
    let words = facts.words.iter().map(|word| (word.index, word.name.clone())).collect();
    let sources = facts.words.iter().map(|word| (word.index, word.source.word_source())).collect();
    check_masks(rows, diagnostics);
    let models = cpu_models::resolve_rows(rows, diagnostics);
    let board = board::board(facts, &models, diagnostics);
    let guest = guest::guest(rows, diagnostics);
    QemuRelease { name: facts.release.clone(), words, sources, models, board, guest }
}

/// A CPUID register has 32 bits, but QEMU keeps all feature words in 64.
fn check_masks(rows: &QemuRows<'_>, diagnostics: &mut Diagnostics) {
    for row in rows.facts.models.iter().flat_map(|model| &model.words).filter(|row| row.mask >> 32 != 0) {
        if rows.words.get(row.word.as_str()).and_then(|word| word.source.cpuid_word()).is_some() {
            let message = format!("{:#x} does not fit `{}`, a CPUID register", row.mask, row.word);
            diagnostics.push(Diagnostic::error(row.at, message));
        }
    }
}

/// Adds the release with index `release`.
pub(super) fn add(joined: &mut Joined, release: usize, rows: &QemuRows<'_>, diagnostics: &mut Diagnostics) {
    for bit in &rows.facts.bits {
        let Some(word) = rows.words.get(bit.word.as_str()) else {
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
