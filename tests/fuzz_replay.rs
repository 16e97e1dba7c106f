//! The fuzz target of the `/proc/cpuinfo` reader on a stable compiler: on its corpus and on mutations of it.
#![allow(missing_docs, reason = "not an interface")]

#[path = "../fuzz/src/cpuinfo.rs"]
mod cpuinfo;
#[path = "../fuzz/src/replay.rs"]
mod replay;
#[path = "../cpuid-gen/tests/common/rng.rs"]
mod rng;

use rng::Rng;

#[test]
fn cpuinfo() {
    replay::replay("cpuinfo", 5000, cpuinfo::cpuinfo);
}
