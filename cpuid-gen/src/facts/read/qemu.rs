//! Rows of a QEMU release's feature words. CPU models and machine types have their own files.

use super::{cpu_model, machine};
use crate::diagnostic::Diagnostic;
use crate::facts::columns::{Columns, unknown_kind};
use crate::facts::{MaskKind, QemuBit, QemuComment, QemuFacts, QemuMacro, QemuMask, QemuSource, QemuWord};
use crate::source::Span;

pub(super) fn row(facts: &mut QemuFacts, kind: &str, at: Span, mut c: Columns<'_>) -> Result<(), Diagnostic> {
    match kind {
        "qemu-word" => facts.words.push(qemu_word(&mut c, at)?),
        "qemu-bit" => {
            facts.bits.push(QemuBit { word: c.name("WORD")?, bit: c.bit(63)?, name: c.name("NAME")?, at });
        }
        "qemu-mask" => facts.masks.push(QemuMask {
            word: c.name("WORD")?,
            kind: c.choice("mask", &MaskKind::ALL)?,
            mask: c.hex("MASK")?,
            at,
        }),
        "qemu-macro" => facts.macros.push(QemuMacro { name: c.name("NAME")?, value: c.hex("VALUE")?, at }),
        "qemu-comment" => facts.comments.push(QemuComment {
            word: c.name("WORD")?,
            leaf: c.leaf()?,
            subleaf: c.optional_subleaf()?,
            register: c.register()?,
            at,
        }),
        _ if kind.starts_with("qemu-model") => cpu_model::model_row(facts, kind, at, &mut c)?,
        _ if cpu_model::row(facts, kind, at, &mut c)? || machine::row(facts, kind, at, &mut c)? => {}
        _ => return Err(unknown_kind(kind, at, "a QEMU")),
    }
    c.end()
}

fn qemu_word(c: &mut Columns<'_>, at: Span) -> Result<QemuWord, Diagnostic> {
    let (name, index) = (c.name("NAME")?, c.word()?);
    let source = if c.choice("type", &[(true, "cpuid"), (false, "msr")])? {
        QemuSource::Cpuid { leaf: c.leaf()?, subleaf: c.optional_subleaf()?, register: c.register()? }
    } else {
        QemuSource::Msr(c.msr()?)
    };
    Ok(QemuWord { name, index, source, at })
}
