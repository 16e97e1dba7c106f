//! `xsave.rs`: XSAVE state components.

use super::layout::Layout;
use super::rust::{Rust, option};
use crate::model::Model;

/// Components by number, each with its features.
pub(super) fn table(model: &Model, layout: &Layout) -> Rust {
    let mut rows = Vec::new();
    for component in &model.xsave {
        // The model ensures that the bits are features.
        let slot = |location| {
            let found = model.features.binary_search_by_key(location, |feature| feature.location);
            found.ok().map(|index| format!("Feature({})", layout.slots[index]))
        };
        let features: Vec<String> = component.features.iter().filter_map(slot).collect();
        let [feature, others @ ..] = features.as_slice() else { continue };
        let (number, size, others) = (component.number, component.size, others.join(", "));
        let offset = option(component.offset.as_ref().map(|offset| offset as _));
        rows.push(format!(
            "XsaveComponent {{ number: {number}, feature: {feature}, others: &[{others}], size: {size}, offset: {offset} }}"
        ));
    }
    let mut out = Rust::new();
    out.rows("COMPONENTS", "XsaveComponent", &rows);
    out
}
