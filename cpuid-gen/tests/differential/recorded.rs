//! Compares the answers of real QEMUs over QMP, recorded by `recorded/record-qmp`, with the facts of the same
//! releases.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use cpuid_gen::facts::QemuFacts;
use cpuid_gen::vocabulary::cpu_model::DefaultVersion;

use super::machines::resolved;
use crate::common::{clean_qemu, have, run, skipped, trees};

/// The properties that every object, device and CPU has, apart from x86's.
const OF_ALL_CPUS: [&str; 8] = [
    "hotpluggable",
    "hotplugged",
    "legacy-memory",
    "memory",
    "parent_bus",
    "realized",
    "start-powered-off",
    "type",
];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")
}

/// The rows of one kind, without it.
fn rows<'t>(recorded: &'t str, kind: &str) -> Vec<Vec<&'t str>> {
    let split = |line: &'t str| line.split('\t').collect::<Vec<_>>();
    let rows = recorded.lines().map(split).filter(|row| row[0] == kind);
    rows.map(|row| row[1..].to_vec()).collect()
}

/// Each recorded release with its tree's facts.
fn releases(test: &str) -> Vec<(QemuFacts, String)> {
    let mut found = Vec::new();
    for tree in trees(test, "qemu-") {
        let facts = clean_qemu(&tree);
        if let Ok(recorded) = fs::read_to_string(folder().join(format!("qemu-{}.tsv", facts.release))) {
            assert_eq!(rows(&recorded, "release"), [[facts.release.as_str()]]);
            found.push((facts, recorded));
        }
    }
    if found.is_empty() {
        skipped(test, "the tree of a recorded QEMU");
    }
    found
}

#[test]
fn machine_types_match_a_real_qemu() {
    const TEST: &str = "machine_types_match_a_real_qemu";
    for (facts, recorded) in releases(TEST) {
        let stated: BTreeSet<&str> = rows(&recorded, "machine").iter().map(|row| row[0]).collect();
        let ours: BTreeSet<&str> = facts.machines.iter().map(|machine| machine.name.as_str()).collect();
        assert_eq!(ours, stated, "{}", facts.release);
        assert_eq!(ours.len(), facts.machines.len(), "{}: a machine type twice", facts.release);
        println!("{}: {} machine types", facts.release, stated.len());
    }
}

#[test]
fn compatibility_properties_match_a_real_qemu() {
    const TEST: &str = "compatibility_properties_match_a_real_qemu";
    let mut compared = 0;
    for (facts, recorded) in releases(TEST) {
        let known = rows(&recorded, "compat");
        for machine in rows(&recorded, "machine-compat") {
            let numbers = machine[1..].iter().filter(|number| !number.is_empty());
            let stated: Vec<Vec<&str>> =
                numbers.map(|number| known[number.parse::<usize>().unwrap()][1..].to_vec()).collect();
            assert_eq!(resolved(&facts, machine[0]), stated, "{}: {}", facts.release, machine[0]);
            compared += stated.len();
        }
    }
    if compared == 0 {
        skipped(TEST, "the tree of QEMU 9.1 or later that was recorded");
    }
    println!("{compared} properties, in order");
}

/// A machine type's version is visible in `alias-of`: `EPYC` is an alias of `EPYC-v1`, of the newest version, or not
/// an alias.
#[test]
fn default_versions_match_a_real_qemu() {
    const TEST: &str = "default_versions_match_a_real_qemu";
    for (facts, recorded) in releases(TEST) {
        let models: BTreeSet<&str> = rows(&recorded, "model").iter().map(|row| row[0]).collect();
        let newest = |model: &str| {
            let version = |number: &u32| models.contains(format!("{model}-v{number}").as_str());
            (1..100).take_while(version).last().unwrap()
        };
        let sets = rows(&recorded, "aliases");
        let mut compared = 0;
        for machine in rows(&recorded, "machine-aliases") {
            let aliases = &sets[machine[1].parse::<usize>().unwrap()][1..];
            let aliases: BTreeMap<&str, &str> =
                aliases.iter().filter_map(|alias| alias.split_once('=')).collect();
            let own =
                |model: &&&str| !model.contains("-v") && models.contains(format!("{model}-v1").as_str());
            let row = facts.machines.iter().find(|row| row.name == machine[0]).unwrap();
            for model in models.iter().filter(own) {
                let expected = match row.default_version.unwrap() {
                    DefaultVersion::Legacy => None,
                    DefaultVersion::Version(number) => Some(format!("{model}-v{number}")),
                    DefaultVersion::Latest => Some(format!("{model}-v{}", newest(model))),
                };
                let stated = aliases.get(model).copied();
                assert_eq!(expected.as_deref(), stated, "{}: {model} of {}", facts.release, row.name);
                compared += 1;
            }
        }
        println!("{}: {compared} models of machine types", facts.release);
        assert!(compared > 1000, "{}: the record is thin", facts.release);
    }
}

