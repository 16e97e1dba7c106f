//! Which bits each name stands for.

use std::collections::{BTreeSet, HashMap};

use super::GenerateError;
use super::hash::{self, Perfect, fold};
use super::layout::{LIST, Layout, fits, number};
use super::strings::Strings;
use crate::model::{KernelBit, Model, QemuView};

/// Numbers with 1 added, so that 0 is none; from [`LIST`] on, a place in the lists.
pub(super) type Many = u16;

/// Lists of several bits behind one name or place: their count, then their numbers.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) all: Vec<u16>,
    known: HashMap<Vec<u16>, u16>,
}

impl Lists {
    /// The number that stands for these, sorted and without repetitions.
    pub(super) fn many(&mut self, bits: &BTreeSet<u16>) -> Many {
        let mut ids = bits.iter().copied();
        match (ids.next(), bits.len()) {
            (None, _) => 0,
            (Some(id), 1) => id + 1,
            _ => {
                let list: Vec<u16> = bits.iter().copied().collect();
                let all = &mut self.all;
                *self.known.entry(list).or_insert_with_key(|list| {
                    let at = number(all.len()).saturating_add(LIST);
                    all.push(number(list.len()));
                    all.extend(list);
                    at
                })
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), GenerateError> {
        fits("entries in lists of several", self.all.len(), usize::from(LIST) - 1)
    }
}

/// The table of names.
pub(super) struct Names {
    pub(super) seeds: Vec<u16>,
    /// Of each slot, a text that folds to its key.
    pub(super) keys: Vec<u16>,
    /// Of each slot, what the name stands for.
    pub(super) bits: Vec<Many>,
}

struct Collected<'m> {
    index: HashMap<String, usize>,
    keys: Vec<String>,
    texts: Vec<&'m str>,
    bits: Vec<BTreeSet<u16>>,
}

impl<'m> Collected<'m> {
    fn add(&mut self, name: &'m str, id: u16) {
        let key = fold(name);
        let at = *self.index.entry(key).or_insert_with_key(|key| {
            self.keys.push(key.clone());
            self.texts.push(name);
            self.bits.push(BTreeSet::new());
            self.keys.len() - 1
        });
        self.bits[at].insert(id);
    }

    fn kernel_bits(&mut self, bits: &'m [KernelBit], base: u16) {
        for (id, bit) in (base..).zip(bits) {
            self.add(&bit.constant, id);
            self.add(&bit.name, id);
            for flag in bit.linux.iter().flatten().filter_map(|view| view.flag.as_deref()) {
                self.add(flag, id);
            }
        }
    }

    fn qemu(&mut self, views: &'m [QemuView], id: u16) {
        let all = views.iter().filter_map(|view| view.name.as_deref());
        for name in all.flat_map(|names| names.split('|')) {
            self.add(name, id);
        }
    }
}

/// Collects every name of everything: constants, macros, flags and QEMU's names.
pub(super) fn names<'m>(
    model: &'m Model,
    layout: &Layout,
    strings: &mut Strings<'m>,
    lists: &mut Lists,
) -> Result<Names, GenerateError> {
    let mut all = Collected { index: HashMap::new(), keys: Vec::new(), texts: Vec::new(), bits: Vec::new() };
    for (feature, &slot) in model.features.iter().zip(&layout.slots) {
        all.add(&feature.constant, slot);
        for view in &feature.linux {
            for name in [&view.name, &view.flag].into_iter().flatten() {
                all.add(name, slot);
            }
        }
        all.qemu(&feature.qemu, slot);
    }
    let [software, bugs, vmx, msr] = layout.bases;
    all.kernel_bits(&model.software, software);
    all.kernel_bits(&model.bugs, bugs);
    all.kernel_bits(&model.vmx, vmx);
    for (id, feature) in (msr..).zip(&model.msr) {
        all.add(&feature.constant, id);
        all.qemu(&feature.qemu, id);
    }
    let table: Perfect = hash::perfect(&all.keys)?;
    hash::check_size(&table)?;
    let keys = table.slots.iter().map(|key| key.map_or(0, |key| strings.id(all.texts[key]))).collect();
    let bits = table.slots.iter().map(|key| key.map_or(0, |key| lists.many(&all.bits[key]))).collect();
    Ok(Names { seeds: table.seeds, keys, bits })
}
