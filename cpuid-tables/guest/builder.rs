//! Typed settings of a guest, and the way from them to its table.

use crate::bits::location::Registers;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::behaviour::Release;
use super::board::machine::Machine;
use super::board::topology::Topology;
use super::cpu::components::Components;
use super::cpu::flags::WORDS;
use super::cpu::settings::Settings;
use super::cpu::supported::Supported;
use super::cpu::{Class, Cpu};
use super::error::BuildError;
use super::guest_cpuid::{GuestCpuid, GuestFeatures};
use super::leaves::assemble::{Leaves, assemble};
use super::parse::cpu::{CpuOption, CpuSetting};
use super::parse::machine::Irqchip;
use super::parse::machine::MachineOption;
use super::parse::smp::Smp;
use super::report::Warning;
use super::sgx::SgxSection;
use crate::bits::qemu_cpu::{CacheSlot, SharedBy};
use crate::bits::release::QemuRelease;
use crate::host::Capability;
use crate::host::Host;

/// What a guest is to be. Everything but the host has a default: QEMU 10.0 where the tables have it, `qemu64`, one vCPU,
/// the newest `pc`.
#[derive(Clone, Debug)]
pub struct GuestCpuidBuilder<'h> {
    release: QemuRelease,
    cpu: CpuOption,
    smp: Smp,
    machine: MachineOption,
    host: Option<&'h Host>,
    cpu_pm: bool,
    sgx: Vec<SgxSection>,
    sgx_provisioning: bool,
}

/// The release of QEMU that guests are built as unless another is asked for: 10.0, which was compared with its binary; the
/// newest, in tables without it.
#[must_use]
pub fn default_release() -> QemuRelease {
    QemuRelease::find("10.0").unwrap_or(QemuRelease::NEWEST)
}

impl GuestCpuid {
    /// Settings of a guest.
    #[must_use]
    pub fn builder<'h>() -> GuestCpuidBuilder<'h> {
        GuestCpuidBuilder::default()
    }
}

impl Default for GuestCpuidBuilder<'_> {
    fn default() -> Self {
        GuestCpuidBuilder {
            release: default_release(),
            cpu: CpuOption::new("qemu64"),
            smp: Smp::default(),
            machine: MachineOption::default(),
            host: None,
            cpu_pm: false,
            sgx: Vec::new(),
            sgx_provisioning: false,
        }
    }
}

impl<'h> GuestCpuidBuilder<'h> {
    /// Which QEMU it is to be like.
    #[must_use]
    pub fn release(mut self, release: QemuRelease) -> Self {
        self.release = release;
        self
    }

    /// `-cpu`, as a whole.
    #[must_use]
    pub fn cpu(mut self, cpu: CpuOption) -> Self {
        self.cpu = cpu;
        self
    }

    /// The CPU, in any of its names, or `host`, `max` or `base`; settings that there are stay.
    #[must_use]
    pub fn model(mut self, name: &str) -> Self {
        self.cpu.model = name.to_string();
        self
    }

