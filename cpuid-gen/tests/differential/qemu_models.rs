//! Every CPU model and version, resolved from the facts, agrees with QEMU's own answers.
//!
//! `recorded/qemu-*-cpu-models.tsv` are answers over QMP, which are also compared with an installed QEMU if there is
//! one. The changes by an accelerator are listed with reasons in `recorded/accelerators.tsv`; no other differences
//! are allowed.

#[path = "qemu_models/ours.rs"]
mod ours;
#[path = "qemu_models/recording.rs"]
mod recording;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::QemuFacts;
use cpuid_gen::facts::records::MaskKind;
use cpuid_gen::model::cpu_models::{CpuDefinition, CpuModel, Property, resolve};
use cpuid_gen::source::Sources;

use crate::common::{clean_qemu, have, run, skipped, trees};
use ours::{Release, Words, exceptions, fields};
use recording::{Props, Recording};

const RECORDINGS: [&str; 2] = [
    include_str!("../recorded/qemu-7.2-cpu-models.tsv"),
    include_str!("../recorded/qemu-10.0-cpu-models.tsv"),
];

/// Runs a comparison for each recording with facts of its release: the tree's, or the pinned ones.
fn each(test: &str, compare: impl Fn(&Recording, &Release<'_>, &[CpuModel])) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (_, mut all) = cpuid_gen::input::pinned(&mut sources, &mut diagnostics);
    all.retain(|facts| !facts.models.is_empty());
    let of_trees = trees(test, "qemu-");
    for text in RECORDINGS {
        let recording = Recording::read(text);
        let same = |facts: &QemuFacts| facts.release == recording.release;
        let tree = of_trees.iter().find(|tree| tree.name == format!("qemu-{}", recording.release));
        let facts = tree.map(clean_qemu).or_else(|| all.iter().find(|facts| same(facts)).cloned());
        let Some(facts) = facts else {
            skipped(test, &format!("facts of QEMU {}", recording.release));
            continue;
        };
        let mut diagnostics = Diagnostics::new();
        let models = resolve(&facts, &mut diagnostics);
        assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&Sources::new()));
        compare(&recording, &Release::new(&facts), &models);
    }
}

/// `EPYC-v2` and its properties.
fn versions(models: &[CpuModel]) -> BTreeMap<String, &CpuDefinition> {
    let mut all = BTreeMap::new();
    for model in models {
        for version in &model.versions {
            all.insert(format!("{}-v{}", model.name, version.version), &version.definition);
        }
    }
    all
}

/// The differences, and the number of comparisons.
fn differences(name: &str, stated: &Props, ours: &Props, compared: &mut usize) -> Vec<String> {
    *compared += stated.len();
    let keys: BTreeSet<&String> = stated.keys().chain(ours.keys()).collect();
    let differs = |key: &&&String| stated.get(**key) != ours.get(**key);
    let describe =
        |key: &String| format!("{name}: {key}: QEMU {:?}, ours {:?}", stated.get(key), ours.get(key));
    keys.iter().filter(differs).map(|key| describe(key)).collect()
}

#[test]
fn versions_match_qmp_expansions() {
    let used = std::cell::RefCell::new(BTreeSet::new());
    each("versions_match_qmp_expansions", |recording, release, models| {
        let (mut compared, mut wrong) = (0, Vec::new());
        let models = versions(models);
        let stated: BTreeSet<&String> =
            recording.tcg.keys().filter(|name| !["base", "max"].contains(&name.as_str())).collect();
        assert_eq!(models.keys().collect::<BTreeSet<_>>(), stated);
        for (name, definition) in &models {
            let expected = |accelerator: &str, vmx: bool| {
                let mut words: Words = definition.words.iter().map(|(word, mask)| (*word, *mask)).collect();
                release.accelerate(&mut words, accelerator, &mut used.borrow_mut());
                if vmx {
                    release.set(&mut words, "vmx", true);
                }
                release.depend(&mut words);
                let mut props = recording.common.clone();
                props.extend(release.features(&words));
                props.extend(fields(definition));
                // No model has a value for an alias that is spelled with `_`.
                props.retain(|name, _| !recording.aliases.contains_key(name));
                props
            };
            wrong.extend(differences(name, &recording.tcg[name], &expected("tcg", false), &mut compared));
            wrong.extend(differences(name, &recording.kvm[name], &expected("kvm", false), &mut compared));
            let mut with_vmx = recording.tcg[name].clone();
            with_vmx.insert("vmx".to_owned(), "on".to_owned());
            with_vmx.extend(recording.vmx.get(name).cloned().unwrap_or_default());
            wrong.extend(differences(name, &with_vmx, &expected("tcg", true), &mut compared));
        }
        assert!(wrong.is_empty(), "QEMU {}:\n{}", recording.release, wrong.join("\n"));
        println!("QEMU {}: {} versions, {compared} properties", recording.release, models.len());
    });
    let used = used.into_inner();
    for (row, exception) in exceptions().iter().enumerate() {
        let idle = format!("{} {} {}", exception.accelerator, exception.property, exception.value);
        assert!(used.is_empty() || used.contains(&row), "accelerators.tsv: {idle} changes nothing");
    }
}

