//! Answers for operators: a guest of which nothing is known, what a VM manager enforces, and answers in its own words.

use crate::common;
use crate::instrument::{Ran, run};

const ROME: &str = "tests/show/processors/rome.entries";
const MILAN: &str = "tests/show/processors/milan.entries";
const ICE_LAKE: &str = "tests/show/processors/ice-lake-sp.entries";
const NEHALEM: &str = "tests/show/processors/nehalem-ep.entries";

fn moved(guest: &str, host: &str) -> Ran {
    run(&["diff", "-", "--migrate", "--host", host], guest)
}

fn domain(cpu: &str) -> String {
    format!("<domain type='kvm'>\n  <name>web</name>\n  {cpu}\n</domain>\n")
}

/// A VM of Proxmox VE's.
fn vm(cpu: &str) -> String {
    format!("boot: order=virtio0\ncores: 2\n{cpu}memory: 2048\nostype: l26\nsockets: 1\n")
}

#[test]
fn nothing_is_known_of_a_guest_that_has_what_its_host_has() {
    for guest in [
        domain("<cpu mode='host-passthrough' check='none'/>"),
        domain("<cpu mode='host-model'><feature policy='disable' name='vmx'/></cpu>"),
        domain("<cpu mode='maximum'/>"),
        "-cpu host,-svm\n".to_owned(),
        "-cpu max\n".to_owned(),
        "cpu_mode = host-passthrough\n".to_owned(),
        "kind: VirtualMachine\nspec:\n  cpu:\n    features:\n    - name: svm\n      policy: disable\n"
            .to_owned(),
        vm("cpu: host,flags=+aes\n"),
        vm("cpu: cputype=max\n"),
        "cpu-model: mine\n    flags +aes\n    reported-model host\n".to_owned(),
    ] {
        // The older one lacks the `aes` that is asked for.
        for host in if guest.contains("aes") { &[ROME][..] } else { &[ROME, NEHALEM] } {
            let ran = moved(&guest, host);
            assert_eq!(ran.code, Some(3), "{guest}: {}{}", ran.out, ran.err);
            assert!(ran.out.contains("it has what A's host has"), "{guest}: {}", ran.out);
        }
    }
    // What it is given besides can be missing; that does not make the rest known.
    let ran = moved(&vm("cpu: host,flags=+pcid\n"), ROME);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.out.contains("With -pcid it is not known"), "{}", ran.out);
    assert!(!ran.out.contains("MODEL") && !ran.out.contains(" can move."), "{}", ran.out);
}

#[test]
fn an_unknown_model_is_an_error_with_a_hint() {
    for guest in [
        domain("<cpu mode='custom'><model>EPYC-Rom</model></cpu>"),
        "<cpu mode='custom' match='exact'>\n<model>EPYC-Rom</model>\n</cpu>\n".to_owned(),
        vm("cpu: EPYC-Rom\n"),
        "-cpu EPYC-Rom,+aes\n".to_owned(),
        "cpu-model: mine\n    reported-model EPYC-Rom\n".to_owned(),
    ] {
        let ran = moved(&guest, ROME);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{guest}");
        assert!(ran.err.contains("no CPU model `EPYC-Rom`"), "{guest}: {}", ran.err);
        assert!(!common::pinned("an_unknown_model") || ran.err.contains("EPYC-Rome"), "{}", ran.err);
    }
    // Proxmox VE's own models are in another file.
    let ran = moved(&vm("cpu: custom-mine\n"), ROME);
    assert_eq!(ran.code, Some(3), "{}", ran.out);
    assert!(ran.out.contains("cpu-models.conf"), "{}", ran.out);
    // That is no model of QEMU's or libvirt's.
    assert_eq!(moved("-cpu custom-mine\n", ROME).code, Some(2));
}

