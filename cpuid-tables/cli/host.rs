//! The host argument of commands: this machine, a recorded host, or a dump.

use std::fs;
use std::path::Path;

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
    let recorded = format!("{name}.{}", HostFile::Supported.extension());
    if !Path::new(&recorded).exists() && path.is_file() {
        return one_file(path, name);
    }
    let mut host = Host::default();
    for file in HostFile::ALL {
        let path = format!("{name}.{}", file.extension());
        let needed = matches!(file, HostFile::Supported | HostFile::Instruction);
        if !needed && !Path::new(&path).exists() {
            continue;
        }
        let failed = |error: &dyn std::fmt::Display| Failed::new(format!("{path}: {error}"));
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
    let text = fs::read_to_string(path).unwrap_or_default();
    if text.starts_with("{\"version\"") && text.contains("\"supported\"") {
        let failed = |error: serde_json::Error| Failed::new(format!("{name}: {error}"));
        let mut host: Host = serde_json::from_str(&text).map_err(failed)?;
        host.fill_in();
        return Ok(host);
    }
    if let Some(failed) = advice::no_host(name) {
        return Err(failed);
    }
    let reading = Reading { from: None, lenient: false, cpu: None, all_cpus: false };
    let first = reading.open(&Source::File(path.into()))?.next();
    let cpu = first.ok_or_else(|| Failed::new(format!("{name} contains no CPU")))??;
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
