//! The features that hosts have in common, and what each host costs the fleet.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::fold::{Row, Unequal};
use super::hosts::{Fleet, FleetError, FoldedMsr};
use super::leaves;
use crate::bits::description::Part;
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::field::Field;
use crate::bits::location::{Bit, CpuidWord, Msr, Register};
use crate::meaning::{Rule, combine_msr, limits, meanings};
use crate::table::{CpuidEntry, CpuidTable, TableFull, find_entry};

/// The features and values that a fleet's hosts have in common.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Baseline {
    /// Number of hosts.
    pub hosts: usize,
    /// The vendors and the number of hosts of each, most frequent first. A guest cannot run on hosts of two vendors.
    pub vendors: Vec<(String, usize)>,
    /// The table that a guest may have on all hosts, by leaf and subleaf. The VMM must fill in values that belong to
    /// one CPU, such as its APIC id; they are 0 where hosts differ.
    pub entries: Vec<CpuidEntry>,
    /// Fields that must be equal but differ; they are 0 in the table.
    pub unequal: Vec<Unequal>,
    /// Restriction bits of the table that some hosts lack: they announce a restriction that only the other hosts
    /// have, see [`Rule::Or`].
    pub warnings: FeatureSet,
    /// Undescribed bits: register, bits of all hosts, and bits of only some. They are *and*-ed.
    pub undescribed: Vec<(CpuidWord, u32, u32)>,
    /// Feature MSRs, each with the value that a guest may have and the bits of all hosts; `None` unless every host
    /// provides its MSRs.
    pub msrs: Option<BTreeMap<Msr, (u64, u64)>>,
    /// Hosts with the same features and limits, those that cost the fleet most first.
    pub groups: Vec<Group>,
}

/// Hosts with the same features and limits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// Their names, in the order in which they were added.
    pub hosts: Vec<String>,
    /// Features that these hosts lack and another host has.
    pub lacks: FeatureSet,
    /// Features that only these hosts lack: without these hosts the fleet would have them.
    pub costs: FeatureSet,
    /// Numbers that would differ without these hosts.
    pub limits: Vec<LimitCost>,
}

/// A number that these hosts limit for the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitCost {
    /// The field.
    pub field: Field,
    /// Its value with these hosts.
    pub with: u32,
    /// Its value without these hosts.
    pub without: u32,
}

impl Baseline {
    pub(super) fn new(fleet: &Fleet) -> Baseline {
        let (rows, mut unequal) = fleet.folded.finish();
        let entries = leaves::table(&rows, &mut unequal);
        let msrs = (fleet.with_msrs == fleet.len()).then(|| {
            let of_all = |(&msr, folded): (&Msr, &FoldedMsr)| match folded.seen < fleet.len() {
                true => (msr, (combine_msr(msr, folded.value, 0), 0)),
                false => (msr, (folded.value, folded.all)),
            };
            fleet.msrs.iter().map(of_all).collect::<BTreeMap<Msr, (u64, u64)>>()
        });
        Baseline {
            hosts: fleet.len(),
            vendors: vendors(fleet),
            warnings: warnings(&rows, &entries),
            undescribed: undescribed(&rows),
            entries,
            unequal,
            msrs,
            groups: groups(fleet),
        }
    }

    /// The table in KVM's format.
    ///
    /// # Errors
    ///
    /// [`TableFull`]: it has more entries than KVM accepts.
    pub fn table(&self) -> Result<CpuidTable, TableFull> {
        CpuidTable::from_entries(&self.entries)
    }

    /// A register of the table; 0 without an entry.
    #[must_use]
    pub fn word(&self, word: CpuidWord) -> u32 {
        find_entry(&self.entries, word.leaf, word.subleaf).map_or(0, |entry| entry.register(word.register))
    }

    /// The features of the table.
    #[must_use]
    pub fn features(&self) -> FeatureSet {
        let mut features = FeatureSet::new();
        for (word, _) in FeatureSet::ALL.words() {
            // A set cannot hold bits that are not known features.
            let _ = features.set_word(word, self.word(word));
        }
        features
    }

    /// The vendor, if there is only one.
    #[must_use]
    pub fn vendor(&self) -> Option<&str> {
        match self.vendors.as_slice() {
            [(vendor, _)] => Some(vendor),
            _ => None,
        }
    }
}

fn vendors(fleet: &Fleet) -> Vec<(String, usize)> {
    let text = |registers: &[u32; 3]| {
        let bytes: Vec<u8> = registers.iter().flat_map(|register| register.to_le_bytes()).collect();
        String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_string()
    };
    let mut all: Vec<(String, usize)> =
        fleet.vendors.iter().map(|(registers, &count)| (text(registers), count)).collect();
    all.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    all
}

