//! The QEMU release argument of commands, and of `guest` a QEMU program.

use std::path::PathBuf;

use cpuid_tables::QemuRelease;
use cpuid_tables::guest::{ProgramVersion, upstream_machine};

/// The name of [`guest::default_release`](cpuid_tables::guest::default_release): its series.
pub(crate) fn default() -> &'static str {
    let name = cpuid_tables::guest::default_release().name();
    let end = name.match_indices('.').nth(1).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

/// A QEMU release by its name, its series, or a version as a distribution writes it.
pub(crate) fn named(name: &str) -> Result<QemuRelease, String> {
    let version: Option<ProgramVersion> = name.parse().ok();
    let found = QemuRelease::find(name).or_else(|| of_version(version.as_ref()?));
    found.ok_or_else(|| match machine_type(name) {
        Some(refused) => refused,
        None => {
            let near = version.map(|version| nearest(version.series()).name());
            let near = near.map(|near| format!("no tables of this version: the next are those of {near}; "));
            format!("{}expected one of {}", near.unwrap_or_default(), all_names())
        }
    })
}

/// The releases in the tables, for a message.
pub(crate) fn all_names() -> String {
    let names: Vec<&str> = QemuRelease::ALL.iter().map(|release| release.name()).collect();
    names.join(", ")
}

/// The refusal of a machine type, whose version is that of a QEMU, too.
fn machine_type(name: &str) -> Option<String> {
    let is_known = QemuRelease::ALL.into_iter().any(|release| release.machine(name).is_some());
    let is_machine = is_known || upstream_machine(name).is_some();
    is_machine.then(|| format!("a machine type: `kvm-cpuid guest --machine {name}` takes it"))
}

/// The release in the tables with a version's numbers, or else that of its series.
fn of_version(version: &ProgramVersion) -> Option<QemuRelease> {
    let [major, minor, micro] = version.numbers;
    let of_series = |(major, minor): (u32, u32)| QemuRelease::find(&format!("{major}.{minor}"));
    QemuRelease::find(&format!("{major}.{minor}.{micro}")).or_else(|| of_series(version.series()))
}

/// A QEMU to emulate.
#[derive(Clone, Debug)]
pub(crate) enum Emulated {
    /// A release of the tables.
    Release(QemuRelease),
    /// A release that is not in the tables, and the one in its place: the next one there.
    Near(ProgramVersion, QemuRelease),
    /// A program, by its path or its name in `PATH`.
    Program(PathBuf),
}

/// A release, or a program.
pub(crate) fn emulated(text: &str) -> Result<Emulated, String> {
    if text.trim().is_empty() {
        return Err(format!("expected one of {}, or a QEMU program", all_names()));
    }
    if let Some(refused) = machine_type(text) {
        return Err(refused);
    }
    // A path can have a version in it.
    if text.contains('/') {
        return Ok(Emulated::Program(PathBuf::from(text)));
    }
    let version = text.parse::<ProgramVersion>();
    match named(text) {
        // A snapshot is no release of a series, and has tables only if a build was made from it.
        Ok(release) if version.as_ref().is_ok_and(|version| is_other_snapshot(version, release)) => {}
        Ok(release) => return Ok(Emulated::Release(release)),
        Err(_) => {}
    }
    Ok(match version {
        Ok(version) => {
            let release = nearest(version.series());
            Emulated::Near(version, release)
        }
        Err(_) => Emulated::Program(PathBuf::from(text)),
    })
}

/// True for a development snapshot, which counts as the next series, other than the one of these tables.
fn is_other_snapshot(version: &ProgramVersion, release: QemuRelease) -> bool {
    let [major, minor, micro] = version.numbers;
    version.series() != (major, minor) && release.name() != format!("{major}.{minor}.{micro}")
}

/// The oldest release that is not older, as for what a program does not state; else the newest.
fn nearest(series: (u32, u32)) -> QemuRelease {
    let of = |release: &QemuRelease| {
        release.name().parse::<ProgramVersion>().map_or((0, 0), |version| version.series())
    };
    QemuRelease::ALL.into_iter().find(|release| of(release) >= series).unwrap_or(QemuRelease::NEWEST)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{Emulated, emulated, named, nearest};
    use cpuid_tables::QemuRelease;

    #[test]
    fn a_release_a_version_and_a_path() {
        let newest = QemuRelease::NEWEST.name();
        assert!(matches!(emulated(newest).unwrap(), Emulated::Release(QemuRelease::NEWEST)));
        let debian = format!("QEMU emulator version {newest} (Debian 1:{newest}+ds-1)");
        assert!(matches!(emulated(&debian).unwrap(), Emulated::Release(QemuRelease::NEWEST)));
        assert!(matches!(emulated("0.9.0 (some)").unwrap(), Emulated::Near(_, release)
            if release == QemuRelease::ALL[0]));
        assert!(matches!(emulated(&format!("v{newest}")).unwrap(), Emulated::Release(QemuRelease::NEWEST)));
        assert!(matches!(emulated("v99.0.0-rc2").unwrap(), Emulated::Near(_, QemuRelease::NEWEST)));
        assert!(emulated("pc-q35-9.2").unwrap_err().contains("--machine pc-q35-9.2"));
        assert!(emulated(" ").unwrap_err().contains(newest));
        assert!(named("0.9").unwrap_err().contains("the next are those of"), "{:?}", named("0.9"));
        assert!(named("pc-i440fx-9.2").unwrap_err().contains("--machine"));
        assert_eq!(nearest((99, 0)), QemuRelease::NEWEST);
        for program in
            ["/opt/10.0/qemu", "./qemu-9.2.0/build/qemu-system-x86_64", "qemu-system-x86_64", "kvm"]
        {
            assert!(matches!(emulated(program).unwrap(), Emulated::Program(_)), "{program}");
        }
    }
}
