//! Changing a table by names: fields, features, entries, and a processor's identity.
//!
//! Intel SDM volume 2A, "CPUID"; AMD APM volume 3, appendix E. Nothing here follows from something else by itself: a
//! change of an entry leaves the highest leaves as they are, until [`CpuidTable::fit_highest_leaves`].

use core::fmt;

use super::identity::{Brand, Hypervisor, Signature, Vendor};
use super::read::{AddressWidths, CpuidRead};
use super::{CpuidEntry, CpuidTable, TableFull};
use crate::bits::feature_set::FeatureSet;
use crate::bits::field::{Field, TooLarge};
use crate::bits::known_fields::{leaf_1, leaf_80000008};
use crate::bits::location::{Leaf, Registers, Subleaf};

/// Why a field was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetFieldError {
    /// The table has no entry for the field's leaf and this subleaf.
    NoEntry(Field, Subleaf),
    /// The field does not exist in this subleaf.
    NotInSubleaf(Field, Subleaf),
    /// The value has more bits than the field.
    TooLarge(TooLarge),
}

impl fmt::Display for SetFieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetFieldError::NoEntry(field, subleaf) => {
                write!(
                    f,
                    "the table has no entry for leaf {}, subleaf {subleaf}, which has {field}",
                    field.leaf()
                )
            }
            SetFieldError::NotInSubleaf(field, subleaf) => {
                let subleaves = field.subleaves();
                write!(f, "{field} exists in subleaves {} to {}", subleaves.start(), subleaves.end())?;
                write!(f, " of leaf {}, not in {subleaf}", field.leaf())
            }
            SetFieldError::TooLarge(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SetFieldError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            SetFieldError::TooLarge(error) => Some(error),
            SetFieldError::NoEntry(..) | SetFieldError::NotInSubleaf(..) => None,
        }
    }
}

impl From<TooLarge> for SetFieldError {
    fn from(error: TooLarge) -> SetFieldError {
        SetFieldError::TooLarge(error)
    }
}

/// Fields.
impl CpuidTable {
    /// Writes a field of a subleaf; other bits are unchanged. For a leaf without subleaves, the subleaf is 0.
    ///
    /// ```
    /// use cpuid_tables::{CpuidEntry, CpuidRead, CpuidTable, Leaf, Registers, Subleaf, field::leaf_4};
    ///
    /// let mut table = CpuidTable::new();
    /// table.push(CpuidEntry::indexed(Leaf(4), Subleaf(3), Registers::new(0x163, 0x03c0_003f, 0x1fff, 0)))?;
    /// table.set_field(leaf_4::CACHE_NSETS, Subleaf(3), 0x3fff)?;
    /// assert_eq!(table.field_in(leaf_4::CACHE_NSETS, Subleaf(3)), Some(0x3fff));
    /// let error = table.set_field(leaf_4::CACHE_LEVEL, Subleaf(2), 2).unwrap_err();
    /// assert_eq!(error.to_string(), "the table has no entry for leaf 4, subleaf 2, which has cache_level");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SetFieldError`]; the table is then unchanged.
    pub fn set_field(&mut self, field: Field, subleaf: Subleaf, value: u32) -> Result<(), SetFieldError> {
        if !field.subleaves().contains(&subleaf.0) {
            return Err(SetFieldError::NotInSubleaf(field, subleaf));
        }
        let entry = self.find_mut(field.leaf(), subleaf).ok_or(SetFieldError::NoEntry(field, subleaf))?;
        let register = entry.register_mut(field.register());
        *register = field.write(*register, value)?;
        Ok(())
    }

    /// Writes a field in every entry of its leaf that has it, and returns their number.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]; the table is then unchanged.
    pub fn set_field_everywhere(&mut self, field: Field, value: u32) -> Result<usize, TooLarge> {
        field.write(0, value)?;
        let mut count = 0;
        for entry in self.iter_mut() {
            if entry.function == field.leaf() && field.subleaves().contains(&entry.subleaf().0) {
                let register = entry.register_mut(field.register());
                *register = field.write(*register, value)?;
                count += 1;
            }
        }
        Ok(count)
    }
}

