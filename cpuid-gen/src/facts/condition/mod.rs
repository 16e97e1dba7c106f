//! A condition of the facts: an expression over a kernel's configuration options, named without `CONFIG_`, or over what
//! a module of KVM asks: parameters, features, functions and comparisons.
//!
//! It has `!`, `&&`, `||` and parentheses, with the precedence of C and Kconfig. A tristate option counts as set if
//! it is `y`, like in `#ifdef CONFIG_X`. Linux's Documentation/kbuild/kconfig-language.rst, "Menu dependencies".

mod parse;

use std::fmt;

#[cfg(feature = "trees")]
use crate::diagnostic::Diagnostic;
use crate::ordered::Set;
#[cfg(feature = "trees")]
use crate::source::Span;
#[cfg(feature = "trees")]
pub(crate) use parse::{Piece, pieces};

/// Maximum number of options in a condition, since all their settings are tried. Real conditions name two.
#[cfg(feature = "trees")]
const MAX_OPTIONS: usize = 10;

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

impl Condition {
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
    }

    #[cfg(feature = "trees")]
    #[test]
    fn what_always_or_never_holds() {
        let mut sources = Sources::new();
        let file = sources.add("text", "x");
        let can = |text: &str| read(text).unwrap().can_hold_and_fail(sources.span(file, 0, 0)).unwrap();
        assert_eq!([can("A"), can("A || !A"), can("A && !A")], [(true, true), (true, false), (false, true)]);
    }
}
