//! Rust's `{:?}` of KVM's entries: of lists of `kvm_cpuid_entry2`, of `kvm_bindings::CpuId`, and of the types of
//! Cloud Hypervisor and Firecracker that have the same fields.
//!
//! ```text
//! [kvm_cpuid_entry2 { function: 0, index: 0, flags: 0, eax: 22, ebx: 1970169159, ecx: 1818588270, edx: 1231384169, padding: [0, 0, 0] }]
//! ```
//!
//! On a line or, under `{:#?}`, on many. `{:x?}` prints hexadecimal numbers without a prefix: they are taken for such where a
//! number of the table has a digit above 9. A bracket or `nent` begins a table. `CpuidKey` of Firecracker has the leaf and
//! subleaf. Other text, such as a test's output, is ignored.

use std::boxed::Box;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::descriptor::{Descriptor, Mark};
use super::lines::contains;
use super::scan::trim;
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::location::{Leaf, Subleaf};
use crate::table::CpuidEntry;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "rust-debug",
    about: "Rust's {:?} of kvm_cpuid_entry2 and CpuId",
    marks: &[Mark::Line(is_line), Mark::MayBeLine(is_field)],
    parser: || Box::new(RustDebug::default()),
    style: None,
};

/// The types whose fields are read.
const TYPES: [&[u8]; 4] = [b"kvm_cpuid_entry2 {", b"CpuIdEntry {", b"CpuidKey {", b"CpuidEntry {"];
const FIELDS: [&str; 7] = ["function", "index", "flags", "eax", "ebx", "ecx", "edx"];
const NUMBER: &str = "expected a number of 32 bits after this field";
const CUT_OFF: &str = "expected the fields function, index, flags, eax, ebx, ecx and edx of each entry";
/// No number of 32 bits has more digits.
const MAX_WORD: usize = 64;

/// The reader.
#[derive(Default)]
struct RustDebug {
    /// The letters and digits at hand.
    word: String,
    /// The field whose value comes.
    field: Option<usize>,
    /// The entry at hand.
    entry: [Option<String>; 7],
    /// The table at hand.
    table: Vec<[String; 7]>,
    /// `nent` of it.
    count: Option<String>,
    /// The name before a colon.
    name: String,
    /// The number of the line at hand.
    line: u64,
}

fn is_line(line: &[u8]) -> bool {
    // The debugger crash prints `struct` before the type.
    let found = TYPES.iter().any(|name| contains(line, name)) || contains(line, b"fam_struct: kvm_cpuid2 {");
    found && !contains(line, b"struct kvm_cpuid_entry2 {")
}

fn is_field(line: &[u8]) -> bool {
    trim(line).starts_with(b"function: ")
}

/// A number as it is printed.
fn number(text: &str, bare_hex: bool) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => u32::from_str_radix(text, if bare_hex { 16 } else { 10 }),
    }
    .ok()
}

impl RustDebug {
    fn table(&mut self, line: u64, sink: &mut Sink) -> Result<(), Fault> {
        let count = self.count.take();
        let table = core::mem::take(&mut self.table);
        let cut_off = core::mem::take(&mut self.entry).iter().any(Option::is_some);
        self.field = None;
        if table.is_empty() && !cut_off {
            return Ok(());
        }
        let bare =
            |text: &String| !text.starts_with("0x") && text.bytes().any(|byte| byte.is_ascii_alphabetic());
        let bare_hex = table.iter().flatten().any(bare);
        sink.start(None, None);
        let held = table.len();
        for texts in table {
            let mut numbers = [0; 7];
            for (text, value) in texts.iter().zip(&mut numbers) {
                *value = number(text, bare_hex).ok_or_else(|| Fault::At {
                    line,
                    text: text.clone(),
                    why: NUMBER.into(),
                })?;
            }
            let [function, index, flags, registers @ ..] = numbers;
            let (function, index) = (Leaf(function), Subleaf(index));
            sink.entry(CpuidEntry { function, index, flags, registers: registers.into() })?;
        }
        sink.finish();
        if let Some(count) = count.and_then(|count| number(&count, bare_hex)) {
            if usize::try_from(count) != Ok(held) {
                sink.note(line, format!("`nent` is {count}, but there are {held} entries"));
            }
        }
        if cut_off { Err(Fault::At { line, text: String::new(), why: CUT_OFF.into() }) } else { Ok(()) }
    }

    /// A word is at its end.
    fn word(&mut self, line: u64, next: u8, sink: &mut Sink) -> Result<(), Fault> {
        let word = core::mem::take(&mut self.word);
        if word.is_empty() {
            return Ok(());
        }
        if next == b':' {
            self.name.clone_from(&word);
            let name = match word.as_str() {
                "leaf" => "function",
                "subleaf" => "index",
                other => other,
            };
            self.field = FIELDS.iter().position(|field| *field == name);
            if name == "nent" {
                return self.table(line, sink);
            }
            return Ok(());
        }
        if !word.as_bytes()[0].is_ascii_hexdigit() {
            return Ok(());
        }
        // Of `flags: KvmCpuidFlags(1)` the number counts; a bit's name in its place is ignored.
        let is_number = word.strip_prefix("0x").unwrap_or(&word).bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_number {
            return Ok(());
        }
        if self.name == "nent" {
            self.count = Some(word);
            self.name.clear();
            return Ok(());
        }
        let Some(field) = self.field.take() else { return Ok(()) };
        self.entry[field] = Some(word);
        if field == FIELDS.len() - 1 {
            self.entry(line)?;
        }
        Ok(())
    }

    fn entry(&mut self, line: u64) -> Result<(), Fault> {
        let mut texts = <[String; 7]>::default();
        for (text, field) in texts.iter_mut().zip(core::mem::take(&mut self.entry)) {
            *text = field.ok_or(Fault::At { line, text: "edx".into(), why: CUT_OFF.into() })?;
        }
        if self.table.len() >= super::cpu::Cpu::MAX_ENTRIES {
            return Err(Fault::TooManyEntries);
        }
        self.table.push(texts);
        Ok(())
    }
}

impl Parser for RustDebug {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let mut wrong = Ok(());
        self.line = line.number;
        for byte in line.text.iter().copied().chain([b'\n']) {
            if byte.is_ascii_alphanumeric() || byte == b'_' {
                if self.word.len() < MAX_WORD {
                    self.word.push(char::from(byte));
                }
                continue;
            }
            wrong = wrong.and(self.word(line.number, byte, sink));
            // `padding: [0, 0, 0]` is not a table.
            if byte == b'[' && self.name != "padding" {
                wrong = wrong.and(self.list(line.number, sink));
            }
            if byte == b'[' || byte == b'{' {
                self.name.clear();
            }
        }
        wrong
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.table(self.line, sink)
    }
}

impl RustDebug {
    /// A list begins; `nent` before it is its own.
    fn list(&mut self, line: u64, sink: &mut Sink) -> Result<(), Fault> {
        let count = self.count.take().filter(|_| self.table.is_empty());
        self.table(line, sink)?;
        self.count = count;
        Ok(())
    }
}
