//! `has` and `why` answer whatever `find` knows by name, and answer an ambiguous name alike.

use std::fs;
use std::path::PathBuf;

use cpuid_tables::show::{AboutMsr, Asked, asked, find};
use cpuid_tables::{Bug, Feature, Msr, MsrFeature, QemuRelease, SoftwareFeature, VmxFeature};
use serde_json::Value;

use crate::common;
use crate::instrument::run;

const SPR: &str = "tests/show/spr.entries";
const HYPERV: &str = "tests/show/hyperv.entries";

/// A host with feature MSRs and Hyper-V's leaves, as `record` writes it.
fn host() -> String {
    let text = fs::read_to_string(SPR).unwrap();
    let mut entries: Vec<Value> = text.lines().filter_map(entry).collect();
    for leaf_1 in entries.iter_mut().filter(|entry| entry["function"] == "0x00000001") {
        let ecx = leaf_1["ecx"].as_str().unwrap().trim_start_matches("0x");
        let with_vmx = u32::from_str_radix(ecx, 16).unwrap() | 1 << 5;
        leaf_1["ecx"] = format!("{with_vmx:#x}").into();
    }
    let hyperv: Vec<Value> = fs::read_to_string(HYPERV)
        .unwrap()
        .lines()
        .filter_map(entry)
        .filter(|entry| entry["function"].as_str().is_some_and(|leaf| leaf.starts_with("0x400000")))
        .collect();
    serde_json::json!({
        "version": 1, "supported": entries, "instruction": entries, "capabilities": {}, "hyperv": hyperv,
        "emulated": null, "guest_xcomponents": null, "tsc_khz": null, "mce_capabilities": null,
        "msrs": { "0x10a": "0x69", "0x48b": "0x00137cff00000000", "0x48c": "0xf0106334041", "0x48d": "0x7f00000016",
            "0x48e": "0xfff9fffe04006172" },
    })
    .to_string()
}

fn entry(line: &str) -> Option<Value> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let numbers = words.get(words.len().checked_sub(7)?..)?;
    let hex = |at: usize| format!("0x{}", numbers[at]);
    Some(serde_json::json!({
        "function": hex(0), "index": hex(1), "flags": hex(2), "eax": hex(3), "ebx": hex(4), "ecx": hex(5), "edx": hex(6),
    }))
}

