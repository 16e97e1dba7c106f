//! The files of a QEMU tree other than `cpu.h` and `cpu.c`, and the releases that have them.
//!
//! A missing file that this release should have is a diagnostic. Releases before 2.8 are not fully supported: missing
//! files are ignored, and machine types are read only if all of their files are present.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Sources, Span};

/// Major and minor number of a release.
type Version = (u32, u32);

/// The oldest fully supported release.
const OLDEST: Version = (2, 8);

/// Since 6.0 each accelerator has its own folder and CPU class.
const SPLIT: Version = (6, 0);

/// After every release.
const NEVER: Version = (u32::MAX, 0);

/// These files; a file is `None` if this release does not have it.
#[derive(Debug)]
pub(super) struct OtherFiles {
    /// Text with `QEMU_VERSION_MAJOR` and similar macros, which the build generates from the VERSION file.
    pub(super) version: FileId,
    /// Whether the release is older than the oldest fully supported one.
    pub(super) old: bool,
    /// cpu-qom.h: the names of CPU types.
    pub(super) qom: Option<FileId>,
    /// kvm/kvm-cpu.c: KVM's default properties since 6.0, which are in cpu.c before.
    pub(super) kvm_cpu: Option<FileId>,
    /// tcg/tcg-cpu.c: TCG's default properties.
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
    version: Version,
    diagnostics: &'d mut Diagnostics,
}

impl OtherFiles {
    /// Finds and reads the files below `root`; `release` is the tree's.
    pub(super) fn open(
        sources: &mut Sources,
        root: &Path,
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
        let mut find = Finder { sources, root, version: (major, minor), diagnostics };
        Some(OtherFiles {
            version,
            old: (major, minor) < OLDEST,
            qom: find.one(&["target/i386/cpu-qom.h", "target-i386/cpu-qom.h"], OLDEST, NEVER),
            kvm_cpu: find.one(&["target/i386/kvm/kvm-cpu.c"], SPLIT, NEVER),
            tcg_cpu: find.one(&["target/i386/tcg/tcg-cpu.c"], SPLIT, NEVER),
            hyperv: find.one(
                &["target/i386/kvm/hyperv-proto.h", "target/i386/hyperv-proto.h"],
                (2, 12),
                NEVER,
            ),
            kvm: find.since((4, 1), &["target/i386/kvm/kvm.c", "target/i386/kvm.c"]),
            machines: find.machines(),
        })
    }
}

impl Finder<'_, '_> {
    /// The first of these files that exists; a diagnostic if none does and releases `since..until` have one.
    fn one(&mut self, paths: &[&str], since: Version, until: Version) -> Option<FileId> {
        // A broken link is an error; only a missing file is absent.
        if let Some(path) = paths.iter().find(|path| self.root.join(path).symlink_metadata().is_ok()) {
            return self.diagnostics.take(self.sources.read(self.root, path));
        }
        if self.version >= since && self.version < until {
            let message = format!("not found; QEMU has it since {}.{}", since.0, since.1);
            let missing = paths.first().map(|path| self.root.join(path)).unwrap_or_default();
            self.diagnostics.push(Diagnostic::file(&missing, message));
        }
        None
    }

    /// Like [`one`](Self::one), for a file that older releases have without the wanted contents.
    fn since(&mut self, since: Version, paths: &[&str]) -> Option<FileId> {
        (self.version >= since).then(|| self.one(paths, since, NEVER)).flatten()
    }

    fn machines(&mut self) -> Option<MachineFiles> {
        let compat = self.one(&["include/hw/compat.h"], OLDEST, (4, 0));
        let boards = self.one(&["include/hw/boards.h", "include/hw/core/boards.h"], OLDEST, NEVER);
        let x86 = self.one(&["include/hw/i386/x86.h"], (4, 2), NEVER);
        let pc_header = self.one(&["include/hw/i386/pc.h"], OLDEST, NEVER);
        let microvm_header = self.one(&["include/hw/i386/microvm.h"], (4, 2), NEVER);
        // Before 4.0, the tables in these files were macros in headers.
        let shared = ["hw/core/machine.c", "hw/i386/pc.c"].map(|path| self.one(&[path], OLDEST, NEVER));
        let piix = self.one(&["hw/i386/pc_piix.c"], OLDEST, NEVER);
        let q35 = self.one(&["hw/i386/pc_q35.c"], OLDEST, NEVER);
        let isapc = self.one(&["hw/i386/isapc.c"], (10, 2), NEVER);
        let microvm = self.one(&["hw/i386/microvm.c"], (4, 2), NEVER);
        Some(MachineFiles {
            headers: [compat, boards, x86, pc_header, microvm_header].into_iter().flatten().collect(),
            pc_header: pc_header.filter(|_| boards.is_some())?,
            shared: shared.into_iter().flatten().collect(),
            boards: vec![piix?, q35?].into_iter().chain(isapc).chain(microvm).collect(),
        })
    }
}

/// The three numbers of a release, without what follows them.
fn numbers(release: &str) -> Option<[u32; 3]> {
    let mut parts = release.split(['.', '-']).map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}
