//! Lists of fields without pointers: a [`Field`] takes 32 bytes and a relocation of 24 for its name, a row 12 bytes.
//!
//! The compiler makes the rows from constants, so they have the order of these: by leaf, subleaves, register and bits.

use super::field::Field;
use super::location::{Bit, FieldPlace, Leaf, Register, Subleaf};
use crate::generated::bit_tables::short;

/// A field. Its name ends at `name_end` in the names of its list, and starts where that of the row before ends.
#[derive(Clone, Copy)]
struct Row {
    leaf: Leaf,
    first: u16,
    last: u16,
    name_end: u16,
    /// From bit 0: the lowest bit, the highest, the register; 5, 5 and 2 bits.
    bits: u16,
}

impl Row {
    const NONE: Row = Row { leaf: Leaf(0), first: 0, last: 0, name_end: 0, bits: 0 };

    const fn new(field: Field, name_end: usize) -> Row {
        let FieldPlace { leaf, first, last, register, low, high } = field.place();
        let bits = low.0 as u16 | (high.0 as u16) << 5 | (register as u16) << 10;
        Row {
            leaf,
            first: short(first.0 as usize),
            last: short(last.0 as usize),
            name_end: short(name_end),
            bits,
        }
    }

    fn place(&self) -> FieldPlace {
        let [low, high] = [self.bits, self.bits >> 5].map(|bit| Bit((bit & 31) as u8));
        let register = Register::ALL[usize::from(self.bits >> 10 & 3)];
        let (first, last) = (Subleaf(self.first.into()), Subleaf(self.last.into()));
        FieldPlace { leaf: self.leaf, first, last, register, low, high }
    }
}

/// Rows and names, by their counts.
pub(super) struct Packed<const ROWS: usize, const BYTES: usize> {
    rows: [Row; ROWS],
    names: [u8; BYTES],
}

/// The number of fields, and of their names' bytes.
pub(super) const fn counts(lists: &[&[Field]]) -> (usize, usize) {
    let (mut list, mut rows, mut bytes) = (0, 0, 0);
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            (rows, bytes) = (rows + 1, bytes + lists[list][at].name().len());
            at += 1;
        }
        list += 1;
    }
    (rows, bytes)
}

impl<const ROWS: usize, const BYTES: usize> Packed<ROWS, BYTES> {
    /// Packs lists of fields; the counts must be theirs.
    pub(super) const fn new(lists: &[&[Field]]) -> Packed<ROWS, BYTES> {
        let mut packed = Packed { rows: [Row::NONE; ROWS], names: [0; BYTES] };
        let (mut list, mut row, mut end) = (0, 0, 0);
        while list < lists.len() {
            let mut at = 0;
            while at < lists[list].len() {
                let field = lists[list][at];
                let (name, mut byte) = (field.name().as_bytes(), 0);
                while byte < name.len() {
                    packed.names[end] = name[byte];
                    (byte, end) = (byte + 1, end + 1);
                }
                packed.rows[row] = Row::new(field, end);
                (row, at) = (row + 1, at + 1);
            }
            list += 1;
        }
        packed
    }

    /// The packed lists as one.
    pub(super) const fn list(&'static self) -> PackedFields {
        match core::str::from_utf8(&self.names) {
            Ok(names) => PackedFields { rows: &self.rows, names },
            Err(_) => panic!("names are UTF-8"),
        }
    }
}

/// A list of fields, by place.
#[derive(Clone, Copy)]
pub(super) struct PackedFields {
    rows: &'static [Row],
    names: &'static str,
}

impl PackedFields {
    /// All of them.
    pub(super) fn all(self) -> impl Iterator<Item = Field> {
        self.from(0)
    }

    /// Those of one leaf.
    pub(super) fn in_leaf(self, leaf: Leaf) -> impl Iterator<Item = Field> {
        let from = self.rows.partition_point(|row| row.leaf < leaf);
        self.from(from).take_while(move |field| field.leaf() == leaf)
    }

    fn from(self, from: usize) -> impl Iterator<Item = Field> {
        let before = from.checked_sub(1).and_then(|at| self.rows.get(at));
        let mut start = before.map_or(0, |row| usize::from(row.name_end));
        self.rows.get(from..).unwrap_or_default().iter().map(move |row| {
            let end = usize::from(row.name_end);
            let name = self.names.get(start..end).unwrap_or_default();
            start = end;
            Field::at_place(name, row.place())
        })
    }
}

/// Packs constant lists of fields: `packed!(LISTS)`, for an expression of type `&[&[Field]]`.
macro_rules! packed {
    ($lists:expr) => {{
        use $crate::bits::packed_fields::{Packed, counts};
        const COUNTS: (usize, usize) = counts($lists);
        static PACKED: Packed<{ COUNTS.0 }, { COUNTS.1 }> = Packed::new($lists);
        PACKED.list()
    }};
}

pub(super) use packed;
