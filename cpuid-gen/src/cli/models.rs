//! The CPU models of a QEMU release: all names, or one version with the properties of all earlier versions.

use std::fmt::Write as _;

use cpuid_gen::facts::QemuFacts;
use cpuid_gen::facts::records::QemuSource;
use cpuid_gen::location::Word;
use cpuid_gen::model::cpu_models::{CpuModel, CpuModelVersion};
use cpuid_gen::vocabulary::cpu_model::Cache;
use serde_json::{Map, Value, json};

/// The selected version.
#[derive(Clone, Copy)]
pub(crate) struct Chosen<'m> {
    model: &'m CpuModel,
    version: &'m CpuModelVersion,
}

impl<'m> Chosen<'m> {
    /// Selects by `NAME-vN`, by alias, or by a model's name, which means its first version, as in machine types.
    pub(crate) fn find(models: &'m [CpuModel], name: &str) -> Option<Chosen<'m>> {
        let all = || all(models);
        let exact = all().find(|one| one.name() == name || one.version.alias.as_deref() == Some(name));
        exact.or_else(|| all().find(|one| one.model.name == name))
    }

    fn name(&self) -> String {
        format!("{}-v{}", self.model.name, self.version.version)
    }
}

fn all(models: &[CpuModel]) -> impl Iterator<Item = Chosen<'_>> {
    models.iter().flat_map(|model| model.versions.iter().map(move |version| Chosen { model, version }))
}

/// Names similar to one that does not exist: at most three, the nearest first.
pub(crate) fn near(models: &[CpuModel], name: &str) -> Vec<String> {
    let wanted = name.to_lowercase();
    let aliases = all(models).filter_map(|one| one.version.alias.clone());
    let names = models.iter().map(|model| model.name.clone());
    let known = names.chain(aliases).chain(all(models).map(|one| one.name()));
    let mut near: Vec<(usize, String)> =
        known.map(|known| (distance(&wanted, &known.to_lowercase()), known)).collect();
    near.sort();
    near.dedup();
    let limit = wanted.len() / 3 + 1;
    near.into_iter().filter(|(distance, _)| *distance <= limit).map(|(_, name)| name).take(3).collect()
}

