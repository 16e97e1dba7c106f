//! A pool's baseline: what all hosts have, the CPU model that runs on each, and what each host costs the others.
//!
//! `cargo run --example baseline --features dump,fleet -- tests/dumps/vmcore.entries tests/dumps/cpuid-r.txt`

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;
use std::fs::File;

use cpuid_tables::QemuRelease;
use cpuid_tables::dump::{self, Options};
use cpuid_tables::fleet::Fleet;

fn main() -> Result<(), Box<dyn Error>> {
    let mut fleet = Fleet::new();
    for path in std::env::args().skip(1) {
        let dump = dump::read(File::open(&path)?, &Options::default())?;
        let first = dump.cpus.first().ok_or("no CPU")?;
        fleet.add(&path, &first.entries)?;
    }
    let baseline = fleet.baseline()?;
    println!("{} hosts have {} features in common", baseline.hosts, baseline.features().len());
    if let Some(best) = baseline.best_model(QemuRelease::NEWEST)? {
        let added: Vec<String> = best.added_names().map(|name| format!("+{name}")).collect();
        println!("-cpu {},{}", best.model, added.join(","));
    }
    for group in &baseline.groups {
        println!("{}: costs {} features", group.hosts.join(", "), group.costs.len());
    }
    Ok(())
}
