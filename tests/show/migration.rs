//! Guests of every model that runs on a real processor's host, moved to every other host.

use std::collections::BTreeMap;
use std::error::Error;

use cpuid_tables::guest::{Filtered, GuestCpuid, default_release};
use cpuid_tables::host::Host;
use cpuid_tables::show::{Migration, MigrationSide};
use cpuid_tables::{CpuModel, CpuidEntry, Leaf, Msr, Registers, Subleaf};

use crate::common;
use crate::oracle::hosts::{self, processors};

type TestResult = Result<(), Box<dyn Error + Send + Sync>>;

/// Generations of server processors of one vendor, oldest first: each has every feature of the one before it that QEMU's
/// models use.
const GENERATIONS: [&[&str]; 2] = [
    &["nehalem", "skylake-xeon", "cascadelake", "icelake", "sapphire-rapids", "granite-rapids"],
    &["rome", "milan", "genoa"],
];

/// Whether a guest can move to a host, but for what QEMU does not migrate at all.
pub(crate) fn migration(guest: &GuestCpuid, to: &Host) -> Migration {
    let table = guest.table();
    // A guest's words of VMX controls state which bits may be 1.
    let msrs = guest.msr_words().filter(|(msr, _)| msr.0 == 0x10a).collect();
    Migration::compared(
        MigrationSide { entries: &table, msrs: Some(&msrs), ..MigrationSide::default() },
        MigrationSide {
            entries: &to.supported,
            msrs: Some(&to.msrs),
            is_kvm: true,
            ..MigrationSide::default()
        },
    )
}

/// The guests of every model that runs on a host.
fn guests(host: &Host) -> Result<Vec<(String, GuestCpuid)>, Box<dyn Error + Send + Sync>> {
    let builder = GuestCpuid::builder().host(host);
    let mut guests = Vec::new();
    for definition in builder.definitions()? {
        let is_plain = definition.model.is_some_and(|model| model.is_unversioned());
        if definition.runs() && (is_plain || definition.name == "host") {
            let guest = GuestCpuid::builder().model(&definition.name).host(host).build()?;
            guests.push((definition.name, guest));
        }
    }
    Ok(guests)
}

#[test]
fn a_guest_can_always_move_to_its_own_host() -> TestResult {
    if !common::pinned("a_guest_can_always_move_to_its_own_host") {
        return Ok(());
    }
    let mut count = 0;
    for (name, host) in processors()? {
        for (model, guest) in guests(&host)? {
            let found = migration(&guest, &host);
            assert_eq!(found.obstacles, [], "{model} on {name}: {:?}", shown(&found));
            count += 1;
        }
    }
    assert!(count > 100, "only {count} guests");
    Ok(())
}

