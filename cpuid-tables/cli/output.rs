//! What goes to standard output and standard error: colours only where a terminal is, and no complaint when a reader
//! such as `head` has had enough.

use std::fmt::Display;
use std::io::{self, Write as _};

use anstyle::AnsiColor;
use cpuid_tables::show::{Style, Styled};

const ERROR: anstyle::Style = AnsiColor::Red.on_default().bold();
const WARNING: anstyle::Style = AnsiColor::Yellow.on_default().bold();
const HELP: anstyle::Style = AnsiColor::Cyan.on_default().bold();

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

/// What a style looks like on a terminal.
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

/// Writes a text, styled where a terminal is. False when nobody reads it any more.
pub(crate) fn print_styled(text: &Styled) -> io::Result<bool> {
    let mut coloured = String::new();
    for (style, span) in text.spans() {
        let look = look(style);
        coloured += &format!("{look}{span}{look:#}");
    }
    print(&coloured)
}

/// Writes a text. False when nobody reads it any more.
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
