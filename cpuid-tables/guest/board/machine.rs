//! Limits and defaults that QEMU's code sets for a machine type, besides its compatibility properties (hw/i386/pc.c,
//! pc_piix.c, pc_q35.c, microvm.c of 10.0.13 and 7.2.22).

use crate::bits::release::QemuRelease;
use crate::guest::behaviour::Behaviour;
use crate::guest::error::BuildError;
use crate::guest::parse::machine::{Irqchip, MachineOption};
use crate::models::machine::MachineType;

/// A sort of machine types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    I440fx,
    Q35,
    Isapc,
    Microvm,
}

/// A machine, resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    pub(crate) machine_type: MachineType,
    /// The machine type's maximum number of vCPUs.
    pub(crate) max_cpus: u32,
    /// The highest APIC id that the board supports; `None` if only KVM limits it.
    pub(crate) max_apic_id: Option<u32>,
    /// Sockets are computed before cores.
    pub(crate) prefers_sockets: bool,
    pub(crate) dies: bool,
    pub(crate) modules: bool,
    /// `modules=` is accepted, even if only as 1.
    pub(crate) knows_modules: bool,
    pub(crate) zero_is_error: bool,
    pub(crate) irqchip: Irqchip,
    /// A PC, not a microvm.
    pub(crate) is_pc: bool,
    /// Takes `smp-cache`.
    pub(crate) caches: bool,
}

/// A q35's maximum number of vCPUs since a version: newest first.
const Q35_MAX_CPUS: [((u32, u32), u32); 4] = [((9, 0), 4096), ((8, 1), 1024), ((2, 8), 288), ((0, 0), 255)];
/// The last version whose machine types compute sockets before cores.
const PREFERS_SOCKETS_TO: (u32, u32) = (6, 1);
/// The last version whose boards report plugged processors in a bitmap (`legacy_cpu_hotplug`), and the bitmap's size.
const BITMAP_TO: (u32, u32) = (2, 6);
const BITMAP_MAX_APIC_ID: u32 = 255;

impl Machine {
    /// Finds a machine type by its name; `pc` and `q35` are the newest of their kind.
    pub(crate) fn find(
        release: QemuRelease,
        behaviour: &Behaviour,
        option: &MachineOption,
    ) -> Result<Machine, BuildError> {
        let unknown = || BuildError::UnknownMachine(option.name.clone());
        let newest = |prefix: &str| release.machines().find(|machine| machine.name().starts_with(prefix));
        let machine_type = match option.name.as_str() {
            "pc" => newest("pc-i440fx-"),
            "q35" => newest("pc-q35-"),
            name => release.machine(name),
        };
        let machine_type = machine_type.ok_or_else(unknown)?;
        let (kind, version) = kind(machine_type.name()).ok_or_else(unknown)?;
        let q35 = Q35_MAX_CPUS.iter().find(|(since, _)| version >= *since).map_or(255, |row| row.1);
        let is_pc = kind != Kind::Microvm;
        let splits = kind == Kind::Microvm || kind == Kind::Q35 && splits(machine_type.name());
        let default = if splits { Irqchip::Split } else { Irqchip::On };
        Ok(Machine {
            machine_type,
            max_cpus: match kind {
                Kind::I440fx => 255,
                Kind::Q35 => q35,
                Kind::Isapc => 1,
                Kind::Microvm => 288,
            },
            max_apic_id: (matches!(kind, Kind::I440fx | Kind::Q35) && version <= BITMAP_TO)
                .then_some(BITMAP_MAX_APIC_ID),
            prefers_sockets: matches!(kind, Kind::I440fx | Kind::Q35) && version <= PREFERS_SOCKETS_TO,
            dies: is_pc,
            modules: is_pc && behaviour.modules,
            knows_modules: behaviour.modules,
            zero_is_error: behaviour.zero_is_error,
            irqchip: option.irqchip.unwrap_or(default),
            is_pc,
            caches: is_pc && behaviour.caches_by_machine,
        })
    }
}

/// `pc-q35-4.0` had the split controller; 4.0.1 reverted it.
fn splits(name: &str) -> bool {
    name == "pc-q35-4.0"
}

fn kind(name: &str) -> Option<(Kind, (u32, u32))> {
    let (kind, version) = match name {
        "isapc" => (Kind::Isapc, ""),
        "microvm" => (Kind::Microvm, ""),
        _ => match (name.strip_prefix("pc-i440fx-"), name.strip_prefix("pc-q35-")) {
            (Some(version), _) => (Kind::I440fx, version),
            (_, Some(version)) => (Kind::Q35, version),
            // pc-1.3 and similar names.
            _ => (Kind::I440fx, name.strip_prefix("pc-")?),
        },
    };
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    Some((kind, (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))))
}
