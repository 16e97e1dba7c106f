//! The changes of which steps consist. Each one is data, so that a preset can be read, compared and printed.

use alloc::boxed::Box;

use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::field::Field;
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::table::{Brand, CpuidEntry, OwnNumber, Signature, Vendor};

/// A change of a table. Unless stated otherwise it changes entries that exist, and does nothing without them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Fails without this entry.
    Require(Leaf, Subleaf),
    /// Fails: the step's vendors are not supported.
    Refuse,
    /// Sorts entries by leaf and subleaf.
    Sort,
    /// Sets the highest leaf of each range to the highest one with an entry.
    FitHighestLeaves,
    /// Raises the highest leaf of a leaf's range to at least this leaf.
    Reach(Leaf),
    /// Another action, only if the table has an entry for this leaf and subleaf.
    IfEntry(Leaf, Subleaf, Box<Action>),
    /// Another action, only if the host has this feature.
    IfHost(Feature, Box<Action>),

    /// Sets the vendor.
    Vendor(Vendor),
    /// Sets EBX, ECX and EDX of leaf 0 to the host's.
    HostVendor,
    /// Sets family, model and stepping.
    Signature(Signature),
    /// Sets the brand string.
    Brand(Brand),
    /// Sets the brand string to one that depends on the host's.
    HostBrand(HostBrand),

    /// Sets features.
    Set(FeatureSet),
    /// Clears features.
    Clear(FeatureSet),
    /// Sets those of these features that the host has.
    SetAsHost(FeatureSet),
    /// Sets those bits of the mask in a register that the host has.
    BitsAsHost {
        /// The register.
        word: CpuidWord,
        /// The bits.
        mask: u32,
    },
    /// Sets the bits of the mask in a register to the value: a template's line.
    Bits {
        /// The register.
        word: CpuidWord,
        /// The bits that change.
        mask: u32,
        /// Their value; bits outside the mask have no meaning.
        value: u32,
    },

    /// Copies the bits of the mask from a register to another one.
    CopyBits {
        /// The register that has them.
        from: CpuidWord,
        /// The register that gets them.
        to: CpuidWord,
        /// The bits.
        mask: u32,
    },

    /// Writes a number in a field of every entry of its leaf, in any subleaf.
    Put(Field, u32, When),
    /// Lowers a field of every entry of its leaf to at most a number.
    AtMost(Field, u32, When),
    /// A field of every entry of its leaf, in the subleaves that it has, holds a number that differs between vCPUs.
    Own(Field, OwnNumber),
    /// Replaces whole registers of a subleaf.
    Registers(Leaf, Subleaf, Partial, Missing),
    /// Clears all four registers of a leaf's entries.
    Zero(Leaf),
    /// Makes the index of a leaf's entries significant.
    Indexed(Leaf),
    /// Removes a leaf's entries.
    Remove(Leaf),
    /// Removes leaves from the first to the last.
    RemoveRange(Leaf, Leaf),
    /// Replaces the entry for the entry's leaf and subleaf.
    Entry(CpuidEntry, Missing),
    /// Clears the subleaves from 2 on of a list of levels, except X2APIC ids; ECX becomes the subleaf if `numbered`.
    FurtherLevels {
        /// 0xB or 0x1F.
        leaf: Leaf,
        /// ECX becomes the subleaf, otherwise 0.
        numbered: bool,
    },
    /// Copies a list of levels to another leaf, if that has an entry for subleaf 0.
    CopyLevels {
        /// The list.
        from: Leaf,
        /// The other leaf.
        to: Leaf,
    },

    /// Sets registers of a leaf's entries to the host's; of subleaf 0, or of the entry's.
    HostRegisters {
        /// The leaf.
        leaf: Leaf,
        /// Each entry has its own subleaf's registers.
        subleaves: bool,
    },
    /// The same, if all four are 0 and the host has the leaf.
    HostIfZero(Leaf),
    /// Replaces all entries of a leaf by one for every subleaf with the host's registers.
    HostEntry(Leaf, Missing),
    /// Adds or replaces the subleaves of the host's list, with a significant index.
    HostList(Leaf, ListEnd),

    /// Allows only these XSAVE components: removes others from leaf 0xD, and sets its sizes.
    XsaveComponents(u64),
}

