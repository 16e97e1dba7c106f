//! `cpuid_deps[]` of cpuid-deps.c: which feature needs which, as Linux clears them.

use super::Reader;
use super::scattered::{feature_name, struct_order};
use crate::c::declare::{find_table, inside};
use crate::c::init::parse_list;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::LinuxDep;

/// More rows than this no table of the kernel's has.
const MAX_ROWS: u64 = 4096;

impl<'a> Reader<'a, '_> {
    /// Reads the table.
    pub(super) fn deps(&mut self, unit: &Unit<'a>) {
        let rows = self.dep_rows(unit);
        self.facts.deps = self.diagnostics.take(rows).unwrap_or_default();
    }

    fn dep_rows(&mut self, unit: &Unit<'a>) -> Result<Vec<LinuxDep>, Diagnostic> {
        let Some((open, at)) = find_table(unit, "cpuid_deps") else {
            let whole = self.sources.span(unit.file, 0, 0);
            return Err(Diagnostic::error(whole, "`cpuid_deps[]` is not defined here"));
        };
        let order = struct_order(unit, "cpuid_dep", at)?;
        let table = parse_list(inside(&unit.tokens, open)?, at)?;
        let mut rows = Vec::new();
        for (_, row) in table.elements(MAX_ROWS, &self.environment(unit, at))? {
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
