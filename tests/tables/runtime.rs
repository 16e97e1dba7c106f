//! The runtime tables against the facts that they are generated from.
//!
//! The expected values are those of the pinned releases; a build from other facts (`CPUID_TABLES_LINUX`) has others.

use std::collections::{BTreeSet, HashSet};
use std::error::Error;

use cpuid_tables::{
    Bit, Bug, CpuidWord, Feature, FeatureSet, KvmTreatment, Leaf, LinuxRelease, Location, LookupError, Msr,
    MsrFeature, Named, QemuRelease, Register, SoftwareFeature, Subleaf, VmxFeature, Word, WordBit, bug,
    cpuinfo, feature, lookup, msr, software, vmx,
};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

fn linux(series: &str) -> Result<LinuxRelease, Box<dyn Error>> {
    LinuxRelease::find(series).ok_or_else(|| format!("no Linux {series}").into())
}

fn qemu(series: &str) -> Result<QemuRelease, Box<dyn Error>> {
    QemuRelease::find(series).ok_or_else(|| format!("no QEMU {series}").into())
}

fn at(word: u16, bit: u8) -> WordBit {
    WordBit { word: Word(word), bit: Bit(bit) }
}

/// The bits of an ambiguous look-up, by name.
fn ambiguous<T: std::fmt::Debug>(found: Result<T, LookupError>) -> Result<Vec<&'static str>, Box<dyn Error>> {
    match found {
        Err(LookupError::Ambiguous(all)) => Ok(all.iter().map(Named::name).collect()),
        other => Err(format!("not ambiguous: {other:?}").into()),
    }
}

#[test]
fn constants_are_where_the_manuals_say() {
    const AVX2: Location = feature::AVX2.location();
    assert_eq!(AVX2, CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx).bit(Bit(5)));
    assert_eq!(AVX2.to_string(), "CPUID.(EAX=7,ECX=0):EBX[5]");
    assert_eq!((feature::NX.leaf().0, feature::NX.register()), (0x8000_0001, Register::Edx));
    assert_eq!((feature::NX.bit(), feature::NX.mask()), (Bit(20), 1 << 20));
    assert_eq!(feature::XSAVES.subleaf().0, 1);
    assert_eq!(Feature::at(AVX2), Some(feature::AVX2));
    assert_eq!(Feature::at(CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx).bit(Bit(32))), None);
    assert_eq!(Feature::at(CpuidWord::new(Leaf(0xdead), Subleaf(0), Register::Eax).bit(Bit(0))), None);
    assert_eq!((msr::RDCTL_NO.msr(), msr::RDCTL_NO.bit()), (Msr(0x10a), Bit(0)));
    assert_eq!(MsrFeature::at(Msr(0x10a).bit(Bit(0))), Some(msr::RDCTL_NO));
}

#[test]
fn every_feature_is_found_by_all_its_coordinates() -> TestResult {
    let mut last = None;
    let mut names = HashSet::new();
    for bit in Feature::all() {
        assert!(last < Some(bit.location()), "{bit} is out of order");
        last = Some(bit.location());
        assert!(names.insert(bit.name()), "{bit} twice");
        assert_eq!(Feature::at(bit.location()), Some(bit));
        assert_eq!(lookup_all(bit.name()).iter().filter(|&&found| found == Named::Feature(bit)).count(), 1);
        for release in LinuxRelease::ALL {
            assert_eq!(bit.known_to_linux(release), bit.linux_macro(release).is_some());
            if let Some(place) = bit.linux_word(release) {
                check_place(bit, release, place)?;
            }
            if let Some(word) = bit.kvm_word(release) {
                assert_eq!(Feature::at_kvm_word(release, word.at.word, word.at.bit), Ok(bit));
                assert_eq!(release.word_name(word.at.word), Some(word.leaf));
            }
            if let Some(name) = bit.linux_macro(release) {
                let prefixed = format!("X86_FEATURE_{name}");
                assert!(lookup_all(&prefixed).contains(&Named::Feature(bit)), "{prefixed}");
                assert_eq!(Feature::from_linux_macro(&prefixed), Feature::from_linux_macro(name));
            }
        }
        for release in QemuRelease::ALL {
            for name in bit.qemu_names(release) {
                assert!(lookup_all(name).contains(&Named::Feature(bit)), "{name}");
                assert!(bit.qemu_word(release).is_some());
            }
        }
    }
    assert_eq!(Feature::all().count(), FeatureSet::ALL.len());
    Ok(())
}

