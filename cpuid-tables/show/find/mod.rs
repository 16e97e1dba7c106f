//! What a text may mean: a name in any spelling, a location, or a register's value.

mod boot;
mod differing;
mod found;
mod lines;
mod names;
mod places;
mod source;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::msr;
use crate::naming::alias_place;
pub use found::Found;
pub use lines::Meanings;
use lines::{in_line, of_message};
use names::{bare_name, by_name_or_level, several};
use places::{at, of_word};
pub use source::SourceLine;
use source::of_source;

/// Every meaning of a text; empty if it has none.
///
/// A text is a name, a place or a value, a line that QEMU, libvirt or Linux printed, or several names.
///
/// ```
/// use cpuid_tables::show::{Found, find};
///
/// assert!(matches!(find("avx2").as_slice(), [Found::Bit(_)]));
/// assert_eq!(find("kvmclock").len(), 2);
/// assert!(matches!(find("7.0.ebx=0x20").as_slice(), [Found::Value(_)]));
/// let failed = find("failed to set MSR 0x48e to 0x1");
/// assert!(matches!(failed.as_slice(), [Found::Message(_), Found::MsrValue(..), ..]));
/// assert!(find("no-such-thing").is_empty());
/// ```
#[must_use]
pub fn find(text: &str) -> Vec<Found> {
    meanings(text).found
}

/// Every meaning of a text, as [`find`] has it, and the names that are not known.
///
/// ```
/// use cpuid_tables::show::meanings;
///
/// let meant = meanings("missing features: avx2,foobar");
/// assert_eq!((meant.found.len(), meant.unknown), (1, vec!["foobar".to_string()]));
/// ```
#[must_use]
pub fn meanings(text: &str) -> Meanings {
    let text = text.trim();
    let known = Meanings::known;
    let ways: [&dyn Fn() -> Meanings; 10] = [
        &|| known(by_name_or_level(text)),
        &|| if text.contains("[bit ") { in_line(text) } else { Meanings::default() },
        &|| known(of_word(text).or_else(|| text.parse().ok()).map(at).unwrap_or_default()),
        &|| known(alias_place(text).map(at).unwrap_or_default()),
        &|| known(msr::bits_of(text).map(Found::MsrBits).into_iter().collect()),
        &|| of_message(text),
        &|| if is_code(text) { of_source(text) } else { Meanings::default() },
        &|| in_line(text),
        &|| known(bare_name(text)),
        &|| known(several(text)),
    ];
    let mut meant =
        ways.into_iter().map(|way| way()).find(|meant| !meant.found.is_empty()).unwrap_or_default();
    without_repetition(&mut meant.found);
    meant
}

/// True for a text with a sign that lines of source code have, or that ends as they do, and for a row of numbers with commas.
fn is_code(text: &str) -> bool {
    text.contains(['(', '{', '[', '|', '&', '#', '"', ';'])
        || text.ends_with([',', ':'])
        || text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(", ")
}

/// Each meaning once: a log repeats its lines for every vCPU.
fn without_repetition(found: &mut Vec<Found>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    found.retain(|one| seen.insert(format!("{one:?}")));
}