#[test]
fn every_name_that_find_knows_is_a_question() {
    let mut names: Vec<String> = Vec::new();
    names.extend(Feature::all().map(|bit| bit.name().to_owned()));
    names.extend(SoftwareFeature::all().map(|bit| format!("X86_FEATURE_{}", bit.linux_macro())));
    names.extend(Bug::all().map(|bit| format!("X86_BUG_{}", bit.linux_macro())));
    names.extend(VmxFeature::all().map(|bit| format!("VMX_FEATURE_{}", bit.linux_macro())));
    for numbers in
        [0..0x1000, 0x4000_0000..0x4000_0200, 0xc000_0080..0xc000_0110, 0xc001_0000..0xc001_0300_u32]
    {
        let about = numbers.filter_map(|number| AboutMsr::new(Msr(number))).filter(|about| about.count == 1);
        names.extend(about.map(|about| about.name.to_owned()));
    }
    for release in QemuRelease::ALL {
        names.extend(Feature::all().flat_map(|bit| bit.qemu_names(release)).map(str::to_owned));
        names.extend(MsrFeature::all().flat_map(|bit| bit.qemu_names(release)).map(str::to_owned));
        let hyperv =
            release.cpu_properties().map(|property| property.name).filter(|name| name.starts_with("hv-"));
        names.extend(hyperv.map(str::to_owned));
    }
    let aliases = include_str!("../../cpuid-tables/naming/alias_rows.rs").lines();
    let aliases = aliases.filter(|line| line.starts_with("    "));
    names.extend(aliases.filter_map(|line| line.split('"').nth(1)).map(str::to_owned));
    names.sort();
    names.dedup();
    assert!(names.len() > 1500, "{}", names.len());
    let unknown: Vec<&String> =
        names.iter().filter(|name| asked(name).is_err() && !find(name).is_empty()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn a_recorded_host_answers_for_its_msrs_and_enlightenments() {
    if !common::recent("a_recorded_host_answers_for_its_msrs_and_enlightenments") {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("asked");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("node2.json");
    fs::write(&path, host()).unwrap();
    let path = path.to_str().unwrap();
    for (name, code) in [
        ("rdctl-no", 0),
        ("taa-no", 1),
        ("vmx-ept", 0),
        ("ept", 0),
        ("vmx-ept-wb", 0),
        ("vmx-ept-uc", 1),
        ("vmx-tsc-scaling", 1),
        ("apicv", 1),
        ("VMX_FEATURE_EPT_1GB", 0),
        // Its MSR is not among those of this KVM.
        ("vmx-eptp-switching", 1),
        ("hv-time", 0),
        ("hv-emsr-bitmap", 1),
        ("spectre_v1", 3),
        ("IA32_ARCH_CAPABILITIES", 0),
        ("IA32_VMX_VMFUNC", 1),
        ("IA32_TSC_AUX", 3),
        ("phys_addr_bits", 0),
    ] {
        for form in [&[name, "--host", path][..], &[name, path]] {
            for command in ["has", "why"] {
                let ran = run(&[&[command], form].concat(), "");
                assert_eq!(ran.code, Some(code), "{command} {form:?}: {}{}", ran.out, ran.err);
            }
        }
    }
    let said = run(&["why", "vmx-tsc-scaling", "--host", path], "").out;
    assert!(said.contains("KVM withholds VMX_TSC_SCALING: it does not offer it"), "{said}");
    let json = run(&["has", "taa-no", path, "--format", "json"], "").out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["has"], Value::Bool(false));
}

#[test]
fn a_table_and_cpuinfo_answer_as_far_as_they_state() {
    if !common::recent("a_table_and_cpuinfo_answer_as_far_as_they_state") {
        return;
    }
    let cpuinfo = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vmx\n\
                   vmx flags\t: vnmi posted_intr ept_1gb apicv vtpr ept vpid pml\nbugs\t\t: spectre_v1\n";
    for (name, code) in [
        ("vmx-ept", 0),
        ("ept", 0),
        ("vmx-ept-1gb", 0),
        ("vmx-pml", 0),
        ("vmx-flexpriority", 0),
        ("apicv", 0),
        ("spectre_v1", 0),
        // Linux does not print it.
        ("vmx-mbec", 3),
        ("rdctl-no", 3),
        ("hv-time", 3),
    ] {
        for command in ["has", "why"] {
            let ran = run(&[command, name, "-"], cpuinfo);
            assert_eq!(ran.code, Some(code), "{command} {name}: {}{}", ran.out, ran.err);
        }
    }
    for (name, table, code) in [("hv-time", HYPERV, 0), ("hv-time", SPR, 1), ("hv-passthrough", HYPERV, 3)] {
        assert_eq!(run(&["has", name, table], "").code, Some(code), "{name} {table}");
    }
    let msrs = "<cpudata arch='x86'>\n<cpuid eax_in='0x00000000' ecx_in='0x00' eax='0x1' ebx='0' ecx='0' edx='0'/>\n\
                <cpuid eax_in='0x00000001' ecx_in='0x00' eax='0x1' ebx='0' ecx='0x20' edx='0'/>\n\
                <msr index='0x48b' edx='0x2' eax='0'/>\n</cpudata>\n";
    for (name, code) in [("vmx-ept", 0), ("vmx-vpid", 1), ("rdctl-no", 3)] {
        assert_eq!(run(&["has", name, "-"], msrs).code, Some(code), "{name}");
    }
}

#[test]
fn an_ambiguous_name_is_answered_where_its_bits_agree_and_an_error_where_not() {
    if !common::pinned("an_ambiguous_name_is_answered_where_its_bits_agree_and_an_error_where_not") {
        return;
    }
    let asked = asked("kvmclock").unwrap();
    assert!(matches!(asked.as_slice(), [Asked::Bit(_), Asked::Bit(_)]));
    let table = |eax: &str| format!("40000000 0 0 40000001 4b4d564b 564b4d56 4d\n40000001 0 0 {eax} 0 0 0\n");
    for (eax, code) in [("9", 0), ("0", 1), ("8", 2)] {
        let ran = run(&["has", "kvmclock", "-"], &table(eax));
        assert_eq!(ran.code, Some(code), "{eax}: {}", ran.err);
    }
    let differ = table("8");
    for command in ["has", "why"] {
        let ran = run(&[command, "kvmclock", "-"], &differ);
        assert_eq!(ran.code, Some(2), "{command}: {}", ran.out);
        let said = "error: `kvmclock` is ambiguous: KVM_FEATURE_CLOCKSOURCE at CPUID.(EAX=0x40000001,ECX=0):EAX[0]: no; \
                    KVM_FEATURE_CLOCKSOURCE2 at CPUID.(EAX=0x40000001,ECX=0):EAX[3]: ";
        assert!(ran.err.contains(said), "{command}: {}", ran.err);
        assert!(
            ran.err.contains("help: select one by its location: 'CPUID.(EAX=0x40000001,ECX=0):EAX[0]' or "),
            "{}",
            ran.err
        );
    }
    let json = run(&["has", "kvmclock", "-", "--format", "json"], &differ).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["has"], &json["meanings"][1]["has"]), (&Value::Null, &Value::Bool(true)));
}

