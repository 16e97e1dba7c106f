//! What goes to standard output and standard error: colours only where a terminal is, and no complaint when a reader
//! such as `head` has had enough.

use std::fmt::Display;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};

/// A heading, such as a leaf.
pub(crate) const HEADING: Style = Style::new().bold();
/// A name that someone looks for.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
/// What was added, or is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What was taken away, or stands in the way.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What deserves a second look.
pub(crate) const DOUBT: Style = AnsiColor::Yellow.on_default();

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Tells on standard error what stops the command, and what to do.
pub(super) fn error(message: &str, help: Option<&str>) {
    anstream::eprintln!("{ERROR}error{ERROR:#}: {message}");
    if let Some(help) = help {
        anstream::eprintln!("{HELP}help{HELP:#}: {help}");
    }
}

/// Tells on standard error what does not stop the command.
pub(crate) fn warn(message: impl Display) {
    anstream::eprintln!("{WARNING}warning{WARNING:#}: {message}");
}

/// `text` in a style. [`print()`] takes it off again where no terminal is.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a text that may be styled. False when nobody reads it any more.
pub(crate) fn print(text: &str) -> io::Result<bool> {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true),
    }
}

/// Writes one JSON value.
pub(crate) fn print_json(value: &serde_json::Value) -> io::Result<bool> {
    print(&format!("{value:#}\n"))
}
