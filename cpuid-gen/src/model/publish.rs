//! The list of constants that a build from a model publishes.

use super::types::{KernelBit, Model};
use crate::published::{Published, PublishedBit, PublishedConstant};

impl Model {
    /// Every constant of the tables generated from this model.
    #[must_use]
    pub fn published(&self) -> Published {
        let mut all = Vec::new();
        let mut add = |bit: PublishedBit, name: &str, former: &[String]| {
            let constant = |name: &str, successor| PublishedConstant {
                bit: bit.clone(),
                name: name.to_owned(),
                successor,
            };
            all.extend(former.iter().map(|old| constant(old, Some(name.to_owned()))));
            all.push(constant(name, None));
        };
        for feature in &self.features {
            add(PublishedBit::Feature(feature.location), &feature.constant, &feature.former);
        }
        for bit in &self.msr {
            add(PublishedBit::Msr(bit.msr, bit.bit), &bit.constant, &bit.former);
        }
        let kernel: [(PublishedBit, &[KernelBit]); 3] = [
            (PublishedBit::Software, &self.software),
            (PublishedBit::Bug, &self.bugs),
            (PublishedBit::Vmx, &self.vmx),
        ];
        for (sort, bits) in kernel {
            for bit in bits {
                add(sort.clone(), &bit.name, &[]);
            }
        }
        for field in &self.fields {
            add(PublishedBit::Field(field.place, field.name.clone()), &field.constant, &[]);
        }
        all.extend(self.former_fields.iter().cloned());
        let newest = |name: Option<&String>| name.cloned().unwrap_or_default();
        Published {
            linux: newest(self.linux.last().map(|release| &release.name)),
            qemu: newest(self.qemu.last().map(|release| &release.name)),
            constants: all,
        }
    }
}
