//! The fuzz targets, one function each. cargo-fuzz's programs and the replay in `cargo test --workspace --all-features` share
//! them.
//!
//! None may panic on any input, and each checks what must hold whatever the input is.
#![allow(dead_code, reason = "each program calls one of them")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use cpuid_gen::c::expr::{Environment, evaluate, evaluate_condition};
use cpuid_gen::c::lexer::lex;
use cpuid_gen::c::macros::Macros;
use cpuid_gen::c::preprocess::Preprocessor;
use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts, WitnessFacts};
use cpuid_gen::input;
use cpuid_gen::linux::{Tree, capflags};
use cpuid_gen::model::Model;
use cpuid_gen::model::cpu_models::resolve;
use cpuid_gen::published::{self, Published, PublishedBit, PublishedConstant};
use cpuid_gen::source::{FileId, Sources};
use cpuid_gen::verify::{Differences, Scope, verify};

/// Tokens and comments are in the text, in order, with only blanks between them.
pub(crate) fn lexer(data: &[u8]) {
    let mut sources = Sources::new();
    let Some(id) = file(&mut sources, "input.c", data) else { return };
    let text = sources[id].text.clone();
    let mut lexed = lex(&sources, id);
    let tokens: Vec<_> = lexed.by_ref().collect();
    let unclosed = lexed.unclosed.iter();
    let mut spans: Vec<_> = tokens.iter().map(|token| token.span).collect();
    spans.extend(lexed.comments.iter().chain(unclosed));
    spans.sort();
    let mut last = 0;
    for span in spans {
        assert!(last <= span.start && span.start < span.end);
        let between = text.get(last as usize..span.start as usize).unwrap_or("x");
        let between = between.replace("\\\n", "");
        assert!(between.chars().all(|c| " \t\n\u{b}\u{c}".contains(c)), "lost: {between:?}");
        let _ = sources.place(span);
        last = span.end;
    }
    let mut diagnostics = Diagnostics::new();
    let prelude = Preprocessor::add_prelude(&mut sources);
    let mut preprocessor = Preprocessor::new(&sources, prelude, &mut diagnostics);
    preprocessor.read(id, &mut diagnostics);
    look_at(&sources, &mut diagnostics);
}

/// The id of a file with these bytes; `None`, after a look at the error, if they are not text.
fn file(sources: &mut Sources, name: &str, data: &[u8]) -> Option<FileId> {
    let mut diagnostics = Diagnostics::new();
    let id = diagnostics.take(sources.add_bytes(name, data.to_vec()));
    look_at(sources, &mut diagnostics);
    id
}

/// Renders all diagnostics, with their lines and what is marked in them.
fn look_at(sources: &Sources, diagnostics: &mut Diagnostics) {
    diagnostics.sort();
    assert_eq!(diagnostics.render(sources).is_empty(), diagnostics.is_empty());
    for diagnostic in diagnostics.iter() {
        let labels = diagnostic.labels.iter().map(|label| label.at);
        for span in diagnostic.at.into_iter().chain(labels) {
            let (line, marked) = sources.marked(span);
            assert!(line.get(marked).is_some() && !line.contains('\n'), "{line:?}");
        }
    }
    for left in &diagnostics.left_out {
        let _ = (sources.text(left.condition), sources.text(left.region), sources.place(left.region));
    }
}