/// What `models` says runs on a host can move to that host: hosts whose KVM leaves out what a VMM adds, and others that no
/// processor has.
#[test]
fn a_guest_can_move_to_the_strange_host_on_which_it_was_built() -> TestResult {
    if !common::pinned("a_guest_can_move_to_the_strange_host_on_which_it_was_built") {
        return Ok(());
    }
    let fleet = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/hosts");
    let names = ["allamd", "allintel", "amd-half", "amd-most", "intel-half", "intel-most", "intel-nearly"];
    let mut hosts: Vec<(String, Host)> = Vec::new();
    for name in names {
        hosts.push((name.to_owned(), hosts::read(&fleet, name)?));
    }
    for seed in 0..12 {
        hosts.push((format!("plausible {seed}"), hosts::plausible(seed)?));
    }
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, host) in &hosts {
        let models = default_release().cpu_models().map(CpuModel::name).chain(["host"]);
        for model in models {
            for option in [model.to_owned(), format!("{model},-mce"), format!("{model},+mca,+mtrr,+pat")] {
                let cpu = option.parse()?;
                let Ok(guest) = GuestCpuid::builder().cpu(cpu).host(host).build() else { continue };
                let found = migration(&guest, host);
                count += 1;
                if !found.can_move() {
                    wrong.push(format!("{option} on {name}: {:?}", shown(&found)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 2000, "only {count} guests");
    Ok(())
}

/// QEMU does not migrate a guest whose model has the constant TSC, and no other for its model alone.
#[test]
fn one_model_cannot_be_migrated_without_a_setting() -> TestResult {
    if !common::pinned("one_model_cannot_be_migrated_without_a_setting") {
        return Ok(());
    }
    let fleet = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/hosts");
    let host = hosts::read(&fleet, "allintel")?;
    let mut blocked = Vec::new();
    for model in default_release().cpu_models().map(CpuModel::name).chain(["host", "max"]) {
        let Ok(guest) = GuestCpuid::builder().model(model).host(&host).build() else { continue };
        let table = guest.table();
        let side = MigrationSide { entries: &table, ..MigrationSide::default() };
        let found = Migration::new(side, side);
        blocked.extend(found.obstacles.iter().map(|obstacle| (model, obstacle.name())));
    }
    assert_eq!(blocked, [("YongFeng", "invtsc".to_string())]);
    Ok(())
}

fn shown(migration: &Migration) -> Vec<String> {
    migration.obstacles.iter().map(ToString::to_string).collect()
}

/// Features that state how fast something is: the guest works without them.
pub(super) const SPEED: [&str; 6] = ["erms", "fsrm", "fzrm", "fsrs", "fsrc", "mcdt-no"];

/// A named model that runs on a generation moves to every newer one that runs it, and back to none that lacks a feature.
#[test]
fn a_model_moves_to_hosts_that_run_it() -> TestResult {
    if !common::pinned("a_model_moves_to_hosts_that_run_it") {
        return Ok(());
    }
    let hosts: BTreeMap<&str, Host> = processors()?.into_iter().collect();
    let mut moves = [0, 0];
    for generation in GENERATIONS {
        for from in generation {
            for (model, guest) in guests(&hosts[from])?.iter().filter(|(name, _)| name != "host") {
                for to in generation {
                    let there = GuestCpuid::builder().model(model).host(&hosts[to]).build();
                    let needed =
                        |filtered: &&Filtered| !filtered.name.is_some_and(|name| SPEED.contains(&name));
                    let runs =
                        there.as_ref().is_ok_and(|there| there.filtered().iter().filter(needed).count() == 0);
                    let found = migration(guest, &hosts[to]);
                    assert_eq!(found.can_move(), runs, "{model} from {from} to {to}: {:?}", shown(&found));
                    moves[usize::from(runs)] += 1;
                }
            }
        }
    }
    assert!(moves.iter().all(|count| *count > 10), "{moves:?}");
    Ok(())
}

/// The obstacles are exactly the features that the destination lacks, and the remedy takes them away.
#[test]
fn the_remedy_makes_the_move_possible() -> TestResult {
    if !common::pinned("the_remedy_makes_the_move_possible") {
        return Ok(());
    }
    let hosts: BTreeMap<&str, Host> = processors()?.into_iter().collect();
    let (old, new) = (&hosts["skylake-xeon"], &hosts["icelake"]);
    let guest = GuestCpuid::builder().model("Icelake-Server-v1").host(new).build()?;
    let found = migration(&guest, old);
    let remedy = found.remedy().ok_or_else(|| format!("no remedy for {:?}", shown(&found)))?;
    let cpu = format!("Icelake-Server-v1,{remedy}").parse()?;
    let guest = GuestCpuid::builder().cpu(cpu).host(new).build()?;
    assert_eq!(migration(&guest, old).obstacles, [], "{remedy}");
    Ok(())
}

#[test]
fn restrictions_and_numbers_of_the_vmm_are_not_obstacles() {
    let table = |value: Registers| [CpuidEntry::indexed(Leaf(7), Subleaf(0), value)];
    let (started, there) = (table(Registers::ZERO), table(Registers::new(0, 1 << 13, 0, 0)));
    let side = |entries| MigrationSide { entries, ..MigrationSide::default() };
    let found = Migration::new(side(&started), side(&there));
    assert!(found.can_move() && found.notes.len() == 1);
    // MWAIT's details, which no KVM lists.
    let mwait = [CpuidEntry::new(Leaf(5), Registers::new(0, 0, 3, 0))];
    assert_eq!(Migration::new(side(&mwait), side(&[])), Migration::default());
}

#[test]
fn feature_msrs_are_compared_or_reported() {
    if !common::recent("feature_msrs_are_compared_or_reported") {
        return;
    }
    let vmx = [CpuidEntry::new(Leaf(1), Registers::new(0, 0, 1 << 5, 0))];
    let msrs = |value: u64| BTreeMap::from([(Msr(0x48b), value)]);
    let (wide, narrow) = (msrs(0x9f << 48), msrs(0x1e << 48));
    let side = |msrs| MigrationSide { entries: &vmx, msrs, ..MigrationSide::default() };
    let found = Migration::new(side(Some(&wide)), side(Some(&narrow)));
    assert_eq!(shown(&found).len(), 2, "{:?}", shown(&found));
    assert!(shown(&found)[0].starts_with("vmx-rdseed-exit (MSR 0x48b[16])"), "{:?}", shown(&found));
    assert_eq!(found.remedy().as_deref(), Some("-vmx"));
    assert!(Migration::new(side(Some(&wide)), side(None)).msrs_not_compared);
    let without = MigrationSide { msrs: Some(&wide), ..MigrationSide::default() };
    assert!(Migration::new(without, MigrationSide { msrs: Some(&narrow), ..without }).can_move());
}
