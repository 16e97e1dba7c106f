//! Witnesses: small made-up trees of each project that read without errors, and one change for each possible error.
//! `BLESS=1` rewrites the golden files.

use std::fs;
use std::path::Path;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::records::BitPlace;
use cpuid_gen::facts::{WitnessFacts, read_witness, write_witness};
use cpuid_gen::source::Sources;
use cpuid_gen::witness::read_tree;

use crate::common::{compile_and_run, have, note, run, scratch, shown, unpacked, write_files};

const FIXTURES: [(&str, &str); 5] = [
    ("xen", include_str!("../fixtures/witness-xen.txt")),
    ("libvirt", include_str!("../fixtures/witness-libvirt.txt")),
    ("freebsd", include_str!("../fixtures/witness-freebsd.txt")),
    ("llvm", include_str!("../fixtures/witness-llvm.txt")),
    ("gcc", include_str!("../fixtures/witness-gcc.txt")),
];

/// The fixture, what is wrong, and a text with what replaces it.
const CASES: [(&str, &str, &str, &str); 53] = [
    ("xen", "no version", "XEN_SUBVERSION ", "XEN_SUB "),
    ("xen", "a version that is not a number", "= 9\n", "= nine\n"),
    ("xen", "a heading without a register", "0x00000001.edx, word 0", "0x00000001, word 0"),
    ("xen", "a heading twice", "eax, word 1 ", "eax, word 0 "),
    ("xen", "a half of an MSR that does not exist", "0x10a.edx", "0x10a.ecx"),
    ("xen", "a word without a heading", "1*32+ 4", "7*32+ 4"),
    ("xen", "a negative number", "1*32+ 4", "-1"),
    ("xen", "a feature without a number", "(APPLE,     0*32+ 0)", "(APPLE)"),
    ("xen", "a feature that is not closed", "2*32+62)", "2*32+62"),
    ("xen", "a number that is none", "1*32+ 4", "1*32+ FOUR"),
    ("xen", "no features", "XEN_CPUFEATURE", "FRUIT"),
    ("xen", "no dictionary", "    deps = {", "    needs = {"),
    ("xen", "two dictionaries", "    state.deep_deps = {}", "    deps = {}"),
    ("xen", "an unknown feature", "APPLE: [PEAR", "APPLE: [QUINCE"),
    ("xen", "an unknown key", "BASKET: feat", "QUINCE: feat"),
    ("xen", "no colon", "APPLE: [", "APPLE ["),
    ("xen", "another value", "APPLE: [PEAR, ", "APPLE: {PEAR, "),
    ("xen", "a list that is not closed", "                BASKET],\n", "                BASKET,\n"),
    ("xen", "a sum in a list", "PEAR, _3PLUMS", "PEAR + _3PLUMS"),
    ("xen", "a range without its end", "BASKET + 63", "BASKET"),
    ("xen", "a range from one feature to another", "BASKET + 63", "APPLE + 63"),
    ("xen", "a range of a name", "BASKET + 63", "BASKET + PEAR"),
    (
        "xen",
        "a range that ends before its start",
        "feat_range(BASKET, BASKET + 63)",
        "list(range(BASKET, BASKET + 0))",
    ),
    ("xen", "a list of another kind", "feat_range(BASKET, BASKET + 63)", "list(BASKET)"),
    ("xen", "a dictionary that is not closed", "    }\n", ""),
    ("xen", "a control of two bits", "STALK         0x00000001", "STALK         0x00000003"),
    ("xen", "a control without a number", "STALK         0x00000001", "STALK"),
    ("xen", "a control in a comment that is not closed", "#define MADE_UP_VMCS", "/*"),
    ("libvirt", "no version", "version:", "release:"),
    ("libvirt", "an element that is not closed", "</cpus>\n", ""),
    (
        "libvirt",
        "an element that closes another",
        "  </feature>\n  <feature name='pear'",
        "  </fruit>\n  <feature name='pear'",
    ),
    ("libvirt", "text between elements", "<!-- fruit -->", "fruit"),
    ("libvirt", "an unknown element", "<cpuid eax_in='0x07'", "<leaf eax_in='0x07'"),
    ("libvirt", "an unknown attribute", "edx='0x80000001'", "efx='0x80000001'"),
    ("libvirt", "an attribute twice", "eax_in='0x07'", "eax_in='0x07' eax_in='0x07'"),
    ("libvirt", "a mask of 33 bits", "0x80000001", "0x180000001"),
    ("libvirt", "a leaf that is not a number", "0x07", "seven"),
    ("libvirt", "an MSR without a half", " edx='0x00000001'", ""),
    ("libvirt", "a name with a space", "name='basket'", "name='a basket'"),
    ("libvirt", "an unknown element of a model", "<vendor name='Fruit'/>", "<taste name='Fruit'/>"),
    ("libvirt", "a signature without a model", " model='106'", ""),
    ("libvirt", "a family that is not a number", "family='6' model='106'", "family='six' model='106'"),
    ("freebsd", "no version", "#define __FreeBSD_version", "#define FreeBSD"),
    ("freebsd", "an unknown prefix", "CPUTPM1_GRAPE", "CPUTPM9_GRAPE"),
    ("freebsd", "a bit beyond the register", "0x80000000", "0x100000000"),
    ("freebsd", "two names of one bit", "CPUID_STEPPING\t0x0000000f", "CPUID_QUINCE\t0x00000001"),
    ("freebsd", "a bit that has no number", "(1 << 2)", "(FIG << 2)"),
    ("freebsd", "a bit in an inactive branch", "#ifdef __i386__", "#ifdef __i386__\n#define CPUID_QUINCE 2"),
    ("llvm", "no version", "set(LLVM_VERSION_PATCH 1)", ""),
    ("llvm", "a leaf beyond 32 bits", "leaf 0x14", "leaf 0x123456789"),
    ("gcc", "a bit before the first register", "/* %ecx */\n#define bit_APPLE", "#define bit_APPLE"),
    ("gcc", "a heading without a register", "/* %eax */\n#define bit_FIG", "#define bit_FIG"),
    ("gcc", "a macro with parameters", "#define FRUIT_TO(id)", "#define bit_FRUIT(id)"),
];

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/witness").join(name);
    if std::env::var("BLESS").as_deref() == Ok("1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap_or_default(), "{name}: BLESS=1 writes what is found");
}

