//! Names that other projects and manuals use for a bit.
//!
//! `alias_rows.rs` has the rows. Case and the difference between `-`, `_` and `.` do not matter. A name that the tables know
//! themselves is not an alias.

use super::alias_rows::ALIASES;
use crate::bits::feature::Feature;
use crate::bits::location::Place;
use crate::bits::lookup::{LookupError, Named, lookup};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::name_hash::fold_eq;

/// Names that QEMU accepts besides those of its tables (`x86_cpu_initfn()` of target/i386/cpu.c, 7.2 to 10.2), with
/// the feature's flag.
static QEMU_ALIASES: &[(&str, &str)] =
    &[("ffxsr", "fxsr_opt"), ("i64", "lm"), ("pclmuldq", "pclmulqdq"), ("sse3", "pni"), ("xd", "nx")];

/// The bit that one of QEMU's additional names refers to.
pub(super) fn qemu_alias(name: &str) -> Result<Named, LookupError> {
    let row = QEMU_ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
    row.map_or(Err(LookupError::Unknown), |(_, flag)| lookup(flag))
}

/// The bit that another project's name refers to.
pub(super) fn alias(name: &str) -> Result<Named, LookupError> {
    place(name).map_or(Err(LookupError::Unknown), known)
}

/// The location that another project's name refers to. It may be that of a one-bit field.
#[cfg(feature = "show")]
pub(crate) fn alias_place(name: &str) -> Option<Place> {
    place(name)
}

fn place(name: &str) -> Option<Place> {
    ALIASES.iter().find(|alias| fold_eq(alias.name, name)).map(|alias| alias.place)
}

/// The feature at a bit's location.
fn known(place: Place) -> Result<Named, LookupError> {
    let found = match place {
        Place::Bits(word, low, _) => Feature::at(word.bit(low)).map(Named::Feature),
        Place::MsrBit(at) => MsrFeature::at(at).map(Named::Msr),
        _ => None,
    };
    found.ok_or(LookupError::Unknown)
}

#[cfg(test)]
mod tests {
    use super::{ALIASES, known};
    use crate::bits::description::describe;
    use crate::bits::location::Place;
    use crate::bits::lookup::{LookupError, lookup};

    #[test]
    fn every_row_is_needed_and_means_one_bit() {
        if !crate::naming::pinned() {
            return;
        }
        for alias in &ALIASES {
            assert!(!alias.users.is_empty(), "{}", alias.name);
            assert_eq!(
                lookup(alias.name).err(),
                Some(LookupError::Unknown),
                "{} is known without a row",
                alias.name
            );
            let field = match alias.place {
                Place::Bits(word, low, _) => describe(word).any(|part| part.mask() == 1 << low.0),
                place => matches!(place, Place::MsrBit(_)),
            };
            assert!(known(alias.place).is_ok() || field, "{}: {}", alias.name, alias.place);
        }
        assert!(ALIASES.iter().map(|alias| alias.name).is_sorted(), "the rows are sorted by name");
    }
}
