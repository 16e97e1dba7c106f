//! Fleets of hosts: their common features, and what each host costs the fleet.

use std::collections::BTreeSet;
use std::error::Error;

use cpuid_tables::fleet::{Baseline, Fleet, FleetError, HostTables, Rule, meanings};
use cpuid_tables::{
    CpuidEntry, CpuidTable, CpuidWord, Feature, FeatureSet, Leaf, QemuRelease, Register, Registers, Subleaf,
    feature, find_entry,
};
use proptest::prelude::*;

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

const INTEL: [u32; 3] = [0x756e_6547, 0x6c65_746e, 0x4965_6e69];
const AMD: [u32; 3] = [0x6874_7541, 0x444d_4163, 0x6974_6e65];

/// The release whose code the library knows best.
fn qemu() -> QemuRelease {
    QemuRelease::find("10.0").unwrap_or(QemuRelease::NEWEST)
}

/// A host of a vendor with a model's features and a host's other leaves.
fn host(vendor: [u32; 3], model: &str) -> Result<Vec<CpuidEntry>, Box<dyn Error>> {
    let model = qemu().cpu_model(model).ok_or("no such model")?;
    let [ebx, ecx, edx] = vendor;
    let mut entries = vec![
        CpuidEntry::new(Leaf(0), Registers::new(0x1f, ebx, ecx, edx)),
        CpuidEntry::new(Leaf(1), Registers::new(model.signature(), 0x0710_0800, 0, 0)),
        CpuidEntry::new(Leaf(0x8000_0000), Registers::new(0x8000_0028, ebx, ecx, edx)),
        CpuidEntry::new(Leaf(0x8000_0008), Registers::new(0x0000_302e, 0, 0, 0)),
    ];
    for (word, value) in model.words() {
        set_word(&mut entries, word, value);
    }
    for (number, size, offset) in
        [(2, 256, 576), (5, 64, 1088), (6, 512, 1152), (7, 1024, 1664), (9, 8, 2688)]
    {
        entries.push(CpuidEntry::indexed(Leaf(0xd), Subleaf(number), Registers::new(size, offset, 0, 0)));
    }
    set_word(&mut entries, CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Eax), 0x2e7);
    set_word(&mut entries, CpuidWord::new(Leaf(7), Subleaf(0), Register::Eax), 2);
    entries.sort_by_key(|entry| (entry.function, entry.index));
    Ok(entries)
}

fn set_word(entries: &mut Vec<CpuidEntry>, word: CpuidWord, value: u32) {
    let at = entries.iter().position(|entry| entry.answers(word.leaf, word.subleaf));
    let at = at.unwrap_or_else(|| {
        let indexed = cpuid_tables::IndexedLeaf::get(word.leaf).is_some();
        entries.push(CpuidEntry {
            function: word.leaf,
            index: word.subleaf,
            flags: u32::from(indexed),
            registers: Registers::ZERO,
        });
        entries.len() - 1
    });
    *entries[at].register_mut(word.register) = value;
}

fn change(entries: &mut [CpuidEntry], feature: Feature, on: bool) {
    let found = entries.iter_mut().find(|entry| entry.answers(feature.leaf(), feature.subleaf()));
    let Some(entry) = found else { panic!("no leaf of {feature}") };
    let register = entry.register_mut(feature.register());
    *register = if on { *register | feature.mask() } else { *register & !feature.mask() };
}

fn baseline<'a>(
    hosts: impl IntoIterator<Item = (&'a str, &'a [CpuidEntry])>,
) -> Result<Baseline, FleetError> {
    let mut fleet = Fleet::new();
    for (name, entries) in hosts {
        fleet.add(name, entries)?;
    }
    fleet.baseline()
}

