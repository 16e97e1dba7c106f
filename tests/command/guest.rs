//! `kvm-cpuid guest`: its formats, exit codes and standard error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common;

#[path = "../common/programs.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod programs;

/// A small host in files: `NAME.supported`, `NAME.host` and `NAME.caps`.
fn host(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("guest_cli");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name).to_str().unwrap().to_owned();
    let supported = "# what KVM supports\n\
        supported 00000001 00000000 0 00000000 00000000 fffefbff 1fffffff\n\
        supported 00000007 00000000 1 00000000 ffeffbff 00400000 00000000\n\
        supported 80000001 00000000 0 00000000 00000000 ffffffff ffffffff\n\
        supported 40000001 00000000 0 010000ff 00000000 00000000 00000000\n";
    let instruction = "00000000 00000000 0 0000000d 68747541 444d4163 69746e65\n";
    for (extension, text) in
        [("supported", supported), ("host", instruction), ("caps", "72 1\ntsc-khz 2000000\n")]
    {
        fs::write(format!("{path}.{extension}"), text).unwrap();
    }
    path
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kvm-cpuid")).arg("guest").args(arguments).output().unwrap()
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_warning_has_the_form_of_the_release() {
    if !common::pinned("a_warning_has_the_form_of_the_release") {
        return;
    }
    let host = host("warnings");
    let warnings = |qemu: &str| {
        let cpu = "Opteron_G1,-svm,+avx512-bf16,+smap,+serialize,kvm-poll-control=on,vmx-rdtsc-exit=on";
        texts(&run(&["--qemu", qemu, "--cpu", cpu, "--host", &host, "--format", "entries"])).1
    };
    let (old, new) = (warnings("10.0"), warnings("10.2"));
    for (text, parts) in [
        (
            &old,
            [
                "CPUID.07H:EBX.smap [bit 20]",
                "CPUID.07H:EAX.avx512-bf16 [bit 5]",
                "CPUID.07H:EDX.serialize [bit 14]",
                "CPUID.40000001H:EAX.kvm-poll-control [bit 12]: the host's KVM does not offer it",
            ],
        ),
        (
            &new,
            [
                "CPUID[eax=07h,ecx=00h].EBX.smap [bit 20]",
                "CPUID[eax=07h,ecx=01h].EAX.avx512-bf16 [bit 5]",
                "CPUID[eax=07h,ecx=00h].EDX.serialize [bit 14]",
                "CPUID[eax=40000001h].EAX.kvm-poll-control [bit 12]: the host's KVM does not offer it",
            ],
        ),
    ] {
        for part in parts {
            assert!(text.contains(&format!("requested feature: {part}")), "{part}: {text}");
        }
    }
    assert!(old.contains(": MSR(48EH).vmx-rdtsc-exit [bit 12]"), "{old}");
    assert!(new.contains(": MSR(48Eh).vmx-rdtsc-exit [bit 12]"), "{new}");
}

#[test]
fn entries_match_the_recorder_format() {
    if !common::recent("entries_match_the_recorder_format") {
        return;
    }
    let host = host("lines");
    let output = run(&[
        "--cpu",
        "Opteron_G1,+avx512f,-svm,x2apic=on",
        "--smp",
        "2,sockets=2",
        "--machine",
        "q35",
        "--host",
        &host,
        "--format",
        "entries",
    ]);
    let (out, errors) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "vcpu0 40000000 00000000 0 40000001 4b4d564b 564b4d56 0000004d");
    assert_eq!(lines[2], "vcpu0 00000000 00000000 0 00000007 68747541 444d4163 69746e65");
    assert!(
        lines.iter().any(|line| line.starts_with("vcpu1 00000001 00000000 0 00000f61 01000800 ")),
        "{out}"
    );
    let vcpus = ["vcpu0 ", "vcpu1 "].map(|vcpu| lines.iter().filter(|line| line.starts_with(vcpu)).count());
    assert_eq!(vcpus, [lines.len() / 2; 2]);
    assert!(lines.iter().all(|line| line.len() == "vcpu0 ".len() + 2 * 9 + 2 + 4 * 9 - 1), "{out}");
    assert_eq!(errors, "");
}

#[test]
fn missing_features_are_listed_on_standard_error() {
    if !common::recent("missing_features_are_listed_on_standard_error") {
        return;
    }
    let host = host("lacking");
    let arguments = ["--cpu", "Opteron_G1,+vaes", "--host", &host, "--format", "entries"];
    let (out, errors) = texts(&run(&arguments));
    assert!(out.starts_with("vcpu0 40000000 "));
    // Releases write the register in different ways.
    let errors = errors.replace("CPUID[eax=07h,ecx=00h].ECX", "CPUID.07H:ECX");
    assert_eq!(
        errors,
        "warning: host doesn't support requested feature: CPUID.07H:ECX.vaes [bit 9]: the host's CPU does not have it\n"
    );
    let silent = run(&["--cpu", "Opteron_G1,+vaes,check=off", "--host", &host, "--format", "entries"]);
    assert_eq!(texts(&silent), (out, String::new()));
    let enforced = run(&["--cpu", "Opteron_G1,+vaes,enforce", "--host", &host]);
    let (out, errors) = texts(&enforced);
    assert_eq!((enforced.status.code(), out.as_str()), (Some(2), ""));
    assert!(errors.contains("ECX.vaes [bit 9]") && errors.contains("error: the host lacks 1 "), "{errors}");
}

