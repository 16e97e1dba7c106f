//! The properties of `-cpu` that are not bits of feature words, and their defaults (fields of `X86CPU`, in
//! target/i386/cpu.h).

use alloc::string::String;

use crate::guest::behaviour::Behaviour;
use crate::table::Vendor;

/// `on`, `off` or `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnOffAuto {
    On,
    Off,
    Auto,
}

/// The properties' values; a test compares their defaults with the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) pmu: bool,
    /// `None` unless set.
    pub(crate) lbr_fmt: Option<u64>,
    pub(crate) hv_spinlocks: u32,
    /// By the bit of each `hv-` property.
    pub(crate) hyperv_features: u64,
    pub(crate) hv_no_nonarch_coresharing: OnOffAuto,
    pub(crate) hv_enforce_cpuid: bool,
    pub(crate) pv_enforce_cpuid: bool,
    pub(crate) hv_passthrough: bool,
    pub(crate) hv_version_build: u32,
    pub(crate) hv_version_major: u16,
    pub(crate) hv_version_minor: u16,
    pub(crate) hv_version_spack: u32,
    pub(crate) hv_version_sbranch: u8,
    pub(crate) hv_version_snumber: u32,
    /// Twelve bytes, padded with zeros.
    pub(crate) hv_vendor: [u32; 3],
    /// `hv-vendor-id` as given, if it is longer.
    pub(crate) hv_vendor_too_long: Option<String>,
    pub(crate) hv_max_vps: u32,
    pub(crate) hv_synic_kvm_only: bool,
    pub(crate) check: bool,
    pub(crate) enforce: bool,
    pub(crate) force_features: bool,
    pub(crate) kvm: bool,
    pub(crate) lmce: bool,
    /// IA32_MCG_CAP, if the CPU has machine checks and KVM too.
    pub(crate) machine_checks: Option<u64>,
    /// 0 unless set.
    pub(crate) ucode_rev: u64,
    pub(crate) phys_bits: u32,
    pub(crate) guest_phys_bits: Option<u32>,
    pub(crate) host_phys_bits: bool,
    pub(crate) host_phys_bits_limit: u8,
    pub(crate) level_func7: Option<u32>,
    pub(crate) level: Option<u32>,
    pub(crate) xlevel: Option<u32>,
    pub(crate) xlevel2: Option<u32>,
    pub(crate) min_level_func7: u32,
    pub(crate) min_level: u32,
    pub(crate) min_xlevel: u32,
    pub(crate) min_xlevel2: u32,
    pub(crate) avx10_version: u8,
    /// The last subleaf of leaf 0x24.
    pub(crate) avx10_last_subleaf: u32,
    pub(crate) full_cpuid_auto_level: bool,
    pub(crate) cpuid_0xb: bool,
    pub(crate) vendor_cpuid_only: bool,
    pub(crate) amd_topoext_features_only: bool,
    pub(crate) fill_mtrr_mask: bool,
    pub(crate) l3_cache: bool,
    pub(crate) vmware_cpuid_freq: bool,
    pub(crate) legacy_cache: bool,
    pub(crate) legacy_multi_node: bool,
    pub(crate) intel_pt_auto_level: bool,
    pub(crate) l1_cache_per_core: bool,
    pub(crate) vendor_cpuid_only_v2: bool,
    pub(crate) consistent_cache: bool,
    pub(crate) force_cpuid_0x1f: bool,
    pub(crate) arch_cap_always_on: bool,
    pub(crate) pdcm_on_even_without_pmu: bool,
    /// Only of `host` and `max`.
    pub(crate) migratable: bool,
    /// Only of `host` and `max`.
    pub(crate) host_cache_info: bool,
    /// For every vCPU: socket, die, module, core, thread.
    pub(crate) ids: [Option<u32>; 5],
    /// For every vCPU.
    pub(crate) node_id: Option<u32>,
    /// In kHz, if set.
    pub(crate) tsc_khz: Option<u64>,
    /// Family, model and stepping, encoded as in leaf 1's EAX.
    pub(crate) signature: u32,
    pub(crate) vendor: Vendor,
    /// The brand string.
    pub(crate) brand: [u32; 12],
}

/// Properties of topology, in the order of [`Settings::ids`].
pub(crate) const IDS: [&str; 5] = ["socket-id", "die-id", "module-id", "core-id", "thread-id"];

/// The default of `hv-spinlocks`, which a guest reads: it never reports a spinlock that it waits for.
pub(crate) const NEVER_NOTIFY: u32 = u32::MAX;
/// The default of `x-hv-max-vps`, which a guest reads.
const NO_VCPU_LIMIT: u32 = u32::MAX;

