//! Reads Linux's, KVM's and QEMU's CPUID tables from their C sources, checks them against each other and emits Rust.
//!
//! # Features
//!
//! Without any features, [`input`] reads facts files. `merge` adds [`model::Model`], which merges them, and `emit` [`generate`],
//! which emits Rust: everything a build script needs, without dependencies. `trees` adds the readers of source trees; `verify` and
//! `diff` add the modules of these names, as do `atlas` and `languages`; `format` adds formatting of generated files for
//! human readers; `program` asks a QEMU program; `cli` (default) adds the command and all of the above.
//!
//! # Example
//!
//! A build script merges the pinned releases and writes the tables:
//!
//! ```
//! use cpuid_gen::{diagnostic::Diagnostics, generate, input, model::Model, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
//! let published = input::published(&mut sources, &mut diagnostics);
//! let (model, found) = Model::merge_published(&linux, &qemu, &published);
//! diagnostics.extend(found);
//! assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&sources));
//! let files = generate(&model)?;
//! assert!(files.iter().any(|file| file.name == "feature.rs" && file.text.contains("pub const AVX2")));
//! # Ok::<(), cpuid_gen::GenerateError>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "atlas")]
pub mod atlas;
#[cfg(any(feature = "emit", feature = "verify"))]
mod both;
#[cfg(feature = "trees")]
#[doc(hidden)]
pub mod c;
pub mod diagnostic;
#[cfg(feature = "diff")]
pub mod diff;
#[cfg(feature = "emit")]
mod emit;
pub mod facts;
#[cfg(any(feature = "merge", feature = "verify"))]
mod graph;
#[cfg(any(feature = "diff", feature = "trees", feature = "verify"))]
mod hash;
mod index;
pub mod input;
#[cfg(feature = "languages")]
pub mod languages;
#[cfg(any(feature = "merge", feature = "trees", feature = "verify"))]
mod leaf_name;
#[cfg(feature = "trees")]
pub mod linux;
pub mod model;
pub mod ordered;
#[cfg(feature = "trees")]
mod pattern;
#[cfg(feature = "program")]
pub mod program;
#[cfg(feature = "merge")]
pub mod published;
#[cfg(feature = "trees")]
pub mod qemu;
mod release;
pub mod source;
#[cfg(feature = "verify")]
pub mod verify;
pub mod vocabulary;
#[cfg(feature = "trees")]
pub mod witness;

#[cfg(feature = "verify")]
pub use cpuid_facts::witnesses;
pub use cpuid_facts::{CONSTANTS, DIFFERENCES, PROCESSORS, pinned};
#[cfg(feature = "emit")]
pub use emit::{GenerateError, GeneratedFile, generate};
#[cfg(feature = "format")]
pub use emit::{format, generate_standalone};
pub use vocabulary::location;

/// Tests the README's example.
#[cfg(all(doctest, feature = "format"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
