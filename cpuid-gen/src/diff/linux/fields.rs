//! Fields of cpuid.csv. A field is identified by its register and bits; one with the same name and other bits of the
//! same register has moved.

use crate::diff::bits::{self, Bit};
use crate::diff::change::Change;
use crate::diff::rows::Line;
use crate::facts::CpuidField;
use crate::location::FieldPlace;

/// The changes of fields.
pub(super) fn changes(old: &[CpuidField], new: &[CpuidField]) -> Vec<Change> {
    let bits = |all: &[CpuidField]| all.iter().map(bit).collect();
    bits::changes_within(bits(old), bits(new), |bit| bit.home.map(|home| (home.leaf, home.register)))
}

fn bit(field: &CpuidField) -> Bit<FieldPlace> {
    Bit { home: Some(field.place()), line: Line::new(&field.name, field.at) }
}
