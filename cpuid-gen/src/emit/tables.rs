//! `tables.rs`: the tables for look-ups. The runtime crate's `tables` module documents the columns.
//!
//! Columns contain the numbers of names, since a `&str` takes 16 bytes and a relocation, and most columns have the
//! same names.

use super::error::GenerateError;
use super::layout::{Layout, fits};
use super::names::{Lists, names};
use super::needs::needs;
use super::rust::{Rust, hexadecimal, names as cells, numbers, slice};
use super::strings::Strings;
use crate::location::{CpuidWord, Word, WordBit};
use crate::model::{KernelBit, KvmTreatment, Model, ModuleParameter};
use crate::ordered::{Map, Set};

/// The index that means "no word".
const NO_WORD: u16 = u16::MAX;

/// Everything in `tables.rs`.
pub(super) fn tables(model: &Model, layout: &Layout) -> Result<Rust, GenerateError> {
    check(model)?;
    let (mut out, mut strings, mut lists) = (Rust::new(), Strings::new(), Lists::default());
    registers(&mut out, model, layout, &mut strings);
    let linux: Vec<String> =
        (0..model.linux.len()).map(|at| linux(model, layout, at, &mut strings, &mut lists)).collect();
    out.rows("LINUX", "LinuxTables", &linux);
    let qemu: Vec<String> = (0..model.qemu.len()).map(|at| qemu(model, layout, at, &mut strings)).collect();
    out.rows("QEMU", "QemuTables", &qemu);
    for (name, bits) in [("SOFTWARE", &model.software), ("BUGS", &model.bugs), ("VMX", &model.vmx)] {
        let table = kernel_bits(bits, model.linux.len(), &mut strings);
        out.put(format_args!("pub(crate) static {name}: KernelTables = {table};\n"));
    }
    let names = names(model, layout, &mut strings, &mut lists)?;
    needs(&mut out, model, layout, &mut lists);
    lists.check()?;
    let strings: Vec<String> = strings.finish()?.into_iter().map(|text| format!("{text:?}")).collect();
    let all = cells(&strings);
    out.put(format_args!("pub(crate) static STRINGS: [&str; {}] = [{}];\n", all.len, all.text));
    fixed(&mut out, "NAME_SEEDS", &names.seeds);
    fixed(&mut out, "NAME_KEYS", &names.keys);
    fixed(&mut out, "NAME_BITS", &names.bits);
    fixed(&mut out, "LISTS", &lists.all);
    Ok(out)
}

/// Checks that every index fits its column.
fn check(model: &Model) -> Result<(), GenerateError> {
    let linux = model.linux.iter().filter_map(|release| release.words.last_key_value());
    let qemu = model.qemu.iter().filter_map(|release| release.words.last_key_value());
    let indices = linux.chain(qemu).map(|(word, _)| usize::from(word.0) + 1);
    fits("words of one release", indices.max().unwrap_or(0), usize::from(u16::MAX) / 32)
}

/// The tables common to all releases: registers, features' names, MSR bits, sizes.
fn registers<'m>(out: &mut Rust, model: &'m Model, layout: &Layout, strings: &mut Strings<'m>) {
    let names: Vec<u16> = model.features.iter().map(|feature| strings.id(&feature.constant)).collect();
    let msr_names: Vec<u16> = model.msr.iter().map(|feature| strings.id(&feature.constant)).collect();
    let words: Vec<String> = layout.words.iter().map(word).collect();
    // 12 bytes each, where packed numbers took 4: 352 bytes in all, for a table that the compiler checks.
    out.rows("CPUID_WORDS", "CpuidWord", &words);
    let known = hexadecimal(&layout.known);
    out.put(format_args!("pub(crate) static KNOWN: [u32; {}] = [{}];\n", known.len, known.text));
    fixed(out, "STARTS", &layout.starts);
    fixed(out, "FEATURE_NAMES", &names);
    let bits = model.msr.iter().map(|bit| format!("(Msr({:#x}), Bit({}))", bit.msr.0, bit.bit.0));
    out.rows("MSR_BITS", "(Msr, Bit)", &bits.collect::<Vec<String>>());
    fixed(out, "MSR_NAMES", &msr_names);
    out.put(format_args!("pub(crate) const FLAG_WORDS: usize = {};\n", flag_words(model)));
}

