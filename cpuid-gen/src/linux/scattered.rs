//! `cpuid_bits[]` of scattered.c: features from registers without a word of their own.

use super::reader::Reader;
use super::rows::{MAX_ROWS, feature_name};
use crate::c::init::Init;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::Scattered;
use crate::location::{Bit, CpuidWord, Leaf, Location, Subleaf};

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
        let bit = field("bit")?.integer32(&environment)?;
        let bit = u8::try_from(bit).ok().filter(|bit| *bit < 32);
        let bit = bit.ok_or_else(|| Diagnostic::error(row.at, "the bit is greater than 31"))?;
        let word = CpuidWord {
            leaf: Leaf(field("level")?.integer32(&environment)?),
            subleaf: Subleaf(field("sub_leaf")?.integer32(&environment)?),
            register: self.register(field("reg")?)?,
        };
        Ok(Some(Scattered { name, location: Location { word, bit: Bit(bit) }, at }))
    }
}
