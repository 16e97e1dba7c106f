//! Findings that follow from a changed statement: those whose rows name the same bit, name or dependency, and for a statement
//! about a CPU model the model, too; and further statements of one row of a source. Findings about one name that nothing defines
//! belong together as well. Each is still a finding with a row of its own; a report shows it below the first one.

use super::finding::{Found, Identity};
use super::key::{Key, Kind};
use super::statements::{Statements, Subject, Text, Value, Values};
use crate::facts::QemuSource;
use crate::ordered::sort_by;
use crate::source::Span;

/// What a changed statement is about: alternatives, each a list of texts that a row must name, all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct About(Vec<Vec<String>>);

impl About {
    /// Dependencies.
    pub(super) fn of_pairs(pairs: Vec<[String; 2]>) -> About {
        About(pairs.into_iter().map(Vec::from).collect())
    }

    fn is_named_by(&self, key: &Key) -> bool {
        let texts: Vec<&str> =
            [&key.subject, &key.left, &key.right].into_iter().flat_map(|text| text.split(" > ")).collect();
        let named = |wanted: &String| texts.iter().any(|text| is_same_or_part(text, wanted));
        self.0.iter().any(|all| all.iter().all(named))
    }
}

/// True for the text itself, a bit of a register or word, and a version of a CPU model.
fn is_same_or_part(text: &str, whole: &str) -> bool {
    text.strip_prefix(whole).is_some_and(|rest| {
        let version = rest.strip_prefix("-v").is_some_and(|number| number.parse::<u32>().is_ok());
        rest.is_empty() || rest.starts_with('[') || version
    })
}

/// What a statement is about, in an older and a newer state. `after` is `None` if it is gone.
pub(super) fn about(
    (older, newer): (&Statements<'_>, &Statements<'_>),
    (sort, subject): &Subject<'_>,
    before: &Values<'_>,
    after: Option<&Values<'_>>,
) -> About {
    let values = before.iter().chain(after.into_iter().flat_map(Values::iter)).map(|(value, _)| *value);
    let mut all: Vec<Vec<String>> = Vec::new();
    match (*sort, *subject) {
        ("linux-dep", Text::Pair(name, needs)) => {
            let places = |name| [older, newer].into_iter().flat_map(move |of| places(of, name));
            for place in places(name) {
                all.extend(places(needs).map(|needed| vec![place.clone(), needed]));
            }
        }
        ("linux-count", _) => all.extend(words_between(values).map(|word| vec![word])),
        ("qemu-hyperv-dep", Text::Pair(name, needs)) => all.push(vec![name.to_owned(), needs.to_owned()]),
        ("qemu-model-word", Text::OfModel(model, ..)) => {
            let bits = values.flat_map(|value| bits(older, value));
            all.extend(bits.map(|bit| vec![bit, model.to_owned()]));
        }
        ("qemu-model-prop", Text::OfModel(model, _, property)) => {
            let texts = bits_named(newer, property).into_iter().chain([property.to_owned()]);
            all.extend(texts.map(|text| vec![text, model.to_owned()]));
        }
        ("linux-vmx" | "linux-bug", Text::Name(name)) => {
            let places = values.map(|value| format!("{sort} {value}"));
            all.extend(places.chain([name.to_owned()]).map(|text| vec![text]));
        }
        ("linux-word" | "qemu-word", Text::Name(name)) => {
            let words = values.map(|value| value.to_string());
            all.extend(words.chain([name.to_owned()]).map(|word| vec![word]));
        }
        ("linux-feature" | "linux-flag" | "kvm-translate" | "kvm-para", Text::Name(name))
        | ("kvm-cap", Text::Cap(_, _, name))
        | ("kvm-module", Text::Module(_, _, name))
        | ("linux-scattered", Text::NameAt(name, _)) => {
            let of = [older, newer].into_iter().flat_map(|of| places(of, name));
            all.extend(of.chain([name.to_owned()]).map(|text| vec![text]));
        }
        ("qemu-macro", Text::Name(name)) => all.push(vec![name.to_owned()]),
        ("cpuid-field" | "leaf-field", Text::Field(place)) => all.push(vec![place.to_string()]),
        ("qemu-bit", bit) => {
            let names = values.map(|value| value.to_string());
            all.extend(names.chain(bits(older, bit)).map(|text| vec![text]));
        }
        _ => {}
    }
    About(all)
}

/// The words that one of two counts includes.
fn words_between<'v>(counts: impl Iterator<Item = Text<'v>>) -> impl Iterator<Item = String> {
    let counts: Vec<u16> =
        counts.filter_map(|count| if let Text::Count(count) = count { Some(count) } else { None }).collect();
    let [least, most] = [counts.iter().min(), counts.iter().max()].map(|count| count.copied().unwrap_or(0));
    (least..most).map(|word| format!("word {word}"))
}

/// The bits that a property of QEMU sets, and their places.
fn bits_named(statements: &Statements<'_>, property: &str) -> Vec<String> {
    let is_name = |(name, _): &Value<'_>| matches!(name, Text::Name(names) if names.split('|').any(|name| name == property));
    let of_bits = statements.values.iter().filter(|((sort, _), _)| *sort == "qemu-bit");
    let named = of_bits.filter(|(_, values)| values.iter().any(is_name));
    named.flat_map(|((_, bit), _)| bits(statements, *bit)).collect()
}

