//! QEMU's words for a bit whose end a terminal or a log cut off: `requested feature: CPUID.07H:EBX.avx2 [bi`.
//!
//! What is left counts only as far as it is whole: a name that the register has, else the register, else the leaf, else
//! nothing. `CPUID` and `MSR` are no names there, although Linux has features of these names.

use alloc::vec::Vec;

use super::Place;
use super::pasted::{after_register, all_named, is_place};
use crate::bits::location::Register;
use crate::bits::lookup::Named;

/// What is left of a bit.
pub(crate) struct CutOff {
    /// The bit, where its name is left; several for an ambiguous name.
    pub(crate) bits: Vec<Named>,
    /// Else the register, MSR or leaf.
    pub(crate) place: Option<Place>,
}

/// What is left of the bit at the end of a line; none if the line does not end in one that is cut off.
pub(crate) fn cut_off(line: &str) -> Option<CutOff> {
    const MARKER: &str = "requested feature: ";
    let at = line.rfind(MARKER)?;
    let rest = line[at + MARKER.len()..].trim_end();
    if !is_place(rest.split(' ').next()?) || rest.contains(']') && rest.contains("[bit ") {
        return None;
    }
    let head = rest.split(' ').next().unwrap_or_default();
    let register = || Register::ALL.iter().filter_map(|register| after_register(head, *register)).min();
    let after = head.find(").").map(|at| at + 1).or_else(register).unwrap_or(head.len());
    let (place, name) = head.split_at(after);
    let name = name.strip_prefix('.').unwrap_or_default();
    let is_whole = Register::ALL.iter().any(|register| place.ends_with(register.name()))
        || place.ends_with([')', ']', 'H']);
    let place = is_whole.then(|| place.parse().ok()).flatten();
    let mut bits: Vec<Named> = name.split('|').flat_map(all_named).collect();
    bits.retain(|bit| place.is_some_and(|place| is_in(*bit, place)));
    bits.dedup();
    Some(CutOff { bits, place })
}

/// True for a bit in the register or MSR of a place; the subleaf does not count, which old forms leave out.
fn is_in(bit: Named, place: Place) -> bool {
    match (bit, place) {
        (Named::Feature(feature), Place::Register(word)) => {
            (feature.leaf(), feature.location().word.register) == (word.leaf, word.register)
        }
        (Named::Msr(feature), Place::Msr(msr)) => feature.location().msr == msr,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::cut_off;

    fn left(text: &str) -> Option<(Vec<String>, String)> {
        let line = format!("qemu-kvm: warning: host doesn't support requested feature: {text}");
        let found = cut_off(&line)?;
        let names = found.bits.iter().map(|bit| bit.name().to_ascii_lowercase()).collect();
        Some((names, found.place.map(|place| format!("{place:?}")).unwrap_or_default()))
    }

    #[test]
    fn only_whole_parts_count() {
        if !crate::naming::pinned() {
            return;
        }
        for (text, names, place) in [
            ("CPUID", &[][..], ""),
            ("CPUID.", &[], ""),
            ("CPUID.07", &[], ""),
            ("CPUID.07H", &[], "Leaf"),
            ("CPUID[eax=07h", &[], ""),
            ("CPUID.07H:EBX", &[], "Register"),
            ("CPUID.07H:EBX.", &[], "Register"),
            ("CPUID.07H:EBX.avx", &[], "Register"),
            ("CPUID.07H:EBX.avx2", &["avx2"], "Register"),
            ("CPUID.07H:EBX.avx2 [bit 5", &["avx2"], "Register"),
            ("CPUID.0DH:EAX.xsavec [b", &["xsavec"], "Register"),
            ("CPUID[eax=07h,ecx=00h].EBX.hle [", &["hle"], "Register"),
            ("MSR", &[], ""),
            ("MSR(48", &[], ""),
            ("MSR(48DH)", &[], "Msr"),
            ("MSR(48DH).vmx-posted-intr [bit", &["vmx_posted_intr"], "Msr"),
        ] {
            let (found, at) = left(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found, names, "{text}");
            assert!(at.starts_with(place) && at.is_empty() == place.is_empty(), "{text}: {at}");
        }
        assert!(left("CPUID.07H:EBX.avx2 [bit 5]").is_none());
        assert!(left("avx2").is_none());
        assert!(cut_off("é requested feature: é").is_none());
    }
}
