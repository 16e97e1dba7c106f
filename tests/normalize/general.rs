//! The general steps: on real hosts, with many topologies, `check` finds nothing that the base did not have.

use std::collections::BTreeSet;

use cpuid_tables::check::{Check, Kind, Severity};
use cpuid_tables::host::Host;
use cpuid_tables::normalize::steps::{self, Group};
use cpuid_tables::normalize::{NormalizeError, Normalizer, VcpuTopology};
use cpuid_tables::{
    CpuidEntry, CpuidRead, CpuidTable, CpuidWord, FeatureSet, Leaf, Register, Registers, Subleaf,
    TopologyDomain, feature,
};

use crate::common;
use crate::oracle::Outcome;
use crate::oracle::corpus::{self, Corpus};

/// Processors of both vendors, with SMT and without, with leaf 0x1F and 0x80000026 and without leaf 0xB.
const HOSTS: [&str; 11] = [
    "cascadelake",
    "genoa",
    "granite-rapids",
    "haswell-i7",
    "hygon-dhyana",
    "milan",
    "nehalem",
    "opteron-k10",
    "ryzen-7950x",
    "sapphire-rapids",
    "skylake-i5",
];

fn topologies() -> Vec<VcpuTopology> {
    let mut all = Vec::new();
    for threads in [1, 2] {
        for cores in [1, 3, 4] {
            for (modules, dies, sockets) in [(1, 1, 1), (1, 2, 1), (2, 1, 1), (1, 1, 2), (2, 2, 2)] {
                all.push(VcpuTopology { threads, cores, modules, dies, sockets, ..VcpuTopology::default() });
            }
        }
    }
    all
}

fn hosts() -> Outcome<Vec<(&'static str, Host)>> {
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    HOSTS
        .into_iter()
        .map(|name| Ok((name, corpus.hosts.get(name).cloned().ok_or_else(|| format!("no host {name}"))?)))
        .collect()
}

fn errors(tables: &[(u32, CpuidTable)]) -> BTreeSet<(Kind, String)> {
    let check = (0..).zip(tables).fold(Check::new(), |check, (index, (_, table))| check.vcpu(index, table));
    let findings = check.run().findings;
    let errors = findings.into_iter().filter(|finding| finding.severity() == Severity::Error);
    errors.map(|finding| (finding.kind, finding.what)).collect()
}

#[test]
fn general_steps_describe_every_topology_without_a_fault() -> Outcome<()> {
    if !common::pinned("general_steps_describe_every_topology_without_a_fault") {
        return Ok(());
    }
    let mut guests = 0;
    for (name, host) in hosts()? {
        let cpuid = |leaf: Leaf, subleaf: Subleaf| {
            host.instruction.registers(leaf, subleaf).unwrap_or(Registers::ZERO)
        };
        let before = errors(&[(0, CpuidTable::from_entries(&host.supported)?)]);
        for topology in topologies() {
            let guest = Normalizer::new(&host.supported)
                .host(&cpuid)
                .steps(steps::host_identity())
                .steps(steps::hypervisor())
                .steps(Group::ALL.into_iter().flat_map(steps::without))
                .topology(&topology)
                .steps(steps::amd_aliases())
                .build()?;
            let tables: Vec<(u32, CpuidTable)> = guest.vcpus().collect();
            let errors: Vec<_> = errors(&tables).difference(&before).cloned().collect();
            assert!(errors.is_empty(), "{name}, {topology:?}: {errors:#?}");
            levels_are_as_asked(&tables, &topology);
            guests += 1;
        }
    }
    common::say(&format!("general steps: {guests} guests without a fault"));
    Ok(())
}

/// Where a table lists levels, they group the vCPUs as asked for.
fn levels_are_as_asked(tables: &[(u32, CpuidTable)], topology: &VcpuTopology) {
    for (index, (apic_id, table)) in (0..).zip(tables) {
        assert_eq!(*apic_id, topology.apic_id(index));
        let leaf_1 = table.find(Leaf(1), Subleaf(0)).map(|entry| entry.registers.ebx >> 24);
        assert_eq!(leaf_1, Some(*apic_id & 0xff));
        let Some(leaf) = table.topology_leaf() else { continue };
        for level in table.topology_levels(leaf) {
            let threads = match level.domain() {
                TopologyDomain::Thread => topology.threads,
                TopologyDomain::Core if leaf == Leaf(0xb) => topology.threads_per_package(),
                TopologyDomain::Core => topology.threads_per_module(),
                TopologyDomain::Module => topology.threads_per_die(),
                _ => topology.threads_per_package(),
            };
            assert_eq!((level.processors(), level.x2apic_id()), (threads, *apic_id), "{topology:?}");
            let first = index / threads * threads;
            assert_eq!(apic_id >> level.shift(), topology.apic_id(first) >> level.shift(), "{topology:?}");
        }
    }
}

