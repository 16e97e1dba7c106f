//! `kvm-cpuid has`: for scripts.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::Cpu;
use cpuid_tables::naming::PsabiLevel;
use cpuid_tables::show::{Asked, name_of};
use cpuid_tables::{Feature, Leaf, QemuRelease, SoftwareFeature, Subleaf, find_entry};
use serde_json::json;

use super::format::Format;
use super::input::Input;
use super::outcome::{Failed, Result};
use super::output::{print_document, warn};
use super::source::Source;
use super::stated::{Has, both, feature_stated};
use super::{advice, feature, stated};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid has avx2 --instruction && echo fast  the CPUID instruction here
  kvm-cpuid has X86_FEATURE_VMX dump.txt         any name in Linux or QEMU
  cpuid -l 0x1 -1 -r | kvm-cpuid has vmx -       a dump on standard input
  kvm-cpuid has '7.0.ebx[5]' --supported         a bit by its location
  kvm-cpuid has avx2,bmi2 --supported            all of them; a warning names those that are missing
  kvm-cpuid has x86-64-v3 --supported            a level of x86-64, as distributions name them
  kvm-cpuid has avx512f --host node2.json        what another machine's guests can have
  kvm-cpuid has vmx-ept --host node2.json        a bit of a feature MSR; hv-time: an enlightenment

A source with several CPUs has a feature when each of them has it; --number N asks one. A leaf above the source's \
maximum is one that it does not have, whatever the CPU answers there. A list of names, a template or a command line \
states some bits: of the others nothing is known. Where /proc/cpuinfo lists a flag of Linux's own that has the name of a \
bit, such as ibrs, the flag answers, and a warning says so.

--host HOST alone asks what the KVM of that host supports.

Exit codes:
  0  it has the feature
  1  it does not
  2  there is no such feature, a name's bits differ, or the source could not be read
  3  the source does not state it";

/// What the source does not state.
pub(crate) const NOT_KNOWN: u8 = 3;

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A feature or a list of them, by any name or by its location, an MSR's bit, an enlightenment, or a level: x86-64-v2, x86-64-v2-AES, x86-64-v3, x86-64-v4
    feature: String,
    #[command(flatten)]
    input: Input<1, 1>,
    /// Output format: text prints nothing on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What is asked for.
enum Wanted {
    Level(PsabiLevel),
    /// Several for an ambiguous name or a list.
    Any(Vec<Asked>),
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let wanted = match PsabiLevel::named(&args.feature) {
        Some(level) => Wanted::Level(level),
        None => Wanted::Any(feature::questions(&args.feature)?),
    };
    let count = if let Wanted::Any(asked) = &wanted { asked.len() } else { 1 };
    let mut all: Vec<Has> = vec![Some(true); count];
    let mut model = None;
    let mut missing: Vec<Feature> = Vec::new();
    let mut flags = OwnFlags::new(&args.feature);
    for source in args.input.sources() {
        for cpu in args.input.reading.open(source)? {
            let cpu = cpu?;
            let answers = match &wanted {
                Wanted::Level(level) => vec![has_level(source, &cpu, *level, &mut missing)],
                Wanted::Any(asked) => {
                    asked.iter().map(|one| has(source, &cpu, one).or_else(|| flags.has(&cpu, one))).collect()
                }
            };
            if answers.contains(&None)
                && QemuRelease::NEWEST.cpu_model(cpu.name.as_deref().unwrap_or_default()).is_some()
            {
                model.clone_from(&cpu.name);
            }
            for (all, has) in all.iter_mut().zip(answers) {
                *all = both(*all, has);
            }
        }
    }
    flags.warn(args);
    let answer = match &wanted {
        Wanted::Any(asked) => {
            let answers: Vec<(&Asked, Has)> = asked.iter().zip(all.iter().copied()).collect();
            warn_of_list(args, &answers);
            stated::answer(&args.feature, &answers)
        }
        Wanted::Level(_) => Ok(all[0]),
    };
    if args.format == Format::Json {
        print_answer(args, &wanted, &all, answer.as_ref(), &missing)?;
    }
    let answer = answer?;
    if answer.is_none() {
        not_stated(args, &wanted, model.as_deref());
    }
    Ok(answer.map_or(ExitCode::from(NOT_KNOWN), super::outcome::answer))
}

