//! A dump in any common format, decoded by name; its first CPU as KVM's entries.
//!
//! `cargo run --example decode --features dump,show -- tests/dumps/cpuid-r.txt`

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;
use std::fs::File;

use cpuid_tables::dump::{self, Format, Options};
use cpuid_tables::show;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: decode FILE")?;
    let dump = dump::read(File::open(&path)?, &Options::default())?;
    println!("{path} is in the format {} and has {} CPUs", dump.format.name(), dump.cpus.len());
    let first = dump.cpus.first().ok_or("no CPU")?;
    for entry in show::decode(&first.entries).iter().filter(|entry| entry.entry.function.0 == 7) {
        print!("{entry}");
    }
    let mut text = Vec::new();
    dump::write(&mut text, Format::Entries, &dump.cpus[..1])?;
    println!("{}", String::from_utf8(text)?.lines().next().unwrap_or_default());
    Ok(())
}