/// The number of characters to insert, remove or replace to get from one name to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, c) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// Every version on a line: name, alias, note, deprecation.
pub(crate) fn list_text(facts: &QemuFacts, models: &[CpuModel]) -> String {
    let count = all(models).count();
    let mut out = format!("QEMU {}: {} CPU models, {count} versions\n", facts.release, models.len());
    let width = all(models).map(|one| one.name().len()).max().unwrap_or(0);
    let alias = |one: &Chosen<'_>| one.version.alias.clone().unwrap_or_default();
    let alias_width = all(models).map(|one| alias(&one).len()).max().unwrap_or(0);
    for one in all(models) {
        let mut line = format!("{:width$}  {:alias_width$}", one.name(), alias(&one));
        if let Some(note) = &one.version.note {
            line += &format!("  {note}");
        }
        if let Some(reason) = &one.model.deprecated {
            line += &format!("  deprecated: {reason}");
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// Every version as JSON.
pub(crate) fn list_json(facts: &QemuFacts, models: &[CpuModel]) -> Value {
    let versions = |model: &CpuModel| -> Vec<Value> {
        let row = |version: &CpuModelVersion| json!({"version": version.version, "alias": version.alias, "note": version.note});
        model.versions.iter().map(row).collect()
    };
    let models = models.iter().map(
        |model| json!({"name": model.name, "deprecated": model.deprecated, "versions": versions(model)}),
    );
    json!({"release": facts.release, "models": models.collect::<Vec<_>>()})
}

/// One version as text.
pub(crate) fn text(facts: &QemuFacts, chosen: Chosen<'_>) -> String {
    let definition = &chosen.version.definition;
    let mut out = format!("{} of QEMU {}\n", chosen.name(), facts.release);
    let mut line = |what: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {what:12}{value}");
    };
    let texts = [
        ("alias", &chosen.version.alias),
        ("note", &chosen.version.note),
        ("deprecated", &chosen.model.deprecated),
    ];
    for (what, value) in texts {
        if let Some(value) = value {
            line(what, value.clone());
        }
    }
    line("level", format!("{:#x}", definition.level));
    line("xlevel", format!("{:#x}", definition.xlevel));
    line("vendor", definition.vendor.clone());
    line(
        "family",
        format!("{}, model {}, stepping {}", definition.family, definition.model, definition.stepping),
    );
    if !definition.model_id.is_empty() {
        line("model id", definition.model_id.clone());
    }
    if definition.avx10 != 0 {
        line("AVX10", format!("version {}", definition.avx10));
    }
    for (word, mask) in &definition.words {
        let word = FeatureWord::new(facts, *word);
        let _ = writeln!(out, "  {}, {}: {mask:#x}", word.name, word.source());
        let _ = writeln!(out, "    {}", word.bits(*mask).join(" "));
    }
    for (name, value) in &definition.props {
        let _ = writeln!(out, "  {name} = {value}");
    }
    for (slot, cache) in &definition.caches {
        let _ = writeln!(out, "  {} cache: {}", slot.name(), describe_cache(cache));
    }
    out
}

/// One version as JSON.
pub(crate) fn json(facts: &QemuFacts, chosen: Chosen<'_>) -> Value {
    let definition = &chosen.version.definition;
    let words = definition.words.iter().map(|(index, mask)| {
        let word = FeatureWord::new(facts, *index);
        json!({"word": word.name, "from": word.source(), "mask": mask, "bits": word.bits(*mask)})
    });
    let caches = definition.caches.iter().map(|(slot, cache)| {
        json!({
            "cache": slot.name(),
            "type": cache.kind.name(),
            "level": cache.level,
            "size": cache.size,
            "line_size": cache.line_size,
            "associativity": cache.associativity,
            "partitions": cache.partitions,
            "sets": cache.sets,
            "lines_per_tag": cache.lines_per_tag,
            "self_init": cache.self_init,
            "no_invd_sharing": cache.no_invd_sharing,
            "inclusive": cache.inclusive,
            "complex_indexing": cache.complex_indexing,
            "share_level": cache.shared_by.map(|level| level.name()),
        })
    });
    json!({
        "release": facts.release,
        "name": chosen.name(),
        "model": chosen.model.name,
        "version": chosen.version.version,
        "alias": chosen.version.alias,
        "note": chosen.version.note,
        "deprecated": chosen.model.deprecated,
        "level": definition.level,
        "xlevel": definition.xlevel,
        "vendor": definition.vendor,
        "signature": {"family": definition.family, "model": definition.model, "stepping": definition.stepping},
        "model_id": definition.model_id,
        "avx10_version": definition.avx10,
        "words": words.collect::<Vec<_>>(),
        "properties": definition.props.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>(),
        "caches": caches.collect::<Vec<_>>(),
    })
}

/// A feature word of a release.
struct FeatureWord<'f> {
    facts: &'f QemuFacts,
    name: &'f str,
    source: Option<QemuSource>,
}

impl<'f> FeatureWord<'f> {
    fn new(facts: &'f QemuFacts, index: Word) -> FeatureWord<'f> {
        let row = facts.words.iter().find(|word| word.index == index);
        FeatureWord { facts, name: row.map_or("", |word| &word.name), source: row.map(|word| word.source) }
    }

    /// `CPUID.(EAX=7,ECX=0):EBX`, `MSR 0x10a`.
    fn source(&self) -> String {
        self.source.map_or_else(String::new, |source| source.to_string())
    }

    /// The names of a mask's bits; `bit N` for an unnamed one.
    fn bits(&self, mask: u64) -> Vec<String> {
        let name = |bit: u8| {
            let named = self.facts.bits.iter().find(|known| known.word == self.name && known.bit.0 == bit);
            named.map_or(format!("bit {bit}"), |known| known.names().next().unwrap_or_default().to_owned())
        };
        (0..64).filter(|bit| mask >> bit & 1 == 1).map(name).collect()
    }
}

/// `data, 32768 bytes, 8 ways, 64 sets, lines of 64 bytes, one per core`, without zero values.
fn describe_cache(cache: &Cache) -> String {
    let numbers = [
        (cache.size, "", " bytes"),
        (cache.associativity.into(), "", " ways"),
        (cache.sets.into(), "", " sets"),
        (cache.line_size.into(), "lines of ", " bytes"),
        (cache.partitions.into(), "partitions: ", ""),
        (cache.lines_per_tag.into(), "lines per tag: ", ""),
    ];
    let flags = [
        (cache.self_init, "self-initializing"),
        (cache.no_invd_sharing, "WBINVD does not affect lower-level caches of other threads"),
        (cache.inclusive, "inclusive"),
        (cache.complex_indexing, "complex indexing"),
    ];
    let mut parts = vec![cache.kind.name().to_owned()];
    let present = numbers.into_iter().filter(|(number, ..)| *number != 0_u64);
    parts.extend(present.map(|(number, before, after)| format!("{before}{number}{after}")));
    parts.extend(cache.shared_by.iter().map(|level| format!("one per {level}")));
    parts.extend(flags.into_iter().filter(|(is, _)| *is).map(|(_, text)| text.to_owned()));
    parts.join(", ")
}
