//! Preprocessor directives: records every `#define`, decides conditionals, and keeps the active tokens.
//!
//! `#include` is not followed. The reader of a table reads the files that the table needs, in order, through one
//! [`Preprocessor`], which accumulates macros as in a translation unit.

use std::rc::Rc;

use super::expr::{self, Environment};
use super::lexer::{self, Kind, Lexer, Token};
use super::macros::{Define, Macros, Moment, Params};
use super::{MAX_DEPTH, config};
use crate::diagnostic::{Diagnostic, Diagnostics, LeftOut};
use crate::source::{FileId, Sources, Span};

/// One file after its directives were followed.
#[derive(Debug)]
pub struct Unit<'a> {
    /// The file.
    pub file: FileId,
    /// The active tokens, without directives.
    pub tokens: Vec<Token<'a>>,
    /// The comments.
    pub comments: Vec<Span>,
    /// Every `#define`, including inactive ones.
    pub defines: Vec<Rc<Define<'a>>>,
    moments: Vec<(u32, Moment)>,
}

impl Unit<'_> {
    /// The moment at which the text at `span` was read.
    #[must_use]
    pub fn moment(&self, span: Span) -> Moment {
        let later = self.moments.partition_point(|(offset, _)| *offset <= span.start);
        self.moments[later.saturating_sub(1)].1
    }

    /// The comment after `span` that starts on the same line.
    #[must_use]
    pub fn comment_after(&self, sources: &Sources, span: Span) -> Option<Span> {
        let index = self.comments.partition_point(|comment| comment.start < span.end);
        let comment = *self.comments.get(index)?;
        let between = sources[self.file].text.get(span.end as usize..comment.start as usize)?;
        (!between.contains('\n')).then_some(comment)
    }
}

/// Reads files in order, with one set of macros.
#[derive(Debug)]
pub struct Preprocessor<'a> {
    sources: &'a Sources,
    /// The macros defined so far.
    pub macros: Macros<'a>,
}

impl<'a> Preprocessor<'a> {
    /// Starts with the macros of [`config::PRELUDE`], which is the text of `prelude`.
    pub fn new(sources: &'a Sources, prelude: FileId, diagnostics: &mut Diagnostics) -> Preprocessor<'a> {
        let mut preprocessor = Preprocessor { sources, macros: Macros::default() };
        preprocessor.read(prelude, diagnostics);
        preprocessor
    }

    /// Adds the prelude to `sources`.
    pub fn add_prelude(sources: &mut Sources) -> FileId {
        sources.add("<configuration>", config::PRELUDE)
    }

    /// Follows one file's directives.
    pub fn read(&mut self, file: FileId, diagnostics: &mut Diagnostics) -> Unit<'a> {
        self.read_with(file, Bodies::Kept, diagnostics)
    }

    /// Like [`read`](Self::read), without the tokens of function bodies, which are most of a file.
    pub fn read_declarations(&mut self, file: FileId, diagnostics: &mut Diagnostics) -> Unit<'a> {
        self.read_functions(file, &[], diagnostics)
    }

    /// Like [`read_declarations`](Self::read_declarations), with the bodies of the functions in `wanted`.
    pub fn read_functions(
        &mut self,
        file: FileId,
        wanted: &'static [&'static str],
        diagnostics: &mut Diagnostics,
    ) -> Unit<'a> {
        self.read_with(file, Bodies::Dropped { depth: 0, inside: false, wanted }, diagnostics)
    }

    fn read_with(&mut self, file: FileId, bodies: Bodies, diagnostics: &mut Diagnostics) -> Unit<'a> {
        let unit = Unit {
            file,
            tokens: Vec::with_capacity(self.sources[file].text.len() / 6),
            comments: Vec::new(),
            defines: Vec::new(),
            moments: vec![(0, self.macros.now())],
        };
        let mut reading =
            Reading { macros: &mut self.macros, unit, bodies, branches: Vec::new(), diagnostics };
        reading.all(lexer::lex(self.sources, file));
        reading.finish(self.sources)
    }
}

/// How the tokens between a function's braces are treated.
enum Bodies {
    Kept,
    Dropped {
        /// The number of open braces.
        depth: usize,
        /// Whether the outermost brace starts the body of a function, since it follows a `)`, and the body is
        /// dropped.
        inside: bool,
        /// Functions whose bodies are kept.
        wanted: &'static [&'static str],
    },
}

