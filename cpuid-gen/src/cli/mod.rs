//! The command: parses arguments, prints text and returns an exit code.
//!
//! 0: success; for `verify`, every finding is explained; for `diff`, no difference. 1: `verify` found an unexplained
//! difference, `diff` found a difference, or the input is inconsistent, such as a CPU model with an unknown property.
//! 2: the input could not be read, the output could not be written, or the command line was wrong; for `diff`, also
//! inconsistent input. A command with `--format json` then prints the errors as JSON, too.

mod args;
#[cfg(feature = "cli")]
mod atlas;
#[cfg(feature = "cli")]
mod comments;
#[cfg(feature = "cli")]
mod diff;
#[cfg(feature = "cli")]
mod import;
#[cfg(feature = "cli")]
mod manual;
#[cfg(feature = "cli")]
mod models;
#[cfg(feature = "cli")]
mod other;
#[cfg(feature = "cli")]
mod ready_crate;
mod show;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use cpuid_gen::diagnostic::Diagnostics;
#[cfg(feature = "json")]
use cpuid_gen::diagnostic::{Diagnostic, Severity};
use cpuid_gen::facts::{Facts, LinuxFacts, QemuFacts};
use cpuid_gen::input;
use cpuid_gen::source::{FileId, Sources};
use cpuid_gen::verify::{Differences, Report, Scope, verify, verify_since};

use args::{Command, Format, Inputs, Verify};

/// A fatal error; the diagnostics, or the message, describe it.
enum Failed {
    /// An input could not be read, or an output not written.
    Io(Option<String>),
    /// The input is inconsistent.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "verify reports it as findings"))]
    Contradiction,
}

type Result<T> = std::result::Result<T, Failed>;

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Io(Some(format!("cannot write the output: {error}")))
    }
}

/// Runs the command, prints the diagnostics on standard error, and returns the exit code.
pub(crate) fn run() -> ExitCode {
    let command = args::parse();
    let mut run = Run { sources: Sources::new(), diagnostics: Diagnostics::new() };
    let result = run.command(&command);
    run.diagnostics.sort();
    show::diagnostics(&run.sources, &run.diagnostics);
    let (code, message) = match result {
        Ok(code) => return code,
        Err(Failed::Contradiction) => (1, None),
        Err(Failed::Io(message)) => (2, message),
    };
    if let Some(message) = &message {
        show::error(message);
    }
    #[cfg(feature = "json")]
    if command.writes_json() {
        run.print_errors(message.as_deref());
    }
    ExitCode::from(code)
}

/// One invocation.
struct Run {
    sources: Sources,
    diagnostics: Diagnostics,
}

impl Run {
    /// For programs: a document with the errors in place of the answer. They are on standard error as well.
    #[cfg(feature = "json")]
    fn print_errors(&self, message: Option<&str>) {
        let general = message.map(Diagnostic::general);
        let errors =
            self.diagnostics.iter().chain(&general).filter(|found| found.severity == Severity::Error);
        let errors: Vec<_> = errors.map(|error| error.to_json(&self.sources)).collect();
        match print(&format!("{:#}\n", serde_json::json!({"errors": errors}))) {
            // The answer could not be written for the same reason.
            Err(Failed::Io(Some(why))) if message != Some(why.as_str()) => show::error(&why),
            _ => {}
        }
    }

    fn command(&mut self, command: &Command) -> Result<ExitCode> {
        match command {
            Command::Verify(options) => self.verify(options),
            #[cfg(feature = "cli")]
            Command::Other(command) => self.other(command),
        }
    }

    /// The differences of a file, the processors with which CPU models are compared, and the witnesses: those of a
    /// folder, or the pinned ones.
    fn judgements(&mut self, file: FileId, folder: Option<&Path>) -> Result<Differences> {
        let found = input::judgements(&mut self.sources, file, folder, &mut self.diagnostics);
        self.sound(found)
    }

