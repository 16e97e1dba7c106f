//! Compares QEMU's table with gcc's values, and with an installed QEMU.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cpuid_gen::facts::QemuFacts;
use cpuid_gen::facts::records::{MaskKind, QemuSource};

use crate::common::text::{braced, defined, definition, directives, enumerators, without_comments};
use crate::common::{clean_qemu, compile_and_run, have, macros, run, scratch, skipped, trees};

/// The configuration of the facts, and definitions from C's and QEMU's headers.
pub(crate) const OPTIONS: [&str; 9] = [
    "-DTARGET_X86_64",
    "-DTARGET_I386",
    "-DCONFIG_KVM",
    "-DCONFIG_TCG",
    "-DCONFIG_SOFTMMU",
    "-DCONFIG_LINUX",
    "-DCONFIG_SYNDBG",
    "-DCOMPILING_PER_TARGET",
    "-DNEED_CPU_H",
];

const START: &str = "#include <stdint.h>\n#include <stdio.h>\n#include <stdbool.h>\n#include <stddef.h>\n\
    #define BIT(nr) (1UL << (nr))\n#define BIT_ULL(nr) (1ULL << (nr))\n\
    #define MAKE_64BIT_MASK(shift, length) (((~0ULL) >> (64 - (length))) << (shift))\n\
    typedef uint32_t u32; typedef uint64_t u64; typedef uint32_t __u32; typedef uint64_t __u64; typedef uint64_t target_ulong;\n";

/// The files of a tree that the table needs.
pub(crate) struct Files {
    pub(crate) source: PathBuf,
    header: PathBuf,
    internal: String,
    before: String,
}

impl Files {
    pub(crate) fn of(tree: &Path) -> Files {
        let new = tree.join("target/i386");
        let folder = if new.exists() { new } else { tree.join("target-i386") };
        let para = ["include/standard-headers/asm-x86/kvm_para.h", "linux-headers/asm-x86/kvm_para.h"];
        let before = para.iter().find_map(|path| fs::read_to_string(tree.join(path)).ok());
        Files {
            source: folder.join("cpu.c"),
            header: folder.join("cpu.h"),
            internal: fs::read_to_string(folder.join("cpu-internal.h")).unwrap_or_default(),
            before: before.unwrap_or_default(),
        }
    }

    pub(crate) fn header(&self) -> String {
        fs::read_to_string(&self.header).unwrap()
    }

    /// The directives of the headers that cpu.h includes.
    pub(crate) fn before(&self) -> String {
        directives(&self.before) + &self.internal
    }

    /// Every definition that the table may use, as one C text without functions.
    pub(crate) fn definitions(&self, source: &str) -> String {
        let header = self.header();
        let mut out = START.to_owned();
        for text in [&self.before, &header, &self.internal, source] {
            out.push_str(&directives(text));
        }
        let stripped = without_comments(&header);
        for (at, _) in stripped.match_indices("enum ") {
            let rest = stripped[at + 5..].trim_start();
            let tag = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap();
            if rest[tag..].trim_start().starts_with('{') {
                out.push_str(&format!("enum {} {};\n", &rest[..tag], braced(rest, tag)));
            }
        }
        out + "typedef enum FeatureWord FeatureWord;\n"
    }

    /// The struct, the table, and the arrays to which older tables point.
    fn table(&self, source: &str) -> Option<(String, String)> {
        let stripped = without_comments(source);
        let layout = definition(&stripped, "struct FeatureWordInfo", "{").map(str::to_owned);
        let layout = layout.or_else(|| {
            definition(&without_comments(&self.internal), "struct FeatureWordInfo", "{").map(str::to_owned)
        })?;
        let mut out = String::new();
        let types = [stripped.as_str(), &without_comments(&self.internal)].join("\n");
        if let Some(kinds) = definition(&types, "enum FeatureWordType", "{") {
            out.push_str(&format!("typedef enum {kinds} FeatureWordType;\n"));
        }
        for (at, _) in stripped.match_indices("static const char *") {
            let rest = &stripped[at..];
            let Some(end) = rest.find(" = {") else { continue };
            if rest[..end].ends_with(']') && !rest[..end].contains(';') {
                out.push_str(&format!("{} = {};\n", &rest[..end], braced(rest, end)));
            }
        }
        let start = stripped.find("FeatureWordInfo feature_word_info[FEATURE_WORDS] = {")?;
        let rows = braced(&stripped, start);
        out.push_str(&format!(
            "typedef struct {layout} FeatureWordInfo;\nFeatureWordInfo table[] = {rows};\n"
        ));
        Some((out, layout))
    }
}