#[test]
fn a_group_that_is_off_leaves_nothing_behind() -> Outcome<()> {
    let every: FeatureSet = [
        feature::PDCM,
        feature::AMX_TILE,
        feature::VMX,
        feature::SVM,
        feature::SGX,
        feature::INTEL_PT,
        feature::MPX,
        feature::MWAIT,
        feature::WAITPKG,
        feature::HYBRID_CPU,
        feature::PERFCTR_CORE,
    ]
    .into_iter()
    .collect();
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    for name in ["allintel", "allamd", "sapphire-rapids", "genoa"] {
        let host = &corpus.hosts[name];
        let all = Group::ALL.into_iter().flat_map(steps::without);
        let table = Normalizer::new(&host.supported).steps(all).build()?.table(0);
        assert!((table.features() & every).is_empty(), "{name}: {:?}", table.features() & every);
        for leaf in [0xa, 0x12, 0x14, 0x1a, 0x1d, 0x1e, 0x23, 0x8000_000a, 0x8000_0022] {
            let left =
                table.iter().find(|entry| entry.function == Leaf(leaf) && entry.registers != Registers::ZERO);
            assert_eq!(left, None, "{name}");
        }
        let gone = 1 << 3 | 1 << 4 | 1 << 8 | 1 << 17 | 1 << 18;
        assert_eq!((table.xcr0() | table.xss()) & gone, 0, "{name}");
        let size = table.find(Leaf(0xd), Subleaf(0)).map(|entry| entry.registers.ecx);
        assert_eq!(size, Some(table.xsave_size(table.xcr0(), false)), "{name}");
    }
    Ok(())
}

fn intel() -> [CpuidEntry; 3] {
    [
        CpuidEntry::new(Leaf(0), Registers::new(0xb, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
        CpuidEntry::new(Leaf(1), Registers::new(0x0008_06f8, 0x0800, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d)),
    ]
}

#[test]
fn steps_can_be_left_out_and_inserted_by_name() -> Outcome<()> {
    let base = intel();
    let whole = Normalizer::new(&base).steps(steps::hypervisor()).topology(&VcpuTopology::cores(2));
    let without = whole.clone().without("hypervisor")?.build()?.table(1);
    assert!(!without.has(feature::HYPERVISOR) && without.has(feature::HT));
    let error = whole.clone().without("hypervizor").map(|_| ()).unwrap_err();
    assert!(
        error.to_string().starts_with("no step is named `hypervizor`: the steps are hypervisor, apic-id")
    );
    let word = CpuidWord::new(Leaf(1), Subleaf(0), Register::Ecx);
    let lines = [(word, u32::MAX, 0x1), (word, 1, 0)];
    let templated = whole.before("hypervisor", steps::template(&lines))?.build()?.table(0);
    let kept = feature::HYPERVISOR.mask() | feature::X2APIC.mask() | feature::TSC_DEADLINE_TIMER.mask();
    assert_eq!(templated.word(word), kept);
    Ok(())
}

#[test]
fn avx512_goes_with_its_state_and_what_needs_it() -> Outcome<()> {
    if !common::recent("avx512_goes_with_its_state_and_what_needs_it") {
        return Ok(());
    }
    let [leaf_0, leaf_1, _] = intel();
    let ebx = feature::AVX512F.mask() | feature::AVX512VL.mask() | feature::AVX2.mask();
    let base = [
        CpuidEntry::new(
            Leaf(0),
            Registers::new(0x24, leaf_0.registers.ebx, leaf_0.registers.ecx, leaf_0.registers.edx),
        ),
        leaf_1,
        CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(1, ebx, 0, 0)),
        CpuidEntry::indexed(Leaf(7), Subleaf(1), Registers::new(0, 0, 0, feature::AVX10.mask())),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(0), Registers::new(0xe7, 2696, 2696, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(2), Registers::new(256, 576, 0, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(5), Registers::new(64, 1088, 0, 0)),
        CpuidEntry::indexed(Leaf(0x24), Subleaf(0), Registers::new(0, 0x0007_0001, 0, 0)),
    ];
    let table = Normalizer::new(&base).steps(steps::without(Group::Avx512)).build()?.table(0);
    assert!(table.has(feature::AVX2) && !table.has(feature::AVX512F) && !table.has(feature::AVX512VL));
    assert!(!table.has(feature::AVX10));
    let word = |leaf, register| table.word(CpuidWord::new(Leaf(leaf), Subleaf(0), register));
    assert_eq!((word(0xd, Register::Eax), word(0xd, Register::Ecx), word(0x24, Register::Ebx)), (7, 832, 0));
    Ok(())
}

/// A newer KVM may have bits that no release known here names.
#[test]
fn an_allow_list_of_kvm_s_features_clears_every_other_bit() -> Outcome<()> {
    let [leaf_0, leaf_1, hypervisor] = intel();
    let features = CpuidEntry::new(Leaf(0x4000_0001), Registers::new(0x0811_003b, 0, 0, 3));
    let base = [leaf_0, leaf_1, hypervisor, features];
    let allowed = [feature::KVM_FEATURE_STEAL_TIME, feature::KVM_HINTS_REALTIME].into_iter().collect();
    let table = Normalizer::new(&base).steps(steps::kvm_features(&allowed)).build()?.table(0);
    let word = |register| table.word(CpuidWord::new(Leaf(0x4000_0001), Subleaf(0), register));
    assert_eq!((word(Register::Eax), word(Register::Edx)), (0x20, 1));
    Ok(())
}

#[test]
fn a_step_that_cannot_be_applied_is_named() {
    let base = intel();
    let build = |steps| Normalizer::new(&base).steps(steps).build().map(|_| ()).unwrap_err();
    assert_eq!(build(steps::host_identity()), NormalizeError::NoHost("host-identity"));
    let wide = [base[0], CpuidEntry::new(Leaf(0x8000_0008), Registers::ZERO)];
    let wide = Normalizer::new(&wide).steps(steps::physical_bits(256)).build().map(|_| ());
    assert!(matches!(wide, Err(NormalizeError::TooLarge { step: "phys-bits", .. })));
    let many = vec![base[0]; 257];
    let many = Normalizer::new(&many).build().map(|_| ()).unwrap_err();
    assert_eq!(many.to_string(), "step base: KVM accepts at most 256 CPUID entries");
}

#[test]
fn leaves_of_hypervisors_are_exchanged() -> Outcome<()> {
    let base = intel();
    let own = CpuidEntry::new(Leaf(0x4000_0100), Registers::new(1, 2, 3, 4));
    let hyperv = [CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0x4000_0005, 0, 0, 0))];
    let guest = Normalizer::new(&base)
        .steps(steps::hyperv(&hyperv))
        .steps(steps::own_leaf(own))
        .steps(steps::tsc_frequency(2_600_000, 1_000_000))
        .build()?;
    let table = guest.table(0);
    let hypervisors: Vec<_> =
        table.hypervisors().map(|hypervisor| (hypervisor.base.0, hypervisor.highest.0)).collect();
    assert_eq!(hypervisors, [(0x4000_0000, 0x4000_0010), (0x4000_0100, 1)]);
    assert_eq!(table.find(Leaf(0x4000_0010), Subleaf(0)).map(|entry| entry.registers.eax), Some(2_600_000));
    Ok(())
}

