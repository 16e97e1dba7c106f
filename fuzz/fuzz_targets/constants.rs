#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/targets.rs"]
mod target;

fuzz_target!(|data: &[u8]| target::constants(data));
