//! Helpers shared by several tests.
#![allow(dead_code, reason = "each test uses a part")]

use std::env;
use std::io::Write;

use cpuid_tables::{LinuxRelease, QemuRelease};

/// If set to 1, a test that would be skipped fails instead.
const REQUIRE_ALL: &str = "CPUID_TABLES_REQUIRE_ALL";

/// Reports a skipped test, past the harness, or fails if all tests are required.
pub(crate) fn skipped(test: &str, missing: &str) {
    // A line that cannot be written is not a failure of the test.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {missing}");
    assert!(env::var(REQUIRE_ALL).as_deref() != Ok("1"), "{REQUIRE_ALL}=1, and {test} lacks {missing}");
}

/// Why a test that needs KVM is skipped.
pub(crate) const NO_KVM: &str = "there is no /dev/kvm that can be opened";

/// Reports a test skipped because of this machine: its KVM, its processor, or how a program runs there. Nothing that
/// could be installed would help, so this never fails.
pub(crate) fn refused(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: this machine refuses: {why}");
}

/// The tables of a QEMU release, if this build has them; otherwise reports the test as skipped.
pub(crate) fn qemu(test: &str, name: &str) -> Option<QemuRelease> {
    let release = QemuRelease::find(name);
    if release.is_none() {
        skipped(test, &format!("tables of QEMU {name}: this build has {}", names()));
    }
    release
}

/// True if this build has the tables of the pinned releases, whose details the test expects; otherwise reports the
/// test as skipped.
pub(crate) fn pinned(test: &str) -> bool {
    let linux = ["6.1", "6.12", "7.3"].iter().all(|name| LinuxRelease::find(name).is_some());
    let qemu = ["7.2", "10.0", "10.2", "11.0", "11.1"].iter().all(|name| QemuRelease::find(name).is_some());
    if !(linux && qemu) {
        skipped(test, &format!("the tables of the pinned releases: this build has {}", names()));
    }
    linux && qemu
}

/// True if this build has releases as new as the oldest pinned ones, on which the test relies; otherwise reports the test
/// as skipped.
pub(crate) fn recent(test: &str) -> bool {
    let is_since = |name: &str, since: (u32, u32)| {
        let mut numbers = name.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= since
    };
    let linux = LinuxRelease::ALL.iter().any(|release| is_since(release.name(), (6, 1)));
    let qemu = QemuRelease::ALL.iter().any(|release| is_since(release.name(), (7, 2)));
    if !(linux && qemu) {
        skipped(test, &format!("tables of Linux 6.1 and QEMU 7.2 or later: this build has {}", names()));
    }
    linux && qemu
}

/// The facts of a pinned release, such as `linux-7.3`.
pub(crate) fn facts(name: &str) -> &'static str {
    let found = cpuid_gen::pinned().iter().find(|(file, _)| file.strip_suffix(".tsv") == Some(name));
    found.map_or_else(|| panic!("{name} is not pinned"), |(_, text)| text)
}

/// The releases of this build's tables.
fn names() -> String {
    let linux: Vec<&str> = LinuxRelease::ALL.iter().map(|release| release.name()).collect();
    let qemu: Vec<&str> = QemuRelease::ALL.iter().map(|release| release.name()).collect();
    format!("Linux {}, QEMU {}", linux.join(", "), qemu.join(", "))
}

/// Prints a line past the harness, for readers of the tests' output.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
