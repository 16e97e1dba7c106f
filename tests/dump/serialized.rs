//! Tables, hosts and settings through serde: stored data reads back unchanged, and unknown data is an error.

use std::error::Error;

use cpuid_tables::guest::{CpuOption, MachineOption, Smp};
use cpuid_tables::host::{Host, HostFile};
use cpuid_tables::{
    ApicLayout, Bit, CpuidEntry, CpuidTable, CpuidWord, Feature, FeatureSet, Leaf, Msr, MsrValue, Register,
    Registers, Subleaf, VcpuBase, feature,
};

type TestResult = Result<(), Box<dyn Error>>;

fn table() -> CpuidTable {
    let entries = [
        CpuidEntry::new(Leaf(0), Registers::new(7, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
        CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, u32::MAX)),
    ];
    CpuidTable::from_entries(&entries).unwrap_or_default()
}

#[test]
fn a_stored_table_keeps_its_form() -> TestResult {
    let stored = concat!(
        r#"{"version":1,"entries":["#,
        r#"{"function":"0x0","index":"0x0","flags":"0x0","eax":"0x7","ebx":"0x756e6547","ecx":"0x6c65746e","edx":"0x49656e69"},"#,
        r#"{"function":"0x7","index":"0x0","flags":"0x1","eax":"0x0","ebx":"0x20","ecx":"0x0","edx":"0xffffffff"}]}"#,
    );
    assert_eq!(serde_json::to_string(&table())?, stored);
    // Numbers are read too, as releases before wrote them.
    let numbers = concat!(
        r#"{"version":1,"entries":["#,
        r#"{"function":0,"index":0,"flags":0,"eax":7,"ebx":1970169159,"ecx":1818588270,"edx":1231384169},"#,
        r#"{"function":7,"index":0,"flags":1,"eax":0,"ebx":32,"ecx":0,"edx":4294967295}]}"#,
    );
    assert_eq!(serde_json::from_str::<CpuidTable>(numbers)?, table());
    assert_eq!(serde_json::from_str::<CpuidTable>(stored)?, table());
    Ok(())
}

#[test]
fn a_stored_base_and_msr_keep_their_form() -> TestResult {
    let layout = ApicLayout { core_shift: 1, core_width: 3, node_shift: 5 };
    let base = VcpuBase::with_layout(&table(), layout)?;
    let stored = concat!(
        r#"{"version":1,"entries":["#,
        r#"{"function":"0x0","index":"0x0","flags":"0x0","eax":"0x7","ebx":"0x756e6547","ecx":"0x6c65746e","edx":"0x49656e69"},"#,
        r#"{"function":"0x7","index":"0x0","flags":"0x1","eax":"0x0","ebx":"0x20","ecx":"0x0","edx":"0xffffffff"}],"#,
        r#""layout":{"core_shift":1,"core_width":3,"node_shift":5},"counted_id":false}"#,
    );
    assert_eq!(serde_json::to_string(&base)?, stored);
    let read: VcpuBase = serde_json::from_str(stored)?;
    assert_eq!((read.layout(), &*read), (layout, &table()));
    assert!(serde_json::from_str::<VcpuBase>(&stored.replace(r#""version":1"#, r#""version":2"#)).is_err());
    let msr = MsrValue { msr: Msr(0x10a), value: u64::MAX };
    let stored = r#"{"msr":"0x10a","value":"0xffffffffffffffff"}"#;
    assert_eq!(serde_json::to_string(&msr)?, stored);
    assert_eq!(serde_json::from_str::<MsrValue>(stored)?, msr);
    Ok(())
}

#[test]
fn an_unknown_version_member_or_size_is_an_error() {
    let read = |text: &str| serde_json::from_str::<CpuidTable>(text).map_err(|error| error.to_string());
    let version = read(r#"{"version":2,"entries":[]}"#).unwrap_err();
    assert!(version.contains("version 2: this release of cpuid-tables reads version 1"), "{version}");
    assert!(read(r#"{"version":1,"entries":[],"more":1}"#).is_err());
    assert!(read(r#"{"entries":[]}"#).is_err());
    let entry = r#"{"function":0,"index":0,"flags":0,"eax":0,"ebx":0,"ecx":0,"edx":0}"#;
    let full = read(&format!(r#"{{"version":1,"entries":[{}]}}"#, vec![entry; 257].join(","))).unwrap_err();
    assert!(full.contains("256"), "{full}");
}

#[test]
fn a_stored_host_is_equal() -> TestResult {
    let mut host = Host::default();
    host.read(HostFile::Supported, include_str!("../check/kvm.supported"))?;
    host.tsc_khz = Some(2_000_000);
    host.guest_xcomponents = Some(0x602e7);
    let stored = serde_json::to_string(&host)?;
    assert_eq!(serde_json::from_str::<Host>(&stored)?, host);
    Ok(())
}

#[test]
fn coordinates_features_and_settings_are_read_again() -> TestResult {
    let word = CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Ebx);
    assert_eq!(serde_json::to_string(&word.bit(Bit(12)))?, r#""CPUID.(EAX=0x80000008,ECX=0):EBX[12]""#);
    assert_eq!(serde_json::from_str::<CpuidWord>(&serde_json::to_string(&word)?)?, word);
    for bit in Feature::all() {
        assert_eq!(serde_json::from_str::<Feature>(&serde_json::to_string(&bit)?)?, bit);
    }
    let set = FeatureSet::new().with(feature::AVX2).with(feature::NX);
    assert_eq!(serde_json::from_str::<FeatureSet>(&serde_json::to_string(&set)?)?, set);
    assert!(serde_json::from_str::<Feature>(r#""NO_SUCH""#).is_err());
    let cpu: CpuOption = "EPYC-Milan,+avx512f,sse4_1=off".parse()?;
    assert_eq!(serde_json::from_str::<CpuOption>(&serde_json::to_string(&cpu)?)?, cpu);
    let machine: MachineOption =
        "q35,kernel-irqchip=split,smp-cache.0.cache=l2,smp-cache.0.topology=module".parse()?;
    assert_eq!(serde_json::from_str::<MachineOption>(&serde_json::to_string(&machine)?)?, machine);
    let smp: Smp = "8,sockets=2".parse()?;
    assert_eq!(serde_json::from_str::<Smp>(&serde_json::to_string(&smp)?)?, smp);
    Ok(())
}
