//! Macro expansion (C11 6.10.3): objects, functions, `#`, `##`, variadic ones, and no macro inside itself.

use std::borrow::Cow;
use std::rc::Rc;

use super::MAX_DEPTH;
use super::lexer::{Kind, Token};
use super::preprocess::{Define, Macros, Moment, Params};
use crate::diagnostic::Diagnostic;

/// How many tokens an expansion may make. The largest real one, a row of QEMU's table, makes a few thousand.
const MAX_TOKENS: usize = 1 << 18;

/// How many tokens all expansions of one tree may make. A real QEMU makes some ten thousand.
const MAX_ALL_TOKENS: usize = 1 << 21;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Expands every macro in `tokens`.
///
/// # Errors
///
/// A macro with the wrong number of arguments, an open argument list, a paste that makes no token, or an expansion
/// without end.
pub fn expand<'a>(tokens: &[Token<'a>], macros: &Macros<'a>, moment: Moment) -> Result<Vec<Token<'a>>> {
    expand_some(tokens, macros, moment, &|_| true)
}

/// Expands the macros whose names `wanted` accepts.
///
/// # Errors
///
/// As [`expand`].
pub fn expand_some<'a>(
    tokens: &[Token<'a>],
    macros: &Macros<'a>,
    moment: Moment,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Token<'a>>> {
    let mut expander = Expander { macros, moment, wanted, made: 0 };
    let pending = tokens.iter().cloned().map(|token| (token, None)).collect();
    let out = expander.run(pending, 0)?;
    Ok(out.into_iter().map(|(token, _)| token).collect())
}

/// The macros that a token came out of; it is not expanded by them again.
type Hidden<'a> = Option<Rc<HiddenIn<'a>>>;

#[derive(Debug)]
struct HiddenIn<'a> {
    name: Cow<'a, str>,
    outer: Hidden<'a>,
    depth: usize,
}

impl<'a> HiddenIn<'a> {
    fn new(name: Cow<'a, str>, outer: Hidden<'a>) -> Hidden<'a> {
        let depth = 1 + outer.as_ref().map_or(0, |outer| outer.depth);
        Some(Rc::new(HiddenIn { name, outer, depth }))
    }
}

fn hides(hidden: &Hidden<'_>, name: &str) -> bool {
    let mut at = hidden;
    while let Some(inner) = at {
        if inner.name == name {
            return true;
        }
        at = &inner.outer;
    }
    false
}

/// What both the name and the closing parenthesis of a call came out of: a call that ends outside a macro's
/// replacement is no longer inside that macro, as gcc has it (C11 6.10.3.4p4 leaves it open).
fn common<'a>(name: &Hidden<'a>, close: &Hidden<'a>) -> Hidden<'a> {
    let mut found = None;
    let mut at = name;
    while let (Some(inner), true) = (at, close.is_some()) {
        if hides(close, &inner.name) {
            found = HiddenIn::new(inner.name.clone(), found);
        }
        at = &inner.outer;
    }
    found
}

type Item<'a> = (Token<'a>, Hidden<'a>);

/// A call's arguments, and what its closing parenthesis came out of.
type Call<'a> = (Vec<Vec<Item<'a>>>, Hidden<'a>);

struct Expander<'a, 'm> {
    macros: &'m Macros<'a>,
    moment: Moment,
    wanted: &'m dyn Fn(&str) -> bool,
    made: usize,
}

