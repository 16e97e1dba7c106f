//! The effects of a machine type's functions on CPUs.
//!
//! A machine type's `class_init` function and the options functions that it calls set properties by
//! `compat_props_add` or, before 4.0, `SET_MACHINE_COMPAT`, and the default version of CPU models by
//! `default_cpu_version = ...`. They are followed statement by statement. Statements that mention none of these are
//! skipped. A relevant statement that is conditional or of another form is a diagnostic.
//!
//! The machine's `init` function runs later. `x86_cpu_change_kvm_default` and `x86_cpus_init` are read from it and
//! from all functions that it names.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::board::{Board, Code};
use super::globals::{Global, globals};
use super::statements::{assigned, call, local_table, statement_end, without_getenv};
use crate::c::MAX_DEPTH;
use crate::c::Value;
use crate::c::declare::{close, split_commas};
use crate::c::expand::expand;
use crate::c::expr::{Environment, evaluate};
use crate::c::lexer::{Kind, Token, string_value};
use crate::c::macros::{Macros, Moment};
use crate::diagnostic::Diagnostic;
use crate::facts::QemuListLength;
use crate::source::Span;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The type of a change to `kvm_default_props[]` in facts.
pub(super) const KVM_DEFAULT: &str = "kvm-default";

/// Names that mark a relevant statement.
const MATTERS: [&str; 3] = ["compat_props", "default_cpu_version", "SET_MACHINE_COMPAT"];

/// Maximum number of calls from a class function, and of changes by an `init` function. Real ones stay below 100.
const MAX_STEPS: usize = 1000;

/// One file's code, and the definitions in other files that it uses.
pub(super) struct Runner<'r, 'a> {
    pub(super) board: &'r Board<'a>,
    /// Tables of other files.
    pub(super) shared: &'r HashMap<String, Code<'a>>,
    pub(super) macros: &'r Macros<'a>,
    pub(super) names: &'r HashMap<String, Value>,
    /// The function that registers each type.
    pub(super) registers: HashMap<&'r str, &'r Code<'a>>,
    /// Functions that are known not to change CPUs.
    pub(super) harmless: RefCell<HashSet<String>>,
    /// Rows of the tables read so far, by the tables' places.
    pub(super) read: RefCell<HashMap<Span, Vec<Global>>>,
    /// Tables that are used with the length of another one.
    pub(super) lengths: RefCell<Vec<QemuListLength>>,
}

/// The effects of a class function.
#[derive(Debug, Default)]
pub(super) struct Class {
    /// Every compatibility property, in order.
    pub(super) globals: Vec<Global>,
    /// The names of the lists that the properties come from, in order.
    pub(super) lists: Vec<(String, Span)>,
    /// The default version of CPU models.
    pub(super) version: Option<(i128, Span)>,
    /// The machine's `init` function.
    pub(super) init: Option<String>,
    /// The functions followed, each before those that it calls.
    pub(super) followed: Vec<String>,
}

/// The effects of an `init` function.
#[derive(Debug, Default)]
pub(super) struct Started {
    /// Changes to KVM's default properties, in order.
    pub(super) changes: Vec<Global>,
    /// The version passed to `x86_cpus_init`, if it is a constant.
    pub(super) version: Option<(i128, Span)>,
    /// True once a function named another one that leads to it.
    recursive: bool,
}

