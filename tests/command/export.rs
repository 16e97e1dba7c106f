//! Features as templates of other VMMs: applied to the host, they give exactly the requested features.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

use cpuid_tables::fleet::{ExportError, Template};
use cpuid_tables::guest::{CpuOption, GuestCpuid};
use cpuid_tables::host::Host;
use cpuid_tables::{
    CpuidEntry, CpuidTable, CpuidWord, FeatureSet, Leaf, QemuRelease, Register, Subleaf, feature, find_entry,
};
use serde_json::Value;

use crate::common;
use crate::oracle::hosts;

type TestResult = Result<(), Box<dyn Error>>;

const HOSTS: [&str; 7] =
    ["allamd", "allintel", "amd-half", "amd-most", "intel-half", "intel-most", "intel-nearly"];
const CPUS: [&str; 7] = [
    "qemu64",
    "host",
    "EPYC-Milan-v2",
    "EPYC-Rome,-svm,-avx2",
    "Skylake-Server-v5",
    "SapphireRapids-v2",
    "base,+xsave,+avx",
];

fn host(name: &str) -> Result<Host, Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/hosts");
    Ok(hosts::read(&directory, name).map_err(|failure| failure.to_string())?)
}

/// QEMU's features of a guest on the host.
fn wanted(cpu: &str, host: &Host) -> Result<FeatureSet, Box<dyn Error>> {
    let release = QemuRelease::find("10.0").ok_or("no QEMU 10.0")?;
    let guest = GuestCpuid::builder().release(release).cpu(cpu.parse::<CpuOption>()?).host(host).build()?;
    Ok(guest.table().features())
}

fn features(entries: &[CpuidEntry]) -> FeatureSet {
    let mut features = FeatureSet::new();
    for (word, _) in FeatureSet::ALL.words() {
        let entry = find_entry(entries, word.leaf, word.subleaf);
        let _ = features.set_word(word, entry.map_or(0, |entry| entry.register(word.register)));
    }
    features
}

fn kvm_cpuid(args: &[&str]) -> Result<(String, String, Option<i32>), Box<dyn Error>> {
    let output = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    Ok((String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?, output.status.code()))
}

fn text(value: &Value) -> Result<&str, Box<dyn Error>> {
    value.as_str().ok_or_else(|| format!("{value} is not text").into())
}

fn hexadecimal(value: &Value) -> Result<u32, Box<dyn Error>> {
    let digits = text(value)?.strip_prefix("0x").ok_or("no 0x")?;
    Ok(u32::from_str_radix(digits, 16)?)
}

fn items(value: &Value) -> Result<&Vec<Value>, Box<dyn Error>> {
    value.as_array().ok_or_else(|| format!("{value} is not a list").into())
}

/// Applies a template as Firecracker documents it: in the entry of the same leaf, subleaf and flags, `0` clears a
/// bit, `1` sets it, `x` keeps it. A missing entry is an error.
fn as_firecracker(template: &Value, host: &[CpuidEntry]) -> Result<Vec<CpuidEntry>, Box<dyn Error>> {
    let mut table = host.to_vec();
    for modifier in items(&template["cpuid_modifiers"])? {
        let (leaf, subleaf) = (hexadecimal(&modifier["leaf"])?, hexadecimal(&modifier["subleaf"])?);
        let flags = modifier["flags"].as_u64().ok_or("no flags")?;
        let key = (Leaf(leaf), Subleaf(subleaf), flags);
        let is = |entry: &&mut CpuidEntry| (entry.function, entry.index, u64::from(entry.flags)) == key;
        let entry = table.iter_mut().find(is).ok_or("an entry that the host lacks")?;
        for register in items(&modifier["modifiers"])? {
            let value = &mut entry.registers[text(&register["register"])?.parse()?];
            let digits = text(&register["bitmap"])?.strip_prefix("0b").ok_or("no 0b")?;
            assert_eq!(digits.len(), 32);
            for (bit, digit) in (0..32).rev().zip(digits.chars()) {
                match digit {
                    '0' => *value &= !(1 << bit),
                    '1' => *value |= 1 << bit,
                    'x' => {}
                    _ => return Err(format!("{digit} is not a digit of a bitmap").into()),
                }
            }
        }
    }
    Ok(table)
}

