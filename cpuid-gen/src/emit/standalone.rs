//! A self-contained file with the hardware bits as constants, for crates that do not use the runtime crate.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::docs;
use crate::location::Register;
use crate::model::{Feature, Model};

/// Types and constants.
pub(super) fn file(model: &Model) -> TokenStream {
    let types = types();
    let constants = model.features.iter().enumerate().map(|(at, feature)| constant(model, at, feature));
    let names = model.features.iter().map(|feature| {
        let (text, name) = (&feature.constant, Ident::new(&feature.constant, Span::call_site()));
        quote!((#text, #name))
    });
    let count = Literal::usize_unsuffixed(model.features.len());
    quote! {
        #types
        #(#constants)*
        #[doc = " Every constant with its name, by leaf, subleaf, register and bit."]
        pub static ALL: [(&str, CpuidBit); #count] = [#(#names),*];
    }
}

fn types() -> TokenStream {
    quote! {
        #[doc = " One of CPUID's four output registers."]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Register {
            #[doc = " EAX"]
            Eax,
            #[doc = " EBX"]
            Ebx,
            #[doc = " ECX"]
            Ecx,
            #[doc = " EDX"]
            Edx,
        }
        #[doc = " A feature bit that CPUID returns."]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct CpuidBit {
            #[doc = " Input EAX."]
            pub leaf: u32,
            #[doc = " Input ECX; 0 where the leaf has no subleaves."]
            pub subleaf: u32,
            #[doc = " The register."]
            pub register: Register,
            #[doc = " The bit, 0 to 31."]
            pub bit: u8,
        }
        impl CpuidBit {
            #[doc = " The bit as a mask of its register."]
            #[must_use]
            pub const fn mask(self) -> u32 {
                1 << self.bit
            }
        }
        const fn at(leaf: u32, subleaf: u32, register: Register, bit: u8) -> CpuidBit {
            CpuidBit { leaf, subleaf, register, bit }
        }
    }
}

fn constant(model: &Model, at: usize, feature: &Feature) -> TokenStream {
    let name = Ident::new(&feature.constant, Span::call_site());
    let doc = docs::feature(model, at, feature);
    let word = feature.location.word;
    let (leaf, subleaf) = (hexadecimal(word.leaf.0), Literal::u32_unsuffixed(word.subleaf.0));
    let register = Ident::new(register(word.register), Span::call_site());
    let bit = Literal::u8_unsuffixed(feature.location.bit.0);
    quote! {
        #[doc = #doc]
        pub const #name: CpuidBit = at(#leaf, #subleaf, Register::#register, #bit);
    }
}

fn register(register: Register) -> &'static str {
    match register {
        Register::Eax => "Eax",
        Register::Ebx => "Ebx",
        Register::Ecx => "Ecx",
        Register::Edx => "Edx",
    }
}

/// A leaf in the manuals' notation. A literal with its own spelling must be parsed; this one is always valid.
fn hexadecimal(leaf: u32) -> Literal {
    format!("{leaf:#x}").parse().unwrap_or_else(|_| Literal::u32_unsuffixed(leaf))
}
