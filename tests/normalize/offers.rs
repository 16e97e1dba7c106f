//! What a VMM can give a guest on a host: everything that the guests recorded from its own code have there.

use std::collections::BTreeMap;

use cpuid_tables::field::leaf_80000008;
use cpuid_tables::normalize::presets::Vmm;
use cpuid_tables::show::{Migration, MigrationSide};
use cpuid_tables::{CpuidEntry, CpuidRead, Feature, Leaf, Registers, Subleaf, feature};

use super::presets::{base_and_host, cases};
use crate::common;
use crate::oracle::Outcome;
use crate::oracle::corpus::{self, Corpus};

fn side(entries: &[CpuidEntry]) -> MigrationSide<'_> {
    MigrationSide { entries, ..MigrationSide::default() }
}

/// Gives a host the width of physical addresses that a recording asked Cloud Hypervisor's code for: the program asks for
/// no more than the host's, which the recorder did.
fn widen(base: &mut [CpuidEntry], phys_bits: u32) {
    for entry in base.iter_mut().filter(|entry| entry.function == leaf_80000008::PHYS_ADDR_BITS.leaf()) {
        let eax = entry.registers.eax;
        entry.registers.eax = eax & !0xff | phys_bits.max(eax & 0xff);
    }
}

#[test]
fn every_recorded_guest_can_move_to_its_own_host() -> Outcome<()> {
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &cases()? {
        let Some((_, guest)) = &case.tables else { continue };
        let vmm = Vmm::ALL.into_iter().find(|vmm| vmm.name() == case.vmm).ok_or("an unknown VMM")?;
        let (mut base, host) = base_and_host(case, &corpus.hosts[&case.host]);
        widen(&mut base, case.phys_bits());
        let cpuid = |leaf: Leaf, subleaf: Subleaf| host.registers(leaf, subleaf).unwrap_or(Registers::ZERO);
        let mut offered = vmm.offers(&base, &cpuid)?.to_vec();
        if case.states_tsc() {
            // crosvm measures the frequency when it starts, which on the same host gives the same leaf.
            offered.retain(|entry| entry.function != Leaf(0x15));
            offered.extend(guest.iter().filter(|entry| entry.function == Leaf(0x15)));
        }
        let found = Migration::compared(side(guest), side(&offered));
        assert!(found.can_move(), "{}:\n{:#?}", case.text, found.obstacles);
        *counts.entry(vmm.name()).or_default() += 1;
    }
    common::say(&format!("{counts:?}"));
    assert!(counts.len() == Vmm::ALL.len() && counts.values().all(|count| *count > 150), "{counts:?}");
    Ok(())
}

/// Takes AVX2 from the destination's KVM: no VMM makes up for it.
#[test]
fn no_vmm_gives_what_kvm_lacks() -> Outcome<()> {
    let corpus = Corpus::read(&corpus::directory().join("10.0"))?;
    let mut tried = 0;
    for (name, host) in &corpus.hosts {
        let lacks = |entries: &[CpuidEntry], feature: Feature| !entries.has(feature);
        let mut there = host.supported.clone();
        if lacks(&there, feature::AVX2) {
            continue;
        }
        let word = feature::AVX2.location().word;
        for entry in there.iter_mut().filter(|entry| entry.answers(word.leaf, word.subleaf)) {
            entry.registers[word.register] &= !feature::AVX2.mask();
        }
        let cpuid = |leaf: Leaf, subleaf: Subleaf| {
            host.instruction.registers(leaf, subleaf).unwrap_or(Registers::ZERO)
        };
        for vmm in Vmm::ALL {
            let (Ok(before), Ok(after)) = (vmm.offers(&host.supported, &cpuid), vmm.offers(&there, &cpuid))
            else {
                continue;
            };
            let found = Migration::compared(side(&before), side(&after));
            let names: Vec<String> = found.obstacles.iter().map(|obstacle| obstacle.name()).collect();
            assert_eq!(names, ["avx2"], "{vmm} on {name}");
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried} tried");
    Ok(())
}
