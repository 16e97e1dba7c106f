//! The changes that KVM makes in a vCPU's table, or in an answer, according to the vCPU's state:
//! `kvm_update_cpuid_runtime()` and `kvm_cpuid()` of Linux's `arch/x86/kvm/cpuid.c`, releases 6.1, 6.12 and 7.3.

use crate::bits::feature::Feature;
use crate::bits::location::{Leaf, Subleaf};
use crate::feature;
use crate::table::CpuidEntry;
use crate::table::answer::{Answer, AnsweredBy, Lookup, first_of, kvm_answer};
use crate::table::identity::Hypervisor;
use crate::table::read::CpuidRead;

/// The part of a vCPU's state that CPUID shows.
///
/// KVM stores most of it in the vCPU's table, when the table is set and whenever the state changes:
/// [`update`](RunState::update). The rest changes only the answer: [`answer`](RunState::answer).
///
/// ```
/// use cpuid_tables::{CpuidEntry, CpuidRead, CpuidTable, RunState, feature, Leaf, Registers};
///
/// let mut table = CpuidTable::from_entries(&[CpuidEntry::new(Leaf(1), Registers::new(0x806f8, 0, 1 << 26, 0))])?;
/// let running = RunState { osxsave: Some(true), ..RunState::RESET };
/// let host = table.clone();
/// running.update(&mut table, &*host);
/// assert!(table.has(feature::OSXSAVE) && table.has(feature::APIC));
/// # Ok::<(), cpuid_tables::TableFull>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunState {
    /// CR4.OSXSAVE, shown as [`OSXSAVE`](feature::OSXSAVE). `None`: KVM does not change the bit, like 6.1 and 6.12 on
    /// a host without XSAVE.
    pub osxsave: Option<bool>,
    /// CR4.PKE, shown as [`OSPKE`](feature::OSPKE). `None`: KVM does not change the bit, like 6.1 and 6.12 on a host
    /// without PKU.
    pub ospke: Option<bool>,
    /// The enable bit of IA32_APIC_BASE, shown as [`APIC`](feature::APIC). `None`: unchanged.
    pub apic: Option<bool>,
    /// The MONITOR/MWAIT bit of IA32_MISC_ENABLE, shown as [`MWAIT`](feature::MWAIT). `None`: unchanged, as in KVM
    /// unless `KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT` is disabled.
    pub mwait: Option<bool>,
    /// XCR0. It determines 0xD.0 EBX, and 0xD.1 EBX with XSAVEC or XSAVES.
    pub xcr0: u64,
    /// IA32_XSS, which counts for 0xD.1 EBX in 7.3; 0 for 6.1 and 6.12, which use only XCR0 there.
    pub xss: u64,
    /// HLT does not exit (`KVM_X86_DISABLE_EXITS_HLT`): KVM clears [`KVM_FEATURE_PV_UNHALT`](feature::KVM_FEATURE_PV_UNHALT).
    pub hlt_in_guest: bool,
    /// The components that 6.1 allows an enclave in 0x12.1 ECX and EDX: those of the guest's 0xD.0 that KVM supports.
    /// `None`: unchanged, as in 6.12 and 7.3.
    pub sgx_xcr0: Option<u64>,
    /// IA32_TSX_CTRL has its bit 1 set, `CPUID_CLEAR`: [`RTM`](feature::RTM) and [`HLE`](feature::HLE) are hidden.
    pub tsx_cpuid_clear: bool,
    /// Hyper-V's control hides the invariant TSC: the guest has the control and has not set it. Only in 6.12 and 7.3.
    pub hyperv_invtsc_suppressed: bool,
    /// `KVM_CAP_ENFORCE_PV_FEATURE_CPUID`: see [`pv_features`](RunState::pv_features).
    pub enforce_pv_features: bool,
}

impl RunState {
    /// A vCPU's state after reset with the APIC enabled, in a VM without special capabilities.
    pub const RESET: RunState = RunState {
        osxsave: Some(false),
        ospke: Some(false),
        apic: Some(true),
        mwait: None,
        xcr0: 1,
        xss: 0,
        hlt_in_guest: false,
        sgx_xcr0: None,
        tsx_cpuid_clear: false,
        hyperv_invtsc_suppressed: false,
        enforce_pv_features: false,
    };