/// The first line is an expression, further ones are directives before it. An expression with a value has the same
/// value in parentheses, and fits its type.
pub(crate) fn expression(data: &[u8]) {
    let mut sources = Sources::new();
    let Some(whole) = file(&mut sources, "whole.c", data) else { return };
    let text = sources[whole].text.clone();
    let (expression, directives) = text.split_once('\n').unwrap_or((&text, ""));
    let ids = [
        sources.add("macros.h", directives),
        sources.add("plain.c", expression),
        sources.add("again.c", format!("({expression}\n)")),
    ];
    let mut diagnostics = Diagnostics::new();
    let mut preprocessor = Preprocessor::new(&sources, ids[0], &mut diagnostics);
    preprocessor.read(ids[0], &mut diagnostics);
    let macros: &Macros<'_> = &preprocessor.macros;
    let names = HashMap::new();
    let environment = Environment::new(macros, macros.now(), &names);
    let [plain, again] = [ids[1], ids[2]].map(|id| {
        let tokens: Vec<_> = lex(&sources, id).collect();
        let _ = evaluate_condition(
            &tokens,
            sources.span(id, 0, 0),
            &Environment::condition(macros, macros.now()),
        );
        evaluate(&tokens, sources.span(id, 0, 0), &environment)
    });
    match (plain, again) {
        (Ok(plain), Ok(again)) => {
            assert_eq!((plain.number(), plain.of), (again.number(), again.of));
            let (min, max) = if plain.of.signed {
                (-(1i128 << (plain.of.bits - 1)), (1i128 << (plain.of.bits - 1)) - 1)
            } else {
                (0, (1i128 << plain.of.bits) - 1)
            };
            assert!((min..=max).contains(&plain.number()));
        }
        (Ok(_), Err(error)) => assert!(
            error.message.contains("deeper")
                || error.message.contains("many")
                || expression.contains("/*")
                || expression.contains("//")
                || expression.ends_with('\\')
        ),
        (Err(error), _) => assert!(!error.render(&sources).is_empty()),
    }
}

/// The files of a tree are separated by lines `=== path`; only known paths are written, and in the inputs of commands
/// any path below a folder of one letter.
fn tree(data: &[u8], paths: &[&str], name: &str) -> PathBuf {
    // In memory if possible: writing and removing a tree costs more than reading it.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let root = folder.join(format!("cpuid-fuzz-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    let mut current: Option<String> = None;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let is_known = |path: &&str| {
        paths.contains(path)
            || path
                .split_at_checked(2)
                .is_some_and(|(tree, rest)| TREES.contains(&tree) && paths.contains(&rest))
    };
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let start = line.strip_prefix(b"=== ").map(|path| path.trim_ascii());
        if let Some(path) = start {
            let path = std::str::from_utf8(path).ok().filter(is_known);
            current = path.map(str::to_owned);
            files.extend(path.map(|path| (path.to_owned(), Vec::new())));
        } else if let (Some(_), Some((_, text))) = (&current, files.last_mut()) {
            text.extend_from_slice(line);
        }
    }
    for (path, text) in files {
        let path = root.join(path);
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .unwrap_or_else(|error| panic!("{error}"));
    }
    root
}

/// The folders of the trees among the inputs of commands.
const TREES: [&str; 4] = ["a/", "b/", "c/", "d/"];

const LINUX_PATHS: [&str; 31] = [
    "Makefile",
    "arch/x86/include/asm/cpufeatures.h",
    "arch/x86/include/asm/vmxfeatures.h",
    "arch/x86/include/asm/cpufeature.h",
    "arch/x86/include/asm/processor.h",
    "arch/x86/kvm/cpuid.h",
    "arch/x86/kvm/reverse_cpuid.h",
    "arch/x86/kvm/cpuid.c",
    "arch/x86/kernel/cpu/scattered.c",
    "arch/x86/kernel/cpu/cpuid-deps.c",
    "arch/x86/kernel/cpu/mkcapflags.sh",
    "arch/x86/include/asm/kvm_host.h",
    "arch/x86/include/asm/cpuid/types.h",
    "arch/x86/include/uapi/asm/msr-index.h",
    "arch/x86/include/uapi/asm/kvm_para.h",
    "arch/x86/include/asm/msr-index.h",
    "arch/x86/include/asm/required-features.h",
    "arch/x86/include/asm/disabled-features.h",
    "arch/x86/Kconfig.cpufeatures",
    "tools/arch/x86/kcpuid/cpuid.csv",
    "arch/x86/include/asm/cpuid/leaf_types.h",
    "arch/x86/kvm/vmx.c",
    "arch/x86/kvm/vmx/capabilities.h",
    "arch/x86/kvm/vmx/sgx.c",
    "arch/x86/kvm/vmx/vmx.c",
    "arch/x86/kvm/svm.c",
    "arch/x86/kvm/svm/svm.h",
    "arch/x86/kvm/svm/sev.c",
    "arch/x86/kvm/svm/svm.c",
    "arch/x86/kvm/pmu.c",
    "arch/x86/kvm/x86.c",
];

