//! Compares KVM's own leaf, bits of MSRs, masks of required and disabled features, and cpuid.csv with independent
//! readers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cpuid_gen::facts::LinuxFacts;
use cpuid_gen::facts::records::{Condition, ConfigKind};
use cpuid_gen::location::Register;
use cpuid_gen::source::Sources;

use crate::common::text::{defined, directives};
use crate::common::{Tree, clean_linux, compile_and_run, have, scratch, trees};
use crate::linux::{features_header, pairs};

/// A program with only a header's directives that prints each macro's value as an unsigned 64-bit number.
fn printed(folder: &Path, header: &Path, wanted: &dyn Fn(&str) -> bool) -> BTreeMap<String, i64> {
    let text = fs::read_to_string(header).unwrap();
    let mut program = String::from(
        "#include <stdio.h>\n#define BIT(n) (1UL << (n))\n#define BIT_ULL(n) (1ULL << (n))\n#define _BITUL(n) (1UL << (n))\n",
    );
    program.push_str(&directives(&text));
    program.push_str("int main(void) {\n");
    for name in defined(&text).iter().filter(|name| wanted(name)) {
        program.push_str(&format!("printf(\"{name} %lld\\n\", (long long)({name}));\n"));
    }
    program.push_str("}\n");
    pairs(&compile_and_run(folder, &program, &[]).unwrap())
}

#[test]
fn kvm_para_matches_gcc() {
    const TEST: &str = "kvm_para_matches_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let header = tree.path.join("arch/x86/include/uapi/asm/kvm_para.h");
        let mut stated = printed(&folder, &header, &|name| {
            ["KVM_FEATURE_", "KVM_HINTS_", "KVM_CPUID_FEATURES"].iter().any(|start| name.starts_with(start))
        });
        let leaf = stated.remove("KVM_CPUID_FEATURES").unwrap();
        let facts = clean_linux(&tree).kvm_para;
        let ours: BTreeMap<String, i64> = facts
            .iter()
            .map(|para| {
                let word = para.location.word;
                assert_eq!((i64::from(word.leaf.0), word.subleaf.0), (leaf, 0));
                let prefix = if word.register == Register::Edx { "KVM_HINTS_" } else { "KVM_FEATURE_" };
                (format!("{prefix}{}", para.name), i64::from(para.location.bit.0))
            })
            .collect();
        assert_eq!((&ours, ours.len()), (&stated, facts.len()), "{}", tree.name);
        println!("{}: {} of KVM's own leaf", tree.name, stated.len());
    }
}

#[test]
fn msr_bits_match_gcc() {
    const TEST: &str = "msr_bits_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let homes = ["arch/x86/include/asm/msr-index.h", "arch/x86/include/uapi/asm/msr-index.h"];
        let header = homes.iter().map(|home| tree.path.join(home)).find(|path| path.exists()).unwrap();
        let of_core = |name: &str| name.starts_with("MSR_IA32_CORE_CAPS") && !name.ends_with("_BIT");
        let mut stated = printed(&folder, &header, &|name| {
            name.starts_with("ARCH_CAP_") || name == "MSR_IA32_ARCH_CAPABILITIES" || of_core(name)
        });
        let numbers = ["MSR_IA32_ARCH_CAPABILITIES", "MSR_IA32_CORE_CAPS"].map(|name| stated.remove(name));
        let facts = clean_linux(&tree).msr_bits;
        let ours: BTreeMap<String, i64> = facts
            .iter()
            .map(|bit| {
                let arch = Some(i64::from(bit.msr.0)) == numbers[0];
                assert!(arch || Some(i64::from(bit.msr.0)) == numbers[1], "{}", bit.name);
                let prefix = if arch { "ARCH_CAP_" } else { "MSR_IA32_CORE_CAPS_" };
                (format!("{prefix}{}", bit.name), 1i64 << bit.bit.0)
            })
            .collect();
        assert_eq!((&ours, ours.len()), (&stated, facts.len()), "{}", tree.name);
        println!("{}: {} bits of MSRs", tree.name, stated.len());
    }
}

