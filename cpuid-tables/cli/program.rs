//! The QEMU that a guest is built as: a release of the tables, or a program, which is asked.

use std::path::Path;

use cpuid_tables::QemuRelease;
use cpuid_tables::guest::{GuestCpuid, GuestCpuidBuilder, QemuProgram};
use serde_json::{Value, json};

use super::outcome::{Failed, Result};
use super::output::note;
use super::progress::Steps;
use super::qemu_release::{self, Emulated};

/// The number of times that a program is started, for the progress bar: one run for each binary digit of the number of
/// its features, and four others.
const RUNS: usize = 14;

/// A QEMU.
pub(crate) enum Qemu {
    /// Of the tables.
    Release(QemuRelease),
    /// A program.
    Program(Box<QemuProgram>),
}

impl Qemu {
    /// Asks a program; notes what is not the asked QEMU's own.
    pub(crate) fn from_asked(asked: &Emulated, machine: &str) -> Result<Qemu> {
        match asked {
            Emulated::Release(release) => Ok(Qemu::Release(*release)),
            Emulated::Near(version, release) => {
                note(format_args!(
                    "no tables of QEMU {version}: those of {release}, the next in the tables, are used; `--qemu PATH` asks a program"
                ));
                Ok(Qemu::Release(*release))
            }
            Emulated::Program(path) => {
                let program = ask(path, machine)?;
                note(&program);
                program.not_asked().for_each(|what| note(format_args!("not asked: {what}")));
                Ok(Qemu::Program(Box::new(program)))
            }
        }
    }

    /// The release of the tables that it is, or that is used in its place.
    pub(crate) fn release(&self) -> QemuRelease {
        match self {
            Qemu::Release(release) => *release,
            Qemu::Program(program) => program.facts_of(),
        }
    }

    /// A builder for its guests.
    pub(crate) fn builder(&self) -> GuestCpuidBuilder<'_> {
        match self {
            Qemu::Release(release) => GuestCpuid::builder().release(*release),
            Qemu::Program(program) => GuestCpuid::builder().program(program),
        }
    }

    /// Which one it is, and whose what does not come from it.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Qemu::Release(release) => json!({ "version": release.name(), "program": false }),
            Qemu::Program(program) => {
                let ([major, minor, micro], behaves_as) = (program.version().numbers, program.behaves_as());
                json!({
                    "version": format!("{major}.{minor}.{micro}"),
                    "program": true,
                    "package": program.version().package,
                    "facts_of": program.facts_of().name(),
                    "behaves_as": format!("{}.{}", behaves_as.0, behaves_as.1),
                    "estimate": program.is_estimate(),
                    "not_asked": program.not_asked().collect::<Vec<_>>(),
                })
            }
        }
    }
}

fn ask(path: &Path, machine: &str) -> Result<QemuProgram> {
    let mut steps = Steps::new(RUNS);
    let asked = QemuProgram::ask(path, machine, &mut |runs| {
        if runs > 0 {
            steps.step();
        }
    });
    steps.finish();
    let shown = path.display();
    asked.map_err(|error| {
        Failed::new(format!("{shown}: {error}")).help(format!(
            "--qemu takes a release, such as 10.0, or a QEMU program; the tables have {}",
            qemu_release::all_names()
        ))
    })
}
