//! The VMMs that have a preset, by name, and the most that each gives a guest on a host.

use core::fmt;

use super::{
    CloudHypervisor, Crosvm, Dragonball, Firecracker, Libkrun, Preset, Vpmu, cloud_hypervisor, crosvm,
    dragonball, firecracker, libkrun,
};
use crate::bits::known_fields::leaf_80000008;
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::normalize::{NormalizeError, Normalizer};
use crate::table::{CpuidEntry, CpuidRead, CpuidTable};

/// A VMM with a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Vmm {
    /// Firecracker.
    Firecracker,
    /// Cloud Hypervisor.
    CloudHypervisor,
    /// crosvm.
    Crosvm,
    /// libkrun.
    Libkrun,
    /// Dragonball.
    Dragonball,
}

impl Vmm {
    /// All of them.
    pub const ALL: [Vmm; 5] =
        [Vmm::Firecracker, Vmm::CloudHypervisor, Vmm::Crosvm, Vmm::Libkrun, Vmm::Dragonball];

    /// Its name, such as `cloud-hypervisor`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Vmm::Firecracker => "firecracker",
            Vmm::CloudHypervisor => "cloud-hypervisor",
            Vmm::Crosvm => "crosvm",
            Vmm::Libkrun => "libkrun",
            Vmm::Dragonball => "dragonball",
        }
    }

    /// The preset with everything on that the VMM can be asked for: nested virtualization, counters, AMX,
    /// hardware-controlled performance states; and several vCPUs, with which Cloud Hypervisor sets more on AMD's processors
    /// (CLFLUSH's line size, TOPOEXT, CMP_LEGACY). `phys_bits` is the width of the host's physical addresses.
    fn most(self, phys_bits: u32) -> Preset {
        let (one, several) = (1, 2);
        match self {
            Vmm::Firecracker => firecracker(&Firecracker { vcpus: several, smt: false }),
            Vmm::CloudHypervisor => cloud_hypervisor(&CloudHypervisor {
                threads: one,
                cores: several,
                dies: one,
                packages: one,
                phys_bits,
                kvm_hyperv: false,
                amx: true,
                nested: true,
                tsc_khz: None,
            }),
            Vmm::Crosvm => crosvm(&Crosvm {
                vcpus: several,
                no_smt: true,
                hwp: true,
                itmt: true,
                nested: true,
                tsc_deadline: true,
                tsc_hz: None,
            }),
            Vmm::Libkrun => libkrun(&Libkrun { vcpus: several, smt: false, nested: true }),
            Vmm::Dragonball => dragonball(&Dragonball {
                vcpus: several,
                threads: one,
                cores: several,
                dies: one,
                vpmu: Vpmu::Full,
            }),
        }
    }

    /// The most that the VMM gives a guest on a host: what its KVM supports, with what the VMM sets, adds and clears
    /// whatever it is asked for. The topology is that of two vCPUs.
    /// The frequency of the TSC is what KVM states, not what crosvm measures if it is asked to state it.
    ///
    /// `cpuid` is the host's CPUID instruction; for a recorded host without it, what its KVM supports.
    ///
    /// # Errors
    ///
    /// The VMM refuses the host, or its KVM lacks a leaf that it needs.
    ///
    /// ```
    /// use cpuid_tables::normalize::presets::Vmm;
    /// use cpuid_tables::{CpuidEntry, CpuidRead, Leaf, Registers, feature};
    ///
    /// let supported = [
    ///     CpuidEntry::new(Leaf(0), Registers::new(1, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
    ///     CpuidEntry::new(Leaf(1), Registers::new(0x306c4, 0, 1 << 15, 0)),
    ///     CpuidEntry::new(Leaf(0x8000_0000), Registers::new(0x8000_0000, 0, 0, 0)),
    /// ];
    /// let table = Vmm::Libkrun.offers(&supported, &|leaf, subleaf| {
    ///     supported.registers(leaf, subleaf).unwrap_or_default()
    /// })?;
    /// assert!(table.has(feature::HYPERVISOR));
    /// # Ok::<(), cpuid_tables::normalize::NormalizeError>(())
    /// ```
    pub fn offers(
        self,
        supported: &[CpuidEntry],
        cpuid: &dyn Fn(Leaf, Subleaf) -> Registers,
    ) -> Result<CpuidTable, NormalizeError> {
        let width = leaf_80000008::PHYS_ADDR_BITS;
        let widths = supported.registers(width.leaf(), Subleaf(0)).unwrap_or_default();
        let preset = self.most(width.read_from(widths));
        Ok(Normalizer::new(supported).host(cpuid).preset(preset).build()?.table(0))
    }
}

impl fmt::Display for Vmm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