#[test]
fn a_table_that_kvm_refused_is_an_error_and_names_the_entry() {
    let call = |ecx: &str, result: &str| {
        format!(
            "ioctl(12, KVM_SET_CPUID2, {{nent=2, entries=[{{function=0, index=0, flags=0, eax=0x1, ebx=0x756e6547, \
             ecx=0x6c65746e, edx=0x49656e69}}, {{function=0x1, index=0, flags=0, eax=0x406f1, ebx=0x800, ecx={ecx}, \
             edx=0x78bfbff}}]}}) = {result}\n"
        )
    };
    let refused = call("0x1", "-1 EINVAL (Invalid argument)");
    let alone = run(&["check", "-"], &refused);
    assert_eq!(alone.code, Some(1), "{}", alone.out);
    assert!(alone.out.contains("error[refused-by-kvm]: KVM refused this table with EINVAL"), "{}", alone.out);
    let after = run(&["check", "-", "--format", "json"], &(call("0", "0") + &refused));
    let json: Value = serde_json::from_str(&after.out).unwrap();
    let finding = &json["sources"][0]["findings"][0];
    assert_eq!((after.code, &finding["kind"]), (Some(1), &Value::from("refused-by-kvm")));
    let what = finding["what"].as_str().unwrap_or_default();
    assert!(what.contains("entry 1: CPUID.(EAX=1,ECX=0):ECX is 0x1 in place of 0x0"), "{what}");
}

#[test]
fn bits_outside_cpuid_are_read_back() {
    if !common::recent("bits_outside_cpuid_are_read_back") {
        return;
    }
    let flags = "processor\t: 0\nflags\t\t: fpu avx2 pti ept\nvmx flags\t: ept\nbugs\t\t: spectre_v1\n";
    for format in ["text", "json"] {
        let shown = run(&["show", "-", "--format", format], flags).out;
        for (name, code) in [("pti", 0), ("ept", 0), ("spectre_v1", 0), ("avx2", 0), ("avx", 3), ("l1tf", 3)]
        {
            let ran = run(&["has", name, "-"], &shown);
            assert_eq!(ran.code, Some(code), "{format} {name}: {}{shown}", ran.err);
        }
    }
    let wrong = r#"{"entries":[],"outside":{"no-such":true}}"#;
    let ran = run(&["show", "-"], wrong);
    assert!(ran.code == Some(2) && ran.err.contains("no bit outside CPUID has that name"), "{}", ran.err);
}

