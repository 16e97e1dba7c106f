//! Firecracker's custom CPU templates.

use cpuid_tables::dump::{Cpu, firecracker_template};
use cpuid_tables::fleet::Template;
use cpuid_tables::host::Host;
use cpuid_tables::normalize::presets::{self, Firecracker};
use cpuid_tables::{CpuidEntry, CpuidRead, CpuidWord, Feature, Leaf, Register, Registers, Subleaf};
use serde_json::Value;

use super::announced_by;

/// Leaves the bits that Firecracker decides after a template, unless both clear them, and the sizes that KVM updates as
/// the guest runs.
pub(super) fn leave(template: &mut Template, host: &Host) {
    let preset = presets::firecracker(&Firecracker { vcpus: 1, smt: false });
    let vendor = host.supported.as_slice().vendor();
    let size = |subleaf| CpuidWord::new(Leaf(0xd), Subleaf(subleaf), Register::Ebx);
    // An MSR whose announcing feature Firecracker clears, or that this template clears, is for nobody.
    let clears = |feature: Feature| {
        vendor.is_some_and(|vendor| preset.clears(vendor, feature.location().word) & feature.mask() != 0)
    };
    template.msrs.retain(|(msr, _)| !announced_by(*msr).is_some_and(clears));
    template.leave(|word, value| {
        let own =
            vendor.map_or(0, |vendor| preset.decides(vendor, word) & !(preset.clears(vendor, word) & !value));
        if [size(0), size(1)].contains(&word) { u32::MAX } else { own }
    });
}

/// Firecracker's docs/cpu_templates/schema.json: each bit is `0`, `1`, or `x` for the host's value.
pub(super) fn json(template: &Template) -> Value {
    let stated = template.entries.iter().zip(&template.known).filter(|(_, known)| **known != Registers::ZERO);
    let (entries, known): (Vec<CpuidEntry>, Vec<Registers>) = stated.unzip();
    let mut value = firecracker_template(&Cpu { known: Some(known), ..Cpu::from_entries(entries) });
    let msrs = template
        .msrs
        .iter()
        .map(|(msr, value)| serde_json::json!({ "addr": format!("{:#x}", msr.0), "bitmap": format!("0b{value:064b}") }));
    value["msr_modifiers"] = msrs.collect();
    value
}
