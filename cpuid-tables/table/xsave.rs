//! XSAVE components described by leaf 0xD, and the size of an area with some of them.
//!
//! Intel SDM volume 1, chapter 13. Components 0 and 1, x87 and SSE, have no subleaves: they are in the legacy region,
//! which is followed by the header.

use crate::bits::known_fields::leaf_d;
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::bits::xsave::XsaveComponent;
use crate::table::cpuid_fn::CpuidFn;

/// A subleaf of 0xD from 2 on, which describes a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct XsaveSubleaf {
    /// The component's number: its bit in XCR0 or IA32_XSS, which is the subleaf.
    pub number: u8,
    /// EAX, EBX, ECX and EDX.
    pub registers: Registers,
}

impl XsaveSubleaf {
    /// Size in bytes.
    #[must_use]
    pub const fn size(&self) -> u32 {
        leaf_d::XSAVE_SZ.read_from(self.registers)
    }

    /// Offset in bytes from the area's start in the standard format; 0 for a supervisor component.
    #[must_use]
    pub const fn offset(&self) -> u32 {
        leaf_d::XSAVE_OFFSET.read_from(self.registers)
    }

    /// True for a component of IA32_XSS.
    #[must_use]
    pub const fn is_supervisor(&self) -> bool {
        leaf_d::IS_XSS_BIT.read_from(self.registers) != 0
    }

    /// True if it starts at a multiple of 64 bytes in the compacted format.
    #[must_use]
    pub const fn is_aligned(&self) -> bool {
        leaf_d::COMPACTED_XSAVE_64BYTE_ALIGNED.read_from(self.registers) != 0
    }

    /// The known component with its number.
    #[must_use]
    pub fn component(&self) -> Option<XsaveComponent> {
        XsaveComponent::numbered(self.number)
    }
}

/// Bytes of the legacy region, 512, and the header, 64.
pub(crate) const LEGACY_AND_HEADER: u32 = 576;

/// 64 bits from two registers.
pub(crate) const fn wide(low: u32, high: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

fn component(cpuid: impl CpuidFn, number: u8) -> Option<XsaveSubleaf> {
    let registers = cpuid(Leaf(0xd), Subleaf(u32::from(number)))?;
    Some(XsaveSubleaf { number, registers })
}

/// Bit 63 is not a component.
pub(crate) fn components(cpuid: impl CpuidFn) -> impl Iterator<Item = XsaveSubleaf> {
    (2..63).filter_map(move |number| component(&cpuid, number)).filter(|component| component.size() != 0)
}

/// KVM's `xstate_required_size()`, which reads the host's leaf 0xD; a component without a subleaf has size 0.
pub(crate) fn size(cpuid: impl CpuidFn, components: u64, compacted: bool) -> u32 {
    let wanted = (2..63).filter(|number| components >> number & 1 != 0);
    wanted.filter_map(|number| component(&cpuid, number)).fold(LEGACY_AND_HEADER, |size, component| {
        let offset = match (compacted, component.is_aligned()) {
            (false, _) => component.offset(),
            (true, false) => size,
            // Values of no real processor must not overflow.
            (true, true) => size.checked_next_multiple_of(64).unwrap_or(u32::MAX),
        };
        size.max(offset.saturating_add(component.size()))
    })
}
