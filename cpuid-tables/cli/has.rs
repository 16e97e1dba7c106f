//! `kvm-cpuid has`: for scripts.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::{Feature, Leaf, Subleaf, find_entry};

use super::feature;
use super::outcome::{Failed, Result, answer};
use super::output::warn;
use super::source::{Input, Source};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid has avx2 --host && echo fast         the CPUID instruction here
  kvm-cpuid has X86_FEATURE_VMX dump.txt         any name in Linux or QEMU
  cpuid -l 0x1 -1 -r | kvm-cpuid has vmx -       a dump on standard input
  kvm-cpuid has '7.0.ebx[5]' --supported         a bit by its location

A source with several CPUs has a feature if all of them have it; --cpu N selects one CPU.

Exit codes:
  0  it has the feature
  1  it does not
  2  unknown feature, or the source could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A feature, by any name or by its location
    feature: String,
    #[command(flatten)]
    input: Input<1, 1>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let feature = feature::named(&args.feature)?;
    let mut all = true;
    for source in args.input.sources() {
        for cpu in args.input.reading.open(source)? {
            all &= has(source, &cpu?, feature)?;
        }
    }
    Ok(answer(all))
}

fn has(source: &Source, cpu: &Cpu, feature: Feature) -> Result<bool> {
    let (leaf, register) = (feature.leaf(), feature.register());
    let Some(at) = cpu.entries.iter().position(|entry| entry.answers(leaf, feature.subleaf())) else {
        // A whole table begins with the leaf that holds its maximum.
        let first = Leaf(leaf.0 & 0xffff_0000);
        if find_entry(&cpu.entries, first, Subleaf(0)).is_none() {
            let word = feature.location().word;
            warn(format!("{source} has no entry for {word}, and no entry with the highest leaf"));
        }
        return Ok(false);
    };
    if cpu.known(at)[register] & feature.mask() == 0 {
        return Err(Failed::new(format!("{source} does not specify {}", feature.location())));
    }
    Ok(cpu.entries[at].register(register) & feature.mask() != 0)
}
