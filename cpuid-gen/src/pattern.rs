//! The regular expressions that match comments.

use regex::Regex;

use crate::diagnostic::Diagnostic;

/// The index of a word in a comment of Linux before 4.6.
pub(crate) const LINUX_WORD: &str = r"word ([0-9]{1,2})(?:[^0-9]|$)";

/// The function in the same comment.
pub(crate) const LINUX_FUNCTION: &str = r"CPUID level (0x[0-9a-fA-F]{8})";

/// A location in a comment of QEMU: `CPUID[8000_0001].EDX`, `CPUID[EAX=7,ECX=0].EBX`.
pub(crate) const QEMU_LOCATION: &str =
    r"CPUID\[(?:EAX=)?([0-9A-Fa-fx_]+)(?:,ECX=([0-9A-Fa-fx]+))?\]\.(E[ABCD]X)";

/// The leaf in a heading of GCC's or clang's cpuid.h: `%eax == 7`, `leaf 0x14`.
pub(crate) const COMPILER_LEAF: &str = r"(?:%eax == |(?-u:\b)for leaf )(0x[0-9a-fA-F]+|[0-9]+)";

/// The subleaf there: `%ecx == 1`, `sub-leaf 1`.
pub(crate) const COMPILER_SUBLEAF: &str = r"(?:%ecx == |sub-leaf )(0x[0-9a-fA-F]+|[0-9]+)";

/// The register there, `%ecx`; with the second group it is an input.
pub(crate) const COMPILER_REGISTER: &str = r"%(e[abcd]x)(?-u:\b)( ==)?";

/// A word in the headings of Xen's cpufeatureset.h: `CPUID level 0x00000007:1.eax, word 10`, `MSR_ARCH_CAPS 0x10a.eax, word
/// 16`.
pub(crate) const XEN_WORD: &str = r"(?:CPUID level 0x([0-9A-Fa-f]{8})(?::([0-9]{1,2}))?|MSR_[A-Z_]+ 0x([0-9a-fA-F]{1,8}))\.(e[abcd]x), word ([0-9]{1,3})(?-u:\b)";

/// Compiles one of these. A pattern that does not compile is an error, so that no reader skips its comments silently.
pub(crate) fn compile(pattern: &str) -> Result<Regex, Diagnostic> {
    let bug = |error| Diagnostic::general(format!("a bug in cpuid-gen: the pattern `{pattern}`: {error}"));
    Regex::new(pattern).map_err(bug)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
    use super::{
        COMPILER_LEAF, COMPILER_REGISTER, COMPILER_SUBLEAF, LINUX_FUNCTION, LINUX_WORD, QEMU_LOCATION,
        XEN_WORD, compile,
    };

    #[test]
    fn every_pattern_compiles_and_matches_its_form() {
        for (pattern, form, groups) in [
            (LINUX_WORD, "/* Fruit, CPUID level 0x00000001 (ecx), word 4 */", &["4"][..]),
            (LINUX_FUNCTION, "/* CPUID level 0x80000001 (edx), word 1 */", &["0x80000001"]),
            (QEMU_LOCATION, "/* CPUID[8000_0001].EDX */", &["8000_0001", "", "EDX"]),
            (QEMU_LOCATION, "/* CPUID[EAX=7,ECX=0].EBX */", &["7", "0", "EBX"]),
            (COMPILER_LEAF, "/* Fruit (%eax == 0x1e, %ecx == 1) */", &["0x1e"]),
            (COMPILER_SUBLEAF, "/* Fruit (%eax == 0x1e, %ecx == 1) */", &["1"]),
            (COMPILER_LEAF, "/* Fruit in %edx for leaf 7 sub-leaf 1 */", &["7"]),
            (COMPILER_SUBLEAF, "/* Fruit in %edx for leaf 7 sub-leaf 1 */", &["1"]),
            (COMPILER_REGISTER, "/* Fruit in %edx for leaf 7 sub-leaf 1 */", &["edx", ""]),
            (COMPILER_REGISTER, "/* (%eax == 7) */", &["eax", " =="]),
            (XEN_WORD, "/* CPUID level 0x00000007:1.eax, word 10 */", &["00000007", "1", "", "eax", "10"]),
            (XEN_WORD, "/* MSR_ARCH_CAPS 0x10a.edx, word 17 (fruit) */", &["", "", "10a", "edx", "17"]),
        ] {
            let found = compile(pattern).unwrap().captures(form).unwrap();
            let found: Vec<&str> =
                found.iter().skip(1).map(|group| group.map_or("", |group| group.as_str())).collect();
            assert_eq!(found, groups, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_does_not_compile_is_an_error() {
        let error = compile("(").unwrap_err();
        assert!(error.message.starts_with("a bug in cpuid-gen: the pattern `(`: "), "{}", error.message);
    }
}
