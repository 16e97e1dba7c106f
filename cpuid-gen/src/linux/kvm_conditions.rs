//! The conditions under which a vendor module changes capabilities, as expressions over parameters, features, and
//! names of what else the source asks.

use std::cell::Cell;
use std::rc::Rc;

use super::reader::Reader;
use crate::c::MAX_DEPTH;
use crate::c::declare::{close, find_function};
use crate::c::lexer::{Kind, Token};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{Condition, KvmModule};
use crate::location::Leaf;
use crate::source::Span;

const FEATURE: &str = "X86_FEATURE_";

/// Calls that ask for a feature, with the prefix of the feature in a condition.
const QUERIES: [(&str, &str); 6] = [
    ("boot_cpu_has", "host"),
    ("static_cpu_has", "host"),
    ("this_cpu_has", "host"),
    ("cpu_feature_enabled", "host"),
    ("kvm_cpu_cap_has", "kvm"),
    ("kvm_cpu_cap_supported", "kvm"),
];

const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

/// What the names in a condition mean.
pub(super) struct Conditions<'r, 'a, 'd> {
    pub(super) reader: &'r Reader<'a, 'd>,
    pub(super) module: KvmModule,
    pub(super) units: &'r [Rc<Unit<'a>>],
    /// The steps that are left for all conditions of the module.
    pub(super) steps: &'r Cell<usize>,
}

/// Maximum number of steps of a module: functions that call each other could need any number of them.
pub(super) const MAX_STEPS: usize = 100_000;

/// Counts a step at this place.
pub(super) fn step(steps: &Cell<usize>, at: Span) -> Result<()> {
    let left = steps.get().checked_sub(1);
    steps.set(left.unwrap_or(0));
    left.map(drop)
        .ok_or_else(|| Diagnostic::error(at, format!("this module needs more than {MAX_STEPS} steps")))
}

type Result<T> = std::result::Result<T, Diagnostic>;

