//! What guests rely on in a QEMU release: released versions of CPU models, the properties that each machine type keeps, XSAVE
//! components, and the properties of `-cpu`.
//!
//! A later release keeps all of it: a guest that migrates to it must not change. Deprecations are not included, because guests
//! do not see them; the notes of versions are compared only between two states of one release.

use super::statements::{Statements, Subject, Text};
use crate::facts::{
    Cache, DefaultVersion, ModuleAction, QemuFacts, QemuMachine, QemuModel, QemuModelVersion,
};
use crate::location::Bit;
use crate::ordered::Set;
use crate::source::Span;
use crate::vocabulary::release_order::ReleaseOrder;

/// The kinds of the statements.
const MODEL: &str = "qemu-model";
const MODEL_WORD: &str = "qemu-model-word";
const VERSION: &str = "qemu-model-version";
/// Users see it, and guests do not.
const NOTE: &str = "qemu-model-note";
const PROP: &str = "qemu-model-prop";
const MODEL_CACHE: &str = "qemu-model-cache";
const MACHINE: &str = "qemu-machine";
const BASE: &str = "qemu-machine-base";
const MACHINE_VERSION: &str = "qemu-machine-version";
const COMPAT: &str = "qemu-compat";
const XSAVE: &str = "qemu-xsave";
const CACHE: &str = "qemu-cache";
const DESCRIPTOR: &str = "qemu-cache-descriptor";
const KVM_DEFAULT: &str = "qemu-kvm-default";
const TCG_DEFAULT: &str = "qemu-tcg-default";
const ALIAS: &str = "qemu-alias";
const PROPERTY: &str = "qemu-property";
const HYPERV: &str = "qemu-hyperv";
const HYPERV_DEP: &str = "qemu-hyperv-dep";

/// What guests see.
pub(super) const SORTS: [&str; 18] = [
    MODEL,
    MODEL_WORD,
    VERSION,
    PROP,
    MODEL_CACHE,
    MACHINE,
    BASE,
    MACHINE_VERSION,
    COMPAT,
    XSAVE,
    CACHE,
    DESCRIPTOR,
    KVM_DEFAULT,
    TCG_DEFAULT,
    ALIAS,
    PROPERTY,
    HYPERV,
    HYPERV_DEP,
];

/// The kinds whose values are a set: of a change only what is lost and what is gained is shown.
pub(super) const SETS: [&str; 1] = [MODEL_WORD];

/// Adds the statements of a release.
pub(super) fn add<'a>(all: &mut Statements<'a>, facts: &'a QemuFacts) {
    for model in &facts.models {
        add_model(all, model);
    }
    for machine in &facts.machines {
        add_machine(all, machine);
    }
    for row in &facts.compat {
        let subject = Text::Compat(&row.machine, &row.of, &row.property);
        all.add(COMPAT, subject, row.value.as_deref().map_or(Text::Nothing, named), row.at);
    }
    for row in &facts.xsave {
        let subject = Text::State(row.component, &row.word, row.bit);
        all.add(XSAVE, subject, Text::SizeAt(row.size, row.offset), row.at);
    }
    for row in &facts.legacy_caches {
        let slot = row.slot.map_or("", |slot| slot.name());
        add_cache(all, CACHE, |key| Text::CacheOf(&row.name, None, slot, key), (&row.cache, row.at));
    }
    for row in &facts.cache_descriptors {
        let numbers = [
            ("level", row.level),
            ("size", row.size),
            ("line-size", row.line_size),
            ("associativity", row.associativity),
        ];
        all.add(DESCRIPTOR, Text::Byte(row.byte, "type"), Text::Name(row.kind.name()), row.at);
        for (key, value) in numbers {
            all.add(DESCRIPTOR, Text::Byte(row.byte, key), Text::Number(value.into()), row.at);
        }
    }
    add_properties(all, facts);
}

/// A value, which may be empty.
fn named(value: &str) -> Text<'_> {
    if value.is_empty() { Text::Nothing } else { Text::Name(value) }
}

