//! `xsave.rs`: XSAVE state components.

use super::layout::Layout;
use super::rust::{Rust, option};
use crate::model::Model;

/// Components by number, each with its feature.
pub(super) fn table(model: &Model, layout: &Layout) -> Rust {
    let mut rows = Vec::new();
    for component in &model.xsave {
        // The model ensures that the bit is a feature.
        let found = model.features.binary_search_by_key(&component.feature, |feature| feature.location);
        let Ok(index) = found else { continue };
        let (number, feature, size) = (component.number, layout.slots[index], component.size);
        let offset = option(component.offset.as_ref().map(|offset| offset as _));
        rows.push(format!(
            "XsaveComponent {{ number: {number}, feature: Feature({feature}), size: {size}, offset: {offset} }}"
        ));
    }
    let mut out = Rust::new();
    out.rows("COMPONENTS", "XsaveComponent", &rows);
    out
}
