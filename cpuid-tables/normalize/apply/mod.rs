//! Steps applied to a table.
//!
//! Entries are matched by leaf and index, whether or not the index is significant, as VMMs do: KVM's entries without
//! the flag have index 0.

mod host;

use alloc::vec::Vec;

use super::action::{Action, Missing, Partial, When};
use super::error::NormalizeError;
use super::step::Step;
use crate::bits::feature_set::FeatureSet;
use crate::bits::field::Field;
use crate::bits::known_fields::{leaf_4, leaf_d};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::{
    ApicLayout, CpuidEntry, CpuidRead, CpuidTable, OwnBits, OwnNumber, OwnPart, OwnPlace, VcpuBase, Vendor,
};

/// The host's CPUID instruction.
pub(super) type HostCpuid<'a> = &'a dyn Fn(Leaf, Subleaf) -> Registers;

/// A table on which steps work.
pub(super) struct Work<'a> {
    table: CpuidTable,
    /// The parts that differ between vCPUs, by the entry's leaf and index.
    own: Vec<(Leaf, Subleaf, OwnBits)>,
    host: Option<HostCpuid<'a>>,
    /// The vendor that decides which steps apply: the host's, or the base's without a host.
    vendor: Option<Vendor>,
}

type Result<T> = core::result::Result<T, NormalizeError>;

