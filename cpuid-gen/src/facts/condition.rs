//! A condition of the facts: an expression over a kernel's configuration options, named without `CONFIG_`, or over what
//! a module of KVM asks: parameters, features, functions and comparisons.
//!
//! It has `!`, `&&`, `||` and parentheses, with the precedence of C and Kconfig. A tristate option counts as set if
//! it is `y`, like in `#ifdef CONFIG_X`. Linux's Documentation/kbuild/kconfig-language.rst, "Menu dependencies".

use std::fmt;

use crate::diagnostic::Diagnostic;
use crate::ordered::Set;
use crate::source::Span;

/// Maximum number of options in a condition, since all their settings are tried. Real conditions name two.
#[cfg(feature = "trees")]
const MAX_OPTIONS: usize = 10;

/// Maximum nesting of parentheses.
const MAX_DEPTH: usize = 64;

/// An expression over options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Always true.
    Always,
    /// The option is set.
    Option(String),
    /// The inner condition is false.
    Not(Box<Condition>),
    /// All parts are true.
    All(Vec<Condition>),
    /// At least one part is true.
    Any(Vec<Condition>),
}

/// What the names of an expression are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Options,
    Module,
}

/// Operators between two names.
const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

/// A token of an expression, an option's name or punctuation, with its place.
pub(crate) type Piece<'a> = (&'a str, Span);

impl Condition {
    /// Parses an expression; `at` is the place of its end.
    ///
    /// # Errors
    ///
    /// Tokens that are not a valid expression.
    pub(crate) fn parse(pieces: &[Piece<'_>], at: Span) -> Result<Condition, Diagnostic> {
        Condition::parse_over(pieces, at, Over::Options)
    }

    fn parse_over(pieces: &[Piece<'_>], at: Span, over: Over) -> Result<Condition, Diagnostic> {
        let mut parser = Parser { pieces, next: 0, end: at, depth: 0, over };
        let found = parser.any()?;
        match pieces.get(parser.next) {
            None => Ok(found),
            Some((text, at)) => Err(Diagnostic::error(*at, format!("expected && or ||, found `{text}`"))),
        }
    }

    /// Parses the text that [`Display`](fmt::Display) writes; `at` is its place.
    ///
    /// # Errors
    ///
    /// Text that is not a valid expression.
    pub fn from_text(text: &str, at: Span) -> Result<Condition, Diagnostic> {
        Condition::parse(&pieces(text, at)?, at)
    }

    /// Like [`from_text`](Self::from_text), for a condition of a module of KVM: `kvm_amd.npt`, `host:NRIPS`,
    /// `kvm_pmu_cap.version != 2`.
    ///
    /// # Errors
    ///
    /// Text that is not a valid expression.
    pub fn of_module(text: &str, at: Span) -> Result<Condition, Diagnostic> {
        Condition::parse_over(&pieces(text, at)?, at, Over::Module)
    }

    /// True if the condition holds when exactly the options accepted by `set` are set.
    #[must_use]
    pub fn holds(&self, set: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Condition::Always => true,
            Condition::Option(name) => set(name),
            Condition::Not(inner) => !inner.holds(set),
            Condition::All(parts) => parts.iter().all(|part| part.holds(set)),
            Condition::Any(parts) => parts.iter().any(|part| part.holds(set)),
        }
    }

    /// The options it names.
    pub fn options(&self) -> Set<&str> {
        let mut names = Set::new();
        self.add_options(&mut names);
        names
    }

    fn add_options<'c>(&'c self, names: &mut Set<&'c str>) {
        match self {
            Condition::Always => {}
            Condition::Option(name) => drop(names.insert(name)),
            Condition::Not(inner) => inner.add_options(names),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| part.add_options(names));
            }
        }
    }

    /// The opposite.
    pub(crate) fn negated(self) -> Condition {
        match self {
            Condition::Not(inner) => *inner,
            other => Condition::Not(Box::new(other)),
        }
    }

    /// True if all of these are true. Parts that are always true are dropped.
    pub(crate) fn all(parts: impl IntoIterator<Item = Condition>) -> Condition {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Condition::Always => {}
                Condition::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Condition::Always,
            1 => flat.remove(0),
            _ => Condition::All(flat),
        }
    }

    /// True if any of these is true. There must be at least one.
    pub(crate) fn any(parts: impl IntoIterator<Item = Condition>) -> Condition {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Condition::Always => return Condition::Always,
                Condition::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { Condition::Any(flat) }
    }

    /// Whether the condition can be true, and whether it can be false, over all settings of its options.
    ///
    /// # Errors
    ///
    /// A condition with too many options.
    #[cfg(feature = "trees")]
    pub(crate) fn can_hold_and_fail(&self, at: Span) -> Result<(bool, bool), Diagnostic> {
        let names: Vec<&str> = self.options().into_iter().collect();
        if names.len() > MAX_OPTIONS {
            return Err(Diagnostic::error(at, format!("a condition with more than {MAX_OPTIONS} options")));
        }
        let (mut holds, mut fails) = (false, false);
        for setting in 0..1u32 << names.len() {
            let set = |name: &str| names.iter().position(|known| *known == name);
            let value = self.holds(&|name| set(name).is_some_and(|bit| setting >> bit & 1 == 1));
            holds |= value;
            fails |= !value;
        }
        Ok((holds, fails))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Always => f.write_str("-"),
            Condition::Option(name) => f.write_str(name),
            Condition::Not(inner) => inner.inside(f, "!", false),
            Condition::All(parts) => joined(f, parts, " && "),
            Condition::Any(parts) => joined(f, parts, " || "),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Condition], by: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        part.inside(f, if index == 0 { "" } else { by }, by == " || ")?;
    }
    Ok(())
}

