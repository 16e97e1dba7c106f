//! The commands of the full build, which read trees and write facts, tables and lists.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use cpuid_gen::languages::{generate_c, generate_json};
use cpuid_gen::model::Model;
use cpuid_gen::model::cpu_models::resolve;
use cpuid_gen::program::{self, Program, ProgramError};
use cpuid_gen::published::{self, Published};
use cpuid_gen::{format, generate, generate_standalone, input, linux};

use super::args::{Format, Generated, Inputs, Other, Project};
use super::{Failed, Result, Run, import, manual, models, print, ready_crate, show};

impl Run {
    pub(super) fn other(&mut self, command: &Other) -> Result<ExitCode> {
        match command {
            Other::Facts { project, left_out } => self.facts(project, *left_out)?,
            Other::Import { project, output } => self.import(project, output)?,
            Other::ImportProgram { program, base, output } => {
                self.import_program(program, base.as_deref(), output)?;
            }
            Other::Capflags { linux } => self.capflags(linux.as_deref())?,
            Other::Models { qemu, name, format } => {
                self.models(qemu.as_deref(), name.as_deref(), *format)?;
            }
            Other::Diff { old, new, format, pins, was } => {
                return self.diff((old, new), (pins.as_deref(), was.as_deref()), *format);
            }
            Other::Generate { inputs, pins, what, output } => {
                self.generate(inputs, pins.as_deref(), *what, output)?;
            }
            Other::Crate { inputs, pins, sources, output } => {
                self.ready_crate(inputs, pins.as_deref(), sources, output)?;
            }
            Other::Atlas { inputs, output } => self.atlas(inputs, output)?,
            Other::Manual { output } => manual::write(output)?,
            Other::Constants { pins } => self.constants(pins.as_deref())?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn facts(&mut self, project: &Project, left_out: bool) -> Result<()> {
        let text = self.facts_text(project)?;
        if left_out {
            show::left_out(&self.sources, &self.diagnostics);
        }
        print(&text)
    }

    fn import(&mut self, project: &Project, output: &Path) -> Result<()> {
        let text = self.facts_text(project)?;
        import::replace(output, &text)
            .map_err(|error| Failed::Io(Some(format!("{}: {error}", output.display()))))
    }

    /// The facts of a QEMU program, over those of a base or of the nearest pinned release.
    fn import_program(&mut self, path: &Path, base: Option<&Path>, output: &Path) -> Result<()> {
        let failed = |error: ProgramError| Failed::Io(Some(format!("{}: {error}", path.display())));
        let stated = program::ask(&Program::new(path)).map_err(failed)?;
        let base = match base {
            Some(base) => input::qemu(&mut self.sources, base, &mut self.diagnostics),
            None => {
                let (_, pinned) = input::pinned(&mut self.sources, &mut self.diagnostics);
                program::nearest(pinned, &stated.release)
            }
        };
        let base = self.sound(base)?;
        let overlaid = program::overlay(&stated, &base).map_err(failed)?;
        import::replace(output, &import::program(&stated, &base, &overlaid))
            .map_err(|error| Failed::Io(Some(format!("{}: {error}", output.display()))))?;
        show::note(&import::summary(&stated, &base, &overlaid));
        Ok(())
    }

    fn facts_text(&mut self, project: &Project) -> Result<String> {
        let text = match project {
            Project::Linux(path) if path.is_dir() => {
                let tree = linux::Tree::open(&mut self.sources, path, &mut self.diagnostics);
                let tree = self.sound(tree)?;
                let facts = linux::read(&mut self.sources, &tree, &mut self.diagnostics);
                facts.map(|facts| import::linux(&self.sources, &facts, Some(&tree)))
            }
            Project::Linux(path) => {
                let facts = input::linux(&mut self.sources, path, &mut self.diagnostics);
                facts.map(|facts| import::linux(&self.sources, &facts, None))
            }
            Project::Qemu(path) => {
                let facts = input::qemu(&mut self.sources, path, &mut self.diagnostics);
                facts.map(|facts| import::qemu(&self.sources, &facts))
            }
            Project::Witness(path) => {
                let facts = input::witness(&mut self.sources, path, &mut self.diagnostics);
                facts.map(|facts| import::witness(&self.sources, &facts))
            }
        };
        self.sound(text)
    }

    fn capflags(&mut self, linux: Option<&Path>) -> Result<()> {
        let text = match linux {
            Some(path) if path.is_dir() => {
                let tree = linux::Tree::open(&mut self.sources, path, &mut self.diagnostics);
                let tree = self.sound(tree)?;
                let text = linux::capflags::from_tree(&self.sources, &tree);
                text.map_err(|diagnostics| {
                    self.diagnostics.extend(diagnostics);
                    Failed::Io(None)
                })?
            }
            Some(path) => {
                let facts = input::linux(&mut self.sources, path, &mut self.diagnostics);
                linux::capflags::from_facts(&self.sound(facts)?)
            }
            None => {
                let (mut linux, _) = self.inputs(&Inputs::default())?;
                linux.pop().map(|newest| linux::capflags::from_facts(&newest)).unwrap_or_default()
            }
        };
        print(&text)
    }

    fn models(&mut self, qemu: Option<&Path>, name: Option<&str>, format: Format) -> Result<()> {
        let facts = match qemu {
            Some(path) => input::qemu(&mut self.sources, path, &mut self.diagnostics),
            None => self.inputs(&Inputs::default())?.1.pop(),
        };
        let facts = self.sound(facts)?;
        let found = resolve(&facts, &mut self.diagnostics);
        if self.diagnostics.has_errors() {
            return Err(Failed::Contradiction);
        }
        let Some(name) = name else {
            return match format {
                Format::Text => print(&models::list_text(&facts, &found)),
                Format::Json => print(&format!("{:#}\n", models::list_json(&facts, &found))),
            };
        };
        let chosen = models::Chosen::find(&found, name).ok_or_else(|| {
            let near = models::near(&found, name);
            let hint =
                if near.is_empty() { String::new() } else { format!("; similar names: {}", near.join(", ")) };
            Failed::Io(Some(format!("QEMU {} has no CPU model `{name}`{hint}", facts.release)))
        })?;
        match format {
            Format::Text => print(&models::text(&facts, chosen)),
            Format::Json => print(&format!("{:#}\n", models::json(&facts, chosen))),
        }
    }

    fn generate(
        &mut self,
        inputs: &Inputs,
        pins: Option<&Path>,
        what: Generated,
        output: &Path,
    ) -> Result<()> {
        let model = self.model(inputs, pins)?.0;
        let files = match what {
            Generated::Tables => generate(&model).and_then(|files| files.into_iter().map(format).collect()),
            Generated::Rows => generate(&model),
            Generated::Standalone => generate_standalone(&model).map(|file| vec![file]),
            Generated::C => generate_c(&model).map(|file| vec![file]),
            Generated::Json => generate_json(&model).map(Vec::from),
        };
        let files = self.sound(Some(files.map_err(|error| Failed::Io(Some(error.to_string())))?))?;
        let failed = |path: &Path, error| Failed::Io(Some(format!("{}: {error}", path.display())));
        fs::create_dir_all(output).map_err(|error| failed(output, error))?;
        for file in files {
            let path = output.join(file.name);
            import::replace(&path, &file.text).map_err(|error| failed(&path, error))?;
        }
        Ok(())
    }

    /// The model of the releases that the user names, and these releases in one line.
    fn model(&mut self, inputs: &Inputs, pins: Option<&Path>) -> Result<(Model, String)> {
        let (linux, qemu) = match pins {
            Some(folder) => self.folder(folder)?,
            None => self.inputs(inputs)?,
        };
        let published = self.published(pins)?;
        let (model, doubts) = Model::merge_published(&linux, &qemu, &published);
        self.diagnostics.extend(doubts);
        if self.diagnostics.has_errors() {
            return Err(Failed::Contradiction);
        }
        let list = |releases: Vec<&str>| releases.join(", ");
        let from = format!(
            "Linux {} and QEMU {}",
            list(linux.iter().map(|facts| facts.release.as_str()).collect()),
            list(qemu.iter().map(|facts| facts.release.as_str()).collect())
        );
        Ok((model, from))
    }

    fn ready_crate(
        &mut self,
        inputs: &Inputs,
        pins: Option<&Path>,
        sources: &Path,
        output: &Path,
    ) -> Result<()> {
        let (model, from) = self.model(inputs, pins)?;
        let files = generate(&model).map_err(|error| Failed::Io(Some(error.to_string())))?;
        ready_crate::write(sources, &files, &from, output).map_err(|message| Failed::Io(Some(message)))
    }

    /// The published constants, with the additions from the releases.
    fn constants(&mut self, pins: Option<&Path>) -> Result<()> {
        let (linux, qemu) = match pins {
            Some(folder) => self.folder(folder)?,
            None => self.inputs(&Inputs::default())?,
        };
        let before = self.published(pins)?;
        let (model, _) = Model::merge_published(&linux, &qemu, &before);
        print(&published::write(&model.published()))
    }

    /// The published constants, from the program or from a folder.
    pub(super) fn published(&mut self, folder: Option<&Path>) -> Result<Published> {
        let Some(folder) = folder else {
            return Ok(input::published(&mut self.sources, &mut self.diagnostics));
        };
        let file = self.diagnostics.take(self.sources.read_optional(folder, "constants.tsv"));
        let Some(file) = self.sound(file)? else {
            // An older folder may have no list.
            return Ok(Published::default());
        };
        let list = Published::read(&self.sources, file, &mut self.diagnostics);
        self.sound(list)
    }
}
