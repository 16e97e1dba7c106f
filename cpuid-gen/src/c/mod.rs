//! The C that kernel and QEMU sources are written in, as far as their tables need it.
//!
//! [`lexer`] splits a file into tokens with places. [`preprocess`] follows its directives: it keeps every `#define`
//! on record, decides conditionals by [`config`] and leaves the active tokens. [`expand`] expands macros, [`expr`]
//! evaluates constant expressions in 64 bits, [`declare`] finds enums, structs, arrays and functions, [`init`]
//! reads initializers, and [`layout`] knows sizes of structs. Nothing is guessed: what isn't understood is a diagnostic at its place.

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

/// How deep brackets, macros and conditionals may nest. Real sources stay below 20.
pub const MAX_DEPTH: usize = 200;
