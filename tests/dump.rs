//! Dumps in every format: what the programs really print is read as the table that they were given.
//!
//! `tests/dumps/vmcore.entries` is the table; the programs' outputs beside it were made from it with gdb 13, strace 6.1
//! and cpuid 20230120. QEMU's are from 10.0.13 under TCG.
#![cfg(feature = "dump")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use cpuid_tables::dump::{self, Cpu, Dump, Format, Options, ReadError, Reader, WriteError, Writer};
use cpuid_tables::{CpuidEntry, Feature, IndexedLeaf, Leaf, QemuRelease, Subleaf, feature};

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps").join(name)).unwrap()
}

fn read(text: impl AsRef<[u8]>) -> Dump {
    dump::read(text.as_ref(), &Options::default()).unwrap()
}

/// One CPU of the format that is recognised.
fn one(text: impl AsRef<[u8]>, format: Format) -> Cpu {
    let mut dump = read(text);
    assert_eq!((dump.format, dump.cpus.len()), (format, 1));
    dump.cpus.remove(0)
}

fn fails(text: &str) -> String {
    dump::read(text.as_bytes(), &Options::default()).unwrap_err().to_string()
}

fn fails_as(format: Format, text: &str) -> String {
    let options = Options { format: Some(format), ..Options::default() };
    dump::read(text.as_bytes(), &options).unwrap_err().to_string()
}

/// The 29 entries of the guest.
fn guest() -> Vec<CpuidEntry> {
    let cpu = one(file("vmcore.entries"), Format::Entries);
    assert_eq!(cpu.entries.len(), 29);
    cpu.entries
}

/// The same as a format without flags has them.
fn without_flags(entries: &[CpuidEntry]) -> Vec<CpuidEntry> {
    let indexed = |leaf| if IndexedLeaf::of(leaf).is_some() { CpuidEntry::SIGNIFICANT_INDEX } else { 0 };
    entries.iter().map(|entry| CpuidEntry { flags: indexed(entry.function), ..*entry }).collect()
}

