//! A small random sweep against real QEMUs, where they are installed: tests/qemu/sweep does more.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cpuid_tables::host::Host;

use crate::common;
use crate::oracle::compare::{Verdict, compare};
use crate::oracle::{Outcome, capture, cases, hosts, ours};
use crate::rng::cases as more_cases;

const FEWEST: usize = 150;
const SEED: u64 = 2026;

fn a_random_sweep_is_equal(name: &str) -> Outcome<()> {
    // If the recorder cannot run, no QEMU is installed for it either.
    let installed = capture::releases().unwrap_or_default().iter().any(|release| release.starts_with(name));
    if !installed {
        common::skipped("qemu_live", &format!("QEMU {name}, which tests/qemu/unpack brings"));
        return Ok(());
    }
    let Some(release) = common::qemu("qemu_live", name) else { return Ok(()) };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("qemu-live-{name}"));
    let mut all: BTreeMap<String, Host> = BTreeMap::new();
    for number in 0..20 {
        let mut host = hosts::plausible(SEED + number)?;
        let name = format!("random-{number}");
        hosts::write(&directory, &name, &host)?;
        host.fill_in();
        all.insert(name, host);
    }
    let names: Vec<String> = all.keys().cloned().collect();
    let count = more_cases(FEWEST);
    let cases = cases::random(release, &names, count, SEED);
    let (mut equal, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    capture::record(name, &directory, &cases, |case, recording| {
        let host = all.get(&case.host).ok_or("no such host")?;
        match compare(&recording, &ours::build(release, host, case)?) {
            Verdict::Equal => equal += 1,
            Verdict::BothRefuse => refused += 1,
            Verdict::Different(difference) => wrong.push(format!("{case}\n  {difference}")),
        }
        Ok(())
    })?;
    fs::remove_dir_all(&directory)?;
    common::say(&format!("QEMU {name}: {equal} equal, {refused} refused by both, {} different", wrong.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal * 2 > count, "only {equal} of {count} make a guest");
    Ok(())
}

#[test]
fn a_random_sweep_is_equal_to_qemu_10_0() -> Outcome<()> {
    if !common::pinned("a_random_sweep_is_equal_to_qemu_10_0") {
        return Ok(());
    }
    a_random_sweep_is_equal("10.0")
}

#[test]
fn a_random_sweep_is_equal_to_qemu_7_2() -> Outcome<()> {
    if !common::pinned("a_random_sweep_is_equal_to_qemu_7_2") {
        return Ok(());
    }
    a_random_sweep_is_equal("7.2")
}