    fn verify(&mut self, options: &Verify) -> Result<ExitCode> {
        let Verify { inputs, differences, accept, format, pins, since } = options;
        let (linux, qemu) = match pins {
            Some(path) => self.folder(path)?,
            None => self.inputs(inputs)?,
        };
        let beside = pins.as_ref().map(|path| path.join("differences.tsv"));
        let file = match differences.as_ref().or(beside.as_ref()) {
            Some(path) => self.diagnostics.take(self.sources.read(path, "")),
            None => Some(self.sources.add("differences.tsv", cpuid_gen::DIFFERENCES)),
        };
        let file = self.sound(file)?;
        let mut differences = self.judgements(file, pins.as_deref())?;
        for path in accept {
            let file = self.diagnostics.take(self.sources.read(path, ""));
            let file = self.sound(file)?;
            differences.read_accepted(&self.sources, file, &mut self.diagnostics);
            self.sound(Some(()))?;
        }
        if pins.is_none() {
            let (linux, qemu) = self.pinned_beside(inputs, (&linux, &qemu))?;
            differences.add_pinned(linux, qemu);
        }
        let own = inputs.linux.is_some() || inputs.qemu.is_some();
        let report = match since {
            Some(path) => {
                let before = self.earlier(inputs, path)?;
                verify_since(&before, &linux, &qemu, &differences)
            }
            None => verify(&linux, &qemu, &differences, if own { Scope::Given } else { Scope::Pinned }),
        };
        for row in &report.unneeded {
            self.diagnostics.warning(row.at, "no finding needs this accepted row");
        }
        let text = match format {
            Format::Text if since.is_some() => report.render_findings(&self.sources),
            _ => self.report(&report, *format)?,
        };
        print(&text)?;
        Ok(ExitCode::from(u8::from(!report.is_explained())))
    }

    /// The pinned releases next to those that the user names.
    fn pinned_beside(
        &mut self,
        inputs: &Inputs,
        (linux, qemu): (&[LinuxFacts], &[QemuFacts]),
    ) -> Result<(Vec<LinuxFacts>, Vec<QemuFacts>)> {
        let linux = if inputs.linux.is_some() { linux } else { &[] };
        let qemu = if inputs.qemu.is_some() { qemu } else { &[] };
        let found = input::pinned_beside(&mut self.sources, linux, qemu, &mut self.diagnostics);
        self.sound(Some(found))
    }

    /// The earlier state that `--since` names, of a project whose tree or facts are given.
    fn earlier(&mut self, inputs: &Inputs, path: &Path) -> Result<Facts> {
        let before = input::any(&mut self.sources, path, &mut self.diagnostics);
        let before = self.sound(before)?;
        let (project, given) = match &before {
            Facts::Linux(_) => ("linux", &inputs.linux),
            Facts::Qemu(_) => ("qemu", &inputs.qemu),
        };
        if given.is_none() {
            let message = format!("{} is of a project without --{project}", path.display());
            return Err(Failed::Io(Some(message)));
        }
        Ok(before)
    }

    fn report(&self, report: &Report, format: Format) -> Result<String> {
        if format == Format::Text {
            return Ok(report.render(&self.sources));
        }
        #[cfg(feature = "json")]
        return Ok(format!("{:#}\n", report.to_json(&self.sources)));
        #[cfg(not(feature = "json"))]
        Err(Failed::Io(Some(
            "this build only writes text: build with the feature `json` or `cli`".to_owned(),
        )))
    }

    /// The facts files of a folder.
    fn folder(&mut self, path: &Path) -> Result<(Vec<LinuxFacts>, Vec<QemuFacts>)> {
        let found = input::folder(&mut self.sources, path, &mut self.diagnostics);
        self.sound(Some(found))
    }

    /// The facts of both projects: those the user names, or the pinned ones.
    fn inputs(&mut self, inputs: &Inputs) -> Result<(Vec<LinuxFacts>, Vec<QemuFacts>)> {
        let (linux, qemu) = (inputs.linux.as_deref(), inputs.qemu.as_deref());
        let found = input::pinned_or(&mut self.sources, linux, qemu, &mut self.diagnostics);
        self.sound(Some(found))
    }

    /// The value, if there is one and no diagnostic is an error.
    fn sound<T>(&self, value: Option<T>) -> Result<T> {
        value.filter(|_| !self.diagnostics.has_errors()).ok_or(Failed::Io(None))
    }
}

fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // `| head` is not a failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
