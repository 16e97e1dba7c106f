//! What strace prints of KVM's ioctls that carry a table (strace 4.22 to 6.x), under `-v`.
//!
//! ```text
//! ioctl(5, KVM_SET_CPUID2, {nent=1, entries=[{function=0, index=0, flags=0, eax=0x24, ebx=0x756e6547, ...}]}) = 0
//! ```
//!
//! `KVM_SET_CPUID2` is a vCPU's table; `-yy` tells which vCPU. `KVM_GET_SUPPORTED_CPUID` and `KVM_GET_EMULATED_CPUID`
//! are tables called `supported` and `emulated`. Other lines are ignored. With `-X raw` the requests are numbers.
//!
//! That a call failed is a note, and so is a table that strace did not print: without `-v` it writes `entries=[...]`, and an
//! address where the call failed or strace is older than 4.22. A table that KVM refused is one all the same, with the
//! error; where KVM had more entries than there was room for, there is no table.

use std::boxed::Box;
use std::format;
use std::io::Write;
use std::string::String;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Flags, Mark, Several, Style, Unwritable};
use super::scan::{Scan, find};
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::CpuidEntry;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "strace",
    about: "strace -v of KVM_SET_CPUID2",
    marks: &[Mark::Line(is_of_thread), Mark::MayBeLine(is_line)],
    parser: || Box::new(Strace::default()),
    style: Some(Style { write, flags: Flags::All, open: false, several: Several::Yes }),
};

const FIELDS: [&[u8]; 7] = [b"function=", b"index=", b"flags=", b"eax=", b"ebx=", b"ecx=", b"edx="];
const EXPECTED: &str = "expected `{nent=N, entries=[{function=..., index=..., flags=..., eax=..., ebx=..., ecx=..., \
                        edx=...}, ...]}`";
const ABBREVIATED: &str = "strace left entries out: `strace -v` prints them";
const POINTER: &str = "strace did not decode the table: strace 4.22 or later does";
const COUNT: &str = "nent is not how many entries there are";
/// `KVM_MAX_CPUID_ENTRIES` (arch/x86/include/asm/kvm_host.h, since Linux 5.11; 80 before).
const MAX_ENTRIES: u32 = 256;

/// A request that carries a table.
struct Request {
    /// Its name, with the text after it.
    name: &'static [u8],
    /// Its number on x86.
    number: &'static [u8],
    /// What its table is called.
    table: Option<&'static str>,
}

static REQUESTS: [Request; 3] = [
    Request { name: b"KVM_SET_CPUID2", number: b"0x4008ae90", table: None },
    Request { name: b"KVM_GET_SUPPORTED_CPUID", number: b"0xc008ae05", table: Some("supported") },
    Request { name: b"KVM_GET_EMULATED_CPUID", number: b"0xc008ae09", table: Some("emulated") },
];

/// The reader.
#[derive(Default)]
struct Strace {
    /// The request of a call that was interrupted by another thread's before its table was printed.
    unfinished: Option<&'static Request>,
    /// The request of a call that was interrupted after its table was printed, which the sink still holds.
    refusable: Option<&'static Request>,
}

/// The request of a line, and what comes after it.
fn request(line: &[u8]) -> Option<(&'static Request, Scan<'_>)> {
    let call = find(line, b"ioctl(")?;
    let mut rest = Scan::new(&line[call..]);
    if !rest.skip_past(b", ") {
        return None;
    }
    let after = |name| {
        let mut rest = rest;
        rest.literal(name).then_some(rest)
    };
    REQUESTS.iter().find_map(|request| {
        let rest = after(request.name).or_else(|| after(request.number))?;
        Some((request, rest))
    })
}

/// The number of the vCPU whose file descriptor it is, under `-y` or `-yy`.
fn vcpu(line: &[u8]) -> Option<u32> {
    let mut rest = Scan::new(line);
    rest.skip_past(b"ioctl(").then_some(())?;
    rest.skip_past(b"<anon_inode:kvm-vcpu:").then(|| rest.decimal())?
}

/// The number of the file of which the call is, which tells a process' vCPUs apart.
fn file(line: &[u8]) -> Option<u32> {
    let mut rest = Scan::new(line);
    rest.skip_past(b"ioctl(").then(|| rest.decimal())?
}

/// Passes over ` /* ... */`, with which `-X verbose` explains a number.
fn skip_comment(line: &mut Scan<'_>) {
    if line.literal(b" /* ") {
        line.skip_past(b" */");
    }
}

