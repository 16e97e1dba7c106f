//! Reads a QEMU tree.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::QemuFacts;
use crate::source::Sources;

/// Placeholder until the reader is merged.
pub fn read_tree(_: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<QemuFacts> {
    diagnostics.push(Diagnostic::file(root, "reading a QEMU tree is not implemented yet"));
    None
}
