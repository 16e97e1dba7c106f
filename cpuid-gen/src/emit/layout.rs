//! The numbering of the tables.
//!
//! A hardware feature's number is its *slot*: 32 times the index of its register among all registers with a feature,
//! plus its bit. A set of features is therefore an array of registers, and a test takes one load and one mask. The
//! other kinds are numbered after the last slot, each in the model's order, so that one 16-bit number identifies
//! anything.

use super::error::GenerateError;
use crate::location::CpuidWord;
use crate::model::Model;

/// Numbers below this identify one thing; others are positions in the lists of several.
pub(super) const LIST: u16 = 0x8000;

/// The numbers of the parts of a model.
pub(super) struct Layout {
    /// Every register with a feature, in order.
    pub(super) words: Vec<CpuidWord>,
    /// For each register, the bits that are features.
    pub(super) known: Vec<u32>,
    /// For each register, the number of features before it.
    pub(super) starts: Vec<u16>,
    /// For each feature, its slot.
    pub(super) slots: Vec<u16>,
    /// The first number of software-defined features, bugs, VMX flags and MSR bits.
    pub(super) bases: [u16; 4],
}

impl Layout {
    pub(super) fn new(model: &Model) -> Result<Layout, GenerateError> {
        if model.linux.is_empty() {
            return Err(GenerateError::NoRelease("Linux"));
        }
        if model.qemu.is_empty() {
            return Err(GenerateError::NoRelease("QEMU"));
        }
        let mut words: Vec<CpuidWord> = model.features.iter().map(|feature| feature.location.word).collect();
        words.dedup();
        let sorts = [model.software.len(), model.bugs.len(), model.vmx.len(), model.msr.len()];
        let total = words.len() * 32 + sorts.iter().sum::<usize>();
        fits("bits of all sorts", total, usize::from(LIST) - 1)?;
        let mut bases = [0; 4];
        let mut next = words.len() * 32;
        for (base, count) in bases.iter_mut().zip(sorts) {
            *base = number(next);
            next += count;
        }
        let mut layout =
            Layout { known: vec![0; words.len()], starts: Vec::new(), slots: Vec::new(), words, bases };
        layout.place(model);
        Ok(layout)
    }

    fn place(&mut self, model: &Model) {
        let mut word = 0;
        for (index, feature) in model.features.iter().enumerate() {
            while self.words[word] != feature.location.word {
                word += 1;
            }
            if self.starts.len() == word {
                self.starts.push(number(index));
            }
            self.known[word] |= 1 << feature.location.bit.0;
            self.slots.push(number(word * 32) + u16::from(feature.location.bit.0));
        }
    }
}

/// Checks a count against its limit.
pub(super) fn fits(what: &'static str, count: usize, max: usize) -> Result<(), GenerateError> {
    if count > max { Err(GenerateError::TooMany { what, count, max }) } else { Ok(()) }
}

/// A number whose limit has been checked.
pub(super) fn number(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
