//! Look-up by name, in constant time and without allocation.
//!
//! The table is a perfect hash: a name's bucket has a seed, and hash and seed give the only slot where the name can
//! be. One comparison decides. `cpuid-gen` builds the table with the same functions, [`name_hash`](super::name_hash).
//!
//! A name may refer to several bits: Linux's `mba` to bits of two registers, QEMU's `kvmclock` to two bits, `ept` to
//! a software-defined feature and a VMX capability. The look-up never guesses: [`LookupError::Ambiguous`] lists all.

use core::fmt;

use super::feature::Feature;
use super::kernel_bits::{Bug, SoftwareFeature, VmxFeature};
use super::location::WordBit;
use super::msr_feature::MsrFeature;
use super::name_hash::{fold_eq, name_hash, reduce, slot};
use super::release::{LinuxRelease, QemuRelease};
use crate::generated::bit_tables::{
    BUG_BASE, LIST, LISTS, MSR_BASE, NAME_BITS, NAME_KEYS, NAME_SEEDS, SOFTWARE_BASE, VMX_BASE,
    text_at_run_time,
};

/// A bit of any sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Named {
    /// A bit of a CPUID register.
    Feature(Feature),
    /// A software-defined feature of Linux.
    Software(SoftwareFeature),
    /// A bug of Linux.
    Bug(Bug),
    /// A VMX capability of Linux.
    Vmx(VmxFeature),
    /// A bit of an MSR.
    Msr(MsrFeature),
}

impl Named {
    /// The constant's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Named::Feature(bit) => bit.name(),
            Named::Software(bit) => bit.name(),
            Named::Bug(bit) => bit.name(),
            Named::Vmx(bit) => bit.name(),
            Named::Msr(bit) => bit.name(),
        }
    }

    /// Its name in `/proc/cpuinfo`, on any of its lines.
    #[must_use]
    pub const fn flag(self, release: LinuxRelease) -> Option<&'static str> {
        match self {
            Named::Feature(bit) => bit.flag(release),
            Named::Software(bit) => bit.flag(release),
            Named::Bug(bit) => bit.flag(release),
            Named::Vmx(bit) => bit.flag(release),
            Named::Msr(_) => None,
        }
    }

    /// From an id of the tables.
    fn from_id(id: u16) -> Named {
        // Not a match: the range of an empty sort is empty, and the compiler would warn.
        if id < SOFTWARE_BASE {
            Named::Feature(Feature(id))
        } else if id < BUG_BASE {
            Named::Software(SoftwareFeature(id - SOFTWARE_BASE))
        } else if id < VMX_BASE {
            Named::Bug(Bug(id - BUG_BASE))
        } else if id < MSR_BASE {
            Named::Vmx(VmxFeature(id - VMX_BASE))
        } else {
            Named::Msr(MsrFeature(id - MSR_BASE))
        }
    }

    fn sorts(self) -> Sorts {
        match self {
            Named::Feature(_) => Sorts::HARDWARE,
            Named::Software(_) => Sorts::SOFTWARE,
            Named::Bug(_) => Sorts::BUGS,
            Named::Vmx(_) => Sorts::VMX,
            Named::Msr(_) => Sorts::MSR,
        }
    }

    fn has_macro(self, folded: &str) -> bool {
        let same = |name| fold_eq(name, folded);
        match self {
            Named::Feature(bit) => {
                LinuxRelease::ALL.into_iter().filter_map(|release| bit.linux_macro(release)).any(same)
            }
            Named::Software(bit) => same(bit.linux_macro()),
            Named::Bug(bit) => same(bit.linux_macro()),
            Named::Vmx(bit) => same(bit.linux_macro()),
            Named::Msr(_) => false,
        }
    }

    fn has_qemu_name(self, folded: &str) -> bool {
        let mut releases = QemuRelease::ALL.into_iter();
        match self {
            Named::Feature(bit) => {
                releases.any(|release| bit.qemu_names(release).any(|name| fold_eq(name, folded)))
            }
            Named::Msr(bit) => {
                releases.any(|release| bit.qemu_names(release).any(|name| fold_eq(name, folded)))
            }
            _ => false,
        }
    }
}