fn flags(line: &mut Scan<'_>) -> Option<u32> {
    const NAMES: [(&[u8], u32); 3] = [
        (b"KVM_CPUID_FLAG_SIGNIFCANT_INDEX", CpuidEntry::SIGNIFICANT_INDEX),
        (b"KVM_CPUID_FLAG_STATEFUL_FUNC", CpuidEntry::STATEFUL_FUNC),
        (b"KVM_CPUID_FLAG_STATE_READ_NEXT", CpuidEntry::STATE_READ_NEXT),
    ];
    let mut flags = 0;
    loop {
        let named = NAMES.into_iter().find(|(name, _)| line.literal(name));
        flags |= named.map(|(_, flag)| flag).or_else(|| line.number())?;
        if !line.literal(b"|") {
            skip_comment(line);
            return Some(flags);
        }
    }
}

fn entry(line: &mut Scan<'_>) -> Option<CpuidEntry> {
    let mut numbers = [0; 7];
    for (at, (name, number)) in FIELDS.into_iter().zip(&mut numbers).enumerate() {
        if at > 0 && !line.literal(b", ") {
            return None;
        }
        if !line.literal(name) {
            return None;
        }
        *number = if name == b"flags=" { flags(line)? } else { line.number()? };
    }
    let [function, index, flags, registers @ ..] = numbers;
    line.literal(b"}").then_some(CpuidEntry {
        function: Leaf(function),
        index: Subleaf(index),
        flags,
        registers: registers.into(),
    })
}

/// What strace printed of a table.
struct Printed {
    /// `nent`, where it was printed.
    count: Option<u32>,
    /// Why the entries are not there.
    left_out: Option<&'static str>,
}

/// The entries of a table, up to the end of the arguments.
fn table(line: &mut Scan<'_>, sink: &mut Sink) -> Result<Printed, Fault> {
    let wrong = Fault::Here(EXPECTED);
    if is_address(line) {
        return Ok(Printed { count: None, left_out: Some(POINTER) });
    }
    let count = line.literal(b"{nent=").then(|| line.number()).flatten();
    let Some(count) = count.filter(|_| line.literal(b", entries=")) else { return Err(wrong) };
    let left_out = |why| Printed { count: Some(count), left_out: Some(why) };
    if is_address(line) {
        line.literal(b"}");
        return Ok(left_out(POINTER));
    }
    if !line.literal(b"[") {
        return Err(wrong);
    }
    let mut held = 0;
    while !line.literal(b"]") {
        if held > 0 && !line.literal(b", ") {
            return Err(wrong);
        }
        if line.literal(b"...") {
            return if line.literal(b"]}") { Ok(left_out(ABBREVIATED)) } else { Err(wrong) };
        }
        let entry = line.literal(b"{").then(|| entry(line)).flatten();
        let Some(entry) = entry else { return Err(wrong) };
        sink.entry(entry)?;
        held += 1;
    }
    if !line.literal(b"}") {
        return Err(wrong);
    }
    let failed = error(*line).is_some();
    if count != held && !failed {
        Err(Fault::Here(COUNT))
    } else {
        Ok(Printed { count: Some(count), left_out: None })
    }
}

/// Passes over an address, which strace prints of what it did not read.
fn is_address(line: &mut Scan<'_>) -> bool {
    if line.literal(b"NULL") {
        return true;
    }
    let is = line.literal(b"0x");
    line.while_is(|byte| is && byte.is_ascii_hexdigit());
    is
}

/// The error with which a call failed, from the end of its arguments on.
fn error(mut rest: Scan<'_>) -> Option<&str> {
    rest.literal(b")").then_some(())?;
    rest.blanks();
    rest.literal(b"= -1 ").then_some(())?;
    core::str::from_utf8(rest.while_is(|byte| byte.is_ascii_alphanumeric()))
        .ok()
        .filter(|name| !name.is_empty())
}

/// What a failed call means.
fn failure(request: &Request, error: &str, count: Option<u32>) -> String {
    let nent = count.map_or(String::from("nent"), |count| format!("nent={count}"));
    let why = match (error, request.table) {
        ("E2BIG", Some(_)) => {
            format!(": {nent} is too few for what KVM has; ask with {MAX_ENTRIES} (KVM_MAX_CPUID_ENTRIES)")
        }
        ("E2BIG", None) => {
            format!(": KVM takes at most {MAX_ENTRIES} entries (KVM_MAX_CPUID_ENTRIES), {nent}")
        }
        ("EINVAL", None) => String::from(": KVM refused this table; `kvm-cpuid check` shows why"),
        ("EPERM", None) => String::from(
            ": the table has a component of XCR0 (AMX) that the process did not ask for (arch_prctl) before",
        ),
        ("ENOMEM", Some(_)) => format!(": {nent} is more than KVM has, which older kernels refuse"),
        ("EFAULT", Some(_)) => {
            format!(": KVM could not write to the table's address; it needs room for {nent} entries")
        }
        ("EFAULT", None) => format!(": KVM could not read {nent} entries at the table's address"),
        _ => String::new(),
    };
    format!("{} failed with {error}{why}", request.name())
}

impl Request {
    fn name(&self) -> String {
        String::from_utf8_lossy(self.name).into_owned()
    }
}

