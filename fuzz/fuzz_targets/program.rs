#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/program.rs"]
mod program;

fuzz_target!(|data: &[u8]| program::program(data));
