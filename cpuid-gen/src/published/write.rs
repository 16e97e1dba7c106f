//! The writer of `constants.tsv`, which [`Published::read`] reads.

use std::fmt::Write as _;

use super::list::{Published, PublishedBit};

/// The text at the head of the list.
const HEAD: &str = "\
# The published constants of cpuid-tables. `upstream/bump` adds to this list; a row never leaves it.
# The README of this folder says what each column is and what is promised.
";

/// The list as text.
#[must_use]
pub fn write(list: &Published) -> String {
    let mut out = HEAD.to_owned();
    let or = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    put(&mut out, format_args!("releases\t{}\t{}\n", or(&list.linux), or(&list.qemu)));
    for constant in &list.constants {
        let (name, successor) = (&constant.name, constant.successor.as_deref().unwrap_or("-"));
        match &constant.bit {
            PublishedBit::Feature(location) => {
                let (word, bit) = (location.word, location.bit.0);
                let (leaf, subleaf, register) = (word.leaf.0, word.subleaf.0, word.register);
                let place = format!("{leaf:#x}\t{subleaf}\t{register}\t{bit}");
                put(&mut out, format_args!("feature\t{name}\t{place}\t{successor}\n"));
            }
            PublishedBit::Msr(msr, bit) => {
                put(&mut out, format_args!("msr\t{name}\t{:#x}\t{}\t{successor}\n", msr.0, bit.0));
            }
            PublishedBit::Software => put(&mut out, format_args!("software\t{name}\n")),
            PublishedBit::Bug => put(&mut out, format_args!("bug\t{name}\n")),
            PublishedBit::Vmx => put(&mut out, format_args!("vmx\t{name}\n")),
            PublishedBit::Field(place, field) => {
                let (leaf, first, last) = (place.leaf.0, place.first.0, place.last.0);
                let bits = format!("{}\t{}\t{}", place.register, place.low.0, place.high.0);
                let place = format!("{leaf:#x}\t{first}\t{last}\t{bits}");
                put(&mut out, format_args!("field\t{name}\t{place}\t{field}\t{successor}\n"));
            }
        }
    }
    out
}

/// Writing to a String cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