/// Every field of every row of the table in `source`, a `cpu.c`, according to gcc.
pub(crate) fn stated(folder: &Path, files: &Files, source: &str) -> Result<String, String> {
    let (table, layout) = files.table(source).ok_or("no table")?;
    let stripped = without_comments(&files.header());
    let words = enumerators(definition(&stripped, "enum FeatureWord", "{").unwrap());
    let mut program = files.definitions(source) + &table + "int main(void) {\n";
    let has = |field: &str| layout.contains(&format!(" {field}"));
    let (eax, needs, ecx, reg) = if has("cpuid_eax") {
        ("cpuid_eax", "cpuid_needs_ecx", "cpuid_ecx", "cpuid_reg")
    } else {
        ("cpuid.eax", "cpuid.needs_ecx", "cpuid.ecx", "cpuid.reg")
    };
    let is_msr = if has("FeatureWordType") { "row->type == MSR_FEATURE_WORD" } else { "0" };
    let msr = if has("FeatureWordType") { "row->msr.index" } else { "0" };
    let length =
        if layout.contains("*feat_names;") { "32" } else { "sizeof(row->feat_names) / sizeof(char *)" };
    for word in words.iter().filter(|word| **word != "FEATURE_WORDS") {
        program.push_str(&format!(
            "{{ FeatureWordInfo *row = &table[{word}]; printf(\"{word} %d \", {word});\n\
             if ({is_msr}) printf(\"msr %u\\n\", (unsigned){msr}); else {{ printf(\"cpuid %u \", (unsigned)row->{eax});\n\
             if (row->{needs}) printf(\"%u \", (unsigned)row->{ecx}); else printf(\"- \");\n\
             printf(\"%d\\n\", (int)row->{reg}); }}\n\
             if (row->feat_names) for (int i = 0; i < {length}; i++) if (row->feat_names[i]) \
             printf(\" %d %s\\n\", i, row->feat_names[i]);\n"
        ));
        for (kind, field) in masks() {
            if has(field) {
                program.push_str(&format!(
                    "if (row->{field}) printf(\" {kind} %llx\\n\", (unsigned long long)row->{field});\n"
                ));
            }
        }
        program.push_str("}\n");
    }
    program.push_str("}\n");
    compile_and_run(folder, &program, &OPTIONS)
}

fn masks() -> [(MaskKind, &'static str); 4] {
    [
        (MaskKind::Tcg, "tcg_features"),
        (MaskKind::Unmigratable, "unmigratable_flags"),
        (MaskKind::Migratable, "migratable_flags"),
        (MaskKind::NoAutoenable, "no_autoenable_flags"),
    ]
}

/// The same rows from the facts, in the order of the enum.
pub(crate) fn ours(facts: &QemuFacts) -> String {
    let mut words: Vec<_> = facts.words.iter().collect();
    words.sort_by_key(|word| word.index);
    let mut out = String::new();
    for word in words {
        let source = match word.source {
            QemuSource::Msr(msr) => format!("msr {}", msr.0),
            QemuSource::Cpuid { leaf, subleaf, register } => {
                let subleaf = subleaf.map_or("-".to_owned(), |subleaf| subleaf.0.to_string());
                // The instruction set orders EAX, ECX, EDX, EBX, and so do `R_EAX` and the others.
                let register = [0, 3, 1, 2][register as usize];
                format!("cpuid {} {subleaf} {register}", leaf.0)
            }
        };
        out.push_str(&format!("{} {} {source}\n", word.name, word.index.0));
        let mut bits: Vec<_> = facts.bits.iter().filter(|bit| bit.word == word.name).collect();
        bits.sort_by_key(|bit| bit.bit);
        out.extend(bits.iter().map(|bit| format!(" {} {}\n", bit.bit.0, bit.name)));
        for (kind, _) in masks() {
            let of = facts.masks.iter().filter(|mask| mask.word == word.name && mask.kind == kind);
            out.extend(of.map(|mask| format!(" {kind} {:x}\n", mask.mask)));
        }
    }
    out
}

#[test]
fn feature_words_match_gcc() {
    const TEST: &str = "feature_words_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "qemu-") {
        let files = Files::of(&tree.path);
        let stated = stated(&folder, &files, &fs::read_to_string(&files.source).unwrap()).unwrap();
        let facts = clean_qemu(&tree);
        assert_eq!(ours(&facts), stated, "{}", tree.name);
        println!("{}: {} words, {} lines", tree.name, facts.words.len(), stated.lines().count());
    }
}

