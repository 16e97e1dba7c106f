//! QEMU's CPU models on a host, against QEMU's results: `query-cpu-definitions` of 10.0.13 and 7.2.22 under KVM, on
//! hosts from text files.
//!
//! A file is named `RELEASE.MACHINE.HOST.tsv`; a line is a CPU model's name, its alias, and its unavailable features,
//! in QEMU's order and including duplicates, `""` for an unnamed one.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use cpuid_tables::QemuRelease;
use cpuid_tables::fleet::Fleet;
use cpuid_tables::guest::{Definition, GuestCpuid, MachineOption, Warning};
use cpuid_tables::host::Host;

use crate::common;
use crate::oracle::hosts;

type TestResult = Result<(), Box<dyn Error>>;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet")
}

fn host(name: &str) -> Result<Host, Box<dyn Error>> {
    let host = hosts::read(&directory().join("hosts"), name).map_err(|failure| failure.to_string())?;
    assert!(!host.supported.is_empty() && !host.instruction.is_empty(), "{name}");
    Ok(host)
}

/// Each recording: release, machine type, host, and the text.
fn recordings() -> Result<Vec<[String; 4]>, Box<dyn Error>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory().join("definitions"))? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name that is not text")?;
        let mut parts = stem.rsplitn(2, '.');
        let (host, rest) = parts.next().zip(parts.next()).ok_or("a name without a host")?;
        // A release contains a dot, and a machine type may.
        let at = rest.match_indices('.').nth(1).ok_or("a name without a machine type")?.0;
        let (release, machine) = (&rest[..at], &rest[at + 1..]);
        all.push([release, machine, host, &fs::read_to_string(&path)?].map(str::to_owned));
    }
    all.sort_unstable();
    Ok(all)
}

fn line(definition: &Definition) -> String {
    let names: Vec<&str> = definition
        .unavailable_names
        .iter()
        .map(|name| if name.is_empty() { "\"\"" } else { *name })
        .collect();
    let alias_of = definition.alias_of.as_deref().unwrap_or("-");
    format!("{}\t{alias_of}\t{}", definition.name, names.join(" ")).trim_end().to_owned()
}

#[test]
fn unavailable_features_match_qemu() -> TestResult {
    if !common::pinned("unavailable_features_match_qemu") {
        return Ok(());
    }
    let (mut cpus, mut lacking) = (0, 0);
    for [release, machine, name, expected] in recordings()? {
        let host = host(&name)?;
        let release = QemuRelease::find(&release).ok_or("no such release")?;
        let builder = GuestCpuid::builder().release(release).host(&host);
        let definitions = builder.machine(machine.parse::<MachineOption>()?).definitions()?;
        let ours: Vec<String> = definitions.iter().map(line).collect();
        let theirs: Vec<&str> = expected.lines().map(str::trim_end).collect();
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "QEMU {release}, {machine}, {name}");
        }
        assert_eq!(ours.len(), theirs.len(), "QEMU {release}, {machine}, {name}");
        cpus += ours.len();
        lacking += definitions.iter().filter(|definition| !definition.runs()).count();
    }
    // The number of recorded CPUs and of those that did not run, so that none is lost.
    assert_eq!((cpus, lacking), (3718, 1889));
    Ok(())
}

#[test]
fn single_host_baseline_runs_the_same_models() -> TestResult {
    if !common::pinned("single_host_baseline_runs_the_same_models") {
        return Ok(());
    }
    let mut models = 0;
    let on: BTreeSet<(String, String)> =
        recordings()?.into_iter().map(|[release, _, name, _]| (release, name)).collect();
    for (release, name) in on {
        let host = host(&name)?;
        let release = QemuRelease::find(&release).ok_or("no such release")?;
        let mut fleet = Fleet::new();
        fleet.add_host(&name, &host)?;
        let choices = fleet.baseline()?.choices(release)?;
        for definition in GuestCpuid::builder().release(release).host(&host).definitions()? {
            let Some(model) = definition.model.filter(|_| definition.alias_of.is_none()) else { continue };
            let fits = choices.iter().any(|choice| choice.model == model && choice.fits());
            assert_eq!(
                fits,
                definition.runs(),
                "QEMU {release}, {name}, {model}: {:?}",
                definition.unavailable
            );
            models += 1;
        }
    }
    assert!(models > 1000, "{models}");
    Ok(())
}

/// For every pair of these hosts: the chosen model runs unchanged on both.
fn chosen_for_pairs(hosts: &[(String, Host)]) -> Result<usize, Box<dyn Error>> {
    let pairs: Vec<[&(String, Host); 2]> =
        (0..hosts.len()).flat_map(|at| hosts[at..].iter().map(move |b| [&hosts[at], b])).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let shares = pairs.chunks(pairs.len().div_ceil(threads).max(1));
        let running: Vec<_> = shares
            .map(|pairs| scope.spawn(|| chosen_for(pairs).map_err(|error| error.to_string())))
            .collect();
        let chosen = running.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?);
        chosen.sum::<Result<usize, String>>()
    })
    .map_err(Into::into)
}

fn chosen_for(pairs: &[[&(String, Host); 2]]) -> Result<usize, Box<dyn Error>> {
    let release = QemuRelease::find("10.0").ok_or("no QEMU 10.0")?;
    let mut chosen = 0;
    for &[a, b] in pairs {
        let mut fleet = Fleet::new();
        for (name, host) in [a, b] {
            fleet.add_host(name, host)?;
        }
        let baseline = fleet.baseline()?;
        let choices = [baseline.best_model(release)?, baseline.closest_model(release)?];
        for choice in choices.into_iter().flatten() {
            for (name, host) in [a, b] {
                let builder = GuestCpuid::builder().release(release).host(host);
                let guest = builder.cpu(choice.to_string().parse()?).build()?;
                let pair = (&a.0, &b.0);
                assert_eq!(guest.filtered(), [], "{pair:?} on {name}: {choice}");
                let lacking = |warning: &&Warning| matches!(warning, Warning::Avx10 { .. });
                assert_eq!(guest.warnings().iter().find(lacking), None, "{pair:?} on {name}: {choice}");
            }
            chosen += 1;
        }
    }
    Ok(chosen)
}

#[test]
fn chosen_model_runs_on_every_host() -> TestResult {
    if !common::pinned("chosen_model_runs_on_every_host") {
        return Ok(());
    }
    let names: BTreeSet<String> = recordings()?.into_iter().map(|[_, _, name, _]| name).collect();
    let hosts: Vec<(String, Host)> = names
        .into_iter()
        .map(|name| Ok((name.clone(), host(&name)?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let chosen = chosen_for_pairs(&hosts)?;
    assert!(chosen > 10, "{chosen}");
    Ok(())
}

#[test]
fn model_chosen_for_real_processors_runs_on_them() -> TestResult {
    if !common::pinned("model_chosen_for_real_processors_runs_on_them") {
        return Ok(());
    }
    let processors = hosts::processors().map_err(|failure| failure.to_string())?;
    let hosts: Vec<(String, Host)> =
        processors.into_iter().map(|(name, host)| (name.to_owned(), host)).collect();
    let chosen = chosen_for_pairs(&hosts)?;
    assert!(chosen > 30, "{chosen} for pairs of {} processors", hosts.len());
    Ok(())
}
