//! Rows of machine types and of the properties that `-cpu` takes.

use crate::diagnostic::Diagnostic;
use crate::facts::columns::Columns;
use crate::facts::{
    DefaultVersion, QemuAlias, QemuCompat, QemuDefault, QemuFacts, QemuHyperv, QemuHypervDep, QemuMachine,
    QemuProperty,
};
use crate::location::Bit;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Adds a row; false if its kind is not one of these.
pub(super) fn row(facts: &mut QemuFacts, kind: &str, at: Span, c: &mut Columns<'_>) -> Result<bool> {
    match kind {
        "qemu-kvm-default" => facts.kvm_defaults.push(default(c, at)?),
        "qemu-tcg-default" => facts.tcg_defaults.push(default(c, at)?),
        "qemu-machine" => facts.machines.push(QemuMachine {
            name: c.name("NAME")?,
            default_version: default_version(c)?,
            base: c.optional("BASE")?,
            at,
        }),
        "qemu-compat" => facts.compat.push(QemuCompat {
            machine: c.name("MACHINE")?,
            of: c.name("TYPE")?,
            property: c.name("PROPERTY")?,
            value: c.optional_string("VALUE")?,
            at,
        }),
        "qemu-alias" => {
            facts.aliases.push(QemuAlias { name: c.name("NAME")?, target: c.name("TARGET")?, at });
        }
        "qemu-hyperv" => facts.hyperv.push(QemuHyperv {
            property: c.name("PROPERTY")?,
            leaf: c.leaf()?,
            register: c.register()?,
            mask: c.hex32("MASK")?,
            at,
        }),
        "qemu-hyperv-dep" => facts.hyperv_deps.push(QemuHypervDep {
            property: c.name("PROPERTY")?,
            needs: c.name("NEEDS")?,
            at,
        }),
        "qemu-property" => facts.properties.push(property(c, at)?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn default(c: &mut Columns<'_>, at: Span) -> Result<QemuDefault> {
    Ok(QemuDefault { property: c.name("PROPERTY")?, value: c.optional_string("VALUE")?, at })
}

fn default_version(c: &mut Columns<'_>) -> Result<Option<DefaultVersion>> {
    let (text, at) = c.text("VERSION")?;
    Ok(Some(match text {
        "-" => return Ok(None),
        "latest" => DefaultVersion::Latest,
        "legacy" => DefaultVersion::Legacy,
        _ => DefaultVersion::Version(text.parse().map_err(|_| {
            Diagnostic::error(
                at,
                format!("`{text}` is not a version: expected a number, `latest`, `legacy` or `-`"),
            )
        })?),
    }))
}

fn property(c: &mut Columns<'_>, at: Span) -> Result<QemuProperty> {
    let (name, kind, field) = (c.name("NAME")?, c.name("KIND")?, c.optional("FIELD")?);
    let (bit, bit_at) = c.text("BIT")?;
    let bit = match bit {
        "-" => None,
        _ => Some(Bit(bit.parse().ok().filter(|bit| *bit < 64).ok_or_else(|| {
            Diagnostic::error(bit_at, format!("`{bit}` is not a bit: expected 0 to 63, or `-`"))
        })?)),
    };
    Ok(QemuProperty { name, kind, field, bit, default: c.optional_string("DEFAULT")?, at })
}