/// The default of `hv-vendor-id`.
const MICROSOFT: &[u8; 12] = b"Microsoft Hv";

impl Settings {
    /// The defaults of a release; for properties that it lacks, its code's behaviour.
    pub(crate) fn new(behaviour: &Behaviour) -> Settings {
        let newer = behaviour.counts_apic_ids;
        Settings {
            pmu: false,
            lbr_fmt: None,
            hv_spinlocks: NEVER_NOTIFY,
            hyperv_features: 0,
            hv_no_nonarch_coresharing: OnOffAuto::Off,
            hv_enforce_cpuid: false,
            pv_enforce_cpuid: false,
            hv_passthrough: false,
            hv_version_build: 0x3839,
            hv_version_major: 10,
            hv_version_minor: 0,
            hv_version_spack: 0,
            hv_version_sbranch: 0,
            hv_version_snumber: 0,
            hv_vendor: words(MICROSOFT),
            hv_vendor_too_long: None,
            hv_max_vps: NO_VCPU_LIMIT,
            hv_synic_kvm_only: false,
            check: true,
            enforce: false,
            force_features: false,
            kvm: true,
            lmce: false,
            machine_checks: None,
            ucode_rev: 0,
            phys_bits: 0,
            guest_phys_bits: None,
            host_phys_bits: false,
            host_phys_bits_limit: 0,
            level_func7: None,
            level: None,
            xlevel: None,
            xlevel2: None,
            min_level_func7: 0,
            min_level: 0,
            min_xlevel: 0,
            min_xlevel2: 0,
            avx10_version: 0,
            avx10_last_subleaf: 0,
            full_cpuid_auto_level: true,
            cpuid_0xb: true,
            vendor_cpuid_only: true,
            amd_topoext_features_only: newer,
            fill_mtrr_mask: true,
            l3_cache: true,
            vmware_cpuid_freq: true,
            legacy_cache: true,
            legacy_multi_node: !newer,
            intel_pt_auto_level: true,
            l1_cache_per_core: newer,
            vendor_cpuid_only_v2: behaviour.cleans_up,
            consistent_cache: behaviour.cleans_up,
            force_cpuid_0x1f: false,
            arch_cap_always_on: !behaviour.cleans_up,
            pdcm_on_even_without_pmu: !behaviour.cleans_up,
            migratable: false,
            host_cache_info: false,
            ids: [None; 5],
            node_id: None,
            tsc_khz: None,
            signature: 0,
            vendor: Vendor([0; 12]),
            brand: [0; 12],
        }
    }

    /// The highest subleaf of leaf 7: the value that was set, else the minimum.
    pub(crate) fn level_func7(&self) -> u32 {
        self.level_func7.unwrap_or(self.min_level_func7)
    }

    /// The highest basic leaf.
    pub(crate) fn level(&self) -> u32 {
        self.level.unwrap_or(self.min_level)
    }

    /// The highest extended leaf.
    pub(crate) fn xlevel(&self) -> u32 {
        self.xlevel.unwrap_or(self.min_xlevel)
    }

    /// The highest Centaur leaf.
    pub(crate) fn xlevel2(&self) -> u32 {
        self.xlevel2.unwrap_or(self.min_xlevel2)
    }

    /// The family, including the extended family.
    pub(crate) fn family(&self) -> u32 {
        let base = self.signature >> 8 & 0xf;
        if base == 0xf { base + (self.signature >> 20 & 0xff) } else { base }
    }

    /// Sets the family, including the extended family.
    pub(crate) fn set_family(&mut self, family: u32) {
        let fields = if family > 0xf { 0xf00 | (family - 0xf) << 20 } else { family << 8 };
        self.signature = self.signature & !0x0ff0_0f00 | fields;
    }

    /// The model, including the extended model.
    pub(crate) fn set_model(&mut self, model: u32) {
        self.signature = self.signature & !0x000f_00f0 | (model & 0xf) << 4 | (model >> 4) << 16;
    }

    pub(crate) fn set_stepping(&mut self, stepping: u32) {
        self.signature = self.signature & !0xf | stepping & 0xf;
    }

    /// The brand string; at most 48 bytes are used.
    pub(crate) fn set_brand(&mut self, text: &[u8]) {
        self.brand = words(text);
    }
}

/// Bytes in registers, padded with zeros.
pub(crate) fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    for (word, four) in words.iter_mut().zip(bytes.chunks(4)) {
        let mut padded = [0; 4];
        padded[..four.len()].copy_from_slice(four);
        *word = u32::from_le_bytes(padded);
    }
    words
}
