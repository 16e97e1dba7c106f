//! A reader of the C in kernel and QEMU sources, to the extent that their tables need it.
//!
//! [`lexer`] splits a file into tokens with places. [`preprocess`] follows its directives: it records every
//! `#define`, decides conditionals by [`config`] and leaves the active tokens. [`expand`] expands macros, [`expr`]
//! evaluates constant expressions in 64 bits, [`declare`] finds enums, structs, arrays and functions, [`init`] reads
//! initializers, and [`layout`] computes the sizes of structs. Anything unknown is a diagnostic at its place, never a
//! guess.
//!
//! This module is public only for this repository's tests and fuzz targets, and not covered by the semver promise.

pub mod config;
pub mod declare;
pub mod expand;
pub mod expr;
mod hidden;
pub mod init;
pub mod layout;
pub mod lexer;
pub mod macros;
pub mod preprocess;
mod replace;
mod value;

pub use value::{Type, Value};

/// Maximum nesting of brackets, macros and conditionals. Real sources stay below 20.
pub const MAX_DEPTH: usize = 200;
