//! Dependencies: properties of every bit, the rows of the pinned facts, and well-known facts.

use std::collections::BTreeSet;
use std::error::Error;

use cpuid_tables::{
    Bit, CpuidWord, Feature, FeatureSet, Leaf, Location, MsrFeature, Register, Subleaf, feature, msr,
};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

fn set<const N: usize>(features: [Feature; N]) -> FeatureSet {
    features.into_iter().collect()
}

#[test]
fn dependencies_are_closed_and_acyclic() {
    for bit in Feature::all() {
        let needs = bit.needs();
        assert!(!needs.contains(bit), "{bit} needs itself");
        assert!(bit.needs_directly().is_subset(&needs));
        for other in needs {
            assert!(other.needs().is_subset(&needs), "{bit} needs {other}");
            assert!(!other.needs().contains(bit), "{bit} and {other} need each other");
            assert!(other.needs_msr().all(|msr| bit.needs_msr().any(|own| own == msr)));
        }
        // Direct dependencies imply all others; no MSR bit leads back to a CPUID feature.
        let direct = bit.needs_directly();
        assert!(bit.needs_msr().next().is_some() || (direct | direct.needs()) == needs, "{bit}");
        assert!(bit.needs_one_of().all(|choice| choice.len() > 1 && !choice.contains(bit)));
    }
    for bit in MsrFeature::all() {
        let needs = bit.needs();
        assert!(needs.needs().is_subset(&needs), "{bit}");
        assert!(bit.needs_msr().all(|other| other != bit && other.needs().is_subset(&needs)));
    }
}

#[test]
fn needed_by_is_the_inverse() {
    for bit in Feature::all() {
        for other in Feature::all() {
            assert_eq!(bit.needs().contains(other), other.needed_by().contains(bit));
            assert_eq!(bit.needs_directly().contains(other), other.needed_by_directly().contains(bit));
        }
        let by_msr: BTreeSet<MsrFeature> = bit.needed_by_msr().collect();
        assert!(by_msr.into_iter().eq(MsrFeature::all().filter(|other| other.needs().contains(bit))));
    }
    for bit in MsrFeature::all() {
        let by_msr: BTreeSet<MsrFeature> = bit.needed_by_msr().collect();
        let needing = |other: &MsrFeature| other.needs_msr().any(|needs| needs == bit);
        assert!(by_msr.into_iter().eq(MsrFeature::all().filter(needing)));
        assert!(bit.needed_by().iter().all(|other| other.needs_msr().any(|needs| needs == bit)));
    }
}

#[test]
fn sets_are_the_unions_of_their_features() {
    let all: Vec<Feature> = Feature::all().collect();
    let union = |set: &FeatureSet, of: fn(Feature) -> FeatureSet| {
        set.iter().map(of).fold(FeatureSet::new(), |a, b| a | b)
    };
    for step in 1..40 {
        let some: FeatureSet = all.iter().copied().step_by(step).collect();
        assert_eq!(some.needs(), union(&some, Feature::needs));
        assert_eq!(some.needed_by(), union(&some, Feature::needed_by));
        let whole = some | some.needs();
        assert!(whole.needs().is_subset(&whole));
    }
    assert!(FeatureSet::new().needs().is_empty() && FeatureSet::new().needed_by().is_empty());
}

#[test]
fn known_facts_hold() {
    if !common::pinned("known_facts_hold") {
        return;
    }
    const AVX2: FeatureSet = feature::AVX2.needs();
    assert_eq!(AVX2, set([feature::AVX, feature::XSAVE, feature::FXSR, feature::FPU]));
    assert_eq!(feature::AVX2.needs_directly(), set([feature::AVX]));
    assert!(feature::XSAVE.needed_by().is_superset(&set([
        feature::AVX,
        feature::AVX512F,
        feature::AMX_TILE
    ])));
    assert!(!feature::XSAVE.needed_by_directly().contains(feature::AVX2));
    assert!(feature::FPU.needs().is_empty());
    // Linux and QEMU list one half each.
    assert!(feature::FRED.needs().is_superset(&set([feature::LKGS, feature::LM])));
    // One macro of Linux at two locations: either suffices.
    let choices: Vec<FeatureSet> = feature::PER_THREAD_MBA.needs_one_of().collect();
    assert_eq!(choices, [set([feature::MBA_10_EBX_3, feature::MBA_80000008_EBX_6])]);
    assert!(feature::PER_THREAD_MBA.needs().is_empty());
    // QEMU: a vector length needs AVX10, and AVX10 any of them.
    assert!(
        feature::AVX10
            .needs_one_of()
            .all(|choice| choice.iter().all(|length| length.needs().contains(feature::AVX10)))
    );
    assert_eq!(feature::AVX10.needs_one_of().count(), 1);
    // Bits of MSRs.
    assert!(msr::RDCTL_NO.needs().contains(feature::ARCH_CAPABILITIES));
    assert!(feature::ARCH_CAPABILITIES.needed_by_msr().any(|bit| bit == msr::RDCTL_NO));
    assert!(feature::VMX.needed_by_msr().count() > 50);
    assert!(msr::VMX_EPT.needs().contains(feature::VMX), "by way of the secondary controls");
    assert!(msr::VMX_EPT.needs_msr().any(|bit| bit == msr::VMX_SECONDARY_CTLS));
}

