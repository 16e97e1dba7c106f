//! The macros that produced a token, which do not expand it again (C11 6.10.3.4).

use super::macros::Define;

/// A set of macros, as an index into [`HiddenSets`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    /// One more than the index of the innermost macro; 0 for none.
    at: u32,
    /// The number of macros in the set.
    pub(super) depth: u32,
}

/// The sets of one expansion, each as a macro and the set that it extends.
#[derive(Debug, Default)]
pub(super) struct HiddenSets<'m, 'a> {
    /// A name has only one definition at the moment of an expansion, so the definition's address identifies the name.
    sets: Vec<(&'m Define<'a>, Hidden)>,
}

impl<'m, 'a> HiddenSets<'m, 'a> {
    /// Adds a macro to a set.
    pub(super) fn add(&mut self, define: &'m Define<'a>, outer: Hidden) -> Hidden {
        self.sets.push((define, outer));
        Hidden { at: u32::try_from(self.sets.len()).unwrap_or(u32::MAX), depth: outer.depth + 1 }
    }

    /// The number of sets.
    pub(super) fn len(&self) -> usize {
        self.sets.len()
    }

    /// The macros of a set, innermost first.
    fn macros(&self, mut hidden: Hidden) -> impl Iterator<Item = &'m Define<'a>> {
        std::iter::from_fn(move || {
            let (define, outer) = *self.sets.get((hidden.at as usize).checked_sub(1)?)?;
            hidden = outer;
            Some(define)
        })
    }

    /// True if the set contains the macro.
    pub(super) fn hides(&self, hidden: Hidden, define: &Define<'a>) -> bool {
        self.macros(hidden).any(|inner| std::ptr::eq(inner, define))
    }

    /// The macros that produced both the name and the closing parenthesis of a call. A call that ends outside a
    /// macro's replacement is no longer inside that macro, as in gcc (C11 6.10.3.4p4 leaves this open).
    pub(super) fn common(&mut self, name: Hidden, close: Hidden) -> Hidden {
        if name == close || self.macros(name).all(|define| self.hides(close, define)) {
            return name;
        }
        let both: Vec<_> = self.macros(name).filter(|define| self.hides(close, define)).collect();
        both.into_iter().fold(Hidden::default(), |outer, define| self.add(define, outer))
    }
}
