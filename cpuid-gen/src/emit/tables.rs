//! `tables.rs`: data alone. Each array has a number per feature, register or slot; the runtime crate's `tables`
//! module says what each means.
//!
//! An array of a thousand numbers is two thousand tokens, and it is tokens that take the time: to build, to parse and
//! to format. So an array is written as one raw string of numbers, which a `const fn` of the runtime crate decodes.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::GenerateError;
use super::layout::{Layout, fits};
use super::names::{Lists, names};
use super::needs::needs;
use super::strings::Strings;
use super::text::{decimal, hexadecimal, lines, pairs};
use crate::location::Word;
use crate::model::{KernelBit, KvmTreatment, Model, Place};

/// What stands for "no word" among words' indices.
const NO_WORD: u16 = u16::MAX;

/// Everything in `tables.rs`.
pub(super) fn tables(model: &Model, layout: &Layout) -> Result<TokenStream, GenerateError> {
    check(model)?;
    let mut strings = Strings::new();
    let mut lists = Lists::default();
    let registers = registers(model, layout, &mut strings);
    let linux = (0..model.linux.len()).map(|at| linux(model, layout, at, &mut strings, &mut lists));
    let linux: Vec<TokenStream> = linux.collect();
    let qemu: Vec<TokenStream> =
        (0..model.qemu.len()).map(|at| qemu(model, layout, at, &mut strings)).collect();
    let software = kernel_bits(&model.software, model.linux.len(), &mut strings);
    let bugs = kernel_bits(&model.bugs, model.linux.len(), &mut strings);
    let vmx = kernel_bits(&model.vmx, model.linux.len(), &mut strings);
    let names = names(model, layout, &mut strings, &mut lists)?;
    let needs = needs(model, layout, &mut lists);
    lists.check()?;
    let strings = strings.finish()?;
    let (count, strings) = (size(strings.len()), lines(&strings));
    let statics = [
        quote!(pub(crate) static STRINGS: [&str; #count] = lines(#strings);),
        fixed("NAME_SEEDS", &names.seeds),
        fixed("NAME_KEYS", &names.keys),
        fixed("NAME_BITS", &names.bits),
        fixed("LISTS", &lists.all),
    ];
    let (linux_count, qemu_count) = (size(linux.len()), size(qemu.len()));
    Ok(quote! {
        #registers
        pub(crate) static LINUX: [LinuxTables; #linux_count] = [#(#linux),*];
        pub(crate) static QEMU: [QemuTables; #qemu_count] = [#(#qemu),*];
        pub(crate) static SOFTWARE: KernelTables = #software;
        pub(crate) static BUGS: KernelTables = #bugs;
        pub(crate) static VMX: KernelTables = #vmx;
        #needs
        #(#statics)*
    })
}

/// Every index fits its column.
fn check(model: &Model) -> Result<(), GenerateError> {
    let linux = model.linux.iter().filter_map(|release| release.words.last_key_value());
    let qemu = model.qemu.iter().filter_map(|release| release.words.last_key_value());
    let indices = linux.chain(qemu).map(|(word, _)| usize::from(word.0) + 1);
    fits("words of one release", indices.max().unwrap_or(0), usize::from(u16::MAX) / 32)
}

/// What holds for all releases: registers, features' names, MSR bits, sizes.
fn registers<'m>(model: &'m Model, layout: &Layout, strings: &mut Strings<'m>) -> TokenStream {
    let names: Vec<u16> = model.features.iter().map(|feature| strings.id(&feature.constant)).collect();
    let msr_names: Vec<u16> = model.msr.iter().map(|feature| strings.id(&feature.constant)).collect();
    let (words, msr) = (size(layout.words.len()), size(model.msr.len()));
    let leaves = hexadecimal(layout.words.iter().map(|word| word.leaf.0));
    let subleaves = hexadecimal(layout.words.iter().map(|word| word.subleaf.0));
    let registers = decimal(layout.words.iter().map(|word| word.register as u16));
    let known = hexadecimal(layout.known.iter().copied());
    let msrs = hexadecimal(model.msr.iter().map(|feature| feature.msr.0));
    let msr_bits = decimal(model.msr.iter().map(|feature| u16::from(feature.bit.0)));
    let starts = fixed("STARTS", &layout.starts);
    let names = fixed("FEATURE_NAMES", &names);
    let msr_names = fixed("MSR_NAMES", &msr_names);
    let flag_words = size(flag_words(model));
    quote! {
        pub(crate) static LEAVES: [u32; #words] = hexadecimal(#leaves);
        pub(crate) static SUBLEAVES: [u32; #words] = hexadecimal(#subleaves);
        pub(crate) static REGISTERS: [u16; #words] = decimal(#registers);
        pub(crate) static KNOWN: [u32; #words] = hexadecimal(#known);
        #starts
        #names
        pub(crate) static MSRS: [u32; #msr] = hexadecimal(#msrs);
        pub(crate) static MSR_BITS: [u16; #msr] = decimal(#msr_bits);
        #msr_names
        pub(crate) const FLAG_WORDS: usize = #flag_words;
    }
}

/// How many words separated by blanks the longest flag has; 1 but for vendor trees.
fn flag_words(model: &Model) -> usize {
    let hardware = model.features.iter().flat_map(|feature| &feature.linux).map(|view| view.flag.as_deref());
    let kernel = [&model.software, &model.bugs, &model.vmx];
    let others = kernel.into_iter().flatten().flat_map(|bit| bit.linux.iter().flatten());
    let flags = hardware.chain(others.map(|view| view.flag.as_deref())).flatten();
    flags.map(|flag| flag.split(' ').count()).max().unwrap_or(1)
}

fn linux<'m>(
    model: &'m Model,
    layout: &Layout,
    at: usize,
    strings: &mut Strings<'m>,
    lists: &mut Lists,
) -> TokenStream {
    let release = &model.linux[at];
    let views = || model.features.iter().map(|feature| &feature.linux[at]);
    let name = short(strings.id(&release.name));
    let word_names = list(&word_names(&release.words, strings));
    let words = kvm_words(model, layout, at);
    let exceptions = exceptions(model, layout, at, &words);
    let words = list(&words);
    let macros: Vec<u16> = views().map(|view| strings.optional(view.name.as_deref())).collect();
    let flags: Vec<u16> = views().map(|view| strings.optional(view.flag.as_deref())).collect();
    let kvm: Vec<u16> = views().map(|view| KvmTreatment::of(view) as u16).collect();
    let (macros, flags, kvm) = (list(&macros), list(&flags), list(&kvm));
    let places = list(&places(model, layout, at, lists));
    let [_, bugs, vmx, _] = layout.bases;
    let bugs = list(&kernel_places(&model.bugs, bugs, at, lists));
    let vmx = list(&kernel_places(&model.vmx, vmx, at, lists));
    let kernel_words = short(kernel_words(model, at));
    quote! {
        LinuxTables {
            name: #name, kernel_words: #kernel_words, word_names: #word_names, words: #words,
            macros: #macros, flags: #flags, kvm: #kvm, exceptions: #exceptions,
            places: #places, bugs: #bugs, vmx: #vmx,
        }
    }
}

fn qemu<'m>(model: &'m Model, layout: &Layout, at: usize, strings: &mut Strings<'m>) -> TokenStream {
    let release = &model.qemu[at];
    let name = short(strings.id(&release.name));
    let word_names = list(&word_names(&release.words, strings));
    let mut words = vec![NO_WORD; layout.words.len()];
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        if let Some(word) = feature.qemu[at].word {
            words[usize::from(slot / 32)] = word.0;
        }
    }
    let mut optional = |name: &'m Option<String>| strings.optional(name.as_deref());
    let names: Vec<u16> = model.features.iter().map(|feature| optional(&feature.qemu[at].name)).collect();
    let msr_names: Vec<u16> = model.msr.iter().map(|feature| optional(&feature.qemu[at].name)).collect();
    let msr_words = model.msr.iter().map(|feature| feature.qemu[at].word.map_or(NO_WORD, |word| word.0));
    let msr_words = list(&msr_words.collect::<Vec<u16>>());
    let (words, names, msr_names) = (list(&words), list(&names), list(&msr_names));
    quote! {
        QemuTables {
            name: #name, word_names: #word_names, words: #words, names: #names,
            msr_words: #msr_words, msr_names: #msr_names,
        }
    }
}

fn kernel_bits<'m>(bits: &'m [KernelBit], releases: usize, strings: &mut Strings<'m>) -> TokenStream {
    let names: Vec<u16> = bits.iter().map(|bit| strings.id(&bit.constant)).collect();
    let macros: Vec<u16> = bits.iter().map(|bit| strings.id(&bit.name)).collect();
    let (names, macros) = (list(&names), list(&macros));
    let (mut places, mut flags) = (Vec::new(), Vec::new());
    for at in 0..releases {
        let views = || bits.iter().map(|bit| bit.linux[at].as_ref());
        let place = |view: Option<&crate::model::KernelView>| view.map_or(0, |view| packed(view.place) + 1);
        places.push(list(&views().map(place).collect::<Vec<u16>>()));
        let flag = |view: Option<&'m crate::model::KernelView>| view.and_then(|view| view.flag.as_deref());
        flags.push(list(&views().map(|view| strings.optional(flag(view))).collect::<Vec<u16>>()));
    }
    quote!(KernelTables { names: #names, macros: #macros, places: [#(#places),*], flags: [#(#flags),*] })
}

/// Enumerators by index, 0 where an index has none.
fn word_names<'m>(words: &'m BTreeMap<Word, String>, strings: &mut Strings<'m>) -> Vec<u16> {
    let count = words.last_key_value().map_or(0, |(word, _)| usize::from(word.0) + 1);
    let mut names = vec![0; count];
    for (word, name) in words {
        names[usize::from(word.0)] = strings.id(name);
    }
    names
}

/// Of each register, KVM's word, which is the kernel's too if it is one of the kernel's.
fn kvm_words(model: &Model, layout: &Layout, at: usize) -> Vec<u16> {
    let mut words = vec![NO_WORD; layout.words.len()];
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        if let Some(place) = feature.linux[at].kvm {
            words[usize::from(slot / 32)] = place.word.0;
        }
    }
    words
}

/// One more than the last word that a macro of the kernel stands in.
fn kernel_words(model: &Model, at: usize) -> u16 {
    let hardware = model.features.iter().filter_map(|feature| feature.linux[at].kernel);
    let software = model.software.iter().filter_map(|bit| bit.linux[at].as_ref()).map(|view| view.place);
    hardware.chain(software).map(|place| place.word.0 + 1).max().unwrap_or(0)
}

/// Features whose kernel place does not follow from their register: the scattered ones, above all.
fn exceptions(model: &Model, layout: &Layout, at: usize, words: &[u16]) -> TokenStream {
    let kernel_words = kernel_words(model, at);
    let mut rows = Vec::new();
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        let view = &feature.linux[at];
        let word = words[usize::from(slot / 32)];
        let follows = (view.name.is_some() && word < kernel_words)
            .then_some(Place { word: Word(word), bit: feature.location.bit });
        if view.kernel != follows {
            rows.push((slot, view.kernel.map_or(0, |place| packed(place) + 1)));
        }
    }
    let (count, rows) = (size(rows.len()), pairs(&rows));
    quote!(&decimal_pairs::<#count>(#rows))
}

/// What stands at each bit of the kernel's and KVM's words.
fn places(model: &Model, layout: &Layout, at: usize, lists: &mut Lists) -> Vec<u16> {
    let mut bits: BTreeMap<u16, BTreeSet<u16>> = BTreeMap::new();
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        let view = &feature.linux[at];
        for place in [view.kernel, view.kvm].into_iter().flatten() {
            bits.entry(packed(place)).or_default().insert(slot);
        }
    }
    for (id, bit) in (layout.bases[0]..).zip(&model.software) {
        if let Some(view) = &bit.linux[at] {
            bits.entry(packed(view.place)).or_default().insert(id);
        }
    }
    dense(&bits, lists)
}

fn kernel_places(bits: &[KernelBit], base: u16, at: usize, lists: &mut Lists) -> Vec<u16> {
    let mut places: BTreeMap<u16, BTreeSet<u16>> = BTreeMap::new();
    for (id, bit) in (base..).zip(bits) {
        if let Some(view) = &bit.linux[at] {
            places.entry(packed(view.place)).or_default().insert(id);
        }
    }
    dense(&places, lists)
}

fn dense(places: &BTreeMap<u16, BTreeSet<u16>>, lists: &mut Lists) -> Vec<u16> {
    let count = places.last_key_value().map_or(0, |(&place, _)| usize::from(place) + 1);
    let mut all = vec![0; count];
    for (&place, bits) in places {
        all[usize::from(place)] = lists.many(bits);
    }
    all
}

/// Word and bit as one number: the kernel's own `word * 32 + bit`.
fn packed(place: Place) -> u16 {
    place.word.0.saturating_mul(32).saturating_add(u16::from(place.bit.0))
}

/// An array's length, without a suffix.
pub(super) fn size(count: usize) -> Literal {
    Literal::usize_unsuffixed(count)
}

/// A number, without a suffix.
pub(super) fn short(number: u16) -> Literal {
    Literal::u16_unsuffixed(number)
}

fn list(cells: &[u16]) -> TokenStream {
    let (count, text) = (size(cells.len()), decimal(cells.iter().copied()));
    quote!(&decimal::<#count>(#text))
}

pub(super) fn fixed(name: &str, cells: &[u16]) -> TokenStream {
    let name = quote::format_ident!("{name}");
    let (count, text) = (size(cells.len()), decimal(cells.iter().copied()));
    quote!(pub(crate) static #name: [u16; #count] = decimal(#text);)
}
