//! Tables of `GlobalProperty { driver, property, value }`: properties that a machine type sets in devices.
//!
//! Only rows that apply to CPUs are kept. A driver is the name of a QOM type. A CPU of the 64-bit PC is a
//! `NAME-x86_64-cpu`, with the parents `x86_64-cpu`, `cpu`, `device` and `object`. Every header that names x86's CPU
//! types is read, so a `TYPE_*` that no header defines and that does not contain `CPU` is another device.

use super::property_name::property_name;
use crate::c::expand::expand;
use crate::c::init::{Init, parse_list};
use crate::c::lexer::{Kind, Token, string_value};
use crate::c::macros::{Macros, Moment};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The QOM type of all x86 CPUs, and the suffix of the models' types.
pub(super) const CPU_TYPE: &str = "x86_64-cpu";

/// The parent types of all CPUs.
const PARENTS: [&str; 3] = ["cpu", "device", "object"];

/// The struct's fields, without the later ones, which tables set only by name.
const FIELDS: [&str; 4] = ["driver", "property", "value", "optional"];

/// A row that applies to CPUs.
#[derive(Clone, Debug)]
pub(super) struct Global {
    /// The QOM type.
    pub(super) of: String,
    /// The property.
    pub(super) property: String,
    /// Its value; `None` for a null pointer.
    pub(super) value: Option<String>,
    /// Its place.
    pub(super) at: Span,
}

impl Global {
    /// True if both set the same property of the same type to the same value.
    pub(super) fn same(&self, other: &Global) -> bool {
        self.of == other.of && self.property == other.property && self.value == other.value
    }
}

/// The rows in `tokens`, the inside of a table's braces.
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
        // An empty row terminates a list.
        if row.is_empty() {
            continue;
        }
        let fields = row.fields(&FIELDS)?;
        let field = |name: &str| {
            let missing = || Diagnostic::error(row.at, format!("this property has no `{name}`"));
            fields.get(name).map(|field| field.value).ok_or_else(missing)
        };
        let Some(of) = cpu_type(field("driver")?)? else { continue };
        let property = property_name(field("property")?)?;
        rows.push(Global { of, property, value: field("value")?.string()?, at: row.at });
    }
    Ok(rows)
}

/// The QOM type, if it is a CPU's.
fn cpu_type(driver: &Init<'_, '_>) -> Result<Option<String>> {
    let tokens = driver.scalar()?;
    if let Some(unknown) = tokens.iter().find(|token| token.kind != Kind::Str) {
        if unknown.text.starts_with("TYPE_") && !unknown.text.contains("CPU") {
            return Ok(None);
        }
        let message = format!("unknown type `{}`", unknown.text);
        return Err(Diagnostic::error(unknown.span, message));
    }
    let of = string_value(tokens).map_err(|(at, why)| Diagnostic::error(at, why))?;
    // Also a type that no CPU has, such as a model without a hyphen: it is reported, not lost.
    Ok((of.ends_with(CPU_TYPE) || PARENTS.contains(&of.as_str())).then_some(of))
}
