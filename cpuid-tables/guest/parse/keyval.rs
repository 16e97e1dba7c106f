//! QEMU's `name=value,...` syntax (`keyval_parse` of util/keyval.c).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::guest::error::BuildError;

/// The names and values in order. The first part may be a value alone, which then belongs to `implied`. A comma may
/// end the text, and `,,` is a comma within a value. `option` names the option in an error.
pub(crate) fn keyval(text: &str, option: &str, implied: &str) -> Result<Vec<(String, String)>, BuildError> {
    parse(text, option, implied, false)
}

/// The same in QEMU's older syntax (`opts_parse` of util/qemu-option.c): `name` alone is `name=on`, and `noname` is
/// `name=off`.
pub(crate) fn options(text: &str, option: &str, implied: &str) -> Result<Vec<(String, String)>, BuildError> {
    parse(text, option, implied, true)
}

fn parse(
    text: &str,
    option: &str,
    implied: &str,
    has_flags: bool,
) -> Result<Vec<(String, String)>, BuildError> {
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if let Some(value) = after.strip_prefix('=') {
            let (value, after) = value_of(value);
            all.push((name.to_string(), value));
            rest = after;
        } else if all.is_empty() && !name.is_empty() {
            all.push((implied.to_string(), name.to_string()));
            rest = after.strip_prefix(',').unwrap_or(after);
        } else if has_flags && !name.is_empty() {
            let (name, value) = name.strip_prefix("no").map_or((name, "on"), |name| (name, "off"));
            all.push((name.to_string(), value.to_string()));
            rest = after.strip_prefix(',').unwrap_or(after);
        } else {
            return Err(BuildError::value(option, name, "name=value"));
        }
    }
    Ok(all)
}

/// A value, and what follows its comma.
fn value_of(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(',') {
        value.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix(',') {
            Some(after) => {
                value.push(',');
                rest = after;
            }
            None => return (value, rest),
        }
    }
    value.push_str(rest);
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::keyval;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    fn read(text: &str) -> Option<Vec<String>> {
        let all = keyval(text, "machine", "type").ok()?;
        Some(all.into_iter().map(|(name, value)| [name, value].join("=").to_string()).collect())
    }

    #[test]
    fn names_and_values_are_qemus() {
        let read = |text| read(text).map(|all| all.join(" "));
        assert_eq!(read("q35,smm=on,").as_deref(), Some("type=q35 smm=on"));
        assert_eq!(read("a=b,,c,d=").as_deref(), Some("a=b,c d="));
        assert_eq!(read("a=b=c").as_deref(), Some("a=b=c"));
        assert_eq!(read("").as_deref(), Some(""));
        assert_eq!(read("q35,smm"), None);
        assert_eq!(read(",smm=on"), None);
        assert_eq!(read("q35,,smm=on"), None);
    }
}
