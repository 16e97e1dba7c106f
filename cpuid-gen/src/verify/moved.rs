//! What changes between two states of one Linux release although the bits stay where they are: a scattered feature gets a word, or a
//! word that only KVM had becomes one of the kernel's.
//!
//! Such a change is correct if the feature has the same places before and after it. Whether the new rows agree with each other is
//! the subject of other checks.

use super::statements::{Statements, Subject, Text, Values};
use crate::facts::CapKind;
use crate::location::Location;
use crate::ordered::sort_by;

/// The kind of the statements about a feature's places.
const FEATURE: &str = "linux-feature";

/// An older and a newer state.
type Both<'s, 'a> = (&'s Statements<'a>, &'s Statements<'a>);

/// True if the statement only changes, or goes, because a feature moved to another table. `after` is `None` if it goes.
pub(super) fn is_move(
    both: Both<'_, '_>,
    (sort, subject): &Subject<'_>,
    before: &Values<'_>,
    after: Option<&Values<'_>>,
) -> bool {
    match (*sort, *subject) {
        (FEATURE | "kvm-translate", Text::Name(name)) => keeps_places(both, name),
        ("linux-scattered", Text::NameAt(name, place)) => places(both.1, name).contains(&place),
        ("kvm-cap", Text::Cap(_, None, name)) => {
            let plain = [CapKind::F.name(), CapKind::ScatteredF.name(), CapKind::Sf.name()];
            let is_plain = |values: &Values<'_>| {
                values.iter().all(|(kind, _)| matches!(kind, Text::Name(kind) if plain.contains(kind)))
            };
            is_plain(before) && after.is_some_and(is_plain) && keeps_places(both, name)
        }
        // Words were added; a word that is lost is a statement of its own.
        ("linux-count", _) => after.is_some_and(|after| counted(after) > counted(before)),
        _ => false,
    }
}

fn keeps_places((older, newer): Both<'_, '_>, name: &str) -> bool {
    let before = places(older, name);
    !before.is_empty() && before == places(newer, name)
}

/// The hardware locations of a feature, sorted.
fn places(statements: &Statements<'_>, name: &str) -> Vec<Location> {
    let values = statements.values.get(&(FEATURE, Text::Name(name)));
    let mut places: Vec<Location> = values.into_iter().flat_map(Values::places).collect();
    sort_by(&mut places, Ord::cmp);
    places
}

fn counted(values: &Values<'_>) -> u64 {
    values
        .iter()
        .map(|(value, _)| if let Text::Count(count) = value { u64::from(*count) } else { 0 })
        .max()
        .unwrap_or(0)
}
