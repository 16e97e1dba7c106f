//! Inputs that state only some bits: yes, no, or not known, and what to run for more.

use crate::common;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the command in tests/dumps, with a text on standard input: the exit code, standard output and standard error.
fn run(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"));
    command.args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn has_answers_yes_no_or_not_known() {
    for (feature, file, code) in [
        ("avx2", "lscpu.txt", 0),
        // A complete list of flags states what it lacks, but for bits that have no flag.
        ("svm", "lscpu.txt", 1),
        ("svme-addr-chk", "lscpu.txt", 3),
        ("nonstop_tsc", "lscpu.txt", 0),
        ("mpx", "libvirt-domain.xml", 1),
        ("avx2", "libvirt-domain.xml", 3),
        ("rdctl-no", "libvirt-domain.xml", 0),
        ("rdctl-no", "qemu-warnings.txt", 1),
        ("vmx-ept", "qemu-warnings.txt", 3),
        // A full expansion names every feature of this QEMU's.
        ("vmx-rdseed-exit", "qemu-model.json", 1),
        // All names of a list.
        ("avx2,fma", "lscpu.txt", 0),
        ("avx2,svm", "lscpu.txt", 1),
        ("vme,mpx", "libvirt-domain.xml", 1),
        ("avx2", "freebsd-dmesg.txt", 0),
        ("vmx", "freebsd-dmesg.txt", 1),
        ("spec-ctrl", "freebsd-dmesg.txt", 3),
        ("avx512f", "nova-hypervisor.txt", 0),
        // A leaf above the maximum.
        ("xsavec", "libcpuid.raw", 1),
        // No such table has it.
        ("vmx-rdseed-exit", "cpuid-r.txt", 3),
    ] {
        let cpu: &[&str] = if file == "qemu-model.json" { &["--number", "0"] } else { &[] };
        let (is, _, said) = run(&[&["has", feature, file], cpu].concat(), "");
        assert_eq!(is, Some(code), "{feature} {file}: {said}");
        assert!(code != 3 || said.contains("`kvm-cpuid show --raw` or `cpuid -r`"), "{said}");
    }
    // What nobody asked for, and what the form has no place for.
    let trace = "a-1 [0] 1.0: kvm_cpuid: func 1 idx 0 rax 0 rbx 0 rcx 4000000 rdx 1, cpuid entry found\n";
    assert_eq!(
        (run(&["has", "xsave", "-"], trace).0, run(&["has", "avx2", "-"], trace).0),
        (Some(0), Some(3))
    );
    let raw = "basic_cpuid[0]=0000000d 756e6547 6c65746e 49656e69\nbasic_cpuid[7]=00000001 00000020 00000000 00000000\n\
               basic_cpuid[13]=00000007 00000340 00000340 00000000\n";
    for (feature, code) in [("avx2", 0), ("avx_vnni", 3), ("xsavec", 3), ("bhi-ctrl", 1), ("svm", 3)] {
        assert_eq!(run(&["has", feature, "-"], raw).0, Some(code), "{feature}");
    }
    // One CPU that has it not decides, whatever is known of the others.
    assert_eq!(run(&["has", "avx512f", "libvirt-domcaps.xml"], "").0, Some(1));
}

#[test]
fn constant_tsc_alone_is_no_invariant_tsc() {
    assert_eq!(run(&["has", "invtsc", "-"], "flags\t\t: fpu constant_tsc\n").0, Some(3));
    assert_eq!(run(&["has", "invtsc", "-"], "flags\t\t: fpu constant_tsc nonstop_tsc\n").0, Some(0));
    let (_, shown, _) = run(&["show", "-"], "flags\t\t: fpu constant_tsc\n");
    assert!(
        !shown.contains("0x80000007") && shown.to_lowercase().contains("outside cpuid, set: constant_tsc"),
        "{shown}"
    );
}

#[test]
fn neither_nothing_nor_a_sign_is_a_name() {
    for (command, name, message) in [
        ("has", ",", "`,` names no feature"),
        ("has", " , ", "` , ` names no feature"),
        ("has", "", "`` names no feature"),
        ("why", ",", "`,` names no feature"),
        ("has", "-avx2", "`-avx2`: a name has no sign"),
        ("has", "+avx2", "`+avx2`: a name has no sign"),
        ("has", "fma,-avx2", "`-avx2`: a name has no sign"),
        ("has", "-x86-64-v3", "`-x86-64-v3`: a name has no sign"),
        ("why", "-avx2", "`-avx2`: a name has no sign"),
    ] {
        let (code, _, said) = run(&[command, "--", name, "lscpu.txt"], "");
        assert_eq!(code, Some(2), "{command} {name}: {said}");
        assert!(said.contains(message), "{command} {name}: {said}");
    }
    // Without a file, too.
    let (code, _, said) = run(&["has", ","], "");
    assert!(code == Some(2) && !said.is_empty(), "{said}");
}

#[test]
fn linuxs_own_flag_answers_by_its_name() {
    if !common::recent("linuxs_own_flag_answers_by_its_name") {
        return;
    }
    let flags = "flags\t\t: fpu ibrs ibpb stibp ssbd constant_tsc\n";
    for (name, place) in [
        ("ibrs", "(EAX=0x80000008,ECX=0):EBX[14]"),
        ("ibpb", "(EAX=0x80000008,ECX=0):EBX[12]"),
        ("stibp", "(EAX=7,ECX=0):EDX[27]"),
        ("ssbd", "(EAX=7,ECX=0):EDX[31]"),
        ("constant_tsc", "(EAX=0x80000007,ECX=0):EDX[8]"),
        ("fpu,ssbd", "(EAX=7,ECX=0):EDX[31]"),
    ] {
        let (code, _, said) = run(&["has", name, "-"], flags);
        assert_eq!(code, Some(0), "{name}: {said}");
        assert!(said.contains("Linux's own flag") && said.contains(place), "{name}: {said}");
        // Of a flag that is not listed nothing is known.
        assert_eq!(run(&["has", name, "-"], "flags\t\t: fpu\n").0, Some(3), "{name}");
        let (code, out, _) = run(&["why", name, "-"], flags);
        assert!(code == Some(0) && out.contains("states that Linux's own flag"), "{name}: {out}");
    }
    // The bits by names that are not the flag's.
    for name in ["AMD_IBRS", "0x80000008.0.ebx[14]", "7.0.edx[31]", "invtsc"] {
        for command in ["has", "why"] {
            let (code, _, said) = run(&[command, name, "-"], flags);
            assert_eq!(code, Some(3), "{command} {name}: {said}");
        }
    }
    // A table states the bit.
    let (code, _, said) = run(&["has", "ibrs", "../show/milan.entries"], "");
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn a_minus_wins_wherever_it_is() {
    for line in ["-cpu Haswell,-avx2,avx2=on\n", "-cpu Haswell,-avx2,+avx2\n"] {
        assert_eq!(run(&["has", "avx2", "-"], line).0, Some(1), "{line}");
        let (_, shown, _) = run(&["show", "-"], line);
        assert!(!shown.contains("avx2"), "{line}: {shown}");
        // The destination does not need it.
        let without = run(&["diff", "--migrate", "-", "../show/haswell.entries"], "-cpu Haswell,-avx2\n");
        let (code, out, said) = run(&["diff", "--migrate", "-", "../show/haswell.entries"], line);
        // What it is to be started with is the line itself.
        let out = out.replace(&line[..line.len() - 1], "-cpu Haswell,-avx2");
        assert_eq!((code, out, said), without, "{line}");
    }
}

#[test]
fn a_list_of_names_is_answered_by_name() {
    let (code, _, said) = run(&["has", "vmx,mpx,avx2", "libvirt-domain.xml"], "");
    assert_eq!(code, Some(1));
    assert!(said.contains("lacks mpx") && said.contains("does not state avx2"), "{said}");
    let (code, _, said) = run(&["has", "avx2,no-such", "lscpu.txt"], "");
    assert_eq!(code, Some(2));
    assert!(said.contains("unknown feature `no-such`"), "{said}");
    assert_eq!(run(&["why", "avx2,fma", "lscpu.txt"], "").0, Some(0));
    // Nothing is said of a number of which only a part is known.
    let (_, shown, _) = run(&["show", "-"], "-cpu Haswell,stepping=3,phys-bits=40");
    assert!(
        shown.contains("stepping=3") && !shown.contains("family") && !shown.contains("base_model"),
        "{shown}"
    );
    assert!(shown.contains("phys_addr_bits=40") && !shown.contains("virt_addr_bits"), "{shown}");
}

#[test]
fn a_level_is_a_list() {
    if !common::recent("a_level_is_a_list") {
        return;
    }
    let flags = "flags: fpu fma avx avx2 bmi1";
    let (code, shown, said) = run(&["why", "x86-64-v3", "-"], flags);
    assert_eq!(code, Some(3));
    assert!(said.contains("does not state bmi2") && !shown.contains("avx2"), "{shown}{said}");
    let (code, shown, _) = run(&["why", "x86_64_v3", "../show/haswell.entries"], "");
    assert_eq!((code, shown.trim()), (Some(3), "No queried layer withholds a feature of x86-64-v3."));
    let (code, shown, _) = run(&["why", "x86-64-v3", "--host", "../fleet/hosts/allintel"], "");
    assert_eq!((code, shown.trim()), (Some(0), "A guest can have all features of x86-64-v3."));
    let (code, shown, _) = run(&["why", "x86-64-v4", "../show/haswell.entries"], "");
    assert_eq!(code, Some(1));
    assert!(shown.contains("avx512f: ") && !shown.contains("avx2: "), "{shown}");
    let (code, _, said) = run(&["has", "aes,x86-64-v4", "../show/haswell.entries"], "");
    assert_eq!(code, Some(1));
    assert!(said.contains("lacks avx512f, avx512bw"), "{said}");
}

/// What a model has counts, and what a host has that nobody states.
#[test]
fn a_move_by_lists_knows_the_models() {
    if !common::recent("a_move_by_lists_knows_the_models") {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models");
    std::fs::create_dir_all(&folder).unwrap();
    let host = |model: &str| {
        let path = folder.join(model);
        let text = format!(
            "<capabilities>\n<host>\n<cpu>\n<arch>x86_64</arch>\n<model>{model}</model>\n<vendor>Intel</vendor>\n\
             <feature name='vmx'/>\n</cpu>\n</host>\n</capabilities>\n"
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (newer, older) = (host("SandyBridge"), host("Nehalem"));
    let moved = |from: &str, to: &str| run(&["diff", "--migrate", from, to], "");
    assert_eq!(moved(&newer, &newer).0, Some(0));
    assert_eq!(moved(&older, &newer).0, Some(0));
    let (code, shown, _) = moved(&newer, &older);
    assert_eq!(code, Some(3));
    assert!(shown.contains("does not state: aes arat avx ") && !shown.contains("sse4_2"), "{shown}");
    let (code, shown, _) = run(&["diff", &newer, &older], "");
    assert_eq!(code, Some(1));
    assert!(shown.contains("avx"), "{shown}");
    // As `virsh cpu-baseline` takes them.
    let (code, shown, _) = run(&["baseline", &newer, &older], "");
    assert_eq!(code, Some(0));
    assert!(shown.contains("model:   Nehalem-v1: ") && shown.contains("level:   x86-64-v2: "), "{shown}");
    // A whole table states what it lacks.
    let (code, shown, _) =
        run(&["diff", "--migrate", "-", "../show/haswell.entries"], "-cpu Skylake-Server,-mpx");
    assert_eq!(code, Some(1));
    assert!(shown.contains("avx512f (") && !shown.contains("mpx ("), "{shown}");
    let (code, shown, _) = run(&["diff", "--migrate", "-", "../show/haswell.entries"], "-cpu host,-vmx");
    assert_eq!(code, Some(3));
    assert!(shown.contains("with `host` it has what A's host has"), "{shown}");
}

/// The model of a fleet is of the hosts' vendor.
#[test]
fn a_baseline_of_lists_knows_the_vendor() {
    let amd = "Vendor ID:  AuthenticAMD\nFlags:  fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx \
               fxsr sse sse2 syscall nx lm pni cx16 lahf_lm svm\n";
    let (_, shown, _) = run(&["baseline", "-"], amd);
    assert!(shown.contains("model:   Opteron_G2-v1"), "{shown}");
    let both = format!("{amd}Architecture: x86_64\n{}", amd.replace("AuthenticAMD", "GenuineIntel"));
    let (_, shown, _) = run(&["baseline", "-", "libvirt-domain.xml"], &both);
    assert!(shown.contains("model:   "), "{shown}");
    let (_, shown, _) = run(&["baseline", "freebsd-dmesg.txt", "lscpu.txt"], "");
    assert!(shown.starts_with("2 hosts, 2 of which state only some features"), "{shown}");
    assert!(shown.contains("a guest cannot move between AuthenticAMD and GenuineIntel"), "{shown}");
}

#[test]
fn what_is_no_table_gets_advice() {
    for (name, text, advice) in [
        ("a message", "kvm [12]: disabled by bios\n", "`kvm-cpuid find` explains"),
        ("other JSON", "{\n  \"ansible_facts\": {}\n}\n", "kvm-cpuid record"),
        ("a log", "[    0.1] something else\n", "`kvm-cpuid find` explains single lines"),
        ("a PDF", "%PDF-1.4\n", "the CPU's table; `--from ?` lists the forms that are read"),
        (
            "a prompt",
            "u@h:~$ cpuid -1 -r\nCPU:\n   0x00000000 0x00: eax=0x1 ebx=0x2 ecx=0x3 edx=0x4\n",
            "a shell's prompt",
        ),
        (
            "colours",
            "\u{1b}[1mCPU:\u{1b}[0m\n   0x00000000 0x00: eax=0x1 ebx=0x2 ecx=0x3 edx=0x4\n",
            "a terminal's colours",
        ),
    ] {
        let (code, _, said) = run(&["show", "-"], text);
        assert_eq!(code, Some(2), "{name}");
        assert!(said.contains(advice), "{name}: {said}");
    }
    // A guest cannot be made from some bits.
    for command in ["check", "probe"] {
        let (code, shown, said) = run(&[command, "lscpu.txt"], "");
        assert!(code == Some(2) && shown.is_empty(), "{command}: {shown}");
        assert!(said.contains("states only some bits") || said.contains("/dev/kvm"), "{command}: {said}");
    }
    let (code, _, said) = run(&["models", "--host", "../fleet/hosts/allintel", "cpuid-r.txt"], "");
    assert_eq!(code, Some(2));
    assert!(said.contains("--host cpuid-r.txt"), "{said}");
}

/// Nothing is said of what an excerpt lacks.
#[test]
fn a_check_of_an_excerpt_leaves_out_what_it_lacks() {
    let (_, shown, _) = run(&["check", "libcpuid.raw"], "");
    assert!(shown.contains("of an excerpt: leaves and subleaves that it lacks are not checked"), "{shown}");
    assert!(!shown.contains("no entry"), "{shown}");
}

/// `why` has no reason for what a list of names states or leaves open, and answers as `has` does.
#[test]
fn why_of_a_list_of_names_answers_as_has() {
    for (feature, file, code, said) in [
        ("avx2", "lscpu.txt", 0, "states that avx2 is set"),
        ("svm", "lscpu.txt", 1, "states that svm is clear"),
        ("mpx", "libvirt-domain.xml", 1, "states that mpx is clear"),
        ("avx2", "libvirt-domain.xml", 3, "does not state avx2"),
        ("rdctl-no", "libvirt-domain.xml", 0, "states that"),
        ("vmx-ept", "qemu-warnings.txt", 3, "does not state"),
    ] {
        let (is, out, error) = run(&["why", feature, file], "");
        assert_eq!(is, Some(code), "{feature} {file}: {out}{error}");
        assert!(format!("{out}{error}").contains(said), "{feature} {file}: {out}{error}");
        assert!(!out.contains("withholds"), "{out}");
    }
}

/// A flag that one list of names has and the other does not state is never passed over.
#[test]
fn lists_of_names_differ_by_what_only_one_states() {
    let flags =
        |flags: &str| format!("Vendor ID: GenuineIntel\nFlags: fpu sse sse2 avx avx2 xsave {flags}\n");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("forms");
    std::fs::create_dir_all(&folder).unwrap();
    let [more, less] = [("more", "hle rtm avx512f"), ("less", "")].map(|(name, extra)| {
        let path = folder.join(name);
        std::fs::write(&path, flags(extra)).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let (code, out, _) = run(&["diff", &more, &less], "");
    assert!(code == Some(1) && out.contains("hle rtm avx512f") && out.contains("stated only by"), "{out}");
    let (code, out, _) = run(&["diff", "--migrate", &more, &less], "");
    assert!(code == Some(3) && out.contains("Not known") && !out.contains("can move to B (less)"), "{out}");
    let (code, out, _) = run(&["diff", "--migrate", &less, &more], "");
    assert_eq!(code, Some(0), "{out}");
    assert_eq!(run(&["diff", &more, &more], "").0, Some(0));
    // A whole table against a list.
    let (code, out, _) = run(&["diff", "--migrate", "cpuid-r.txt", &less], "");
    assert!(code == Some(3) && out.contains("Not known"), "{out}");
    let (code, out, _) = run(&["diff", "--migrate", "--format", "json", &more, &less], "");
    assert!(code == Some(3) && out.contains("\"can_move\": null") && out.contains("\"rtm\""), "{out}");
}

/// An Intel CPU answers a leaf above the maximum with its highest one.
#[test]
fn a_leaf_above_the_maximum_is_not_there() {
    let table = "0 0 0 1 756e6547 6c65746e 49656e69\n1 0 0 6d8 816 180 afe9fbff\n7 0 1 6d8 816 180 afe9fbff\n\
                 80000000 0 0 80000000 0 0 0\n80000001 0 0 0 0 1 100000\n";
    for (feature, code) in [("sse2", 0), ("smep", 1), ("nx", 1)] {
        assert_eq!(run(&["has", feature, "-"], table).0, Some(code), "{feature}");
    }
    let (_, features, _) = run(&["show", "--features", "-"], table);
    assert!(
        features.contains("sse2\n") && !features.contains("hle\n") && !features.contains("nx\n"),
        "{features}"
    );
}

#[test]
fn what_takes_more_says_which_command_to_run() {
    for arguments in [
        &["check", "libvirt-domain.xml"][..],
        &["models", "--host", "lscpu.txt"],
        &["show", "vmcore.entries.txt.not-there"],
    ] {
        let (code, _, said) = run(arguments, "");
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        let is_open = said.contains("states only some bits")
            && said.contains("help: on that machine `kvm-cpuid record");
        assert!(is_open || said.contains("No such file"), "{said}");
    }
    // Lists of names have a baseline of names, which no model is certain to run on.
    let (code, out, _) = run(&["baseline", "lscpu.txt", "cpuinfo.txt"], "");
    assert!(code == Some(3) && out.contains("fpu"), "{out}");
    let (code, _, said) = run(&["show", "-"], "Hello\n");
    assert!(code == Some(2) && said.contains("not recognised") && said.contains("`cpuid -r`"), "{said}");
}

#[test]
fn only_what_both_state_is_compared() {
    let names = "flags\t: fpu avx2 vmx\n";
    let (code, out, _) = run(&["diff", "cpuid-r.txt", "cpuid-text.txt", "--number", "0"], "");
    assert_eq!((code, out.as_str()), (Some(0), ""));
    let table = "0 0 0 7 756e6547 6c65746e 49656e69\n1 0 0 406f1 0 0 1\n7 0 1 0 20 0 0\n";
    let file = std::env::temp_dir().join(format!("kvm-cpuid-forms-{}.txt", std::process::id()));
    std::fs::write(&file, table).unwrap();
    let (code, out, _) = run(&["diff", file.to_str().unwrap(), "-"], names);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code, Some(1));
    assert!(out.contains("+ ECX[5]  vmx") && !out.contains("avx2") && !out.contains("0x00000000"), "{out}");
}

const TEMPLATE: &str = "{\"cpuid_modifiers\": [{\"leaf\": \"0x7\", \"subleaf\": \"0x1\", \"flags\": 1, \"modifiers\": [\
                        {\"register\": \"eax\", \"bitmap\": \"0bxxxxxxxxxxxxxxxxxxxxxxxxxxx0xxxx\"}]},\
                        {\"leaf\": \"0x1\", \"subleaf\": \"0x0\", \"flags\": 0, \"modifiers\": [\
                        {\"register\": \"ecx\", \"bitmap\": \"0b0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}]}]}\n";

/// A template states what it changes; the leaves must be the host's.
#[test]
fn a_template_is_compared_with_a_host() {
    let (code, out, _) = run(&["check", "-"], TEMPLATE);
    assert!(code == Some(0) && out.starts_with("0 errors, 0 warnings; a template"), "{out}");
    let (code, out, _) = run(&["check", "-", "--host", "vmcore.entries"], TEMPLATE);
    let finding = "error[template-leaf-not-there]: the template changes CPUID.(EAX=7,ECX=1):EAX, and this host's KVM has no entry 7.1\n";
    assert_eq!((code, out.matches("error[").count()), (Some(1), 1), "{out}");
    assert!(out.starts_with(finding), "{out}");
    let (code, out, _) = run(&["diff", "--migrate", "-", "vmcore.entries"], TEMPLATE);
    assert!(code == Some(1) && out.contains(finding), "{out}");
}

#[test]
fn why_kvm_refused_a_table_comes_first() {
    let (code, out, said) = run(&["check", "strace-failed.txt", "--number", "1"], "");
    assert_eq!(code, Some(1));
    assert!(
        out.starts_with("KVM refused this table with EINVAL because of this:\n\nerror[virtual-width]"),
        "{out}"
    );
    assert!(out.contains("\nKVM does not mind these:\n"), "{out}");
    assert!(said.contains("KVM_SET_CPUID2 failed with EINVAL"), "{said}");
}

/// Lists that repeat in a file are CPUs of one host.
#[test]
fn a_file_without_headings_is_one_host() {
    if !common::recent("a_file_without_headings_is_one_host") {
        return;
    }
    let list = "CPUID 00000000: 00000001-68747541-444D4163-69746E65\nCPUID 00000001: 00A10F11-000C0800-7ED8320B-178BFBFF\n";
    let (_, out, _) = run(&["baseline", "-"], &list.repeat(3));
    assert!(out.starts_with("1 host: AuthenticAMD\n"), "{out}");
    let host = "{\"return\": {\"model\": {\"name\": \"host\", \"props\": {\"aes\": true, \"avx2\": true, \"vendor\": \"GenuineIntel\", \"level\": 13}}}}\n";
    let (code, out, said) = run(&["baseline", "-", "--format", "json"], host);
    assert!(code != Some(2) && out.contains("\"aes\"") && out.contains("\"avx2\""), "{out} {said}");
}

/// What VMMs and debuggers print of KVM's entries, and what to print where they show only where these are.
#[test]
fn a_vmm_s_log_state_and_debugger_are_read() {
    let entries = "0 0 0 d 756e6547 6c65746e 49656e69\n7 0 1 0 20 0 0\n";
    let fields = [
        "function: 0, index: 0, flags: 0, eax: 13, ebx: 1970169159, ecx: 1818588270, edx: 1231384169",
        "function: 7, index: 0, flags: 1, eax: 0, ebx: 32, ecx: 0, edx: 0",
    ];
    let each = |before: &str, after: &str| fields.map(|fields| format!("{before}{fields}{after}")).join(", ");
    let path = "kvm_bindings::x86_64::bindings::kvm_cpuid_entry2";
    let json = each("{", "}").replace("function", "\"function\"").replace("index", "\"index\"");
    let json = ["flags", "eax", "ebx", "ecx", "edx"]
        .iter()
        .fold(json, |text, name| text.replace(name, &format!("\"{name}\"")));
    for text in [
        format!("{{\"cpuid\": [{json}]}}"),
        format!("[{}]", each("CpuIdEntry { ", " }")),
        format!("$1 = Vec(size=2) = {{{}}}", each(&format!("{path} {{"), ", padding: [0, 0, 0]}")),
        format!("$1 = &[{path}](size=2) = {{{}}}", each(&format!("{path} {{"), ", padding: [0, 0, 0]}")),
    ] {
        let (code, out, error) = run(&["show", "-", "--format", "entries"], &text);
        assert_eq!((code, out.as_str()), (Some(0), entries), "{text}: {error}");
    }

    let (code, out, error) = run(&["show", "cloud-hypervisor.log", "-l", "1"], "");
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("local_apic_id=0") && out.contains("local_apic_id=1"), "{out}");
    let cut = "DEBUG -- function = 0x00000000 index = 0x00000000 eax = 0x0000000d ebx = 0x1 flags = 0x0\n";
    let (code, _, error) = run(&["show", "-"], cut);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("line 1") && error.contains("expected `function = 0xN"), "{error}");

    for (text, hint) in [
        ("$1 = {nent = 29, padding = 0, entries = 0x55d0c2a0}\n", "`p cpuid->entries[0]@cpuid->nent`"),
        ("$1 = (struct kvm_cpuid_entry2 *) 0xffff88810a3c4000\n", "`p entries[0]@n`"),
        (
            "CpuId { FamStructWrapper { mem_allocator: [kvm_cpuid2 { nent: 2, padding: 0, entries: [] }] } }\n",
            "`cpuid.as_slice()`",
        ),
    ] {
        let (code, _, error) = run(&["show", "-"], text);
        assert_eq!(code, Some(2), "{text}");
        assert!(error.contains(hint), "{text}: {error}");
    }
}