/// Each dependency row of Linux and QEMU between single CPUID bits, parsed only with `split`.
#[test]
fn rows_of_the_pinned_facts() -> TestResult {
    if !common::pinned("rows_of_the_pinned_facts") {
        return Ok(());
    }
    let linux = ["linux-6.1", "linux-6.12", "linux-7.3"].map(common::facts);
    let mut checked = 0;
    for row in linux.iter().flat_map(|text| text.lines()).map(|line| line.split('\t').collect::<Vec<_>>()) {
        if let ["linux-dep", name, needs] = row[..] {
            if let (Ok(bit), Ok(needs)) = (Feature::from_linux_macro(name), Feature::from_linux_macro(needs))
            {
                assert!(bit.needs_directly().contains(needs), "{row:?}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 180, "{checked}");
    let qemu = ["qemu-7.2", "qemu-10.2"].map(common::facts);
    let checked = qemu.iter().map(|text| qemu_rows(text)).sum::<Result<usize, _>>()?;
    assert!(checked >= 100, "{checked}");
    Ok(())
}

/// The number of dependencies in a text's rows.
fn qemu_rows(text: &str) -> Result<usize, Box<dyn Error>> {
    let rows = || text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let mut checked = 0;
    for row in rows() {
        let ["qemu-dep", word, mask, to, to_mask] = row[..] else { continue };
        let needs = bits(&rows, word, mask)?;
        let [Place::Cpuid(needs)] = needs[..] else { continue };
        let needs = Feature::at(needs).ok_or("unknown")?;
        for bit in bits(&rows, to, to_mask)? {
            let all = match bit {
                Place::Cpuid(at) => Feature::at(at).map(|bit| bit.needs_directly().contains(needs)),
                Place::Msr(at, bit) => {
                    MsrFeature::at(at.bit(bit)).map(|bit| bit.needs_directly().contains(needs))
                }
            };
            assert!(all.unwrap_or(true), "{row:?}");
            checked += usize::from(all.is_some());
        }
    }
    Ok(checked)
}

enum Place {
    Cpuid(Location),
    Msr(cpuid_tables::Msr, Bit),
}

/// Every bit of a mask in the word of that name.
fn bits<'a, I: Iterator<Item = Vec<&'a str>>>(
    rows: &impl Fn() -> I,
    name: &str,
    mask: &str,
) -> Result<Vec<Place>, Box<dyn Error>> {
    let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16);
    let mask = hex(mask)?;
    let word = rows().find(|row| row[0] == "qemu-word" && row[1] == name).ok_or("no such word")?;
    let set = (0..64).filter(|bit| mask >> bit & 1 == 1).map(Bit);
    let small = |number: u64| u32::try_from(number);
    Ok(match word[3..] {
        ["msr", msr] => {
            let msr = cpuid_tables::Msr(small(hex(msr)?)?);
            set.map(|bit| Place::Msr(msr, bit)).collect()
        }
        ["cpuid", leaf, subleaf, register] => {
            let register =
                Register::ALL.into_iter().find(|known| known.name() == register).ok_or("no register")?;
            let subleaf = if subleaf == "-" { 0 } else { subleaf.parse()? };
            let word = CpuidWord::new(Leaf(small(hex(leaf)?)?), Subleaf(subleaf), register);
            set.filter(|bit| bit.0 < 32).map(|bit| Place::Cpuid(Location { word, bit })).collect()
        }
        _ => return Err(format!("{word:?}").into()),
    })
}
