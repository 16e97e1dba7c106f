//! Limits and defaults that QEMU's code sets for a machine type, besides its compatibility properties (hw/i386/pc.c,
//! pc_piix.c, pc_q35.c, microvm.c of 10.0.13 and 7.2.22).

use super::machine_kind::MachineKind;
use super::options;
use crate::bits::release::QemuRelease;
use crate::guest::error::BuildError;
use crate::guest::parse::machine::{Irqchip, MachineOption};
use crate::guest::parse::values::{size, unsigned};
use crate::guest::program::{MachineRef, upstream_machine};
use crate::guest::release::Release;
use crate::models::machine::MachineType;

/// A machine, resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine<'p> {
    pub(crate) kind: MachineKind,
    pub(crate) machine_type: MachineRef<'p>,
    /// The machine type's maximum number of vCPUs.
    pub(crate) max_cpus: u32,
    /// The highest APIC id that the board supports; `None` if only KVM limits it.
    pub(crate) max_apic_id: Option<u32>,
    /// Sockets are computed before cores.
    pub(crate) prefers_sockets: bool,
    pub(crate) modules: bool,
    /// `modules=` is accepted, even if only as 1.
    pub(crate) knows_modules: bool,
    /// The most vCPUs of a package that the board's SMBIOS describes (hw/smbios/smbios.c).
    pub(crate) max_package: Option<u32>,
    /// `books=1` and `drawers=1` are accepted.
    pub(crate) knows_books: bool,
    pub(crate) zero_is_error: bool,
    /// A count above 32 bits is too many for a level that the board lacks, before it is cut.
    pub(crate) asks_whole_counts: bool,
    pub(crate) irqchip: Irqchip,
    /// Takes `smp-cache`.
    pub(crate) caches: bool,
    /// Memory may be plugged: `maxmem` of `-m`.
    pub(crate) plugs_memory: bool,
    /// Memory of an AMD guest skips the reserved range below 1 TiB.
    pub(crate) avoids_hypertransport: bool,
    /// A 32-bit CPU needs no 64-bit PCI hole.
    pub(crate) knows_32_bit_cpus: bool,
    /// A 32-bit CPU's address space is not checked.
    pub(crate) trusts_32_bit_cpus: bool,
    /// An `isapc` of a release that limits its memory.
    pub(crate) limits_isapc: bool,
    /// `max-ram-below-4g`, in bytes.
    pub(crate) max_ram_below_4g: Option<u64>,
    /// A confidential guest, whose table QEMU builds differently.
    pub(crate) confidential: bool,
    /// `smm=on`, which KVM must support.
    pub(crate) smm: bool,
    /// A `bus-lock-ratelimit` that is not 0, which KVM must support.
    pub(crate) bus_locks: bool,
}

/// A q35's maximum number of vCPUs since a version: newest first.
const Q35_MAX_CPUS: [((u32, u32), u32); 4] = [((9, 0), 4096), ((8, 1), 1024), ((2, 8), 288), ((0, 0), 255)];
/// The last version whose machine types compute sockets before cores.
const PREFERS_SOCKETS_TO: (u32, u32) = (6, 1);
/// The last version whose boards report plugged processors in a bitmap (`legacy_cpu_hotplug`), and the bitmap's size.
const BITMAP_TO: (u32, u32) = (2, 6);
const BITMAP_MAX_APIC_ID: u32 = 255;
/// The last versions without memory that can be plugged, without a place for memory above AMD's reserved range, and
/// without a check of a 32-bit CPU's addresses.
const NO_PLUGGED_MEMORY_TO: (u32, u32) = (2, 1);
const NO_HYPERTRANSPORT_TO: (u32, u32) = (7, 0);
const TRUSTS_32_BIT_TO: (u32, u32) = (8, 1);
/// The last version whose boards have the 32-bit entry point of SMBIOS by default.
const SMALL_SMBIOS_TO: (u32, u32) = (8, 0);

