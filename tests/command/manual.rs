//! `kvm-cpuid manual`: a page for each subcommand, and completions that their shells accept.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn every_subcommand_has_a_page_and_completions() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manual");
    let run = |arguments: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_kvm-cpuid")).args(arguments).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    };
    run(&["manual", "-o", folder.to_str().unwrap()]);
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let bash = read("bash-completion/completions/kvm-cpuid.bash");
    let zsh = read("zsh/vendor-completions/_kvm-cpuid");
    let fish = read("fish/vendor_completions.d/kvm-cpuid.fish");
    for command in [
        "show", "convert", "diff", "find", "has", "probe", "why", "check", "guest", "models", "baseline",
        "export", "record",
    ] {
        let page = read(&format!("man/man1/kvm-cpuid-{command}.1"));
        assert!(page.contains(&format!(".TH kvm-cpuid-{command} 1")) && page.contains("Examples:"), "{page}");
        for (shell, completions) in [("bash", &bash), ("zsh", &zsh), ("fish", &fish)] {
            assert!(completions.contains(command), "{shell}: {command}");
        }
    }
    assert!(read("man/man1/kvm-cpuid.1").contains(".SH SUBCOMMANDS"));
    let script = folder.join("bash-completion/completions/kvm-cpuid.bash");
    assert!(Command::new("bash").arg("-n").arg(script).status().unwrap().success());
}

#[test]
fn folder_that_cannot_be_written_is_an_error() {
    let ran =
        Command::new(env!("CARGO_BIN_EXE_kvm-cpuid")).args(["manual", "-o", "/dev/null/x"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("/dev/null/x: "), "{ran:?}");
}
