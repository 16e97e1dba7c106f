//! The README's examples match the command's output.

use std::path::Path;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::source::Sources;
use cpuid_gen::verify::{Differences, Scope, verify};
use cpuid_gen::{DIFFERENCES, PROCESSORS, input};

use crate::common;

#[test]
fn readme_report_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let command = "$ cargo run --package cpuid-gen --no-default-features --features command -- \
                   verify --linux upstream/linux-7.3.tsv --qemu upstream/qemu-10.2.tsv\n";
    let shown = readme.split_once(command).unwrap().1.split_once("  ...").unwrap().0;
    assert!(shown.lines().count() > 5, "{shown}");

    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let linux = root.join("upstream/linux-7.3.tsv");
    let qemu = root.join("upstream/qemu-10.2.tsv");
    let (linux, qemu) = input::pinned_or(&mut sources, Some(&linux), Some(&qemu), &mut diagnostics);
    let differences = sources.add("differences.tsv", DIFFERENCES);
    let mut differences = Differences::read(&sources, differences, &mut diagnostics).unwrap();
    let processors = sources.add("processors.tsv", PROCESSORS);
    differences.read_processors(&sources, processors, &mut diagnostics);
    let report = verify(&linux, &qemu, &differences, Scope::Given).render(&sources);
    assert!(report.starts_with(shown), "the README shows\n{shown}\nbut the report is\n{report}");
}

/// The commands in the README, each with its output up to the dots, run by a shell.
#[cfg(feature = "cli")]
#[test]
fn readme_commands_print_the_shown_output() {
    if !common::pinned("readme_commands_print_the_shown_output") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let kvm_cpuid = env!("CARGO_BIN_EXE_kvm-cpuid");
    let mut shown = 0;
    for example in readme.split("\n$ ").skip(1) {
        let Some((command, output)) = example.split_once('\n') else { continue };
        let Some((input, arguments)) = command.split_once("cargo kvm-cpuid") else { continue };
        let (output, _) = output.split_once("  ...").unwrap();
        let line = format!("{input}'{kvm_cpuid}'{arguments}");
        let ran = std::process::Command::new("sh").args(["-c", &line]).current_dir(root).output().unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        assert!(
            output.lines().count() > 2 && printed.starts_with(output),
            "`{line}` printed\n{printed}not\n{output}"
        );
        shown += 1;
    }
    assert_eq!(shown, 2);
}
