//! Hyper-V's features and leaves (`kvm_hyperv_expand_features` and `hyperv_fill_cpuids` of target/i386/kvm/kvm.c).

use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::generated::guest_tables::HypervBits;
use crate::guest::cpu::Cpu;
use crate::guest::cpu::settings::{NEVER_NOTIFY, OnOffAuto};
use crate::guest::error::BuildError;
use crate::host::Capability;
use crate::table::{CpuidEntry, CpuidTable, TableFull};

/// Bits of `hyperv_features`; a test compares them with the facts.
pub(crate) mod feature {
    pub(crate) const VAPIC: u64 = 1 << 1;
    pub(crate) const TIME: u64 = 1 << 2;
    pub(crate) const VPINDEX: u64 = 1 << 5;
    pub(crate) const SYNIC: u64 = 1 << 7;
    pub(crate) const REENLIGHTENMENT: u64 = 1 << 10;
    pub(crate) const EVMCS: u64 = 1 << 12;
    pub(crate) const AVIC: u64 = 1 << 15;
    pub(crate) const SYNDBG: u64 = 1 << 16;
}

/// Leaves; the last one is for nested virtualization, and the debugger's begin at 0x40000080.
const VENDOR: u32 = 0x4000_0000;
const INTERFACE: u32 = 0x4000_0001;
const VERSION: u32 = 0x4000_0002;
pub(crate) const FEATURES: u32 = 0x4000_0003;
pub(crate) const RECOMMENDATIONS: u32 = 0x4000_0004;
const LIMITS: u32 = 0x4000_0005;
const NESTED: u32 = 0x4000_000a;
const SYNDBG_VENDOR: u32 = 0x4000_0080;
const SYNDBG_INTERFACE: u32 = 0x4000_0081;
const SYNDBG_CAPABILITIES: u32 = 0x4000_0082;

/// `Hv#1`.
const HV_1: Registers = Registers::new(0x3123_7648, 0, 0, 0);
/// RECOMMENDATIONS.EAX: guests share a core only between sibling threads.
const NO_NONARCH_CORESHARING: u32 = 1 << 18;

