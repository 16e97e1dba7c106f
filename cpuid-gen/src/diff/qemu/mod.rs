//! Two QEMU releases.

mod bits;
mod caches;
mod machines;
mod models;
mod words;

use std::collections::HashMap;

use super::change::{Change, Topic};
use crate::facts::QemuFacts;

/// Every pass, in the order of the report.
pub(super) fn passes(old: &QemuFacts, new: &QemuFacts) -> Vec<(Topic, Vec<Change>)> {
    let (before, after) = (Names::new(old), Names::new(new));
    let names = (&before, &after);
    vec![
        (Topic::QemuWords, words::changes(old, new)),
        (Topic::QemuBits, bits::bits(old, new)),
        (Topic::QemuMasks, bits::masks(old, new, names)),
        (Topic::QemuModels, models::changes(old, new, names)),
        (Topic::QemuDeps, bits::deps(old, new, names)),
        (Topic::QemuXsave, caches::xsave(old, new, names)),
        (Topic::QemuCaches, caches::changes(old, new)),
        (Topic::QemuDefaults, machines::defaults(old, new)),
        (Topic::QemuMachines, machines::machines(old, new)),
        (Topic::QemuCompat, machines::compat(old, new)),
        (Topic::QemuProperties, machines::properties(old, new)),
        (Topic::QemuHyperv, machines::hyperv(old, new)),
        (Topic::QemuMacros, bits::macros(old, new)),
        (Topic::QemuIndices, words::indices(old, new)),
        (Topic::QemuComments, words::comments(old, new)),
    ]
}

/// What one release calls the bits of its feature words.
struct Names<'a>(HashMap<(&'a str, u8), &'a str>);

impl<'a> Names<'a> {
    fn new(facts: &'a QemuFacts) -> Names<'a> {
        Names(facts.bits.iter().map(|bit| ((bit.word.as_str(), bit.bit.0), bit.name.as_str())).collect())
    }

    fn bit(&self, word: &str, bit: u8) -> String {
        self.0.get(&(word, bit)).map_or_else(|| format!("{word} bit {bit}"), |name| (*name).to_owned())
    }

    /// The bits of a mask, nameless ones by word and number.
    fn mask(&self, word: &str, mask: u64) -> Vec<String> {
        let is_set = |bit: u8| mask >> bit & 1 == 1;
        let mut all = Vec::new();
        let mut bits = (0..64).filter(|bit| is_set(*bit)).peekable();
        while let Some(first) = bits.next() {
            if let Some(name) = self.0.get(&(word, first)) {
                all.push((*name).to_owned());
                continue;
            }
            let mut last = first;
            while bits.next_if(|bit| *bit == last + 1 && !self.0.contains_key(&(word, *bit))).is_some() {
                last += 1;
            }
            all.push(if first == last {
                self.bit(word, first)
            } else {
                format!("{word} bits {first} to {last}")
            });
        }
        all
    }

    /// The same as one text; none for none.
    fn list(&self, word: &str, mask: u64) -> Option<String> {
        (mask != 0).then(|| match mask {
            u64::MAX => format!("all of {word}"),
            0xffff_ffff => format!("all 32 bits of {word}"),
            _ => self.mask(word, mask).join(", "),
        })
    }
}