/// Applies a profile as Cloud Hypervisor does: `value & mask | replacements`, and 0 without an adjustment.
fn as_cloud_hypervisor(profile: &Value, host: &[CpuidEntry]) -> Result<Vec<CpuidEntry>, Box<dyn Error>> {
    let mut adjustments: BTreeMap<(u32, u32, String), (u32, u32, u32)> = BTreeMap::new();
    for pair in items(&profile["adjustments"])? {
        let (at, how) = (&pair[0], &pair[1]);
        let range = &at["sub_leaf"];
        let key =
            (hexadecimal(&at["leaf"])?, hexadecimal(&range["start"])?, text(&at["register"])?.to_owned());
        let value =
            (hexadecimal(&range["end"])?, hexadecimal(&how["mask"])?, hexadecimal(&how["replacements"])?);
        assert_eq!(adjustments.insert(key, value), None, "two adjustments of one register");
    }
    let mut table = host.to_vec();
    for entry in &mut table {
        let (leaf, index) = (entry.function.0, entry.index.0);
        for (register, value) in entry.registers.iter_mut() {
            let found = adjustments.iter().find(|((of, start, name), (end, ..))| {
                *of == leaf && *start <= index && index <= *end && name == register.name()
            });
            *value = found.map_or(0, |(_, (_, mask, replacements))| *value & mask | replacements);
        }
    }
    Ok(table)
}

#[test]
fn template_gives_exactly_the_requested_features() -> TestResult {
    if !common::pinned("template_gives_exactly_the_requested_features") {
        return Ok(());
    }
    let specified = Template::features();
    assert!(specified.contains(feature::AVX2) && !specified.contains(feature::HYPERVISOR));
    assert!(!specified.contains(feature::OSXSAVE) && !specified.contains(feature::HT));
    let mut cleared = 0;
    for name in HOSTS {
        let host = host(name)?;
        for cpu in CPUS {
            // QEMU's additional features are in no leaf that the host lacks.
            let wanted = wanted(cpu, &host)?;
            let leaves: FeatureSet = (wanted - features(&host.supported))
                .iter()
                .filter(|feature| find_entry(&host.supported, feature.leaf(), feature.subleaf()).is_none())
                .collect();
            let wanted = wanted - leaves;
            let template = Template::for_guest(&host.supported, wanted);
            let listed = Template::new(&host.supported, wanted & features(&host.supported))?;
            assert_eq!(listed.known, template.known, "{cpu} on {name}");
            let applied = template.apply(&host.supported)?;
            let got = features(&applied);
            assert_eq!(got & specified, wanted & specified, "{cpu} on {name}");
            // Bits left to the VMM are unchanged.
            assert_eq!(got - specified, features(&host.supported) - specified, "{cpu} on {name}");
            cleared += (features(&host.supported) - got).len();
        }
    }
    assert!(cleared > 1000, "{cleared}");
    Ok(())
}

#[test]
fn xsave_follows_from_the_features() -> TestResult {
    if !common::recent("xsave_follows_from_the_features") {
        return Ok(());
    }
    let host = host("allintel")?;
    let set = |features: &[cpuid_tables::Feature]| features.iter().copied().collect::<FeatureSet>();
    let xcr0 = CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Eax);
    let word = |wanted: FeatureSet, word: CpuidWord| -> Result<u32, Box<dyn Error>> {
        let applied = Template::new(&host.supported, wanted)?.apply(&host.supported)?;
        Ok(CpuidTable::from_entries(&applied)?.word(word))
    };
    assert_eq!(word(set(&[feature::XSAVE]), xcr0)?, 3);
    assert_eq!(word(set(&[feature::XSAVE, feature::AVX]), xcr0)?, 7);
    assert_eq!(word(set(&[feature::XSAVE, feature::AVX, feature::AVX512F]), xcr0)?, 0xe7);
    assert_eq!(word(set(&[feature::AVX]), xcr0)?, 0);
    let size = CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Ecx);
    assert_eq!(word(set(&[feature::XSAVE]), size)?, 576);
    assert_eq!(word(set(&[feature::XSAVE, feature::AVX]), size)?, 576 + 256);
    Ok(())
}

#[test]
fn missing_host_feature_is_an_error() -> TestResult {
    let host = host("allamd")?;
    let lacking = FeatureSet::new().with(feature::AVX2).with(feature::CID);
    let mut supported = host.supported.clone();
    for entry in supported.iter_mut().filter(|entry| entry.function == Leaf(1)) {
        *entry.register_mut(Register::Ecx) &= !feature::CID.mask();
    }
    let error = Template::new(&supported, lacking).err();
    assert_eq!(error, Some(ExportError::Lacking(vec![feature::CID])));
    let template = Template::new(&supported, FeatureSet::new().with(feature::AVX2))?;
    let without: Vec<CpuidEntry> =
        supported.iter().copied().filter(|entry| entry.function != Leaf(7)).collect();
    assert_eq!(template.apply(&without).err(), Some(ExportError::NoEntry(Leaf(7), Subleaf(0))));
    Ok(())
}