#[test]
fn a_baseline_of_lists_keeps_apart_what_is_not_stated() {
    if !common::recent("a_baseline_of_lists_keeps_apart_what_is_not_stated") {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lists");
    fs::create_dir_all(folder.join("empty")).unwrap();
    let flags =
        "flags\t\t: fpu cx8 cmov mmx fxsr sse sse2 syscall lm pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm";
    for (name, extra) in [("a.txt", " avx2 ept"), ("b.txt", " avx2 aes"), ("c.txt", " avx")] {
        fs::write(folder.join(name), format!("processor\t: 0\n{flags}{extra}\nbugs\t\t: spectre_v1\n"))
            .unwrap();
    }
    let path = folder.to_str().unwrap();
    let ran = run(&["baseline", path, "--format", "json"], "");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json["hosts"], &json["level"]), (&Value::from(3), &Value::from("x86-64-v2")), "{}", ran.err);
    let has = |list: &str, name: &str| {
        json[list].as_array().unwrap().iter().any(|one| *one == name || one["name"] == name)
    };
    assert!(
        has("features", "popcnt") && has("features", "spectre_v1") && has("not_stated", "avx2"),
        "{json}"
    );
    assert!(!has("lacking", "avx2") && !has("features", "avx2"), "{json}");
    // A whole table states what it lacks.
    let haswell = "tests/show/haswell.entries";
    let ran = run(&["baseline", path, haswell, "--format", "json"], "");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let lacking = json["lacking"].as_array().unwrap();
    assert!(!lacking.contains(&Value::from("avx2")) && json["hosts"] == 4, "{json}");
    let milan = run(&["baseline", path, "tests/show/processors/conroe.entries"], "");
    assert!(milan.out.contains("Some host states that it lacks\n"), "{}", milan.out);
    let text = run(&["baseline", path], "").out;
    assert!(text.contains("Not stated by every host, and lacking nowhere\n"), "{text}");
    assert_eq!(run(&["baseline", path, "--format", "entries"], "").code, Some(2));
    assert_eq!(run(&["baseline", folder.join("empty").to_str().unwrap()], "").code, Some(2));
}

#[test]
fn find_says_which_names_of_a_list_are_not_known() {
    for (line, unknown) in [
        ("missing features: pdcm,foobar", &["foobar"][..]),
        ("error: guest CPU doesn't match specification: missing features: zzz1,avx2,zzz2", &["zzz1", "zzz2"]),
        ("cpu: host,flags=+aes;-pcid;+zzz", &["zzz"]),
        ("-cpu EPYC,+ibpb,zzz=on,migratable=off", &["zzz"]),
        ("missing features: pdcm,avx2", &[]),
        ("Host CPU does not provide required features: hle, rtm and so on", &[]),
    ] {
        let ran = run(&["find", line, "--format", "json"], "");
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(json["not_found"], Value::from(unknown.to_vec()), "{line}");
        assert!(!json["found"].as_array().unwrap().is_empty(), "{line}");
        assert_eq!(ran.code, Some(i32::from(!unknown.is_empty())), "{line}");
        for name in unknown {
            let text = run(&["find", line], "");
            assert!(text.err.contains(&format!("no match for `{name}`")), "{}", text.err);
        }
    }
}

