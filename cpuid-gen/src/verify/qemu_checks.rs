//! Checks within one QEMU release: words, names, masks, constants and comments.

use super::bit_names::names;
use super::finding::Findings;
use super::fold::fold;
use super::key::{Key, Kind};
use super::qemu::QemuIndex;
use super::twice::{Claim, check_repeated, check_unique};
use super::{dep_edges, qemu_macros};
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuBit, QemuDep, QemuWord};
use crate::leaf_name;
use crate::location::{Bit, CpuidWord, Subleaf};
use crate::ordered::{Set, sort_by};
use crate::source::Span;

/// Checks QEMU's statements against each other.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    check_words_unique(index, findings);
    check_words_complete(index, findings);
    for word in &index.facts.words {
        check_enumerator(index, word, findings);
    }
    check_bits(index, findings);
    check_masks(index, findings);
    qemu_macros::check(index, findings);
    check_comments(index, findings);
    check_deps(index, findings);
}

fn check_words_unique(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let words = &index.facts.words;
    let (release, kind) = (&index.release, Kind::WordTwice);
    let by_name = |word: &QemuWord| Claim { by: word.name.clone(), at: word.at };
    let items = words.iter().map(|word| (word.index.0, word));
    check_unique(findings, release, kind, items, |index| format!("FeatureWord {index}"), by_name);
    let place = |word: &QemuWord| word.source.word_source().to_string();
    let items = words.iter().map(|word| (place(word), word));
    check_unique(findings, release, kind, items, String::clone, by_name);
    let by_index = |word: &QemuWord| Claim { by: format!("FeatureWord {}", word.index.0), at: word.at };
    let items = words.iter().map(|word| (&word.name, word));
    check_unique(findings, release, kind, items, |name| (*name).clone(), by_index);
}

fn check_words_complete(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let mut sorted: Vec<&QemuWord> = index.facts.words.iter().collect();
    sort_by(&mut sorted, |a, b| a.index.cmp(&b.index));
    let mut expected = 0;
    let mut neighbour = None;
    for word in sorted {
        for number in expected..word.index.0 {
            let subject = format!("FeatureWord {number}");
            findings.add(Key::new(Kind::WordMissing, &subject, "-", "-"), &[&index.release], || {
                let found = Diagnostic::error(word.at, format!("{subject} has no row"));
                neighbour.into_iter().fold(found, |found, at| found.with_label(at, "the row before it"))
            });
        }
        expected = word.index.0.saturating_add(1);
        neighbour = Some(word.at);
    }
}

/// Most enumerators state their register, like Linux's; the others (`FEAT_SVM`) do not start with a number.
fn check_enumerator(index: &QemuIndex<'_>, word: &QemuWord, findings: &mut Findings<'_>) {
    let name = word.name.strip_prefix("FEAT_").unwrap_or(&word.name);
    let stated = leaf_name::from_stem(name);
    let numbered = name.starts_with(|first: char| first.is_ascii_digit());
    if stated == word.source.cpuid_word() || (stated.is_none() && !numbered) {
        return;
    }
    let stated = stated.map_or("no register".to_owned(), |stated| stated.to_string());
    let row = word.source.to_string();
    findings.add(Key::new(Kind::LeafName, &word.name, &stated, &row), &[&index.release], || {
        Diagnostic::error(word.at, format!("the name `{}` means {stated}, but its row has {row}", word.name))
    });
}

fn check_bits(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let (bits, release) = (&index.facts.bits, &index.release);
    let place = |word: &str, bit: u8| format!("{word}[{bit}]");
    let items = bits.iter().map(|bit| ((&bit.word, bit.bit), bit));
    let by_name = |bit: &QemuBit| Claim { by: bit.name.clone(), at: bit.at };
    let what = |(word, bit): &(&String, Bit)| format!("qemu-bit {}", place(word, bit.0));
    check_unique(findings, release, Kind::BitTwice, items, what, by_name);
    let items = bits.iter().flat_map(|bit| {
        let names: Set<String> = bit.names().map(fold).collect();
        names.into_iter().map(move |name| (name, bit))
    });
    let by_place = |bit: &QemuBit| Claim { by: place(&bit.word, bit.bit.0), at: bit.at };
    check_unique(findings, release, Kind::NameTwice, items, |name| format!("qemu-bit {name}"), by_place);
    for bit in bits {
        let Some(word) = find_word(index, "qemu-bit", &bit.word, bit.at, findings) else {
            continue;
        };
        if bit.bit.0 > 31 && word.source.cpuid_word().is_some() {
            let subject = place(&bit.word, bit.bit.0);
            findings.add(Key::new(Kind::BitRange, &subject, &bit.name, "-"), &[release], || {
                Diagnostic::error(bit.at, format!("{subject} is out of range: a CPUID word has bits 0 to 31"))
                    .with_label(word.at, "its word")
            });
        }
    }
}

