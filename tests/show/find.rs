//! What a name, a number or a pasted line means.

use std::fs;

use cpuid_tables::show::{Found, find};

use crate::common;

/// The first line of what is found, one for each.
fn headings(text: &str) -> Vec<String> {
    find(text).iter().map(|found| found.to_string().lines().next().unwrap().to_owned()).collect()
}

fn only(text: &str) -> String {
    let headings = headings(text);
    assert_eq!(headings.len(), 1, "{text}: {headings:?}");
    headings.into_iter().next().unwrap()
}

#[test]
fn a_warning_s_name_decides_where_it_has_no_subleaf() {
    if !common::pinned("a_warning_s_name_decides_where_it_has_no_subleaf") {
        return;
    }
    for (line, heading) in [
        ("CPUID.0DH:EAX.xsaves [bit 3]", "xsaves: CPUID.(EAX=0xD,ECX=1):EAX[3]"),
        ("CPUID.07H:EDX.avx-ne-convert [bit 5]", "avx-ne-convert: CPUID.(EAX=7,ECX=1):EDX[5]"),
        ("CPUID.07H:EAX.avx512-bf16 [bit 5]", "avx512_bf16: CPUID.(EAX=7,ECX=1):EAX[5]"),
        ("CPUID[eax=07h,ecx=01h].EAX.avx512-bf16 [bit 5]", "avx512_bf16: CPUID.(EAX=7,ECX=1):EAX[5]"),
        ("CPUID[eax=80000001h].ECX.svm [bit 2]", "svm: CPUID.(EAX=0x80000001,ECX=0):ECX[2]"),
        ("MSR(10AH).mds-no [bit 5]", "MDS_NO: MSR 0x10a[5]"),
        ("MSR(10Ah).mds-no [bit 5]", "MDS_NO: MSR 0x10a[5]"),
        ("MSR(485H).vmx-store-lma [bit 5]", "VMX_STORE_LMA: MSR 0x485[5]"),
    ] {
        assert_eq!(only(line), heading);
        for around in [
            "qemu-system-x86_64: warning: host doesn't support requested feature: ",
            "2024-05-01T10:00:00.0Z qemu-kvm: warning: TCG doesn't support requested feature: ",
        ] {
            assert_eq!(only(&format!("{around}{line}")), heading);
        }
    }
}

#[test]
fn a_bit_without_a_name_is_known_by_its_place() {
    if !common::pinned("a_bit_without_a_name_is_known_by_its_place") {
        return;
    }
    assert!(only("CPUID.0DH:EAX [bit 17]").contains("CPUID.(EAX=0xD,ECX=0):EAX[17]"));
    assert!(only("warning: CPUID.0DH:ECX [bit 15]").contains("CPUID.(EAX=0xD,ECX=1):ECX[15]"));
}

#[test]
fn several_lines_are_several_bits() {
    if !common::pinned("several_lines_are_several_bits") {
        return;
    }
    let log = "warning: host doesn't support requested feature: CPUID.07H:EBX.hle [bit 4]\n\
               warning: host doesn't support requested feature: CPUID.07H:EBX.rtm [bit 11]\n";
    assert_eq!(headings(log), ["hle: CPUID.(EAX=7,ECX=0):EBX[4]", "rtm: CPUID.(EAX=7,ECX=0):EBX[11]"]);
    assert_eq!(headings("avx2 bmi1").len(), 2);
    assert_eq!(headings("+avx2,-bmi1").len(), 2);
    assert!(find("avx2 no-such-name").is_empty());
    assert_eq!(headings("-cpu EPYC-Milan-v2,+svm,hv-reset=on").len(), 2);
    let line = "error: can't apply global host-x86_64-cpu.hv-reset=on: Property 'host-x86_64-cpu.hv-reset' not found";
    assert!(headings(line)[1].starts_with("hv-reset: "), "{:?}", headings(line));
    let line = "host doesn't support requested feature: avx10.2. Adjust to avx10.1.";
    assert!(headings(line)[0].starts_with("avx10: "), "{:?}", headings(line));
}