/// A register as an expression.
pub(super) fn word(word: &CpuidWord) -> String {
    let CpuidWord { leaf, subleaf, register } = word;
    format!("CpuidWord::new(Leaf({:#x}), Subleaf({}), Register::{register:?})", leaf.0, subleaf.0)
}

/// The number of blank-separated words in the longest flag, which is 1 except for vendor trees.
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
) -> String {
    let release = &model.linux[at];
    let views = || model.features.iter().map(|feature| &feature.linux[at]);
    let name = strings.id(&release.name);
    let word_names = slice(&word_names(&release.words, strings));
    let words = kvm_words(model, layout, at);
    let exceptions = exceptions(model, layout, at, &words);
    let macros: Vec<u16> = views().map(|view| strings.optional(view.name.as_deref())).collect();
    let flags: Vec<u16> = views().map(|view| strings.optional(view.flag.as_deref())).collect();
    let kvm: Vec<String> = views().map(|view| format!("K::{:?}", KvmTreatment::from_view(view))).collect();
    let modules = modules(model, layout, at, strings);
    let parameter = |parameter: &'m ModuleParameter| {
        let (name, default) = (strings.id(&parameter.name), strings.id(&parameter.default));
        format!("(KvmModule::{:?}, {name}, {default})", parameter.module)
    };
    let parameters: Vec<String> = release.parameters.iter().map(parameter).collect();
    let places = slice(&places(model, layout, at, lists));
    let [_, bugs, vmx, _] = layout.bases;
    let bugs = slice(&kernel_places(&model.bugs, bugs, at, lists));
    let vmx = slice(&kernel_places(&model.vmx, vmx, at, lists));
    let mut out = Rust::new();
    out.put(format_args!("LinuxTables {{\nname: {name},\nkernel_words: {},\n", kernel_words(model, at)));
    out.put(format_args!("word_names: {word_names},\nwords: {},\n", slice(&words)));
    out.put(format_args!("macros: {},\nflags: {},\n", slice(&macros), slice(&flags)));
    out.put(format_args!("kvm: &[{}],\nexceptions: {exceptions},\n", cells(&kvm).text));
    out.put(format_args!("modules: &[{modules}],\nparameters: &[{}],\n", cells(&parameters).text));
    out.put(format_args!("places: {places},\nbugs: {bugs},\nvmx: {vmx},\n}}"));
    out.text
}

fn qemu<'m>(model: &'m Model, layout: &Layout, at: usize, strings: &mut Strings<'m>) -> String {
    let release = &model.qemu[at];
    let name = strings.id(&release.name);
    let word_names = slice(&word_names(&release.words, strings));
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
    let msr_words: Vec<u16> = msr_words.collect();
    let mut out = Rust::new();
    out.put(format_args!("QemuTables {{\nname: {name},\nword_names: {word_names},\n"));
    out.put(format_args!("words: {},\nnames: {},\n", slice(&words), slice(&names)));
    out.put(format_args!("msr_words: {},\nmsr_names: {},\n}}", slice(&msr_words), slice(&msr_names)));
    out.text
}

fn kernel_bits<'m>(bits: &'m [KernelBit], releases: usize, strings: &mut Strings<'m>) -> String {
    let names: Vec<u16> = bits.iter().map(|bit| strings.id(&bit.constant)).collect();
    let macros: Vec<u16> = bits.iter().map(|bit| strings.id(&bit.name)).collect();
    let (mut places, mut flags) = (Vec::new(), Vec::new());
    for at in 0..releases {
        let views = || bits.iter().map(|bit| bit.linux[at].as_ref());
        let place = |view: Option<&crate::model::KernelView>| view.map_or(0, |view| packed(view.place) + 1);
        places.push(slice(&views().map(place).collect::<Vec<u16>>()));
        let flag = |view: Option<&'m crate::model::KernelView>| view.and_then(|view| view.flag.as_deref());
        flags.push(slice(&views().map(|view| strings.optional(flag(view))).collect::<Vec<u16>>()));
    }
    let (names, macros) = (slice(&names), slice(&macros));
    let (places, flags) = (places.join(",\n"), flags.join(",\n"));
    format!("KernelTables {{\nnames: {names},\nmacros: {macros},\nplaces: [{places}],\nflags: [{flags}],\n}}")
}

