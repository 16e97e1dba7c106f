//! Guests' MSRs of this library against recordings of real QEMUs (`tests/qemu/README.md`).

use std::collections::BTreeMap;
use std::fs;

use cpuid_tables::Msr;
use cpuid_tables::guest::{GuestCpuid, LEFT_OUT};
use cpuid_tables::host::{Host, HostFile};

use crate::common;
use crate::oracle::case::Case;
use crate::oracle::corpus::{self, Corpus};
use crate::oracle::msrs::{self, Values};
use crate::oracle::{Outcome, ours};

fn value(line: &str) -> Outcome<(u32, u64)> {
    let (msr, value) = line.split_once(' ').ok_or("a value without an MSR")?;
    Ok((u32::from_str_radix(msr, 16)?, u64::from_str_radix(value, 16)?))
}

fn list(runs: &str, values: &[(u32, u64)]) -> Outcome<Values> {
    let mut all = Vec::new();
    for run in runs.split(' ').filter(|run| !run.is_empty()) {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        all.extend_from_slice(values.get(first.parse()?..=last.parse()?).ok_or("no such line")?);
    }
    Ok(all)
}

/// The hosts of the corpus, and the two of them with other lists of saved MSRs.
fn hosts(corpus: &Corpus) -> Outcome<BTreeMap<String, Host>> {
    let mut hosts = corpus.hosts.clone();
    for line in fs::read_to_string(corpus::directory().join("msr-lists.tsv"))?.lines() {
        let (name, msrs) = line.split_once('\t').ok_or("a list without a name")?;
        for base in ["allintel", "allamd"] {
            let Some(mut host) = corpus.hosts.get(base).cloned() else { continue };
            host.read(HostFile::SavedMsrs, &msrs.replace(',', "\n"))?;
            hosts.insert(format!("{base}-{name}"), host);
        }
    }
    hosts.values_mut().for_each(Host::fill_in);
    Ok(hosts)
}

fn compare(guest: &GuestCpuid, vcpus: &[Values]) -> Option<String> {
    let ours: Vec<Values> = (0..).zip(vcpus).map(|(index, _)| ours::msrs(guest, index)).collect();
    msrs::differ(vcpus, &ours).map(|difference| difference.to_string())
}

