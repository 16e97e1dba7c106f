//! Checks within one Linux release: the features in scattered.c, cpuid-deps.c and KVM.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::twice::{Claim, check_repeated, check_unique};
use crate::diagnostic::Diagnostic;
use crate::facts::{CapKind, KvmBit, KvmCap, LinuxFlag, LinuxSpelling, LinuxWord, Scattered};
use crate::leaf_name;
use crate::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf};
use crate::source::Span;

/// Checks everything that names a feature of another table.
pub(super) fn check(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    check_rows_unique(index, findings);
    check_bits_unique(index, findings);
    for bit in &index.facts.scattered {
        check_scattered(index, bit, findings);
    }
    for bit in &index.facts.kvm_translates {
        check_translate(index, bit, findings);
    }
    for (name, at) in &index.facts.untranslated {
        findings.add(Key::new(Kind::Translation, name, "-", "-"), &[&index.release], || {
            Diagnostic::error(*at, format!("`{name}` is defined, but no feature is translated to it"))
                .with_help(
                    "KVM does not know the kernel's feature of this name: add a `KVM_X86_TRANSLATE_FEATURE`",
                )
        });
    }
    for bit in &index.facts.kvm_features {
        check_kvm_feature(index, bit, findings);
    }
    for dep in &index.facts.deps {
        for name in [&dep.name, &dep.needs] {
            check_resolves(index, "linux-dep", name, dep.at, findings);
        }
        if dep.name == dep.needs {
            let key = Key::new(Kind::Unresolved, format!("linux-dep {}", dep.name), &dep.needs, "-");
            let message = format!("`{}` depends on itself", dep.name);
            findings.add(key, &[&index.release], || Diagnostic::error(dep.at, message));
        }
    }
    for cap in &index.facts.kvm_caps {
        check_cap(index, cap, findings);
    }
    for cap in &index.facts.kvm_modules {
        check_resolves(index, "kvm-module", &cap.name, cap.at, findings);
    }
    for spelling in &index.facts.spellings {
        let LinuxSpelling { name, word, at } = spelling;
        findings.add(Key::new(Kind::CommentName, name, word, "-"), &[&index.release], || {
            Diagnostic::error(*at, format!("`{name}` is spelled {word} in its comment"))
        });
    }
}

fn check_rows_unique(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let facts = index.facts;
    let deps = facts.deps.iter().map(|dep| ((&dep.name, &dep.needs), dep.at));
    check_repeated(findings, &index.release, deps, |(name, needs)| format!("linux-dep {name} {needs}"));
    // A call can be repeated under another condition.
    let lists = facts.kvm_caps.iter().filter(|cap| call_of(cap).is_none());
    let caps = lists.map(|cap| ((&cap.leaf_name, call_of(cap), &cap.name), cap.at));
    let shown = |(leaf, call, name): &(&Option<String>, Option<CapKind>, &String)| {
        format!("kvm-cap {}", cap_name(leaf.as_deref(), *call, name))
    };
    check_repeated(findings, &index.release, caps, shown);
}

/// The name of a capability in keys; the kind is included only for `set` and `clear`.
pub(super) fn cap_subject(cap: &KvmCap) -> String {
    cap_name(cap.leaf_name.as_deref(), call_of(cap), &cap.name)
}

/// `set` or `clear`, for such a call.
pub(super) fn call_of(cap: &KvmCap) -> Option<CapKind> {
    Some(cap.kind).filter(|kind| matches!(kind, CapKind::Set | CapKind::Clear))
}

pub(super) fn cap_name(leaf: Option<&str>, call: Option<CapKind>, name: &str) -> String {
    let leaf = leaf.unwrap_or("-");
    match call {
        Some(call) => format!("{leaf} {call} {name}"),
        None => format!("{leaf} {name}"),
    }
}

/// KVM states some bits only by number: `BIT(2)`.
fn bare_bit(cap: &KvmCap) -> Option<u8> {
    cap.name.strip_prefix("BIT(")?.strip_suffix(')')?.parse().ok()
}

/// Checks that neither scattered.c nor KVM has two features at one bit.
fn check_bits_unique(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let facts = index.facts;
    let scattered = facts.scattered.iter().map(|bit| (bit.location, bit));
    let by_name = |bit: &Scattered| Claim { by: bit.name.clone(), at: bit.at };
    let what = |at: &Location| format!("linux-scattered {at}");
    check_unique(findings, &index.release, Kind::BitTwice, scattered, what, by_name);
    let kvm = facts.kvm_features.iter().chain(&facts.kvm_translates);
    let kvm = kvm.map(|bit| ((&bit.leaf_name, bit.bit), bit));
    let by_name = |bit: &KvmBit| Claim { by: bit.name.clone(), at: bit.at };
    let what = |(leaf, bit): &(&String, Bit)| format!("kvm-feature {leaf}[{}]", bit.0);
    check_unique(findings, &index.release, Kind::BitTwice, kvm, what, by_name);
}

