//! QEMU programs on this machine against the facts that the sources of the same release gave.

use std::collections::HashSet;
use std::path::Path;

use cpuid_gen::facts::{QemuFacts, write_qemu};
use cpuid_gen::program::{Program, ask, overlay, release_of};

use crate::{common, facts};

#[path = "../../../tests/common/programs.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod programs;

/// The pinned facts of exactly this release that its sources gave.
fn from_sources(release: &str) -> Option<QemuFacts> {
    let mut found = cpuid_gen::pinned().iter().filter(|(name, _)| name.starts_with("qemu-"));
    let found = found.find(|(_, text)| text.contains(&format!("\nqemu-release\t{release}\n")))?;
    (!found.1.contains("\n# from the program ")).then(|| facts(found.1))
}

#[test]
fn a_program_agrees_with_its_sources_row_by_row() {
    const TEST: &str = "a_program_agrees_with_its_sources_row_by_row";
    let mut compared = 0;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for path in programs::programs(&repository, Path::new(env!("CARGO_TARGET_TMPDIR"))) {
        let program = Program::new(&path);
        let release = release_of(&program).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let Some(sources) = from_sources(&release) else { continue };
        let stated = ask(&program).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let overlaid = overlay(&stated, &sources).unwrap();
        let [program, rest] = overlaid.rows;
        assert!(program > 900, "{program} rows from the program");
        let (ours, theirs) = (write_qemu(&overlaid.facts), write_qemu(&sources));
        let differ: Vec<String> = lines_apart(&ours, &theirs);
        assert!(differ.is_empty(), "QEMU {}:\n{}", stated.release, differ.join("\n"));
        common::note(&format!(
            "{TEST}: QEMU {}: {program} rows of the program agree, {rest} are the sources' alone",
            stated.release
        ));
        compared += 1;
    }
    if compared == 0 {
        common::skipped(TEST, "a QEMU program of a pinned release");
    }
}

/// Lines that only one of both has.
fn lines_apart(program: &str, sources: &str) -> Vec<String> {
    let only = |a: &str, b: &str, sign: char| {
        let known: HashSet<&str> = b.lines().collect();
        a.lines().filter(|line| !known.contains(line)).map(|line| format!("{sign}{line}")).collect()
    };
    let mut all: Vec<String> = only(program, sources, '+');
    all.extend::<Vec<String>>(only(sources, program, '-'));
    if all.is_empty() && program != sources {
        all.push("the same rows in another order".to_owned());
    }
    all
}