/// Which entries of a leaf change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// All.
    Always,
    /// Those with a register that is not 0.
    NotZero,
    /// Those that describe a cache: EAX bits 4 to 0 are not 0.
    Cache,
    /// Those that describe a cache of this level: EAX bits 7 to 5.
    CacheLevel(u32),
}

/// Where an entry is added that the table lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// Nowhere.
    Skip,
    /// At the end.
    Append,
    /// After lower leaves and subleaves.
    Insert,
    /// The same, unless the leaf is above its range's highest leaf.
    InsertInRange,
}

/// Where a list of subleaves ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListEnd {
    /// At a subleaf whose EAX bits 3 to 0 are 0. Other entries of the leaf stay.
    CacheType,
    /// At a subleaf that is all 0, and at once if the leaf is above the host's highest. Other entries of the leaf are
    /// removed, and the new ones are at the table's end.
    AllZero,
}

/// Registers to replace; others keep their value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    /// EAX.
    pub eax: Option<u32>,
    /// EBX.
    pub ebx: Option<u32>,
    /// ECX.
    pub ecx: Option<u32>,
    /// EDX.
    pub edx: Option<u32>,
}

/// A brand string that depends on the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostBrand {
    /// The host's.
    Same,
    /// A text, whatever the host's.
    Text(&'static str),
    /// A text with ` @ ` and the host's frequency, such as `2.90GHz`; only the text if the host's has none.
    Frequency(&'static str, Frequency),
}

/// How the frequency is found in the host's brand string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frequency {
    /// The first number with a decimal point before `MHz`, `GHz` or `THz`; needs the host's leaves up to 0x80000004.
    Decimal,
    /// The digits and points between a blank and the first unit, with everything that follows, unless it is too long.
    UpToEnd,
}

impl Action {
    /// True if all that it decides is 0 afterwards.
    pub(super) fn only_clears(&self) -> bool {
        match self {
            Action::Clear(_) | Action::Zero(_) | Action::Remove(_) => true,
            Action::IfEntry(.., action) | Action::IfHost(_, action) => action.only_clears(),
            _ => false,
        }
    }

    /// The bits of a register whose values the action decides, if the table has the entry.
    pub(super) fn decides(&self, word: CpuidWord) -> u32 {
        let all_if = |decided: bool| if decided { u32::MAX } else { 0 };
        let CpuidWord { leaf: here, subleaf, register } = word;
        match self {
            Action::Set(features) | Action::Clear(features) => features.word(word),
            Action::Put(field, ..) | Action::Own(field, _)
                if field.leaf() == here && field.register() == register =>
            {
                field.mask()
            }
            Action::Bits { word: there, mask, .. } if *there == word => *mask,
            Action::Registers(leaf, at, partial, _) => {
                all_if(*leaf == here && *at == subleaf && partial.get(register).is_some())
            }
            Action::Zero(leaf)
            | Action::Remove(leaf)
            | Action::HostRegisters { leaf, .. }
            | Action::HostEntry(leaf, _)
            | Action::HostList(leaf, _)
            | Action::CopyLevels { to: leaf, .. } => all_if(*leaf == here),
            Action::FurtherLevels { leaf, .. } => {
                all_if(*leaf == here && subleaf.0 >= 2 && register != Register::Edx)
            }
            Action::HostVendor => all_if(here == Leaf::BASIC && register != Register::Eax),
            Action::HostBrand(_) | Action::Brand(_) => {
                all_if((Leaf(0x8000_0002)..=Leaf(0x8000_0004)).contains(&here))
            }
            Action::IfEntry(.., action) | Action::IfHost(_, action) => action.decides(word),
            _ => 0,
        }
    }
}

impl Partial {
    const fn get(self, register: Register) -> Option<u32> {
        match register {
            Register::Eax => self.eax,
            Register::Ebx => self.ebx,
            Register::Ecx => self.ecx,
            Register::Edx => self.edx,
        }
    }
}