    /// Changes a table as KVM does. The sizes of XSAVE areas come from the host's leaf 0xD, as in KVM.
    pub fn update<H: CpuidRead + ?Sized>(&self, entries: &mut [CpuidEntry], host: &H) {
        if let Some(at) = first_of(entries, Leaf(1)) {
            show(&mut entries[at], feature::OSXSAVE, self.osxsave);
            show(&mut entries[at], feature::APIC, self.apic);
            show(&mut entries[at], feature::MWAIT, self.mwait);
        }
        if let Some(entry) = entry_mut(entries, 7, 0) {
            show(entry, feature::OSPKE, self.ospke);
        }
        if let Some(entry) = entry_mut(entries, 0xd, 0) {
            entry.registers.ebx = host.xsave_size(self.xcr0, false);
        }
        if let Some(entry) = entry_mut(entries, 0xd, 1) {
            if entry.registers.eax & (feature::XSAVEC.mask() | feature::XSAVES.mask()) != 0 {
                entry.registers.ebx = host.xsave_size(self.xcr0 | self.xss, true);
            }
        }
        if self.hlt_in_guest {
            if let Some(at) = pv_leaf(entries) {
                show(&mut entries[at], feature::KVM_FEATURE_PV_UNHALT, Some(false));
            }
        }
        if let (Some(xcr0), Some(entry)) = (self.sgx_xcr0, entry_mut(entries, 0x12, 1)) {
            let [low, high] = halves(xcr0);
            entry.registers.ecx = entry.registers.ecx & low | X87_AND_SSE;
            entry.registers.edx &= high;
        }
    }

    /// KVM's answer, for entries already changed by [`update`](RunState::update), as KVM's own are.
    #[must_use]
    pub fn answer(&self, entries: &[CpuidEntry], leaf: Leaf, subleaf: Subleaf, lookup: Lookup) -> Answer {
        let mut answer = kvm_answer(entries, leaf, subleaf, lookup);
        let by_entry = matches!(answer.by, AnsweredBy::Entry(_) | AnsweredBy::HighestBasic(_));
        if by_entry && self.tsx_cpuid_clear && (answer.leaf, subleaf) == (Leaf(7), Subleaf(0)) {
            answer.registers.ebx &= !(feature::RTM.mask() | feature::HLE.mask());
        }
        if by_entry && self.hyperv_invtsc_suppressed && answer.leaf == feature::CONSTANT_TSC.leaf() {
            answer.registers.edx &= !feature::CONSTANT_TSC.mask();
        }
        answer
    }

    /// The paravirtual features that KVM honours, as bits of EAX in KVM's feature leaf. A guest may use all of them,
    /// whatever its table contains, unless they are enforced; CPUID returns the same either way.
    #[must_use]
    pub fn pv_features(&self, entries: &[CpuidEntry]) -> u32 {
        if !self.enforce_pv_features {
            return u32::MAX;
        }
        pv_leaf(entries).map_or(0, |at| entries[at].registers.eax)
    }
}

/// A bit that shows what the guest has enabled: whatever the VMM sets, KVM updates it while the guest runs.
#[cfg(feature = "show")]
pub(crate) struct Mirror {
    /// The bit.
    pub(crate) bit: Feature,
    /// What it shows.
    pub(crate) of: &'static str,
    /// The feature without which the guest cannot enable it.
    pub(crate) needs: Option<Feature>,
}

/// The bits that [`RunState::RESET`] determines. [`MWAIT`](feature::MWAIT) is not one, unless KVM's quirk is disabled.
#[cfg(feature = "show")]
static MIRRORS: [Mirror; 3] = [
    Mirror { bit: feature::OSXSAVE, of: "the guest's CR4.OSXSAVE", needs: Some(feature::XSAVE) },
    Mirror { bit: feature::OSPKE, of: "the guest's CR4.PKE", needs: Some(feature::PKU) },
    Mirror { bit: feature::APIC, of: "the enable bit of the guest's IA32_APIC_BASE", needs: None },
];

#[cfg(feature = "show")]
impl Mirror {
    /// What a bit mirrors, if it does.
    pub(crate) fn find(bit: Feature) -> Option<&'static Mirror> {
        MIRRORS.iter().find(|mirror| mirror.bit == bit)
    }
}

/// XSAVE's components 0 and 1.
const X87_AND_SSE: u32 = 3;

const fn halves(wide: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = wide.to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

/// Sets or clears a feature in the entry of its leaf, or leaves it unchanged.
fn show(entry: &mut CpuidEntry, feature: Feature, shown: Option<bool>) {
    let register = entry.register_mut(feature.register());
    match shown {
        Some(true) => *register |= feature.mask(),
        Some(false) => *register &= !feature.mask(),
        None => {}
    }
}

fn entry_mut(entries: &mut [CpuidEntry], leaf: u32, subleaf: u32) -> Option<&mut CpuidEntry> {
    entries.iter_mut().find(|entry| entry.answers(Leaf(leaf), Subleaf(subleaf)))
}

/// The entry of KVM's feature leaf: the one after the first leaf of the range with KVM's signature.
fn pv_leaf(entries: &[CpuidEntry]) -> Option<usize> {
    let mut ranges = Hypervisor::bases().filter_map(|base| {
        first_of(entries, base).map(|at| Hypervisor::from_registers(base, entries[at].registers))
    });
    let kvm = ranges.find(|range| range.signature == Hypervisor::KVM)?;
    first_of(entries, Leaf(kvm.base.0 | 1))
}
