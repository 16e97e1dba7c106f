//! Facts out of a QEMU program: of an invented one, and of those on this machine, which must agree with their sources.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod fake;
mod fuzz_replay;
mod real;

#[path = "../common/mod.rs"]
mod common;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{Facts, QemuFacts, read};
use cpuid_gen::program::{ProgramError, ask, overlay};
use cpuid_gen::source::Sources;

use common::rng::{Rng, cases};

use fake::Fake;

/// Facts of a release with two words, one model and one machine type.
const BASE: &str = "\
qemu-release\t20.0.1
qemu-word\tFEAT_7_0_EBX\t0\tcpuid\t0x7\t0\tEBX
qemu-word\tFEAT_ZAP\t1\tmsr\t0x48b
qemu-bit\tFEAT_7_0_EBX\t3\tzip
qemu-bit\tFEAT_7_0_EBX\t4\tgone
qemu-bit\tFEAT_7_0_EBX\t9\tkvm-own
qemu-bit\tFEAT_ZAP\t2\tvmx-zap
qemu-mask\tFEAT_7_0_EBX\ttcg\t0x8
qemu-model\tTable\t0x7\t0x0\tGenuineIntel\t6\t15\t3\tAn invented CPU
qemu-model-word\tTable\tFEAT_7_0_EBX\t0x8
qemu-machine\tpc-q35-20.0\t1\t-
qemu-property\told-switch\tbool\told\t-\tfalse
qemu-property\tswitch\tbool\tswitch\t-\tfalse
";

fn facts(text: &str) -> QemuFacts {
    let mut sources = Sources::new();
    let id = sources.add("base.tsv", text);
    match read(&sources, id, &mut Diagnostics::new()) {
        Some(Facts::Qemu(facts)) => facts,
        _ => panic!("the base is not read"),
    }
}

#[test]
fn what_a_program_states_replaces_the_base() {
    let stated = ask(&Fake::default()).unwrap();
    assert_eq!(stated.release, "21.0.3");
    assert_eq!(
        stated.names.iter().map(String::as_str).collect::<Vec<_>>(),
        ["kvm-own", "new", "vmx-zap", "zip"]
    );
    let overlaid = overlay(&stated, &facts(BASE)).unwrap();
    let expected = "\
# from the program 21.0.3
qemu-release\t21.0.3
# from the facts of 20.0.1
qemu-word\tFEAT_7_0_EBX\t0\tcpuid\t0x7\t0\tEBX
qemu-word\tFEAT_ZAP\t1\tmsr\t0x48b
# from the program 21.0.3
qemu-bit\tFEAT_7_0_EBX\t3\tzip
qemu-bit\tFEAT_7_0_EBX\t5\tnew
# from the facts of 20.0.1
qemu-bit\tFEAT_7_0_EBX\t9\tkvm-own
# from the program 21.0.3
qemu-bit\tFEAT_ZAP\t2\tvmx-zap
# from the facts of 20.0.1
qemu-mask\tFEAT_7_0_EBX\ttcg\t0x8
# from the program 21.0.3
qemu-model\tTable\t0x7\t0x0\tGenuineIntel\t6\t15\t3\tAn invented CPU
qemu-model-word\tTable\tFEAT_7_0_EBX\t0x8
qemu-model-version\tTable\t1\t-\t-
qemu-model-version\tTable\t2\tTable-Second\t-
qemu-model-prop\tTable\t2\tnew\ton
qemu-model-prop\tTable\t2\tvmx-zap\ton
qemu-model-prop\tTable\t2\tstepping\t4
qemu-model\tTray\t0xd\t0x80000008\tAuthenticAMD\t25\t1\t0\tAnother
qemu-model-word\tTray\tFEAT_7_0_EBX\t0x20
qemu-machine\tpc-q35-21.0\t1\t-
qemu-machine\tpc-q35-20.0\t1\tpc-q35-21.0
qemu-machine\tmicrovm\tlatest\t-
qemu-compat\tpc-q35-20.0\tx86_64-cpu\tswitch\ton
qemu-property\tswitch\tbool\tswitch\t-\tfalse
qemu-property\tnew-switch\tbool\t-\t-\toff
";
    assert_eq!(overlaid.text, expected);
    assert_eq!(overlaid.rows, [19, 4]);
    // The comments do not keep it from being read.
    assert_eq!(facts(&overlaid.text).release, "21.0.3");
}

