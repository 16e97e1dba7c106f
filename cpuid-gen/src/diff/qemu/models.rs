//! CPU models, property by property. A model is identified by its name, a version by its number. QEMU never changes a
//! released version, so any change of one is suspicious.

use super::bits::loses_and_gains;
use super::caches::described;
use super::machines::quoted;
use super::names::Names;
use crate::diff::change::{Action, Change, GAINS, LOSES};
use crate::diff::rows::{Line, between, pair, table};
use crate::facts::{QemuCache, QemuFacts, QemuModel, QemuModelVersion, QemuModelWord, QemuProp};

/// The names of bits in the old and the new release.
type Both<'n, 'a> = (&'n Names<'a>, &'n Names<'a>);

/// `qemu-model` and all rows below it.
pub(super) fn changes(old: &QemuFacts, new: &QemuFacts, names: Both<'_, '_>) -> Vec<Change> {
    let paired = pair(&old.models, &new.models, |model| &model.name);
    let mut changes: Vec<Change> = Vec::new();
    for model in paired.added {
        changes.push(with_base(line(model), model).added());
        let parts = contents(&emptied(model), model, names, FoundIn::One);
        changes.extend(parts.into_iter().map(|part| as_action(part, Action::Added)));
    }
    for model in paired.removed {
        changes.push(with_base(line(model), model).removed());
        let parts = contents(model, &emptied(model), names, FoundIn::One);
        changes.extend(parts.into_iter().map(|part| as_action(part, Action::Removed)));
    }
    for (old, new) in paired.kept {
        changes.extend(between(line(old), line(new)));
        changes.extend(contents(old, new, names, FoundIn::Both));
    }
    changes
}

/// Whether both releases have a model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FoundIn {
    Both,
    One,
}

/// A model without what is below it.
fn emptied(model: &QemuModel) -> QemuModel {
    QemuModel { words: Vec::new(), caches: Vec::new(), versions: Vec::new(), ..model.clone() }
}

/// Version 1 of a model's list that has nothing of its own. Every model has it, with a list of versions or without: it is the
/// definition itself, and neither added nor removed with the list.
fn base(model: &QemuModel) -> Option<&QemuModelVersion> {
    model.versions.first().filter(|version| {
        let has_name = version.alias.is_some() || version.note.is_some();
        version.version == 1 && !has_name && version.props.is_empty() && version.caches.is_empty()
    })
}

/// The line of a whole model, with the row of its base version.
fn with_base(mut line: Line, model: &QemuModel) -> Line {
    line.rows.extend(base(model).map(|version| version.at));
    line
}

/// The words, caches and versions of a model, one by one.
fn contents(old: &QemuModel, new: &QemuModel, names: Both<'_, '_>, found_in: FoundIn) -> Vec<Change> {
    let mut changes = words(old, new, names);
    changes.extend(caches(&new.name, &old.caches, &new.caches));
    changes.extend(versions(old, new, found_in));
    changes
}

/// The part of an added or removed model, which is itself added or removed.
fn as_action(part: Change, action: Action) -> Change {
    Change { action, ..part }
}

/// The definition's own fields.
fn line(model: &QemuModel) -> Line {
    let hex = |value: u32| format!("{value:#x}");
    Line::new(&model.name, model.at)
        .with("vendor", quoted(&model.vendor))
        .with("family", model.family)
        .with("model", model.model)
        .with("stepping", model.stepping)
        .with("level", hex(model.level))
        .with("xlevel", hex(model.xlevel))
        .with("model-id", quoted(&model.model_id))
        .maybe("avx10-version", model.avx10)
        .maybe("deprecated", model.deprecated.as_ref())
}

