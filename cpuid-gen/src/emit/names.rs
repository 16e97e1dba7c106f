//! The table of names and the bits of each.

use super::error::GenerateError;
use super::hash::{self, Perfect, fold};
use super::layout::{LIST, Layout, fits, number};
use super::strings::Strings;
use crate::model::{KernelBit, Model, QemuView};
use crate::ordered::{Map, Set};

/// Numbers plus 1, where 0 is none; from [`LIST`] on, a position in the lists.
pub(super) type Many = u16;

/// Lists of the bits of a name or place with several: their count, then their numbers.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) all: Vec<u16>,
    known: Map<Vec<u16>, u16>,
}

impl Lists {
    /// The number for these bits, sorted and without repetitions.
    pub(super) fn many(&mut self, bits: &Set<u16>) -> Many {
        let list = match bits.as_slice() {
            [] => return 0,
            [id] => return id + 1,
            list => list.to_vec(),
        };
        if let Some(&at) = self.known.get(&list) {
            return at;
        }
        let at = number(self.all.len()).saturating_add(LIST);
        self.all.push(number(list.len()));
        self.all.extend(&list);
        self.known.insert(list, at);
        at
    }

    pub(super) fn check(&self) -> Result<(), GenerateError> {
        fits("entries in lists of several", self.all.len(), usize::from(LIST) - 1)
    }
}

/// The table of names.
pub(super) struct Names {
    pub(super) seeds: Vec<u16>,
    /// For each slot, a text that folds to its key.
    pub(super) keys: Vec<u16>,
    /// For each slot, the number for the name's bits.
    pub(super) bits: Vec<Many>,
}

#[derive(Default)]
struct Collected<'m> {
    /// By unfolded text: most texts occur many times, and folding takes most of the time.
    written: Map<&'m str, usize>,
    index: Map<String, usize>,
    keys: Vec<String>,
    texts: Vec<&'m str>,
    bits: Vec<Set<u16>>,
}

impl<'m> Collected<'m> {
    fn add(&mut self, name: &'m str, id: u16) {
        let at = match self.written.get(name) {
            Some(&at) => at,
            None => self.key(name),
        };
        self.bits[at].insert(id);
    }

    /// The index of a name's key; adds it if necessary.
    fn key(&mut self, name: &'m str) -> usize {
        let key = fold(name);
        let at = *self.index.or_insert_with(key.clone(), || {
            self.keys.push(key);
            self.texts.push(name);
            self.bits.push(Set::new());
            self.keys.len() - 1
        });
        self.written.insert(name, at);
        at
    }

    fn kernel_bits(&mut self, bits: &'m [KernelBit], base: u16) {
        for (id, bit) in (base..).zip(bits) {
            for flag in bit.linux.iter().flatten().filter_map(|view| view.flag.as_deref()) {
                self.add(flag, id);
            }
            self.add(&bit.name, id);
            self.add(&bit.constant, id);
        }
    }

    fn qemu(&mut self, views: &'m [QemuView], id: u16) {
        let all = views.iter().filter_map(|view| view.name.as_deref());
        for name in all.flat_map(|names| names.split('|')) {
            self.add(name, id);
        }
    }
}

/// Adds every name: constants, macros, flags and QEMU's names.
pub(super) fn names<'m>(
    model: &'m Model,
    layout: &Layout,
    strings: &mut Strings<'m>,
    lists: &mut Lists,
) -> Result<Names, GenerateError> {
    let mut all = Collected::default();
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        // Look-ups compare with the first text of a key: flags are looked up most.
        for view in feature.linux.iter().rev() {
            for name in [&view.flag, &view.name].into_iter().flatten() {
                all.add(name, slot);
            }
        }
        all.qemu(&feature.qemu, slot);
        for name in feature.former.iter().chain([&feature.constant]) {
            all.add(name, slot);
        }
    }
    let [software, bugs, vmx, msr] = layout.bases;
    all.kernel_bits(&model.software, software);
    all.kernel_bits(&model.bugs, bugs);
    all.kernel_bits(&model.vmx, vmx);
    for (id, feature) in (msr..).zip(&model.msr) {
        all.qemu(&feature.qemu, id);
        for name in feature.former.iter().chain([&feature.constant]) {
            all.add(name, id);
        }
    }
    let table: Perfect = hash::perfect(&all.keys)?;
    hash::check_size(&table)?;
    let keys = table.slots.iter().map(|key| key.map_or(0, |key| strings.id(all.texts[key]))).collect();
    let bits = table.slots.iter().map(|key| key.map_or(0, |key| lists.many(&all.bits[key]))).collect();
    Ok(Names { seeds: table.seeds, keys, bits })
}
