//! The C header has the model's values, as gcc compiles it; the JSON fits its schema and has the same.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::fs;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::input;
use cpuid_gen::languages::{SCHEMA, generate_c, generate_json};
use cpuid_gen::location::WordSource;
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use serde_json::{Value, json};

fn model() -> Model {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
    let published = input::published(&mut sources, &mut diagnostics);
    Model::merge_published(&linux, &qemu, &published).0
}

/// The program prints each constant by its name, then both tables.
fn program(model: &Model) -> String {
    let mut main = String::new();
    for feature in &model.features {
        let name = &feature.constant;
        let line = format!(
            r#"printf("%s %u %u %d %d %u\n", "{name}", CPUID_{name}_LEAF, CPUID_{name}_SUBLEAF, CPUID_{name}_REG, CPUID_{name}_BIT, CPUID_{name}_MASK);"#
        );
        writeln!(main, "    {line}").unwrap();
    }
    for bit in &model.msr {
        let name = &bit.constant;
        writeln!(main, r#"    printf("%s %u %llu\n", "{name}", CPUID_MSR_{name}_MSR, (unsigned long long)CPUID_MSR_{name}_MASK);"#)
            .unwrap();
    }
    format!(
        r#"#include <stdio.h>
#include "cpuid_tables.h"
static const char *or(const char *text) {{ return text ? text : "-"; }}
int main(void) {{
{main}
    for (int i = 0; i < CPUID_TABLES_BITS; i++) {{
        const struct cpuid_tables_bit *b = &cpuid_tables_bits[i];
        printf("bit %s %s %s %s %u %u %u %u\n", b->name, or(b->linux_name), or(b->flag), or(b->qemu), b->leaf, b->subleaf, b->reg, b->bit);
    }}
    for (int i = 0; i < CPUID_TABLES_MODELS; i++) {{
        const struct cpuid_tables_model *m = &cpuid_tables_models[i];
        printf("model %s %s %s %u %u %u %u %u\n", m->name, or(m->alias), m->vendor, m->family, m->model, m->stepping, m->level, m->xlevel);
        for (unsigned w = m->first; w < m->first + m->count; w++) {{
            const struct cpuid_tables_word *word = &cpuid_tables_model_words[w];
            printf("word %u %u %u %llu\n", word->leaf, word->subleaf, word->reg, (unsigned long long)word->mask);
        }}
    }}
    return 0;
}}
"#
    )
}

/// What the program should print, by the model.
fn expected(model: &Model) -> String {
    let mut out = String::new();
    for feature in &model.features {
        let (word, bit) = (feature.location.word, feature.location.bit.0);
        let (leaf, subleaf, register) = (word.leaf.0, word.subleaf.0, word.register as u8);
        writeln!(out, "{} {leaf} {subleaf} {register} {bit} {}", feature.constant, 1_u32 << bit).unwrap();
    }
    for bit in &model.msr {
        writeln!(out, "{} {} {}", bit.constant, bit.msr.0, 1_u64 << bit.bit.0).unwrap();
    }
    let or = |text: Option<&str>| text.unwrap_or("-").to_owned();
    for feature in &model.features {
        let newest = feature.linux.iter().rev().find(|view| view.name.is_some());
        let linux = or(newest.and_then(|view| view.name.as_deref()));
        let flag = or(newest.and_then(|view| view.flag.as_deref()));
        let qemu = or(feature.qemu.iter().rev().find_map(|view| view.name.as_deref()));
        let (word, bit) = (feature.location.word, feature.location.bit.0);
        let (leaf, subleaf, register) = (word.leaf.0, word.subleaf.0, word.register as u8);
        writeln!(out, "bit {} {linux} {flag} {qemu} {leaf} {subleaf} {register} {bit}", feature.constant)
            .unwrap();
    }
    let qemu = model.qemu.last().unwrap();
    for of in &qemu.models {
        for version in &of.versions {
            let d = &version.definition;
            let alias = or(version.alias.as_deref());
            let numbers = [d.family, d.model, d.stepping, d.level, d.xlevel].map(|n| n.to_string()).join(" ");
            writeln!(out, "model {}-v{} {alias} {} {numbers}", of.name, version.version, d.vendor).unwrap();
            for (word, mask) in &d.words {
                let line = match qemu.sources.get(word).unwrap() {
                    WordSource::Cpuid(word) => {
                        format!("{} {} {}", word.leaf.0, word.subleaf.0, word.register as u8)
                    }
                    WordSource::Msr(msr) => format!("{} 0 4", msr.0),
                };
                writeln!(out, "word {line} {mask}").unwrap();
            }
        }
    }
    out
}

#[test]
fn c_header_compiles_and_has_every_value() {
    if !common::have("c_header_compiles_and_has_every_value", "gcc") {
        return;
    }
    let model = model();
    let folder = common::scratch("c-header");
    let header = generate_c(&model).unwrap();
    fs::write(folder.join(header.name), &header.text).unwrap();
    let strict = ["-Wall", "-Wextra", "-Werror", "-pedantic"];
    // Without a warning, also where nothing of it is used, and as C++.
    for language in [&["-x", "c", "-std=c99"][..], &["-x", "c++", "-std=c++11"]] {
        let mut gcc = std::process::Command::new("gcc");
        gcc.args(language).args(strict).arg("-fsyntax-only").arg(folder.join(header.name));
        common::run(&mut gcc).unwrap();
    }
    let printed = common::compile_and_run(&folder, &program(&model), &["-std=c99"]).unwrap();
    let expected = expected(&model);
    assert!(expected.lines().count() > 2000);
    for (printed, expected) in printed.lines().zip(expected.lines()) {
        assert_eq!(printed, expected);
    }
    assert_eq!(printed.lines().count(), expected.lines().count());
}

/// Names that a kernel has: the header must not use them for something else.
const KERNEL: &str = "\
enum cpuid_regs_idx { CPUID_EAX = 0, CPUID_EBX, CPUID_ECX, CPUID_EDX };
struct cpuid_bit { int feature; };
static const struct cpuid_bit cpuid_bits[] = { { CPUID_EDX } };
struct cpuid_regs { unsigned int regs[4]; };
#include \"cpuid_tables.h\"
int known(void);
int known(void) { return cpuid_bits[0].feature + (CPUID_AVX2_REG == CPUID_TABLES_EBX); }
";

#[test]
fn c_header_can_be_used_in_a_kernel() {
    if !common::have("c_header_can_be_used_in_a_kernel", "gcc") {
        return;
    }
    let folder = common::scratch("c-header-kernel");
    let header = generate_c(&model()).unwrap();
    fs::write(folder.join(header.name), &header.text).unwrap();
    fs::create_dir_all(folder.join("linux")).unwrap();
    let types = "typedef unsigned char uint8_t;\ntypedef unsigned int uint32_t;\ntypedef unsigned long long uint64_t;\n";
    fs::write(folder.join("linux/types.h"), types).unwrap();
    fs::write(folder.join("kernel.c"), KERNEL).unwrap();
    for more in [&["-D__KERNEL__", "-nostdinc"][..], &[]] {
        let mut gcc = std::process::Command::new("gcc");
        gcc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]).args(more);
        common::run(gcc.arg("-I").arg(&folder).arg(folder.join("kernel.c"))).unwrap();
    }
}