impl Condition {
    /// Writes the condition after `before`, in parentheses if needed; an `&&` inside an `||` needs none.
    fn inside(&self, f: &mut fmt::Formatter<'_>, before: &str, in_any: bool) -> fmt::Result {
        let bare = match self {
            Condition::All(_) => in_any,
            Condition::Any(_) => false,
            // A comparison after `!`.
            Condition::Option(name) => before != "!" || !name.contains(' '),
            _ => true,
        };
        if bare { write!(f, "{before}{self}") } else { write!(f, "{before}({self})") }
    }
}

/// Splits a line of text into names and punctuation; `at` is its place.
///
/// # Errors
///
/// A character that is part of neither.
pub(crate) fn pieces(text: &str, at: Span) -> Result<Vec<Piece<'_>>, Diagnostic> {
    let (bytes, mut found, mut start) = (text.as_bytes(), Vec::new(), 0);
    while start < bytes.len() {
        let rest = &bytes[start..];
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:".contains(byte);
        let length = match rest {
            [b' ' | b'\t', ..] => {
                start += 1;
                continue;
            }
            [b'&', b'&', ..] | [b'|', b'|', ..] => 2,
            [b'=' | b'!' | b'<' | b'>', b'=', ..] => 2,
            [b'!' | b'(' | b')' | b'<' | b'>', ..] => 1,
            [first, ..] if word(first) => rest.iter().take_while(|byte| word(byte)).count(),
            _ => {
                let message = format!("`{}` is not an expression over options", text.trim());
                return Err(Diagnostic::error(part(at, start, start + 1), message)
                    .with_help("expected options, !, &&, || and parentheses"));
            }
        };
        found.push((&text[start..start + length], part(at, start, start + length)));
        start += length;
    }
    Ok(found)
}

/// The span of a part of the text at `at`.
fn part(at: Span, start: usize, end: usize) -> Span {
    let offset = |by: usize| at.start.saturating_add(u32::try_from(by).unwrap_or(u32::MAX)).min(at.end);
    Span { start: offset(start), end: offset(end), ..at }
}

struct Parser<'p, 'a> {
    pieces: &'p [Piece<'a>],
    next: usize,
    end: Span,
    depth: usize,
    over: Over,
}

impl<'a> Parser<'_, 'a> {
    fn take(&mut self, text: &str) -> bool {
        let here = self.pieces.get(self.next).is_some_and(|(found, _)| *found == text);
        self.next += usize::from(here);
        here
    }

    fn any(&mut self) -> Result<Condition, Diagnostic> {
        let mut parts = vec![self.all()?];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Ok(Condition::any(parts))
    }

    fn all(&mut self) -> Result<Condition, Diagnostic> {
        let mut parts = vec![self.one()?];
        while self.take("&&") {
            parts.push(self.one()?);
        }
        Ok(Condition::all(parts))
    }

    fn one(&mut self) -> Result<Condition, Diagnostic> {
        let Some((text, at)) = self.pieces.get(self.next).copied() else {
            return Err(Diagnostic::error(self.end, "expected an option, found the end of the condition"));
        };
        self.next += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Diagnostic::error(at, format!("a condition nests deeper than {MAX_DEPTH}")));
        }
        let found = match text {
            "!" => self.one()?.negated(),
            "(" => {
                let inner = self.any()?;
                if !self.take(")") {
                    return Err(Diagnostic::error(at, "this `(` is never closed"));
                }
                inner
            }
            name if self.over == Over::Module && is_word(name) => {
                Condition::Option(self.compared(name).unwrap_or_else(|| name.to_owned()))
            }
            name if is_option(name) => Condition::Option(name.to_owned()),
            other => return Err(Diagnostic::error(at, format!("expected an option, found `{other}`"))),
        };
        self.depth -= 1;
        Ok(found)
    }
}