#[test]
fn qemu_macros_match_gcc() {
    const TEST: &str = "qemu_macros_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "qemu-") {
        let definitions = Files::of(&tree.path).definitions("");
        let mut program = format!("{definitions}int main(void) {{\n");
        let own = directives(&Files::of(&tree.path).header());
        for (name, body) in macros(&folder, &own, &OPTIONS).unwrap() {
            // Vendor strings and macros with parameters are not masks.
            if name.starts_with("CPUID_") && !body.starts_with('"') && !name.contains('(') {
                program.push_str(&format!("printf(\"{name} %llx\\n\", (unsigned long long)({name}));\n"));
            }
        }
        program.push_str("}\n");
        let stated = compile_and_run(&folder, &program, &OPTIONS).unwrap();
        let stated: BTreeSet<&str> = stated.lines().collect();
        let facts = clean_qemu(&tree);
        let ours: BTreeSet<String> =
            facts.macros.iter().map(|known| format!("{} {:x}", known.name, known.value)).collect();
        assert_eq!(ours, stated.iter().map(|line| (*line).to_owned()).collect(), "{}", tree.name);
        assert_eq!(ours.len(), facts.macros.len(), "{}: a macro twice", tree.name);
        println!("{}: {} CPUID_*", tree.name, ours.len());
    }
}

/// Every macro with the prefix must be in the facts, since the tree has no diagnostics.
#[test]
fn every_define_of_qemu_is_a_fact() {
    const TEST: &str = "every_define_of_qemu_is_a_fact";
    for tree in trees(TEST, "qemu-") {
        let facts = clean_qemu(&tree);
        let header = Files::of(&tree.path).header();
        let values: BTreeMap<String, bool> = without_comments(&header)
            .lines()
            .filter_map(|line| line.trim().strip_prefix("#define CPUID_"))
            .filter_map(|line| line.split_once(char::is_whitespace))
            .map(|(name, value)| (format!("CPUID_{name}"), value.trim().starts_with('"')))
            .collect();
        let of_prefix =
            defined(&header).into_iter().filter(|name| name.starts_with("CPUID_") && !name.ends_with('('));
        let masks: BTreeSet<String> = of_prefix.filter(|name| values.get(name) != Some(&true)).collect();
        let ours: BTreeSet<String> = facts.macros.iter().map(|known| known.name.clone()).collect();
        assert_eq!(ours, masks, "{}", tree.name);
        println!("{}: {} #defines counted", tree.name, masks.len());
    }
}

/// `-cpu help` lists each name of the table once, sorted.
#[test]
fn names_match_an_installed_qemu() {
    const TEST: &str = "names_match_an_installed_qemu";
    const PROGRAM: &str = "qemu-system-x86_64";
    if !have(TEST, PROGRAM) {
        return;
    }
    let version = run(Command::new(PROGRAM).arg("--version")).unwrap();
    let release = version.split_whitespace().nth(3).unwrap_or_default();
    let mut compared = false;
    for tree in trees(TEST, "qemu-") {
        let facts = clean_qemu(&tree);
        if facts.release != release {
            continue;
        }
        let help = run(Command::new(PROGRAM).args(["-cpu", "help"])).unwrap();
        let flags = help.split_once("Recognized CPUID flags:").unwrap().1;
        let stated: BTreeSet<String> = flags.split_whitespace().map(str::to_owned).collect();
        let names = facts.bits.iter().flat_map(|bit| bit.names());
        let ours: BTreeSet<String> = names.map(str::to_owned).collect();
        assert_eq!(ours, stated, "{}", tree.name);
        println!("{}: {} names in -cpu help", tree.name, stated.len());
        compared = true;
    }
    if !compared {
        skipped(TEST, &format!("the tree of QEMU {release}, which is installed"));
    }
}
