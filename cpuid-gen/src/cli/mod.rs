//! The command line: arguments in, text out, and an exit code that means something.
//!
//! 0: done, and with `verify`, all explained, with `diff`, no difference. 1: `verify` found what nothing explains, `diff`
//! found a difference, or the input was read and makes no sense, such as a CPU model with a property of no bit. 2: the
//! input could not be read, or the output not written, or the command line was wrong; also what makes no sense to `diff`.

mod args;
mod diff;
mod import;
mod models;
mod show;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{LinuxFacts, QemuFacts};
use cpuid_gen::model::Model;
use cpuid_gen::model::cpu_models::resolve;
use cpuid_gen::source::Sources;
use cpuid_gen::verify::{Differences, Scope, verify};
use cpuid_gen::{generate, generate_standalone, input, linux};

use args::{Args, Command, Format, Input, Inputs};

/// Nothing more can be done; the diagnostics, or the message, say why.
enum Failed {
    /// What was asked for could not be read or written.
    Io(Option<String>),
    /// What was read contradicts itself.
    Contradiction,
}

type Result<T> = std::result::Result<T, Failed>;

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Io(Some(format!("cannot write the output: {error}")))
    }
}

/// Runs the command, shows every diagnostic on standard error, and turns the result into the exit code.
pub(crate) fn run() -> ExitCode {
    let args = Args::parse();
    let mut run = Run { sources: Sources::new(), diagnostics: Diagnostics::new() };
    let result = run.command(&args.command);
    run.diagnostics.sort();
    show::diagnostics(&run.sources, &run.diagnostics);
    match result {
        Ok(code) => code,
        Err(Failed::Contradiction) => ExitCode::from(1),
        Err(Failed::Io(message)) => {
            if let Some(message) = message {
                show::error(&message);
            }
            ExitCode::from(2)
        }
    }
}

/// One invocation.
struct Run {
    sources: Sources,
    diagnostics: Diagnostics,
}

