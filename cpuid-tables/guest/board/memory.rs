//! The addresses that a PC's board needs (`pc_memory_init` and `pc_max_used_gpa` of hw/i386/pc.c, `pc_init1` of
//! pc_piix.c, `pc_q35_init` of pc_q35.c). CXL's windows are not modelled.

use super::machine::Machine;
use super::machine_kind::MachineKind;
use crate::guest::error::BuildError;
use crate::guest::parse::memory::Memory;
use crate::guest::sgx::SgxSection;

const GIB: u64 = 1 << 30;
const FOUR_GIB: u64 = 4 * GIB;
/// Where AMD's reserved range below 1 TiB starts, and where memory then continues.
const HYPERTRANSPORT: u64 = 0xfd_0000_0000;
const TIB: u64 = 1 << 40;
/// `isapc` takes 3.5 GiB since 10.2.
const MAX_OF_ISAPC: u64 = 0xe000_0000;
/// ACPI's limit for slots.
const MAX_SLOTS: u64 = 256;

/// The CPU that must address the memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addressing {
    pub(crate) phys_bits: u32,
    /// It has LM.
    pub(crate) is_64_bit: bool,
    pub(crate) is_amd: bool,
}

impl Machine<'_> {
    /// Refuses memory that the board does not take, or that the CPU cannot address.
    pub(crate) fn check_memory(
        &self,
        memory: &Memory,
        sgx: &[SgxSection],
        cpu: Addressing,
    ) -> Result<(), BuildError> {
        if !self.is_pc() {
            return Ok(());
        }
        let pluggable = memory.size < memory.max;
        let refused = |expected| Err(BuildError::Memory { size: memory.size, expected });
        if self.limits_isapc && memory.size > MAX_OF_ISAPC {
            return refused("at most 3.5 GiB for this machine type");
        }
        if !self.plugs_memory && (pluggable || memory.slots != 0) {
            return refused("no slots and maxmem for this machine type");
        }
        if pluggable && memory.slots > MAX_SLOTS {
            return refused("at most 256 slots");
        }
        if self.has_smm() && self.memory_below_4g(memory.size) == 1 {
            return refused("more than one byte below 4 GiB, for SMBIOS's tables");
        }
        let mut used = self.last_address(memory, sgx, cpu, FOUR_GIB);
        if cpu.is_amd && self.avoids_hypertransport && used.is_none_or(|last| last >= HYPERTRANSPORT) {
            used = self.last_address(memory, sgx, cpu, TIB);
        }
        let limit = 1u64.checked_shl(cpu.phys_bits).map_or(u64::MAX, |end| end - 1);
        match used {
            Some(used) if used <= limit => Ok(()),
            _ => Err(BuildError::AddressSpace { phys_bits: cpu.phys_bits, needed: used.unwrap_or(u64::MAX) }),
        }
    }

    /// The highest address in use, with memory above 4 GiB starting at `start`; `None` beyond 64 bits.
    fn last_address(&self, memory: &Memory, sgx: &[SgxSection], cpu: Addressing, start: u64) -> Option<u64> {
        if !self.knows_32_bit_cpus && cpu.phys_bits <= 32 {
            return Some(0);
        }
        let below = self.memory_below_4g(memory.size);
        let mut end = start.checked_add(memory.size - below)?;
        for section in sgx {
            end = end.max(section.base.checked_add(section.size)?);
        }
        let plugged = if self.plugs_memory && memory.size < memory.max {
            let slots = memory.slots.checked_mul(GIB)?;
            let size = (memory.max - memory.size).checked_add(slots)?;
            Some(end.checked_next_multiple_of(GIB)?.checked_add(size)?)
        } else {
            None
        };
        if cpu.is_64_bit || !self.knows_32_bit_cpus {
            let hole = match self.kind {
                MachineKind::I440fx => 2 * GIB,
                MachineKind::Q35 => 32 * GIB,
                MachineKind::Isapc | MachineKind::Microvm => 0,
            };
            let start = plugged.unwrap_or(end).checked_next_multiple_of(GIB)?;
            return Some(start.checked_add(hole)? - 1);
        }
        if self.trusts_32_bit_cpus {
            return Some(0);
        }
        Some(plugged.unwrap_or(end) - 1)
    }

    fn memory_below_4g(&self, size: u64) -> u64 {
        let most = self.max_ram_below_4g;
        let low = match self.kind {
            MachineKind::Microvm => return size,
            MachineKind::Isapc => most.unwrap_or(0xe000_0000),
            MachineKind::I440fx => {
                let low = most.unwrap_or(0xe000_0000);
                if size >= low { low.min(0xc000_0000) } else { low }
            }
            MachineKind::Q35 => {
                let low = if size >= 0xb000_0000 { 0x8000_0000 } else { 0xb000_0000 };
                low.min(most.unwrap_or(FOUR_GIB))
            }
        };
        size.min(low)
    }
}