/// The allowed changes by an accelerator agree with the source's defaults, as far as they affect models.
#[test]
fn accelerator_changes_match_the_facts() {
    each("accelerator_changes_match_the_facts", |recording, release, models| {
        for (accelerator, defaults) in
            [("tcg", &release.facts.tcg_defaults), ("kvm", &release.facts.kvm_defaults)]
        {
            let changes = |name: &str, value: &str| {
                let changed = |definition: &&CpuDefinition| {
                    let mut words: Words =
                        definition.words.iter().map(|(word, mask)| (*word, *mask)).collect();
                    release.set(&mut words, name, value == "on");
                    words.retain(|_, mask| *mask != 0);
                    definition.words.iter().ne(words.iter())
                };
                versions(models).values().any(changed)
            };
            let facts =
                defaults.iter().filter_map(|known| Some((known.property.as_str(), known.value.as_deref()?)));
            let facts: BTreeSet<(&str, &str)> = facts.filter(|(name, value)| changes(name, value)).collect();
            let rows = exceptions();
            let excused = rows.iter().filter(|row| row.accelerator == accelerator);
            let excused: BTreeSet<(&str, &str)> = excused.map(|row| (row.property, row.value)).collect();
            assert_eq!(excused, facts, "{accelerator} of QEMU {}", recording.release);
        }
    });
}

#[test]
fn aliases_match_qemu() {
    each("aliases_match_qemu", |recording, release, _| {
        let aliases = release.facts.aliases.iter();
        let of_features = aliases
            .filter(|alias| matches!(release.properties.get(&alias.target), Some(Property::Bits(..))))
            .map(|alias| (alias.name.clone(), vec![alias.target.clone()]));
        assert_eq!(of_features.collect::<BTreeMap<_, _>>(), recording.aliases, "QEMU {}", recording.release);
    });
}

/// Unnamed bits are not properties: the registers of a running CPU show them.
#[test]
fn words_match_a_running_cpu() {
    each("words_match_a_running_cpu", |recording, release, models| {
        let mut compared = 0;
        for (name, definition) in versions(models) {
            let mut words: Words = definition.words.iter().map(|(word, mask)| (*word, *mask)).collect();
            release.accelerate(&mut words, "tcg", &mut BTreeSet::new());
            release.depend(&mut words);
            release.xsave(&mut words);
            release.amd_aliases(&mut words, &definition.vendor);
            let ours = release.registers(&words);
            assert_eq!(ours, recording.words[&name], "{name} of QEMU {}", recording.release);
            compared += ours.len();
        }
        println!("QEMU {}: {compared} words", recording.release);
    });
}

#[test]
fn definitions_match_qmp() {
    each("definitions_match_qmp", |recording, _, models| {
        let mut ours = BTreeMap::new();
        for model in models {
            let deprecated: BTreeSet<String> =
                model.deprecated.iter().map(|_| "deprecated".to_owned()).collect();
            let mut add = |name: String, alias_of: Option<String>| {
                ours.insert(name, recording::Definition { alias_of, flags: deprecated.clone() });
            };
            add(model.name.clone(), Some(format!("{}-v1", model.name)));
            for version in &model.versions {
                let name = format!("{}-v{}", model.name, version.version);
                add(name.clone(), None);
                // An alias may be the model's own name.
                if let Some(alias) = version.alias.clone() {
                    add(alias, Some(name));
                }
            }
            let latest = format!("{}-v{}", model.name, model.versions.len());
            let stated = recording.defaults.get(&(model.name.clone(), "microvm".to_owned()));
            assert_eq!(stated, Some(&latest).filter(|_| model.versions.len() > 1), "{}", model.name);
        }
        let mut stated: BTreeMap<&String, _> = recording.definitions.iter().collect();
        for (name, flag) in
            [("base", "static"), ("max", "not-migration-safe"), ("host", "not-migration-safe")]
        {
            let definition = stated.remove(&name.to_owned()).unwrap();
            assert!(definition.alias_of.is_none() && definition.flags.iter().eq([flag]), "{name}");
        }
        assert_eq!(ours.iter().collect::<BTreeMap<_, _>>(), stated, "QEMU {}", recording.release);
        println!("QEMU {}: {} names", recording.release, ours.len());
    });
}