fn text(format: Format, cpus: &[Cpu]) -> String {
    let mut out = Vec::new();
    dump::write(&mut out, format, cpus).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_vmcore() {
    let cpu = one(file("vmcore-cpuid_entries.txt"), Format::Gdb);
    assert_eq!(cpu.entries, guest());
    assert_eq!(cpu.entries[4].flags, CpuidEntry::STATEFUL_FUNC | CpuidEntry::STATE_READ_NEXT);
    // Three unused slots are no entries; without the count they are none either.
    let counted = String::from_utf8(file("vmcore-cpuid_entries.txt")).unwrap();
    let uncounted = counted.replacen("cpuid_nent = 29,", "", 1);
    assert_eq!(one(uncounted, Format::Gdb).entries, guest());
}

#[test]
fn gdb() {
    for name in ["gdb-line.txt", "gdb-hex.txt", "gdb-indexes.txt"] {
        assert_eq!(one(file(name), Format::Gdb).entries, guest(), "{name}");
    }
    let session = read(file("gdb-session.txt"));
    let lengths: Vec<usize> = session.cpus.iter().map(|cpu| cpu.entries.len()).collect();
    assert_eq!(lengths, [29, 1, 29]);
    assert_eq!(session.cpus[0].entries, guest());
    assert_eq!(session.cpus[1].entries, guest()[1..2]);
    assert_eq!(session.cpus[2].entries, guest());
}

#[test]
fn gdb_says_which_vcpu_and_what_else_there_is() {
    let text = "(gdb) p *vcpu\n$1 = {vcpu_id = 3, name = \"{function = 1, }\", run = 0x0 <a{b>, arch = {cpuid_nent = 1, \
                cpuid_entries = 0xffff}}\n(gdb) p *vcpu->arch.cpuid_entries@2\n$2 = {{function = 1, index = 0, flags = 0, \
                eax = 5, ebx = 6, ecx = 7, edx = 8, padding = {0, 0, 0}}, {function = 9, index = 0, flags = 0, eax = 1, \
                ebx = 0, ecx = 0, edx = 0, padding = {0, 0, 0}}}\n";
    let cpu = one(text, Format::Gdb);
    assert_eq!((cpu.number, cpu.entries), (Some(3), vec![CpuidEntry::of_leaf(1, [5, 6, 7, 8])]));
    let repeated = "$1 = {{function = 1, index = 0, flags = 0, eax = 5, ebx = 6, ecx = 7, edx = 8, padding = {0, 0, 0}} \
                    <repeats 12 times>, {function = 0, index = 0, flags = 0, eax = 0, ebx = 0, ecx = 0, edx = 0, padding = \
                    {0 <repeats 3 times>}} <repeats 17 times>}\n";
    assert_eq!(one(repeated, Format::Gdb).entries, vec![CpuidEntry::of_leaf(1, [5, 6, 7, 8]); 12]);
}

#[test]
fn gdb_faults() {
    let entry =
        "{function = 1, index = 0, flags = 0, eax = 5, ebx = 6, ecx = 7, edx = 8, padding = {0, 0, 0}}";
    let fields = "expected `name = number` with the fields function, index, flags, eax, ebx, ecx and edx, each once, and padding";
    for (text, expected) in [
        (
            format!("$1 = {{{entry}...}}"),
            "gdb left the rest out: `set print elements unlimited` makes it print all".to_string(),
        ),
        (format!("$1 = {{{}}}", entry.replace("ebx = 6, ", "")), fields.to_string()),
        (format!("$1 = {{{}}}", entry.replace("ebx = 6", "ebx = 6, ebx = 6")), fields.to_string()),
        (format!("$1 = {{{}}}", entry.replace("ebx = 6", "rbx = 6")), fields.to_string()),
        (format!("$1 = {{{}}}", entry.replace("ebx = 6", "ebx = 4294967296")), fields.to_string()),
        (
            format!("$1 = {{{entry}, 7}}"),
            "expected a further `{function = ...}` or the end of the array".to_string(),
        ),
    ] {
        let message = fails(&format!("\n{text}\n"));
        assert!(message.starts_with("line 2: `$1 = {{function = 1, "), "{message}");
        assert!(message.ends_with(&format!("is not gdb: {expected}")), "{message}");
    }
    assert_eq!(
        fails(&format!("cpuid_nent = 3,\ncpuid_entries = {{{entry}}}\n")),
        "line 2: `cpuid_nent = 3` is not gdb: the table that begins in this line has 1 entries"
    );
    assert_eq!(
        fails(&format!("\n$1 = {{{entry},\n")),
        "line 2: `{` is not gdb: the array that begins in this line is not closed"
    );
    let many = format!("$1 = {{{entry} <repeats 4294967295 times>}}");
    assert_eq!(fails(&many), "line 1: more than 65536 entries of one CPU");
}

#[test]
fn strace() {
    for name in ["strace.txt", "strace-verbose.txt"] {
        let dump = read(file(name));
        assert_eq!(dump.format, Format::Strace);
        let tables: Vec<&[CpuidEntry]> = dump.cpus.iter().map(|cpu| &cpu.entries[..]).collect();
        assert_eq!(tables, [guest(), guest()], "{name}");
    }
    let numbers: Vec<_> = read(file("strace.txt")).cpus.iter().map(|cpu| cpu.number).collect();
    assert_eq!(numbers, [Some(0), Some(1)]);
}

#[test]
fn strace_lines() {
    let entry = "{function=0x7, index=0x1, flags=KVM_CPUID_FLAG_SIGNIFCANT_INDEX|KVM_CPUID_FLAG_STATEFUL_FUNC|0x10, eax=0, \
                 ebx=0x1, ecx=0x2, edx=0xffffffff}";
    let text = format!(
        "execve(\"./vmm\", [\"./vmm\"], 0x7ffc /* 9 vars */) = 0\n\
         [pid 7] ioctl(3, KVM_GET_SUPPORTED_CPUID, 0x559cfacce2a0) = -1 E2BIG (Argument list too long)\n\
         [pid 7] ioctl(3, KVM_GET_SUPPORTED_CPUID <unfinished ...>\n\
         [pid 8] <... futex resumed>) = 0\n\
         [pid 7] <... ioctl resumed>, {{nent=1, entries=[{entry}]}}) = 0\n\
         [pid 7] ioctl(5, KVM_SET_CPUID2, {{nent=1, entries=[{entry}]}} <unfinished ...>\n\
         [pid 7] ioctl(5, KVM_GET_CPUID2, 0x5652d89402a0) = 0\n\
         [pid 7] ioctl(5, KVM_SET_CPUID2, {{nent=0, entries=[]}}) = 0\n"
    );
    let cpus = read(text).cpus;
    let mut expected = CpuidEntry::of_subleaf(7, 1, [0, 1, 2, u32::MAX]);
    expected.flags = 0x13;
    let told: Vec<_> = cpus.iter().map(|cpu| (cpu.name.as_deref(), &cpu.entries[..])).collect();
    assert_eq!(told, [(Some("supported"), &[expected][..]), (None, &[expected][..]), (None, &[])]);

    for (call, expected) in [
        ("{nent=59, entries=[...]}", "strace left the entries out: `strace -v` prints them"),
        ("0x7ffc0", "strace did not decode the table: strace 4.22 or later does"),
        (
            "{nent=2, entries=[{function=0, index=0, flags=0, eax=0, ebx=0, ecx=0, edx=0}]}",
            "nent is not how many entries there are",
        ),
        (
            "{nent=1, entries=[{function=0, index=0, eax=0, ebx=0, ecx=0, edx=0}]}",
            "expected `{nent=N, entries=[{function=..., index=..., flags=..., eax=..., ebx=..., ecx=..., edx=...}, ...]}`",
        ),
    ] {
        let message = fails(&format!("write(1, \"\", 0) = 0\nioctl(5, KVM_SET_CPUID2, {call}) = 0\n"));
        assert!(message.starts_with("line 2: `ioctl(5, KVM_SET_CPUID2, "), "{message}");
        assert!(message.ends_with(&format!("is not strace: {expected}")), "{message}");
    }
}

#[test]
fn cpuid_r() {
    let dump = read(file("cpuid-r.txt"));
    assert_eq!(dump.format, Format::CpuidR);
    assert_eq!(dump.cpus.iter().map(|cpu| cpu.number).collect::<Vec<_>>(), [Some(0), Some(1)]);
    let mut expected = without_flags(&guest());
    expected.sort_by_key(|entry| (entry.function, entry.index));
    assert_eq!(dump.cpus[0].entries, expected);
    expected[1].registers[1] |= 1 << 24;
    assert_eq!(dump.cpus[1].entries, expected);
}

#[test]
fn cpuid_of_one_leaf() {
    let line = "   0x00000001 0x00: eax=0x000406f1 ebx=0x05100800 ecx=0x7ffefbff edx=0xbfebfbff";
    let text = format!("Disclaimer: cpuid may not support decoding of all cpuid registers.\nCPU:\n{line}\n");
    for text in [text.as_str(), &text.replace('\n', "\r\n"), line, line.trim()] {
        let cpu = one(text, Format::CpuidR);
        assert_eq!(cpu.entries, [CpuidEntry::of_leaf(1, [0x406f1, 0x0510_0800, 0x7ffe_fbff, 0xbfeb_fbff])]);
        let vmx = Feature::from_qemu_name("vmx").unwrap();
        assert!(cpu.entries[0].register(vmx.register()) & vmx.mask() != 0);
    }
    let expected = "expected `CPU:`, `CPU n:` or `0xLEAF 0xSUBLEAF: eax=0x... ebx=0x... ecx=0x... edx=0x...`";
    for wrong in [
        line.replace("edx=0x", "edx=0"),
        line.replace("0xbfebfbff", "0xbfebfbff0"),
        format!("{line} x"),
        line.replace(" ebx=0x05100800", ""),
        line.replace("ecx", "EcX"),
        "CPU x:".to_string(),
    ] {
        let message = fails_as(Format::CpuidR, &format!("CPU 0:\n{line}\n{wrong}\n"));
        assert_eq!(message, format!("line 3: `{}` is not cpuid-r: {expected}", wrong.trim()));
    }
}

#[test]
fn leaves_of_a_dump_tell_whether_their_index_counts() {
    let text = "0x0000001b 0x00: eax=0x1 ebx=0x0 ecx=0x0 edx=0x0\n\
                0x000000ff 0x00: eax=0x1 ebx=0x0 ecx=0x0 edx=0x0\n\
                0x000000fe 0x00: eax=0x1 ebx=0x0 ecx=0x0 edx=0x0\n\
                0x000000ff 0x01: eax=0x1 ebx=0x0 ecx=0x0 edx=0x0\n";
    let flags: Vec<u32> = one(text, Format::CpuidR).entries.iter().map(|entry| entry.flags).collect();
    assert_eq!(flags, [1, 1, 0, 1]);
}

#[test]
fn kcpuid() {
    let cpu = one(file("kcpuid.txt"), Format::Kcpuid);
    let mut expected = without_flags(&guest());
    expected.retain(|entry| entry.registers != [0; 4] && entry.function.0 >> 28 != 4);
    expected.sort_by_key(|entry| (entry.function, entry.index));
    assert_eq!(cpu.entries, expected);
    // Subleaf 10 is decimal.
    let text = "Basic Leafs :\n0x0000000d: subleafs:\n 10: EAX=0x00000001, EBX=0x00000000, ECX=0x00000000, EDX=0x00000000\n";
    assert_eq!(one(text, Format::Kcpuid).entries, [CpuidEntry::of_subleaf(0xd, 10, [1, 0, 0, 0])]);
    let alone = "  2: EAX=0x00000001, EBX=0x00000000, ECX=0x00000000, EDX=0x00000000\n";
    for before in [
        "",
        "0x00000001: EAX=0x1, EBX=0x0, ECX=0x0, EDX=0x0\n",
        "0x0000000d: subleafs:\n  2: EAX=0x1, EBX=0x0, ECX=0x0, EDX=0x0\n",
    ] {
        let line = before.lines().count() + 1;
        assert_eq!(
            fails_as(Format::Kcpuid, &format!("{before}{alone}")),
            format!(
                "line {line}: `2: EAX=0x00000001, EBX=0x00000000, ECX=0x00000000, EDX=0x00000000` is not kcpuid: expected \
                 `0xLEAF: subleafs:` before it: to which leaf it belongs is not said"
            )
        );
    }
}

#[test]
fn instlatx64() {
    let zero = CpuidEntry::of_leaf(0, [0xd, 0x756e_6547, 0x6c65_746e, 0x4965_6e69]);
    let caches = [
        CpuidEntry::of_subleaf(4, 0, [0x1c00_4121, 0x01c0_003f, 0x3f, 0]),
        CpuidEntry::of_subleaf(4, 1, [0x1c00_4122, 0x01c0_003f, 0x3f, 0]),
    ];
    let brand = CpuidEntry::of_leaf(0x8000_0003, [0x3769_2029, 0x3038_342d, 0x2051_4d30, 0x2055_5043]);
    let expected = [zero, caches[0], caches[1], brand];
    let lines = "CPUID 00000000: 0000000D-756E6547-6C65746E-49656E69 [GenuineIntel]\n\
                 CPUID 00000004: 1C004121-01C0003F-0000003F-00000000 [SL 00]\n\
                 CPUID 00000004: 1C004122-01C0003F-0000003F-00000000 [SL 01]\n\
                 CPUID 80000003: 37692029-3038342D-20514D30-20555043 [) i7-4800MQ [CPU]]\n";
    let without_subleaves = lines.replace(" [SL 00]", "").replace(" [SL 01]", "");
    let column = "                                    ";
    for text in [
        lines.to_string(),
        without_subleaves.clone(),
        lines.replace('\n', "\r\n"),
        lines.to_lowercase().replace("cpuid", "CPUID").replace("[sl", "[SL"),
        // A tab, no colon, a colon after a blank, blanks for hyphens, a table's column, blanks before all.
        lines.replace(": ", "\t"),
        lines.replace(": ", " "),
        lines.replace(": ", " :"),
        lines.replace(": ", ":"),
        lines.replace('-', " "),
        lines.replace(": ", column).replace("CPUID", "      CPUID"),
        lines.replace("[SL 01]", "[SL 01] [L1I cache]"),
    ] {
        assert_eq!(one(&text, Format::InstLatx64).entries, expected, "{text}");
    }
    let headings = [
        (
            "------[ CPUID Registers / Logical CPU #0 ]------",
            "------[ CPUID Registers / Logical CPU #1 ]------",
            true,
        ),
        ("------[ Logical CPU #0 ]------", "------[ Logical CPU #1 ]------", true),
        ("CPUID Registers (CPU #0):", "CPUID Registers (CPU #1 Virtual):", true),
        ("CPU#000 AffMask: 0x00000001", "CPU#001 AffMask: 0x00000002", true),
        ("Group: 0x00 Affinity mask: 0x1", "Group: 0x00 Affinity mask: 0x2", false),
        ("", "", false),
    ];
    for (first, second, numbered) in headings {
        let text = format!(
            "------[ Versions ]------\n\nProgram Version : 6\nCPUID Manufacturer:\tGenuineIntel\nCPUID CPU Name   : Intel\n\
             \n{first}\n\nallcpu: Package 0 / Core 0 / Thread 0: Valid\n\n{lines}\n{second}\n{lines}\n\
             ------[ MSR Registers ]------\n\nMSR 0000001B: 0000-0000-FEE0-0900\n"
        );
        let dump = read(text);
        let numbers: Vec<_> = dump.cpus.iter().map(|cpu| cpu.number).collect();
        assert_eq!(numbers, if numbered { [Some(0), Some(1)] } else { [None, None] }, "{first}");
        assert!(dump.cpus.iter().all(|cpu| cpu.entries == expected), "{first}");
    }
    let message =
        "expected `CPUID LEAF: EAX-EBX-ECX-EDX`, 8 hexadecimal digits each, and `[...]` or nothing after it";
    for wrong in [
        "CPUID 0000004: 1C004121-01C0003F-0000003F-00000000",
        "CPUID 00000004: 1C004121-01C0003F-0000003F",
        "CPUID 00000004: 1C004121-01C0003F-0000003F-00000000-00000000",
        "CPUID 00000004: 1C004121-01C0003F-0000003F-0000000",
        "CPUID 00000004: 1C004121-01C0003F-0000003F-00000000 [SL 00",
        "CPUID 00000004: 1C004121-01C0003F-0000003F-00000000 [SL x]",
    ] {
        assert_eq!(
            fails(&format!("{lines}{wrong}\n")),
            format!("line 5: `{wrong}` is not instlatx64: {message}")
        );
    }
}

#[test]
fn libvirt() {
    assert_eq!(one(file("libvirt.xml"), Format::Libvirt).entries, without_flags(&guest()));
    // As in libvirt's map of features: a feature is a CPU that tells one register.
    let map = "<cpus>\n  <feature name='avx2'>\n    <cpuid eax_in='7' ecx_in='0' ebx='0x20'/>\n    <alias name='a'/></feature>\n\
               <feature name='rdctl-no'><msr index='0x10a' edx='0x00000000' eax='0x00000001'/></feature></cpus>";
    let cpu = one(map, Format::Libvirt);
    assert_eq!(cpu.name.as_deref(), Some("avx2"));
    assert_eq!(cpu.entries, [CpuidEntry::of_subleaf(7, 0, [0, 0x20, 0, 0])]);
    assert_eq!(cpu.known(0), [0, u32::MAX, 0, 0]);
    let two = "<cpuid eax_in='0x1' eax='0x1' ebx='0x2' ecx='0x3' edx='0x4'/>\n<cpuid eax_in='0x2' eax='0x1' ebx='0' ecx='0' edx='0'/>";
    assert_eq!(one(two, Format::Libvirt).entries.len(), 2);

    let attributes = "expected the attributes eax_in, ecx_in, eax, ebx, ecx and edx with a number of 32 bits each, such as 0x1f";
    assert_eq!(
        fails("<cpudata>\n<cpuid eax_in='0x1' eax='0x123456789'/>\n</cpudata>"),
        format!("line 2: `eax_in='0x1' eax='0x123456789'` is not libvirt: {attributes}")
    );
    assert_eq!(
        fails("<cpudata>\n<cpuid eax='0x1'/></cpudata>"),
        format!("line 2: `eax='0x1'` is not libvirt: {attributes}")
    );
    assert_eq!(
        fails("<domain>\n</domain>"),
        "line 1: `domain` is not libvirt: expected an element of libvirt's CPU data or map of features: cpudata, cpus, \
         feature, alias, cpuid or msr"
    );
    assert_eq!(
        fails("<cpudata>\n</cpus>"),
        "line 2: `</cpus>` is not libvirt: this element is not the one that is open"
    );
    assert_eq!(
        fails("<cpudata>\n<cpuid"),
        "line 2: `<cpuid` is not libvirt: the input ends before this does"
    );
}

#[test]
fn firecracker() {
    let template = r#"{
  "kvm_capabilities": ["!56"],
  "cpuid_modifiers": [
    {
      "leaf": "0x7", "subleaf": "0b0", "flags": 1,
      "modifiers": [
        { "register": "ebx", "bitmap": "0bxxxxxxxx_xxxxxxxx_xxxxxxxx_xx1x0xxx" },
        { "register": "edx", "bitmap": "0b00000000000000000000000000000011" }
      ]
    }
  ],
  "msr_modifiers": [{ "addr": "0x10a", "bitmap": "0b0" }]
}"#;
    let fingerprint = format!("{{\"firecracker_version\": \"1.4.0\",\n\"guest_cpu_config\": {template}}}");
    for text in [template, &fingerprint] {
        let cpu = one(text, Format::Firecracker);
        assert_eq!(cpu.entries, [CpuidEntry::of_subleaf(7, 0, [0, 0x20, 0, 3])]);
        assert_eq!(cpu.known(0), [0, 0x28, 0, u32::MAX]);
        let written = text_of_one(Format::Firecracker, &cpu);
        assert_eq!(one(written, Format::Firecracker), cpu);
        let open = dump::write(Vec::new(), Format::CpuidR, &[cpu]).unwrap_err();
        assert_eq!(open.to_string(), "cpuid-r tells every bit of a register, and entry 0 leaves some open");
    }
    for (from, to, message) in [
        (
            "ebx",
            "rbx",
            "line 7: `{ \"register\": \"rbx\", \"bitmap\": \"0bxxxxxxxx_xxxxxxxx_xxxxxxxx_xx1x0xxx\" }` is not firecracker: unknown variant `rbx`",
        ),
        (
            "xx1x0xxx",
            "xx1x0xx",
            "is not firecracker: invalid value: string \"0bxxxxxxxx_xxxxxxxx_xxxxxxxx_xx1x0xx\", expected `0b` and 32 of `0`, `1` and `x`",
        ),
        (
            "edx",
            "ebx",
            "line 1: `\"leaf\": \"0x7\"` is not firecracker: expected each register once in the modifiers of a leaf",
        ),
        (
            "\"0x7\"",
            "\"0x1ffffffff\"",
            "expected a number of 32 bits, or one in a text: decimal, `0x...` or `0b...`",
        ),
    ] {
        let found = fails(&template.replace(from, to));
        assert!(found.contains(message), "{found}");
    }
    assert_eq!(
        fails_as(Format::Firecracker, "{\"a\": 1}"),
        "line 1: `{` is not firecracker: expected an object with `cpuid_modifiers`, or with `guest_cpu_config` that has them"
    );
}