#[test]
fn caches_of_a_model_and_of_the_host_replace_the_base_s() -> Outcome<()> {
    if !common::pinned("caches_of_a_model_and_of_the_host_replace_the_base_s") {
        return Ok(());
    }
    let model = cpuid_tables::QemuRelease::NEWEST.cpu_model("EPYC-Milan").ok_or("a model")?;
    let caches = model.caches().ok_or("its caches")?;
    for (name, leaf) in [("milan", Leaf(0x8000_001d)), ("skylake-i5", Leaf(4))] {
        let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
        let host = &corpus.hosts[name];
        let topology = VcpuTopology { threads: 2, cores: 4, ..VcpuTopology::default() };
        let cpuid = |leaf: Leaf, subleaf: Subleaf| {
            host.instruction.registers(leaf, subleaf).unwrap_or(Registers::ZERO)
        };
        let by_model = Normalizer::new(&host.supported)
            .steps(steps::caches(&caches))
            .topology(&topology)
            .build()?
            .table(0);
        let sizes: Vec<u64> = by_model.caches(leaf).map(|cache| cache.size()).collect();
        assert_eq!(sizes, [32 << 10, 32 << 10, 512 << 10, 32 << 20], "{name}");
        let sharing: Vec<u32> = by_model.caches(leaf).map(|cache| cache.threads_sharing()).collect();
        assert_eq!(sharing, [2, 2, 2, 8], "{name}");
        let by_host = Normalizer::new(&host.supported)
            .host(&cpuid)
            .steps(steps::host_caches())
            .topology(&topology)
            .build()?
            .table(0);
        let hosts: Vec<u64> = host.instruction.caches(leaf).map(|cache| cache.size()).collect();
        assert_eq!(by_host.caches(leaf).map(|cache| cache.size()).collect::<Vec<_>>(), hosts, "{name}");
    }
    Ok(())
}
