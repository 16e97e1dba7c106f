//! Adding hosts to a fleet.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::fold::Folded;
use crate::bits::feature_set::FeatureSet;
use crate::bits::location::{Leaf, Msr, Registers, Subleaf};
use crate::host::Host;
use crate::meaning::{combine_msr, limits};
use crate::table::{CpuidEntry, find_entry};

/// Any number of hosts.
///
/// It keeps each host's name, and one summary of hosts with the same features and limits. The rest is folded into one
/// table, so hosts can be streamed.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub(super) folded: Folded,
    /// Names of hosts with the same features and limits.
    pub(super) groups: Vec<Vec<String>>,
    /// The summary of a group's hosts: each register of a [`FeatureSet`], then each of [`limits`].
    pub(super) by_summary: BTreeMap<Vec<u32>, usize>,
    /// Number of hosts by vendor: EBX, EDX and ECX of leaf 0.
    pub(super) vendors: BTreeMap<[u32; 3], usize>,
    /// The feature MSRs of hosts that provide them.
    pub(super) msrs: BTreeMap<Msr, FoldedMsr>,
    pub(super) with_msrs: usize,
}

/// `KVM_CAP_GET_MSR_FEATURES` (Linux, `include/uapi/linux/kvm.h`).
const GET_MSR_FEATURES: u32 = 153;

/// A feature MSR of many hosts.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoldedMsr {
    /// The value combined by its fields' rules.
    pub(super) value: u64,
    /// The bits that all hosts have.
    pub(super) all: u64,
    /// Number of hosts that have it.
    pub(super) seen: usize,
}

/// Why hosts cannot form a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FleetError {
    /// A table without leaf 0 is not a CPU's whole table.
    NotWhole {
        /// The host's name.
        host: String,
    },
    /// There are no hosts.
    NoHost,
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FleetError::NotWhole { host } => {
                write!(f, "{host} has no leaf 0: it is not a CPU's whole table")
            }
            FleetError::NoHost => f.write_str("there are no hosts"),
        }
    }
}

impl core::error::Error for FleetError {}

/// The tables of one host's CPUs, which differ at least in APIC ids, combined into one table.
#[derive(Clone, Debug, Default)]
pub struct HostTables {
    folded: Folded,
    /// The only table, until a second one is added.
    only: Vec<CpuidEntry>,
}

impl HostTables {
    /// Without CPUs.
    #[must_use]
    pub fn new() -> HostTables {
        HostTables::default()
    }

    /// Adds a CPU.
    pub fn add(&mut self, entries: &[CpuidEntry]) {
        match self.folded.tables() {
            0 if self.only.is_empty() => self.only = entries.to_vec(),
            0 => {
                let first = core::mem::take(&mut self.only);
                self.folded.add(&first, |_, _| {});
                self.folded.add(entries, |_, _| {});
            }
            _ => self.folded.add(entries, |_, _| {}),
        }
    }

    /// The table that a vCPU may have on any of the CPUs.
    #[must_use]
    pub fn into_entries(self) -> Vec<CpuidEntry> {
        if self.folded.tables() == 0 {
            return self.only;
        }
        let (rows, _) = self.folded.finish();
        rows.iter().map(super::fold::Row::entry).collect()
    }
}

impl Fleet {
    /// Without hosts.
    #[must_use]
    pub fn new() -> Fleet {
        Fleet::default()
    }

    /// Number of hosts.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.folded.tables()
    }

    /// True if there are no hosts.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a host by its table: its KVM's supported table, or a CPU's table. For several tables, see [`HostTables`].
    ///
    /// # Errors
    ///
    /// [`FleetError::NotWhole`]; the fleet is unchanged.
    pub fn add(&mut self, name: &str, entries: &[CpuidEntry]) -> Result<(), FleetError> {
        let Some(head) = find_entry(entries, Leaf(0), Subleaf(0)) else {
            return Err(FleetError::NotWhole { host: name.to_owned() });
        };
        let Registers { ebx, ecx, edx, .. } = head.registers;
        *self.vendors.entry([ebx, edx, ecx]).or_default() += 1;
        let features = FeatureSet::ALL.words().count();
        let mut summary = vec![0; features + limits().count()];
        self.folded.add(entries, |row, entry| {
            for &(register, at, mask) in &row.features {
                summary[at] = entry.register(register) & mask;
            }
            for &(register, mask, at) in &row.limits {
                summary[features + at] = (entry.register(register) & mask) >> mask.trailing_zeros();
            }
        });
        let groups = &mut self.groups;
        let group = *self.by_summary.entry(summary).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(name.to_owned());
        Ok(())
    }

    /// Adds a host by its KVM's supported table, including feature MSRs.
    ///
    /// # Errors
    ///
    /// As [`add`](Fleet::add).
    pub fn add_host(&mut self, name: &str, host: &Host) -> Result<(), FleetError> {
        self.add(name, &host.supported)?;
        // Without the capability there are no feature MSRs, which is known too.
        let none = host.capabilities.get(&GET_MSR_FEATURES) == Some(&0);
        if host.msrs.is_empty() && !none {
            return Ok(());
        }
        self.with_msrs += 1;
        for (&msr, &value) in host.msrs.iter().filter(|_| !none) {
            let folded = self.msrs.entry(msr).or_insert(FoldedMsr { value, all: value, seen: 0 });
            folded.value = combine_msr(msr, folded.value, value);
            folded.all &= value;
            folded.seen += 1;
        }
        Ok(())
    }
}
