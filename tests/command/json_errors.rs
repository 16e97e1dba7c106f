//! With `--format json`, standard output is one JSON document whatever happens: the answer, or what failed.

use std::fs::File;

use serde_json::Value;

use crate::common;
use crate::instrument::{Ran, run};

/// The only document of an output.
fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

/// What fails, with words of the message.
const FAILING: &[(&[&str], &str)] = &[
    (&["has", "zzz", "--host", "tests/show/milan.entries"], "unknown feature `zzz`"),
    (&["has", "avx2", "no-such-file"], "no-such-file: "),
    (&["why", "zzz", "tests/show/milan.entries"], "unknown feature `zzz`"),
    (&["why", "avx2", "no-such-file"], "no-such-file: "),
    (&["show", "no-such-file"], "no-such-file: "),
    (&["check", "Cargo.toml"], "it looks like a Cargo.toml"),
    (&["convert", "no-such-file"], "no-such-file: "),
    (&["diff", "no-such-file", "tests/show/milan.entries"], "no-such-file: "),
    (&["diff", "--migrate", "no-such-file", "tests/show/milan.entries"], "no-such-file: "),
    (&["baseline", "no-such-file"], "no-such-file: "),
    (&["models", "--host", "no-such-host"], "no-such-host"),
    (&["guest", "--cpu", "NoSuch", "--host", "tests/show/milan.entries"], "unknown CPU model `NoSuch`"),
    (&["probe", "no-such-file"], "no-such-file: "),
];

#[test]
fn an_error_is_a_document_with_its_message() {
    for (arguments, message) in FAILING {
        // The device comes before the file.
        if arguments[0] == "probe" && File::options().read(true).write(true).open("/dev/kvm").is_err() {
            common::refused("an_error_is_a_document_with_its_message: probe", common::NO_KVM);
            continue;
        }
        let ran = run(&[arguments, &["--format", "json"][..]].concat(), "");
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}{}", ran.out, ran.err);
        let value = document(&ran);
        let found = value["error"]["message"].as_str().unwrap_or_default();
        assert!(found.contains(message), "{arguments:?}: {found}");
        assert!(value["version"] == 1 && value["error"].get("help").is_some(), "{value}");
        // The same is said on standard error, and in text it is there alone.
        assert!(ran.err.contains(found), "{arguments:?}: {}", ran.err);
        let format: &[&str] = if arguments[0] == "convert" { &["--format", "entries"] } else { &[] };
        let ran = run(&[arguments, format].concat(), "");
        assert!(ran.out.is_empty() && ran.err.contains(found), "{arguments:?}: {}", ran.out);
    }
}

#[test]
fn a_document_that_was_begun_is_closed() {
    let ran = run(&["show", "tests/show/milan.entries", "no-such-file", "--format", "json"], "");
    let value = document(&ran);
    assert_eq!(value["cpus"].as_array().map(Vec::len), Some(1), "{value}");
    assert!(value["error"]["message"].as_str().unwrap().contains("no-such-file"), "{value}");
    let ran = run(&["convert", "tests/show/milan.entries", "no-such-file", "--format", "json"], "");
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.last().unwrap()["error"].is_object(), "{lines:?}");
}

#[test]
fn an_answer_whose_bits_differ_has_its_error() {
    if !common::pinned("an_answer_whose_bits_differ_has_its_error") {
        return;
    }
    let table = "40000000 0 0 40000001 4b4d564b 564b4d56 4d\n40000001 0 0 1 0 0 0\n0 0 0 1 0 0 0\n";
    let ran = run(&["has", "kvmclock", "-", "--format", "json"], table);
    let value = document(&ran);
    assert_eq!((ran.code, &value["has"]), (Some(2), &Value::Null), "{value}");
    assert!(value["error"]["message"].as_str().unwrap().contains("ambiguous"), "{value}");
    assert_eq!(value["meanings"].as_array().map(Vec::len), Some(2), "{value}");
}

#[test]
fn a_name_that_find_does_not_know_is_an_answer() {
    let ran = run(&["find", "zzz", "--format", "json"], "");
    let value = document(&ran);
    assert_eq!((ran.code, &value["not_found"][0]), (Some(1), &Value::from("zzz")), "{value}");
    assert!(value.get("error").is_none(), "{value}");
}