fn every_recorded_guest_has_qemu_s_msrs(corpus: &str, name: &str, at_least: usize) -> Outcome<()> {
    let Some(release) = common::qemu("every_recorded_guest_has_qemu_s_msrs", name) else { return Ok(()) };
    let directory = corpus::directory().join(corpus);
    let hosts = hosts(&Corpus::read(&directory)?)?;
    let values: Values =
        fs::read_to_string(directory.join("msrs.txt"))?.lines().map(value).collect::<Outcome<_>>()?;
    let (mut equal, mut refused, mut wrong) = (0, 0, Vec::new());
    for line in fs::read_to_string(directory.join("msrs.tsv"))?.lines() {
        let columns: Vec<&str> = line.splitn(3, '\t').collect();
        let [status, lists, case] = columns[..] else { return Err(line.into()) };
        let case: Case = case.parse()?;
        let host = hosts.get(&case.host).ok_or_else(|| format!("no host {}", case.host))?;
        let vcpus: Vec<Values> = lists.split(';').map(|runs| list(runs, &values)).collect::<Outcome<_>>()?;
        match (ours::guest(release, host, &case)?, status) {
            (Err(_), status) if status != "0" => refused += 1,
            (Ok(guest), "0") => match compare(&guest, &vcpus) {
                None => equal += 1,
                Some(difference) => wrong.push(format!("{case}\n  {difference}")),
            },
            (Err(error), _) => wrong.push(format!("{case}\n  {error}")),
            (Ok(_), _) => wrong.push(format!("{case}\n  QEMU refuses it")),
        }
    }
    common::say(&format!(
        "MSRs of QEMU {corpus}: {equal} equal, {refused} refused by both, {} differ",
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    assert!(equal >= at_least, "only {equal} cases");
    Ok(())
}

#[test]
fn every_recorded_guest_has_the_msrs_of_qemu_10_0() -> Outcome<()> {
    every_recorded_guest_has_qemu_s_msrs("10.0", "10.0", 1600)
}

#[test]
fn every_recorded_guest_has_the_msrs_of_qemu_7_2() -> Outcome<()> {
    every_recorded_guest_has_qemu_s_msrs("7.2", "7.2", 1400)
}

/// On hosts with different lists of saved MSRs, with unusual options.
#[test]
fn every_recorded_guest_on_hosts_with_lists_has_the_msrs() -> Outcome<()> {
    for (corpus, release) in
        [("7.2-msrs", "7.2"), ("10.0-msrs", "10.0"), ("10.2-msrs", "10.2"), ("11.1-msrs", "11.1")]
    {
        every_recorded_guest_has_qemu_s_msrs(corpus, release, 100)?;
    }
    Ok(())
}

#[test]
fn what_is_left_out_is_in_order_and_has_a_reason() {
    assert!(LEFT_OUT.is_sorted_by_key(|left| *left.msrs.start()));
    assert!(LEFT_OUT.iter().all(|left| left.reason.len() > 20 && !left.msrs.is_empty()));
    assert!(!LEFT_OUT.iter().any(|left| left.msrs.contains(&Msr(0x10a).0)));
}

/// What this library gives a guest is accepted by the host that it was built for; another host refuses it.
#[test]
#[cfg(feature = "check")]
fn msrs_fit_their_own_host_and_not_every_other() -> Outcome<()> {
    use cpuid_tables::check::{MsrKind, check_msrs};
    if !common::pinned("msrs_fit_their_own_host_and_not_every_other") {
        return Ok(());
    }
    let hosts = hosts(&Corpus::read(&corpus::directory().join("10.0"))?)?;
    let mut guests = 0;
    let errors = |guest: &GuestCpuid, host: &Host| {
        let msrs: Vec<_> = guest.msrs().collect();
        let findings = check_msrs(&msrs, &guest.table(), Some(host));
        findings.into_iter().filter(|finding| finding.kind != MsrKind::NeedsFeature).collect::<Vec<_>>()
    };
    // Random hosts have VMX controls that no processor has.
    for (name, host) in hosts.iter().filter(|(name, _)| !name.starts_with("random")) {
        for model in ["host", "max", "Skylake-Server,vmx=on", "EPYC-Milan", "qemu64"] {
            let guest = GuestCpuid::builder().cpu(model.parse()?).host(host).build()?;
            let errors = errors(&guest, host);
            assert!(errors.is_empty(), "{model} on {name}: {errors:#?}");
            guests += 1;
        }
    }
    assert!(guests > 50);
    let guest = GuestCpuid::builder().model("host").host(&hosts["sapphire-rapids"]).build()?;
    let found = errors(&guest, &hosts["haswell-i7"]);
    assert!(found.iter().any(|finding| finding.msr == Msr(0x10a)), "{found:#?}");
    let text: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        text[0].starts_with("error[msr-not-supported]: MSR 0x10a: the host's KVM does not support"),
        "{text:#?}"
    );
    Ok(())
}

/// Parts of what this project's recorder wrote for `-cpu qemu64`: a vCPU's first state, and that at the system's reset. On a real
/// KVM the counter has moved and the machine checks' controls are as set; on a described host both are zero.
#[test]
fn what_qemu_reads_back_has_the_value_that_is_set_first() {
    let first = [(0x174, 0), (0x10, 0), (0x17b, u64::MAX), (0x400, u64::MAX), (0x401, 0)];
    let real = [(0x174, 0), (0x10, 1), (0x17b, u64::MAX), (0x400, u64::MAX), (0x401, 0)];
    let described = [(0x174, 0), (0x10, 0), (0x17b, 0), (0x400, 0), (0x401, 0)];
    for last in [real, described] {
        assert_eq!(msrs::at_reset(&[first, last].concat()), first);
    }
    // Others have the last one: a synthetic interrupt is masked at the reset only.
    let synthetic = [(0x174, 0), (0x4000_0090, 0), (0x174, 0), (0x4000_0090, 0x1_0000)];
    assert_eq!(msrs::at_reset(&synthetic), synthetic[2..]);
}

/// As the programs 7.2.22 and 10.0.13 passed it to KVM_X86_SETUP_MCE on these hosts.
#[test]
fn machine_checks_have_the_capabilities_of_the_cpu_and_of_kvm() -> Outcome<()> {
    if !common::recent("machine_checks_have_the_capabilities_of_the_cpu_and_of_kvm") {
        return Ok(());
    }
    let hosts = hosts(&Corpus::read(&corpus::directory().join("10.0"))?)?;
    let asked = |cpu: &str| -> Outcome<Option<u64>> {
        let guest = GuestCpuid::builder().cpu(cpu.parse()?).host(&hosts["allintel"]).build()?;
        Ok(guest.machine_checks())
    };
    assert_eq!(asked("host")?, Some(0x100_010a));
    assert_eq!(asked("Skylake-Server")?, Some(0x100_010a));
    assert_eq!(asked("base")?, None);
    assert_eq!(asked("qemu64,-mce")?, None);
    Ok(())
}
