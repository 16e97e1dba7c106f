//! Compares Linux's headers and tables with gcc.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cpuid_gen::facts::LinuxFacts;
use cpuid_gen::facts::records::LinuxFlag;

use crate::common::text::{braced, defined, definition, directives, enumerators, files, without_comments};
use crate::common::{Tree, clean_linux, compile_and_run, have, macros, scratch, trees};

/// Definitions from headers that are not present, and text that a 4.4 header hides from assembly.
const HEADER: [&str; 4] =
    ["-D_ASM_X86_REQUIRED_FEATURES_H", "-D_ASM_X86_DISABLED_FEATURES_H", "-D__ASSEMBLY__", "-D__KERNEL__"];

/// Kernel types that the structs use.
pub(crate) const TYPES: &str = "#include <stdio.h>\n#include <stdint.h>\n#include <stddef.h>\n\
    typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;\n";

/// The headers of a tree.
pub(crate) fn features_header(tree: &Path) -> PathBuf {
    let new = tree.join("arch/x86/include/asm/cpufeatures.h");
    if new.exists() { new } else { tree.join("arch/x86/include/asm/cpufeature.h") }
}

/// Name and value, from gcc, of every object-like macro of a header with one of the prefixes.
pub(crate) fn values(
    folder: &Path,
    header: &Path,
    prefixes: &[&str],
    options: &[&str],
) -> Result<BTreeMap<String, i64>, String> {
    let include = format!("#include \"{}\"\n", header.display());
    let mut with_header = HEADER.to_vec();
    with_header.extend(options);
    let mut program = format!("{include}{TYPES}int main(void) {{\n");
    for (name, _) in macros(folder, &include, &with_header)? {
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) && !name.contains('(') {
            program.push_str(&format!("printf(\"{name} %lld\\n\", (long long)({name}));\n"));
        }
    }
    program.push_str("}\n");
    Ok(pairs(&compile_and_run(folder, &program, &with_header)?))
}

/// Lines of a name and a number.
pub(crate) fn pairs(text: &str) -> BTreeMap<String, i64> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    text.lines().map(pair).collect()
}

/// The values of the same macros in the facts.
pub(crate) fn facts_values(flags: &[LinuxFlag], prefix: &str, base: u16) -> BTreeMap<String, i64> {
    let value = |flag: &LinuxFlag| (i64::from(base) + i64::from(flag.word.0)) * 32 + i64::from(flag.bit.0);
    let all: BTreeMap<String, i64> =
        flags.iter().map(|flag| (format!("{prefix}{}", flag.name), value(flag))).collect();
    assert_eq!(all.len(), flags.len(), "a name twice");
    all
}

#[test]
fn macro_values_match_gcc() {
    const TEST: &str = "macro_values_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let facts = clean_linux(&tree);
        let header = features_header(&tree.path);
        for (prefix, flags, base) in [
            ("X86_FEATURE_", &facts.features, 0),
            ("X86_BUG_", &facts.bugs, facts.count("NCAPINTS").unwrap()),
        ] {
            let of_64 = values(&folder, &header, &[prefix], &["-DCONFIG_X86_64"]).unwrap();
            let mut all = values(&folder, &header, &[prefix], &["-DCONFIG_X86_32"]).unwrap();
            all.extend(of_64);
            assert_eq!(facts_values(flags, prefix, base), all, "{}", tree.name);
            println!("{}: {} {prefix}*", tree.name, all.len());
        }
        let vmx = tree.path.join("arch/x86/include/asm/vmxfeatures.h");
        if vmx.exists() {
            let all = values(&folder, &vmx, &["VMX_FEATURE_"], &[]).unwrap();
            assert_eq!(facts_values(&facts.vmx, "VMX_FEATURE_", 0), all, "{}", tree.name);
            println!("{}: {} VMX_FEATURE_*", tree.name, all.len());
        }
    }
}

/// The first file below `arch/x86` with a definition, and the braces of the definition.
fn find(tree: &Path, ending: &str, head: &str, then: &str) -> Option<(PathBuf, String)> {
    files(&tree.join("arch/x86"), ending).into_iter().find_map(|path| {
        let text = without_comments(&fs::read_to_string(&path).unwrap());
        definition(&text, head, then).map(|braces| (path.clone(), braces.to_owned()))
    })
}

/// The two enums of words and the register enum, as C, with the names of the words.
pub(crate) struct Enums {
    pub(crate) text: String,
    pub(crate) words: Vec<String>,
    pub(crate) registers: Vec<String>,
}

