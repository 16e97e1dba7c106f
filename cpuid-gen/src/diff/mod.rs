//! What a newer release has otherwise than an older one, and what that means for the Rust API.
//!
//! Facts in, [`Changes`] out, [`Changes::to_text`] and its like from there; no file is read and nothing is printed. A
//! hardware bit *is* its location, so that a rename differs from a removal beside an addition; what software defines
//! is its name. What always holds: each row that only one of the two releases has belongs to at least one change, and
//! each change to at least one such row, so that a report is complete and says nothing that is not so. Only the order
//! of rows is not compared.

mod api;
mod bits;
mod change;
mod impact;
mod linux;
mod qemu;
mod rows;
mod show;

pub use api::impact;
pub use change::{Action, Change, Changes, Field, Project, Section, Topic};
pub use impact::{ApiChange, ApiItem, Impact, Level};

use crate::diagnostic::Diagnostics;
use crate::facts::{LinuxFacts, QemuFacts};

/// From one Linux release to another; `qemu` are the releases that the Rust tables would be made with.
#[must_use]
pub fn linux(old: &LinuxFacts, new: &LinuxFacts, qemu: &[QemuFacts]) -> (Changes, Diagnostics) {
    let mut changes = changes(Project::Linux, (&old.release, &new.release), linux::passes(old, new));
    let diagnostics = api::of_linux(&mut changes, (old, new), qemu);
    (changes, diagnostics)
}

/// From one QEMU release to another; `linux` are the releases that the Rust tables would be made with.
#[must_use]
pub fn qemu(old: &QemuFacts, new: &QemuFacts, linux: &[LinuxFacts]) -> (Changes, Diagnostics) {
    let mut changes = changes(Project::Qemu, (&old.release, &new.release), qemu::passes(old, new));
    let diagnostics = api::of_qemu(&mut changes, (old, new), linux);
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