/// Enumerators by index, 0 for an index without one.
fn word_names<'m>(words: &'m Map<Word, String>, strings: &mut Strings<'m>) -> Vec<u16> {
    let count = words.last_key_value().map_or(0, |(word, _)| usize::from(word.0) + 1);
    let mut names = vec![0; count];
    for (word, name) in words {
        names[usize::from(word.0)] = strings.id(name);
    }
    names
}

/// For each register, KVM's word, which is also the kernel's if it is one of the kernel's.
fn kvm_words(model: &Model, layout: &Layout, at: usize) -> Vec<u16> {
    let mut words = vec![NO_WORD; layout.words.len()];
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        if let Some(place) = feature.linux[at].kvm {
            words[usize::from(slot / 32)] = place.word.0;
        }
    }
    words
}

/// One more than the last word that has a macro of the kernel.
fn kernel_words(model: &Model, at: usize) -> u16 {
    let hardware = model.features.iter().filter_map(|feature| feature.linux[at].kernel);
    let software = model.software.iter().filter_map(|bit| bit.linux[at].as_ref()).map(|view| view.place);
    hardware.chain(software).map(|place| place.word.0 + 1).max().unwrap_or(0)
}

/// Features whose kernel place does not follow from their register, mainly scattered features.
fn exceptions(model: &Model, layout: &Layout, at: usize, words: &[u16]) -> String {
    let kernel_words = kernel_words(model, at);
    let mut rows = Vec::new();
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        let view = &feature.linux[at];
        let word = words[usize::from(slot / 32)];
        let follows = (view.name.is_some() && word < kernel_words)
            .then_some(WordBit { word: Word(word), bit: feature.location.bit });
        if view.kernel != follows {
            rows.push(format!("({slot}, {})", view.kernel.map_or(0, |place| packed(place) + 1)));
        }
    }
    format!("&[{}]", cells(&rows).text)
}

/// What the vendor modules do, with the slot of each feature.
fn modules<'m>(model: &'m Model, layout: &Layout, at: usize, strings: &mut Strings<'m>) -> String {
    let mut rows = Vec::new();
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        for rule in &feature.linux[at].modules {
            let condition = strings.optional(rule.condition.as_deref());
            let (module, action) = (rule.module, rule.action);
            rows.push(format!("({slot}, KvmModule::{module:?}, ModuleAction::{action:?}, {condition})"));
        }
    }
    cells(&rows).text
}

/// The bit at each place of the kernel's and KVM's words.
fn places(model: &Model, layout: &Layout, at: usize, lists: &mut Lists) -> Vec<u16> {
    let mut bits: Map<u16, Set<u16>> = Map::new();
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        let view = &feature.linux[at];
        for place in [view.kernel, view.kvm].into_iter().flatten() {
            bits.or_default(packed(place)).insert(slot);
        }
    }
    for (id, bit) in (layout.bases[0]..).zip(&model.software) {
        if let Some(view) = &bit.linux[at] {
            bits.or_default(packed(view.place)).insert(id);
        }
    }
    dense(&bits, lists)
}

fn kernel_places(bits: &[KernelBit], base: u16, at: usize, lists: &mut Lists) -> Vec<u16> {
    let mut places: Map<u16, Set<u16>> = Map::new();
    for (id, bit) in (base..).zip(bits) {
        if let Some(view) = &bit.linux[at] {
            places.or_default(packed(view.place)).insert(id);
        }
    }
    dense(&places, lists)
}

fn dense(places: &Map<u16, Set<u16>>, lists: &mut Lists) -> Vec<u16> {
    let count = places.last_key_value().map_or(0, |(&place, _)| usize::from(place) + 1);
    let mut all = vec![0; count];
    for (&place, bits) in places {
        all[usize::from(place)] = lists.many(bits);
    }
    all
}

/// Word and bit as one number: the kernel's own `word * 32 + bit`.
fn packed(place: WordBit) -> u16 {
    place.word.0.saturating_mul(32).saturating_add(u16::from(place.bit.0))
}

/// A static array of indices.
pub(super) fn fixed(out: &mut Rust, name: &str, cells: &[u16]) {
    let cells: Vec<u64> = cells.iter().map(|&cell| u64::from(cell)).collect();
    let cells = numbers(&cells);
    out.put(format_args!("pub(crate) static {name}: [u16; {}] = [{}];\n", cells.len, cells.text));
}