#[test]
fn single_host_keeps_its_table_and_costs_nothing() -> TestResult {
    if !common::recent("single_host_keeps_its_table_and_costs_nothing") {
        return Ok(());
    }
    let host = host(INTEL, "Skylake-Server-v5")?;
    let baseline = baseline([("a", &*host)])?;
    for entry in &baseline.entries {
        let own = find_entry(&host, entry.function, entry.subleaf()).ok_or("an entry from nowhere")?;
        // The topology is the VMM's; sizes of XSAVE areas are computed.
        let topology = matches!(entry.function.0, 1 | 4 | 0x8000_0001 | 0x8000_0008 | 0x8000_001d);
        let computed = entry.function == Leaf(0xd) && entry.subleaf() <= Subleaf(1);
        if topology {
            assert!(entry.registers.zip_with(own.registers, |ours, own| ours & !own).is_zero(), "{entry:x?}");
        } else if !computed {
            assert_eq!(entry.registers, own.registers, "{entry:x?}");
        }
    }
    // Sizes follow from XCR0 0x2e7: the last component ends there.
    assert_eq!(baseline.word(CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Ecx)), 2688 + 8);
    assert_eq!((baseline.hosts, baseline.vendor()), (1, Some("GenuineIntel")));
    assert_eq!((baseline.groups.len(), &*baseline.groups[0].hosts), (1, &["a".to_owned()][..]));
    assert!(baseline.groups[0].lacks.is_empty() && baseline.groups[0].limits.is_empty());
    assert!(baseline.unequal.is_empty() && baseline.warnings.is_empty());
    let best = baseline.best_model(qemu())?.ok_or("no model")?;
    // A newer release can have a newer version.
    assert!(best.to_string().starts_with("Skylake-Server-v") && best.fits(), "{best}");
    Ok(())
}

#[test]
fn identical_hosts_are_one_group() -> TestResult {
    if !common::pinned("identical_hosts_are_one_group") {
        return Ok(());
    }
    let host = host(AMD, "EPYC-Rome-v4")?;
    let names: Vec<String> = (0..100).map(|at| format!("node{at}")).collect();
    let all = baseline(names.iter().map(|name| (name.as_str(), &*host)))?;
    assert_eq!(all.groups.len(), 1);
    assert_eq!(all.groups[0].hosts, names);
    assert_eq!(all.entries, baseline([("one", &*host)])?.entries);
    Ok(())
}

#[test]
fn host_costs_the_features_that_only_it_lacks() -> TestResult {
    if !common::recent("host_costs_the_features_that_only_it_lacks") {
        return Ok(());
    }
    let newer = host(INTEL, "Cascadelake-Server-v5")?;
    let older = host(INTEL, "Skylake-Server-v5")?;
    let mut oldest = older.clone();
    change(&mut oldest, feature::CLWB, false);
    set_word(&mut oldest, CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Eax), 0x3027);
    let all =
        baseline([("newer", &*newer), ("older", &*older), ("oldest", &*oldest), ("oldest2", &*oldest)])?;
    let group = |name: &str| all.groups.iter().find(|group| group.hosts.contains(&name.to_owned()));
    let oldest = group("oldest").ok_or("no such group")?;
    assert_eq!(oldest.hosts, ["oldest", "oldest2"]);
    // Both older hosts lack AVX512-VNNI: it is not the cost of either.
    assert!(oldest.costs.iter().eq([feature::CLWB]), "{:?}", oldest.costs);
    assert!(oldest.lacks.contains(feature::AVX512_VNNI));
    let limits: Vec<(&str, u32, u32)> =
        oldest.limits.iter().map(|limit| (limit.field.name(), limit.with, limit.without)).collect();
    assert_eq!(limits, [("phys_addr_bits", 39, 46)]);
    assert_eq!(all.groups[0].hosts, oldest.hosts);
    assert!(group("newer").ok_or("no such group")?.lacks.is_empty());
    let best = all.best_model(qemu())?.ok_or("no model")?;
    assert!(best.fits() && best.same_vendor);
    // Every Skylake-Server has CLWB, so the best model that runs unchanged is an older one.
    assert!(best.model.name().starts_with("Skylake-Client"), "{best}");
    let closest = all.closest_model(qemu())?.ok_or("no model")?;
    assert!(closest.to_string().starts_with("Skylake-Server-v"), "{closest}");
    assert!(closest.removed_names().any(|name| name == "clwb"), "{closest}");
    assert!(closest.changes() < best.changes());
    Ok(())
}

