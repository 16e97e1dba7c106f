//! Faulty inputs give a clear error with a place, in bounded time and memory.
//!
//! The tests run in threads with small stacks. Time limits are generous, for a loaded machine.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts;
use cpuid_gen::linux::{Tree, capflags};
use cpuid_gen::source::{MAX_FILE_SIZE, Sources};

use crate::common::text::copy;
use crate::common::{read_linux, read_qemu, scratch, trees, unpacked, write_files};

const LINUX: &str = include_str!("../fixtures/small-linux.txt");
const QEMU: &str = include_str!("../fixtures/small-qemu.txt");
const FEATURES: &str = "arch/x86/include/asm/cpufeatures.h";
const KVM: &str = "arch/x86/kvm/cpuid.c";
const HEADER: &str = "target/i386/cpu.h";
const TABLE: &str = "target/i386/cpu.c";

/// Time limit for one faulty input.
const LIMIT: Duration = Duration::from_secs(60);

fn linux(name: &str) -> PathBuf {
    let folder = scratch(&format!("faults-{name}"));
    write_files(&folder, &unpacked(LINUX));
    folder
}

fn qemu(name: &str) -> PathBuf {
    let folder = scratch(&format!("faults-{name}"));
    write_files(&folder, &unpacked(QEMU));
    folder
}

/// Inserts a text at the start of a file.
fn prepend(root: &Path, path: &str, text: &str) {
    let old = fs::read_to_string(root.join(path)).unwrap();
    fs::write(root.join(path), format!("{text}\n{old}")).unwrap();
}

/// Replaces a text that occurs once in a file.
fn replace(root: &Path, path: &str, from: &str, to: &str) {
    let old = fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(old.matches(from).count(), 1, "{from}");
    fs::write(root.join(path), old.replace(from, to)).unwrap();
}

/// Reads a tree within the time limit; its diagnostics must contain each of the texts.
fn refused(root: &Path, expected: &[&str]) {
    let start = Instant::now();
    let is_linux = root.join("arch").exists();
    let found = if is_linux { read_linux(root).1 } else { read_qemu(root).1 };
    let took = start.elapsed();
    for text in expected {
        let start: String = found.chars().take(1000).collect();
        assert!(found.contains(text), "{text}\nis not in\n{start}");
    }
    assert!(took < LIMIT, "{expected:?} took {took:?}");
}

/// Every file of a tree, faulty in each way.
#[test]
fn unreadable_files_are_reported() {
    let files = unpacked(LINUX);
    for (path, _) in &files {
        let root = linux("files");
        let whole = root.join(path);
        fs::remove_file(&whole).unwrap();
        fs::create_dir(&whole).unwrap();
        refused(&root, &[&format!("{path}: not a regular file")]);

        fs::remove_dir(&whole).unwrap();
        symlink(root.join("nowhere"), &whole).unwrap();
        refused(&root, &[&format!("{path}: No such file or directory")]);
    }
    for (path, _) in unpacked(QEMU) {
        let root = qemu("files");
        let whole = root.join(&path);
        fs::remove_file(&whole).unwrap();
        fs::create_dir(&whole).unwrap();
        refused(&root, &[&format!("{path}: not a regular file")]);
        fs::remove_dir(&whole).unwrap();
        symlink(root.join("nowhere"), &whole).unwrap();
        refused(&root, &[&format!("{path}: No such file or directory")]);
    }
}

/// A link to a header is read like the header.
#[test]
fn linked_headers_are_read() {
    let root = linux("links");
    for path in ["arch/x86/include/asm/processor.h", "arch/x86/kvm/reverse_cpuid.h", FEATURES] {
        let whole = root.join(path);
        let target = root.join(path.replace('/', "_"));
        fs::rename(&whole, &target).unwrap();
        symlink(target, whole).unwrap();
    }
    let (facts, diagnostics) = read_linux(&root);
    assert_eq!(diagnostics, "");
    assert_eq!(facts.unwrap().kvm_features.len(), 2);
}

