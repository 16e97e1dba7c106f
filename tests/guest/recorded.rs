//! Guests' CPUID tables of this library against recordings of real QEMUs. No QEMU is needed: tests/qemu/README.md
//! describes the recordings.

use std::collections::{BTreeMap, BTreeSet};

use cpuid_tables::guest::{GuestCpuid, MachineOption};
use cpuid_tables::host::Host;
use cpuid_tables::{QemuRelease, Register};

use crate::common;
use crate::oracle::compare::{Verdict, compare_recorded};
use crate::oracle::corpus::{self, Corpus};
use crate::oracle::differences::explained;
use crate::oracle::{Outcome, cases, ours};

/// The releases whose whole sweep is recorded, and the minimum number of cases: a missing corpus is not a success.
const RELEASES: [(&str, usize); 2] = [("10.0", 11_000), ("7.2", 8_000)];
/// Further corpora, of what people type and what hosts can be: directory, release and minimum number of cases.
const OTHERS: [(&str, &str, usize); 8] = [
    ("7.2-adversarial", "7.2", 1_500),
    ("10.0-adversarial", "10.0", 1_500),
    ("10.2", "10.2", 2_500),
    ("11.1", "11.1", 3_500),
    ("7.2-msrs", "7.2", 300),
    ("10.0-msrs", "10.0", 300),
    ("10.2-msrs", "10.2", 300),
    ("11.1-msrs", "11.1", 300),
];

/// The hosts of the corpus, unchanged.
fn hosts(corpus: &Corpus) -> BTreeMap<&str, Host> {
    corpus
        .hosts
        .iter()
        .map(|(name, host)| {
            let mut host = host.clone();
            host.fill_in();
            (name.as_str(), host)
        })
        .collect()
}