fn text_of_one(format: Format, cpu: &Cpu) -> String {
    text(format, std::slice::from_ref(cpu))
}

#[test]
fn propolis() {
    let config = "[main]\nname = \"x\"\ncpuid_profile = \"milan\"\n\n[cpuid.milan]\nvendor = \"amd\"\n\
                  \"0\" = [0x10, 0x68747541, 0x444d4163, 0x69746e65]\n\"7\" = [0x0, 0x0, 0x0, 0x0]\n\
                  \"7-0\" = [0x0, 0x2014_01a9, 0, 0b11]\n1 = [8589199, 67584, 0xf6d83203, 0x178bfbff]\n\
                  \"7-1\" = [0, 0, 0, 7]\n[cpuid.other]\nvendor = \"intel\"\na = [1, 2, 3, 4]\n";
    let dump = read(config);
    assert_eq!(dump.format, Format::Propolis);
    assert_eq!(
        dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect::<Vec<_>>(),
        [Some("milan"), Some("other")]
    );
    // The entry for all subleaves would hide the others from KVM if it came first.
    assert_eq!(
        dump.cpus[0].entries,
        [
            CpuidEntry::of_leaf(0, [0x10, 0x6874_7541, 0x444d_4163, 0x6974_6e65]),
            CpuidEntry::of_subleaf(7, 0, [0, 0x2014_01a9, 0, 3]),
            CpuidEntry::of_leaf(1, [0x83_0f8f, 0x1_0800, 0xf6d8_3203, 0x178b_fbff]),
            CpuidEntry::of_subleaf(7, 1, [0, 0, 0, 7]),
            CpuidEntry::of_leaf(7, [0; 4]),
        ]
    );
    assert_eq!(dump.cpus[1].entries, [CpuidEntry::of_leaf(10, [1, 2, 3, 4])]);
    let written = text_of_one(Format::Propolis, &dump.cpus[0]);
    assert_eq!(one(written, Format::Propolis), dump.cpus[0]);

    let value = "expected `[eax, ebx, ecx, edx]`, each a number of 32 bits";
    for (line, expected) in [
        ("\"1\" = [1, 2, 3]", value),
        ("\"1\" = [1, 2, 3, -4]", value),
        ("\"1\" = [1, 2, 3, 0x100000000]", value),
        ("\"1x\" = [1, 2, 3, 4]", "expected `vendor`, `\"LEAF\"` or `\"LEAF-SUBLEAF\"` in hexadecimal"),
        ("vendor = \"via\"", "expected `vendor = \"amd\"` or `vendor = \"intel\"`"),
    ] {
        assert_eq!(
            fails(&format!("[cpuid.a]\n{line}\n")),
            format!("line 2: `{line}` is not propolis: {expected}")
        );
    }
    assert_eq!(
        fails("[cpuid.a]\n\"1\" = [1, 2, 3, 4]\n"),
        "line 1: `[cpuid.a]` is not propolis: expected `vendor = \"amd\"` or `vendor = \"intel\"`"
    );
    assert_eq!(fails("[cpuid.a]\nb = = 3\n").split(" is not propolis").next(), Some("line 2: `b = = 3`"));
}

