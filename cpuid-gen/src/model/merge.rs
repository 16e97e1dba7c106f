//! Merges the facts of several releases, step by step.

use super::joined::Joined;
use super::types::Model;
use super::{constants, deps, fields, linux, qemu, release, xsave};
use crate::diagnostic::Diagnostics;
use crate::facts::{LinuxFacts, QemuFacts};
use crate::index::{LinuxRows, QemuRows};
use crate::published::Published;

impl Model {
    /// Merges facts. Inconsistent rows, such as a bit in a word that its release does not have, are reported and
    /// omitted.
    #[must_use]
    pub fn merge(linux: &[LinuxFacts], qemu: &[QemuFacts]) -> (Model, Diagnostics) {
        Model::merge_published(linux, qemu, &Published::default())
    }

    /// Merges facts, and includes every published constant.
    #[must_use]
    pub fn merge_published(
        linux: &[LinuxFacts],
        qemu: &[QemuFacts],
        published: &Published,
    ) -> (Model, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let linux = release::sorted(linux, |facts| (&facts.release, facts.at), &mut diagnostics);
        let qemu = release::sorted(qemu, |facts| (&facts.release, facts.at), &mut diagnostics);
        let linux_rows: Vec<LinuxRows<'_>> = linux.iter().map(|facts| LinuxRows::new(facts)).collect();
        let qemu_rows: Vec<QemuRows<'_>> = qemu.iter().map(|facts| QemuRows::new(facts)).collect();
        let mut joined = Joined::new(linux.len(), qemu.len());
        for (release, rows) in linux_rows.iter().enumerate() {
            linux::add(&mut joined, release, rows, &mut diagnostics);
        }
        for (release, rows) in qemu_rows.iter().enumerate() {
            qemu::add(&mut joined, release, rows, &mut diagnostics);
        }
        for (release, rows) in linux_rows.iter().enumerate() {
            linux::kvm_caps(&mut joined, release, rows, &mut diagnostics);
            linux::kvm_modules(&mut joined, release, rows, &mut diagnostics);
        }
        joined.keep(published);
        joined.fill_qemu_words(&qemu_rows);
        let releases = qemu_rows.iter().map(|rows| qemu::release(rows, &mut diagnostics)).collect();
        let mut model = joined.into_model();
        model.xsave = xsave::merge(&qemu_rows, &model.features, &mut diagnostics);
        (model.fields, model.former_fields) =
            fields::merge(&linux, &model.features, published, &mut diagnostics);
        model.linux = linux.iter().map(|facts| linux::release(facts)).collect();
        model.qemu = releases;
        constants::name_all(&mut model, published);
        model.dependencies = deps::find(&model, &linux_rows, &qemu_rows, &mut diagnostics);
        diagnostics.sort();
        (model, diagnostics)
    }
}