fn every_recorded_guest_is_built_equal(directory: &str, name: &str, at_least: usize) -> Outcome<()> {
    let Some(release) = common::qemu("every_recorded_guest_is_built_equal", name) else { return Ok(()) };
    let corpus = Corpus::read(&corpus::directory().join(directory))?;
    let hosts = hosts(&corpus);
    let explained = explained(directory)?;
    let mut unused: BTreeSet<String> = explained.iter().map(|row| row.case.to_string()).collect();
    assert_eq!(unused.len(), explained.len(), "a case is explained twice");
    let (mut equal, mut refused, mut known) = (0, 0, 0);
    let mut wrong = Vec::new();
    for recorded in &corpus.cases {
        let case = &recorded.case;
        let host = hosts.get(case.host.as_str()).ok_or_else(|| format!("{case}: no such host"))?;
        match compare_recorded(recorded, &ours::build(release, host, case)?) {
            Verdict::Equal => equal += 1,
            Verdict::BothRefuse => refused += 1,
            Verdict::Different(_) if unused.remove(&case.to_string()) => known += 1,
            Verdict::Different(difference) => wrong.push(format!("{case}\n  {difference}")),
        }
    }
    common::say(&format!(
        "QEMU {directory}: {} cases, {equal} equal, {refused} refused by both, {known} known to differ, {} different",
        corpus.cases.len(),
        wrong.len()
    ));
    assert!(
        wrong.is_empty(),
        "{} differ, among them\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert!(unused.is_empty(), "differences.tsv explains what is equal or is not recorded:\n{unused:#?}");
    assert!(corpus.cases.len() >= at_least, "only {} cases", corpus.cases.len());
    // Most of what people type wrongly is refused.
    assert!(equal * 3 > corpus.cases.len(), "{refused} refused: the corpus is of little worth");
    Ok(())
}

#[test]
fn every_recorded_guest_of_qemu_10_0_is_built_equal() -> Outcome<()> {
    let [(name, at_least), _] = RELEASES;
    every_recorded_guest_is_built_equal(name, name, at_least)
}

#[test]
fn every_recorded_guest_of_qemu_7_2_is_built_equal() -> Outcome<()> {
    let [_, (name, at_least)] = RELEASES;
    every_recorded_guest_is_built_equal(name, name, at_least)
}

#[test]
fn every_recorded_adversarial_guest_is_built_equal() -> Outcome<()> {
    OTHERS.iter().try_for_each(|(directory, name, at_least)| {
        every_recorded_guest_is_built_equal(directory, name, *at_least)
    })
}

/// A base that was stored and read again gives every vCPU the same table.
#[test]
#[cfg(feature = "json")]
fn a_stored_base_gives_every_recorded_vcpu_its_table() -> Outcome<()> {
    use cpuid_tables::{CpuidTable, VcpuBase};
    if !common::pinned("a_stored_base_gives_every_recorded_vcpu_its_table") {
        return Ok(());
    }
    let mut tables = 0;
    for (directory, name) in [("7.2-adversarial", "7.2"), ("10.0-adversarial", "10.0"), ("11.1-msrs", "11.1")]
    {
        let release = QemuRelease::find(name).ok_or("no such release")?;
        let corpus = Corpus::read(&corpus::directory().join(directory))?;
        let hosts = hosts(&corpus);
        for recorded in corpus.cases.iter().filter(|recorded| recorded.status == 0) {
            let case = &recorded.case;
            let guest = ours::guest(release, &hosts[case.host.as_str()], case)??;
            let base: VcpuBase = serde_json::from_str(&serde_json::to_string(guest.base())?)?;
            let mut restored = CpuidTable::new();
            for (apic_id, table) in guest.vcpus() {
                base.write(apic_id, &mut restored);
                assert_eq!(restored, table, "{case}: vCPU {apic_id}");
                tables += 1;
            }
        }
    }
    assert!(tables > 3_000, "only {tables} tables");
    Ok(())
}

#[test]
fn every_model_name_is_recorded_on_both_vendors_and_a_real_host() -> Outcome<()> {
    if !common::pinned("every_model_name_is_recorded_on_both_vendors_and_a_real_host") {
        return Ok(());
    }
    // As many as `-cpu help` lists.
    for ((name, _), count) in RELEASES.into_iter().zip([154, 132]) {
        let release = QemuRelease::find(name).ok_or("no such release")?;
        let corpus = Corpus::read(&corpus::directory().join(name))?;
        let models = cases::models(release);
        assert_eq!(models.len(), count, "QEMU {name}");
        for host in ["allamd", "allintel", "machine"] {
            for model in &models {
                let is = |recorded: &&corpus::Recorded| {
                    let case = &recorded.case;
                    case.host == host && case.cpu == *model && case.machine == "q35" && recorded.status == 0
                };
                let topologies: BTreeSet<&str> =
                    corpus.cases.iter().filter(is).map(|recorded| recorded.case.smp.as_str()).collect();
                assert!(topologies.len() >= 3, "QEMU {name}: {model} on {host}: {topologies:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn every_model_s_unavailable_features_are_equal() -> Outcome<()> {
    if !common::pinned("every_model_s_unavailable_features_are_equal") {
        return Ok(());
    }
    let whole = RELEASES.iter().map(|(name, _)| (*name, *name));
    let others = OTHERS.iter().map(|(directory, name, _)| (*directory, *name));
    for (directory, name) in whole.chain(others) {
        let release = QemuRelease::find(name).ok_or("no such release")?;
        let corpus = Corpus::read(&corpus::directory().join(directory))?;
        let hosts = hosts(&corpus);
        let (mut models, mut lacking) = (0, 0);
        for (host, definitions) in &corpus.definitions {
            let known = hosts.get(host.as_str()).ok_or("no such host")?;
            let builder =
                GuestCpuid::builder().release(release).host(known).machine(MachineOption::new("q35"));
            let ours = builder.definitions()?;
            assert_eq!(ours.len(), definitions.len(), "QEMU {directory} on {host}");
            for (ours, (model, features)) in ours.iter().zip(definitions) {
                assert_eq!(ours.name, *model, "QEMU {directory} on {host}");
                assert_eq!(ours.unavailable_names, *features, "QEMU {directory} on {host}: {model}");
                models += 1;
                lacking += usize::from(!features.is_empty());
            }
        }
        let hosts = corpus.definitions.len();
        common::say(&format!(
            "QEMU {directory}: {models} models on {hosts} hosts, {lacking} lack features, all equal"
        ));
        assert!(hosts >= 15 && lacking > 1000, "too few");
    }
    Ok(())
}

#[test]
fn single_changed_bit_is_a_difference() -> Outcome<()> {
    if !common::pinned("single_changed_bit_is_a_difference") {
        return Ok(());
    }
    let release = QemuRelease::find("10.0").ok_or("no such release")?;
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    let hosts = hosts(&corpus);
    let several = |recorded: &&corpus::Recorded| recorded.case.smp.starts_with("4,") && recorded.status == 0;
    let recorded = corpus.cases.iter().find(several).ok_or("no case with four vCPUs")?;
    let host = hosts.get(recorded.case.host.as_str()).ok_or("no such host")?;
    let built = ours::build(release, host, &recorded.case)?;
    assert_eq!(compare_recorded(recorded, &built), Verdict::Equal);
    for at in 0..recorded.table.len() {
        for register in Register::ALL {
            let mut changed = recorded.clone();
            changed.table[at].registers[register] ^= 1 << (at % 32);
            assert!(matches!(compare_recorded(&changed, &built), Verdict::Different(_)), "entry {at}");
        }
    }
    let mut other = recorded.clone();
    other.digest ^= 1;
    assert!(matches!(compare_recorded(&other, &built), Verdict::Different(_)));
    let mut other = recorded.clone();
    other.warnings.push("host doesn't support requested feature: CPUID.01H:EDX.fpu [bit 0]".to_owned());
    assert!(matches!(compare_recorded(&other, &built), Verdict::Different(_)));
    let mut other = recorded.clone();
    other.status = 1;
    assert!(matches!(compare_recorded(&other, &built), Verdict::Different(_)));
    other = recorded.clone();
    other.table.pop();
    assert!(matches!(compare_recorded(&other, &built), Verdict::Different(_)));
    Ok(())
}
