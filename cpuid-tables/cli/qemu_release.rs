//! The QEMU release argument of commands.

use cpuid_tables::QemuRelease;

/// The name of [`guest::default_release`](cpuid_tables::guest::default_release): its series.
pub(crate) fn default() -> &'static str {
    let name = cpuid_tables::guest::default_release().name();
    let end = name.match_indices('.').nth(1).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

/// A QEMU release by its name.
pub(crate) fn named(name: &str) -> Result<QemuRelease, String> {
    QemuRelease::find(name).ok_or_else(|| {
        let names: Vec<&str> = QemuRelease::ALL.iter().map(|release| release.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}
