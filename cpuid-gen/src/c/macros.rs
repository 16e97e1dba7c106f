//! Macro definitions, and the history of each macro while files are read.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::hash_map::Entry;
use std::rc::Rc;

use super::lexer::Token;
use crate::hash::QuickMap;

/// One `#define`.
#[derive(Debug)]
pub struct Define<'a> {
    /// The macro.
    pub name: Token<'a>,
    /// Its parameters, none for an object-like macro.
    pub params: Option<Params>,
    /// Its replacement.
    pub body: Vec<Token<'a>>,
    /// False in a conditional's inactive branch.
    pub active: bool,
    /// How each token of the body is replaced; computed by the first call.
    steps: OnceCell<Vec<Step>>,
}

impl<'a> Define<'a> {
    /// A definition with its replacement, and its parameters if it is function-like.
    pub(super) fn new(
        name: Token<'a>,
        params: Option<Params>,
        body: Vec<Token<'a>>,
        active: bool,
    ) -> Define<'a> {
        Define { name, params, body, active, steps: OnceCell::new() }
    }

    /// How each token of a function-like macro's body is replaced.
    pub(super) fn steps(&self) -> &[Step] {
        let params = self.params.as_ref();
        self.steps.get_or_init(|| params.map_or(Vec::new(), |params| steps(params, &self.body)))
    }
}

/// A function-like macro's parameters.
#[derive(Debug, Default)]
pub struct Params {
    /// Names in order; the last takes all remaining arguments when `variadic`.
    pub names: Vec<String>,
    /// True for `...` and for GNU's `name...`.
    pub variadic: bool,
}

/// A macro's definition from a moment on, or `None` after `#undef`.
type Event<'a> = (u32, Option<Rc<Define<'a>>>);

/// One macro's definitions in order; most macros have one.
#[derive(Debug)]
struct Events<'a> {
    first: Event<'a>,
    later: Vec<Event<'a>>,
}

/// Macros by name, with every definition that was in effect at some point of the reading.
#[derive(Debug, Default)]
pub struct Macros<'a> {
    events: QuickMap<Cow<'a, str>, Events<'a>>,
    clock: u32,
    /// Number of tokens that all expansions have produced so far.
    pub(super) made: Cell<usize>,
}

/// A point of the reading, at which a macro is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u32);

impl<'a> Macros<'a> {
    /// The definition in effect at `moment`.
    #[must_use]
    pub fn get(&self, name: &str, moment: Moment) -> Option<&Rc<Define<'a>>> {
        let events = self.events.get(name)?;
        let later = events.later.partition_point(|(when, _)| *when <= moment.0);
        let latest = later.checked_sub(1).map_or(&events.first, |last| &events.later[last]);
        latest.1.as_ref().filter(|_| latest.0 <= moment.0)
    }

    /// The moment after everything read so far.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(self.clock)
    }

    /// Records a definition, or `None` for `#undef`.
    pub(super) fn record(&mut self, name: Cow<'a, str>, define: Option<Rc<Define<'a>>>) {
        self.clock += 1;
        let event = (self.clock, define);
        match self.events.entry(name) {
            Entry::Occupied(events) => events.into_mut().later.push(event),
            Entry::Vacant(none) => {
                none.insert(Events { first: event, later: Vec::new() });
            }
        }
    }
}

/// How one token of a function-like macro's body is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// It is copied.
    Token,
    /// The argument replaces it: unexpanded next to `##`, expanded elsewhere.
    Parameter { index: usize, pasted: bool },
    /// `#`: the spelling of the argument replaces both tokens.
    Text(usize),
    /// `##`
    Paste,
    /// The parameter after `#`, which `Text` has replaced.
    Done,
}

/// The steps of a body, one per token.
fn steps(params: &Params, body: &[Token<'_>]) -> Vec<Step> {
    let parameter = |token: &Token<'_>| params.names.iter().position(|name| token.is_ident(name));
    let mut steps = Vec::with_capacity(body.len());
    for (index, token) in body.iter().enumerate() {
        let (before, after) = (index.checked_sub(1).map(|before| &body[before]), body.get(index + 1));
        let step = if let Some(Step::Text(_)) = steps.last() {
            Step::Done
        } else if token.is("##") {
            Step::Paste
        } else if token.is("#") {
            after.and_then(parameter).map_or(Step::Token, Step::Text)
        } else if let Some(index) = parameter(token) {
            let pasted = [before, after].into_iter().flatten().any(|beside| beside.is("##"));
            Step::Parameter { index, pasted }
        } else {
            Step::Token
        };
        steps.push(step);
    }
    steps
}
