//! Many hosts at once: what runs on all of them.

mod meaning;

pub use meaning::{Meaning, Rule, meanings, section};