#[test]
fn every_format_is_written() {
    if !common::pinned("every_format_is_written") {
        return;
    }
    let host = host("forms");
    for form in ["text", "json", "entries", "cpuid-r", "kcpuid", "gdb", "strace", "libvirt", "propolis"] {
        let output = run(&["--cpu", "qemu64", "--host", &host, "--format", form]);
        let (out, errors) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{form}: {errors}");
        assert!(out.len() > 500, "{form}: {out}");
    }
    let output = run(&["--cpu", "qemu64", "--smp", "2", "--host", &host, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["cpus"][1]["number"], 1);
    assert_eq!(json["cpus"][0]["entries"][0]["function"], "0x40000000");
}

#[test]
fn older_release_builds_another_table() {
    if !common::pinned("older_release_builds_another_table") {
        return;
    }
    let host = host("releases");
    let table = |release: &str| {
        texts(&run(&["--cpu", "qemu64", "--host", &host, "--format", "entries", "--qemu", release])).0
    };
    // Leaf 2 had obsolete flags, and leaf 0xD an empty last entry.
    assert!(
        table("7.2").lines().any(|line| line.starts_with("vcpu0 0000000d 0000003f 1 ")),
        "{}",
        table("7.2")
    );
    assert!(!table("10.0").contains("0000003f 1 "));
    assert!(table("7.2").lines().any(|line| line.starts_with("vcpu0 00000002 00000000 6 ")));
    let unknown = run(&["--qemu", "unknown-1.x", "--host", &host]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn invalid_options_exit_with_2() {
    if !common::recent("invalid_options_exit_with_2") {
        return;
    }
    let host = host("wrong");
    for (arguments, expected) in [
        (vec!["--cpu", "Nonesuch"], "unknown CPU model `Nonesuch`"),
        (vec!["--cpu", "qemu64,nonesuch=1"], "`qemu64` has no property `nonesuch`"),
        (vec!["--smp", "3,cores=2"], "make 2 vCPUs, not maxcpus=3"),
        (vec!["--machine", "virt"], "unknown machine type `virt`"),
        (vec!["--host", "/nonesuch/host"], "DIR/NAME"),
    ] {
        let host = ["--host", host.as_str()];
        let given = arguments.contains(&"--host");
        let all: Vec<&str> = arguments.iter().copied().chain(host.into_iter().filter(|_| !given)).collect();
        let output = run(&all);
        let (out, errors) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{all:?}");
        assert!(errors.contains(expected), "{all:?}: {errors}");
    }
    fs::write(format!("{host}.caps"), "72 one\n").unwrap();
    let (_, errors) = texts(&run(&["--host", &host]));
    assert!(errors.contains("line 1 of the .caps file is `72 one`"), "{errors}");
}

#[test]
fn a_release_may_be_a_tag_or_a_package() {
    if !common::pinned("a_release_may_be_a_tag_or_a_package") {
        return;
    }
    let host = host("tags");
    let table = |release: &str| run(&["--qemu", release, "--host", &host]);
    let (of_release, _) = texts(&table("10.0.13"));
    for same in ["v10.0.13", "qemu-10.0.13", "10.0", "1:10.0.13+ds-0+deb13u1", "v10.0.13-3-gabcdef0"] {
        assert_eq!(texts(&table(same)).0, of_release, "{same}");
    }
    for (release, note) in [
        ("v11.0.0-rc2", "no tables of QEMU 10.2.92 (v11.0.0-rc2): those of 11.0.3"),
        ("v10.0.0-1234-gabcdef0", "no tables of QEMU 10.0.50 (v10.0.0-1234-gabcdef0): those of 10.2.2"),
        ("qemu-kvm-9.1.0-15.el9", "no tables of QEMU 9.1.0 (qemu-kvm-9.1.0-15.el9): those of 10.0.13"),
    ] {
        let output = table(release);
        let (_, errors) = texts(&output);
        assert!(output.status.success() && errors.contains(note), "{release}: {errors}");
    }
    for (wrong, why) in [
        ("pc-q35-9.2", "a machine type: `kvm-cpuid guest --machine pc-q35-9.2` takes it"),
        ("", "expected one of 7.2.22"),
        ("latest", "the tables have 7.2.22"),
    ] {
        let output = table(wrong);
        let (_, errors) = texts(&output);
        assert!(output.status.code() == Some(2) && errors.contains(why), "{wrong}: {errors}");
    }
}

#[test]
fn a_program_that_cannot_be_asked_is_an_error() {
    let host = host("programs");
    for (path, why) in [
        ("/no/such/qemu", "/no/such/qemu: cannot run the program: "),
        ("no-such-qemu", "no-such-qemu: cannot run the program: "),
        ("/bin/true", "/bin/true: the program ended early: no output"),
        ("/bin/echo", "/bin/echo: expected a QMP answer, got `-machine none "),
    ] {
        let output = run(&["--qemu", path, "--host", &host]);
        let (text, errors) = texts(&output);
        assert_eq!((output.status.code(), text.as_str()), (Some(2), ""), "{path}");
        assert!(errors.contains(&format!("error: {why}")), "{path}: {errors}");
        assert!(errors.contains("help: --qemu takes a release, such as 10.0, or a QEMU program"), "{errors}");
    }
}

#[test]
fn a_program_is_named_in_the_output() {
    const TEST: &str = "a_program_is_named_in_the_output";
    let system = "/usr/bin/qemu-system-x86_64";
    if !common::pinned(TEST) {
        return;
    }
    if !Path::new(system).exists() {
        return common::skipped(TEST, system);
    }
    let host = host("asked");
    // A stable release and a package of a distribution's, whose series no tables have.
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("guest_cli/proxmox");
    let sed = "-e 's/\"minor\": [0-9]*, \"major\": [0-9]*}/\"minor\": 0, \"major\": 9}/' -e 's/\"micro\": [0-9]*/\"micro\": 2/' \
               -e 's/\"package\": \"[^\"]*\"/\"package\": \"pve-qemu-kvm_9.0.2-4\"/'";
    programs::write_script(&path, &format!("{system} \"$@\" | sed -u {sed}\n"));
    let path = path.to_str().unwrap();
    let machine = "pc-i440fx-6.2+pve0";
    let output = run(&["--qemu", path, "--host", &host, "--machine", machine, "--format", "json"]);
    let (text, errors) = texts(&output);
    assert!(output.status.success(), "{errors}");
    assert!(
        errors.contains("note: QEMU 9.0.2 (pve-qemu-kvm_9.0.2-4): its models, machine types"),
        "{errors}"
    );
    assert!(errors.contains(" caches and KVM's defaults are QEMU 10.0."), "{errors}");
    assert!(errors.contains("behave as QEMU 9.0's, which is an estimate\n"), "{errors}");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let qemu = &value["qemu"];
    assert_eq!(
        (&qemu["version"], &qemu["behaves_as"], &qemu["estimate"]),
        (&"9.0.2".into(), &"9.0".into(), &true.into())
    );
    assert_eq!(qemu["package"], "pve-qemu-kvm_9.0.2-4");
    let wrong = run(&["--qemu", path, "--host", &host, "--machine", "q36"]);
    assert!(
        texts(&wrong).1.contains("error: unknown machine type `q36`\nhelp: did you mean q35"),
        "{}",
        texts(&wrong).1
    );
    let listed = texts(&run(&["--qemu", path, "--machine", "help"])).0;
    assert!(listed.contains("  q35 ") && listed.contains("(alias of pc-q35-"), "{listed}");
}

#[test]
fn a_version_of_a_distribution_is_its_series_or_the_nearest() {
    if !common::pinned("a_version_of_a_distribution_is_its_series_or_the_nearest") {
        return;
    }
    let host = host("versions");
    for (version, note, like) in [
        ("10.0.2 (Debian 1:10.0.2+ds-2)", None, "10.0"),
        ("9.2.0 (Debian 1:9.2.0+ds-5)", Some("10.0.13"), "10.0"),
        ("pve-qemu-kvm_9.0.2-4", Some("10.0.13"), "10.0"),
        ("QEMU emulator version 6.2.0", Some("7.2.22"), "7.2"),
        ("10.1.3", Some("10.2.2"), "10.2"),
        ("11.0.50 (v11.0.0-1234-gabc)", Some("11.1.3"), "11.1"),
        ("12.0.0", Some("11.1.3"), "11.1"),
    ] {
        let of = |qemu: &str| texts(&run(&["--qemu", qemu, "--host", &host, "--format", "entries"]));
        let (table, errors) = of(version);
        assert_eq!(table, of(like).0, "{version}");
        match note {
            Some(release) => {
                assert!(
                    errors.contains(&format!("those of {release}, the next in the tables, are used")),
                    "{errors}"
                );
            }
            None => assert!(!errors.contains("note: no tables"), "{errors}"),
        }
    }
    let distribution = texts(&run(&["--host", &host, "--machine", "pc-q35-noble"])).1;
    assert!(distribution.contains("is based on version 8.2 of its kind"), "{distribution}");
}
