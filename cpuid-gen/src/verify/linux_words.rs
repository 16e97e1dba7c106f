//! Checks within one Linux release: its words, and the uniqueness of names, bits and flags.

use super::few::few;
use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::twice::{Claim, check_unique};
use crate::diagnostic::Diagnostic;
use crate::facts::{KvmBit, LinuxFlag, LinuxWord};
use crate::leaf_name;
use crate::location::{Bit, CpuidWord, Word};

/// Checks words, counts and uniqueness.
pub(super) fn check(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    check_counts(index, findings);
    for word in &index.facts.words {
        check_leaf_name(index, word, findings);
    }
    check_words_unique(index, findings);
    check_words_complete(index, findings);
    for (sort, count, flags) in sorts(index) {
        check_flags_unique(index, sort, flags, findings);
        check_flags_in_words(index, sort, count, flags, findings);
    }
    check_kvm_bits(index, "kvm-feature", &index.facts.kvm_features, findings);
    check_kvm_bits(index, "kvm-translate", &index.facts.kvm_translates, findings);
}

/// The three tables of flags, each with the count of its words.
fn sorts<'a>(index: &LinuxIndex<'a>) -> [(&'static str, &'static str, &'a [LinuxFlag]); 3] {
    let facts = index.facts;
    [
        ("linux-feature", "NCAPINTS", &facts.features),
        ("linux-bug", "NBUGINTS", &facts.bugs),
        ("linux-vmx", "NVMXINTS", &facts.vmx),
    ]
}

fn check_counts(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let counts = &index.facts.counts;
    let items = counts.iter().map(|count| (&count.name, count));
    check_unique(
        findings,
        &index.release,
        Kind::Count,
        items,
        |name| (*name).clone(),
        |count| Claim { by: count.value.to_string(), at: count.at },
    );
    for (sort, name, flags) in sorts(index) {
        if index.facts.count(name).is_none() && !flags.is_empty() {
            findings.add(Key::new(Kind::Count, name, "-", "-"), &[&index.release], || {
                Diagnostic::error(
                    index.facts.at,
                    format!("`{name}` is missing, although there are {sort} rows"),
                )
            });
        }
    }
    for count in counts.iter().filter(|count| sorts(index).iter().all(|(_, known, _)| count.name != *known)) {
        findings.add(
            Key::new(Kind::Count, &count.name, count.value.to_string(), "-"),
            &[&index.release],
            || {
                Diagnostic::error(count.at, format!("unknown count `{}`", count.name))
                    .with_help("expected NCAPINTS, NBUGINTS or NVMXINTS")
            },
        );
    }
}

fn check_leaf_name(index: &LinuxIndex<'_>, word: &LinuxWord, findings: &mut Findings<'_>) {
    let stated = leaf_name::from_linux(&word.name);
    if stated == word.location {
        return;
    }
    let (name, row) = (shown(stated), shown(word.location));
    findings.add(Key::new(Kind::LeafName, &word.name, &name, &row), &[&index.release], || {
        Diagnostic::error(word.at, format!("the name `{}` means {name}, but its row has {row}", word.name))
    });
}

/// A word's location in a key.
pub(super) fn shown(location: Option<CpuidWord>) -> String {
    location.map_or("software".to_owned(), |location| location.to_string())
}

fn check_words_unique(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let words = &index.facts.words;
    let (release, kind) = (&index.release, Kind::WordTwice);
    let by_name = |word: &LinuxWord| Claim { by: word.name.clone(), at: word.at };
    let items = words.iter().map(|word| (word.word.0, word));
    check_unique(findings, release, kind, items, |index| format!("word {index}"), by_name);
    let items = words.iter().filter_map(|word| word.location.map(|location| (location, word)));
    check_unique(findings, release, kind, items, CpuidWord::to_string, by_name);
    let items = words.iter().map(|word| (&word.name, word));
    let by_index = |word: &LinuxWord| Claim { by: format!("word {}", word.word.0), at: word.at };
    check_unique(findings, release, kind, items, |name| (*name).clone(), by_index);
}

/// Every word has a row. Vendors reserve words after the kernel's last row: of these, only one with features needs a row.
fn check_words_complete(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let words = &index.rows.numbers;
    let kernel_words = index.facts.count("NCAPINTS").unwrap_or(0);
    let last = words.keys().next_back().map_or(0, |number| number.0);
    let last_of_kernel = words.keys().map(|number| number.0).filter(|number| *number < kernel_words).max();
    let reserved = last_of_kernel.map_or(0, |last| last + 1)..kernel_words;
    let end = kernel_words.max(last.saturating_add(1));
    // Of the first ones, the place is that of the next.
    let mut neighbour = words.values().next().map_or(index.facts.at, |word| word.at);
    for number in 0..end {
        if let Some(word) = words.get(&Word(number)) {
            neighbour = word.at;
            check_kvm_word(index, word, findings);
            continue;
        }
        let features: Vec<&LinuxFlag> =
            index.facts.features.iter().filter(|feature| feature.word.0 == number).collect();
        if reserved.contains(&number) && features.is_empty() {
            continue;
        }
        let subject = format!("word {number}");
        findings.add(Key::new(Kind::WordMissing, &subject, "-", "-"), &[&index.release], || {
            let message = format!("{subject} of {end} has no row; it should follow this one");
            let mut found = Diagnostic::error(neighbour, message);
            if let Some((_, next)) = words.iter().find(|(next, _)| next.0 > number) {
                found = found.with_label(next.at, "and come before this one");
            }
            match features[..] {
                [] => found,
                [first, ..] => found.with_label(first.at, in_the_word(&features)),
            }
        });
    }
}

/// `A, B, C and 2 more are in the word`.
fn in_the_word(features: &[&LinuxFlag]) -> String {
    let names: Vec<String> = features.iter().map(|feature| format!("`{}`", feature.name)).collect();
    let verb = if features.len() == 1 { "is" } else { "are" };
    format!("{} {verb} in the word", few(&names, 3))
}

/// Checks that a word that only KVM has mirrors a register: KVM defines no bits in software.
fn check_kvm_word(index: &LinuxIndex<'_>, word: &LinuxWord, findings: &mut Findings<'_>) {
    if index.facts.is_kernel_word(word.word) || word.location.is_some() {
        return;
    }
    let place = format!("word {}", word.word.0);
    findings.add(Key::new(Kind::NoWord, &word.name, place, "software"), &[&index.release], || {
        let count = index.facts.counts.iter().find(|count| count.name == "NCAPINTS");
        let message =
            format!("`{}` is beyond NCAPINTS and therefore KVM's own, but it has no register", word.name);
        Diagnostic::error(word.at, message)
            .with_label(count.map_or(index.facts.at, |count| count.at), "NCAPINTS is here")
    });
}

fn check_flags_unique(index: &LinuxIndex<'_>, sort: &str, flags: &[LinuxFlag], findings: &mut Findings<'_>) {
    let release = &index.release;
    let place = |(word, bit): &(Word, Bit)| format!("{}[{}]", word.0, bit.0);
    let by_place = |flag: &LinuxFlag| Claim { by: place(&(flag.word, flag.bit)), at: flag.at };
    let by_name = |flag: &LinuxFlag| Claim { by: flag.name.clone(), at: flag.at };
    let items = flags.iter().map(|flag| (&flag.name, flag));
    check_unique(findings, release, Kind::NameTwice, items, |name| format!("{sort} {name}"), by_place);
    let items = flags.iter().map(|flag| ((flag.word, flag.bit), flag));
    let what = |at: &(Word, Bit)| format!("{sort} {}", place(at));
    check_unique(findings, release, Kind::BitTwice, items, what, by_name);
    let items = flags.iter().filter_map(|flag| flag.flag.as_ref().map(|text| (text, flag)));
    check_unique(findings, release, Kind::FlagTwice, items, |text| format!("{sort} {text}"), by_name);
}

fn check_flags_in_words(
    index: &LinuxIndex<'_>,
    sort: &str,
    count_name: &str,
    flags: &[LinuxFlag],
    findings: &mut Findings<'_>,
) {
    let Some(count) = index.facts.counts.iter().find(|count| count.name == count_name) else {
        return;
    };
    // A word without a row is a finding of its own, see `check_words_complete`.
    for flag in flags.iter().filter(|flag| flag.word.0 >= count.value) {
        let subject = format!("{sort} {}", flag.name);
        let place = format!("word {}", flag.word.0);
        findings.add(Key::new(Kind::NoWord, &subject, &place, "-"), &[&index.release], || {
            Diagnostic::error(flag.at, format!("`{}` is in {place}, which does not exist", flag.name))
                .with_label(count.at, format!("{count_name} is {}", count.value))
        });
    }
    if flags.iter().all(|flag| flag.word.0 + 1 < count.value) && !flags.is_empty() {
        let key = Key::new(Kind::Count, count_name, count.value.to_string(), "unused");
        findings.add(key, &[&index.release], || {
            let message = format!("{count_name} is {}, but the last word has no {sort}", count.value);
            Diagnostic::error(count.at, message)
        });
    }
}

fn check_kvm_bits(index: &LinuxIndex<'_>, sort: &str, bits: &[KvmBit], findings: &mut Findings<'_>) {
    let release = &index.release;
    let items = bits.iter().map(|bit| (&bit.name, bit));
    let by_place = |bit: &KvmBit| Claim { by: format!("{}[{}]", bit.leaf_name, bit.bit.0), at: bit.at };
    check_unique(findings, release, Kind::NameTwice, items, |name| format!("{sort} {name}"), by_place);
    for bit in bits {
        let word = index.rows.words.get(bit.leaf_name.as_str());
        let kvm_only = word.is_some_and(|word| !index.facts.is_kernel_word(word.word));
        if kvm_only {
            continue;
        }
        let (kind, what) = match word {
            Some(_) => (Kind::KvmWord, "a word of the kernel's own"),
            None => (Kind::NoWord, "no word"),
        };
        let key = Key::new(kind, format!("{sort} {}", bit.name), &bit.leaf_name, "-");
        findings.add(key, &[release], || {
            let message = format!("`{}` is in `{}`, which is {what}", bit.name, bit.leaf_name);
            let found = Diagnostic::error(bit.at, message)
                .with_help("KVM's own features must be in words of its own");
            match word {
                Some(word) => found.with_label(word.at, "the word"),
                None => found,
            }
        });
    }
}
