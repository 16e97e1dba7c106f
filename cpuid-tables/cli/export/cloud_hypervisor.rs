//! Cloud Hypervisor's CPU profiles: the data of CPUID and of MSRs.

use std::collections::{BTreeMap, BTreeSet};

use cpuid_tables::fleet::Template;
use cpuid_tables::host::Host;
use cpuid_tables::normalize::presets::{self, CloudHypervisor};
use cpuid_tables::{CpuidRead, FeatureSet, Msr, Register, Vendor};
use serde_json::{Value, json};

use super::super::outcome::{Failed, Result};

/// Cloud Hypervisor's `CpuidProfileData` (arch/src/x86_64/cpu_profile): a register without an adjustment becomes 0,
/// so each register has one.
pub(super) fn cpuid(template: &Template, host: &Host) -> Result<Value> {
    check_vendor(host)?;
    let mut adjustments = Vec::new();
    for (entry, known) in template.entries.iter().zip(&template.known) {
        let subleaves = if entry.is_indexed() { (entry.index.0, entry.index.0) } else { (0, u32::MAX) };
        for register in Register::ALL {
            let (value, known) = (entry.register(register), known[register]);
            let hexadecimal = |number: u32| format!("{number:#x}");
            adjustments.push(json!([
                {
                    "leaf": hexadecimal(entry.function.0),
                    "sub_leaf": { "start": hexadecimal(subleaves.0), "end": hexadecimal(subleaves.1) },
                    "register": register.name(),
                },
                { "replacements": hexadecimal(value), "mask": hexadecimal(!known) },
            ]));
        }
    }
    Ok(json!({ "adjustments": adjustments }))
}

/// Cloud Hypervisor's `MsrProfileData`: feature MSRs with their values, and the MSRs that a host must have, in order.
pub(super) fn msrs(template: &Template, host: &Host) -> Result<Value> {
    check_vendor(host)?;
    let Some(saved) = &host.saved_msrs else {
        return Err(Failed::new(
            "the host does not record which MSRs its KVM saves (KVM_GET_MSR_INDEX_LIST)",
        )
        .help("`kvm-cpuid record -o HOST.json` on that machine writes them"));
    };
    let values: BTreeMap<Msr, u64> = template.msrs.iter().copied().collect();
    let adjustments = values.iter().map(|(msr, value)| {
        json!([format!("{:#x}", msr.0), { "replacements": format!("{value:#x}"), "mask": "0x0" }])
    });
    let required: BTreeSet<Msr> = saved.iter().chain(host.msrs.keys()).copied().collect();
    let required: Vec<String> = required.into_iter().map(|msr| format!("{:#x}", msr.0)).collect();
    Ok(json!({ "adjustments": adjustments.collect::<Vec<Value>>(), "required_msrs": required }))
}

/// The features of a profile for which Cloud Hypervisor refuses to run it on the host: its compatibility check takes only
/// those that KVM lists (`check_cpuid_compatibility`), besides those that it sets itself.
pub(super) fn refused(wanted: FeatureSet, host: &Host) -> FeatureSet {
    let entries = host.supported.as_slice();
    let (vendor, listed) = (entries.vendor(), entries.features());
    let one = CloudHypervisor {
        threads: 1,
        cores: 1,
        dies: 1,
        packages: 1,
        phys_bits: 46,
        kvm_hyperv: false,
        amx: true,
        nested: true,
        tsc_khz: None,
    };
    let preset = presets::cloud_hypervisor(&one);
    let lacking = (wanted - listed) & Template::features();
    lacking
        .iter()
        .filter(|feature| {
            let decided = vendor.map_or(0, |vendor| preset.decides(vendor, feature.location().word));
            decided & feature.mask() == 0
        })
        .collect()
}

/// Cloud Hypervisor's profiles are for these vendors.
fn check_vendor(host: &Host) -> Result<()> {
    match host.supported.as_slice().vendor() {
        Some(Vendor::INTEL | Vendor::AMD) => Ok(()),
        _ => Err(Failed::new("Cloud Hypervisor has profiles only for Intel and AMD hosts")),
    }
}