pub(crate) fn enums(tree: &Path) -> Enums {
    let mut found = Enums { text: String::new(), words: Vec::new(), registers: Vec::new() };
    for head in ["enum cpuid_leafs", "enum kvm_only_cpuid_leafs"] {
        let Some((_, braces)) = find(tree, ".h", head, "{") else { continue };
        found.words.extend(enumerators(&braces).into_iter().map(str::to_owned));
        found.text.push_str(&format!("enum {braces};\n"));
    }
    found.words.retain(|name| !name.starts_with("NR_") && !name.starts_with("NKVM"));
    for ending in [".h", "scattered.c"] {
        let braces = find(tree, ending, "enum cpuid_regs", "{")
            .or_else(|| find(tree, ending, "enum cpuid_regs_idx", "{"));
        if let (Some((_, braces)), true) = (braces, found.registers.is_empty()) {
            found.registers = enumerators(&braces).into_iter().map(str::to_owned).collect();
            found.text.push_str(&format!("enum {braces};\n"));
        }
    }
    found
}

/// The start of a program: the tree's feature header and its enums.
pub(crate) fn with_enums(tree: &Path, enums: &Enums) -> String {
    format!("{TYPES}#include \"{}\"\n{}", features_header(tree).display(), enums.text)
}

pub(crate) fn options() -> Vec<&'static str> {
    let mut all = HEADER.to_vec();
    all.push("-DCONFIG_X86_64");
    all
}

#[test]
fn words_and_locations_match_gcc() {
    const TEST: &str = "words_and_locations_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let facts = clean_linux(&tree);
        let enums = enums(&tree.path);
        if enums.words.is_empty() {
            // Before 4.6 words have no names in the source.
            assert!(tree.path.join("arch/x86/include/asm/cpufeature.h").exists(), "{}", tree.name);
            continue;
        }
        let mut program = with_enums(&tree.path, &enums);
        let rows = reverse_cpuid(&tree);
        program.push_str(rows.as_deref().unwrap_or_default());
        program.push_str("int main(void) {\n");
        for name in &enums.words {
            program.push_str(&format!("printf(\"{name} %d\", {name});\n"));
            if rows.is_some() {
                program.push_str(&format!(
                    "if ({name} < sizeof(reverse_cpuid) / sizeof(*reverse_cpuid) && \
                     reverse_cpuid[{name}].function) printf(\" %u %u %d\", reverse_cpuid[{name}].function, \
                     reverse_cpuid[{name}].index, reverse_cpuid[{name}].reg);\n"
                ));
            }
            program.push_str("printf(\"\\n\");\n");
        }
        program.push_str("}\n");
        let stated = compile_and_run(&folder, &program, &options()).unwrap();
        let found = facts_words(&facts, rows.is_some());
        assert_eq!(found.lines().count(), stated.lines().count(), "{}", tree.name);
        for (found, stated) in found.lines().zip(stated.lines()) {
            // A word that KVM has no row for has the register in its name, of which gcc knows nothing.
            let mut columns = stated.split(' ');
            let by_name = columns.clone().count() == 2 && !stated.starts_with("CPUID_LNX_");
            let same = found == stated || by_name && found.split(' ').take(2).eq(columns.by_ref());
            assert!(same, "{}: {found:?}, gcc has {stated:?}", tree.name);
        }
        println!("{}: {} words, with rows: {}", tree.name, enums.words.len(), rows.is_some());
    }
}

fn facts_words(facts: &LinuxFacts, with_rows: bool) -> String {
    let mut out = String::new();
    for word in &facts.words {
        out.push_str(&format!("{} {}", word.name, word.word.0));
        if let (true, Some(at)) = (with_rows, word.location) {
            out.push_str(&format!(" {} {} {}", at.leaf.0, at.subleaf.0, at.register as usize));
        }
        out.push('\n');
    }
    out
}

/// `struct cpuid_reg` and `reverse_cpuid[]` as C.
fn reverse_cpuid(tree: &Tree) -> Option<String> {
    let (path, rows) = find(&tree.path, ".h", "struct cpuid_reg reverse_cpuid[]", "=")?;
    let text = without_comments(&fs::read_to_string(path).unwrap());
    let layout = definition(&text, "struct cpuid_reg", "{").unwrap();
    Some(format!("struct cpuid_reg {layout};\nstruct cpuid_reg reverse_cpuid[] = {rows};\n"))
}

