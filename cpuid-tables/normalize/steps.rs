//! Steps that most VMMs need, except the topology.
//!
//! Each function returns the steps of one concern; all of them have the same name, by which
//! [`Normalizer::without`](super::Normalizer::without) leaves them out.

use alloc::vec;
use alloc::vec::Vec;

use super::action::{Action, HostBrand, ListEnd, Missing, Partial, When};
use super::step::Step;
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::known_fields::{leaf_4, leaf_80000008};
use crate::bits::known_places::{AMD_ALIASES, FREQUENCIES, KVM_FEATURES};
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::bits::qemu_cpu::{Cache, CacheKind};
use crate::models::cache::Caches;
use crate::table::{Brand, CpuidEntry, Signature, Vendor};
use crate::{Field, feature};

/// Vendors with AMD's leaves.
pub(super) static AMD: &[Vendor] = &[Vendor::AMD, Vendor::AMD_K5, Vendor::HYGON];

pub(super) fn set(features: &[Feature]) -> FeatureSet {
    features.iter().copied().collect()
}

/// `hypervisor`: what a guest of KVM always has. HYPERVISOR, X2APIC, TSC-deadline timer (KVM lists it only as a
/// capability) and MTRR are set; OSXSAVE and OSPKE, which follow the guest's CR4, are cleared.
#[must_use]
pub fn hypervisor() -> Vec<Step> {
    let reason = "KVM emulates these whether or not it lists them; OSXSAVE and OSPKE follow the guest's CR4";
    let on = set(&[feature::HYPERVISOR, feature::X2APIC, feature::TSC_DEADLINE_TIMER, feature::MTRR]);
    let off = set(&[feature::OSXSAVE, feature::OSPKE]);
    vec![
        Step::new("hypervisor", reason, Action::Set(on)),
        Step::new("hypervisor", reason, Action::Clear(off)),
    ]
}

/// `host-identity`: the host's vendor and brand string.
#[must_use]
pub fn host_identity() -> Vec<Step> {
    let reason = "guests choose drivers, mitigations and compilers' tuning by vendor and brand";
    vec![
        Step::new("host-identity", reason, Action::HostVendor),
        Step::new("host-identity", reason, Action::HostBrand(HostBrand::Same)),
    ]
}

/// `identity`: a given vendor, signature and brand string.
#[must_use]
pub fn identity(vendor: Vendor, signature: Signature, brand: &Brand) -> Vec<Step> {
    let reason = "guests that migrate between hosts must not see which host they are on";
    vec![
        Step::new("identity", reason, Action::Vendor(vendor)),
        Step::new("identity", reason, Action::Signature(signature)),
        Step::new("identity", reason, Action::Brand(*brand)),
    ]
}

/// `amd-aliases`: leaf 0x80000001 repeats features of leaf 1, in the same bits of EDX. It comes after steps that change
/// them.
#[must_use]
pub fn amd_aliases() -> Vec<Step> {
    let reason = "AMD's processors repeat them; guests read either place";
    let edx = |leaf| CpuidWord::new(Leaf(leaf), Subleaf(0), Register::Edx);
    let copy = Action::CopyBits { from: edx(1), to: edx(0x8000_0001), mask: AMD_ALIASES };
    vec![Step::new("amd-aliases", reason, copy).only(AMD)]
}

/// Features and leaves that a VMM switches off together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Performance monitoring of both vendors: leaves 0xA, 0x23 and 0x80000022.
    Pmu,
    /// AMX with its XSAVE components, leaves 0x1D and 0x1E.
    Amx,
    /// AVX-512 and AVX10 with AVX-512's XSAVE components, leaf 0x24.
    Avx512,
    /// Nested virtualization: VMX and SVM, leaf 0x8000000A.
    Nested,
    /// SGX, leaf 0x12.
    Sgx,
    /// Processor trace, leaf 0x14.
    ProcessorTrace,
    /// MPX with its XSAVE components.
    Mpx,
    /// Power management: MONITOR/MWAIT, WAITPKG and leaf 6 except ARAT, which concerns timers.
    Power,
    /// Hybrid processors: the flag and leaf 0x1A, which would describe a host's core.
    Hybrid,
}

impl Group {
    /// All of them.
    pub const ALL: [Group; 9] = [
        Group::Pmu,
        Group::Amx,
        Group::Avx512,
        Group::Nested,
        Group::Sgx,
        Group::ProcessorTrace,
        Group::Mpx,
        Group::Power,
        Group::Hybrid,
    ];

