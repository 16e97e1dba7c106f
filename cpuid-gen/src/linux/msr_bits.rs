//! Bits of the MSRs that enumerate features: IA32_ARCH_CAPABILITIES and IA32_CORE_CAPABILITIES.
//!
//! arch/x86/include/asm/msr-index.h, and before 4.4 uapi/asm/msr-index.h. A bit is a macro with the prefix of its
//! MSR's bits whose value is a single bit. IA32_CORE_CAPABILITIES also has `..._BIT` macros with the bit's number,
//! which must agree. IA32_PERF_CAPABILITIES is not read, since its prefix `PERF_CAP_*` covers fields, masks and bit
//! numbers. The bits that KVM exposes (`KVM_SUPPORTED_ARCH_CAP` of kvm/x86.c) are not in this header.

use super::reader::Reader;
use crate::c::macros::Define;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::LinuxMsrBit;
use crate::location::{Bit, Msr};

/// The macro with an MSR's number, and the prefix of its bits' macros.
const FAMILIES: [(&str, &str); 2] =
    [("MSR_IA32_ARCH_CAPABILITIES", "ARCH_CAP_"), ("MSR_IA32_CORE_CAPS", "MSR_IA32_CORE_CAPS_")];

/// The suffix of a macro that is a bit's number.
const NUMBER: &str = "_BIT";

impl<'a> Reader<'a, '_> {
    /// Reads the bits of each family.
    pub(super) fn msr_bits(&mut self, unit: &Unit<'a>) {
        if unit.defines.is_empty() {
            self.diagnostics.error(self.sources.span(unit.file, 0, 0), "this header has no #define");
        }
        for (msr, prefix) in FAMILIES {
            let mut of_bits =
                unit.defines.iter().filter(|define| define.name.text.starts_with(prefix)).peekable();
            // Kernels before 4.16 define neither.
            let Some(first) = of_bits.peek() else { continue };
            let Some(msr) = unit.defines.iter().find(|define| define.name.text == msr) else {
                let message = format!("`{}` is a bit of {msr}, which is not defined here", first.name.text);
                self.diagnostics.error(first.name.span, message);
                continue;
            };
            let Some(msr) = self.diagnostics.take(self.number_in(msr, u32::MAX)).map(Msr) else { continue };
            for define in of_bits {
                let found = self.msr_bit(unit, define);
                let Some(bit) = self.diagnostics.take(found).flatten() else { continue };
                let name = define.name.text[prefix.len()..].to_owned();
                self.facts.msr_bits.push(LinuxMsrBit { name, msr, bit, at: define.name.span });
            }
        }
    }

    /// The bit of a macro; `None` for a macro with the number of another macro's bit.
    fn msr_bit(&self, unit: &Unit<'a>, define: &Define<'a>) -> Result<Option<Bit>, Diagnostic> {
        let name = &define.name;
        let of_number = name
            .text
            .strip_suffix(NUMBER)
            .and_then(|mask| unit.defines.iter().find(|other| other.name.text == mask));
        if let Some(mask) = of_number {
            let (number, bit) = (self.bit_in(define, 63)?, self.one_bit(mask)?);
            return if number == bit { Ok(None) } else { Err(disagree(define, mask, bit)) };
        }
        self.one_bit(define).map(Some)
    }

    fn one_bit(&self, define: &Define<'a>) -> Result<Bit, Diagnostic> {
        let name = &define.name;
        if !define.active {
            return Err(Diagnostic::error(
                name.span,
                format!("`{}` is in an inactive branch of a conditional", name.text),
            ));
        }
        let value = self.value_of(define)?;
        let bits = u64::try_from(value).ok().filter(|bits| bits.is_power_of_two());
        let bits = bits.ok_or_else(|| {
            Diagnostic::error(name.span, format!("`{}` is {value:#x}: expected a single bit", name.text))
        })?;
        Ok(Bit(u8::try_from(bits.trailing_zeros()).unwrap_or(0)))
    }
}

fn disagree(number: &Define<'_>, mask: &Define<'_>, bit: Bit) -> Diagnostic {
    let message = format!("`{}` is not the number of `{}`'s bit", number.name.text, mask.name.text);
    Diagnostic::error(number.name.span, message).with_label(mask.name.span, format!("the bit is {}", bit.0))
}
