//! Output of programs: gdb, strace, cpuid, kcpuid and AIDA64.

use cpuid_tables::dump::{self, Format, Options};
use cpuid_tables::{CpuidEntry, Feature, Leaf, Registers, Subleaf};

use crate::common;
use crate::formats::{fails, fails_as, file, guest, one, read, text, without_flags};
use crate::pieces::Pieces;

#[test]
fn a_vmcore() {
    let cpu = one(file("vmcore-cpuid_entries.txt"), Format::Gdb);
    assert_eq!(cpu.entries, guest());
    assert_eq!(cpu.entries[4].flags, CpuidEntry::STATEFUL_FUNC | CpuidEntry::STATE_READ_NEXT);
    // Three unused slots are not entries; without the count they are not entries either.
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
fn gdb_errors_list_available_vcpus() {
    let text = "(gdb) p *vcpu\n$1 = {vcpu_id = 3, name = \"{function = 1, }\", run = 0x0 <a{b>, arch = {cpuid_nent = 1, \
                cpuid_entries = 0xffff}}\n(gdb) p *vcpu->arch.cpuid_entries@2\n$2 = {{function = 1, index = 0, flags = 0, \
                eax = 5, ebx = 6, ecx = 7, edx = 8, padding = {0, 0, 0}}, {function = 9, index = 0, flags = 0, eax = 1, \
                ebx = 0, ecx = 0, edx = 0, padding = {0, 0, 0}}}\n";
    let cpu = one(text, Format::Gdb);
    assert_eq!(
        (cpu.number, cpu.entries),
        (Some(3), vec![CpuidEntry::new(Leaf(1), Registers::new(5, 6, 7, 8))])
    );
    let repeated = "$1 = {{function = 1, index = 0, flags = 0, eax = 5, ebx = 6, ecx = 7, edx = 8, padding = {0, 0, 0}} \
                    <repeats 12 times>, {function = 0, index = 0, flags = 0, eax = 0, ebx = 0, ecx = 0, edx = 0, padding = \
                    {0 <repeats 3 times>}} <repeats 17 times>}\n";
    assert_eq!(
        one(repeated, Format::Gdb).entries,
        vec![CpuidEntry::new(Leaf(1), Registers::new(5, 6, 7, 8)); 12]
    );
}

/// If the entries are behind a pointer, crash prints them one by one.
#[test]
fn crash_prints_entries_with_their_type() {
    let entry = |function, index, flags| {
        format!(
            "struct kvm_cpuid_entry2 {{\n  function = {function}, \n  index = {index}, \n  flags = {flags}, \n  eax = 5, \n  ebx = 6, \n  \
             ecx = 7, \n  edx = 8, \n  padding = {{0, 0, 0}}\n}}\n"
        )
    };
    let prompt = "crash> struct kvm_cpuid_entry2 ffff9d5c01a2c000 -c 2\n";
    let two = format!("{}{}", entry(1, 0, 0), entry(4, 1, 1));
    let expected = [
        CpuidEntry::new(Leaf(1), Registers::new(5, 6, 7, 8)),
        CpuidEntry::indexed(Leaf(4), Subleaf(1), Registers::new(5, 6, 7, 8)),
    ];
    assert_eq!(one(format!("{prompt}{two}"), Format::Gdb).entries, expected);
    let dump = read(format!("{prompt}{two}\n{prompt}{two}crash> p jiffies\njiffies = $1 = 4\n"));
    assert_eq!(dump.cpus.iter().map(|cpu| &cpu.entries[..]).collect::<Vec<_>>(), [expected, expected]);
    let cut = fails(&format!("{prompt}{}struct kvm_cpuid_entry2 {{\n  function = 1,\n", entry(1, 0, 0)));
    assert_eq!(cut, "line 2: `{` is not gdb: the table that begins in this line is not closed");
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
        "line 2: `{` is not gdb: the table that begins in this line is not closed"
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
    let mut expected = CpuidEntry::indexed(Leaf(7), Subleaf(1), Registers::new(0, 1, 2, u32::MAX));
    expected.flags = 0x13;
    let found: Vec<_> = cpus.iter().map(|cpu| (cpu.name.as_deref(), &cpu.entries[..])).collect();
    assert_eq!(found, [(Some("supported"), &[expected][..]), (None, &[expected][..]), (None, &[])]);

    for (call, expected) in [
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
fn strace_without_tables_says_what_failed_and_what_it_left_out() {
    for (call, expected) in [
        (
            "KVM_SET_CPUID2, {nent=59, entries=[...]}) = 0",
            "KVM_SET_CPUID2: the table is not here, strace left entries out: `strace -v` prints them",
        ),
        (
            "KVM_SET_CPUID2, 0x7ffc0) = 0",
            "KVM_SET_CPUID2: the table is not here, strace did not decode the table: strace 4.22 or later does",
        ),
        (
            "KVM_SET_CPUID2, {nent=59, entries=[...]}) = -1 EINVAL (Invalid argument)",
            "KVM_SET_CPUID2: the refused table is not here, strace left entries out: `strace -v` prints them",
        ),
        (
            "KVM_GET_SUPPORTED_CPUID, {nent=40, entries=[...]}) = -1 E2BIG (Argument list too long)",
            "KVM_GET_SUPPORTED_CPUID failed with E2BIG: nent=40 is too few for what KVM has; ask with 256 \
             (KVM_MAX_CPUID_ENTRIES)",
        ),
        (
            "KVM_GET_SUPPORTED_CPUID, 0x559cfacce2a0) = -1 E2BIG (Argument list too long)",
            "KVM_GET_SUPPORTED_CPUID failed with E2BIG: nent is too few for what KVM has; ask with 256 \
             (KVM_MAX_CPUID_ENTRIES)",
        ),
        (
            "KVM_GET_EMULATED_CPUID, {nent=5, entries=0x559cfacce2a8}) = -1 EFAULT (Bad address)",
            "KVM_GET_EMULATED_CPUID failed with EFAULT: KVM could not write to the table's address; it needs room for \
             nent=5 entries",
        ),
        (
            "KVM_SET_CPUID2, NULL) = -1 EFAULT (Bad address)",
            "KVM_SET_CPUID2: the refused table is not here, strace did not decode the table: strace 4.22 or later does",
        ),
    ] {
        let message = fails(&format!("write(1, \"\", 0) = 0\nioctl(5, {call}\n"));
        assert_eq!(message, format!("line 2: {expected}"));
    }
}

#[test]
fn strace_tells_vcpus_apart_and_finds_a_refusal_in_a_later_line() {
    let entry = "{function=0, index=0, flags=0, eax=0xd, ebx=0, ecx=0, edx=0}";
    let text = format!(
        "[pid 7] ioctl(12, KVM_SET_CPUID2, {{nent=1, entries=[{entry}]}} <unfinished ...>\n\
         [pid 8] <... futex resumed>) = 0\n\
         [pid 7] <... ioctl resumed>) = -1 EINVAL (Invalid argument)\n\
         [pid 7] ioctl(13, KVM_SET_CPUID2, {{nent=1, entries=[{entry}]}}) = 0\n"
    );
    let dump = read(text);
    let found: Vec<_> =
        dump.cpus.iter().map(|cpu| (cpu.beside.file, cpu.beside.refused.as_deref())).collect();
    assert_eq!(found, [(Some(12), Some("EINVAL")), (Some(13), None)]);
    assert_eq!((dump.notes.len(), dump.notes[0].line), (1, 3));
}

#[test]
fn cpuid_r() {
    let dump = read(file("cpuid-r.txt"));
    assert_eq!(dump.format, Format::CpuidR);
    assert_eq!(dump.cpus.iter().map(|cpu| cpu.number).collect::<Vec<_>>(), [Some(0), Some(1)]);
    let mut expected = without_flags(&guest());
    expected.sort_by_key(|entry| (entry.function, entry.index));
    assert_eq!(dump.cpus[0].entries, expected);
    expected[1].registers.ebx |= 1 << 24;
    assert_eq!(dump.cpus[1].entries, expected);
}

#[test]
fn cpuid_of_one_leaf() {
    let line = "   0x00000001 0x00: eax=0x000406f1 ebx=0x05100800 ecx=0x7ffefbff edx=0xbfebfbff";
    let text = format!("Disclaimer: cpuid may not support decoding of all cpuid registers.\nCPU:\n{line}\n");
    for text in [text.as_str(), &text.replace('\n', "\r\n"), line, line.trim()] {
        let cpu = one(text, Format::CpuidR);
        assert_eq!(
            cpu.entries,
            [CpuidEntry::new(Leaf(1), Registers::new(0x406f1, 0x0510_0800, 0x7ffe_fbff, 0xbfeb_fbff))]
        );
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
fn index_significance_follows_from_the_leaves() {
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
    expected.retain(|entry| entry.registers != Registers::ZERO && entry.function.0 >> 28 != 4);
    expected.sort_by_key(|entry| (entry.function, entry.index));
    assert_eq!(cpu.entries, expected);
    // Subleaf 10 is decimal.
    let text = "Basic Leafs :\n0x0000000d: subleafs:\n 10: EAX=0x00000001, EBX=0x00000000, ECX=0x00000000, EDX=0x00000000\n";
    assert_eq!(
        one(text, Format::Kcpuid).entries,
        [CpuidEntry::indexed(Leaf(0xd), Subleaf(10), Registers::new(1, 0, 0, 0))]
    );
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
                 `0xLEAF: subleafs:` before it: which leaf it belongs to is unknown"
            )
        );
    }
}

#[test]
fn instlatx64() {
    let zero = CpuidEntry::new(Leaf(0), Registers::new(0xd, 0x756e_6547, 0x6c65_746e, 0x4965_6e69));
    let caches = [
        CpuidEntry::indexed(Leaf(4), Subleaf(0), Registers::new(0x1c00_4121, 0x01c0_003f, 0x3f, 0)),
        CpuidEntry::indexed(Leaf(4), Subleaf(1), Registers::new(0x1c00_4122, 0x01c0_003f, 0x3f, 0)),
    ];
    let brand = CpuidEntry::new(
        Leaf(0x8000_0003),
        Registers::new(0x3769_2029, 0x3038_342d, 0x2051_4d30, 0x2055_5043),
    );
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
        // A tab, no colon, a colon after a blank, blanks for hyphens, a table's column, leading blanks.
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
    // As written by Windows' shell, in pieces of any size.
    let long = format!("\u{feff}{}{lines}", "é, a\r\n".repeat(20_000));
    for big in [false, true] {
        let units =
            long.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
        let bytes: Vec<u8> = units.collect();
        for size in [1, 7, 1 << 20] {
            let options = Options { format: Some(Format::InstLatx64), ..Options::default() };
            let dump = dump::read(Pieces(size, &bytes), &options).unwrap();
            assert_eq!(dump.cpus[0].entries, expected);
        }
    }
    assert_eq!(one(format!("\u{feff}{lines}"), Format::InstLatx64).entries, expected);
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

/// The program reads a written `cpuid-r` dump and prints the same.
#[test]
fn cpuid_itself() {
    let dump = read(file("cpuid-r.txt"));
    let written = text(Format::CpuidR, &dump.cpus);
    let path = std::env::temp_dir().join(format!("cpuid-tables-test-{}.txt", std::process::id()));
    std::fs::write(&path, &written).unwrap();
    let printed = std::process::Command::new("cpuid").args(["-r", "-f"]).arg(&path).output();
    std::fs::remove_file(&path).unwrap();
    let Ok(printed) = printed else { return common::skipped("cpuid_itself", "the program cpuid") };
    assert_eq!(String::from_utf8_lossy(&printed.stdout), written);
}

/// The program's output for this machine is readable.
#[test]
fn cpuid_here() {
    let Ok(printed) = std::process::Command::new("cpuid").arg("-r").output() else {
        return common::skipped("cpuid_here", "the program cpuid");
    };
    let printed = String::from_utf8(printed.stdout).unwrap();
    let dump = read(&printed);
    assert_eq!(dump.format, Format::CpuidR);
    let lines = printed.lines().filter(|line| line.starts_with("   0x")).count();
    assert_eq!(dump.cpus.iter().map(|cpu| cpu.entries.len()).sum::<usize>(), lines);
    let said: String = printed.split_inclusive('\n').filter(|line| !line.starts_with("Disclaimer")).collect();
    assert_eq!(text(Format::CpuidR, &dump.cpus), said);
}