impl<'a> Conditions<'_, 'a, '_> {
    /// Reads an expression. `func == 1`, outside brackets and joined by `&&`, states the leaf.
    pub(super) fn read(&self, tokens: &[Token<'a>], at: Span, leaf: &mut Option<Leaf>) -> Result<Condition> {
        let mut parts = Vec::new();
        for part in split(tokens, "&&") {
            match part.iter().position(|token| token.is("==")) {
                Some(equals) if is_leaf(&part[..equals]) => {
                    *leaf = Some(self.reader.leaf_number(&part[equals + 1..], at)?);
                }
                _ => parts.push(part),
            }
        }
        if split(tokens, "||").len() > 1 {
            return self.expression(tokens, at, 0);
        }
        let parts = parts.into_iter().map(|part| self.expression(part, at, 0));
        Ok(Condition::all(parts.collect::<Result<Vec<_>>>()?))
    }

    fn expression(&self, tokens: &[Token<'a>], at: Span, depth: usize) -> Result<Condition> {
        if depth > MAX_DEPTH {
            return Err(Diagnostic::error(at, format!("a condition nests deeper than {MAX_DEPTH}")));
        }
        step(self.steps, at)?;
        let of = |part: &[Token<'a>]| self.expression(part, at, depth + 1);
        let any = split(tokens, "||");
        if any.len() > 1 {
            return Ok(Condition::any(any.into_iter().map(of).collect::<Result<Vec<_>>>()?));
        }
        let all = split(tokens, "&&");
        if all.len() > 1 {
            return Ok(Condition::all(all.into_iter().map(of).collect::<Result<Vec<_>>>()?));
        }
        let compared = COMPARISONS.iter().find_map(|operator| match split(tokens, operator).as_slice() {
            [left, right] => Some((*left, *operator, *right)),
            _ => None,
        });
        if let Some((left, operator, right)) = compared {
            let (left, right) = (self.operand(left, at)?, self.operand(right, at)?);
            return Ok(Condition::Option(format!("{left} {operator} {right}")));
        }
        match tokens {
            [not, rest @ ..] if not.is("!") => Ok(of(rest)?.negated()),
            [open, inner @ .., _] if open.is("(") && close(tokens, 0)? == tokens.len() - 1 => of(inner),
            [call, open, inner @ .., _] if open.is("(") && close(tokens, 1)? == tokens.len() - 1 => {
                self.call(call, inner, at, depth)
            }
            _ => Ok(Condition::Option(self.operand(tokens, at)?)),
        }
    }

    fn call(&self, call: &Token<'a>, arguments: &[Token<'a>], at: Span, depth: usize) -> Result<Condition> {
        let name = call.text.as_ref();
        if let Some((_, prefix)) = QUERIES.iter().find(|(query, _)| *query == name) {
            if let Some(feature) = feature_of(arguments) {
                return Ok(Condition::Option(format!("{prefix}:{feature}")));
            }
        }
        match (name, arguments) {
            ("likely" | "unlikely", inner) => self.expression(inner, at, depth + 1),
            ("IS_ENABLED" | "IS_REACHABLE", [option]) if option.kind == Kind::Ident => {
                Ok(Condition::Option(option.text.clone().into_owned()))
            }
            (_, []) => Ok(self.expanded(name, depth)?.unwrap_or_else(|| Condition::Option(name.to_owned()))),
            _ => Err(Diagnostic::error(call.span, format!("cannot tell what `{name}` asks with arguments"))),
        }
    }

    /// The condition that a function of one `return` computes, if it depends on a parameter.
    fn expanded(&self, name: &str, depth: usize) -> Result<Option<Condition>> {
        for unit in self.units {
            let Some((body, at)) = find_function(unit, name)? else { continue };
            let [keyword, inner @ .., end] = body else { return Ok(None) };
            let one = keyword.is_ident("return") && end.is(";") && !inner.iter().any(|token| token.is(";"));
            if !one || depth > MAX_DEPTH {
                return Ok(None);
            }
            // Any other expression has the function's own name, which is exact too.
            let condition = self.expression(inner, at, depth + 1).ok();
            let prefix = |module: &KvmModule| format!("{}.", module.name());
            let depends = |name: &str| KvmModule::ALL.iter().any(|module| name.starts_with(&prefix(module)));
            return Ok(condition.filter(|found| found.options().into_iter().any(depends)));
        }
        Ok(None)
    }

    /// A name, a member of a structure, a number or a call without arguments.
    fn operand(&self, tokens: &[Token<'a>], at: Span) -> Result<String> {
        let at = tokens.first().map_or(at, |first| first.span);
        let mut text = String::new();
        for (index, token) in tokens.iter().enumerate() {
            match token.text.as_ref() {
                name if index % 2 == 0 && matches!(token.kind, Kind::Ident | Kind::Number) => {
                    text.push_str(name)
                }
                "." | "->" if index % 2 == 1 && index + 1 < tokens.len() => text.push('.'),
                "(" if index + 2 == tokens.len() && index % 2 == 1 => break,
                other => {
                    let message = format!("cannot read the condition at `{other}`");
                    return Err(Diagnostic::error(token.span, message));
                }
            }
        }
        if text.is_empty() {
            return Err(Diagnostic::error(at, "expected a condition"));
        }
        let param = self.reader.param_of(self.module, &text);
        let number = text.starts_with(|first: char| first.is_ascii_digit());
        let value = number.then(|| self.reader.leaf_number(tokens, at).ok()).flatten();
        Ok(param.unwrap_or_else(|| value.map_or(text, |value| value.0.to_string())))
    }
}

/// The feature of `X86_FEATURE_NAME`, of `bit(X86_FEATURE_NAME)` or of `F(NAME)`.
pub(super) fn feature_of(tokens: &[Token<'_>]) -> Option<String> {
    let named = |token: &Token<'_>| {
        let name = token.text.strip_prefix(FEATURE)?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    match tokens {
        [name] => named(name),
        [verb, open, name, close] if open.is("(") && close.is(")") => match verb.text.as_ref() {
            "bit" | "__feature_bit" | "BIT" => named(name),
            "F" | "feature_bit" if name.kind == Kind::Ident => Some(name.text.clone().into_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// `func`, `function` or `entry->function`: the leaf.
pub(super) fn is_leaf(tokens: &[Token<'_>]) -> bool {
    match tokens {
        [name] => name.is_ident("func") || name.is_ident("function"),
        [entry, arrow, name] => entry.is_ident("entry") && arrow.is("->") && name.is_ident("function"),
        _ => false,
    }
}

/// Splits at an operator outside all brackets.
fn split<'t, 'a>(tokens: &'t [Token<'a>], operator: &str) -> Vec<&'t [Token<'a>]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0usize);
    for (index, token) in tokens.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is(operator) {
            parts.push(&tokens[start..index]);
            start = index + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}