/// A Linux tree: facts read without an error survive their text form and give the same name map.
pub(crate) fn linux_tree(data: &[u8]) {
    let root = tree(data, &LINUX_PATHS, "linux");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = cpuid_gen::linux::read_tree(&mut sources, &root, &mut diagnostics);
    if let Some(tree) = Tree::open(&mut sources, &root, &mut Diagnostics::new()) {
        let _ = capflags::from_tree(&sources, &tree);
    }
    look_at(&sources, &mut diagnostics);
    if let (Some(facts), false) = (facts, diagnostics.has_errors()) {
        let text = facts::write_linux(&facts);
        let Some(Facts::Linux(again)) = read_again(&text) else { panic!("other facts: {text}") };
        assert_eq!(facts::write_linux(&again), text);
        assert_eq!(capflags::from_facts(&again), capflags::from_facts(&facts));
    }
    let _ = fs::remove_dir_all(root);
}

const QEMU_PATHS: [&str; 31] = [
    "VERSION",
    "include/qemu/hw-version.h",
    "include/qemu/units.h",
    "include/hw/boards.h",
    "include/hw/i386/microvm.h",
    "include/hw/i386/pc.h",
    "include/hw/i386/x86.h",
    "hw/core/machine.c",
    "hw/i386/isapc.c",
    "hw/i386/microvm.c",
    "hw/i386/pc.c",
    "hw/i386/pc_piix.c",
    "hw/i386/pc_q35.c",
    "hw/i386/x86.c",
    "target/i386/cpu-qom.h",
    "include/hw/compat.h",
    "include/qemu/osdep.h",
    "target/i386/hyperv-proto.h",
    "target/i386/kvm.c",
    "target-i386/cpu-qom.h",
    "target/i386/kvm/hyperv-proto.h",
    "target/i386/kvm/kvm.c",
    "target/i386/kvm/kvm-cpu.c",
    "target/i386/tcg/tcg-cpu.c",
    "include/standard-headers/asm-x86/kvm_para.h",
    "target/i386/cpu.h",
    "target/i386/cpu-internal.h",
    "target/i386/cpu.c",
    "linux-headers/asm-x86/kvm_para.h",
    "target-i386/cpu.h",
    "target-i386/cpu.c",
];

/// A QEMU tree: facts read without an error survive their text form.
pub(crate) fn qemu_tree(data: &[u8]) {
    let root = tree(data, &QEMU_PATHS, "qemu");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = cpuid_gen::qemu::read_tree(&mut sources, &root, &mut diagnostics);
    look_at(&sources, &mut diagnostics);
    if let (Some(facts), false) = (facts, diagnostics.has_errors()) {
        let text = facts::write_qemu(&facts);
        let Some(Facts::Qemu(again)) = read_again(&text) else { panic!("other facts: {text}") };
        assert_eq!(facts::write_qemu(&again), text);
    }
    let _ = fs::remove_dir_all(root);
}

