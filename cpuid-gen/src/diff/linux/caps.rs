//! The mentions of each bit in `kvm_set_cpu_caps`, and whether KVM advertises the bit.

use std::collections::BTreeMap;

use super::tree::Tree;
use crate::diff::change::{Action, Change, Field, SPELLED};
use crate::facts::{CapKind, KvmCap};
use crate::leaf_name;
use crate::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf};
use crate::source::Span;

/// AMD repeats bits of 1.EDX here (APM volume 3, E.4.2), and KVM uses the originals' macros for the copies.
const COPIES: CpuidWord = CpuidWord { leaf: Leaf(0x8000_0001), subleaf: Subleaf(0), register: Register::Edx };
const ORIGINALS: CpuidWord = CpuidWord { leaf: Leaf(1), ..COPIES };

/// The subject of a capability: a bit of a register, or a macro without a location.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target<'a> {
    At(Location),
    Named(&'a str),
}

/// One release's capabilities of a bit.
#[derive(Default)]
struct Mentions<'a> {
    name: &'a str,
    kinds: Vec<CapKind>,
    /// The rows' texts, which distinguish spellings.
    texts: Vec<(Option<&'a str>, CapKind, &'a str)>,
    rows: Vec<Span>,
}

/// The text in reports. Macros of KVM that replaced another have the same text.
fn meaning(kind: CapKind) -> &'static str {
    match kind {
        CapKind::F => "advertised",
        CapKind::Sf | CapKind::ScatteredF => "advertised (scattered)",
        CapKind::X8664F => "advertised (64-bit)",
        CapKind::EmulatedF => "emulated",
        CapKind::SynthesizedF => "synthesized",
        CapKind::PassthroughF => "passed through",
        CapKind::Aliased1EdxF => "advertised (copy of 1.EDX)",
        CapKind::VendorF => "left to the vendor module",
        CapKind::RuntimeF => "set at run time",
        CapKind::Set => "set",
        CapKind::Clear => "cleared",
    }
}

fn advertises(kind: CapKind) -> bool {
    !matches!(kind, CapKind::VendorF | CapKind::RuntimeF | CapKind::Clear)
}

/// The bits that KVM newly advertises, no longer advertises, or treats differently.
pub(super) fn changes(old: &Tree<'_>, new: &Tree<'_>) -> Vec<Change> {
    let (before, after) = (capabilities(old, new), capabilities(new, old));
    let nothing = Mentions::default();
    let mut targets: Vec<Target<'_>> = before.keys().chain(after.keys()).copied().collect();
    targets.sort_unstable();
    targets.dedup();
    let change = |target: Target<'_>| {
        let old = before.get(&target).unwrap_or(&nothing);
        let new = after.get(&target).unwrap_or(&nothing);
        change(target, old, new)
    };
    targets.into_iter().filter_map(change).collect()
}

fn change(target: Target<'_>, old: &Mentions<'_>, new: &Mentions<'_>) -> Option<Change> {
    if old.texts == new.texts {
        return None;
    }
    let advertised = |mentions: &Mentions<'_>| mentions.kinds.iter().any(|kind| advertises(*kind));
    let action = match (advertised(old), advertised(new)) {
        (false, true) => Action::Added,
        (true, false) => Action::Removed,
        _ => Action::Changed,
    };
    let mut fields = vec![field("named", shown(old), shown(new))];
    // Only the spelling changed: no effect on guests.
    if fields[0].old == fields[0].new {
        fields = vec![field(SPELLED, spelling(old), spelling(new))];
    }
    let at = match target {
        Target::At(location) => Some(location.into()),
        Target::Named(_) => None,
    };
    let subject = if new.name.is_empty() { old.name } else { new.name };
    let (old_rows, new_rows) = (old.rows.clone(), new.rows.clone());
    let (subject, was, owner, moved) = (subject.to_owned(), None, None, None);
    Some(Change { action, owner, subject, was, at, moved, fields, old_rows, new_rows })
}

fn field(name: &str, old: Option<String>, new: Option<String>) -> Field {
    Field { name: name.to_owned(), old, new }
}

fn shown(mentions: &Mentions<'_>) -> Option<String> {
    let mut kinds: Vec<&str> = mentions.kinds.iter().map(|kind| meaning(*kind)).collect();
    kinds.dedup();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}

fn spelling(mentions: &Mentions<'_>) -> Option<String> {
    let spelled = |(leaf, kind, name): &(Option<&str>, CapKind, &str)| match leaf {
        Some(leaf) => format!("{kind}({name}) of {leaf}"),
        None => format!("{kind} {name}"),
    };
    let all: Vec<String> = mentions.texts.iter().map(spelled).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// A release's capabilities, by bit. The other release supplies names of bits for which this one has only numbers.
fn capabilities<'a>(tree: &Tree<'a>, other: &Tree<'a>) -> BTreeMap<Target<'a>, Mentions<'a>> {
    let mut all: BTreeMap<Target<'a>, Mentions<'a>> = BTreeMap::new();
    for cap in &tree.rows.facts.kvm_caps {
        for target in targets(tree, cap) {
            let name = match target {
                Target::At(location) if cap.name.starts_with("BIT(") => {
                    name_at(tree, location).or_else(|| name_at(other, location)).unwrap_or(&cap.name)
                }
                _ => &cap.name,
            };
            let mentions = all.entry(target).or_default();
            mentions.name = name;
            mentions.kinds.push(cap.kind);
            mentions.texts.push((cap.leaf_name.as_deref(), cap.kind, &cap.name));
            mentions.rows.push(cap.at);
        }
    }
    for mentions in all.values_mut() {
        mentions.kinds.sort_unstable();
        mentions.kinds.dedup();
        mentions.texts.sort_unstable();
    }
    all
}

fn name_at<'a>(tree: &Tree<'a>, location: Location) -> Option<&'a str> {
    tree.bits.iter().find(|bit| bit.home == Some(location)).map(|bit| bit.name)
}

/// The bits of a row: its macro's, in the row's word if there is one, or the bit with a number.
fn targets<'a>(tree: &Tree<'a>, cap: &'a KvmCap) -> Vec<Target<'a>> {
    let stated = |leaf: &str| tree.rows.register(leaf).or_else(|| leaf_name::from_linux(leaf));
    let word = cap.leaf_name.as_deref().and_then(stated);
    let number = cap.name.strip_prefix("BIT(").and_then(|rest| rest.strip_suffix(')'));
    if let (Some(word), Some(bit)) = (word, number.and_then(|number| number.parse().ok())) {
        return vec![Target::At(Location { word, bit: Bit(bit) })];
    }
    let locations = tree.rows.named(&cap.name).iter();
    let fits = |location: &&Location| word.is_none_or(|word| word == location.word);
    let mut found: Vec<Target<'a>> = locations.clone().filter(fits).map(|at| Target::At(*at)).collect();
    if found.is_empty() && word == Some(COPIES) {
        let copies = locations.filter(|location| location.word == ORIGINALS);
        found.extend(copies.map(|at| Target::At(Location { word: COPIES, ..*at })));
    }
    if found.is_empty() {
        found.push(Target::Named(&cap.name));
    }
    found
}
