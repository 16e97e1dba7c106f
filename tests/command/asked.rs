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
    for numbers in [0..0x1000, 0x4000_0000..0x4000_0200, 0xc000_0080..0xc000_0110, 0xc001_0000..0xc001_0300_u32] {
        let about = numbers.filter_map(|number| AboutMsr::new(Msr(number))).filter(|about| about.count == 1);
        names.extend(about.map(|about| about.name.to_owned()));
    }
    for release in QemuRelease::ALL {
        names.extend(Feature::all().flat_map(|bit| bit.qemu_names(release)).map(str::to_owned));
        names.extend(MsrFeature::all().flat_map(|bit| bit.qemu_names(release)).map(str::to_owned));
        let hyperv = release.cpu_properties().map(|property| property.name).filter(|name| name.starts_with("hv-"));
        names.extend(hyperv.map(str::to_owned));
    }
    let aliases = include_str!("../../cpuid-tables/naming/aliases.tsv").lines();
    names.extend(aliases.filter(|line| !line.starts_with('#')).filter_map(|line| line.split('\t').next()).map(str::to_owned));
    names.sort();
    names.dedup();
    assert!(names.len() > 1500, "{}", names.len());
    let unknown: Vec<&String> =
        names.iter().filter(|name| asked(name).is_err() && !find(name).is_empty()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn a_recorded_host_answers_for_its_msrs_and_enlightenments() {
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
        let said = "error: `kvmclock` is ambiguous: KVMCLOCK_40000001_EAX_0 at CPUID.(EAX=0x40000001,ECX=0):EAX[0]: no; \
                    KVMCLOCK_40000001_EAX_3 at CPUID.(EAX=0x40000001,ECX=0):EAX[3]: ";
        assert!(ran.err.contains(said), "{command}: {}", ran.err);
        assert!(ran.err.contains("help: select one by its location: 'CPUID.(EAX=0x40000001,ECX=0):EAX[0]' or "), "{}", ran.err);
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
    let flags = "processor\t: 0\nflags\t\t: fpu avx2 pti ept\nvmx flags\t: ept\nbugs\t\t: spectre_v1\n";
    for format in ["text", "json"] {
        let shown = run(&["show", "-", "--format", format], flags).out;
        for (name, code) in [("pti", 0), ("ept", 0), ("spectre_v1", 0), ("avx2", 0), ("avx", 3), ("l1tf", 3)] {
            let ran = run(&["has", name, "-"], &shown);
            assert_eq!(ran.code, Some(code), "{format} {name}: {}{shown}", ran.err);
        }
    }
    let wrong = r#"{"entries":[],"outside":{"no-such":true}}"#;
    let ran = run(&["show", "-"], wrong);
    assert!(ran.code == Some(2) && ran.err.contains("no bit outside CPUID has that name"), "{}", ran.err);
}
