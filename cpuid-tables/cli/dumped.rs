//! The CPUs of a dump in a file or on standard input, with its warnings.

use std::fs::File;
use std::io::{self, BufReader, Read, Stdin};
use std::path::Path;

use cpuid_tables::dump::{Cpu, Format, Options, ReadError, Reader};

use super::advice;
use super::outcome::{Failed, Result};
use super::output::Flood;
use super::progress::Watched;
use super::source::Source;

/// The CPUs of a dump; the first warnings are printed as they occur, the others counted at the end.
pub(crate) struct Dumped<R> {
    reader: Reader<BufReader<R>>,
    name: String,
    /// How many warnings and notes were dealt with.
    warned: usize,
    noted: usize,
    flood: Flood,
}

impl Dumped<Watched<File>> {
    /// The dump in a file.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self> {
        let failed = |error| Failed::new(format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?;
        if size.is_dir() {
            return Err(Failed::new(format!("{}: is a directory", path.display()))
                .help("`kvm-cpuid baseline` reads all dumps in a directory; name one of its files"));
        }
        let size = size.is_file().then_some(size.len());
        Dumped::new(Source::File(path.into()).to_string(), Watched::new(file, size), options)
    }
}

impl Dumped<Watched<Stdin>> {
    /// The dump on standard input.
    pub(crate) fn standard_input(options: &Options) -> Result<Self> {
        Dumped::new(Source::Input.to_string(), Watched::new(io::stdin(), None), options)
    }
}

impl<R: Read> Dumped<R> {
    fn new(name: String, input: R, options: &Options) -> Result<Dumped<R>> {
        let reader = Reader::new(BufReader::with_capacity(1 << 16, input), options);
        let reader = reader.map_err(|error| unreadable(&name, &error))?;
        Ok(Dumped { reader, name, warned: 0, noted: 0, flood: Flood::default() })
    }
}

impl<R: Read> Iterator for Dumped<R> {
    type Item = Result<Cpu>;

    fn next(&mut self) -> Option<Result<Cpu>> {
        let next = self.reader.next();
        let (warnings, more) = self.reader.warnings();
        let (notes, more_notes) = self.reader.notes();
        // A note that is all there is becomes the error.
        let is_error = matches!(next, Some(Err(ReadError::Nothing { .. })));
        let last_note = if is_error { notes.len() - 1 } else { notes.len() };
        for warning in warnings.iter().skip(self.warned) {
            self.flood.warn(format_args!("{}: {warning}", self.name));
        }
        for note in notes.iter().take(last_note).skip(self.noted) {
            self.flood.warn(format_args!("{}: {note}", self.name));
        }
        (self.warned, self.noted) = (warnings.len(), notes.len());
        if !matches!(next, Some(Ok(_))) {
            self.flood.end(&self.name, more + more_notes);
        }
        next.map(|cpu| cpu.map_err(|error| unreadable(&self.name, &error)))
    }
}

fn unreadable(name: &str, error: &ReadError) -> Failed {
    let failed = Failed::new(format!("{name}: {error}"));
    match error {
        ReadError::Blank if name == Source::Input.to_string() => {
            Failed::new("standard input is empty").help("did the command before the pipe fail?")
        }
        ReadError::Unrecognised { text, looks_like, instead } => {
            failed.help(advice::unrecognised(text, (*looks_like, *instead))).no_dump()
        }
        ReadError::Malformed { format: Format::Json, why, .. }
            if ["unknown field", "missing field"].iter().any(|begin| why.starts_with(begin)) =>
        {
            failed.help(advice::other_json())
        }
        ReadError::Malformed { text, .. } if text.contains("\\u{1b}[") => failed.help(advice::COLOURS),
        ReadError::Malformed { text, .. } if advice::is_prompt(text) => failed.help(advice::PROMPT),
        ReadError::Malformed { .. } => failed.help(
            "--lenient warns of such lines and goes on; --from FORMAT, if it is in another format (`--from ?` lists them)",
        ),
        _ => failed,
    }
}
