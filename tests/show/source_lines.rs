//! Lines of source code, properties of QEMU's `-cpu`, and boot messages: what `find` reads them as.

use cpuid_tables::QemuRelease;
use cpuid_tables::show::{Found, find, meanings};

use crate::common;

/// The first line of what is found, one for each.
fn headings(text: &str) -> Vec<String> {
    find(text).iter().map(|found| found.to_string().lines().next().unwrap().to_owned()).collect()
}

/// A line, what it is read as, and the beginnings of what follows.
const LINES: &[(&str, &str, &[&str])] = &[
    (
        "#define X86_FEATURE_AVX2 ( 9*32+ 5)",
        "source code of Linux: X86_FEATURE_AVX2 is 9*32+5",
        &["avx2: CPUID.(EAX=7,ECX=0):EBX[5]"],
    ),
    (
        "arch/x86/include/asm/cpufeatures.h:240:#define X86_FEATURE_XMM3\t\t( 4*32+ 0) /* \"pni\" */",
        "source code of Linux: X86_FEATURE_XMM3 is 4*32+0",
        &["pni: "],
    ),
    ("+#define X86_BUG_MDS X86_BUG(19)", "source code of Linux: X86_BUG_MDS", &["MDS: a bug"]),
    ("F(AVX2)", "source code of KVM: the capabilities AVX2", &["avx2: "]),
    (
        "\tF(FSGSBASE) | SF(SGX1) | 0 /* HLE */ | SCATTERED_F(BMI2),",
        "source code of KVM: the capabilities FSGSBASE SGX1 BMI2",
        &["fsgsbase: ", "sgx1: ", "bmi2: "],
    ),
    ("[FEAT_7_0_EBX] = {", "source code of QEMU: FEAT_7_0_EBX", &["CPUID.(EAX=7,ECX=0):EBX"]),
    ("[FEAT_ARCH_CAPABILITIES] = {", "source code of QEMU: FEAT_ARCH_CAPABILITIES", &["MSR 0x10a: "]),
    ("{ FEAT_7_0_EBX, 5 },", "source code of QEMU: CPUID.(EAX=7,ECX=0):EBX[5]", &["avx2: "]),
    (
        "\"fsgsbase\", \"tsc-adjust\", NULL, \"bmi1\",",
        "source code of C or Rust: fsgsbase tsc-adjust bmi1",
        &["fsgsbase: ", "tsc_adjust: ", "bmi1: "],
    ),
    (
        ".cpuid = { .eax = 7, .needs_ecx = true, .ecx = 1, .reg = R_EAX, },",
        "source code of QEMU: CPUID.(EAX=7,ECX=1):EAX",
        &["CPUID.(EAX=7,ECX=1):EAX"],
    ),
    (
        "if (env->features[FEAT_7_0_EBX] & CPUID_7_0_EBX_AVX2) {",
        "source code of QEMU: FEAT_7_0_EBX CPUID_7_0_EBX_AVX2",
        &["CPUID.(EAX=7,ECX=0):EBX", "avx2: "],
    ),
    ("#define CPUID_7_0_EBX_AVX2 (1U << 5)", "source code of QEMU: CPUID_7_0_EBX_AVX2 is bit 5", &["avx2: "]),
    ("#define bit_AVX2 (1 << 5)", "source code of a C compiler: bit_AVX2 is bit 5", &["avx2: "]),
    (
        "#define KVM_X86_FEATURE_AMX_COMPLEX KVM_X86_FEATURE(CPUID_7_1_EDX, 8)",
        "source code of KVM: KVM_X86_FEATURE_AMX_COMPLEX is CPUID.(EAX=7,ECX=1):EDX[8]",
        &["amx-complex: "],
    ),
    (
        "[CPUID_7_0_EBX] = { 7, 0, CPUID_EBX},",
        "source code of KVM: CPUID_7_0_EBX",
        &["CPUID.(EAX=7,ECX=0):EBX"],
    ),
    (
        "{ X86_FEATURE_APERFMPERF, CPUID_ECX, 0, 0x00000006, 0 },",
        "source code of Linux: X86_FEATURE_APERFMPERF is CPUID.(EAX=6,ECX=0):ECX[0]",
        &["aperfmperf: "],
    ),
    (
        "{ X86_FEATURE_AVX2, X86_FEATURE_AVX, },",
        "source code of Linux: X86_FEATURE_AVX2 needs X86_FEATURE_AVX",
        &["avx2: ", "avx: "],
    ),
    (
        "return guest_cpu_cap_has(vcpu, X86_FEATURE_XSAVES);",
        "source code of Linux: X86_FEATURE_XSAVES",
        &["xsaves: "],
    ),
    ("XEN_CPUFEATURE(AVX2, 5*32+ 5) /*A AVX2 */", "source code of Xen: XEN_CPUFEATURE of AVX2", &["avx2: "]),
    ("DEF_FEATURE(AVX2)", "source code of C or Rust: DEF_FEATURE of AVX2", &["avx2: "]),
    (
        "X86_FEATURE_COMPAT(AVX2, \"avx2\", 6)",
        "source code of C or Rust: X86_FEATURE_COMPAT of AVX2",
        &["avx2: "],
    ),
    ("case X86_FEATURE_AVX2:", "source code of Linux: X86_FEATURE_AVX2", &["avx2: "]),
    ("\tX86_FEATURE_AVX2,", "source code of Linux: X86_FEATURE_AVX2", &["avx2: "]),
    ("#define ARCH_CAP_RDCTL_NO BIT(0)", "source code of Linux: ARCH_CAP_RDCTL_NO is bit 0", &["RDCTL_NO: "]),
    ("{ \"avx2\", 0x00000007, 0, CPUID_REG_EBX, 5 },", "source code of C or Rust: avx2", &["avx2: "]),
    (
        "0x7, 0, ebx, 5, avx2, a text",
        "source code of Linux's cpuid.csv: avx2 is CPUID.(EAX=7,ECX=0):EBX[5]",
        &["avx2: "],
    ),
    (
        "DEFINE_PROP_BOOL(\"host-phys-bits\", X86CPU, host_phys_bits, false),",
        "source code of C or Rust: host-phys-bits",
        &["host-phys-bits: "],
    ),
    ("let avx2 = feature::AVX2;", "source code of C or Rust: AVX2", &["avx2: "]),
    (
        "cpuid.get_feature_info().map_or(false, |f| f.has_sse42())",
        "source code of C or Rust: sse42",
        &["sse4_2: "],
    ),
    ("is_x86_feature_detected!(\"avx512f\")", "source code of C or Rust: avx512f", &["avx512f: "]),
    ("#[target_feature(enable = \"avx2,fma\")]", "source code of C or Rust: avx2 fma", &["avx2: ", "fma: "]),
    (
        "cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);",
        "source code of C or Rust: CPUID.(EAX=7,ECX=0)",
        &["0x00000007.0: "],
    ),
];