#[test]
fn an_msr_by_number_and_name() {
    if !common::pinned("an_msr_by_number_and_name") {
        return;
    }
    let heading = "MSR 0x48f: IA32_VMX_TRUE_EXIT_CTLS (QEMU: FEAT_VMX_EXIT_CTLS)";
    for text in [
        "MSR 0x48f",
        "0x48f",
        "48fh",
        "MSR(48FH)",
        "msr 48f",
        "IA32_VMX_TRUE_EXIT_CTLS",
        "MSR_IA32_VMX_TRUE_EXIT_CTLS",
        "FEAT_VMX_EXIT_CTLS",
    ] {
        assert_eq!(only(text), heading, "{text}");
    }
    for (text, heading) in [
        ("MSR 0xe1", "MSR 0xe1: IA32_UMWAIT_CONTROL"),
        ("0x122", "MSR 0x122: IA32_TSX_CTRL"),
        ("MSRC001_0015", "MSR 0xc0010015: HWCR"),
        ("MSR_CORE_PERF_GLOBAL_CTRL", "MSR 0x38f: IA32_PERF_GLOBAL_CTRL"),
        ("RRSBA", "RRSBA: MSR 0x10a[19], IA32_ARCH_CAPABILITIES"),
        ("MSR 0x10a[19]", "RRSBA: MSR 0x10a[19], IA32_ARCH_CAPABILITIES"),
    ] {
        assert_eq!(only(text), heading, "{text}");
    }
    // A number that is a leaf is not taken for an MSR.
    assert!(only("0x10").starts_with("0x00000010: allocation"));
    assert!(find("MSR 0x7fffffff").is_empty());
}

