//! The facts file's writer: what [`super::read()`] reads, in upstream's order.

use std::fmt::{self, Display, Write as _};

use super::{KvmBit, LinuxFacts, LinuxFlag, QemuFacts, QemuSource};

/// Prints a Linux release's facts.
#[must_use]
pub fn write_linux(facts: &LinuxFacts) -> String {
    let mut out = String::new();
    row(&mut out, "linux-release", &[&facts.release]);
    for count in &facts.counts {
        row(&mut out, "linux-count", &[&count.name, &count.value]);
    }
    for word in &facts.words {
        match &word.location {
            Some(at) => {
                let columns: [&dyn Display; 5] =
                    [&word.name, &word.word.0, &Hex(at.leaf.0.into()), &at.subleaf.0, &at.register];
                row(&mut out, "linux-word", &columns);
            }
            None => row(&mut out, "linux-word", &[&word.name, &word.word.0, &"-", &"-", &"-"]),
        }
    }
    flags(&mut out, "linux-feature", &facts.features);
    flags(&mut out, "linux-bug", &facts.bugs);
    flags(&mut out, "linux-vmx", &facts.vmx);
    for bit in &facts.scattered {
        let word = bit.location.word;
        let columns: [&dyn Display; 5] =
            [&bit.name, &Hex(word.leaf.0.into()), &word.subleaf.0, &word.register, &bit.location.bit.0];
        row(&mut out, "linux-scattered", &columns);
    }
    for dep in &facts.deps {
        row(&mut out, "linux-dep", &[&dep.name, &dep.needs]);
    }
    kvm_bits(&mut out, "kvm-feature", &facts.kvm_features);
    kvm_bits(&mut out, "kvm-translate", &facts.kvm_translates);
    for cap in &facts.kvm_caps {
        row(&mut out, "kvm-cap", &[&cap.leaf_name.as_deref().unwrap_or("-"), &cap.kind, &cap.name]);
    }
    out
}

/// Prints a QEMU release's facts.
#[must_use]
pub fn write_qemu(facts: &QemuFacts) -> String {
    let mut out = String::new();
    row(&mut out, "qemu-release", &[&facts.release]);
    for word in &facts.words {
        match word.source {
            QemuSource::Cpuid { leaf, subleaf, register } => {
                let subleaf = subleaf.map_or("-".to_owned(), |subleaf| subleaf.0.to_string());
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
        let subleaf = comment.subleaf.map_or("-".to_owned(), |subleaf| subleaf.0.to_string());
        let columns: [&dyn Display; 4] =
            [&comment.word, &Hex(comment.leaf.0.into()), &subleaf, &comment.register];
        row(&mut out, "qemu-comment", &columns);
    }
    out
}

fn flags(out: &mut String, kind: &str, flags: &[LinuxFlag]) {
    for flag in flags {
        let shown = flag.flag.as_deref().unwrap_or("-");
        row(out, kind, &[&flag.name, &flag.word.0, &flag.bit.0, &shown]);
    }
}

fn kvm_bits(out: &mut String, kind: &str, bits: &[KvmBit]) {
    for bit in bits {
        row(out, kind, &[&bit.name, &bit.leaf_name, &bit.bit.0]);
    }
}

fn row(out: &mut String, kind: &str, columns: &[&dyn Display]) {
    out.push_str(kind);
    for column in columns {
        // Writing to a String cannot fail.
        let _ = write!(out, "\t{column}");
    }
    out.push('\n');
}

struct Hex(u64);

impl Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
