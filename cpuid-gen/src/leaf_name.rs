//! What the name of a word says about its place.
//!
//! Linux names a word after its register, `CPUID_7_1_EAX` or `CPUID_8000_0007_EBX`, and QEMU likewise, `FEAT_7_1_EAX`.
//! All numbers in such names are hexadecimal; a leaf above 0xFFFF is written in two groups of four digits.

use crate::location::{CpuidWord, Leaf, Register, Subleaf};

/// The register that a Linux word's name states: `CPUID_7_1_EAX`, `CPUID_8000_0007_EBX`. None for a name of another
/// form, such as a software-defined word's.
pub(crate) fn from_linux(name: &str) -> Option<CpuidWord> {
    from_stem(name.strip_prefix("CPUID_")?)
}

/// The name of a register's word; a register of subleaf 0 states it only on request.
#[cfg(feature = "trees")]
pub(crate) fn to_linux(word: CpuidWord, states_subleaf: bool) -> String {
    let leaf = match word.leaf.0 {
        leaf @ 0..=0xFFFF => format!("{leaf:X}"),
        leaf => format!("{:X}_{:04X}", leaf >> 16, leaf & 0xFFFF),
    };
    let subleaf =
        if states_subleaf || word.subleaf.0 != 0 { format!("{:X}_", word.subleaf.0) } else { String::new() };
    format!("CPUID_{leaf}_{subleaf}{}", word.register.name())
}

/// The same without its prefix, as QEMU's `FEAT_7_1_EAX` has it too.
pub(crate) fn from_stem(stem: &str) -> Option<CpuidWord> {
    let (head, register) = stem.rsplit_once('_')?;
    let register: Register = register.parse().ok().filter(|found: &Register| found.name() == register)?;
    let groups: Vec<&str> = head.split('_').collect();
    let (leaf, rest) = match groups.as_slice() {
        [high, low, rest @ ..] if high.len() == 4 && low.len() == 4 => {
            (group(high)? << 16 | group(low)?, rest)
        }
        [leaf, rest @ ..] => (group(leaf)?, rest),
        [] => return None,
    };
    let subleaf = match rest {
        [] => 0,
        [subleaf] => group(subleaf)?,
        _ => return None,
    };
    Some(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register))
}

/// One to four hexadecimal digits.
fn group(digits: &str) -> Option<u32> {
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// The longest start of `name` that states a register and is followed by `_`: `7_1_EAX` of `7_1_EAX_AVX_VNNI`.
#[cfg(feature = "verify")]
pub(crate) fn stated_prefix(name: &str) -> Option<&str> {
    let ends = name.match_indices('_').map(|(at, _)| at);
    ends.map(|end| &name[..end]).rfind(|start| from_stem(start).is_some())
}

#[cfg(test)]
mod tests {
    use super::from_stem;
    #[cfg(feature = "verify")]
    use super::stated_prefix;
    #[cfg(feature = "trees")]
    use super::{from_linux, to_linux};

    #[test]
    fn names_of_real_words() {
        let text = |name| from_stem(name).map(|word| word.to_string());
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
    #[cfg(feature = "trees")]
    fn a_register_s_name_states_it() {
        for (name, states_subleaf) in [
            ("CPUID_1_EDX", false),
            ("CPUID_7_0_EBX", true),
            ("CPUID_7_1_EAX", false),
            ("CPUID_D_1_EAX", true),
            ("CPUID_8000_001F_EAX", false),
            ("CPUID_C000_0001_EDX", false),
        ] {
            let same = from_linux(name).map(|word| to_linux(word, states_subleaf));
            assert_eq!(same.as_deref(), Some(name));
        }
    }

    #[test]
    #[cfg(feature = "verify")]
    fn prefixes_of_real_macros() {
        assert_eq!(stated_prefix("7_1_EAX_AVX_VNNI"), Some("7_1_EAX"));
        assert_eq!(stated_prefix("8000_0007_EBX_SUCCOR"), Some("8000_0007_EBX"));
        assert_eq!(stated_prefix("EXT2_NX"), None);
    }
}