/// QMP's name of a kind of property in facts.
fn kind(kind: &str) -> &str {
    match kind {
        "bit64" => "bool",
        "on_off_auto" => "OnOffAuto",
        "uint64_checkmask" => "uint64",
        other => other,
    }
}

/// All names that `-cpu` accepts, with type and default if the facts state them.
#[test]
fn properties_match_a_real_qemu() {
    const TEST: &str = "properties_match_a_real_qemu";
    for (facts, recorded) in releases(TEST) {
        let stated: BTreeMap<&str, (&str, &str)> =
            rows(&recorded, "property").iter().map(|row| (row[1], (row[2], row[3]))).collect();
        let mut ours: BTreeSet<&str> = facts.bits.iter().flat_map(|bit| bit.names()).collect();
        for alias in &facts.aliases {
            let type_of = |name: &str| stated.get(name).unwrap_or_else(|| panic!("{name}")).0;
            assert_eq!(type_of(&alias.name), type_of(&alias.target), "{}", alias.name);
            assert!(ours.insert(&alias.name), "{} twice", alias.name);
        }
        for property in &facts.properties {
            let name = property.name.as_str();
            let (of, default) = stated.get(name).unwrap_or_else(|| panic!("{name}"));
            let string = property.kind == "string" && *of == "str";
            assert!(string || kind(&property.kind) == *of, "{name}: {} and {of}", property.kind);
            let stated = match (property.kind.as_str(), property.default.as_deref()) {
                ("bit64", Some("0")) => Some("false"),
                ("bit64", Some(_)) => Some("true"),
                (_, stated) => stated,
            };
            // QMP interprets names that start with `legacy-` differently, and reports no default.
            let expected = stated.filter(|_| !name.starts_with("legacy-")).unwrap_or("-");
            assert_eq!(expected, *default, "{name}");
            assert!(ours.insert(name), "{name} twice");
        }
        let rest: Vec<&str> = stated.keys().copied().filter(|name| !ours.contains(name)).collect();
        assert_eq!(rest, OF_ALL_CPUS, "{}", facts.release);
        assert_eq!(ours.len() + rest.len(), stated.len(), "{}", facts.release);
        println!("{}: {} names", facts.release, ours.len());
    }
}

/// An installed QEMU of a recorded release gives the recorded answers.
#[test]
fn an_installed_qemu_matches_the_recording() {
    const TEST: &str = "an_installed_qemu_matches_the_recording";
    const PROGRAM: &str = "qemu-system-x86_64";
    if !have(TEST, PROGRAM) || !have(TEST, "python3") {
        return;
    }
    let stated = run(Command::new(folder().join("record-qmp")).args(["--once", PROGRAM])).unwrap();
    let release = rows(&stated, "release")[0][0];
    let Ok(recorded) = fs::read_to_string(folder().join(format!("qemu-{release}.tsv"))) else {
        return skipped(TEST, &format!("a record of QEMU {release}, which is installed"));
    };
    let once = recorded.lines().filter(|line| {
        let kind = line.split('\t').next().unwrap();
        !["aliases", "machine-aliases", "model"].contains(&kind)
    });
    assert_eq!(stated.lines().collect::<Vec<_>>(), once.collect::<Vec<_>>());
}
