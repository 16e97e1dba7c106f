//! A table that KVM refused although it breaks none of KVM's rules for tables: what the reason must be, and which entry it
//! is.
//!
//! `kvm_set_cpuid` of arch/x86/kvm/cpuid.c: after a vCPU has run, KVM takes only the table that it has, entry by entry, in the
//! same order (Linux 5.17 and later); before, it refuses a width of linear addresses, more than 256 entries, and components
//! of XCR0 that the process may not use.

use std::fmt;

use cpuid_tables::dump::Cpu;
use cpuid_tables::{CpuidEntry, Register};
use serde_json::{Value, json};

/// A refused table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The vCPU, by its place in the source.
    vcpu: usize,
    error: String,
    /// What differs in an earlier table of the vCPU, which KVM accepted; none without such a table.
    earlier: Option<Earlier>,
}

/// How a refused table differs from an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Earlier {
    Same,
    /// This entry is the first that differs, and what differs in it.
    Entry(usize, String),
    /// The numbers of entries.
    Count(usize, usize),
}

impl Refusal {
    const KIND: &'static str = "refused-by-kvm";

    /// How many are reported; a VMM that sets a refused table does so for each vCPU.
    const MOST: usize = 8;

    /// The first refused tables of a source.
    pub(crate) fn all(cpus: &[Cpu]) -> Vec<Refusal> {
        let refused = cpus.iter().enumerate();
        refused
            .filter_map(|(vcpu, cpu)| {
                let error = cpu.beside.refused.clone()?;
                let same = |other: &&Cpu| {
                    let known = cpu.number.is_some() || cpu.beside.file.is_some();
                    let (a, b) = ((other.number, other.beside.file), (cpu.number, cpu.beside.file));
                    known && a == b && other.beside.refused.is_none()
                };
                let earlier = cpus[..vcpu].iter().rfind(same);
                Some(Refusal { vcpu, error, earlier: earlier.map(|earlier| differing(earlier, cpu)) })
            })
            .take(Refusal::MOST)
            .collect()
    }

    pub(crate) fn error(&self) -> &str {
        &self.error
    }

    pub(crate) fn heading() -> String {
        format!("error[{}]", Refusal::KIND)
    }

    fn what(&self) -> String {
        format!("KVM refused this table with {}, and no entry breaks a rule of KVM's for tables", self.error)
    }

    fn at(&self) -> String {
        let vcpu = self.vcpu;
        match &self.earlier {
            None => {
                format!("table {vcpu} of the source, all entries: no earlier table of this vCPU is in it")
            }
            Some(Earlier::Same) => {
                format!("table {vcpu} of the source, which equals the one that KVM took before")
            }
            Some(Earlier::Entry(entry, what)) => format!(
                "table {vcpu} of the source, entry {entry}: {what}, the first difference from the table that KVM took before"
            ),
            Some(Earlier::Count(before, now)) => {
                format!(
                    "table {vcpu} of the source: {now} entries, and the table that KVM took before has {before}"
                )
            }
        }
    }

    const fn why() -> &'static str {
        "after a vCPU has run, KVM_SET_CPUID2 takes only the table that the vCPU has, with the same order and flags (Linux \
         5.17 and later)"
    }

    const fn help() -> &'static str {
        "set the final table before the first KVM_RUN; `strace -v -e trace=ioctl` of the whole program shows what the vCPU has"
    }

    /// As `check` has a finding.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "severity": "error",
            "kind": Refusal::KIND,
            "feature": null,
            "vcpus": [self.vcpu],
            "at": null,
            "others": [],
            "what": format!("{}: {}", self.what(), self.at()),
            "why": Refusal::why(),
            "help": Refusal::help(),
        })
    }
}

impl fmt::Display for Refusal {
    /// What comes after the heading.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, at, why, help) = (self.what(), self.at(), Refusal::why(), Refusal::help());
        write!(f, ": {what}\n  at: {at}\n  why: {why}\n  help: {help}")
    }
}

/// What KVM compares, in its order.
fn differing(earlier: &Cpu, cpu: &Cpu) -> Earlier {
    let pairs = earlier.entries.iter().zip(&cpu.entries);
    if let Some((at, (before, now))) = pairs.enumerate().find(|(_, (before, now))| before != now) {
        return Earlier::Entry(at, what_differs(before, now));
    }
    match (earlier.entries.len(), cpu.entries.len()) {
        (before, now) if before != now => Earlier::Count(before, now),
        _ => Earlier::Same,
    }
}

fn what_differs(before: &CpuidEntry, now: &CpuidEntry) -> String {
    if (before.function, before.index) != (now.function, now.index) {
        return format!(
            "leaf {}, subleaf {}, in place of leaf {}, subleaf {}",
            now.function, now.index.0, before.function, before.index.0
        );
    }
    let differ = |register: &Register| before.register(*register) != now.register(*register);
    let words = now.words();
    let Some((word, register)) = words.into_iter().zip(Register::ALL).find(|(_, register)| differ(register))
    else {
        return format!("flags {:#x} in place of {:#x}", now.flags, before.flags);
    };
    format!("{word} is {:#x} in place of {:#x}", now.register(register), before.register(register))
}