/// Bytes that are not source text, in every file.
#[test]
fn bytes_that_are_not_text_are_reported() {
    for (archive, is_linux) in [(LINUX, true), (QEMU, false)] {
        for (path, text) in unpacked(archive) {
            let root = if is_linux { linux("bytes") } else { qemu("bytes") };
            let whole = root.join(&path);
            let cases: [(Vec<u8>, &str); 4] = [
                (
                    text.replacen('\n', "\r\n", 1).into(),
                    "a carriage return; convert the file to LF line ends",
                ),
                (format!("\u{feff}{text}").into(), "1:1: error: the file starts with a byte order mark"),
                ([text.as_bytes(), &[0xff]].concat(), "error: the byte 0xff is not UTF-8"),
                (format!("{text}\0").into(), "a NUL byte: this is not source text"),
            ];
            for (bytes, expected) in cases {
                fs::write(&whole, bytes).unwrap();
                refused(&root, &[expected, &format!("{path}:")]);
            }
        }
    }
}

/// The bytes with others inserted at an offset.
fn inserted(text: &str, at: usize, bytes: &[u8]) -> Vec<u8> {
    [&text.as_bytes()[..at], bytes, &text.as_bytes()[at..]].concat()
}

/// A tree of a fixture, and its facts and diagnostics.
fn fixture(archive: &str, name: &str) -> (PathBuf, impl Fn(&Path) -> (String, String)) {
    let is_linux = archive == LINUX;
    let root = if is_linux { linux(name) } else { qemu(name) };
    (root, move |root: &Path| if is_linux { linux_text(root) } else { qemu_text(root) })
}

/// In comments of C, bytes of other encodings are skipped like any text; in all other places they are named.
#[test]
fn bytes_that_are_not_utf8_are_skipped_in_comments_of_c() {
    for archive in [LINUX, QEMU] {
        let (root, read) = fixture(archive, "latin");
        let (whole, diagnostics) = read(&root);
        assert_eq!(diagnostics, "");
        for (path, text) in unpacked(archive) {
            let file = root.join(&path);
            let comments: [&[u8]; 4] = [
                b"/* Caf\xe9 */\n",
                b"// \xe9 \\\n \xff\n",
                b"/* don't \xe9 \n \xe2\x82 */ // \"\xe9\n",
                b"/* \xc3\xa9\xe9 */\n",
            ];
            for comment in comments {
                fs::write(&file, inserted(&text, 0, comment)).unwrap();
                let (facts, diagnostics) = read(&root);
                if path.ends_with(".c") || path.ends_with(".h") {
                    assert_eq!((&*facts, &*diagnostics), (&*whole, ""), "{path}");
                }
            }
            let last = text.lines().count() + 1;
            let code: [(&[u8], String); 4] = [
                (b"\xe9", format!("{path}:{last}:1: error: the byte 0xe9 is not UTF-8")),
                (b"\xe2\x82", format!("{path}:{last}:1: error: the byte 0xe2 is not UTF-8")),
                (b"// \n\"/*\" '\"' \xf0 /* */", format!("{path}:{}:10: error: the byte 0xf0", last + 1)),
                (b"\"\\\" \xfe\"", format!("{path}:{last}:5: error: the byte 0xfe is not UTF-8")),
            ];
            for (code, expected) in code {
                fs::write(&file, inserted(&text, text.len(), code)).unwrap();
                let (_, diagnostics) = read(&root);
                assert!(diagnostics.contains(&expected), "{expected}\n{diagnostics}");
            }
            fs::write(&file, &text).unwrap();
        }
    }
}