/// What QEMU's monitor and QMP say of a model is what the tables have of it.
#[test]
fn qemu() {
    let qemu = QemuRelease::find("10.0").unwrap();
    // What TCG takes from every model: `vme`.
    let off = |word, bit| {
        qemu.tcg_defaults().any(|(name, value)| {
            let feature = Feature::from_qemu_name(name).unwrap();
            value == Some("off") && feature.location().word == word && feature.mask() == bit
        })
    };
    let dump = read(file("qemu-model.json"));
    assert_eq!(dump.format, Format::QemuModel);
    assert_eq!(
        dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect::<Vec<_>>(),
        [Some("EPYC-Milan-v2"), Some("base")]
    );
    for (cpu, name) in dump.cpus.iter().zip(["EPYC-Milan-v2", "SapphireRapids-v3"]) {
        let model = qemu.cpu_model(name).unwrap();
        let mut features = 0;
        for (at, entry) in cpu.entries.iter().enumerate() {
            for ((word, value), known) in entry.words().into_iter().zip(entry.registers).zip(cpu.known(at)) {
                let is_feature = |bit: &u32| {
                    Feature::all().any(|feature| feature.location().word == word && feature.mask() == *bit)
                };
                for bit in (0..32).map(|bit| 1 << bit).filter(|bit| known & bit != 0).filter(is_feature) {
                    let is = |feature: Feature| feature.location().word == word && feature.mask() == bit;
                    let expected = match () {
                        // Every CPU has it; QEMU sets it when it makes one.
                        () if is(feature::HYPERVISOR) => bit,
                        () if off(word, bit) => 0,
                        () => model.word(word) & bit,
                    };
                    assert_eq!(value & bit, expected, "{name} {word} {bit:#x}");
                    features += 1;
                }
            }
        }
        assert!(features > 200, "{name}: {features}");
        let find = |leaf| cpu.entries.iter().find(|entry| entry.function == Leaf(leaf)).unwrap();
        assert_eq!(find(1).registers[0], model.signature());
        let [_, ebx, ecx, edx] = find(0).registers;
        assert_eq!([ebx, edx, ecx], model.vendor_registers());
        let brand: Vec<u32> = (0x8000_0002..0x8000_0005).flat_map(|leaf| find(leaf).registers).collect();
        assert_eq!(brand, model.brand_registers());
    }
    let full = &dump.cpus[0];
    assert_eq!(full.entries[0].registers[0], qemu.cpu_model("EPYC-Milan-v2").unwrap().level());

    let cpu = one(file("qemu-monitor.txt"), Format::QemuMonitor);
    let milan = qemu.cpu_model("EPYC-Milan").unwrap();
    let seven =
        cpu.entries.iter().position(|entry| (entry.function, entry.index) == (Leaf(7), Subleaf(0))).unwrap();
    assert_eq!(cpu.known(seven), [0, u32::MAX, u32::MAX, u32::MAX]);
    // TCG has less than the model.
    let ebx = cpu.entries[seven].registers[1];
    assert!(ebx != 0 && ebx & !milan.word(cpu.entries[seven].words()[1]) == 0, "{ebx:#x}");
}

