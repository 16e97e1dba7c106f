//! Every text of the tables, once, in the order of first use. Number 0 is the empty text: none.

use std::collections::HashMap;

use super::GenerateError;
use super::layout::{fits, number};

/// Texts with their numbers. The map is only looked up; the order comes from the list.
pub(super) struct Strings<'m> {
    ids: HashMap<&'m str, u16>,
    all: Vec<&'m str>,
}

impl<'m> Strings<'m> {
    pub(super) fn new() -> Strings<'m> {
        Strings { ids: HashMap::from([("", 0)]), all: vec![""] }
    }

    /// The number of a text; a new one if needed.
    pub(super) fn id(&mut self, text: &'m str) -> u16 {
        *self.ids.entry(text).or_insert_with(|| {
            self.all.push(text);
            number(self.all.len() - 1)
        })
    }

    /// The number of a text, 0 for none.
    pub(super) fn optional(&mut self, text: Option<&'m str>) -> u16 {
        text.map_or(0, |text| self.id(text))
    }

    /// All texts by number.
    pub(super) fn finish(self) -> Result<Vec<&'m str>, GenerateError> {
        if let Some(name) = self.all.iter().find(|name| name.contains(char::is_control)) {
            return Err(GenerateError::Name(name.escape_debug().to_string()));
        }
        fits("names", self.all.len(), usize::from(u16::MAX))?;
        Ok(self.all)
    }
}