/// A byte in a name that is shown cannot be skipped.
#[test]
fn a_flag_with_a_byte_that_is_not_utf8_is_refused() {
    let root = linux("flag-byte");
    let text = fs::read_to_string(root.join(FEATURES)).unwrap();
    let at = text.find("\"lime\"").unwrap() + 2;
    fs::write(root.join(FEATURES), inserted(&text, at, b"\xe9")).unwrap();
    refused(&root, &["which is not a valid name"]);
}

/// Every diagnostic of damaged files can be rendered, with the line and the part of it that is marked.
#[test]
fn damaged_files_are_reported_with_whole_characters() {
    let damages: [&[u8]; 8] =
        [b"\xff", b"\xe2\x82", "\u{feff}".as_bytes(), "\u{20ac}".as_bytes(), b"\0", b"\r\n", b"\x1a", b""];
    for archive in [LINUX, QEMU] {
        let (root, _) = fixture(archive, "damaged");
        for (path, text) in unpacked(archive) {
            for damage in damages {
                for at in [0, text.find('\n').unwrap(), text.len() / 2, text.len()] {
                    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap();
                    let bytes = if damage.is_empty() { Vec::new() } else { inserted(&text, at, damage) };
                    fs::write(root.join(&path), bytes).unwrap();
                    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
                    let _ = cpuid_gen::input::any(&mut sources, &root, &mut diagnostics);
                    marks_are_whole(&sources, &diagnostics);
                }
            }
            fs::write(root.join(&path), &text).unwrap();
        }
    }
}

/// Rendering does not panic, and each place has a line and a marked part.
fn marks_are_whole(sources: &Sources, diagnostics: &Diagnostics) {
    for diagnostic in diagnostics.iter() {
        let labels = diagnostic.labels.iter().map(|label| label.at);
        for span in diagnostic.at.into_iter().chain(labels) {
            let (line, marked) = sources.marked(span);
            assert!(line.get(marked.clone()).is_some(), "{line:?} {marked:?}");
            assert_eq!(sources.line(span), line);
        }
        assert!(!diagnostic.render(sources).is_empty());
    }
}

/// A place that cannot be searched is not the same as an absent file.
#[test]
fn a_folder_that_cannot_be_searched_is_reported() {
    let root = linux("loop");
    fs::remove_dir_all(root.join("tools")).unwrap();
    symlink("tools", root.join("tools")).unwrap();
    refused(&root, &["tools/arch/x86/kcpuid/cpuid.csv: Too many levels of symbolic links"]);
    let root = qemu("loop");
    let _ = fs::remove_dir_all(root.join("linux-headers"));
    let _ = fs::remove_dir_all(root.join("include/standard-headers"));
    symlink("linux-headers", root.join("linux-headers")).unwrap();
    refused(&root, &["linux-headers/asm-x86/kvm_para.h: Too many levels of symbolic links"]);
}

/// A line of 100 MB is refused without reading it.
#[test]
fn a_line_of_100_megabytes() {
    for path in [FEATURES, KVM, "arch/x86/include/asm/processor.h", "Makefile"] {
        let root = linux("large");
        fs::File::options().write(true).open(root.join(path)).unwrap().set_len(100 << 20).unwrap();
        refused(&root, &[&format!("{path}: 104857600 bytes: more than the {MAX_FILE_SIZE} that are read")]);
    }
    let root = qemu("large");
    fs::File::options().write(true).open(root.join(TABLE)).unwrap().set_len(100 << 20).unwrap();
    refused(&root, &["more than the"]);
    let (mut sources, file) = (Sources::new(), root.join("VERSION"));
    fs::File::options().write(true).open(&file).unwrap().set_len(100 << 20).unwrap();
    assert!(sources.read(&file, "").unwrap_err().to_string().contains("more than the"));
}