    const fn name(self) -> &'static str {
        match self {
            Group::Pmu => "no-pmu",
            Group::Amx => "no-amx",
            Group::Avx512 => "no-avx512",
            Group::Nested => "no-nested",
            Group::Sgx => "no-sgx",
            Group::ProcessorTrace => "no-pt",
            Group::Mpx => "no-mpx",
            Group::Power => "no-power",
            Group::Hybrid => "no-hybrid",
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Group::Pmu => "counters observe the host's other guests, and cannot migrate",
            Group::Amx => "its state is 8 KiB for each thread, and a process must request it from Linux",
            Group::Avx512 => "processors of one pool have it or not, and some run slower with it",
            Group::Nested => "guests of guests enlarge the attack surface and cannot migrate everywhere",
            Group::Sgx => "a guest needs enclave memory of its own",
            Group::ProcessorTrace => "KVM offers it only with pt_mode=1, and it cannot migrate",
            Group::Mpx => "processors and kernels have dropped it",
            Group::Power => "an idle vCPU must give its processor back to the host",
            Group::Hybrid => "a vCPU moves between the host's kinds of cores",
        }
    }

    fn features(self) -> FeatureSet {
        match self {
            Group::Pmu => set(&[
                feature::PDCM,
                feature::DTES64,
                feature::ARCH_LBR,
                feature::ARCH_PERFMON_EXT,
                feature::PERFCTR_CORE,
                feature::PERFCTR_NB,
                feature::PERFCTR_LLC,
                feature::IBS,
            ]),
            Group::Amx => set(&[
                feature::AMX_BF16,
                feature::AMX_TILE,
                feature::AMX_INT8,
                feature::AMX_FP16,
                feature::AMX_COMPLEX,
            ]),
            Group::Avx512 => feature::AVX512F.needed_by().with(feature::AVX512F).with(feature::AVX10),
            Group::Nested => set(&[feature::VMX, feature::SVM]),
            Group::Sgx => set(&[feature::SGX, feature::SGX_LC]),
            Group::ProcessorTrace => set(&[feature::INTEL_PT]),
            Group::Mpx => set(&[feature::MPX]),
            Group::Power => set(&[feature::MWAIT, feature::WAITPKG, feature::EST]),
            Group::Hybrid => set(&[feature::HYBRID_CPU]),
        }
    }

    /// XSAVE components, by number.
    const fn components(self) -> u64 {
        match self {
            Group::Amx => 1 << 17 | 1 << 18,
            Group::Avx512 => 1 << 5 | 1 << 6 | 1 << 7,
            Group::ProcessorTrace => 1 << 8,
            Group::Mpx => 1 << 3 | 1 << 4,
            _ => 0,
        }
    }

    const fn leaves(self) -> &'static [Leaf] {
        match self {
            Group::Pmu => &[Leaf(0xa), Leaf(0x23), Leaf(0x8000_0022)],
            Group::Amx => &[Leaf(0x1d), Leaf(0x1e)],
            Group::Avx512 => &[Leaf(0x24)],
            Group::Nested => &[Leaf(0x8000_000a)],
            Group::Sgx => &[Leaf(0x12)],
            Group::ProcessorTrace => &[Leaf(0x14)],
            Group::Hybrid => &[Leaf(0x1a)],
            Group::Mpx | Group::Power => &[],
        }
    }
}

/// `no-pmu` and so on: a group's features are cleared, its leaves are zero, its XSAVE components removed.
#[must_use]
pub fn without(group: Group) -> Vec<Step> {
    let step = |action| Step::new(group.name(), group.reason(), action);
    let mut steps = vec![step(Action::Clear(group.features()))];
    steps.extend(group.leaves().iter().map(|leaf| step(Action::Zero(*leaf))));
    if group.components() != 0 {
        steps.push(step(Action::XsaveComponents(!group.components())));
    }
    if group == Group::Power {
        for (register, kept) in [
            (Register::Eax, feature::ARAT.mask()),
            (Register::Ebx, 0),
            (Register::Ecx, 0),
            (Register::Edx, 0),
        ] {
            let word = CpuidWord::new(Leaf(6), Subleaf(0), register);
            steps.push(step(Action::Bits { word, mask: !kept, value: 0 }));
        }
    }
    steps
}

/// `xsave`: only these XSAVE components, with the sizes of an area that has them.
#[must_use]
pub fn xsave_components(allowed: u64) -> Vec<Step> {
    let reason = "a guest must not enable state that another host lacks, nor see sizes that include it";
    vec![Step::new("xsave", reason, Action::XsaveComponents(allowed))]
}

/// `phys-bits`: the width of physical addresses.
#[must_use]
pub fn physical_bits(bits: u32) -> Vec<Step> {
    let reason = "a guest must not place memory where another host cannot address it";
    let field = leaf_80000008::PHYS_ADDR_BITS;
    vec![Step::new("phys-bits", reason, Action::Put(field, bits, When::Always))]
}

/// `kvm-features`: only these of the features and hints of KVM's own leaf (0x40000001). All other bits are cleared.
#[must_use]
pub fn kvm_features(allowed: &FeatureSet) -> Vec<Step> {
    let reason = "paravirtual features must be the same on every host to which a guest migrates";
    // Also bits that no release known here names: the KVM of the day may be newer.
    let clear = |register| {
        let word = CpuidWord::new(KVM_FEATURES, Subleaf(0), register);
        Step::new("kvm-features", reason, Action::Bits { word, mask: !allowed.word(word), value: 0 })
    };
    vec![clear(Register::Eax), clear(Register::Edx)]
}