impl<'a> Runner<'_, 'a> {
    /// Follows a class function.
    pub(super) fn class(&self, function: &str, at: Span) -> Result<Class> {
        let code = self.board.functions.get(function);
        let code = code.ok_or_else(|| {
            Diagnostic::error(
                at,
                format!("this file does not define `{function}`, which initializes the machine type"),
            )
        })?;
        let mut class = Class::default();
        self.body(code, &mut class, 0)?;
        Ok(class)
    }

    /// Reads the statements of a function at call depth `depth`.
    fn body(&self, code: &Code<'a>, class: &mut Class, depth: usize) -> Result<()> {
        let mut rest = code.tokens.as_slice();
        while !rest.is_empty() {
            let (statement, after) = rest.split_at(statement_end(rest)?);
            rest = after;
            if let Some((function, arguments)) = call(statement) {
                self.followed(function, arguments, code, class, depth)?;
            } else if let Some(value) = assigned(statement, "default_cpu_version") {
                class.version = Some((self.number(value, code.moment)?, value[0].span));
            } else if let Some([function]) = assigned(statement, "init") {
                class.init = Some(function.text.clone().into_owned());
            } else {
                self.passed_over(statement)?;
            }
        }
        Ok(())
    }

    /// Reads a statement that is a single call.
    fn followed(
        &self,
        function: &Token<'a>,
        arguments: &[Token<'a>],
        code: &Code<'a>,
        class: &mut Class,
        depth: usize,
    ) -> Result<()> {
        let name = function.text.as_ref();
        if name == "compat_props_add" {
            let table = self.table(function, arguments, code)?;
            class.globals.extend(table);
            if let [_, [list], _] = split_commas(arguments)[..] {
                class.lists.push((list.text.clone().into_owned(), list.span));
            }
        } else if name == "SET_MACHINE_COMPAT" {
            self.set_compat(function, arguments, code.moment, class)?;
        } else if let Some(inner) = self.board.functions.get(name) {
            if depth > MAX_DEPTH || class.followed.len() > MAX_STEPS {
                return Err(Diagnostic::error(function.span, "too many nested calls of options functions"));
            }
            class.followed.push(name.to_owned());
            self.body(inner, class, depth + 1)?;
        } else if name.contains("compat") || name.ends_with("_options") {
            let message = format!("this file does not define `{name}`, which may set properties");
            return Err(Diagnostic::error(function.span, message));
        } else {
            self.passed_over(arguments)?;
        }
        Ok(())
    }

    /// Checks that tokens do not affect CPUs.
    fn passed_over(&self, tokens: &[Token<'a>]) -> Result<()> {
        let matters = |token: &&Token<'_>| token.kind == Kind::Ident && self.matters(&token.text);
        match tokens.iter().find(matters) {
            None => Ok(()),
            Some(token) => {
                let message = format!("cannot follow this use of `{}`", token.text);
                let help = "expected an unconditional statement";
                Err(Diagnostic::error(token.span, message).with_help(help))
            }
        }
    }

    fn matters(&self, name: &str) -> bool {
        let options = name.ends_with("_options") && self.board.functions.contains_key(name);
        options || name == "compat_props_add" || MATTERS.contains(&name)
    }

    /// Reads `compat_props_add(m->compat_props, TABLE, LENGTH)`. The table is in the function, the file, or another
    /// file.
    fn table(&self, function: &Token<'a>, arguments: &[Token<'a>], code: &Code<'a>) -> Result<Vec<Global>> {
        let parts = split_commas(arguments);
        let [list, [table], length] = parts[..] else {
            return Err(Diagnostic::error(
                function.span,
                "expected a list, the name of a table and its length",
            ));
        };
        if !list.last().is_some_and(|token| token.is_ident("compat_props")) {
            return Err(Diagnostic::error(function.span, "expected `compat_props` for the list"));
        }
        self.check_length(table, length);
        if let Some((inner, at)) = local_table(&code.tokens, &table.text)? {
            return globals(inner, at, self.macros, code.moment);
        }
        let found =
            self.board.tables.get(table.text.as_ref()).or_else(|| self.shared.get(table.text.as_ref()));
        let found = found.ok_or_else(|| {
            Diagnostic::error(
                table.span,
                format!("unknown table `{}`: no file that is read defines it", table.text),
            )
        })?;
        // The tables of newer releases are used by each older machine type.
        if let Some(rows) = self.read.borrow().get(&found.at) {
            return Ok(rows.clone());
        }
        let rows = globals(&found.tokens, found.at, self.macros, found.moment)?;
        self.read.borrow_mut().insert(found.at, rows.clone());
        Ok(rows)
    }

    /// Records a length that is that of another table, `OTHER_len` or `G_N_ELEMENTS(OTHER)`.
    fn check_length(&self, table: &Token<'a>, length: &[Token<'a>]) {
        let of = |token: &Token<'a>| token.text.strip_suffix("_len").unwrap_or(&token.text).to_owned();
        let is_other = |name: &String| {
            *name != table.text && (self.board.tables.contains_key(name) || self.shared.contains_key(name))
        };
        let other = length.iter().map(|token| (of(token), token.span)).find(|(name, _)| is_other(name));
        if let Some((of, at)) = other {
            let mut known = self.lengths.borrow_mut();
            // Each older machine type follows the functions of the newer ones.
            if !known.iter().any(|length| length.at == at) {
                known.push(QemuListLength { list: table.text.clone().into_owned(), of, at });
            }
        }
    }

    /// Reads `SET_MACHINE_COMPAT(m, ROWS)`, which adds to the list since 2.6 and replaced it before.
    fn set_compat(
        &self,
        name: &Token<'a>,
        arguments: &[Token<'a>],
        moment: Moment,
        class: &mut Class,
    ) -> Result<()> {
        let unknown =
            || Diagnostic::error(name.span, "cannot tell what this definition of `SET_MACHINE_COMPAT` does");
        let define = self.macros.get(&name.text, moment).ok_or_else(unknown)?;
        let adds = define.body.iter().any(|token| token.is_ident("g_array_append_val"));
        let replaces = define.body.windows(2).any(|two| two[0].is_ident("compat_props") && two[1].is("="));
        let parts = split_commas(arguments);
        let [_, rows] = parts[..] else { return Err(unknown()) };
        if let [list] = rows {
            class.lists.push((list.text.clone().into_owned(), list.span));
        }
        let rows = globals(rows, name.span, self.macros, moment)?;
        match (adds, replaces) {
            (true, _) => class.globals.extend(rows),
            (false, true) => class.globals = rows,
            (false, false) => return Err(unknown()),
        }
        Ok(())
    }

    fn number(&self, tokens: &[Token<'a>], moment: Moment) -> Result<i128> {
        let environment = Environment::new(self.macros, moment, self.names);
        Ok(evaluate(tokens, tokens[0].span, &environment)?.number())
    }

    /// Follows an `init` function, and every function that it names.
    pub(super) fn started(&self, function: &str, started: &mut Started) -> Result<()> {
        self.walk(function, started, &mut Vec::new())
    }

    fn walk(&self, function: &str, started: &mut Started, inside: &mut Vec<String>) -> Result<()> {
        let Some(code) = self.board.functions.get(function) else { return Ok(()) };
        if self.harmless.borrow().contains(function) {
            return Ok(());
        }
        if inside.len() > MAX_DEPTH || inside.iter().any(|name| name == function) {
            started.recursive = true;
            return Ok(());
        }
        let (changes, version) = (started.changes.len(), started.version);
        if changes > MAX_STEPS {
            return Err(Diagnostic::error(code.at, "too many changes to KVM's default properties"));
        }
        inside.push(function.to_owned());
        let mut depth = 0usize;
        for (index, token) in code.tokens.iter().enumerate() {
            if token.is("{") {
                depth += 1;
            } else if token.is("}") {
                depth = depth.saturating_sub(1);
            } else if token.kind == Kind::Ident {
                let before = started.changes.len();
                let version = started.version.is_some();
                self.step(&code.tokens[index..], code, started, inside)?;
                let changed = started.changes.len() > before || started.version.is_some() != version;
                let last = index.checked_sub(1).map(|last| &code.tokens[last]);
                let decided = last.is_some_and(|last| last.is(")") || last.is_ident("else"));
                if changed && (depth > 0 || decided) {
                    let message = format!("`{}` changes CPUs under a condition", token.text);
                    return Err(Diagnostic::error(token.span, message));
                }
            }
        }
        inside.pop();
        if started.changes.len() == changes && started.version == version && !started.recursive {
            self.harmless.borrow_mut().insert(function.to_owned());
        }
        Ok(())
    }

    /// Reads one name in an `init` function, with the tokens after it.
    fn step(
        &self,
        tokens: &[Token<'a>],
        code: &Code<'a>,
        started: &mut Started,
        inside: &mut Vec<String>,
    ) -> Result<()> {
        let [name, rest @ ..] = tokens else { return Ok(()) };
        let changes = name.is_ident("x86_cpu_change_kvm_default");
        if !changes && !name.is_ident("x86_cpus_init") {
            return self.walk(&name.text, started, inside);
        }
        let unknown =
            || Diagnostic::error(name.span, format!("cannot parse the arguments of `{}`", name.text));
        if !rest.first().is_some_and(|open| open.is("(")) {
            return Err(unknown());
        }
        let end = close(rest, 0)?;
        let expanded = expand(&rest[1..end], self.macros, code.moment)?;
        match split_commas(&expanded)[..] {
            [[property], [none]] if changes && property.kind == Kind::Str && none.is_ident("NULL") => {
                started.changes.push(change(property, None)?);
            }
            [[property], [value]] if changes && property.kind == Kind::Str && value.kind == Kind::Str => {
                started.changes.push(change(property, Some(value))?);
            }
            // The version that the class function set.
            [_, [.., field]] if !changes && field.is_ident("default_cpu_version") => {}
            [_, value] if !changes => {
                started.version = Some((self.number(value, code.moment)?, name.span));
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// True if a function that registers a type returns before it does so: old machine types are compiled, but not
    /// registered.
    ///
    /// `getenv` is assumed to return null. Developers can set a variable that removes machine types earlier.
    pub(super) fn returns_early(&self, tokens: &[Token<'a>], moment: Moment) -> Result<bool> {
        let mut rest = tokens;
        while !rest.is_empty() {
            let (statement, after) = rest.split_at(statement_end(rest)?);
            rest = after;
            let returns = match statement {
                [first, ..] if first.is_ident("return") => true,
                [first, open, ..] if first.is_ident("do") && open.is("{") => {
                    self.returns_early(&statement[2..close(statement, 1)?], moment)?
                }
                [first, open, ..] if first.is_ident("if") && open.is("(") => {
                    let end = close(statement, 1)?;
                    match &statement[end + 1..] {
                        [brace, inner @ .., last] if brace.is("{") && last.is("}") => {
                            let condition = without_getenv(&statement[2..end])?;
                            self.number(&condition, moment)? != 0 && self.returns_early(inner, moment)?
                        }
                        _ => {
                            return Err(Diagnostic::error(
                                first.span,
                                "expected braces after this condition",
                            ));
                        }
                    }
                }
                [first, ..] if statement.iter().any(|token| token.is_ident("return")) => {
                    return Err(Diagnostic::error(first.span, "cannot tell whether this statement returns"));
                }
                _ => false,
            };
            if returns {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn change(property: &Token<'_>, value: Option<&Token<'_>>) -> Result<Global> {
    let text = |token: &Token<'_>| {
        string_value(std::slice::from_ref(token)).map_err(|(at, why)| Diagnostic::error(at, why))
    };
    let (of, at) = (KVM_DEFAULT.to_owned(), property.span);
    Ok(Global { of, property: text(property)?, value: value.map(text).transpose()?, at })
}