    /// Sets a property: `name=value` of `-cpu`.
    #[must_use]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.cpu.settings.push(CpuSetting::Set(name.replace('_', "-"), value.to_string()));
        self
    }

    /// Adds a feature: `+name` of `-cpu`.
    #[must_use]
    pub fn plus(mut self, name: &str) -> Self {
        self.cpu.settings.push(CpuSetting::Plus(name.to_string()));
        self
    }

    /// Takes a feature away: `-name` of `-cpu`.
    #[must_use]
    pub fn minus(mut self, name: &str) -> Self {
        self.cpu.settings.push(CpuSetting::Minus(name.to_string()));
        self
    }

    /// `-smp`.
    #[must_use]
    pub fn topology(mut self, smp: Smp) -> Self {
        self.smp = smp;
        self
    }

    /// `-machine`.
    #[must_use]
    pub fn machine(mut self, machine: MachineOption) -> Self {
        self.machine = machine;
        self
    }

    /// The machine type's interrupt controller, in place of its own choice.
    #[must_use]
    pub fn irqchip(mut self, irqchip: Irqchip) -> Self {
        self.machine.irqchip = Some(irqchip);
        self
    }

    /// Who shares a cache: `smp-cache` of `-machine`.
    #[must_use]
    pub fn cache(mut self, slot: CacheSlot, level: SharedBy) -> Self {
        self.machine.caches.push((slot, level));
        self
    }

    /// The host.
    #[must_use]
    pub fn host(mut self, host: &'h Host) -> Self {
        self.host = Some(host);
        self
    }

    /// `-overcommit cpu-pm=on`: `host` and `max` may wait by MWAIT and UMWAIT.
    #[must_use]
    pub fn cpu_pm(mut self, on: bool) -> Self {
        self.cpu_pm = on;
        self
    }

    /// Sections of SGX memory, in order.
    #[must_use]
    pub fn sgx(mut self, sections: &[SgxSection]) -> Self {
        self.sgx = sections.to_vec();
        self
    }

    /// The guest may use SGX's provisioning key: `/dev/sgx_provision` can be opened.
    #[must_use]
    pub fn sgx_provisioning(mut self, on: bool) -> Self {
        self.sgx_provisioning = on;
        self
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] where QEMU would end with an error, too.
    pub fn build(&self) -> Result<GuestCpuid, BuildError> {
        let mut cpu = self.prepared()?;
        cpu.load(&self.cpu)?;
        cpu.realize(&self.cpu)?;
        let caches = cpu.cache_info(&self.machine.caches)?;
        let (sgx, sgx_provisioning) = (&*self.sgx, self.sgx_provisioning);
        let leaves = Leaves { cpu: &cpu, caches: &caches, sgx, sgx_provisioning };
        let base = assemble(&leaves, cpu.topology.layout(cpu.settings.legacy_multi_node))?;
        Ok(GuestCpuid {
            base,
            topology: cpu.topology,
            features: GuestFeatures { release: cpu.release, words: cpu.words },
            filtered: cpu.filtered,
            warnings: cpu.warnings,
        })
    }

    /// The release.
    pub(super) fn qemu(&self) -> QemuRelease {
        self.release
    }

    /// The machine type as it was asked for.
    pub(super) fn machine_name(&self) -> &str {
        &self.machine.name
    }

    /// The machine, resolved.
    pub(super) fn resolved_machine(&self) -> Result<Machine, BuildError> {
        Machine::find(self.release, &Release::new(self.release).behaviour, &self.machine)
    }

    /// A CPU on this host, of which nothing is set yet.
    pub(super) fn prepared(&self) -> Result<Cpu<'h>, BuildError> {
        let host = self.host.ok_or(BuildError::NoHost)?;
        let release = Release::new(self.release);
        if !release.is_known() {
            return Err(BuildError::Release(self.release));
        }
        let machine = self.resolved_machine()?;
        let smp = self.smp.overridden(&self.machine.smp);
        let topology = smp.resolve(&machine)?;
        let supported = Supported { host, release, irqchip: machine.irqchip, cpu_pm: self.cpu_pm };
        let supported = supported.with_kernels_irqchip();
        let mut warnings: Vec<Warning> =
            smp.has_zero().then_some(Warning::ZeroTopology).into_iter().collect();
        check_vcpus(&supported, &machine, &topology, &mut warnings)?;
        warnings.extend(self.cpu.ambiguous().map(|name| Warning::Ambiguous(name.to_string())));
        let host_words = supported.words(machine.is_pc);
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

    fn class(&self, machine: &Machine) -> Result<Class, BuildError> {
        Ok(match self.cpu.model.as_str() {
            "host" => Class::Host,
            "max" => Class::Max,
            "base" => Class::Base,
            name => {
                let model = self.release.cpu_model(name);
                let model = model.ok_or_else(|| BuildError::UnknownModel(name.to_string()))?;
                Class::Model(model.for_machine(machine.machine_type))
            }
        })
    }
}

impl Smp {
    /// These numbers, with those of another in their place where it has any.
    fn overridden(&self, other: &Smp) -> Smp {
        Smp {
            cpus: other.cpus.or(self.cpus),
            max_cpus: other.max_cpus.or(self.max_cpus),
            sockets: other.sockets.or(self.sockets),
            dies: other.dies.or(self.dies),
            modules: other.modules.or(self.modules),
            cores: other.cores.or(self.cores),
            threads: other.threads.or(self.threads),
        }
    }
}

impl Supported<'_> {
    /// Without `KVM_CAP_IRQCHIP` there is none in the kernel.
    fn with_kernels_irqchip(mut self) -> Self {
        if self.capability(Capability::IRQCHIP) <= 0 {
            self.irqchip = Irqchip::Off;
        }
        self
    }
}

/// KVM takes so many vCPUs, and such APIC ids (`kvm_init` of accel/kvm/kvm-all.c, `x86_cpus_init` of
/// hw/i386/x86-common.c, `build_legacy_cpu_hotplug_aml` of hw/acpi/cpu_hotplug.c).
fn check_vcpus(
    supported: &Supported<'_>,
    machine: &Machine,
    topology: &Topology,
    warnings: &mut Vec<Warning>,
) -> Result<(), BuildError> {
    let recommended = supported.capability(Capability::NR_VCPUS).max(1);
    let max = supported.capability(Capability::MAX_VCPUS);
    let max = if max > 0 { max } else { recommended };
    for (wanted, hot_pluggable) in [(topology.cpus, false), (topology.max_cpus, true)] {
        if i64::from(wanted) > recommended {
            warnings.push(Warning::ManyVcpus { wanted, hot_pluggable, recommended });
        }
        if i64::from(wanted) > max {
            return Err(BuildError::TooManyVcpus { wanted, max });
        }
    }
    let last = crate::guest::board::apic_id::Vcpu::of(topology, topology.max_cpus - 1);
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
