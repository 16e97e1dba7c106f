//! `cpuid_bits[]` of scattered.c: features that Linux collects from all over CPUID.

use super::Reader;
use super::reverse_cpuid::integer32;
use crate::c::declare::{find_struct, find_table, inside};
use crate::c::init::{Field, Init, parse_list};
use crate::c::lexer::Kind;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::Scattered;
use crate::location::{Bit, CpuidWord, Leaf, Location, Subleaf};
use crate::source::Span;

/// More rows than this no table of the kernel's has.
pub(super) const MAX_ROWS: u64 = 4096;

impl<'a> Reader<'a, '_> {
    /// Reads the table.
    pub(super) fn scattered(&mut self, unit: &Unit<'a>) {
        let rows = self.scattered_rows(unit);
        self.facts.scattered = self.diagnostics.take(rows).unwrap_or_default();
    }

    fn scattered_rows(&mut self, unit: &Unit<'a>) -> Result<Vec<Scattered>, Diagnostic> {
        let (table, order) = self.table_of(unit, "cpuid_bits", "cpuid_bit")?;
        let mut rows = Vec::new();
        for (_, row) in table.elements(MAX_ROWS, &self.environment(unit, table.at))? {
            let row = self.scattered_row(unit, row, &order);
            rows.extend(self.diagnostics.take(row).flatten());
        }
        Ok(rows)
    }

    /// A table whose rows are structs that the same file defines, and the order of their fields.
    pub(super) fn table_of<'t>(
        &self,
        unit: &'t Unit<'a>,
        table: &str,
        row: &str,
    ) -> Result<(Init<'t, 'a>, Vec<&'t str>), Diagnostic> {
        let Some((open, at)) = find_table(unit, table) else {
            let whole = self.sources.span(unit.file, 0, 0);
            return Err(Diagnostic::error(whole, format!("`{table}[]` is not defined here")));
        };
        let order = struct_order(unit, row, at)?;
        Ok((parse_list(inside(&unit.tokens, open)?, at)?, order))
    }

    fn scattered_row(
        &self,
        unit: &Unit<'a>,
        row: &Init<'_, 'a>,
        order: &[&str],
    ) -> Result<Option<Scattered>, Diagnostic> {
        let environment = self.environment(unit, row.at);
        let fields = row.fields(order)?;
        let Some((name, at)) = feature_name(row, fields.get("feature"))? else { return Ok(None) };
        let field = |name: &str| {
            let field = fields.get(name).map(|field| field.value);
            field.ok_or_else(|| Diagnostic::error(row.at, format!("`{name}` is missing")))
        };
        let bit = integer32(field("bit")?, &environment)?;
        let bit = u8::try_from(bit).ok().filter(|bit| *bit < 32);
        let bit = bit.ok_or_else(|| Diagnostic::error(row.at, "the bit is above 31"))?;
        let word = CpuidWord {
            leaf: Leaf(integer32(field("level")?, &environment)?),
            subleaf: Subleaf(integer32(field("sub_leaf")?, &environment)?),
            register: self.register(field("reg")?)?,
        };
        Ok(Some(Scattered { name, location: Location { word, bit: Bit(bit) }, at }))
    }
}

/// The fields of a struct that the same file defines.
pub(super) fn struct_order<'t>(unit: &'t Unit<'_>, name: &str, at: Span) -> Result<Vec<&'t str>, Diagnostic> {
    let order = find_struct(unit, name)?;
    order.ok_or_else(|| Diagnostic::error(at, format!("`struct {name}` is not defined in the same file")))
}

/// The feature that a field names, without its prefix; none in the row of zeros, or the empty one, that ends a table.
pub(super) fn feature_name(
    row: &Init<'_, '_>,
    field: Option<&Field<'_, '_, '_>>,
) -> Result<Option<(String, Span)>, Diagnostic> {
    let Some(field) = field else { return Ok(None) };
    match field.value.scalar()? {
        [zero] if zero.kind == Kind::Number && zero.text == "0" => Ok(None),
        [one] if one.kind == Kind::Ident && one.text.starts_with("X86_FEATURE_") => {
            Ok(Some((one.text["X86_FEATURE_".len()..].to_owned(), one.span)))
        }
        _ => Err(Diagnostic::error(row.at, "expected an X86_FEATURE_* macro")),
    }
}
