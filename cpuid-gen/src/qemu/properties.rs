//! The properties of `-cpu` other than the names in feature words: `x86_cpu_properties[]` and similar tables,
//! properties that code adds, and aliases.
//!
//! Rows are in the order of the table of all CPUs, the table of `max` (`host` before 2.9), and the code. A table's
//! row is a macro of qdev-properties.h, `DEFINE_PROP_KIND(NAME, STATE, FIELD, ...)`, or names its `.info` (2.8 to
//! 4.0). Properties of the classes of all devices or all CPUs are not included.

use super::property_name::property_name;
use super::reader::Reader;
use crate::c::Type;
use crate::c::declare::{close, find_function, find_table, inside, split_commas};
use crate::c::expand::expand;
use crate::c::expr::{Environment, evaluate_expanded};
use crate::c::init::parse_list;
use crate::c::lexer::{Kind, Token, string_value};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{QemuAlias, QemuProperty};
use crate::location::Bit;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The tables; releases since 2.6 have the first and one of the others.
const TABLES: [&str; 3] = ["x86_cpu_properties", "max_x86_cpu_properties", "host_x86_cpu_properties"];

/// The number of functions that every release has.
const EVERYWHERE: usize = 2;

/// The functions of cpu.c that add properties.
pub(super) const FUNCTIONS: [&str; 6] = [
    "x86_cpu_initfn",
    "x86_cpu_common_class_init",
    "max_x86_cpu_initfn",
    "max_x86_cpu_class_init",
    "host_x86_cpu_initfn",
    "host_x86_cpu_class_init",
];

/// Integer kinds and their types.
const INTEGERS: [(&str, Type); 6] = [
    ("uint8", Type { bits: 8, signed: false }),
    ("uint16", Type { bits: 16, signed: false }),
    ("uint32", Type::UINT),
    ("uint64", Type::ULONG),
    ("int32", Type::INT),
    ("int64", Type::LONG),
];

/// A property or alias that a call adds.
enum Added {
    Property(QemuProperty),
    Alias(QemuAlias),
}

impl<'a> Reader<'a, '_> {
    /// Reads all properties in cpu.c. The table of `max` may be missing only if there is no such class.
    pub(super) fn properties(&mut self, unit: &Unit<'a>) {
        let tables = TABLES.map(|name| find_table(unit, name));
        let whole = self.sources.span(unit.file, 0, 0);
        if tables[0].is_none() {
            self.diagnostics.error(whole, "this file does not define `x86_cpu_properties[]`");
        }
        let text = &self.sources[unit.file].text;
        if tables[1].or(tables[2]).is_none() && text.contains("max_x86_cpu_class_init") {
            self.diagnostics.error(
                whole,
                "this file does not define `max_x86_cpu_properties[]`, which QEMU has since 2.9",
            );
        }
        for (open, at) in tables.into_iter().flatten() {
            let rows = self.property_table(unit, open, at);
            self.facts.properties.extend(self.diagnostics.take(rows).unwrap_or_default());
        }
        for (index, function) in FUNCTIONS.into_iter().enumerate() {
            let added = self.added_properties(unit, function, index < EVERYWHERE);
            for added in self.diagnostics.take(added).unwrap_or_default() {
                match added {
                    Added::Property(property) => self.facts.properties.push(property),
                    Added::Alias(alias) => self.facts.aliases.push(alias),
                }
            }
        }
    }

    fn property_table(&self, unit: &Unit<'a>, open: usize, at: Span) -> Result<Vec<QemuProperty>> {
        let macros = &self.preprocessor.macros;
        let tokens = expand(inside(&unit.tokens, open)?, macros, unit.moment(at))?;
        let environment = Environment::new(macros, unit.moment(at), &self.names);
        let mut rows = Vec::new();
        for row in split_commas(&tokens) {
            match row {
                [brace, inner @ .., last] if brace.is("{") && last.is("}") => {
                    rows.extend(with_info(inner, brace.span)?);
                }
                [kind, open, inner @ .., last] if open.is("(") && last.is(")") => {
                    rows.extend(defined(kind, inner, &environment)?);
                }
                _ => {
                    let at = row.first().map_or(at, |token| token.span);
                    return Err(Diagnostic::error(at, "expected `DEFINE_PROP_...(...)`"));
                }
            }
        }
        Ok(rows)
    }

    /// The properties that a function adds; empty if the release does not have the function, an error if it `must`.
    fn added_properties(&self, unit: &Unit<'a>, function: &str, must: bool) -> Result<Vec<Added>> {
        let Some((body, at)) = find_function(unit, function)? else {
            if !must {
                return Ok(Vec::new());
            }
            let whole = self.sources.span(unit.file, 0, 0);
            return Err(Diagnostic::error(
                whole,
                format!("this file does not define the function `{function}`"),
            ));
        };
        let (mut found, mut depth) = (Vec::new(), 0usize);
        for (index, token) in body.iter().enumerate() {
            if token.is("{") {
                depth += 1;
            } else if token.is("}") {
                depth = depth.saturating_sub(1);
            }
            let rest = ["object_property_add", "object_class_property_add"];
            let Some(kind) = rest.iter().find_map(|start| token.text.strip_prefix(start)) else { continue };
            if !body.get(index + 1).is_some_and(|open| open.is("(")) {
                continue;
            }
            if depth > 0 {
                return Err(Diagnostic::error(token.span, "this property is added under a condition"));
            }
            let arguments = &body[index + 2..close(body, index + 1)?];
            let arguments = expand(arguments, &self.preprocessor.macros, unit.moment(at))?;
            found.push(added(token, kind, &split_commas(&arguments))?);
        }
        Ok(found)
    }
}

