//! KVM's own leaves, and VMware's, whose frequencies KVM guests read (`kvm_arch_init_vcpu` of target/i386/kvm/kvm.c).

use crate::bits::known_places::FREQUENCIES;
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::guest::cpu::Cpu;
use crate::guest::cpu::flags::Reg;
use crate::table::{CpuidEntry, CpuidTable, TableFull};

/// The base of KVM's leaves, except in a guest with Hyper-V's leaves there.
const BASE: u32 = Leaf::HYPERVISOR.0;
const BASE_AFTER_HYPERV: u32 = BASE + 0x100;
/// `KVMKVMKVM`.
const SIGNATURE: [u32; 3] = [0x4b4d_564b, 0x564b_4d56, 0x0000_004d];
/// KVM's APIC timer runs at 1 GHz; in kHz.
const APIC_KHZ: u32 = 1_000_000;

impl Cpu<'_> {
    /// Hyper-V's leaves, then KVM's.
    pub(crate) fn hypervisor_leaves(&self, table: &mut CpuidTable) -> Result<(), TableFull> {
        let hyperv = self.hyperv_enabled();
        if hyperv {
            self.hyperv_leaves(table)?;
        }
        if self.settings.kvm {
            let base = if hyperv { BASE_AFTER_HYPERV } else { BASE };
            let [ebx, ecx, edx] = SIGNATURE;
            table.push(CpuidEntry::new(Leaf(base), Registers::new(base + 1, ebx, ecx, edx)))?;
            let features = Registers::new(self.word(Reg::KvmEax), 0, 0, self.word(Reg::KvmEdx));
            table.push(CpuidEntry::new(Leaf(base + 1), features))?;
        }
        Ok(())
    }

    /// VMware's leaf, after all others, with an index and flags left over from leaf 0xD.
    pub(crate) fn frequency_leaf(
        &self,
        table: &mut CpuidTable,
        (index, flags): (u32, u32),
    ) -> Result<(), TableFull> {
        let shown = self.settings.vmware_cpuid_freq && self.settings.kvm && !self.hyperv_enabled();
        let Some(khz) = self.stable_tsc_khz().filter(|_| shown) else { return Ok(()) };
        let entry = CpuidEntry::new(FREQUENCIES, Registers::new(khz, APIC_KHZ, 0, 0));
        table.push(CpuidEntry { index: Subleaf(index), flags, ..entry })?;
        if let Some(signature) = table.find_mut(Leaf(BASE), Subleaf(0)) {
            signature.registers.eax = signature.registers.eax.max(FREQUENCIES.0);
        }
        Ok(())
    }
}