/// Bits that Firecracker sets after a template, and sizes that KVM updates: leaf, subleaf, register, bits.
const FORCED: [(u32, u32, Register, u32); 5] = [
    (0x1, 0, Register::Ecx, 1 << 24),
    (0x7, 0, Register::Ebx, 1 << 6 | 1 << 13),
    (0xd, 0, Register::Ebx, u32::MAX),
    (0xd, 1, Register::Ebx, u32::MAX),
    (0x8000_0001, 0, Register::Ecx, 1 << 22),
];

fn without_forced(mut entries: Vec<CpuidEntry>) -> Vec<CpuidEntry> {
    for entry in &mut entries {
        let at = (entry.function.0, entry.subleaf().0);
        let here = FORCED.iter().filter(|row| (row.0, row.1) == at);
        here.for_each(|row| *entry.register_mut(row.2) &= !row.3);
    }
    entries
}

/// The forced bits on a processor: those of leaf 7 only on Intel's, that of 0x80000001 only on AMD's.
fn forced_on(host: &str) -> Vec<(u32, u32, u32)> {
    let amd = host.contains("amd");
    let is_here = |leaf: u32| if amd { leaf != 7 } else { leaf != 0x8000_0001 };
    FORCED.iter().filter(|row| is_here(row.0)).map(|row| (row.0, row.1, row.3)).collect()
}

/// Leaf, subleaf and mask.
type Forced = Vec<(u32, u32, u32)>;

/// Those of the forced bits that are `x` in a template.
fn forced(template: &Value) -> Result<Forced, Box<dyn Error>> {
    let mut found = Vec::new();
    for (leaf, subleaf, register, bits) in FORCED {
        let is_here = |entry: &&Value| {
            hexadecimal(&entry["leaf"]).ok() == Some(leaf)
                && hexadecimal(&entry["subleaf"]).ok() == Some(subleaf)
        };
        let entry = items(&template["cpuid_modifiers"])?.iter().find(is_here);
        let name = register.name().to_ascii_lowercase();
        let modifier = entry
            .and_then(|entry| entry["modifiers"].as_array()?.iter().find(|one| one["register"] == *name));
        let bitmap = modifier
            .and_then(|modifier| modifier["bitmap"].as_str())
            .unwrap_or("0bxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        let left =
            bitmap.trim_start_matches("0b").chars().fold(0, |left, bit| left << 1 | u32::from(bit == 'x'));
        if left & bits == bits {
            found.push((leaf, subleaf, bits));
        }
    }
    Ok(found)
}

#[test]
fn both_formats_match_the_library() -> TestResult {
    if !common::pinned("both_formats_match_the_library") {
        return Ok(());
    }
    for (name, cpu) in
        [("allamd", "EPYC-Milan-v2"), ("intel-nearly", "Skylake-Server-v5"), ("amd-most", "host")]
    {
        let host = host(name)?;
        let template = Template::for_guest(&host.supported, wanted(cpu, &host)?);
        let expected = template.apply(&host.supported)?;
        let path = format!("tests/fleet/hosts/{name}");
        let run = |to| kvm_cpuid(&["export", "--format", to, "--host", &path, "--cpu", cpu]);
        let (out, err, code) = run("firecracker")?;
        assert_eq!(code, Some(0), "{err}");
        let firecracker: Value = serde_json::from_str(&out)?;
        let got = as_firecracker(&firecracker, &host.supported)?;
        assert_eq!(without_forced(got), without_forced(expected.clone()), "{cpu} on {name}");
        assert_eq!(forced(&firecracker)?, forced_on(name), "{cpu} on {name}");
        // Only what KVM lists, and what Cloud Hypervisor sets: it refuses a profile with more.
        let listed = features(&host.supported).with(feature::TSC_DEADLINE_TIMER).with(feature::MTRR);
        let template = Template::for_guest(&host.supported, wanted(cpu, &host)? & listed);
        let profile: Value = serde_json::from_str(&run("cloud-hypervisor")?.0)?;
        let expected = template.apply(&host.supported)?;
        assert_eq!(as_cloud_hypervisor(&profile, &host.supported)?, expected, "{cpu} on {name}");
        assert_eq!(profile.as_object().map(|profile| profile.keys().len()), Some(1), "only the adjustments");
    }
    Ok(())
}

/// A host with the MSRs that its KVM saves, as files of its own.
fn with_saved_msrs(name: &str, extra: &str) -> Result<String, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("export-{name}"));
    std::fs::create_dir_all(&folder)?;
    for kind in ["caps", "host", "msrs", "supported"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fleet/hosts/{name}.{kind}"));
        std::fs::write(folder.join(format!("it.{kind}")), std::fs::read(from)?)?;
    }
    std::fs::write(folder.join("it.msr-list"), format!("174\n175\n10a\n{extra}"))?;
    Ok(folder.join("it").display().to_string())
}

