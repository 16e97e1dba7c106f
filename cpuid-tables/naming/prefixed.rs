//! Names with the prefix of a project's macros or options: QEMU's `CPUID_7_0_EBX_AVX2`, KVM's `KVM_FEATURE_*`,
//! compilers' `-mno-avx2`, VMware's `cpuid.AVX2`, `-cpu`'s `+avx2`.

use alloc::format;
use alloc::string::String;

use super::aliases::{alias, qemu_alias};
use crate::bits::feature::Feature;
use crate::bits::known_places::KVM_FEATURES;
use crate::bits::location::{Bit, CpuidWord, Leaf, Register, Subleaf};
use crate::bits::lookup::{LookupError, Named, lookup, without_prefix};
use crate::bits::release::QemuRelease;

const fn word(leaf: u32, subleaf: u32, register: Register) -> CpuidWord {
    CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register)
}

/// Prefixes of QEMU's macros that do not spell the register out (target/i386/cpu.h); longer ones before shorter ones.
static QEMU: &[(&str, CpuidWord)] = &[
    ("CPUID_EXT2_", word(0x8000_0001, 0, Register::Edx)),
    ("CPUID_EXT3_", word(0x8000_0001, 0, Register::Ecx)),
    ("CPUID_EXT_", word(1, 0, Register::Ecx)),
    ("CPUID_SVM_", word(0x8000_000a, 0, Register::Edx)),
    ("CPUID_XSAVE_", word(0xd, 1, Register::Eax)),
    ("CPUID_APM_", word(0x8000_0007, 0, Register::Edx)),
    ("CPUID_6_EAX_", word(6, 0, Register::Eax)),
    ("CPUID_KVM_HINTS_", word(KVM_FEATURES.0, 0, Register::Edx)),
    ("CPUID_KVM_", word(KVM_FEATURES.0, 0, Register::Eax)),
    ("CPUID_", word(1, 0, Register::Edx)),
];

/// A register of an AMD leaf, and the register whose bits it repeats.
const REPEATING: CpuidWord = word(0x8000_0001, 0, Register::Edx);
const REPEATED: CpuidWord = word(1, 0, Register::Edx);

/// Prefixes that carry no information about the bit.
static PLAIN: &[&str] = &[
    "cpuid.",
    "X86_FEATURE_",
    "KVM_X86_FEATURE_",
    "KVM_FEATURE_",
    "MSR_ARCH_CAP_",
    "ARCH_CAP_",
    "ARCH_CAPABILITIES_",
    "CORE_CAP_",
    "MSR_CORE_CAP_",
    "CPUID_STDEXT_",
    "CPUID_STDEXT2_",
    "CPUID_STDEXT3_",
    "AMDID_",
    "AMDID2_",
    "CPUID2_",
    "bit_",
    "FEATURE_",
    "-mno-",
    "-m",
    "+",
    "-",
    "~",
];

/// Prefixes of macros for VMX controls, in QEMU, KVM and Xen; longer ones before shorter ones.
static VMX: &[&str] = &[
    "VMX_SECONDARY_EXEC_ENABLE_",
    "VMX_SECONDARY_EXEC_",
    "SECONDARY_EXEC_ENABLE_",
    "SECONDARY_EXEC_",
    "VMX_CPU_BASED_",
    "CPU_BASED_",
    "VMX_PIN_BASED_",
    "PIN_BASED_",
    "VMX_VM_",
    "VM_",
    "MSR_VMX_EPT_",
    "MSR_VMX_MISC_",
    "MSR_VMX_BASIC_",
];

/// The VMX control that a macro's name refers to, by QEMU's name: `CPU_BASED_HLT_EXITING` is `vmx-hlt-exit`.
fn vmx(name: &str) -> Result<Named, LookupError> {
    let rests = VMX.iter().filter_map(|prefix| without_prefix(name, prefix));
    let words =
        |rest: &str| ["vmx-", "vmx-ept-"].map(|word| format!("{word}{}", rest.replace("EXITING", "EXIT")));
    let mut found = rests.flat_map(words).map(|name| lookup(&name));
    found.find(|found| *found != Err(LookupError::Unknown)).unwrap_or(Err(LookupError::Unknown))
}

