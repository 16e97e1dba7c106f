//! Typed settings of a guest, and the steps from them to its table.

use crate::bits::location::{Registers, WordSource};
use alloc::string::ToString;
use alloc::vec::Vec;

use super::board::machine::Machine;
use super::board::machine_kind::MachineKind;
use super::board::memory::Addressing;
use super::board::topology::Topology;
use super::cpu::components::Components;
use super::cpu::flags::{LM, WORDS};
use super::cpu::settings::Settings;
use super::cpu::supported::Supported;
use super::cpu::{CPU_TYPE, Class, Cpu};
use super::error::BuildError;
use super::guest_cpuid::{GuestCpuid, GuestFeatures};
use super::leaves::assemble::{Leaves, assemble};
use super::parse::accel::{self, AccelOption};
use super::parse::cpu::{CpuOption, CpuSetting};
use super::parse::global::GlobalOption;
use super::parse::machine::Irqchip;
use super::parse::machine::MachineOption;
use super::parse::memory::Memory;
use super::parse::smp::Smp;
use super::program::{Asked, Model, QemuProgram};
use super::release::Release;
use super::report::Warning;
use super::sgx::SgxSection;
use crate::bits::qemu_cpu::{CacheSlot, SharedBy};
use crate::bits::release::QemuRelease;
use crate::host::Capability;
use crate::host::Host;
use crate::table::VcpuBase;

/// Builder for a guest's tables. Everything but the host has a default: QEMU 10.0 if the tables have it, `qemu64`,
/// one vCPU, the newest `pc` with 128 MiB.
#[derive(Clone, Debug)]
pub struct GuestCpuidBuilder<'h> {
    release: QemuRelease,
    cpu: CpuOption,
    smp: Smp,
    machine: MachineOption,
    accel: AccelOption,
    globals: Vec<GlobalOption>,
    memory: Memory,
    host: Option<&'h Host>,
    cpu_pm: bool,
    sgx: Vec<SgxSection>,
    sgx_provisioning: bool,
    program: Option<&'h QemuProgram>,
}

/// The default QEMU release: 10.0, which was compared with its binary; the newest, if the tables lack 10.0.
#[must_use]
pub fn default_release() -> QemuRelease {
    QemuRelease::find("10.0").unwrap_or(QemuRelease::NEWEST)
}

impl GuestCpuid {
    /// A builder with default settings.
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
            memory: Memory::default(),
            host: None,
            accel: AccelOption::default(),
            globals: Vec::new(),
            cpu_pm: false,
            sgx: Vec::new(),
            sgx_provisioning: false,
            program: None,
        }
    }
}

impl<'h> GuestCpuidBuilder<'h> {
    /// The QEMU release to emulate.
    #[must_use]
    pub fn release(mut self, release: QemuRelease) -> Self {
        self.release = release;
        self.program = None;
        self
    }

    /// The QEMU program to emulate, instead of a release.
    #[must_use]
    pub fn program(mut self, program: &'h QemuProgram) -> Self {
        self.release = program.facts_of();
        self.program = Some(program);
        self
    }

    /// `-cpu`, as a whole.
    #[must_use]
    pub fn cpu(mut self, cpu: CpuOption) -> Self {
        self.cpu = cpu;
        self
    }

    /// The CPU model, by any of its names, or `host`, `max` or `base`; keeps other settings.
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

    /// Removes a feature: `-name` of `-cpu`.
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

    /// `-accel`.
    #[must_use]
    pub fn accel(mut self, accel: AccelOption) -> Self {
        self.accel = accel;
        self
    }

    /// `-global`, which may be given several times: set before the properties of `-cpu`.
    #[must_use]
    pub fn global(mut self, global: GlobalOption) -> Self {
        self.globals.push(global);
        self
    }

    /// `-m`. It changes no table, but QEMU refuses a CPU that cannot address it.
    #[must_use]
    pub fn memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// The location of the interrupt controllers, instead of the machine type's default.
    #[must_use]
    pub fn irqchip(mut self, irqchip: Irqchip) -> Self {
        self.machine.irqchip = Some(irqchip);
        self
    }

