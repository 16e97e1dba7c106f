//! Tables that are ready-made: those of the pinned releases. The builds of crates that need no others do not wait for
//! `cpuid-gen`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::{LINUX, QEMU, say};

/// Copies the tables into `out`; prints the errors and returns false if that is not possible, or not what the
/// environment asks for.
pub(crate) fn write_tables(out: &Path) -> bool {
    let mut asked =
        [LINUX, QEMU].into_iter().filter(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    if let Some(variable) = asked.next() {
        say(
            "error",
            &format!(
                "{variable} is set, but this build uses the ready-made tables of the pinned releases; \
                 turn on the feature `generate` of cpuid-tables (for a source tree: `trees`), or unset {variable}"
            ),
        );
        return false;
    }
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let folder = package.join("cpuid-tables/generated/pinned");
    say("rerun-if-changed", &folder.display().to_string());
    let copied = copy(&folder, out);
    if let Err(error) = &copied {
        say("error", &format!("{}: {error}", folder.display()));
    }
    copied.is_ok()
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for file in fs::read_dir(from)? {
        let file = file?;
        // Not fs::copy, which would make files that can't be overwritten from those of a read-only folder.
        fs::write(to.join(file.file_name()), fs::read(file.path())?)?;
    }
    Ok(())
}
