//! Checks that no CPU model has a feature without those that it depends on, by QEMU's and Linux's statements.
//!
//! The base definition and every version count: each reports what it lacks and the version before it does not lack. QEMU turns a
//! dependent feature off in a guest if it states the dependency itself; otherwise the guest has a feature that the manuals do
//! not allow. A row of the differences without a model explains a dependency in every model, one without a dependent bit
//! explains a required bit in every model.

use super::dep_edges::{Node, Row};
use super::deps::{linux_edges, qemu_edges, witness_edges};
use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::model_places::{in_base, in_version};
use super::needed::StatedBy;
use super::qemu::QemuIndex;
use super::release::Release;
use super::witnesses::WitnessIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuBit, QemuModel, QemuModelVersion, QemuSource};
use crate::location::Word;
use crate::model::cpu_models::{CpuDefinition, CpuModel};
use crate::ordered::{Map, Set};
use crate::source::Span;

/// Runs the check.
pub(super) fn check(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    witnesses: &[WitnessIndex<'_>],
    findings: &mut Findings<'_>,
) {
    let by_linux = linux.iter().map(|index| (&index.release, linux_edges(index)));
    let by_witnesses = witnesses.iter().map(|index| (&index.release, witness_edges(index)));
    let by_others: Vec<_> = by_linux.chain(by_witnesses).collect();
    // The manuals do not have these: that a project states one is a finding of its own.
    let refuted = findings.differences().needs.iter().filter(|row| row.by == StatedBy::Neither);
    let refuted: Set<(String, String)> =
        refuted.map(|row| (row.bit.to_string(), row.needs.to_string())).collect();
    for index in qemu {
        let own = [(&index.release, qemu_edges(index, linux))];
        let mut stated: Map<(Node<'_>, Node<'_>), Vec<(&Release, Row<'_>)>> = Map::new();
        for (release, edges) in own.iter().chain(&by_others) {
            for (edge, row) in edges {
                stated.or_default(*edge).push((*release, *row));
            }
        }
        let needs = stated.iter().filter_map(|((bit, needs), rows)| {
            Some(Need { bit: Place::new(index, *bit)?, needs: Place::new(index, *needs)?, rows })
        });
        let needs: Vec<Need<'_, '_>> = needs.filter(|need| !need.is_among(&refuted)).collect();
        for row in &index.facts.models {
            let model = index.models.iter().find(|model| model.name == row.name);
            model.into_iter().for_each(|model| check_model(index, (row, model), &needs, findings));
        }
    }
}

/// A bit that a release of QEMU names.
struct Place<'a> {
    shown: String,
    word: Word,
    mask: u64,
    named: &'a QemuBit,
}

impl<'a> Place<'a> {
    fn new(index: &QemuIndex<'a>, node: Node<'_>) -> Option<Place<'a>> {
        let (word, bit) = match node {
            Node::Feature(location) => (*index.rows.registers.get(&location.word)?, location.bit),
            Node::Msr(msr, bit) => {
                let mut words = index.facts.words.iter();
                (words.find(|word| word.source == QemuSource::Msr(msr))?, bit)
            }
            Node::Software(_) => return None,
        };
        let named = *index.named.get(&(word.name.as_str(), bit.0))?;
        let mask = 1u64.checked_shl(bit.0.into())?;
        Some(Place { shown: node.shown(), word: word.index, mask, named })
    }

    fn bit(&self) -> (Word, u64) {
        (self.word, self.mask)
    }

    fn is_in(&self, masks: &[u64]) -> bool {
        masks.get(usize::from(self.word.0)).is_some_and(|mask| mask & self.mask != 0)
    }

    /// The name as QEMU 2.8 and later spell it.
    fn name(&self) -> String {
        self.named.names().next().unwrap_or_default().replace('_', "-")
    }
}

/// A dependency, and the releases that state it, QEMU's own first.
struct Need<'n, 'a> {
    bit: Place<'a>,
    needs: Place<'a>,
    rows: &'n [(&'n Release, Row<'n>)],
}

impl Need<'_, '_> {
    /// The last property about one of the two bits.
    fn place_in(&self, index: &QemuIndex<'_>, version: &QemuModelVersion) -> Span {
        in_version(index, version, &[self.bit.bit(), self.needs.bit()]).map_or(version.at, |prop| prop.at)
    }

    fn is_broken_in(&self, masks: &[u64]) -> bool {
        self.bit.is_in(masks) && !self.needs.is_in(masks)
    }

    fn is_among(&self, refuted: &Set<(String, String)>) -> bool {
        refuted.iter().any(|(bit, needs)| *bit == self.bit.shown && *needs == self.needs.shown)
    }
}

fn check_model(
    index: &QemuIndex<'_>,
    (row, model): (&QemuModel, &CpuModel),
    needs: &[Need<'_, '_>],
    findings: &mut Findings<'_>,
) {
    let broken = |definition: &CpuDefinition| -> Set<usize> {
        let masks = by_index(definition);
        needs.iter().enumerate().filter(|(_, need)| need.is_broken_in(&masks)).map(|(at, _)| at).collect()
    };
    let mut before = broken(&model.base);
    for at in &before {
        let need = &needs[*at];
        add(index, (&model.name, &|| in_base(index, row, need.bit.bit())), need, findings);
    }
    for (version, resolved) in row.versions.iter().zip(&model.versions) {
        let now = broken(&resolved.definition);
        let name = format!("{}-v{}", model.name, version.version);
        for at in now.difference(&before) {
            let need = &needs[*at];
            add(index, (&name, &|| need.place_in(index, version)), need, findings);
        }
        before = now;
    }
}

/// The masks of all words, which are looked up for each dependency.
fn by_index(definition: &CpuDefinition) -> Vec<u64> {
    let last = definition.words.last_key_value().map_or(0, |(word, _)| usize::from(word.0));
    let mut masks = vec![0; last + 1];
    for (word, mask) in definition.words.iter() {
        masks[usize::from(word.0)] = *mask;
    }
    masks
}

/// Adds what no row explains; only then its place is looked for.
fn add(
    index: &QemuIndex<'_>,
    (model, at): (&str, &dyn Fn() -> Span),
    need: &Need<'_, '_>,
    findings: &mut Findings<'_>,
) {
    let is_own = need.rows.iter().any(|(release, _)| release.project == "QEMU");
    for (release, row) in need.rows {
        // What QEMU states itself holds for it, whatever Linux states.
        let releases = match is_own {
            true if release.project == "QEMU" => vec![*release],
            true => continue,
            false => vec![*release, &index.release],
        };
        let (bit, needs) = (&need.bit.shown, &need.needs.shown);
        let in_all = [("-", needs.as_str()), (bit.as_str(), needs.as_str())];
        if in_all.iter().any(|(bit, needs)| {
            findings.is_explained(&Key::new(Kind::ModelDep, *bit, *needs, "-"), &releases)
        }) {
            continue;
        }
        findings.add(Key::new(Kind::ModelDep, bit, needs, model), &releases, || {
            let (name, needed) = (need.bit.name(), need.needs.name());
            let message = format!("`{model}` has `{name}` ({bit}) without `{needed}` ({needs})");
            let found = Diagnostic::error(at(), message).with_label(row.at(), row.text());
            match is_own {
                true => found.with_help(format!("QEMU turns `{name}` off in each guest without `{needed}`")),
                false => found.with_help(format!("a guest has `{name}` without what it needs")),
            }
        });
    }
}
