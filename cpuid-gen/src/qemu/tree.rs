//! Finds the files of a QEMU tree that contain the tables: below `target/i386`, or `target-i386` before 2.9.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Sources, Span};

/// The files of one tree.
#[derive(Debug)]
pub(super) struct Tree {
    /// The VERSION file.
    pub(super) version: FileId,
    /// Headers whose macros cpu.h uses.
    pub(super) before: Vec<FileId>,
    /// cpu.h
    pub(super) header: FileId,
    /// cpu-internal.h, which has `FeatureWordInfo` since 6.1.
    pub(super) internal: Option<FileId>,
    /// cpu.c
    pub(super) source: FileId,
}

impl Tree {
    /// Finds and reads the files below `root`.
    pub(super) fn open(sources: &mut Sources, root: &Path, diagnostics: &mut Diagnostics) -> Option<Tree> {
        let folder = ["target/i386", "target-i386"].into_iter().find(|folder| root.join(folder).is_dir());
        let Some(folder) = folder else {
            let help = "name the root of a QEMU tree, or a facts file";
            let message = "not a QEMU tree: it has neither target/i386 nor target-i386";
            diagnostics.push(Diagnostic::file(root, message).with_help(help));
            return None;
        };
        let mut optional = |path: &str| diagnostics.take(sources.read_optional(root, path)).flatten();
        let kvm_para = ["include/standard-headers/asm-x86/kvm_para.h", "linux-headers/asm-x86/kvm_para.h"];
        let mut before: Vec<FileId> = kvm_para.into_iter().find_map(&mut optional).into_iter().collect();
        // QEMU_HW_VERSION, which model ids contain, and KiB and MiB (3.0 and later).
        let hw_version = ["include/qemu/hw-version.h", "include/qemu/osdep.h", "include/qemu-common.h"];
        before.extend(hw_version.into_iter().find_map(&mut optional));
        before.extend(optional("include/qemu/units.h"));
        let internal = optional(&format!("{folder}/cpu-internal.h"));
        let mut need = |path: &str| diagnostics.take(sources.read(root, path));
        let version = need("VERSION");
        let header = need(&format!("{folder}/cpu.h"));
        let source = need(&format!("{folder}/cpu.c"));
        Some(Tree { version: version?, before, header: header?, internal, source: source? })
    }
}

/// The release, which is the only line of the VERSION file.
pub(super) fn release(
    sources: &Sources,
    file: FileId,
    diagnostics: &mut Diagnostics,
) -> Option<(String, Span)> {
    let text = sources[file].text.trim();
    let at = sources.span(file, 0, sources[file].text.len());
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(plain) || text.len() > 32 {
        diagnostics.error(at, "expected a single release in VERSION");
        return None;
    }
    Some((text.to_owned(), at))
}
