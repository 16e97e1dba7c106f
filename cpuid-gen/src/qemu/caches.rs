//! The caches of cpu.c: those of CPU models, the legacy caches, and the bytes of leaf 2.
//!
//! A variable of type `CPUCaches` (2.12 and later) has four caches. Variables named `legacy_*` and variables of type
//! `CPUCacheInfo` are used by models that define no caches.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::Reader;
use crate::c::declare::{find_definition, find_table, inside};
use crate::c::expand::expand;
use crate::c::expr::{Environment, evaluate_expanded};
use crate::c::init::{Init, parse_list};
use crate::c::lexer::Kind;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{Cache, CacheKind, CacheSlot, QemuCache, QemuCacheDescriptor, QemuLegacyCache};
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Fields of `struct CPUCaches`, in order.
const SLOTS: [(&str, CacheSlot); 4] = [
    ("l1d_cache", CacheSlot::L1d),
    ("l1i_cache", CacheSlot::L1i),
    ("l2_cache", CacheSlot::L2),
    ("l3_cache", CacheSlot::L3),
];

/// Fields of `struct CPUCacheInfo`, in order.
const FIELDS: [&str; 13] = [
    "type",
    "level",
    "size",
    "line_size",
    "associativity",
    "partitions",
    "sets",
    "lines_per_tag",
    "self_init",
    "no_invd_sharing",
    "inclusive",
    "complex_indexing",
    "share_level",
];

/// Enumerators of `enum CacheType`: the current ones, then those of 2.12.
const KINDS: [(&str, CacheKind); 5] = [
    ("DATA_CACHE", CacheKind::Data),
    ("INSTRUCTION_CACHE", CacheKind::Instruction),
    ("UNIFIED_CACHE", CacheKind::Unified),
    ("DCACHE", CacheKind::Data),
    ("ICACHE", CacheKind::Instruction),
];

/// Prefixes of the enumerators for the CPUs that share a cache.
const SHARE_PREFIXES: [&str; 2] = ["CPU_TOPOLOGY_LEVEL_", "CPU_TOPO_LEVEL_"];

impl<'a> Reader<'a, '_> {
    /// Reads every variable of type `CPUCaches` and `CPUCacheInfo`.
    pub(super) fn caches(&mut self, unit: &Unit<'a>) {
        let starts: Vec<usize> = (0..unit.tokens.len().saturating_sub(3)).collect();
        for start in starts {
            let [of, name, equals, open] = &unit.tokens[start..start + 4] else { continue };
            if of.kind != Kind::Ident || !equals.is("=") || !open.is("{") {
                continue;
            }
            let at = name.span;
            let read = match of.text.as_ref() {
                "CPUCaches" => self.cache_variable(unit, start + 3, at, true),
                "CPUCacheInfo" => self.cache_variable(unit, start + 3, at, false),
                _ => continue,
            };
            if let Some((four, one)) = self.diagnostics.take(read) {
                let name = name.text.clone().into_owned();
                if let Some(cache) = one {
                    self.facts.legacy_caches.push(QemuLegacyCache { name, slot: None, cache, at });
                } else {
                    self.caches.insert(name, four);
                }
            }
        }
    }

    /// Reads the `CPUCaches` named `legacy_*`, which are used by models that define no caches.
    pub(super) fn legacy_caches(&mut self, unit: &Unit<'a>) {
        let mut legacy: BTreeMap<Span, (&String, &Vec<QemuCache>)> = BTreeMap::new();
        let named: BTreeSet<&str> = unit
            .tokens
            .windows(4)
            .filter(|window| window[0].is_ident("cache_info") && window[2].is("&"))
            .map(|window| window[3].text.as_ref())
            .collect();
        for (name, caches) in &self.caches {
            let Some(first) = caches.first() else { continue };
            if name.starts_with("legacy_") {
                legacy.insert(first.at, (name, caches));
            } else if !named.contains(name.as_str()) {
                let message =
                    format!("`{name}` is not used by a CPU model, and its name does not start with legacy_");
                self.diagnostics.error(first.at, message);
            }
        }
        for (name, caches) in legacy.into_values() {
            self.facts.legacy_caches.extend(caches.iter().cloned().map(|QemuCache { slot, cache, at }| {
                QemuLegacyCache { name: name.clone(), slot: Some(slot), cache, at }
            }));
        }
    }

    /// A variable's caches: all four, or the only one.
    fn cache_variable(
        &self,
        unit: &Unit<'a>,
        open: usize,
        at: Span,
        four: bool,
    ) -> Result<(Vec<QemuCache>, Option<Cache>)> {
        let tokens = expand(inside(&unit.tokens, open)?, &self.preprocessor.macros, unit.moment(at))?;
        let list = parse_list(&tokens, at)?;
        let environment = self.environment(unit, at);
        if !four {
            return cache(&list, &environment).map(|cache| (Vec::new(), Some(cache)));
        }
        let row = list.fields(&SLOTS.map(|(name, _)| name))?;
        let mut caches = Vec::new();
        for (name, slot) in SLOTS {
            let Some(field) = row.get(name) else { continue };
            // 2.12 has the four caches in the struct itself; later releases have pointers to them.
            let cache = cache(&field.value.compound()?, &environment)?;
            caches.push(QemuCache { slot, cache, at: field.value.at });
        }
        Ok((caches, None))
    }

    /// Reads `cpuid2_cache_descriptors[]`, which exists since 2.12.
    pub(super) fn cache_descriptors(&mut self, unit: &Unit<'a>) {
        let Some((open, at)) = find_table(unit, "cpuid2_cache_descriptors") else {
            if let Some(defined) = find_definition(unit, "struct", "CPUID2CacheDescriptorInfo") {
                let message = "the table for this struct, `cpuid2_cache_descriptors[]`, was not found";
                self.diagnostics.error(unit.tokens[defined - 1].span, message);
            }
            return;
        };
        let Some(tokens) = self.table_tokens(unit, open, at) else { return };
        let Some(table) = self.diagnostics.take(parse_list(&tokens, at)) else { return };
        let environment = self.environment(unit, at);
        let rows = table.elements(256, &environment);
        let rows: Vec<_> = rows
            .and_then(|rows| {
                rows.into_iter().map(|(byte, row)| descriptor(byte, row, &environment)).collect()
            })
            .map_err(|error| self.diagnostics.push(error))
            .unwrap_or_default();
        self.facts.cache_descriptors = rows;
    }
}

