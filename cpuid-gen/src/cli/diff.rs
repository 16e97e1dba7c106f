//! `cpuid-gen diff`: two releases of one project.

use std::path::Path;
use std::process::ExitCode;

use cpuid_gen::diff::{self, Changes};
use cpuid_gen::facts::{Facts, LinuxFacts, QemuFacts};
use cpuid_gen::input;
use cpuid_gen::model::Model;

use super::args::{DiffFormat, Inputs};
use super::{Failed, Result, Run, print, show};

impl Run {
    pub(super) fn diff(
        &mut self,
        (old, new): (&Path, &Path),
        (pins, was): (Option<&Path>, Option<&Path>),
        format: DiffFormat,
    ) -> Result<ExitCode> {
        let (linux, qemu) = match pins {
            Some(folder) => self.folder(folder)?,
            None => self.inputs(&Inputs::default())?,
        };
        let mut changes = self.changes((old, new), (&linux, &qemu))?;
        if let Some(folder) = was {
            let before = self.folder(folder)?;
            let (was, now) = (self.published(was)?, self.published(pins)?);
            let before = Model::merge_published(&before.0, &before.1, &was).0;
            let after = Model::merge_published(&linux, &qemu, &now).0;
            changes.api.push(diff::impact("the pinned releases", &before, &after));
        }
        match format {
            DiffFormat::Text => show::changes(&changes)?,
            DiffFormat::Markdown => print(&changes.to_markdown())?,
            DiffFormat::Json => print(&format!("{:#}\n", changes.to_json()))?,
        }
        // Facts that contradict each other have changes, but no Rust API.
        self.sound(Some(ExitCode::from(u8::from(!changes.is_empty()))))
    }

    fn changes(
        &mut self,
        (old, new): (&Path, &Path),
        (linux, qemu): (&[LinuxFacts], &[QemuFacts]),
    ) -> Result<Changes> {
        let [before, after] =
            [old, new].map(|path| input::any(&mut self.sources, path, &mut self.diagnostics));
        let (before, after) = (self.sound(before)?, self.sound(after)?);
        let (changes, errors) = match (&before, &after) {
            (Facts::Linux(old), Facts::Linux(new)) => diff::linux(old, new, qemu),
            (Facts::Qemu(old), Facts::Qemu(new)) => diff::qemu(old, new, linux),
            _ => {
                let shown = [(old, &before), (new, &after)].map(|(path, facts)| {
                    let (project, release) = match facts {
                        Facts::Linux(facts) => ("Linux", &facts.release),
                        Facts::Qemu(facts) => ("QEMU", &facts.release),
                    };
                    format!("{} is {project} {release}", path.display())
                });
                let message = "cannot compare releases of different projects:";
                return Err(Failed::Io(Some(format!("{message} {} and {}", shown[0], shown[1]))));
            }
        };
        self.diagnostics.append(errors);
        Ok(changes)
    }
}
