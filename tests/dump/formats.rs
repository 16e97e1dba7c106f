//! Dumps in every format: real program output reads back as the dumped table.
//!
//! `tests/dumps/vmcore.entries` is the table; gdb 13, strace 6.1 and cpuid 20230120 produced the outputs next to it.
//! QEMU's are from 10.0.13 under TCG.

use std::fs;
use std::path::Path;

use cpuid_tables::dump::{self, Cpu, Dump, Format, Options, ReadError, Reader, WriteError, Writer};
use cpuid_tables::{CpuidEntry, IndexedLeaf, Leaf, Registers, Subleaf};

pub(crate) fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps").join(name)).unwrap()
}

pub(crate) fn read(text: impl AsRef<[u8]>) -> Dump {
    dump::read(text.as_ref(), &Options::default()).unwrap()
}

/// The only CPU of a dump whose format is detected.
pub(crate) fn one(text: impl AsRef<[u8]>, format: Format) -> Cpu {
    let mut dump = read(text);
    assert_eq!((dump.format, dump.cpus.len()), (format, 1));
    dump.cpus.remove(0)
}

pub(crate) fn fails(text: &str) -> String {
    dump::read(text.as_bytes(), &Options::default()).unwrap_err().to_string()
}

pub(crate) fn fails_as(format: Format, text: &str) -> String {
    let options = Options { format: Some(format), ..Options::default() };
    dump::read(text.as_bytes(), &options).unwrap_err().to_string()
}

/// The 29 entries of the guest.
pub(crate) fn guest() -> Vec<CpuidEntry> {
    let cpu = one(file("vmcore.entries"), Format::Entries);
    assert_eq!(cpu.entries.len(), 29);
    cpu.entries
}

/// The same entries in a format without flags.
pub(crate) fn without_flags(entries: &[CpuidEntry]) -> Vec<CpuidEntry> {
    let indexed = |leaf| if IndexedLeaf::get(leaf).is_some() { CpuidEntry::SIGNIFICANT_INDEX } else { 0 };
    entries.iter().map(|entry| CpuidEntry { flags: indexed(entry.function), ..*entry }).collect()
}

pub(crate) fn text(format: Format, cpus: &[Cpu]) -> String {
    let mut out = Vec::new();
    dump::write(&mut out, format, cpus).unwrap();
    String::from_utf8(out).unwrap()
}

pub(crate) fn text_of_one(format: Format, cpu: &Cpu) -> String {
    text(format, std::slice::from_ref(cpu))
}

#[test]
fn entries() {
    let text = "# a comment\n\nvcpu0 0 0 0 d 756e6547 6c65746e 49656e69\r\n vcpu0 \t 00000007 00000000 1 0 20 0 0\nvcpu12 1 0 0 1 2 3 ffffffff\n\
                supported 1 0 0 1 2 3 4\nhv 40000000 0 0 1 2 3 4\n1 5 8 1 2 3 4";
    let dump = read(text);
    let found: Vec<_> =
        dump.cpus.iter().map(|cpu| (cpu.number, cpu.name.as_deref(), cpu.entries.len())).collect();
    assert_eq!(
        found,
        [
            (Some(0), None, 2),
            (Some(12), None, 1),
            (None, Some("supported"), 1),
            (None, Some("hv"), 1),
            (None, None, 1)
        ]
    );
    let last = dump.cpus[4].entries[0];
    assert_eq!((last.index, last.flags), (Subleaf(5), 8));
    let expected = "expected `function index flags eax ebx ecx edx` in hexadecimal, after `vcpuID`, `supported`, `emulated`, \
                    `hv` or nothing";
    for wrong in [
        "1 2 3 4 5 6",
        "1 2 3 4 5 6 7 8",
        "1 2 3 4 5 6 x",
        "1 2 3 4 5 6 123456789",
        "vcpu 1 2 3 4 5 6 7",
        "0x1 0 0 0 0 0 0",
    ] {
        assert_eq!(
            fails_as(Format::Entries, &format!("1 2 3 4 5 6 7\n{wrong}\n")),
            format!("line 2: `{wrong}` is not entries: {expected}")
        );
    }
}

#[test]
fn text_that_is_not_a_dump_is_an_error() {
    assert_eq!(
        fails("\nHello, \u{1}\nworld"),
        "not recognised as a dump of CPUID: it begins with `Hello, \\u{1}`"
    );
    assert_eq!(fails(""), "it is empty");
    assert_eq!(fails_as(Format::CpuidR, "\n"), "no CPUID entry in it, read as cpuid-r");
    for format in Format::ALL {
        assert_eq!(Format::find(format.name()), Some(format));
        assert_eq!(format.name().parse(), Ok(format));
        assert!(!format.about().is_empty());
    }
    assert_eq!(Format::find("xml"), None);
    assert_eq!(
        "xml".parse::<Format>().map_err(|error| error.to_string()),
        Err(format!("the formats are {}", Format::ALL.map(Format::name).join(", ")))
    );
    let read_only = Format::ALL.into_iter().filter(|format| !format.can_be_written()).map(Format::name);
    assert!(read_only.take(4).eq(["decoded", "qemu-monitor", "qemu-model", "rust-debug"]));
    let only_read = dump::write(Vec::new(), Format::QemuModel, &[]).unwrap_err();
    assert_eq!(only_read.to_string(), "qemu-model is read, not written");
}