/// What a name with a prefix refers to.
pub(super) fn prefixed(name: &str) -> Result<Named, LookupError> {
    if let Some((word, rest)) = of_qemu(name) {
        // AMD's leaf repeats bits of leaf 1.
        let repeated = || (word == REPEATING).then(|| called(rest, REPEATED)).flatten();
        if let Some(feature) = called(rest, word).or_else(repeated) {
            return Ok(Named::Feature(feature));
        }
    }
    for prefix in PLAIN {
        let Some(rest) = without_prefix(name, prefix).filter(|rest| !rest.is_empty()) else { continue };
        let found = [lookup, alias, qemu_alias].into_iter().map(|way| way(rest));
        if let Some(found) = found.into_iter().find(|found| *found != Err(LookupError::Unknown)) {
            return found;
        }
    }
    vmx(name)
}

/// The register that a macro's name begins with, and the rest.
fn of_qemu(name: &str) -> Option<(CpuidWord, &str)> {
    spelled_out(name)
        .or_else(|| QEMU.iter().find_map(|(prefix, word)| Some((*word, without_prefix(name, prefix)?))))
}

/// `CPUID_7_0_EBX_AVX2`, `CPUID_8000_0008_EBX_WBNOINVD`.
fn spelled_out(name: &str) -> Option<(CpuidWord, &str)> {
    let mut parts = without_prefix(name, "CPUID_")?.splitn(4, '_');
    let (first, second, register, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (first, second) = (u32::from_str_radix(first, 16).ok()?, u32::from_str_radix(second, 16).ok()?);
    let register: Register = register.parse().ok()?;
    let (leaf, subleaf) =
        if first >= 0x4000 { (first.checked_shl(16)? | second, 0) } else { (first, second) };
    Some((word(leaf, subleaf, register), rest))
}

/// The feature of a register, by any name. Where KVM or the compiler has another name, QEMU's macro omits some words of it.
fn called(name: &str, word: CpuidWord) -> Option<Feature> {
    let squeezed = |name: &str| -> String { name.chars().filter(char::is_ascii_alphanumeric).collect() };
    let wanted = squeezed(name);
    let same = |known: &str| {
        let known = squeezed(known);
        let prefixes = ["kvm", "amd", "intelpt", "intel"];
        let short = prefixes.iter().find_map(|prefix| without_prefix(&known, prefix)).unwrap_or(&known);
        known.eq_ignore_ascii_case(&wanted) || short.eq_ignore_ascii_case(&wanted)
    };
    let meant = [lookup, alias, qemu_alias].map(|way| way(name));
    let qemu =
        |feature: Feature| QemuRelease::ALL.into_iter().flat_map(move |release| feature.qemu_names(release));
    let mut features = (0..32).filter_map(|bit| Feature::at(word.bit(Bit(bit))));
    features.find(|feature| {
        same(feature.name()) || qemu(*feature).any(same) || meant.contains(&Ok(Named::Feature(*feature)))
    })
}

#[cfg(test)]
mod tests {
    use super::prefixed;
    use crate::bits::lookup::Named;

    #[test]
    fn prefixes_of_macros_and_options() {
        if !crate::naming::pinned() {
            return;
        }
        for (name, place) in [
            ("CPUID_7_0_EBX_AVX2", "CPUID.(EAX=7,ECX=0):EBX[5]"),
            ("CPUID_EXT_SSE3", "CPUID.(EAX=1,ECX=0):ECX[0]"),
            ("CPUID_EXT2_NX", "CPUID.(EAX=0x80000001,ECX=0):EDX[20]"),
            ("CPUID_8000_0008_EBX_WBNOINVD", "CPUID.(EAX=0x80000008,ECX=0):EBX[9]"),
            ("CPUID_8000_0008_EBX_IBRS", "CPUID.(EAX=0x80000008,ECX=0):EBX[14]"),
            ("CPUID_KVM_CLOCK2", "CPUID.(EAX=0x40000001,ECX=0):EAX[3]"),
            ("-mno-avx512vbmi2", "CPUID.(EAX=7,ECX=0):ECX[6]"),
            ("cpuid.MDCLEAR", "CPUID.(EAX=7,ECX=0):EDX[10]"),
            ("+sse4.2", "CPUID.(EAX=1,ECX=0):ECX[20]"),
        ] {
            let found = match prefixed(name) {
                Ok(Named::Feature(feature)) => Some(feature.location()),
                _ => None,
            };
            assert_eq!(
                found.map(|at| alloc::string::ToString::to_string(&at)).as_deref(),
                Some(place),
                "{name}"
            );
        }
    }
}
