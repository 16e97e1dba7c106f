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

const fn of(family: u32, model: u32, architecture: &'static str, name: &'static str) -> Row {
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
    of(0x5, 0x9, "P5", "Quark"),
    models(0x6, 0x0..=0x8, "P6"),
    models(0x6, 0xa..=0xb, "P6"),
    of(0x6, 0x9, "Pentium M", "Banias"),
    of(0x6, 0xd, "Pentium M", "Dothan"),
    of(0x6, 0xe, "Pentium M", "Yonah"),
    of(0x6, 0x15, "Pentium M", "Tolapai"),
    of(0x6, 0xf, "Core", "Merom"),
    of(0x6, 0x16, "Core", "Merom-L"),
    of(0x6, 0x17, "Core", "Penryn"),
    of(0x6, 0x1d, "Core", "Dunnington"),
    of(0x6, 0x1a, "Nehalem", "Nehalem-EP"),
    of(0x6, 0x1e, "Nehalem", "Lynnfield"),
    of(0x6, 0x1f, "Nehalem", ""),
    of(0x6, 0x2e, "Nehalem", "Nehalem-EX"),
    of(0x6, 0x25, "Westmere", "Clarkdale, Arrandale"),
    of(0x6, 0x2c, "Westmere", "Westmere-EP"),
    of(0x6, 0x2f, "Westmere", "Westmere-EX"),
    of(0x6, 0x2a, "Sandy Bridge", "Sandy Bridge"),
    of(0x6, 0x2d, "Sandy Bridge", "Sandy Bridge-EP"),
    of(0x6, 0x3a, "Ivy Bridge", "Ivy Bridge"),
    of(0x6, 0x3e, "Ivy Bridge", "Ivy Bridge-EP"),
    of(0x6, 0x3c, "Haswell", "Haswell"),
    of(0x6, 0x3f, "Haswell", "Haswell-EP"),
    of(0x6, 0x45, "Haswell", "Haswell-ULT"),
    of(0x6, 0x46, "Haswell", "Crystal Well"),
    of(0x6, 0x3d, "Broadwell", "Broadwell"),
    of(0x6, 0x47, "Broadwell", "Broadwell-H"),
    of(0x6, 0x4f, "Broadwell", "Broadwell-EP"),
    of(0x6, 0x56, "Broadwell", "Broadwell-DE"),
    of(0x6, 0x4e, "Skylake", "Skylake-U"),
    of(0x6, 0x5e, "Skylake", "Skylake-S"),
    steppings((0x6, 0x55, 0..=4), "Skylake", "Skylake-SP"),
    steppings((0x6, 0x55, 5..=7), "Cascade Lake", "Cascade Lake-SP"),
    steppings((0x6, 0x55, 10..=11), "Cooper Lake", "Cooper Lake-SP"),
    steppings((0x6, 0x8e, 0..=9), "Kaby Lake", "Kaby Lake-U"),
    steppings((0x6, 0x8e, 10..=10), "Coffee Lake", "Coffee Lake-U"),
    steppings((0x6, 0x8e, 11..=12), "Whiskey Lake", "Whiskey Lake, Comet Lake, Amber Lake"),
    steppings((0x6, 0x9e, 0..=9), "Kaby Lake", "Kaby Lake-S"),
    steppings((0x6, 0x9e, 10..=13), "Coffee Lake", "Coffee Lake-S"),
    of(0x6, 0xa5, "Comet Lake", "Comet Lake-S"),
    of(0x6, 0xa6, "Comet Lake", "Comet Lake-U"),
    of(0x6, 0x66, "Palm Cove", "Cannon Lake"),
    of(0x6, 0x7d, "Sunny Cove", "Ice Lake"),
    of(0x6, 0x7e, "Sunny Cove", "Ice Lake-U"),
    of(0x6, 0x6a, "Sunny Cove", "Ice Lake-SP"),
    of(0x6, 0x6c, "Sunny Cove", "Ice Lake-D"),
    of(0x6, 0x8a, "Sunny Cove and Tremont", "Lakefield"),
    of(0x6, 0x8c, "Willow Cove", "Tiger Lake-U"),
    of(0x6, 0x8d, "Willow Cove", "Tiger Lake-H"),
    of(0x6, 0xa7, "Cypress Cove", "Rocket Lake-S"),
    of(0x6, 0x97, "Golden Cove and Gracemont", "Alder Lake-S"),
    of(0x6, 0x9a, "Golden Cove and Gracemont", "Alder Lake-P"),
    of(0x6, 0xbe, "Gracemont", "Alder Lake-N"),
    of(0x6, 0x8f, "Golden Cove", "Sapphire Rapids"),
    of(0x6, 0xb7, "Raptor Cove and Gracemont", "Raptor Lake-S"),
    of(0x6, 0xba, "Raptor Cove and Gracemont", "Raptor Lake-P"),
    of(0x6, 0xbf, "Raptor Cove and Gracemont", "Raptor Lake"),
    of(0x6, 0xcf, "Raptor Cove", "Emerald Rapids"),
    of(0x6, 0xaa, "Redwood Cove and Crestmont", "Meteor Lake-H"),
    of(0x6, 0xac, "Redwood Cove and Crestmont", "Meteor Lake"),
    of(0x6, 0xad, "Redwood Cove", "Granite Rapids"),
    of(0x6, 0xae, "Redwood Cove", "Granite Rapids-D"),
    of(0x6, 0xaf, "Crestmont", "Sierra Forest"),
    of(0x6, 0xb6, "Crestmont", "Grand Ridge"),
    of(0x6, 0xbd, "Lion Cove and Skymont", "Lunar Lake"),
    of(0x6, 0xc5, "Lion Cove and Skymont", "Arrow Lake-H"),
    of(0x6, 0xc6, "Lion Cove and Skymont", "Arrow Lake-S"),
    of(0x6, 0xb5, "Redwood Cove and Crestmont", "Arrow Lake-U"),
    of(0x6, 0xd7, "Raptor Cove", "Bartlett Lake-S"),
    of(0x6, 0xd5, "Cougar Cove and Darkmont", "Wildcat Lake"),
    of(0x6, 0xcc, "Cougar Cove and Darkmont", "Panther Lake"),
    of(0x6, 0xdd, "Darkmont", "Clearwater Forest"),
    of(0x6, 0x1c, "Bonnell", "Diamondville, Pineview"),
    of(0x6, 0x26, "Bonnell", "Lincroft"),
    of(0x6, 0x27, "Saltwell", "Penwell"),
    of(0x6, 0x35, "Saltwell", "Cloverview"),
    of(0x6, 0x36, "Saltwell", "Cedarview"),
    of(0x6, 0x37, "Silvermont", "Bay Trail"),
    of(0x6, 0x4a, "Silvermont", "Merrifield"),
    of(0x6, 0x5a, "Silvermont", "Moorefield"),
    of(0x6, 0x5d, "Silvermont", "SoFIA"),
    of(0x6, 0x4d, "Silvermont", "Avoton, Rangeley"),
    of(0x6, 0x4c, "Airmont", "Cherry Trail, Braswell"),
    of(0x6, 0x5c, "Goldmont", "Apollo Lake"),
    of(0x6, 0x5f, "Goldmont", "Denverton"),
    of(0x6, 0x7a, "Goldmont Plus", "Gemini Lake"),
    of(0x6, 0x86, "Tremont", "Snow Ridge"),
    of(0x6, 0x96, "Tremont", "Elkhart Lake"),
    of(0x6, 0x9c, "Tremont", "Jasper Lake"),
    of(0x6, 0x57, "Knights Landing", "Knights Landing"),
    of(0x6, 0x85, "Knights Mill", "Knights Mill"),
    models(0xf, 0x0..=0x1, "NetBurst"),
    of(0xf, 0x2, "NetBurst", "Northwood"),
    models(0xf, 0x3..=0x4, "NetBurst"),
    of(0xf, 0x6, "NetBurst", "Cedar Mill, Presler, Tulsa"),
];

