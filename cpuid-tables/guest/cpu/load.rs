//! A CPU before the user's settings, then those set by name and value (`x86_cpu_load_model` and `max_x86_cpu_initfn`
//! of target/i386/cpu.c; host-cpu.c and kvm/kvm-cpu.c; `device_post_init` of hw/core/qdev.c).
//!
//! In QEMU's order: the model's definition with its versions' properties, the accelerator's defaults, the machine
//! type's compatibility properties, the user's global properties, and the user's settings by name and value. Signs follow when features are
//! expanded.

use super::flags::{HYPERVISOR, LM};
use super::{Class, Cpu};
use alloc::string::ToString;

use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::guest::error::BuildError;
use crate::guest::parse::cpu::{CpuOption, CpuSetting};
use crate::guest::parse::global::GlobalOption;
use crate::guest::parse::machine::Irqchip;
use crate::guest::parse::values::{Value, metric};
use crate::guest::program::Model;
use crate::guest::warning::Warning;
use crate::table::Vendor;

/// `MCG_LMCE_P`: machine checks delivered to a single processor.
pub(crate) const LMCE: u64 = 1 << 27;

impl Cpu<'_> {
    /// All steps up to the user's settings by name and value.
    pub(crate) fn load(&mut self, option: &CpuOption, globals: &[GlobalOption]) -> Result<(), BuildError> {
        match self.class {
            Class::Model(model) => {
                self.load_model(model)?;
                self.settings.vendor = self.host_vendor()?;
                self.kvm_defaults()?;
            }
            Class::Host | Class::Max => self.load_max()?,
            Class::Base if self.release.behaviour.base_has_vendor => {
                self.settings.vendor = self.host_vendor()?;
            }
            Class::Base => {}
        }
        self.compat()?;
        let class = self.class;
        for global in globals.iter().filter(|global| class.is_of_type(&global.driver, &option.model)) {
            self.set_property(&global.property, Value::Text(&global.value))?;
        }
        for setting in &option.settings {
            match setting {
                CpuSetting::Set(name, value) if name == "tsc-freq" => self.set_tsc_frequency(value)?,
                CpuSetting::Set(name, value) => self.set_property(name, Value::Text(value))?,
                CpuSetting::Plus(_) | CpuSetting::Minus(_) => {}
            }
        }
        if self.class.is_max() && self.release.behaviour.family_for_max && self.settings.family() == 0 {
            let (family, model, stepping) = if self.has(LM) { (15, 107, 1) } else { (6, 6, 3) };
            self.settings.set_family(family);
            self.settings.set_model(model);
            self.settings.set_stepping(stepping);
        }
        // A microvm always has the host's address width (`microvm_device_pre_plug_cb`).
        self.settings.host_phys_bits |= !self.machine.is_pc();
        Ok(())
    }

    /// `tsc-freq`, which is `tsc-frequency` with a suffix (`x86_cpu_parse_featurestr`).
    fn set_tsc_frequency(&mut self, value: &str) -> Result<(), BuildError> {
        let has_digit = !value.starts_with('.') || self.release.behaviour.suffixes_need_no_digit;
        let hertz = metric(value).filter(|hertz| has_digit && i64::try_from(*hertz).is_ok());
        let wrong = || BuildError::value("tsc-freq", value, "a frequency in Hz, such as 2.5G");
        self.set_property("tsc-frequency", Value::Text(&hertz.ok_or_else(wrong)?.to_string()))
    }

    fn load_model(&mut self, model: Model<'_>) -> Result<(), BuildError> {
        let settings = &mut self.settings;
        settings.min_level = model.level();
        settings.min_xlevel = model.xlevel();
        settings.set_family(model.family());
        settings.set_model(model.model_number());
        settings.set_stepping(model.stepping());
        settings.set_brand(model.model_id().as_bytes());
        self.caches = model.caches();
        settings.legacy_cache = self.caches.is_none();
        for (place, mask) in model.masks() {
            if let Some(at) = self.release.index_of(place) {
                self.words[at] = mask;
            }
        }
        if model.avx10_version() != 0 {
            self.set_avx10_version(model.avx10_version())?;
        }
        for (name, value) in model.properties() {
            self.set_stated(name, value)?;
        }
        self.set(HYPERVISOR);
        // The definition's properties do not count as user settings.
        self.user_words.fill(0);
        Ok(())
    }

    /// A named model has the host's vendor (`host_cpu_instance_init`).
    fn host_vendor(&self) -> Result<Vendor, BuildError> {
        let vendor = Vendor::from_registers(self.supported.instruction(0, 0));
        // QEMU sets the property `vendor` to a text of another length, and aborts.
        if vendor.0.contains(&0) { Err(BuildError::HostVendor) } else { Ok(vendor) }
    }

    /// KVM's defaults, some of which depend on the interrupt controller's location (`kvm_cpu_instance_init`).
    fn kvm_defaults(&mut self) -> Result<(), BuildError> {
        let irqchip = self.supported.irqchip;
        for (name, value) in self.machine.machine_type.kvm_defaults() {
            let value = match (name, irqchip) {
                ("x2apic", Irqchip::Off) => Some("off"),
                ("kvm-msi-ext-dest-id", Irqchip::Split) => Some("on"),
                _ => value,
            };
            if let Some(value) = value {
                self.set_property(name, Value::Text(value))?;
            }
        }
        Ok(())
    }

    /// The host's identity and levels (`host_cpu_max_instance_init`, `kvm_cpu_max_instance_init`).
    fn load_max(&mut self) -> Result<(), BuildError> {
        let (supported, vendor) = (self.supported, self.host_vendor()?);
        let Registers { eax: version, .. } = supported.instruction(1, 0);
        let mut brand = [0; 12];
        for (leaf, part) in (0x8000_0002..).zip(brand.chunks_exact_mut(4)) {
            part.copy_from_slice(&supported.instruction(leaf, 0).to_array());
        }
        let highest = |leaf| supported.register(CpuidWord::new(Leaf(leaf), Subleaf(0), Register::Eax));
        let settings = &mut self.settings;
        settings.pmu = true;
        settings.lmce = supported.host.mce_capabilities.is_some_and(|bits| bits & LMCE != 0);
        settings.migratable = true;
        settings.host_phys_bits = true;
        settings.vendor = vendor;
        let (family, model) = family_and_model(version, self.release.behaviour.decodes_host);
        settings.set_family(family);
        settings.set_model(model);
        settings.set_stepping(version & 0xf);
        settings.brand = until_zero(brand);
        if settings.brand[0] == 0 && self.release.behaviour.decodes_host {
            settings.set_brand(TCG_BRAND);
        }
        settings.min_level = highest(0);
        settings.min_xlevel = highest(0x8000_0000);
        settings.min_xlevel2 = highest(0xc000_0000);
        Ok(())
    }

    /// The machine type's settings (`object_apply_compat_props`).
    fn compat(&mut self) -> Result<(), BuildError> {
        for (cpu, property, value) in self.machine.machine_type.compat() {
            let class = self.class;
            if cpu.is_none_or(|cpu| class.is_called(cpu)) {
                self.set_stated(property, value)?;
            }
        }
        Ok(())
    }

    /// Sets a property of a model or a machine type. What a program alone knows is reported: the nearest release
    /// behaves as if it were not set.
    fn set_stated(&mut self, name: &str, value: &str) -> Result<(), BuildError> {
        match self.set_property(name, Value::Text(value)) {
            Err(BuildError::NotModelled(_)) if self.release.program.is_some() => {
                self.warnings
                    .push(Warning::NotModelled { property: name.to_string(), value: value.to_string() });
                Ok(())
            }
            result => result,
        }
    }
}

/// The brand string of `max` without KVM (`QEMU_HW_VERSION` of include/qemu/hw-version.h).
const TCG_BRAND: &[u8] = b"QEMU TCG CPU version 2.5+";

/// The host's family and model: with the extended fields only where the manual says, or always.
fn family_and_model(version: u32, by_manual: bool) -> (u32, u32) {
    let (base, extended) = (version >> 8 & 0xf, version >> 20 & 0xff);
    let family = if by_manual && base != 0xf { base } else { base + extended };
    let extended = if by_manual && family < 6 { 0 } else { version >> 16 & 0xf };
    (family, version >> 4 & 0xf | extended << 4)
}

/// A brand string ends at its first zero.
fn until_zero(mut brand: [u32; 12]) -> [u32; 12] {
    let mut ended = false;
    for word in &mut brand {
        let mut bytes = word.to_le_bytes();
        for byte in &mut bytes {
            ended |= *byte == 0;
            if ended {
                *byte = 0;
            }
        }
        *word = u32::from_le_bytes(bytes);
    }
    brand
}