fn read(root: &Path) -> (Option<WitnessFacts>, String) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = read_tree(&mut sources, root, &mut diagnostics);
    (facts, shown(&sources, diagnostics, root))
}

#[test]
fn each_fixture_has_its_facts() {
    for (name, archive) in FIXTURES {
        let folder = scratch(&format!("witness-{name}"));
        write_files(&folder, &unpacked(archive));
        let (facts, found) = read(&folder);
        assert_eq!(found, "", "{name}");
        let text = write_witness(&facts.unwrap());
        golden(&format!("{name}.tsv"), &text);
        // Facts survive their text form.
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let id = sources.add("again.tsv", text.as_str());
        let again = read_witness(&sources, id, &mut diagnostics).unwrap();
        assert_eq!(write_witness(&again), text);
    }
}

#[test]
fn every_error_has_its_place() {
    let mut out = String::new();
    let folder = scratch("witness-diagnostics");
    for (project, what, from, to) in CASES {
        let (_, archive) = FIXTURES.iter().find(|(name, _)| *name == project).unwrap();
        assert!(archive.contains(from), "{what}");
        let _ = fs::remove_dir_all(&folder);
        write_files(&folder, &unpacked(&archive.replace(from, to)));
        let (_, found) = read(&folder);
        assert!(!found.is_empty(), "{project}: {what}: nothing was found");
        out.push_str(&format!("\n== {project}: {what}\n{found}"));
    }
    golden("diagnostics.txt", &out);
}

#[test]
fn a_folder_that_is_no_tree_is_an_error() {
    let folder = scratch("witness-none");
    let (facts, found) = read(&folder);
    assert!(facts.is_none() && found.contains("not the tree of a witness"), "{found}");
    write_files(&folder, &unpacked(FIXTURES[0].1));
    for missing in ["xen/tools/gen-cpuid.py", "xen/arch/x86/include/asm/hvm/vmx/vmcs.h", "xen/Makefile"] {
        let text = fs::read(folder.join(missing)).unwrap();
        fs::remove_file(folder.join(missing)).unwrap();
        let (facts, found) = read(&folder);
        assert!(facts.is_none() && found.contains(missing), "{found}");
        fs::write(folder.join(missing), text).unwrap();
    }
    assert_eq!(read(&folder).1, "");
}