impl Run {
    fn command(&mut self, command: &Command) -> Result<ExitCode> {
        match command {
            Command::Facts { input, left_out } => self.facts(input, *left_out)?,
            Command::Import { input, output } => self.import(input, output)?,
            Command::Capflags { linux } => self.capflags(linux.as_deref())?,
            Command::Models { qemu, name, format } => {
                self.models(qemu.as_deref(), name.as_deref(), *format)?;
            }
            Command::Verify { inputs, differences, format, pins } => {
                return self.verify(inputs, pins.as_deref(), differences.as_deref(), *format);
            }
            Command::Diff { old, new, format, pins, was } => {
                return self.diff((old, new), (pins.as_deref(), was.as_deref()), *format);
            }
            Command::Generate { inputs, standalone, output } => self.generate(inputs, *standalone, output)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn facts(&mut self, input: &Input, left_out: bool) -> Result<()> {
        let text = self.facts_text(input)?;
        if left_out {
            show::left_out(&self.sources, &self.diagnostics);
        }
        print(&text)
    }

    fn import(&mut self, input: &Input, output: &Path) -> Result<()> {
        let text = self.facts_text(input)?;
        import::replace(output, &text)
            .map_err(|error| Failed::Io(Some(format!("{}: {error}", output.display()))))
    }

    fn facts_text(&mut self, input: &Input) -> Result<String> {
        let text = match input.project() {
            args::Project::Linux(path) if path.is_dir() => {
                let tree = linux::Tree::open(&mut self.sources, path, &mut self.diagnostics);
                let tree = self.sound(tree)?;
                let facts = linux::read(&mut self.sources, &tree, &mut self.diagnostics);
                facts.map(|facts| import::linux(&self.sources, &facts, Some(&tree)))
            }
            args::Project::Linux(path) => {
                let facts = input::linux(&mut self.sources, path, &mut self.diagnostics);
                facts.map(|facts| import::linux(&self.sources, &facts, None))
            }
            args::Project::Qemu(path) => {
                let facts = input::qemu(&mut self.sources, path, &mut self.diagnostics);
                facts.map(|facts| import::qemu(&self.sources, &facts))
            }
        };
        self.sound(text)
    }

    fn capflags(&mut self, linux: Option<&Path>) -> Result<()> {
        let text = match linux {
            Some(path) if path.is_dir() => {
                let tree = linux::Tree::open(&mut self.sources, path, &mut self.diagnostics);
                let tree = self.sound(tree)?;
                let text = linux::capflags::of_tree(&self.sources, &tree);
                text.map_err(|diagnostics| {
                    self.diagnostics.extend(diagnostics);
                    Failed::Io(None)
                })?
            }
            Some(path) => {
                let facts = input::linux(&mut self.sources, path, &mut self.diagnostics);
                linux::capflags::of_facts(&self.sound(facts)?)
            }
            None => {
                let (mut linux, _) = self.inputs(&Inputs::default())?;
                linux.pop().map(|newest| linux::capflags::of_facts(&newest)).unwrap_or_default()
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
                if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
            Failed::Io(Some(format!("QEMU {} has no CPU model `{name}`{hint}", facts.release)))
        })?;
        match format {
            Format::Text => print(&models::text(&facts, chosen)),
            Format::Json => print(&format!("{:#}\n", models::json(&facts, chosen))),
        }
    }

    fn verify(
        &mut self,
        inputs: &Inputs,
        pins: Option<&Path>,
        differences: Option<&Path>,
        format: Format,
    ) -> Result<ExitCode> {
        let (linux, qemu) = match pins {
            Some(path) => self.folder(path)?,
            None => self.inputs(inputs)?,
        };
        let beside = pins.map(|path| path.join("differences.tsv"));
        let file = match differences.or(beside.as_deref()) {
            Some(path) => self.diagnostics.take(self.sources.read(path, "")),
            None => Some(self.sources.add("differences.tsv", cpuid_gen::DIFFERENCES)),
        };
        let file = self.sound(file)?;
        let differences = Differences::read(&self.sources, file, &mut self.diagnostics);
        let differences = self.sound(differences)?;
        let own = inputs.linux.is_some() || inputs.qemu.is_some();
        let report = verify(&linux, &qemu, &differences, if own { Scope::Given } else { Scope::Pinned });
        match format {
            Format::Text => print(&report.render(&self.sources))?,
            Format::Json => print(&format!("{:#}\n", report.to_json(&self.sources)))?,
        }
        Ok(ExitCode::from(u8::from(!report.is_explained())))
    }

    fn generate(&mut self, inputs: &Inputs, standalone: bool, output: &Path) -> Result<()> {
        let (linux, qemu) = self.inputs(inputs)?;
        let (model, doubts) = Model::merge(&linux, &qemu);
        self.diagnostics.extend(doubts);
        if self.diagnostics.has_errors() {
            return Err(Failed::Contradiction);
        }
        let files =
            if standalone { generate_standalone(&model).map(|file| vec![file]) } else { generate(&model) };
        let files = self.sound(Some(files.map_err(|error| Failed::Io(Some(error.to_string())))?))?;
        let failed = |path: &Path, error| Failed::Io(Some(format!("{}: {error}", path.display())));
        fs::create_dir_all(output).map_err(|error| failed(output, error))?;
        for file in files {
            let path = output.join(file.name);
            import::replace(&path, &file.text).map_err(|error| failed(&path, error))?;
        }
        Ok(())
    }

    /// The facts files of a folder.
    fn folder(&mut self, path: &Path) -> Result<(Vec<LinuxFacts>, Vec<QemuFacts>)> {
        let found = input::folder(&mut self.sources, path, &mut self.diagnostics);
        self.sound(Some(found))
    }

    /// The facts of both projects: the pinned ones, unless the user names others.
    fn inputs(&mut self, inputs: &Inputs) -> Result<(Vec<LinuxFacts>, Vec<QemuFacts>)> {
        let (linux, qemu) = (inputs.linux.as_deref(), inputs.qemu.as_deref());
        let found = input::pinned_or(&mut self.sources, linux, qemu, &mut self.diagnostics);
        self.sound(Some(found))
    }

    /// The value, when there is one and no diagnostic is an error.
    fn sound<T>(&self, value: Option<T>) -> Result<T> {
        value.filter(|_| !self.diagnostics.has_errors()).ok_or(Failed::Io(None))
    }
}

fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // `| head` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