impl Bodies {
    /// True inside a function body that is dropped.
    fn drops(&self) -> bool {
        matches!(self, Bodies::Dropped { inside: true, .. })
    }

    /// True for a token to keep, including the braces of a body.
    fn keeps(&mut self, before: &[Token<'_>], token: &Token<'_>) -> bool {
        let Bodies::Dropped { depth, inside, wanted } = self else { return true };
        if token.is("{") {
            *depth += 1;
            if *depth == 1 {
                *inside = before.last().is_some_and(|before| before.is(")"));
                *inside &= wanted.is_empty() || !function(before).is_some_and(|name| wanted.contains(&name));
                return true;
            }
        } else if token.is("}") {
            *depth = depth.saturating_sub(1);
            if *depth == 0 {
                *inside = false;
            }
        }
        !*inside
    }
}

/// The name before the parameters at the end of `tokens`.
fn function<'t>(tokens: &'t [Token<'_>]) -> Option<&'t str> {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().rev() {
        if token.is(")") {
            depth += 1;
        } else if token.is("(") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return tokens.get(index.checked_sub(1)?).map(|name| name.text.as_ref());
            }
        }
    }
    None
}

/// An open `#if`.
struct Branch {
    /// Its latest directive: `#if`, `#elif` or `#else`.
    condition: Span,
    /// Whether the text after that directive is active.
    active: bool,
    /// Whether the text around the `#if` is active.
    around: bool,
    /// Whether one of its branches has been active.
    taken: bool,
    /// Whether `#else` has been read.
    last: bool,
}

struct Reading<'a, 'm, 'd> {
    macros: &'m mut Macros<'a>,
    unit: Unit<'a>,
    bodies: Bodies,
    branches: Vec<Branch>,
    diagnostics: &'d mut Diagnostics,
}

impl<'a> Reading<'a, '_, '_> {
    fn all(&mut self, mut lexer: Lexer<'a>) {
        let mut line = Vec::new();
        let mut next = lexer.next();
        while let Some(token) = next {
            if !(token.starts_line && token.is("#")) {
                if self.active() {
                    if token.is("#") {
                        self.diagnostics.error(token.span, "`#` is only allowed at the start of a line");
                    }
                    if self.bodies.keeps(&self.unit.tokens, &token) {
                        self.unit.tokens.push(token);
                    }
                }
                // Only braces end a dropped body, and only directives end an inactive region: skip the tokens in
                // between.
                let skips = self.bodies.drops() || !self.active();
                next = if skips { lexer.next_brace() } else { lexer.next() };
                continue;
            }
            line.clear();
            next = lexer.next();
            while let Some(more) = next.take_if(|more| !more.starts_line) {
                line.push(more);
                next = lexer.next();
            }
            self.directive(&token, &line);
        }
        if let Some(comment) = lexer.unclosed {
            self.diagnostics.error(comment, "this comment is never closed");
        }
        self.unit.comments = lexer.comments;
    }