/// The word of a row, or a finding if it is missing.
fn find_word<'a>(
    index: &QemuIndex<'a>,
    sort: &str,
    name: &str,
    at: Span,
    findings: &mut Findings<'_>,
) -> Option<&'a QemuWord> {
    let word = index.rows.words.get(name).copied();
    if word.is_none() {
        findings.add(Key::new(Kind::NoWord, format!("{sort} {name}"), name, "-"), &[&index.release], || {
            Diagnostic::error(at, format!("`{name}` is not a FeatureWord of this release"))
        });
    }
    word
}

fn check_masks(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let masks = &index.facts.masks;
    let rows = masks.iter().map(|mask| ((&mask.word, mask.kind), mask.at));
    check_repeated(findings, &index.release, rows, |(word, kind)| format!("qemu-mask {word} {kind}"));
    for mask in masks {
        let Some(word) = find_word(index, "qemu-mask", &mask.word, mask.at, findings) else {
            continue;
        };
        if mask.mask > u64::from(u32::MAX) && word.source.cpuid_word().is_some() {
            let subject = format!("{} {}", mask.word, mask.kind);
            let key = Key::new(Kind::BitRange, &subject, format!("{:#x}", mask.mask), "-");
            findings.add(key, &[&index.release], || {
                Diagnostic::error(
                    mask.at,
                    format!("{subject} is out of range: a CPUID word has bits 0 to 31"),
                )
                .with_label(word.at, "its word")
            });
        }
    }
}

fn check_comments(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let comments = &index.facts.comments;
    let rows = comments.iter().map(|comment| (&comment.word, comment.at));
    check_repeated(findings, &index.release, rows, |word| format!("qemu-comment {word}"));
    for comment in comments {
        let Some(word) = find_word(index, "qemu-comment", &comment.word, comment.at, findings) else {
            continue;
        };
        let subleaf = comment.subleaf.unwrap_or(Subleaf(0));
        let stated = CpuidWord { leaf: comment.leaf, subleaf, register: comment.register };
        if Some(stated) == word.source.cpuid_word() {
            continue;
        }
        let (left, right) = (stated.to_string(), word.source.to_string());
        findings.add(Key::new(Kind::Comment, &comment.word, &left, &right), &[&index.release], || {
            Diagnostic::error(comment.at, format!("the comment beside `{}` has {left}", comment.word))
                .with_label(word.at, format!("the table has {right}"))
        });
    }
}

fn check_deps(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let all = &index.facts.deps;
    let rows = all.iter().map(|dep| ((&dep.from, &dep.to), dep));
    check_repeated(findings, &index.release, rows.map(|(row, dep)| (row, dep.at)), |(from, to)| {
        format!("qemu-dep {} {:#x} {} {:#x}", from.0, from.1, to.0, to.1)
    });
    for dep in all {
        check_dep(index, dep, findings);
    }
}

/// Checks that both words exist and that the masks have named bits: all of the dependent bits, and one of the
/// required bits.
fn check_dep(index: &QemuIndex<'_>, dep: &QemuDep, findings: &mut Findings<'_>) {
    for ((name, mask), needed) in [(&dep.from, true), (&dep.to, false)] {
        let Some(word) = find_word(index, "qemu-dep", name, dep.at, findings) else { continue };
        let named = |bit: &u8| mask >> bit & 1 == 1 && index.named.contains_key(&(name.as_str(), *bit));
        let known = (0..64).filter(named).fold(0, |known, bit| known | 1 << bit);
        let nameless = mask & !known;
        if nameless == 0 || (!needed && mask & known != 0) {
            continue;
        }
        let (subject, left) =
            (format!("qemu-dep {}", dep_edges::shown(dep)), format!("{name} {nameless:#x}"));
        findings.add(Key::new(Kind::Unresolved, subject, &left, "-"), &[&index.release], || {
            Diagnostic::error(
                dep.at,
                format!("a dependency of `{name}` has no name for {}", names(nameless, |_| None)),
            )
            .with_label(word.at, "its word")
        });
    }
}