/// Long lines that could make searches quadratic.
#[test]
fn long_lines_of_openers_are_read_in_time() {
    let most = 400_000;
    let line = |part: &str| part.repeat(most / part.len());
    for part in ["\\\"", "'", "/*\"x\" ", "/* \" ", "(", "# ", "\"\\\\", "/", "\\\n"] {
        let root = linux("openers");
        prepend(&root, FEATURES, &format!("#define X86_FEATURE_LONG 1 {}", line(part)));
        let start = Instant::now();
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        read_linux(&root);
        if let Some(tree) = Tree::open(&mut sources, &root, &mut diagnostics) {
            let _ = capflags::from_tree(&sources, &tree);
        }
        let took = start.elapsed();
        assert!(took < 3 * LIMIT, "{part:?} took {took:?}");
    }
}

/// Files truncated at any place: no panic, and never fewer facts without a diagnostic.
#[test]
fn truncated_files_never_lose_facts_silently() {
    for (archive, is_linux) in [(LINUX, true), (QEMU, false)] {
        let root = if is_linux { linux("truncated") } else { qemu("truncated") };
        let read = || if is_linux { linux_text(&root) } else { qemu_text(&root) };
        let (whole, _) = read();
        for (path, text) in unpacked(archive) {
            for end in (0..text.len()).step_by(37).filter(|end| text.is_char_boundary(*end)) {
                fs::write(root.join(&path), &text[..end]).unwrap();
                let (facts, diagnostics) = read();
                let known: HashSet<&str> = facts.lines().collect();
                let kept = whole.lines().filter(|line| known.contains(line)).count();
                let same = kept == whole.lines().count();
                let rows = [".h", ".csv", "Kconfig.cpufeatures"].iter().any(|name| path.ends_with(name));
                let lost_rows = rows && text[..end].ends_with('\n');
                assert!(
                    same || !diagnostics.is_empty() || lost_rows || is_cut_silently(&path),
                    "{path} cut at {end}"
                );
            }
            fs::write(root.join(&path), &text).unwrap();
        }
    }
}

/// Cuts that leave a valid file with fewer definitions, which cannot be distinguished from a smaller release.
fn is_cut_silently(path: &str) -> bool {
    [
        "Makefile",
        "VERSION",
        "kvm_para.h",
        "cpufeatures.h",
        "vmxfeatures.h",
        "cpu.h",
        "mkcapflags.sh",
        "x86.c",
        "leaf_types.h",
    ]
    .iter()
    .any(|name| path.ends_with(name))
        || path.ends_with("reverse_cpuid.h")
        || path.ends_with("cpufeature.h")
        || path.ends_with("pc_piix.c")
}

fn linux_text(root: &Path) -> (String, String) {
    let (facts, diagnostics) = read_linux(root);
    (facts.map(|facts| facts::write_linux(&facts)).unwrap_or_default(), diagnostics)
}

fn qemu_text(root: &Path) -> (String, String) {
    let (facts, diagnostics) = read_qemu(root);
    (facts.map(|facts| facts::write_qemu(&facts)).unwrap_or_default(), diagnostics)
}

/// Real headers cut about every 1000 bytes: no panic, and always a missing `#endif`.
#[test]
fn truncated_real_headers_miss_an_endif() {
    for tree in trees("truncated_real_headers_miss_an_endif", "linux-7") {
        let root = scratch("faults-real");
        copy(&tree.path, &root);
        let text = fs::read_to_string(root.join(FEATURES)).unwrap();
        for end in (100..text.len()).step_by(2000) {
            fs::write(root.join(FEATURES), &text[..end]).unwrap();
            assert!(
                read_linux(&root).1.contains("error: this conditional is never closed by #endif"),
                "at {end}"
            );
        }
    }
}

