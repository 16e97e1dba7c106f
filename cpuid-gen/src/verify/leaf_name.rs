//! The location in the name of a word.
//!
//! Linux and QEMU name a word after its register: `CPUID_7_1_EAX`, `CPUID_8000_0007_EBX`, `FEAT_7_1_EAX`. All numbers
//! in such names are hexadecimal; a leaf above 0xFFFF is written as two groups of four digits.

use crate::location::CpuidWord;

/// The longest prefix of `name` that states a register and is followed by `_`: `7_1_EAX` of `7_1_EAX_AVX_VNNI`.
pub(super) fn stated_prefix(name: &str) -> Option<&str> {
    let ends = name.match_indices('_').map(|(at, _)| at);
    ends.map(|end| &name[..end]).rfind(|start| CpuidWord::from_stem(start).is_some())
}

#[cfg(test)]
mod tests {
    use super::{CpuidWord, stated_prefix};

    #[test]
    fn names_of_real_words() {
        let text = |name| CpuidWord::from_stem(name).map(|word| word.to_string());
        assert_eq!(text("7_1_EAX").as_deref(), Some("CPUID.(EAX=7,ECX=1):EAX"));
        assert_eq!(text("8000_0007_EBX").as_deref(), Some("CPUID.(EAX=0x80000007,ECX=0):EBX"));
        assert_eq!(text("D_1_EAX").as_deref(), Some("CPUID.(EAX=0xD,ECX=1):EAX"));
        assert_eq!(text("12_EAX").as_deref(), Some("CPUID.(EAX=0x12,ECX=0):EAX"));
        assert_eq!(text("1_EDX").as_deref(), Some("CPUID.(EAX=1,ECX=0):EDX"));
        for name in ["LNX_1", "DUMMY", "SGX_12_0_EAX", "7_0_1_EAX", "EAX", "7_eax", ""] {
            assert_eq!(text(name), None, "{name}");
        }
    }

    #[test]
    fn prefixes_of_real_macros() {
        assert_eq!(stated_prefix("7_1_EAX_AVX_VNNI"), Some("7_1_EAX"));
        assert_eq!(stated_prefix("8000_0007_EBX_SUCCOR"), Some("8000_0007_EBX"));
        assert_eq!(stated_prefix("EXT2_NX"), None);
    }
}
