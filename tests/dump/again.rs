//! Any table in any format that can hold it reads back unchanged; and no input makes a reader panic.

use std::collections::BTreeSet;

use crate::pieces::Pieces;
use cpuid_tables::dump::{self, Cpu, Format, Options};
use cpuid_tables::{CpuidEntry, IndexedLeaf, Leaf, Registers, Subleaf};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn register() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(u32::MAX), any::<u32>()]
}

/// Leaves with subleaves, without subleaves, and any others.
fn entry() -> impl Strategy<Value = CpuidEntry> {
    let leaves: Vec<u32> =
        IndexedLeaf::all().map(|indexed| indexed.leaf.0).chain([0, 1, 2, 0x8000_0001]).collect();
    let function = prop_oneof![3 => proptest::sample::select(leaves), 1 => any::<u32>()];
    let index = prop_oneof![3 => 0u32..5, 1 => any::<u32>()];
    let flags = prop_oneof![3 => 0u32..2, 1 => any::<u32>()];
    let registers = [register(), register(), register(), register()];
    (function, index, flags, registers).prop_map(|(function, index, flags, registers)| CpuidEntry {
        function: Leaf(function),
        index: Subleaf(index),
        flags,
        registers: registers.into(),
    })
}

fn cpu() -> impl Strategy<Value = Cpu> {
    let known = [register(), register(), register(), register()];
    let entries = vec((entry(), known), 1..40);
    (option::of(0u32..300), option::of("[ -~]{0,8}|é\u{7f}\n|supported|hv"), entries, any::<bool>()).prop_map(
        |(number, name, entries, open)| {
            let (mut entries, known): (Vec<CpuidEntry>, Vec<Registers>) =
                entries.into_iter().map(|(entry, known)| (entry, Registers::from_array(known))).unzip();
            if open {
                // An unspecified bit is 0.
                for (entry, known) in entries.iter_mut().zip(&known) {
                    entry.registers = entry.registers.zip_with(*known, |value, known| value & known);
                }
            }
            Cpu { number, name, entries, known: open.then_some(known), ..Cpu::default() }
        },
    )
}

/// The CPU without the parts that the format cannot hold.
fn fit(mut cpu: Cpu, format: Format) -> Cpu {
    use Format::{CpuidR, Entries, Firecracker, InstLatx64, Json, Kcpuid, Libvirt, Propolis, Strace};
    match format {
        Json => {}
        Firecracker => (cpu.number, cpu.name) = (None, None),
        Propolis => cpu.number = None,
        Kcpuid | Libvirt => (cpu.number, cpu.name) = (None, None),
        Entries => {
            cpu.name = cpu.name.filter(|name| cpu.number.is_none() && ["supported", "hv"].contains(&&**name))
        }
        Strace => {
            cpu.name = cpu.name.filter(|name| name == "supported");
            cpu.beside.file = Some(7);
        }
        _ => cpu.name = None,
    }
    if !matches!(format, Json | Firecracker) {
        cpu.known = None;
    }
    if matches!(format, CpuidR | Kcpuid | InstLatx64 | Libvirt) {
        imply_flags(&mut cpu.entries);
    }
    if format == Propolis {
        one_place_each(&mut cpu.entries);
        cpu.name.get_or_insert_with(|| "guest".to_owned());
    }
    if cpu.known.as_ref().is_some_and(|known| known.iter().all(|known| *known == Registers::MAX)) {
        cpu.known = None;
    }
    cpu
}

/// The index is significant for leaves with subleaves, and for leaves with a subleaf other than 0 here.
fn imply_flags(entries: &mut [CpuidEntry]) {
    let more: BTreeSet<Leaf> =
        entries.iter().filter(|entry| entry.index.0 != 0).map(|entry| entry.function).collect();
    for entry in entries {
        let indexed = IndexedLeaf::get(entry.function).is_some() || more.contains(&entry.function);
        entry.flags = if indexed { CpuidEntry::SIGNIFICANT_INDEX } else { 0 };
    }
}

