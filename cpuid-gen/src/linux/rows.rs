//! Tables whose rows are structs, and the values that several of them have: features and registers.

use super::reader::Reader;
use crate::c::declare::{find_enum, find_struct, find_table, inside};
use crate::c::init::{Field, Init, parse_list};
use crate::c::lexer::Kind;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::location::Register;
use crate::source::Span;

/// Maximum number of rows; no table of the kernel comes close.
pub(super) const MAX_ROWS: u64 = 4096;

impl<'a> Reader<'a, '_> {
    /// Reads the enum of CPUID's registers.
    pub(super) fn register_enum(&mut self, unit: &Unit<'a>) {
        for name in ["cpuid_regs_idx", "cpuid_regs"] {
            let macros = &self.preprocessor.macros;
            let found = find_enum(unit, name, macros, &mut self.names, self.diagnostics);
            self.registers.extend(found.unwrap_or_default());
        }
    }

    /// The register that a field names: a single enumerator whose name ends in the register's.
    pub(super) fn register(&self, value: &Init<'_, '_>) -> Result<Register, Diagnostic> {
        let name = match value.scalar()? {
            [one] if one.kind == Kind::Ident && self.registers.iter().any(|known| known.name == one.text) => {
                one
            }
            _ => return Err(Diagnostic::error(value.at, "expected a CPUID register's enumerator")),
        };
        let register = name.text.rsplit('_').next().unwrap_or_default();
        register.parse().map_err(|_| {
            Diagnostic::error(
                name.span,
                format!("`{}` does not name a register: expected EAX, EBX, ECX or EDX", name.text),
            )
        })
    }

    /// A table whose rows are structs defined in the same file, and the order of their fields.
    pub(super) fn table_of<'t>(
        &self,
        unit: &'t Unit<'a>,
        table: &str,
        row: &str,
    ) -> Result<(Init<'t, 'a>, Vec<&'t str>), Diagnostic> {
        let Some((open, at)) = find_table(unit, table) else {
            let whole = self.sources.span(unit.file, 0, 0);
            return Err(Diagnostic::error(whole, format!("this file does not define `{table}[]`")));
        };
        let order = struct_order(unit, row, at)?;
        Ok((parse_list(inside(&unit.tokens, open)?, at)?, order))
    }
}

/// The names of the fields of a struct defined in the same file.
pub(super) fn struct_order<'t>(unit: &'t Unit<'_>, name: &str, at: Span) -> Result<Vec<&'t str>, Diagnostic> {
    let order = find_struct(unit, name)?;
    order.ok_or_else(|| Diagnostic::error(at, format!("this file does not define `struct {name}`")))
}

/// The feature that a field names, without its prefix; `None` in the zero or empty row that terminates a table.
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
