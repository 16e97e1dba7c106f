//! Names that other projects and manuals have for a bit, and the table's tests.
//!
//! `aliases.tsv`: the name, who uses it, and a name that [`lookup`] knows or the bit's place. Case does not matter, nor do
//! `-`, `_` and `.` differ. A name that the tables know themselves is not an alias.

use crate::bits::feature::Feature;
use crate::bits::location::{Location, MsrBit, Place};
use crate::bits::lookup::{LookupError, Named, lookup};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::name_hash::fold_eq;

/// Names that QEMU accepts besides those of its tables (`x86_cpu_initfn()` of target/i386/cpu.c, 7.2 to 10.2), with
/// the feature's flag.
static QEMU_ALIASES: &[(&str, &str)] =
    &[("ffxsr", "fxsr_opt"), ("i64", "lm"), ("pclmuldq", "pclmulqdq"), ("sse3", "pni"), ("xd", "nx")];

/// What a further name of QEMU's stands for.
pub(super) fn qemu_alias(name: &str) -> Result<Named, LookupError> {
    let row = QEMU_ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
    row.map_or(Err(LookupError::Unknown), |(_, flag)| lookup(flag))
}

static ALIASES: &str = include_str!("aliases.tsv");

/// Name, project and what is meant.
fn rows() -> impl Iterator<Item = [&'static str; 3]> {
    let lines = ALIASES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut columns = line.split('\t');
        Some([columns.next()?, columns.next()?, columns.next()?])
    })
}

/// What a name of another project's stands for.
pub(super) fn alias(name: &str) -> Result<Named, LookupError> {
    row(name).map_or(Err(LookupError::Unknown), known)
}

/// The place that a name of another project's stands for, where the row has one: a field of one bit, perhaps.
#[cfg(feature = "show")]
pub(crate) fn alias_place(name: &str) -> Option<Place> {
    row(name)?.parse().ok()
}

fn row(name: &str) -> Option<&'static str> {
    rows().find(|[alias, ..]| fold_eq(alias, name)).map(|[.., meant]| meant)
}

/// By name, or by place.
fn known(meant: &str) -> Result<Named, LookupError> {
    let of_location = |at: Location| Feature::at(at).map(Named::Feature);
    let of_msr = |at: MsrBit| MsrFeature::at(at).map(Named::Msr);
    let found = match meant.parse() {
        Ok(Place::Bits(word, low, high)) if low == high => of_location(word.bit(low)),
        Ok(Place::MsrBit(at)) => of_msr(at),
        _ => return lookup(meant),
    };
    found.ok_or(LookupError::Unknown)
}

#[cfg(test)]
mod tests {
    use super::{ALIASES, known, rows};
    use crate::bits::description::describe;
    use crate::bits::location::Place;
    use crate::bits::lookup::{LookupError, lookup};

    #[test]
    fn every_row_is_needed_and_means_one_bit() {
        if !crate::naming::pinned() {
            return;
        }
        for [alias, project, meant] in rows() {
            assert!(!project.is_empty(), "{alias}");
            assert_eq!(lookup(alias).err(), Some(LookupError::Unknown), "{alias} is known without a row");
            let field = || match meant.parse() {
                Ok(Place::Bits(word, low, _)) => describe(word).any(|part| part.mask() == 1 << low.0),
                _ => false,
            };
            let of_msr = || matches!(meant.parse(), Ok(Place::MsrBit(_)));
            assert!(known(meant).is_ok() || field() || of_msr(), "{alias}: {meant}: {:?}", known(meant));
        }
        let written = ALIASES.lines().filter(|line| !line.starts_with('#'));
        assert!(written.clone().all(|line| line.split('\t').count() == 3));
        assert!(written.is_sorted(), "the rows are sorted by name");
    }
}
