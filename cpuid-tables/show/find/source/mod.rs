//! A line of source code that defines, lists or asks for features, of Linux, KVM, QEMU, Xen, compilers and programs.
//!
//! ```text
//! #define X86_FEATURE_AVX2 ( 9*32+ 5)
//! F(AVX2) | F(BMI2)
//! [FEAT_7_0_EBX] = {
//! { X86_FEATURE_APERFMPERF, CPUID_ECX, 0, 0x00000006, 0 },
//! if (guest_cpu_cap_has(vcpu, X86_FEATURE_XSAVES))
//! ```
//!
//! The answer begins with what was read, so that a wrong reading is seen. A definition whose place is not the name's has a note, and
//! what is at that place.

mod forms;
mod mentions;
mod tokens;

use alloc::string::String;
use alloc::vec::Vec;

use super::found::Found;
use super::lines::Meanings;
use crate::show::styled::{Style, Styled};
use forms::FORMS;
use tokens::tokens;

/// What a line of source code was read as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceLine {
    /// Whose form it is: `Linux`, `KVM`, `QEMU`, `Xen`, `C or Rust`.
    pub whose: &'static str,
    /// What was read: `X86_FEATURE_AVX2 is 9*32+5`.
    pub read: String,
    /// What is wrong with it, by the tables.
    pub note: Option<String>,
}

/// A line that was read.
struct Reading {
    line: SourceLine,
    found: Vec<Found>,
    /// Names in it that are not known.
    unknown: Vec<String>,
}

/// What the lines of source code in a text mean; nothing if none is one.
pub(super) fn of_source(text: &str) -> Meanings {
    // A longer line, or more of them, are not what a person pastes.
    const LONGEST: usize = 1000;
    const MOST: usize = 400;
    let mut meant = Meanings::default();
    for line in text.lines().filter(|line| line.len() <= LONGEST).take(MOST) {
        let words = tokens(line);
        let Some(reading) = FORMS.iter().find_map(|form| form(&words)) else { continue };
        meant.found.push(Found::Source(reading.line));
        meant.found.extend(reading.found);
        meant.unknown.extend(reading.unknown);
    }
    meant
}

impl SourceLine {
    /// A heading with what was read, and the note.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        text.line(Style::Heading, format_args!("source code of {}: {}", self.whose, self.read));
        if let Some(note) = &self.note {
            text.plain("  note       ").push(Style::Doubt, note).plain('\n');
        }
        text
    }
}
