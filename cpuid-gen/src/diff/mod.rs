//! The changes between two releases, and their effects on the Rust API.
//!
//! Compares facts to produce [`Changes`], which [`Changes::to_text`] and similar functions format. This module does
//! not read files or print. A hardware bit is identified by its location, so that a rename differs from a removal and
//! an addition; a software-defined bit is identified by its name. Invariant: each row that only one of the releases
//! has belongs to at least one change, and each change has at least one such row, so that a report is complete and
//! contains no spurious changes. Only the order of rows is ignored.
//!
//! ```
//! use cpuid_gen::diff;
//! use cpuid_gen::{diagnostic::Diagnostics, input, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
//! let [old, .., new] = linux.as_slice() else { panic!("several releases are pinned") };
//! let (changes, _) = diff::linux(old, new, &qemu);
//! assert!(!changes.is_empty() && changes.to_text().contains(&new.release));
//! ```

mod api;
mod bits;
mod change;
mod identity;
mod impact;
mod linux;
mod qemu;
mod rows;
mod show;

pub use api::impact;
pub use change::{Action, Change, Changes, Field, Moved, Project, Section, Topic};
pub use identity::Identity;
pub use impact::{ApiChange, ApiItem, Impact, Level};
pub use show::LineStyle;

use crate::diagnostic::Diagnostics;
use crate::facts::{LinuxFacts, QemuFacts};

/// Compares two Linux releases; `qemu` are the QEMU releases in the Rust tables.
#[must_use]
pub fn linux(old: &LinuxFacts, new: &LinuxFacts, qemu: &[QemuFacts]) -> (Changes, Diagnostics) {
    let mut changes = changes(Project::Linux, (&old.release, &new.release), linux::passes(old, new));
    let diagnostics = api::add_linux(&mut changes, (old, new), qemu);
    (changes, diagnostics)
}

/// Compares two QEMU releases; `linux` are the Linux releases in the Rust tables.
#[must_use]
pub fn qemu(old: &QemuFacts, new: &QemuFacts, linux: &[LinuxFacts]) -> (Changes, Diagnostics) {
    let mut changes = changes(Project::Qemu, (&old.release, &new.release), qemu::passes(old, new));
    let diagnostics = api::add_qemu(&mut changes, (old, new), linux);
    (changes, diagnostics)
}

fn changes(project: Project, (old, new): (&str, &str), passes: Vec<(Topic, Vec<Change>)>) -> Changes {
    let mut sections = Vec::new();
    for (topic, mut changes) in passes {
        if topic.is_by_action() {
            changes.sort_by_key(|change| change.action);
        }
        if !changes.is_empty() {
            sections.push(Section { topic, changes });
        }
    }
    Changes { project, old: old.to_owned(), new: new.to_owned(), sections, api: Vec::new() }
}
