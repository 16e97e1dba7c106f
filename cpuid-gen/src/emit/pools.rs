//! The shared parts of the tables of CPU models: texts, rows and lists, each stored once and referenced by index.
//!
//! Most versions of most models do not change between releases, so three releases take little more space than one.
//! The order is that of first use.

use super::error::GenerateError;
use super::layout::{fits, number};
use super::strings::Strings;
use crate::ordered::Map;

/// Distinct rows with their indices. The map is only used for look-ups; the list determines the order.
pub(super) struct Pool {
    ids: Map<String, u16>,
    all: Vec<String>,
}

impl Pool {
    pub(super) fn new() -> Pool {
        Pool { ids: Map::new(), all: Vec::new() }
    }

    /// The index of a row, which is an expression; adds it if necessary.
    pub(super) fn id(&mut self, row: String) -> u16 {
        if let Some(id) = self.ids.get(&row) {
            return *id;
        }
        let id = number(self.all.len());
        self.ids.insert(row.clone(), id);
        self.all.push(row);
        id
    }

    /// All rows by index.
    pub(super) fn finish(self, what: &'static str) -> Result<Vec<String>, GenerateError> {
        fits(what, self.all.len(), usize::from(u16::MAX))?;
        Ok(self.all)
    }
}

/// Lists of numbers, each preceded by its length. A list is referenced by its position; the empty list is at 0.
pub(super) struct Lists {
    positions: Map<Vec<u16>, u16>,
    all: Vec<u16>,
}

impl Lists {
    pub(super) fn new() -> Lists {
        Lists { positions: [(Vec::new(), 0)].into_iter().collect(), all: vec![0] }
    }

    /// The position of a list; adds it if necessary.
    pub(super) fn position(&mut self, list: Vec<u16>) -> u16 {
        if let Some(position) = self.positions.get(&list) {
            return *position;
        }
        let position = number(self.all.len());
        self.all.push(number(list.len()));
        self.all.extend(&list);
        self.positions.insert(list, position);
        position
    }

    /// All lists, one after another.
    pub(super) fn finish(self) -> Result<Vec<u16>, GenerateError> {
        fits("numbers in lists of the CPU models' tables", self.all.len(), usize::from(u16::MAX))?;
        Ok(self.all)
    }
}

/// The pools that the tables share.
pub(super) struct Pools<'m> {
    pub(super) strings: Strings<'m>,
    pub(super) caches: Pool,
    pub(super) lists: Lists,
}

impl Pools<'_> {
    pub(super) fn new() -> Self {
        Pools { strings: Strings::new(), caches: Pool::new(), lists: Lists::new() }
    }
}

impl<'m> Pools<'m> {
    /// The position of a list of pairs of texts.
    pub(super) fn pairs(&mut self, pairs: impl Iterator<Item = (&'m str, Option<&'m str>)>) -> u16 {
        let mut list = Vec::new();
        for (first, second) in pairs {
            list.push(self.strings.id(first));
            list.push(self.strings.optional(second));
        }
        self.lists.position(list)
    }
}