#[test]
fn endless_macros_are_refused() {
    let root = linux("macros");
    replace(&root, FEATURES, "( 2*32+ 3)", "X86_FEATURE_QUINCE");
    refused(&root, &["error: unknown name `X86_FEATURE_QUINCE`: neither a macro nor an enumerator"]);

    let root = linux("macros");
    prepend(&root, FEATURES, "#define PING PONG\n#define PONG PING");
    replace(&root, FEATURES, "( 2*32+ 3)", "PING");
    refused(&root, &["error: unknown name `PING`: neither a macro nor an enumerator"]);

    let root = linux("macros");
    let mut text = "#define A0 1".to_owned();
    for number in 1..64 {
        write!(text, "\n#define A{number} A{} + A{0}", number - 1).unwrap();
    }
    prepend(&root, FEATURES, &text);
    replace(&root, FEATURES, "( 2*32+ 3)", "A63");
    refused(&root, &["expands to more than 262144 tokens"]);

    let root = linux("macros");
    let mut text = "#define F0(x) x x".to_owned();
    for number in 1..64 {
        write!(text, "\n#define F{number}(x) F{}(x) F{0}(x)", number - 1).unwrap();
    }
    prepend(&root, FEATURES, &text);
    replace(&root, FEATURES, "( 2*32+ 3)", "F63(1)");
    refused(&root, &["expands to more than 262144 tokens"]);

    // The same with many macros, whose expansions add up.
    let root = linux("macros");
    let mut text = "#define B0 1+1+1+1+1+1+1+1".to_owned();
    for number in 1..16 {
        write!(text, "\n#define B{number} B{} + B{0}", number - 1).unwrap();
    }
    for number in 0..2000 {
        write!(text, "\n#define X86_FEATURE_N{number} B15").unwrap();
    }
    prepend(&root, FEATURES, &text);
    refused(&root, &["the expansions of this tree produce more than 2097152 tokens"]);

    let root = linux("macros");
    let mut text = "#define C0 1".to_owned();
    for number in 1..10_000 {
        write!(text, "\n#define C{number} C{}", number - 1).unwrap();
    }
    prepend(&root, FEATURES, &text);
    replace(&root, FEATURES, "( 2*32+ 3)", "C9999");
    refused(&root, &["macros nest deeper than 200"]);
}

#[test]
fn nesting_10_000_deep_is_refused() {
    let deep = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(10_000), close.repeat(10_000))
    };
    for expression in [
        deep("(", "1", ")"),
        deep("- ", "1", ""),
        deep("!(", "1", ")"),
        deep("(int)", "1", ""),
        deep("1 ? 1 : ", "1", ""),
        deep("1 ? (", "1", ") : 1"),
    ] {
        let root = linux("deep");
        replace(&root, FEATURES, "( 2*32+ 3)", &expression);
        refused(&root, &["expressions nest deeper than 200"]);
    }
    let root = linux("deep");
    prepend(&root, FEATURES, "#define F(x) x");
    replace(&root, FEATURES, "( 2*32+ 3)", &deep("F(", "1", ")"));
    refused(&root, &["macro calls nest deeper than 200"]);

    let root = linux("deep");
    prepend(&root, FEATURES, &deep("#if 1\n", "", "#endif\n"));
    refused(&root, &["conditionals nest deeper than 200"]);

    let root = qemu("deep");
    replace(&root, TABLE, "{ [5] = \"quince\" }", &deep("{", "1", "}"));
    refused(&root, &["braces nest deeper than 200"]);
    let root = qemu("deep");
    replace(&root, TABLE, "\"quince\"", &deep("(", "\"quince\"", ")"));
    let (facts, diagnostics) = read_qemu(&root);
    assert!(
        facts.is_some() && diagnostics.is_empty(),
        "parentheses about a string are no depth: {diagnostics}"
    );
    let root = qemu("deep");
    replace(&root, TABLE, "[5] = ", &deep("[", "5", "] = "));
    refused(&root, &["error: "]);
    let root = linux("deep");
    replace(&root, "arch/x86/kernel/cpu/scattered.c", "{ 0, 0, 0, 0, 0 }", &deep("{", "0", "}"));
    refused(&root, &["braces nest deeper than 200"]);
}

