//! Inputs that are no dumps: what they look like, and what to do with them, so that a message says more than that they are not
//! recognised.
//!
//! A row is judged by the head of the input alone. The first one that fits counts, so that a strict one comes before a loose one.

use super::lines;
use super::scan::trim;

/// What an input looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Other {
    /// In a few words, after "it looks like".
    pub(super) what: &'static str,
    /// What to do with it, where that is known.
    pub(super) instead: Option<&'static str>,
}

/// How a kind of input is known.
enum Sign {
    /// The first bytes.
    Bytes(&'static [u8]),
    /// These bytes at a place.
    At(usize, &'static [u8]),
    /// A judgement of the head.
    Head(fn(&[u8]) -> bool),
    /// The first line that is not blank begins with one of these.
    First(&'static [&'static [u8]]),
    /// A line of the head begins with one of these.
    Line(&'static [&'static [u8]]),
}

const TABLE: &str = "the processor's table is in `cpuid -r`, or in what `kvm-cpuid show --raw` prints";
const LINE_OF_SOURCE: &str =
    "`kvm-cpuid find LINE` explains a line of it; `cpuid-gen` reads whole trees of Linux and QEMU";
const PACKED: &str = "unpack it, and name a file that is in it";

/// The kinds, the strictest first.
static KINDS: &[(Sign, &str, Option<&str>)] = &[
    (
        Sign::Bytes(b"\x1f\x8b"),
        "a file compressed by gzip",
        Some("`gunzip -c FILE | kvm-cpuid ... -` reads what is in it"),
    ),
    (
        Sign::Bytes(b"\xfd7zXZ"),
        "a file compressed by xz",
        Some("`xz -dc FILE | kvm-cpuid ... -` reads what is in it"),
    ),
    (
        Sign::Bytes(b"\x28\xb5\x2f\xfd"),
        "a file compressed by zstd",
        Some("`zstd -dc FILE | kvm-cpuid ... -` reads what is in it"),
    ),
    (
        Sign::Bytes(b"BZh"),
        "a file compressed by bzip2",
        Some("`bzip2 -dc FILE | kvm-cpuid ... -` reads what is in it"),
    ),
    (Sign::Bytes(b"PK\x03\x04"), "a zip archive", Some(PACKED)),
    (Sign::Bytes(b"7z\xbc\xaf\x27\x1c"), "a 7-zip archive", Some(PACKED)),
    (Sign::At(257, b"ustar"), "a tar archive", Some(PACKED)),
    (
        Sign::Bytes(b"\x7fELF"),
        "an ELF file: a program, a library or a core",
        Some("of a vmcore, print the guest's entries with gdb or crash"),
    ),
    (Sign::Bytes(b"KDUMP"), "a compressed vmcore", Some("print the guest's entries with crash")),
    (Sign::Bytes(b"QFI\xfb"), "a QEMU disk image", None),
    (Sign::Bytes(b"\x89PNG"), "a picture", Some("the text itself is read, not a picture of it")),
    (Sign::Bytes(b"\xff\xd8\xff"), "a picture", Some("the text itself is read, not a picture of it")),
    (Sign::Bytes(b"%PDF"), "a PDF", None),
    (
        Sign::Head(is_utf16),
        "UTF-16 text without a byte order mark",
        Some("`iconv -f UTF-16LE FILE | kvm-cpuid ... -` (or UTF-16BE) reads it"),
    ),
    (Sign::Head(is_binary), "a binary file", None),
    (
        Sign::First(&[b"<!doctype html", b"<html", b"<!DOCTYPE html", b"<HTML", b"<!DOCTYPE HTML"]),
        "HTML",
        Some("save the text of the page, not the page"),
    ),
    (Sign::Head(is_xml), "XML", Some("of XML, libvirt's <cpu>, domains, capabilities and CPU data are read")),
    (
        Sign::First(&[b"diff --git", b"--- a/", b"From "]),
        "a patch or a mail",
        Some("`cpuid-gen verify --linux TREE --since BEFORE` says what a patch does to a tree"),
    ),
    (
        Sign::Line(&[b"linux-release\t", b"qemu-release\t", b"witness-release\t"]),
        "a facts file of cpuid-gen",
        Some("`cpuid-gen verify`, `diff` and `facts` read it"),
    ),
    (Sign::First(&[b"#!"]), "a script", None),
    (Sign::Head(is_rust), "Rust source code", Some(LINE_OF_SOURCE)),
    (Sign::Head(is_c), "C source code", Some(LINE_OF_SOURCE)),
    (Sign::Head(is_python), "Python source code", None),
    (Sign::First(&[b"# dmidecode"]), "dmidecode's output", Some(TABLE)),
    (
        Sign::Line(&[b"CONFIG_"]),
        "a kernel's configuration",
        Some("`kvm-cpuid why NAME` reads the one of the machine on which it runs"),
    ),
    (
        Sign::Line(&[b"config.version", b".encoding"]),
        "a VMware .vmx without masks",
        Some("its guest gets the host's CPUID as far as VMware offers it; in vmware.log are the tables"),
    ),
    (Sign::Head(is_kernel_log), "a kernel's log", Some("`kvm-cpuid find` explains single lines of it")),
    (
        Sign::Head(is_qemu),
        "a QEMU command line without -cpu",
        Some("its guest has QEMU's default model: `kvm-cpuid guest --cpu qemu64`"),
    ),
    (Sign::Head(is_transcript), "what a shell printed, without a table", None),
    (
        Sign::First(&[b"apiVersion:"]),
        "a Kubernetes object without a CPU",
        Some("of a KubeVirt VM its spec is read, and of a node its labels"),
    ),
    (Sign::First(&[b"[package]", b"[workspace]"]), "a Cargo.toml", None),
    (
        Sign::Head(is_json),
        "JSON without a table",
        Some("of JSON, the forms that `kvm-cpuid show --from ?` lists are read"),
    ),
    (
        Sign::Head(is_csv),
        "a table of comma-separated values",
        Some(
            "no form with commas alone is read; a line `LEAF SUBLEAF FLAGS EAX EBX ECX EDX` in hexadecimal is",
        ),
    ),
];

