//! The model, and the Rust that is emitted from it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deps;
mod fields;
mod models;
mod published;
mod tables;

use std::path::Path;
use std::{env, fs};

/// Compares a text with a golden file, a path under `tests/golden`; with `BLESS` set, rewrites the file.
fn compare_with_golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text == expected, "{} differs, BLESS=1 rewrites it; now:\n{text}", path.display());
}