#[test]
fn a_proxmox_model_has_what_its_reported_model_has() {
    if !common::pinned("a_proxmox_model_has_what_its_reported_model_has") {
        return;
    }
    let model = |flags: &str| format!("cpu-model: web\n    flags {flags}\n    reported-model EPYC-Milan\n");
    let ran = moved(&model("+aes"), ROME);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    for name in ["pcid (", "invpcid (", "pku (", "erms (", "fsrm ("] {
        assert!(ran.out.contains(name), "{name}: {}", ran.out);
    }
    assert_eq!(moved(&model("+aes"), MILAN).code, Some(0));
    let without = moved(&model("-pcid;-invpcid;-pku;-erms;-fsrm;-ibrs"), ROME);
    assert_eq!(without.code, Some(0), "{}", without.out);
    // A host of Intel's that has each of its features: the guest's vendor is that of its host, which is not stated.
    let other = moved(&model("+aes"), "tests/fleet/hosts/allintel.supported");
    assert_eq!(other.code, Some(3), "{}", other.out);
    assert!(other.out.contains("EPYC-Milan is of AuthenticAMD, and B of GenuineIntel"), "{}", other.out);
}

/// The flags of a remedy.
fn flags(text: &str) -> String {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("flags "));
    line.unwrap_or_default().to_owned()
}

#[test]
fn what_is_enforced_has_to_be_there_whatever_it_is_for() {
    if !common::pinned("what_is_enforced_has_to_be_there_whatever_it_is_for") {
        return;
    }
    let without = "-pcid,-invpcid,-pku,-ibrs";
    let off: String = ["pcid", "invpcid", "pku", "ibrs"]
        .map(|name| format!("<feature policy='disable' name='{name}'/>"))
        .concat();
    let cpu = |attributes: &str| domain(&format!("<cpu {attributes}><model>EPYC-Milan</model>{off}</cpu>"));
    for (guest, code) in [
        (format!("-cpu EPYC-Milan,{without}\n"), 0),
        (format!("-cpu EPYC-Milan,enforce,{without}\n"), 1),
        (format!("-cpu EPYC-Milan,enforce=on,{without}\n"), 1),
        (format!("-cpu EPYC-Milan,enforce=off,{without}\n"), 0),
        (format!("-cpu EPYC-Milan,enforce,{without},-erms,-fsrm\n"), 0),
        (vm("cpu: EPYC-Milan,flags=-pcid;-invpcid;-pku;-ibrs\n"), 1),
        (cpu("mode='custom' match='exact'"), 1),
        (cpu("mode='custom' match='exact' check='full'"), 1),
        (cpu("mode='custom' match='exact' check='none'"), 0),
        ("cpu_models = EPYC-Milan\ncpu_model_extra_flags = -pcid, -invpcid, -pku, -ibrs\n".to_owned(), 1),
    ] {
        let ran = moved(&guest, ROME);
        assert_eq!(ran.code, Some(code), "{guest}: {}{}", ran.out, ran.err);
        let says =
            if code == 1 { "erms (CPUID.(EAX=7,ECX=0):EBX[9]): the guest has it" } else { "can move to B" };
        assert!(ran.out.contains(says), "{guest}: {}", ran.out);
    }
    // A guest that is not enforced is told what it would need.
    let ran = moved(&format!("-cpu EPYC-Milan,{without}\n"), ROME);
    assert!(ran.out.contains("start no guest there without -erms,-fsrm"), "{}", ran.out);
}

