//! `kvm-cpuid record`: this machine as a host for other commands, on this and on other machines.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args as ClapArgs;
use cpuid_tables::host::Host;

use super::host;
use super::outcome::{Failed, Result};
use super::output::print;

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid record -o node2.json          this machine, in one file
  kvm-cpuid record -o hosts/node2         as text files: hosts/node2.supported, .host and others
  kvm-cpuid record > node2.json           one file, on standard output
  kvm-cpuid guest --host node2.json --cpu host
                                          on any machine: what QEMU would build there

A recorded host has what KVM supports, the CPUID instruction, feature MSRs, capabilities, Hyper-V's leaves and the \
TSC's frequency: everything that commands with --host use, on any machine. As a SOURCE, such a file is the table that \
its KVM supports. APIC ids are 0. /dev/kvm is needed.

Exit codes:
  0  the host is recorded
  2  KVM could not be queried, or a file could not be written";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A file that ends with .json, or DIR/NAME for text files; standard output if omitted
    #[arg(short, long, value_name = "FILE.json|DIR/NAME")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let host = host::named(host::REAL)?;
    match &args.output {
        None => {
            print(&format!("{}\n", json(&host)?))?;
        }
        Some(path) if path.is_dir() || path.as_os_str().is_empty() => {
            return Err(Failed::new(format!("{}: is a directory", path.display()))
                .help("name the host in it: -o DIR/NAME.json is one file, -o DIR/NAME several"));
        }
        Some(path) if host::is_json(path) => {
            fs::write(path, format!("{}\n", json(&host)?)).map_err(|error| cannot_write(path, &error))?;
        }
        Some(path) => host.write_files(path).map_err(|error| cannot_write(path, &error))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn json(host: &Host) -> Result<String> {
    serde_json::to_string(host).map_err(Failed::new)
}

fn cannot_write(path: &Path, error: &io::Error) -> Failed {
    Failed::new(format!("{}: {error}", path.display()))
}
