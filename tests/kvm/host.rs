//! Hosts: every leaf and subleaf enumerated, CPUs compared, and KVM queried through the trait, recorded and real.

use std::collections::BTreeMap;
use std::error::Error;

use cpuid_tables::host::{self, CpuDifference, Host, HostFile};
use cpuid_tables::kvm::{Capability, Device, KvmError, KvmSystem};
use cpuid_tables::{
    CpuidEntry, CpuidRead, CpuidWord, IndexedLeaf, Leaf, Msr, Register, Registers, Subleaf, feature,
};

use crate::common;
use crate::oracle::Outcome;
use crate::oracle::corpus::{self, Corpus};

type TestResult = Result<(), Box<dyn Error>>;

/// A processor with every counted leaf, each way of counting, and a hypervisor's two ranges.
fn processor(leaf: Leaf, subleaf: Subleaf) -> Registers {
    match (leaf.0, subleaf.0) {
        (0, _) => Registers::new(0x24, 0, 0, 0),
        (1, _) => Registers::new(0x806f8, 0, feature::HYPERVISOR.mask(), 0),
        (4, 0..=2) => Registers::new(0x121, 0, 0, 0),
        (7, 0) => Registers::new(2, 0, 0, 0),
        (0xb, 0..=1) | (0x1f, 0) => Registers::new(1, 2, 0x100, 0),
        (0xd, 0) => Registers::new(0x7, 0, 0, 0x8000_0000),
        (0xd, 1) => Registers::new(0, 0, 1 << 8, 1),
        (0xf, 0) => Registers::new(0, 0, 0, 2),
        (0x10, 0) => Registers::new(0, 0xc, 0, 0),
        (0x12, 2) => Registers::new(1, 0, 0, 0),
        (0x1b, 0) => Registers::new(1, 0, 0, 0),
        (0x23, 0) => Registers::new(0b1011, 0, 0, 0),
        (0x4000_0000, _) => Registers::new(0x4000_0001, 0, 0, 0),
        // KVM's signature, and 0 as the highest leaf.
        (0x4000_0100, _) => Registers::new(0, 0x4b4d_564b, 0x564b_4d56, 0x4d),
        (0x8000_0000, _) => Registers::new(0x8000_0020, 0, 0, 0),
        (0x8000_001d, 0) => Registers::new(0x121, 0, 0, 0),
        (0x8000_0020, 0) => Registers::new(0, 1 << 5, 0, 0),
        // Out of range on Intel: the highest basic leaf.
        (0x8086_0000 | 0xc000_0000, _) => Registers::new(1, 2, 3, 4),
        _ => Registers::ZERO,
    }
}

#[test]
fn leaves_and_subleaves() {
    let entries = host::enumerate(processor);
    let subleaves = |leaf: u32| -> Vec<u32> {
        entries.iter().filter(|entry| entry.function == Leaf(leaf)).map(|entry| entry.index.0).collect()
    };
    let expected: [(u32, &[u32]); 17] = [
        (0x1, &[0]),
        (0x4, &[0, 1, 2, 3]),
        (0x7, &[0, 1, 2]),
        (0xb, &[0, 1, 2]),
        (0xd, &[0, 1, 2, 8, 32, 63]),
        (0xf, &[0, 1]),
        (0x10, &[0, 2, 3]),
        (0x12, &[0, 1, 2, 3]),
        (0x14, &[0]),
        (0x1b, &[0, 1]),
        (0x1f, &[0, 1]),
        (0x23, &[0, 1, 3]),
        (0x24, &[0]),
        (0x8000_001d, &[0, 1]),
        (0x8000_0020, &[0, 5]),
        (0x4000_0101, &[0]),
        (0xc000_0000, &[]),
    ];
    for (leaf, expected) in expected {
        assert_eq!(subleaves(leaf), expected, "{leaf:#x}");
    }
    assert_eq!(subleaves(0x25), [0; 0]);
    assert_eq!(subleaves(0x4000_0102), [0; 0]);
    assert!(entries.is_sorted_by_key(|entry| (entry.function, entry.index)));
    assert!(entries.iter().all(|entry| entry.is_indexed() == IndexedLeaf::get(entry.function).is_some()));
    assert!(entries.iter().all(|entry| entry.registers == processor(entry.function, entry.index)));
}

#[test]
fn without_a_hypervisor_its_leaves_are_not_read() {
    let entries = host::enumerate(|leaf, subleaf| match leaf.0 {
        1 => Registers::ZERO,
        _ => processor(leaf, subleaf),
    });
    assert!(entries.iter().all(|entry| entry.function.0 >> 28 != 4));
}

