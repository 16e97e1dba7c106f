//! `guest.rs`: what QEMU's code works with between a CPU model and a guest, data alone. The runtime crate's
//! `guest::tables` says what each array means.

use proc_macro2::TokenStream;
use quote::quote;

use super::GenerateError;
use super::cpu_models::slice;
use super::strings::Strings;
use super::tables::size;
use super::text::lines;
use crate::facts::QemuSource;
use crate::model::guest::{Guest, Target};
use crate::model::{Model, QemuRelease};

/// What stands for an MSR where a register's number would be.
const MSR: u64 = 4;
/// What stands for no word at all.
const NO_WORD: u64 = 5;

/// Everything in `guest.rs`.
pub(super) fn tables(model: &Model) -> Result<TokenStream, GenerateError> {
    let mut strings = Strings::new();
    let guests: Vec<TokenStream> = model.qemu.iter().map(|release| guest(release, &mut strings)).collect();
    let strings = strings.finish()?;
    let (releases, count, names) = (size(guests.len()), size(strings.len()), lines(&strings));
    Ok(quote! {
        pub(crate) static GUESTS: [GuestTables; #releases] = [#(#guests),*];
        pub(crate) static NAMES: [&str; #count] = lines(#names);
    })
}

fn guest<'m>(release: &'m QemuRelease, strings: &mut Strings<'m>) -> TokenStream {
    let guest = &release.guest;
    let words = slice("wide", &words(guest));
    let deps: Vec<[u64; 4]> = guest
        .deps
        .iter()
        .map(|[from, to]| [from.word.0.into(), from.mask, to.word.0.into(), to.mask])
        .collect();
    let deps = slice("wide", &deps);
    let properties: Vec<[u64; 4]> =
        guest.properties.iter().map(|(name, target)| property(strings.id(name), *target)).collect();
    let properties = slice("wide", &properties);
    let hyperv: Vec<[u64; 4]> = guest
        .hyperv
        .iter()
        .map(|bits| [bits.feature.into(), bits.leaf.0.into(), bits.register as u64, bits.mask.into()])
        .collect();
    let hyperv = slice("longs", &hyperv);
    let hyperv_deps: Vec<[u64; 2]> = guest.hyperv_deps.iter().map(|pair| pair.map(u64::from)).collect();
    let hyperv_deps = slice("longs", &hyperv_deps);
    let xsave: Vec<[u64; 4]> = guest
        .xsave
        .iter()
        .map(|part| [part.number.into(), part.feature.word.0.into(), part.feature.mask, part.size.into()])
        .collect();
    let xsave = slice("wide", &xsave);
    quote! {
        GuestTables {
            words: #words, deps: #deps, properties: #properties, hyperv: #hyperv, hyperv_deps: #hyperv_deps,
            xsave: #xsave,
        }
    }
}

/// Of each word: leaf or MSR, subleaf, register, migratable bits, bits that `-cpu host` leaves off.
fn words(guest: &Guest) -> Vec<[u64; 5]> {
    let count = guest.words.last_key_value().map_or(0, |(word, _)| usize::from(word.0) + 1);
    let mut rows = vec![[0, 0, NO_WORD, 0, 0]; count];
    for (index, word) in &guest.words {
        let [place, subleaf, register] = match word.source {
            QemuSource::Cpuid { leaf, subleaf, register } => {
                [leaf.0.into(), subleaf.map_or(0, |subleaf| subleaf.0.into()), register as u64]
            }
            QemuSource::Msr(msr) => [msr.0.into(), 0, MSR],
        };
        rows[usize::from(index.0)] = [place, subleaf, register, word.migratable, word.no_autoenable];
    }
    rows
}

/// Name; then word with 1 added and mask, or 0 and the index in the board's list.
fn property(name: u16, target: Target) -> [u64; 4] {
    match target {
        Target::Bits(bits) => [name.into(), u64::from(bits.word.0) + 1, bits.mask, 0],
        Target::Other(index) => [name.into(), 0, 0, index as u64],
    }
}
