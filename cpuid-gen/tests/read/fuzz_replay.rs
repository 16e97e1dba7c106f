//! The fuzz targets on a stable compiler: each with its corpus and a few thousand deterministic mutations. The long
//! search is `cargo +nightly fuzz run TARGET` in `fuzz/`.

#[path = "../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../../fuzz/src/targets.rs"]
mod targets;

use replay::replay;

#[test]
fn lexer() {
    replay("lexer", 5000, targets::lexer);
}

#[test]
fn expression() {
    replay("expression", 5000, targets::expression);
}

#[test]
fn linux_tree() {
    replay("linux_tree", 600, targets::linux_tree);
}

#[test]
fn qemu_tree() {
    replay("qemu_tree", 600, targets::qemu_tree);
}

#[test]
fn witness() {
    replay("witness", 3000, targets::witness);
}

#[test]
fn facts() {
    replay("facts", 3000, targets::facts);
}

#[test]
fn constants() {
    replay("constants", 3000, targets::constants);
}

#[test]
fn differences() {
    replay("differences", 3000, targets::differences);
}

#[test]
fn commands() {
    replay("commands", 150, targets::commands);
}