#[test]
fn hosts_of_two_vendors_have_no_model() -> TestResult {
    if !common::pinned("hosts_of_two_vendors_have_no_model") {
        return Ok(());
    }
    let (intel, amd) = (host(INTEL, "Skylake-Server-v5")?, host(AMD, "EPYC-Rome-v4")?);
    let all = baseline([("intel", &*intel), ("amd", &*amd), ("amd2", &*amd)])?;
    assert_eq!(all.vendor(), None);
    assert_eq!(all.vendors, [("AuthenticAMD".to_owned(), 2), ("GenuineIntel".to_owned(), 1)]);
    assert!(all.best_model(qemu())?.is_none() && all.closest_model(qemu())?.is_none());
    let vendor: Vec<CpuidWord> = all.unequal.iter().map(|unequal| unequal.word).collect();
    assert!(vendor.contains(&CpuidWord::new(Leaf(0), Subleaf(0), Register::Ebx)));
    Ok(())
}

#[test]
fn empty_fleet_and_incomplete_table_are_errors() {
    assert_eq!(Fleet::new().baseline().err(), Some(FleetError::NoHost));
    let mut fleet = Fleet::new();
    let error = fleet.add("part", &[CpuidEntry::new(Leaf(1), Registers::ZERO)]);
    assert_eq!(error, Err(FleetError::NotWhole { host: "part".to_owned() }));
    assert!(fleet.is_empty());
}

#[test]
fn restriction_of_any_host_is_set() -> TestResult {
    if !common::recent("restriction_of_any_host_is_set") {
        return Ok(());
    }
    let mut a = host(INTEL, "Haswell-v4")?;
    let b = a.clone();
    change(&mut a, feature::ZERO_FCS_FDS, true);
    let all = baseline([("a", &*a), ("b", &*b)])?;
    assert!(all.features().contains(feature::ZERO_FCS_FDS));
    assert!(all.warnings.iter().eq([feature::ZERO_FCS_FDS]));
    // QEMU would report it as missing on `b`: it is not requested.
    let best = all.best_model(qemu())?.ok_or("no model")?;
    assert!(!best.add.contains(feature::ZERO_FCS_FDS));
    Ok(())
}

#[test]
fn component_of_differing_size_is_removed_with_its_features() -> TestResult {
    if !common::recent("component_of_differing_size_is_removed_with_its_features") {
        return Ok(());
    }
    let a = host(INTEL, "Skylake-Server-v5")?;
    let mut b = a.clone();
    set_word(&mut b, CpuidWord::new(Leaf(0xd), Subleaf(6), Register::Ebx), 1280);
    let all = baseline([("a", &*a), ("b", &*b)])?;
    let features = all.features();
    assert!(!features.contains(feature::AVX512F) && !features.contains(feature::AVX512VL));
    assert!(features.contains(feature::AVX2));
    assert_eq!(all.word(CpuidWord::new(Leaf(0xd), Subleaf(0), Register::Eax)), 0x2a7);
    assert!(find_entry(&all.entries, Leaf(0xd), Subleaf(6)).is_none());
    let why: Vec<CpuidWord> = all.unequal.iter().map(|unequal| unequal.word).collect();
    assert_eq!(why, [CpuidWord::new(Leaf(0xd), Subleaf(6), Register::Ebx)]);
    Ok(())
}

#[test]
fn leaves_without_feature_or_range_are_removed() -> TestResult {
    if !common::pinned("leaves_without_feature_or_range_are_removed") {
        return Ok(());
    }
    let mut a = host(AMD, "EPYC-Rome-v4")?;
    a.push(CpuidEntry::new(Leaf(0x8000_000a), Registers::new(1, 0x8000, 0, 0x3)));
    let mut b = a.clone();
    change(&mut b, feature::SVM, false);
    let both = baseline([("a", &*a), ("b", &*b)])?;
    assert!(find_entry(&both.entries, Leaf(0x8000_000a), Subleaf(0)).is_none());
    set_word(&mut b, CpuidWord::new(Leaf(0), Subleaf(0), Register::Eax), 6);
    let both = baseline([("a", &*a), ("b", &*b)])?;
    assert!(both.entries.iter().all(|entry| entry.function.0 <= 6 || entry.function.0 >= 0x4000_0000));
    Ok(())
}