/// The forms of older releases: a range whose end is beyond the last bit, and vmcs.h where it was before 4.17.
#[test]
fn older_releases_of_xen_have_the_same_facts() {
    let (_, archive) = FIXTURES[0];
    let newer = scratch("witness-xen-newer");
    write_files(&newer, &unpacked(archive));
    let older = scratch("witness-xen-older");
    let text = archive
        .replace("feat_range(BASKET, BASKET + 63)", "list(range(BASKET, BASKET + 64))")
        .replace("xen/arch/x86/include/asm/hvm", "xen/include/asm-x86/hvm");
    assert_ne!(text, archive);
    write_files(&older, &unpacked(&text));
    let [newer, older] = [newer, older].map(|folder| read(&folder));
    assert_eq!((newer.1.as_str(), older.1.as_str()), ("", ""));
    assert_eq!(write_witness(&newer.0.unwrap()), write_witness(&older.0.unwrap()));
}

/// An installed compiler is found by its folder; of several none is chosen.
#[test]
fn an_installed_compiler_is_read() {
    let folder = scratch("witness-installed");
    let header = unpacked(FIXTURES[4].1).into_iter().find(|(path, _)| path.ends_with("cpuid.h")).unwrap().1;
    let install = |path: &str| write_files(&folder, &[(format!("{path}/include/cpuid.h"), header.clone())]);
    install("lib/gcc/x86_64-linux-gnu/14");
    let (facts, found) = read(&folder);
    assert_eq!(found, "");
    assert_eq!(write_witness(&facts.unwrap()).lines().next(), Some("witness-release\tGCC\t14"));
    install("lib/clang/19");
    let (facts, found) = read(&folder);
    assert!(facts.is_none() && found.contains("several compilers"), "{found}");
    fs::remove_dir_all(folder.join("lib/gcc")).unwrap();
    install("lib/clang/latest");
    install("lib/clang/19.x");
    let (facts, found) = read(&folder);
    assert_eq!(found, "");
    assert_eq!(write_witness(&facts.unwrap()).lines().next(), Some("witness-release\tLLVM\t19"));
    fs::remove_dir_all(folder.join("lib/clang")).unwrap();
    install("lib/clang/14.0.6");
    let (facts, found) = read(&folder);
    assert_eq!(found, "");
    assert_eq!(write_witness(&facts.unwrap()).lines().next(), Some("witness-release\tLLVM\t14.0.6"));
}

/// The values of the installed GCC's own header are those that GCC computes.
#[test]
fn the_values_of_gccs_header_are_those_of_gcc() {
    if !have("witness", "gcc") {
        return;
    }
    let header = run(std::process::Command::new("gcc").arg("-print-file-name=include/cpuid.h")).unwrap();
    let folder = scratch("witness-gcc-header");
    let path = "lib/gcc/any/1/include/cpuid.h".to_owned();
    write_files(&folder, &[(path, fs::read_to_string(header.trim()).unwrap())]);
    let (facts, found) = read(&folder);
    assert_eq!(found, "");
    let facts = facts.unwrap();
    let line = |name: &str| format!("printf(\"%x\\n\", (unsigned) bit_{name});\n");
    let lines: String = facts.bits.iter().map(|bit| line(&bit.name)).collect();
    let program =
        format!("#include <cpuid.h>\n#include <stdio.h>\nint main(void) {{\n{lines}return 0;\n}}\n");
    let values = compile_and_run(&folder, &program, &[]).unwrap();
    assert_eq!(values.lines().count(), facts.bits.len());
    for (value, bit) in values.lines().zip(&facts.bits) {
        let BitPlace::Cpuid(at) = bit.place else { panic!("{}", bit.name) };
        assert_eq!(u32::from_str_radix(value, 16), Ok(1 << at.bit.0), "{}", bit.name);
    }
}

/// A fetched tree of a pinned release gives the pinned facts.
#[test]
fn fetched_trees_give_the_pinned_facts() {
    let rows = |text: &str| -> String {
        text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect()
    };
    for (file, text) in cpuid_gen::witnesses() {
        let release = rows(text).lines().next().unwrap().split('\t').next_back().unwrap().to_owned();
        let project = file.split('-').next().unwrap();
        // Not every source can be fetched again.
        let tree =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../upstream/trees/{project}-{release}"));
        if !tree.is_dir() {
            note(&format!("witness: no upstream/trees/{project}-{release}"));
            continue;
        }
        let (facts, found) = read(&tree);
        assert_eq!(found, "", "{}", tree.display());
        assert_eq!(write_witness(&facts.unwrap()), rows(text), "{}", tree.display());
    }
}
