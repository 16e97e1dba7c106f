//! What operators collect: complete lists of Linux's flags, folders with other files in them, and lines of logs.

use std::fs;
use std::path::PathBuf;

use cpuid_tables::{Bit, Feature, Msr, MsrFeature, QemuRelease};
use serde_json::Value;

use crate::common;
use crate::instrument::run;

/// Flags that both lists below have.
const COMMON: &str = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 \
    syscall nx mmxext fxsr_opt pdpe1gb rdtscp lm constant_tsc rep_good nopl nonstop_tsc cpuid extd_apicid aperfmperf rapl \
    pni pclmulqdq monitor ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c rdrand lahf_lm cmp_legacy svm extapic \
    cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw topoext perfctr_core perfctr_nb cpb hw_pstate vmmcall fsgsbase bmi1 \
    avx2 smep bmi2 cqm rdt_a rdseed adx smap clflushopt clwb sha_ni xsaveopt xsavec xgetbv1 xsaves clzero irperf xsaveerptr \
    rdpru wbnoinvd arat npt lbrv nrip_save tsc_scale umip rdpid overflow_recov succor smca";

/// A processor's text with further flags, as Linux prints it.
fn cpuinfo(family: u32, model: u32, more: &str) -> String {
    format!(
        "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: {family}\nmodel\t\t: {model}\nstepping\t: 0\n\
         flags\t\t: {COMMON} {more}\nbugs\t\t: spectre_v1\nbogomips\t: 4000.00\n\n"
    )
}

fn older() -> String {
    cpuinfo(23, 49, "ssbd ibrs ibpb stibp")
}

fn newer() -> String {
    cpuinfo(25, 1, "ssbd ibrs ibpb stibp pcid erms invpcid pku ospke vaes vpclmulqdq fsrm")
}

/// A folder of the test's own.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn what_a_complete_list_of_flags_lacks_is_off() {
    if !common::pinned("what_a_complete_list_of_flags_lacks_is_off") {
        return;
    }
    for (feature, code) in [
        ("avx2", 0),
        ("avx512f", 1),
        ("pcid", 1),
        // Flags of Linux's own stand for these.
        ("ibpb", 0),
        ("amd-stibp", 0),
        // Before family 0x19 `ssbd` can be another register.
        ("amd-ssbd", 3),
        // Linux has no flag for it, or does not list it whenever it is there.
        ("svme-addr-chk", 3),
        ("la57", 3),
        ("ht", 3),
    ] {
        assert_eq!(run(&["has", feature, "-"], &older()).code, Some(code), "{feature}");
    }
    assert_eq!(run(&["has", "amd-ssbd", "-"], &newer()).code, Some(0));
    // A paste may have lost its end, and an excerpt states only what it has.
    let line = format!("flags\t\t: {COMMON}\n");
    assert_eq!(run(&["has", "avx512f", "-"], &line).code, Some(3));
    let excerpt = "processor\t: 0\nflags\t\t: fpu sse2 avx\nbogomips\t: 4000.00\n";
    assert_eq!(run(&["has", "avx512f", "-"], excerpt).code, Some(3));
    let wrapped = older().replace(" npt", "\n npt");
    assert_eq!(run(&["has", "avx512f", "-"], &wrapped).code, Some(3));
    // A hypervisor can give its guest either vendor's bits.
    let guest = cpuinfo(25, 1, "hypervisor ssbd ibrs ibpb stibp");
    assert_eq!(run(&["has", "amd-stibp", "-"], &guest).code, Some(3));
    let lscpu = format!(
        "Architecture: x86_64\nVendor ID: AuthenticAMD\nCPU family: 25\nFlags: {COMMON}\nNUMA node(s): 1\n"
    );
    assert_eq!(run(&["has", "avx512f", "-"], &lscpu).code, Some(1));
}

#[test]
fn a_move_between_complete_lists_has_an_answer() {
    if !common::pinned("a_move_between_complete_lists_has_an_answer") {
        return;
    }
    let folder = folder("operator-lists");
    fs::write(folder.join("older"), older()).unwrap();
    fs::write(folder.join("newer"), newer()).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let ran = run(&["baseline", &path("older"), &path("newer")], "");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let (_, lacking) = ran.out.split_once("Some host states that it lacks").unwrap();
    for name in ["pcid", "erms", "invpcid", "pku", "vaes", "vpclmulqdq", "fsrm"] {
        assert!(lacking.split_whitespace().any(|word| word == name), "{name}: {}", ran.out);
    }
    assert!(!ran.out.contains("avx512f") && ran.out.contains("model:   EPYC-Rome"), "{}", ran.out);
    // Of a newer model one feature is not stated, which is said.
    let ran = run(&["baseline", &path("newer")], "");
    assert!(ran.out.contains("not stated by every host: "), "{}", ran.out);
    let json = run(&["baseline", &path("newer"), "--format", "json"], "");
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert!(json["models"].as_array().unwrap().iter().any(|model| model == "EPYC-Milan-v1"), "{json}");
}

