//! Guests as QEMU programs on this machine build them: those of a pinned release, and one that differs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cpuid_tables::guest::{BuildError, GuestCpuid, GuestCpuidBuilder, MachineOption, QemuProgram};
use cpuid_tables::host::Host;
use cpuid_tables::{QemuRelease, feature};

use crate::common;
use crate::oracle::hosts::{Vendor, all_ones};

#[path = "../common/programs.rs"]
mod programs;

fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn all() -> Vec<PathBuf> {
    programs::programs(Path::new(env!("CARGO_MANIFEST_DIR")), scratch())
}

fn ask(path: &Path) -> QemuProgram {
    let mut runs = Vec::new();
    let program = QemuProgram::ask(path, "q35", &mut |run| runs.push(run));
    let program = program.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // What the progress bar's length says.
    assert!((13..=15).contains(&runs.len()), "{runs:?}");
    program
}

/// Everything that a builder yields: each vCPU's entries, the MSRs, and the warnings; or the error.
fn made(builder: &GuestCpuidBuilder<'_>) -> Result<String, BuildError> {
    let guest = builder.build()?;
    let vcpus: Vec<_> = guest.vcpus().map(|(id, table)| (id, table.to_vec())).collect();
    let msrs: Vec<_> = guest.msrs().collect();
    Ok(format!("{vcpus:x?} {msrs:x?} {:?}", guest.warnings()))
}