const WITNESS_PATHS: [&str; 14] = [
    "xen/Makefile",
    "xen/include/public/arch-x86/cpufeatureset.h",
    "xen/tools/gen-cpuid.py",
    "xen/arch/x86/include/asm/hvm/vmx/vmcs.h",
    "meson.build",
    "src/cpu_map/x86_features.xml",
    "src/cpu_map/x86_Orchard.xml",
    "sys/sys/param.h",
    "sys/x86/include/specialreg.h",
    "cmake/Modules/LLVMVersion.cmake",
    "clang/lib/Headers/cpuid.h",
    "gcc/BASE-VER",
    "gcc/config/i386/cpuid.h",
    "lib/clang/9/include/cpuid.h",
];

/// A witness's tree, or its facts: facts read without an error survive their text form, and can be checked.
pub(crate) fn witness(data: &[u8]) {
    let root = tree(data, &WITNESS_PATHS, "witness");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = cpuid_gen::witness::read_tree(&mut sources, &root, &mut diagnostics);
    look_at(&sources, &mut diagnostics);
    let _ = fs::remove_dir_all(root);
    if let (Some(facts), false) = (facts, diagnostics.has_errors()) {
        let text = facts::write_witness(&facts);
        assert_eq!(witness_again(&text).map(|facts| facts::write_witness(&facts)), Some(text));
    }
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let Some(id) = file(&mut sources, "input.tsv", data) else { return };
    let facts = facts::read_witness(&sources, id, &mut diagnostics);
    look_at(&sources, &mut diagnostics);
    assert_eq!(facts.is_none(), diagnostics.has_errors());
    let Some(facts) = facts else { return };
    let text = facts::write_witness(&facts);
    let again = witness_again(&text).unwrap_or_else(|| panic!("not read again: {text}"));
    assert_eq!(facts::write_witness(&again), text);
    let mut differences = Differences::default();
    differences.add_witnesses(vec![facts, again]);
    let _ = verify(&[], &[], &differences, Scope::Given).render(&sources);
}

fn witness_again(text: &str) -> Option<WitnessFacts> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let id = sources.add("again.tsv", text);
    let facts = facts::read_witness(&sources, id, &mut diagnostics);
    look_at(&sources, &mut diagnostics);
    facts
}

/// Facts are written as they were read, apart from comments and empty lines. They can be checked, merged and compared
/// with themselves, without differences.
pub(crate) fn facts(data: &[u8]) {
    let mut sources = Sources::new();
    let Some(id) = file(&mut sources, "input.tsv", data) else { return };
    let text = sources[id].text.clone();
    if let Some(facts) = read_again(&text) {
        let none = Differences::default();
        let written = match facts {
            Facts::Linux(facts) => {
                let (changes, _) = cpuid_gen::diff::linux(&facts, &facts, &[]);
                assert!(changes.is_empty(), "{text}");
                let _ = verify(std::slice::from_ref(&facts), &[], &none, Scope::Given);
                facts::write_linux(&facts)
            }
            Facts::Qemu(facts) => {
                let (changes, _) = cpuid_gen::diff::qemu(&facts, &facts, &[]);
                assert!(changes.is_empty(), "{text}");
                let _ = verify(&[], std::slice::from_ref(&facts), &none, Scope::Given);
                facts::write_qemu(&facts)
            }
        };
        let Some(again) = read_again(&written) else { panic!("not read again: {written}") };
        let again = match again {
            Facts::Linux(facts) => facts::write_linux(&facts),
            Facts::Qemu(facts) => facts::write_qemu(&facts),
        };
        assert_eq!(again, written);
    }
}

