//! The microarchitecture and the code name of a processor, by vendor, family, model and stepping.
//!
//! Facts that the vendors publish: Intel's "Affected Processors" lists and SDM volume 4, AMD's revision guides; Linux has most
//! of them in `arch/x86/include/asm/intel-family.h` and `arch/x86/kernel/cpu/amd.c`.
//!
//! What always holds: the first row that fits is meant, so that a row of some steppings goes before one of all.

use core::ops::RangeInclusive;

use crate::table::{Signature, Vendor};

/// Family, models, steppings, microarchitecture and code name; the latter is empty where a range has several.
struct Row(u32, RangeInclusive<u32>, RangeInclusive<u32>, &'static str, &'static str);

const ANY: RangeInclusive<u32> = 0..=15;

const fn row(family: u32, model: u32, architecture: &'static str, name: &'static str) -> Row {
    Row(family, model..=model, ANY, architecture, name)
}

const fn steppings(
    (family, model, steppings): (u32, u32, RangeInclusive<u32>),
    architecture: &'static str,
    name: &'static str,
) -> Row {
    Row(family, model..=model, steppings, architecture, name)
}

const fn models(family: u32, models: RangeInclusive<u32>, architecture: &'static str) -> Row {
    Row(family, models, ANY, architecture, "")
}

