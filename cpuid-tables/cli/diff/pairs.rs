//! The CPUs of two sources, paired.

use cpuid_tables::Feature;
use cpuid_tables::dump::Cpu;
use cpuid_tables::show::name_of;
use serde_json::{Value, json};

use crate::cli::advice;
use crate::cli::output::warn;
use crate::cli::source::Source;
use crate::cli::stated::feature_stated;

/// Two CPUs to compare, and their names.
pub(super) struct Pair {
    names: (String, String),
    pub(super) a: Cpu,
    pub(super) b: Cpu,
}

/// Pairs of CPUs: by number if both have numbers, else by position; a single CPU is paired with all of the other
/// side. Also returns the number of CPUs without a counterpart.
pub(super) fn paired(
    (source_a, a): (&Source, Vec<Cpu>),
    (source_b, b): (&Source, Vec<Cpu>),
) -> (Vec<Pair>, usize) {
    let pair =
        |a: &Cpu, b: &Cpu| Pair { names: (source_a.title(a), source_b.title(b)), a: a.clone(), b: b.clone() };
    match (a.as_slice(), b.as_slice()) {
        ([a], all) => (all.iter().map(|b| pair(a, b)).collect(), 0),
        (all, [b]) => (all.iter().map(|a| pair(a, b)).collect(), 0),
        (all_a, all_b) => {
            let numbered = all_a.iter().chain(all_b).all(|cpu| cpu.number.is_some());
            let partner = |at: usize, cpu: &Cpu| {
                if numbered { all_b.iter().find(|other| other.number == cpu.number) } else { all_b.get(at) }
            };
            let found = all_a.iter().enumerate().filter_map(|(at, cpu)| Some(pair(cpu, partner(at, cpu)?)));
            let pairs: Vec<Pair> = found.collect();
            let alone = all_a.len() + all_b.len() - 2 * pairs.len();
            if alone > 0 {
                warn(format!(
                    "{alone} CPUs have no counterpart: {source_a} has {}, {source_b} has {}",
                    all_a.len(),
                    all_b.len()
                ));
            }
            (pairs, alone)
        }
    }
}

impl Pair {
    /// True if a side specifies only some bits.
    pub(super) fn is_partial(&self) -> bool {
        self.a.known.is_some() || self.b.known.is_some()
    }

    /// The features that A has and B does not state, by name, and those that B has and A does not state.
    pub(super) fn stated_by_one(&self) -> [Vec<&'static str>; 2] {
        [unstated(&self.a, &self.b), unstated(&self.b, &self.a)]
    }
}

/// The features that one CPU has and another does not state, by name.
fn unstated(one: &Cpu, other: &Cpu) -> Vec<&'static str> {
    if !advice::is_open(other) {
        return Vec::new();
    }
    let alone = |feature: &Feature| {
        feature_stated(one, *feature) == Some(true) && feature_stated(other, *feature).is_none()
    };
    Feature::all().filter(alone).map(name_of).collect()
}

/// A result, with all pairs that have it.
pub(super) struct Group<'p, T> {
    pub(super) pairs: Vec<&'p Pair>,
    pub(super) found: T,
}

/// Equal results, grouped.
pub(super) fn grouped<T: PartialEq>(pairs: &[Pair], of: impl Fn(&Pair) -> T) -> Vec<Group<'_, T>> {
    let mut groups: Vec<Group<'_, T>> = Vec::new();
    for pair in pairs {
        let found = of(pair);
        match groups.iter_mut().find(|group| group.found == found) {
            Some(group) => group.pairs.push(pair),
            None => groups.push(Group { pairs: vec![pair], found }),
        }
    }
    groups
}

impl<T> Group<'_, T> {
    /// The sources, each with its CPUs of these pairs.
    pub(super) fn sides(&self, (a, b): (&Source, &Source)) -> (String, String) {
        let of_a = in_words(self.pairs.iter().map(|pair| pair.names.0.as_str()).collect());
        let of_b = in_words(self.pairs.iter().map(|pair| pair.names.1.as_str()).collect());
        (with_cpus(a, &of_a), with_cpus(b, &of_b))
    }

    /// The numbers of the CPUs of each pair.
    pub(super) fn numbers(&self) -> Vec<Value> {
        self.pairs.iter().map(|pair| json!({ "a": pair.a.number, "b": pair.b.number })).collect()
    }
}

/// Some CPUs by name: `CPU 0, CPU 1`, `CPU 0 to CPU 7 (8 CPUs)`.
fn in_words(mut names: Vec<&str>) -> String {
    names.dedup();
    match names.as_slice() {
        [first, .., last] if names.len() > 4 => format!("{first} to {last} ({} CPUs)", names.len()),
        _ => names.join(", "),
    }
}

fn with_cpus(source: &Source, cpus: &str) -> String {
    let source = source.to_string();
    if source == cpus { source } else { format!("{source}, {cpus}") }
}
