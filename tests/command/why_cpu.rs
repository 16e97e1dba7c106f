//! `kvm-cpuid why --cpu`: a model with properties, of a release of QEMU.

use crate::common;
use crate::instrument::run;

const INTEL: &str = "tests/fleet/hosts/allintel";

#[test]
fn properties_decide_before_the_model() {
    if !common::pinned("properties_decide_before_the_model") {
        return;
    }
    for (name, cpu, code, verdict) in [
        ("svm", "EPYC,-svm", 1, "Only -cpu withholds svm: -cpu EPYC,-svm switches it off."),
        ("svm", "EPYC,+svm,svm=off", 0, "Nothing withholds svm"),
        ("svm", "EPYC,-svm,+svm", 1, "switches it off"),
        ("avx512f", "Haswell,+avx512f", 0, "Nothing withholds avx512f"),
        ("avx512f", "Haswell,avx512f=yes", 0, "Nothing withholds avx512f"),
        ("pdcm", "Haswell,pmu=on,+pdcm", 0, "Nothing withholds pdcm"),
        ("pdcm", "Haswell,+pdcm", 1, "QEMU leaves pdcm out of this guest: it needs pmu=on."),
        // What a property takes away takes others with it.
        ("npt", "EPYC,-svm", 1, "QEMU leaves npt out of this guest: a feature on which it depends"),
        ("invtsc", "host,migratable=off", 0, "Nothing withholds constant_tsc"),
        ("vmx-ept", "Haswell,+vmx,-vmx-ept", 1, "switches it off"),
        ("avx512f", "x86-64-v3", 1, "does not have it"),
        ("avx512f", "x86-64-v3,+avx512f", 0, "Nothing withholds avx512f"),
    ] {
        let ran = run(&["why", name, "--host", INTEL, "--cpu", cpu], "");
        assert_eq!(ran.code, Some(code), "{name} {cpu}: {}{}", ran.out, ran.err);
        assert!(ran.out.lines().last().unwrap().contains(verdict), "{name} {cpu}: {}", ran.out);
    }
    for (cpu, says) in [
        ("Haswell,+avx22", "did you mean avx2"),
        ("Haswell,nosuch=on", "has no property `nosuch`"),
        ("Haswel,+avx2", "did you mean Haswell"),
    ] {
        let ran = run(&["why", "avx2", "--host", INTEL, "--cpu", cpu], "");
        assert!(ran.code == Some(2) && ran.err.contains(says), "{cpu}: {}", ran.err);
    }
    // A dump has no QEMU: the properties are known all the same.
    let dump = run(&["why", "avx2", "tests/show/spr.entries", "--cpu", "Haswell,-avx2"], "");
    assert!(dump.code == Some(1) && dump.out.contains("-cpu Haswell,-avx2 switches it off"), "{}", dump.out);
}

#[test]
fn an_older_release_lacks_names_and_models() {
    if !common::pinned("an_older_release_lacks_names_and_models") {
        return;
    }
    let why = |name: &str, more: &[&str]| run(&[&["why", name, "--host", INTEL][..], more].concat(), "");
    assert_eq!(why("sha512", &[]).code, Some(0));
    let old = why("sha512", &["--qemu", "7.2"]);
    assert_eq!(old.code, Some(1), "{}", old.out);
    assert!(old.out.contains("7.2.22 has no name for it"), "{}", old.out);
    let model = why("avx2", &["--qemu", "7.2", "--cpu", "GraniteRapids"]);
    assert!(model.code == Some(2) && model.err.contains("QEMU 7.2.22 has no CPU model"), "{}", model.err);
    assert_eq!(why("avx2", &["--qemu", "11.1", "--cpu", "GraniteRapids"]).code, Some(0));
}

/// The wrong argument is reported, whether this machine has a KVM or not.
#[test]
fn a_file_in_place_of_a_model_is_reported_first() {
    for (name, says) in [
        ("tests/show/haswell.entries", "a host's file goes after --host"),
        ("Haswel", "did you mean Haswell"),
    ] {
        let ran = run(&["models", name], "");
        assert!(ran.code == Some(2) && ran.err.contains(says), "{name}: {}", ran.err);
    }
}
