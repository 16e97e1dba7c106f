//! XSAVE state components, merged from `x86_ext_save_areas[]` of all QEMU releases.
//!
//! Sizes are the processor's, so releases must agree; an offset may be missing in some releases. Invariants:
//! components ascend, and the bit that enables one has a name. target/i386/cpu.c; Intel SDM volume 1, "Managing state
//! using the XSAVE feature set".

use super::qemu;
use super::types::{Feature, XsaveComponent};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{QemuFacts, QemuXsave};
use crate::location::Location;
use crate::ordered::Map;
use crate::source::Span;

/// Merges the components of all releases.
pub(super) fn merge(
    releases: &[&QemuFacts],
    features: &[Feature],
    diagnostics: &mut Diagnostics,
) -> Vec<XsaveComponent> {
    let mut all: Map<u8, (XsaveComponent, Span)> = Map::new();
    for facts in releases {
        for (index, row) in facts.xsave.iter().enumerate() {
            if let Some(first) = facts.xsave[..index].iter().find(|known| known.component == row.component) {
                let message = format!("component {} has several features; the first is kept", row.component);
                diagnostics.push(Diagnostic::warning(row.at, message).with_label(first.at, "the first"));
                continue;
            }
            match component(facts, row, features) {
                Ok(component) => join(&mut all, component, row.at, diagnostics),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
    }
    all.into_values().map(|(component, _)| component).collect()
}

fn component(facts: &QemuFacts, row: &QemuXsave, features: &[Feature]) -> Result<XsaveComponent, Diagnostic> {
    let word = facts
        .word_named(&row.word)
        .ok_or_else(|| Diagnostic::error(row.at, format!("`{}` is not a word of this release", row.word)))?;
    let register = qemu::register(word).ok_or_else(|| {
        Diagnostic::error(row.at, format!("`{}` is an MSR, which cannot enable a component", row.word))
    })?;
    let feature = Location { word: register, bit: row.bit };
    if features.binary_search_by_key(&feature, |known| known.location).is_err() {
        let message = format!("component {} is enabled by {feature}, which has no name", row.component);
        return Err(Diagnostic::error(row.at, message));
    }
    Ok(XsaveComponent { number: row.component, feature, size: row.size, offset: row.offset })
}

fn join(
    all: &mut Map<u8, (XsaveComponent, Span)>,
    new: XsaveComponent,
    at: Span,
    diagnostics: &mut Diagnostics,
) {
    let (known, first) = all.or_insert(new.number, (new, at));
    let offset = known.offset.or(new.offset);
    let same = XsaveComponent { offset, ..*known } == XsaveComponent { offset: new.offset.or(offset), ..new };
    if !same {
        let message = format!("component {} differs from another release", new.number);
        diagnostics.push(Diagnostic::error(at, message).with_label(*first, "the other release"));
    }
    known.offset = offset;
}
