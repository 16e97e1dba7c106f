//! What several tests share.
#![allow(dead_code, reason = "each test uses a part")]

use std::env;
use std::io::Write;

/// Set to 1, a test that would be skipped fails instead.
const REQUIRE_ALL: &str = "CPUID_TABLES_REQUIRE_ALL";

/// Says that a test is skipped, past the harness, or fails where all are required.
pub(crate) fn skipped(test: &str, missing: &str) {
    // That the line cannot be written is no failure of what is tested.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {missing}");
    assert!(env::var(REQUIRE_ALL).as_deref() != Ok("1"), "{REQUIRE_ALL}=1, and {test} lacks {missing}");
}

/// Says something past the harness that a reader of the tests' output wants to know.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
