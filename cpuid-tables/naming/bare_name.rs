//! What a single name refers to, without the text around it.

use super::aliases::{alias, qemu_alias};
use super::prefixed::prefixed;
use crate::bits::lookup::{LookupError, Named, lookup};

/// By [`lookup`], or else by QEMU's additional names, other projects' names, and macros with their prefix.
pub(super) fn bare_name(name: &str) -> Result<Named, LookupError> {
    let ways = [lookup, qemu_alias, alias, prefixed];
    let mut found = ways.into_iter().map(|way| way(name));
    found.find(|found| *found != Err(LookupError::Unknown)).unwrap_or(Err(LookupError::Unknown))
}
