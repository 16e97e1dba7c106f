//! Man pages and shell completions, in the folders in which a distribution has them.

use std::fs;
use std::io;
use std::path::Path;

use clap_complete::{Shell, generate_to};

use super::args::command;
use super::{Failed, Result};

/// Where each shell looks for completions below a folder such as `/usr/share`.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Zsh, "zsh/vendor-completions"),
    (Shell::Fish, "fish/vendor_completions.d"),
];

/// Writes them below a folder such as `/usr/share`.
pub(super) fn write(output: &Path) -> Result<()> {
    write_files(output).map_err(|error| Failed::Io(Some(format!("{}: {error}", output.display()))))
}

fn write_files(output: &Path) -> io::Result<()> {
    let pages = output.join("man/man1");
    fs::create_dir_all(&pages)?;
    clap_mangen::generate_to(command(), &pages)?;
    for (shell, below) in SHELLS {
        let folder = output.join(below);
        fs::create_dir_all(&folder)?;
        generate_to(shell, &mut command(), "cpuid-gen", &folder)?;
    }
    Ok(())
}
