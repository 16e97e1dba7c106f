//! Typed settings of a guest, and the steps from them to its table; `prepare.rs` has the first of them.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::board::memory::Addressing;
use super::cpu::flags::LM;
use super::error::BuildError;
use super::guest_cpuid::{GuestCpuid, GuestFeatures};
use super::leaves::assemble::{Leaves, assemble};
use super::parse::accel::AccelOption;
use super::parse::cpu::{CpuOption, CpuSetting};
use super::parse::global::GlobalOption;
use super::parse::machine::{Irqchip, MachineOption};
use super::parse::memory::Memory;
use super::parse::smp::Smp;
use super::program::QemuProgram;
use super::sgx::SgxSection;
use super::warning::Warning;
use crate::bits::location::WordSource;
use crate::bits::qemu_cpu::{CacheSlot, SharedBy};
use crate::bits::release::QemuRelease;
use crate::host::{Capability, Host};
use crate::table::VcpuBase;

/// Builder for a guest's tables. Everything but the host has a default: QEMU 10.0 if the tables have it, `qemu64`,
/// one vCPU, the newest `pc` with 128 MiB.
#[derive(Clone, Debug)]
pub struct GuestCpuidBuilder<'h> {
    pub(super) release: QemuRelease,
    pub(super) cpu: CpuOption,
    pub(super) smp: Smp,
    pub(super) machine: MachineOption,
    pub(super) accel: AccelOption,
    pub(super) globals: Vec<GlobalOption>,
    pub(super) memory: Memory,
    pub(super) host: Option<&'h Host>,
    pub(super) cpu_pm: bool,
    pub(super) sgx: Vec<SgxSection>,
    pub(super) sgx_provisioning: bool,
    pub(super) program: Option<&'h QemuProgram>,
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

    /// The machine type as it was asked for.
    pub(super) fn machine_name(&self) -> &str {
        &self.machine.name
    }
}
