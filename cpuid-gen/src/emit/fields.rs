//! `field.rs`: for each leaf `fields! { leaf_4 "..": CACHE_TYPE = "4 0 1f EAX 0 4 cache_type" "its documentation", .. }`,
//! then `leaves! { leaf_0, .. }`. A macro of the runtime crate makes a module of each leaf, a constant of each field.
//! A field is told in one text, which a `const fn` there takes apart: each token more is to be parsed and formatted.

use proc_macro2::{Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};

use super::{GenerateError, docs};
use crate::location::hex;
use crate::model::{Field, Model};

/// All fields, by leaf.
pub(super) fn constants(model: &Model) -> Result<TokenStream, GenerateError> {
    if let Some(field) = model.fields.iter().find(|field| field.name.contains(char::is_control)) {
        return Err(GenerateError::Name(field.name.escape_debug().to_string()));
    }
    let leaves = || model.fields.chunk_by(|a, b| a.leaf == b.leaf);
    let fields = leaves().map(|fields| leaf(model, fields));
    let names = leaves().map(|fields| module(number(fields)));
    Ok(quote!(#(#fields)* leaves! { #(#names),* }))
}

/// The leaf that all of these are in.
fn number(fields: &[Field]) -> u32 {
    fields.first().map_or(0, |field| field.leaf.0)
}

/// The module of a leaf.
fn module(leaf: u32) -> Ident {
    format_ident!("leaf_{leaf:x}")
}

/// The fields of one leaf.
fn leaf(model: &Model, fields: &[Field]) -> TokenStream {
    let number = number(fields);
    let (name, about) = (module(number), format!(" Fields of leaf {}.", hex(number)));
    let mut tokens: Vec<TokenTree> = Vec::new();
    for field in fields {
        tokens.push(Ident::new(&field.constant, Span::call_site()).into());
        tokens.push(Punct::new('=', Spacing::Alone).into());
        tokens.push(Literal::string(&told(field)).into());
        tokens.push(Literal::string(&docs::field(model, field)).into());
        tokens.push(Punct::new(',', Spacing::Alone).into());
    }
    let tokens: TokenStream = tokens.into_iter().collect();
    quote!(fields! { #name #about: #tokens })
}

/// Leaf, subleaves, register, bits and name; numbers are hexadecimal.
fn told(field: &Field) -> String {
    let (leaf, first, last) = (field.leaf.0, field.first.0, field.last.0);
    format!(
        "{leaf:x} {first:x} {last:x} {} {:x} {:x} {}",
        field.register, field.low.0, field.high.0, field.name
    )
}