#[test]
fn a_folder_of_hosts_may_have_other_files() {
    if !common::pinned("a_folder_of_hosts_may_have_other_files") {
        return;
    }
    let folder = folder("operator-folder");
    fs::copy("tests/show/processors/milan.entries", folder.join("milan.entries")).unwrap();
    fs::write(folder.join("NOTES"), "Collected before the move.\n").unwrap();
    for (name, begin, unpack) in [
        ("a.gz", &b"\x1f\x8b\x08\x00\x11"[..], "gunzip -c"),
        ("b.xz", b"\xfd7zXZ\x00\x00\x04", "xz -dc"),
        ("c.zst", b"\x28\xb5\x2f\xfd\x04\x88\x09", "zstd -dc"),
        ("d.bz2", b"BZh91AY&SY", "bzip2 -dc"),
    ] {
        let path = folder.join(name);
        fs::write(&path, begin).unwrap();
        let ran = run(&["show", path.to_str().unwrap()], "");
        assert_eq!(ran.code, Some(2), "{name}");
        assert!(ran.err.contains(unpack), "{name}: {}", ran.err);
    }
    let ran = run(&["baseline", folder.to_str().unwrap()], "");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.starts_with("1 host"), "{}", ran.out);
    for name in ["NOTES", "a.gz", "b.xz", "c.zst", "d.bz2"] {
        assert!(ran.err.contains(&format!("{name}: not recognised")), "{name}: {}", ran.err);
    }
    // A file that is named is wanted.
    let ran =
        run(&["baseline", "tests/show/processors/milan.entries", folder.join("NOTES").to_str().unwrap()], "");
    assert_eq!(ran.code, Some(2));
}

#[test]
fn find_says_what_to_do_about_a_failed_start() {
    if !common::pinned("find_says_what_to_do_about_a_failed_start") {
        return;
    }
    for (line, says) in [
        ("kvm: Host doesn't support requested features", "kvm-cpuid models"),
        ("qemu-system-x86_64: TCG doesn't support requested features", "-accel kvm"),
        (
            "This family of AMD CPU doesn't support hyperthreading(4). Please configure -smp options properly",
            "topoext: CPUID.(EAX=0x80000001,ECX=0):ECX[22]",
        ),
        ("warning: Host physical bits (39) does not match phys-bits property (42)", "smallest width"),
        ("phys-bits should be between 32 and 52  (but is 54)", "host-phys-bits=on"),
        ("Address space limit 0xfffffffff < 0x1bfffffffff phys-bits too low (36)", "a larger phys-bits="),
        ("Putting registers after init: Failed to set XSAVE: Invalid argument", "diff --migrate"),
        ("Unacceptable CPU info: CPU doesn't have compatibility.", "cpu_mode=custom"),
        ("error: failed to set MSR 0x48b to 0x1378ff00000000", "-vmx"),
        ("error: failed to set MSR 0x491 to 0x1", "-vmx"),
        ("error: failed to set MSR 0x48 to 0x1", "-spec-ctrl"),
        ("qemu: error: failed to set MSR 0x38f to 0x7000000ff", "pmu=off"),
        ("error: failed to set MSR 0xe1 to 0x0", "-waitpkg"),
        ("error: failed to set MSR 0x10a to 0xffe", "-arch-capabilities"),
        ("error: failed to set MSR 0x3a to 0x5", "lower model"),
        ("error: failed to get MSR 0x10a", "update the host's kernel"),
        ("Host CPU does not provide required features: hle, rtm, avx2", "noTSX"),
        ("unsupported configuration: Host CPU does not provide required features: fma", "kvm-cpuid models"),
    ] {
        let ran = run(&["find", line], "");
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.err);
        let joined = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(says) && joined.contains(" do "), "{line}: {}", ran.out);
    }
    // What the line names is explained as before.
    let ran = run(&["find", "error: failed to set MSR 0x48b to 0x1378ff00000000"], "");
    assert!(ran.out.contains("MSR 0x48b = 0x1378ff00000000"), "{}", ran.out);
}

#[path = "../../cpuid-tables/cli/written_cpu.rs"]
#[allow(dead_code, reason = "the command writes the CPUs, and the test has the names")]
mod written_cpu;

/// What is written for libvirt has its names, as its facts have them.
#[test]
fn features_for_libvirt_have_its_names() {
    if !common::pinned("features_for_libvirt_have_its_names") {
        return;
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let facts = fs::read_to_string(root.join("upstream/libvirt-11.3.tsv")).unwrap();
    let mut differing = 0;
    for row in facts.lines().filter_map(|line| line.strip_prefix("witness-bit\t")) {
        let columns: Vec<&str> = row.split('\t').collect();
        let place = match columns.as_slice() {
            [_, "cpuid", leaf, subleaf, register, bit] => {
                let text = format!("CPUID.(EAX={leaf},ECX={subleaf}):{register}[{bit}]");
                let Some(feature) = text.parse().ok().and_then(Feature::at) else { continue };
                feature.qemu_name(QemuRelease::NEWEST)
            }
            [_, "msr", msr, bit] => {
                let Some(msr) = u32::from_str_radix(msr.trim_start_matches("0x"), 16).ok() else { continue };
                let at = Msr(msr).bit(Bit(bit.parse().unwrap()));
                MsrFeature::at(at).and_then(|feature| feature.qemu_name(QemuRelease::NEWEST))
            }
            other => panic!("{other:?}"),
        };
        let Some(qemu) = place else { continue };
        // libvirt has two names for some bits.
        let others: Vec<&str> = facts
            .lines()
            .filter_map(|line| line.strip_prefix("witness-bit\t")?.split_once('\t'))
            .filter(|(_, at)| *at == row.split_once('\t').unwrap().1)
            .map(|(name, _)| name)
            .collect();
        // QEMU gives two bits one name, of which libvirt has that of the other bit.
        let named = written_cpu::in_libvirt(qemu);
        let of_another = facts.contains(&format!("witness-bit\t{named}\t"));
        assert!(others.contains(&named) || of_another, "{qemu}: {others:?}");
        differing += usize::from(written_cpu::in_libvirt(qemu) != qemu);
    }
    assert!(differing >= written_cpu::LIBVIRT_NAMES.len(), "a row is not needed: {differing}");
}
