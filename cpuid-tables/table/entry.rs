//! One answer of CPUID as KVM stores it: `struct kvm_cpuid_entry2` (Linux, `arch/x86/include/uapi/asm/kvm.h`).

use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};

/// An entry of a guest's CPUID table.
///
/// It answers for `function` whatever the subleaf is, unless [`SIGNIFICANT_INDEX`](CpuidEntry::SIGNIFICANT_INDEX) is
/// set; `index` means nothing without that flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuidEntry {
    /// CPUID's input EAX.
    pub function: Leaf,
    /// CPUID's input ECX, where it is significant; else whatever was left there.
    pub index: Subleaf,
    /// `KVM_CPUID_FLAG_*`; bits that are not known are kept.
    pub flags: u32,
    /// What CPUID returns.
    pub registers: Registers,
}

impl CpuidEntry {
    /// `KVM_CPUID_FLAG_SIGNIFCANT_INDEX` (KVM's spelling): the entry answers for its index alone.
    pub const SIGNIFICANT_INDEX: u32 = 1;
    /// `KVM_CPUID_FLAG_STATEFUL_FUNC`: obsolete, of leaf 2; KVM has ignored it since 5.6.
    pub const STATEFUL_FUNC: u32 = 2;
    /// `KVM_CPUID_FLAG_STATE_READ_NEXT`: obsolete, of leaf 2; KVM has ignored it since 5.6.
    pub const STATE_READ_NEXT: u32 = 4;
    /// All zero: leaf 0, no flag.
    pub const ZERO: CpuidEntry =
        CpuidEntry { function: Leaf(0), index: Subleaf(0), flags: 0, registers: Registers::ZERO };

    /// An entry that answers for every subleaf.
    #[must_use]
    pub const fn new(leaf: Leaf, registers: Registers) -> CpuidEntry {
        CpuidEntry { function: leaf, index: Subleaf(0), flags: 0, registers }
    }

    /// An entry that answers for one subleaf.
    #[must_use]
    pub const fn indexed(leaf: Leaf, subleaf: Subleaf, registers: Registers) -> CpuidEntry {
        CpuidEntry { function: leaf, index: subleaf, flags: Self::SIGNIFICANT_INDEX, registers }
    }

    /// True when the entry answers for its index alone.
    #[must_use]
    pub const fn is_indexed(&self) -> bool {
        self.flags & Self::SIGNIFICANT_INDEX != 0
    }

    /// True when KVM takes this entry for a leaf and subleaf, no earlier one matching (`kvm_find_cpuid_entry2`).
    #[must_use]
    pub const fn answers(&self, leaf: Leaf, subleaf: Subleaf) -> bool {
        self.function.0 == leaf.0 && (!self.is_indexed() || self.index.0 == subleaf.0)
    }

    /// The subleaf that it answers for; 0 where the index is not significant.
    #[must_use]
    pub const fn subleaf(&self) -> Subleaf {
        if self.is_indexed() { self.index } else { Subleaf(0) }
    }

    /// One of its registers.
    #[must_use]
    pub const fn register(&self, register: Register) -> u32 {
        self.registers.get(register)
    }

    /// One of its registers, to change.
    pub fn register_mut(&mut self, register: Register) -> &mut u32 {
        &mut self.registers[register]
    }

    /// Its four registers' coordinates.
    #[must_use]
    pub fn words(&self) -> [CpuidWord; 4] {
        Register::ALL.map(|register| CpuidWord { leaf: self.function, subleaf: self.subleaf(), register })
    }

    /// Equal as a guest sees it: the index is compared only where it is significant.
    #[must_use]
    pub fn same_answer(&self, other: &CpuidEntry) -> bool {
        (self.function, self.flags, self.registers) == (other.function, other.flags, other.registers)
            && (!self.is_indexed() || self.index == other.index)
    }
}
