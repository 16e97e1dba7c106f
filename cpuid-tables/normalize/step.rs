//! A named change of a table.

use super::action::Action;
use crate::table::Vendor;

/// A named change of a table, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name; several steps that belong together have the same one.
    pub name: &'static str,
    /// Why VMMs do this.
    pub reason: &'static str,
    /// The vendors whose tables it changes; empty for all.
    pub only: &'static [Vendor],
    /// The vendors whose tables it does not change.
    pub except: &'static [Vendor],
    /// The change.
    pub action: Action,
}

impl Step {
    /// A step for tables of every vendor.
    #[must_use]
    pub const fn new(name: &'static str, reason: &'static str, action: Action) -> Step {
        Step { name, reason, only: &[], except: &[], action }
    }

    /// The same, only for these vendors.
    #[must_use]
    pub fn only(mut self, vendors: &'static [Vendor]) -> Step {
        self.only = vendors;
        self
    }

    /// The same, except for these vendors.
    #[must_use]
    pub fn except(mut self, vendors: &'static [Vendor]) -> Step {
        self.except = vendors;
        self
    }

    /// True if it changes tables of this vendor.
    pub(super) fn is_for(&self, vendor: Option<Vendor>) -> bool {
        let among = |vendors: &[Vendor]| vendor.is_some_and(|vendor| vendors.contains(&vendor));
        (self.only.is_empty() || among(self.only)) && !among(self.except)
    }
}
