//! `kvm-cpuid find` on messages of clouds, other hypervisors and programs, each with a word of the answer.

use crate::common;
use crate::instrument::run;

#[test]
fn messages_of_clouds_and_other_hypervisors() {
    if !common::pinned("messages_of_clouds_and_other_hypervisors") {
        return;
    }
    for (line, expected) in [
        (
            "reason:Live migration failed virError(Message=''operation failed: guest CPU doesn''t match specification: \
             missing features: vmx-vmfunc,fsrm'')",
            "fsrm:",
        ),
        (
            "MigrationPreCheckError: Unacceptable CPU info: CPU doesn't have compatibility.",
            "kvm-cpuid diff --migrate",
        ),
        (
            "0 Refer to http://libvirt.org/html/libvirt-libvirt-host.html#virCPUCompareResult",
            "0 incompatible",
        ),
        ("VM last booted on a host which had a CPU from a different vendor.", "two vendors"),
        ("VM last booted on a CPU with features this host's CPU does not have.", "kvm-cpuid baseline"),
        ("wsl: Nested virtualization is not supported on this machine.", "nestedVirtualization=true"),
        ("INFO: Your CPU does not support KVM extensions", "svm:"),
        ("KVM acceleration can NOT be used", "vmx:"),
        ("[    0.4] KVM: vmx: using Hyper-V Enlightened VMCS", "hv-evmcs"),
        ("CPUID details: incompatibility at level 0x1 register 'ecx'.", "CPUID.(EAX=1,ECX=0):ECX\n"),
        ("com.vmware.vim.vmfeature.cpuid.pcid", "pcid:"),
        ("vmx - FeatureCompat: Capability Found: cpuid.avx2 = 0x1", "avx2:"),
        ("Feature 'cpuid.fma' was absent, but must be present.", "fma:"),
        ("The target host does not support the virtual machine's current hardware requirements.", "EVC"),
        ("unsupported configuration: Target CPU vendor AMD does not match source Intel", "another vendor"),
        ("unsupported configuration: Target CPU feature count 11 does not match source 12", "--migratable"),
        ("Host CPU type is not compatible with Cluster Properties.", "oVirt"),
        (
            "Host n1 does not satisfy minimal CPU level requirements. CPU is missing the following flags: ssbd, md_clear",
            "md_clear:",
        ),
        ("is using processor-specific features not supported on physical computer 'H2'.", "Set-VMProcessor"),
        ("NumPy was built with baseline optimizations: (X86_V2) but your machine doesn't support", "sse4_2"),
        ("warn: CPU lacks AVX support, strange crashes may occur.", "avx:"),
        ("Property 'Broadwell-x86_64-cpu.avx10' not found", "no property of that name"),
        ("x86/cpu: SGX disabled or unsupported by BIOS.", "IA32_FEATURE_CONTROL"),
        ("warning: This family of AMD CPU doesn't support hyperthreading(2)", "+topoext"),
        ("kvm: Failed to put registers after init: Invalid argument", "kvm-cpuid check"),
        (
            "Detected incompatible CPUID entry: leaf=0x07 (subleaf=0x00), register='EBX', compatible_check='BitwiseSubset', \
             source VM feature='0x21', destination VM feature='0x01'.",
            "avx2:",
        ),
        ("Host CPU vendor ID differs from the snapshotted one", "Firecracker"),
        ("Template changes a CPUID entry not supported by KVM: Leaf: 1f, Subleaf: 0", "take the leaf out"),
        ("Requested operation is not valid: domain has CPU feature: invtsc", "timer name='tsc'"),
        (
            "Requested TSC frequency 2593 Hz does not match host (2400 Hz) and TSC scaling is not supported",
            "tsc_scale:",
        ),
        (
            "'hv-passthrough' CPU flag prevents migration, use explicit set of hv-* flags instead",
            "each enlightenment",
        ),
        ("Nested VMX virtualization does not support live migration yet", "KVM_CAP_NESTED_STATE"),
        ("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector", "nodeSelector"),
        ("qemu: phys-bits should be between 32 and 39  (but is 46)", "host-phys-bits-limit"),
        ("warning: Host physical bits (39) does not match phys-bits property (40)", "smallest width"),
        ("Address space limit 0xffffffff < 0x23fffffff phys-bits too low (32)", "PCI window"),
        (
            "CPU mode 'host-passthrough' for x86_64 qemu domain on x86_64 host is not supported by hypervisor",
            "type='kvm'",
        ),
        ("kvm_amd: TSC scaling supported", "tsc_scale:"),
        ("KVM_GET_SUPPORTED_CPUID failed: Argument list too long", "make it larger"),
        ("KVM_SET_CPUID2 failed: E2BIG", "256"),
    ] {
        let ran = run(&["find", line], "");
        assert_eq!(ran.code, Some(0), "{line}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(expected), "{line}: {}", ran.out);
    }
}

/// Messages about Hyper-V's enlightenments, properties of `-cpu`, and flags that Linux turns off; each with words of the answer.
const ENLIGHTENMENTS_AND_FLAGS: &[(&str, &[&str])] = &[
    (
        "qemu-kvm: Hyper-V synthetic timers (hv-stimer) requires Hyper-V clocksources (hv-time)",
        &["needs another one", "\nhv-stimer:", "\nhv-time:"],
    ),
    (
        "Hyper-V clocksources (requested by 'hv-time' cpu flag) is not supported by kernel",
        &["CONFIG_KVM_HYPERV", "\nhv-time:"],
    ),
    ("eVMCS version range [1..1] is not supported by kernel (supported: [2..2])", &["hv-evmcs:"]),
    ("qemu-kvm: failed to turn on HyperV SynIC in KVM: Invalid argument", &["hv-synic:"]),
    ("qemu-kvm: failed to enable KVM_CAP_HYPERV_ENFORCE_CPUID: Invalid argument", &["hv-enforce-cpuid:"]),
    ("kernel's vp_index != QEMU's vp_index", &["hv-vpindex:"]),
    ("unsupported configuration: host doesn't support hyperv 'relaxed' feature", &["hv-relaxed:"]),
    (
        "unsupported configuration: host doesn't support hyperv stimer 'direct' feature",
        &["hv-stimer-direct:"],
    ),
    ("Hyper-V: privilege flags low 0x2e7f, high 0x3b8030, hints 0x24e24, misc 0xbed7b2", &["reference_tsc"]),
    (
        "x86 CPU feature dependency check failure: CPU0 has 'avx512_fp16' enabled but 'avx512bw' disabled. Kernel might be fine.",
        &["`kvm-cpuid check`", "\navx512_fp16:", "\navx512bw:"],
    ),
    ("CPU: CPU feature dca disabled, no CPUID level 0x9", &["highest leaf", "\ndca:"]),
    ("clearcpuid: force-disabling CPU feature flag: avx2", &["clearcpuid=", "\navx2:"]),
    ("clearcpuid: force-disabling CPU feature flag: 9:5", &["clearcpuid=", "9*32+5 of Linux 7.3.4"]),
    ("Clearing CPUID bits: avx512f", &["clearcpuid=", "\navx512f:"]),
    ("x86/fpu: Supporting XSAVE feature 0x004: 'AVX registers'", &["CPUID.(EAX=0xD,ECX=0):EAX"]),
    ("x86/cpu: User Mode Instruction Prevention (UMIP) activated", &["umip:"]),
    ("host doesn't support requested feature: vPMU", &["enable_pmu=1", "\npmu:"]),
    ("vPMU: the lbr-fmt value (0x5) does not match the host value (0x0).", &["lbr-fmt:"]),
    ("guest-phys-bits should be between 32 and 46  (but is 48)", &["guest-phys-bits:"]),
    ("CPU model 'qemu64' doesn't support legacy-cache=off", &["legacy-cache:"]),
    ("x-vendor-cpuid-only-v2 property depends on x-vendor-cpuid-only", &["x-vendor-cpuid-only:"]),
    ("warning: prctl(ARCH_REQ_XCOMP_GUEST_PERM) failure for feature bit 18", &["amx_tile:"]),
];

#[test]
fn messages_of_enlightenments_properties_and_flags() {
    if !common::pinned("messages_of_enlightenments_properties_and_flags") {
        return;
    }
    for (line, expected) in ENLIGHTENMENTS_AND_FLAGS {
        let ran = run(&["find", line], "");
        assert_eq!(ran.code, Some(0), "{line}: {}{}", ran.out, ran.err);
        assert!(ran.out.starts_with("message of "), "{line}: {}", ran.out);
        assert!(expected.iter().all(|part| ran.out.contains(part)), "{line}: {}", ran.out);
    }
    let ran = run(&["find", "-cpu host,pmu=off"], "");
    assert!(ran.out.starts_with("pmu: a property of QEMU's -cpu"), "{}{}", ran.out, ran.err);
    // A line of a patch is not an option.
    let ran = run(&["find", "-\tF(AVX2),"], "");
    assert!(ran.out.starts_with("source code of KVM"), "{}{}", ran.out, ran.err);
    let ran = run(&["find", "host-phy-bits"], "");
    assert!(ran.err.contains("did you mean host-phys-bits"), "{}", ran.err);
    let ran = run(&["has", "host-phys-bits", "-"], "");
    assert!(ran.code == Some(2) && ran.err.contains("a property of QEMU's -cpu"), "{}", ran.err);
    for (line, kind) in [("F(AVX2)", "source-line"), ("pmu", "property")] {
        let ran = run(&["find", line, "--format", "json"], "");
        let value: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(value["found"][0]["kind"], kind, "{}", ran.out);
    }
}
