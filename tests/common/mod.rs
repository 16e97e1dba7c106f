//! What several tests share.
#![allow(dead_code, reason = "each test uses a part")]

use std::env;
use std::io::Write;

use cpuid_tables::{LinuxRelease, QemuRelease};

/// Set to 1, a test that would be skipped fails instead.
const REQUIRE_ALL: &str = "CPUID_TABLES_REQUIRE_ALL";

/// Says that a test is skipped, past the harness, or fails where all are required.
pub(crate) fn skipped(test: &str, missing: &str) {
    // That the line cannot be written is no failure of what is tested.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {missing}");
    assert!(env::var(REQUIRE_ALL).as_deref() != Ok("1"), "{REQUIRE_ALL}=1, and {test} lacks {missing}");
}

/// Why a test that needs a KVM is skipped.
pub(crate) const NO_KVM: &str = "there is no /dev/kvm that can be opened";

/// Says that a test is skipped for a reason of this machine: its KVM, its processor, or how a program runs there. Nothing
/// that could be installed would help, so this never fails.
pub(crate) fn refused(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: this machine refuses: {why}");
}

/// The tables of a release of QEMU, where this build has them; says that the test is skipped where it has not.
pub(crate) fn qemu(test: &str, name: &str) -> Option<QemuRelease> {
    let release = QemuRelease::find(name);
    if release.is_none() {
        skipped(test, &format!("tables of QEMU {name}: this build has {}", names()));
    }
    release
}

/// True when the tables of this build are those of the pinned releases, whose details a test knows by heart; says that
/// the test is skipped where they are not.
pub(crate) fn pinned(test: &str) -> bool {
    let linux = ["6.1", "6.12", "7.3"].iter().all(|name| LinuxRelease::find(name).is_some());
    let qemu = ["7.2", "10.0", "10.2"].iter().all(|name| QemuRelease::find(name).is_some());
    if !(linux && qemu) {
        skipped(test, &format!("the tables of the pinned releases: this build has {}", names()));
    }
    linux && qemu
}

/// The releases of this build's tables.
fn names() -> String {
    let linux: Vec<&str> = LinuxRelease::ALL.iter().map(|release| release.name()).collect();
    let qemu: Vec<&str> = QemuRelease::ALL.iter().map(|release| release.name()).collect();
    format!("Linux {}, QEMU {}", linux.join(", "), qemu.join(", "))
}

/// Says something past the harness that a reader of the tests' output wants to know.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