impl<'a> Expander<'a, '_> {
    fn run(&mut self, tokens: Vec<Item<'a>>, depth: usize) -> Result<Vec<Item<'a>>> {
        let mut pending = tokens;
        pending.reverse();
        let mut out = Vec::with_capacity(pending.len());
        while let Some((token, hidden)) = pending.pop() {
            match self.definition(&token, &hidden) {
                None => out.push((token, hidden)),
                Some(define) if define.params.is_some() => {
                    if pending.last().is_some_and(|(next, _)| next.is("(")) {
                        let (arguments, close) = take_arguments(&token, &mut pending)?;
                        let both = common(&hidden, &close);
                        let replaced = self.call(&define, &token, arguments, both, depth)?;
                        self.push_back(&mut pending, replaced, &token)?;
                    } else {
                        out.push((token, hidden));
                    }
                }
                Some(define) => {
                    let inner = hide(&define, hidden);
                    let parts = define.body.iter().map(|token| (Part::Token(token.clone()), inner.clone()));
                    let replaced = pasted(parts.collect(), &token)?;
                    self.push_back(&mut pending, replaced, &token)?;
                }
            }
        }
        Ok(out)
    }

    fn definition(&self, token: &Token<'a>, hidden: &Hidden<'a>) -> Option<Rc<Define<'a>>> {
        if token.kind != Kind::Ident {
            return None;
        }
        let define = self.macros.get(&token.text, self.moment)?;
        (!hides(hidden, &token.text) && (self.wanted)(&token.text)).then(|| Rc::clone(define))
    }

    fn push_back(
        &mut self,
        pending: &mut Vec<Item<'a>>,
        mut items: Vec<Item<'a>>,
        at: &Token<'a>,
    ) -> Result<()> {
        if let Some((first, _)) = items.first_mut() {
            first.spaced = at.spaced;
        }
        let deepest = items.iter().filter_map(|(_, hidden)| hidden.as_ref()).map(|hidden| hidden.depth).max();
        if deepest.is_some_and(|deepest| deepest > MAX_DEPTH) {
            return Err(Diagnostic::error(
                at.span,
                format!("macros nest deeper than {MAX_DEPTH} at `{}`", at.text),
            ));
        }
        // An empty replacement counts too, or a long chain of them would be free.
        self.made += items.len() + 1;
        let all = &self.macros.made;
        all.set(all.get() + items.len() + 1);
        if all.get() > MAX_ALL_TOKENS {
            let message =
                format!("`{}` is one expansion too many: all make {MAX_ALL_TOKENS} tokens", at.text);
            return Err(Diagnostic::error(at.span, message));
        }
        if self.made > MAX_TOKENS {
            let message = format!("`{}` expands to more than {MAX_TOKENS} tokens", at.text);
            return Err(Diagnostic::error(at.span, message));
        }
        pending.extend(items.into_iter().rev());
        Ok(())
    }

    fn call(
        &mut self,
        define: &Rc<Define<'a>>,
        at: &Token<'a>,
        arguments: Vec<Vec<Item<'a>>>,
        hidden: Hidden<'a>,
        depth: usize,
    ) -> Result<Vec<Item<'a>>> {
        if depth >= MAX_DEPTH {
            return Err(Diagnostic::error(at.span, format!("macro calls nest deeper than {MAX_DEPTH}")));
        }
        let no_params = Params::default();
        let params = define.params.as_ref().unwrap_or(&no_params);
        let arguments = fit(params, arguments).map_err(|count| {
            let message = format!("`{}` takes {} arguments, not {count}", at.text, params.names.len());
            Diagnostic::error(at.span, message).with_label(define.name.span, "defined here")
        })?;
        let mut expanded: Vec<Option<Vec<Item<'a>>>> = vec![None; arguments.len()];
        let inner = hide(define, hidden);
        let mut parts = Vec::with_capacity(define.body.len());
        let mut joined = Joined::default();
        let mut body = define.body.iter().enumerate();
        while let Some((index, token)) = body.next() {
            let next = define.body.get(index + 1);
            let index_of = |token: &Token<'_>| params.names.iter().position(|name| token.is_ident(name));
            if token.is("#") {
                if let Some(parameter) = next.and_then(index_of) {
                    body.next();
                    parts.push((Part::Token(stringize(&arguments[parameter], token)), inner.clone()));
                    continue;
                }
            }
            let Some(parameter) = index_of(token) else {
                parts.push((Part::Token(token.clone()), inner.clone()));
                continue;
            };
            let pasted =
                next.is_some_and(|next| next.is("##")) || (index > 0 && define.body[index - 1].is("##"));
            let items = if pasted {
                arguments[parameter].clone()
            } else {
                if expanded[parameter].is_none() {
                    expanded[parameter] = Some(self.run(arguments[parameter].clone(), depth + 1)?);
                }
                expanded[parameter].clone().unwrap_or_default()
            };
            if items.is_empty() {
                parts.push((Part::Nothing, inner.clone()));
            }
            for (index, (mut inner_token, hidden)) in items.into_iter().enumerate() {
                if index == 0 {
                    inner_token.spaced = token.spaced;
                }
                let hidden = joined.of(&inner, hidden, &define.name.text);
                parts.push((Part::Argument(inner_token), hidden));
            }
        }
        pasted(parts, at)
    }
}

/// A macro's body with its arguments in place.
enum Part<'a> {
    /// Of the body itself; only here `##` pastes.
    Token(Token<'a>),
    /// Of an argument.
    Argument(Token<'a>),
    /// An empty argument.
    Nothing,
}

fn hide<'a>(define: &Define<'a>, outer: Hidden<'a>) -> Hidden<'a> {
    HiddenIn::new(define.name.text.clone(), outer)
}

/// What arguments' tokens are hidden in: what they were, and the macro they were handed to. Neighbours mostly share it.
#[derive(Default)]
struct Joined<'a> {
    of_argument: Hidden<'a>,
    both: Hidden<'a>,
}

