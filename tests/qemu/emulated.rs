//! The QEMU that the library emulates in a sweep: a release of its tables, or for any other release the program itself, which is
//! asked once for each machine type.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cpuid_tables::QemuRelease;
use cpuid_tables::guest::{GuestCpuid, QemuProgram};
use cpuid_tables::host::Host;

use crate::oracle::case::Case;
use crate::oracle::ours::{Built, build_with};
use crate::oracle::{Outcome, capture};

pub(crate) enum Emulated {
    Release(QemuRelease),
    Program(Box<Asked>),
}

/// A program, and its answers by machine type.
pub(crate) struct Asked {
    path: PathBuf,
    first: QemuProgram,
    answers: BTreeMap<String, QemuProgram>,
}

impl Emulated {
    /// The release of the tables with this name, or the program of this release, started by a script in `work`.
    pub(crate) fn find(name: &str, work: &Path) -> Outcome<Emulated> {
        if let Some(release) = QemuRelease::find(name) {
            return Ok(Emulated::Release(release));
        }
        let path = work.join("qemu");
        fs::write(&path, capture::script(name)?)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        let first = ask(&path, "pc")?;
        Ok(Emulated::Program(Box::new(Asked { path, first, answers: BTreeMap::new() })))
    }

    /// The release whose models and machine types the cases have.
    pub(crate) fn release(&self) -> QemuRelease {
        match self {
            Emulated::Release(release) => *release,
            Emulated::Program(asked) => asked.first.facts_of(),
        }
    }

    /// What is asked and what is assumed of a program.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Emulated::Release(_) => None,
            Emulated::Program(asked) => Some(asked.first.to_string()),
        }
    }

    /// Builds the case's guest.
    pub(crate) fn build(&mut self, host: &Host, case: &Case) -> Outcome<Built> {
        match self {
            Emulated::Release(release) => {
                build_with(GuestCpuid::builder().release(*release).host(host), case)
            }
            Emulated::Program(asked) => {
                let program = asked.on(machine_type(&case.machine))?;
                build_with(GuestCpuid::builder().program(program).host(host), case)
            }
        }
    }
}

impl Asked {
    fn on(&mut self, machine: &str) -> Outcome<&QemuProgram> {
        if !self.first.machine_names().any(|(name, alias)| name == machine || alias == Some(machine)) {
            return Ok(&self.first);
        }
        if !self.answers.contains_key(machine) {
            self.answers.insert(machine.to_owned(), ask(&self.path, machine)?);
        }
        Ok(&self.answers[machine])
    }
}

fn ask(path: &Path, machine: &str) -> Outcome<QemuProgram> {
    Ok(QemuProgram::ask(path, machine, &mut |_| {})?)
}

/// The machine type of `-machine q35,smm=on` and `-machine smm=on,type=q35`; `pc` if there is none.
fn machine_type(option: &str) -> &str {
    let named = option.split(',').find_map(|part| part.strip_prefix("type="));
    let first = option.split(',').next().filter(|first| !first.is_empty() && !first.contains('='));
    named.or(first).unwrap_or("pc")
}
