//! The VMM on the other side of a move, and what it makes of the destination's KVM.

use cpuid_tables::normalize::presets::Vmm;
use cpuid_tables::show::{Migration, MigrationSide};
use cpuid_tables::{CpuidRead, Leaf, Subleaf};

/// QEMU, whose rules [`Migration`] knows itself.
pub(crate) const QEMU: &str = "qemu";

/// The VMM that runs the guest on the destination; `None` is QEMU.
#[derive(Clone, Copy)]
pub(crate) struct Target(Option<Vmm>);

/// The VMM of this name.
pub(crate) fn named(name: &str) -> Result<Target, String> {
    if name == QEMU {
        return Ok(Target(None));
    }
    let found = Vmm::ALL.into_iter().find(|vmm| vmm.name() == name);
    found.map(|vmm| Target(Some(vmm))).ok_or_else(|| {
        let names: Vec<&str> = Vmm::ALL.into_iter().map(Vmm::name).collect();
        format!("expected {QEMU}, {}", names.join(", "))
    })
}

/// A move with its VMM's part in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    /// The comparison with what the VMM can give.
    pub(crate) found: Migration,
    /// Why the VMM starts no guest at all on the destination.
    pub(crate) refused: Option<String>,
    /// The names of the obstacles that the destination's KVM is no obstacle to: the VMM takes them away.
    pub(crate) taken: Vec<String>,
}

impl Judged {
    pub(crate) fn can_move(&self) -> bool {
        self.refused.is_none() && self.found.can_move()
    }
}

impl Target {
    /// The VMM's name.
    pub(crate) fn name(self) -> &'static str {
        self.0.map_or(QEMU, Vmm::name)
    }

    pub(crate) fn is_qemu(self) -> bool {
        self.0.is_none()
    }

    /// Compares the guest's side with what the VMM can give on the other side, which is a KVM's answer.
    pub(crate) fn judge(self, started: MigrationSide<'_>, there: MigrationSide<'_>) -> Judged {
        let Some(vmm) = self.0 else {
            return Judged { found: Migration::new(started, there), ..Judged::default() };
        };
        // What QEMU adds to KVM's answer is not in it.
        let there = MigrationSide { is_kvm: false, ..there };
        let by_kvm = Migration::compared(started, there);
        // A recorded list of KVM's has no CPUID instruction; identity and caches, which come from it, are not compared.
        let cpuid = |leaf: Leaf, subleaf: Subleaf| there.entries.registers(leaf, subleaf).unwrap_or_default();
        let offered = match vmm.offers(there.entries, &cpuid) {
            Ok(offered) => offered,
            Err(error) => return Judged { refused: Some(error.to_string()), ..Judged::default() },
        };
        let entries = &*offered;
        let found = Migration::compared(started, MigrationSide { entries, ..there });
        let is_kvms = |name: &String| by_kvm.obstacles.iter().any(|obstacle| obstacle.name() == *name);
        let mut taken: Vec<String> = found.obstacles.iter().map(|obstacle| obstacle.name()).collect();
        taken.retain(|name| !is_kvms(name));
        taken.dedup();
        Judged { found, refused: None, taken }
    }
}
