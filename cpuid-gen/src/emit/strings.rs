//! The texts of the tables, each once, in the order of first use. Number 0 is the empty text, which means none.

use super::error::{GenerateError, check_name};
use super::layout::{fits, number};
use crate::ordered::Map;

/// Texts with their numbers. The map is only used for look-ups; the list determines the order.
pub(super) struct Strings<'m> {
    ids: Map<&'m str, u16>,
    all: Vec<&'m str>,
}

impl<'m> Strings<'m> {
    pub(super) fn new() -> Strings<'m> {
        Strings { ids: [("", 0)].into_iter().collect(), all: vec![""] }
    }

    /// The number of a text; adds it if necessary.
    pub(super) fn id(&mut self, text: &'m str) -> u16 {
        *self.ids.or_insert_with(text, || {
            self.all.push(text);
            number(self.all.len() - 1)
        })
    }

    /// The number of a text, or 0 for `None`.
    pub(super) fn optional(&mut self, text: Option<&'m str>) -> u16 {
        text.map_or(0, |text| self.id(text))
    }

    /// All texts by number.
    pub(super) fn finish(self) -> Result<Vec<&'m str>, GenerateError> {
        self.all.iter().try_for_each(|name| check_name(name))?;
        fits("names", self.all.len(), usize::from(u16::MAX))?;
        Ok(self.all)
    }
}
