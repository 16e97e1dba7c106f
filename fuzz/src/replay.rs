//! Replays a corpus and mutations of it through a target, for `cargo test --workspace --all-features`. A crate that includes
//! this file has `Rng` and `cases` at its root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use crate::Rng;

/// The corpora, as seen from either package.
const CORPUS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus"),
];

/// Pieces that have a meaning for some target.
const PIECES: [&str; 32] = [
    "\t",
    "\n",
    "\\\n",
    "\"",
    "'",
    "/*",
    "*/",
    "//",
    "#",
    "##",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "...",
    ",",
    "0x",
    "-",
    "99999999999",
    "=== ",
    "#if ",
    "#endif\n",
    "#define ",
    "X86_FEATURE_",
    "CPUID_",
    "é",
    "\u{0}",
    "=",
    "|",
    "?",
];

/// Bytes that are not UTF-8: Latin-1, a character cut off, and what never occurs.
const BYTES: [[u8; 2]; 3] = [[0xe9, b' '], [0xe2, 0x82], [0xff, 0xfe]];

/// Runs a target on every file of its corpus, and on this many mutations of them, or more if the test run asks for more.
pub(crate) fn replay(name: &str, mutations: usize, target: impl Fn(&[u8])) {
    let folder = CORPUS.map(Path::new).into_iter().find(|path| path.is_dir()).unwrap().join(name);
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(!seeds.is_empty(), "{}", folder.display());
    seeds.iter().for_each(|seed| target(seed));
    let mut rng = Rng(4);
    for number in 0..crate::cases(mutations) {
        let mut data = rng.pick(&seeds).clone();
        for _ in 0..1 + rng.below(4) {
            mutate(&mut data, &seeds, &mut rng);
        }
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&data)));
        assert!(run.is_ok(), "{name}, mutation {number}: {:?}", String::from_utf8_lossy(&data));
    }
}

/// Changes a byte, drops, duplicates or replaces a range by another seed's, or inserts a piece.
fn mutate(data: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.below(data.len() + 1);
    let end = (at + rng.below(24)).min(data.len());
    match rng.below(6) {
        0 if at < data.len() => data[at] = data[at].wrapping_add(1 + u8::try_from(rng.below(255)).unwrap()),
        1 => drop(data.drain(at..end)),
        2 => {
            let piece = data[at..end].to_vec();
            data.splice(at..at, piece);
        }
        3 => {
            let other = rng.pick(seeds).clone();
            let from = rng.below(other.len());
            let to = (from + rng.below(64)).min(other.len());
            data.splice(at..end, other[from..to].iter().copied());
        }
        4 => data.truncate(at.max(data.len() / 2)),
        5 if rng.below(8) == 0 => drop(data.splice(at..at, *rng.pick(&BYTES))),
        _ => drop(data.splice(at..at, rng.pick(&PIECES).bytes())),
    }
}
