//! Compares dependencies with processors: one that has the dependent feature without the required one refutes a dependency.
//!
//! A dump shows what a processor has with its firmware and microcode, which can turn features off; a dependency that only
//! such a dump refutes is explained by a row of the differences. What the manuals refute is a finding of its own.

use super::dep_edges::{Edges, Node};
use super::dep_unstated::is_refuted;
use super::deps::{linux_edges, qemu_edges, witness_edges};
use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::qemu::QemuIndex;
use super::release::Release;
use super::witnesses::WitnessIndex;
use crate::diagnostic::Diagnostic;

/// Runs the check.
pub(super) fn check(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    witnesses: &[WitnessIndex<'_>],
    findings: &mut Findings<'_>,
) {
    for index in linux {
        check_edges(&index.release, &linux_edges(index), findings);
    }
    for index in qemu {
        check_edges(&index.release, &qemu_edges(index, linux), findings);
    }
    for index in witnesses {
        check_edges(&index.release, &witness_edges(index), findings);
    }
}

fn check_edges(release: &Release, edges: &Edges<'_>, findings: &mut Findings<'_>) {
    for ((node, needed), row) in edges {
        let (Node::Feature(bit), Node::Feature(needs)) = (*node, *needed) else { continue };
        let mut processors = findings.differences().processors.iter();
        let refutes = processors.find(|real| real.has(bit) == Some(true) && real.has(needs) == Some(false));
        let Some(processor) = refutes.filter(|_| !is_refuted((*node, *needed), findings.differences()))
        else {
            continue;
        };
        let (bit, needs) = (node.shown(), needed.shown());
        findings.add(Key::new(Kind::DepProcessor, &bit, &needs, release.project), &[release], || {
            let model = &processor.model;
            let message = format!("{}, but `{model}` has {bit} without {needs}", row.text());
            Diagnostic::error(row.at(), message)
                .with_label(processor.at, format!("dumps of {}", processor.source))
        });
    }
}