impl<'p> Machine<'p> {
    /// Finds a machine type by its name; `pc` and `q35` are the newest of their kind, or what a program says.
    pub(crate) fn find(release: Release<'p>, option: &MachineOption) -> Result<Machine<'p>, BuildError> {
        let unknown = || BuildError::UnknownMachine(option.name.clone());
        let machine_type = match release.program {
            Some(program) => program.machine(&option.name).map(MachineRef::Stated),
            None => of_table(release.qemu, &option.name).map(MachineRef::Table),
        };
        let machine_type = machine_type.ok_or_else(unknown)?;
        let kind = MachineKind::from_name(machine_type.name()).ok_or_else(unknown)?;
        // A distribution's type of unknown origin is as new as its program.
        let version = upstream_machine(machine_type.name()).unwrap_or(release.number);
        let behaviour = &release.behaviour;
        let q35 = Q35_MAX_CPUS.iter().find(|(since, _)| version >= *since).map_or(255, |row| row.1);
        let is_pc = kind != MachineKind::Microvm;
        for (name, value) in &option.others {
            options::check(kind, release.number, name, value)?;
        }
        let other = |wanted: &str| {
            let found = option.others.iter().rev().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let pc_before =
            |last: (u32, u32)| matches!(kind, MachineKind::I440fx | MachineKind::Q35) && version <= last;
        let max_ram_below_4g = other("max-ram-below-4g").and_then(size);
        if max_ram_below_4g.is_some_and(|bytes| bytes > 1 << 32) {
            let value = other("max-ram-below-4g").unwrap_or_default();
            return Err(BuildError::value("max-ram-below-4g", value, "at most 4G"));
        }
        let splits = kind == MachineKind::Microvm || kind == MachineKind::Q35 && splits(machine_type.name());
        let default = if splits { Irqchip::Split } else { Irqchip::On };
        Ok(Machine {
            kind,
            machine_type,
            max_cpus: machine_type.max_cpus().unwrap_or(match kind {
                MachineKind::I440fx => 255,
                MachineKind::Q35 => q35,
                MachineKind::Isapc => 1,
                MachineKind::Microvm => 288,
            }),
            // ACPI's tables describe the bitmap.
            max_apic_id: (pc_before(BITMAP_TO) && other("acpi") != Some("off")).then_some(BITMAP_MAX_APIC_ID),
            prefers_sockets: pc_before(PREFERS_SOCKETS_TO),
            modules: is_pc && behaviour.modules,
            knows_modules: behaviour.modules,
            knows_books: behaviour.knows_books,
            max_package: behaviour.checks_smbios.then_some(254).filter(|_| {
                let is_board = matches!(kind, MachineKind::I440fx | MachineKind::Q35);
                is_board
                    && other("smbios-entry-point-type")
                        .map_or(pc_before(SMALL_SMBIOS_TO), |entry| entry == "32")
            }),
            zero_is_error: behaviour.zero_is_error,
            asks_whole_counts: behaviour.asks_whole_counts,
            irqchip: option.irqchip.unwrap_or(default),
            caches: is_pc && behaviour.caches_by_machine,
            plugs_memory: is_pc && kind != MachineKind::Isapc && !pc_before(NO_PLUGGED_MEMORY_TO),
            avoids_hypertransport: !pc_before(NO_HYPERTRANSPORT_TO),
            knows_32_bit_cpus: behaviour.knows_32_bit_addresses,
            trusts_32_bit_cpus: pc_before(TRUSTS_32_BIT_TO),
            limits_isapc: kind == MachineKind::Isapc && behaviour.isapc_is_old,
            max_ram_below_4g,
            confidential: ["confidential-guest-support", "memory-encryption"]
                .iter()
                .any(|name| other(name).is_some()),
            smm: other("smm") == Some("on"),
            bus_locks: other("bus-lock-ratelimit").and_then(unsigned).is_some_and(|limit| limit != 0),
        })
    }
}

impl Machine<'_> {
    /// A PC, which may have dies, and not a microvm.
    pub(crate) fn is_pc(&self) -> bool {
        self.kind != MachineKind::Microvm
    }

    /// A board that has system management mode.
    pub(crate) fn has_smm(&self) -> bool {
        matches!(self.kind, MachineKind::I440fx | MachineKind::Q35)
    }
}

/// `pc-q35-4.0` had the split controller; 4.0.1 reverted it.
fn splits(name: &str) -> bool {
    name == "pc-q35-4.0"
}

/// A machine type of the tables; `pc` and `q35` are the newest of their kind.
fn of_table(release: QemuRelease, name: &str) -> Option<MachineType> {
    let newest = |prefix: &str| release.machines().find(|machine| machine.name().starts_with(prefix));
    match name {
        "pc" => newest("pc-i440fx-"),
        "q35" => newest("pc-q35-"),
        name => release.machine(name),
    }
}
