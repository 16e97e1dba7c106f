//! Rows of CPU models, their caches, dependencies and XSAVE components.

use crate::diagnostic::Diagnostic;
use crate::facts::columns::{Columns, unknown_kind};
use crate::facts::{
    Cache, CacheKind, CacheSlot, QemuCache, QemuCacheDescriptor, QemuDep, QemuFacts, QemuLegacyCache,
    QemuModel, QemuModelVersion, QemuModelWord, QemuProp, QemuXsave,
};
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Adds a `qemu-model*` row, which must follow its model's `qemu-model` row and, if it has one, its version's row.
pub(super) fn model_row(facts: &mut QemuFacts, kind: &str, at: Span, c: &mut Columns<'_>) -> Result<()> {
    let name = c.name("NAME")?;
    if kind == "qemu-model" {
        facts.models.push(model(name, c, at)?);
        return Ok(());
    }
    let Some(model) = facts.models.last_mut().filter(|model| model.name == name) else {
        return Err(Diagnostic::error(
            at,
            format!("this row must be below the `qemu-model` row of `{name}`"),
        ));
    };
    match kind {
        "qemu-model-avx10" => model.avx10 = Some(c.byte("AVX10")?),
        "qemu-model-deprecated" => model.deprecated = Some(c.string("NOTE")?),
        "qemu-model-word" => {
            model.words.push(QemuModelWord { word: c.name("WORD")?, mask: c.hex("MASK")?, at });
        }
        "qemu-model-version" => model.versions.push(QemuModelVersion {
            version: c.decimal("VERSION", u32::MAX)?,
            alias: c.optional("ALIAS")?,
            note: c.optional_string("NOTE")?,
            props: Vec::new(),
            caches: Vec::new(),
            at,
        }),
        "qemu-model-prop" => {
            let version = version(model, c)?;
            version.props.push(QemuProp { name: c.name("PROPERTY")?, value: c.string("VALUE")?, at });
        }
        "qemu-model-cache" => {
            let caches = if c.none() { &mut model.caches } else { &mut version(model, c)?.caches };
            let slot = c.choice("cache", &CacheSlot::ALL)?;
            caches.push(QemuCache { slot, cache: cache(c)?, at });
        }
        _ => return Err(unknown_kind(kind, at, "a QEMU")),
    }
    Ok(())
}

/// Adds a row of another kind; false if the kind is not one of these.
pub(super) fn row(facts: &mut QemuFacts, kind: &str, at: Span, c: &mut Columns<'_>) -> Result<bool> {
    match kind {
        "qemu-dep" => {
            let from = (c.name("WORD")?, c.hex("MASK")?);
            facts.deps.push(QemuDep { from, to: (c.name("WORD")?, c.hex("MASK")?), at });
        }
        "qemu-xsave" => facts.xsave.push(QemuXsave {
            component: c.byte("COMPONENT")?,
            word: c.name("WORD")?,
            bit: c.bit(63)?,
            size: c.decimal("SIZE", u32::MAX)?,
            offset: if c.none() { None } else { Some(c.decimal("OFFSET", u32::MAX)?) },
            at,
        }),
        "qemu-cache" => facts.legacy_caches.push(QemuLegacyCache {
            name: c.name("NAME")?,
            slot: if c.none() { None } else { Some(c.choice("cache", &CacheSlot::ALL)?) },
            cache: cache(c)?,
            at,
        }),
        "qemu-cache-descriptor" => facts.cache_descriptors.push(QemuCacheDescriptor {
            byte: c.hex_byte("BYTE")?,
            kind: c.choice("cache's kind", &CacheKind::ALL)?,
            level: c.decimal("LEVEL", u32::MAX)?,
            size: c.decimal("SIZE", u32::MAX)?,
            line_size: c.decimal("LINE-SIZE", u32::MAX)?,
            associativity: c.decimal("ASSOCIATIVITY", u32::MAX)?,
            at,
        }),
        _ => return Ok(false),
    }
    Ok(true)
}

fn model(name: String, c: &mut Columns<'_>, at: Span) -> Result<QemuModel> {
    Ok(QemuModel {
        name,
        level: c.hex32("LEVEL")?,
        xlevel: c.hex32("XLEVEL")?,
        vendor: c.string("VENDOR")?,
        family: c.decimal("FAMILY", u32::MAX)?,
        model: c.decimal("MODEL", u32::MAX)?,
        stepping: c.decimal("STEPPING", u32::MAX)?,
        model_id: c.string("MODEL-ID")?,
        avx10: None,
        words: Vec::new(),
        caches: Vec::new(),
        versions: Vec::new(),
        deprecated: None,
        places: Vec::new(),
        at,
    })
}

/// The version of the row, which must be the last one read.
fn version<'m>(model: &'m mut QemuModel, c: &mut Columns<'_>) -> Result<&'m mut QemuModelVersion> {
    let (text, at) = c.text("VERSION")?;
    model.versions.last_mut().filter(|last| last.version.to_string() == text).ok_or_else(|| {
        Diagnostic::error(at, format!("this row must be below the `qemu-model-version` row of `{text}`"))
    })
}

/// Parses `KEY=VALUE` columns up to the end of the row.
fn cache(c: &mut Columns<'_>) -> Result<Cache> {
    let mut cache = Cache::new(CacheKind::Data);
    let mut seen: Vec<&str> = Vec::new();
    while c.rest().is_some() {
        let (text, at) = c.text("KEY=VALUE")?;
        let wrong = |what: &str| Diagnostic::error(at, format!("`{text}` {what}"));
        let (key, value) = text.split_once('=').ok_or_else(|| wrong("is not KEY=VALUE"))?;
        if seen.contains(&key) {
            return Err(wrong("repeats a key"));
        }
        seen.push(key);
        let number = || value.parse::<u32>().map_err(|_| wrong("is not a number"));
        let flag = || if value == "1" { Ok(true) } else { Err(wrong("must be 1 or absent")) };
        match key {
            "type" => {
                let kind = CacheKind::ALL.iter().find(|(_, name)| *name == value);
                cache.kind = kind
                    .ok_or_else(|| wrong("is not a cache type: expected data, instruction or unified"))?
                    .0;
            }
            "level" => cache.level = number()?,
            "size" => cache.size = value.parse().map_err(|_| wrong("is not a number"))?,
            "line-size" => cache.line_size = number()?,
            "associativity" => cache.associativity = number()?,
            "partitions" => cache.partitions = number()?,
            "sets" => cache.sets = number()?,
            "lines-per-tag" => cache.lines_per_tag = number()?,
            "self-init" => cache.self_init = flag()?,
            "no-invd-sharing" => cache.no_invd_sharing = flag()?,
            "inclusive" => cache.inclusive = flag()?,
            "complex-indexing" => cache.complex_indexing = flag()?,
            "share-level" => cache.share_level = Some(value.to_owned()),
            _ => return Err(wrong("has a key that is not a cache's")),
        }
    }
    if !seen.contains(&"type") {
        return Err(c.error("the row has no `type=`"));
    }
    Ok(cache)
}
