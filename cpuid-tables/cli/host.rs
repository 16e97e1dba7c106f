//! The host argument of commands: this machine or a recorded host.

use std::fs;
use std::path::Path;

use cpuid_tables::host::{Host, HostFile};

use super::advice;
use super::outcome::{Failed, Result};

/// The name of this machine as a host.
pub(crate) const REAL: &str = "real";

/// A recorded host, or this machine.
pub(crate) fn named(name: &str) -> Result<Host> {
    if name == REAL {
        return Host::this_machine().cloned().map_err(Failed::new);
    }
    if let Some(failed) = advice::no_host(name) {
        return Err(failed);
    }
    let mut host = Host::default();
    for file in HostFile::ALL {
        let path = format!("{name}.{}", file.extension());
        let needed = matches!(file, HostFile::Supported | HostFile::Instruction);
        if !needed && !Path::new(&path).exists() {
            continue;
        }
        let failed = |error: &dyn std::fmt::Display| Failed::new(format!("{path}: {error}"));
        let text = fs::read_to_string(&path).map_err(|error| {
            failed(&error).help("--host takes DIR/NAME, where DIR contains NAME.supported and NAME.host")
        })?;
        host.read(file, &text).map_err(|error| failed(&error))?;
    }
    host.fill_in();
    Ok(host)
}