static INTEL: &[Row] = &[
    models(0x4, 0x0..=0xf, "i486"),
    models(0x5, 0x0..=0x8, "P5"),
    row(0x5, 0x9, "P5", "Quark"),
    models(0x6, 0x0..=0x8, "P6"),
    models(0x6, 0xa..=0xb, "P6"),
    row(0x6, 0x9, "Pentium M", "Banias"),
    row(0x6, 0xd, "Pentium M", "Dothan"),
    row(0x6, 0xe, "Pentium M", "Yonah"),
    row(0x6, 0x15, "Pentium M", "Tolapai"),
    row(0x6, 0xf, "Core", "Merom"),
    row(0x6, 0x16, "Core", "Merom-L"),
    row(0x6, 0x17, "Core", "Penryn"),
    row(0x6, 0x1d, "Core", "Dunnington"),
    row(0x6, 0x1a, "Nehalem", "Nehalem-EP"),
    row(0x6, 0x1e, "Nehalem", "Lynnfield"),
    row(0x6, 0x1f, "Nehalem", ""),
    row(0x6, 0x2e, "Nehalem", "Nehalem-EX"),
    row(0x6, 0x25, "Westmere", "Clarkdale, Arrandale"),
    row(0x6, 0x2c, "Westmere", "Westmere-EP"),
    row(0x6, 0x2f, "Westmere", "Westmere-EX"),
    row(0x6, 0x2a, "Sandy Bridge", "Sandy Bridge"),
    row(0x6, 0x2d, "Sandy Bridge", "Sandy Bridge-EP"),
    row(0x6, 0x3a, "Ivy Bridge", "Ivy Bridge"),
    row(0x6, 0x3e, "Ivy Bridge", "Ivy Bridge-EP"),
    row(0x6, 0x3c, "Haswell", "Haswell"),
    row(0x6, 0x3f, "Haswell", "Haswell-EP"),
    row(0x6, 0x45, "Haswell", "Haswell-ULT"),
    row(0x6, 0x46, "Haswell", "Crystal Well"),
    row(0x6, 0x3d, "Broadwell", "Broadwell"),
    row(0x6, 0x47, "Broadwell", "Broadwell-H"),
    row(0x6, 0x4f, "Broadwell", "Broadwell-EP"),
    row(0x6, 0x56, "Broadwell", "Broadwell-DE"),
    row(0x6, 0x4e, "Skylake", "Skylake-U"),
    row(0x6, 0x5e, "Skylake", "Skylake-S"),
    steppings((0x6, 0x55, 0..=4), "Skylake", "Skylake-SP"),
    steppings((0x6, 0x55, 5..=7), "Cascade Lake", "Cascade Lake-SP"),
    steppings((0x6, 0x55, 10..=11), "Cooper Lake", "Cooper Lake-SP"),
    steppings((0x6, 0x8e, 0..=9), "Kaby Lake", "Kaby Lake-U"),
    steppings((0x6, 0x8e, 10..=10), "Coffee Lake", "Coffee Lake-U"),
    steppings((0x6, 0x8e, 11..=12), "Whiskey Lake", "Whiskey Lake, Comet Lake, Amber Lake"),
    steppings((0x6, 0x9e, 0..=9), "Kaby Lake", "Kaby Lake-S"),
    steppings((0x6, 0x9e, 10..=13), "Coffee Lake", "Coffee Lake-S"),
    row(0x6, 0xa5, "Comet Lake", "Comet Lake-S"),
    row(0x6, 0xa6, "Comet Lake", "Comet Lake-U"),
    row(0x6, 0x66, "Palm Cove", "Cannon Lake"),
    row(0x6, 0x7d, "Sunny Cove", "Ice Lake"),
    row(0x6, 0x7e, "Sunny Cove", "Ice Lake-U"),
    row(0x6, 0x6a, "Sunny Cove", "Ice Lake-SP"),
    row(0x6, 0x6c, "Sunny Cove", "Ice Lake-D"),
    row(0x6, 0x8a, "Sunny Cove and Tremont", "Lakefield"),
    row(0x6, 0x8c, "Willow Cove", "Tiger Lake-U"),
    row(0x6, 0x8d, "Willow Cove", "Tiger Lake-H"),
    row(0x6, 0xa7, "Cypress Cove", "Rocket Lake-S"),
    row(0x6, 0x97, "Golden Cove and Gracemont", "Alder Lake-S"),
    row(0x6, 0x9a, "Golden Cove and Gracemont", "Alder Lake-P"),
    row(0x6, 0xbe, "Gracemont", "Alder Lake-N"),
    row(0x6, 0x8f, "Golden Cove", "Sapphire Rapids"),
    row(0x6, 0xb7, "Raptor Cove and Gracemont", "Raptor Lake-S"),
    row(0x6, 0xba, "Raptor Cove and Gracemont", "Raptor Lake-P"),
    row(0x6, 0xbf, "Raptor Cove and Gracemont", "Raptor Lake"),
    row(0x6, 0xcf, "Raptor Cove", "Emerald Rapids"),
    row(0x6, 0xaa, "Redwood Cove and Crestmont", "Meteor Lake-H"),
    row(0x6, 0xac, "Redwood Cove and Crestmont", "Meteor Lake"),
    row(0x6, 0xad, "Redwood Cove", "Granite Rapids"),
    row(0x6, 0xae, "Redwood Cove", "Granite Rapids-D"),
    row(0x6, 0xaf, "Crestmont", "Sierra Forest"),
    row(0x6, 0xb6, "Crestmont", "Grand Ridge"),
    row(0x6, 0xbd, "Lion Cove and Skymont", "Lunar Lake"),
    row(0x6, 0xc5, "Lion Cove and Skymont", "Arrow Lake-H"),
    row(0x6, 0xc6, "Lion Cove and Skymont", "Arrow Lake-S"),
    row(0x6, 0xb5, "Redwood Cove and Crestmont", "Arrow Lake-U"),
    row(0x6, 0xd7, "Raptor Cove", "Bartlett Lake-S"),
    row(0x6, 0xd5, "Cougar Cove and Darkmont", "Wildcat Lake"),
    row(0x6, 0xcc, "Cougar Cove and Darkmont", "Panther Lake"),
    row(0x6, 0xdd, "Darkmont", "Clearwater Forest"),
    row(0x6, 0x1c, "Bonnell", "Diamondville, Pineview"),
    row(0x6, 0x26, "Bonnell", "Lincroft"),
    row(0x6, 0x27, "Saltwell", "Penwell"),
    row(0x6, 0x35, "Saltwell", "Cloverview"),
    row(0x6, 0x36, "Saltwell", "Cedarview"),
    row(0x6, 0x37, "Silvermont", "Bay Trail"),
    row(0x6, 0x4a, "Silvermont", "Merrifield"),
    row(0x6, 0x5a, "Silvermont", "Moorefield"),
    row(0x6, 0x5d, "Silvermont", "SoFIA"),
    row(0x6, 0x4d, "Silvermont", "Avoton, Rangeley"),
    row(0x6, 0x4c, "Airmont", "Cherry Trail, Braswell"),
    row(0x6, 0x5c, "Goldmont", "Apollo Lake"),
    row(0x6, 0x5f, "Goldmont", "Denverton"),
    row(0x6, 0x7a, "Goldmont Plus", "Gemini Lake"),
    row(0x6, 0x86, "Tremont", "Snow Ridge"),
    row(0x6, 0x96, "Tremont", "Elkhart Lake"),
    row(0x6, 0x9c, "Tremont", "Jasper Lake"),
    row(0x6, 0x57, "Knights Landing", "Knights Landing"),
    row(0x6, 0x85, "Knights Mill", "Knights Mill"),
    models(0xf, 0x0..=0x1, "NetBurst"),
    row(0xf, 0x2, "NetBurst", "Northwood"),
    models(0xf, 0x3..=0x4, "NetBurst"),
    row(0xf, 0x6, "NetBurst", "Cedar Mill, Presler, Tulsa"),
];

