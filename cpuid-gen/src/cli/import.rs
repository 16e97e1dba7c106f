//! Writes a facts file: a head with its contents and origin, then the rows.

use std::fs;
use std::io;
use std::path::Path;

use cpuid_gen::facts::{LinuxFacts, QemuFacts, WitnessFacts, write_linux, write_qemu, write_witness};
use cpuid_gen::linux::Tree;
use cpuid_gen::program::{Overlaid, Stated};
use cpuid_gen::source::Sources;
use sha2::{Digest as _, Sha256};

/// The facts file of a Linux release. For a tree, its head includes the paths of the tables that move between
/// releases.
pub(crate) fn linux(sources: &Sources, facts: &LinuxFacts, tree: Option<&Tree>) -> String {
    let mut head = head("Linux", &facts.release, sources);
    for (what, path) in tree.iter().flat_map(|tree| tree.found(sources)) {
        head += &format!("# found {what} in {path}\n");
    }
    head + &write_linux(facts)
}

/// The facts file of a QEMU release.
pub(crate) fn qemu(sources: &Sources, facts: &QemuFacts) -> String {
    head("QEMU", &facts.release, sources) + &write_qemu(facts)
}

/// The facts file of a witness.
pub(crate) fn witness(sources: &Sources, facts: &WitnessFacts) -> String {
    head(facts.project.name(), &facts.release, sources) + &write_witness(facts)
}

/// Comments: the release, and the checksum of each file that the rows came from. If they came from a facts file, its
/// own list of checksums.
fn head(project: &str, release: &str, sources: &Sources) -> String {
    let mut head =
        format!("# {project} {release}: names, numbers and bit positions, written by cpuid-gen import.\n");
    let mut files: Vec<_> =
        sources.iter().map(|(_, file)| file).filter(|file| file.path_on_disk().is_some()).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in files {
        if file.path.is_empty() {
            let list = file
                .text
                .lines()
                .filter(|line| line.starts_with("# sha256 ") || line.starts_with("# found "));
            head.extend(list.flat_map(|line| [line, "\n"]));
        } else {
            let sum: String = Sha256::digest(file.bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            head += &format!("# sha256 {sum}  {}\n", file.path);
        }
    }
    head
}

/// The facts file of a program.
pub(crate) fn program(stated: &Stated, base: &QemuFacts, overlaid: &Overlaid) -> String {
    let mut head = format!(
        "# QEMU {}: names, numbers and bit positions, written by cpuid-gen import --qemu-program.\n# What the program \
         does not state is from the facts of {}; comments mark the origin of the rows below them.\n",
        stated.release, base.release
    );
    stated.not_asked.iter().for_each(|what| head += &format!("# not asked: {what}\n"));
    head + &overlaid.text
}

/// What was asked, for the user.
pub(crate) fn summary(stated: &Stated, base: &QemuFacts, overlaid: &Overlaid) -> String {
    let [program, others] = overlaid.rows;
    let mut text = format!(
        "QEMU {}: {program} rows from the program, {others} from the facts of {}",
        stated.release, base.release
    );
    stated.not_asked.iter().for_each(|what| text += &format!("\nnot asked: {what}"));
    text
}

/// Writes a file completely or not at all.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name =
        path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file name"))?;
    let mut beside = name.to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(beside);
    let done = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        // Report the first error.
        let _ = fs::remove_file(&beside);
    }
    done
}
