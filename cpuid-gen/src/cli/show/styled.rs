//! Prints the offending line with a mark, in colour if enabled.

use std::io::{self, Write as _};

use annotate_snippets::{Level, Message, Renderer, Snippet};
use cpuid_gen::diagnostic::{Diagnostic, Diagnostics, Severity};
use cpuid_gen::diff::{Action, Changes, LineStyle};
use cpuid_gen::source::{Sources, Span};

/// Prints the result of `diff`, with coloured signs if enabled.
pub(crate) fn changes(changes: &Changes) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    for (style, line) in changes.to_lines() {
        let colour = match style {
            LineStyle::Heading => "1",
            LineStyle::Change(Action::Added) => "32",
            LineStyle::Change(Action::Removed) => "31",
            LineStyle::Change(_) => "33",
            _ => "0",
        };
        match writeln!(out, "\x1b[{colour}m{line}\x1b[0m") {
            // `| head` is not a failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

/// Prints one message without a place.
pub(crate) fn error(message: &str) {
    anstream::eprintln!("{}", Renderer::styled().render(Level::Error.title(message)));
}

/// Prints a note on standard error.
pub(crate) fn note(message: &str) {
    anstream::eprintln!("cpuid-gen: {message}");
}

/// Prints the regions left out by conditionals: the directive's place, the lines, and the directive.
pub(crate) fn left_out(sources: &Sources, diagnostics: &Diagnostics) {
    for left in &diagnostics.left_out {
        let end = Span { start: left.region.end, ..left.region };
        let (at, last) = (sources.place(left.condition), sources.place(end).line);
        let lines = format!("lines {} to {}", at.line + 1, last.max(at.line + 2) - 1);
        anstream::eprintln!("{at}: {lines} left out by {}", sources.text(left.condition));
    }
}

pub(super) fn one(sources: &Sources, diagnostic: &Diagnostic) {
    let level = match diagnostic.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
    };
    let mut parts: Vec<Part<'_>> = diagnostic.at.map(|at| Part::new(sources, at, "")).into_iter().collect();
    parts.extend(diagnostic.labels.iter().map(|label| Part::new(sources, label.at, &label.text)));
    let mut message: Message<'_> = level.title(&diagnostic.message);
    for (index, part) in parts.iter().enumerate() {
        message = message.snippet(part.snippet(if index == 0 { level } else { Level::Note }));
    }
    if let Some(help) = &diagnostic.help {
        message = message.footer(Level::Help.title(help));
    }
    anstream::eprintln!("{}", Renderer::styled().render(message));
}

/// One line of one file, and the marked part of it.
struct Part<'a> {
    file: String,
    line: usize,
    /// With a space for each tab: the renderer widens tabs, but not the mark before them.
    text: String,
    marked: std::ops::Range<usize>,
    label: &'a str,
}

impl<'a> Part<'a> {
    fn new(sources: &'a Sources, at: Span, label: &'a str) -> Part<'a> {
        let place = sources.place(at);
        let (text, marked) = sources.marked(at);
        let text = text.replace('\t', " ");
        Part { file: place.file, line: place.line as usize, text, marked, label }
    }

    fn snippet(&self, level: Level) -> Snippet<'_> {
        let annotation = level.span(self.marked.clone()).label(self.label);
        Snippet::source(&self.text).line_start(self.line).origin(&self.file).annotation(annotation)
    }
}