fn read_again(text: &str) -> Option<Facts> {
    let mut sources = Sources::new();
    let id = sources.add("input.tsv", text);
    let mut diagnostics = Diagnostics::new();
    let facts = facts::read(&sources, id, &mut diagnostics);
    look_at(&sources, &mut diagnostics);
    assert_eq!(facts.is_none(), diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    facts
}

/// A list is written as it was read; a model that keeps it has every constant, with its bit.
pub(crate) fn constants(data: &[u8]) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let Some(id) = file(&mut sources, "constants.tsv", data) else { return };
    let list = Published::read(&sources, id, &mut diagnostics);
    look_at(&sources, &mut diagnostics);
    assert_eq!(list.is_none(), diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    let Some(list) = list else { return };
    let again = sources.add("again.tsv", published::write(&list));
    assert_eq!(Published::read(&sources, again, &mut diagnostics).as_ref(), Some(&list));
    let (model, _) = Model::merge_published(&[], &[], &list);
    let kept = model.published().constants;
    let name = |constant: &PublishedConstant| (constant.bit.module(), constant.name.clone());
    let names: HashMap<_, _> = kept.iter().map(|constant| (name(constant), &constant.bit)).collect();
    for constant in &list.constants {
        // Names that are not identifiers are converted; overlapping fields are not checked.
        let plain = constant.name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit());
        if plain && matches!(constant.bit, PublishedBit::Feature(_) | PublishedBit::Msr(..)) {
            assert_eq!(names.get(&name(constant)), Some(&&constant.bit), "{}", constant.name);
        }
    }
}

/// Judged differences: either every row is valid, or none is returned.
pub(crate) fn differences(data: &[u8]) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let Some(id) = file(&mut sources, "differences.tsv", data) else { return };
    let differences = Differences::read(&sources, id, &mut diagnostics);
    look_at(&sources, &mut diagnostics);
    assert_eq!(differences.is_none(), diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    let mut found = Diagnostics::new();
    Differences::default().read_processors(&sources, id, &mut found);
    look_at(&sources, &mut found);
}

/// The facts files and lists among the inputs of commands.
const FILES: [&str; 6] =
    ["linux-1.tsv", "linux-2.tsv", "qemu-1.tsv", "qemu-2.tsv", "differences.tsv", "constants.tsv"];

/// What every command reads, in one archive: trees in the folders `a` to `d`, and a folder of facts with its lists.
/// All trees are read into one set of sources, compared, checked and merged.
pub(crate) fn commands(data: &[u8]) {
    let paths: Vec<&str> = LINUX_PATHS.into_iter().chain(QEMU_PATHS).chain(FILES).collect();
    let root = tree(data, &paths, "commands");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (mut linux, mut qemu) = input::folder(&mut sources, &root, &mut diagnostics);
    for name in TREES {
        match input::any(&mut sources, &root.join(name), &mut diagnostics) {
            Some(Facts::Linux(facts)) => linux.push(facts),
            Some(Facts::Qemu(facts)) => qemu.push(facts),
            None => {}
        }
    }
    let published = diagnostics.take(sources.read(&root, "constants.tsv"));
    let published = published.and_then(|id| Published::read(&sources, id, &mut diagnostics));
    let differences = diagnostics.take(sources.read(&root, "differences.tsv"));
    let differences = differences
        .and_then(|id| input::judgements(&mut sources, id, None, &mut diagnostics))
        .unwrap_or_default();
    let report = verify(&linux, &qemu, &differences, Scope::Given);
    let _ = report.render(&sources);
    for pair in linux.windows(2) {
        let (changes, found) = cpuid_gen::diff::linux(&pair[0], &pair[1], &qemu);
        let _ = (changes.to_text(), changes.to_markdown());
        diagnostics.append(found);
    }
    for pair in qemu.windows(2) {
        let (changes, found) = cpuid_gen::diff::qemu(&pair[0], &pair[1], &linux);
        let _ = (changes.to_text(), changes.to_markdown());
        diagnostics.append(found);
    }
    for facts in &qemu {
        let _ = resolve(facts, &mut diagnostics);
    }
    let (model, found) = Model::merge_published(&linux, &qemu, &published.unwrap_or_default());
    diagnostics.extend(found);
    if !diagnostics.has_errors() {
        let _ = (cpuid_gen::generate(&model), cpuid_gen::generate_standalone(&model));
    }
    look_at(&sources, &mut diagnostics);
    let _ = fs::remove_dir_all(root);
}
