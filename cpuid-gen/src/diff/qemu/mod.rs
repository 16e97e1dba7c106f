//! Compares two QEMU releases.

mod bits;
mod caches;
mod machines;
mod models;
mod names;
mod words;

use super::change::{Change, Topic};
use crate::facts::QemuFacts;
use names::Names;

/// All passes, in the order of the report.
pub(super) fn passes(old: &QemuFacts, new: &QemuFacts) -> Vec<(Topic, Vec<Change>)> {
    let (before, after) = (Names::new(old), Names::new(new));
    let names = (&before, &after);
    vec![
        (Topic::QemuWords, words::changes(old, new)),
        (Topic::QemuBits, bits::bits(names)),
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
