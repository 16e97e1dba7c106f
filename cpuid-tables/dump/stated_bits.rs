//! Bits that come one by one, in any order, put together into entries.

use std::collections::BTreeMap;

use super::sink::{Fault, Sink};
use crate::bits::location::Registers;

/// A leaf's registers, and which of their bits are stated.
pub(super) type StatedBits = BTreeMap<(u32, u32), (Registers, Registers)>;

/// Gives a sink the entries of these leaves.
pub(super) fn entries(stated: StatedBits, sink: &mut Sink) -> Result<(), Fault> {
    for ((leaf, subleaf), (registers, known)) in stated {
        sink.answer(leaf, subleaf, registers)?;
        sink.only_known(known);
    }
    sink.finish();
    Ok(())
}
