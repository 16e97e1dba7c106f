//! The fuzz targets of the runtime crate on a stable compiler: on their corpora and on mutations of them.
#![allow(missing_docs, reason = "not an interface")]

#[path = "../fuzz/src/cpuinfo.rs"]
mod cpuinfo;
#[cfg(feature = "dump")]
#[path = "../fuzz/src/dump.rs"]
mod dump;
#[cfg(feature = "alloc")]
#[path = "../fuzz/src/guest.rs"]
mod guest;
#[cfg(feature = "alloc")]
#[path = "../fuzz/src/host.rs"]
mod host;
#[path = "../fuzz/src/replay.rs"]
mod replay;
#[path = "../cpuid-gen/tests/common/rng.rs"]
mod rng;

use rng::Rng;

#[test]
fn cpuinfo() {
    replay::replay("cpuinfo", 5000, cpuinfo::cpuinfo);
}

#[cfg(feature = "dump")]
#[test]
fn dump() {
    replay::replay("dump", 20_000, dump::dump);
}

#[cfg(feature = "alloc")]
#[test]
fn host() {
    replay::replay("host", 5000, host::host);
}

#[cfg(feature = "alloc")]
#[test]
fn guest() {
    replay::replay("guest", 20_000, guest::guest);
}