/// Why a look-up did not return a single bit.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupError {
    /// No bit matches.
    Unknown,
    /// Several bits match.
    Ambiguous(Candidates),
}

impl fmt::Debug for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupError::Unknown => f.write_str("Unknown"),
            LookupError::Ambiguous(all) => f.debug_tuple("Ambiguous").field(all).finish(),
        }
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupError::Unknown => f.write_str("unknown bit"),
            LookupError::Ambiguous(all) => {
                f.write_str("ambiguous: one of")?;
                for (index, bit) in all.iter().enumerate() {
                    f.write_str(if index == 0 { " " } else { ", " })?;
                    match bit {
                        Named::Feature(bit) => write!(f, "{bit} ({})", bit.location())?,
                        Named::Software(bit) => write!(f, "{bit} (software-defined)")?,
                        Named::Bug(bit) => write!(f, "{bit} (bug)")?,
                        Named::Vmx(bit) => write!(f, "{bit} (VMX)")?,
                        Named::Msr(bit) => write!(f, "{bit} ({})", bit.location())?,
                    }
                }
                Ok(())
            }
        }
    }
}

impl core::error::Error for LookupError {}

/// The bits that a look-up may refer to: at least two, in the order of sorts, then locations or names.
#[derive(Clone, Copy)]
pub struct Candidates {
    bits: Bits,
    name: &'static str,
    filter: Filter,
}

impl Candidates {
    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Named> {
        self.bits.filter(move |&bit| self.filter.accepts(bit, self.name))
    }
}

