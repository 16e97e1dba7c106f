//! Inputs that are no dumps: each message says truthfully what the input looks like.

use cpuid_tables::dump::{self, Options, ReadError};

/// The beginning of an input, and what it looks like.
const INPUTS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b\x08\x00\x11", "a file compressed by gzip"),
    (b"\xfd7zXZ\x00\x00\x04", "a file compressed by xz"),
    (b"PK\x03\x04\x14\x00\x00", "a zip archive"),
    (b"\x7fELF\x02\x01\x01\x00", "an ELF file: a program, a library or a core"),
    (b"\x89PNG\r\n\x1a\n", "a picture"),
    (b"%PDF-1.4\n", "a PDF"),
    (b"\x00\x00\x00\x00\x00\x00", "a binary file"),
    (b"0\x00x\x007\x00 \x000\x00x\x000\x00", "UTF-16 text without a byte order mark"),
    (b"\x000\x00x\x007\x00 \x000\x00x\x000", "UTF-16 text without a byte order mark"),
    (b"<!DOCTYPE html>\n<html><body>avx2</body></html>\n", "HTML"),
    (b"<?xml version='1.0'?>\n<network><name>default</name></network>\n", "XML"),
    (b"<html>\n", "HTML"),
    (b"/* a header */\n#define X86_FEATURE_A (9*32+ 5)\n", "C source code"),
    (b"#ifndef A_H\n#define A_H\n", "C source code"),
    (b"{\n    int a;\n}\n", "C source code"),
    (b"[FEAT_7_0_EBX] = {\n    .feat_names = {\n        \"fsgsbase\",\n", "C source code"),
    (b"//! A module.\nuse std::fs;\n", "Rust source code"),
    (b"pub struct A {\n    pub b: u32,\n}\n", "Rust source code"),
    (b"import sys\nprint(1)\n", "Python source code"),
    (b"#!/bin/sh\nset -e\n", "a script"),
    (b"diff --git a/x b/x\n--- a/x\n+++ b/x\n", "a patch or a mail"),
    (b"# Linux 7.3.4: names\nlinux-release\t7.3.4\n", "a facts file of cpuid-gen"),
    (b"# dmidecode 3.4\nGetting SMBIOS data from sysfs.\n", "dmidecode's output"),
    (b"# a comment\nCONFIG_X86=y\nCONFIG_KVM=m\n", "a kernel's configuration"),
    (b".encoding = \"UTF-8\"\nconfig.version = \"8\"\n", "a VMware .vmx without masks"),
    (b"[    0.000000] Linux version 6.1.0\n", "a kernel's log"),
    (b"qemu-system-x86_64 -M q35 -m 4G -enable-kvm\n", "a QEMU command line without -cpu"),
    (b"user@host:~$ cpuid -1 -r\nbash: cpuid: command not found\n", "what a shell printed, without a table"),
    (b"apiVersion: v1\nkind: Pod\n", "a Kubernetes object without a CPU"),
    (b"[package]\nname = \"x\"\n", "a Cargo.toml"),
    (b"[1,2,3]\n", "JSON without a table"),
    (b"host,model,cores\nn1,Xeon,8\n", "a table of comma-separated values"),
];

#[test]
fn an_error_says_what_an_input_looks_like() {
    for (input, expected) in INPUTS {
        let text = String::from_utf8_lossy(input);
        let error = dump::read(*input, &Options::default()).err();
        let Some(ReadError::Unrecognised { looks_like, .. }) = &error else { panic!("{text}: {error:?}") };
        assert_eq!(*looks_like, Some(*expected), "{text}");
        let message = error.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(message.contains(&format!("it looks like {expected}")), "{message}");
    }
}

#[test]
fn what_looks_like_nothing_is_not_guessed() {
    for text in ["Dear all,\nour CPUs are Xeons.\n", "use the table below\n", "total 4\n", "a b c\n", "1,2\n"]
    {
        let error = dump::read(text.as_bytes(), &Options::default()).err();
        let Some(ReadError::Unrecognised { looks_like, .. }) = &error else { panic!("{text}: {error:?}") };
        assert_eq!(*looks_like, None, "{text}");
    }
}

#[test]
fn json_and_xml_that_are_not_read_keep_their_names() {
    for (text, expected) in [
        ("{\"name\": \"x\"}\n", "is not a table in JSON: missing field"),
        ("{\n", "is not a table in JSON: the JSON document"),
        ("<cpudata arch='x86'>\n<cpuid eax_in='x'/>\n</cpudata>\n", "is not libvirt"),
    ] {
        let message = dump::read(text.as_bytes(), &Options::default()).unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
}