impl Cpu<'_> {
    /// True if any Hyper-V feature is requested and KVM supports Hyper-V.
    pub(crate) fn hyperv_enabled(&self) -> bool {
        let settings = &self.settings;
        self.supported.capability(Capability::HYPERV) > 0
            && (settings.hv_spinlocks != NEVER_NOTIFY
                || settings.hyperv_features != 0
                || settings.hv_passthrough)
    }

    fn enabled(&self, feature: u64) -> bool {
        self.settings.hyperv_features & feature != 0
    }

    fn hyperv_host_leaf(&self, leaf: u32) -> Registers {
        Registers::from_fn(|register| self.hyperv_host(leaf, register))
    }

    /// True if KVM has all bits of a feature.
    fn hyperv_supported(&self, feature: u32) -> bool {
        let mut rows = self.release.tables.hyperv.iter().filter(|row| u32::from(row.feature) == feature);
        rows.all(|&HypervBits { register, mask, .. }| {
            self.hyperv_host(register.leaf.0, register.register) & mask == mask
        })
    }

    /// The property's name of a feature.
    fn hyperv_property(&self, feature: u32) -> &'static str {
        let mut properties = self.release.qemu.cpu_properties();
        let found = properties.find(|property| {
            property.field == Some("hyperv_features")
                && property.bit.is_some_and(|bit| u32::from(bit.0) == feature)
        });
        found.map_or("hv-?", |property| property.name)
    }

    /// Checks the requested features, or takes all that KVM has.
    pub(crate) fn expand_hyperv(&mut self) -> Result<(), BuildError> {
        if !self.hyperv_enabled() {
            return Ok(());
        }
        if self.hyperv_is_unknown() {
            return Err(BuildError::HypervUnknown);
        }
        self.check_hyperv_capabilities()?;
        let vpindex_is_settable = self.supported.capability(Capability::HYPERV_VP_INDEX) > 0;
        if self.enabled(feature::VPINDEX) && !vpindex_is_settable {
            return Err(BuildError::HypervUnsupported("hv-vpindex"));
        }
        if self.settings.hv_passthrough {
            self.pass_hyperv_through();
        } else {
            self.check_hyperv()?;
        }
        if self.enabled(feature::SYNIC) && !self.settings.hv_synic_kvm_only && !self.enabled(feature::VPINDEX)
        {
            return Err(BuildError::HypervNeeds { feature: "hv-synic", needs: "hv-vpindex" });
        }
        self.check_enabling()
    }

    /// What QEMU enables by a capability, KVM must have (`hyperv_init_vcpu`).
    fn check_enabling(&self) -> Result<(), BuildError> {
        let synic = match self.settings.hv_synic_kvm_only {
            true => Capability::HYPERV_SYNIC,
            false => Capability::HYPERV_SYNIC2,
        };
        let enabled = [
            (self.enabled(feature::SYNIC), synic),
            (self.enabled(feature::EVMCS), Capability::HYPERV_ENLIGHTENED_VMCS),
            (self.settings.hv_enforce_cpuid, Capability::HYPERV_ENFORCE_CPUID),
        ];
        enabled.iter().filter(|row| row.0).try_for_each(|row| self.supported.check_known(row.1))
    }

    /// A KVM that reports its Hyper-V leaves without a vCPU reports them: otherwise QEMU aborts
    /// (`hv_cpuid_get_host`).
    fn check_hyperv_capabilities(&self) -> Result<(), BuildError> {
        let has = |capability: Capability| self.supported.capability(capability) > 0;
        if !has(Capability::SYS_HYPERV_CPUID) || has(Capability::HYPERV_CPUID) {
            return Ok(());
        }
        if self.settings.hv_passthrough || self.hyperv_known().any(|feature| self.enabled(1 << feature)) {
            return Err(BuildError::KvmLacks(Capability::HYPERV_CPUID.number));
        }
        Ok(())
    }

    fn pass_hyperv_through(&mut self) {
        let Registers { ebx, ecx, edx, .. } = self.hyperv_host_leaf(VENDOR);
        self.settings.hv_vendor = [ebx, ecx, edx];
        let Registers { eax: build, ebx: version, ecx: spack, edx: service } = self.hyperv_host_leaf(VERSION);
        let [major, minor] = [version >> 16, version & 0xffff].map(|half| (half & 0xffff) as u16);
        let settings = &mut self.settings;
        (settings.hv_version_build, settings.hv_version_spack) = (build, spack);
        (settings.hv_version_major, settings.hv_version_minor) = (major, minor);
        settings.hv_version_sbranch = service.to_be_bytes()[0];
        settings.hv_version_snumber = service & 0x00ff_ffff;
        self.settings.hv_max_vps = self.hyperv_host(LIMITS, Register::Eax);
        self.settings.hv_spinlocks = self.hyperv_host(RECOMMENDATIONS, Register::Ebx);
        for feature in self.hyperv_known() {
            let kept_back = self.release.behaviour.keeps_syndbg_back && 1u64 << feature == feature::SYNDBG;
            if self.hyperv_supported(feature) && !kept_back {
                self.settings.hyperv_features |= 1 << feature;
            }
        }
    }

    /// Features of the release, ascending.
    fn hyperv_known(&self) -> impl Iterator<Item = u32> + use<> {
        let rows = self.release.tables.hyperv;
        (0..64).filter(|feature| rows.iter().any(|row| u32::from(row.feature) == *feature))
    }

    fn check_hyperv(&self) -> Result<(), BuildError> {
        for feature in self.hyperv_known().filter(|feature| self.enabled(1 << feature)) {
            if !self.hyperv_supported(feature) {
                return Err(BuildError::HypervUnsupported(self.hyperv_property(feature)));
            }
            let rows = self.release.tables.hyperv_deps.iter();
            for row in rows.filter(|row| u32::from(row.feature) == feature) {
                let needed = u32::from(row.needs);
                if !self.enabled(1 << (needed & 63)) {
                    let (feature, needs) = (self.hyperv_property(feature), self.hyperv_property(needed));
                    return Err(BuildError::HypervNeeds { feature, needs });
                }
            }
        }
        Ok(())
    }

    /// The bits of a register that enabled features set (`hv_build_cpuid_leaf`).
    fn hyperv_word(&self, leaf: u32, register: Register) -> u32 {
        /// Version 1 to 1 of the enlightened VMCS.
        const EVMCS_VERSIONS: u32 = 1 << 8 | 1;
        let mut word = 0;
        let wanted = CpuidWord::new(Leaf(leaf), Subleaf(0), register);
        for &HypervBits { feature, register, mask } in self.release.tables.hyperv {
            if register == wanted && self.enabled(1 << (feature & 63)) {
                word |= mask;
            }
        }
        let versions = leaf == NESTED && register == Register::Eax && self.enabled(feature::EVMCS);
        word | if versions { EVMCS_VERSIONS } else { 0 }
    }

    /// Adds the leaves.
    pub(crate) fn hyperv_leaves(&self, table: &mut CpuidTable) -> Result<(), TableFull> {
        let settings = &self.settings;
        let nested = self.hyperv_word(NESTED, Register::Eax);
        let mut highest = if nested != 0 { NESTED } else { LIMITS };
        if self.enabled(feature::SYNDBG) {
            highest = highest.max(SYNDBG_CAPABILITIES);
        }
        let passed = settings.hv_passthrough;
        let [ebx, ecx, edx] = settings.hv_vendor;
        let interface = if passed { self.hyperv_host_leaf(INTERFACE) } else { HV_1 };
        let version = u32::from(settings.hv_version_major) << 16 | u32::from(settings.hv_version_minor);
        let service =
            u32::from(settings.hv_version_sbranch) << 24 | settings.hv_version_snumber & 0x00ff_ffff;
        let limits = if passed { self.hyperv_host_leaf(LIMITS) } else { Registers::new(0, 64, 0, 0) };
        let mut leaf = |leaf, registers| table.push(CpuidEntry::new(Leaf(leaf), registers));
        leaf(VENDOR, Registers::new(highest, ebx, ecx, edx))?;
        leaf(INTERFACE, interface)?;
        leaf(
            VERSION,
            Registers::new(settings.hv_version_build, version, settings.hv_version_spack, service),
        )?;
        leaf(FEATURES, self.hyperv_features())?;
        leaf(RECOMMENDATIONS, Registers::new(self.hyperv_recommendations(), settings.hv_spinlocks, 0, 0))?;
        leaf(LIMITS, Registers { eax: settings.hv_max_vps, ..limits })?;
        if nested != 0 {
            for empty in LIMITS + 1..NESTED {
                leaf(empty, Registers::ZERO)?;
            }
            leaf(NESTED, Registers::new(nested, 0, 0, 0))?;
        }
        if self.enabled(feature::SYNDBG) {
            /// `Microsoft VS` and `VS#1`.
            const VS: Registers = Registers::new(0, 0x7263_694d, 0x666f_736f, 0x5356_2074);
            leaf(SYNDBG_VENDOR, VS)?;
            leaf(SYNDBG_INTERFACE, Registers::new(0x3123_5356, 0, 0, 0))?;
            leaf(SYNDBG_CAPABILITIES, Registers::new(1 << 1, 0, 0, 0))?;
        }
        Ok(())
    }

    fn hyperv_features(&self) -> Registers {
        // Hypercalls; messages and events, which SynIC needs; processor hot-plug.
        const HYPERCALLS: u32 = 1 << 5;
        const MESSAGES_AND_EVENTS: u32 = 1 << 4 | 1 << 5;
        const DYNAMIC_PARTITIONING: u32 = 1 << 3;
        let [eax, mut ebx, edx] = [Register::Eax, Register::Ebx, Register::Edx]
            .map(|register| self.hyperv_word(FEATURES, register));
        if self.enabled(feature::SYNIC) && !self.settings.hv_synic_kvm_only {
            ebx |= MESSAGES_AND_EVENTS;
        }
        Registers::new(eax | HYPERCALLS, ebx, 0, edx | DYNAMIC_PARTITIONING)
    }

    fn hyperv_recommendations(&self) -> u32 {
        // Access to the APIC by MSRs.
        const APIC_ACCESS: u32 = 1 << 3;
        let mut eax = self.hyperv_word(RECOMMENDATIONS, Register::Eax);
        if self.enabled(feature::VAPIC) && !self.enabled(feature::AVIC) {
            eax |= APIC_ACCESS;
        }
        eax | match self.settings.hv_no_nonarch_coresharing {
            OnOffAuto::On => NO_NONARCH_CORESHARING,
            OnOffAuto::Off => 0,
            OnOffAuto::Auto => self.hyperv_host(RECOMMENDATIONS, Register::Eax) & NO_NONARCH_CORESHARING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::feature;
    use crate::bits::release::QemuRelease;

    #[test]
    fn features_have_the_facts_bits() {
        let expected = [
            ("hv-vapic", feature::VAPIC),
            ("hv-time", feature::TIME),
            ("hv-vpindex", feature::VPINDEX),
            ("hv-reenlightenment", feature::REENLIGHTENMENT),
            ("hv-synic", feature::SYNIC),
            ("hv-evmcs", feature::EVMCS),
            ("hv-avic", feature::AVIC),
            ("hv-syndbg", feature::SYNDBG),
        ];
        for release in QemuRelease::ALL {
            for (name, bit) in expected {
                let found = release.cpu_properties().find(|property| property.name == name);
                let found = found.and_then(|property| property.bit).map(|bit| 1u64 << bit.0);
                // Releases before 4.1 have them by other code.
                if found.is_some() || QemuRelease::find("7.2").is_some() {
                    assert_eq!(found, Some(bit), "{name} of {release:?}");
                }
            }
        }
    }
}
