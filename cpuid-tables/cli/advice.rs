//! Where to get what a form does not have: commands for the machine that it is about.

use std::fs::File;
use std::path::Path;

use cpuid_tables::CpuidEntry;
use cpuid_tables::dump::{self, Cpu, Options};

use super::outcome::Failed;
use super::source::Source;

/// What to do about an input that is not recognised.
pub(crate) fn unrecognised() -> String {
    format!(
        "{WHOLE}; --from FORMAT names the format of an input whose beginning was lost, and `--from ?` lists them"
    )
}

/// How to get a whole table.
pub(crate) const WHOLE: &str = "on that machine `kvm-cpuid show --raw` or `cpuid -r` prints the CPU's table, \
     `kvm-cpuid show --supported --format entries` what its KVM supports";

/// How to get what all hosts of a fleet have to state.
pub(crate) const HOST: &str = "on that machine `kvm-cpuid show --supported --format entries` prints what its KVM supports, \
     `kvm-cpuid show --raw` or `cpuid -r` the CPU's table; of QEMU, the answer of QMP's query-cpu-model-expansion with \
     type full and model host will do";

/// What a source that leaves bits open is, and why that is not enough.
pub(crate) fn open_bits(source: &Source, needed: &str) -> String {
    format!("{source} states only some bits, and {needed}")
}

/// True when a CPU states only some bits.
pub(crate) fn is_open(cpu: &Cpu) -> bool {
    cpu.known.is_some() && !cpu.beside.complete || cpu.entries.is_empty()
}

/// A leaf, with the subleaf where that counts.
pub(crate) fn leaf(entry: &CpuidEntry) -> String {
    let leaf = entry.function.0;
    let subleaf = if entry.is_indexed() { format!(".{}", entry.index.0) } else { String::new() };
    if leaf < 10 { format!("{leaf}{subleaf}") } else { format!("{leaf:#x}{subleaf}") }
}

/// Why a file cannot be the host of a command: it states only some bits.
pub(crate) fn no_host(name: &str) -> Option<Failed> {
    let path = Path::new(name);
    if !path.is_file() {
        return None;
    }
    let dump = dump::read(File::open(path).ok()?, &Options::default()).ok()?;
    let source = Source::File(path.to_owned());
    let open = dump.cpus.iter().any(|cpu| is_open(cpu) || cpu.beside.complete);
    open.then(|| Failed::new(open_bits(&source, "a host is what its KVM supports")).help(HOST_FILES))
}

/// How to record a host.
const HOST_FILES: &str = "on that machine `kvm-cpuid show --supported --format entries` prints what its KVM supports, for \
     NAME.supported, and `kvm-cpuid show --host --format entries` the CPU's table, for NAME.host";
