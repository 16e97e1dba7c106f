//! Checks that kvm-intel and kvm-amd advertise features of the processors that they run on.
//!
//! Which vendor's processors have a feature is data: the dumps of processors, each of the vendor of QEMU's model with its name,
//! and the models themselves. A feature that processors of other vendors have, and none of a module's own vendors, is not its
//! to advertise. The vendors of a module are those whose processors have its virtualization: Zhaoxin and Centaur have Intel's,
//! Hygon AMD's.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::kvm_support::{ModelsByBit, Support};
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{KvmModule, ModuleAction};
use crate::location::Location;
use crate::ordered::Set;

/// The vendor strings of the processors that a module runs on.
const VENDORS: [(KvmModule, &[&str]); 2] = [
    (KvmModule::Intel, &["GenuineIntel", "CentaurHauls", "  Shanghai  "]),
    (KvmModule::Amd, &["AuthenticAMD", "HygonGenuine"]),
];

/// Runs the check.
pub(super) fn check(
    support: &[Support<'_, '_>],
    qemu: &[QemuIndex<'_>],
    models: &[ModelsByBit<'_>],
    findings: &mut Findings<'_>,
) {
    let vendors = Vendors::new(qemu, models, findings);
    for one in support {
        for (rule, location) in one.by_module().filter(|(rule, _)| rule.action != ModuleAction::Clear) {
            let Some((_, own)) = VENDORS.iter().find(|(module, _)| *module == rule.module) else { continue };
            let have = vendors.of(location);
            if have.is_empty() || have.iter().any(|vendor| own.contains(vendor)) {
                continue;
            }
            let have = have.into_iter().collect::<Vec<_>>().join(",");
            let key = Key::new(Kind::ModuleVendor, rule.module.name(), &rule.name, &have);
            findings.add(key, &[one.release()], || {
                let message = format!(
                    "`{}` advertises `{}` ({location}), which only processors of {have} have",
                    rule.module, rule.name
                );
                Diagnostic::error(rule.at, message)
                    .with_help("no dump and no CPU model of the module's vendors has the feature")
            });
        }
    }
}

/// The vendors of each feature.
struct Vendors<'d> {
    /// Each bit of a CPU model, with its vendor.
    of_models: Set<(Location, &'d str)>,
    /// Dumps, each with the vendor of its model.
    dumps: Vec<(&'d super::processors::Processor, &'d str)>,
}

impl<'d> Vendors<'d> {
    fn new(qemu: &'d [QemuIndex<'_>], models: &[ModelsByBit<'_>], findings: &Findings<'d>) -> Vendors<'d> {
        let mut vendors = Vendors { of_models: Set::new(), dumps: Vec::new() };
        let vendor_of = |name: &str| {
            let mut models = qemu.iter().rev().flat_map(|index| &index.models);
            models.find(|model| model.name == name).map(|model| model.base.vendor.as_str())
        };
        for (location, names) in models.iter().flatten() {
            let of = names.iter().filter_map(|name| vendor_of(name));
            vendors.of_models.extend(of.map(|vendor| (*location, vendor)));
        }
        let dumps = findings.differences().processors.iter();
        vendors.dumps = dumps.filter_map(|dump| Some((dump, vendor_of(&dump.model)?))).collect();
        vendors
    }

    /// The vendors whose processors or models have a feature.
    fn of(&self, location: Location) -> Set<&'d str> {
        let models = self.of_models.iter().filter(|(bit, _)| *bit == location).map(|(_, vendor)| *vendor);
        let dumps = self.dumps.iter().filter(|(dump, _)| dump.has(location) == Some(true));
        models.chain(dumps.map(|(_, vendor)| *vendor)).collect()
    }
}
