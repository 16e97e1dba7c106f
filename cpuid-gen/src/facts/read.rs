//! The facts file's reader.

use super::columns::{Columns, rows};
use super::{
    CapKind, Facts, KvmBit, KvmCap, LinuxCount, LinuxDep, LinuxFacts, LinuxFlag, LinuxWord, MaskKind,
    QemuBit, QemuComment, QemuFacts, QemuMacro, QemuMask, QemuSource, QemuWord, Scattered,
};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::location::{CpuidWord, Location};
use crate::source::{FileId, Sources, Span};

/// Reads a facts file. Every row that is wrong becomes a diagnostic; the result is then none.
pub fn read(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<Facts> {
    let mut found = Diagnostics::new();
    let mut facts: Option<Facts> = None;
    for mut columns in rows(sources, file) {
        let read = match columns.text("KIND") {
            Ok((kind, at)) => row_of(&mut facts, kind, at, columns),
            Err(diagnostic) => Err(diagnostic),
        };
        if let Err(diagnostic) = read {
            found.push(diagnostic);
        }
    }
    if facts.is_none() && found.is_empty() {
        let whole = sources.span(file, 0, 0);
        found.error(whole, "no facts here: the first row must be `linux-release` or `qemu-release`");
    }
    let good = !found.has_errors();
    diagnostics.extend(found);
    facts.filter(|_| good)
}

fn row_of(facts: &mut Option<Facts>, kind: &str, at: Span, columns: Columns<'_>) -> Result<(), Diagnostic> {
    match (facts.as_mut(), kind) {
        (None, "linux-release") => *facts = Some(Facts::Linux(LinuxFacts::new(release(columns)?, at))),
        (None, "qemu-release") => *facts = Some(Facts::Qemu(QemuFacts::new(release(columns)?, at))),
        (None, _) => {
            let message =
                format!("`{kind}` before the first row, which must be `linux-release` or `qemu-release`");
            return Err(Diagnostic::error(at, message));
        }
        (Some(_), "linux-release" | "qemu-release") => {
            return Err(Diagnostic::error(at, "a second release; a facts file holds one"));
        }
        (Some(Facts::Linux(linux)), _) => linux_row(linux, kind, at, columns)?,
        (Some(Facts::Qemu(qemu)), _) => qemu_row(qemu, kind, at, columns)?,
    }
    Ok(())
}

fn release(mut columns: Columns<'_>) -> Result<String, Diagnostic> {
    let release = columns.name("RELEASE")?;
    columns.end()?;
    Ok(release)
}

fn linux_row(facts: &mut LinuxFacts, kind: &str, at: Span, mut c: Columns<'_>) -> Result<(), Diagnostic> {
    match kind {
        "linux-count" => {
            facts.counts.push(LinuxCount { name: c.name("NAME")?, value: c.decimal16("VALUE")?, at });
        }
        "linux-word" => facts.words.push(linux_word(&mut c, at)?),
        "linux-feature" => facts.features.push(linux_flag(&mut c, at)?),
        "linux-bug" => facts.bugs.push(linux_flag(&mut c, at)?),
        "linux-vmx" => facts.vmx.push(linux_flag(&mut c, at)?),
        "linux-scattered" => facts.scattered.push(scattered(&mut c, at)?),
        "linux-dep" => facts.deps.push(LinuxDep { name: c.name("NAME")?, needs: c.name("NEEDS")?, at }),
        "kvm-feature" => facts.kvm_features.push(kvm_bit(&mut c, at)?),
        "kvm-translate" => facts.kvm_translates.push(kvm_bit(&mut c, at)?),
        "kvm-cap" => facts.kvm_caps.push(kvm_cap(&mut c, at)?),
        _ => return Err(unknown_kind(kind, at, "a Linux")),
    }
    c.end()
}

fn linux_word(c: &mut Columns<'_>, at: Span) -> Result<LinuxWord, Diagnostic> {
    let (name, word) = (c.name("LEAFNAME")?, c.word()?);
    let mut location = None;
    if c.rest() == Some("-\t-\t-") {
        for column in ["FUNCTION", "SUBLEAF", "REGISTER"] {
            c.text(column)?;
        }
    } else {
        location = Some(CpuidWord { leaf: c.leaf()?, subleaf: c.subleaf()?, register: c.register()? });
    }
    Ok(LinuxWord { name, word, location, at })
}

fn linux_flag(c: &mut Columns<'_>, at: Span) -> Result<LinuxFlag, Diagnostic> {
    Ok(LinuxFlag { name: c.name("NAME")?, word: c.word()?, bit: c.bit(31)?, flag: c.optional("FLAG")?, at })
}

fn scattered(c: &mut Columns<'_>, at: Span) -> Result<Scattered, Diagnostic> {
    let name = c.name("NAME")?;
    let word = CpuidWord { leaf: c.leaf()?, subleaf: c.subleaf()?, register: c.register()? };
    Ok(Scattered { name, location: Location { word, bit: c.bit(31)? }, at })
}

fn kvm_bit(c: &mut Columns<'_>, at: Span) -> Result<KvmBit, Diagnostic> {
    Ok(KvmBit { name: c.name("NAME")?, leaf_name: c.name("LEAFNAME")?, bit: c.bit(31)?, at })
}

fn kvm_cap(c: &mut Columns<'_>, at: Span) -> Result<KvmCap, Diagnostic> {
    let leaf_name = c.optional("LEAFNAME")?;
    let kind = c.choice("KIND", &CapKind::ALL)?;
    if leaf_name.is_none() && !matches!(kind, CapKind::Set | CapKind::Clear) {
        let message = "LEAFNAME may be `-` only for `set` and `clear`";
        return Err(Diagnostic::error(at, message));
    }
    Ok(KvmCap { leaf_name, kind, name: c.name("NAME")?, at })
}

fn qemu_row(facts: &mut QemuFacts, kind: &str, at: Span, mut c: Columns<'_>) -> Result<(), Diagnostic> {
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

fn unknown_kind(kind: &str, at: Span, whose: &str) -> Diagnostic {
    Diagnostic::error(at, format!("`{kind}` is not a kind of row that {whose} facts file has"))
}