/// Lines as people pasted them into public issues, with other numbers and names; the second text is in the answer.
#[test]
fn find_answers_lines_that_operators_paste() {
    if !common::pinned("find_answers_lines_that_operators_paste") {
        return;
    }
    for (line, expected) in [
        ("kvm_intel: VMX not enabled (by BIOS) in MSR_IA32_FEAT_CTL on CPU 3", "IA32_FEATURE_CONTROL"),
        ("[    4.2] kvm: disabled by bios", "switch VT-x or SVM on in the firmware"),
        ("x86/cpu: VMX (outside TXT) disabled by BIOS", "outside TXT"),
        ("kvm_intel: VMX not supported by CPU 0", "vmx: CPUID.(EAX=1,ECX=0):ECX[5]"),
        ("kvm_amd: SVM not supported by CPU 1", "svm: CPUID.(EAX=0x80000001,ECX=0):ECX[2]"),
        ("kvm: no hardware support", "nested virtualization"),
        ("x86/split lock detection: #DB: warning on user-space bus_locks", "no access has happened"),
        (
            "x86/split lock detection: #AC: db/12 took a split_lock trap at address: 0x5",
            "made a locked access",
        ),
        ("kvm: SMP vm created on host with unstable TSC; guest TSC will not be reliable", "constant_tsc"),
        ("kvm [77]: vcpu2, guest rIP: 0xfff0 unhandled rdmsr: 0x34", "MSR 0x34: SMI_COUNT"),
        (
            "unchecked MSR access error: WRMSR to 0xc001001f (tried to write 0x0000400000000000) at rIP: 0xf",
            "NB_CFG",
        ),
        (
            "kvm_amd: kvm [6]: vcpu3, guest rIP: 0xf8 Unhandled WRMSR(0xc0010115) = 0x0",
            "MSR 0xc0010115 = 0x0",
        ),
        (
            "qemu-kvm: ../target/i386/kvm/kvm.c:99: kvm_buf_set_msrs: Assertion `ret == n' failed.",
            "KVM refused an MSR",
        ),
        ("qemu-system-x86_64: kvm.c:1809: kvm_put_msrs: Assertion `ret == n' failed.", "KVM refused an MSR"),
        ("qemu-system-x86_64: error: failed to set MSR 0x345 to 0x2000", "IA32_PERF_CAPABILITIES"),
        ("Could not access KVM kernel module: Permission denied", "/dev/kvm"),
        ("qemu-system-x86_64: -accel kvm: failed to initialize kvm: No such file or directory", "/dev/kvm"),
        ("qemu-system-x86_64: CPU model 'host' requires KVM or HVF", "-accel kvm"),
        ("Error: State blocked by non-migratable CPU device (invtsc flag)", "constant_tsc"),
        ("KVM: entry failed, hardware error 0x80000021", "VM entry failed"),
        ("KVM internal error. Suberror: 1", "cannot emulate"),
        ("error while loading state for instance 0x0 of device 'cpu'", "kvm-cpuid diff --migrate"),
        (
            "error: internal error: process exited while connecting to monitor: CPU feature arat not found",
            "arat:",
        ),
        (
            "CPU mode 'host-model' for x86_64 kvm domain on x86_64 host is not supported by hypervisor",
            "no usable KVM",
        ),
        (
            "invalid argument: could not find capabilities for arch=x86_64 domaintype=kvm",
            "virt-host-validate",
        ),
        ("Emulator '/usr/bin/q' does not support virt type 'kvm'", "no usable KVM"),
        ("QEMU: Checking for hardware virtualization : FAIL (Only emulated CPUs are available)", "svm:"),
        ("the CPU is incompatible with host CPU: Host CPU does not provide required features: svm", "svm:"),
        ("KVM virtualisation configured, but not available. Either disable or enable in BIOS.", "Proxmox"),
        ("Fatal glibc error: CPU does not support x86-64-v2", "level"),
        ("This kernel requires the following features not present on the CPU: pae cmov", "cmov:"),
        ("This kernel requires an x86-64 CPU, but only detected an i686 CPU.", "lm:"),
        (
            "incompatible with the CPU feature requirements of the virtual machine; problem detected at CPUID level \
             0x80000001 register 'edx' .",
            "CPUID.(EAX=0x80000001,ECX=0):EDX\n",
        ),
        ("VT-x is disabled in the BIOS for all CPU modes (VERR_VMX_MSR_ALL_VMX_DISABLED)", "VirtualBox"),
        ("L1TF CPU bug present and SMT on, data leak possible.", "L1TF"),
        ("[    0.004] RIP: 0010:fpu__init_cpu_xstate+0x31/0xa0", "kvm-cpuid check"),
        ("x86/fpu: XSTATE size inconsistency: 2440 versus 2696", "turns XSAVE off"),
        ("[Firmware Bug]: CPU3: APIC id mismatch. Firmware: 3 APIC: 6", "0x8000001E"),
        ("Your CPU does not support long mode. Use a 32bit distribution.", "lm:"),
        ("traps: python3[37] trap invalid opcode ip:7f sp:7f error:0 in libx.so", "x86-64-v3"),
        (
            "The TensorFlow library was compiled to use AVX2 instructions, but these aren't available",
            "TensorFlow",
        ),
        ("WARNING: MongoDB 5.0+ requires a CPU with AVX support, and yours has none", "avx:"),
        ("error: internal error: Cannot find suitable CPU model for given data", "kvm-cpuid baseline"),
        ("error: XML error: Non-empty feature list specified without CPU model", "<model>"),
        ("qemu-system-x86_64: unable to find CPU model 'EPYC-Turin'", "--qemu RELEASE"),
        ("error: unsupported configuration: Unknown CPU model EPYC-X", "virsh cpu-models"),
        ("clocksource: timekeeping watchdog on CPU3: Marking clocksource 'tsc' as unstable", "nonstop_tsc"),
        ("x86/cpu: SGX disabled by BIOS.", "IA32_FEATURE_CONTROL"),
        ("Virtualized Intel VT-x/EPT is not supported on this platform.", "vmx:"),
        ("This host supports AMD-V, but AMD-V is disabled.", "VM_CR"),
        ("can't apply global Haswell-x86_64-cpu.x=on: Property 'Haswell-x86_64-cpu.x' not found", "-cpu"),
        ("qemu-kvm: Putting registers after init: Failed to set special registers: Invalid argument", "EFER"),
        ("ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy", "VirtualBox"),
        ("Error: VcpuConfigure(SetCpuid(Error(22)))", "EINVAL"),
        ("NoSuitableNodesForHostModelMigration: no node is suitable", "KubeVirt"),
        ("qemu-kvm: warning: host doesn't support requested feature: CPUID.07H:EBX.avx2 [bi", "avx2:"),
        ("host doesn't support requested feature: CPUID.07H:EBX", "CPUID.(EAX=7,ECX=0):EBX\n"),
        ("cpu-feature.node.kubevirt.io/avx2: \"true\"", "avx2:"),
        ("hyperv.node.kubevirt.io/vpindex=true", "hv-vpindex:"),
        ("feature.node.kubernetes.io/cpu-cpuid.AVX512F=true", "avx512f:"),
        ("cpu: host,flags=+aes;-pcid", "pcid:"),
        ("/usr/bin/kvm -id 100 -cpu Haswell,+avx512f,hv_relaxed -m 4G", "hv-relaxed:"),
        ("MSR 0x48e[63]", "control 31 may be 1: vmx-secondary-ctls"),
        ("MSR(48EH)[39]", "control 7 may be 1: vmx-hlt-exit"),
        ("MSR 1166[1]", "MSR 0x48e[1]"),
        ("MSR 0x10a[8:6]", "taa-no"),
        ("IA32_VMX_EPT_VPID_CAP[21]", "vmx-eptad"),
    ] {
        let ran = run(&["find", line], "");
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.err);
        assert!(ran.out.contains(expected), "{line}: {}", ran.out);
    }
    for (line, said) in [
        ("unchecked MSR access error: RDMSR from 0xec0 at rIP: 0xff", "MSR 0xec0 is in no table here"),
        ("EPYC-Milan", "EPYC-Milan is a CPU model"),
    ] {
        let ran = run(&["find", line], "");
        assert!(ran.code == Some(1) && ran.err.contains(said), "{line}: {}", ran.err);
    }
}

