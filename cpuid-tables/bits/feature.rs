//! Hardware features: bits of CPUID registers.
//!
//! The number of a [`Feature`] is its slot, see [`tables`]; a set operation needs only a shift and a mask. Every
//! value of the type is a feature of the tables; it cannot be constructed in any other way.

use core::fmt;

use super::kvm_module::{KvmModule, KvmModuleRule, ModuleAction};
use super::kvm_treatment::{KvmTreatment, KvmWord};
use super::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf, Word, WordBit};
use super::release::{LinuxRelease, QemuRelease, QemuWord};
use crate::generated::bit_tables::{self, CPUID_WORDS, KNOWN, NO_WORD, STARTS, string};

/// A feature bit of a CPUID register.
///
/// Ordered by location. Properties that depend on Linux or QEMU take a release; constants are in
/// [`feature`](crate::feature).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feature(pub(crate) u16);

impl Feature {
    /// The index of its register among the registers that hold features.
    pub(crate) const fn register_index(self) -> usize {
        (self.0 / 32) as usize
    }

    /// Its index in the columns per feature.
    const fn index(self) -> usize {
        let at = self.register_index();
        STARTS[at] as usize + (KNOWN[at] & (self.mask() - 1)).count_ones() as usize
    }

    /// The constant's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        bit_tables::text(bit_tables::FEATURE_NAMES[self.index()])
    }

    /// Its location.
    #[must_use]
    pub const fn location(self) -> Location {
        Location { word: register_at(self.register_index()), bit: self.bit() }
    }

    /// CPUID's input EAX.
    #[must_use]
    pub const fn leaf(self) -> Leaf {
        self.location().word.leaf
    }

    /// CPUID's input ECX.
    #[must_use]
    pub const fn subleaf(self) -> Subleaf {
        self.location().word.subleaf
    }

    /// The register that CPUID returns it in.
    #[must_use]
    pub const fn register(self) -> Register {
        self.location().word.register
    }

    /// Its bit in the register, 0 to 31.
    #[must_use]
    pub const fn bit(self) -> Bit {
        Bit((self.0 % 32).to_le_bytes()[0])
    }

    /// Its bit in the register, as a mask.
    #[must_use]
    pub const fn mask(self) -> u32 {
        1 << (self.0 % 32)
    }

    /// The macro without `X86_FEATURE_`, of the kernel or of KVM, or, of KVM's own leaf, the whole macro
    /// (`KVM_FEATURE_STEAL_TIME`); `None` if the release has none.
    #[must_use]
    pub const fn linux_macro(self, release: LinuxRelease) -> Option<&'static str> {
        string(release.tables().macros[self.index()])
    }

    /// The name on the line `flags` of `/proc/cpuinfo`; `None` if the release has none or hides it.
    #[must_use]
    pub const fn flag(self, release: LinuxRelease) -> Option<&'static str> {
        string(release.tables().flags[self.index()])
    }

    /// True if the release has a macro for it, even if only in KVM.
    #[must_use]
    pub const fn known_to_linux(self, release: LinuxRelease) -> bool {
        self.linux_macro(release).is_some()
    }

    /// Its location in the kernel's `x86_capability[]`, which for a scattered feature is in a software-defined word;
    /// `None` if the kernel has no macro for it.
    #[must_use]
    pub const fn linux_word(self, release: LinuxRelease) -> Option<WordBit> {
        let tables = release.tables();
        let (mut low, mut high) = (0, tables.exceptions.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let (slot, place) = tables.exceptions[middle];
            if slot == self.0 {
                return WordBit::unpack(place);
            }
            if slot < self.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let word = tables.words[self.register_index()];
        if word >= tables.kernel_words || !self.known_to_linux(release) {
            return None;
        }
        Some(WordBit { word: Word(word), bit: self.bit() })
    }

    /// Its location in KVM's words; `None` if the release has no macro for it or KVM no word.
    #[must_use]
    pub const fn kvm_word(self, release: LinuxRelease) -> Option<KvmWord> {
        let word = release.tables().words[self.register_index()];
        if word == NO_WORD || !self.known_to_linux(release) {
            return None;
        }
        match release.word_name(Word(word)) {
            Some(leaf) => Some(KvmWord { leaf, at: WordBit { word: Word(word), bit: self.bit() } }),
            None => None,
        }
    }

    /// How KVM treats it.
    #[must_use]
    pub const fn kvm(self, release: LinuxRelease) -> KvmTreatment {
        release.tables().kvm[self.index()]
    }

    /// What the vendor modules do with it, in the order of their code; nothing if the tables were made from a tree
    /// without these modules.
    pub fn kvm_modules(self, release: LinuxRelease) -> impl Iterator<Item = KvmModuleRule> {
        let own = move |(slot, ..): &&(u16, KvmModule, ModuleAction, u16)| *slot == self.0;
        release.tables().modules.iter().filter(own).map(|(_, module, action, condition)| KvmModuleRule {
            module: *module,
            action: *action,
            condition: string(*condition),
        })
    }

    /// QEMU's feature word for its register, whether or not QEMU has a name for the bit.
    #[must_use]
    pub const fn qemu_word(self, release: QemuRelease) -> Option<QemuWord> {
        release.word(release.tables().words[self.register_index()])
    }

    /// QEMU's name as in its source: old releases write alternatives, `pni|sse3`.
    #[must_use]
    pub const fn qemu_name(self, release: QemuRelease) -> Option<&'static str> {
        string(release.tables().names[self.index()])
    }

    /// QEMU's names one by one.
    pub fn qemu_names(self, release: QemuRelease) -> impl Iterator<Item = &'static str> {
        self.qemu_name(release).into_iter().flat_map(|names| names.split('|'))
    }

    /// True when QEMU has a name for it.
    #[must_use]
    pub const fn known_to_qemu(self, release: QemuRelease) -> bool {
        self.qemu_name(release).is_some()
    }

    /// The releases of Linux that have a macro for it, even if only in KVM; oldest first.
    pub fn linux_releases(self) -> impl DoubleEndedIterator<Item = LinuxRelease> {
        LinuxRelease::ALL.into_iter().filter(move |&release| self.known_to_linux(release))
    }

    /// The releases of Linux whose KVM may advertise it, oldest first.
    pub fn kvm_releases(self) -> impl DoubleEndedIterator<Item = LinuxRelease> {
        LinuxRelease::ALL.into_iter().filter(move |&release| self.kvm(release).may_be_advertised())
    }

    /// The releases of QEMU that have a name for it, oldest first.
    ///
    /// ```
    /// use cpuid_tables::{QemuRelease, feature};
    ///
    /// let since = feature::AVX10.qemu_releases().next();
    /// assert_eq!(since, QemuRelease::find("10.0"));
    /// ```
    pub fn qemu_releases(self) -> impl DoubleEndedIterator<Item = QemuRelease> {
        QemuRelease::ALL.into_iter().filter(move |&release| self.known_to_qemu(release))
    }

    /// The feature at a location.
    #[must_use]
    pub const fn at(location: Location) -> Option<Feature> {
        match register_of(location.word) {
            Some(register) if location.bit.0 < 32 && KNOWN[register] >> location.bit.0 & 1 != 0 => {
                Some(Feature(bit_tables::short(register * 32) + location.bit.0 as u16))
            }
            _ => None,
        }
    }

    /// The bits of a register that are features.
    pub(crate) const fn mask_in(word: CpuidWord) -> u32 {
        match register_of(word) {
            Some(register) => KNOWN[register],
            None => 0,
        }
    }
}

/// A register by its index.
pub(crate) const fn register_at(index: usize) -> CpuidWord {
    CPUID_WORDS[index]
}

/// A register's index, if it holds a feature.
pub(crate) const fn register_of(word: CpuidWord) -> Option<usize> {
    let (mut low, mut high) = (0, CPUID_WORDS.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match order(register_at(middle), word) {
            0 => return Some(middle),
            1.. => high = middle,
            _ => low = middle + 1,
        }
    }
    None
}

/// Negative, zero or positive if `a` is before, equal to or after `b`.
const fn order(a: CpuidWord, b: CpuidWord) -> i8 {
    if a.leaf.0 != b.leaf.0 {
        return if a.leaf.0 < b.leaf.0 { -1 } else { 1 };
    }
    if a.subleaf.0 != b.subleaf.0 {
        return if a.subleaf.0 < b.subleaf.0 { -1 } else { 1 };
    }
    let (a, b) = (a.register as u8, b.register as u8);
    if a < b {
        -1
    } else if a > b {
        1
    } else {
        0
    }
}

impl fmt::Debug for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
