//! The reader of facts files.

mod cpu_model;
mod linux;
mod machine;
mod qemu;

use super::columns::{Columns, rows};
use super::{Facts, LinuxFacts, QemuFacts};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Sources, Span};

/// Maximum number of rows in a facts file; the longest real one has a tenth of that.
const MAX_ROWS: usize = 1 << 15;

/// Reads a facts file. Every faulty row is a diagnostic, and the result is then `None`.
pub fn read(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<Facts> {
    let mut found = Diagnostics::new();
    let mut facts: Option<Facts> = None;
    for (count, mut columns) in rows(sources, file).enumerate() {
        if count == MAX_ROWS {
            found.push(columns.error(&format!("the file has more than {MAX_ROWS} rows")));
            break;
        }
        let read = match columns.text("KIND") {
            Ok((kind, at)) => row_of(&mut facts, kind, at, columns),
            Err(diagnostic) => Err(diagnostic),
        };
        if let Err(diagnostic) = read {
            found.push(diagnostic);
        }
    }
    if facts.is_none() && found.is_empty() {
        let whole = sources.span(file, 0, 0);
        found.error(whole, "no facts found: expected `linux-release` or `qemu-release` in the first row");
    }
    let good = !found.has_errors();
    diagnostics.extend(found);
    facts.filter(|_| good)
}

fn row_of(facts: &mut Option<Facts>, kind: &str, at: Span, columns: Columns<'_>) -> Result<(), Diagnostic> {
    match (facts.as_mut(), kind) {
        (None, "linux-release") => *facts = Some(Facts::Linux(LinuxFacts::new(release(columns)?, at))),
        (None, "qemu-release") => *facts = Some(Facts::Qemu(QemuFacts::new(release(columns)?, at))),
        (None, _) => {
            let message =
                format!("`{kind}` before the first row, which must be `linux-release` or `qemu-release`");
            let help =
                "a facts file is what `cpuid-gen import` writes; a source tree is named by its root folder";
            return Err(Diagnostic::error(at, message).with_help(help));
        }
        (Some(_), "linux-release" | "qemu-release") => {
            return Err(Diagnostic::error(at, "a second release: a facts file holds one"));
        }
        (Some(Facts::Linux(linux)), _) => linux::row(linux, kind, at, columns)?,
        (Some(Facts::Qemu(qemu)), _) => qemu::row(qemu, kind, at, columns)?,
    }
    Ok(())
}

fn release(mut columns: Columns<'_>) -> Result<String, Diagnostic> {
    let release = columns.name("RELEASE")?;
    columns.end()?;
    Ok(release)
}