/// Every name of every model on several machine types: by program and by release.
fn compare(program: &QemuProgram, release: QemuRelease, hosts: &[Host]) -> usize {
    let mut names: Vec<String> = program.model_names().collect();
    names.extend(["host", "max", "base"].map(str::to_owned));
    let table: Vec<String> = release
        .cpu_models()
        .flat_map(|model| {
            let versions = model.versions();
            let versions =
                versions.flat_map(|version| [Some(version.to_string()), version.alias().map(str::to_owned)]);
            [Some(model.name().to_owned())].into_iter().chain(versions).flatten().collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(names[..names.len() - 3].len(), table.len());
    let oldest = release.machines().filter(|machine| machine.name().starts_with("pc-i440fx-")).last();
    let machines = ["q35", "microvm", oldest.unwrap().name()];
    let mut compared = 0;
    for (name, machine, host) in names
        .iter()
        .flat_map(|name| machines.map(|machine| (name, machine)))
        .flat_map(|(name, machine)| hosts.iter().map(move |host| (name, machine, host)))
    {
        let of = |builder: GuestCpuidBuilder<'_>| {
            made(&builder.model(name).property("pmu", "on").machine(MachineOption::new(machine)))
        };
        let ours = of(GuestCpuid::builder().program(program).host(host));
        assert_eq!(ours, of(GuestCpuid::builder().release(release).host(host)), "{name} on {machine}");
        compared += 1;
    }
    compared
}

#[test]
fn a_program_of_a_pinned_release_makes_the_release_s_guests() {
    const TEST: &str = "a_program_of_a_pinned_release_makes_the_release_s_guests";
    if !common::pinned(TEST) {
        return;
    }
    let mut found = BTreeMap::new();
    for path in all() {
        let program = ask(&path);
        let [major, minor, _] = program.version().numbers;
        let Some(release) = QemuRelease::find(&format!("{major}.{minor}")) else { continue };
        if found.contains_key(&program.version().numbers) {
            continue;
        }
        let hosts = [Vendor::INTEL, Vendor::AMD].map(all_ones);
        assert_eq!((program.facts_of(), program.is_estimate()), (release, false));
        let compared = compare(&program, release, &hosts);
        found.insert(program.version().numbers, compared);
    }
    if found.is_empty() {
        common::skipped(TEST, "a QEMU program of a pinned release");
    }
    for ([major, minor, micro], compared) in found {
        common::say(&format!("{TEST}: QEMU {major}.{minor}.{micro}: {compared} guests are equal"));
    }
}

/// The path of a program that answers as the first one at hand does, changed by `sed`.
fn patched(name: &str, sed: &str) -> Option<PathBuf> {
    let original = all().into_iter().next()?;
    let path = scratch().join("programs").join(name);
    programs::write_script(&path, &format!("'{}' \"$@\" | sed -u {sed}\n", original.display()));
    Some(path)
}

#[test]
fn a_changed_program_makes_changed_guests() {
    const TEST: &str = "a_changed_program_makes_changed_guests";
    if !common::pinned(TEST) {
        return;
    }
    // A model without AVX2 and with another stepping, an added version's second name, a distribution's machine types.
    let sed = "-e '/\"model-id\": \"Intel Xeon Processor (Cascadelake)\"/s/\"avx2\": true/\"avx2\": false/' \
               -e '/\"model-id\": \"Intel Xeon Processor (Cascadelake)\"/s/\"stepping\": 6/\"stepping\": 9/' \
               -e 's/\"micro\": [0-9]*/\"micro\": 2/' -e 's/\"package\": \"[^\"]*\"/\"package\": \"ours-4\"/'";
    let Some(path) = patched("changed", sed) else {
        return common::skipped(TEST, "a QEMU program");
    };
    let (program, original) = (ask(&path), ask(&all()[0]));
    assert_eq!((program.version().numbers[2], program.version().package.as_str()), (2, "ours-4"));
    assert!(program.to_string().contains(" (ours-4): its models, "), "{program}");
    let host = all_ones(Vendor::INTEL);
    let of = |program: &QemuProgram, model: &str| {
        GuestCpuid::builder().program(program).model(model).host(&host).build().unwrap()
    };
    let [changed, unchanged] = [&program, &original].map(|program| of(program, "Cascadelake-Server").table());
    assert!(unchanged.has(feature::AVX2) && !changed.has(feature::AVX2));
    let signature =
        |table: &cpuid_tables::CpuidTable| table.iter().find(|e| e.function.0 == 1).unwrap().registers.eax;
    assert_eq!(signature(&changed), signature(&unchanged) & !0xf | 9);
    let [other, same] = [&program, &original].map(|program| of(program, "Skylake-Server").table());
    assert_eq!(other.to_vec(), same.to_vec());
}

/// As an older program than the nearest release: it lacks the only name of a word.
#[test]
fn a_word_of_which_a_program_has_no_name_is_zero() {
    const TEST: &str = "a_word_of_which_a_program_has_no_name_is_zero";
    if !common::pinned(TEST) {
        return;
    }
    let Some(path) =
        patched("older", r#"-E -e 's/"arat": [a-z]*(, )?//g' -e 's/\{[^{}]*"name": "arat"[^{}]*\}(, )?//g'"#)
    else {
        return common::skipped(TEST, "a QEMU program");
    };
    let (older, original) = (ask(&path), ask(&all()[0]));
    assert!(original.property_names().any(|name| name == "arat"));
    assert!(!older.property_names().any(|name| name == "arat"));
    let host = all_ones(Vendor::INTEL);
    let made = |program: &QemuProgram, model: &str, migratable: &str| {
        let builder = GuestCpuid::builder().program(program).model(model).host(&host);
        builder.property("migratable", migratable).build().unwrap().table()
    };
    let leaf_6 = |table: &cpuid_tables::CpuidTable| {
        table.iter().find(|entry| entry.function.0 == 6).map_or(0, |entry| entry.registers.eax)
    };
    for (model, migratable) in ["host", "max"].into_iter().flat_map(|of| [(of, "on"), (of, "off")]) {
        let [with, without] = [&original, &older].map(|program| leaf_6(&made(program, model, migratable)));
        assert!(with != 0 && without == 0, "{model}, migratable={migratable}: {with:#x} {without:#x}");
    }
    let asked =
        GuestCpuid::builder().program(&older).model("host").property("arat", "on").host(&host).build();
    assert!(matches!(asked, Err(BuildError::UnknownProperty { .. })), "{:?}", asked.err());
}

/// A distribution's machine type, which no facts have: an old program states no compatibility properties, and a newer
/// one does.
#[test]
fn a_machine_type_of_a_distribution_has_its_properties() {
    const TEST: &str = "a_machine_type_of_a_distribution_has_its_properties";
    if !common::pinned(TEST) {
        return;
    }
    let names = [["pc-q35-rhel8.4.0", "pc-q35-5.2"], ["pc-q35-rhel7.6.0", "pc-q35-2.12"]];
    let mut compared = 0;
    for (original, [ours, upstream]) in
        all().into_iter().take(2).flat_map(|path| names.map(|names| (path.clone(), names)))
    {
        let name = format!("{ours}-{}", original.file_name().unwrap().display());
        let path = scratch().join("programs").join(name);
        // The same program, in which a machine type has another name.
        let script = format!(
            "for word; do shift; case $word in {ours}) word={upstream} ;; esac; set -- \"$@\" \"$word\"; done\n\
             '{}' \"$@\" | sed -u -e 's/\"{}\"/\"{ours}\"/g'\n",
            original.display(),
            upstream.replace('.', "\\.")
        );
        programs::write_script(&path, &script);
        let program = QemuProgram::ask(&path, ours, &mut |_| {}).unwrap();
        let release = program.facts_of();
        // Newer releases no longer have the older one.
        if release.machine(upstream).is_none() {
            continue;
        }
        let host = all_ones(Vendor::INTEL);
        for name in program.model_names().chain(["base".to_owned()]) {
            let of = |builder: GuestCpuidBuilder<'_>, machine: &str| {
                made(&builder.model(&name).host(&host).machine(MachineOption::new(machine)))
            };
            let theirs = of(GuestCpuid::builder().release(release), upstream);
            let made = of(GuestCpuid::builder().program(&program), ours);
            assert_eq!(made, theirs, "{name} of {} on {ours}", program.version());
            compared += 1;
        }
    }
    if compared == 0 {
        return common::skipped(TEST, "a QEMU program");
    }
    common::say(&format!("{TEST}: {compared} guests are equal"));
}
