//! The hash of the table of names.

include!(concat!(env!("OUT_DIR"), "/name_hash.rs"));

/// True when two names differ at most in case and in `-`, `.` and `_`.
#[must_use]
pub(crate) fn fold_eq(a: &str, b: &str) -> bool {
    // Most names are given as the table has them.
    a == b || a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}
