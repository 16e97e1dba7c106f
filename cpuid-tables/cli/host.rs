//! The host argument of commands: this machine, a recorded host, or a dump.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use cpuid_tables::dump::Cpu;
use cpuid_tables::host::{Host, HostFile};

use super::advice;
use super::outcome::{Failed, Result};
use super::output::warn;
use super::source::{Reading, Source};

/// The name of this machine as a host.
pub(crate) const REAL: &str = "real";

/// A host: this machine, a recorded host as one file or several, or a dump.
pub(crate) fn named(name: &str) -> Result<Host> {
    if name == REAL {
        return Host::this_machine().cloned().map_err(Failed::new);
    }
    let path = Path::new(name);
    if !HostFile::Supported.path(path).exists() && path.is_file() {
        return one_file(path, name);
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

const HELP: &str = "--host takes DIR/NAME, where DIR contains NAME.supported and NAME.host, or a file; \
     `kvm-cpuid record` on that machine writes either";

/// Whether a path is that of a host in one file.
pub(crate) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// A host that `kvm-cpuid record` wrote, or a dump.
fn one_file(path: &Path, name: &str) -> Result<Host> {
    let failed = |error: &dyn std::fmt::Display| Failed::new(format!("{name}: {error}"));
    if is_recorded(path).map_err(|error| failed(&error))? {
        let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
        let mut host: Host = serde_json::from_str(&text).map_err(|error| failed(&error))?;
        host.fill_in();
        return Ok(host);
    }
    let source = Source::File(path.into());
    let reading = Reading { from: None, lenient: false, cpu: None, all_cpus: false };
    let mut cpus = reading.open(&source)?;
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

/// Whether a file begins as `kvm-cpuid record` begins it, however it is indented. A dump may be JSON too.
fn is_recorded(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut head)?;
    head.retain(|byte| !byte.is_ascii_whitespace());
    let head = String::from_utf8_lossy(&head);
    Ok(head.starts_with("{\"version\"") && head.contains("\"supported\""))
}

/// True for a CPU that states only some bits, or that is a CPU model's and not a host's.
fn is_partial(cpu: &Cpu) -> bool {
    advice::is_open(cpu) || cpu.beside.complete
}
