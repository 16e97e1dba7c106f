//! The form of the rows: what a platform makes of some bits of a register.

use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};

/// What SEV-SNP's firmware requires of some bits of a CPUID page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageRule {
    /// The bits have the value.
    Exact,
    /// The bits are among the value's, which the processor has.
    Subset,
    /// The field is not above the value, which is the processor's.
    AtMost,
    /// No register of the leaf is checked.
    Unchecked,
}

/// A rule about some bits of a register of a CPUID page, in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageRow {
    pub(super) word: CpuidWord,
    pub(super) rule: PageRule,
    pub(super) bits: u32,
    pub(super) value: u32,
}

impl PageRow {
    pub(super) const fn new(
        leaf: u32,
        subleaf: u32,
        register: Register,
        rule: PageRule,
        bits: u32,
        value: u32,
    ) -> PageRow {
        PageRow { word: CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), rule, bits, value }
    }
}

/// What TDX makes of some bits of a guest's CPUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TdRule {
    /// The TDX module sets the bits.
    Fixed,
    /// The guest has them only with this bit of the TD's ATTRIBUTES.
    Attribute(u32),
    /// The guest has them only with this bit of the TD's XFAM.
    Xfam(u32),
    /// KVM's features that QEMU lets a TD have; it clears the others.
    Kvm,
    /// KVM fails `KVM_TDX_INIT_VM` with EINVAL if one of them is set.
    Refused,
}

/// A rule about some bits of a register of a TD, in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct TdRow {
    pub(super) rule: TdRule,
    pub(super) word: CpuidWord,
    pub(super) bits: u32,
}

impl TdRow {
    pub(super) const fn new(rule: TdRule, leaf: u32, subleaf: u32, register: Register, bits: u32) -> TdRow {
        TdRow { rule, word: CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register), bits }
    }
}
