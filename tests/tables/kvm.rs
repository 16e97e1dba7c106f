//! KVM's treatment of each feature against the rows of the pinned facts, and the first release that knows it.

use std::collections::BTreeMap;
use std::error::Error;

use cpuid_tables::{Feature, KvmTreatment, LinuxRelease, MsrFeature, Named, QemuRelease, feature, lookup};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

/// The pinned facts.
const LINUX: [&str; 3] = ["linux-6.1", "linux-6.12", "linux-7.3"];

fn linux(series: &str) -> Result<LinuxRelease, Box<dyn Error>> {
    LinuxRelease::find(series).ok_or_else(|| format!("no Linux {series}").into())
}

/// The expected treatment for the kinds of a feature's rows, computed differently than in the generator.
fn expected(kinds: &[&str], kvm_has_a_word: bool) -> KvmTreatment {
    let sorted = |kinds: &[&str]| {
        let mut kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        // These kinds add nothing for a bit that a list names.
        kinds.retain(|kind| kind != "clear" && kind != "ALIASED_1_EDX_F");
        kinds.join("+")
    };
    match sorted(kinds).as_str() {
        "" if kvm_has_a_word => KvmTreatment::NotAdvertised,
        "" => KvmTreatment::Unknown,
        "F" | "SF" | "SCATTERED_F" => KvmTreatment::Host,
        "X86_64_F" => KvmTreatment::Host64,
        "EMULATED_F" => KvmTreatment::Emulated,
        "SYNTHESIZED_F" => KvmTreatment::Synthesized,
        "PASSTHROUGH_F" => KvmTreatment::Passthrough,
        "VENDOR_F" => KvmTreatment::Vendor,
        "RUNTIME_F" => KvmTreatment::Runtime,
        with_a_call if with_a_call.split('+').any(|kind| kind == "set") => KvmTreatment::Conditional,
        other => panic!("{other}: no pinned release had this"),
    }
}

#[test]
fn every_treatment_matches_the_rows() -> TestResult {
    if !common::pinned("every_treatment_matches_the_rows") {
        return Ok(());
    }
    for text in LINUX.map(common::facts) {
        let rows = || text.lines().map(|line| line.split('\t').collect::<Vec<&str>>());
        let name = rows().find(|row| row[0] == "linux-release").ok_or("no release")?[1];
        let release = linux(name)?;
        let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in rows().filter(|row| row[0] == "kvm-cap") {
            kinds.entry(row[3]).or_default().push(row[2]);
        }
        let mut modules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in rows().filter(|row| row[0] == "kvm-module") {
            modules.entry(row[3]).or_default().push(row[2]);
        }
        let mut checked = 0;
        for bit in Feature::all() {
            let Some(name) = bit.linux_macro(release) else { continue };
            // 6.1 has MBA at two locations, one of them in a word of KVM's.
            let named = kinds.get(name).map_or(&[][..], Vec::as_slice);
            let has_word = bit.kvm_word(release).is_some();
            let actions = modules.get(name).map_or(&[][..], Vec::as_slice);
            let of_lists = expected(named, has_word);
            let treatment = match of_lists {
                KvmTreatment::Unknown | KvmTreatment::NotAdvertised | KvmTreatment::Runtime
                    if actions.iter().any(|action| *action != "clear") =>
                {
                    KvmTreatment::Vendor
                }
                KvmTreatment::Emulated if actions.contains(&"clear") => KvmTreatment::Conditional,
                KvmTreatment::Host | KvmTreatment::Passthrough if actions.contains(&"set") => {
                    KvmTreatment::Conditional
                }
                other => other,
            };
            assert_eq!(bit.kvm(release), treatment, "{bit} in {release}");
            checked += 1;
        }
        assert!(checked > 200, "{checked}");
    }
    Ok(())
}

#[test]
fn known_treatments() -> TestResult {
    if !common::pinned("known_treatments") {
        return Ok(());
    }
    let (old, new) = (linux("6.1")?, linux("7.3")?);
    assert_eq!(feature::X2APIC.kvm(new), KvmTreatment::Emulated);
    assert_eq!(feature::X2APIC.kvm(old), KvmTreatment::Conditional);
    assert_eq!(feature::LA57.kvm(new), KvmTreatment::Passthrough);
    assert_eq!(feature::LM.kvm(new), KvmTreatment::Host64);
    assert_eq!(feature::SRSO_NO.kvm(new), KvmTreatment::Synthesized);
    assert_eq!((feature::SVM.kvm(new), feature::SVM.kvm(old)), (KvmTreatment::Vendor, KvmTreatment::Vendor));
    assert_eq!(feature::UMIP.kvm(new), KvmTreatment::Conditional, "kvm_intel can emulate it");
    assert_eq!(feature::OSXSAVE.kvm(new), KvmTreatment::Runtime);
    assert_eq!(feature::PKU.kvm(new), KvmTreatment::Host, "which a call may withdraw");
    assert_eq!(feature::FPU.kvm(new), KvmTreatment::Host, "in 1.EDX, and AMD's copy of it");
    assert_eq!(feature::SPEC_CTRL.kvm(new), KvmTreatment::Conditional);
    assert!(KvmTreatment::ALL.is_sorted());
    let shown: Vec<String> = KvmTreatment::ALL.iter().map(ToString::to_string).collect();
    assert!(shown.iter().all(|text| shown.iter().filter(|other| *other == text).count() == 1));
    Ok(())
}

