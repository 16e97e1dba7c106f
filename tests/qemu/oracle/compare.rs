//! Compares QEMU's table with the library's.

use std::fmt;

use cpuid_tables::guest::{Reason, Warning};
use cpuid_tables::{CpuidEntry, Register};

use super::corpus::{Recorded, digest};
use super::msrs;
use super::ours::Built;
use super::recording::Recording;

/// The result of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same entries in the same order for every vCPU, the same warnings, and the same MSRs if they are recorded.
    Equal,
    /// Both QEMU and the library reject the guest.
    BothRefuse,
    /// They differ.
    Different(Difference),
}

/// The first difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The place, without numbers that differ from case to case: differences are counted by it.
    pub place: String,
    /// QEMU's side.
    pub qemu: String,
    /// The library's side.
    pub ours: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: QEMU {}, ours {}", self.place, self.qemu, self.ours)
    }
}

/// Compares a recording with what was built.
pub fn compare(recording: &Recording, built: &Built) -> Verdict {
    let difference = |place: &str, qemu: String, ours: String| {
        Verdict::Different(Difference { place: place.to_owned(), qemu, ours })
    };
    match (recording.refused(), built) {
        (true, Built::Refused(_)) => Verdict::BothRefuse,
        (true, Built::Guest(..)) => {
            difference("refused by QEMU alone", recording.errors.join("; "), "a table".to_owned())
        }
        (false, Built::Refused(error)) => {
            difference("refused by us alone", "a table".to_owned(), error.to_string())
        }
        (false, Built::Guest(tables, warnings, msrs)) => {
            // Someone may have kept the MSRs alone.
            let only_msrs = recording.tables.is_empty() && !recording.msrs.is_empty();
            let rest =
                || tables_differ(&recording.tables, tables).or_else(|| warnings_differ(recording, warnings));
            let found = (!only_msrs).then(rest).flatten();
            let found = found.or_else(|| msrs::differ(recording.msrs.values(), msrs));
            found.map_or(Verdict::Equal, Verdict::Different)
        }
    }
}

/// Compares the stored part of a recording with what was built.
pub fn compare_recorded(recorded: &Recorded, built: &Built) -> Verdict {
    let recording =
        Recording { status: recorded.status, warnings: recorded.warnings.clone(), ..Recording::default() };
    let Built::Guest(tables, warnings, _) = built else { return compare(&recording, built) };
    if recording.refused() {
        return compare(&recording, built);
    }
    let first = tables.first().map_or(&[][..], |(_, table)| table);
    let found = entries_differ(&recorded.table, first).or_else(|| {
        let [qemu, ours] = [recorded.digest, digest(tables)].map(|digest| format!("{digest:x}"));
        let place = "digest of all vCPUs' tables".to_owned();
        (qemu != ours).then_some(Difference { place, qemu, ours })
    });
    found.or_else(|| warnings_differ(&recording, warnings)).map_or(Verdict::Equal, Verdict::Different)
}

type Tables = [(u32, Vec<CpuidEntry>)];

fn tables_differ(qemu: &Tables, ours: &Tables) -> Option<Difference> {
    let ids = |tables: &Tables| tables.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().join(" ");
    if ids(qemu) != ids(ours) {
        return Some(Difference { place: "APIC ids".to_owned(), qemu: ids(qemu), ours: ids(ours) });
    }
    qemu.iter().zip(ours).find_map(|((_, qemu), (_, ours))| entries_differ(qemu, ours))
}

fn name(entry: &CpuidEntry) -> String {
    format!("{:x}.{:x}", entry.function.0, entry.subleaf().0)
}

fn entries_differ(qemu: &[CpuidEntry], ours: &[CpuidEntry]) -> Option<Difference> {
    let at = qemu.iter().zip(ours).position(|(a, b)| !a.same_answer(b));
    let at = at.or_else(|| (qemu.len() != ours.len()).then_some(qemu.len().min(ours.len())))?;
    let text = |entry: Option<&CpuidEntry>| entry.map_or("nothing".to_owned(), name);
    Some(match (qemu.get(at), ours.get(at)) {
        (Some(a), Some(b)) if (a.function, a.subleaf(), a.flags) == (b.function, b.subleaf(), b.flags) => {
            let register =
                Register::ALL.into_iter().find(|register| a.register(*register) != b.register(*register));
            let register = register.unwrap_or(Register::Eax);
            let show = |entry: &CpuidEntry| format!("{:08x}", entry.register(register));
            Difference { place: format!("{} {register}", name(a)), qemu: show(a), ours: show(b) }
        }
        (a, b) => Difference { place: "order of entries".to_owned(), qemu: text(a), ours: text(b) },
    })
}