/// What the head of an input looks like.
pub(super) fn looks_like(head: &[u8]) -> Option<Other> {
    let found = KINDS.iter().find(|(sign, ..)| sign.fits(head));
    found.map(|(_, what, instead)| Other { what, instead: *instead })
}

impl Sign {
    fn fits(&self, head: &[u8]) -> bool {
        match self {
            Sign::Bytes(bytes) => head.starts_with(bytes),
            Sign::At(place, bytes) => head.get(*place..).is_some_and(|rest| rest.starts_with(bytes)),
            Sign::Head(fits) => fits(head),
            Sign::First(beginnings) => lines_of(head)
                .next()
                .is_some_and(|line| beginnings.iter().any(|begin| line.starts_with(begin))),
            Sign::Line(beginnings) => {
                lines_of(head).any(|line| beginnings.iter().any(|begin| line.starts_with(begin)))
            }
        }
    }
}

/// The lines that are not blank, without the blanks around them.
fn lines_of(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines::split(head).map(trim).filter(|line| !line.is_empty())
}

/// How many bytes are judged.
fn beginning(head: &[u8]) -> &[u8] {
    &head[..head.len().min(512)]
}

/// Every second byte is zero, and the others are ASCII.
fn is_utf16(head: &[u8]) -> bool {
    let head = beginning(head);
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let fits = |low: usize| {
        let pairs = || head.chunks_exact(2);
        pairs().count() >= 4 && pairs().all(|pair| pair[1 - low] == 0 && is_text(&pair[low]))
    };
    fits(0) || fits(1)
}

/// It has bytes that no text has: zeros and control characters beside those of a terminal.
fn is_binary(head: &[u8]) -> bool {
    let is_text = |byte: u8| byte >= b' ' || byte.is_ascii_whitespace() || matches!(byte, 0x1b | 0x08 | 0x07);
    let head = beginning(head);
    let strange = head.iter().filter(|byte| !is_text(**byte)).count();
    head.contains(&0) || strange > 1 && strange * 20 > head.len()
}

/// The first element, if the head is XML.
fn element(head: &[u8]) -> Option<&[u8]> {
    let tags = head.split(|byte| *byte == b'<').skip(1);
    let mut names = tags.filter(|tag| !tag.starts_with(b"?") && !tag.starts_with(b"!"));
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
    let tag = names.next()?;
    let end = tag.iter().position(|byte| !is_name(byte)).unwrap_or(tag.len());
    tag[..end].first().is_some_and(u8::is_ascii_alphabetic).then(|| &tag[..end])
}

/// XML, but for libvirt's CPU data.
fn is_xml(head: &[u8]) -> bool {
    const OF_LIBVIRT: [&[u8]; 7] = [b"cpudata", b"cpus", b"cpu", b"feature", b"alias", b"cpuid", b"msr"];
    let begins = head.trim_ascii_start().starts_with(b"<");
    let element = element(head);
    // Without an element, the head has a declaration and comments alone.
    begins && element.map_or(head.contains(&b'?'), |name| !OF_LIBVIRT.contains(&name))
}

