//! `kvm-cpuid has`: for scripts.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::naming::PsabiLevel;
use cpuid_tables::show::{NoFeature, feature_named, name_of};
use cpuid_tables::{Feature, Leaf, Named, QemuRelease, Subleaf, find_entry};
use serde_json::json;

use super::format::Format;
use super::input::Input;
use super::outcome::{Result, answer};
use super::output::{print_document, warn};
use super::source::Source;
use super::{advice, feature};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid has avx2 --instruction && echo fast  the CPUID instruction here
  kvm-cpuid has X86_FEATURE_VMX dump.txt         any name in Linux or QEMU
  cpuid -l 0x1 -1 -r | kvm-cpuid has vmx -       a dump on standard input
  kvm-cpuid has '7.0.ebx[5]' --supported         a bit by its location
  kvm-cpuid has x86-64-v3 --supported            a level of x86-64, as distributions name them
  kvm-cpuid has avx512f --host node2.json        what another machine's guests can have

A source with several CPUs has a feature when each of them has it; --number N asks one. A leaf above the source's \
maximum is one that it does not have, whatever the CPU answers there. A list of names, a template or a command line \
states some bits: of the others nothing is known.

--host HOST alone asks what the KVM of that host supports.

Exit codes:
  0  it has the feature
  1  it does not
  2  there is no such feature, or the source could not be read
  3  the source does not state it";

/// What the source does not state.
pub(crate) const NOT_KNOWN: u8 = 3;

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A feature, by any name or by its location, or a level: x86-64-v2, x86-64-v2-AES, x86-64-v3, x86-64-v4
    feature: String,
    #[command(flatten)]
    input: Input<1, 1>,
    /// Output format: text prints nothing on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What is asked for.
#[derive(Clone, Copy)]
enum Wanted {
    Feature(Feature),
    Level(PsabiLevel),
    /// Something that no CPUID register has, but that some forms name.
    Elsewhere(Named),
}

/// Whether a CPU has it; none where that is not stated.
type Has = Option<bool>;

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let wanted = match (PsabiLevel::named(&args.feature), feature_named(&args.feature)) {
        (Some(level), _) => Wanted::Level(level),
        (None, Err(NoFeature::Elsewhere(bit))) => Wanted::Elsewhere(bit),
        _ => Wanted::Feature(feature::named(&args.feature)?),
    };
    let found = search(args, wanted)?;
    if let (None, Wanted::Elsewhere(_), false) = (found.all, wanted, found.states_others) {
        // The message says what the name stands for.
        feature::named(&args.feature)?;
    }
    if args.format == Format::Json {
        let missing: Vec<&str> = found.missing.iter().map(|feature| name_of(*feature)).collect();
        let sources = args.input.sources().iter().map(Source::to_string);
        print_document(json!({
            "feature": args.feature,
            "sources": sources.collect::<Vec<String>>(),
            "has": found.all,
            "missing": missing,
        }))?;
    }
    if let Some(has) = found.all {
        return Ok(answer(has));
    }
    for source in args.input.sources() {
        warn(format!("{source} does not state {}: {}", args.feature, advice::WHOLE));
    }
    if let Some(model) = found.model {
        warn(format!("it names the CPU model {model}: `kvm-cpuid guest --cpu {model}` shows what that has"));
    }
    Ok(ExitCode::from(NOT_KNOWN))
}

/// What the CPUs of all sources have.
struct Found {
    /// Whether all of them have it.
    all: Has,
    /// A CPU states bits outside CPUID.
    states_others: bool,
    /// The CPU model that one names and that does not state it.
    model: Option<String>,
    /// The features of a level that one lacks.
    missing: Vec<Feature>,
}

