//! Properties of `-cpu` that are not bits of feature words: `x86_cpu_properties[]` and those with their own setters
//! (target/i386/cpu.c).

use alloc::string::String;

use super::Cpu;
use super::settings::{IDS, OnOffAuto, words};
use crate::guest::error::BuildError;
use crate::guest::parse::values::{Value, boolean, signed, unsigned};
use crate::models::machine::CpuProperty;
use crate::table::Vendor;

/// Parses the values of one property.
struct Reader<'v> {
    name: &'static str,
    value: Value<'v>,
}

impl Reader<'_> {
    fn wrong(&self, expected: &'static str) -> BuildError {
        let text = match self.value {
            Value::Text(text) => text,
            Value::Bool(true) => "on",
            Value::Bool(false) => "off",
        };
        BuildError::value(self.name, text, expected)
    }

    fn text(&self, expected: &'static str) -> Result<&str, BuildError> {
        match self.value {
            Value::Text(text) => Ok(text),
            Value::Bool(_) => Err(self.wrong(expected)),
        }
    }

    fn boolean(&self) -> Result<bool, BuildError> {
        let value = match self.value {
            Value::Text(text) => boolean(text),
            Value::Bool(value) => Some(value),
        };
        value.ok_or_else(|| self.wrong("on or off"))
    }

    fn unsigned<T: TryFrom<u64>>(&self, expected: &'static str) -> Result<T, BuildError> {
        let value = unsigned(self.text(expected)?).and_then(|value| T::try_from(value).ok());
        value.ok_or_else(|| self.wrong(expected))
    }

    fn u32(&self) -> Result<u32, BuildError> {
        self.unsigned("a 32-bit number")
    }

    fn u8(&self) -> Result<u8, BuildError> {
        self.unsigned("an 8-bit number")
    }

    fn u16(&self) -> Result<u16, BuildError> {
        self.unsigned("a 16-bit number")
    }

    /// A signed number, as its bits.
    fn i32(&self) -> Result<u32, BuildError> {
        let expected = "a signed 32-bit number";
        let value = signed(self.text(expected)?).and_then(|value| i32::try_from(value).ok());
        let value = value.ok_or_else(|| self.wrong(expected))?;
        Ok(u32::from_ne_bytes(value.to_ne_bytes()))
    }

    fn at_most(&self, max: u32, expected: &'static str) -> Result<u32, BuildError> {
        let value: u32 = self.unsigned(expected)?;
        if value > max { Err(self.wrong(expected)) } else { Ok(value) }
    }

    fn on_off_auto(&self) -> Result<OnOffAuto, BuildError> {
        let expected = "on, off or auto";
        match self.text(expected)? {
            "on" => Ok(OnOffAuto::On),
            "off" => Ok(OnOffAuto::Off),
            "auto" => Ok(OnOffAuto::Auto),
            _ => Err(self.wrong(expected)),
        }
    }

    /// A frequency in Hz, as kHz.
    fn khz(&self) -> Result<u64, BuildError> {
        let expected = "a frequency in Hz";
        let hertz = signed(self.text(expected)?).and_then(|hertz| u64::try_from(hertz).ok());
        Ok(hertz.ok_or_else(|| self.wrong(expected))? / 1000)
    }

    fn lbr_format(&self) -> Result<u64, BuildError> {
        let format: u64 = self.unsigned("a six-bit format")?;
        if format & !0x3f == 0 { Ok(format) } else { Err(self.wrong("a six-bit format")) }
    }
}