#[test]
fn cache_list_ends_where_hosts_differ() -> TestResult {
    if !common::recent("cache_list_ends_where_hosts_differ") {
        return Ok(());
    }
    let mut a = host(INTEL, "Skylake-Server-v5")?;
    let caches =
        [[0x21, 0x1c0_003f, 0x3f, 0], [0x22, 0x1c0_003f, 0x3f, 0], [0x43, 0x3c0_003f, 0x3ff, 0], [0; 4]]
            .map(Registers::from_array);
    a.retain(|entry| entry.function != Leaf(4));
    let with = |third: Registers| {
        let mut host = a.clone();
        let list = [caches[0], caches[1], third, caches[3]];
        host.extend(
            (0..).zip(list).map(|(at, registers)| CpuidEntry::indexed(Leaf(4), Subleaf(at), registers)),
        );
        host
    };
    let (same, other) = (with(caches[2]), with(Registers::new(0x63, 0x2c0_003f, 0x7fff, 0)));
    let both = baseline([("same", &*same), ("other", &*other)])?;
    let list: Vec<u32> = both
        .entries
        .iter()
        .filter(|entry| entry.function == Leaf(4))
        .map(|entry| entry.registers.eax)
        .collect();
    assert_eq!(list, [0x21, 0x22, 0]);
    Ok(())
}

#[test]
fn cpus_of_one_host_are_combined() -> TestResult {
    if !common::pinned("cpus_of_one_host_are_combined") {
        return Ok(());
    }
    let mut cpus = HostTables::new();
    let first = host(AMD, "EPYC-Rome-v4")?;
    for id in 0..8u32 {
        let mut cpu = first.clone();
        set_word(&mut cpu, CpuidWord::new(Leaf(1), Subleaf(0), Register::Ebx), id << 24 | 0x0010_0800);
        cpus.add(&cpu);
    }
    let entries = cpus.into_entries();
    assert_eq!(find_entry(&entries, Leaf(1), Subleaf(0)).ok_or("no leaf 1")?.registers.ebx, 0x0010_0800);
    let table = CpuidTable::from_entries(&entries)?;
    assert_eq!(table.features(), CpuidTable::from_entries(&first)?.features());
    Ok(())
}

