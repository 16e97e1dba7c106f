//! A Linux release's rows.

use std::fmt::Display;

use super::row::{Hex, Or, row};
use crate::facts::{CpuidField, KvmBit, LinuxFacts, LinuxFlag};
use crate::location::Location;

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
        located(&mut out, "linux-scattered", &bit.name, &bit.location);
    }
    for dep in &facts.deps {
        row(&mut out, "linux-dep", &[&dep.name, &dep.needs]);
    }
    kvm_bits(&mut out, "kvm-feature", &facts.kvm_features);
    kvm_bits(&mut out, "kvm-translate", &facts.kvm_translates);
    for cap in &facts.kvm_caps {
        row(&mut out, "kvm-cap", &[&Or(cap.leaf_name.as_deref()), &cap.kind, &cap.name]);
    }
    for cap in &facts.kvm_modules {
        let condition = Or(cap.condition.as_deref());
        row(&mut out, "kvm-module", &[&cap.module, &cap.action.name(), &cap.name, &condition]);
    }
    for param in &facts.kvm_params {
        row(&mut out, "kvm-param", &[&param.module, &param.name, &param.default]);
    }
    for para in &facts.kvm_para {
        located(&mut out, "kvm-para", &para.name, &para.location);
    }
    for bit in &facts.msr_bits {
        row(&mut out, "linux-msr", &[&bit.name, &Hex(bit.msr.0.into()), &bit.bit.0]);
    }
    for config in &facts.configs {
        let condition = Or(config.condition.as_deref());
        row(&mut out, "linux-config", &[&config.kind.name(), &config.name, &condition]);
    }
    fields(&mut out, "cpuid-field", &facts.cpuid_fields);
    fields(&mut out, "leaf-field", &facts.leaf_fields);
    out
}

fn fields(out: &mut String, kind: &str, fields: &[CpuidField]) {
    for field in fields {
        let columns: [&dyn Display; 7] = [
            &Hex(field.leaf.0.into()),
            &field.first.0,
            &field.last.0,
            &field.register,
            &field.low.0,
            &field.high.0,
            &field.name,
        ];
        row(out, kind, &columns);
    }
}

fn located(out: &mut String, kind: &str, name: &str, location: &Location) {
    let word = location.word;
    let columns: [&dyn Display; 5] =
        [&name, &Hex(word.leaf.0.into()), &word.subleaf.0, &word.register, &location.bit.0];
    row(out, kind, &columns);
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
