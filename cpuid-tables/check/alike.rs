//! Findings of many vCPUs that differ in numbers alone, as one.
//!
//! A wrong APIC id differs in each vCPU: a guest with 255 vCPUs would get 254 findings about the same fault.
//!
//! Invariants: a vCPU is in a group once; the findings of a group have the same kind, place and advice.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Finding, Site};

/// Up to this many are listed one by one.
const FEW: usize = 3;

/// The findings in their order, each group at the place of its first.
pub(super) fn grouped(findings: Vec<Finding>) -> Vec<Finding> {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        let others: Vec<Site> =
            finding.others.iter().map(|site| Site { vcpu: None, ..site.place() }).collect();
        let advice = finding.advice.as_deref().map(without_numbers);
        let about = (finding.at.place(), finding.kind, finding.feature);
        groups.entry((about, others, without_numbers(&finding.what), advice)).or_default().push(at);
    }
    // By index: the group that the finding begins, and all others of a group.
    let mut first: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut rest = BTreeSet::new();
    for members in groups.into_values().filter(|members| members.len() > FEW && disjoint(&findings, members))
    {
        if let [one, others @ ..] = members.as_slice() {
            rest.extend(others.iter().copied());
            first.insert(*one, others.to_vec());
        }
    }
    let merged = findings.iter().enumerate().filter(|(at, _)| !rest.contains(at));
    merged
        .map(|(at, finding)| match first.get(&at) {
            Some(others) => joined(finding, others.iter().filter_map(|&other| findings.get(other))),
            None => finding.clone(),
        })
        .collect()
}

fn disjoint(findings: &[Finding], members: &[usize]) -> bool {
    let mut seen = BTreeSet::new();
    let mut vcpus = members.iter().filter_map(|&at| findings.get(at)).flat_map(|finding| &finding.vcpus);
    vcpus.all(|vcpu| seen.insert(*vcpu))
}

fn joined<'a>(one: &Finding, others: impl Iterator<Item = &'a Finding>) -> Finding {
    let mut all = one.clone();
    let whose = one.vcpu_list();
    others.for_each(|other| all.vcpus.extend(&other.vcpus));
    let more = all.vcpus.len() - one.vcpus.len();
    all.vcpus.sort_unstable();
    all.what = format!("{} ({whose}; {more} more have the same with other numbers)", one.what);
    all
}

/// A text with `#` for each number, decimal or hexadecimal.
fn without_numbers(text: &str) -> String {
    let mut pattern = String::new();
    let mut in_number = false;
    for character in text.chars() {
        let digit =
            character.is_ascii_digit() || in_number && (character.is_ascii_hexdigit() || character == 'x');
        if !digit {
            pattern.push(character);
        } else if !in_number {
            pattern.push('#');
        }
        in_number = digit;
    }
    pattern
}