static AMD: &[Row] = &[
    models(0x5, 0x0..=0x3, "K5"),
    models(0x5, 0x6..=0xd, "K6"),
    models(0x6, 0x0..=0xf, "K7"),
    models(0xf, 0x0..=0xff, "K8"),
    models(0x10, 0x0..=0xff, "K10"),
    of(0x11, 0x3, "K8", "Griffin"),
    models(0x12, 0x0..=0xff, "K10"),
    models(0x14, 0x0..=0xff, "Bobcat"),
    of(0x15, 0x2, "Piledriver", "Abu Dhabi, Vishera"),
    models(0x15, 0x0..=0xf, "Bulldozer"),
    models(0x15, 0x10..=0x2f, "Piledriver"),
    models(0x15, 0x30..=0x4f, "Steamroller"),
    models(0x15, 0x60..=0x7f, "Excavator"),
    models(0x16, 0x0..=0x2f, "Jaguar"),
    models(0x16, 0x30..=0x3f, "Puma"),
    of(0x17, 0x1, "Zen", "Naples, Summit Ridge"),
    of(0x17, 0x8, "Zen+", "Pinnacle Ridge, Colfax"),
    of(0x17, 0x11, "Zen", "Raven Ridge"),
    of(0x17, 0x18, "Zen+", "Picasso"),
    of(0x17, 0x20, "Zen", "Dali"),
    of(0x17, 0x31, "Zen 2", "Rome, Castle Peak"),
    of(0x17, 0x60, "Zen 2", "Renoir"),
    of(0x17, 0x68, "Zen 2", "Lucienne"),
    of(0x17, 0x71, "Zen 2", "Matisse"),
    of(0x17, 0x90, "Zen 2", "Van Gogh"),
    of(0x17, 0xa0, "Zen 2", "Mendocino"),
    of(0x17, 0x91, "Zen 2", "Van Gogh"),
    // Models without a name here: the generation by Linux's ranges.
    models(0x17, 0x0..=0x2f, "Zen"),
    models(0x17, 0x50..=0x5f, "Zen"),
    models(0x17, 0x30..=0xaf, "Zen 2"),
    of(0x19, 0x1, "Zen 3", "Milan"),
    of(0x19, 0x8, "Zen 3", "Chagall"),
    of(0x19, 0x11, "Zen 4", "Genoa"),
    of(0x19, 0x18, "Zen 4", "Storm Peak"),
    of(0x19, 0x21, "Zen 3", "Vermeer"),
    of(0x19, 0x44, "Zen 3+", "Rembrandt"),
    of(0x19, 0x50, "Zen 3", "Cezanne"),
    of(0x19, 0x61, "Zen 4", "Raphael"),
    models(0x19, 0x70..=0x7f, "Zen 4"),
    models(0x19, 0xa0..=0xaf, "Zen 4c"),
    models(0x19, 0x0..=0xf, "Zen 3"),
    models(0x19, 0x20..=0x5f, "Zen 3"),
    models(0x19, 0x10..=0xaf, "Zen 4"),
    of(0x1a, 0x2, "Zen 5", "Turin"),
    of(0x1a, 0x11, "Zen 5c", "Turin Dense"),
    of(0x1a, 0x24, "Zen 5", "Strix Point"),
    of(0x1a, 0x44, "Zen 5", "Granite Ridge"),
    of(0x1a, 0x60, "Zen 5", "Krackan Point"),
    of(0x1a, 0x70, "Zen 5", "Strix Halo"),
    of(0x1a, 0x8, "Zen 5", "Shimada Peak"),
    of(0x1a, 0x68, "Zen 5", "Gorgon Point"),
    models(0x1a, 0x0..=0x2f, "Zen 5"),
    models(0x1a, 0x40..=0x4f, "Zen 5"),
    models(0x1a, 0x60..=0x7f, "Zen 5"),
];

static HYGON: &[Row] = &[models(0x18, 0x0..=0x3, "Dhyana")];

static CENTAUR: &[Row] = &[
    of(0x5, 0x4, "WinChip", "C6"),
    of(0x5, 0x8, "WinChip", "2"),
    of(0x6, 0x6, "C3", "Samuel"),
    steppings((0x6, 0x7, 0..=7), "C3", "Samuel 2"),
    steppings((0x6, 0x7, 8..=15), "C3", "Ezra"),
    of(0x6, 0x8, "C3", "Ezra-T"),
    of(0x6, 0x9, "C3", "Nehemiah"),
    of(0x6, 0xa, "C7", "Esther"),
    of(0x6, 0xd, "C7", "Esther"),
    of(0x6, 0xf, "Nano", "Isaiah"),
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