#[test]
fn find_prints_each_meaning_once_and_takes_long_words() {
    let count = |arguments: &[&str]| run(arguments, "").out.matches("X86_FEATURE_HLE").count();
    assert_eq!(count(&["find", "hle"]), 1);
    assert_eq!(count(&["find", "hle", "rtm", "hle"]), 1);
    assert_eq!(count(&["find", "hle hle"]), 1);
    let line = "warning: host doesn't support requested feature: CPUID.07H:EBX.hle [bit 4]\n";
    assert_eq!(count(&["find", &line.repeat(4)]), 1);
    // Quadratic work would take minutes.
    for part in ["a", "cpu.", "msr", "[bit ", "0x", "a,", "CPUID"] {
        let started = std::time::Instant::now();
        let text = part.repeat(100_000 / part.len());
        assert_eq!(run(&["find", &text], "").code, Some(1), "{part}");
        assert!(started.elapsed().as_secs() < 20, "{part}: {:?}", started.elapsed());
    }
}

const INTEL: &str = "tests/fleet/hosts/allintel";

/// The made-up host whose CPU has all bits, with the signature of a Haswell.
fn haswell(folder: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    fs::create_dir_all(&folder).unwrap();
    for kind in ["caps", "host", "msrs", "supported"] {
        let text = fs::read_to_string(format!("{INTEL}.{kind}")).unwrap();
        fs::write(folder.join(format!("node.{kind}")), text.replace("000806f8", "000306c3")).unwrap();
    }
    folder.join("node").to_str().unwrap().to_owned()
}