#[test]
fn the_strongest_mark_decides_the_format() {
    let strace = "close(3) = 0\n";
    for (head, format) in [
        ("  <x>\n1 2 3 4 5 6 7\n".to_string(), Some(Format::Entries)),
        ("  <x>\n".to_string(), None),
        ("  <cpudata>\n".to_string(), Some(Format::Libvirt)),
        ("{\n int a;\n}\n".to_string(), None),
        ("[package]\nkeywords = [\"cpuid\"]\n".to_string(), None),
        ("{\n1 2 3 4 5 6 7\n\"entries\"".to_string(), Some(Format::Entries)),
        ("{\"entries\": [], \"props\": {}}".to_string(), Some(Format::QemuModel)),
        ("{\"entries\": []}\n{\"props\": {}}".to_string(), Some(Format::Json)),
        ("{\n\"x\": 1}".to_string(), Some(Format::Json)),
        (format!("{strace}CPU 0:\n"), Some(Format::CpuidR)),
        (format!("x\n{strace}"), Some(Format::Strace)),
        (format!("[pid 12] {strace}"), Some(Format::Strace)),
        (format!("[\n{strace}"), Some(Format::Json)),
        ("x\n".to_string(), None),
    ] {
        assert_eq!(Format::recognise(head.as_bytes()), format, "{head}");
    }
}

#[test]
fn lenient_reading_warns_and_continues() {
    let line = "0x00000001 0x00: eax=0x1 ebx=0x2 ecx=0x3 edx=0x4\n";
    let text = format!("{line}wrong\n{line}{}{line}", "x\n".repeat(200));
    let options = Options { lenient: true, ..Options::default() };
    let dump = dump::read(text.as_bytes(), &options).unwrap();
    assert_eq!(dump.cpus[0].entries.len(), 3);
    assert_eq!((dump.warnings.len(), dump.more_warnings), (Options::MAX_WARNINGS, 101));
    assert!(dump.warnings[0].to_string().starts_with("line 2: `wrong` is not cpuid-r: expected"));
    assert!(dump.warnings[1].to_string().starts_with("line 4: `x`"));
    // An overlong line is skipped too.
    let text = format!("{line}{}\n{line}", "x".repeat(5 << 20));
    assert_eq!(
        dump::read(text.as_bytes(), &Options::default()).unwrap_err().to_string(),
        "line 2: longer than 1048576 bytes, which no dump of CPUID is"
    );
    let dump = dump::read(text.as_bytes(), &options).unwrap();
    assert_eq!((dump.cpus[0].entries.len(), dump.warnings.len()), (2, 1));
    // Nothing follows an error.
    let mut reader = Reader::new(&b"1 2 3 4 5 6 7\nx\n1 2 3 4 5 6 7\n"[..], &Options::default()).unwrap();
    assert!(matches!(reader.next(), Some(Err(ReadError::Malformed { line: 2, .. }))));
    assert!(reader.next().is_none());
    // An incomplete strace table and an invalid template are skipped.
    let entry = "{function=0x1, index=0, flags=0, eax=0, ebx=0, ecx=0, edx=0}";
    let text = format!(
        "ioctl(5, KVM_SET_CPUID2, {{nent=2, entries=[{entry}, {{]}}) = 0\nioctl(5, KVM_SET_CPUID2, {{nent=1, entries=[{entry}]}}) = 0\n"
    );
    let dump = dump::read(text.as_bytes(), &options).unwrap();
    assert_eq!((dump.cpus.len(), dump.warnings.len()), (1, 1));
}

#[test]
fn unsupported_content_is_a_write_error() {
    let fails = |format, cpus: &[Cpu]| dump::write(Vec::new(), format, cpus).unwrap_err().to_string();
    let cpu = Cpu::from_entries(guest());
    for format in [Format::CpuidR, Format::Kcpuid, Format::InstLatx64, Format::Libvirt] {
        assert_eq!(
            fails(format, std::slice::from_ref(&cpu)),
            format!("{} cannot hold the flags of entry 4: 0x6 would be read back as 0x0", format.name())
        );
        let mut writer = Writer::new(Vec::new(), format).unwrap();
        writer.drop_flags(true);
        writer.write(&cpu).unwrap();
        let back = one(writer.finish().unwrap(), format);
        assert_eq!(back.entries, without_flags(&guest()));
    }
    assert_eq!(
        fails(Format::Propolis, std::slice::from_ref(&cpu)),
        "propolis cannot hold the flags of entry 4: 0x6 would be read back as 0x0"
    );
    let plain = Cpu::from_entries(without_flags(&guest()));
    assert_eq!(
        fails(Format::Propolis, &[plain.clone(), plain.clone()]),
        "propolis holds one CPU, and there are several"
    );
    assert_eq!(
        fails(Format::Firecracker, &[plain.clone(), plain.clone()]),
        "firecracker holds one CPU, and there are several"
    );
    assert_eq!(
        fails(Format::Entries, &[plain.clone(), plain]),
        "entries tells CPUs apart by number, and two in a row have the same or none"
    );
    let zero = CpuidEntry::new(Leaf(0), Registers::new(0x10, 0x6874_7541, 0x444d_4163, 0x6974_6e65));
    let (all, one) = (
        CpuidEntry::new(Leaf(7), Registers::new(1, 1, 1, 1)),
        CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(1, 1, 1, 1)),
    );
    for (entries, message) in [
        (vec![one], "propolis names the vendor, amd or intel, and leaf 0 tells neither"),
        (
            vec![zero, one, one],
            "propolis has one place for a leaf and subleaf, and entry 2 has that of an earlier one",
        ),
        (
            vec![zero, all, one],
            "propolis looks up a subleaf's own entry first, and entry 2 for all subleaves hides one after it",
        ),
    ] {
        assert_eq!(fails(Format::Propolis, &[Cpu::from_entries(entries)]), message);
    }
    assert!(matches!(
        dump::write(Full, Format::Entries, &[Cpu::from_entries(vec![zero])]),
        Err(WriteError::Io(_))
    ));
}

/// An output that accepts nothing.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("full"))
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
