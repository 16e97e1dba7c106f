//! Tables of `GlobalProperty { driver, property, value }`: properties that a machine type sets in devices.
//!
//! Only those that address CPUs are kept. A driver is the name of a QOM type, and a CPU of the 64-bit PC is a
//! `NAME-x86_64-cpu`, whose parents are `x86_64-cpu`, `cpu`, `device` and `object`. Every header that names x86's CPU
//! types is read, so a `TYPE_*` that is defined in none of them, and that has no `CPU` in it, is another device.

use super::property_name::property_name;
use crate::c::expand::expand;
use crate::c::init::{Init, parse_list};
use crate::c::lexer::{Kind, Token, string_value};
use crate::c::macros::{Macros, Moment};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The QOM type of all x86 CPUs, which ends the names of the models' types.
pub(super) const CPU_TYPE: &str = "x86_64-cpu";

/// What every CPU is besides.
const PARENTS: [&str; 3] = ["cpu", "device", "object"];

/// The struct's fields. Others follow that no table sets without naming them.
const FIELDS: [&str; 4] = ["driver", "property", "value", "optional"];

/// A row that addresses CPUs.
#[derive(Clone, Debug)]
pub(super) struct Global {
    /// The QOM type.
    pub(super) of: String,
    /// The property.
    pub(super) property: String,
    /// Its value; none where the table has a null pointer.
    pub(super) value: Option<String>,
    /// Its place.
    pub(super) at: Span,
}

impl Global {
    /// True when both set the same.
    pub(super) fn same(&self, other: &Global) -> bool {
        self.of == other.of && self.property == other.property && self.value == other.value
    }
}

/// The rows that stand in `tokens`, the inside of a table's braces.
pub(super) fn globals(
    tokens: &[Token<'_>],
    at: Span,
    macros: &Macros<'_>,
    moment: Moment,
) -> Result<Vec<Global>> {
    let tokens = expand(tokens, macros, moment)?;
    let table = parse_list(&tokens, at)?;
    let mut rows = Vec::new();
    for row in table.items()? {
        // An empty row ends a list.
        if row.is_empty() {
            continue;
        }
        let fields = row.fields(&FIELDS)?;
        let field = |name: &str| {
            let missing = || Diagnostic::error(row.at, format!("a property without its `{name}`"));
            fields.get(name).map(|field| field.value).ok_or_else(missing)
        };
        let Some(of) = cpu_type(field("driver")?)? else { continue };
        let property = property_name(field("property")?)?;
        rows.push(Global { of, property, value: field("value")?.string()?, at: row.at });
    }
    Ok(rows)
}

/// The QOM type, if it is one of a CPU's.
fn cpu_type(driver: &Init<'_, '_>) -> Result<Option<String>> {
    let tokens = driver.scalar()?;
    if let Some(unknown) = tokens.iter().find(|token| token.kind != Kind::Str) {
        if unknown.text.starts_with("TYPE_") && !unknown.text.contains("CPU") {
            return Ok(None);
        }
        let message = format!("`{}` is not a type that is known", unknown.text);
        return Err(Diagnostic::error(unknown.span, message));
    }
    let of = string_value(tokens).map_err(|(at, why)| Diagnostic::error(at, why))?;
    let model = of.strip_suffix(CPU_TYPE).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'));
    Ok((model || PARENTS.contains(&of.as_str())).then_some(of))
}
