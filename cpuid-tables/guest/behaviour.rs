//! How QEMU's code differs between releases. The tables hold facts of a release; this file holds what no table
//! records.

use crate::bits::release::QemuRelease;

/// The behaviour of a release's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behaviour {
    /// ERMS, FSRM, FZRM, FSRS, FSRC and MCDT_NO come from the CPU if KVM lacks them, and HT and AMD's machine check
    /// bits are added (`kvm_arch_get_supported_cpuid`).
    pub(crate) adds_optimizations: bool,
    /// HT and CMP_LEGACY are features that are set before filtering, not bits of a leaf (`x86_cpu_expand_features`).
    pub(crate) sets_ht_in_expand: bool,
    /// The counts of caches and packages in leaves 1, 4 and 0x8000001D are derived from the widths of APIC ids.
    pub(crate) counts_apic_ids: bool,
    /// Leaf 0x1F lists the existing levels, including modules.
    pub(crate) lists_levels: bool,
    /// Package counts include all dies (leaves 1, 4, 0xB, 0x80000008).
    pub(crate) counts_dies: bool,
    /// Leaf 1 has at most 255, and for Intel and Zhaoxin the APIC ids of a package instead of its vCPUs.
    pub(crate) rounds_count: bool,
    /// A package with one core has the host's count of cores in the host's leaf 4.
    pub(crate) keeps_cores_of_one: bool,
    /// Leaf 2 has its obsolete flags only if it must be read several times, and leaf 0xD's list has no empty last
    /// entry.
    pub(crate) drops_obsolete: bool,
    /// Components that the host lacks have no size (`x86_cpu_post_initfn`); before, components whose feature KVM
    /// lacks had no offset.
    pub(crate) sizes_by_xcr0: bool,
    /// AVX10 enables AVX-512's components.
    pub(crate) avx10: bool,
    /// SGX needs a PC.
    pub(crate) sgx_needs_pc: bool,
    /// Hyper-V's debugger is not passed through.
    pub(crate) keeps_syndbg_back: bool,
    /// KVM's APIC is the only one.
    pub(crate) apic_is_kernels: bool,
    /// PAE alone gives a 32-bit CPU 36 physical bits.
    pub(crate) pae_is_36_bits: bool,
    /// The CPU has a separate width of guest-physical addresses, which KVM reports.
    pub(crate) guest_phys_bits: bool,
    /// A constant TSC may migrate once its frequency is fixed.
    pub(crate) fixed_tsc_migrates: bool,
    /// 0x80000021 raises the highest extended leaf.
    pub(crate) raises_to_80000021: bool,
    /// `-overcommit cpu-pm=on` offers MONITOR only if KVM lets the guest execute MWAIT.
    pub(crate) monitor_by_kvm: bool,
    /// A topology parameter of 0 is an error; before, a warning.
    pub(crate) zero_is_error: bool,
    /// A count of `-smp` above 32 bits is too many for a level that the board lacks, before it is cut.
    pub(crate) asks_whole_counts: bool,
    /// Leaves that Intel's or Zhaoxin's CPUs do not have are empty on these, legacy caches are consistent, and PDCM
    /// is not a feature without a PMU: the properties `x-vendor-cpuid-only-v2`, `x-consistent-cache` and so on undo
    /// this.
    pub(crate) cleans_up: bool,
    /// `base` has the host's vendor too.
    pub(crate) base_has_vendor: bool,
    /// APIC ids of 255 and above need the CPU's x2APIC.
    pub(crate) wide_apic_ids_need_x2apic: bool,
    /// A PC may have modules.
    pub(crate) modules: bool,
    /// The 32-bit entry point of SMBIOS limits a package.
    pub(crate) checks_smbios: bool,
    /// `-smp` takes books and drawers, as 1.
    pub(crate) knows_books: bool,
    /// `host` and `max` without a family get family 6, model 6 and stepping 3, or 15, 107 and 1 with LM.
    pub(crate) family_for_max: bool,
    /// The host's family and model are decoded as the manual says, and a host without a brand string or a vendor gets
    /// TCG's.
    pub(crate) decodes_host: bool,
    /// `isapc` takes at most 3.5 GiB, and is deprecated for CPUs newer than a Pentium III.
    pub(crate) isapc_is_old: bool,
    /// A number with a suffix may start with its point: `.5G`.
    pub(crate) suffixes_need_no_digit: bool,
    /// A 32-bit CPU, and not a width of at most 32 bits, needs no addresses for a 64-bit PCI hole.
    pub(crate) knows_32_bit_addresses: bool,
    /// A warning about a feature names the word's subleaf: `CPUID[eax=07h,ecx=00h].EBX` (`feature_word_description`).
    pub(crate) names_subleaves: bool,
    /// KVM's clock MSRs are set only if the guest has the clock.
    pub(crate) clock_msrs_need_clock: bool,
    /// FRED's MSRs are set at reset.
    pub(crate) fred_msrs: bool,
    /// The highest VMCS field follows FRED and secondary exit controls.
    pub(crate) vmcs_of_fred: bool,
    /// FB_CLEAR of ARCH_CAPABILITIES is supported on a processor that does not need it.
    pub(crate) adds_fb_clear: bool,
    /// AMD's hardware configuration register is set at reset.
    pub(crate) saves_hwcr: bool,
    /// Performance counters are reset by the CPU's vendor, AMD's too, and only on a host of the same vendor.
    pub(crate) counters_by_vendor: bool,
    /// The VMX capabilities are set before the microcode's revision.
    pub(crate) vmx_before_microcode: bool,
    /// The MSRs of shadow stacks and branch tracking are set at reset.
    pub(crate) cet_msrs: bool,
    /// Machines have the option `smp-cache`, and take its `default`.
    pub(crate) knows_smp_cache: bool,
    /// The sharing of a PC's caches can be set to a topology level (`smp-cache`).
    pub(crate) caches_by_machine: bool,
    /// Leaf 0xD's subleaves describe the host's components, not the guest's, and supervisor components have sizes and
    /// need XSAVES.
    pub(crate) components_are_hosts: bool,
    /// The components of `IA32_XSS` that the code knows, `CPUID_XSTATE_XSS_MASK`; all others are XCR0's.
    pub(crate) xss: u64,
    /// `avx10-version` has a setter, which adds features by [`AVX10_VERSIONS`](super::cpu::avx10::AVX10_VERSIONS).
    pub(crate) avx10_by_version: bool,
    /// APX has leaf 0x29, and excludes MPX.
    pub(crate) apx: bool,
    /// Leaf 0x1E has the host's number of subleaves, and a second one.
    pub(crate) tmul_subleaves: bool,
    /// Branch records need a PMU as a feature, and not in each leaf.
    pub(crate) drops_lbr_without_pmu: bool,
    /// Every CPU asks for the machine's SMM, and not only boards that have it.
    pub(crate) cpus_use_smm: bool,
    /// The warning about threads of an AMD CPU comes before the vCPU exists, and its machine checks' warning.
    pub(crate) warns_of_threads_first: bool,
    /// `-overcommit cpu-pm=on` needs a KVM that lets guests execute such instructions.
    pub(crate) cpu_pm_is_checked: bool,
    /// KVM must have what Linux 4.5 has.
    pub(crate) needs_linux_4_5: bool,
    /// The largest `phys-bits`.
    pub(crate) max_phys_bits: Option<u32>,
}