/// With all features on, turning one off removes those that `feature_dependencies[]` lists, transitively.
#[test]
fn dependencies_match_qemu() {
    each("dependencies_match_qemu", |recording, release, _| {
        let mut all = Words::new();
        for bit in
            release.facts.bits.iter().filter(|bit| bit.word != "FEAT_KVM" && bit.word != "FEAT_KVM_HINTS")
        {
            bit.names().for_each(|name| release.set(&mut all, name, true));
        }
        let before = release.on(&all);
        let mut ours = BTreeMap::new();
        for name in &before {
            let mut words = all.clone();
            release.set(&mut words, name, false);
            release.depend(&mut words);
            let mut gone: BTreeSet<String> = before.difference(&release.on(&words)).cloned().collect();
            gone.remove(name);
            if !gone.is_empty() {
                ours.insert(name.clone(), gone);
            }
        }
        assert_eq!(ours, recording.deps, "QEMU {}", recording.release);
        println!("QEMU {}: {} features are needed", recording.release, ours.len());
    });
}

/// The `tcg` masks: the bits of `max`, and the bits that other models lack.
#[test]
fn tcg_masks_match_qemu() {
    each("tcg_masks_match_qemu", |recording, release, models| {
        let of_tcg = |kinds: &[MaskKind]| -> Words {
            let word = |word: &cpuid_gen::facts::records::QemuWord| {
                let left_out = kinds.iter().fold(0, |all, kind| all | release.mask(&word.name, *kind));
                (word.index, release.mask(&word.name, MaskKind::Tcg) & !left_out)
            };
            release.facts.words.iter().map(word).collect()
        };
        let mut max = of_tcg(&[MaskKind::NoAutoenable, MaskKind::Unmigratable]);
        release.accelerate(&mut max, "tcg", &mut BTreeSet::new());
        release.depend(&mut max);
        let stated = |name: &String| recording.tcg["max"].get(name).is_some_and(|value| value == "on");
        let ours = release.on(&max);
        let features = release.features(&max);
        assert_eq!(
            ours,
            features.keys().filter(|name| stated(name)).cloned().collect(),
            "{}",
            recording.release
        );

        let has = of_tcg(&[]);
        for (name, definition) in versions(models) {
            let mut words: Words = definition.words.iter().map(|(word, mask)| (*word, *mask)).collect();
            release.accelerate(&mut words, "tcg", &mut BTreeSet::new());
            release.depend(&mut words);
            words.iter_mut().for_each(|(word, mask)| *mask &= !has.get(word).copied().unwrap_or(0));
            let none = BTreeSet::new();
            let stated = recording.unavailable.get(&name).unwrap_or(&none);
            assert_eq!(&release.on(&words), stated, "{name} of QEMU {}", recording.release);
        }
    });
}

/// A recording matches its program's current answers; `CPUID_TABLES_QEMU_PROGRAMS` adds further programs.
#[test]
fn recordings_match_an_installed_qemu() {
    const TEST: &str = "recordings_match_an_installed_qemu";
    let recorder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/record-cpu-models");
    if !have(TEST, "python3") || !have(TEST, "qemu-system-x86_64") {
        return;
    }
    let more = std::env::var("CPUID_TABLES_QEMU_PROGRAMS").unwrap_or_default();
    for program in more.split(':').filter(|path| !path.is_empty()).chain(["qemu-system-x86_64"]) {
        let version = run(Command::new(program).arg("--version")).unwrap();
        let release = version.split_whitespace().nth(3).unwrap_or_default();
        let recorded =
            RECORDINGS.iter().map(|text| Recording::read(text)).find(|known| known.release == release);
        let Some(recorded) = recorded else {
            skipped(TEST, &format!("a recording of QEMU {release}, which is installed"));
            continue;
        };
        let live = Recording::read(&run(Command::new(&recorder).args([program, "--no-words"])).unwrap());
        // A distribution's revision may be newer than the recorded one.
        let rows = |one: &Recording| {
            one.repeatable.iter().filter(|row| !row.starts_with("release\t")).cloned().collect::<Vec<_>>()
        };
        assert_eq!(rows(&live), rows(&recorded), "QEMU {release}");
        println!("QEMU {release}: {} rows again", live.repeatable.len());
    }
}
