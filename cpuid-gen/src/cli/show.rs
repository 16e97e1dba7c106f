//! Prints diagnostics on a terminal. The full build marks the offending line, in colour if enabled; the small build
//! prints `file:line:column: error: message`.

#[cfg(feature = "cli")]
mod styled;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::source::Sources;

#[cfg(feature = "cli")]
pub(crate) use styled::{changes, error, left_out, note};

/// Maximum number of diagnostics to print.
const MOST: usize = 10;

/// Prints all of them on standard error.
pub(crate) fn diagnostics(sources: &Sources, diagnostics: &Diagnostics) {
    for diagnostic in diagnostics.iter().take(MOST) {
        #[cfg(feature = "cli")]
        styled::one(sources, diagnostic);
        #[cfg(not(feature = "cli"))]
        eprintln!("{}", diagnostic.render(sources));
    }
    if diagnostics.len() > MOST {
        error(&format!("and {} more", diagnostics.len() - MOST));
    }
}

/// Prints one message without a place.
#[cfg(not(feature = "cli"))]
pub(crate) fn error(message: &str) {
    eprintln!("error: {message}");
}
