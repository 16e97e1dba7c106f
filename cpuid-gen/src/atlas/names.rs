//! Names that Xen and libvirt have for bits: `upstream/names.tsv`, which `upstream/names` writes.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::columns::{Columns, rows};
use crate::location::Place;
use crate::source::{FileId, Sources};

/// A name that another project has for a bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherName {
    /// `Xen` or `libvirt`.
    pub project: String,
    /// The release that has it.
    pub release: String,
    /// A bit of a CPUID register, or of an MSR.
    pub at: Place,
    /// The name.
    pub name: String,
}

/// The projects that the page has columns for.
const PROJECTS: [((), &str); 2] = [((), "Xen"), ((), "libvirt")];

/// Reads the rows of a file: project, release, location, name. A row that is not understood is an error.
pub fn read_names(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Vec<OtherName> {
    rows(sources, file).filter_map(|row| diagnostics.take(read(row))).collect()
}

fn read(mut row: Columns<'_>) -> Result<OtherName, Diagnostic> {
    let project = row.rest().and_then(|rest| rest.split('\t').next()).unwrap_or_default().to_owned();
    row.choice("project", &PROJECTS)?;
    let release = row.name("RELEASE")?;
    let (text, at) = row.text("LOCATION")?;
    let place = match text.parse() {
        Ok(Place::Bits(word, low, high)) if low == high => Place::Bits(word, low, high),
        Ok(Place::MsrBit(bit)) => Place::MsrBit(bit),
        _ => {
            let message = format!("`{text}` is not a bit: expected `7.0.ebx[5]` or `MSR 0x10a[0]`");
            return Err(Diagnostic::error(at, message));
        }
    };
    let name = row.name("NAME")?;
    row.end()?;
    Ok(OtherName { project, release, at: place, name })
}

/// The releases of a project, in the order of the file.
pub(super) fn releases<'n>(names: &'n [OtherName], project: &str) -> Vec<&'n str> {
    let mut all: Vec<&str> = Vec::new();
    for name in names.iter().filter(|name| name.project == project) {
        if all.last() != Some(&name.release.as_str()) {
            all.push(&name.release);
        }
    }
    all
}
