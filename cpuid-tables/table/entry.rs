//! An entry of a CPUID table as KVM stores it: `struct kvm_cpuid_entry2` (Linux, `arch/x86/include/uapi/asm/kvm.h`).

use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};

/// An entry of a guest's CPUID table.
///
/// It answers for `function` with any subleaf, unless [`SIGNIFICANT_INDEX`](CpuidEntry::SIGNIFICANT_INDEX) is set;
/// without that flag `index` has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuidEntry {
    /// CPUID's input EAX.
    pub function: Leaf,
    /// CPUID's input ECX, if significant; otherwise any value.
    pub index: Subleaf,
    /// `KVM_CPUID_FLAG_*`; unknown bits are kept.
    pub flags: u32,
    /// What CPUID returns.
    pub registers: Registers,
}

impl CpuidEntry {
    /// `KVM_CPUID_FLAG_SIGNIFCANT_INDEX` (KVM's spelling): the entry answers only for its index.
    pub const SIGNIFICANT_INDEX: u32 = 1;
    /// `KVM_CPUID_FLAG_STATEFUL_FUNC`: obsolete, for leaf 2; KVM has ignored it since 5.6.
    pub const STATEFUL_FUNC: u32 = 2;
    /// `KVM_CPUID_FLAG_STATE_READ_NEXT`: obsolete, for leaf 2; KVM has ignored it since 5.6.
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

    /// True if the entry answers only for its index.
    #[must_use]
    pub const fn is_indexed(&self) -> bool {
        self.flags & Self::SIGNIFICANT_INDEX != 0
    }

    /// True if KVM uses this entry for a leaf and subleaf, provided that no earlier one matches
    /// (`kvm_find_cpuid_entry2`).
    #[must_use]
    pub const fn answers(&self, leaf: Leaf, subleaf: Subleaf) -> bool {
        self.function.0 == leaf.0 && (!self.is_indexed() || self.index.0 == subleaf.0)
    }

    /// The subleaf for which it answers; 0 if the index is not significant.
    #[must_use]
    pub const fn subleaf(&self) -> Subleaf {
        if self.is_indexed() { self.index } else { Subleaf(0) }
    }

    /// One of its registers.
    #[must_use]
    pub const fn register(&self, register: Register) -> u32 {
        self.registers.get(register)
    }

    /// One of its registers, mutable.
    pub fn register_mut(&mut self, register: Register) -> &mut u32 {
        &mut self.registers[register]
    }

    /// The coordinates of its four registers.
    #[must_use]
    pub fn words(&self) -> [CpuidWord; 4] {
        Register::ALL.map(|register| CpuidWord { leaf: self.function, subleaf: self.subleaf(), register })
    }

    /// Equal for a guest: the index is compared only if it is significant.
    #[must_use]
    pub fn same_answer(&self, other: &CpuidEntry) -> bool {
        (self.function, self.flags, self.registers) == (other.function, other.flags, other.registers)
            && (!self.is_indexed() || self.index == other.index)
    }
}
