//! `feature_dependencies[]` of cpu.c, since 4.1, and `x86_ext_save_areas[]`, since 2.6. Since 11.0 a component of the
//! latter has several features, any of which enables it; each is a row.

use super::reader::Reader;
use crate::c::declare::{find_definition, find_struct, find_table};
use crate::c::expr::Environment;
use crate::c::init::{Init, InitKind, parse_list};
use crate::c::layout::Layouts;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuDep, QemuXsave};
use crate::location::Bit;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Types from other headers that the XSAVE structs use: name, size, alignment (fpu/softfloat-types.h).
const FOREIGN: [(&str, u64, u64); 3] = [("floatx80", 16, 8), ("float64", 8, 8), ("float32", 4, 4)];

impl<'a> Reader<'a, '_> {
    /// Reads `feature_dependencies[]`.
    pub(super) fn deps(&mut self, unit: &Unit<'a>) {
        let Some((open, at)) = find_table(unit, "feature_dependencies") else {
            if let Some(defined) = find_definition(unit, "struct", "FeatureDep") {
                let message = "the table for this struct, `feature_dependencies[]`, was not found";
                self.diagnostics.error(unit.tokens[defined - 1].span, message);
            }
            return;
        };
        let Some(tokens) = self.table_tokens(unit, open, at) else { return };
        let Some(table) = self.diagnostics.take(parse_list(&tokens, at)) else { return };
        let InitKind::List(items) = &table.kind else { return };
        for item in items {
            let environment = self.environment(unit, at);
            let read = self.dep(&item.value, &environment);
            if let Some(dep) = self.diagnostics.take(read) {
                self.facts.deps.push(dep);
            }
        }
    }

    fn dep(&self, row: &Init<'_, 'a>, environment: &Environment<'_, 'a>) -> Result<QemuDep> {
        let fields = row.fields(&["from", "to"])?;
        let side = |name: &str| {
            let field = fields.get(name).map(|field| field.value);
            let mask = field.ok_or_else(|| Diagnostic::error(row.at, format!("`{name}` is missing")))?;
            self.feature_mask(mask, environment)
        };
        Ok(QemuDep { from: side("from")?, to: side("to")?, at: row.at })
    }

    /// `{ FEAT_1_ECX, bits }`
    fn feature_mask(&self, init: &Init<'_, 'a>, environment: &Environment<'_, 'a>) -> Result<(String, u64)> {
        let fields = init.fields(&["index", "mask"])?;
        let get = |name: &str| {
            let field = fields.get(name).map(|field| field.value);
            field.ok_or_else(|| Diagnostic::error(init.at, format!("`{name}` is missing")))
        };
        let index = get("index")?;
        let word = self.word_of(index, environment)?;
        Ok((word, get("mask")?.integer(environment)?.to(self.feature_type).as_u64()))
    }

    /// The feature word with this number.
    fn word_of(&self, index: &Init<'_, 'a>, environment: &Environment<'_, 'a>) -> Result<String> {
        let number = index.integer(environment)?.number();
        let word = self.words.iter().find(|word| word.value == number);
        word.map(|word| word.name.clone())
            .ok_or_else(|| Diagnostic::error(index.at, format!("{number} is not a feature word")))
    }

    /// Reads `x86_ext_save_areas[]`; `header` defines the structs whose sizes it uses.
    pub(super) fn xsave(&mut self, unit: &Unit<'a>, header: &Unit<'a>) {
        let Some((open, at)) = find_table(unit, "x86_ext_save_areas") else {
            let defined = [unit, header].into_iter().find_map(|unit| {
                find_definition(unit, "struct", "ExtSaveArea").map(|open| unit.tokens[open - 1].span)
            });
            // 2.5 has a table of another name, with literal offsets.
            let older = find_table(unit, "ext_save_areas").is_some();
            if let Some(defined) = defined.filter(|_| !older) {
                self.diagnostics
                    .error(defined, "the table for this struct, `x86_ext_save_areas[]`, was not found");
            }
            return;
        };
        let Some(tokens) = self.table_tokens(unit, open, at) else { return };
        let mut layouts = Layouts::new(header, &FOREIGN);
        let tokens = layouts.numbers(&tokens, &self.preprocessor.macros);
        let Some(tokens) = self.diagnostics.take(tokens) else { return };
        let Some(table) = self.diagnostics.take(parse_list(&tokens, at)) else { return };
        let environment = self.environment(unit, at);
        let areas = area_fields(unit, header, at).and_then(|order| self.areas(&table, &order, &environment));
        match areas {
            Ok(areas) => self.facts.xsave = areas,
            Err(error) => self.diagnostics.push(error),
        }
    }

    fn areas(
        &self,
        table: &Init<'_, 'a>,
        order: &[&str],
        environment: &Environment<'_, 'a>,
    ) -> Result<Vec<QemuXsave>> {
        let mut areas = Vec::new();
        for (component, row) in table.elements(64, environment)? {
            areas.extend(self.area(component, row, order, environment)?);
        }
        Ok(areas)
    }

    /// The rows of a component: one for each feature that enables it.
    fn area(
        &self,
        component: u64,
        row: &Init<'_, 'a>,
        order: &[&str],
        environment: &Environment<'_, 'a>,
    ) -> Result<Vec<QemuXsave>> {
        let fields = row.fields(order)?;
        let get = |name: &str| fields.get(name).map(|field| field.value);
        let need =
            |name: &str| get(name).ok_or_else(|| Diagnostic::error(row.at, format!("`{name}` is missing")));
        let size = need("size")?.integer32(environment)?;
        let offset = get("offset").map(|value| value.integer32(environment)).transpose()?;
        let component = u8::try_from(component).unwrap_or(u8::MAX);
        let area = |word: String, bit: Bit| QemuXsave { component, word, bit, size, offset, at: row.at };
        if order.contains(&"features") {
            let features = need("features")?.elements(64, environment)?;
            let masks = features.into_values().map(|feature| {
                let (word, mask) = self.feature_mask(feature, environment)?;
                Ok(area(word, single_bit(mask, feature.at)?))
            });
            return masks.collect();
        }
        let bits = need("bits")?;
        let bit = single_bit(u64::from(bits.integer32(environment)?), bits.at)?;
        Ok(vec![area(self.word_of(need("feature")?, environment)?, bit)])
    }
}

/// The names of the fields of `struct ExtSaveArea`, which is in cpu.c before 6.1.
fn area_fields<'t>(unit: &'t Unit<'_>, header: &'t Unit<'_>, at: Span) -> Result<Vec<&'t str>> {
    let found = find_struct(header, "ExtSaveArea")?;
    let found = if found.is_none() { find_struct(unit, "ExtSaveArea")? } else { found };
    found.ok_or_else(|| Diagnostic::error(at, "neither cpu.h nor this file defines `struct ExtSaveArea`"))
}

fn single_bit(mask: u64, at: Span) -> Result<Bit> {
    if !mask.is_power_of_two() {
        return Err(Diagnostic::error(at, format!("{mask:#x} is not a single bit")));
    }
    Ok(Bit(u8::try_from(mask.trailing_zeros()).unwrap_or(u8::MAX)))
}
