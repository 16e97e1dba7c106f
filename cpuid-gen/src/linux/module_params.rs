//! `module_param`: the parameters of KVM and its vendor modules, and the values that they have without options.
//!
//! A module can lower a value at start-up when the processor lacks what it needs; the facts have the initializer.

use std::collections::HashMap;
use std::rc::Rc;

use super::reader::{Param, Reader};
use crate::c::declare::{inside, split_commas};
use crate::c::expr::evaluate;
use crate::c::lexer::{Kind, Token};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{Condition, KvmModule, KvmParam};
use crate::source::Span;

/// How the names of all declarations start.
const DECLARATION: &str = "module_param";

type Result<T> = std::result::Result<T, Diagnostic>;

/// The variables that are defined outside functions: the tokens after the name, and the name's place.
type Variables<'t, 'a> = HashMap<&'t str, (&'t [Token<'a>], Span)>;

impl<'a> Reader<'a, '_> {
    /// Reads all parameters of these files.
    pub(super) fn module_params(&mut self, files: &[(KvmModule, Rc<Unit<'a>>)]) {
        let variables = variables(files);
        for (module, unit) in files {
            for (index, token) in unit.tokens.iter().enumerate() {
                let call = unit.tokens.get(index + 1).is_some_and(|next| next.is("("));
                if token.kind != Kind::Ident || !token.text.starts_with(DECLARATION) || !call {
                    continue;
                }
                let param = self.module_param(*module, unit, index, &variables);
                if let Some(param) = self.diagnostics.take(param).flatten() {
                    self.params.push(param);
                }
            }
        }
    }

    /// `module_param(NAME, TYPE, MODE)`, `module_param_named(NAME, VARIABLE, TYPE, MODE)` or
    /// `module_param_cb(NAME, OPERATIONS, &VARIABLE, MODE)`.
    fn module_param(
        &self,
        module: KvmModule,
        unit: &Unit<'a>,
        index: usize,
        variables: &Variables<'_, 'a>,
    ) -> Result<Option<Param>> {
        let call = &unit.tokens[index];
        let arguments = split_commas(inside(&unit.tokens, index + 1)?);
        let (name, variable, kind) = match arguments.as_slice() {
            [[name], [kind], _] => (name, name, kind.text.as_ref()),
            [[name], [variable], [kind], _] => (name, variable, kind.text.as_ref()),
            [[name], _, [and, variable], _] if and.is("&") => (name, variable, "-"),
            // A callback without a variable, or an array: no capability can depend on it by name.
            _ => return Ok(None),
        };
        if let Some(other) = [name, variable].into_iter().find(|token| token.kind != Kind::Ident) {
            let message = format!("`{}` is not the name of a parameter or variable", other.text);
            return Err(Diagnostic::error(other.span, message));
        }
        let Some((after, at)) = variables.get(variable.text.as_ref()) else {
            let message = format!("`{}` is not defined in the files of KVM", variable.text);
            return Err(Diagnostic::error(variable.span, message));
        };
        let default = self.initializer(after, *at)?;
        let text = |token: &Token<'_>| token.text.clone().into_owned();
        let default = match (kind, default.as_str()) {
            ("bool", "0") => "false".to_owned(),
            ("bool", "1") => "true".to_owned(),
            _ => default,
        };
        let fact = KvmParam { module, name: text(name), default, at: call.span };
        Ok(Some(Param { fact, variable: text(variable) }))
    }

    /// The value that the tokens after a variable's name give it.
    fn initializer(&self, rest: &[Token<'a>], at: Span) -> Result<String> {
        let end = rest.iter().position(|token| token.is(";")).unwrap_or(rest.len());
        let Some(equals) = rest[..end].iter().position(|token| token.is("=")) else {
            return Ok("0".to_owned());
        };
        let value = &rest[equals + 1..end];
        let value = split_commas(value).first().copied().unwrap_or_default();
        match value {
            [word] if word.is_ident("true") || word.is_ident("false") => {
                return Ok(word.text.clone().into_owned());
            }
            [test, open, option, _]
                if test.is_ident("IS_ENABLED") && open.is("(") && option.kind == Kind::Ident =>
            {
                return Ok(option.text.clone().into_owned());
            }
            _ => {}
        }
        Ok(match (evaluate(value, at, &self.environment_now()), value) {
            (Ok(value), _) => value.number().to_string(),
            // An enumerator of a header that is not read is a fact by its name.
            (Err(_), [word]) if word.kind == Kind::Ident => word.text.clone().into_owned(),
            (Err(error), _) => return Err(error),
        })
    }

    /// `kvm_amd.npt` for a variable of a module, or of KVM itself.
    pub(super) fn param_of(&self, module: KvmModule, variable: &str) -> Option<String> {
        let of = |module: KvmModule| {
            self.params.iter().find(|param| param.fact.module == module && param.variable == variable)
        };
        of(module).or_else(|| of(KvmModule::Kvm)).map(|param| param.fact.full_name())
    }

    /// Keeps the parameters that a condition names.
    pub(super) fn only_used_params(&mut self) {
        let conditions: Vec<Condition> = self
            .facts
            .kvm_modules
            .iter()
            .filter_map(|cap| Condition::of_module(cap.condition.as_deref()?, cap.at).ok())
            .collect();
        let names = |full: &str| {
            let same = |name: &str| name.split(' ').next() == Some(full);
            conditions.iter().any(|condition| condition.options().into_iter().any(same))
        };
        let used = self.params.iter().filter(|param| names(&param.fact.full_name()));
        self.facts.kvm_params = used.map(|param| param.fact.clone()).collect();
    }
}

/// The first definition of each variable.
fn variables<'t, 'a>(files: &'t [(KvmModule, Rc<Unit<'a>>)]) -> Variables<'t, 'a> {
    let mut found = Variables::new();
    for (_, unit) in files {
        let mut depth = 0usize;
        for (index, token) in unit.tokens.iter().enumerate() {
            if token.is("{") || token.is("(") {
                depth += 1;
            } else if token.is("}") || token.is(")") {
                depth = depth.saturating_sub(1);
            } else if depth == 0 && token.kind == Kind::Ident && declares(&unit.tokens, index) {
                found.entry(token.text.as_ref()).or_insert((&unit.tokens[index + 1..], token.span));
            }
        }
    }
    found
}

/// True for a variable's definition: a type before it, and `=`, `;` or an attribute after it; not `extern`.
fn declares(tokens: &[Token<'_>], index: usize) -> bool {
    let typed = index > 0 && tokens[index - 1].kind == Kind::Ident;
    let next = tokens.get(index + 1);
    let defines = |next: &Token<'_>| next.is("=") || next.is(";") || next.is(",") || next.kind == Kind::Ident;
    if !typed || !next.is_some_and(defines) {
        return false;
    }
    let ends = |token: &Token<'_>| token.is(";") || token.is("}");
    let start = tokens[..index].iter().rposition(ends).map_or(0, |at| at + 1);
    !tokens[start..index].iter().any(|token| token.is_ident("extern"))
}