#[test]
fn why_asks_the_guest_that_qemu_builds() {
    if !common::pinned("why_asks_the_guest_that_qemu_builds") {
        return;
    }
    let haswell = haswell("haswell-why");
    for (name, host, model, code, verdict) in [
        ("avx2", INTEL, None, 0, "Nothing withholds avx2: a guest here can have it."),
        ("pdcm", INTEL, None, 0, "QEMU leaves it out without pmu=on"),
        (
            "pdcm",
            INTEL,
            Some("Haswell"),
            1,
            "With +pdcm, QEMU leaves it out of this guest too: it needs pmu=on.",
        ),
        (
            "perfmon-v2",
            INTEL,
            Some("EPYC-Genoa-v2"),
            1,
            "QEMU leaves perfmon_v2 out of this guest: it needs pmu=on.",
        ),
        ("arch-lbr", INTEL, Some("Haswell"), 1, "it needs pmu=on."),
        ("avx2", INTEL, Some("max"), 0, "Nothing withholds avx2: a guest here can have it."),
        ("invtsc", INTEL, Some("host"), 1, "host does not have it by itself: +invtsc adds it."),
        ("hle", haswell.as_str(), None, 1, "QEMU leaves hle out of this guest: "),
        ("rtm", haswell.as_str(), Some("Haswell-v1"), 1, "QEMU leaves rtm out of this guest: "),
    ] {
        let model = model.map(|model| ["--cpu", model]);
        let ran = run(
            &[&["why", name, "--host", host][..], model.as_ref().map_or(&[], |model| &model[..])].concat(),
            "",
        );
        assert_eq!(ran.code, Some(code), "{name}: {}{}", ran.out, ran.err);
        assert!(ran.out.lines().last().unwrap().contains(verdict), "{name}: {}", ran.out);
    }
}

#[test]
fn what_qemu_drops_is_not_blamed_on_kvm() {
    if !common::recent("what_qemu_drops_is_not_blamed_on_kvm") {
        return;
    }
    let haswell = haswell("haswell-drops");
    for arguments in [&["guest", "--cpu", "Haswell-v1", "-v"][..], &["models", "Haswell-v1"]] {
        let ran = run(&[arguments, &["--host", &haswell]].concat(), "");
        let said = ran.out + &ran.err;
        let hle = said.lines().find(|line| line.contains(".hle [bit 4]")).unwrap_or(&said);
        assert!(hle.contains("the host's KVM offers it, but QEMU drops it"), "{arguments:?}: {said}");
    }
}