#[test]
fn qemu_faults() {
    let word = r#"{"cpuid-register": "EBX", "cpuid-input-eax": 6, "features": 1}"#;
    let through_qmp = format!("{{\"return\": [{word}]}}");
    let hmp_through_qmp = format!("{{\"return\": {:?}}}", format!("[\r\n {word}\r\n]"));
    for text in [format!("[{word}]"), through_qmp, hmp_through_qmp] {
        let cpu = one(text, Format::QemuMonitor);
        assert_eq!(cpu.entries, [CpuidEntry::of_leaf(6, [0, 1, 0, 0])]);
        assert_eq!(cpu.known(0), [0, u32::MAX, 0, 0]);
    }
    assert_eq!(
        fails(&format!("[{word}, {word}]")),
        "line 1: `cpuid-register` is not qemu-monitor: expected each register of a leaf once in a list"
    );
    let wrong = fails(&format!("\n[{}]", word.replace("EBX", "RBX")));
    assert!(wrong.starts_with("line 2: ") && wrong.contains("unknown variant `RBX`"), "{wrong}");
    let wrong = fails(r#"{"return": {"model": {"props": {"avx2": true}}}}"#);
    assert_eq!(wrong, "line 1: `\"model\"` is not qemu-model: missing field `name`");
}

#[test]
fn json() {
    let text = "{\"number\": 3, \"name\": \"a \\\"b\\\"\",\n \"entries\": [{\"function\": 7, \"index\": \"0x1\", \"flags\": 1, \"eax\": \"10\", \
                \"ebx\": 0, \"ecx\": \"0xff\", \"edx\": 4294967295, \"known\": [3, 2, 15, 4]},\n {\"function\": \"0x1\", \"eax\": 1, \"ebx\": 2, \
                \"ecx\": 3, \"edx\": 4}]} {\"entries\": []}\n";
    let dump = read(text);
    assert_eq!((dump.format, dump.cpus.len()), (Format::Json, 2));
    let cpu = &dump.cpus[0];
    assert_eq!((cpu.number, cpu.name.as_deref()), (Some(3), Some("a \"b\"")));
    assert_eq!(
        cpu.entries,
        [CpuidEntry::of_subleaf(7, 1, [2, 0, 15, 4]), CpuidEntry::of_leaf(1, [1, 2, 3, 4])]
    );
    assert_eq!((cpu.known(0), cpu.known(1)), ([3, 2, 15, 4], [u32::MAX; 4]));
    assert_eq!(read(self::text(Format::Json, &dump.cpus)).cpus, dump.cpus);
    assert_eq!(
        fails("\n{\"entries\": [\n{\"function\": \"0xg\", \"eax\": 1}]}"),
        "line 3: `{\"function\": \"0xg\", \"eax\": 1}]}` is not json: invalid value: string \"0xg\", expected a number of 32 \
         bits, or one in a text: decimal, `0x...` or `0b...` at column 18"
    );
    assert!(
        fails("{\"entries\": [{\"function\": \"+1\", \"eax\": 1}]}").contains("invalid value: string \"+1\"")
    );
    assert!(fails("{\"entries\": [{\"fun\": 1}]}").contains("unknown field `fun`"));
    assert_eq!(
        fails("{\"entries\": []}\n{\"entries\": ["),
        "line 2: `{\"entries\": [` is not json: the JSON document that begins in this line is not closed"
    );
    assert_eq!(
        fails("{\"entries\": []}\nx"),
        "line 2: `x` is not json: expected `{`, which begins a JSON object"
    );
}

#[test]
fn entries() {
    let text = "# a comment\n\nvcpu0 0 0 0 d 756e6547 6c65746e 49656e69\r\n vcpu0 \t 00000007 00000000 1 0 20 0 0\nvcpu12 1 0 0 1 2 3 ffffffff\n\
                supported 1 0 0 1 2 3 4\nhv 40000000 0 0 1 2 3 4\n1 5 8 1 2 3 4";
    let dump = read(text);
    let told: Vec<_> =
        dump.cpus.iter().map(|cpu| (cpu.number, cpu.name.as_deref(), cpu.entries.len())).collect();
    assert_eq!(
        told,
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
fn what_is_no_dump() {
    let formats = "entries, json, cpuid-r, kcpuid, instlatx64, gdb, strace, libvirt, firecracker, propolis, qemu-monitor, qemu-model";
    assert_eq!(
        fails("\nHello, \u{1}\nworld"),
        format!(
            "not recognised as a dump of CPUID: it begins with `Hello, \\u{{1}}`; the formats are {formats}"
        )
    );
    assert_eq!(
        fails(""),
        format!("not recognised as a dump of CPUID: it begins with ``; the formats are {formats}")
    );
    assert_eq!(fails_as(Format::CpuidR, "\n"), "no CPUID entry in it, read as cpuid-r");
    for format in Format::ALL {
        assert_eq!(Format::find(format.name()), Some(format));
        assert!(!format.about().is_empty());
    }
    assert_eq!(Format::find("xml"), None);
    let written: Vec<&str> =
        Format::ALL.into_iter().filter(|format| !format.can_be_written()).map(Format::name).collect();
    assert_eq!(written, ["qemu-monitor", "qemu-model"]);
    let only_read = dump::write(Vec::new(), Format::QemuModel, &[]).unwrap_err();
    assert_eq!(only_read.to_string(), "qemu-model is read, not written");
}

#[test]
fn leniently_what_is_wrong_is_told_and_reading_goes_on() {
    let line = "0x00000001 0x00: eax=0x1 ebx=0x2 ecx=0x3 edx=0x4\n";
    let text = format!("{line}wrong\n{line}{}{line}", "x\n".repeat(200));
    let options = Options { lenient: true, ..Options::default() };
    let dump = dump::read(text.as_bytes(), &options).unwrap();
    assert_eq!(dump.cpus[0].entries.len(), 3);
    assert_eq!((dump.warnings.len(), dump.more_warnings), (Options::MAX_WARNINGS, 101));
    assert!(dump.warnings[0].to_string().starts_with("line 2: `wrong` is not cpuid-r: expected"));
    assert!(dump.warnings[1].to_string().starts_with("line 4: `x`"));
    // A line longer than any is passed over too.
    let text = format!("{line}{}\n{line}", "x".repeat(5 << 20));
    assert_eq!(
        dump::read(text.as_bytes(), &Options::default()).unwrap_err().to_string(),
        "line 2: longer than 1048576 bytes, which no dump of CPUID is"
    );
    let dump = dump::read(text.as_bytes(), &options).unwrap();
    assert_eq!((dump.cpus[0].entries.len(), dump.warnings.len()), (2, 1));
    // After an error there is nothing more.
    let mut reader = Reader::new(&b"1 2 3 4 5 6 7\nx\n1 2 3 4 5 6 7\n"[..], &Options::default()).unwrap();
    assert!(matches!(reader.next(), Some(Err(ReadError::Malformed { line: 2, .. }))));
    assert!(reader.next().is_none());
    // A half table of strace's, and a template that makes no sense, are not given.
    let entry = "{function=0x1, index=0, flags=0, eax=0, ebx=0, ecx=0, edx=0}";
    let text = format!(
        "ioctl(5, KVM_SET_CPUID2, {{nent=2, entries=[{entry}, {{]}}) = 0\nioctl(5, KVM_SET_CPUID2, {{nent=1, entries=[{entry}]}}) = 0\n"
    );
    let dump = dump::read(text.as_bytes(), &options).unwrap();
    assert_eq!((dump.cpus.len(), dump.warnings.len()), (1, 1));
}

#[test]
fn what_a_format_cannot_hold() {
    let fails = |format, cpus: &[Cpu]| dump::write(Vec::new(), format, cpus).unwrap_err().to_string();
    let cpu = Cpu::of_entries(guest());
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
    let plain = Cpu::of_entries(without_flags(&guest()));
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
    let zero = CpuidEntry::of_leaf(0, [0x10, 0x6874_7541, 0x444d_4163, 0x6974_6e65]);
    let (all, one) = (CpuidEntry::of_leaf(7, [1; 4]), CpuidEntry::of_subleaf(7, 0, [1; 4]));
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
        assert_eq!(fails(Format::Propolis, &[Cpu::of_entries(entries)]), message);
    }
    assert!(matches!(
        dump::write(Full, Format::Entries, &[Cpu::of_entries(vec![zero])]),
        Err(WriteError::Io(_))
    ));
}

/// An output that takes nothing.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("full"))
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
