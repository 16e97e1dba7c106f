//! The formats, and which one an input is in.

use std::boxed::Box;

use super::sink::Parser;
use super::writer::{Flags, Several, Style};
use super::{
    cpuid_r, entries, firecracker, gdb, instlatx64, json, kcpuid, libvirt, lines, propolis, qemu_model,
    qemu_monitor, strace,
};

/// A form in which people have CPUID tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Ours: `function index flags eax ebx ecx edx` in hexadecimal, a line each; a word before them tells the CPU.
    Entries,
    /// Ours: an object for each CPU.
    Json,
    /// What `cpuid -r` prints (the package `cpuid` of Linux distributions).
    CpuidR,
    /// What `kcpuid -r` prints, of Linux's `tools/arch/x86/kcpuid`.
    Kcpuid,
    /// The dumps of InstLatx64, and AIDA64's, which they are made with.
    InstLatx64,
    /// `cpuid_entries` as gdb and crash print them.
    Gdb,
    /// What strace prints of `KVM_SET_CPUID2`.
    Strace,
    /// libvirt's `<cpuid .../>`: the data of its CPU tests, and its map of features.
    Libvirt,
    /// Firecracker's CPU templates, and what its `cpu-template-helper` dumps.
    Firecracker,
    /// The `cpuid` profiles of propolis' configuration.
    Propolis,
    /// The property `feature-words` of a CPU in QEMU, as its monitor prints it.
    QemuMonitor,
    /// The answer of QEMU's `query-cpu-model-expansion`.
    QemuModel,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 12] = [
        Format::Entries,
        Format::Json,
        Format::CpuidR,
        Format::Kcpuid,
        Format::InstLatx64,
        Format::Gdb,
        Format::Strace,
        Format::Libvirt,
        Format::Firecracker,
        Format::Propolis,
        Format::QemuMonitor,
        Format::QemuModel,
    ];

    /// Its name, as `--from` and `--to` take it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Entries => "entries",
            Format::Json => "json",
            Format::CpuidR => "cpuid-r",
            Format::Kcpuid => "kcpuid",
            Format::InstLatx64 => "instlatx64",
            Format::Gdb => "gdb",
            Format::Strace => "strace",
            Format::Libvirt => "libvirt",
            Format::Firecracker => "firecracker",
            Format::Propolis => "propolis",
            Format::QemuMonitor => "qemu-monitor",
            Format::QemuModel => "qemu-model",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Format::Entries => "`function index flags eax ebx ecx edx` in hexadecimal, a line each",
            Format::Json => "an object with `entries` for each CPU",
            Format::CpuidR => "`cpuid -r` of Linux distributions",
            Format::Kcpuid => "`kcpuid -r` of Linux",
            Format::InstLatx64 => "InstLatx64's and AIDA64's dumps",
            Format::Gdb => "`cpuid_entries` as gdb and crash print them",
            Format::Strace => "strace -v of KVM_SET_CPUID2",
            Format::Libvirt => "libvirt's <cpuid> elements",
            Format::Firecracker => "Firecracker's CPU templates and dumps",
            Format::Propolis => "propolis' cpuid profiles",
            Format::QemuMonitor => "`feature-words` from QEMU's monitor",
            Format::QemuModel => "QEMU's query-cpu-model-expansion",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// True when tables can be written in it.
    #[must_use]
    pub const fn can_be_written(self) -> bool {
        self.style().is_some()
    }

    /// The format of an input, by its head: the first line that is of one format alone decides; for JSON and XML, what
    /// stands in it.
    #[must_use]
    pub fn recognise(head: &[u8]) -> Option<Format> {
        let start = head.trim_ascii_start();
        if start.starts_with(b"<") {
            return Some(Format::Libvirt);
        }
        let by_line = lines::of(head).find_map(Format::of_line);
        by_line.or_else(|| match start.first() {
            Some(b'{' | b'[') => Some(Format::Json),
            _ => lines::of(head).any(strace::is_line).then_some(Format::Strace),
        })
    }

    /// The format that alone has such a line.
    fn of_line(line: &[u8]) -> Option<Format> {
        /// Words that only one format has.
        const WORDS: [(&[u8], Format); 7] = [
            (b"function = ", Format::Gdb),
            (b"cpuid_entries = ", Format::Gdb),
            (b"\"cpuid_modifiers\"", Format::Firecracker),
            (b"\"guest_cpu_config\"", Format::Firecracker),
            (b"cpuid-input-eax", Format::QemuMonitor),
            (b"\"props\"", Format::QemuModel),
            (b"\"entries\"", Format::Json),
        ];
        type IsLine = fn(&[u8]) -> bool;
        const LINES: [(IsLine, Format); 5] = [
            (entries::is_line, Format::Entries),
            (cpuid_r::is_line, Format::CpuidR),
            (kcpuid::is_line, Format::Kcpuid),
            (instlatx64::is_line, Format::InstLatx64),
            (propolis::is_line, Format::Propolis),
        ];
        let by_line = LINES.into_iter().find(|(is_line, _)| is_line(line));
        by_line.map(|(_, format)| format).or_else(|| {
            WORDS.into_iter().find(|(word, _)| lines::contains(line, word)).map(|(_, format)| format)
        })
    }

    /// What reads it.
    pub(super) fn parser(self) -> Box<dyn Parser> {
        match self {
            Format::Entries => Box::new(entries::Entries),
            Format::Json => Box::new(json::Json::default()),
            Format::CpuidR => Box::new(cpuid_r::CpuidR),
            Format::Kcpuid => Box::new(kcpuid::Kcpuid::default()),
            Format::InstLatx64 => Box::new(instlatx64::InstLatx64::default()),
            Format::Gdb => Box::new(gdb::Gdb::default()),
            Format::Strace => Box::new(strace::Strace::default()),
            Format::Libvirt => Box::new(libvirt::Libvirt::default()),
            Format::Firecracker => Box::new(firecracker::Firecracker::default()),
            Format::Propolis => Box::new(propolis::Propolis::default()),
            Format::QemuMonitor => Box::new(qemu_monitor::QemuMonitor::default()),
            Format::QemuModel => Box::new(qemu_model::QemuModel::default()),
        }
    }

    /// What writes it; none where it is only read.
    pub(super) const fn style(self) -> Option<Style> {
        use Flags::{All, Implied, Index};
        use Several::{ByNumber, No, Yes};
        Some(match self {
            Format::Entries => Style { cpu: entries::write, flags: All, open: false, several: ByNumber },
            Format::Json => Style { cpu: json::write, flags: All, open: true, several: Yes },
            Format::CpuidR => Style { cpu: cpuid_r::write, flags: Implied, open: false, several: Yes },
            Format::Kcpuid => Style { cpu: kcpuid::write, flags: Implied, open: false, several: Yes },
            Format::InstLatx64 => Style { cpu: instlatx64::write, flags: Implied, open: false, several: Yes },
            Format::Gdb => Style { cpu: gdb::write, flags: All, open: false, several: Yes },
            Format::Strace => Style { cpu: strace::write, flags: All, open: false, several: Yes },
            Format::Libvirt => Style { cpu: libvirt::write, flags: Implied, open: false, several: Yes },
            Format::Firecracker => Style { cpu: firecracker::write, flags: All, open: true, several: No },
            Format::Propolis => Style { cpu: propolis::write, flags: Index, open: false, several: No },
            Format::QemuMonitor | Format::QemuModel => return None,
        })
    }
}