    /// The topology level that shares a cache: `smp-cache` of `-machine`.
    #[must_use]
    pub fn cache(mut self, slot: CacheSlot, level: SharedBy) -> Self {
        self.machine.caches.push((slot, Some(level)));
        self
    }

    /// The host.
    #[must_use]
    pub fn host(mut self, host: &'h Host) -> Self {
        self.host = Some(host);
        self
    }

    /// `-overcommit cpu-pm=on`: allows MWAIT and UMWAIT for `host` and `max`.
    #[must_use]
    pub fn cpu_pm(mut self, on: bool) -> Self {
        self.cpu_pm = on;
        self
    }

    /// Sections of the guest's SGX memory, in order.
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

    /// Builds the tables.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if QEMU would fail too.
    pub fn build(&self) -> Result<GuestCpuid, BuildError> {
        let mut cpu = self.prepared()?;
        cpu.load(&self.cpu, &self.globals)?;
        cpu.realize(&self.cpu)?;
        let addressing =
            Addressing { phys_bits: cpu.settings.phys_bits, is_64_bit: cpu.has(LM), is_amd: cpu.is_amd() };
        cpu.check_mtrr_mask()?;
        cpu.check_saved_components()?;
        if cpu.settings.pv_enforce_cpuid {
            cpu.supported.check_known(Capability::ENFORCE_PV_FEATURE_CPUID)?;
        }
        cpu.machine.check_memory(&self.memory, &self.sgx, addressing)?;
        cpu.warnings.extend(self.globals_of_no_cpu().cloned().map(Warning::NoSuchCpu));
        let caches = cpu.cache_info(&self.machine.caches)?;
        let (sgx, sgx_provisioning) = (&*self.sgx, self.sgx_provisioning);
        let leaves = Leaves { cpu: &cpu, caches: &caches, sgx, sgx_provisioning };
        let base: VcpuBase = assemble(&leaves, cpu.topology.layout(cpu.settings.legacy_multi_node))?;
        Ok(GuestCpuid {
            msrs: cpu.reset_msrs(&base),
            machine_checks: cpu.settings.machine_checks,
            base,
            topology: cpu.topology,
            features: GuestFeatures { rows: cpu.release.tables.words, words: cpu.words },
            filtered: cpu.filtered,
            warnings: cpu.warnings,
        })
    }

    /// The feature words that the CPU requests: after dependencies and the settings of the accelerator and the machine type,
    /// and before the host filters them. A model's depend on the host only by its vendor; `host` and `max` request what the
    /// host has.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if QEMU would fail before it filters the features.
    ///
    /// ```
    /// use cpuid_tables::host::{Host, HostFile};
    /// use cpuid_tables::{guest::{GuestCpuid, WordSource}, Leaf};
    ///
    /// let mut host = Host::default();
    /// host.read(HostFile::Instruction, "0 0 0 1 68747541 444d4163 69746e65")?;
    /// let words = GuestCpuid::builder().model("EPYC-Milan").host(&host).requested()?;
    /// // Without SVM, which KVM's guests have only on request, none of its features.
    /// let svm = |source: &WordSource| matches!(source, WordSource::Cpuid(word) if word.leaf == Leaf(0x8000_000a));
    /// assert!(words.iter().all(|(source, value)| !svm(source) || *value == 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn requested(&self) -> Result<Vec<(WordSource, u64)>, BuildError> {
        let mut cpu = self.prepared()?;
        cpu.load(&self.cpu, &self.globals)?;
        cpu.expand(&self.cpu)?;
        Ok(cpu.sourced_words())
    }

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

    /// The machine type as it was asked for.
    pub(super) fn machine_name(&self) -> &str {
        &self.machine.name
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
    fn globals_of_no_cpu(&self) -> impl Iterator<Item = &GlobalOption> {
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
    let last = crate::guest::board::apic_id::Vcpu::from_index(topology, topology.max_cpus - 1);
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
