//! Where to get what a form does not have: commands for the machine that it is about.

use cpuid_tables::dump::Cpu;
use cpuid_tables::show::meanings;
use cpuid_tables::{CpuidEntry, Leaf, Subleaf};

use super::outcome::Failed;
use super::source::Source;

/// What to do about an input that is not recognised.
///
/// `kind`: what it looks like and what to do with an input of that kind, as far as they are known.
pub(crate) fn unrecognised(text: &str, kind: (Option<&str>, Option<&str>)) -> String {
    let begins = POINTERS.iter().find(|(marks, _)| marks.iter().all(|mark| text.contains(mark)));
    if let Some((_, help)) = begins {
        return (*help).to_owned();
    }
    if let (_, Some(instead)) = kind {
        return format!("{instead}; `--from ?` lists the forms that are read");
    }
    if let (Some(_), None) = kind {
        return format!("{WHOLE}; `--from ?` lists the forms that are read");
    }
    if !meanings(text.trim_end_matches("...")).found.is_empty() {
        return "it is not a table, but a line that `kvm-cpuid find` explains".to_owned();
    }
    format!(
        "{WHOLE}; `kvm-cpuid find` explains single lines of logs; --from FORMAT names the format of an input whose beginning \
         was lost, and `--from ?` lists them"
    )
}

/// What to do about a shell's prompt between the lines of a dump.
pub(crate) const PROMPT: &str = "the line is a shell's prompt: --lenient passes over it, with a warning";

/// True for a quoted line that begins as `user@host:~$ cpuid -r` or `$ cpuid -r` do.
pub(crate) fn is_prompt(text: &str) -> bool {
    let user = text.split([' ', ':', '~']).next().unwrap_or_default();
    let is_user = user.contains('@') || user.starts_with('[') && text.contains('@');
    text.starts_with("$ ")
        || is_user && ["$ ", "# ", "% "].iter().any(|sign| format!("{text} ").contains(sign))
}

/// What to do about a line with a terminal's colours.
pub(crate) const COLOURS: &str = "the line has a terminal's colours: `sed 's/\\x1b\\[[0-9;]*m//g' FILE | kvm-cpuid ... -` \
     reads it without them, and --lenient passes over a prompt";

/// What debuggers and Rust print in place of entries that are behind a pointer: marks of such a line, and what prints them.
static POINTERS: [(&[&str], &str); 4] = [
    (
        &["nent = ", "entries = 0x"],
        "gdb shows the entries' address alone: `set print elements unlimited`, then `p cpuid->entries[0]@cpuid->nent`",
    ),
    (
        &["kvm_cpuid_entry2 *) 0x"],
        "gdb shows a pointer: `set print elements unlimited`, then `p entries[0]@n` with the number of entries as n",
    ),
    (
        &["FamStructWrapper"],
        "the entries are behind the structure: print `cpuid.as_slice()` with {:?}, or in gdb the pointer to the first \
         entry with `p entries[0]@n`, n being `nent`",
    ),
    (
        &["kvm_cpuid2", "entries: ["],
        "the entries are behind the structure: print `cpuid.as_slice()` with {:?}",
    ),
];

/// What to do about JSON that has another program's members.
pub(crate) fn other_json() -> String {
    format!(
        "its members are not those of a table, a host or another form that is read (`--from ?` lists them); {WHOLE}"
    )
}

/// How to get a whole table.
pub(crate) const WHOLE: &str = "on that machine `kvm-cpuid record -o HOST.json` writes what its KVM supports, \
     `kvm-cpuid show --raw` or `cpuid -r` the CPU's table";

/// How to get what all hosts of a fleet have to state.
pub(crate) const HOST: &str = "on that machine `kvm-cpuid record -o HOST.json` writes what its KVM supports, \
     `kvm-cpuid show --raw` or `cpuid -r` the CPU's table; of QEMU, the answer of QMP's query-cpu-model-expansion with \
     type full and model host will do";

/// What a source that leaves bits open is, and why that is not enough.
pub(crate) fn open_bits(source: &Source, needed: &str) -> String {
    format!("{source} states only some bits, and {needed}")
}

/// The refusal of a destination that leaves bits open.
pub(crate) fn open_destination(source: &Source) -> Failed {
    let needed = "a destination host must specify everything that its KVM supports";
    Failed::new(open_bits(source, needed)).help(HOST)
}

/// True when a CPU states only some bits.
pub(crate) fn is_open(cpu: &Cpu) -> bool {
    cpu.known.is_some() && !cpu.beside.complete || cpu.entries.is_empty()
}

/// True when of leaves that a CPU lacks nothing is known: it states only some bits, it is an excerpt, or it lacks leaf 0, with
/// which every whole table begins.
pub(crate) fn is_piece(cpu: &Cpu) -> bool {
    let lacks_zero = || !cpu.entries.iter().any(|entry| entry.answers(Leaf(0), Subleaf(0)));
    is_open(cpu) || cpu.beside.excerpt || !cpu.beside.complete && lacks_zero()
}

/// A leaf, with the subleaf where that counts.
pub(crate) fn leaf(entry: &CpuidEntry) -> String {
    let leaf = entry.function.0;
    let subleaf = if entry.is_indexed() { format!(".{}", entry.index.0) } else { String::new() };
    if leaf < 10 { format!("{leaf}{subleaf}") } else { format!("{leaf:#x}{subleaf}") }
}

/// How to record a host.
pub(crate) const HOST_FILES: &str = "on that machine `kvm-cpuid record -o HOST.json` writes everything";
