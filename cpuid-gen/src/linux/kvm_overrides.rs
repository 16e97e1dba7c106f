//! The words that KVM's CPUID code hands to guests since 5.7: `cpuid_entry_override(entry, CPUID_7_0_EBX)`. Earlier code
//! applies its lists in several ways; nothing is known of it.

use super::reader::Reader;
use crate::c::preprocess::Unit;

/// The function whose last argument is a word.
const CALL: &str = "cpuid_entry_override";

impl<'a> Reader<'a, '_> {
    /// Reads every call. A word that is not named there, such as a variable, is not one.
    pub(super) fn kvm_overrides(&mut self, unit: &Unit<'a>) {
        for (index, token) in unit.tokens.iter().enumerate() {
            if !token.is_ident(CALL) {
                continue;
            }
            let arguments = unit.tokens[index + 1..].iter().take_while(|token| !token.is(")"));
            let last = arguments.last().map(|last| last.text.as_ref()).unwrap_or_default();
            if last.starts_with("CPUID_") && !self.facts.handed_out.iter().any(|known| known == last) {
                self.facts.handed_out.push(last.to_owned());
            }
        }
    }
}
