//! Bits that come one by one, in any order, put together into entries.

use std::collections::BTreeMap;

use super::sink::{Fault, Sink};
use crate::bits::location::Registers;

/// A leaf's registers, and their bits that are told.
pub(super) type Told = BTreeMap<(u32, u32), (Registers, Registers)>;

/// Gives a sink what is told of leaves.
pub(super) fn entries(told: Told, sink: &mut Sink) -> Result<(), Fault> {
    for ((leaf, subleaf), (registers, known)) in told {
        sink.answer(leaf, subleaf, registers)?;
        sink.only_known(known);
    }
    sink.finish();
    Ok(())
}