#[test]
fn invalid_lists_end() {
    let entries = host::enumerate(|_, _| Registers::MAX);
    assert_eq!(entries, []);
    // A list of subleaves without a terminator, and an invalid count.
    let entries =
        host::enumerate(|leaf, _| if leaf == Leaf(0) { Registers::new(7, 0, 0, 0) } else { Registers::MAX });
    assert!(entries.len() < 1000, "{}", entries.len());
}

#[test]
fn cpu_differences_are_found() {
    let cpu = |apic_id: u32, hybrid: u32| {
        vec![
            CpuidEntry::new(Leaf(1), Registers::new(0x906a3, apic_id << 24 | 0x0010_0800, 0, 0)),
            CpuidEntry::indexed(Leaf(0xb), Subleaf(0), Registers::new(1, 2, 0x100, apic_id)),
            CpuidEntry::new(Leaf(0x1a), Registers::new(hybrid, 0, 0, 0)),
        ]
    };
    let mut cpus = vec![(0, cpu(0, 0x4000_0001)), (1, cpu(1, 0x4000_0001)), (8, cpu(0x10, 0x2000_0001))];
    let find = |cpus: &[(usize, Vec<CpuidEntry>)]| host::compare_cpus(cpus);
    let found = find(&cpus);
    let own: Vec<&CpuDifference> = found.iter().filter(|difference| difference.expected).collect();
    assert_eq!(own.len(), 4, "two APIC ids of two CPUs");
    let hybrid: Vec<&CpuDifference> = found.iter().filter(|difference| !difference.expected).collect();
    assert_eq!(hybrid.len(), 1);
    assert_eq!(hybrid[0].word, CpuidWord::new(Leaf(0x1a), Subleaf(0), Register::Eax));
    assert_eq!((hybrid[0].first, hybrid[0].other), ((0, Some(0x4000_0001)), (8, Some(0x2000_0001))));
    assert_eq!(
        hybrid[0].to_string(),
        "CPUID.(EAX=0x1A,ECX=0):EAX: CPU 0 has 0x40000001, CPU 8 has 0x20000001"
    );
    // Other bits of 1.EBX do not differ on every CPU, and neither do missing entries.
    cpus[1].1[0].registers.ebx ^= 0x100;
    cpus[2].1.pop();
    let wrong = find(&cpus);
    let wrong: Vec<_> = wrong.iter().filter(|difference| !difference.expected).collect();
    assert_eq!(wrong.len(), 1 + 4);
    assert_eq!(wrong[1].other, (8, None));
    assert_eq!(find(&[]), []);
}

fn recorded() -> Host {
    Host {
        supported: vec![
            CpuidEntry::new(Leaf(0), Registers::new(0xd, 1, 2, 3)),
            CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0)),
        ],
        instruction: vec![CpuidEntry::new(Leaf(0), Registers::new(0x1f, 1, 2, 3))],
        msrs: BTreeMap::from([(Msr(0x10a), u64::MAX)]),
        saved_msrs: Some(vec![Msr(0x10a), Msr(0x48)]),
        capabilities: Capability::ALL.iter().map(|capability| (capability.number, 1)).collect(),
        hyperv: Some(vec![CpuidEntry::new(Leaf(0x4000_0000), Registers::new(1, 2, 3, 4))]),
        emulated: Some(vec![CpuidEntry::new(Leaf(1), Registers::new(0, 0, 1 << 22, 0))]),
        guest_xcomponents: Some(0x602e7),
        tsc_khz: Some(2_600_000),
        mce_capabilities: Some(0x100_0020),
    }
}

#[test]
fn recorded_host_returns_its_data() -> TestResult {
    let host = recorded();
    assert_eq!(Host::from_kvm(&host, host.instruction.clone())?, host);
    assert_eq!(host.capability(Capability::XSAVE2)?, 1);
    let error = Host::from_kvm(&Host::default(), Vec::new()).err().ok_or("it has no capabilities")?;
    assert_eq!(error, KvmError::Recorded("KVM_CAP_IRQCHIP"));
    let old = Host { emulated: None, ..recorded() };
    assert_eq!(old.emulated_cpuid(), Err(KvmError::Recorded("KVM_GET_EMULATED_CPUID")));
    assert_eq!(Host::from_kvm(&old, old.instruction.clone())?, old);
    Ok(())
}

#[test]
fn host_text_round_trips() -> TestResult {
    let host = recorded();
    let mut again = Host::default();
    for file in HostFile::ALL {
        again.read(file, &host.text(file).ok_or("there is something for each file")?)?;
    }
    assert_eq!(again, host);
    let bare = Host { emulated: None, hyperv: None, ..recorded() };
    assert_eq!((bare.text(HostFile::Emulated), bare.text(HostFile::Hyperv)), (None, None));
    Ok(())
}