/// Each mask from gcc, for each of the settings. One program includes the headers once per setting, with all earlier
/// definitions undefined.
fn masks(folder: &Path, tree: &Tree, settings: &[BTreeSet<&str>]) -> Vec<BTreeMap<(ConfigKind, u16), u32>> {
    let asm = tree.path.join("arch/x86/include/asm");
    let mut program = String::from("#include <stdio.h>\n");
    program.push_str(&directives(&fs::read_to_string(features_header(&tree.path)).unwrap()));
    let headers =
        ["required-features.h", "disabled-features.h"].map(|name| fs::read_to_string(asm.join(name)));
    let headers: String = headers.into_iter().flatten().collect();
    let (body, macros) = (directives(&headers), defined(&headers));
    for (number, options) in settings.iter().enumerate() {
        let define = |option: &&str| format!("#define CONFIG_{option} 1\n");
        program.extend(options.iter().map(define));
        program.push_str(&format!("{body}\nstatic void print{number}(void) {{\n"));
        for mask in &macros {
            let word = mask.split_once("_MASK").and_then(|(_, word)| word.parse::<u16>().ok());
            if let Some(word) = word {
                program.push_str(&format!("printf(\"{number} {mask} {word} %u\\n\", (unsigned)({mask}));\n"));
            }
        }
        program.push_str("}\n");
        program.extend(macros.iter().map(|name| format!("#undef {name}\n")));
        program.extend(options.iter().map(|option| format!("#undef CONFIG_{option}\n")));
    }
    program.push_str("int main(void) {\n");
    program.extend((0..settings.len()).map(|number| format!("print{number}();\n")));
    program.push_str("}\n");
    let mut all = vec![BTreeMap::new(); settings.len()];
    for line in compile_and_run(folder, &program, &[]).unwrap().lines() {
        let row: Vec<&str> = line.split(' ').collect();
        let required = row[1].starts_with("REQUIRED");
        let kind = if required { ConfigKind::Required } else { ConfigKind::Disabled };
        let key = (kind, row[2].parse().unwrap());
        all[row[0].parse::<usize>().unwrap()].insert(key, row[3].parse().unwrap());
    }
    all
}

fn condition(text: Option<&str>) -> Condition {
    let Some(text) = text else { return Condition::Always };
    let mut sources = Sources::new();
    let file = sources.add("condition", text);
    Condition::from_text(text, sources.span(file, 0, text.len())).unwrap()
}

/// The masks according to the facts with these options, without those that are zero.
fn our_masks(facts: &LinuxFacts, options: &BTreeSet<&str>) -> BTreeMap<(ConfigKind, u16), u32> {
    let mut all: BTreeMap<(ConfigKind, u16), u32> = BTreeMap::new();
    for config in facts.configs.iter().filter(|config| config.kind != ConfigKind::Named) {
        if condition(config.condition.as_deref()).holds(&|name| options.contains(name)) {
            let flag = facts.features.iter().find(|flag| flag.name == config.name).unwrap();
            *all.entry((config.kind, flag.word.0)).or_default() |= 1 << flag.bit.0;
        }
    }
    all
}

/// gcc computes the masks from the headers for a configuration; the facts must give the same masks. The
/// configurations are no options, all options, each alone and all but each, which together reach every branch; and a
/// 64-bit kernel.
#[test]
fn feature_masks_match_gcc() {
    const TEST: &str = "feature_masks_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        if !tree.path.join("arch/x86/include/asm/required-features.h").exists() {
            continue;
        }
        let facts = clean_linux(&tree);
        let conditions: Vec<Condition> =
            facts.configs.iter().map(|config| condition(config.condition.as_deref())).collect();
        let all: BTreeSet<&str> = conditions.iter().flat_map(Condition::options).collect();
        let mut settings: Vec<BTreeSet<&str>> = vec![BTreeSet::new(), all.clone(), ["X86_64"].into()];
        for option in &all {
            settings.push([*option].into());
            settings.push([*option, "X86_64"].into());
            settings.push(all.iter().filter(|other| *other != option).copied().collect());
        }
        for (options, mut stated) in settings.iter().zip(masks(&folder, &tree, &settings)) {
            stated.retain(|_, mask| *mask != 0);
            assert_eq!(our_masks(&facts, options), stated, "{} with {options:?}", tree.name);
        }
        // 1<<13 & 31 is zero: the only feature that the header names without effect, in all releases.
        let vain: Vec<&str> = facts
            .configs
            .iter()
            .filter(|config| config.kind == ConfigKind::Named)
            .map(|config| config.name.as_str())
            .collect();
        assert_eq!(vain, ["PGE"], "{}", tree.name);
        println!("{}: {} rows under {} configurations", tree.name, facts.configs.len(), settings.len());
    }
}