pub(super) fn check_resolves(
    index: &LinuxIndex<'_>,
    sort: &str,
    name: &str,
    at: Span,
    findings: &mut Findings<'_>,
) -> bool {
    let known = index.knows(name);
    if !known {
        findings.add(
            Key::new(Kind::Unresolved, format!("{sort} {name}"), name, "-"),
            &[&index.release],
            || Diagnostic::error(at, format!("`{name}` is not a feature of this release")),
        );
    }
    known
}

/// Checks that a scattered feature is software-defined, and that no other feature has its bit.
fn check_scattered(index: &LinuxIndex<'_>, bit: &Scattered, findings: &mut Findings<'_>) {
    if !check_resolves(index, "linux-scattered", &bit.name, bit.at, findings) {
        return;
    }
    check_software(index, Kind::Scattered, &bit.name, bit.at, findings);
    for other in index.bits.get(&bit.location).into_iter().flatten().filter(|other| other.name != bit.name) {
        let key = Key::new(Kind::Scattered, bit.location.to_string(), &bit.name, other.name);
        findings.add(key, &[&index.release], || {
            Diagnostic::error(bit.at, format!("{} is `{}` in scattered.c", bit.location, bit.name))
                .with_label(other.at, format!("and `{}` here", other.name))
        });
    }
}

/// Checks that a feature with a location in another table is not in a hardware word of the kernel.
fn check_software(index: &LinuxIndex<'_>, kind: Kind, name: &str, at: Span, findings: &mut Findings<'_>) {
    let Some(feature) = index.features.get(name) else {
        return;
    };
    if let Some(place) = index.hardware_place(feature) {
        findings.add(Key::new(kind, name, place.to_string(), "software"), &[&index.release], || {
            let message =
                format!("`{name}` has a location here, which is only valid for a software-defined feature");
            Diagnostic::error(at, message).with_label(feature.at, format!("but it is {place}"))
        });
    }
}

/// Checks that a translated feature is a software-defined kernel feature, and that scattered.c has the same bit.
fn check_translate(index: &LinuxIndex<'_>, bit: &KvmBit, findings: &mut Findings<'_>) {
    if !index.features.contains_key(bit.name.as_str()) {
        let key = Key::new(Kind::Unresolved, format!("kvm-translate {}", bit.name), &bit.name, "-");
        let message = format!("`{}` is translated for KVM, but is not a kernel feature", bit.name);
        findings.add(key, &[&index.release], || Diagnostic::error(bit.at, message));
        return;
    }
    check_software(index, Kind::Translation, &bit.name, bit.at, findings);
    let Some(place) = index.rows.kvm_location(bit) else {
        return;
    };
    let scattered: Vec<&Scattered> = index.facts.scattered.iter().filter(|s| s.name == bit.name).collect();
    if let Some(first) = scattered.first() {
        if scattered.iter().all(|other| other.location != place) {
            let (left, right) = (place.to_string(), first.location.to_string());
            findings.add(Key::new(Kind::Translation, &bit.name, &left, &right), &[&index.release], || {
                Diagnostic::error(bit.at, format!("KVM has `{}` at {left}", bit.name))
                    .with_label(first.at, format!("scattered.c has it at {right}"))
            });
        }
    }
}

/// Checks that features defined by KVM are not defined by the kernel.
fn check_kvm_feature(index: &LinuxIndex<'_>, bit: &KvmBit, findings: &mut Findings<'_>) {
    if let Some(feature) = index.features.get(bit.name.as_str()) {
        let place = format!("{}[{}]", feature.word.0, feature.bit.0);
        let key = Key::new(Kind::NameTwice, format!("kvm-feature {}", bit.name), &bit.leaf_name, place);
        findings.add(key, &[&index.release], || {
            Diagnostic::error(bit.at, format!("`{}` is defined for KVM only", bit.name))
                .with_label(feature.at, "and by the kernel")
        });
    }
}

fn check_cap(index: &LinuxIndex<'_>, cap: &KvmCap, findings: &mut Findings<'_>) {
    let leaf = cap.leaf_name.as_deref();
    let word = leaf.and_then(|leaf| index.rows.words.get(leaf).copied());
    let stated = leaf.filter(|_| word.is_none()).and_then(leaf_name::from_linux);
    if let Some(stated) = stated {
        return check_cap_in_register(index, cap, stated, findings);
    }
    if leaf.is_some() && word.is_none_or(|word| word.location.is_none()) {
        let own = index.kvm_features.get(cap.name.as_str()).map(|bit| bit.at);
        add_cap(index, cap, "no hardware word", own.or(word.map(|word| word.at)), findings);
        return;
    }
    match bare_bit(cap) {
        Some(0..=31) if word.is_some() => return,
        Some(_) => return add_cap(index, cap, "no bit of a word", None, findings),
        None => {}
    }
    if !check_resolves(index, "kvm-cap", &cap.name, cap.at, findings) {
        return;
    }
    let held = held_by_kvm(index, &cap.name);
    match word {
        Some(word) => check_cap_in_word(index, cap, word, &held, findings),
        None if held.is_empty() => add_cap(index, cap, "no hardware bit", None, findings),
        None => {}
    }
}

