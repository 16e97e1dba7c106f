//! What QEMU's code does differently from release to release. Tables are facts of a release; this is what no table says.

use super::cpu::flags::{Reg, word_index};
use crate::bits::location::{Msr, WordSource};
use crate::bits::release::QemuRelease;
use crate::generated::guest_tables::{GUESTS, GuestTables};

/// What the code of a release does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behaviour {
    /// KVM's missing ERMS, FSRM, FZRM, FSRS, FSRC and MCDT_NO are taken from the CPU, HT, and AMD's machine check bits
    /// added (`kvm_arch_get_supported_cpuid`).
    pub(crate) adds_optimizations: bool,
    /// HT and CMP_LEGACY are features that are set before the filter, not bits of a leaf (`x86_cpu_expand_features`).
    pub(crate) sets_ht_in_expand: bool,
    /// Caches' and packages' counts in leaf 1 and 4 and 0x8000001D come from the widths of APIC ids.
    pub(crate) counts_apic_ids: bool,
    /// Leaf 0x1F lists the levels that there are, modules among them.
    pub(crate) lists_levels: bool,
    /// Counts of a package take all dies in (leaves 1, 0xB, 0x80000008).
    pub(crate) counts_dies: bool,
    /// Leaf 2 has no obsolete flags unless it is to be read several times; and leaf 0xD's list has no empty end.
    pub(crate) drops_obsolete: bool,
    /// Components that the host lacks have no size (`x86_cpu_post_initfn`); before, those whose feature KVM lacks have
    /// no offset.
    pub(crate) sizes_by_xcr0: bool,
    /// AVX10 brings AVX-512's components along.
    pub(crate) avx10: bool,
    /// SGX needs a PC.
    pub(crate) sgx_needs_pc: bool,
    /// Hyper-V's debugger is not passed through.
    pub(crate) keeps_syndbg_back: bool,
    /// There is no APIC but KVM's.
    pub(crate) apic_is_kernels: bool,
    /// PAE alone gives a 32-bit CPU 36 physical bits.
    pub(crate) pae_is_36_bits: bool,
    /// The CPU has a width of physical addresses of the guest's own, which KVM tells.
    pub(crate) guest_phys_bits: bool,
    /// A constant TSC may migrate once its frequency is fixed.
    pub(crate) fixed_tsc_migrates: bool,
    /// 0x80000021 raises the highest extended leaf.
    pub(crate) raises_to_80000021: bool,
    /// `-overcommit cpu-pm=on` gives MONITOR only where KVM lets the guest execute MWAIT.
    pub(crate) monitor_by_kvm: bool,
    /// A topology's parameter of 0 is an error; before, it is a warning.
    pub(crate) zero_is_error: bool,
    /// Leaves that are not of Intel's or Zhaoxin's CPUs are empty on these, legacy caches agree with each other, and PDCM
    /// is no feature without a PMU: what the properties `x-vendor-cpuid-only-v2`, `x-consistent-cache` and so on undo.
    pub(crate) cleans_up: bool,
    /// `base` has the host's vendor too.
    pub(crate) base_has_vendor: bool,
    /// APIC ids from 255 on need the CPU's x2APIC.
    pub(crate) wide_apic_ids_need_x2apic: bool,
    /// A PC may have modules.
    pub(crate) modules: bool,
    /// A warning about a feature names the word's subleaf: `CPUID[eax=07h,ecx=00h].EBX` (`feature_word_description`).
    pub(crate) names_subleaves: bool,
    /// A PC's caches may be given a level of the topology (`smp-cache`).
    pub(crate) caches_by_machine: bool,
}

/// The release at which each changed, where it is known between which releases; the pinned ones are certain.
impl Behaviour {
    fn of(release: QemuRelease) -> Behaviour {
        let since = |major, minor| number(release) >= (major, minor);
        Behaviour {
            adds_optimizations: since(8, 1),
            sets_ht_in_expand: since(10, 0),
            counts_apic_ids: since(9, 1),
            lists_levels: since(9, 1),
            counts_dies: since(10, 0),
            drops_obsolete: since(9, 1),
            sizes_by_xcr0: since(9, 1),
            avx10: since(10, 0),
            sgx_needs_pc: since(9, 1),
            keeps_syndbg_back: since(9, 0),
            apic_is_kernels: since(8, 0),
            pae_is_36_bits: since(9, 0),
            guest_phys_bits: since(9, 1),
            fixed_tsc_migrates: since(9, 2),
            raises_to_80000021: since(9, 1),
            monitor_by_kvm: since(9, 1),
            zero_is_error: since(9, 0),
            cleans_up: since(10, 1),
            base_has_vendor: since(10, 1),
            wide_apic_ids_need_x2apic: since(9, 0),
            modules: since(9, 1),
            names_subleaves: since(10, 1),
            caches_by_machine: since(10, 0),
        }
    }
}

/// The first and the last release whose code is known. 7.2 and 10.0 were compared with their binaries; the code of 10.2
/// was read.
const KNOWN: [(u32, u32); 2] = [(7, 2), (10, 2)];

/// Major and minor number.
fn number(release: QemuRelease) -> (u32, u32) {
    let mut numbers = release.name().split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// A release with its tables and its behaviour.
#[derive(Clone, Copy)]
pub(crate) struct Release {
    pub(crate) qemu: QemuRelease,
    pub(crate) tables: &'static GuestTables,
    pub(crate) behaviour: Behaviour,
}

impl Release {
    pub(crate) fn new(qemu: QemuRelease) -> Release {
        Release { qemu, tables: &GUESTS[qemu.index()], behaviour: Behaviour::of(qemu) }
    }

    /// Its code is known, not only its tables.
    pub(crate) fn is_known(self) -> bool {
        let [first, last] = KNOWN;
        (first..=last).contains(&number(self.qemu))
    }

    /// The index of a register's word.
    pub(crate) fn index(self, reg: Reg) -> Option<usize> {
        word_index(self.qemu.index(), reg)
    }

    /// The index of an MSR's word.
    pub(crate) fn msr_index(self, msr: u32) -> Option<usize> {
        self.index_of(WordSource::Msr(Msr(msr)))
    }

    /// The index of the word that is read from there.
    pub(crate) fn index_of(self, source: WordSource) -> Option<usize> {
        self.tables.words.iter().position(|row| row.source == Some(source))
    }

    /// What a word is read from.
    pub(crate) fn source(self, word: usize) -> Option<WordSource> {
        self.tables.words.get(word)?.source
    }
}
