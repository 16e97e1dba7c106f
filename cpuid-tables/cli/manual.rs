//! Man pages and shell completions, in the folders in which a distribution has them.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args as ClapArgs, Command};
use clap_complete::{Shell, generate_to};

use super::outcome::{Failed, Result};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kvm-cpuid manual -o ~/.local/share      for one user: then `man kvm-cpuid` has the pages
  kvm-cpuid manual -o debian/usr/share    for a package

Exit codes:
  0  the files are written
  2  a file could not be written";

#[derive(ClapArgs)]
pub(crate) struct Args {
    /// The folder, such as /usr/share: gets man/man1 and the folders of bash, zsh and fish
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
}

/// Where each shell looks for completions below a folder such as `/usr/share`.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Zsh, "zsh/vendor-completions"),
    (Shell::Fish, "fish/vendor_completions.d"),
];

/// Writes the pages of the whole command.
pub(crate) fn run(args: &Args, command: &Command) -> Result<ExitCode> {
    write(args, command).map_err(|error| Failed::new(format!("{}: {error}", args.output.display())))?;
    Ok(ExitCode::SUCCESS)
}

fn write(args: &Args, command: &Command) -> io::Result<()> {
    let pages = args.output.join("man/man1");
    fs::create_dir_all(&pages)?;
    clap_mangen::generate_to(command.clone(), &pages)?;
    for (shell, below) in SHELLS {
        let folder = args.output.join(below);
        fs::create_dir_all(&folder)?;
        generate_to(shell, &mut command.clone(), "kvm-cpuid", &folder)?;
    }
    Ok(())
}
