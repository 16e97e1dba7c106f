//! Fields of cpuid.csv. A field is identified by its register and bits; one with the same name and other bits of the
//! same register has moved.

use std::fmt;

use crate::diff::bits::{self, Bit};
use crate::diff::change::Change;
use crate::diff::rows::Line;
use crate::facts::CpuidField;
use crate::location::CpuidWord;

/// The location of a field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Extent {
    word: CpuidWord,
    last: u32,
    low: u8,
    high: u8,
}

impl fmt::Display for Extent {
    /// `CPUID.(EAX=4,ECX=0-31):EAX[4:0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.to_string();
        let first = self.word.subleaf.0;
        match word.split_once(')').filter(|_| self.last != first) {
            Some((head, tail)) => write!(f, "{head}-{}){tail}", self.last)?,
            None => f.write_str(&word)?,
        }
        if self.low == self.high {
            write!(f, "[{}]", self.low)
        } else {
            write!(f, "[{}:{}]", self.high, self.low)
        }
    }
}

/// The changes of fields.
pub(super) fn changes(old: &[CpuidField], new: &[CpuidField]) -> Vec<Change> {
    let bits = |all: &[CpuidField]| all.iter().map(bit).collect();
    bits::changes_within(bits(old), bits(new), |bit| {
        bit.home.map(|home| (home.word.leaf, home.word.register))
    })
}

fn bit(field: &CpuidField) -> Bit<Extent> {
    let word = CpuidWord { leaf: field.leaf, subleaf: field.first, register: field.register };
    let home = Extent { word, last: field.last.0, low: field.low.0, high: field.high.0 };
    Bit { home: Some(home), line: Line::new(&field.name, field.at) }
}
