//! Guests' MSRs of this library against recordings of real QEMUs (`tests/qemu/README.md`).

use std::collections::BTreeMap;
use std::fs;

use cpuid_tables::Msr;
use cpuid_tables::guest::{GuestCpuid, LEFT_OUT};
use cpuid_tables::host::{Host, HostFile};

use crate::common;
use crate::oracle::case::Case;
use crate::oracle::corpus::{self, Corpus};
use crate::oracle::{Outcome, ours};

type Values = Vec<(u32, u64)>;

/// What QEMU sets on a vCPU: the capabilities once, and the state at the last reset.
fn at_reset(all: &[(u32, u64)]) -> Values {
    let is_first = |(at, (msr, _)): (usize, &(u32, u64))| (*msr == 0x174).then_some(at);
    let firsts: Vec<usize> = all.iter().enumerate().filter_map(is_first).collect();
    let with_control = |at: usize| if at > 0 && all[at - 1].0 == 0x3a { at - 1 } else { at };
    let (Some(&first), Some(&last)) = (firsts.first(), firsts.last()) else { return all.to_vec() };
    let chosen = all[..with_control(first)].iter().chain(&all[with_control(last)..]);
    let left_out = |msr: u32| LEFT_OUT.iter().any(|left| left.msrs.contains(&msr));
    chosen.filter(|(msr, _)| !left_out(*msr)).copied().collect()
}

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
            let mut host = corpus.hosts[base].clone();
            host.read(HostFile::SavedMsrs, &msrs.replace(',', "\n"))?;
            hosts.insert(format!("{base}-{name}"), host);
        }
    }
    hosts.values_mut().for_each(Host::fill_in);
    Ok(hosts)
}

fn compare(guest: &GuestCpuid, vcpus: &[Values]) -> Option<String> {
    for (index, theirs) in (0..).zip(vcpus) {
        let theirs = at_reset(theirs);
        let ours: Values = guest.vcpu_msrs(index).map(|msr| (msr.msr.0, msr.value)).collect();
        if ours != theirs {
            let at = ours.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs).count();
            return Some(format!(
                "vCPU {index}, position {at}: ours {:x?}, theirs {:x?}",
                &ours[at..ours.len().min(at + 3)],
                &theirs[at..theirs.len().min(at + 3)]
            ));
        }
    }
    None
}

fn every_recorded_guest_has_qemu_s_msrs(name: &str, at_least: usize) -> Outcome<()> {
    let Some(release) = common::qemu("every_recorded_guest_has_qemu_s_msrs", name) else { return Ok(()) };
    let directory = corpus::directory().join(name);
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
            (Err(_), "1") => refused += 1,
            (Ok(guest), "0") => match compare(&guest, &vcpus) {
                None => equal += 1,
                Some(difference) => wrong.push(format!("{case}\n  {difference}")),
            },
            (Err(error), _) => wrong.push(format!("{case}\n  {error}")),
            (Ok(_), _) => wrong.push(format!("{case}\n  QEMU refuses it")),
        }
    }
    common::say(&format!(
        "MSRs of QEMU {name}: {equal} equal, {refused} refused by both, {} differ",
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    assert!(equal >= at_least, "only {equal} cases");
    Ok(())
}

#[test]
fn every_recorded_guest_has_the_msrs_of_qemu_10_0() -> Outcome<()> {
    every_recorded_guest_has_qemu_s_msrs("10.0", 1600)
}

#[test]
fn every_recorded_guest_has_the_msrs_of_qemu_7_2() -> Outcome<()> {
    every_recorded_guest_has_qemu_s_msrs("7.2", 1400)
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
