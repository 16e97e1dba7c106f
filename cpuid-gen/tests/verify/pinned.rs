//! The pinned facts are fully explained.

use cpuid_gen::verify::{Differences, Scope, verify as check};

use crate::input::{Input, LINUX, QEMU, text_of, witnesses};

fn pinned() -> Input {
    let names: Vec<&str> = LINUX.into_iter().chain(QEMU).chain(witnesses()).collect();
    let texts: Vec<String> = names.iter().map(|name| text_of(name)).collect();
    let files: Vec<(&str, &str)> = names.iter().copied().zip(texts.iter().map(String::as_str)).collect();
    Input::try_read(&files, &text_of("differences.tsv")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn pinned_facts_are_explained() {
    let input = pinned();
    let report = check(&input.linux, &input.qemu, &input.differences, Scope::Pinned);
    let text = report.render(&input.sources);
    assert!(report.is_explained(), "{text}");
    assert_eq!(report.pairs.len(), 15);
    // Every row is used, or it would be stale; those limited to other releases and those about comments are not.
    let limited = input.differences.entries.iter().filter(|entry| entry.is_limited()).count();
    assert!(report.explained.len() <= input.differences.explaining());
    assert!(report.explained.len() + limited >= input.differences.explaining());
    println!("{text}");
}

#[test]
fn each_pair_alone_is_explained() {
    let input = pinned();
    for linux in &input.linux {
        for qemu in &input.qemu {
            let report = check(
                std::slice::from_ref(linux),
                std::slice::from_ref(qemu),
                &input.differences,
                Scope::Given,
            );
            assert!(report.is_explained(), "{}", report.render(&input.sources));
        }
    }
}

#[test]
fn order_of_releases_does_not_matter() {
    let mut input = pinned();
    let report = check(&input.linux, &input.qemu, &Differences::none(), Scope::Given);
    let before = report.render(&input.sources);
    input.linux.reverse();
    input.qemu.reverse();
    let report = check(&input.linux, &input.qemu, &Differences::none(), Scope::Given);
    assert_eq!(before, report.render(&input.sources));
}