#[test]
fn releases_since_when() -> TestResult {
    if !common::pinned("releases_since_when") {
        return Ok(());
    }
    for bit in Feature::all() {
        assert!(
            bit.linux_releases()
                .eq(LinuxRelease::ALL.into_iter().filter(|release| bit.known_to_linux(*release)))
        );
        assert!(bit.qemu_releases().all(|release| bit.qemu_name(release).is_some()));
        assert!(bit.linux_releases().next().is_some() || bit.qemu_releases().next().is_some(), "{bit}");
    }
    assert!(MsrFeature::all().all(|bit| bit.qemu_releases().next().is_some()));
    assert_eq!(feature::AVX10.qemu_releases().next(), QemuRelease::find("10.0"));
    assert_eq!(feature::AVX10.qemu_releases().next_back(), Some(QemuRelease::NEWEST));
    assert_eq!(feature::FRED.linux_releases().next(), Some(linux("6.12")?));
    assert_eq!(
        feature::LFENCE_RDTSC.kvm_releases().next(),
        Some(linux("6.1")?),
        "by its number, without a macro"
    );
    Ok(())
}

/// The rules of vendor modules are the rows, one for one, and name the parameters of their release.
#[test]
fn modules_match_the_rows() -> TestResult {
    if !common::pinned("modules_match_the_rows") {
        return Ok(());
    }
    for text in LINUX.map(common::facts) {
        let rows = || text.lines().map(|line| line.split('\t').collect::<Vec<&str>>());
        let release = linux(rows().find(|row| row[0] == "linux-release").ok_or("no release")?[1])?;
        let mut checked = 0;
        for bit in Feature::all() {
            let Some(name) = bit.linux_macro(release) else { continue };
            let stated = rows().filter(|row| row[0] == "kvm-module" && row[3] == name);
            let stated: Vec<_> = stated.map(|row| (row[1], row[2], row[4])).collect();
            let own = bit.kvm_modules(release);
            let own: Vec<_> = own
                .map(|rule| (rule.module.name(), rule.action.name(), rule.condition.unwrap_or("-")))
                .collect();
            assert_eq!(own, stated, "{bit} in {release}");
            checked += own.len();
        }
        assert!(checked > 30, "{release}: {checked}");
        let parameters: Vec<_> = release.kvm_parameters().collect();
        assert_eq!(parameters.len(), rows().filter(|row| row[0] == "kvm-param").count());
        for parameter in parameters {
            let users = Feature::all()
                .flat_map(|bit| bit.kvm_modules(release))
                .filter(|rule| rule.depends_on(&parameter));
            assert!(users.count() > 0, "{parameter} in {release}");
        }
    }
    let npt: Vec<String> = feature::NPT.kvm_modules(linux("6.1")?).map(|rule| rule.to_string()).collect();
    assert_eq!(npt, ["kvm_amd advertises it if kvm_amd.nested && kvm_amd.npt"]);
    let nested = linux("6.1")?.kvm_parameters().find(|one| one.name == "npt").ok_or("no npt")?;
    assert_eq!(nested.to_string(), "kvm_amd.npt=true");
    Ok(())
}

#[test]
fn bits_of_kvm_s_own_leaf_have_linux_s_macros() {
    if !common::pinned("bits_of_kvm_s_own_leaf_have_linux_s_macros") {
        return;
    }
    let newest = LinuxRelease::NEWEST;
    for (name, feature) in [
        ("KVM_FEATURE_STEAL_TIME", feature::KVM_FEATURE_STEAL_TIME),
        ("kvm_feature_clocksource2", feature::KVM_FEATURE_CLOCKSOURCE2),
        ("KVM_HINTS_REALTIME", feature::KVM_HINTS_REALTIME),
        // QEMU has no name for these.
        ("KVM_FEATURE_HC_MAP_GPA_RANGE", feature::KVM_FEATURE_HC_MAP_GPA_RANGE),
        ("KVM_FEATURE_MIGRATION_CONTROL", feature::KVM_FEATURE_MIGRATION_CONTROL),
    ] {
        assert_eq!(lookup(name), Ok(Named::Feature(feature)));
        assert!(feature.linux_macro(newest).is_some_and(|linux| linux.eq_ignore_ascii_case(name)));
        assert_eq!((feature.flag(newest), feature.linux_word(newest)), (None, None));
    }
}