fn descriptor(
    byte: u64,
    row: &Init<'_, '_>,
    environment: &Environment<'_, '_>,
) -> Result<QemuCacheDescriptor> {
    let fields = row.fields(&["type", "level", "size", "line_size", "associativity"])?;
    let get = |name: &str| fields.get(name).map(|field| field.value);
    let value = |name: &str| get(name).map_or(Ok(0), |value| value.integer32(environment));
    Ok(QemuCacheDescriptor {
        byte: u8::try_from(byte).unwrap_or(u8::MAX),
        kind: kind(get("type"), row.at)?,
        level: value("level")?,
        size: get("size").map_or(Ok(0), |value| bytes(value, environment))?,
        line_size: value("line_size")?,
        associativity: value("associativity")?,
        at: row.at,
    })
}

/// A size: an integer expression, or a decimal fraction times an integer, as in `1.5 * MiB`.
fn bytes(value: &Init<'_, '_>, environment: &Environment<'_, '_>) -> Result<u32> {
    let [fraction, times, unit @ ..] = value.scalar()? else { return value.integer32(environment) };
    let Some((whole, digits)) = fraction.text.split_once('.').filter(|_| times.is("*")) else {
        return value.integer32(environment);
    };
    let scale = u32::try_from(digits.len()).ok().and_then(|digits| 10u64.checked_pow(digits));
    let unit = u64::try_from(evaluate_expanded(unit, value.at, environment)?.number()).ok();
    let tenths = format!("{whole}{digits}").parse::<u64>().ok();
    let product = tenths.zip(unit).and_then(|(tenths, unit)| tenths.checked_mul(unit));
    product
        .zip(scale)
        .filter(|(product, scale)| product % scale == 0)
        .and_then(|(product, scale)| u32::try_from(product / scale).ok())
        .ok_or_else(|| Diagnostic::error(value.at, "expected a whole number of bytes that fits into 32 bits"))
}

fn kind(value: Option<&Init<'_, '_>>, at: Span) -> Result<CacheKind> {
    // In C, a missing field has the value 0, which is the enumerator for data.
    let Some(value) = value else { return Err(Diagnostic::error(at, "this cache has no type")) };
    let name = value.reference()?;
    KINDS.iter().find(|(known, _)| *known == name.text).map(|(_, kind)| *kind).ok_or_else(|| {
        let known = KINDS.map(|(name, _)| name).join(", ");
        Diagnostic::error(name.span, format!("`{}` is not a cache type: expected one of {known}", name.text))
    })
}

fn cache(list: &Init<'_, '_>, environment: &Environment<'_, '_>) -> Result<Cache> {
    let fields = list.fields(&FIELDS)?;
    let get = |name: &str| fields.get(name).map(|field| field.value);
    let value = |name: &str| get(name).map_or(Ok(0), |value| value.integer32(environment));
    let truth = |name: &str| get(name).map_or(Ok(false), |value| value.truth(environment));
    Ok(Cache {
        kind: kind(get("type"), list.at)?,
        level: value("level")?,
        size: get("size").map_or(Ok(0), |value| bytes(value, environment))?.into(),
        line_size: value("line_size")?,
        associativity: value("associativity")?,
        partitions: value("partitions")?,
        sets: value("sets")?,
        lines_per_tag: value("lines_per_tag")?,
        self_init: truth("self_init")?,
        no_invd_sharing: truth("no_invd_sharing")?,
        inclusive: truth("inclusive")?,
        complex_indexing: truth("complex_indexing")?,
        share_level: get("share_level").map(share_level).transpose()?,
    })
}

/// `core` of `CPU_TOPOLOGY_LEVEL_CORE`.
fn share_level(value: &Init<'_, '_>) -> Result<String> {
    let name = value.reference()?;
    let level = SHARE_PREFIXES.iter().find_map(|prefix| name.text.strip_prefix(prefix));
    let level = level.ok_or_else(|| Diagnostic::error(name.span, "expected a CPU_TOPOLOGY_LEVEL_*"))?;
    Ok(level.to_ascii_lowercase())
}
