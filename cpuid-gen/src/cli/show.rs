//! Diagnostics on a terminal. The whole command marks the offending line, in colour where colour is wanted; the small
//! one prints `file:line:column: error: message`.

#[cfg(feature = "cli")]
mod styled;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::source::Sources;

#[cfg(feature = "cli")]
pub(crate) use styled::{changes, error, left_out};

/// More than this tell no more.
const MOST: usize = 100;

/// Shows all of them on standard error.
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

/// Shows one message that has no place.
#[cfg(not(feature = "cli"))]
pub(crate) fn error(message: &str) {
    eprintln!("error: {message}");
}
