//! Standard output and standard error: colours only on a terminal, and no error when a reader such as `head` closes
//! the pipe.

use std::fmt::Display;
use std::io::{self, Write as _};

use anstyle::AnsiColor;
use cpuid_tables::show::{Style, Styled};

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

/// A style's appearance on a terminal.
const fn look(style: Style) -> anstyle::Style {
    match style {
        Style::Plain => anstyle::Style::new(),
        Style::Heading => anstyle::Style::new().bold(),
        Style::Name => AnsiColor::Cyan.on_default(),
        Style::Good => AnsiColor::Green.on_default(),
        Style::Error => AnsiColor::Red.on_default(),
        Style::Doubt => AnsiColor::Yellow.on_default(),
    }
}

/// Writes a text, styled on a terminal. False if the reader closed the pipe.
pub(crate) fn print_styled(text: &Styled) -> io::Result<bool> {
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

/// Writes one JSON value.
pub(crate) fn print_json(value: &serde_json::Value) -> io::Result<bool> {
    print(&format!("{value:#}\n"))
}
