//! Asks a QEMU program for its CPU models and machine types: [`cpuid_gen::program`], for use at run time.
//!
//! A package of its own, because cargo has one switch for all dependencies of one name: the runtime crate's build script
//! uses `cpuid-gen` without this feature, and most programs that use the crate have no need of it.

pub use cpuid_gen::{diagnostic, facts, input, location, model, program, source};