#[test]
fn a_word_of_which_the_program_has_no_name_is_removed() {
    let stated = ask(&Fake::default()).unwrap();
    let newer = "\
qemu-word\tFEAT_NEWER\t2\tcpuid\t0x7\t1\tECX
qemu-word\tFEAT_UNNAMED\t3\tcpuid\t0xd\t0\tEAX
qemu-bit\tFEAT_NEWER\t0\tnewer
qemu-bit\tFEAT_NEWER\t1\tnewest
qemu-mask\tFEAT_NEWER\ttcg\t0x1
qemu-mask\tFEAT_UNNAMED\ttcg\t0x1
qemu-comment\tFEAT_NEWER\t0x7\t1\tECX
qemu-model-word\tTable\tFEAT_NEWER\t0x3
qemu-dep\tFEAT_7_0_EBX\t0x8\tFEAT_NEWER\t0xffffffffffffffff
qemu-dep\tFEAT_7_0_EBX\t0x8\tFEAT_7_0_EBX\t0x10
qemu-dep\tFEAT_7_0_EBX\t0x200\tFEAT_7_0_EBX\t0x8
qemu-dep\tFEAT_7_0_EBX\t0x8\tFEAT_UNNAMED\t0x1
qemu-dep\tFEAT_NEWER\t0x1\tFEAT_7_0_EBX\t0x8
qemu-xsave\t19\tFEAT_NEWER\t1\t128\t-
";
    let base = facts(&format!("{BASE}{newer}"));
    assert_eq!((base.words.len(), base.deps.len(), base.xsave.len()), (4, 5, 1));
    let overlaid = overlay(&stated, &base).unwrap();
    assert!(!overlaid.text.contains("FEAT_NEWER"), "{}", overlaid.text);
    assert!(overlaid.text.contains("qemu-mask\tFEAT_UNNAMED\ttcg\t0x1\n"), "{}", overlaid.text);
    let kept = |to: &str| format!("qemu-dep\tFEAT_7_0_EBX\t{to}\n");
    // Bit 4 is only the base's; bit 9 is the program's too, and one word has no names.
    for (to, stays) in [
        ("0x8\tFEAT_7_0_EBX\t0x10", false),
        ("0x200\tFEAT_7_0_EBX\t0x8", true),
        ("0x8\tFEAT_UNNAMED\t0x1", true),
    ] {
        assert_eq!(overlaid.text.contains(&kept(to)), stays, "{to}: {}", overlaid.text);
    }
    let others = overlay(&stated, &facts(BASE)).unwrap().facts;
    assert_eq!((overlaid.facts.words.len(), overlaid.facts.bits.len()), (3, others.bits.len()));
}

#[test]
fn a_bit_of_an_unknown_word_is_an_error() {
    let stated = ask(&Fake::default()).unwrap();
    let base = BASE.replace("FEAT_ZAP\t1\tmsr\t0x48b", "FEAT_ZAP\t1\tmsr\t0x48c");
    let error = overlay(&stated, &facts(&base)).unwrap_err();
    assert_eq!(
        error,
        ProgramError::UnknownWord { property: "vmx-zap".to_owned(), place: "MSR 0x48b bit 2".to_owned() }
    );
    let without = BASE.replace("qemu-bit\tFEAT_7_0_EBX\t9\tkvm-own\n", "");
    let error = overlay(&stated, &facts(&without)).unwrap_err();
    assert!(matches!(error, ProgramError::UnknownWord { property, .. } if property == "kvm-own"));
}

#[test]
fn what_an_older_program_does_not_state_is_reported() {
    let old = Fake { states_compat: false, ..Fake::default() };
    let stated = ask(&old).unwrap();
    assert!(stated.not_asked.iter().any(|what| what.starts_with("compatibility properties")));
    let base = format!("{BASE}qemu-compat\tpc-q35-20.0\tx86_64-cpu\tswitch\toff\n");
    let overlaid = overlay(&stated, &facts(&base)).unwrap();
    assert!(
        overlaid
            .text
            .contains("# from the facts of 20.0.1\nqemu-compat\tpc-q35-20.0\tx86_64-cpu\tswitch\toff\n")
    );
}

#[test]
fn a_program_that_fails_a_question_is_an_error() {
    let broken = Fake { knows_definitions: false, ..Fake::default() };
    let error = ask(&broken).unwrap_err();
    assert_eq!(error.to_string(), "`query-cpu-definitions` failed: unknown command");
}
