//! Some bits of an MSR, in either half of it.

use alloc::format;

use super::pasted::msrs_in;
use super::{AboutMsr, line};
use crate::bits::location::{Bit, Msr};
use crate::show::styled::{Style, Styled};

/// Bits of an MSR, from the lowest to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsrBits {
    /// The MSR.
    pub about: AboutMsr,
    /// The lowest bit.
    pub low: Bit,
    /// The highest bit.
    pub high: Bit,
}

impl MsrBits {
    /// Bits of an MSR that is known; `None` for others, and where the bits are not in order or not below 64.
    #[must_use]
    pub fn new(msr: Msr, low: Bit, high: Bit) -> Option<MsrBits> {
        let about = AboutMsr::new(msr)?;
        (low <= high && high.0 < 64).then_some(MsrBits { about, low, high })
    }

    /// A heading, and each bit with what it is; of a control MSR's upper half, the control that may be 1.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        let MsrBits { about, low, high } = *self;
        let bits = if low == high { format!("[{}]", low.0) } else { format!("[{}:{}]", high.0, low.0) };
        text.line(Style::Heading, format_args!("{}{bits}: {}", about.msr, about.called()));
        for bit in (low.0..=high.0).map(Bit) {
            match self.meaning(bit) {
                Some(meaning) => line(&mut text, bit, meaning),
                None if low == high => line(&mut text, bit, "reserved, or without a name here"),
                None => {}
            }
        }
        text
    }

    fn meaning(&self, bit: Bit) -> Option<alloc::string::String> {
        if !self.about.has_controls() {
            return self.about.bit_name(bit).map(Into::into);
        }
        let (control, says) = if bit.0 < 32 { (bit, "must be 1") } else { (Bit(bit.0 - 32), "may be 1") };
        let name = self.about.bit_name(control);
        let alone = self.low == self.high;
        let name = name.or_else(|| alone.then_some("reserved, or without a name here"))?;
        Some(format!("control {} {says}: {name}", control.0))
    }
}

/// Bits of one MSR: `MSR 0x48e[63:32]`, `MSR 1166[1]`, `MSR(48EH)[63]`, `IA32_ARCH_CAPABILITIES[8]`.
pub(in crate::show) fn bits_of(text: &str) -> Option<MsrBits> {
    let (msr, bits) = text.strip_suffix(']')?.split_once('[')?;
    let msr = msr.trim_end();
    let msr = match msrs_in(msr).as_slice() {
        [(msr, None)] => *msr,
        [] => AboutMsr::named(msr)?.msr,
        _ => return None,
    };
    let (high, low) = bits.split_once(':').or_else(|| bits.split_once('-')).unwrap_or((bits, bits));
    let (high, low): (u8, u8) = (high.trim().parse().ok()?, low.trim().parse().ok()?);
    MsrBits::new(msr, Bit(low.min(high)), Bit(low.max(high)))
}
