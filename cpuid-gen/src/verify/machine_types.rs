//! Checks of QEMU's machine types, and of its CPU models against each other.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuCompat, QemuCompatList, QemuListLength, QemuMachine};
use crate::ordered::{Map, sort_by};

/// The property that names the CPU, with QEMU's release in it for the models `qemu64` and the like.
const MODEL_ID: &str = "model-id";

/// Runs the checks.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let newest = index.facts.machines.iter().filter_map(|machine| number_of(&machine.name)).max();
    for machine in &index.facts.machines {
        let rows = index.facts.compat.iter().filter(|row| row.machine == machine.name);
        for row in rows {
            // A board whose last type is older is kept only for old guests.
            if machine.base.is_none() && number_of(&machine.name) == newest {
                check_newest(index, machine, row, findings);
            }
            check_model_id(index, machine, row, findings);
        }
    }
    check_bases(index, findings);
    for list in &index.facts.compat_lists {
        check_list(index, list, findings);
        check_list_of_boards(index, list, findings);
    }
    for length in &index.facts.list_lengths {
        check_length(index, length, findings);
    }
    check_signatures(index, findings);
}

/// A length of another list leaves out rows, or reads what is not the list's.
fn check_length(index: &QemuIndex<'_>, length: &QemuListLength, findings: &mut Findings<'_>) {
    let QemuListLength { list, of, at } = length;
    findings.add(Key::new(Kind::ListLength, list, of, "-"), &[&index.release], || {
        Diagnostic::error(*at, format!("`{list}` is used with the length of `{of}`"))
            .with_help(format!("expected the length of `{list}`"))
    });
}

/// The list of a release has what changed after it: the machine types of that release and of its point releases are the
/// newest that use it.
fn check_list(index: &QemuIndex<'_>, list: &QemuCompatList, findings: &mut Findings<'_>) {
    let (Some(of), Some(own)) = (release_of(&list.list), number_of(&list.machine)) else { return };
    if own.starts_with(&of) {
        return;
    }
    findings.add(Key::new(Kind::MachineCompat, &list.machine, &list.list, "-"), &[&index.release], || {
        let message = format!("`{}` uses `{}`, the properties of another release", list.machine, list.list);
        Diagnostic::error(list.at, message)
            .with_help("a machine type adds the list of its own release, the newest one none")
    });
}

/// A list of a release holds for the machine types of that release of every board that keeps some.
fn check_list_of_boards(index: &QemuIndex<'_>, list: &QemuCompatList, findings: &mut Findings<'_>) {
    let (Some(own), Some(_)) = (versioned(&list.machine), release_of(&list.list)) else { return };
    for other in &index.facts.machines {
        let same = versioned(&other.name) == Some(own) && other.name != list.machine;
        let mut lists = index.facts.compat_lists.iter().filter(|used| used.machine == other.name).peekable();
        if !same || lists.peek().is_none() || lists.any(|used| used.list == list.list) {
            continue;
        }
        let key = Key::new(Kind::MachineCompat, &other.name, "-", &list.list);
        findings.add(key, &[&index.release], || {
            let message = format!("`{}` does not use `{}`", other.name, list.list);
            Diagnostic::error(other.at, message).with_label(list.at, format!("`{}` does", list.machine))
        });
    }
}

/// Each machine type keeps what the next newer one keeps, and more.
fn check_bases(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let mut boards: Map<&str, Vec<(Vec<u32>, &QemuMachine)>> = Map::new();
    for machine in &index.facts.machines {
        if let (Some((board, _)), Some(number)) = (machine.name.rsplit_once('-'), number_of(&machine.name)) {
            boards.or_default(board).push((number, machine));
        }
    }
    for mut machines in boards.into_values() {
        sort_by(&mut machines, |(one, _), (other, _)| one.cmp(other));
        for pair in machines.windows(2) {
            let [(_, machine), (_, next)] = pair else { continue };
            let base = machine.base.as_deref().unwrap_or("-");
            if base == next.name {
                continue;
            }
            let key = Key::new(Kind::MachineBase, &machine.name, base, &next.name);
            findings.add(key, &[&index.release], || {
                let message = format!("`{}` is based on `{base}`, not on `{}`", machine.name, next.name);
                Diagnostic::error(machine.at, message).with_label(next.at, "the next newer one")
            });
        }
    }
}

/// The newest machine type of a board is the current behaviour: a CPU property that differs from the default belongs
/// to the CPU.
fn check_newest(index: &QemuIndex<'_>, machine: &QemuMachine, row: &QemuCompat, findings: &mut Findings<'_>) {
    if versioned(&machine.name).is_none() || !row.of.ends_with("-cpu") {
        return;
    }
    let subject = format!("{} {}", row.of, row.property);
    findings.add(Key::new(Kind::NewestCompat, subject, &machine.name, "-"), &[&index.release], || {
        let message =
            format!("the newest machine type `{}` changes `{}` of `{}`", machine.name, row.property, row.of);
        Diagnostic::error(row.at, message)
            .with_help("older machine types keep what changed; the newest does not")
    });
}

/// A model id with a release in it states the machine type's own.
fn check_model_id(
    index: &QemuIndex<'_>,
    machine: &QemuMachine,
    row: &QemuCompat,
    findings: &mut Findings<'_>,
) {
    let value = row.value.as_deref().filter(|_| row.property == MODEL_ID);
    let stated = value.and_then(|value| value.rsplit_once(" version ")).map(|(_, version)| version);
    let (Some(stated), Some(own)) = (stated, versioned(&machine.name)) else { return };
    let same = stated == own || stated.strip_prefix(own).is_some_and(|rest| rest.starts_with('.'));
    if same {
        return;
    }
    findings.add(Key::new(Kind::ModelId, &row.of, &machine.name, stated), &[&index.release], || {
        Diagnostic::error(row.at, format!("`{}` gives `{}` the release {stated}", machine.name, row.of))
    });
}

/// The numbers of the release in a list's name: 10.0 for `hw_compat_10_0`. Others are a board's own.
fn release_of(list: &str) -> Option<Vec<u32>> {
    let name = list.to_ascii_lowercase();
    let (_, of) = name.rsplit_once("compat_")?;
    of.split('_').map(|part| part.parse().ok()).collect()
}

/// The version at the end of a machine type's name: 10.0 for `pc-q35-10.0`.
fn versioned(name: &str) -> Option<&str> {
    let (_, version) = name.rsplit_once('-')?;
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

/// The numbers of that version.
fn number_of(name: &str) -> Option<Vec<u32>> {
    versioned(name)?.split('.').map(|part| part.parse().ok()).collect()
}

/// Two models of one vendor with the same family, model and stepping: an operating system cannot tell them apart.
fn check_signatures(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let mut seen: Map<(&str, u32, u32, u32), Vec<&str>> = Map::new();
    for model in &index.models {
        let base = &model.base;
        seen.or_default((&base.vendor, base.family, base.model, base.stepping)).push(&model.name);
    }
    for ((vendor, family, number, stepping), names) in seen {
        let Some((first, others)) = names.split_first() else { continue };
        for other in others {
            let subject = format!("{vendor} {family}/{number}/{stepping}");
            findings.add(Key::new(Kind::SameSignature, &subject, *first, *other), &[&index.release], || {
                let at = index
                    .facts
                    .models
                    .iter()
                    .find(|row| row.name == *other)
                    .map_or(index.facts.at, |row| row.at);
                Diagnostic::error(
                    at,
                    format!("`{first}` and `{other}` have the same family, model and stepping ({subject})"),
                )
            });
        }
    }
}