/// `tsc-frequency`: leaf 0x40000010 with the frequencies in kHz of the time stamp counter and of the local APIC's timer
/// (1,000,000 under KVM).
#[must_use]
pub fn tsc_frequency(tsc_khz: u32, apic_khz: u32) -> Vec<Step> {
    let reason = "the guest need not calibrate its clocks";
    let leaf = FREQUENCIES;
    let eax = Partial { eax: Some(leaf.0), ..Partial::default() };
    vec![
        Step::new(
            "tsc-frequency",
            reason,
            Action::Registers(Leaf::HYPERVISOR, Subleaf(0), eax, Missing::Skip),
        ),
        Step::new("tsc-frequency", reason, Action::Remove(leaf)),
        Step::new(
            "tsc-frequency",
            reason,
            Action::Entry(CpuidEntry::new(leaf, Registers::new(tsc_khz, apic_khz, 0, 0)), Missing::Append),
        ),
    ]
}

/// `hyperv`: Hyper-V's leaves instead of KVM's. `Host::hyperv` has those that KVM supports.
#[must_use]
pub fn hyperv(entries: &[CpuidEntry]) -> Vec<Step> {
    let reason = "Windows uses the enlightenments of Hyper-V, and looks for them at 0x40000000";
    let removed = Action::RemoveRange(Leaf::HYPERVISOR, Leaf(0x4000_00ff));
    let added =
        entries.iter().map(|entry| Step::new("hyperv", reason, Action::Entry(*entry, Missing::Append)));
    [Step::new("hyperv", reason, removed)].into_iter().chain(added).collect()
}

/// `own-leaf`: a leaf of the VMM's own.
#[must_use]
pub fn own_leaf(entry: CpuidEntry) -> Vec<Step> {
    let reason = "a VMM's own guests look for it";
    vec![Step::new("own-leaf", reason, Action::Entry(entry, Missing::Insert))]
}

/// `template`: bits of registers, each with a mask and their value.
#[must_use]
pub fn template(lines: &[(CpuidWord, u32, u32)]) -> Vec<Step> {
    let reason = "the same features on every host of a fleet";
    let step = |&(word, mask, value)| Step::new("template", reason, Action::Bits { word, mask, value });
    lines.iter().map(step).collect()
}

/// `host-caches`: the caches of the host, as its leaves 2, 4, 0x80000005, 0x80000006 and 0x8000001D describe them. Steps
/// that set who shares them come after.
#[must_use]
pub fn host_caches() -> Vec<Step> {
    let reason = "guests size buffers and schedule threads by the caches";
    let step = |action| Step::new("host-caches", reason, action);
    let registers = |leaf, subleaves| step(Action::HostRegisters { leaf: Leaf(leaf), subleaves });
    vec![
        registers(2, false),
        registers(4, true),
        registers(0x8000_0005, false),
        registers(0x8000_0006, false),
        step(Action::HostList(Leaf(0x8000_001d), ListEnd::CacheType)).only(AMD),
    ]
}

/// `caches`: caches by numbers or of a model, in leaf 4 or, for AMD, in 0x8000001D. Steps that set who shares them come
/// after.
#[must_use]
pub fn caches(caches: &Caches) -> Vec<Step> {
    let reason = "the same caches on every host of a fleet";
    let list = |leaf: Leaf| {
        let registers = caches.iter().map(|(_, cache)| parameters(&cache)).chain([Registers::ZERO]);
        let entries = (0..).map(Subleaf).zip(registers);
        let entry = move |(subleaf, registers)| {
            let entry = CpuidEntry::indexed(leaf, subleaf, registers);
            Step::new("caches", reason, Action::Entry(entry, Missing::Insert))
        };
        [Step::new("caches", reason, Action::Remove(leaf))].into_iter().chain(entries.map(entry))
    };
    let intel = list(Leaf(4)).map(|step| step.except(AMD));
    intel.chain(list(Leaf(0x8000_001d)).map(|step| step.only(AMD))).collect()
}

/// A cache's registers in leaves 4 and 0x8000001D, without who shares it.
fn parameters(cache: &Cache) -> Registers {
    let kind = match cache.kind {
        CacheKind::Data => 1,
        CacheKind::Instruction => 2,
        CacheKind::Unified => 3,
    };
    let put = |field: Field, value: u32| (value & field.max()) << field.bits().start();
    Registers::new(
        put(leaf_4::CACHE_TYPE, kind)
            | put(leaf_4::CACHE_LEVEL, cache.level)
            | u32::from(cache.self_init) << 8
            | put(leaf_4::FULLY_ASSOCIATIVE, 0),
        put(leaf_4::CACHE_LINESIZE, cache.line_size.saturating_sub(1))
            | put(leaf_4::CACHE_NPARTITIONS, cache.partitions.saturating_sub(1))
            | put(leaf_4::CACHE_NWAYS, cache.associativity.saturating_sub(1)),
        put(leaf_4::CACHE_NSETS, cache.sets.saturating_sub(1)),
        u32::from(cache.no_invd_sharing)
            | u32::from(cache.inclusive) << 1
            | u32::from(cache.complex_indexing) << 2,
    )
}
