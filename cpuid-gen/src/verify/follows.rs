//! Findings that follow from a changed statement: those whose rows name the same bit, name or dependency, and for a statement
//! about a CPU model the model, too. Each is still a finding with a row of its own; a report shows it below the change.

use super::finding::{Found, Identity};
use super::key::{Key, Kind};
use super::statements::{Statements, Subject, Text, Values};
use crate::facts::QemuSource;

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
        ("qemu-hyperv-dep", Text::Pair(name, needs)) => all.push(vec![name.to_owned(), needs.to_owned()]),
        ("qemu-model-word", Text::OfModel(model, ..)) => {
            let bits = values.flat_map(|value| bits(older, value));
            all.extend(bits.map(|bit| vec![bit, model.to_owned()]));
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
        ("qemu-bit", bit) => {
            let names = values.map(|value| value.to_string());
            all.extend(names.chain(bits(older, bit)).map(|text| vec![text]));
        }
        _ => {}
    }
    About(all)
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

/// Marks each finding that follows from a change with the row of the first such change.
pub(super) fn mark(found: &mut [Found]) {
    let mut causes: Vec<&Found> = found.iter().filter(|found| found.about.is_some()).collect();
    causes.sort_by_key(|cause| (cause.diagnostic.at, cause.diagnostic.message.clone()));
    let cause_of = |found: &Found| {
        let Identity::Keyed(key) = &found.identity else { return None };
        if matches!(key.kind, Kind::Changed | Kind::Gone | Kind::WordMoved | Kind::DepAdded) {
            return None;
        }
        let is_cause = |cause: &&&Found| cause.about.as_ref().is_some_and(|about| about.is_named_by(key));
        Some(causes.iter().find(is_cause)?.diagnostic.row.as_ref()?.columns.clone())
    };
    let follows: Vec<Option<[String; 4]>> = found.iter().map(cause_of).collect();
    for (found, cause) in found.iter_mut().zip(follows) {
        if let Some(row) = &mut found.diagnostic.row {
            row.follows = cause;
        }
    }
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