#[test]
fn capabilities_are_in_order_and_named() {
    assert!(Capability::ALL.is_sorted_by_key(|capability| capability.number));
    let mut names: Vec<&str> = Capability::ALL.iter().map(|capability| capability.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Capability::ALL.len());
    // The numbers in kvm-bindings.
    assert_eq!(Capability::XSAVE2.number, kvm_bindings::KVM_CAP_XSAVE2);
    assert_eq!(Capability::numbered(kvm_bindings::KVM_CAP_HYPERV_CPUID), Some(Capability::HYPERV_CPUID));
    assert_eq!(Capability::numbered(9999), None);
    assert_eq!(Capability::ENFORCE_PV_FEATURE_CPUID.name, "KVM_CAP_ENFORCE_PV_FEATURE_CPUID");
}

#[test]
fn errors_contain_advice() {
    assert!(KvmError::NoDevice.to_string().contains("load the module kvm_intel or kvm_amd"));
    assert!(KvmError::NoPermission.to_string().contains("join the group"));
    assert!(KvmError::TooOld("KVM_GET_EMULATED_CPUID").to_string().contains("newer kernel"));
}

#[test]
fn every_cpu_of_this_machine() -> TestResult {
    let cpus = host::read_all_cpus()?;
    assert!(!cpus.is_empty());
    // The first two CPUs' APIC ids differ, or the thread did not run on the requested CPU.
    let id =
        |entries: &[CpuidEntry]| entries.topology_levels(Leaf(0xb)).next().map(|level| level.x2apic_id());
    let ids: Vec<u32> = cpus.iter().filter_map(|cpu| id(&cpu.1)).collect();
    let mut different = ids.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), ids.len());
    for difference in host::compare_cpus(&cpus).iter().filter(|difference| !difference.expected) {
        common::say(&format!("CPUs of this machine differ: {difference}"));
    }
    assert_eq!(host::read_cpu(1 << 20).err().map(|error| matches!(error, KvmError::System(..))), Some(true));
    Ok(())
}

#[test]
fn this_machine() -> TestResult {
    let device = match Device::open() {
        Ok(device) => device,
        Err(error) => {
            common::refused("kvm_host::this_machine", &error.to_string());
            return Ok(());
        }
    };
    let host = Host::this_machine()?;
    assert!(std::ptr::eq(host, Host::this_machine()?), "read once");
    // KVM returns the APIC id of the CPU on which the calling thread runs.
    let supported = [(0, host.supported.clone()), (1, device.supported_cpuid()?)];
    assert_eq!(host::compare_cpus(&supported).into_iter().find(|difference| !difference.expected), None);
    assert!(host.supported.highest_basic_leaf().is_some_and(|leaf| leaf >= Leaf(1)));
    assert_eq!(host.instruction.vendor(), host.supported.vendor());
    assert!(host.capabilities[&Capability::EXT_CPUID.number] != 0);
    assert_eq!(host.capabilities.len(), Capability::ALL.len());
    let mut again = Host::default();
    for file in HostFile::ALL {
        if let Some(text) = host.text(file) {
            again.read(file, &text)?;
        }
    }
    assert_eq!(&again, host);
    Ok(())
}

/// The instruction is executed once for each entry, and at most ten times to find what does not exist.
#[test]
fn enumerating_reads_each_leaf_once() -> Outcome<()> {
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    let count = |cpuid: &dyn Fn(Leaf, Subleaf) -> Registers| {
        let reads = std::cell::Cell::new(0);
        let entries = host::enumerate(|leaf, subleaf| {
            reads.set(reads.get() + 1);
            cpuid(leaf, subleaf)
        });
        (entries.len(), reads.get())
    };
    for (name, host) in &corpus.hosts {
        let hypervisor = CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0x4000_0001, 1, 2, 3));
        let entries: Vec<CpuidEntry> = host.instruction.iter().copied().chain([hypervisor]).collect();
        let (entries, reads) =
            count(&|leaf, subleaf| entries.registers(leaf, subleaf).unwrap_or(Registers::ZERO));
        assert!(reads <= entries + 10, "{name}: {reads} reads for {entries} entries");
    }
    if let Some(instruction) = host::instruction() {
        let (entries, reads) = count(&instruction);
        common::say(&format!("this machine: {reads} CPUID instructions for {entries} entries"));
        assert!(reads <= entries + 10);
    }
    Ok(())
}
