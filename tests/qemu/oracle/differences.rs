//! Cases that differ for a reason: `tests/qemu/differences.tsv`, one per line: release, reason and case.

use std::fs;

use super::Outcome;
use super::capture::directory;
use super::case::Case;

/// A case that may differ.
pub struct Explained {
    /// The series of QEMU, as in `10.0`.
    pub release: String,
    /// Why.
    pub reason: String,
    /// Which case.
    pub case: Case,
}

/// All differences of a release.
pub fn explained(release: &str) -> Outcome<Vec<Explained>> {
    let path = directory().join("differences.tsv");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut all = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let mut fields = line.splitn(3, '\t');
        let (Some(series), Some(reason), Some(case)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(format!("{}:{number}: expected release, reason and case", path.display()).into());
        };
        let case = case.parse().map_err(|error| format!("{}:{number}: {error}", path.display()))?;
        all.push(Explained { release: series.to_owned(), reason: reason.to_owned(), case });
    }
    all.retain(|row| row.release == release);
    Ok(all)
}
