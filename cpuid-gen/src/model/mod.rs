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
//! Without the feature `merge`, this module has only the CPU models of one release and KVM's treatment of a bit.
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

#[cfg(feature = "merge")]
pub mod board;
mod caches;
#[cfg(feature = "merge")]
mod constants;
pub mod cpu_models;
#[cfg(feature = "merge")]
mod deps;
#[cfg(feature = "merge")]
mod field_constants;
#[cfg(feature = "merge")]
mod fields;
#[cfg(feature = "merge")]
pub mod guest;
#[cfg(feature = "merge")]
mod joined;
mod kvm;
#[cfg(feature = "merge")]
mod linux;
mod linux_view;
#[cfg(feature = "merge")]
mod merge;
#[cfg(any(feature = "cli", feature = "diff"))]
mod publish;
#[cfg(feature = "merge")]
mod qemu;
#[cfg(feature = "merge")]
mod release;
#[cfg(feature = "merge")]
mod types;
#[cfg(feature = "merge")]
mod xsave;

pub use crate::facts::records::CapKind;
pub use crate::vocabulary::kvm_treatment::KvmTreatment;
pub use linux_view::{LinuxView, ModuleRule};
#[cfg(feature = "merge")]
pub use types::{
    Dependencies, Dependency, Feature, Field, KernelBit, KernelView, LinuxRelease, Model, ModuleParameter,
    MsrFeature, Node, QemuRelease, QemuView, XsaveComponent,
};
