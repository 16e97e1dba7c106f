//! Model to Rust. Pure: no file is touched here.
//!
//! The output is of two kinds. `tables.rs`, `cpu_models.rs`, `guest.rs` and `xsave.rs` hold rows for the runtime crate's
//! modules of these names; the other files hold a documented constant for each bit. All number features the same way,
//! which [`layout`] decides. A bit field has no number: its constant is all that there is, see [`fields`].
//!
//! A build script includes the files as they are written here; with the feature `format` they can be formatted for people.

mod constants;
mod cpu_models;
mod docs;
mod fields;
mod guest;
mod hash;
mod layout;
mod machines;
mod names;
mod needs;
mod pools;
mod rust;
#[cfg(feature = "format")]
mod standalone;
mod strings;
mod tables;
mod xsave;

use std::fmt;

use crate::model::Model;
use crate::ordered::sort_by;
use crate::vocabulary::SOURCES;
use layout::Layout;
use rust::Rust;

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Its name, without a directory.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// Why a model cannot be emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GenerateError {
    /// The model has no release of this project; the tables need one.
    NoRelease(&'static str),
    /// More of something than its number has room for.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// A name with a control character, escaped.
    Name(String),
    /// Two names that cannot be told apart by their hashes; one of them is here.
    Hash(String),
    /// What was built is not Rust: a fault of this library.
    Syntax(String),
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GenerateError::NoRelease(project) => {
                write!(f, "no release of {project}: the tables need at least one")
            }
            GenerateError::TooMany { what, count, max } => {
                write!(f, "{count} {what}, more than the {max} that the tables can number")
            }
            GenerateError::Name(name) => write!(f, "the name `{name}` holds a control character"),
            GenerateError::Hash(name) => write!(f, "`{name}` collides with another name in the hash table"),
            GenerateError::Syntax(why) => write!(f, "the generated code is not Rust: {why}"),
        }
    }
}

impl std::error::Error for GenerateError {}

/// Emits the runtime crate's generated files, in the order of their names. The same model gives the same bytes.
///
/// # Errors
///
/// [`GenerateError`] when a project has no release, or when there is more than the tables can number.
pub fn generate(model: &Model) -> Result<Vec<GeneratedFile>, GenerateError> {
    let layout = Layout::new(model)?;
    let header = header(model, "");
    let file = |name, rust: Rust| GeneratedFile { name, text: format!("{header}{}", rust.text) };
    let kernel_bits = |ty, bits| constants::kernel_bits(model, ty, bits);
    let shared = SOURCES.map(|(name, text)| GeneratedFile { name, text: format!("{header}{text}") });
    let mut files = vec![
        file("bug.rs", kernel_bits("Bug", &model.bugs)),
        file("model_tables.rs", cpu_models::tables(model)?),
        file("feature.rs", constants::features(model, &layout)),
        file("field.rs", fields::constants(model)?),
        file("guest_tables.rs", guest::tables(model)?),
        file("msr.rs", constants::msr(model)),
        file("software.rs", kernel_bits("SoftwareFeature", &model.software)),
        file("bit_tables.rs", tables::tables(model, &layout)?),
        file("vmx.rs", kernel_bits("VmxFeature", &model.vmx)),
        file("xsave.rs", xsave::table(model, &layout)),
    ];
    files.extend(shared);
    sort_by(&mut files, |a, b| a.name.cmp(b.name));
    Ok(files)
}

/// Emits one file, `cpuid.rs`, that needs nothing else: every hardware bit as a constant with its location. For a crate
/// of one's own that does without the runtime crate.
///
/// # Errors
///
/// [`GenerateError::Syntax`], which would be a fault of this library.
#[cfg(feature = "format")]
pub fn generate_standalone(model: &Model) -> Result<GeneratedFile, GenerateError> {
    let text = format!("{}{}", header(model, "--standalone "), standalone::file(model));
    format(GeneratedFile { name: "cpuid.rs", text })
}

/// A file as people read it: parsed by syn, formatted by prettyplease. Its head, a comment, stays as it is.
///
/// # Errors
///
/// [`GenerateError::Syntax`], which would be a fault of this library.
#[cfg(feature = "format")]
pub fn format(file: GeneratedFile) -> Result<GeneratedFile, GenerateError> {
    let parsed = syn::parse_file(&file.text).map_err(|error| GenerateError::Syntax(error.to_string()))?;
    let head = file.text.split_inclusive("\n\n").next().unwrap_or_default();
    Ok(GeneratedFile { name: file.name, text: format!("{head}{}", prettyplease::unparse(&parsed)) })
}

/// Which command makes the file, and from what.
fn header(model: &Model, option: &str) -> String {
    let linux: Vec<&str> = model.linux.iter().map(|release| release.name.as_str()).collect();
    let qemu: Vec<&str> = model.qemu.iter().map(|release| release.name.as_str()).collect();
    let from = format!("Linux {}; QEMU {}", linux.join(", "), qemu.join(", "));
    // A release comes from a file's text: it must not end the comment.
    let from = from.replace(char::is_control, " ");
    format!("// @generated by `cpuid-gen generate {option}-o DIR`; do not edit.\n// From {from}.\n\n")
}

/// A name that would not be one line of a file.
fn check_name(name: &str) -> Result<(), GenerateError> {
    if name.contains(char::is_control) {
        return Err(GenerateError::Name(name.escape_debug().to_string()));
    }
    Ok(())
}