/// True for a line that strace may have printed: a call, after a thread's number and a time or nothing.
fn is_line(line: &[u8]) -> bool {
    let mut line = Scan::new(line);
    line.literal(b"[pid");
    line.while_is(|byte| byte.is_ascii_digit() || b" .:]".contains(&byte));
    let name = line.while_is(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    !name.is_empty() && line.literal(b"(") && line.skip_past(b") ") && line.skip_past(b"= ")
}

/// True for a call of one of several threads, which begins like JSON.
fn is_of_thread(line: &[u8]) -> bool {
    line.starts_with(b"[pid ") && is_line(line)
}

impl Strace {
    /// The table of a call.
    fn table(
        &mut self,
        request: &'static Request,
        mut rest: Scan<'_>,
        line: Line<'_>,
        sink: &mut Sink,
    ) -> Result<(), Fault> {
        skip_comment(&mut rest);
        if rest.literal(b" <unfinished") {
            self.unfinished = Some(request);
            return Ok(());
        }
        if !rest.literal(b", ") {
            return Err(Fault::Here(EXPECTED));
        }
        sink.start(vcpu(line.text), request.table.map(String::from));
        sink.beside().file = file(line.text);
        let printed = table(&mut rest, sink).inspect_err(|_| sink.abandon())?;
        let error = error(rest);
        if let Some(error) = error {
            sink.note(line.number, failure(request, error, printed.count));
        }
        match (printed.left_out, error) {
            // KVM wrote nothing into what it was asked to fill.
            (_, Some(_)) if request.table.is_some() => sink.abandon(),
            (Some(why), _) => {
                sink.abandon();
                let what = if error.is_some() { "the refused table" } else { "the table" };
                sink.note(line.number, format!("{}: {what} is not here, {why}", request.name()));
            }
            // What came of it is in a later line: the next call finishes the CPU.
            (None, None) if rest.literal(b" <unfinished") => self.refusable = Some(request),
            (None, error) => {
                sink.beside().refused = error.map(String::from);
                sink.finish();
            }
        }
        Ok(())
    }
}

impl Parser for Strace {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        if let Some((request, rest)) = request(line.text) {
            self.refusable = None;
            return self.table(request, rest, line, sink);
        }
        let mut rest = Scan::new(line.text);
        if self.unfinished.is_some() && rest.skip_past(b"<... ioctl resumed>") {
            let decoded = rest.rest().starts_with(b", {nent=");
            if let Some(request) = self.unfinished.take().filter(|_| decoded) {
                return self.table(request, rest, line, sink);
            }
        }
        let mut rest = Scan::new(line.text);
        if rest.skip_past(b"<... ioctl resumed>") {
            if let (Some(request), Some(error)) = (self.refusable.take(), error(rest)) {
                let count = sink.open().and_then(|cpu| u32::try_from(cpu.entries.len()).ok());
                sink.note(line.number, failure(request, error, count));
                sink.beside().refused = Some(String::from(error));
            }
        }
        Ok(())
    }
}

/// Writes a number as strace does.
fn hex(out: &mut dyn Write, number: u32) -> std::io::Result<()> {
    if number == 0 { write!(out, "0") } else { write!(out, "{number:#x}") }
}

/// Writes a CPU.
fn write(out: &mut dyn Write, cpu: &Cpu) -> Result<(), Unwritable> {
    let named = |request: &&Request| request.table.is_some() && request.table == cpu.name.as_deref();
    let request = REQUESTS.iter().find(named).unwrap_or(&REQUESTS[0]);
    // Tables with one descriptor are one vCPU's.
    let file = cpu.beside.file.unwrap_or(cpu.number.unwrap_or(0).saturating_add(3));
    write!(out, "ioctl({file}")?;
    if let Some(number) = cpu.number {
        write!(out, "<anon_inode:kvm-vcpu:{number}>")?;
    }
    write!(out, ", {}, {{nent={}, entries=[", String::from_utf8_lossy(request.name), cpu.entries.len())?;
    for (at, entry) in cpu.entries.iter().enumerate() {
        write!(out, "{}", if at > 0 { ", {" } else { "{" })?;
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let numbers = [entry.function.0, entry.index.0, entry.flags, eax, ebx, ecx, edx];
        for (at, (field, number)) in FIELDS.into_iter().zip(numbers).enumerate() {
            write!(out, "{}{}", if at > 0 { ", " } else { "" }, String::from_utf8_lossy(field))?;
            if field == b"flags=" && number == CpuidEntry::SIGNIFICANT_INDEX {
                write!(out, "KVM_CPUID_FLAG_SIGNIFCANT_INDEX")?;
            } else {
                hex(out, number)?;
            }
        }
        write!(out, "}}")?;
    }
    writeln!(out, "]}}) = 0")?;
    Ok(())
}
