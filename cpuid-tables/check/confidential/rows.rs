//! The rows of the facts: tab-separated columns, with `#` before a comment.

use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};

/// The columns of each row.
pub(super) fn rows(text: &'static str) -> impl Iterator<Item = core::str::Split<'static, char>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t'))
}

/// A hexadecimal number.
pub(super) fn number(column: Option<&str>) -> Option<u32> {
    let column = column?;
    u32::from_str_radix(column.strip_prefix("0x").unwrap_or(column), 16).ok()
}

/// The next three columns: leaf, subleaf and register.
pub(super) fn word<'t>(columns: &mut impl Iterator<Item = &'t str>) -> Option<CpuidWord> {
    let (leaf, subleaf) = (number(columns.next())?, number(columns.next())?);
    let register = match columns.next()? {
        "EAX" => Register::Eax,
        "EBX" => Register::Ebx,
        "ECX" => Register::Ecx,
        "EDX" => Register::Edx,
        _ => return None,
    };
    Some(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register))
}
