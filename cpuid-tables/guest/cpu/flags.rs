//! The registers and bits that QEMU's code names, as opposed to those in its tables.
//!
//! They are separate constants, not those of [`feature`](crate::feature), which follow the releases that the tables
//! are generated from: an older QEMU lacks some that this code reads. A test compares each with QEMU's name.

use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf, WordSource};
use crate::generated::guest_tables::{GUESTS, GuestTables};

/// Defines [`Reg`].
macro_rules! registers {
    ($($name:ident = $leaf:literal $subleaf:literal $register:ident;)+) => {
        /// A register that QEMU's code reads.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Reg {
            $(#[doc = concat!(stringify!($leaf), ".", stringify!($subleaf), ":", stringify!($register))] $name,)+
        }

        impl Reg {
            /// All of them, in the order of their discriminants.
            pub(crate) const ALL: &[Reg] = &[$(Reg::$name,)+];

            /// Its location.
            pub(crate) const fn word(self) -> CpuidWord {
                match self {
                    $(Reg::$name => CpuidWord::new(Leaf($leaf), Subleaf($subleaf), Register::$register),)+
                }
            }
        }
    };
}

registers! {
    L1Ecx = 1 0 Ecx;
    L1Edx = 1 0 Edx;
    L6Eax = 6 0 Eax;
    L7Ebx = 7 0 Ebx;
    L7Ecx = 7 0 Ecx;
    L7Edx = 7 0 Edx;
    L7s1Eax = 7 1 Eax;
    L7s1Ecx = 7 1 Ecx;
    L7s1Edx = 7 1 Edx;
    L7s2Edx = 7 2 Edx;
    LdEax = 0xd 0 Eax;
    LdEdx = 0xd 0 Edx;
    Lds1Eax = 0xd 1 Eax;
    Lds1Ecx = 0xd 1 Ecx;
    Lds1Edx = 0xd 1 Edx;
    L12Eax = 0x12 0 Eax;
    L12Ebx = 0x12 0 Ebx;
    L12s1Eax = 0x12 1 Eax;
    L14Ecx = 0x14 0 Ecx;
    L1es1Eax = 0x1e 1 Eax;
    L24Ebx = 0x24 0 Ebx;
    L24s1Ecx = 0x24 1 Ecx;
    L29Ebx = 0x29 0 Ebx;
    KvmEax = 0x4000_0001 0 Eax;
    KvmEdx = 0x4000_0001 0 Edx;
    X1Ecx = 0x8000_0001 0 Ecx;
    X1Edx = 0x8000_0001 0 Edx;
    X7Ebx = 0x8000_0007 0 Ebx;
    X7Edx = 0x8000_0007 0 Edx;
    X8Ebx = 0x8000_0008 0 Ebx;
    XaEdx = 0x8000_000a 0 Edx;
    X21Eax = 0x8000_0021 0 Eax;
    X21Ebx = 0x8000_0021 0 Ebx;
    X21Ecx = 0x8000_0021 0 Ecx;
    X22Eax = 0x8000_0022 0 Eax;
    C1Edx = 0xc000_0001 0 Edx;
}

/// A bit that QEMU's code reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Its register.
    pub(crate) reg: Reg,
    /// Its bit, as a mask.
    pub(crate) mask: u32,
}

/// Defines constants of type [`Flag`], and a list of them with their QEMU names for the test.
macro_rules! flags {
    ($($name:ident = $reg:ident [$bit:literal] $qemu:literal;)+) => {
        $(
            #[doc = concat!("QEMU's `", $qemu, "`.")]
            pub(crate) const $name: Flag = Flag { reg: Reg::$reg, mask: 1 << $bit };
        )+

        #[cfg(test)]
        const ALL: &[(Flag, &str)] = &[$(($name, $qemu),)+];
    };
}

