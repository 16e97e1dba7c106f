//! The name of a property in an initializer.

use crate::c::init::Init;
use crate::diagnostic::Diagnostic;

/// A string that names a property: not null, not empty, without white space.
pub(super) fn property_name(value: &Init<'_, '_>) -> Result<String, Diagnostic> {
    let name = value.string()?.filter(|name| !name.is_empty() && !name.contains(char::is_whitespace));
    name.ok_or_else(|| Diagnostic::error(value.at, "expected a property's name"))
}