/// *Or*-ed features of the table that not all hosts have.
fn warnings(rows: &[Row], entries: &[CpuidEntry]) -> FeatureSet {
    let mut warnings = FeatureSet::new();
    for row in rows {
        let Some(entry) = find_entry(entries, row.leaf, row.subleaf) else { continue };
        for register in Register::ALL {
            let word = CpuidWord { leaf: row.leaf, subleaf: row.subleaf, register };
            let some = entry.register(register) & !row.all[register];
            let or_ed = meanings(word).filter(|meaning| meaning.rule == Rule::Or && meaning.mask & some != 0);
            warnings.extend(or_ed.filter_map(|meaning| match meaning.part {
                Some(Part::Feature(feature)) => Some(feature),
                _ => Feature::at(word.bit(Bit(meaning.mask.trailing_zeros().to_le_bytes()[0]))),
            }));
        }
    }
    warnings
}

fn undescribed(rows: &[Row]) -> Vec<(CpuidWord, u32, u32)> {
    let mut all = Vec::new();
    for row in rows {
        for register in Register::ALL {
            let word = CpuidWord { leaf: row.leaf, subleaf: row.subleaf, register };
            let unknown =
                meanings(word).filter(|meaning| meaning.part.is_none() && meaning.rule == Rule::And);
            let mask = unknown.fold(0, |mask, meaning| mask | meaning.mask);
            let (had, some) = (row.registers[register] & mask, row.any[register] & mask);
            if some != 0 {
                all.push((word, had, some & !had));
            }
        }
    }
    all
}

/// The features that each group lacks and costs.
fn groups(fleet: &Fleet) -> Vec<Group> {
    let words: Vec<CpuidWord> = FeatureSet::ALL.words().map(|(word, _)| word).collect();
    let sets: Vec<(FeatureSet, &[u32], usize)> = fleet
        .by_summary
        .iter()
        .map(|(summary, &group)| {
            let (registers, limits) = summary.split_at(words.len());
            let mut set = FeatureSet::new();
            for (word, &value) in words.iter().zip(registers) {
                // A summary contains only known features.
                let _ = set.set_word(*word, value);
            }
            (set, limits, group)
        })
        .collect();
    let any = sets.iter().fold(FeatureSet::new(), |any, (set, ..)| any | *set);
    let (mut lacked, mut lacked_twice) = (FeatureSet::new(), FeatureSet::new());
    for (set, ..) in &sets {
        let lacks = any - *set;
        lacked_twice |= lacked & lacks;
        lacked |= lacks;
    }
    let extremes = extremes(&sets);
    let mut all: Vec<(usize, Group)> = sets
        .into_iter()
        .map(|(set, limits, group)| {
            let lacks = any - set;
            let limits = limit_costs(&extremes, limits);
            let hosts = fleet.groups[group].clone();
            (group, Group { hosts, lacks, costs: lacks - lacked_twice, limits })
        })
        .collect();
    // Groups with equal costs are ordered by what they lack, then as added.
    all.sort_by_key(|(group, one)| {
        (usize::MAX - one.costs.len(), usize::MAX - one.limits.len(), usize::MAX - one.lacks.len(), *group)
    });
    all.into_iter().map(|(_, group)| group).collect()
}

/// A limit over all groups: the rule's value, and the value without the group that has it.
struct Extreme {
    field: Field,
    with: u32,
    /// `None` if several groups have it.
    without: Option<u32>,
}

fn extremes(sets: &[(FeatureSet, &[u32], usize)]) -> Vec<Extreme> {
    let of = |(at, (field, rule)): (usize, (Field, Rule))| {
        let values = sets.iter().map(|(_, limits, _)| limits[at]);
        let values = values.filter(|value| rule != Rule::MinNonZero || *value != 0);
        let beyond = |a: u32, b: u32| if rule == Rule::Max { a > b } else { a < b };
        let mut first: Option<u32> = None;
        let mut second = None;
        for value in values {
            if first.is_none_or(|first| beyond(value, first)) {
                second = first.replace(value);
            } else if second.is_none_or(|second| beyond(value, second)) {
                second = Some(value);
            }
        }
        let without = second.filter(|second| Some(*second) != first);
        Extreme { field, with: first.unwrap_or(0), without }
    };
    limits().enumerate().map(of).collect()
}

fn limit_costs(extremes: &[Extreme], limits: &[u32]) -> Vec<LimitCost> {
    let costs = extremes.iter().zip(limits).filter_map(|(extreme, own)| {
        let without = extreme.without.filter(|_| extreme.with == *own)?;
        Some(LimitCost { field: extreme.field, with: extreme.with, without })
    });
    costs.collect()
}

impl Fleet {
    /// The features and values that the hosts have in common.
    ///
    /// # Errors
    ///
    /// [`FleetError::NoHost`].
    pub fn baseline(&self) -> Result<Baseline, FleetError> {
        if self.is_empty() {
            return Err(FleetError::NoHost);
        }
        Ok(Baseline::new(self))
    }
}
