//! `KVM_FEATURE_*` and `KVM_HINTS_*`: the bits of KVM's own CPUID leaf.
//!
//! arch/x86/include/uapi/asm/kvm_para.h, since 3.7. Each macro with one of the prefixes is the number of a bit;
//! `KVM_CPUID_FEATURES` is the leaf. The registers are documented in the header's comments and in
//! Documentation/virt/kvm/x86/cpuid.rst.

use super::reader::Reader;
use crate::c::macros::Define;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::KvmPara;
use crate::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf};

/// The macro with the leaf's number.
const LEAF: &str = "KVM_CPUID_FEATURES";

const PREFIXES: [(&str, Register); 2] = [("KVM_FEATURE_", Register::Eax), ("KVM_HINTS_", Register::Edx)];

impl<'a> Reader<'a, '_> {
    /// Reads both lists.
    pub(super) fn kvm_para(&mut self, unit: &Unit<'a>) {
        let Some(leaf) = unit.defines.iter().find(|define| define.name.text == LEAF) else {
            let whole = self.sources.span(unit.file, 0, 0);
            self.diagnostics.error(whole, format!("{LEAF} is not defined here"));
            return;
        };
        let Some(leaf) = self.diagnostics.take(self.number_in(leaf, u32::MAX)).map(Leaf) else { return };
        for define in &unit.defines {
            let prefix = PREFIXES.iter().find(|(prefix, _)| define.name.text.starts_with(prefix));
            let Some((prefix, register)) = prefix else { continue };
            let Some(bit) = self.diagnostics.take(self.bit_in(define, 31)) else { continue };
            let name = define.name.text[prefix.len()..].to_owned();
            let word = CpuidWord { leaf, subleaf: Subleaf(0), register: *register };
            let location = Location { word, bit };
            self.facts.kvm_para.push(KvmPara { name, location, at: define.name.span });
        }
    }

    /// A macro's value, from 0 to `max`. An inactive macro is an error, since its bit would be lost.
    pub(super) fn number_in(&self, define: &Define<'a>, max: u32) -> Result<u32, Diagnostic> {
        let name = &define.name;
        if !define.active {
            return Err(Diagnostic::error(
                name.span,
                format!("`{}` is in an inactive branch of a conditional", name.text),
            ));
        }
        let value = self.value_of(define)?;
        u32::try_from(value).ok().filter(|value| *value <= max).ok_or_else(|| {
            let message = format!("`{}` is {value}: expected a number from 0 to {max}", name.text);
            Diagnostic::error(name.span, message)
        })
    }

    /// A macro whose value is a bit's number.
    pub(super) fn bit_in(&self, define: &Define<'a>, max: u8) -> Result<Bit, Diagnostic> {
        Ok(Bit(u8::try_from(self.number_in(define, u32::from(max))?).unwrap_or(max)))
    }
}