#[test]
fn lines_of_source_code_are_read() {
    if !common::pinned("lines_of_source_code_are_read") {
        return;
    }
    for (line, read, expected) in LINES {
        let found = headings(line);
        assert_eq!(found.first().map(String::as_str), Some(*read), "{line}: {found:?}");
        assert_eq!(found.len(), expected.len() + 1, "{line}: {found:?}");
        let starts = found[1..].iter().zip(*expected).all(|(found, start)| found.starts_with(start));
        assert!(starts, "{line}: {found:?}");
        let meant = meanings(line);
        assert!(meant.unknown.is_empty(), "{line}: {:?}", meant.unknown);
        let Found::Source(source) = &meant.found[0] else { panic!("{line}") };
        assert_eq!(source.note, None, "{line}");
    }
}

#[test]
fn a_definition_at_another_place_has_a_note() {
    if !common::pinned("a_definition_at_another_place_has_a_note") {
        return;
    }
    for (line, note, unknown) in [
        ("#define X86_FEATURE_AVX2 (9*32+6)", "no release here has X86_FEATURE_AVX2 at 9*32+6", ""),
        (
            "#define X86_FEATURE_NO_SUCH (9*32+5)",
            "no release here has X86_FEATURE_NO_SUCH; at 9*32+5",
            "X86_FEATURE_NO_SUCH",
        ),
        ("#define CPUID_7_0_EBX_AVX2 (1U << 6)", "avx2 is bit 5", ""),
        (
            "{ X86_FEATURE_APERFMPERF, CPUID_ECX, 3, 0x00000006, 0 },",
            "no release here has X86_FEATURE_APERFMPERF at",
            "",
        ),
        ("{ X86_FEATURE_AVX, X86_FEATURE_AVX2 },", "no release here has this dependency", ""),
    ] {
        let meant = meanings(line);
        let Found::Source(source) = &meant.found[0] else { panic!("{line}: {meant:?}") };
        let found = source.note.as_deref().unwrap_or_default();
        assert!(found.starts_with(note), "{line}: {found}");
        assert_eq!(meant.unknown.join(" "), unknown, "{line}");
    }
    assert_eq!(meanings("F(NO_SUCH) | F(AVX2)").unknown, ["NO_SUCH"]);
}

#[test]
fn text_that_is_not_source_code_is_not_read_as_such() {
    for text in
        ["a (b) {c}", "f(x) | g(y)", "#define A 5", "\"a\": \"b\"", "#define", "(", "cpuid(", "F(", "é(\"é"]
    {
        assert!(find(text).is_empty(), "{text}: {:?}", find(text));
    }
}

#[test]
fn properties_of_cpu_are_explained() {
    if !common::pinned("properties_of_cpu_are_explained") {
        return;
    }
    for name in
        ["host-phys-bits", "host_phys_bits", "migratable", "kvm", "pmu", "l3-cache", "host-cache-info"]
    {
        let found = headings(name);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].ends_with(": a property of QEMU's -cpu, not a feature"), "{found:?}");
    }
    let text = find("x-vendor-cpuid-only-v2")[0].to_string();
    assert!(text.contains("  QEMU       bool, default on; 10.2.2 to 11.1.3"), "{text}");
    // Every property of every release, by its name.
    for release in QemuRelease::ALL {
        for property in release.cpu_properties() {
            assert!(!find(property.name).is_empty(), "{}", property.name);
        }
    }
    // A field of that name, and the property.
    assert!(find("stepping").iter().any(|one| matches!(one, Found::Property(_))));
    let names = |found: &[String]| {
        found.iter().map(|one| one.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let found = headings("-cpu host,pmu=off,+avx2,host-phys-bits=on");
    assert_eq!(names(&found), ["pmu", "avx2", "host-phys-bits"]);
    let line =
        "can't apply global host-x86_64-cpu.migratable=on: Property 'host-x86_64-cpu.migratable' not found";
    assert!(names(&headings(line)).contains(&"migratable".to_owned()), "{:?}", headings(line));
}