    fn active(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.active)
    }

    fn directive(&mut self, hash: &Token<'a>, line: &[Token<'a>]) {
        let Some((name, rest)) = line.split_first() else { return };
        let at = hash.span.to(line.last().map_or(hash.span, |token| token.span));
        let active = self.active();
        match name.text.as_ref() {
            "if" | "ifdef" | "ifndef" => self.open(name, rest, at),
            "elif" => self.next_branch(Some(rest), at),
            "else" => self.next_branch(None, at),
            "endif" => self.close(at),
            "define" => self.define(rest, at),
            "undef" if active => match rest {
                [name] if name.kind == Kind::Ident => {
                    self.macros.record(name.text.clone(), None);
                    self.unit.moments.push((at.end, self.macros.now()));
                }
                _ => self.diagnostics.error(at, "#undef takes one name"),
            },
            "error" if active => {
                let help = "the configuration in cpuid-gen/src/c/config.rs does not fit this file";
                self.diagnostics.push(Diagnostic::error(at, "this #error is active").with_help(help));
            }
            "include" | "include_next" | "pragma" | "line" | "warning" | "ident" => {}
            _ if !active => {}
            "undef" | "error" => {}
            other => self.diagnostics.error(name.span, format!("unknown directive `#{other}`")),
        }
    }

    fn open(&mut self, kind: &Token<'a>, rest: &[Token<'a>], at: Span) {
        if self.branches.len() >= MAX_DEPTH {
            self.diagnostics.error(at, format!("conditionals nest deeper than {MAX_DEPTH}"));
        }
        let around = self.active();
        let holds = around && self.decide(kind.text.as_ref(), rest, at);
        self.branches.push(Branch { condition: at, active: holds, around, taken: holds, last: false });
    }

    fn decide(&mut self, kind: &str, rest: &[Token<'a>], at: Span) -> bool {
        if kind == "if" {
            return self.condition(rest, at);
        }
        match rest {
            [name] if name.kind == Kind::Ident => {
                self.macros.get(&name.text, self.macros.now()).is_some() == (kind == "ifdef")
            }
            _ => {
                self.diagnostics.error(at, format!("`#{kind}` takes one name"));
                false
            }
        }
    }

    fn condition(&mut self, tokens: &[Token<'a>], at: Span) -> bool {
        let environment = Environment::condition(self.macros, self.macros.now());
        match expr::evaluate_condition(tokens, at, &environment) {
            Ok(value) => value,
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                false
            }
        }
    }

    /// `#elif` with its condition, or `#else`.
    fn next_branch(&mut self, condition: Option<&[Token<'a>]>, at: Span) {
        let Some(branch) = self.branches.last() else {
            self.diagnostics.error(at, "this directive has no #if");
            return;
        };
        if branch.last {
            self.diagnostics.error(at, "this branch follows an #else");
        }
        let may = branch.around && !branch.taken;
        let holds = may && condition.is_none_or(|tokens| self.condition(tokens, at));
        self.skip_to(at);
        if let Some(branch) = self.branches.last_mut() {
            branch.condition = at;
            branch.active = holds;
            branch.taken |= holds;
            branch.last |= condition.is_none();
        }
    }

    fn close(&mut self, at: Span) {
        self.skip_to(at);
        if self.branches.pop().is_none() {
            self.diagnostics.error(at, "#endif without #if");
        }
    }

    /// Records the region that the innermost branch, which ends at `at`, leaves out.
    fn skip_to(&mut self, at: Span) {
        if let Some(branch) = self.branches.last().filter(|branch| branch.around && !branch.active) {
            let region = Span { start: branch.condition.end, end: at.start, ..at };
            self.diagnostics.left_out.push(LeftOut { condition: branch.condition, region });
        }
    }

    fn define(&mut self, line: &[Token<'a>], at: Span) {
        let active = self.active();
        let Some((name, rest)) = line.split_first().filter(|(name, _)| name.kind == Kind::Ident) else {
            if active {
                self.diagnostics.error(at, "#define takes a name");
            }
            return;
        };
        let function_like = rest.first().is_some_and(|token| token.is("(") && !token.spaced);
        let (params, body) = if function_like {
            match parameters(rest) {
                Some((params, body)) => (Some(params), body),
                None => {
                    self.diagnostics.error(at, format!("cannot parse the parameters of `{}`", name.text));
                    return;
                }
            }
        } else {
            (None, rest)
        };
        let define = Rc::new(Define::new(name.clone(), params, body.to_vec(), active));
        self.unit.defines.push(Rc::clone(&define));
        if active {
            self.macros.record(name.text.clone(), Some(define));
            self.unit.moments.push((at.end, self.macros.now()));
        }
    }

    fn finish(mut self, sources: &Sources) -> Unit<'a> {
        let end = sources[self.unit.file].text.len();
        while let Some(branch) = self.branches.pop() {
            self.diagnostics.error(branch.condition, "this conditional is never closed by #endif");
            let region = sources.span(self.unit.file, branch.condition.end as usize, end);
            self.diagnostics.left_out.push(LeftOut { condition: branch.condition, region });
        }
        self.unit
    }
}

/// Parses `(a, b, rest...)` and returns the tokens after it.
fn parameters<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Params, &'t [Token<'a>])> {
    let mut params = Params::default();
    let mut at = 1;
    while !tokens.get(at)?.is(")") {
        if !params.names.is_empty() || params.variadic {
            (!params.variadic && tokens.get(at)?.is(",")).then_some(())?;
            at += 1;
        }
        let token = tokens.get(at)?;
        if token.kind == Kind::Ident {
            params.names.push(token.text.clone().into_owned());
            at += 1;
        }
        if tokens.get(at)?.is("...") {
            params.variadic = true;
            if token.is("...") {
                params.names.push("__VA_ARGS__".to_owned());
            }
            at += 1;
        } else if token.kind != Kind::Ident {
            return None;
        }
    }
    Some((params, &tokens[at + 1..]))
}