/// Entries.
impl CpuidTable {
    /// Replaces the entry that answers for the entry's leaf and subleaf, and returns it. Without one, inserts the entry
    /// after those of lower leaves and subleaves.
    ///
    /// # Errors
    ///
    /// [`TableFull`]: it already has [`MAX`](CpuidTable::MAX) entries.
    pub fn replace(&mut self, entry: CpuidEntry) -> Result<Option<CpuidEntry>, TableFull> {
        if let Some(there) = self.find_mut(entry.function, entry.subleaf()) {
            return Ok(Some(core::mem::replace(there, entry)));
        }
        let key = |entry: &CpuidEntry| (entry.function, entry.subleaf());
        let at = self.iter().rposition(|there| key(there) <= key(&entry)).map_or(0, |last| last + 1);
        self.insert(at, entry)?;
        Ok(None)
    }

    /// Removes the entry that answers for a leaf and subleaf, and returns it.
    pub fn take(&mut self, leaf: Leaf, subleaf: Subleaf) -> Option<CpuidEntry> {
        let at = self.iter().position(|entry| entry.answers(leaf, subleaf))?;
        self.remove(at)
    }

    /// Removes all entries of a leaf, and returns their number.
    pub fn remove_leaf(&mut self, leaf: Leaf) -> usize {
        let before = self.len();
        self.retain(|entry| entry.function != leaf);
        before - self.len()
    }

    /// Sorts the entries by leaf and subleaf. Every leaf and subleaf has the same answer as before: entries of the same
    /// leaf and subleaf keep their order, and so do all entries of a leaf that has one for every subleaf.
    pub fn sort(&mut self) {
        // Insertion sort: stable, without allocation, and fast on tables, which are nearly sorted.
        for end in 1..self.len() {
            let leaf = self[end].function;
            let mixed = self.iter().any(|entry| entry.function == leaf && !entry.is_indexed());
            let key = |entry: &CpuidEntry| (entry.function, if mixed { Subleaf(0) } else { entry.subleaf() });
            let last = key(&self[end]);
            let from =
                self[..end].iter().rposition(|entry| key(entry) <= last).map_or(0, |before| before + 1);
            self[from..=end].rotate_right(1);
        }
    }

    /// Sets each range's highest leaf (EAX of leaves 0, 0x40000000, 0x80000000 and so on) to the highest leaf that the
    /// table has in the range. A range without its first leaf is unchanged.
    ///
    /// ```
    /// use cpuid_tables::{CpuidEntry, CpuidRead, CpuidTable, Leaf, Registers};
    ///
    /// let mut table = CpuidTable::new();
    /// table.push(CpuidEntry::new(Leaf(0), Registers::new(0x1f, 0, 0, 0)))?;
    /// table.push(CpuidEntry::new(Leaf(7), Registers::ZERO))?;
    /// table.fit_highest_leaves();
    /// assert_eq!(table.highest_basic_leaf(), Some(Leaf(7)));
    /// # Ok::<(), cpuid_tables::TableFull>(())
    /// ```
    pub fn fit_highest_leaves(&mut self) {
        let others = [Leaf::BASIC, Leaf::EXTENDED, Leaf::TRANSMETA, Leaf::CENTAUR].map(|base| (base, 0xffff));
        for (base, size) in others.into_iter().chain(Hypervisor::bases().map(|base| (base, 0xff))) {
            let range = base.0..=base.0 + size;
            let leaves = self.iter().map(|entry| entry.function.0).filter(|leaf| range.contains(leaf));
            let Some(highest) = leaves.max() else { continue };
            if let Some(first) = self.find_mut(base, Subleaf(0)) {
                first.registers.eax = highest;
            }
        }
    }
}

/// Features.
impl CpuidTable {
    /// Sets features, and returns those for which the table has no entry.
    #[must_use = "the features for which the table has no entry"]
    pub fn set_features(&mut self, features: &FeatureSet) -> FeatureSet {
        let mut without = *features;
        for (word, mask) in features.words().filter(|(_, mask)| *mask != 0) {
            if let Some(entry) = self.find_mut(word.leaf, word.subleaf) {
                *entry.register_mut(word.register) |= mask;
                let _ = without.set_word(word, 0);
            }
        }
        without
    }