impl Parser<'_, '_> {
    /// A comparison that starts with this name.
    fn compared(&mut self, name: &str) -> Option<String> {
        let [(operator, _), (right, _), ..] = self.pieces.get(self.next..)? else { return None };
        let comparison = COMPARISONS.contains(operator) && is_word(right);
        comparison.then(|| {
            self.next += 2;
            format!("{name} {operator} {right}")
        })
    }
}

/// A name, a member of a structure, or a number.
fn is_word(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
}

/// Option names are upper case, with digits and underscores.
fn is_option(name: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(upper) && name.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::Condition;
    use crate::source::Sources;

    fn read(text: &str) -> Result<Condition, String> {
        let mut sources = Sources::new();
        let file = sources.add("text", text);
        Condition::from_text(text, sources.span(file, 0, text.len())).map_err(|error| error.render(&sources))
    }

    #[test]
    fn texts_come_back_in_their_plain_form() {
        for (text, plain) in [
            ("X86_64", "X86_64"),
            ("!A", "!A"),
            ("!!A", "A"),
            ("A&&!B", "A && !B"),
            ("(A) || (B && C)", "A || B && C"),
            ("(A || B) && C", "(A || B) && C"),
            ("!(A || B)", "!(A || B)"),
            ("!(A && (B))", "!(A && B)"),
            ("A && (B && C) && D", "A && B && C && D"),
        ] {
            let found = read(text).unwrap();
            assert_eq!(found.to_string(), plain);
            assert_eq!(read(plain), Ok(found));
        }
    }

    #[test]
    fn others_are_errors() {
        for (text, error) in [
            ("", "text:1:1: error: expected an option, found the end of the condition"),
            ("A &&", "text:1:1: error: expected an option, found the end of the condition"),
            ("A B", "text:1:3: error: expected && or ||, found `B`"),
            ("(A", "text:1:1: error: this `(` is never closed"),
            ("A || y", "text:1:6: error: expected an option, found `y`"),
            ("A = B", "text:1:3: error: `A = B` is not an expression over options"),
            ("A == B", "text:1:3: error: expected && or ||, found `==`"),
        ] {
            assert!(read(text).unwrap_err().starts_with(error), "{text}: {:?}", read(text));
        }
        let deep = format!("{}A", "(".repeat(1000));
        assert!(read(&deep).unwrap_err().contains("nests deeper"));
    }

    #[test]
    fn modules_compare_and_name_more() {
        for (text, plain) in [
            ("kvm_amd.npt&&host:NRIPS", "kvm_amd.npt && host:NRIPS"),
            ("a.version!=2||!kvm:X", "a.version != 2 || !kvm:X"),
            ("!(a<B)", "!(a < B)"),
            ("3 >= b && !(c == 1 || d)", "3 >= b && !(c == 1 || d)"),
        ] {
            assert_eq!(module(text), Ok(plain.to_owned()));
            assert_eq!(module(plain), Ok(plain.to_owned()));
        }
        assert!(module("a <").unwrap_err().contains("expected && or ||, found `<`"));
        assert!(module("a < (b)").unwrap_err().contains("expected && or ||, found `<`"));
        assert!(module(".a").unwrap_err().contains("expected an option, found `.a`"));
    }

    fn module(text: &str) -> Result<String, String> {
        let mut sources = Sources::new();
        let file = sources.add("text", text);
        let found = Condition::of_module(text, sources.span(file, 0, text.len()));
        found.map(|found| found.to_string()).map_err(|error| error.render(&sources))
    }

    #[test]
    fn what_holds() {
        let condition = read("A && !B || C").unwrap();
        let holds = |set: &[&str]| condition.holds(&|name| set.contains(&name));
        assert_eq!(
            [holds(&["A"]), holds(&["A", "B"]), holds(&["A", "B", "C"]), holds(&[])],
            [true, false, true, false]
        );
        let mut sources = Sources::new();
        let file = sources.add("text", "x");
        let can = |text: &str| read(text).unwrap().can_hold_and_fail(sources.span(file, 0, 0)).unwrap();
        assert_eq!([can("A"), can("A || !A"), can("A && !A")], [(true, true), (true, false), (false, true)]);
    }
}
