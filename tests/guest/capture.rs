//! `tests/qemu/capture` with invented programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use crate::common;

/// A program that states the release 99.1.2, with these lines of C.
fn compiled(name: &str, code: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("capture").join(name);
    let _ = fs::remove_dir_all(&folder);
    for part in ["hosts", "oracle"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let source = folder.join("program.c");
    let main = "int main(void) { puts(\"QEMU emulator version 99.1.2\"); return 0; }";
    fs::write(&source, format!("#include <stdio.h>\n{code}\n{main}\n")).unwrap();
    let gcc =
        Command::new("gcc").args(["-O2", "-o"]).args([folder.join("qemu-system-x86_64"), source]).output();
    gcc.is_ok_and(|output| output.status.success()).then_some(folder)
}

fn capture(folder: &Path) -> Output {
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/qemu/capture"))
        .args(["--qemu", "99.1", "--hosts"])
        .arg(folder.join("hosts"))
        .env("PATH", path)
        .env("ORACLE_DIR", folder.join("oracle"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

/// The addresses that the recorder replaces.
fn sites(folder: &Path) -> Option<usize> {
    let mut files = fs::read_dir(folder.join("oracle")).unwrap().map(|entry| entry.unwrap().path());
    let list = files.find(|path| path.file_name().unwrap().to_string_lossy().starts_with("cpuid-"))?;
    Some(fs::read_to_string(list).unwrap().lines().count())
}

/// As link-time optimization makes them: no symbol names the copies of a function that its callers have.
#[test]
fn copies_of_the_cpuid_instruction_are_found_without_symbols() {
    const TEST: &str = "copies_of_the_cpuid_instruction_are_found_without_symbols";
    let code = "static inline unsigned host_cpuid(unsigned leaf) {\n\
                  unsigned b, c = 0; __asm__ volatile(\"cpuid\" : \"+a\"(leaf), \"=b\"(b), \"+c\"(c) : : \"edx\"); return b; }\n\
                unsigned one(void) { return host_cpuid(0); }\n\
                unsigned two(void) { return host_cpuid(1) + host_cpuid(7); }";
    let Some(folder) = compiled("copies", code) else { return common::skipped(TEST, "gcc for x86-64") };
    let output = capture(&folder);
    assert_eq!(sites(&folder), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_program_without_the_cpuid_instruction_is_an_error() {
    const TEST: &str = "a_program_without_the_cpuid_instruction_is_an_error";
    let Some(folder) = compiled("none", "") else { return common::skipped(TEST, "gcc for x86-64") };
    let output = capture(&folder);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), sites(&folder)), (Some(1), None), "{error}");
    let [found, expected] = [" has 0 CPUID instructions as objdump -d shows them", "expected 2 to 256"];
    assert!(error.contains(found) && error.contains(expected), "{error}");
    assert!(error.contains("--qemu needs a qemu-system-x86_64"), "{error}");
}