/// A vendor, each leaf and subleaf once, and entries for all subleaves of a leaf last.
fn one_place_each(entries: &mut Vec<CpuidEntry>) {
    entries.insert(0, CpuidEntry::new(Leaf(0), Registers::new(1, 0x6874_7541, 0x444d_4163, 0x6974_6e65)));
    for entry in entries.iter_mut() {
        entry.flags &= CpuidEntry::SIGNIFICANT_INDEX;
        entry.index = entry.subleaf();
    }
    let mut seen = BTreeSet::new();
    entries.retain(|entry| {
        let free = !entry.is_indexed() || !seen.contains(&(entry.function, false, Subleaf(0)));
        free && seen.insert((entry.function, entry.is_indexed(), entry.index))
    });
}

fn written() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| format.can_be_written())
}

/// Makes the CPUs distinguishable.
fn apart(cpus: &mut Vec<Cpu>, format: Format) {
    match format {
        Format::Firecracker | Format::Propolis => cpus.truncate(1),
        Format::Entries => {
            cpus.iter_mut().zip(0..).for_each(|(cpu, number)| (cpu.number, cpu.name) = (Some(number), None))
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_table_survives_formats_that_can_hold_it(cpus in vec(cpu(), 1..4)) {
        for format in written() {
            let mut cpus: Vec<Cpu> = cpus.iter().map(|cpu| fit(cpu.clone(), format)).collect();
            if cpus.len() > 1 {
                apart(&mut cpus, format);
            }
            // What leaves bits open is a template there.
            let is_template = |cpu: &Cpu| format == Format::Firecracker && cpu.known.is_some();
            cpus.iter_mut().for_each(|cpu| cpu.beside.template = is_template(cpu));
            let mut text = Vec::new();
            dump::write(&mut text, format, &cpus).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let back = dump::read(&text[..], &Options::default());
            let back = back.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(back.format, format);
            prop_assert_eq!(back.cpus, cpus, "{}", String::from_utf8_lossy(&text));
        }
    }

    /// Anything that a format cannot hold is an error, and never changes the table.
    #[test]
    fn no_table_is_changed_silently(cpu in cpu()) {
        for format in written() {
            let mut text = Vec::new();
            if dump::write(&mut text, format, std::slice::from_ref(&cpu)).is_err() {
                prop_assert!(text.is_empty());
                continue;
            }
            let options = Options { format: Some(format), lenient: false };
            let back = dump::read(&text[..], &options).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(back.cpus.len(), 1);
            let same = back.cpus[0].entries.iter().zip(&cpu.entries).all(|(back, entry)| back.same_answer(entry));
            prop_assert!(same && back.cpus[0].entries.len() == cpu.entries.len(), "{}", format.name());
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..2000), lenient in any::<bool>()) {
        for format in Format::ALL.into_iter().map(Some).chain([None]) {
            let options = Options { format, lenient };
            let whole = dump::read(&bytes[..], &options);
            let pieces = dump::read(Pieces(3, &bytes), &options);
            let result = |dump: Result<dump::Dump, dump::ReadError>| dump.map(|dump| dump.cpus).map_err(|error| error.to_string());
            prop_assert_eq!(result(whole), result(pieces));
        }
    }

    /// The same for text close to a format's.
    #[test]
    fn any_text_pieces_are_read_without_panic(pieces in vec(proptest::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        for format in Format::ALL.into_iter().map(Some).chain([None]) {
            for lenient in [false, true] {
                let _ = dump::read(text.as_bytes(), &Options { format, lenient });
            }
        }
    }
}

/// Pieces that have a meaning in some format.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "\"",
    "'",
    ",",
    ":",
    "=",
    " = ",
    "...",
    "\n",
    " ",
    "0x",
    "0",
    "1",
    "ffffffff",
    "4294967295",
    "99999999999",
    "CPU",
    "CPUID 00000004",
    "-",
    "[SL 01]",
    "function",
    "index",
    "flags",
    "eax",
    "ebx",
    "ecx",
    "edx",
    "padding",
    "cpuid_nent",
    "cpuid_entries",
    "vcpu_id",
    "<repeats 70000 times>",
    "[0x1] = ",
    "ioctl(",
    "KVM_SET_CPUID2",
    ", {nent=",
    "entries=[",
    "<cpuid",
    "<cpudata>",
    "</cpudata>",
    "/>",
    "eax_in='1'",
    "<!--",
    "-->",
    "\"leaf\"",
    "\"bitmap\"",
    "0b",
    "x",
    "[cpuid.a]",
    "vendor",
    "\"props\"",
    "\"return\"",
    "cpuid-input-eax",
    "Leafs :",
    "subleafs:",
    "é",
    "\u{0}",
];
