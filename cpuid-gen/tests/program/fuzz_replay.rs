//! The fuzz target of QEMU programs on a stable compiler, with its corpus and mutations of it.

#[path = "../../../fuzz/src/program.rs"]
mod program;
#[path = "../../../fuzz/src/replay.rs"]
mod replay;

#[test]
fn program() {
    replay::replay("program", 1000, program::program);
}
