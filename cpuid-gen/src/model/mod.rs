//! The model: the facts of several releases of Linux, KVM and QEMU, merged by hardware location.
//!
//! A word's number does not identify it: word 17 of Linux was 0x80000007.EBX and is now software-defined, and
//! synthetic bits move between releases. A hardware feature is therefore identified by its leaf, subleaf, register
//! and bit, and has one view per release. Bits without a location are kept by kind: bits that Linux defines in
//! software, its bugs, its VMX flags, and QEMU's bits of MSRs.
//!
//! Invariants: releases ascend by number, features by location, the other kinds by constant name; each list of views
//! is as long as its list of releases; constants' names are Rust identifiers and unique within a kind. Published
//! constants are included even if no release has their bit.
//!
//! ```
//! use cpuid_gen::{location::Location, model::Model};
//! use cpuid_gen::{diagnostic::Diagnostics, input, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
//! let (model, conflicts) = Model::merge(&linux, &qemu);
//! assert!(!conflicts.has_errors());
//! let avx2: Location = "7.0.ebx[5]".parse()?;
//! assert!(model.features.iter().any(|feature| feature.location == avx2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod board;
mod caches;
mod constants;
pub mod cpu_models;
mod deps;
mod field_constants;
mod fields;
pub mod guest;
mod joined;
mod kvm;
mod linux;
#[cfg(any(feature = "cli", feature = "diff"))]
mod publish;
mod qemu;
mod release;
mod types;
mod xsave;

use crate::diagnostic::Diagnostics;
use crate::facts::{LinuxFacts, QemuFacts};
use crate::index::{LinuxRows, QemuRows};
use crate::published::Published;

pub use crate::facts::records::CapKind;
pub use crate::vocabulary::kvm_treatment::KvmTreatment;
use joined::Joined;
pub use types::{
    Dependencies, Dependency, Feature, Field, KernelBit, KernelView, LinuxRelease, LinuxView, Model,
    ModuleParameter, ModuleRule, MsrFeature, Node, QemuRelease, QemuView, XsaveComponent,
};

impl Model {
    /// Merges facts. Inconsistent rows, such as a bit in a word that its release does not have, are reported and
    /// omitted.
    #[must_use]
    pub fn merge(linux: &[LinuxFacts], qemu: &[QemuFacts]) -> (Model, Diagnostics) {
        Model::merge_published(linux, qemu, &Published::default())
    }

    /// Merges facts, and includes every published constant.
    #[must_use]
    pub fn merge_published(
        linux: &[LinuxFacts],
        qemu: &[QemuFacts],
        published: &Published,
    ) -> (Model, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let linux = release::sorted(linux, |facts| (&facts.release, facts.at), &mut diagnostics);
        let qemu = release::sorted(qemu, |facts| (&facts.release, facts.at), &mut diagnostics);
        let linux_rows: Vec<LinuxRows<'_>> = linux.iter().map(|facts| LinuxRows::new(facts)).collect();
        let qemu_rows: Vec<QemuRows<'_>> = qemu.iter().map(|facts| QemuRows::new(facts)).collect();
        let mut joined = Joined::new(linux.len(), qemu.len());
        for (release, rows) in linux_rows.iter().enumerate() {
            linux::add(&mut joined, release, rows, &mut diagnostics);
        }
        for (release, rows) in qemu_rows.iter().enumerate() {
            qemu::add(&mut joined, release, rows, &mut diagnostics);
        }
        for (release, rows) in linux_rows.iter().enumerate() {
            linux::kvm_caps(&mut joined, release, rows, &mut diagnostics);
            linux::kvm_modules(&mut joined, release, rows, &mut diagnostics);
        }
        joined.keep(published);
        joined.fill_qemu_words(&qemu_rows);
        let releases = qemu_rows.iter().map(|rows| qemu::release(rows, &mut diagnostics)).collect();
        let mut model = joined.into_model();
        model.xsave = xsave::merge(&qemu_rows, &model.features, &mut diagnostics);
        (model.fields, model.former_fields) =
            fields::merge(&linux, &model.features, published, &mut diagnostics);
        model.linux = linux.iter().map(|facts| linux::release(facts)).collect();
        model.qemu = releases;
        constants::name_all(&mut model, published);
        model.dependencies = deps::find(&model, &linux_rows, &qemu_rows, &mut diagnostics);
        diagnostics.sort();
        (model, diagnostics)
    }
}