/// Reads `{ .name = "hv-spinlocks", .info = &qdev_prop_spinlocks }`; `None` for the empty row at the end.
fn with_info(inner: &[Token<'_>], at: Span) -> Result<Option<QemuProperty>> {
    let row = parse_list(inner, at)?;
    if row.is_empty() {
        return Ok(None);
    }
    let fields = row.fields(&["name", "info"])?;
    let missing = || Diagnostic::error(at, "expected a name and `.info = &qdev_prop_...`");
    let name = property_name(fields.get("name").ok_or_else(missing)?.value)?;
    match fields.get("info").ok_or_else(missing)?.value.scalar()? {
        [and, info] if and.is("&") => {
            let kind = info.text.strip_prefix("qdev_prop_").ok_or_else(missing)?.to_owned();
            Ok(Some(QemuProperty { name, kind, field: None, bit: None, default: None, at }))
        }
        _ => Err(missing()),
    }
}

/// Reads `DEFINE_PROP_KIND(NAME, STATE, FIELD, ...)`; `None` for the end of a list.
fn defined(
    macro_: &Token<'_>,
    arguments: &[Token<'_>],
    environment: &Environment<'_, '_>,
) -> Result<Option<QemuProperty>> {
    let at = macro_.span;
    let unknown = || Diagnostic::error(at, format!("cannot parse the arguments of `{}`", macro_.text));
    let kind = macro_.text.strip_prefix("DEFINE_PROP_").ok_or_else(unknown)?.to_ascii_lowercase();
    let parts = split_commas(arguments);
    if kind == "end_of_list" && parts.is_empty() {
        return Ok(None);
    }
    let [name, _, field, values @ ..] = &parts[..] else { return Err(unknown()) };
    let number = |tokens: &[Token<'_>]| evaluate_expanded(tokens, at, environment);
    let integer = INTEGERS.iter().find(|(known, _)| *known == kind);
    let (bit, default) = match (kind.as_str(), values) {
        ("bool", [[value]]) if value.is_ident("true") || value.is_ident("false") => {
            (None, Some(value.text.clone().into_owned()))
        }
        ("bit" | "bit64", [bit, value]) => {
            let bit = u8::try_from(number(bit)?.number()).ok().filter(|bit| *bit < 64).ok_or_else(unknown)?;
            (Some(Bit(bit)), Some(number(value)?.number().to_string()))
        }
        ("string", []) => (None, None),
        // The last argument is the mask of valid values.
        ("uint64_checkmask", [_]) => (None, None),
        ("on_off_auto", [[value]]) => {
            let value = value.text.strip_prefix("ON_OFF_AUTO_").ok_or_else(unknown)?;
            (None, Some(value.to_ascii_lowercase()))
        }
        (_, [value]) => {
            let (_, of) = integer.ok_or_else(unknown)?;
            (None, Some(number(value)?.to(*of).number().to_string()))
        }
        _ => return Err(unknown()),
    };
    let field = Some(field.iter().map(|token| token.text.as_ref()).collect());
    Ok(Some(QemuProperty { name: text(name)?, kind, field, bit, default, at }))
}

/// Reads `object_property_add...(obj, NAME, ...)`; `kind` is the part of the name after `add`.
fn added(call: &Token<'_>, kind: &str, arguments: &[&[Token<'_>]]) -> Result<Added> {
    let at = call.span;
    let property = |name: &[Token<'_>], kind: String| {
        Ok(Added::Property(QemuProperty {
            name: text(name)?,
            kind,
            field: None,
            bit: None,
            default: None,
            at,
        }))
    };
    match (kind, arguments) {
        ("", [_, name, kind, ..]) => property(name, text(kind)?),
        ("_str", [_, name, ..]) => property(name, "string".to_owned()),
        ("_bool", [_, name, ..]) => property(name, "bool".to_owned()),
        ("_alias", [_, name, _, target, ..]) => {
            Ok(Added::Alias(QemuAlias { name: text(name)?, target: text(target)?, at }))
        }
        _ => Err(Diagnostic::error(at, format!("cannot parse the arguments of `{}`", call.text))),
    }
}

/// A string.
fn text(tokens: &[Token<'_>]) -> Result<String> {
    match tokens {
        [first, ..] if tokens.iter().all(|token| token.kind == Kind::Str) => {
            let text = string_value(tokens).map_err(|(at, why)| Diagnostic::error(at, why))?;
            let plain = !text.is_empty() && !text.contains(char::is_whitespace);
            if plain { Ok(text) } else { Err(Diagnostic::error(first.span, "expected a name")) }
        }
        [first, ..] => Err(Diagnostic::error(first.span, "expected a string")),
        [] => Err(Diagnostic::general("expected a string")),
    }
}
