//! The releases of one project, each against the one before it.
//!
//! Every release makes statements: about a subject, with a value. What an older release said, a newer one says too, or
//! it is a finding. This shows mistakes at bits that the other project does not know.

use std::borrow::Cow;
use std::collections::HashMap;

use super::finding::{Findings, Key, Kind, Release};
use super::linux::LinuxIndex;
use super::linux_names::cap_subject;
use super::linux_words;
use super::qemu::QemuIndex;
use super::qemu_checks;
use crate::diagnostic::Diagnostic;
use crate::facts::LinuxFlag;
use crate::source::Span;

/// What a statement is about, and about which thing.
type Subject<'a> = (&'static str, Cow<'a, str>);
/// What is said of it, sorted.
type Values<'a> = Vec<(Cow<'a, str>, Span)>;

/// All that one release states.
pub(super) struct Statements<'a> {
    release: &'a Release,
    at: Span,
    /// In no order: findings get theirs when they are reported.
    said: HashMap<Subject<'a>, Values<'a>>,
}

/// Kinds of statements whose subject cannot go by itself: the feature goes, and that is a finding already.
const ONLY_CHANGES: [&str; 4] = [LOCATION, "linux-flag", "linux-bug-flag", "linux-vmx-flag"];

/// What names a hardware bit has.
const LOCATION: &str = "location";

/// Statements where only lost bits count: a mask grows as a project learns.
const MASKS: &str = "qemu-mask";

impl<'a> Statements<'a> {
    fn new(release: &'a Release, at: Span) -> Statements<'a> {
        Statements { release, at, said: HashMap::new() }
    }

    fn say(
        &mut self,
        kind: &'static str,
        subject: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
        at: Span,
    ) {
        let value = value.into();
        let values = self.said.entry((kind, subject.into())).or_default();
        if values.iter().all(|(known, _)| *known != value) {
            values.push((value, at));
        }
    }

    /// What a Linux release states.
    pub(super) fn of_linux(index: &'a LinuxIndex<'a>) -> Statements<'a> {
        let facts = index.facts;
        let mut all = Statements::new(&index.release, facts.at);
        for count in &facts.counts {
            all.say("linux-count", &count.name, count.value.to_string(), count.at);
        }
        for word in &facts.words {
            all.say("linux-word", &word.name, linux_words::shown(word.location), word.at);
        }
        all.say_flags(("linux-feature", "linux-flag"), &facts.features, |flag| {
            match index.kernel_words.get(&flag.word.0) {
                Some(word) if word.location.is_none() => format!("{}[{}]", word.name, flag.bit.0),
                _ => String::new(),
            }
        });
        let numbered = |flag: &LinuxFlag| format!("{}[{}]", flag.word.0, flag.bit.0);
        all.say_flags(("linux-bug", "linux-bug-flag"), &facts.bugs, numbered);
        all.say_flags(("linux-vmx", "linux-vmx-flag"), &facts.vmx, numbered);
        for (location, names) in &index.bits {
            let shown = location.to_string();
            for name in names {
                all.say("linux-feature", name.name, shown.clone(), name.at);
                all.say(LOCATION, shown.clone(), name.name, name.at);
            }
        }
        for bit in &facts.scattered {
            all.say("linux-scattered", format!("{} {}", bit.name, bit.location), "", bit.at);
        }
        for bit in &facts.kvm_translates {
            all.say("kvm-translate", &bit.name, format!("{}[{}]", bit.leaf_name, bit.bit.0), bit.at);
        }
        for dep in &facts.deps {
            all.say("linux-dep", format!("{} {}", dep.name, dep.needs), "", dep.at);
        }
        for cap in &facts.kvm_caps {
            all.say("kvm-cap", cap_subject(cap), cap.kind.name(), cap.at);
        }
        all.sorted()
    }

    fn say_flags(
        &mut self,
        (kind, flag_kind): (&'static str, &'static str),
        flags: &'a [LinuxFlag],
        place: impl Fn(&LinuxFlag) -> String,
    ) {
        for flag in flags {
            let place = place(flag);
            if !place.is_empty() {
                self.say(kind, &flag.name, place, flag.at);
            }
            self.say(flag_kind, &flag.name, flag.flag.as_deref().unwrap_or("hidden"), flag.at);
        }
    }