#[test]
fn a_remedy_is_in_the_words_of_what_asks_for_the_guest() {
    if !common::pinned("a_remedy_is_in_the_words_of_what_asks_for_the_guest") {
        return;
    }
    let ran = moved("-cpu EPYC-Milan,+aes,check -smp 2\n", ROME);
    let line =
        "A guest started with -cpu EPYC-Milan,+aes,check,-pcid,-invpcid,-pku,-ibrs,-erms,-fsrm can move.";
    assert!(ran.out.contains(line), "{}", ran.out);
    let ran = moved(&vm("cpu: EPYC-Milan,flags=+pcid;+aes;-ssbd\n"), ROME);
    assert_eq!(flags(&ran.out), "+aes;-ssbd;-pcid;-erms;-invpcid;-pku;-fsrm;-ibrs", "{}", ran.out);
    // What is proposed is read, and moves.
    let file: String = ran
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| !line.starts_with("cpu: "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(file.contains("reported-model EPYC-Milan"), "{file}");
    assert_eq!(moved(&file, ROME).code, Some(0), "{file}");
    // A level is no model that Proxmox VE bases another one on.
    let ran = moved(&vm("cpu: x86-64-v3\n"), NEHALEM);
    assert!(ran.out.contains("reported-model qemu64") && ran.out.contains("-avx2"), "{}", ran.out);
    let ran = moved(&domain("<cpu mode='custom'><model>Haswell-noTSX</model></cpu>"), NEHALEM);
    for line in ["<feature policy='disable' name='pclmuldq'/>", "<feature policy='disable' name='avx2'/>"] {
        let there = ran.out.contains(line);
        assert_eq!(there, ran.out.contains(line.split('\'').nth(3).unwrap()), "{line}: {}", ran.out);
    }
    assert!(ran.out.contains("name='avx2'/>") && !ran.out.contains("-cpu"), "{}", ran.out);
}

/// KVM's guests have `svm` only on request, and without it none of its features.
#[test]
fn a_feature_without_what_it_needs_is_not_promised() {
    if !common::pinned("a_feature_without_what_it_needs_is_not_promised") {
        return;
    }
    let without = "-pcid,-invpcid,-pku,-erms,-fsrm,-ibrs";
    for (guest, code) in [
        (format!("-cpu EPYC-Milan,{without}\n"), 0),
        (format!("-cpu EPYC-Milan,-svm,{without}\n"), 0),
        (format!("-cpu EPYC-Milan,+svm,{without}\n"), 1),
    ] {
        let ran = moved(&guest, ROME);
        assert_eq!(ran.code, Some(code), "{guest}: {}{}", ran.out, ran.err);
        assert_eq!(
            ran.out.contains("svme_addr_chk") || ran.out.contains("svme-addr-chk"),
            guest.contains("+svm")
        );
    }
}

#[test]
fn without_a_cpu_the_default_model_applies() {
    let ran = moved(&vm(""), "tests/fleet/hosts/allintel");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("default, kvm64, applies"), "{}", ran.err);
    for cpu in ["", "<cpu><topology sockets='1' cores='2' threads='1'/></cpu>"] {
        let ran = moved(&domain(cpu), "tests/fleet/hosts/allamd");
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("QEMU's default, qemu64, applies"), "{}", ran.err);
    }
    // A snapshot's CPU is not the VM's.
    let with_snapshot = format!("{}\n[before]\ncpu: host\nmemory: 1024\n", vm("cpu: kvm64\n"));
    let ran = moved(&with_snapshot, "tests/fleet/hosts/allintel");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[test]
fn a_baseline_leaves_out_what_nobody_wants_added() {
    if !common::pinned("a_baseline_leaves_out_what_nobody_wants_added") {
        return;
    }
    let line = |host: &str| {
        let ran = run(&["baseline", host], "");
        let line = ran.out.lines().find(|line| line.starts_with("-cpu")).unwrap_or_default().to_owned();
        (line, ran.out)
    };
    let (amd, text) = line("tests/fleet/hosts/allamd.supported");
    assert!(!amd.contains("arch-capabilities") && !amd.contains("rdctl-no"), "{amd}");
    assert!(text.contains("KVM emulates it on AMD"), "{text}");
    let (intel, text) = line(ICE_LAKE);
    assert!(intel.contains("Icelake-Server") && !intel.contains("sgx"), "{intel}");
    assert!(text.contains("enclave memory"), "{text}");
}

#[test]
fn a_baseline_is_written_for_a_domain_and_for_proxmox() {
    if !common::pinned("a_baseline_is_written_for_a_domain_and_for_proxmox") {
        return;
    }
    for format in ["libvirt-domain", "proxmox"] {
        let ran = run(&["baseline", ROME, MILAN, "--format", format], "");
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        // Without the line of the VM, which names a model of the other file.
        let text: String = ran
            .out
            .lines()
            .filter(|line| !line.starts_with("cpu: "))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(text.contains("EPYC-Rome"), "{text}");
        for host in [ROME, MILAN] {
            let moved = moved(&text, host);
            assert_eq!(moved.code, Some(0), "{text}{}{}", moved.out, moved.err);
        }
    }
    let ran = run(&["baseline", ROME, "--format", "yaml"], "");
    assert!(ran.err.contains("libvirt-domain, proxmox"), "{}", ran.err);
}