impl<'a> Joined<'a> {
    fn of(&mut self, inner: &Hidden<'a>, of_argument: Hidden<'a>, name: &Cow<'a, str>) -> Hidden<'a> {
        let Some(one) = &of_argument else { return inner.clone() };
        if !self.of_argument.as_ref().is_some_and(|last| Rc::ptr_eq(last, one)) {
            self.both = HiddenIn::new(name.clone(), of_argument.clone());
            self.of_argument = of_argument;
        }
        self.both.clone()
    }
}

/// Takes `( ... )` off the pending tokens and splits it at its commas.
fn take_arguments<'a>(call: &Token<'a>, pending: &mut Vec<Item<'a>>) -> Result<Call<'a>> {
    pending.pop();
    let mut arguments = vec![Vec::new()];
    let mut depth = 0usize;
    while let Some((token, hidden)) = pending.pop() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            if depth == 0 {
                return Ok((arguments, hidden));
            }
            depth -= 1;
        } else if token.is(",") && depth == 0 {
            arguments.push(Vec::new());
            continue;
        }
        if let Some(last) = arguments.last_mut() {
            last.push((token, hidden));
        }
    }
    Err(Diagnostic::error(call.span, format!("the argument list of `{}` is not closed", call.text)))
}

/// As many arguments as parameters: a variadic last one takes the rest, commas included.
fn fit<'a>(
    params: &Params,
    mut arguments: Vec<Vec<Item<'a>>>,
) -> std::result::Result<Vec<Vec<Item<'a>>>, usize> {
    let wants = params.names.len();
    if wants == 0 && arguments.len() == 1 && arguments[0].is_empty() {
        return Ok(Vec::new());
    }
    if params.variadic {
        if arguments.len() + 1 == wants {
            arguments.push(Vec::new());
        }
        while arguments.len() > wants {
            let last = arguments.pop().unwrap_or_default();
            let Some(before) = arguments.last_mut() else { break };
            let Some(like) = last.first().or(before.last()).map(|(token, _)| token.clone()) else { continue };
            before.push((Token { kind: Kind::Punct, text: Cow::Borrowed(","), ..like }, None));
            before.extend(last);
        }
    }
    if arguments.len() == wants { Ok(arguments) } else { Err(arguments.len()) }
}

fn stringize<'a>(argument: &[Item<'a>], at: &Token<'a>) -> Token<'a> {
    let mut text = String::from("\"");
    for (index, (token, _)) in argument.iter().enumerate() {
        if index > 0 && token.spaced {
            text.push(' ');
        }
        let quoted = matches!(token.kind, Kind::Str | Kind::Char);
        for c in token.text.chars() {
            if quoted && (c == '"' || c == '\\') {
                text.push('\\');
            }
            text.push(c);
        }
    }
    text.push('"');
    Token { kind: Kind::Str, text: Cow::Owned(text), ..at.clone() }
}

/// Carries out `##`.
fn pasted<'a>(parts: Vec<(Part<'a>, Hidden<'a>)>, at: &Token<'a>) -> Result<Vec<Item<'a>>> {
    if !parts.iter().any(|(part, _)| matches!(part, Part::Token(token) if token.is("##"))) {
        return Ok(parts.into_iter().filter_map(item).collect());
    }
    let mut out: Vec<Option<Item<'a>>> = Vec::with_capacity(parts.len());
    let mut pasting = false;
    for part in parts {
        if matches!(&part.0, Part::Token(token) if token.is("##")) {
            pasting = true;
            continue;
        }
        let item = item(part);
        if !std::mem::take(&mut pasting) {
            out.push(item);
            continue;
        }
        let left = out.pop().flatten();
        out.push(match (left, item) {
            (Some((left, hidden)), Some((right, _))) => Some((paste(&left, &right, at)?, hidden)),
            (left, right) => left.or(right),
        });
    }
    Ok(out.into_iter().flatten().collect())
}

/// The token of a part.
fn item<'a>((part, hidden): (Part<'a>, Hidden<'a>)) -> Option<Item<'a>> {
    match part {
        Part::Token(token) | Part::Argument(token) => Some((token, hidden)),
        Part::Nothing => None,
    }
}

fn paste<'a>(left: &Token<'a>, right: &Token<'a>, at: &Token<'a>) -> Result<Token<'a>> {
    let text = format!("{}{}", left.text, right.text);
    let words = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    let kind = match left.kind {
        Kind::Ident if words && !text.contains('.') => Kind::Ident,
        Kind::Number if words => Kind::Number,
        _ => {
            let message =
                format!("`{}` and `{}` pasted make no token that is understood", left.text, right.text);
            return Err(Diagnostic::error(at.span, message));
        }
    };
    Ok(Token { kind, text: Cow::Owned(text), ..left.clone() })
}
