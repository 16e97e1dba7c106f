//! Shared by the tests of `verify`: the pinned facts and the known differences.

use cpuid_gen::PROCESSORS;
use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts, LinuxFacts, QemuFacts};
use cpuid_gen::source::Sources;
use cpuid_gen::verify::Differences;

/// The pinned releases, oldest first.
pub(crate) const LINUX: [&str; 3] = ["linux-6.1.tsv", "linux-6.12.tsv", "linux-7.3.tsv"];
/// The pinned releases of QEMU, oldest first.
pub(crate) const QEMU: [&str; 5] =
    ["qemu-7.2.tsv", "qemu-10.0.tsv", "qemu-10.2.tsv", "qemu-11.0.tsv", "qemu-11.1.tsv"];

/// The pinned witnesses.
pub(crate) fn witnesses() -> impl Iterator<Item = &'static str> {
    cpuid_gen::witnesses().iter().map(|(name, _)| *name)
}

/// The text of a file in `upstream/`, of those that the library has.
pub(crate) fn text_of(name: &str) -> String {
    let pinned = cpuid_gen::pinned()
        .iter()
        .chain(cpuid_gen::witnesses())
        .find(|(file, _)| *file == name)
        .map(|(_, text)| *text);
    let known = pinned.or((name == "differences.tsv").then_some(cpuid_gen::DIFFERENCES));
    known.unwrap_or_else(|| panic!("{name} is not in the library")).to_owned()
}

/// The inputs of `verify`.
pub(crate) struct Input {
    pub(crate) sources: Sources,
    pub(crate) linux: Vec<LinuxFacts>,
    pub(crate) qemu: Vec<QemuFacts>,
    pub(crate) differences: Differences,
}

impl Input {
    /// Reads `(name, text)` files and the differences. `None` if a reader rejects one.
    pub(crate) fn try_read(files: &[(&str, &str)], differences: &str) -> Result<Input, String> {
        Input::try_read_with(files, differences, PROCESSORS)
    }

    /// Likewise, with these processors.
    pub(crate) fn try_read_with(
        files: &[(&str, &str)],
        differences: &str,
        processors: &str,
    ) -> Result<Input, String> {
        let mut sources = Sources::new();
        let mut diagnostics = Diagnostics::new();
        let (mut linux, mut qemu, mut witnesses) = (Vec::new(), Vec::new(), Vec::new());
        for (name, text) in files {
            let file = sources.add(*name, *text);
            if text.lines().any(|line| line.starts_with("witness-release\t")) {
                witnesses.extend(facts::read_witness(&sources, file, &mut diagnostics));
                continue;
            }
            match facts::read(&sources, file, &mut diagnostics) {
                Some(Facts::Linux(facts)) => linux.push(facts),
                Some(Facts::Qemu(facts)) => qemu.push(facts),
                None => {}
            }
        }
        let differences_file = sources.add("differences.tsv", differences);
        let mut differences = Differences::read(&sources, differences_file, &mut diagnostics);
        let processors = sources.add("processors.tsv", processors);
        if let Some(differences) = &mut differences {
            differences.read_processors(&sources, processors, &mut diagnostics);
            differences.add_witnesses(witnesses);
        }
        match differences {
            Some(differences) if diagnostics.is_empty() => Ok(Input { sources, linux, qemu, differences }),
            _ => Err(diagnostics.render(&sources)),
        }
    }
}
