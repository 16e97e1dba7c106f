//! Names of bits, masks of words, constants, and dependencies.

use super::names::Names;
use crate::diff::bits::{self, Bit};
use crate::diff::change::{Change, GAINS, LOSES};
use crate::diff::identity::Identity;
use crate::diff::rows::{Line, between, pair, table};
use crate::facts::{QemuBit, QemuDep, QemuFacts, QemuMacro, QemuMask};
use crate::index::QemuRows;
use crate::location::{Location, MsrBit, WordSource};

/// A bit of a word's register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    Cpuid(Location),
    Msr(MsrBit),
}

impl From<Home> for Identity {
    fn from(home: Home) -> Identity {
        match home {
            Home::Cpuid(location) => location.into(),
            Home::Msr(bit) => bit.into(),
        }
    }
}

/// `qemu-bit`.
pub(super) fn bits((before, after): (&Names<'_>, &Names<'_>)) -> Vec<Change> {
    bits::changes(located(&before.rows), located(&after.rows))
}

fn located(rows: &QemuRows<'_>) -> Vec<Bit<Home>> {
    let bit = |bit: &QemuBit| {
        let home = rows.words.get(bit.word.as_str()).map(|word| match word.source.word_source() {
            WordSource::Msr(msr) => Home::Msr(msr.bit(bit.bit)),
            WordSource::Cpuid(word) => Home::Cpuid(word.bit(bit.bit)),
        });
        // Without the word in the release, only its enumerator distinguishes bits.
        let place = if home.is_some() { bit.word.clone() } else { format!("{} bit {}", bit.word, bit.bit.0) };
        let (name, also) =
            bit.name.split_once('|').map_or((bit.name.as_str(), None), |(name, also)| (name, Some(also)));
        Bit { home, line: Line::new(name, bit.at).with("in", place).maybe("also", also) }
    };
    rows.facts.bits.iter().map(bit).collect()
}

/// `qemu-mask`: the bits that a mask gained and lost, by name.
pub(super) fn masks(
    old: &QemuFacts,
    new: &QemuFacts,
    (before, after): (&Names<'_>, &Names<'_>),
) -> Vec<Change> {
    let line = |mask: &QemuMask| Line::new(format!("{} of {}", mask.kind, mask.word), mask.at);
    let paired = pair(&old.masks, &new.masks, |mask| (&mask.word, mask.kind));
    let bits = |mask: &QemuMask, names: &Names<'_>| {
        (mask.mask != 0).then(|| names.mask(&mask.word, mask.mask).join(", "))
    };
    let with = |mask: &QemuMask, names: &Names<'_>| line(mask).maybe("bits", bits(mask, names));
    let mut changes: Vec<Change> = paired.added.into_iter().map(|mask| with(mask, after).added()).collect();
    changes.extend(paired.removed.into_iter().map(|mask| with(mask, before).removed()));
    changes.extend(paired.kept.into_iter().filter_map(|(old, new)| {
        let (loses, gains) = loses_and_gains(&new.word, old.mask, new.mask, (before, after));
        between(line(old).maybe(LOSES, loses), line(new).maybe(GAINS, gains))
    }));
    changes
}

/// The bits that a mask lost, then those that it gained, each `None` if empty.
pub(super) fn loses_and_gains(
    word: &str,
    old: u64,
    new: u64,
    (before, after): (&Names<'_>, &Names<'_>),
) -> (Option<String>, Option<String>) {
    let list = |names: &Names<'_>, mask: u64| (mask != 0).then(|| names.mask(word, mask).join(", "));
    (list(before, old & !new), list(after, new & !old))
}

/// `qemu-macro`.
pub(super) fn macros(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let line = |constant: &QemuMacro| {
        Line::new(&constant.name, constant.at).with("value", format_args!("{:#x}", constant.value))
    };
    table(&old.macros, &new.macros, |constant| &constant.name, line)
}

/// `qemu-dep`: the bits that need a mask's bits, word by word.
pub(super) fn deps(
    old: &QemuFacts,
    new: &QemuFacts,
    (before, after): (&Names<'_>, &Names<'_>),
) -> Vec<Change> {
    let line = |dep: &QemuDep, names: &Names<'_>| {
        let needed = names.list(&dep.from.0, dep.from.1).unwrap_or_else(|| "nothing".to_owned());
        Line::new(needed, dep.at).named(&dep.to.0)
    };
    let whole = |dep: &QemuDep, names: &Names<'_>| {
        line(dep, names).maybe("needed by", names.list(&dep.to.0, dep.to.1))
    };
    let paired = pair(&old.deps, &new.deps, |dep| (&dep.from, &dep.to.0));
    let mut changes: Vec<Change> = paired.added.into_iter().map(|dep| whole(dep, after).added()).collect();
    changes.extend(paired.removed.into_iter().map(|dep| whole(dep, before).removed()));
    changes.extend(paired.kept.into_iter().filter_map(|(old, new)| {
        if old.to.1 == new.to.1 {
            return None;
        }
        let (loses, gains) = loses_and_gains(&new.to.0, old.to.1, new.to.1, (before, after));
        // Named by the new release: renames are reported separately.
        let (old_line, new_line) = (line(old, after), line(new, after));
        between(old_line.maybe(LOSES, loses), new_line.maybe(GAINS, gains))
    }));
    changes
}
