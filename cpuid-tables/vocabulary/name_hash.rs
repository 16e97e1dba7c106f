//! The hash function of the name table.

include!(concat!(env!("OUT_DIR"), "/name_hash.rs"));

/// True if two names are equal, ignoring case and treating `-`, `.` and `_` as equal.
#[must_use]
pub(crate) fn fold_eq(a: &str, b: &str) -> bool {
    // Most names are spelled as in the table.
    a == b || a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}