#[test]
fn an_msr_s_value_bit_by_bit() {
    if !common::pinned("an_msr_s_value_bit_by_bit") {
        return;
    }
    let found = find("MSR 0x10a=0x8000021");
    let [Found::MsrValue(..)] = found.as_slice() else { panic!("{found:?}") };
    let text = found[0].to_string();
    assert_eq!(
        text.lines().skip(2).collect::<Vec<_>>(),
        ["  [0]    rdctl-no", "  [5]    mds-no", "  [27]   rfds-no"],
        "{text}"
    );
    let lines = "qemu-kvm: error: failed to set MSR 0x48d to 0x7f00000016\nqemu-kvm: ../target/i386/kvm/kvm.c: kvm_buf_set_msrs: failed";
    let text = find(lines)[0].to_string();
    assert!(text.starts_with("MSR 0x48d = 0x7f00000016: IA32_VMX_TRUE_PINBASED_CTLS"), "{text}");
    for line in [
        "  [0]    may be 1   vmx-intr-exit",
        "  [1]    must be 1  reserved, or without a name here",
        "  [7]    must be 0  vmx-posted-intr",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
}

#[test]
fn hyper_v_s_enlightenments() {
    if !common::pinned("hyper_v_s_enlightenments") {
        return;
    }
    let at = |bit: u8| format!("CPUID.(EAX=0x40000003,ECX=0):EAX[{bit}]");
    for text in ["hv-time", "hv_time", "HV-TIME"] {
        assert_eq!(only(text), format!("hv-time: {}, {}", at(1), at(9)));
    }
    assert_eq!(only("hv-reset"), format!("hv-reset: {}", at(7)));
    assert_eq!(only("hv-apicv"), "hv-avic: CPUID.(EAX=0x40000004,ECX=0):EAX[9]");
    assert_eq!(only("hv-spinlocks"), "hv-spinlocks: CPUID.(EAX=0x40000004,ECX=0):EBX[31:0]");
    assert_eq!(only("hv-enforce-cpuid"), "hv-enforce-cpuid: sets no bit by itself");
    assert!(find("hv-stimer-direct")[0].to_string().contains("needs      hv-stimer"));
    // libvirt writes them without `hv-`.
    assert_eq!(only("vpindex"), format!("hv-vpindex: {}", at(6)));
}

#[test]
fn leaves_that_only_hypervisors_have() {
    if !common::pinned("leaves_that_only_hypervisors_have") {
        return;
    }
    assert!(only("0x40000010").starts_with("0x40000010: TSC and bus"));
    assert!(only("0x40000005").starts_with("0x40000005: Hyper-V: limits"));
    assert_eq!(
        headings("0x40000001"),
        ["0x40000001: KVM: features, hints", "0x40000001: Hyper-V: interface"]
    );
    assert!(only("0x40000003.eax[9]").contains("reference_tsc"));
}

#[test]
fn a_register_s_value_needs_no_subleaf() {
    if !common::pinned("a_register_s_value_needs_no_subleaf") {
        return;
    }
    assert_eq!(find("1.ecx=0x200"), find("1.0.ecx=0x200"));
    assert_eq!(find("1.ecx=0x200").len(), 1);
}

#[test]
fn names_of_other_projects() {
    if !common::pinned("names_of_other_projects") {
        return;
    }
    for (name, flag) in [
        ("arch-facilities", "arch_capabilities"),
        ("KVM_FEATURE_STEAL_TIME", "kvm-steal-time"),
        ("RDCL_NO", "RDCTL_NO"),
        ("CPUID_7_0_ECX_VAES", "vaes"),
        ("CPUID_EXT3_LAHF_LM", "lahf_lm"),
        ("avx512bitalg", "avx512_bitalg"),
        ("-mno-shstk", "cet-ss"),
        ("PF_AVX2_INSTRUCTIONS_AVAILABLE", "avx2"),
        ("EIST", "est"),
        ("CMPXCHG16B", "cx16"),
        ("tsc-dl", "tsc_deadline_timer"),
        ("Page1GB", "pdpe1gb"),
    ] {
        assert!(only(name).starts_with(&format!("{flag}: ")), "{name}: {}", only(name));
    }
}

/// Macros of QEMU's that are not one bit.
const NO_BITS: &[&str] =
    &["VENDOR", "_MASK", "TOPO_LEVEL", "_SZ", "AMD_ALIASES", "XSTATE", "MWAIT_", "RAPSIZE", "KeyLocker"];

#[test]
fn every_macro_of_qemu_s_is_known() {
    if !common::pinned("every_macro_of_qemu_s_is_known") {
        return;
    }
    let facts = fs::read_to_string("upstream/qemu-10.2.tsv").unwrap();
    let macros = facts.lines().filter_map(|line| line.strip_prefix("qemu-macro\t")?.split('\t').next());
    for name in macros.filter(|name| !NO_BITS.iter().any(|part| name.contains(part))) {
        assert!(!find(name).is_empty(), "{name}");
    }
}

#[test]
fn no_text_makes_it_panic() {
    let parts = [
        "é",
        "CPUID",
        "[",
        "[bit ",
        "5]",
        "MSR",
        "msr(",
        "0x",
        "48e",
        ":EAX",
        ".",
        "features:",
        "-cpu ",
        "_",
        ",",
        " = ",
        "h",
    ];
    for a in parts {
        for b in parts {
            for c in ["", "é", "5]", " x"] {
                let _ = find(&[a, b, c].concat());
            }
        }
    }
}

/// Bits of VMX's MSRs that QEMU has no name for: Linux's or the manual's, each with its source.
#[test]
fn controls_that_qemu_does_not_name() {
    if !common::pinned("controls_that_qemu_does_not_name") {
        return;
    }
    for (msr, bits) in [
        (0x48b, &[19, 21, 23, 24, 27, 28][..]),
        (0x48f, &[24, 26, 27, 30]),
        (0x490, &[17, 19, 21]),
        (0x480, &[48, 49]),
        (0x485, &[14, 15, 28]),
        (0x483, &[24, 30]),
        (0x484, &[17]),
    ] {
        for bit in bits {
            let found = find(&format!("MSR {msr:#x}[{bit}]"));
            let [Found::MsrBit(at, name)] = found.as_slice() else { panic!("{msr:#x}[{bit}]: {found:?}") };
            let text = found[0].to_string();
            assert!(
                text.contains("  Linux      VMX_FEATURE_") || text.contains("  named by   Intel SDM"),
                "{text}"
            );
            // The name leads back to the MSR that has the control.
            let back = find(name);
            assert!(
                matches!(back.as_slice(), [Found::MsrBit(back, _)] if back.bit == at.bit),
                "{name}: {back:?}"
            );
        }
    }
    for (name, place) in [
        ("VM_EXIT_SAVE_IA32_PERF_GLOBAL_CTRL", "MSR 0x48f[30]"),
        ("VM_ENTRY_PT_CONCEAL_PIP", "MSR 0x490[17]"),
        ("SECONDARY_EXEC_PT_USE_GPA", "MSR 0x48b[24]"),
        ("PT_CONCEAL_VMX", "MSR 0x48b[19]"),
        ("VMX_FEATURE_ENCLV_EXITING", "MSR 0x48b[28]"),
        ("CPU_BASED_USE_TSC_OFFSETTING", "MSR 0x48e[3]"),
        ("VMX_EPT_1GB_PAGE_BIT", "MSR 0x48c[17]"),
        ("VMX_MISC_INTEL_PT", "MSR 0x485[14]"),
    ] {
        let found = find(name);
        assert!(found.iter().any(|one| one.to_string().contains(place)), "{name}: {found:?}");
    }
}

#[test]
fn levels_are_their_features() {
    for (name, count, source) in [
        ("x86-64-v1", 9, "System V ABI"),
        ("X86_64_V3", 25, "System V ABI"),
        ("x86-64-v4", 30, "System V ABI"),
        ("x86-64-v2-AES", 17, "Proxmox VE"),
    ] {
        let found = find(name);
        let [Found::Level(level)] = found.as_slice() else { panic!("{name}: {found:?}") };
        let text = found[0].to_string();
        assert_eq!(level.features().count(), count, "{name}");
        assert!(text.contains(source) && text.contains("  features   lm cmov cx8"), "{text}");
    }
    assert_eq!(find("x86-64-v3 avx512f").len(), 2);
    assert!(find("x86-64-v5").is_empty());
}