/// Checks a capability in a list of a register that no word of the kernel holds, which scattered.c may read.
fn check_cap_in_register(
    index: &LinuxIndex<'_>,
    cap: &KvmCap,
    register: CpuidWord,
    findings: &mut Findings<'_>,
) {
    match bare_bit(cap) {
        Some(0..=31) => return,
        Some(_) => return add_cap(index, cap, "no bit of a word", None, findings),
        None => {}
    }
    let held = held_by_kvm(index, &cap.name);
    if check_resolves(index, "kvm-cap", &cap.name, cap.at, findings)
        && held.iter().all(|(place, _)| place.word != register)
    {
        let first = held.first();
        let elsewhere = first.map_or("no hardware bit".to_owned(), |(place, _)| place.to_string());
        add_cap(index, cap, &elsewhere, first.map(|(_, at)| *at), findings);
    }
}

fn check_cap_in_word(
    index: &LinuxIndex<'_>,
    cap: &KvmCap,
    word: &LinuxWord,
    held: &[(Location, Span)],
    findings: &mut Findings<'_>,
) {
    let own = held.iter().any(|(place, _)| Some(place.word) == word.location);
    if cap.kind == CapKind::Aliased1EdxF || (!own && is_alias_word(word)) {
        check_aliased(index, cap, word, findings);
    } else if !own {
        let at = held.first();
        let elsewhere = at.map_or("no hardware bit".to_owned(), |(place, _)| place.to_string());
        add_cap(index, cap, &elsewhere, at.map(|(_, at)| *at), findings);
    }
    let scattered = matches!(cap.kind, CapKind::Sf | CapKind::ScatteredF);
    if scattered && !is_software(index, &cap.name) {
        let feature = index.features.get(cap.name.as_str());
        add_cap(index, cap, "not scattered", feature.map(|feature| feature.at), findings);
    }
}

fn is_software(index: &LinuxIndex<'_>, name: &str) -> bool {
    index.features.get(name).is_some_and(|feature| index.hardware_place(feature).is_none())
}

/// Every place at which KVM may keep the feature: its own, its translation's, the kernel's; without translations,
/// that of scattered.c.
fn held_by_kvm(index: &LinuxIndex<'_>, name: &str) -> Vec<(Location, Span)> {
    if let Some(bit) = index.translates.get(name).or_else(|| index.kvm_features.get(name)) {
        return index.rows.kvm_location(bit).map(|place| (place, bit.at)).into_iter().collect();
    }
    let feature: Option<&&LinuxFlag> = index.features.get(name);
    let place = feature.and_then(|feature| Some((index.hardware_place(feature)?, feature.at)));
    if place.is_some() || !index.translates.is_empty() {
        return place.into_iter().collect();
    }
    let scattered = index.facts.scattered.iter().filter(|bit| bit.name == name);
    scattered.map(|bit| (bit.location, bit.at)).collect()
}

/// AMD's copy of 1.EDX is in 0x80000001.EDX.
fn is_alias_word(word: &LinuxWord) -> bool {
    word.location.is_some_and(|at| {
        (at.leaf, at.subleaf, at.register) == (Leaf(0x8000_0001), Subleaf(0), Register::Edx)
    })
}

/// Checks that a copy has the name of the feature in 1.EDX, and that the same bit is not another feature.
fn check_aliased(index: &LinuxIndex<'_>, cap: &KvmCap, word: &LinuxWord, findings: &mut Findings<'_>) {
    let feature = index.features.get(cap.name.as_str());
    let place = feature.and_then(|feature| index.hardware_place(feature));
    let in_1_edx = |at: &Location| {
        (at.word.leaf, at.word.subleaf, at.word.register) == (Leaf(1), Subleaf(0), Register::Edx)
    };
    let Some(original) = place.filter(in_1_edx) else {
        let other = place.map_or("no hardware bit".to_owned(), |place| place.to_string());
        add_cap(index, cap, &other, feature.map(|feature| feature.at), findings);
        return;
    };
    if !is_alias_word(word) {
        add_cap(index, cap, "not the word of the copies", Some(word.at), findings);
        return;
    }
    let copy = word.location.map(|word| Location { word, ..original });
    if let Some(other) = copy.and_then(|copy| index.bits.get(&copy)).and_then(|names| names.first()) {
        add_cap(index, cap, &format!("{} has the bit", other.name), Some(other.at), findings);
    }
}

fn add_cap(
    index: &LinuxIndex<'_>,
    cap: &KvmCap,
    right: &str,
    other: Option<Span>,
    findings: &mut Findings<'_>,
) {
    let subject = cap_subject(cap);
    findings.add(Key::new(Kind::Cap, &subject, cap.kind.name(), right), &[&index.release], || {
        let found = Diagnostic::error(cap.at, format!("`{subject}` does not fit: {right}"));
        match other {
            Some(at) => found.with_label(at, format!("`{}` is here", cap.name)),
            None => found,
        }
    });
}