fn check_place(bit: Feature, release: LinuxRelease, place: WordBit) -> TestResult {
    match Feature::at_linux_word(release, place.word, place.bit) {
        Ok(found) => assert_eq!(found, bit),
        ambiguous_place => assert!(ambiguous(ambiguous_place)?.contains(&bit.name())),
    }
    assert_eq!(release.flag_at(place.word, place.bit), bit.flag(release), "{bit} in {release:?}");
    if let Some(flag) = bit.flag(release) {
        match Feature::from_flag(release, flag) {
            Ok(found) => assert_eq!(found, bit),
            several => assert!(ambiguous(several)?.contains(&bit.name())),
        }
    }
    Ok(())
}

fn lookup_all(name: &str) -> Vec<Named> {
    match lookup(name) {
        Ok(bit) => vec![bit],
        Err(LookupError::Ambiguous(all)) => all.iter().collect(),
        Err(_) => Vec::new(),
    }
}

#[test]
fn every_kernel_bit_is_found_by_all_its_coordinates() {
    for release in LinuxRelease::ALL {
        for bit in SoftwareFeature::all().filter(|bit| bit.known_to_linux(release)) {
            let place = bit.linux_word(release);
            let found = place.map(|at| SoftwareFeature::at_linux_word(release, at.word, at.bit));
            assert_eq!(found, Some(Ok(bit)));
            assert!(bit.flag(release).is_none_or(|flag| release.flag(flag) == Ok(Named::Software(bit))));
        }
        for bit in Bug::all().filter(|bit| bit.known_to_linux(release)) {
            assert!(bit.flag(release).is_none_or(|flag| release.bug_flag(flag) == Ok(Named::Bug(bit))));
            let shown = bit.linux_word(release).and_then(|at| release.bug_flag_at(at.word, at.bit));
            assert_eq!(shown, bit.flag(release));
        }
        for bit in VmxFeature::all().filter(|bit| bit.known_to_linux(release)) {
            assert!(bit.flag(release).is_none_or(|flag| VmxFeature::from_flag(release, flag) == Ok(bit)));
            let shown = bit.linux_word(release).and_then(|at| release.vmx_flag_at(at.word, at.bit));
            assert_eq!(shown, bit.flag(release));
        }
    }
    for bit in SoftwareFeature::all() {
        assert_eq!(SoftwareFeature::from_linux_macro(bit.linux_macro()), Ok(bit));
    }
    for bit in MsrFeature::all() {
        assert_eq!(MsrFeature::at(bit.location()), Some(bit));
    }
}

#[test]
fn names_are_folded_and_prefixes_select_a_sort() {
    let avx2 = Ok(Named::Feature(feature::AVX2));
    for name in ["avx2", "AVX2", "X86_FEATURE_AVX2", "x86-feature-avx2"] {
        assert_eq!(lookup(name), avx2, "{name}");
    }
    for name in ["sse4_1", "sse4.1", "SSE4-1", "XMM4_1"] {
        assert_eq!(lookup(name), Ok(Named::Feature(feature::XMM4_1)), "{name}");
    }
    assert_eq!(lookup("3dnow"), Ok(Named::Feature(feature::_3DNOW)));
    assert_eq!(lookup("X86_BUG_SPECTRE_V1"), Ok(Named::Bug(bug::SPECTRE_V1)));
    assert_eq!(lookup("VMX_FEATURE_EPT"), Ok(Named::Vmx(vmx::EPT)));
    assert_eq!(lookup("X86_FEATURE_EPT"), Ok(Named::Software(software::EPT)));
    assert_eq!(lookup("rdctl-no"), Ok(Named::Msr(msr::RDCTL_NO)));
    let long = "x".repeat(100_000);
    for name in
        ["", "_", "avx2 ", " avx2", "X86_FEATURE_", "X86_BUG_AVX2", "é", "x86_featuré_avx2", long.as_str()]
    {
        assert_eq!(lookup(name), Err(LookupError::Unknown), "{name:.20}");
    }
}

