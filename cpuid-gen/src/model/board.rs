//! What one QEMU release defines besides CPU models: the accelerators' default properties, machine types with their
//! changes, caches of models without their own, leaf 2's descriptors, and the properties that are not feature bits.
//!
//! A machine type has its base's compatibility properties, then its own; `kvm-default` rows change KVM's default
//! properties instead (`x86_cpu_change_kvm_default` of target/i386/kvm/kvm-cpu.c). This module resolves both.
//!
//! Invariants: every base exists, and every model has each version that a machine
//! type selects.

use super::caches;
use super::cpu_models::CpuModel;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{QemuCompat, QemuDefault, QemuFacts};
use crate::location::Bit;
use crate::ordered::Map;
use crate::source::Span;
use crate::vocabulary::cpu_model::{Cache, CacheDescriptor, CacheSlot, DefaultVersion};

/// A property and its value; `None` for a property that only code sets, or that is no longer set.
pub type DefaultProperty = (String, Option<String>);

/// What a release defines besides its models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Board {
    /// Set in every model under KVM, in order.
    pub kvm_defaults: Vec<DefaultProperty>,
    /// Set in every model under TCG, in order.
    pub tcg_defaults: Vec<DefaultProperty>,
    /// Machine types in QEMU's order, each after its base.
    pub machines: Vec<MachineType>,
    /// Caches of models that define none.
    pub legacy_caches: Vec<LegacyCache>,
    /// Leaf 2's bytes in QEMU's order.
    pub cache_descriptors: Vec<CacheDescriptor>,
    /// Aliases of properties, and the property of each.
    pub aliases: Vec<(String, String)>,
    /// Properties that are not bits of feature words.
    pub properties: Vec<CpuProperty>,
}

/// A machine type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MachineType {
    /// `pc-q35-10.0`.
    pub name: String,
    /// The version of a model that is named without one.
    pub default_version: DefaultVersion,
    /// Compatibility properties in the order in which QEMU sets them.
    pub compat: Vec<CompatProperty>,
    /// This machine type's default properties under KVM.
    pub kvm_defaults: Vec<DefaultProperty>,
}

/// A compatibility property of a machine type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompatProperty {
    /// The QOM type it applies to.
    pub of: String,
    /// The property.
    pub property: String,
    /// Its value.
    pub value: String,
}

/// A cache of models that define none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LegacyCache {
    /// QEMU's variable.
    pub name: String,
    /// Which of the variable's four caches; `None` if the variable is a single cache.
    pub slot: Option<CacheSlot>,
    /// The cache.
    pub cache: Cache,
}

/// A property of `-cpu` that is not a bit of a feature word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuProperty {
    /// `min-level`.
    pub name: String,
    /// `bool`, `uint32`, ...
    pub kind: String,
    /// The field that it sets.
    pub field: Option<String>,
    /// The bit of the field.
    pub bit: Option<Bit>,
    /// Its default.
    pub default: Option<String>,
}

/// Converts the facts. Inconsistent rows are errors and omitted.
pub(super) fn board(facts: &QemuFacts, models: &[CpuModel], diagnostics: &mut Diagnostics) -> Board {
    caches::check(facts, diagnostics);
    let kvm_defaults: Vec<DefaultProperty> = facts.kvm_defaults.iter().map(default).collect();
    let machines = machines(facts, &kvm_defaults, diagnostics);
    for (machine, record) in &machines {
        check_version(machine, record, models, diagnostics);
    }
    Board {
        tcg_defaults: facts.tcg_defaults.iter().map(default).collect(),
        machines: machines.into_iter().map(|(machine, _)| machine).collect(),
        legacy_caches: legacy_caches(facts),
        cache_descriptors: cache_descriptors(facts),
        aliases: facts.aliases.iter().map(|alias| (alias.name.clone(), alias.target.clone())).collect(),
        properties: properties(facts),
        kvm_defaults,
    }
}

fn default(row: &QemuDefault) -> DefaultProperty {
    (row.property.clone(), row.value.clone())
}