impl PartialEq for Candidates {
    fn eq(&self, other: &Candidates) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Candidates {}

impl fmt::Debug for Candidates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Looks up any name in a pinned release: a Linux macro with or without its prefix (`X86_FEATURE_`, `X86_BUG_`,
/// `VMX_FEATURE_`), a `/proc/cpuinfo` flag, a QEMU name, or a constant's name. Case is ignored, and `-`, `_` and `.`
/// are equivalent; a prefix restricts the look-up to macros of its sort.
///
/// # Errors
///
/// [`LookupError`]: unknown name, or several bits.
///
/// ```
/// use cpuid_tables::{LookupError, Named, feature, lookup};
///
/// assert_eq!(lookup("SSE4.1"), Ok(Named::Feature(feature::XMM4_1)));
/// assert_eq!(lookup("no-such-thing"), Err(LookupError::Unknown));
/// assert!(matches!(lookup("kvmclock"), Err(LookupError::Ambiguous(_))));
/// ```
pub fn lookup(name: &str) -> Result<Named, LookupError> {
    let prefixes =
        [("x86_feature_", Sorts::FEATURES), ("x86_bug_", Sorts::BUGS), ("vmx_feature_", Sorts::VMX)];
    for (prefix, sorts) in prefixes {
        if let Some(rest) = without_prefix(name, prefix) {
            return by_name(rest, Filter::Macro(sorts));
        }
    }
    by_name(name, Filter::Any)
}

/// A set of sorts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sorts(u8);

impl Sorts {
    pub(crate) const HARDWARE: Sorts = Sorts(1);
    pub(crate) const SOFTWARE: Sorts = Sorts(2);
    /// The sorts on the line `flags`.
    pub(crate) const FEATURES: Sorts = Sorts(3);
    pub(crate) const BUGS: Sorts = Sorts(4);
    pub(crate) const VMX: Sorts = Sorts(8);
    pub(crate) const MSR: Sorts = Sorts(16);

    fn contains(self, bit: Named) -> bool {
        self.0 & bit.sorts().0 != 0
    }
}

/// A filter for the bits of a name or a location.
#[derive(Clone, Copy)]
pub(crate) enum Filter {
    /// All.
    Any,
    /// Bits of these sorts whose macro is the name.
    Macro(Sorts),
    /// Bits of these sorts that the release shows by exactly this name.
    Flag(LinuxRelease, Sorts),
    /// Bits of these sorts that QEMU calls by the name.
    Qemu(Sorts),
    /// Features at this location in the kernel's words.
    Kernel(LinuxRelease, WordBit),
    /// Features at this location in KVM's words.
    Kvm(LinuxRelease, WordBit),
}

impl Filter {
    fn accepts(self, bit: Named, name: &str) -> bool {
        match (self, bit) {
            (Filter::Any, _) => true,
            (Filter::Macro(sorts), _) => sorts.contains(bit) && bit.has_macro(name),
            (Filter::Flag(release, sorts), _) => sorts.contains(bit) && bit.flag(release) == Some(name),
            (Filter::Qemu(sorts), _) => sorts.contains(bit) && bit.has_qemu_name(name),
            (Filter::Kernel(release, at), Named::Feature(bit)) => bit.linux_word(release) == Some(at),
            (Filter::Kvm(release, at), Named::Feature(bit)) => {
                bit.kvm_word(release).is_some_and(|word| word.at == at)
            }
            (Filter::Kernel(..) | Filter::Kvm(..), _) => false,
        }
    }
}

/// The bits behind a number of the tables.
#[derive(Clone, Copy)]
pub(crate) struct Bits {
    one: Option<u16>,
    more: &'static [u16],
}

impl Iterator for Bits {
    type Item = Named;

    fn next(&mut self) -> Option<Named> {
        if let Some(id) = self.one.take() {
            return Some(Named::from_id(id));
        }
        let (&id, more) = self.more.split_first()?;
        self.more = more;
        Some(Named::from_id(id))
    }
}

/// The bits of a number of the tables.
pub(crate) fn bits(number: u16) -> Bits {
    match number {
        0 => Bits { one: None, more: &[] },
        1..LIST => Bits { one: Some(number - 1), more: &[] },
        LIST.. => {
            let at = usize::from(number - LIST);
            Bits { one: None, more: &LISTS[at + 1..][..usize::from(LISTS[at])] }
        }
    }
}

/// The only bit that the filter accepts; `name` is the name to compare.
pub(crate) fn resolve(bits: Bits, name: &'static str, filter: Filter) -> Result<Named, LookupError> {
    let candidates = Candidates { bits, name, filter };
    let mut all = candidates.iter();
    match (all.next(), all.next()) {
        (None, _) => Err(LookupError::Unknown),
        (Some(bit), None) => Ok(bit),
        (Some(_), Some(_)) => Err(LookupError::Ambiguous(candidates)),
    }
}

/// The only bit with this name that the filter accepts.
pub(crate) fn by_name(name: &str, filter: Filter) -> Result<Named, LookupError> {
    let hash = name_hash(name);
    let seed = NAME_SEEDS[reduce(hash >> 32, NAME_SEEDS.len())];
    let slot = slot(hash, seed, NAME_KEYS.len());
    let key = text_at_run_time(NAME_KEYS[slot]);
    if key.is_empty() || !fold_eq(key, name) {
        return Err(LookupError::Unknown);
    }
    let bits = bits(NAME_BITS[slot]);
    if bits.more.is_empty() {
        let compared = if matches!(filter, Filter::Flag(..)) { name } else { key };
        let bit = bits.one.map(Named::from_id).filter(|&bit| filter.accepts(bit, compared));
        return bit.ok_or(LookupError::Unknown);
    }
    match filter {
        Filter::Flag(release, sorts) => {
            // Flags are compared exactly; the first match has the text for the others.
            let fits = |bit: &Named| sorts.contains(*bit) && bit.flag(release) == Some(name);
            let flag = { bits }.find(fits).and_then(|bit| bit.flag(release));
            resolve(bits, flag.ok_or(LookupError::Unknown)?, filter)
        }
        _ => resolve(bits, key, filter),
    }
}

/// The rest of a name that begins with a folded prefix.
pub(crate) fn without_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    fold_eq(start, prefix).then_some(rest)
}