fn add_model<'a>(all: &mut Statements<'a>, model: &'a QemuModel) {
    let texts = [("vendor", &model.vendor), ("model-id", &model.model_id)];
    for (key, value) in texts {
        all.add(MODEL, Text::OfModel(&model.name, None, key), named(value), model.place_of(key));
    }
    let numbers = [
        ("level", model.level),
        ("xlevel", model.xlevel),
        ("family", model.family),
        ("model", model.model),
        ("stepping", model.stepping),
    ];
    for (key, value) in numbers {
        let subject = Text::OfModel(&model.name, None, key);
        all.add(MODEL, subject, Text::Hex(value.into()), model.place_of(key));
    }
    if let Some(avx10) = model.avx10 {
        let subject = Text::OfModel(&model.name, None, "avx10-version");
        all.add(MODEL, subject, Text::Number(avx10.into()), model.place_of("avx10-version"));
    }
    for row in &model.words {
        let subject = Text::OfModel(&model.name, None, &row.word);
        for bit in (0..64).filter(|bit| row.mask >> bit & 1 == 1) {
            all.add(MODEL_WORD, subject, Text::BitOf(&row.word, Bit(bit)), row.at);
        }
    }
    for row in &model.caches {
        let of = |key| Text::CacheOf(&model.name, None, row.slot.name(), key);
        add_cache(all, MODEL_CACHE, of, (&row.cache, row.at));
    }
    for version in &model.versions {
        add_version(all, model, version);
    }
}

fn add_version<'a>(all: &mut Statements<'a>, model: &'a QemuModel, version: &'a QemuModelVersion) {
    let number = Some(version.version);
    let alias = version.alias.as_deref().map_or(Text::Nothing, named);
    all.add(VERSION, Text::OfModel(&model.name, number, ""), alias, version.at);
    if let Some(note) = &version.note {
        all.add(NOTE, Text::OfModel(&model.name, number, ""), named(note), version.at);
    }
    for prop in &version.props {
        all.add(PROP, Text::OfModel(&model.name, number, &prop.name), named(&prop.value), prop.at);
    }
    for row in &version.caches {
        let of = |key| Text::CacheOf(&model.name, number, row.slot.name(), key);
        add_cache(all, MODEL_CACHE, of, (&row.cache, row.at));
    }
}

fn add_cache<'a>(
    all: &mut Statements<'a>,
    sort: &'static str,
    subject: impl Fn(&'static str) -> Text<'a>,
    (cache, at): (&'a Cache, Span),
) {
    all.add(sort, subject("type"), Text::Name(cache.kind.name()), at);
    for (key, value) in cache.numbers() {
        all.add(sort, subject(key), Text::Number(value), at);
    }
    if let Some(level) = &cache.share_level {
        all.add(sort, subject("share-level"), Text::Name(level), at);
    }
}

fn add_machine<'a>(all: &mut Statements<'a>, machine: &'a QemuMachine) {
    let name = Text::Name(&machine.name);
    all.add(MACHINE, name, Text::Nothing, machine.at);
    // The newest has none, and gets one with the next release.
    if let Some(base) = &machine.base {
        all.add(BASE, name, Text::Name(base), machine.at);
    }
    if let Some(version) = machine.default_version {
        let version = match version {
            DefaultVersion::Version(number) => Text::Number(number.into()),
            DefaultVersion::Latest => Text::Name("latest"),
            DefaultVersion::Legacy => Text::Name("legacy"),
        };
        all.add(MACHINE_VERSION, name, version, machine.at);
    }
}

fn add_properties<'a>(all: &mut Statements<'a>, facts: &'a QemuFacts) {
    let text = |value: &'a Option<String>| value.as_deref().map_or(Text::Nothing, named);
    for (sort, rows) in [(KVM_DEFAULT, &facts.kvm_defaults), (TCG_DEFAULT, &facts.tcg_defaults)] {
        for row in rows {
            all.add(sort, Text::Name(&row.property), text(&row.value), row.at);
        }
    }
    for row in &facts.aliases {
        all.add(ALIAS, Text::Name(&row.name), Text::Name(&row.target), row.at);
    }
    for row in &facts.properties {
        all.add(PROPERTY, Text::Pair(&row.name, "type"), Text::Name(&row.kind), row.at);
        all.add(PROPERTY, Text::Pair(&row.name, "default"), text(&row.default), row.at);
        if let Some(field) = &row.field {
            all.add(PROPERTY, Text::Pair(&row.name, "field"), Text::Name(field), row.at);
        }
        if let Some(bit) = row.bit {
            all.add(PROPERTY, Text::Pair(&row.name, "bit"), Text::Number(bit.0.into()), row.at);
        }
    }
    for row in &facts.hyperv {
        let subject = Text::Enlightenment(&row.property, row.leaf, row.register);
        all.add(HYPERV, subject, Text::Hex(row.mask.into()), row.at);
    }
    for row in &facts.hyperv_deps {
        all.add(HYPERV_DEP, Text::Pair(&row.property, &row.needs), Text::Nothing, row.at);
    }
}

