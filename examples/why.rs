//! Why a feature is off on a machine of which there is a dump: which layer withholds it.
//!
//! `cargo run --example why --features dump,show -- avx512f tests/dumps/cpuid-r.txt`

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;
use std::fs::File;

use cpuid_tables::dump::{self, Options};
use cpuid_tables::show::{Machine, named, why};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: why FEATURE FILE".into());
    };
    let bit = named(&name).map_err(|error| format!("{name}: {error}"))?;
    let dump = dump::read(File::open(path)?, &Options::default())?;
    let cpu = dump.cpus.into_iter().next().ok_or("no CPU")?;
    // What is not known of the machine stays `None`, and the answer says so.
    let machine = Machine { cpuid: Some(cpu.entries), ..Machine::default() };
    print!("{}", why(bit, &machine, None));
    Ok(())
}
