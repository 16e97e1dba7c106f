//! The host argument of commands: this machine, a recorded host, or a dump.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use clap::Args as ClapArgs;
use cpuid_tables::dump::{Cpu, Options};
use cpuid_tables::host::{Host, HostFile};

use super::advice;
use super::dumped::Dumped;
use super::outcome::{Failed, Result};
use super::output::warn;
use super::source::Source;

/// The name of this machine as a host.
pub(crate) const REAL: &str = "real";

/// The host of a command that needs one.
#[derive(ClapArgs)]
pub(crate) struct HostArg {
    /// The host: a recorded host (a file, or DIR/NAME), a dump of what its KVM supports, or `real` for this machine
    #[arg(long, value_name = "HOST", num_args = 0..=1, default_value = REAL, default_missing_value = REAL)]
    host: String,
}

impl HostArg {
    pub(crate) fn read(&self) -> Result<Host> {
        named(&self.host)
    }
}

/// A host: this machine, a recorded host as one file or several, or a dump.
pub(crate) fn named(name: &str) -> Result<Host> {
    if name == REAL {
        return Host::this_machine().cloned().map_err(Failed::new);
    }
    let path = Path::new(name);
    if !HostFile::Supported.path(path).exists() && path.is_file() {
        return one_file(path, name);
    }
    if !HostFile::Supported.path(path).exists() && !HostFile::Instruction.path(path).exists() {
        return Err(Failed::new(format!("there is no host `{name}`: no such file, and no {name}.supported"))
            .help(HELP));
    }
    let mut host = Host::default();
    for file in HostFile::ALL {
        let path = file.path(path);
        let needed = matches!(file, HostFile::Supported | HostFile::Instruction);
        if !needed && !path.exists() {
            continue;
        }
        let failed = |error: &dyn std::fmt::Display| Failed::new(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| failed(&error).help(HELP))?;
        host.read(file, &text).map_err(|error| failed(&error))?;
    }
    host.fill_in();
    Ok(host)
}

const HELP: &str = "--host takes a file that `kvm-cpuid record -o HOST.json` wrote on that machine, DIR/NAME, where DIR \
     contains NAME.supported and NAME.host, a dump, or `real` for this machine";

/// True for a host that is a dump, which states no more than its table.
pub(crate) fn is_dump(name: &str) -> Result<bool> {
    let path = Path::new(name);
    Ok(name != REAL && !HostFile::Supported.path(path).exists() && recorded(path)?.is_none())
}

/// Whether a path is that of a host in one file.
pub(crate) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// The host in a file that `kvm-cpuid record` wrote; none if it is another file.
pub(crate) fn recorded(path: &Path) -> Result<Option<Host>> {
    let failed = |error: &dyn std::fmt::Display| Failed::new(format!("{}: {error}", path.display()));
    if !path.is_file() || !is_recorded(path).map_err(|error| failed(&error))? {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
    let mut host: Host = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    host.fill_in();
    Ok(Some(host))
}

/// A host that `kvm-cpuid record` wrote, or a dump.
fn one_file(path: &Path, name: &str) -> Result<Host> {
    if let Some(host) = recorded(path)? {
        return Ok(host);
    }
    let source = Source::File(path.into());
    let mut cpus = Dumped::open(path, &Options::default())?;
    let cpu = cpus.next().ok_or_else(|| Failed::new(format!("{name} contains no CPU")))??;
    if is_partial(&cpu) || cpus.map_while(std::result::Result::ok).any(|cpu| is_partial(&cpu)) {
        let open = advice::open_bits(&source, "a host is what its KVM supports");
        return Err(Failed::new(open).help(advice::HOST_FILES));
    }
    let msrs = cpu.msrs.clone().unwrap_or_default();
    warn(format!(
        "{name} is a dump: what KVM supports and the CPUID instruction are taken to be its table{}, and KVM's \
         capabilities to be the usual ones; `kvm-cpuid record` on that machine writes all",
        if msrs.is_empty() { ", feature MSRs to be 0" } else { "" }
    ));
    let mut host = Host { instruction: cpu.entries.clone(), supported: cpu.entries, msrs, ..Host::default() };
    host.fill_in();
    Ok(host)
}

/// Whether a file is a host as `kvm-cpuid record` writes it, whatever its indentation and the order of its keys. A dump may be
/// JSON too.
fn is_recorded(path: &Path) -> std::io::Result<bool> {
    let mut text = Vec::new();
    let mut file = File::open(path)?;
    file.by_ref().take(1024).read_to_end(&mut text)?;
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Ok(false);
    }
    file.read_to_end(&mut text)?;
    let value: Option<serde_json::Value> = serde_json::from_slice(&text).ok();
    Ok(value.is_some_and(|value| value.get("supported").is_some() && value.get("instruction").is_some()))
}

/// True for a CPU that states only some bits, or that is a CPU model's and not a host's.
fn is_partial(cpu: &Cpu) -> bool {
    advice::is_open(cpu) || cpu.beside.complete
}
