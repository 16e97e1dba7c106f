//! What makes QEMU refuse to migrate a guest, whatever the destination has.
//!
//! QEMU adds a migration blocker for each (`kvm_arch_init_vcpu` and `hyperv_init_vcpu` of target/i386/kvm/kvm.c,
//! target/i386/sev.c and target/i386/kvm/tdx.c, up to 11.1). libvirt refuses the same of `invtsc`.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::given::{at, has};
use crate::bits::location::{Leaf, Location, Register, Subleaf};
use crate::table::{CpuidEntry, CpuidRead};

/// A feature or a setting that a guest with it cannot be migrated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocker {
    /// What the guest has.
    pub what: Blocking,
    /// The setting that makes it migratable.
    pub lifted_by: Option<&'static str>,
    /// Whether the guest has that setting; `None` if that is not stated.
    pub is_lifted: Option<bool>,
    /// Why it blocks the migration.
    pub reason: &'static str,
    /// What takes it away from the guest, as a part of `-cpu`.
    pub(super) remedy: Option<&'static str>,
}

/// What a guest has that QEMU does not migrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blocking {
    /// A bit of CPUID, and its name.
    Bit(Location, &'static str),
    /// A leaf that only such a guest has, and its name.
    Leaf(Leaf, &'static str),
    /// A property of `-cpu`, and its value.
    Setting(&'static str, &'static str),
}

const fn row(what: Blocking, remedy: Option<&'static str>, reason: &'static str) -> Blocker {
    Blocker { what, lifted_by: None, is_lifted: Some(false), reason, remedy }
}

const ENCRYPTED: &str = "QEMU cannot move encrypted memory";

/// Feature bits are those that the releases' tables have as not migratable.
static ROWS: [Blocker; 7] = [
    Blocker {
        lifted_by: Some("tsc-frequency"),
        ..row(
            Blocking::Bit(at(0x8000_0007, 0, Register::Edx, 8), "invtsc"),
            Some("-invtsc"),
            "it promises a TSC that never changes its frequency, and B's may have another one",
        )
    },
    row(
        Blocking::Setting("hv-passthrough", "on"),
        Some("hv-passthrough=off"),
        "the enlightenments are those that the host has; name each one that the guest needs",
    ),
    row(
        Blocking::Setting("hv-no-nonarch-coresharing", "auto"),
        Some("hv-no-nonarch-coresharing=off"),
        "it states where the host runs vCPUs; `on` fixes it, where SMT is off or vCPUs are pinned",
    ),
    row(Blocking::Bit(at(0x8000_001f, 0, Register::Eax, 1), "sev"), None, ENCRYPTED),
    row(Blocking::Bit(at(0x8000_001f, 0, Register::Eax, 3), "sev-es"), None, ENCRYPTED),
    row(Blocking::Bit(at(0x8000_001f, 0, Register::Eax, 4), "sev-snp"), None, ENCRYPTED),
    row(Blocking::Leaf(Leaf(0x21), "tdx"), None, ENCRYPTED),
];

/// The blockers of a guest; of what does not ask for a guest's CPU, only where it is a guest's table.
pub(super) fn blockers<'a>(
    entries: &'a [CpuidEntry],
    settings: Option<&'a BTreeMap<String, String>>,
) -> impl Iterator<Item = Blocker> + 'a {
    let is_guest = settings.is_some() || has(entries, at(1, 0, Register::Ecx, 31));
    let value = move |name: &str| settings.and_then(|all| all.get(name));
    let blocks = move |row: &&Blocker| match row.what {
        Blocking::Bit(at, _) => has(entries, at),
        Blocking::Leaf(leaf, _) => {
            entries.registers(leaf, Subleaf(0)).is_some_and(|registers| !registers.is_zero())
        }
        Blocking::Setting(name, wanted) => value(name).is_some_and(|value| value == wanted),
    };
    ROWS.iter().filter(move |_| is_guest).filter(blocks).map(move |row| {
        let lifted = row
            .lifted_by
            .map_or(Some(false), |name| settings.map(|_| value(name).is_some_and(|value| value != "0")));
        Blocker { is_lifted: lifted, ..*row }
    })
}

impl Blocker {
    /// Its name: a feature, or a property with its value.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.what {
            Blocking::Bit(_, name) | Blocking::Leaf(_, name) | Blocking::Setting(name, _) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocking, ROWS};
    use crate::bits::location::Bit;
    use alloc::vec::Vec;

    /// The rows have every feature that a release's tables have as not migratable, and of QEMU's names no other.
    #[cfg(feature = "guest")]
    #[test]
    fn rows_are_the_features_of_the_tables() {
        use crate::bits::feature::Feature;
        use crate::bits::location::WordSource;
        use crate::bits::release::QemuRelease;
        use crate::generated::guest_tables::GUESTS;

        for release in QemuRelease::ALL {
            let mut expected: Vec<(_, &str)> = Vec::new();
            for word in GUESTS[release.index()].words {
                let Some(WordSource::Cpuid(source)) = word.source else { continue };
                for bit in (0..32).map(Bit).filter(|bit| word.migratable >> bit.0 & 1 == 0) {
                    let name = Feature::at(source.bit(bit)).and_then(|feature| feature.qemu_name(release));
                    expected.extend(name.map(|name| (source.bit(bit), name)));
                }
            }
            let listed = ROWS.iter().filter_map(|row| match row.what {
                Blocking::Bit(at, name) => Feature::at(at)?.qemu_name(release).map(|_| (at, name)),
                _ => None,
            });
            let listed: Vec<(_, &str)> = listed.collect();
            assert_eq!(listed, expected, "{release}");
        }
    }
}
