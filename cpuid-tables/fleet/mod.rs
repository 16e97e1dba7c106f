//! Many hosts at once: what runs on all of them.

mod meaning;

pub(crate) use meaning::own_fields;
pub use meaning::{Meaning, Rule, meanings, section};
