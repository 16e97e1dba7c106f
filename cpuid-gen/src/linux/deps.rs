//! `cpuid_deps[]` of cpuid-deps.c: which features need which, as used by Linux to clear them.

use super::reader::Reader;
use super::rows::{MAX_ROWS, feature_name};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::LinuxDep;

impl<'a> Reader<'a, '_> {
    /// Reads the table.
    pub(super) fn deps(&mut self, unit: &Unit<'a>) {
        let rows = self.dep_rows(unit);
        self.facts.deps = self.diagnostics.take(rows).unwrap_or_default();
    }

    fn dep_rows(&mut self, unit: &Unit<'a>) -> Result<Vec<LinuxDep>, Diagnostic> {
        let (table, order) = self.table_of(unit, "cpuid_deps", "cpuid_dep")?;
        let mut rows = Vec::new();
        for (_, row) in table.elements(MAX_ROWS, &self.environment(unit, table.at))? {
            let fields = row.fields(&order)?;
            let name = feature_name(row, fields.get("feature"))?;
            let needs = feature_name(row, fields.get("depends"))?;
            match (name, needs) {
                (Some((name, at)), Some((needs, _))) => rows.push(LinuxDep { name, needs, at }),
                (None, None) => {}
                _ => self.diagnostics.error(row.at, "expected two features, or none"),
            }
        }
        Ok(rows)
    }
}