/// MSRs of a template or profile, with their values: each bit is given.
fn msr_values(
    list: &Value,
    of: impl Fn(&Value) -> (Value, Value),
) -> Result<BTreeMap<u32, u64>, Box<dyn Error>> {
    let mut found = BTreeMap::new();
    for item in items(list)? {
        let (address, value) = of(item);
        let value = text(&value)?;
        let value = match value.strip_prefix("0b") {
            Some(bits) => u64::from_str_radix(bits, 2)?,
            None => u64::from_str_radix(value.trim_start_matches("0x"), 16)?,
        };
        assert_eq!(found.insert(hexadecimal(&address)?, value), None, "{address} twice");
    }
    Ok(found)
}

#[test]
fn templates_and_profiles_carry_the_msrs_that_the_guest_reads() -> TestResult {
    if !common::pinned("templates_and_profiles_carry_the_msrs_that_the_guest_reads") {
        return Ok(());
    }
    let mut with_secondary = 0;
    for (name, cpu) in [
        ("intel-most", "SapphireRapids-v2,+vmx"),
        ("intel-most", "SapphireRapids-v2,-arch-capabilities,+pdcm"),
        ("allintel", "Skylake-Server-v5"),
        ("allintel", "Skylake-Server-v5,+vmx"),
        ("allamd", "EPYC-Milan-v2"),
    ] {
        let path = with_saved_msrs(name, "48b\n")?;
        let host = host(name)?;
        let release = QemuRelease::find("10.0").ok_or("no QEMU 10.0")?;
        let guest =
            GuestCpuid::builder().release(release).cpu(cpu.parse::<CpuOption>()?).host(&host).build()?;
        let has = |feature| guest.table().features().contains(feature);
        let run = |to: &str| -> Result<Value, Box<dyn Error>> {
            let arguments = ["export", "--format", to, "--host", &path, "--cpu", cpu, "--qemu", "10.0"];
            let (out, err, code) = kvm_cpuid(&arguments)?;
            assert_eq!(code, Some(0), "{err}");
            Ok(serde_json::from_str(&out)?)
        };
        let profile = run("cloud-hypervisor-msrs")?;
        let of_profile =
            msr_values(&profile["adjustments"], |pair| (pair[0].clone(), pair[1]["replacements"].clone()))?;
        assert!(items(&profile["adjustments"])?.iter().all(|pair| pair[1]["mask"] == "0x0"));
        let required = items(&profile["required_msrs"])?.iter().map(hexadecimal);
        let required = required.collect::<Result<Vec<u32>, _>>()?;
        assert!(
            required.is_sorted() && [0x174, 0x175, 0x10a, 0x48b].iter().all(|msr| required.contains(msr))
        );
        assert!(host.msrs.keys().all(|msr| required.contains(&msr.0)), "{required:x?}");

        // What QEMU sets, of the feature MSRs that the guest's CPUID announces.
        let mut expected: BTreeMap<u32, u64> = guest
            .msrs()
            .filter(|msr| host.msrs.contains_key(&msr.msr))
            .map(|msr| (msr.msr.0, msr.value))
            .collect();
        expected.retain(|msr, _| match msr {
            0x10a => has(feature::ARCH_CAPABILITIES),
            0xcf => has(feature::CORE_CAPABILITIES),
            0x345 => has(feature::PDCM),
            0x480..=0x491 => has(feature::VMX),
            _ => true,
        });
        assert_eq!(of_profile, expected, "{cpu} on {name}");
        // KVM on intel-most has no secondary controls.
        let (primary, secondary) = (expected.contains_key(&0x48e), expected.contains_key(&0x48b));
        assert_eq!(primary, has(feature::VMX), "{cpu} on {name}");
        assert_eq!(secondary, has(feature::VMX) && name == "allintel", "{cpu} on {name}");
        with_secondary += usize::from(secondary);

        // Firecracker's guests have no counters.
        expected.remove(&0x345);
        let template = run("firecracker")?;
        let of_template =
            msr_values(&template["msr_modifiers"], |one| (one["addr"].clone(), one["bitmap"].clone()))?;
        assert_eq!(of_template, expected, "{cpu} on {name}");
    }
    assert_eq!(with_secondary, 1);
    let arguments = [
        "export",
        "--format",
        "cloud-hypervisor-msrs",
        "--host",
        "tests/fleet/hosts/allamd",
        "--cpu",
        "EPYC",
    ];
    let (_, err, code) = kvm_cpuid(&arguments)?;
    assert_eq!(code, Some(2));
    assert!(err.contains("does not record which MSRs its KVM saves"), "{err}");
    Ok(())
}