/// Lines that C has: directives, declarations and comments.
fn is_c(head: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 6] = [b"#include", b"#define", b"#ifndef", b"#ifdef", b"#if ", b"/*"];
    // A brace or bracket, as JSON has, and a line that ends as no JSON does.
    let ends = |line: &[u8]| line.ends_with(b";") || line.ends_with(b"] = {");
    let is_c = |line: &[u8]| BEGINNINGS.iter().any(|begin| line.starts_with(begin)) || ends(line);
    let begins = lines_of(head).next().is_some_and(is_c);
    begins || head.trim_ascii_start().starts_with(b"{") && !is_json(head) && lines_of(head).any(is_c)
}

fn is_rust(head: &[u8]) -> bool {
    const MARKS: [&[u8]; 3] = [b"//!", b"#![", b"#["];
    const ITEMS: [&[u8]; 5] = [b"use ", b"pub ", b"fn ", b"mod ", b"impl "];
    let begins = |line: &[u8], all: &[&[u8]]| all.iter().any(|begin| line.starts_with(begin));
    let is_item = |line: &[u8]| begins(line, &ITEMS) && matches!(line.last(), Some(b';' | b'{' | b'}'));
    lines_of(head).next().is_some_and(|line| begins(line, &MARKS) || is_item(line))
}

fn is_python(head: &[u8]) -> bool {
    let is_python = |line: &[u8]| {
        let words = line.split(|byte| *byte == b' ').count();
        line.starts_with(b"import ") && words == 2
            || line.starts_with(b"from ") && lines::contains(line, b" import ")
            || line.starts_with(b"def ") && line.ends_with(b":")
    };
    lines_of(head).next().is_some_and(is_python)
}

/// A time in brackets before a line's text, as `[    0.000000] Linux version`.
fn is_kernel_log(head: &[u8]) -> bool {
    let is_timed = |line: &[u8]| {
        let time = line.strip_prefix(b"[").and_then(|rest| rest.split(|byte| *byte == b']').next());
        let time = time.map(trim).unwrap_or_default();
        let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        time.contains(&b'.') && time.iter().all(is_number) && line.len() > time.len() + 3
    };
    lines_of(head).next().is_some_and(is_timed)
}

/// A program of QEMU's, or options that QEMU alone has.
fn is_qemu(head: &[u8]) -> bool {
    let is_qemu = |line: &[u8]| {
        [&b"qemu-system-"[..], b"qemu-kvm ", b" -machine ", b" -accel ", b" -enable-kvm"]
            .iter()
            .any(|word| lines::contains(line, word))
    };
    lines_of(head).next().is_some_and(is_qemu)
}

/// A prompt before a command, or what a shell says of one that is missing.
fn is_transcript(head: &[u8]) -> bool {
    lines_of(head).any(|line| is_prompt(line) || line.ends_with(b"command not found"))
}

/// `user@host:~$ cpuid -r`, `[root@host ~]# cpuid -r`, `$ cpuid -r`.
pub(super) fn is_prompt(line: &[u8]) -> bool {
    let signs = [&b"$ "[..], b"# ", b"% "];
    let at_sign = line.iter().position(|byte| *byte == b'@');
    let has_sign = |from: usize| signs.iter().any(|sign| lines::contains(&line[from..], sign));
    line.starts_with(b"$ ") || at_sign.is_some_and(|place| place < 40 && has_sign(place))
}

/// What JSON begins with.
fn is_json(head: &[u8]) -> bool {
    let mut rest = head.iter().filter(|byte| !byte.is_ascii_whitespace());
    match rest.next() {
        Some(b'{') => matches!(rest.next(), None | Some(b'"' | b'}')),
        Some(b'[') => {
            matches!(
                rest.next(),
                None | Some(b'"' | b'{' | b'[' | b']' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
            )
        }
        _ => false,
    }
}

/// Two lines with the same number of commas, and no blanks around them.
fn is_csv(head: &[u8]) -> bool {
    let commas = |line: &[u8]| line.iter().filter(|byte| **byte == b',').count();
    let mut lines = lines_of(head);
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    commas(first) > 0 && commas(first) == commas(second) && !lines::contains(first, b" ")
}

/// True where an input that begins as JSON or XML does is something else.
pub(super) fn is_no_document(head: &[u8]) -> bool {
    match head.trim_ascii_start().first() {
        Some(b'{') => !is_json(head),
        Some(b'<') => is_xml(head),
        _ => false,
    }
}