flags! {
    MONITOR = L1Ecx[3] "monitor";
    VMX = L1Ecx[5] "vmx";
    SMX = L1Ecx[6] "smx";
    PDCM = L1Ecx[15] "pdcm";
    X2APIC = L1Ecx[21] "x2apic";
    TSC_DEADLINE = L1Ecx[24] "tsc-deadline";
    XSAVE = L1Ecx[26] "xsave";
    HYPERVISOR = L1Ecx[31] "hypervisor";
    PAE = L1Edx[6] "pae";
    MCE = L1Edx[7] "mce";
    APIC = L1Edx[9] "apic";
    MTRR = L1Edx[12] "mtrr";
    MCA = L1Edx[14] "mca";
    PAT = L1Edx[16] "pat";
    PSE36 = L1Edx[17] "pse36";
    HT = L1Edx[28] "ht";
    ARAT = L6Eax[2] "arat";
    SGX = L7Ebx[2] "sgx";
    HLE = L7Ebx[4] "hle";
    ERMS = L7Ebx[9] "erms";
    RTM = L7Ebx[11] "rtm";
    MPX = L7Ebx[14] "mpx";
    AVX512F = L7Ebx[16] "avx512f";
    INTEL_PT = L7Ebx[25] "intel-pt";
    WAITPKG = L7Ecx[5] "waitpkg";
    SHSTK = L7Ecx[7] "cet-ss";
    LA57 = L7Ecx[16] "la57";
    SGX_LC = L7Ecx[30] "sgxlc";
    FSRM = L7Edx[4] "fsrm";
    ARCH_LBR = L7Edx[19] "arch-lbr";
    IBT = L7Edx[20] "cet-ibt";
    AMX_TILE = L7Edx[24] "amx-tile";
    ARCH_CAPABILITIES = L7Edx[29] "arch-capabilities";
    FZRM = L7s1Eax[10] "fzrm";
    FSRS = L7s1Eax[11] "fsrs";
    FSRC = L7s1Eax[12] "fsrc";
    FRED = L7s1Eax[17] "fred";
    AVX10 = L7s1Edx[19] "avx10";
    APXF = L7s1Edx[21] "apxf";
    MCDT_NO = L7s2Edx[5] "mcdt-no";
    XSAVES = Lds1Eax[3] "xsaves";
    XFD = Lds1Eax[4] "xfd";
    INTEL_PT_LIP = L14Ecx[31] "intel-pt-lip";
    AVX10_128 = L24Ebx[16] "avx10-128";
    AVX10_256 = L24Ebx[17] "avx10-256";
    AVX10_512 = L24Ebx[18] "avx10-512";
    AVX10_VNNI_INT = L24s1Ecx[2] "avx10-vnni-int";
    CLOCKSOURCE = KvmEax[0] "kvmclock";
    CLOCKSOURCE2 = KvmEax[3] "kvmclock";
    ASYNCPF = KvmEax[4] "kvm-asyncpf";
    STEAL_TIME = KvmEax[5] "kvm-steal-time";
    PV_EOI = KvmEax[6] "kvm-pv-eoi";
    PV_UNHALT = KvmEax[7] "kvm-pv-unhalt";
    POLL_CONTROL = KvmEax[12] "kvm-poll-control";
    ASYNCPF_INT = KvmEax[14] "kvm-asyncpf-int";
    MSI_EXT_DEST_ID = KvmEax[15] "kvm-msi-ext-dest-id";
    HINT_DEDICATED = KvmEdx[0] "kvm-hint-dedicated";
    CMP_LEGACY = X1Ecx[1] "cmp-legacy";
    SVM = X1Ecx[2] "svm";
    TOPOEXT = X1Ecx[22] "topoext";
    PERFCTR_CORE = X1Ecx[23] "perfctr-core";
    RDTSCP = X1Edx[27] "rdtscp";
    LM = X1Edx[29] "lm";
    OVERFLOW_RECOV = X7Ebx[0] "overflow-recov";
    SUCCOR = X7Ebx[1] "succor";
    INVTSC = X7Edx[8] "invtsc";
    PERFMON_V2 = X22Eax[0] "perfmon-v2";
}

/// Maximum number of words of a release.
pub(crate) const WORDS: usize = 64;

/// Marks a register without a word.
const NONE: u8 = 0xff;

/// By release and register: the word's index.
static INDICES: [[u8; Reg::ALL.len()]; GUESTS.len()] = {
    let mut all = [[NONE; Reg::ALL.len()]; GUESTS.len()];
    let mut release = 0;
    while release < GUESTS.len() {
        let mut reg = 0;
        while reg < Reg::ALL.len() {
            all[release][reg] = index(&GUESTS[release], Reg::ALL[reg].word());
            reg += 1;
        }
        release += 1;
    }
    all
};

const fn index(tables: &GuestTables, word: CpuidWord) -> u8 {
    assert!(tables.words.len() <= WORDS, "a release has more words than WORDS");
    let (mut at, mut index) = (0, 0);
    while at < tables.words.len() {
        if let Some(WordSource::Cpuid(CpuidWord { leaf, subleaf, register })) = tables.words[at].source {
            let same_leaf = leaf.0 == word.leaf.0 && subleaf.0 == word.subleaf.0;
            if same_leaf && register as u8 == word.register as u8 {
                return index;
            }
        }
        at += 1;
        index += 1;
    }
    NONE
}

/// The index of a register's word in a release; `None` if the release has no word for it.
pub(crate) fn word_index(release: usize, reg: Reg) -> Option<usize> {
    let index = INDICES[release][reg as usize];
    (index != NONE).then_some(usize::from(index))
}

#[cfg(test)]
mod tests {
    use super::{ALL, Reg};
    use crate::bits::location::Bit;
    use crate::{Feature, QemuRelease};

    #[test]
    fn flags_are_called_as_qemu_calls_them() {
        for (flag, name) in ALL {
            let bit = Bit(u8::try_from(flag.mask.trailing_zeros()).unwrap_or(u8::MAX));
            let Some(feature) = Feature::at(flag.reg.word().bit(bit)) else {
                panic!("{name}: no feature at {flag:?}")
            };
            let names = feature.qemu_releases().flat_map(|release| feature.qemu_names(release));
            let names: alloc::vec::Vec<&str> = names.collect();
            // An old release alone does not have all of them.
            if names.is_empty() && QemuRelease::find("11.0").is_none() {
                continue;
            }
            // Releases before 2.9 write `_`.
            let is_name = |known: &&str| known.replace('_', "-") == *name;
            assert!(names.iter().any(is_name), "{flag:?} is {names:?}, not {name}");
        }
    }

    #[test]
    fn discriminants_are_positions() {
        for (at, reg) in Reg::ALL.iter().enumerate() {
            assert_eq!(*reg as usize, at);
        }
    }
}
