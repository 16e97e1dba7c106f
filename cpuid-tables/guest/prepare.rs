//! From a builder's settings to a CPU on its host: release or program, machine, topology, KVM's limits, class of CPU.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::board::apic_id::Vcpu;
use super::board::machine::Machine;
use super::board::machine_kind::MachineKind;
use super::board::topology::Topology;
use super::builder::GuestCpuidBuilder;
use super::cpu::components::Components;
use super::cpu::flags::WORDS;
use super::cpu::settings::Settings;
use super::cpu::supported::Supported;
use super::cpu::{CPU_TYPE, Class, Cpu};
use super::error::BuildError;
use super::parse::accel;
use super::parse::global::GlobalOption;
use super::parse::machine::Irqchip;
use super::program::{Asked, Model};
use super::release::Release;
use super::warning::Warning;
use crate::bits::location::Registers;
use crate::host::Capability;

impl<'h> GuestCpuidBuilder<'h> {
    /// Every model, by its name without a version.
    pub(super) fn models(&self) -> Vec<Model<'h>> {
        match self.program {
            Some(program) => program.models.iter().map(|model| Model::Stated(Asked::plain(model))).collect(),
            None => self.release.cpu_models().map(Model::Table).collect(),
        }
    }

    fn emulated(&self) -> Release<'h> {
        self.program.map_or_else(|| Release::new(self.release), Release::of_program)
    }

    /// The machine, resolved.
    pub(super) fn resolved_machine(&self) -> Result<Machine<'h>, BuildError> {
        let release = self.emulated();
        for (name, value) in &self.accel.others {
            accel::check(release.number, name, value)?;
        }
        let mut machine = Machine::find(release, &self.machine)?;
        machine.irqchip = self.accel.irqchip.unwrap_or(machine.irqchip);
        Ok(machine)
    }

    /// Global properties of CPUs that do not exist.
    pub(super) fn globals_of_no_cpu(&self) -> impl Iterator<Item = &GlobalOption> {
        self.globals.iter().filter(|global| {
            let name = global.driver.strip_suffix(CPU_TYPE);
            name.is_some_and(|name| self.class_called(name).is_none())
        })
    }

    /// A CPU on this host, without settings.
    pub(super) fn prepared(&self) -> Result<Cpu<'h>, BuildError> {
        let host = self.host.ok_or(BuildError::NoHost)?;
        let release = self.emulated();
        if !release.is_known() {
            return Err(BuildError::Release(self.release));
        }
        let machine = self.resolved_machine()?;
        let smp = self.smp.overridden(&self.machine.smp);
        let topology = smp.resolve(&machine)?;
        let supported = Supported { host, release, irqchip: machine.irqchip, cpu_pm: self.cpu_pm };
        let supported = supported.with_kernels_irqchip();
        supported.check_required()?;
        let mut warnings: Vec<Warning> =
            smp.has_zero().then_some(Warning::ZeroTopology).into_iter().collect();
        check_vcpus(&supported, &machine, &topology, &mut warnings)?;
        warnings.extend(self.cpu.ambiguous().map(|name| Warning::Ambiguous(name.to_string())));
        if machine.confidential {
            warnings.push(Warning::Confidential);
        }
        if machine.kind == MachineKind::Isapc
            && release.behaviour.isapc_is_old
            && !CPUS_OF_ISAPC.contains(&self.cpu.model.as_str())
        {
            warnings.push(Warning::IsapcCpu(self.cpu.model.clone()));
        }
        let host_words = supported.words(machine.is_pc());
        let components = Components::new(release, &supported, &host_words)?;
        Ok(Cpu {
            release,
            class: self.class(&machine)?,
            machine,
            topology,
            supported,
            host_words,
            words: [0; WORDS],
            user_words: [0; WORDS],
            settings: Settings::new(&release.behaviour),
            components,
            caches: None,
            mwait: Registers::ZERO,
            filtered: Vec::new(),
            warnings,
        })
    }

    fn class(&self, machine: &Machine<'_>) -> Result<Class<'h>, BuildError> {
        let name = &self.cpu.model;
        match self.class_called(name).ok_or_else(|| BuildError::UnknownModel(name.clone()))? {
            Class::Model(model) => Ok(Class::Model(model.for_machine(machine.machine_type))),
            other => Ok(other),
        }
    }

    fn class_called(&self, name: &str) -> Option<Class<'h>> {
        match name {
            "host" => Some(Class::Host),
            "max" => Some(Class::Max),
            "base" => Some(Class::Base),
            name => {
                let model = match self.program {
                    Some(_) => self.models().into_iter().find_map(|model| model.called(name)),
                    None => self.release.cpu_model(name).map(Model::Table),
                };
                model.map(Class::Model)
            }
        }
    }
}

impl Supported<'_> {
    /// Without `KVM_CAP_IRQCHIP` the interrupt controllers are not in the kernel.
    fn with_kernels_irqchip(mut self) -> Self {
        if self.capability(Capability::IRQCHIP) <= 0 {
            self.irqchip = Irqchip::Off;
        }
        self
    }
}

/// The CPUs for which `isapc` is meant (hw/i386/isapc.c).
const CPUS_OF_ISAPC: [&str; 7] = ["486", "athlon", "kvm32", "pentium", "pentium2", "pentium3", "qemu32"];
/// `KVM_BUS_LOCK_DETECTION_EXIT`.
const BUS_LOCK_EXITS: i64 = 2;

/// Checks the number of vCPUs and the APIC ids against KVM's limits (`kvm_init` of accel/kvm/kvm-all.c,
/// `x86_cpus_init` of hw/i386/x86-common.c, `build_legacy_cpu_hotplug_aml` of hw/acpi/cpu_hotplug.c).
fn check_vcpus(
    supported: &Supported<'_>,
    machine: &Machine<'_>,
    topology: &Topology,
    warnings: &mut Vec<Warning>,
) -> Result<(), BuildError> {
    /// The number that QEMU assumes if KVM reports none.
    const RECOMMENDED: i64 = 4;
    let positive = |capability, or| Some(supported.capability(capability)).filter(|n| *n > 0).unwrap_or(or);
    let recommended = positive(Capability::NR_VCPUS, RECOMMENDED);
    let max = positive(Capability::MAX_VCPUS, recommended);
    for (wanted, hot_pluggable) in [(topology.cpus, false), (topology.max_cpus, true)] {
        // QEMU compares with the maximum only above the recommended number.
        if i64::from(wanted) <= recommended {
            continue;
        }
        warnings.push(Warning::ManyVcpus { wanted, hot_pluggable, recommended });
        if i64::from(wanted) > max {
            return Err(BuildError::TooManyVcpus { wanted, max });
        }
    }
    let asks = supported.release.behaviour.cpus_use_smm || machine.has_smm();
    if machine.smm && asks && supported.capability(Capability::X86_SMM) <= 0 {
        return Err(BuildError::MachineUnsupported("smm"));
    }
    if machine.bus_locks && supported.capability(Capability::X86_BUS_LOCK_EXIT) & BUS_LOCK_EXITS == 0 {
        return Err(BuildError::MachineUnsupported("bus-lock-ratelimit"));
    }
    let last = Vcpu::from_index(topology, topology.max_cpus - 1);
    if last.apic_id >= 255
        && supported.irqchip != Irqchip::Off
        && supported.capability(Capability::X2APIC_API) <= 0
    {
        return Err(BuildError::X2apicApi);
    }
    if let Some(max) = machine.max_apic_id.filter(|max| last.apic_id > *max) {
        return Err(BuildError::ApicId { id: last.apic_id, max });
    }
    Ok(())
}
