//! Steps that take their values from the host's CPUID instruction.

use super::{HostCpuid, Result, Work, range_of};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::normalize::action::{Action, Frequency, HostBrand, ListEnd, Missing, When};
use crate::normalize::brand::with_frequency;
use crate::normalize::step::Step;
use crate::table::{self, Brand, CpuidEntry};

impl Work<'_> {
    pub(super) fn apply_host(&mut self, step: &Step, host: HostCpuid<'_>) -> Result<()> {
        match &step.action {
            Action::HostVendor => {
                let Registers { ebx, ecx, edx, .. } = host(Leaf::BASIC, Subleaf(0));
                if let Some(entry) = self.find_mut(Leaf::BASIC, Subleaf(0)) {
                    entry.registers = Registers { eax: entry.registers.eax, ebx, ecx, edx };
                }
            }
            Action::HostBrand(rule) => {
                for (leaf, registers) in host_brand(*rule, host).to_leaves() {
                    self.entries(leaf, When::Always).for_each(|entry| entry.registers = registers);
                }
            }
            Action::SetAsHost(features) => {
                let there: FeatureSet = features.iter().filter(|feature| has(host, *feature)).collect();
                self.set(&there);
            }
            Action::BitsAsHost { word, mask } => {
                let there = host(word.leaf, word.subleaf)[word.register] & mask;
                if let Some(entry) = self.find_mut(word.leaf, word.subleaf) {
                    *entry.register_mut(word.register) |= there;
                }
            }
            Action::HostRegisters { leaf, subleaves } => {
                for entry in self.entries(*leaf, When::Always) {
                    entry.registers = host(*leaf, if *subleaves { entry.index } else { Subleaf(0) });
                }
            }
            Action::HostIfZero(leaf) if is_below_highest(host, *leaf) => {
                let zero =
                    self.entries(*leaf, When::Always).filter(|entry| entry.registers == Registers::ZERO);
                zero.for_each(|entry| entry.registers = host(*leaf, Subleaf(0)));
            }
            Action::HostEntry(leaf, missing) => {
                let entry = CpuidEntry::new(*leaf, host(*leaf, Subleaf(0)));
                if *missing == Missing::Append {
                    self.table.remove_leaf(*leaf);
                }
                return self.put_entry(step.name, entry, *missing);
            }
            Action::HostList(leaf, end) => return self.host_list(step.name, host, *leaf, *end),
            _ => {}
        }
        Ok(())
    }

    fn host_list(&mut self, step: &'static str, host: HostCpuid<'_>, leaf: Leaf, end: ListEnd) -> Result<()> {
        if end == ListEnd::AllZero {
            self.table.remove_leaf(leaf);
            if !is_below_highest(host, leaf) {
                return Ok(());
            }
        }
        for subleaf in (0..).map(Subleaf) {
            let registers = host(leaf, subleaf);
            let ended = match end {
                ListEnd::CacheType => registers.eax & 0xf == 0,
                ListEnd::AllZero => registers == Registers::ZERO,
            };
            if ended {
                break;
            }
            let missing = if end == ListEnd::AllZero { Missing::Append } else { Missing::Insert };
            self.put_entry(step, CpuidEntry::indexed(leaf, subleaf, registers), missing)?;
        }
        Ok(())
    }
}

pub(super) fn has(host: HostCpuid<'_>, feature: Feature) -> bool {
    host(feature.leaf(), feature.subleaf())[feature.register()] & feature.mask() != 0
}

/// True if the leaf is not above the host's highest one of its range.
fn is_below_highest(host: HostCpuid<'_>, leaf: Leaf) -> bool {
    host(range_of(leaf), Subleaf(0)).eax >= leaf.0
}

fn host_brand(rule: HostBrand, host: HostCpuid<'_>) -> Brand {
    let brand = || table::brand(|leaf, subleaf| Some(host(leaf, subleaf)));
    let last = Leaf(0x8000_0004);
    match rule {
        HostBrand::Same => brand().unwrap_or(Brand([0; 48])),
        HostBrand::Text(text) => with_frequency(text, Frequency::Decimal, None),
        HostBrand::Frequency(text, Frequency::Decimal) if !is_below_highest(host, last) => {
            with_frequency(text, Frequency::Decimal, None)
        }
        HostBrand::Frequency(text, rule) => with_frequency(text, rule, brand().as_ref()),
    }
}