    /// Clears features.
    pub fn clear_features(&mut self, features: &FeatureSet) {
        for (word, mask) in features.words().filter(|(_, mask)| *mask != 0) {
            if let Some(entry) = self.find_mut(word.leaf, word.subleaf) {
                *entry.register_mut(word.register) &= !mask;
            }
        }
    }

    /// Clears every known feature outside the set. Other bits, such as fields, are unchanged.
    pub fn retain_features(&mut self, features: &FeatureSet) {
        self.clear_features(&(FeatureSet::ALL - *features));
    }
}

/// A processor's identity.
impl CpuidTable {
    /// Sets the vendor in leaf 0, and in leaf 0x80000000, which repeats it for AMD's rules and is zero for others.
    ///
    /// # Errors
    ///
    /// [`TableFull`]: leaf 0 has no entry, and none can be added.
    pub fn set_vendor(&mut self, vendor: Vendor) -> Result<(), TableFull> {
        let [ebx, ecx, edx] = vendor.to_registers();
        let set = |registers: &mut Registers, ebx, ecx, edx| {
            *registers = Registers { eax: registers.eax, ebx, ecx, edx };
        };
        if self.find(Leaf::BASIC, Subleaf(0)).is_none() {
            self.replace(CpuidEntry::new(Leaf::BASIC, Registers::ZERO))?;
        }
        if let Some(entry) = self.find_mut(Leaf::BASIC, Subleaf(0)) {
            set(&mut entry.registers, ebx, ecx, edx);
        }
        if let Some(entry) = self.find_mut(Leaf::EXTENDED, Subleaf(0)) {
            let [ebx, ecx, edx] = if vendor.is_amd_compatible() { [ebx, ecx, edx] } else { [0; 3] };
            set(&mut entry.registers, ebx, ecx, edx);
        }
        Ok(())
    }

    /// Sets family, model and stepping in leaf 1, and in leaf 0x80000001 of a table whose vendor repeats them there (AMD
    /// and compatible).
    ///
    /// # Errors
    ///
    /// [`TableFull`]: leaf 1 has no entry, and none can be added.
    pub fn set_signature(&mut self, signature: Signature) -> Result<(), TableFull> {
        let leaf = leaf_1::STEPPING.leaf();
        if self.find(leaf, Subleaf(0)).is_none() {
            self.replace(CpuidEntry::new(leaf, Registers::ZERO))?;
        }
        let repeated = self.vendor().is_some_and(Vendor::is_amd_compatible);
        for leaf in [Some(leaf), repeated.then_some(Leaf(0x8000_0001))].into_iter().flatten() {
            if let Some(entry) = self.find_mut(leaf, Subleaf(0)) {
                entry.registers.eax = signature.0;
            }
        }
        Ok(())
    }

    /// Sets the brand string, leaves 0x80000002 to 0x80000004.
    ///
    /// # Errors
    ///
    /// [`TableFull`]: an entry is missing, and none can be added.
    pub fn set_brand(&mut self, brand: &Brand) -> Result<(), TableFull> {
        for (leaf, registers) in brand.to_leaves() {
            self.replace(CpuidEntry::new(leaf, registers))?;
        }
        Ok(())
    }

    /// Sets the widths of addresses in leaf 0x80000008.
    ///
    /// # Errors
    ///
    /// [`SetFieldError`]: no entry, or a width above 255.
    pub fn set_address_widths(&mut self, widths: AddressWidths) -> Result<(), SetFieldError> {
        let AddressWidths { physical, linear, guest_physical } = widths;
        let before = self.clone();
        let fields = [
            (leaf_80000008::PHYS_ADDR_BITS, physical),
            (leaf_80000008::VIRT_ADDR_BITS, linear),
            (leaf_80000008::GUEST_PHYS_ADDR_BITS, guest_physical),
        ];
        let written =
            fields.into_iter().try_for_each(|(field, width)| self.set_field(field, Subleaf(0), width));
        if written.is_err() {
            *self = before;
        }
        written
    }
}