/// A host like one of the models, with some bits flipped.
fn hosts() -> impl Strategy<Value = Vec<Vec<CpuidEntry>>> {
    let known = ["Skylake-Server-v5", "Haswell-v1", "Icelake-Server-v1", "EPYC-v1", "Haswell", "Nehalem"];
    // Old releases have neither all of them nor versions.
    let has = |model: &&str| qemu().cpu_model(model).is_some();
    let models = prop::sample::select(known.into_iter().filter(has).collect::<Vec<_>>());
    let one = (models, prop::collection::vec((any::<prop::sample::Index>(), 0..4usize, 0..32u32), 0..12));
    prop::collection::vec(one, 1..6).prop_map(|all| {
        all.into_iter()
            .map(|(model, flips)| {
                let mut entries = host(INTEL, model).unwrap_or_else(|error| panic!("{error}"));
                for (entry, register, bit) in flips {
                    let at = entry.index(entries.len());
                    if entries[at].function != Leaf(0) {
                        entries[at].registers[Register::ALL[register]] ^= 1 << bit;
                    }
                }
                entries
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn baseline_runs_on_every_host(hosts in hosts()) {
        let named: Vec<(String, &[CpuidEntry])> =
            hosts.iter().enumerate().map(|(at, host)| (at.to_string(), &**host)).collect();
        let all = baseline(named.iter().map(|(name, host)| (name.as_str(), *host)))?;
        for entry in &all.entries {
            for word in entry.words() {
                let value = entry.register(word.register);
                for meaning in meanings(word).filter(|meaning| !matches!(meaning.rule, Rule::Equal)) {
                    for host in &hosts {
                        let there = find_entry(host, word.leaf, word.subleaf)
                            .map_or(0, |entry| entry.register(word.register));
                        prop_assert!(
                            meaning.rule.bears(meaning.read(value), meaning.read(there)),
                            "{} {:?}: {:#x} on {:#x}", word, meaning, value, there
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_order_of_hosts_does_not_matter(hosts in hosts()) {
        let name = |at: usize| format!("host{at}");
        let mut forward = Fleet::new();
        let mut backward = Fleet::new();
        for at in 0..hosts.len() {
            forward.add(&name(at), &hosts[at])?;
            let last = hosts.len() - 1 - at;
            backward.add(&name(last), &hosts[last])?;
        }
        let (forward, backward) = (forward.baseline()?, backward.baseline()?);
        prop_assert_eq!(&forward.entries, &backward.entries);
        prop_assert_eq!(&forward.unequal, &backward.unequal);
        prop_assert_eq!(forward.warnings, backward.warnings);
        let groups = |all: &Baseline| -> BTreeSet<(Vec<String>, usize, usize)> {
            let one = |group: &cpuid_tables::fleet::Group| {
                let mut hosts = group.hosts.clone();
                hosts.sort();
                (hosts, group.costs.len(), group.limits.len())
            };
            all.groups.iter().map(one).collect()
        };
        prop_assert_eq!(groups(&forward), groups(&backward));
    }

    #[test]
    fn a_group_costs_what_all_others_have(hosts in hosts()) {
        let mut fleet = Fleet::new();
        for (at, host) in hosts.iter().enumerate() {
            fleet.add(&at.to_string(), host)?;
        }
        let all = fleet.baseline()?;
        for group in &all.groups {
            if group.hosts.len() == hosts.len() {
                continue;
            }
            let mut rest = Fleet::new();
            for (at, host) in hosts.iter().enumerate() {
                if !group.hosts.contains(&at.to_string()) {
                    rest.add(&at.to_string(), host)?;
                }
            }
            let shared = |fleet: &[usize]| -> FeatureSet {
                fleet.iter().fold(FeatureSet::ALL, |set, at| {
                    let table = CpuidTable::from_entries(&hosts[*at]).unwrap_or_default();
                    set & table.features()
                })
            };
            let every: Vec<usize> = (0..hosts.len()).collect();
            let others: Vec<usize> =
                every.iter().copied().filter(|at| !group.hosts.contains(&at.to_string())).collect();
            let and_ed = |feature: &Feature| meanings(feature.location().word)
                .any(|meaning| meaning.mask & feature.mask() != 0 && meaning.rule == Rule::And);
            let gained: FeatureSet = (shared(&others) - shared(&every)).iter().filter(and_ed).collect();
            prop_assert_eq!(group.costs, gained);
        }
    }
}

#[test]
fn unmigratable_features_are_not_added() -> TestResult {
    if !common::recent("unmigratable_features_are_not_added") {
        return Ok(());
    }
    let mut entries = host(INTEL, "Skylake-Server-v5")?;
    entries.push(CpuidEntry::new(Leaf(0x8000_0007), Registers::new(0, 0, 0, feature::CONSTANT_TSC.mask())));
    entries.sort_by_key(|entry| (entry.function, entry.index));
    change(&mut entries, feature::UMIP, true);
    let best = baseline([("a", &*entries)])?.best_model(qemu())?.ok_or("no model")?;
    assert!(best.add.contains(feature::UMIP) && !best.add.contains(feature::CONSTANT_TSC), "{best}");
    Ok(())
}

#[test]
fn feature_is_removed_if_its_leaf_must_be_equal_but_differs() -> TestResult {
    if !common::pinned("feature_is_removed_if_its_leaf_must_be_equal_but_differs") {
        return Ok(());
    }
    let mut a = host(INTEL, "SapphireRapids-v1")?;
    let b = {
        a.push(CpuidEntry::indexed(Leaf(0x1e), Subleaf(0), Registers::new(0, 0x4010, 0, 0)));
        a.sort_by_key(|entry| (entry.function, entry.index));
        let mut b = a.clone();
        set_word(&mut b, CpuidWord::new(Leaf(0x1e), Subleaf(0), Register::Ebx), 0x8020);
        b
    };
    let one = baseline([("a", &*a)])?.features();
    assert!(one.contains(feature::AMX_TILE) && one.contains(feature::AMX_INT8));
    let both = baseline([("a", &*a), ("b", &*b)])?;
    let features = both.features();
    assert!(!features.contains(feature::AMX_TILE) && !features.contains(feature::AMX_INT8));
    assert!(features.contains(feature::AVX512F));
    assert!(both.unequal.iter().any(|unequal| unequal.word.leaf == Leaf(0x1e)));
    Ok(())
}
