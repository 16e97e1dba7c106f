//! KVM's trace event `kvm_cpuid`, which tells what a guest's CPUID instruction got: from `perf script`, `trace-cmd report`
//! and `/sys/kernel/tracing/trace` (`TRACE_EVENT(kvm_cpuid)` of arch/x86/kvm/trace.h, Linux 2.6.32 to 7.3).
//!
//! ```text
//! CPU 0/KVM-4711 [003] d..2. 100.1: kvm_cpuid: func 7 idx 0 rax 2 rbx 20 rcx 0 rdx 0, cpuid entry found
//! ```
//!
//! Numbers are hexadecimal; older kernels have no `idx`. The thread tells the vCPU. A guest asks in any order and again;
//! the last answer counts. An entry that was not found is not in the vCPU's table: what KVM answered in its place is kept,
//! with a note. Other events are ignored.

use std::boxed::Box;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::cpu::Cpu;
use super::descriptor::{Descriptor, Mark};
use super::keyed::{hex, registers};
use super::names::Answers;
use super::scan::{Scan, find, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "kvm-trace",
    about: "the trace event kvm_cpuid of perf, trace-cmd and tracefs",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Trace::default()),
    style: None,
};

const EVENT: &[u8] = b"kvm_cpuid:";
const EXPECTED: &str = "expected `kvm_cpuid: func F idx I rax A rbx B rcx C rdx D` in hexadecimal";

/// The reader.
#[derive(Default)]
struct Trace {
    /// By thread, in the order in which they come.
    threads: Vec<(String, Answers)>,
}

/// Where an event begins. `trace-cmd` puts blanks after the name.
fn event(line: &[u8]) -> Option<usize> {
    find(line, EVENT).filter(|at| trim(&line[at + EVENT.len()..]).starts_with(b"func "))
}

fn is_line(line: &[u8]) -> bool {
    event(line).is_some()
}

/// The thread: what is before the number of the CPU in brackets, or before the time.
fn thread(before: &[u8]) -> String {
    let end = find(before, b" [").unwrap_or(0);
    String::from_utf8_lossy(trim(&before[..end])).into_owned()
}

/// The vCPU's number in QEMU's name of its thread.
fn vcpu(thread: &str) -> Option<u32> {
    let mut name = Scan::new(thread.as_bytes());
    name.literal(b"CPU ").then(|| name.decimal())?.filter(|_| name.literal(b"/"))
}

impl Parser for Trace {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let Some(at) = event(line.text) else { return Ok(()) };
        let event = &line.text[at..];
        let answer = registers(event, ["rax", "rbx", "rcx", "rdx"]);
        let (Some(leaf), Some(answer)) = (hex(event, "func"), answer) else {
            return Err(Fault::Here(EXPECTED));
        };
        let index = hex(event, "idx").unwrap_or(0);
        if find(event, b"cpuid entry not found").is_some() {
            sink.note(
                line.number,
                format!(
                    "the vCPU's table has no entry for leaf {leaf:#x}, index {index:#x}: what is read is KVM's answer \
                     in its place"
                ),
            );
        }
        let thread = thread(&line.text[..at]);
        let place = self.threads.iter().rposition(|(known, _)| *known == thread);
        let place = match place {
            Some(place) => place,
            None if self.threads.len() >= Cpu::MAX_TURNS => return Err(Fault::TooManyCpus),
            None => {
                self.threads.push((thread, Answers::default()));
                self.threads.len() - 1
            }
        };
        self.threads[place].1.add(leaf, index, answer)
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        for (thread, answers) in core::mem::take(&mut self.threads) {
            let number = vcpu(&thread);
            let name = Some(thread).filter(|thread| number.is_none() && !thread.is_empty());
            answers.finish(number, name, sink)?;
        }
        Ok(())
    }
}
