//! Tables decoded, compared and explained.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any_table;
mod why;
