//! What a format's file says of itself: its name, its reader, its writer, and what an input in it looks like.
//!
//! Each format's file has one constant `FORMAT`; `format.rs` lists them. Nothing here depends on any format.

use std::boxed::Box;
use std::io::{self, Write};

use super::cpu::Cpu;
use super::sink::Parser;

/// A format.
pub(super) struct Descriptor {
    /// The name that `--from` and `--format` take.
    pub(super) name: &'static str,
    /// A description of a few words.
    pub(super) about: &'static str,
    /// How an input in this format is recognised.
    pub(super) marks: &'static [Mark],
    /// Makes a reader.
    pub(super) parser: fn() -> Box<dyn Parser>,
    /// How it is written; none if it can only be read.
    pub(super) style: Option<Style>,
}

/// Something in the head of an input by which its format is recognised, from the strongest to the weakest.
pub(super) enum Mark {
    /// A line that only this format has.
    Line(IsLine),
    /// A text in a line that only this format has.
    Text(&'static [u8]),
    /// A text in a line, where the input begins as a JSON document does; a line with the [`Mark::Text`] of another format is in
    /// that format.
    SharedText(&'static [u8]),
    /// The first byte that is not a blank, unless a line of the head is in another format.
    MayBegin(u8),
    /// A line that several formats have, so that it counts if no line of the head is of one format alone.
    SharedLine(IsLine),
    /// A line that may be part of other text as well, so that it counts if nothing else in the head does.
    MayBeLine(IsLine),
}

/// Whether a line, without its end, is in a format.
pub(super) type IsLine = fn(&[u8]) -> bool;

/// How a format is written, and what it can hold.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Writes one CPU.
    pub(super) write: fn(&mut dyn Write, &Cpu) -> Result<(), Unwritable>,
    pub(super) flags: Flags,
    /// True if it can leave bits open.
    pub(super) open: bool,
    pub(super) several: Several,
}

/// Which flags of an entry a format holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flags {
    /// Every flag.
    All,
    /// Whether the index is significant.
    Index,
    /// None: a reader implies them.
    Implied,
}

/// Whether a format holds more than one CPU.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Several {
    /// It does.
    Yes,
    /// It does, if consecutive CPUs differ in number or name.
    ByNumber,
    /// It holds one.
    No,
}

/// Why a CPU cannot be written in a format. The writer adds the format, and makes a
/// [`WriteError`](super::WriteError) of it.
pub(super) enum Unwritable {
    Io(io::Error),
    /// The format names the vendor, and has no name for the CPU's.
    Vendor,
    /// This entry has the leaf and subleaf of an earlier one.
    Twice(usize),
    /// This entry comes after one for all subleaves of its leaf, which would not hide it in the format.
    Order(usize),
}

impl From<io::Error> for Unwritable {
    fn from(error: io::Error) -> Unwritable {
        Unwritable::Io(error)
    }
}
