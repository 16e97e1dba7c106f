//! Queries a QEMU program for its CPU models and machine types: [`cpuid_gen::program`], for use at run time.
//!
//! This is a separate package because a Cargo feature applies to all dependencies of one name: the runtime crate's build script
//! uses `cpuid-gen` without this feature, and most programs that use the crate do not need it.

pub use cpuid_gen::{diagnostic, facts, input, location, model, program, source, vocabulary};