/// QEMU warnings that do not concern CPUs: their prefixes, each with the reason why the library has no such warning.
const NOT_OF_CPUS: [(&str, &str); 14] = [
    ("global PIIX4_PM.", "concerns a device that a machine lacks"),
    ("short-form boolean option", "concerns the syntax of options"),
    ("KVM dirty ring not available", "concerns the log of written memory"),
    ("Do not use kernel-irqchip except", "the second line of another warning"),
    ("Compatibility of ambiguous CPU model strings", "the second line of another warning"),
    ("prctl(ARCH_REQ_XCOMP_GUEST_PERM) failure", "concerns the kernel on which QEMU was recorded"),
    ("Machine type ", "deprecated machine types: concerns machines"),
    ("machine type ", "deprecated machine types: concerns machines"),
    ("CPU model ", "deprecated models: see CpuModel::deprecated"),
    ("hub ", "concerns devices"),
    ("Large machine and max_ram_below_4g", "concerns memory"),
    ("There is possibly poor performance as the ram", "concerns memory"),
    ("Unknown firmware file in legacy mode", "concerns the firmware"),
    ("Only ", "`max-ram-below-4g` below 1 MiB: concerns the firmware"),
];

/// Warnings for which the library has its own wording: the prefixes of QEMU's warnings.
fn begins(warning: &Warning) -> Option<&'static str> {
    match warning {
        Warning::Filtered(filtered) if filtered.reason == Reason::Level => {
            Some("Intel PT need CPUID leaf 0x14")
        }
        Warning::Filtered(_) | Warning::Avx10 { .. } | Warning::NoSuchCpu(_) => None,
        Warning::Ambiguous(_) => Some("Ambiguous CPU model string"),
        Warning::PhysBits { .. } => Some("Host physical bits ("),
        Warning::Threads(_) => Some("This family of AMD CPU doesn't support hyperthreading"),
        Warning::ManyVcpus { hot_pluggable: false, .. } => Some("Number of SMP cpus requested"),
        Warning::ManyVcpus { hot_pluggable: true, .. } => Some("Number of hotpluggable cpus requested"),
        Warning::ZeroTopology => Some("Deprecated CPU topology (considered invalid)"),
        Warning::UserspaceApic => Some("Userspace local APIC is deprecated for KVM."),
        Warning::IsapcCpu(_) => Some("cpu type "),
        Warning::MachineChecks(_) => Some("Unsupported MCG_CAP bits"),
        Warning::HypervVendor(_) => Some("hv-vendor-id truncated to 12 characters"),
        // It equals none of QEMU's.
        _ => Some("a warning that this comparison does not know"),
    }
}

fn warnings_differ(recording: &Recording, ours: &[Warning]) -> Option<Difference> {
    let known = |text: &&String| !NOT_OF_CPUS.iter().any(|(prefix, _)| text.starts_with(prefix));
    let qemu: Vec<&String> = recording.warnings.iter().filter(known).collect();
    let mut mine: Vec<String> = Vec::new();
    for warning in ours {
        let text = match (warning, begins(warning)) {
            (_, Some(begin)) => begin.to_owned(),
            (Warning::NoSuchCpu(global), _) => {
                format!("global {}.{} has invalid class name", global.driver, global.property)
            }
            (Warning::Filtered(filtered), _) => {
                let text = filtered.to_string();
                text.rsplit_once(": ").map_or(text.clone(), |(words, _)| words.to_owned())
            }
            _ => warning.to_string(),
        };
        if !mine.contains(&text) {
            mine.push(text);
        }
    }
    let same = |(theirs, ours): (&&String, &String)| theirs.starts_with(ours.as_str());
    let at = qemu.iter().zip(&mine).position(|pair| !same(pair));
    let at = at.or_else(|| (qemu.len() != mine.len()).then_some(qemu.len().min(mine.len())))?;
    let text = |text: Option<&str>| text.map_or("nothing".to_owned(), |text| format!("`{text}`"));
    Some(Difference {
        place: "warnings".to_owned(),
        qemu: text(qemu.get(at).map(|text| text.as_str())),
        ours: text(mine.get(at).map(String::as_str)),
    })
}
