//! `kvm-cpuid show`: decodes tables.

use std::io;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Format as DumpFormat, WriteError, Writer};
use cpuid_tables::naming::usual_name;
use cpuid_tables::show::{DecodedEntry, Place, Style, Styled, Summary, decode, name_of};
use cpuid_tables::{CpuidEntry, CpuidRead, Feature, Leaf, Registers, STORED_VERSION, Subleaf};
use serde_json::{Value, json};

use super::answered::{Answered, answered};
use super::convert::unwritable;
use super::format::{Form, form};
use super::input::Input;
use super::outcome::{Failed, Result, answer};
use super::output::{columns, print, print_styled, set_answered, warn};
use super::source::Source;
use super::stated::is_above_maximum;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid show                          this machine's CPUID, leaf by leaf
  kvm-cpuid show -l 7 -l 0xd.1            two of its leaves
  kvm-cpuid show --supported --features   the names of features that KVM here supports
  kvm-cpuid show dump.txt --raw           a dump's values in the format of `cpuid -r`
  kvm-cpuid show --guest-of $(pidof qemu-system-x86_64)
  kvm-cpuid show dump.txt --format json   decoded, as JSON; `convert` writes the table alone

For a leaf without an entry, the output shows what KVM answers a guest there, and why.

Exit codes:
  0  done
  1  no entry for the leaf of -l, and no leaf 0 that gives the table's range
  2  a source could not be read";

#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input<0, { usize::MAX }>,
    /// Only the register values, in the format of `cpuid -r`
    #[arg(long, conflicts_with_all = ["format", "features"])]
    raw: bool,
    /// Only the names of the features that are set, one per line
    #[arg(long, conflicts_with = "format")]
    features: bool,
    /// text, json, or a dump format (see `kvm-cpuid convert --help`)
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = form)]
    format: Form,
    /// Only this leaf or subleaf; may be given several times
    #[arg(short, long = "leaf", value_name = "LEAF[.SUB]", value_parser = leaf)]
    leaf: Vec<(Leaf, Option<Subleaf>)>,
}

