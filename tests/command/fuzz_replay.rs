//! The fuzz targets of the runtime crate on a stable compiler: on their corpora and on mutations of them.

#[path = "../../fuzz/src/cpuinfo.rs"]
mod cpuinfo;
#[path = "../../fuzz/src/dump.rs"]
mod dump;
#[path = "../../fuzz/src/guest.rs"]
mod guest;
#[path = "../../fuzz/src/host.rs"]
mod host;
#[path = "../../fuzz/src/replay.rs"]
mod replay;

#[test]
fn cpuinfo() {
    replay::replay("cpuinfo", 1000, cpuinfo::cpuinfo);
}

#[test]
fn dump() {
    replay::replay("dump", 1000, dump::dump);
}

#[test]
fn host() {
    replay::replay("host", 1000, host::host);
}

#[test]
fn guest() {
    replay::replay("guest", 5000, guest::guest);
}
