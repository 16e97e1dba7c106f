//! The macros that a token came out of: it is not expanded by them again (C11 6.10.3.4).

use super::macros::Define;

/// A set of macros, as a place in [`HiddenSets`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    /// One more than the index of the innermost macro; 0 for none.
    at: u32,
    /// How many macros there are.
    pub(super) depth: u32,
}

/// The sets of one expansion, each a macro and what that came out of.
#[derive(Debug, Default)]
pub(super) struct HiddenSets<'m, 'a> {
    /// At the moment of an expansion a name has one definition, so that a definition's address stands for its name.
    sets: Vec<(&'m Define<'a>, Hidden)>,
}

impl<'m, 'a> HiddenSets<'m, 'a> {
    /// A macro, and what it came out of.
    pub(super) fn add(&mut self, define: &'m Define<'a>, outer: Hidden) -> Hidden {
        self.sets.push((define, outer));
        Hidden { at: u32::try_from(self.sets.len()).unwrap_or(u32::MAX), depth: outer.depth + 1 }
    }

    /// How many were made.
    pub(super) fn len(&self) -> usize {
        self.sets.len()
    }

    /// The macros of a set, from the inside out.
    fn macros(&self, mut hidden: Hidden) -> impl Iterator<Item = &'m Define<'a>> {
        std::iter::from_fn(move || {
            let (define, outer) = *self.sets.get((hidden.at as usize).checked_sub(1)?)?;
            hidden = outer;
            Some(define)
        })
    }

    /// True when the set has the macro.
    pub(super) fn hides(&self, hidden: Hidden, define: &Define<'a>) -> bool {
        self.macros(hidden).any(|inner| std::ptr::eq(inner, define))
    }

    /// What both the name and the closing parenthesis of a call came out of: a call that ends outside a macro's
    /// replacement is no longer inside that macro, as gcc has it (C11 6.10.3.4p4 leaves it open).
    pub(super) fn common(&mut self, name: Hidden, close: Hidden) -> Hidden {
        if name == close || self.macros(name).all(|define| self.hides(close, define)) {
            return name;
        }
        let both: Vec<_> = self.macros(name).filter(|define| self.hides(close, define)).collect();
        both.into_iter().fold(Hidden::default(), |outer, define| self.add(define, outer))
    }
}
