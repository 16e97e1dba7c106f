//! A QEMU release's rows.

use std::fmt::Display;

use super::row::{Hex, Or, row};
use super::{cpu_model, machine};
use crate::facts::{QemuFacts, QemuSource};

/// Prints a QEMU release's facts.
#[must_use]
pub fn write_qemu(facts: &QemuFacts) -> String {
    let mut out = String::new();
    row(&mut out, "qemu-release", &[&facts.release]);
    for word in &facts.words {
        match word.source {
            QemuSource::Cpuid { leaf, subleaf, register } => {
                let subleaf = Or(subleaf.map(|subleaf| subleaf.0));
                let columns: [&dyn Display; 6] =
                    [&word.name, &word.index.0, &"cpuid", &Hex(leaf.0.into()), &subleaf, &register];
                row(&mut out, "qemu-word", &columns);
            }
            QemuSource::Msr(msr) => {
                row(&mut out, "qemu-word", &[&word.name, &word.index.0, &"msr", &Hex(msr.0.into())]);
            }
        }
    }
    for bit in &facts.bits {
        row(&mut out, "qemu-bit", &[&bit.word, &bit.bit.0, &bit.name]);
    }
    for mask in &facts.masks {
        row(&mut out, "qemu-mask", &[&mask.word, &mask.kind, &Hex(mask.mask)]);
    }
    for constant in &facts.macros {
        row(&mut out, "qemu-macro", &[&constant.name, &Hex(constant.value)]);
    }
    for comment in &facts.comments {
        let subleaf = Or(comment.subleaf.map(|subleaf| subleaf.0));
        let columns: [&dyn Display; 4] =
            [&comment.word, &Hex(comment.leaf.0.into()), &subleaf, &comment.register];
        row(&mut out, "qemu-comment", &columns);
    }
    cpu_model::rows(&mut out, facts);
    machine::rows(&mut out, facts);
    out
}