/// Checks a value by the part of JSON Schema that the schema uses; an unknown keyword fails.
fn fits(value: &Value, schema: &Value, at: &str) {
    for (keyword, rule) in schema.as_object().unwrap() {
        let ok = match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => true,
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                let all: Value = serde_json::from_str(SCHEMA).unwrap();
                fits(value, &all["$defs"][name], at);
                true
            }
            "type" => match rule.as_array() {
                Some(any) => any.iter().any(|one| is(value, one)),
                None => is(value, rule),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_u64() >= rule.as_u64(),
            "maximum" => value.as_u64() <= rule.as_u64(),
            "pattern" => {
                assert_eq!(rule, "^0x[0-9a-f]+$");
                let digits = value.as_str().unwrap().strip_prefix("0x").unwrap_or("?");
                !digits.is_empty()
                    && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            }
            "required" => {
                rule.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some())
            }
            "items" => {
                for (index, item) in value.as_array().unwrap().iter().enumerate() {
                    fits(item, rule, &format!("{at}[{index}]"));
                }
                true
            }
            "properties" => {
                for (key, value) in value.as_object().unwrap() {
                    let rule = rule.get(key).unwrap_or_else(|| panic!("{at}.{key} is not in the schema"));
                    fits(value, rule, &format!("{at}.{key}"));
                }
                true
            }
            _ => panic!("the schema uses `{keyword}`"),
        };
        assert!(ok, "{at}: {value} does not fit `{keyword}`: {rule}");
    }
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the schema has the type {other}"),
    }
}

#[test]
fn json_fits_its_schema_and_has_the_same() {
    let model = model();
    let [tables, schema] = generate_json(&model).unwrap();
    assert_eq!(schema.text, SCHEMA);
    let tables: Value = serde_json::from_str(&tables.text).unwrap();
    fits(&tables, &serde_json::from_str(SCHEMA).unwrap(), "");
    assert_eq!(tables["features"].as_array().unwrap().len(), model.features.len());
    let avx2 = tables["features"].as_array().unwrap().iter().find(|one| one["constant"] == "AVX2").unwrap();
    let expected = json!({
        "constant": "AVX2", "leaf": 7, "subleaf": 0, "register": "ebx", "bit": 5, "linux": "AVX2", "flag": "avx2",
        "qemu": "avx2", "kvm": "only when the host has it", "needs": ["AVX"],
    });
    assert_eq!(*avx2, expected);
    let versions: usize = model.qemu.last().unwrap().models.iter().map(|model| model.versions.len()).sum();
    assert_eq!(tables["models"].as_array().unwrap().len(), versions);
}