impl<'a> Work<'a> {
    pub(super) fn new(table: CpuidTable, host: Option<HostCpuid<'a>>) -> Work<'a> {
        let of_host = host.map(|cpuid| Vendor::from_registers(cpuid(Leaf::BASIC, Subleaf(0))));
        let vendor = of_host.or_else(|| table.vendor());
        Work { table, own: Vec::new(), host, vendor }
    }

    /// The result, with the parts that differ between vCPUs.
    pub(super) fn finish(self, layout: ApicLayout) -> VcpuBase {
        let mut places = Vec::new();
        for (leaf, index, own) in self.own {
            let here = self.table.iter().enumerate().filter(|(_, entry)| is_at(entry, leaf, index));
            places.extend(here.map(|(entry, _)| OwnPlace { entry, part: OwnPart::Field(own) }));
        }
        VcpuBase::from_parts(self.table, places, layout)
    }

    pub(super) fn apply(&mut self, step: &Step) -> Result<()> {
        if !step.is_for(self.vendor) {
            return Ok(());
        }
        let name = step.name;
        match &step.action {
            Action::Require(leaf, subleaf) => {
                let missing = NormalizeError::Missing { step: name, leaf: *leaf, subleaf: *subleaf };
                return self.find(*leaf, *subleaf).map(|_| ()).ok_or(missing);
            }
            Action::Refuse => return Err(NormalizeError::Vendor { step: name, vendor: self.vendor }),
            Action::Sort => self.table.sort(),
            Action::FitHighestLeaves => self.table.fit_highest_leaves(),
            Action::Reach(leaf) => {
                if let Some(first) = self.find_mut(range_of(*leaf), Subleaf(0)) {
                    first.registers.eax = first.registers.eax.max(leaf.0);
                }
            }
            Action::IfEntry(leaf, subleaf, action) => {
                if self.find(*leaf, *subleaf).is_some() {
                    return self.apply(&Step { action: (**action).clone(), ..step.clone() });
                }
            }
            Action::IfHost(feature, action) => {
                if host::has(self.host.ok_or(NormalizeError::NoHost(name))?, *feature) {
                    return self.apply(&Step { action: (**action).clone(), ..step.clone() });
                }
            }
            Action::Set(features) => self.set(features),
            Action::Clear(features) => self.table.clear_features(features),
            Action::Bits { word, mask, value } => {
                if let Some(entry) = self.find_mut(word.leaf, word.subleaf) {
                    let register = entry.register_mut(word.register);
                    *register = *register & !mask | value & mask;
                }
            }
            Action::CopyBits { from, to, mask } => {
                let bits = self.table.word(*from) & mask;
                if let Some(entry) = self.find_mut(to.leaf, to.subleaf) {
                    let register = entry.register_mut(to.register);
                    *register = *register & !mask | bits;
                }
            }
            Action::Put(..) | Action::AtMost(..) | Action::Own(..) => return self.apply_field(step),
            Action::XsaveComponents(allowed) => self.xsave_components(*allowed),
            Action::Vendor(_) | Action::Signature(_) | Action::Brand(_) => return self.apply_identity(step),
            Action::HostVendor
            | Action::HostBrand(_)
            | Action::SetAsHost(_)
            | Action::BitsAsHost { .. }
            | Action::HostRegisters { .. }
            | Action::HostIfZero(_)
            | Action::HostEntry(..)
            | Action::HostList(..) => {
                return self.apply_host(step, self.host.ok_or(NormalizeError::NoHost(name))?);
            }
            _ => return self.apply_entries(step),
        }
        Ok(())
    }

    fn apply_identity(&mut self, step: &Step) -> Result<()> {
        let table = &mut self.table;
        let done = match &step.action {
            Action::Vendor(vendor) => table.set_vendor(*vendor),
            Action::Signature(signature) => table.set_signature(*signature),
            Action::Brand(brand) => table.set_brand(brand),
            _ => Ok(()),
        };
        done.map_err(NormalizeError::full(step.name))
    }

    fn apply_field(&mut self, step: &Step) -> Result<()> {
        let too_large = |error| NormalizeError::TooLarge { step: step.name, error };
        match step.action {
            Action::Put(field, value, when) => {
                for entry in self.entries(field.leaf(), when) {
                    let register = entry.register_mut(field.register());
                    *register = field.write(*register, value).map_err(too_large)?;
                }
            }
            Action::AtMost(field, most, when) => {
                for entry in self.entries(field.leaf(), when) {
                    let register = entry.register_mut(field.register());
                    *register = field.write(*register, field.read(*register).min(most)).map_err(too_large)?;
                }
            }
            Action::Own(field, number) => self.own(field, number),
            _ => {}
        }
        Ok(())
    }

    fn own(&mut self, field: Field, number: OwnNumber) {
        let subleaves = field.subleaves();
        let here = self.table.iter().filter(|entry| entry.function == field.leaf());
        let here = here.filter(|entry| subleaves.contains(&entry.index.0));
        self.own.extend(here.map(|entry| (entry.function, entry.index, OwnBits { field, number })));
    }

    fn apply_entries(&mut self, step: &Step) -> Result<()> {
        match &step.action {
            Action::Registers(leaf, subleaf, partial, missing) => {
                let mut registers =
                    self.find(*leaf, *subleaf).map_or(Registers::ZERO, |entry| entry.registers);
                partial.write(&mut registers);
                if self.find(*leaf, *subleaf).is_none() {
                    return self.add(step.name, CpuidEntry::indexed(*leaf, *subleaf, registers), *missing);
                }
                let there = self.table.iter_mut().filter(|entry| is_at(entry, *leaf, *subleaf));
                there.for_each(|entry| partial.write(&mut entry.registers));
            }
            Action::Zero(leaf) => {
                self.entries(*leaf, When::Always).for_each(|entry| entry.registers = Registers::ZERO);
            }
            Action::Indexed(leaf) => {
                let entries = self.entries(*leaf, When::Always);
                entries.for_each(|entry| entry.flags |= CpuidEntry::SIGNIFICANT_INDEX);
            }
            Action::Remove(leaf) => {
                self.table.remove_leaf(*leaf);
            }
            Action::RemoveRange(first, last) => {
                self.table.retain(|entry| !(*first..=*last).contains(&entry.function));
            }
            Action::Entry(entry, missing) => return self.put_entry(step.name, *entry, *missing),
            Action::FurtherLevels { leaf, numbered } => {
                for entry in self.entries(*leaf, When::Always).filter(|entry| entry.index.0 >= 2) {
                    let Registers { edx, .. } = entry.registers;
                    entry.registers = Registers::new(0, 0, if *numbered { entry.index.0 } else { 0 }, edx);
                }
            }
            Action::CopyLevels { from, to } => return self.copy_levels(step.name, *from, *to),
            _ => {}
        }
        Ok(())
    }

    fn copy_levels(&mut self, step: &'static str, from: Leaf, to: Leaf) -> Result<()> {
        if self.find(to, Subleaf(0)).is_none() {
            return Ok(());
        }
        for subleaf in (0..).map(Subleaf) {
            let Some(level) = self.find(from, subleaf).copied() else { break };
            self.put_entry(step, CpuidEntry { function: to, ..level }, Missing::Insert)?;
            let own = self.own.iter().filter(|(leaf, index, _)| (*leaf, *index) == (from, subleaf));
            let moved: Vec<_> = own
                .map(|(_, index, own)| (to, *index, OwnBits { field: own.field.in_other_leaf(to), ..*own }))
                .collect();
            self.own.extend(moved);
        }
        Ok(())
    }

    fn xsave_components(&mut self, allowed: u64) {
        let [low, high] = halves(allowed);
        let leaf = leaf_d::XSAVE_SZ.leaf();
        if let Some(entry) = self.find_mut(leaf, Subleaf(0)) {
            entry.registers.eax &= low;
            entry.registers.edx &= high;
        }
        if let Some(entry) = self.find_mut(leaf, Subleaf(1)) {
            entry.registers.ecx &= low;
            entry.registers.edx &= high;
        }
        let known = self.table.xcr0() | self.table.xss();
        let kept =
            |entry: &CpuidEntry| entry.index.0 < 2 || entry.index.0 < 64 && known >> entry.index.0 & 1 != 0;
        self.table.retain(|entry| entry.function != leaf || kept(entry));
        let (xcr0, xss) = (self.table.xcr0(), self.table.xss());
        let [standard, compacted] =
            [self.table.xsave_size(xcr0, false), self.table.xsave_size(xcr0 | xss, true)];
        if let Some(entry) = self.find_mut(leaf, Subleaf(0)) {
            entry.registers.ebx = standard;
            entry.registers.ecx = standard;
        }
        if let Some(entry) = self.find_mut(leaf, Subleaf(1)).filter(|entry| entry.registers.ebx != 0) {
            entry.registers.ebx = compacted;
        }
    }

    /// Sets features of every entry of their leaf and index.
    fn set(&mut self, features: &FeatureSet) {
        for (word, mask) in features.words().filter(|(_, mask)| *mask != 0) {
            let there = self.table.iter_mut().filter(|entry| is_at(entry, word.leaf, word.subleaf));
            there.for_each(|entry| *entry.register_mut(word.register) |= mask);
        }
    }

    fn put_entry(&mut self, step: &'static str, entry: CpuidEntry, missing: Missing) -> Result<()> {
        match self.find_mut(entry.function, entry.index) {
            Some(there) => {
                *there = entry;
                Ok(())
            }
            None => self.add(step, entry, missing),
        }
    }

    fn add(&mut self, step: &'static str, entry: CpuidEntry, missing: Missing) -> Result<()> {
        let key = |entry: &CpuidEntry| (entry.function, entry.index);
        let after = |there: &CpuidEntry| key(there) <= key(&entry);
        let added = match missing {
            Missing::Skip => Ok(()),
            Missing::Append => self.table.push(entry),
            Missing::InsertInRange if !self.reaches(entry.function) => Ok(()),
            Missing::Insert | Missing::InsertInRange => {
                let at = self.table.iter().rposition(after).map_or(0, |last| last + 1);
                self.table.insert(at, entry)
            }
        };
        added.map_err(NormalizeError::full(step))
    }

    /// True if a leaf is not above the highest one of its range.
    fn reaches(&self, leaf: Leaf) -> bool {
        self.find(range_of(leaf), Subleaf(0)).is_some_and(|first| first.registers.eax >= leaf.0)
    }

    fn find(&self, leaf: Leaf, subleaf: Subleaf) -> Option<&CpuidEntry> {
        self.table.iter().find(|entry| is_at(entry, leaf, subleaf))
    }

    fn find_mut(&mut self, leaf: Leaf, subleaf: Subleaf) -> Option<&mut CpuidEntry> {
        self.table.iter_mut().find(|entry| is_at(entry, leaf, subleaf))
    }

    fn entries(&mut self, leaf: Leaf, when: When) -> impl Iterator<Item = &mut CpuidEntry> {
        self.table.iter_mut().filter(move |entry| entry.function == leaf && when.holds(entry.registers))
    }
}

/// The lower and the upper 32 bits.
pub(super) fn halves(number: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

fn is_at(entry: &CpuidEntry, leaf: Leaf, index: Subleaf) -> bool {
    (entry.function, entry.index) == (leaf, index)
}

/// The first leaf of a leaf's range.
const fn range_of(leaf: Leaf) -> Leaf {
    Leaf(leaf.0 & 0xc000_0000)
}

impl Partial {
    fn write(self, registers: &mut Registers) {
        let Registers { eax, ebx, ecx, edx } = *registers;
        *registers = Registers::new(
            self.eax.unwrap_or(eax),
            self.ebx.unwrap_or(ebx),
            self.ecx.unwrap_or(ecx),
            self.edx.unwrap_or(edx),
        );
    }
}

impl When {
    fn holds(self, registers: Registers) -> bool {
        match self {
            When::Always => true,
            When::NotZero => registers != Registers::ZERO,
            When::Cache => leaf_4::CACHE_TYPE.read_from(registers) != 0,
            When::CacheLevel(level) => leaf_4::CACHE_LEVEL.read_from(registers) == level,
        }
    }
}