fn print_answer(
    args: &Args,
    wanted: &Wanted,
    all: &[Has],
    has: std::result::Result<&Has, &Failed>,
    missing: &[Feature],
) -> Result<()> {
    let missing: Vec<&str> = missing.iter().map(|feature| name_of(*feature)).collect();
    let sources = args.input.sources().iter().map(Source::to_string);
    let mut answer = json!({
        "feature": args.feature,
        "sources": sources.collect::<Vec<String>>(),
        "has": has.ok(),
        "missing": missing,
    });
    if let Err(failed) = has {
        answer["error"] = failed.to_json();
    }
    if let (Wanted::Any(asked), 2..) = (wanted, all.len()) {
        let one =
            |(one, has): (&Asked, &Has)| json!({ "name": one.name(), "place": one.place(), "has": has });
        answer["meanings"] = asked.iter().zip(all).map(one).collect();
    }
    print_document(answer)?;
    Ok(())
}

/// Which names of a list the source lacks, and which it does not state.
fn warn_of_list(args: &Args, answers: &[(&Asked, Has)]) {
    if !feature::is_list(&args.feature) {
        return;
    }
    for (wanted, what) in [(Some(false), "lacks"), (None, "does not state")] {
        let names = answers.iter().filter(|(_, has)| *has == wanted).map(|(one, _)| one.name());
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            let sources: Vec<String> = args.input.sources().iter().map(Source::to_string).collect();
            warn(format!("{} {what} {}", sources.join(", "), names.join(", ")));
        }
    }
}

/// Says what to ask instead.
fn not_stated(args: &Args, wanted: &Wanted, model: Option<&str>) {
    let reason = match wanted {
        Wanted::Any(asked) => asked.first().and_then(Asked::stated_by),
        Wanted::Level(_) => None,
    };
    let reason = reason.map(|reason| format!("{reason}; ")).unwrap_or_default();
    for source in args.input.sources() {
        warn(format!("{source} does not state {}: {reason}{}", args.feature, advice::WHOLE));
    }
    if let Some(model) = model {
        warn(format!("it names the CPU model {model}: `kvm-cpuid guest --cpu {model}` shows what that has"));
    }
}

/// A level's features; a warning names those that are missing.
fn has_level(source: &Source, cpu: &Cpu, level: PsabiLevel, all_missing: &mut Vec<Feature>) -> Has {
    let all: Vec<(Feature, Has)> =
        level.features().map(|feature| (feature, has_feature(source, cpu, feature))).collect();
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

/// Linux's own flags that have the name of a bit of CPUID: where a source does not state the bit, its flag answers.
struct OwnFlags {
    all: Vec<(Feature, SoftwareFeature)>,
    used: Vec<(Feature, SoftwareFeature)>,
}

impl OwnFlags {
    fn new(feature: &str) -> OwnFlags {
        OwnFlags { all: feature::own_flags(feature), used: Vec::new() }
    }

    fn has(&mut self, cpu: &Cpu, asked: &Asked) -> Has {
        let found = stated::own_flag(cpu, asked, &self.all)?;
        if !self.used.contains(&found) {
            self.used.push(found);
        }
        Some(true)
    }

    /// Says which answers are of a flag.
    fn warn(&self, args: &Args) {
        let sources: Vec<String> = args.input.sources().iter().map(Source::to_string).collect();
        for (bit, flag) in &self.used {
            warn(format!(
                "{} lists {}; it does not state {}, which has that name, too",
                sources.join(", "),
                stated::flag_name(*flag),
                bit.location()
            ));
        }
    }
}

fn has(source: &Source, cpu: &Cpu, asked: &Asked) -> Has {
    match asked.feature() {
        Some(feature) => has_feature(source, cpu, feature),
        None => stated::stated(cpu, asked),
    }
}

fn has_feature(source: &Source, cpu: &Cpu, feature: Feature) -> Has {
    let leaf = feature.leaf();
    let missing = |leaf, subleaf| find_entry(&cpu.entries, leaf, subleaf).is_none();
    // A whole table begins with the leaf that says how far it goes.
    let unlimited = !advice::is_piece(cpu) && missing(Leaf(leaf.0 & 0xffff_0000), Subleaf(0));
    if unlimited && !cpu.entries.iter().any(|entry| entry.answers(leaf, feature.subleaf())) {
        let word = feature.location().word;
        warn(format!("{source} has no entry for {word}, and no entry with the highest leaf"));
    }
    feature_stated(cpu, feature)
}