#[test]
fn ambiguity_is_reported() -> TestResult {
    if !common::pinned("ambiguity_is_reported") {
        return Ok(());
    }
    assert_eq!(ambiguous(lookup("mba"))?, ["MBA_10_EBX_3", "MBA_80000008_EBX_6"]);
    assert_eq!(ambiguous(Feature::from_linux_macro("MBA"))?, ["MBA_10_EBX_3", "MBA_80000008_EBX_6"]);
    assert_eq!(ambiguous(Feature::from_flag(linux("6.1")?, "mba"))?, ["MBA_10_EBX_3", "MBA_80000008_EBX_6"]);
    assert_eq!(ambiguous(linux("6.12")?.feature_at(Word(7), Bit(18)))?.len(), 2);
    assert_eq!(lookup("MBA_10_EBX_3"), Ok(Named::Feature(feature::MBA_10_EBX_3)));
    assert_eq!(ambiguous(Feature::from_qemu_name("kvmclock"))?.len(), 2);
    // A software-defined feature and a VMX capability.
    assert_eq!(ambiguous(lookup("ept"))?, ["EPT", "EPT"]);
    let text = lookup("ept").err().map(|error| error.to_string());
    assert_eq!(text.as_deref(), Some("ambiguous: one of EPT (software-defined), EPT (VMX)"));
    Ok(())
}

#[test]
fn bit_that_moved_into_hardware_is_two_bits() -> TestResult {
    if !common::pinned("bit_that_moved_into_hardware_is_two_bits") {
        return Ok(());
    }
    let (old, new) = (linux("6.1")?, linux("6.12")?);
    assert_eq!(software::LFENCE_RDTSC.linux_word(old), Some(at(3, 18)));
    assert_eq!(software::LFENCE_RDTSC.linux_word(new), None);
    assert_eq!(feature::LFENCE_RDTSC.linux_macro(old), None);
    assert_eq!(feature::LFENCE_RDTSC.linux_word(new), Some(at(20, 2)));
    assert_eq!(feature::LFENCE_RDTSC.location().to_string(), "CPUID.(EAX=0x80000021,ECX=0):EAX[2]");
    assert_eq!(ambiguous(lookup("LFENCE_RDTSC"))?, ["LFENCE_RDTSC", "LFENCE_RDTSC"]);
    assert_eq!(old.feature_at(Word(3), Bit(18)), Ok(Named::Software(software::LFENCE_RDTSC)));
    assert_eq!(new.feature_at(Word(20), Bit(2)), Ok(Named::Feature(feature::LFENCE_RDTSC)));
    Ok(())
}

#[test]
fn kvm_and_qemu_have_separate_words() -> TestResult {
    if !common::pinned("kvm_and_qemu_have_separate_words") {
        return Ok(());
    }
    let (old, new) = (linux("6.1")?, linux("6.12")?);
    // Scattered: the kernel keeps it in a word of its own, KVM in the hardware's word.
    assert_eq!(feature::SGX1.linux_word(new), Some(at(11, 8)));
    let kvm = feature::SGX1.kvm_word(new).ok_or("KVM has SGX1")?;
    assert_eq!((kvm.leaf, kvm.at), ("CPUID_12_EAX", at(22, 0)));
    assert_eq!(Feature::at_kvm_word(new, Word(11), Bit(8)), Err(LookupError::Unknown));
    assert_eq!(Feature::at_linux_word(new, Word(22), Bit(0)), Err(LookupError::Unknown));
    // Only in KVM.
    assert_eq!(feature::MCDT_NO.linux_word(new), None);
    assert_eq!(feature::MCDT_NO.kvm_word(new).map(|word| word.leaf), Some("CPUID_7_2_EDX"));
    assert_eq!(feature::AVX2.kvm(new), KvmTreatment::Host);
    // 6.1 identifies KVM's bit by number, before the kernel had a macro.
    assert_eq!(feature::LFENCE_RDTSC.kvm(old), KvmTreatment::Conditional);
    let word = feature::AVX2.qemu_word(qemu("10.0")?).ok_or("QEMU has AVX2's word")?;
    assert_eq!(word.name, "FEAT_7_0_EBX");
    assert_eq!(feature::XMM3.qemu_name(QemuRelease::NEWEST), Some("pni"));
    assert!(feature::AVX2.known_to_qemu(qemu("7.2")?));
    assert_eq!(
        msr::RDCTL_NO.qemu_word(QemuRelease::NEWEST).map(|word| word.name),
        Some("FEAT_ARCH_CAPABILITIES")
    );
    Ok(())
}