impl Cpu<'_> {
    /// Sets a property that is not a bit of a feature word.
    pub(crate) fn set_other(&mut self, property: CpuProperty, value: Value<'_>) -> Result<(), BuildError> {
        let read = Reader { name: property.name, value };
        if property.kind == "bit64" && property.field == Some("hyperv_features") {
            let bit = property.bit.map_or(0, |bit| 1u64 << (bit.0 & 63));
            let all = &mut self.settings.hyperv_features;
            *all = if read.boolean()? { *all | bit } else { *all & !bit };
            return Ok(());
        }
        if self.set_number(&read)? || self.set_switch(&read)? || self.set_identity(&read)? {
            return Ok(());
        }
        self.set_without_effect(&read)
    }

    fn set_number(&mut self, read: &Reader<'_>) -> Result<bool, BuildError> {
        let settings = &mut self.settings;
        match read.name {
            "hv-spinlocks" => settings.hv_spinlocks = read.u32()?,
            "hv-version-id-build" => settings.hv_version_build = read.u32()?,
            "hv-version-id-major" => settings.hv_version_major = read.u16()?,
            "hv-version-id-minor" => settings.hv_version_minor = read.u16()?,
            "hv-version-id-spack" => settings.hv_version_spack = read.u32()?,
            "hv-version-id-sbranch" => settings.hv_version_sbranch = read.u8()?,
            "hv-version-id-snumber" => settings.hv_version_snumber = read.u32()?,
            "x-hv-max-vps" => settings.hv_max_vps = read.i32()?,
            "phys-bits" => settings.phys_bits = read.u32()?,
            "guest-phys-bits" => settings.guest_phys_bits = set(read.u32()?),
            "host-phys-bits-limit" => settings.host_phys_bits_limit = read.u8()?,
            "level-func7" => settings.level_func7 = set(read.u32()?),
            "level" => settings.level = set(read.u32()?),
            "xlevel" => settings.xlevel = set(read.u32()?),
            "xlevel2" => settings.xlevel2 = set(read.u32()?),
            "min-level" => settings.min_level = read.u32()?,
            "min-xlevel" => settings.min_xlevel = read.u32()?,
            "min-xlevel2" => settings.min_xlevel2 = read.u32()?,
            "avx10-version" => self.set_avx10_version(read.u8()?)?,
            "lbr-fmt" => settings.lbr_fmt = Some(read.lbr_format()?),
            "node-id" => settings.node_id = set(read.i32()?),
            "ucode-rev" => settings.ucode_rev = read.unsigned("a 64-bit number")?,
            "tsc-frequency" => settings.tsc_khz = Some(read.khz()?).filter(|khz| *khz != 0),
            name => match IDS.iter().position(|id| *id == name) {
                Some(at) => settings.ids[at] = set(read.i32()?),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn set_switch(&mut self, read: &Reader<'_>) -> Result<bool, BuildError> {
        let settings = &mut self.settings;
        let field = match read.name {
            "pmu" => &mut settings.pmu,
            "hv-enforce-cpuid" => &mut settings.hv_enforce_cpuid,
            "kvm-pv-enforce-cpuid" => &mut settings.pv_enforce_cpuid,
            "hv-passthrough" => &mut settings.hv_passthrough,
            "x-hv-synic-kvm-only" => &mut settings.hv_synic_kvm_only,
            "check" => &mut settings.check,
            "enforce" => &mut settings.enforce,
            "x-force-features" => &mut settings.force_features,
            "kvm" => &mut settings.kvm,
            "lmce" => &mut settings.lmce,
            "host-phys-bits" => &mut settings.host_phys_bits,
            "full-cpuid-auto-level" => &mut settings.full_cpuid_auto_level,
            "cpuid-0xb" => &mut settings.cpuid_0xb,
            "x-vendor-cpuid-only" => &mut settings.vendor_cpuid_only,
            "x-amd-topoext-features-only" => &mut settings.amd_topoext_features_only,
            "fill-mtrr-mask" => &mut settings.fill_mtrr_mask,
            "l3-cache" => &mut settings.l3_cache,
            "vmware-cpuid-freq" => &mut settings.vmware_cpuid_freq,
            "legacy-cache" => &mut settings.legacy_cache,
            "legacy-multi-node" => &mut settings.legacy_multi_node,
            "x-intel-pt-auto-level" => &mut settings.intel_pt_auto_level,
            "x-l1-cache-per-thread" => &mut settings.l1_cache_per_core,
            "x-vendor-cpuid-only-v2" => &mut settings.vendor_cpuid_only_v2,
            "x-consistent-cache" => &mut settings.consistent_cache,
            "x-force-cpuid-0x1f" => &mut settings.force_cpuid_0x1f,
            "x-arch-cap-always-on" => &mut settings.arch_cap_always_on,
            "x-pdcm-on-even-without-pmu" => &mut settings.pdcm_on_even_without_pmu,
            "migratable" => &mut settings.migratable,
            "host-cache-info" => &mut settings.host_cache_info,
            _ => return Ok(false),
        };
        *field = read.boolean()?;
        Ok(true)
    }

    fn set_identity(&mut self, read: &Reader<'_>) -> Result<bool, BuildError> {
        let settings = &mut self.settings;
        match read.name {
            "family" => settings.set_family(read.at_most(0xff + 0xf, "a number up to 270")?),
            "model" => settings.set_model(read.at_most(0xff, "a number up to 255")?),
            "stepping" => settings.set_stepping(read.at_most(0xf, "a number up to 15")?),
            "vendor" => {
                let bytes = read.text("12 characters")?.as_bytes();
                let bytes: &[u8; 12] = bytes.try_into().map_err(|_| read.wrong("12 characters"))?;
                settings.vendor = Vendor(*bytes);
            }
            "model-id" => settings.set_brand(read.text("a text")?.as_bytes()),
            "hv-vendor-id" => {
                let text = read.text("a text")?;
                let bytes = text.as_bytes();
                settings.hv_vendor = words(bytes.get(..12).unwrap_or(bytes));
                settings.hv_vendor_too_long = (bytes.len() > 12).then(|| String::from(text));
            }
            "hv-no-nonarch-coresharing" => settings.hv_no_nonarch_coresharing = read.on_off_auto()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Properties that no CPUID table depends on under KVM; their values are still checked.
    fn set_without_effect(&self, read: &Reader<'_>) -> Result<(), BuildError> {
        match read.name {
            "tcg-cpuid"
            | "x-migrate-smi-count"
            | "x-migrate-error-code"
            | "kvm-no-smi-migration"
            | "xen-vapic" => read.boolean().map(|_| ()),
            // The machine later sets it for each vCPU.
            "apic-id" => read.u32().map(|_| ()),
            name => Err(BuildError::NotModelled(String::from(name))),
        }
    }
}

/// -1 as a 32-bit number means that a property is not set.
fn set(value: u32) -> Option<u32> {
    Some(value).filter(|value| *value != u32::MAX)
}
