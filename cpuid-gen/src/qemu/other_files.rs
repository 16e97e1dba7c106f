//! The files of a QEMU tree other than `cpu.h` and `cpu.c`.
//!
//! Which files a tree should have follows from its contents, never from the release that it states: development
//! snapshots and vendors' trees state one and have the files of another. A header must be present if a file that was
//! read includes it; any other file, if a file that was read uses what it defines. Only 2.5 and later are supported:
//! the machine types of earlier releases are other tables.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Sources, Span};

use super::tree::Tree;

/// Headers that must be present if a file includes them: the directive's text, and where they may be.
const HEADERS: [(&str, &[&str]); 7] = [
    ("hw/compat.h", &["include/hw/compat.h"]),
    ("hw/boards.h", &["include/hw/boards.h"]),
    ("hw/core/boards.h", &["include/hw/core/boards.h"]),
    ("hw/i386/x86.h", &["include/hw/i386/x86.h"]),
    ("hw/i386/pc.h", &["include/hw/i386/pc.h"]),
    ("hw/i386/microvm.h", &["include/hw/i386/microvm.h"]),
    ("hyperv-proto.h", &HYPERV),
];

/// How a directive starts that includes one of them.
const DIRECTIVE: &str = "#include \"";

/// Where the constants of Hyper-V are.
const HYPERV: [&str; 2] = ["target/i386/kvm/hyperv-proto.h", "target/i386/hyperv-proto.h"];

/// These files; a file is `None` if this release does not have it.
#[derive(Debug)]
pub(super) struct OtherFiles {
    /// Text with `QEMU_VERSION_MAJOR` and similar macros, which the build generates from the VERSION file.
    pub(super) version: FileId,
    /// cpu-qom.h: the names of CPU types.
    pub(super) qom: Option<FileId>,
    /// kvm/kvm-cpu.c: KVM's default properties since 6.1, which are in cpu.c before.
    pub(super) kvm_cpu: Option<FileId>,
    /// tcg/tcg-cpu.c: TCG's default properties since 6.1.
    pub(super) tcg_cpu: Option<FileId>,
    /// hyperv-proto.h, which defines the constants used in kvm.c since 2.12.
    pub(super) hyperv: Option<FileId>,
    /// kvm.c, which has the table of Hyper-V's properties since 4.1.
    pub(super) kvm: Option<FileId>,
    /// The machine types' files.
    pub(super) machines: Option<MachineFiles>,
}

/// The files that define machine types.
#[derive(Debug)]
pub(super) struct MachineFiles {
    /// Headers, in the order in which they include each other.
    pub(super) headers: Vec<FileId>,
    /// pc.h, one of the headers, with the class of PC machine types.
    pub(super) pc_header: FileId,
    /// Files with tables that several machine types share.
    pub(super) shared: Vec<FileId>,
    /// Files that define machine types.
    pub(super) boards: Vec<FileId>,
}

/// Finds the files of one tree.
struct Finder<'s, 'd> {
    sources: &'s mut Sources,
    root: &'s Path,
    /// The first file of this tree.
    first: FileId,
    diagnostics: &'d mut Diagnostics,
}

impl OtherFiles {
    /// Finds and reads the files below `root`; `release` is the tree's, and files from `first` on are its files.
    pub(super) fn open(
        sources: &mut Sources,
        root: &Path,
        (tree, first): (&Tree, FileId),
        (release, at): (&str, Span),
        diagnostics: &mut Diagnostics,
    ) -> Option<OtherFiles> {
        let [major, minor, micro] = numbers(release).or_else(|| {
            diagnostics
                .error(at, format!("`{release}` is not a release: expected three numbers, such as 10.0.2"));
            None
        })?;
        let text = format!(
            "#define QEMU_VERSION_MAJOR {major}\n#define QEMU_VERSION_MINOR {minor}\n#define QEMU_VERSION_MICRO {micro}\n"
        );
        let version = sources.add("<release>", text);
        if let Some(at) = sources.find_text(tree.source, "kvm_default_features") {
            let message = format!("QEMU {release} is too old to be read");
            let help =
                "QEMU 2.5 and later are read; before, default features and machine types are other tables";
            diagnostics.push(Diagnostic::error(at, message).with_help(help));
            return None;
        }
        let mut find = Finder { sources, root, first, diagnostics };
        let qom = find.needed(&["target/i386/cpu-qom.h", "target-i386/cpu-qom.h"]);
        let defaults = find.sources[tree.source].text.contains("kvm_default_props[");
        let [kvm_cpu, tcg_cpu] = ["target/i386/kvm/kvm-cpu.c", "target/i386/tcg/tcg-cpu.c"].map(|path| {
            // Between, 6.0 has tcg-cpu.c with other contents.
            if defaults { None } else { find.needed(&[path]) }
        });
        // `hyperv_features` is a mask whose bits the table in kvm.c describes.
        let described = find.sources[tree.source].text.contains("hyperv_features");
        let kvm = ["target/i386/kvm/kvm.c", "target/i386/kvm.c"];
        let kvm = if described { find.needed(&kvm) } else { None };
        let hyperv = find.one(&HYPERV);
        let machines = find.machines();
        find.included();
        Some(OtherFiles { version, qom, kvm_cpu, tcg_cpu, hyperv, kvm, machines })
    }
}

