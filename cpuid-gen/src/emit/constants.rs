//! One documented constant for each bit: `bit!(Feature AVX2 = 133, "its documentation");`, which a macro of the
//! runtime crate turns into a `pub const`. Parsing and formatting the constant itself would take three times as long.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::docs;
use super::layout::{Layout, number};
use crate::model::{KernelBit, Model};

/// `feature.rs`: a feature's number is its slot.
pub(super) fn features(model: &Model, layout: &Layout) -> TokenStream {
    let all = model.features.iter().zip(&layout.slots);
    all.map(|(feature, &slot)| constant("Feature", &feature.constant, slot, &docs::feature(model, feature)))
        .collect()
}

/// `software.rs`, `bug.rs`, `vmx.rs`: a bit's number is its index.
pub(super) fn kernel_bits(model: &Model, ty: &str, bits: &[KernelBit]) -> TokenStream {
    let line = match ty {
        "Bug" => "`bugs`",
        "VmxFeature" => "`vmx flags`",
        _ => "`flags`",
    };
    let all = bits.iter().enumerate();
    all.map(|(index, bit)| constant(ty, &bit.constant, number(index), &docs::kernel_bit(model, line, bit)))
        .collect()
}

/// `msr.rs`: a bit's number is its index.
pub(super) fn msr(model: &Model) -> TokenStream {
    let all = model.msr.iter().enumerate();
    all.map(|(index, feature)| {
        constant("MsrFeature", &feature.constant, number(index), &docs::msr(model, feature))
    })
    .collect()
}

fn constant(ty: &str, name: &str, number: u16, doc: &str) -> TokenStream {
    let ty = Ident::new(ty, Span::call_site());
    let name = Ident::new(name, Span::call_site());
    let number = Literal::u16_unsuffixed(number);
    quote!(bit!(#ty #name = #number, #doc);)
}
