//! Test cases with a planted fault.

use cpuid_tables::check::{Check, Finding, Report};
use cpuid_tables::host::Host;
use cpuid_tables::{CpuidEntry, Leaf, Register, Registers, Subleaf};

/// Four vCPUs of EPYC-Milan-v2: two sockets of one core with two threads.
pub(crate) const AMD: &str = include_str!("amd.txt");
/// Four vCPUs of GraniteRapids-v2: one socket of two dies of one core with two threads.
pub(crate) const INTEL: &str = include_str!("intel.txt");

/// A fault, and all findings that it causes.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) base: Base,
    pub(crate) plant: fn(&mut Tables),
    pub(crate) expected: &'static [&'static str],
}

/// The table into which a fault is planted.
pub(crate) enum Base {
    /// All vCPUs of a stored table, without a host.
    Alone(&'static str),
    /// The same, on a host that supports exactly their features, apart from this change.
    On(&'static str, fn(&mut Host)),
}

pub(crate) use Base::{Alone, On};

impl Case {
    pub(crate) fn run(&self) -> Report {
        let (text, change) = match self.base {
            Alone(text) => (text, None),
            On(text, change) => (text, Some(change)),
        };
        let mut tables = Tables::read(text);
        // QEMU gives AMD's leaf to guests of every vendor; that is a finding too.
        if text == INTEL {
            tables.remove(0x8000_0005, 0);
        }
        let host = change.map(|change| {
            let supported = tables.0[0].1.clone();
            let mut host = Host { supported, ..Host::default() };
            change(&mut host);
            host
        });
        (self.plant)(&mut tables);
        match &host {
            Some(host) => tables.check().with_host(host).run(),
            None => tables.check().run(),
        }
    }
}

/// Kind, vCPUs, location and message; then other locations.
pub(crate) fn in_a_line(finding: &Finding) -> String {
    let others: Vec<String> = finding.others.iter().map(ToString::to_string).collect();
    let others = if others.is_empty() { String::new() } else { format!(" <{}>", others.join("> <")) };
    format!("{} {}, {}: {}{others}", finding.kind, finding.vcpu_list(), finding.at, finding.what)
}

/// vCPUs by number, in order.
#[derive(Clone)]
pub(crate) struct Tables(pub(crate) Vec<(u32, Vec<CpuidEntry>)>);

impl Tables {
    /// From lines `vcpuN function index flags eax ebx ecx edx`.
    pub(crate) fn read(text: &str) -> Tables {
        let mut tables: Vec<(u32, Vec<CpuidEntry>)> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (vcpu, numbers) = line.strip_prefix("vcpu").and_then(|line| line.split_once(' ')).unwrap();
            let vcpu: u32 = vcpu.parse().unwrap();
            let numbers: Vec<u32> =
                numbers.split(' ').map(|number| u32::from_str_radix(number, 16).unwrap()).collect();
            let &[function, index, flags, eax, ebx, ecx, edx] = numbers.as_slice() else { panic!("{line}") };
            let entry = CpuidEntry {
                function: Leaf(function),
                index: Subleaf(index),
                flags,
                registers: Registers { eax, ebx, ecx, edx },
            };
            match tables.last_mut() {
                Some((last, entries)) if *last == vcpu => entries.push(entry),
                _ => tables.push((vcpu, vec![entry])),
            }
        }
        tables.iter().for_each(|(_, entries)| assert!(entries.len() > 1));
        Tables(tables)
    }

    pub(crate) fn check(&self) -> Check<'_> {
        self.0.iter().fold(Check::new(), |check, (number, entries)| check.vcpu(*number, entries))
    }

    /// Keeps only the first vCPU.
    pub(crate) fn first(&mut self) -> &mut Tables {
        self.0.truncate(1);
        self
    }

    /// Changes the entries of one vCPU.
    pub(crate) fn of(&mut self, vcpu: u32, change: impl Fn(&mut Vec<CpuidEntry>)) {
        self.0.iter_mut().filter(|(number, _)| *number == vcpu).for_each(|(_, entries)| change(entries));
    }

    /// Changes an entry of each vCPU, which must exist.
    pub(crate) fn edit(&mut self, leaf: u32, subleaf: u32, change: impl Fn(&mut CpuidEntry)) {
        for (_, entries) in &mut self.0 {
            let entry = entries.iter_mut().find(|entry| entry.answers(Leaf(leaf), Subleaf(subleaf)));
            change(entry.unwrap_or_else(|| panic!("{leaf:#x}.{subleaf} is not there")));
        }
    }

    /// Sets bits of a register.
    pub(crate) fn set(&mut self, leaf: u32, subleaf: u32, register: Register, bits: u32) {
        self.edit(leaf, subleaf, |entry| *entry.register_mut(register) |= bits);
    }

    /// Clears bits of a register.
    pub(crate) fn clear(&mut self, leaf: u32, subleaf: u32, register: Register, bits: u32) {
        self.edit(leaf, subleaf, |entry| *entry.register_mut(register) &= !bits);
    }

    /// Writes a value to a register.
    pub(crate) fn put(&mut self, leaf: u32, subleaf: u32, register: Register, value: u32) {
        self.edit(leaf, subleaf, |entry| *entry.register_mut(register) = value);
    }

    /// Removes an entry of each vCPU.
    pub(crate) fn remove(&mut self, leaf: u32, subleaf: u32) {
        for (_, entries) in &mut self.0 {
            entries.retain(|entry| !(entry.function == Leaf(leaf) && entry.subleaf() == Subleaf(subleaf)));
        }
    }

    /// Adds an entry at the end of each vCPU's table.
    pub(crate) fn push(&mut self, entry: CpuidEntry) {
        self.0.iter_mut().for_each(|(_, entries)| entries.push(entry));
    }
}