/// True if a statement that only the later of two states of one release has changes what guests see: it adds to a released version
/// of a model, to a machine type that has two newer ones, to what all guests get, or to an enlightenment or XSAVE component that
/// exists; or it takes a feature from them.
pub(super) fn changes_guests(
    (older, newer): (&Statements<'_>, &Statements<'_>),
    (sort, subject): &Subject<'_>,
) -> bool {
    let was = |sort, subject| older.values.contains_key(&(sort, subject));
    let of = |model, version: Option<u32>| match version {
        Some(_) => was(VERSION, Text::OfModel(model, version, "")),
        None => was(MODEL, Text::OfModel(model, None, "vendor")),
    };
    match (*sort, *subject) {
        (PROP, Text::OfModel(model, version, _)) => of(model, version),
        (MODEL_CACHE, Text::CacheOf(model, version, _, "type")) => of(model, version),
        (COMPAT, Text::Compat(machine, ..)) => {
            was(MACHINE, Text::Name(machine)) && newer_types(newer, machine) > 1
        }
        (HYPERV, Text::Enlightenment(property, ..)) => older
            .values
            .keys()
            .any(|(_, subject)| matches!(subject, Text::Enlightenment(known, ..) if *known == property)),
        (XSAVE, Text::State(component, ..)) => older
            .values
            .keys()
            .any(|(_, subject)| matches!(subject, Text::State(known, ..) if *known == component)),
        (KVM_DEFAULT | TCG_DEFAULT, _)
        | ("kvm-module", Text::Module(_, ModuleAction::Clear, _))
        | ("linux-config", Text::Pair("disabled", _)) => true,
        _ => false,
    }
}

/// The number of newer machine types of a machine type's board.
fn newer_types(statements: &Statements<'_>, machine: &str) -> usize {
    let Some((board, own)) = board_of(MACHINE, Text::Name(machine)) else { return 0 };
    let types = statements.values.keys().filter_map(|(sort, name)| board_of(sort, *name));
    types.filter(|(other, release)| *other == board && *release > own).count()
}

/// What a newer release does not have at all, so that the statements about it are gone with it.
pub(super) struct Dropped<'s> {
    /// Machine types older than all that remain: QEMU removes them after some years.
    expired: Set<&'s str>,
    machines: Set<&'s str>,
    models: Set<&'s str>,
    properties: Set<&'s str>,
}

impl<'s> Dropped<'s> {
    /// Compares the statements of an older and a newer release.
    pub(super) fn between(older: &'s Statements<'_>, newer: &'s Statements<'_>) -> Dropped<'s> {
        let mut dropped =
            Dropped { expired: Set::new(), machines: Set::new(), models: Set::new(), properties: Set::new() };
        for subject in older.values.keys().filter(|subject| !newer.values.contains_key(*subject)) {
            match *subject {
                (MACHINE, Text::Name(name)) => {
                    dropped.machines.insert(name);
                }
                (MODEL, Text::OfModel(name, None, _)) => {
                    dropped.models.insert(name);
                }
                (PROPERTY, Text::Pair(name, "type")) => {
                    dropped.properties.insert(name);
                }
                _ => {}
            }
        }
        let remaining: Vec<(&str, ReleaseOrder<'_>)> =
            newer.values.keys().filter_map(|(sort, name)| board_of(sort, *name)).collect();
        for name in &dropped.machines {
            let Some((board, own)) = board_of(MACHINE, Text::Name(name)) else { continue };
            if remaining.iter().all(|(other, release)| *other != board || *release > own) {
                dropped.expired.insert(name);
            }
        }
        dropped
    }

    /// True if the statement is about something that is gone, and is therefore not a finding of its own.
    pub(super) fn explains(&self, (sort, subject): &Subject<'_>) -> bool {
        match (*sort, *subject) {
            (MACHINE, Text::Name(name)) => self.expired.contains(name),
            (BASE | MACHINE_VERSION, Text::Name(machine)) => self.machines.contains(machine),
            (COMPAT, Text::Compat(machine, of, _)) => {
                let model = of.strip_suffix("-x86_64-cpu");
                self.machines.contains(machine) || model.is_some_and(|model| self.models.contains(model))
            }
            (MODEL, Text::OfModel(name, _, key)) => key != "vendor" && self.models.contains(name),
            (MODEL_WORD | VERSION | NOTE | PROP, Text::OfModel(name, ..))
            | (MODEL_CACHE, Text::CacheOf(name, ..)) => self.models.contains(name),
            (PROPERTY, Text::Pair(name, key)) => key != "type" && self.properties.contains(name),
            _ => false,
        }
    }
}

/// The board of a machine type and its release: `pc-q35` and 10.0.
fn board_of<'s>(sort: &str, name: Text<'s>) -> Option<(&'s str, ReleaseOrder<'s>)> {
    let Text::Name(name) = name else { return None };
    let (board, release) = name.rsplit_once('-').filter(|_| sort == MACHINE)?;
    Some((board, ReleaseOrder::new(release)))
}