#[test]
fn features_by_name() -> TestResult {
    if !common::recent("features_by_name") {
        return Ok(());
    }
    let run = |features| {
        kvm_cpuid(&[
            "export",
            "--format",
            "firecracker",
            "--host",
            "tests/fleet/hosts/allintel",
            "--features",
            features,
        ])
    };
    let (out, err, code) = run("avx2,X86_FEATURE_AVX,7.0.ebx[3],xsave")?;
    assert_eq!(code, Some(0), "{err}");
    let host = host("allintel")?;
    let got = without_forced(as_firecracker(&serde_json::from_str(&out)?, &host.supported)?);
    let got = features(&got) & Template::features();
    let named = [feature::AVX2, feature::AVX, feature::BMI1, feature::XSAVE];
    assert_eq!(got, named.into_iter().collect::<FeatureSet>());
    let (_, err, code) = run("avx2")?;
    assert_eq!(code, Some(0));
    assert!(err.starts_with("warning: the listed features also need ") && err.contains("avx"), "{err}");
    let (out, err, code) = run("avx3")?;
    assert_eq!((code, &*out), (Some(2), ""));
    assert!(err.contains("avx3"), "{err}");
    assert_eq!(kvm_cpuid(&["export", "--format", "firecracker"])?.2, Some(2));
    Ok(())
}

/// QEMU gives a guest rep movsb's features of the processor, which this KVM does not list: Cloud Hypervisor refuses a profile
/// with them.
#[test]
fn a_profile_has_only_what_kvm_lists() -> TestResult {
    // Which features QEMU adds depends on its release.
    if !common::pinned("a_profile_has_only_what_kvm_lists") {
        return Ok(());
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export-listed");
    std::fs::create_dir_all(&folder)?;
    let text = |leaf_7: &str| {
        format!(
            "0 0 0 7 756e6547 6c65746e 49656e69\n1 0 0 806f8 0 0 789ebfd\n6 0 0 4 0 0 0\n7 0 1 {leaf_7}\n\
             80000000 0 0 80000008 0 0 0\n80000001 0 0 0 0 1 28100800\n80000008 0 0 302e 0 0 0\n"
        )
    };
    std::fs::write(folder.join("it.supported"), text("0 2 0 0"))?;
    std::fs::write(folder.join("it.host"), text("0 202 0 10"))?;
    let path = folder.join("it").display().to_string();
    for (format, leaf_7, left_out) in
        [("cloud-hypervisor", (2, 0), true), ("firecracker", (0x202, 0x10), false)]
    {
        let (out, err, code) = kvm_cpuid(&["export", "--format", format, "--host", &path, "--cpu", "host"])?;
        assert_eq!(code, Some(0), "{err}");
        let what = "Cloud Hypervisor refuses what KVM does not list, and QEMU does not: erms, fsrm";
        assert_eq!(err.contains(what), left_out, "{err}");
        let value: Value = serde_json::from_str(&out)?;
        let supported = hosts::read(&folder, "it").map_err(|failure| failure.to_string())?.supported;
        let apply = if left_out { as_cloud_hypervisor } else { as_firecracker };
        let got = apply(&value, &supported)?;
        let entry = find_entry(&got, Leaf(7), Subleaf(0)).ok_or("no leaf 7")?;
        let (ebx, edx) = (entry.register(Register::Ebx), entry.register(Register::Edx));
        assert_eq!((ebx & 0x202, edx & 0x10), leaf_7, "{format}");
    }
    Ok(())
}