#[test]
fn unclosed_constructs_are_reported() {
    let root = linux("open");
    let whole = root.join(FEATURES);
    let text = fs::read_to_string(&whole).unwrap();
    fs::write(whole, text + "/* open").unwrap();
    refused(&root, &[&format!("{FEATURES}:29:1: error: this comment is never closed")]);
    for (text, expected) in [
        ("#define X86_FEATURE_OPEN \"open", "error: "),
        ("#if 1", "error: this conditional is never closed by #endif"),
        ("#define X86_FEATURE_OPEN (1", "error: expected `)`, found the end of the expression"),
        (
            "#define CALL(x) x\n#define X86_FEATURE_OPEN CALL(1",
            "error: the argument list of `CALL` is not closed",
        ),
    ] {
        let root = linux("open");
        prepend(&root, FEATURES, text);
        refused(&root, &[expected]);
    }
}

/// A million tokens of the simplest kind, and fewer of others, which shows quadratic searches.
fn size(part: &str) -> usize {
    if part == "x " { 1_000_000 } else { 150_000 }
}

/// A million tokens of every kind, in places that are searched for tables.
#[test]
fn a_million_tokens_are_read_in_time() {
    for part in
        ["x ", "( ", "{ ", "0 ", "f_a = ", "f_a = f_a | f_a ; ", "F ( A ) | ", "enum cpuid_leafs { ", "; "]
    {
        let root = linux("million");
        let count = size(part) / part.split_whitespace().count();
        let count = count.min((MAX_FILE_SIZE as usize - 10_000) / part.len());
        replace(&root, KVM, "unsigned int f_pear = 0;", "");
        replace(&root, KVM, "kvm_cpu_cap_set(X86_FEATURE_PLUM);", &part.repeat(count));
        let start = Instant::now();
        read_linux(&root);
        let took = start.elapsed();
        assert!(took < 3 * LIMIT, "{part:?} took {took:?}");
    }
    for part in ["x ", "{ ", "0 , ", "[ 0 ] = ", ". a = ", "\"s\" ", "enum FeatureWord { ", "R_EAX , "] {
        let root = qemu("million");
        let count = size(part) / part.split_whitespace().count();
        let count = count.min((MAX_FILE_SIZE as usize - 10_000) / part.len());
        replace(&root, TABLE, "\"quince\"", &part.repeat(count));
        let start = Instant::now();
        read_qemu(&root);
        let took = start.elapsed();
        assert!(took < 3 * LIMIT, "{part:?} took {took:?}");
    }
    let root = qemu("million");
    let mut text = String::new();
    for number in 0..60_000 {
        writeln!(text, "#define CPUID_N{number} (1 << {})", number % 40).unwrap();
    }
    prepend(&root, HEADER, &text);
    refused(&root, &["cannot shift a 32-bit value by 39"]);
}

/// Local variables that contain others grow exponentially.
#[test]
fn exponential_lists_are_refused() {
    let root = linux("double");
    let mut text = "unsigned f_a0 = F(PEAR);".to_owned();
    for number in 1..64 {
        write!(text, "\nunsigned f_a{number} = f_a{} | f_a{0};", number - 1).unwrap();
    }
    replace(&root, KVM, "kvm_cpu_cap_set(X86_FEATURE_PLUM);", &text);
    refused(&root, &["error: a list of more than 128 features"]);
}

/// A facts file with a hundred thousand faulty rows is not read to its end.
#[test]
fn reading_stops_after_too_many_faulty_rows() {
    let mut sources = Sources::new();
    let text = format!("linux-release\t6.2.1\n{}", "linux-dep\tA\n".repeat(100_000));
    let id = sources.add("facts.tsv", text);
    let mut diagnostics = Diagnostics::new();
    let start = Instant::now();
    assert!(facts::read(&sources, id, &mut diagnostics).is_none());
    let stated = diagnostics.render(&sources);
    assert_eq!(stated.lines().count(), 32_768);
    assert!(stated.ends_with("error: the file has more than 32768 rows\n"));
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
}
