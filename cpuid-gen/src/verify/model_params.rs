//! Features of CPU models that KVM only provides if one of its module parameters allows it, such as nested virtualization.
//!
//! A model that has one of them cannot start where the parameter is off. QEMU's default properties under KVM can turn
//! the feature off in every model.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::kvm_support::{ModelsByBit, Support};
use super::model_places::place_in;
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;

/// Runs the check.
pub(super) fn check(
    support: &[Support<'_, '_>],
    qemu: &[QemuIndex<'_>],
    models: &[ModelsByBit<'_>],
    findings: &mut Findings<'_>,
) {
    for (index, models) in qemu.iter().zip(models) {
        for one in support {
            for (rule, location) in one.by_parameter() {
                let Some(names) = models.get(&location) else { continue };
                let Some(bit) = index.bits.get(&location).map(|name| name.bit) else { continue };
                let off = |name: &str| {
                    let mut defaults = index.facts.kvm_defaults.iter();
                    defaults.any(|row| row.property == name && row.value.as_deref() == Some("off"))
                };
                if bit.names().any(off) {
                    continue;
                }
                let parameter = rule.condition.as_deref().unwrap_or_default();
                let key = Key::new(Kind::ModelParam, location.to_string(), &rule.name, parameter);
                findings.add(key, &[one.release(), &index.release], || {
                    let at = place_in(index, names[0], location);
                    let message = format!(
                        "`{}` ({location}) is in {}, but KVM only provides it with `{parameter}`",
                        bit.name,
                        names.join(", ")
                    );
                    Diagnostic::error(at, message).with_label(rule.at, "KVM's condition")
                });
            }
        }
    }
}
