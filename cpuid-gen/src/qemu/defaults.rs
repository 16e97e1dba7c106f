//! `kvm_default_props[]` and TCG's table: properties that an accelerator sets in every CPU model except `host` and
//! `max`.
//!
//! Both are lists of names and values that end with null pointers. They are in cpu.c, and since 6.1 in kvm/kvm-cpu.c
//! and tcg/tcg-cpu.c. Code changes KVM's table before its use: `x2apic` and `kvm-msi-ext-dest-id` follow the
//! interrupt controller, and old machine types drop some properties (`kvm-default` among the compatibility
//! properties). TCG's table exists since 2.8.

use super::property_name::property_name;
use super::reader::Reader;
use crate::c::declare::{find_table, inside};
use crate::c::expand::expand;
use crate::c::init::parse_list;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::QemuDefault;

impl<'a> Reader<'a, '_> {
    /// Reads both; `cpu` is cpu.c, the other units are the files that contain the tables since 6.1. Without such a file,
    /// TCG's table may be missing if nothing in cpu.c mentions it.
    pub(super) fn defaults(&mut self, cpu: &Unit<'a>, kvm: Option<&Unit<'a>>, tcg: Option<&Unit<'a>>) {
        let kvm = self.default_table(kvm.unwrap_or(cpu), &["kvm_default_props"], false);
        self.facts.kvm_defaults = self.diagnostics.take(kvm).unwrap_or_default();
        let names = ["x86_tcg_default_props", "tcg_default_props"];
        let text = &self.sources[cpu.file].text;
        let optional = tcg.is_none() && !names.iter().any(|name| text.contains(name));
        let tcg = self.default_table(tcg.unwrap_or(cpu), &names, optional);
        self.facts.tcg_defaults = self.diagnostics.take(tcg).unwrap_or_default();
    }

    /// The rows of the first of these tables; an `optional` table may be missing.
    fn default_table(
        &self,
        unit: &Unit<'a>,
        names: &[&str],
        optional: bool,
    ) -> Result<Vec<QemuDefault>, Diagnostic> {
        let Some((open, at)) = names.iter().find_map(|name| find_table(unit, name)) else {
            if optional {
                return Ok(Vec::new());
            }
            let whole = self.sources.span(unit.file, 0, 0);
            return Err(Diagnostic::error(
                whole,
                format!("expected `{}[]` in this file", names.join("[]` or `")),
            ));
        };
        let tokens = expand(inside(&unit.tokens, open)?, &self.preprocessor.macros, unit.moment(at))?;
        let table = parse_list(&tokens, at)?;
        let mut rows = Vec::new();
        for row in table.items()? {
            let fields = row.fields(&["prop", "value"])?;
            let missing = || Diagnostic::error(row.at, "expected a name and a value");
            let property = fields.get("prop").ok_or_else(missing)?.value;
            let value = fields.get("value").ok_or_else(missing)?.value.string()?;
            // Null pointers terminate the table.
            if property.string()?.is_some() {
                rows.push(QemuDefault { property: property_name(property)?, value, at: row.at });
            }
        }
        Ok(rows)
    }
}
