//! Sources of tables: files, standard input, this machine, a running guest.

use std::fmt;
use std::path::PathBuf;

use cpuid_tables::dump::Cpu;

/// One source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A dump in a file.
    File(PathBuf),
    /// A dump on standard input.
    Input,
    /// The host's CPUID instruction.
    Instruction,
    /// The host's `KVM_GET_SUPPORTED_CPUID`.
    Supported,
    /// The host's `KVM_GET_EMULATED_CPUID`.
    Emulated,
    /// The tables of a running VMM's vCPUs.
    GuestOf(u32),
}

impl fmt::Display for Source {
    /// The name of the argument.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => path.display().fmt(f),
            Source::Input => f.write_str("-"),
            Source::Instruction => f.write_str("--instruction"),
            Source::Supported => f.write_str("--supported"),
            Source::Emulated => f.write_str("--emulated"),
            Source::GuestOf(pid) => write!(f, "--guest-of {pid}"),
        }
    }
}

impl Source {
    /// The name of a CPU of this source.
    pub(crate) fn title(&self, cpu: &Cpu) -> String {
        let number = cpu.number.map(|number| format!("CPU {number}"));
        let name = cpu.name.clone();
        let own: Vec<String> = number.into_iter().chain(name).collect();
        if own.is_empty() { self.to_string() } else { own.join(" ") }
    }
}
