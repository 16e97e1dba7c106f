//! XSAVE state components, merged from `x86_ext_save_areas[]` of all QEMU releases.
//!
//! Sizes are the processor's, so releases must agree; an offset may be missing in some releases. A component has the
//! features of every row and release: each of them enables it. Invariants: components ascend, and each bit that
//! enables one has a name. target/i386/cpu.c; Intel SDM volume 1, "Managing state
//! using the XSAVE feature set".

use super::types::{Feature, XsaveComponent};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::QemuXsave;
use crate::index::QemuRows;
use crate::location::Location;
use crate::ordered::Map;
use crate::source::Span;

/// Merges the components of all releases.
pub(super) fn merge(
    releases: &[QemuRows<'_>],
    features: &[Feature],
    diagnostics: &mut Diagnostics,
) -> Vec<XsaveComponent> {
    let mut all: Map<u8, (XsaveComponent, Span)> = Map::new();
    for rows in releases {
        for row in &rows.facts.xsave {
            match component(rows, row, features) {
                Ok(component) => join(&mut all, component, row.at, diagnostics),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
    }
    all.into_values().map(|(component, _)| component).collect()
}

fn component(
    rows: &QemuRows<'_>,
    row: &QemuXsave,
    features: &[Feature],
) -> Result<XsaveComponent, Diagnostic> {
    let word = rows
        .words
        .get(row.word.as_str())
        .ok_or_else(|| Diagnostic::error(row.at, format!("`{}` is not a word of this release", row.word)))?;
    let register = word.source.cpuid_word().ok_or_else(|| {
        Diagnostic::error(row.at, format!("`{}` is an MSR, which cannot enable a component", row.word))
    })?;
    let feature = Location { word: register, bit: row.bit };
    if features.binary_search_by_key(&feature, |known| known.location).is_err() {
        let message = format!("component {} is enabled by {feature}, which has no name", row.component);
        return Err(Diagnostic::error(row.at, message));
    }
    Ok(XsaveComponent { number: row.component, features: vec![feature], size: row.size, offset: row.offset })
}

fn join(
    all: &mut Map<u8, (XsaveComponent, Span)>,
    new: XsaveComponent,
    at: Span,
    diagnostics: &mut Diagnostics,
) {
    let (size, offset, features) = (new.size, new.offset, new.features.clone());
    let number = new.number;
    let (known, first) = all.or_insert(number, (new, at));
    if known.size != size || known.offset.is_some_and(|known| offset.is_some_and(|offset| offset != known)) {
        let message = format!("component {number} differs from another row or release");
        diagnostics.push(Diagnostic::error(at, message).with_label(*first, "the other one"));
    }
    known.offset = known.offset.or(offset);
    for feature in features {
        if !known.features.contains(&feature) {
            known.features.push(feature);
        }
    }
}
