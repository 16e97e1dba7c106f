//! Features from all tables: words that mirror a register, scattered.c, and KVM's own words.

use std::collections::BTreeSet;

use super::tree::{Known, Tree};
use crate::diff::bits::{self, Bit};
use crate::diff::change::Change;
use crate::diff::rows::{Line, PLACE};
use crate::facts::LinuxFlag;
use crate::location::Location;

/// The field with the source from which Linux or KVM takes a bit.
const BY: &str = "by";
const ITS_WORD: &str = "its word";

/// The changes of `X86_FEATURE_*`.
pub(super) fn changes(old: &Tree<'_>, new: &Tree<'_>) -> Vec<Change> {
    let bits = |tree: &Tree<'_>| tree.bits.iter().map(|known| bit(known, tree)).collect();
    let mut changes = bits::changes(bits(old), bits(new));
    for change in &mut changes {
        // A hardware bit comes from its word unless another source is recorded.
        let plain = |value: &Option<String>| value.as_deref().is_none_or(|value| value == ITS_WORD);
        change.fields.retain(|field| field.name != BY || !plain(&field.old) || !plain(&field.new));
    }
    changes
}

/// The changes of bits that are only identified by Linux's numbering: bugs and VMX flags.
pub(super) fn kernel_bits(old: &[LinuxFlag], new: &[LinuxFlag]) -> Vec<Change> {
    let bits = |all: &[LinuxFlag]| {
        let line = |flag: &LinuxFlag| placed(Line::new(&flag.name, flag.at), flag);
        all.iter().map(|flag| Bit::<Location> { home: None, line: line(flag) }).collect()
    };
    let mut changes = bits::changes(bits(old), bits(new));
    // All of them are numbered by software, so there is only one realm.
    changes.iter_mut().for_each(|change| change.at = None);
    changes
}

fn placed(line: Line, flag: &LinuxFlag) -> Line {
    line.with(PLACE, format_args!("{} bit {}", flag.word.0, flag.bit.0)).maybe("flag", flag.flag.as_ref())
}

fn bit(known: &Known<'_>, tree: &Tree<'_>) -> Bit<Location> {
    let mut line = Line { subject: known.name.to_owned(), rows: known.rows.clone(), ..Line::default() };
    line = match known.kernel {
        Some(flag) => {
            let home = tree.rows.numbers.get(&flag.word).map(|word| word.location);
            let mirrored = known.home.is_some() && home.flatten().is_some();
            let nowhere = home.is_none().then_some("no word of this release");
            let by = if mirrored { Some(ITS_WORD) } else { nowhere };
            placed(line, flag).maybe(BY, joined(by, &known.by))
        }
        None => line.maybe(BY, joined(None, &known.by)),
    };
    let again = (known.again > 0).then_some(known.again);
    Bit { home: known.home, line: line.maybe("rows too many", again) }
}

fn joined(first: Option<&str>, others: &BTreeSet<String>) -> Option<String> {
    let all: Vec<&str> = first.into_iter().chain(others.iter().map(String::as_str)).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}
