//! QEMU's result for a case.

use std::collections::BTreeMap;
use std::io::BufRead;

use cpuid_tables::{CpuidEntry, Leaf, Subleaf};

use super::Outcome;

/// The prefix of QEMU's messages.
const PREFIX: &str = "qemu-system-x86_64: ";

/// The tables that QEMU passed to KVM, and its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Each vCPU's APIC id and table, in QEMU's order.
    pub tables: Vec<(u32, Vec<CpuidEntry>)>,
    /// What QEMU passed to KVM_SET_MSRS for each vCPU, in its order, if that was recorded.
    pub msrs: BTreeMap<u32, Vec<(u32, u64)>>,
    /// Its warnings, each once, without QEMU's prefix.
    pub warnings: Vec<String>,
    /// Everything else on standard error, in the same form: the reason why QEMU exited, if it did.
    pub errors: Vec<String>,
    /// The monitor's answer.
    pub qmp: Vec<String>,
    /// 0, QEMU's own status, or 128 plus a signal's number.
    pub status: u32,
}

impl Recording {
    /// The next result of `capture`; none at the end.
    pub fn read(input: &mut impl BufRead) -> Outcome<Option<Recording>> {
        let mut recording = Recording::default();
        let mut tables: BTreeMap<u32, usize> = BTreeMap::new();
        let mut line = String::new();
        let mut any = false;
        while input.read_line(&mut line)? != 0 {
            any = true;
            let text = line.trim_end_matches('\n');
            if let Some(rest) = text.strip_prefix("vcpu") {
                let (vcpu, entry) = vcpu_entry(rest).ok_or_else(|| format!("`{text}` is not an entry"))?;
                let at = *tables.entry(vcpu).or_insert(recording.tables.len());
                if at == recording.tables.len() {
                    recording.tables.push((vcpu, Vec::new()));
                }
                recording.tables[at].1.extend(entry);
            } else if let Some(rest) = text.strip_prefix("msr") {
                let (vcpu, msr) = vcpu_msr(rest).ok_or_else(|| format!("`{text}` is not an MSR"))?;
                recording.msrs.entry(vcpu).or_default().push(msr);
            } else if let Some(text) = text.strip_prefix("stderr ") {
                recording.hear(text);
            } else if let Some(text) = text.strip_prefix("qmp ") {
                recording.qmp.push(text.to_owned());
            } else if let Some(status) = text.strip_prefix("exit ") {
                recording.status = status.parse()?;
                return Ok(Some(recording));
            } else {
                return Err(format!("`{text}` is not a line of a result").into());
            }
            line.clear();
        }
        if any { Err("the last result has no end".into()) } else { Ok(None) }
    }

    fn hear(&mut self, text: &str) {
        let text = text.strip_prefix(PREFIX).unwrap_or(text);
        // The option that it concerns may precede it.
        let at = text.find("warning: ").filter(|at| *at == 0 || text.starts_with('-'));
        let (into, text) = match at {
            Some(at) => (&mut self.warnings, &text[at + "warning: ".len()..]),
            None => (&mut self.errors, text),
        };
        // Each vCPU repeats it.
        if !into.iter().any(|known| known == text) {
            into.push(text.to_owned());
        }
    }

    /// QEMU rejects the guest.
    pub fn refused(&self) -> bool {
        self.status != 0
    }
}

/// `ID function index flags eax ebx ecx edx`; `ID` alone is a table without entries.
fn vcpu_entry(text: &str) -> Option<(u32, Option<CpuidEntry>)> {
    match text.split_once(' ') {
        Some((vcpu, rest)) => Some((vcpu.parse().ok()?, Some(entry(rest)?))),
        None => Some((text.parse().ok()?, None)),
    }
}

/// `ID index value`, the last two hexadecimal.
fn vcpu_msr(text: &str) -> Option<(u32, (u32, u64))> {
    let mut words = text.split(' ');
    let [vcpu, msr, value] = [words.next()?, words.next()?, words.next()?];
    let msr = (u32::from_str_radix(msr, 16).ok()?, u64::from_str_radix(value, 16).ok()?);
    words.next().is_none().then_some((vcpu.parse().ok()?, msr))
}

/// `function index flags eax ebx ecx edx`.
pub fn entry(text: &str) -> Option<CpuidEntry> {
    let mut words = text.split(' ');
    let mut numbers = [0; 7];
    for number in &mut numbers {
        *number = u32::from_str_radix(words.next()?, 16).ok()?;
    }
    let [function, index, flags, registers @ ..] = numbers;
    let entry =
        CpuidEntry { function: Leaf(function), index: Subleaf(index), flags, registers: registers.into() };
    words.next().is_none().then_some(entry)
}