/// A table's rows from gcc, with each feature's name: the struct has strings in place of numbers, and the macros are
/// strings.
fn table(folder: &Path, tree: &Tree, file: &str, of: [&str; 2], features: [&str; 2], print: &str) -> String {
    let text = without_comments(&fs::read_to_string(tree.path.join(file)).unwrap());
    let mut layout = definition(&text, of[0], "{").unwrap().to_owned();
    for field in features {
        let start = layout.find(&format!("{field};")).unwrap_or(layout.len());
        let line = layout[..start].rfind([';', '{']).unwrap() + 1;
        if start < layout.len() {
            layout.replace_range(line..start, " const char *");
        }
    }
    let rows = definition(&text, of[1], "=").unwrap();
    let mut program = format!("{TYPES}{}", enums(&tree.path).text);
    let header = fs::read_to_string(features_header(&tree.path)).unwrap();
    for name in defined(&header) {
        if let Some(short) = name.strip_prefix("X86_FEATURE_") {
            program.push_str(&format!("#define {name} \"{short}\"\n"));
        }
    }
    // The enum of KVM's words starts at NCAPINTS, which does not matter here.
    let program = format!("#define NCAPINTS 64\n{program}");
    let main = format!(
        "{} {layout};\n{}= {rows};\nint main(void) {{ for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) \
         if (table[i].feature) {print} }}\n",
        of[0],
        of[1].replace(of[1].rsplit(' ').next().unwrap(), "table[]"),
    );
    compile_and_run(folder, &(program + &main), &[]).unwrap()
}

#[test]
fn scattered_features_match_gcc() {
    const TEST: &str = "scattered_features_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        // The enum's order has changed: a register is identified by its enumerator's name.
        let mut register = "\"none\"".to_owned();
        for name in &enums(&tree.path).registers {
            let short = name.rsplit('_').next().unwrap();
            register = format!("table[i].reg == {name} ? \"{short}\" : {register}");
        }
        let print = format!(
            "printf(\"%s %u %u %s %u\\n\", table[i].feature, (unsigned)table[i].level, \
             (unsigned)table[i].sub_leaf, {register}, (unsigned)table[i].bit);"
        );
        let stated = table(
            &folder,
            &tree,
            "arch/x86/kernel/cpu/scattered.c",
            ["struct cpuid_bit", "struct cpuid_bit cpuid_bits[]"],
            ["feature", "-"],
            &print,
        );
        let mut ours = String::new();
        for row in clean_linux(&tree).scattered {
            let at = row.location.word;
            let (register, bit) = (at.register, row.location.bit.0);
            ours.push_str(&format!("{} {} {} {register} {bit}\n", row.name, at.leaf.0, at.subleaf.0));
        }
        assert_eq!(ours, stated, "{}", tree.name);
        println!("{}: {} scattered", tree.name, stated.lines().count());
    }
}

#[test]
fn dependencies_match_gcc() {
    const TEST: &str = "dependencies_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let file = "arch/x86/kernel/cpu/cpuid-deps.c";
        if !tree.path.join(file).exists() {
            continue;
        }
        let stated = table(
            &folder,
            &tree,
            file,
            ["struct cpuid_dep", "struct cpuid_dep cpuid_deps[]"],
            ["feature", "depends"],
            "printf(\"%s %s\\n\", table[i].feature, table[i].depends);",
        );
        let deps = clean_linux(&tree).deps;
        let ours: String = deps.iter().map(|dep| format!("{} {}\n", dep.name, dep.needs)).collect();
        assert_eq!(ours, stated, "{}", tree.name);
        println!("{}: {} dependencies", tree.name, stated.lines().count());
    }
}

