//! The tables for other languages: one C header, or JSON with its schema. Names are those of the newest release that has
//! one; CPU models are those of the newest QEMU.
//!
//! ```
//! use cpuid_gen::{languages::generate_c, model::Model};
//! use cpuid_gen::{diagnostic::Diagnostics, input, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
//! let (model, _) = Model::merge(&linux, &qemu);
//! assert!(generate_c(&model)?.text.contains("#define CPUID_AVX2_BIT 5"));
//! # Ok::<(), cpuid_gen::GenerateError>(())
//! ```

mod c;
mod json;

use crate::emit::{GenerateError, GeneratedFile};
use crate::model::cpu_models::{CpuModel, CpuModelVersion};
use crate::model::{Feature, Model, QemuRelease, QemuView};

/// The JSON's schema.
pub const SCHEMA: &str = include_str!("schema.json");

/// `cpuid_tables.h`: a constant for each part of a bit's place, tables of bits, and of CPU models with their words.
///
/// # Errors
///
/// [`GenerateError`] if the model has no release of QEMU, or a name that a C string cannot hold.
pub fn generate_c(model: &Model) -> Result<GeneratedFile, GenerateError> {
    Ok(GeneratedFile { name: "cpuid_tables.h", text: c::header(model, newest(model)?)? })
}

/// `cpuid-tables.json`, and `cpuid-tables.schema.json`, which describes it.
///
/// # Errors
///
/// [`GenerateError`] if the model has no release of QEMU.
pub fn generate_json(model: &Model) -> Result<[GeneratedFile; 2], GenerateError> {
    let text = format!("{:#}\n", json::tables(model, newest(model)?));
    let schema = GeneratedFile { name: "cpuid-tables.schema.json", text: SCHEMA.to_owned() };
    Ok([GeneratedFile { name: "cpuid-tables.json", text }, schema])
}

fn newest(model: &Model) -> Result<&QemuRelease, GenerateError> {
    model.qemu.last().ok_or(GenerateError::NoRelease("QEMU"))
}

/// The newest name in `/proc/cpuinfo`.
fn flag(feature: &Feature) -> Option<&str> {
    feature.linux.iter().rev().find(|view| view.name.is_some())?.flag.as_deref()
}

/// The newest macro without its prefix.
fn linux_name(feature: &Feature) -> Option<&str> {
    feature.linux.iter().rev().find_map(|view| view.name.as_deref())
}

/// QEMU's newest name.
fn qemu_name(views: &[QemuView]) -> Option<&str> {
    views.iter().rev().find_map(|view| view.name.as_deref())
}

/// Every version of every model, in QEMU's order.
fn versions(release: &QemuRelease) -> impl Iterator<Item = (String, &CpuModel, &CpuModelVersion)> {
    release.models.iter().flat_map(|model| {
        let name = move |version: &CpuModelVersion| format!("{}-v{}", model.name, version.version);
        model.versions.iter().map(move |version| (name(version), model, version))
    })
}