/// The release at which each flag changed. `since` is certain: the sources of that release and of the one before are
/// pinned, or QEMU's history has the change between them. `about` is an estimate: the change lies between two pinned
/// releases, 7.2 and 10.0 or 10.0 and 10.2, for which it is certain. Random guests of the programs 8.2.2, 9.2.1 and 10.1.0 agree.
impl Behaviour {
    pub(super) fn from_series(number: (u32, u32)) -> Behaviour {
        let since = |major, minor| number >= (major, minor);
        let about = since;
        Behaviour {
            adds_optimizations: about(8, 1),
            sets_ht_in_expand: about(10, 0),
            counts_apic_ids: about(9, 1),
            lists_levels: about(9, 1),
            counts_dies: about(8, 2),
            rounds_count: about(10, 0),
            keeps_cores_of_one: about(8, 2) && !about(9, 1),
            drops_obsolete: about(9, 1),
            sizes_by_xcr0: about(9, 1),
            avx10: about(9, 2),
            sgx_needs_pc: about(9, 1),
            keeps_syndbg_back: about(9, 0),
            apic_is_kernels: about(8, 0),
            pae_is_36_bits: about(8, 2),
            guest_phys_bits: about(9, 1),
            fixed_tsc_migrates: about(9, 2),
            raises_to_80000021: about(8, 1),
            monitor_by_kvm: about(9, 1),
            zero_is_error: about(9, 0),
            asks_whole_counts: about(9, 0),
            cleans_up: about(10, 1),
            base_has_vendor: about(10, 1),
            wide_apic_ids_need_x2apic: about(9, 0),
            modules: about(9, 1),
            knows_books: about(8, 2),
            checks_smbios: about(9, 0),
            family_for_max: about(8, 2),
            decodes_host: about(10, 1),
            isapc_is_old: about(10, 2),
            suffixes_need_no_digit: about(8, 1),
            knows_32_bit_addresses: about(8, 2),
            names_subleaves: about(10, 1),
            clock_msrs_need_clock: since(10, 0),
            fred_msrs: since(9, 1),
            vmcs_of_fred: since(9, 2),
            // 10.2, and the later stable releases of 10.0 and 10.1: 10.0.13 has it.
            adds_fb_clear: since(10, 0),
            saves_hwcr: since(9, 2),
            counters_by_vendor: since(11, 0),
            vmx_before_microcode: about(10, 1),
            cet_msrs: since(11, 0),
            knows_smp_cache: about(9, 2),
            caches_by_machine: about(10, 0),
            components_are_hosts: since(11, 0),
            xss: if since(11, 0) { 1 << 11 | 1 << 12 | 1 << 15 } else { 1 << 15 },
            avx10_by_version: since(11, 0),
            apx: since(11, 0),
            tmul_subleaves: since(11, 0),
            drops_lbr_without_pmu: since(11, 0),
            cpus_use_smm: about(10, 0) && !since(11, 0),
            warns_of_threads_first: about(9, 1),
            cpu_pm_is_checked: about(9, 1),
            needs_linux_4_5: about(8, 2),
            max_phys_bits: (!since(11, 0)).then_some(52),
        }
    }
}

/// The first and the last release whose code is known. 7.2, 8.2, 9.2, 10.0, 10.1, 10.2 and 11.1 were compared with their
/// programs, 11.0 with its source; of 11.1 what no program states is 11.0's.
pub(crate) const KNOWN: [(u32, u32); 2] = [(7, 2), (11, 1)];

/// True for a release whose behaviour is not an estimate.
pub(crate) fn is_compared(number: (u32, u32)) -> bool {
    [(7, 2), (8, 2), (9, 2), (10, 0), (10, 1), (10, 2), (11, 0), (11, 1)].contains(&number)
}

/// Major and minor number.
pub(crate) fn number(release: QemuRelease) -> (u32, u32) {
    let mut numbers = release.name().split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