/// `X86_FEATURE_*` and `KVM_X86_FEATURE_*` defined by KVM's own files, and the effects of `__feature_translate`.
#[test]
fn kvm_features_match_gcc() {
    const TEST: &str = "kvm_features_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let facts = clean_linux(&tree);
        let Some((header, _)) = find(&tree.path, ".h", "struct cpuid_reg reverse_cpuid[]", "=") else {
            continue;
        };
        let header = fs::read_to_string(header).unwrap();
        let source = fs::read_to_string(tree.path.join("arch/x86/kvm/cpuid.c")).unwrap();
        let mut own: Vec<String> = defined(&header);
        own.retain(|name| name.starts_with("X86_FEATURE_"));
        own.extend(defined(&source).into_iter().filter(|name| name.starts_with("KVM_X86_FEATURE_")));
        let enums = enums(&tree.path);
        let mut program = format!(
            "{}{}{}",
            with_enums(&tree.path, &enums),
            directives(&header),
            source
                .lines()
                .filter(|line| line.starts_with("#define KVM_X86_FEATURE_"))
                .collect::<Vec<_>>()
                .join("\n")
        );
        let stripped = without_comments(&header);
        let translates = stripped.find(" __feature_translate(int x86_feature)\n");
        if let Some(at) = translates {
            program.push_str(&format!(
                "\nu32 __feature_translate(int x86_feature)\n{}\n",
                body_of(&header, &stripped, at)
            ));
        }
        program.push_str("\nint main(void) {\n");
        for name in &own {
            let short = name.trim_start_matches("KVM_").trim_start_matches("X86_FEATURE_");
            program.push_str(&format!("printf(\"own {short} %d %d\\n\", ({name}) / 32, ({name}) % 32);\n"));
        }
        if translates.is_some() {
            let first = fs::read_to_string(features_header(&tree.path)).unwrap();
            for name in defined(&first).iter().filter(|name| name.starts_with("X86_FEATURE_")) {
                program.push_str(&format!(
                    "{{ int to = __feature_translate({name}); if (to != ({name})) \
                     printf(\"to {} %d %d\\n\", to / 32, to % 32); }}\n",
                    &name["X86_FEATURE_".len()..]
                ));
            }
        }
        program.push_str("}\n");
        let stated = compile_and_run(&folder, &program, &options()).unwrap();
        assert_eq!(kvm_bits(&facts), sorted(&stated), "{}", tree.name);
        println!(
            "{}: {} of KVM's own bits, translations: {}",
            tree.name,
            stated.lines().count(),
            translates.is_some()
        );
    }
}

/// A function's braces with its directives on separate lines.
fn body_of(whole: &str, stripped: &str, at: usize) -> String {
    let short = braced(stripped, at);
    // A `#define` inside needs its splices: use the same function from the text with comments.
    let start = whole.find(" __feature_translate(int x86_feature)\n").unwrap();
    let body = braced(whole, start);
    assert_eq!(without_comments(body), short);
    body.to_owned()
}

fn kvm_bits(facts: &LinuxFacts) -> Vec<String> {
    let word = |name: &str| facts.word_named(name).unwrap().word.0;
    let mut all = Vec::new();
    for bit in &facts.kvm_features {
        all.push(format!("own {} {} {}", bit.name, word(&bit.leaf_name), bit.bit.0));
    }
    for bit in &facts.kvm_translates {
        all.push(format!("to {} {} {}", bit.name, word(&bit.leaf_name), bit.bit.0));
    }
    all.sort();
    all
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Every macro with a known prefix must be in the facts, since the tree has no diagnostics.
#[test]
fn every_define_of_linux_is_a_fact() {
    const TEST: &str = "every_define_of_linux_is_a_fact";
    for tree in trees(TEST, "linux-") {
        let facts = clean_linux(&tree);
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let count =
            |text: &str, prefix: &str| defined(text).iter().filter(|name| name.starts_with(prefix)).count();
        let header = read(features_header(&tree.path));
        let vmx = read(tree.path.join("arch/x86/include/asm/vmxfeatures.h"));
        assert_eq!(count(&header, "X86_FEATURE_"), facts.features.len(), "{}", tree.name);
        assert_eq!(count(&header, "X86_BUG_"), facts.bugs.len(), "{}", tree.name);
        assert_eq!(count(&vmx, "VMX_FEATURE_"), facts.vmx.len(), "{}", tree.name);
        let mut own = 0;
        let mut translated = 0;
        for path in files(&tree.path.join("arch/x86/kvm"), ".h") {
            let text = read(path);
            own += count(&text, "X86_FEATURE_");
            translated += count(&text, "KVM_X86_FEATURE_");
        }
        own += count(&read(tree.path.join("arch/x86/kvm/cpuid.c")), "KVM_X86_FEATURE_");
        assert_eq!(own, facts.kvm_features.len(), "{}", tree.name);
        assert_eq!(translated, facts.kvm_translates.len(), "{}", tree.name);
        println!(
            "{}: {} #defines counted",
            tree.name,
            facts.features.len() + facts.bugs.len() + facts.vmx.len() + own + translated
        );
    }
}
