//! One documented constant for each bit: `bits! { Feature: AVX2 = 133 "its documentation", .. }`, of which a macro of
//! the runtime crate makes constants. To parse and format these themselves would take five times as long.

use proc_macro2::{Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;

use super::docs;
use super::layout::{Layout, number};
use crate::model::{KernelBit, Model};

/// `feature.rs`: a feature's number is its slot.
pub(super) fn features(model: &Model, layout: &Layout) -> TokenStream {
    let all = model.features.iter().zip(&layout.slots).enumerate();
    constants(
        "Feature",
        all.map(|(at, (feature, &slot))| {
            (feature.constant.as_str(), slot, docs::feature(model, at, feature))
        }),
    )
}

/// `software.rs`, `bug.rs`, `vmx.rs`: a bit's number is its index.
pub(super) fn kernel_bits(model: &Model, ty: &str, bits: &[KernelBit]) -> TokenStream {
    let line = match ty {
        "Bug" => "`bugs`",
        "VmxFeature" => "`vmx flags`",
        _ => "`flags`",
    };
    let all = bits.iter().enumerate();
    constants(
        ty,
        all.map(|(index, bit)| (bit.constant.as_str(), number(index), docs::kernel_bit(model, line, bit))),
    )
}

/// `msr.rs`: a bit's number is its index.
pub(super) fn msr(model: &Model) -> TokenStream {
    let all = model.msr.iter().enumerate();
    constants(
        "MsrFeature",
        all.map(|(index, feature)| {
            (feature.constant.as_str(), number(index), docs::msr(model, index, feature))
        }),
    )
}

/// Names, numbers and documentation as one macro call.
fn constants<'m>(ty: &str, all: impl Iterator<Item = (&'m str, u16, String)>) -> TokenStream {
    let ty = Ident::new(ty, Span::call_site());
    let mut tokens: Vec<TokenTree> = Vec::new();
    for (name, number, doc) in all {
        tokens.push(Ident::new(name, Span::call_site()).into());
        tokens.push(Punct::new('=', Spacing::Alone).into());
        tokens.push(Literal::u16_unsuffixed(number).into());
        tokens.push(Literal::string(&doc).into());
        tokens.push(Punct::new(',', Spacing::Alone).into());
    }
    let tokens: TokenStream = tokens.into_iter().collect();
    quote!(bits! { #ty: #tokens })
}