static AMD: &[Row] = &[
    models(0x5, 0x0..=0x3, "K5"),
    models(0x5, 0x6..=0xd, "K6"),
    models(0x6, 0x0..=0xf, "K7"),
    models(0xf, 0x0..=0xff, "K8"),
    models(0x10, 0x0..=0xff, "K10"),
    row(0x11, 0x3, "K8", "Griffin"),
    models(0x12, 0x0..=0xff, "K10"),
    models(0x14, 0x0..=0xff, "Bobcat"),
    row(0x15, 0x2, "Piledriver", "Abu Dhabi, Vishera"),
    models(0x15, 0x0..=0xf, "Bulldozer"),
    models(0x15, 0x10..=0x2f, "Piledriver"),
    models(0x15, 0x30..=0x4f, "Steamroller"),
    models(0x15, 0x60..=0x7f, "Excavator"),
    models(0x16, 0x0..=0x2f, "Jaguar"),
    models(0x16, 0x30..=0x3f, "Puma"),
    row(0x17, 0x1, "Zen", "Naples, Summit Ridge"),
    row(0x17, 0x8, "Zen+", "Pinnacle Ridge, Colfax"),
    row(0x17, 0x11, "Zen", "Raven Ridge"),
    row(0x17, 0x18, "Zen+", "Picasso"),
    row(0x17, 0x20, "Zen", "Dali"),
    row(0x17, 0x31, "Zen 2", "Rome, Castle Peak"),
    row(0x17, 0x60, "Zen 2", "Renoir"),
    row(0x17, 0x68, "Zen 2", "Lucienne"),
    row(0x17, 0x71, "Zen 2", "Matisse"),
    row(0x17, 0x90, "Zen 2", "Van Gogh"),
    row(0x17, 0xa0, "Zen 2", "Mendocino"),
    row(0x17, 0x91, "Zen 2", "Van Gogh"),
    // Models without a name here: the generation by Linux's ranges.
    models(0x17, 0x0..=0x2f, "Zen"),
    models(0x17, 0x50..=0x5f, "Zen"),
    models(0x17, 0x30..=0xaf, "Zen 2"),
    row(0x19, 0x1, "Zen 3", "Milan"),
    row(0x19, 0x8, "Zen 3", "Chagall"),
    row(0x19, 0x11, "Zen 4", "Genoa"),
    row(0x19, 0x18, "Zen 4", "Storm Peak"),
    row(0x19, 0x21, "Zen 3", "Vermeer"),
    row(0x19, 0x44, "Zen 3+", "Rembrandt"),
    row(0x19, 0x50, "Zen 3", "Cezanne"),
    row(0x19, 0x61, "Zen 4", "Raphael"),
    models(0x19, 0x70..=0x7f, "Zen 4"),
    models(0x19, 0xa0..=0xaf, "Zen 4c"),
    models(0x19, 0x0..=0xf, "Zen 3"),
    models(0x19, 0x20..=0x5f, "Zen 3"),
    models(0x19, 0x10..=0xaf, "Zen 4"),
    row(0x1a, 0x2, "Zen 5", "Turin"),
    row(0x1a, 0x11, "Zen 5c", "Turin Dense"),
    row(0x1a, 0x24, "Zen 5", "Strix Point"),
    row(0x1a, 0x44, "Zen 5", "Granite Ridge"),
    row(0x1a, 0x60, "Zen 5", "Krackan Point"),
    row(0x1a, 0x70, "Zen 5", "Strix Halo"),
    row(0x1a, 0x8, "Zen 5", "Shimada Peak"),
    row(0x1a, 0x68, "Zen 5", "Gorgon Point"),
    models(0x1a, 0x0..=0x2f, "Zen 5"),
    models(0x1a, 0x40..=0x4f, "Zen 5"),
    models(0x1a, 0x60..=0x7f, "Zen 5"),
];

static HYGON: &[Row] = &[models(0x18, 0x0..=0x3, "Dhyana")];

static CENTAUR: &[Row] = &[
    row(0x5, 0x4, "WinChip", "C6"),
    row(0x5, 0x8, "WinChip", "2"),
    row(0x6, 0x6, "C3", "Samuel"),
    steppings((0x6, 0x7, 0..=7), "C3", "Samuel 2"),
    steppings((0x6, 0x7, 8..=15), "C3", "Ezra"),
    row(0x6, 0x8, "C3", "Ezra-T"),
    row(0x6, 0x9, "C3", "Nehemiah"),
    row(0x6, 0xa, "C7", "Esther"),
    row(0x6, 0xd, "C7", "Esther"),
    row(0x6, 0xf, "Nano", "Isaiah"),
];

/// `microarchitecture Zen 3, code name Milan`; none for a processor that has no row.
pub(super) fn name(vendor: Vendor, signature: Signature) -> Option<alloc::string::String> {
    let rows = match vendor {
        Vendor::INTEL => INTEL,
        Vendor::AMD => AMD,
        Vendor::HYGON => HYGON,
        Vendor::CENTAUR => CENTAUR,
        _ => return None,
    };
    let (family, model, stepping) = (signature.family(), signature.model(), signature.stepping());
    let fits = |row: &&Row| row.0 == family && row.1.contains(&model) && row.2.contains(&stepping);
    let &Row(_, _, _, architecture, name) = rows.iter().find(fits)?;
    let name =
        if name.is_empty() { alloc::string::String::new() } else { alloc::format!(", code name {name}") };
    Some(alloc::format!("microarchitecture {architecture}{name}"))
}
