//! Rows of a Linux release.

use crate::diagnostic::Diagnostic;
use crate::facts::columns::{Columns, unknown_kind};
use crate::facts::kvm_module::{ACTIONS, MODULES};
use crate::facts::{
    CapKind, Condition, ConfigKind, CpuidField, KvmBit, KvmCap, KvmModuleCap, KvmPara, KvmParam, LinuxConfig,
    LinuxCount, LinuxDep, LinuxFacts, LinuxFlag, LinuxMsrBit, LinuxWord, Scattered,
};
use crate::location::{CpuidWord, Location};
use crate::source::Span;

pub(super) fn row(
    facts: &mut LinuxFacts,
    kind: &str,
    at: Span,
    mut c: Columns<'_>,
) -> Result<(), Diagnostic> {
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
        "kvm-module" => facts.kvm_modules.push(kvm_module(&mut c, at)?),
        "kvm-param" => {
            let module = c.choice("MODULE", &MODULES)?;
            facts.kvm_params.push(KvmParam {
                module,
                name: c.name("NAME")?,
                default: c.name("DEFAULT")?,
                at,
            });
        }
        "kvm-para" => {
            let Scattered { name, location, at } = scattered(&mut c, at)?;
            facts.kvm_para.push(KvmPara { name, location, at });
        }
        "linux-msr" => {
            facts.msr_bits.push(LinuxMsrBit { name: c.name("NAME")?, msr: c.msr()?, bit: c.bit(63)?, at });
        }
        "linux-config" => facts.configs.push(linux_config(&mut c, at)?),
        "leaf-field" => facts.leaf_fields.push(cpuid_field(&mut c, at)?),
        "cpuid-field" => facts.cpuid_fields.push(cpuid_field(&mut c, at)?),
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
        let message = "LEAFNAME is `-`, which only `set` and `clear` allow";
        return Err(Diagnostic::error(at, message));
    }
    Ok(KvmCap { leaf_name, kind, name: c.name("NAME")?, at })
}

fn kvm_module(c: &mut Columns<'_>, at: Span) -> Result<KvmModuleCap, Diagnostic> {
    let module = c.choice("MODULE", &MODULES)?;
    let (action, name) = (c.choice("ACTION", &ACTIONS)?, c.name("NAME")?);
    let condition = if c.none() {
        None
    } else {
        let (text, at) = c.text("CONDITION")?;
        Some(Condition::of_module(text, at)?.to_string())
    };
    Ok(KvmModuleCap { module, action, name, condition, at })
}

fn linux_config(c: &mut Columns<'_>, at: Span) -> Result<LinuxConfig, Diagnostic> {
    let (kind, name) = (c.choice("state", &ConfigKind::ALL)?, c.name("NAME")?);
    let condition = if c.none() {
        None
    } else {
        let (text, at) = c.text("CONDITION")?;
        Some(Condition::from_text(text, at)?.to_string())
    };
    Ok(LinuxConfig { kind, name, condition, at })
}

fn cpuid_field(c: &mut Columns<'_>, at: Span) -> Result<CpuidField, Diagnostic> {
    let field = CpuidField {
        leaf: c.leaf()?,
        first: c.subleaf()?,
        last: c.subleaf()?,
        register: c.register()?,
        low: c.bit(31)?,
        high: c.bit(31)?,
        name: c.name("NAME")?,
        at,
    };
    if field.last < field.first {
        let message = format!("the subleaves {} to {} are not a range", field.first.0, field.last.0);
        return Err(Diagnostic::error(at, message));
    }
    if field.high < field.low {
        return Err(Diagnostic::error(
            at,
            format!("the bits {} to {} are not a range", field.low.0, field.high.0),
        ));
    }
    Ok(field)
}