#[test]
fn releases_are_found_by_name_and_series() -> TestResult {
    if !common::pinned("releases_are_found_by_name_and_series") {
        return Ok(());
    }
    assert_eq!(LinuxRelease::ALL.last(), Some(&LinuxRelease::NEWEST));
    for release in LinuxRelease::ALL {
        assert_eq!(LinuxRelease::find(release.name()), Some(release));
    }
    assert!(linux("6.12")?.name().starts_with("6.12."));
    assert_eq!(LinuxRelease::find("6.1"), linux("6.1").ok());
    assert_ne!(linux("6.1")?, linux("6.12")?);
    assert_eq!(
        LinuxRelease::find("6"),
        LinuxRelease::ALL.into_iter().rev().find(|r| r.name().starts_with("6."))
    );
    assert_eq!(LinuxRelease::find(""), None);
    assert_eq!(LinuxRelease::NEWEST.flag_at(Word(9), Bit(5)), Some("avx2"));
    assert_eq!(LinuxRelease::NEWEST.flag_at(Word(9), Bit(32)), None);
    assert_eq!(LinuxRelease::NEWEST.flag_at(Word(u16::MAX), Bit(31)), None);
    Ok(())
}

/// Marsaglia's xorshift: a test uses the same random numbers in every run.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn set(&mut self, all: &[Feature]) -> (FeatureSet, BTreeSet<Feature>) {
        let keep = self.next() % 4;
        let chosen: Vec<Feature> = all.iter().copied().filter(|_| self.next() % 4 <= keep).collect();
        (chosen.iter().copied().collect(), chosen.into_iter().collect())
    }
}

#[test]
fn set_operations_match_std() {
    let all: Vec<Feature> = Feature::all().collect();
    let mut random = Xorshift(0x2545_f491_4f6c_dd1d);
    for _ in 0..300 {
        let ((a, sa), (b, sb)) = (random.set(&all), random.set(&all));
        let same = |set: FeatureSet, model: BTreeSet<Feature>| {
            assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
            assert!(set.iter().eq(model.iter().copied()));
            assert!(all.iter().all(|bit| set.contains(*bit) == model.contains(bit)));
        };
        same(a | b, sa.union(&sb).copied().collect());
        same(a & b, sa.intersection(&sb).copied().collect());
        same(a - b, sa.difference(&sb).copied().collect());
        same(a ^ b, sa.symmetric_difference(&sb).copied().collect());
        assert_eq!(a.is_subset(&b), sa.is_subset(&sb));
        assert_eq!((a & b).is_superset(&a), sa.intersection(&sb).count() == sa.len());
        assert!((a & b).is_subset(&a) && (a - b).is_disjoint(&b));
        assert_eq!(a.is_disjoint(&b), sa.is_disjoint(&sb));
        assert_eq!(a == b, sa == sb);
    }
}

#[test]
fn insert_and_remove_return_whether_they_changed_the_set() {
    let (mut set, mut model, mut random) = (FeatureSet::new(), HashSet::new(), Xorshift(7));
    let all: Vec<Feature> = Feature::all().collect();
    for _ in 0..20_000 {
        let index = usize::try_from(random.next() % all.len() as u64).unwrap_or(0);
        if random.next() % 2 == 0 {
            assert_eq!(set.insert(all[index]), model.insert(all[index]));
        } else {
            assert_eq!(set.remove(all[index]), model.remove(&all[index]));
        }
        assert_eq!(set.len(), model.len());
    }
    const PAIR: FeatureSet = FeatureSet::new().with(feature::FPU).with(feature::AVX2);
    assert_eq!(format!("{PAIR:?}"), "{FPU, AVX2}");
    assert_eq!(PAIR.iter().len(), 2);
}

#[test]
fn words_round_trip_and_unknown_bits_are_returned() {
    let mut set = FeatureSet::new();
    let mut back = FeatureSet::new();
    for (word, known) in FeatureSet::ALL.words() {
        let unknown = set.set_word(word, u32::MAX);
        assert_eq!(unknown, !known, "{word}");
        assert_eq!(set.word(word), known);
        assert_eq!(back.set_word(word, set.word(word)), 0);
    }
    assert_eq!((set, back), (FeatureSet::ALL, FeatureSet::ALL));
    let nowhere = CpuidWord::new(Leaf(0xdead), Subleaf(1), Register::Eax);
    assert_eq!((set.set_word(nowhere, 0xf0), set.word(nowhere)), (0xf0, 0));
    let word = CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx);
    assert_eq!(set.set_word(word, 1 << 5), 0);
    assert!(set.contains(feature::AVX2) && !set.contains(feature::BMI1));
}

