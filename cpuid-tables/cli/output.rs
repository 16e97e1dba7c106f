//! Standard output and standard error: colours only on a terminal, and no error when a reader such as `head` closes
//! the pipe.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::AnsiColor;
use clap::ValueEnum;
use cpuid_tables::STORED_VERSION;
use cpuid_tables::show::{Style, Styled};

use super::wrap;

/// When to use colours.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Uses it from now on.
    pub(crate) fn apply(self) {
        let choice = match self {
            // Not written: anstream's own choice considers the environment and the stream.
            Color::Auto => return,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

const ERROR: anstyle::Style = AnsiColor::Red.on_default().bold();
const WARNING: anstyle::Style = AnsiColor::Yellow.on_default().bold();
const HELP: anstyle::Style = AnsiColor::Cyan.on_default().bold();

/// Prints a fatal error and advice to standard error.
pub(super) fn error(message: &str, help: Option<&str>) {
    anstream::eprintln!("{ERROR}error{ERROR:#}: {message}");
    if let Some(help) = help {
        anstream::eprintln!("{HELP}help{HELP:#}: {help}");
    }
}

/// Prints a warning to standard error.
pub(crate) fn warn(message: impl Display) {
    anstream::eprintln!("{WARNING}warning{WARNING:#}: {message}");
}

/// Prints a note to standard error.
pub(crate) fn note(message: impl Display) {
    anstream::eprintln!("{HELP}note{HELP:#}: {message}");
}

/// Whether every warning is printed: `-v`.
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// Prints every warning from now on.
pub(crate) fn set_verbose() {
    VERBOSE.store(true, Ordering::Relaxed);
}

/// True if every warning is printed.
pub(crate) fn is_verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// Warnings of one kind, of which there may be hundreds: the first few are printed, the others counted.
#[derive(Default)]
pub(crate) struct Flood {
    printed: usize,
    more: u64,
}

impl Flood {
    /// How many are printed without `-v`.
    const FIRST: usize = 5;

    pub(crate) fn warn(&mut self, message: impl Display) {
        if self.printed < Flood::FIRST || is_verbose() {
            self.printed += 1;
            warn(message);
        } else {
            self.more += 1;
        }
    }

    /// Counts those that were not printed, and `others`, which nobody has the text of.
    pub(crate) fn end(&mut self, name: &str, others: u64) {
        let more = self.more + others;
        if more > 0 {
            let all = if self.more > 0 { " (-v prints them)" } else { "" };
            warn(format_args!("{name}: and {more} more{all}"));
        }
        self.more = 0;
    }
}

/// A style's appearance on a terminal.
const fn look(style: Style) -> anstyle::Style {
    match style {
        Style::Heading => anstyle::Style::new().bold(),
        Style::Name => AnsiColor::Cyan.on_default(),
        Style::Good => AnsiColor::Green.on_default(),
        Style::Error => AnsiColor::Red.on_default(),
        Style::Doubt => AnsiColor::Yellow.on_default(),
        _ => anstyle::Style::new(),
    }
}

/// Writes a text, styled on a terminal and wrapped to its width. False if the reader closed the pipe.
pub(crate) fn print_styled(text: &Styled) -> io::Result<bool> {
    match wrap::width() {
        Some(width) => print_as_it_is(&wrap::wrapped(text, width)),
        None => print_as_it_is(text),
    }
}

/// Columns for text that wraps its own lines: the terminal's, or 100 in a pipe or a file.
pub(crate) fn columns() -> usize {
    wrap::width().unwrap_or(100)
}

/// Writes a text whose lines are not wrapped.
pub(crate) fn print_as_it_is(text: &Styled) -> io::Result<bool> {
    let mut coloured = String::new();
    for (style, span) in text.spans() {
        let look = look(style);
        coloured += &format!("{look}{span}{look:#}");
    }
    print(&coloured)
}

/// Writes a text. False if the reader closed the pipe.
pub(crate) fn print(text: &str) -> io::Result<bool> {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true),
    }
}

/// Whether a JSON document was printed that is the whole answer, or says what failed.
static ANSWERED: AtomicBool = AtomicBool::new(false);

/// Says that the JSON document on standard output is whole.
pub(crate) fn set_answered() {
    ANSWERED.store(true, Ordering::Relaxed);
}

/// Writes what failed, as a JSON document in one line, unless a document says so or is the answer.
pub(crate) fn print_failed(error: &serde_json::Value) {
    if !ANSWERED.load(Ordering::Relaxed) {
        // What could not be written is not said: the error itself is on standard error.
        let _ = print(&format!("{}\n", serde_json::json!({ "version": STORED_VERSION, "error": error })));
    }
}

/// Writes a JSON document of ours: an object, to which the version of its form is added.
pub(crate) fn print_document(mut value: serde_json::Value) -> io::Result<bool> {
    set_answered();
    if let serde_json::Value::Object(members) = &mut value {
        members.insert("version".into(), STORED_VERSION.into());
    }
    print_json(&value)
}

/// Writes one JSON value, of another program's form.
pub(crate) fn print_json(value: &serde_json::Value) -> io::Result<bool> {
    print(&format!("{value:#}\n"))
}