fn words(old: &QemuModel, new: &QemuModel, (before, after): Both<'_, '_>) -> Vec<Change> {
    let line = |word: &QemuModelWord| Line::new(&new.name, word.at).named(&word.word);
    let paired = pair(&old.words, &new.words, |word| &word.word);
    let mut changes = Vec::new();
    // A word that a release does not set is zero there.
    for word in paired.added {
        changes.extend(between(
            Line { rows: Vec::new(), ..line(word) },
            line(word).with(GAINS, after.list(&word.word, word.mask).unwrap_or_else(|| "none".to_owned())),
        ));
    }
    for word in paired.removed {
        changes.extend(between(
            line(word).with(LOSES, before.list(&word.word, word.mask).unwrap_or_else(|| "none".to_owned())),
            Line { rows: Vec::new(), ..line(word) },
        ));
    }
    changes.extend(paired.kept.into_iter().filter_map(|(old, new)| {
        let (loses, gains) = loses_and_gains(&new.word, old.mask, new.mask, (before, after));
        between(line(old).maybe(LOSES, loses), line(new).maybe(GAINS, gains))
    }));
    changes
}

fn caches(subject: &str, old: &[QemuCache], new: &[QemuCache]) -> Vec<Change> {
    let line = |cache: &QemuCache| {
        described(Line::new(format!("{subject} {}", cache.slot.name()), cache.at), &cache.cache)
    };
    table(old, new, |cache| cache.slot, line)
}

fn named(model: &QemuModel, version: &QemuModelVersion) -> String {
    format!("{}-v{}", model.name, version.version)
}

fn version_line(model: &QemuModel, version: &QemuModelVersion) -> Line {
    Line::new(named(model, version), version.at)
        .maybe("alias", version.alias.as_ref())
        .maybe("note", version.note.as_deref().map(quoted))
}

/// An added or removed version, with the properties that it sets.
fn whole_version(model: &QemuModel, version: &QemuModelVersion) -> Line {
    let sets = |prop: &QemuProp| format!("{}={}", prop.name, quoted(&prop.value));
    let props: Vec<String> = version.props.iter().map(sets).collect();
    let mut line = version_line(model, version).maybe("sets", (!props.is_empty()).then(|| props.join(", ")));
    line.rows.extend(version.props.iter().map(|prop| prop.at));
    line
}

/// The versions that only one of two releases has, with the row of a base version at the first of them.
fn only<'m>(
    versions: Vec<&'m QemuModelVersion>,
    (with, without): (&'m QemuModel, &QemuModel),
    found_in: FoundIn,
) -> Vec<(&'m QemuModelVersion, Line)> {
    let has_others = found_in == FoundIn::One || versions.len() > 1;
    let base = base(with).filter(|_| without.versions.is_empty() && has_others);
    let is_base = |version: &QemuModelVersion| base.is_some_and(|base| base.version == version.version);
    let mut others: Vec<(&QemuModelVersion, Line)> = versions
        .into_iter()
        .filter(|version| !is_base(version))
        .map(|version| (version, whole_version(with, version)))
        .collect();
    if let (Some((_, first)), FoundIn::Both) = (others.first_mut(), found_in) {
        first.rows.extend(base.map(|base| base.at));
    }
    others
}

fn versions(old: &QemuModel, new: &QemuModel, found_in: FoundIn) -> Vec<Change> {
    let paired = pair(&old.versions, &new.versions, |version| version.version);
    let mut changes: Vec<Change> = Vec::new();
    for (version, line) in only(paired.added, (new, old), found_in) {
        changes.push(line.added());
        changes.extend(caches(&named(new, version), &[], &version.caches));
    }
    for (version, line) in only(paired.removed, (old, new), found_in) {
        changes.push(line.removed());
        changes.extend(caches(&named(old, version), &version.caches, &[]));
    }
    for (before, after) in paired.kept {
        changes.extend(between(version_line(old, before), version_line(new, after)));
        let subject = named(new, after);
        let prop = |prop: &QemuProp| Line::new(&subject, prop.at).with(&prop.name, quoted(&prop.value));
        changes.extend(table(&before.props, &after.props, |prop| &prop.name, prop));
        changes.extend(caches(&subject, &before.caches, &after.caches));
    }
    changes
}