fn leaf(text: &str) -> std::result::Result<(Leaf, Option<Subleaf>), String> {
    match text.parse() {
        Ok(Place::Leaf(leaf, subleaf)) => Ok((leaf, subleaf)),
        _ => Err("expected a leaf such as 7, 0x80000008 or 0xd.1".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let sources = args.input.sources_or(Source::Instruction);
    if let Form::Dump(format) = args.format {
        return written(args, &sources, format);
    }
    let json = matches!(args.format, Form::Json);
    let mut listing = Listing { first: true, any: args.leaf.is_empty() };
    let listed = list(args, &sources, json, &mut listing);
    // A document that was begun is closed, with what failed.
    if json && !listing.first && !matches!(listed, Ok(false)) {
        let error = listed.as_ref().err().map(|failed| format!(", \"error\": {}", failed.to_json()));
        print(&format!("\n]{} }}\n", error.unwrap_or_default()))?;
        set_answered();
    }
    if !listed? {
        return Ok(ExitCode::SUCCESS);
    }
    if !listing.any {
        warn("no entry for the leaf of -l");
    }
    Ok(answer(listing.any))
}

/// What was printed.
struct Listing {
    /// Nothing yet.
    first: bool,
    /// A CPU has an entry for the leaf of `-l`.
    any: bool,
}

/// Prints the CPUs of all sources. False if the reader closed the pipe.
fn list(args: &Args, sources: &[Source], json: bool, listing: &mut Listing) -> Result<bool> {
    for source in sources {
        let mut cpus = args.input.reading.open(source)?.peekable();
        let mut several = sources.len() > 1;
        while let Some(cpu) = cpus.next() {
            let shown = Shown::new(args, cpu?);
            several |= cpus.peek().is_some();
            listing.any |= !shown.cpu.entries.is_empty()
                || !args.raw && !args.features && !shown.answered(args).is_empty();
            let read = if json {
                let head = format!("{{ \"version\": {STORED_VERSION}, \"cpus\": [\n");
                let between = if listing.first { &head } else { ",\n" };
                print(&format!("{between}{:#}", shown.to_json(args, source)))?
            } else {
                print_styled(&shown.to_text(args, source, (several, listing.first)))?
            };
            listing.first = false;
            if !read {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Whether an entry was requested.
fn wanted(args: &Args, entry: &CpuidEntry) -> bool {
    let fits = |subleaf: &Option<Subleaf>| subleaf.is_none_or(|subleaf| subleaf == entry.subleaf());
    let asked = |(leaf, subleaf): &(Leaf, Option<Subleaf>)| *leaf == entry.function && fits(subleaf);
    args.leaf.is_empty() || args.leaf.iter().any(asked)
}

/// The CPU with the requested entries.
fn chosen(args: &Args, mut cpu: Cpu) -> Cpu {
    let mut keep = cpu.entries.iter().map(|entry| wanted(args, entry)).collect::<Vec<bool>>().into_iter();
    if let Some(known) = &mut cpu.known {
        let mut keep = keep.clone();
        known.retain(|_| keep.next() == Some(true));
    }
    cpu.entries.retain(|_| keep.next() == Some(true));
    cpu
}

/// The output for a CPU. The whole table determines its title and its hypervisors.
struct Shown {
    /// The whole table.
    all: Vec<CpuidEntry>,
    /// Its known bits.
    known: Option<Vec<Registers>>,
    /// With the entries that were asked for.
    cpu: Cpu,
}

impl Shown {
    fn new(args: &Args, cpu: Cpu) -> Shown {
        Shown { all: cpu.entries.clone(), known: cpu.known.clone(), cpu: chosen(args, cpu) }
    }

    /// Which bits of an entry of the whole table are known.
    fn known(&self, at: usize) -> Registers {
        self.known.as_ref().and_then(|known| known.get(at)).copied().unwrap_or(Registers::MAX)
    }

    /// Nothing is said of a number some bits of which are not known.
    fn decoded(&self, args: &Args) -> Vec<DecodedEntry> {
        let mut decoded = decode(&self.all);
        for (at, entry) in decoded.iter_mut().enumerate() {
            let known = self.known(at);
            if !describes(entry.entry.function, known) {
                entry.facts.clear();
            }
            for register in &mut entry.registers {
                let known = known[register.register()];
                register.fields.retain(|(field, _)| field.mask() & !known == 0);
            }
        }
        decoded.retain(|entry| wanted(args, &entry.entry));
        decoded
    }

    /// What KVM answers for leaves that were asked for and have no entry.
    fn answered(&self, args: &Args) -> Vec<Answered> {
        answered(&self.all, &args.leaf)
    }

    /// The features that are set, in leaves that the table says it has.
    fn features(&self) -> impl Iterator<Item = Feature> {
        let all = self.cpu.entries.features();
        let whole = Cpu { known: self.known.clone(), ..Cpu::from_entries(self.all.clone()) };
        all.into_iter().filter(move |feature| !is_above_maximum(&whole, feature.leaf()))
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::from_entries(&self.all);
        let one = self.all.iter().position(|entry| entry.answers(Leaf(1), Subleaf(0)));
        summary.signature =
            summary.signature.filter(|_| one.is_some_and(|at| describes(Leaf(1), self.known(at))));
        summary
    }

    fn to_text(&self, args: &Args, source: &Source, (several, first): (bool, bool)) -> Styled {
        let mut text = Styled::new();
        if args.raw {
            raw(&mut text, &self.cpu);
            return text;
        }
        if several && !first {
            text.plain('\n');
        }
        let summary = self.summary().to_string();
        let between = if summary.is_empty() { "" } else { ": " };
        if several || !args.features {
            text.line(Style::Heading, format_args!("{}{between}{summary}", source.title(&self.cpu)));
        }
        if args.features {
            for feature in self.features() {
                text.line(Style::Name, name_of(feature));
            }
            for (bit, _) in self.cpu.beside.bits.iter().filter(|(_, on)| **on) {
                text.line(Style::Name, usual_name(*bit));
            }
            return text;
        }
        for (at, entry) in self.decoded(args).iter().enumerate() {
            text.append(&entry.styled_within(columns()));
            if self.cpu.known(at) != Registers::MAX {
                let open = self.cpu.known(at).to_array().map(|known| format!("{:#010x}", !known)).join(" ");
                text.plain("  ")
                    .line(Style::Doubt, format_args!("bits that the dump does not specify: {open}"));
            }
        }
        for answered in self.answered(args) {
            text.append(&answered.styled());
        }
        for (heading, wanted) in [("set", true), ("not set", false)] {
            let bits = self.cpu.beside.bits.iter().filter(|(_, on)| **on == wanted);
            let names: Vec<&str> = bits.map(|(bit, _)| usual_name(*bit)).collect();
            if !names.is_empty() && args.leaf.is_empty() {
                text.plain(format_args!("outside CPUID, {heading}: ")).line(Style::Name, names.join(" "));
            }
        }
        text
    }

    fn to_json(&self, args: &Args, source: &Source) -> Value {
        let features = self.features().map(name_of);
        let outside = self.cpu.beside.bits.iter().map(|(bit, on)| (usual_name(*bit).to_owned(), json!(on)));
        let mut value = json!({
            "source": source.to_string(),
            "summary": self.summary().to_json(),
            "features": features.collect::<Vec<&str>>(),
            "leaves": self.decoded(args).iter().map(DecodedEntry::to_json).collect::<Vec<Value>>(),
            "answers": self.answered(args).iter().map(Answered::to_json).collect::<Vec<Value>>(),
        });
        if let Value::Object(members) = &mut value {
            if !self.cpu.beside.bits.is_empty() {
                members.insert("outside".into(), Value::Object(outside.collect()));
            }
            if let Value::Object(table) = self.cpu.to_json() {
                members.extend(table);
            }
        }
        value
    }
}

/// True where everything is known that a leaf's text is made of: the vendor, or family, model and stepping.
fn describes(leaf: Leaf, known: Registers) -> bool {
    match leaf {
        Leaf(0) => [known.ebx, known.ecx, known.edx] == [u32::MAX; 3],
        Leaf(1) => known.eax & 0x0fff_0fff == 0x0fff_0fff,
        _ => known == Registers::MAX,
    }
}

/// In the format of `cpuid -r`, whatever the flags are.
fn raw(text: &mut Styled, cpu: &Cpu) {
    match cpu.number {
        Some(number) => text.plain(format_args!("CPU {number}:\n")),
        None => text.plain("CPU:\n"),
    };
    for entry in &cpu.entries {
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let (leaf, subleaf) = (entry.function.0, entry.subleaf().0);
        text.plain(format_args!(
            "   {leaf:#010x} {subleaf:#04x}: eax={eax:#010x} ebx={ebx:#010x} ecx={ecx:#010x} edx={edx:#010x}\n"
        ));
    }
}

/// In a dump format.
fn written(args: &Args, sources: &[Source], format: DumpFormat) -> Result<ExitCode> {
    let out = io::BufWriter::new(io::stdout().lock());
    let done = |result: std::result::Result<(), WriteError>| match result {
        Ok(()) => Ok(true),
        // A closed pipe, such as `| head`, is not a failure.
        Err(WriteError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(unwritable(&error)),
    };
    let mut writer = Writer::new(out, format).map_err(Failed::new)?;
    for source in sources {
        for cpu in args.input.reading.open(source)? {
            if !done(writer.write(&chosen(args, cpu?)))? {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    done(writer.finish().map(drop))?;
    Ok(ExitCode::SUCCESS)
}