    /// What a QEMU release states.
    pub(super) fn of_qemu(index: &'a QemuIndex<'a>) -> Statements<'a> {
        let facts = index.facts;
        let mut all = Statements::new(&index.release, facts.at);
        for word in &facts.words {
            all.say("qemu-word", &word.name, qemu_checks::shown(word.source), word.at);
        }
        for bit in &facts.bits {
            all.say("qemu-bit", format!("{}[{}]", bit.word, bit.bit.0), &bit.name, bit.at);
        }
        for mask in &facts.masks {
            all.say(MASKS, format!("{} {}", mask.word, mask.kind), format!("{:#x}", mask.mask), mask.at);
        }
        for constant in &facts.macros {
            all.say("qemu-macro", &constant.name, format!("{:#x}", constant.value), constant.at);
        }
        for comment in &facts.comments {
            let place = crate::facts::QemuSource::Cpuid {
                leaf: comment.leaf,
                subleaf: comment.subleaf,
                register: comment.register,
            };
            all.say("qemu-comment", &comment.word, qemu_checks::shown(place), comment.at);
        }
        all.sorted()
    }

    fn sorted(mut self) -> Statements<'a> {
        for values in self.said.values_mut() {
            values.sort();
        }
        self
    }
}

/// Each release against the one before it.
pub(super) fn check(releases: &[Statements<'_>], findings: &mut Findings<'_>) {
    for pair in releases.windows(2) {
        if let [older, newer] = pair {
            compare(older, newer, findings);
        }
    }
}

fn compare(older: &Statements<'_>, newer: &Statements<'_>, findings: &mut Findings<'_>) {
    for (subject, before) in &older.said {
        match newer.said.get(subject) {
            Some(after) => check_changed((older, newer), subject, (before, after), findings),
            None if ONLY_CHANGES.contains(&subject.0) => {}
            None => add_gone((older, newer), subject, before, findings),
        }
    }
}

fn check_changed(
    (older, newer): (&Statements<'_>, &Statements<'_>),
    (kind, name): &Subject<'_>,
    (before, after): (&Values<'_>, &Values<'_>),
    findings: &mut Findings<'_>,
) {
    let same = before.iter().map(|(value, _)| value).eq(after.iter().map(|(value, _)| value));
    if same || (*kind == MASKS && lost_bits(before, after) == 0) {
        return;
    }
    let (left, right) = (joined(before), joined(after));
    let subject = format!("{kind} {name}");
    findings.add(Key::new(Kind::Changed, &subject, &left, &right), &[older.release, newer.release], || {
        let (old_at, new_at) = (place_of(before, after), place_of(after, before));
        Diagnostic::error(new_at, format!("{subject} is {right} in {}", newer.release.name))
            .with_label(old_at, format!("but was {left} in {}", older.release.name))
    });
}

fn add_gone(
    (older, newer): (&Statements<'_>, &Statements<'_>),
    (kind, name): &Subject<'_>,
    before: &Values<'_>,
    findings: &mut Findings<'_>,
) {
    let subject = format!("{kind} {name}");
    let left = joined(before);
    findings.add(Key::new(Kind::Gone, &subject, &left, "-"), &[older.release, newer.release], || {
        let at = before.first().map_or(older.at, |(_, at)| *at);
        let what = if left == "-" { String::new() } else { format!(", {left},") };
        let found = Diagnostic::error(at, format!("{subject}{what} is in {}", older.release.name))
            .with_label(newer.at, format!("but not in {}", newer.release.name));
        let instead = instead_of((older, newer), (kind, name), &left);
        instead.into_iter().take(3).fold(found, |found, (other, at)| {
            found.with_label(at, format!("{} has {kind} {other} instead", newer.release.name))
        })
    });
}

/// What only the newer release says and may be meant for what is gone: another name for the same place, or a pair
/// with one name in common.
fn instead_of<'s>(
    (older, newer): (&Statements<'_>, &'s Statements<'_>),
    (kind, name): (&str, &str),
    before: &str,
) -> Vec<(&'s str, Span)> {
    let mut found: Vec<(&str, Span)> = Vec::new();
    for (subject, after) in &newer.said {
        if subject.0 != kind || older.said.contains_key(subject) {
            continue;
        }
        let same_value = before != "-" && joined(after) == before;
        let same_part = name.split(' ').any(|part| subject.1.split(' ').any(|other| other == part));
        if same_value || same_part {
            found.extend(after.first().map(|(_, at)| (subject.1.as_ref(), *at)));
        }
    }
    found.sort_unstable();
    found
}

/// The place of the first value that the other release does not give.
fn place_of(values: &Values<'_>, others: &Values<'_>) -> Span {
    let own = values.iter().find(|(value, _)| others.iter().all(|(other, _)| other != value));
    own.or(values.first()).map_or(values[0].1, |(_, at)| *at)
}

fn joined(values: &Values<'_>) -> String {
    let shown: Vec<&str> = values.iter().map(|(value, _)| value.as_ref()).collect();
    let text = shown.join(" ");
    if text.is_empty() { "-".to_owned() } else { text }
}

fn lost_bits(before: &Values<'_>, after: &Values<'_>) -> u64 {
    union_of(before) & !union_of(after)
}

fn union_of(values: &Values<'_>) -> u64 {
    values
        .iter()
        .filter_map(|(value, _)| u64::from_str_radix(value.trim_start_matches("0x"), 16).ok())
        .fold(0, |all, mask| all | mask)
}
