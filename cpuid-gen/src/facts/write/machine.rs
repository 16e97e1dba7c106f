//! Rows of machine types and of the properties that `-cpu` takes.

use std::fmt::Display;

use super::row::{Hex, Or, Text, row};
use crate::facts::{DefaultVersion, QemuDefault, QemuFacts};

/// Writes all of them.
pub(super) fn rows(out: &mut String, facts: &QemuFacts) {
    defaults(out, "qemu-kvm-default", &facts.kvm_defaults);
    defaults(out, "qemu-tcg-default", &facts.tcg_defaults);
    for machine in &facts.machines {
        let version = machine.default_version.map(|version| match version {
            DefaultVersion::Version(number) => number.to_string(),
            DefaultVersion::Latest => "latest".to_owned(),
            DefaultVersion::Legacy => "legacy".to_owned(),
        });
        row(out, "qemu-machine", &[&machine.name, &Or(version), &Or(machine.base.as_deref())]);
    }
    for compat in &facts.compat {
        let columns: [&dyn Display; 4] =
            [&compat.machine, &compat.of, &compat.property, &Or(compat.value.as_deref().map(Text))];
        row(out, "qemu-compat", &columns);
    }
    for alias in &facts.aliases {
        row(out, "qemu-alias", &[&alias.name, &alias.target]);
    }
    for property in &facts.properties {
        let columns: [&dyn Display; 5] = [
            &property.name,
            &property.kind,
            &Or(property.field.as_deref()),
            &Or(property.bit.map(|bit| bit.0)),
            &Or(property.default.as_deref().map(Text)),
        ];
        row(out, "qemu-property", &columns);
    }
    for known in &facts.hyperv {
        let mask = Hex(known.mask.into());
        row(out, "qemu-hyperv", &[&known.property, &Hex(known.leaf.0.into()), &known.register, &mask]);
    }
    for dep in &facts.hyperv_deps {
        row(out, "qemu-hyperv-dep", &[&dep.property, &dep.needs]);
    }
}

fn defaults(out: &mut String, kind: &str, defaults: &[QemuDefault]) {
    for default in defaults {
        row(out, kind, &[&default.property, &Or(default.value.as_deref().map(Text))]);
    }
}