fn search(args: &Args, wanted: Wanted) -> Result<Found> {
    let mut found = Found { all: Some(true), states_others: false, model: None, missing: Vec::new() };
    for source in args.input.sources() {
        for cpu in args.input.reading.open(source)? {
            let cpu = cpu?;
            let has = match wanted {
                Wanted::Feature(feature) => has(source, &cpu, feature),
                Wanted::Level(level) => has_level(source, &cpu, level, &mut found.missing),
                Wanted::Elsewhere(bit) => bit_stated(&cpu, bit),
            };
            found.states_others |= !cpu.beside.bits.is_empty();
            let name = cpu.name.as_deref().unwrap_or_default();
            if has.is_none() && QemuRelease::NEWEST.cpu_model(name).is_some() {
                found.model.clone_from(&cpu.name);
            }
            // One that has it not decides.
            found.all = match (found.all, has) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, _) | (_, None) => None,
                _ => Some(true),
            };
        }
    }
    Ok(found)
}

/// A level's features; a warning names those that are missing.
fn has_level(source: &Source, cpu: &Cpu, level: PsabiLevel, all_missing: &mut Vec<Feature>) -> Has {
    let all: Vec<(Feature, Has)> =
        level.features().map(|feature| (feature, has(source, cpu, feature))).collect();
    let with = |wanted: Has| -> Vec<Feature> {
        all.iter().filter(|(_, has)| *has == wanted).map(|(feature, _)| *feature).collect()
    };
    let missing = with(Some(false));
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|feature| name_of(*feature)).collect();
        warn(format!("{} lacks {} of {}", source.title(cpu), names.join(", "), level.name()));
        all_missing.extend(
            missing.iter().filter(|feature| !all_missing.contains(feature)).copied().collect::<Vec<_>>(),
        );
        return Some(false);
    }
    if with(None).is_empty() { Some(true) } else { None }
}

fn has(source: &Source, cpu: &Cpu, feature: Feature) -> Has {
    let leaf = feature.leaf();
    let missing = |leaf, subleaf| find_entry(&cpu.entries, leaf, subleaf).is_none();
    // A whole table begins with the leaf that says how far it goes.
    let unlimited = !advice::is_open(cpu) && missing(Leaf(leaf.0 & 0xffff_0000), Subleaf(0));
    if unlimited && !cpu.entries.iter().any(|entry| entry.answers(leaf, feature.subleaf())) {
        let word = feature.location().word;
        warn(format!("{source} has no entry for {word}, and no entry with the highest leaf"));
    }
    stated(cpu, feature)
}

/// Whether a CPU has a bit of any kind; none where it does not state that.
pub(crate) fn bit_stated(cpu: &Cpu, bit: Named) -> Has {
    match bit {
        Named::Feature(feature) => stated(cpu, feature),
        other => cpu.beside.bits.get(&other).copied(),
    }
}

/// Whether a CPU has a feature; none where it does not state that.
pub(crate) fn stated(cpu: &Cpu, feature: Feature) -> Has {
    let (leaf, register) = (feature.leaf(), feature.register());
    if is_above_maximum(cpu, leaf) {
        return Some(false);
    }
    let Some(at) = cpu.entries.iter().position(|entry| entry.answers(leaf, feature.subleaf())) else {
        return if advice::is_open(cpu) { None } else { Some(false) };
    };
    let known = cpu.known(at)[register] & feature.mask() != 0;
    known.then(|| cpu.entries[at].register(register) & feature.mask() != 0)
}

/// True for a leaf that is above the highest of its range, where the table states that. The hypervisor's ranges are whatever
/// it makes of them.
pub(crate) fn is_above_maximum(cpu: &Cpu, leaf: Leaf) -> bool {
    let first = Leaf(leaf.0 & 0xffff_0000);
    if !matches!(first.0, 0 | 0x8000_0000 | 0xc000_0000) {
        return false;
    }
    let head = cpu.entries.iter().position(|entry| entry.answers(first, Subleaf(0)));
    head.is_some_and(|at| {
        cpu.known(at).eax == u32::MAX && leaf.0 > cpu.entries[at].registers.eax.max(first.0)
    })
}
