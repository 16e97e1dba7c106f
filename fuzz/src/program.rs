//! The fuzz target of QEMU programs: what a program could write, as QMP's lines.
#![allow(dead_code, reason = "each program calls one of them")]

use std::cell::RefCell;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{Facts, QemuFacts, read, write_qemu};
use cpuid_gen::model::Model;
use cpuid_gen::program::{Answers, ProgramError, Qemu, Replies, ask, ask_for, overlay};
use cpuid_gen::source::Sources;
use serde_json::Value;

/// Facts with two words, a model and two machine types.
const BASE: &str = "\
qemu-release\t20.0.1
qemu-word\tFEAT_7_0_EBX\t0\tcpuid\t0x7\t0\tEBX
qemu-word\tFEAT_ZAP\t1\tmsr\t0x48b
qemu-bit\tFEAT_7_0_EBX\t3\tzip
qemu-bit\tFEAT_7_0_EBX\t9\tkvm-own
qemu-bit\tFEAT_ZAP\t2\tvmx-zap
qemu-model\tTable\t0x7\t0x0\tGenuineIntel\t6\t15\t3\tAn invented CPU
qemu-model-word\tTable\tFEAT_7_0_EBX\t0x8
qemu-machine\tpc-q35-20.0\t1\t-
qemu-machine\tpc-q35-19.0\t1\tpc-q35-20.0
qemu-compat\tpc-q35-19.0\tx86_64-cpu\tswitch\toff
qemu-property\tswitch\tbool\tswitch\t-\tfalse
";

/// The lines of an input.
type Lines<'i> = std::slice::Split<'i, u8, fn(&u8) -> bool>;

/// A program whose output is the input: each run reads on, and a line after `! ` is an error message.
struct Input<'i>(RefCell<Lines<'i>>);

impl Qemu for Input<'_> {
    fn run(&self, _: &[&str], commands: &[Value]) -> Result<Answers, ProgramError> {
        let mut replies = Replies::new(commands.len());
        let mut errors = String::new();
        let mut lines = self.0.borrow_mut();
        while !replies.are_complete() {
            let Some(line) = lines.next() else { break };
            match line.strip_prefix(b"! ") {
                Some(error) => errors += &format!("{}\n", String::from_utf8_lossy(error)),
                None => replies.line(line)?,
            }
        }
        replies.finish(errors)
    }
}

fn facts(text: &str) -> Option<QemuFacts> {
    let mut sources = Sources::new();
    let id = sources.add("facts.tsv", text);
    let mut diagnostics = Diagnostics::new();
    match read(&sources, id, &mut diagnostics) {
        Some(Facts::Qemu(facts)) if !diagnostics.has_errors() => Some(facts),
        _ => None,
    }
}

/// Facts of a program are read back as they are.
pub(crate) fn program(data: &[u8]) {
    let lines: fn(&u8) -> bool = |byte| *byte == b'\n';
    let base = facts(BASE).expect("the base is read");
    for machine in [None, Some("q35")] {
        let input = Input(RefCell::new(data.split(lines)));
        let stated = match machine {
            None => ask(&input),
            Some(machine) => ask_for(&input, machine),
        };
        let Ok(overlaid) = stated.and_then(|stated| overlay(&stated, &base)) else { continue };
        let again = facts(&overlaid.text);
        let again = again.unwrap_or_else(|| panic!("not read back:\n{}", overlaid.text));
        assert_eq!(write_qemu(&again), write_qemu(&overlaid.facts));
        let _ = Model::merge(&[], &[overlaid.facts]);
    }
}
