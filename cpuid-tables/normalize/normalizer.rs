//! The builder.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;
use core::fmt;

use super::apply::{HostCpuid, Work};
use super::error::{NormalizeError, UnknownStep};
use super::presets::Preset;
use super::step::Step;
use super::topology::VcpuTopology;
use super::topology_steps::topology_steps;
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::{ApicLayout, CpuidEntry, CpuidTable, VcpuBase};

/// Builds a guest's tables from a base by steps.
#[derive(Clone)]
pub struct Normalizer<'a> {
    base: &'a [CpuidEntry],
    host: Option<HostCpuid<'a>>,
    steps: Vec<Step>,
    topology: VcpuTopology,
    layout: Option<ApicLayout>,
}

impl<'a> Normalizer<'a> {
    /// Starts from a base: what KVM supports, a model's table or a recorded one. Without steps, its entries stay as they
    /// are.
    #[must_use]
    pub fn new(base: &'a [CpuidEntry]) -> Normalizer<'a> {
        Normalizer { base, host: None, steps: Vec::new(), topology: VcpuTopology::default(), layout: None }
    }

    /// The host's CPUID instruction, for steps that read it. A recorded host is as good as this machine's:
    /// `&|leaf, subleaf| entries.registers(leaf, subleaf).unwrap_or(Registers::ZERO)`.
    #[must_use]
    pub fn host(mut self, cpuid: &'a dyn Fn(Leaf, Subleaf) -> Registers) -> Normalizer<'a> {
        self.host = Some(cpuid);
        self
    }

    /// Adds steps at the end.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = Step>) -> Normalizer<'a> {
        self.steps.extend(steps);
        self
    }

    /// Adds the steps that describe a topology, and gives vCPUs its APIC ids. The vendor that decides which leaves do so
    /// is the host's, or the base's without a host.
    #[must_use]
    pub fn topology(mut self, topology: &VcpuTopology) -> Normalizer<'a> {
        self.steps.extend(topology_steps(topology));
        self.topology = *topology;
        self.layout = None;
        self
    }

    /// Adds a VMM's steps, and gives vCPUs its APIC ids.
    #[must_use]
    pub fn preset(mut self, preset: Preset) -> Normalizer<'a> {
        self.steps.extend(preset.steps);
        self.topology = preset.topology;
        self.layout = Some(preset.layout);
        self
    }

    /// Leaves out the steps of this name.
    ///
    /// # Errors
    ///
    /// [`UnknownStep`].
    pub fn without(mut self, name: &str) -> Result<Normalizer<'a>, UnknownStep> {
        self.position(name)?;
        self.steps.retain(|step| step.name != name);
        Ok(self)
    }

    /// Inserts steps before the first one of this name.
    ///
    /// # Errors
    ///
    /// [`UnknownStep`].
    pub fn before(
        mut self,
        name: &str,
        steps: impl IntoIterator<Item = Step>,
    ) -> Result<Normalizer<'a>, UnknownStep> {
        let at = self.position(name)?;
        self.steps.splice(at..at, steps);
        Ok(self)
    }

    fn position(&self, name: &str) -> Result<usize, UnknownStep> {
        self.steps.iter().position(|step| step.name == name).ok_or_else(|| {
            let mut known: Vec<&'static str> = self.steps.iter().map(|step| step.name).collect();
            known.dedup();
            UnknownStep { name: name.to_owned(), known }
        })
    }

    /// The steps in their order.
    #[must_use]
    pub fn list(&self) -> &[Step] {
        &self.steps
    }

    /// Applies the steps.
    ///
    /// # Errors
    ///
    /// [`NormalizeError`], which names the step.
    pub fn build(&self) -> Result<Normalized, NormalizeError> {
        let table = CpuidTable::from_entries(self.base).map_err(NormalizeError::full("base"))?;
        let mut work = Work::new(table, self.host);
        self.steps.iter().try_for_each(|step| work.apply(step))?;
        let layout = self.layout.unwrap_or_else(|| self.topology.layout());
        Ok(Normalized { base: work.finish(layout), topology: self.topology })
    }
}

impl fmt::Debug for Normalizer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Normalizer");
        out.field("entries", &self.base.len()).field("has_host", &self.host.is_some());
        out.field("steps", &self.steps).field("topology", &self.topology).finish()
    }
}

/// A guest's tables.
#[derive(Clone, Debug)]
pub struct Normalized {
    base: VcpuBase,
    topology: VcpuTopology,
}

impl Normalized {
    /// What all vCPUs have in common, and what differs: for `Vcpus::from_base`.
    #[must_use]
    pub const fn base(&self) -> &VcpuBase {
        &self.base
    }

    /// The topology.
    #[must_use]
    pub const fn topology(&self) -> &VcpuTopology {
        &self.topology
    }

    /// The APIC id of a vCPU, by its index from 0.
    #[must_use]
    pub fn apic_id(&self, index: u32) -> u32 {
        self.topology.apic_id(index)
    }

    /// A vCPU's table, by its index from 0.
    #[must_use]
    pub fn table(&self, index: u32) -> CpuidTable {
        let mut table = CpuidTable::new();
        self.base.write(self.apic_id(index), &mut table);
        table
    }

    /// Each vCPU's APIC id and table.
    pub fn vcpus(&self) -> impl Iterator<Item = (u32, CpuidTable)> {
        (0..self.topology.count()).map(|index| (self.apic_id(index), self.table(index)))
    }
}
