//! `kvm-cpuid record`, and hosts in one file or several for the commands that take one.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use cpuid_tables::host::{Host, HostFile};
use cpuid_tables::kvm::Device;

use crate::common;
use crate::oracle::hosts::{self, Vendor};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kvm-cpuid")).args(arguments).output().unwrap()
}

/// The output of a command that takes a host; the second text is standard error.
fn guest(host: &str) -> (String, String) {
    let output = run(&["guest", "--cpu", "host,check=off", "--host", host, "--format", "entries"]);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{host}: {}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// A folder of one test: others run at the same time.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("record").join(test);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_host_is_one_file_or_several_or_a_dump() {
    if !common::recent("a_host_is_one_file_or_several_or_a_dump") {
        return;
    }
    let (host, folder) = (hosts::all_ones(Vendor::AMD), folder("a_host_is_one_file_or_several_or_a_dump"));
    hosts::write(&folder, "node", &host).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let one = path("one.json");
    fs::write(&one, serde_json::to_string(&host).unwrap()).unwrap();
    let several = guest(&path("node"));
    assert_eq!(guest(&one), several);
    // As other programs print it again.
    fs::write(&one, serde_json::to_string_pretty(&host).unwrap()).unwrap();
    assert_eq!(guest(&one), several);
    assert!(several.0.lines().count() > 20 && !several.1.contains("error"), "{}", several.1);

    let dump = path("dump.txt");
    fs::write(&dump, host.text(HostFile::Supported).unwrap()).unwrap();
    let (table, warnings) = guest(&dump);
    assert!(table.lines().count() > 20);
    assert!(warnings.contains("dump.txt is a dump") && warnings.contains("kvm-cpuid record"), "{warnings}");
    for command in [&["models", "--host", &dump, "EPYC"][..], &["check", &dump, "--host", &dump]] {
        assert!(run(command).status.code().is_some_and(|code| code < 2), "{command:?}");
    }
    let output = run(&["models", "--host", &path("missing")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("kvm-cpuid record"));
}

#[test]
fn a_directory_is_no_host_s_name() {
    let folder = folder("a_directory_is_no_host_s_name");
    let before = fs::read_dir(&folder).unwrap().count();
    if Device::open().is_err() {
        common::skipped("a_directory_is_no_host_s_name", common::NO_KVM);
        return;
    }
    let output = run(&["record", "-o", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is a directory"), "{output:?}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), before);
}

#[test]
fn this_machine_is_recorded_as_it_is_read() {
    if Device::open().is_err() {
        return common::skipped("this_machine_is_recorded_as_it_is_read", common::NO_KVM);
    }
    let folder = folder("this_machine_is_recorded_as_it_is_read");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    assert_eq!(run(&["record", "-o", &path("here.json")]).status.code(), Some(0));
    assert_eq!(run(&["record", "-o", &path("here")]).status.code(), Some(0));
    let one: Host = serde_json::from_str(&fs::read_to_string(path("here.json")).unwrap()).unwrap();
    assert_eq!(&one, Host::this_machine().unwrap());
    let several = hosts::read(&folder, "here").unwrap();
    assert_eq!((&one.supported, &one.msrs), (&several.supported, &several.msrs));
    assert_eq!((&one.capabilities, &one.instruction), (&several.capabilities, &several.instruction));
    let output = run(&["record"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), fs::read_to_string(path("here.json")).unwrap());
    assert_eq!(run(&["record", "-o", "/no/such/folder/x.json"]).status.code(), Some(2));
}