/// Kconfig.cpufeatures read line by line, with an independent evaluator.
#[test]
fn kconfig_matches_an_independent_reader() {
    const TEST: &str = "kconfig_matches_an_independent_reader";
    for tree in trees(TEST, "linux-") {
        let Ok(text) = fs::read_to_string(tree.path.join("arch/x86/Kconfig.cpufeatures")) else { continue };
        let facts = clean_linux(&tree);
        let mut entries: Vec<(String, Vec<String>)> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix("config X86_") {
                entries.push((name.replace("_FEATURE_", " "), Vec::new()));
            } else if let Some(needs) = line.trim().strip_prefix("depends on ") {
                entries.last_mut().unwrap().1.push(needs.to_owned());
            }
        }
        assert_eq!(entries.len(), facts.configs.len(), "{}", tree.name);
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let options: BTreeSet<&str> = entries
            .iter()
            .flat_map(|(_, needs)| needs)
            .flat_map(|text| text.split(|c| !word(c)))
            .filter(|name| !name.is_empty())
            .collect();
        for on in settings(&options) {
            // Without parentheses: an || of && of options and !options.
            let atom = |text: &str| match text.trim().strip_prefix('!') {
                Some(option) => !on.contains(option.trim()),
                None => on.contains(text.trim()),
            };
            let holds = |text: &String| text.split("||").any(|part| part.split("&&").all(atom));
            for ((name, needs), config) in entries.iter().zip(&facts.configs) {
                let ours = format!("{} {}", config.kind.name().to_uppercase(), config.name);
                assert_eq!((name, needs.iter().any(|text| text.contains('('))), (&ours, false));
                let expected = needs.iter().all(holds);
                let found = condition(config.condition.as_deref()).holds(&|name| on.contains(name));
                assert_eq!(found, expected, "{}: {name} with {on:?}", tree.name);
            }
        }
        println!("{}: {} entries over {} options", tree.name, entries.len(), options.len());
    }
}

/// No options, all, each alone, each pair, and all but each.
fn settings<'o>(options: &BTreeSet<&'o str>) -> Vec<BTreeSet<&'o str>> {
    let mut all = vec![BTreeSet::new(), options.clone()];
    for one in options {
        all.push(options.iter().filter(|other| *other != one).copied().collect());
        all.extend(options.iter().map(|other| [*one, *other].into()));
    }
    all
}

/// cpuid.csv read like kcpuid.c: `strtok` at commas and colons, `strtoul` with any base.
#[test]
fn fields_match_kcpuid() {
    const TEST: &str = "fields_match_kcpuid";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let csv = tree.path.join("tools/arch/x86/kcpuid/cpuid.csv");
        if !csv.exists() {
            continue;
        }
        let stated =
            compile_and_run(&folder, &KCPUID.replace("CSV_PATH", &csv.display().to_string()), &[]).unwrap();
        let mut ours = String::new();
        for field in clean_linux(&tree).cpuid_fields {
            let (first, last) = (field.first.0, field.last.0);
            ours.push_str(&format!(
                "{} {first} {last} {} {} {} {}\n",
                field.leaf.0,
                field.register.name().to_lowercase(),
                field.low.0,
                field.high.0,
                field.name
            ));
        }
        assert_eq!(ours, stated, "{}", tree.name);
        println!("{}: {} fields", tree.name, stated.lines().count());
    }
}

/// An independent program with the grammar documented at the head of the file.
const KCPUID: &str = r##"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void range(char *text, unsigned long *low, unsigned long *high) {
    char *colon = strchr(text, ':');
    *high = strtoul(text, NULL, 0);
    *low = colon ? strtoul(colon + 1, NULL, 0) : *high;
}
int main(void) {
    static char line[4096];
    FILE *file = fopen("CSV_PATH", "r");
    while (fgets(line, sizeof line, file)) {
        char *start = line + strspn(line, " \t"), *column[5], name[64], reg[8];
        unsigned long first, last, low, high;
        if (*start == '#' || *start == '\n') continue;
        for (int i = 0; i < 5; i++) column[i] = strtok(i ? NULL : start, ",");
        range(column[1], &first, &last);
        range(column[3], &low, &high);
        sscanf(column[2], "%7s", reg);
        sscanf(column[4], "%63s", name);
        for (char *c = reg; *c; c++) *c = tolower(*c);
        printf("%lu %lu %lu %s %lu %lu %s\n", strtoul(column[0], NULL, 0), first, last, reg, low, high, name);
    }
}
"##;