impl Finder<'_, '_> {
    /// The first of these files that exists.
    fn one(&mut self, paths: &[&str]) -> Option<FileId> {
        for path in paths {
            if let Some(file) = self.diagnostics.take(self.sources.read_optional(self.root, path))? {
                return Some(file);
            }
        }
        None
    }

    /// Like [`one`](Self::one), for a file without which this tree is incomplete.
    fn needed(&mut self, paths: &[&str]) -> Option<FileId> {
        let errors = self.diagnostics.len();
        let found = self.one(paths);
        if found.is_none() && self.diagnostics.len() == errors {
            let missing = paths.first().map(|path| self.root.join(path)).unwrap_or_default();
            self.diagnostics.push(Diagnostic::file(&missing, "not found"));
        }
        found
    }

    fn machines(&mut self) -> Option<MachineFiles> {
        let compat = self.one(&["include/hw/compat.h"]);
        let boards = self.needed(&["include/hw/boards.h", "include/hw/core/boards.h"]);
        let x86 = self.one(&["include/hw/i386/x86.h"]);
        let pc_header = self.needed(&["include/hw/i386/pc.h"]);
        let microvm_header = self.one(&["include/hw/i386/microvm.h"]);
        // Before 4.0, the tables in these files were macros in headers.
        let shared = ["hw/core/machine.c", "hw/i386/pc.c"].map(|path| self.needed(&[path]));
        let piix = self.needed(&["hw/i386/pc_piix.c"]);
        let q35 = self.needed(&["hw/i386/pc_q35.c"]);
        // The machine type has its own file since 10.2.
        let elsewhere = piix.is_some_and(|piix| !self.sources[piix].text.contains("isapc"));
        let isapc =
            if elsewhere { self.needed(&["hw/i386/isapc.c"]) } else { self.one(&["hw/i386/isapc.c"]) };
        let microvm = ["hw/i386/microvm.c"];
        let microvm = if microvm_header.is_some() { self.needed(&microvm) } else { self.one(&microvm) };
        Some(MachineFiles {
            headers: [compat, boards, x86, pc_header, microvm_header].into_iter().flatten().collect(),
            pc_header: pc_header.filter(|_| boards.is_some())?,
            shared: shared.into_iter().flatten().collect(),
            boards: vec![piix?, q35?].into_iter().chain(isapc).chain(microvm).collect(),
        })
    }

    /// Reports headers that are included but not present.
    fn included(&mut self) {
        let own = || self.sources.iter().filter(|(id, _)| *id >= self.first);
        let mut missing: Vec<_> = HEADERS
            .iter()
            .filter(|(_, paths)| !own().any(|(_, file)| paths.contains(&file.path.as_str())))
            .collect();
        for (id, file) in own() {
            for (at, _) in file.text.match_indices(DIRECTIVE) {
                let start = at + DIRECTIVE.len();
                let Some((name, _)) = file.text[start..].split_once('"') else { continue };
                let Some(found) = missing.iter().position(|(header, _)| *header == name) else { continue };
                let (_, paths) = missing.swap_remove(found);
                let message =
                    format!("`{name}` is included here, but this tree has no {}", paths.join(" or "));
                self.diagnostics.error(self.sources.span(id, at, start + name.len() + 1), message);
            }
        }
    }
}

/// The three numbers of a release, without what follows them.
fn numbers(release: &str) -> Option<[u32; 3]> {
    let mut parts = release.split(['.', '-']).map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}
