//! Reads a Linux tree.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::LinuxFacts;
use crate::source::Sources;

/// Placeholder until the reader is merged.
pub fn read_tree(_: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<LinuxFacts> {
    diagnostics.push(Diagnostic::file(root, "reading a Linux tree is not implemented yet"));
    None
}
