//! The definitions in a file with machine types: functions, tables and `TypeInfo`s, including those that macros
//! expand to.
//!
//! QEMU defines a machine type by a macro (`DEFINE_Q35_MACHINE(10, 2)`, `DEFINE_I440FX_MACHINE(v2_8, "pc-i440fx-2.8",
//! NULL, pc_i440fx_2_8_machine_options)`) whose name and parameters change from release to release. The macro is
//! expanded, and its expansion is read: a `TypeInfo` with the name and the `class_init` function, that function, and
//! the function that registers the type.

use std::collections::HashMap;

use crate::c::declare::{close, inside};
use crate::c::expand::expand;
use crate::c::lexer::{Kind, Token};
use crate::c::macros::{Macros, Moment};
use crate::c::preprocess::Unit;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::QemuListLength;
use crate::source::Span;

/// The tokens between two braces.
#[derive(Clone, Debug)]
pub(super) struct Code<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    /// The place of the name before the braces.
    pub(super) at: Span,
    /// When they were read; macros are looked up at this moment.
    pub(super) moment: Moment,
}

/// The definitions in one file.
#[derive(Debug, Default)]
pub(super) struct Board<'a> {
    /// Functions by name.
    pub(super) functions: HashMap<String, Code<'a>>,
    /// Arrays by name.
    pub(super) tables: HashMap<String, Code<'a>>,
    /// `TypeInfo`s with their names, in order.
    pub(super) types: Vec<(String, Code<'a>)>,
    /// Names of functions that run when QEMU starts.
    pub(super) started: Vec<String>,
    /// Lengths of lists that are defined as those of others.
    pub(super) lengths: Vec<QemuListLength>,
    /// True if the whole file was parsed.
    pub(super) whole: bool,
}

/// Macros that mark a function that runs when QEMU starts.
const STARTS: [&str; 2] = ["type_init", "machine_init"];

impl<'a> Board<'a> {
    /// Collects the definitions of a unit that was read with its function bodies.
    pub(super) fn new(unit: &Unit<'a>, macros: &Macros<'a>, diagnostics: &mut Diagnostics) -> Board<'a> {
        let mut board = Board::default();
        let moment = |at: Span| (unit.moment(at), at);
        board.whole = diagnostics.take(board.add(&unit.tokens, macros, &moment, true)).is_some();
        board
    }

    /// By variable, the first function that runs when QEMU starts and contains `&variable`.
    pub(super) fn registers(&self) -> HashMap<&str, &Code<'a>> {
        let mut found = HashMap::new();
        for code in self.started.iter().filter_map(|name| self.functions.get(name)) {
            for two in code.tokens.windows(2).filter(|two| two[0].is("&") && two[1].kind == Kind::Ident) {
                found.entry(two[1].text.as_ref()).or_insert(code);
            }
        }
        found
    }

    /// Adds the definitions in `tokens` outside all braces. `place` returns the moment and the place of a definition.
    fn add(
        &mut self,
        tokens: &[Token<'a>],
        macros: &Macros<'a>,
        place: &dyn Fn(Span) -> (Moment, Span),
        expands: bool,
    ) -> Result<(), Diagnostic> {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            if token.is("{") {
                at = close(tokens, at)?;
            } else if token.is_ident("TypeInfo") && tokens.get(at + 2).is_some_and(|token| token.is("=")) {
                let name = tokens[at + 1].text.clone().into_owned();
                self.types.push((name, code(tokens, at + 3, token.span, place)?));
                at = close(tokens, at + 3)?;
            } else if token.kind == Kind::Ident && next.is_some_and(|next| next.is("(")) {
                at = self.call(tokens, at, macros, place, expands)?;
            } else if token.kind == Kind::Ident && next.is_some_and(|next| next.is("[")) {
                let end = close(tokens, at + 1)?;
                if let [equals, open, ..] = &tokens[end + 1..] {
                    if equals.is("=") && open.is("{") {
                        let name = token.text.clone().into_owned();
                        self.tables.insert(name, code(tokens, end + 2, token.span, place)?);
                    }
                }
                at = end;
            } else if let Some(list) = token.text.strip_suffix("_len").filter(|_| token.kind == Kind::Ident) {
                self.lengths.extend(wrong_length(list, &tokens[at..]));
            }
            at += 1;
        }
        Ok(())
    }

    /// Reads `NAME(...)` at `at`: a function's head, a macro, or the registration of a start-up function. Returns its
    /// end.
    fn call(
        &mut self,
        tokens: &[Token<'a>],
        at: usize,
        macros: &Macros<'a>,
        place: &dyn Fn(Span) -> (Moment, Span),
        expands: bool,
    ) -> Result<usize, Diagnostic> {
        let name = &tokens[at];
        let end = close(tokens, at + 1)?;
        let (moment, span) = place(name.span);
        if tokens.get(end + 1).is_some_and(|next| next.is("{")) {
            let name = name.text.clone().into_owned();
            self.functions.insert(name, code(tokens, end + 1, tokens[at].span, place)?);
            return close(tokens, end + 1);
        }
        if expands && macros.get(&name.text, moment).is_some_and(|define| define.params.is_some()) {
            let expanded = expand(&tokens[at..=end], macros, moment)?;
            self.add(&expanded, macros, &|_| (moment, span), false)?;
        } else if STARTS.contains(&name.text.as_ref()) {
            self.started.extend(tokens[at + 2..end].first().map(|token| token.text.clone().into_owned()));
        } else if name.text.starts_with("DEFINE_") {
            let message = format!(
                "unknown macro `{}`: the files that define machine types do not define it",
                name.text
            );
            return Err(Diagnostic::error(span, message));
        }
        Ok(end)
    }
}

/// A length, `LIST_len = G_N_ELEMENTS(LIST)`, that is another list's.
fn wrong_length(list: &str, tokens: &[Token<'_>]) -> Option<QemuListLength> {
    let [_, equals, _, open, of, ..] = tokens else { return None };
    if !equals.is("=") || !open.is("(") || of.kind != Kind::Ident || of.is_ident(list) {
        return None;
    }
    Some(QemuListLength { list: list.to_owned(), of: of.text.clone().into_owned(), at: of.span })
}

/// The tokens in the braces that open at `open`.
fn code<'a>(
    tokens: &[Token<'a>],
    open: usize,
    name: Span,
    place: &dyn Fn(Span) -> (Moment, Span),
) -> Result<Code<'a>, Diagnostic> {
    let opens = tokens.get(open).is_some_and(|token| token.is("{"));
    let (moment, at) = place(name);
    if !opens {
        return Err(Diagnostic::error(at, "expected a `{` after this"));
    }
    Ok(Code { tokens: inside(tokens, open)?.to_vec(), at, moment })
}
