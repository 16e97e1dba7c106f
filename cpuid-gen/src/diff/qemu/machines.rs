//! Machine types with their compatibility properties, accelerators' defaults, and the properties of `-cpu`.

use crate::diff::change::Change;
use crate::diff::rows::{Line, table};
use crate::facts::{
    DefaultVersion, QemuAlias, QemuCompat, QemuDefault, QemuFacts, QemuHyperv, QemuHypervDep, QemuMachine,
    QemuProperty, QemuSource,
};

/// `qemu-kvm-default` and `qemu-tcg-default`.
pub(super) fn defaults(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let of = |accelerator: &'static str| {
        move |default: &QemuDefault| {
            let value = default.value.as_deref().unwrap_or("left to code");
            Line::new(format!("{accelerator}: {}", default.property), default.at).with("value", value)
        }
    };
    let mut changes = table(&old.kvm_defaults, &new.kvm_defaults, |default| &default.property, of("KVM"));
    changes.extend(table(&old.tcg_defaults, &new.tcg_defaults, |default| &default.property, of("TCG")));
    changes
}

/// `qemu-machine`.
pub(super) fn machines(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let line = |machine: &QemuMachine| {
        let version = machine.default_version.map(|version| match version {
            DefaultVersion::Version(number) => format!("version {number}"),
            DefaultVersion::Latest => "the latest version".to_owned(),
            DefaultVersion::Legacy => "the base definition".to_owned(),
        });
        Line::new(&machine.name, machine.at).maybe("models in", version).maybe("base", machine.base.as_ref())
    };
    table(&old.machines, &new.machines, |machine| &machine.name, line)
}

/// `qemu-compat`.
pub(super) fn compat(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let key = |compat: &QemuCompat| (compat.machine.clone(), compat.of.clone(), compat.property.clone());
    let line = |compat: &QemuCompat| {
        let subject = format!("{}.{}", compat.of, compat.property);
        let value = compat.value.as_deref().map_or_else(|| "left out".to_owned(), quoted);
        Line::new(subject, compat.at).owned_by(&compat.machine).with("value", value)
    };
    table(&old.compat, &new.compat, key, line)
}

/// `qemu-alias` and `qemu-property`.
pub(super) fn properties(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let line = |property: &QemuProperty| {
        Line::new(&property.name, property.at)
            .with("type", &property.kind)
            .maybe("field", property.field.as_ref())
            .maybe("bit", property.bit.map(|bit| bit.0))
            .maybe("default", property.default.as_deref().map(quoted))
    };
    let mut changes = table(&old.properties, &new.properties, |property| &property.name, line);
    let alias = |alias: &QemuAlias| Line::new(&alias.name, alias.at).with("another name of", &alias.target);
    changes.extend(table(&old.aliases, &new.aliases, |alias| &alias.name, alias));
    changes
}

/// `qemu-hyperv` and `qemu-hyperv-dep`.
pub(super) fn hyperv(old: &QemuFacts, new: &QemuFacts) -> Vec<Change> {
    let line = |row: &QemuHyperv| {
        Line::new(&row.property, row.at)
            .at(QemuSource::Cpuid { leaf: row.leaf, subleaf: None, register: row.register })
            .with("bits", format_args!("{:#x}", row.mask))
    };
    let key = |row: &QemuHyperv| (row.property.clone(), row.leaf, row.register);
    let mut changes = table(&old.hyperv, &new.hyperv, key, line);
    let needs = |row: &QemuHypervDep| Line::new(format!("{} needs {}", row.property, row.needs), row.at);
    changes.extend(table(&old.hyperv_deps, &new.hyperv_deps, |row| (&row.property, &row.needs), needs));
    changes
}

/// A value, which may be empty.
pub(super) fn quoted(value: &str) -> String {
    if value.is_empty() || value.trim() != value { format!("\"{value}\"") } else { value.to_owned() }
}