#[test]
fn cpuinfo_returns_sets_and_unknown_names() -> TestResult {
    if !common::pinned("cpuinfo_returns_sets_and_unknown_names") {
        return Ok(());
    }
    let text = "\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: A name: with a colon
flags\t\t: fpu mba pni  constant_tsc nonstop_tsc brand_new avx2 ept
vmx flags\t: vnmi ept nothing
bugs\t\t: spectre_v1 AVX2
power management:

processor\t: 4294967295
flags\t\t:
";
    let release = linux("6.12")?;
    let cpus: Vec<cpuinfo::Cpu<'_>> = cpuinfo::read(text, release).collect::<Result<_, _>>()?;
    let [first, last] = cpus.as_slice() else { return Err("two CPUs".into()) };
    let expected = [feature::FPU, feature::XMM3, feature::AVX2, feature::CONSTANT_TSC];
    assert_eq!(first.features(), expected.into_iter().collect());
    let own = [software::EPT, software::CONSTANT_TSC, software::NONSTOP_TSC];
    assert_eq!(first.software(), own.into_iter().collect());
    assert!(first.vmx().contains(vmx::EPT) && first.vmx().contains(vmx::VIRTUAL_NMIS));
    assert!(first.bugs().iter().eq([bug::SPECTRE_V1]));
    assert!(first.unknown().eq(["brand_new", "nothing", "AVX2"]));
    let open: Vec<(&str, usize)> = first.ambiguous().map(|(name, all)| (name, all.iter().count())).collect();
    assert_eq!(open, [("mba", 2)]);
    // `nonstop_tsc` states two bits.
    assert_eq!(first.flags().count(), 14);
    assert_eq!((last.processor, last.features().len(), last.flags().count()), (u32::MAX, 0, 0));
    // Intel's family and model set `constant_tsc` without the bit, in every release.
    for release in ["6.1", "6.12"] {
        let text = "processor: 0\nflags: constant_tsc\n";
        let cpu = cpuinfo::read(text, linux(release)?).next().ok_or("a CPU")??;
        assert!(cpu.software().contains(software::CONSTANT_TSC) && cpu.features().is_empty());
    }
    Ok(())
}

#[test]
fn cpuinfo_continues_after_an_error() {
    use cpuinfo::{Error, Fault};
    let good = "processor: 1\nflags: fpu\n";
    let faults = [
        ("processor: 1\nflags\n", 2, Fault::NoColon),
        ("processor: x\nflags: fpu\n", 1, Fault::BadProcessor),
        ("processor: +1\nflags: fpu\n", 1, Fault::BadProcessor),
        ("processor: 4294967296\nflags: fpu\n", 1, Fault::BadProcessor),
        ("\n\nflags: fpu\n", 3, Fault::NoProcessor),
        ("processor: 1\nFeatures: fp asimd\n", 1, Fault::NoFlags),
        ("processor: 1\nflags: fpu\nflags: vme\n", 3, Fault::Twice),
    ];
    for (bad, line, fault) in faults {
        let text = format!("{bad}\n{good}");
        let mut cpus = cpuinfo::read(&text, LinuxRelease::NEWEST);
        assert_eq!(cpus.next().map(|cpu| cpu.err()), Some(Some(Error { line, fault })), "{bad:?}");
        assert_eq!(cpus.next().map(|cpu| cpu.is_ok()), Some(true), "{bad:?}");
        assert!(cpus.next().is_none());
    }
    assert_eq!(cpuinfo::read("", LinuxRelease::NEWEST).count(), 0);
    assert_eq!(cpuinfo::read("\n \n\t\n", LinuxRelease::NEWEST).count(), 0);
}

#[test]
fn cpuinfo_survives_mutations() {
    let seed = "processor\t: 0\nflags\t\t: fpu mba avx2 ept é\nvmx flags\t: ept\nbugs\t\t: mds\n\nprocessor\t: 1\nflags: a\n";
    let mut random = Xorshift(99);
    for _ in 0..3000 {
        let mut bytes = seed.as_bytes().to_vec();
        for _ in 0..=random.next() % 6 {
            let at = usize::try_from(random.next() % bytes.len() as u64).unwrap_or(0);
            let [byte, ..] = random.next().to_le_bytes();
            match byte % 3 {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b" \t:\n\r"[usize::from(byte) % 5]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().count();
        for cpu in cpuinfo::read(&text, LinuxRelease::NEWEST) {
            match cpu {
                Ok(cpu) => assert!(cpu.flags().count() <= text.len()),
                Err(error) => assert!((1..=lines + 1).contains(&error.line)),
            }
        }
    }
}
