//! `xsave.rs`: XSAVE state components, data alone.

use proc_macro2::TokenStream;

use super::cpu_models::array;
use super::layout::Layout;
use crate::model::Model;

/// Of each component: its number, the slot of its feature, its size, its offset with 1 added.
pub(super) fn table(model: &Model, layout: &Layout) -> TokenStream {
    let mut rows: Vec<[u64; 4]> = Vec::new();
    for component in &model.xsave {
        // The model has seen to it that the bit is a feature.
        let found = model.features.binary_search_by_key(&component.feature, |feature| feature.location);
        let Ok(index) = found else { continue };
        let offset = component.offset.map_or(0, |offset| u64::from(offset) + 1);
        let numbers = [u64::from(layout.slots[index]), component.size.into(), offset];
        rows.push([component.number.into(), numbers[0], numbers[1], numbers[2]]);
    }
    array("COMPONENTS", quote::quote!([u32; 4]), "longs", &rows)
}