fn legacy_caches(facts: &QemuFacts) -> Vec<LegacyCache> {
    let all = facts.legacy_caches.iter();
    all.map(|row| LegacyCache { name: row.name.clone(), slot: row.slot, cache: caches::cache(&row.cache) })
        .collect()
}

fn cache_descriptors(facts: &QemuFacts) -> Vec<CacheDescriptor> {
    let all = facts.cache_descriptors.iter().map(|row| CacheDescriptor {
        byte: row.byte,
        kind: row.kind,
        level: row.level,
        size: row.size,
        line_size: row.line_size,
        associativity: row.associativity,
    });
    all.collect()
}

fn properties(facts: &QemuFacts) -> Vec<CpuProperty> {
    let all = facts.properties.iter().map(|row| CpuProperty {
        name: row.name.clone(),
        kind: row.kind.clone(),
        field: row.field.clone(),
        bit: row.bit,
        default: row.default.clone(),
    });
    all.collect()
}

/// Machine types and their records' places.
fn machines(
    facts: &QemuFacts,
    kvm_defaults: &[DefaultProperty],
    diagnostics: &mut Diagnostics,
) -> Vec<(MachineType, Span)> {
    let mut own: Map<&str, Vec<&QemuCompat>> = Map::new();
    for row in &facts.compat {
        own.or_default(&row.machine).push(row);
    }
    let mut machines: Vec<(MachineType, Span)> = Vec::new();
    let mut known: Map<&str, usize> = Map::new();
    for record in &facts.machines {
        let mut machine = match record.base.as_deref().map(|base| (base, known.get(base))) {
            None => MachineType {
                name: String::new(),
                default_version: DefaultVersion::Legacy,
                compat: Vec::new(),
                kvm_defaults: kvm_defaults.to_vec(),
            },
            Some((_, Some(&base))) => machines[base].0.clone(),
            Some((base, None)) => {
                let message = format!("the base of `{}`, `{base}`, is not defined before it", record.name);
                diagnostics.push(Diagnostic::error(record.at, message));
                continue;
            }
        };
        machine.name.clone_from(&record.name);
        machine.default_version = record.default_version.unwrap_or(DefaultVersion::Legacy);
        for row in own.remove(record.name.as_str()).unwrap_or_default() {
            if let Err(diagnostic) = add(&mut machine, row) {
                diagnostics.push(diagnostic);
            }
        }
        known.insert(&record.name, machines.len());
        machines.push((machine, record.at));
    }
    for row in own.into_values().flatten() {
        diagnostics.push(Diagnostic::error(row.at, format!("`{}` is not a machine type", row.machine)));
    }
    machines
}

/// The pseudo-type of rows that change KVM's default properties.
const KVM_DEFAULT: &str = "kvm-default";

fn add(machine: &mut MachineType, row: &QemuCompat) -> Result<(), Diagnostic> {
    if row.of == KVM_DEFAULT {
        let mut all = machine.kvm_defaults.iter_mut();
        let known = all.find(|(property, _)| *property == row.property).ok_or_else(|| {
            Diagnostic::error(row.at, format!("`{}` is not a default property of KVM", row.property))
        })?;
        known.1.clone_from(&row.value);
        return Ok(());
    }
    let value = row.value.clone().ok_or_else(|| {
        Diagnostic::error(row.at, format!("the compatibility property `{}` has no value", row.property))
    })?;
    machine.compat.push(CompatProperty { of: row.of.clone(), property: row.property.clone(), value });
    Ok(())
}

/// QEMU asserts that the version exists.
fn check_version(machine: &MachineType, at: &Span, models: &[CpuModel], diagnostics: &mut Diagnostics) {
    let DefaultVersion::Version(version) = machine.default_version else { return };
    let lacking = |model: &&CpuModel| model.versions.iter().all(|known| known.version != version);
    if let Some(model) = models.iter().find(lacking) {
        let message =
            format!("`{}` selects version {version}, which `{}` does not have", machine.name, model.name);
        diagnostics.push(Diagnostic::error(*at, message));
    }
}
