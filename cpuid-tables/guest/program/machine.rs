//! A machine type of the tables or of a program.

use alloc::string::String;
use alloc::vec::Vec;

use super::QemuProgram;
use super::name::without_suffix;
use crate::bits::qemu_cpu::DefaultVersion;
use crate::models::machine::{CompatProperty, MachineType, cpu_of};

/// A machine type that a program states.
#[derive(Clone, Debug)]
pub(crate) struct StatedMachine {
    pub(crate) name: String,
    /// `q35`.
    pub(crate) alias: Option<String>,
    pub(crate) max_cpus: Option<u32>,
    pub(crate) default_version: DefaultVersion,
    /// QOM type, property, value.
    pub(crate) compat: Vec<(String, String, String)>,
    pub(crate) kvm_defaults: Vec<(String, Option<String>)>,
}

impl QemuProgram {
    /// A machine type by its name or alias; a suffix such as Proxmox's `+pve0` is not part of it.
    pub(crate) fn machine(&self, name: &str) -> Option<&StatedMachine> {
        let called = |name: &str| {
            self.machines.iter().find(|row| row.name == name || row.alias.as_deref() == Some(name))
        };
        called(name).or_else(|| called(without_suffix(name)?))
    }
}

/// A machine type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MachineRef<'p> {
    /// From the tables.
    Table(MachineType),
    /// From a program.
    Stated(&'p StatedMachine),
}

impl<'p> MachineRef<'p> {
    pub(crate) fn name(self) -> &'p str {
        match self {
            MachineRef::Table(machine) => machine.name(),
            MachineRef::Stated(machine) => &machine.name,
        }
    }

    pub(crate) fn default_version(self) -> DefaultVersion {
        match self {
            MachineRef::Table(machine) => machine.default_version(),
            MachineRef::Stated(machine) => machine.default_version,
        }
    }

    /// The maximum number of vCPUs, if a program states it.
    pub(crate) fn max_cpus(self) -> Option<u32> {
        match self {
            MachineRef::Table(_) => None,
            MachineRef::Stated(machine) => machine.max_cpus,
        }
    }

    /// The compatibility properties of CPUs, in order: the CPU, if it is for one, the property and its value.
    pub(crate) fn compat(self) -> impl Iterator<Item = (Option<&'p str>, &'p str, &'p str)> + use<'p> {
        let (table, stated) = match self {
            MachineRef::Table(machine) => (Some(machine), &[][..]),
            MachineRef::Stated(machine) => (None, machine.compat.as_slice()),
        };
        let of_table = table.into_iter().flat_map(MachineType::compat);
        let of_table =
            of_table.map(|CompatProperty { qom_type, property, value }| (cpu_of(qom_type), property, value));
        let stated = stated
            .iter()
            .map(|(qom_type, property, value)| (cpu_of(qom_type), property.as_str(), value.as_str()));
        of_table.chain(stated)
    }

    /// KVM's default properties.
    pub(crate) fn kvm_defaults(self) -> impl Iterator<Item = (&'p str, Option<&'p str>)> {
        let (table, stated) = match self {
            MachineRef::Table(machine) => (Some(machine), &[][..]),
            MachineRef::Stated(machine) => (None, machine.kvm_defaults.as_slice()),
        };
        let stated = stated.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        // The names of the tables are static.
        let of_table = table.into_iter().flat_map(MachineType::kvm_defaults);
        of_table.map(|(name, value)| -> (&'p str, Option<&'p str>) { (name, value) }).chain(stated)
    }
}
