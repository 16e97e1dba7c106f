//! What a single name stands for, without the text that a line may have around it.

use super::aliases::{alias, qemu_alias};
use super::prefixed::prefixed;
use crate::bits::lookup::{LookupError, Named, lookup};

/// By [`lookup`], else by QEMU's further names, those of other projects, and macros with their prefix.
pub(super) fn bare_name(name: &str) -> Result<Named, LookupError> {
    let ways = [lookup, qemu_alias, alias, prefixed];
    let mut found = ways.into_iter().map(|way| way(name));
    found.find(|found| *found != Err(LookupError::Unknown)).unwrap_or(Err(LookupError::Unknown))
}