/// The locations of a feature of Linux.
fn places(statements: &Statements<'_>, name: &str) -> Vec<String> {
    let values = statements.values.get(&("linux-feature", Text::Name(name)));
    values.into_iter().flat_map(Values::places).map(|place| place.to_string()).collect()
}

/// A bit of a feature word, and its place in the register.
fn bits(statements: &Statements<'_>, text: Text<'_>) -> Vec<String> {
    let Text::BitOf(word, bit) = text else { return Vec::new() };
    let mut all = vec![text.to_string()];
    let source =
        statements.values.get(&("qemu-word", Text::Name(word))).and_then(|values| values.iter().next());
    match source {
        Some((Text::Cpuid(leaf, subleaf, register), _)) => {
            let (leaf, subleaf, register) = (*leaf, *subleaf, *register);
            let word = QemuSource::Cpuid { leaf, subleaf, register }.cpuid_word();
            all.extend(word.map(|word| word.bit(bit).to_string()));
        }
        Some((Text::Msr(msr), _)) => all.push(msr.bit(bit).to_string()),
        _ => {}
    }
    all
}

/// A row of the differences, as findings have it.
type Columns = [String; 4];

/// Marks each finding that follows from another one with the row of that one. Only findings that follow from none have others
/// that follow from them.
pub(super) fn mark(found: &mut [Found]) {
    sort_by(found, |a, b| {
        (a.diagnostic.at, &a.diagnostic.message).cmp(&(b.diagnostic.at, &b.diagnostic.message))
    });
    for cause_of in [of_list, of_same_row, of_change, of_name] {
        let causes: Vec<Option<Columns>> = (0..found.len()).map(|at| cause_of(found, at)).collect();
        for (found, cause) in found.iter_mut().zip(causes) {
            if let Some(row) = found.diagnostic.row.as_mut().filter(|row| row.follows.is_none()) {
                row.follows = cause;
            }
        }
    }
}

/// The key of a finding that does not follow from another one.
fn key_of(found: &Found) -> Option<&Key> {
    match &found.identity {
        Identity::Keyed(key) if found.diagnostic.row.as_ref()?.follows.is_none() => Some(key),
        _ => None,
    }
}

/// The first finding for which `is_cause` holds.
fn first(found: &[Found], is_cause: impl Fn(&Found, &Key) -> bool) -> Option<Columns> {
    let cause = found.iter().find(|cause| key_of(cause).is_some_and(|key| is_cause(cause, key)))?;
    Some(cause.diagnostic.row.as_ref()?.columns.clone())
}

fn is_change(key: &Key) -> bool {
    matches!(key.kind, Kind::Changed | Kind::Gone | Kind::Added)
}

/// A machine type without a list lacks the rows of the list.
fn of_list(found: &[Found], at: usize) -> Option<Columns> {
    let key = key_of(&found[at]).filter(|key| is_change(key))?;
    let machine = key.subject.strip_prefix("qemu-compat ")?.split(' ').next()?;
    first(found, |_, cause| cause.kind == Kind::MachineCompat && cause.subject == machine)
}

/// The place of a changed statement before the change, or of an added one.
fn place_before(found: &Found, key: &Key) -> Option<Span> {
    match key.kind {
        Kind::Gone | Kind::Added => found.diagnostic.at,
        Kind::Changed => found.diagnostic.labels.first().map(|label| label.at),
        _ => None,
    }
}

/// One row of a source makes statements of several kinds, and of the machine types of several boards.
fn of_same_row(found: &[Found], at: usize) -> Option<Columns> {
    let key = key_of(&found[at])?;
    if key.kind == Kind::Inconsistent {
        let own = found[at].diagnostic.at;
        return first(&found[..at], |cause, other| {
            other.kind == Kind::Inconsistent && cause.diagnostic.at == own
        });
    }
    if !is_change(key) {
        return None;
    }
    let place = place_before(&found[at], key)?;
    let sort = |key: &Key| key.subject.split(' ').next().unwrap_or_default().to_owned();
    let is_same =
        |other: &Key| (&other.left, &other.right) == (&key.left, &key.right) || sort(other) != sort(key);
    first(&found[..at], |cause, other| place_before(cause, other) == Some(place) && is_same(other))
}

/// A finding that names what a change is about.
fn of_change(found: &[Found], at: usize) -> Option<Columns> {
    let key = key_of(&found[at])?;
    if is_change(key) || matches!(key.kind, Kind::WordMoved | Kind::DepAdded) {
        return None;
    }
    first(found, |cause, _| cause.about.as_ref().is_some_and(|about| about.is_named_by(key)))
}

/// Several findings about one name that nothing defines.
fn of_name(found: &[Found], at: usize) -> Option<Columns> {
    let key = key_of(&found[at])?;
    let is_named = |name: &str| name != "-" && About(vec![vec![name.to_owned()]]).is_named_by(key);
    first(&found[..at], |_, cause| cause.kind == Kind::Unresolved && is_named(&cause.left))
}

#[cfg(test)]
mod tests {
    use super::is_same_or_part;

    #[test]
    fn a_bit_and_a_version_are_parts() {
        for (text, whole) in [("FEAT_A", "FEAT_A"), ("FEAT_A[3]", "FEAT_A"), ("EPYC-v2", "EPYC")] {
            assert!(is_same_or_part(text, whole), "{text}");
        }
        for (text, whole) in [("FEAT_AB", "FEAT_A"), ("EPYC-Rome-v2", "EPYC"), ("EPYC", "EPYC-v2")] {
            assert!(!is_same_or_part(text, whole), "{text}");
        }
    }
}
