//! `kvm-cpuid convert`: from any dump format to another, CPU by CPU, in bounded memory.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Format, WriteError, Writer};

use super::input::Input;
use super::outcome::{Failed, Result};
use super::output::warn;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid convert --format cpuid-r vmcore.txt           cpuid_entries as gdb printed them
  cpuid -r | kvm-cpuid convert --format libvirt -         a dump on standard input
  kvm-cpuid convert --format firecracker --supported      a template of this machine's KVM
  kvm-cpuid convert --format json *.txt > fleet.json      one object per CPU

cpuid-r, kcpuid, instlatx64 and libvirt have no flags: a reader derives the index flag from the leaf. Other flags are \
left out, with a warning.

Exit codes:
  0  done
  2  the source could not be read, or FORMAT cannot represent it";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// The format to write
    #[arg(long, value_name = "FORMAT", value_parser = written(), hide_possible_values = true)]
    #[arg(help = help(), required_unless_present = "to")]
    format: Option<String>,
    /// An old spelling of --format
    #[arg(long, value_name = "FORMAT", value_parser = written(), hide = true, conflicts_with = "format")]
    to: Option<String>,
    /// Fail if FORMAT cannot hold a table's flags, instead of leaving them out
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    input: Input<1, { usize::MAX }>,
}

/// The formats that can be written.
fn formats() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| format.can_be_written())
}

fn written() -> clap::builder::PossibleValuesParser {
    formats().map(Format::name).collect::<Vec<_>>().into()
}

fn help() -> String {
    let names: Vec<&str> = formats().map(Format::name).collect();
    format!("The format to write: {}", names.join(", "))
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match convert(args) {
        // A reader such as `head` closed the pipe.
        Err(Stopped::Write(WriteError::Io(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS)
        }
        Err(Stopped::Write(error)) => Err(unwritable(&error)),
        Err(Stopped::Read(failed)) => Err(failed),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

/// Why converting stopped.
enum Stopped {
    Read(Failed),
    Write(WriteError),
}

impl From<WriteError> for Stopped {
    fn from(error: WriteError) -> Stopped {
        Stopped::Write(error)
    }
}

/// Why a format cannot hold a table, with what to do.
pub(crate) fn unwritable(error: &WriteError) -> Failed {
    let failed = Failed::new(error);
    match error {
        WriteError::SeveralCpus { .. } => failed.help("--number N selects one of them"),
        WriteError::Open { .. } => failed.help("json and firecracker can hold unspecified bits"),
        WriteError::Flags { .. } => failed.help("without --strict they are left out"),
        _ => failed,
    }
}

fn convert(args: &Args) -> std::result::Result<(), Stopped> {
    // The argument's parser accepts only known formats.
    let name = args.format.as_ref().or(args.to.as_ref());
    let format = name
        .and_then(|name| Format::find(name))
        .ok_or_else(|| Stopped::Read(Failed::new("unknown format")))?;
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut converter = Converter { writer: Writer::new(out, format)?, strict: args.strict, warned: false };
    let sources = args.input.sources().iter();
    let mut cpus = sources.flat_map(|source| match args.input.reading.open(source) {
        Ok(cpus) => Box::new(cpus) as Box<dyn Iterator<Item = Result<Cpu>>>,
        Err(failed) => Box::new(std::iter::once(Err(failed))),
    });
    let mut next = || cpus.next().transpose().map_err(Stopped::Read);
    let Some(first) = next()? else { return converter.finish() };
    let Some(second) = next()? else {
        converter.write(&first)?;
        return converter.finish();
    };
    // Several CPUs without numbers get their positions.
    let numbered = first.number.is_some() || first.name.is_some();
    let mut place = 0;
    let mut write = |mut cpu: Cpu| {
        if !numbered && cpu.number.is_none() && cpu.name.is_none() {
            cpu.number = Some(place);
        }
        place += 1;
        converter.write(&cpu)
    };
    write(first)?;
    write(second)?;
    while let Some(cpu) = next()? {
        write(cpu)?;
    }
    converter.finish()
}

struct Converter<W: Write> {
    writer: Writer<W>,
    strict: bool,
    warned: bool,
}

impl<W: Write> Converter<W> {
    /// Writes a CPU; flags that the format cannot hold are left out, with a single warning.
    fn write(&mut self, cpu: &Cpu) -> std::result::Result<(), Stopped> {
        match self.writer.write(cpu) {
            Err(error @ WriteError::Flags { .. }) if !self.strict => {
                if !self.warned {
                    warn(format!("{error}; the flags are left out"));
                }
                self.warned = true;
                self.writer.drop_flags(true);
                let written = self.writer.write(cpu);
                self.writer.drop_flags(false);
                Ok(written?)
            }
            other => Ok(other?),
        }
    }

    fn finish(self) -> std::result::Result<(), Stopped> {
        self.writer.finish()?;
        Ok(())
    }
}
