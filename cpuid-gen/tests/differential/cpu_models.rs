//! Compares QEMU's CPU models, caches, dependencies and XSAVE components with gcc's values of the same initializers.
//!
//! gcc compiles the tables and the types they use, from the preprocessed cpu.h and cpu.c, and prints rows in the form
//! of facts. Explicit zeros, which C does not distinguish from missing values, are ignored on both sides.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cpuid_gen::facts::{QemuFacts, write_qemu};

use super::qemu::{Files, OPTIONS};
use crate::common::text::{definition, enumerators};
use crate::common::{Tree, clean_qemu, compile_and_run, have, preprocess, scratch, trees};

/// Definitions from other headers.
const START: &str = "#include <stdint.h>\n#include <stdio.h>\n#include <stdbool.h>\n#include <stddef.h>\n\
    typedef uint16_t float16; typedef uint32_t float32; typedef uint64_t float64;\n\
    typedef uint64_t target_ulong;\n\
    typedef struct { uint64_t low; uint16_t high; } floatx80;\n";

/// The same for the preprocessor: `-undef` removes `__x86_64__`, and these macros are from other headers.
const MACROS: &str = "#define BIT(nr) (1UL << (nr))\n#define BIT_ULL(nr) (1ULL << (nr))\n\
    #define MAKE_64BIT_MASK(shift, length) (((~0ULL) >> (64 - (length))) << (shift))\n#define QEMU_PACKED\n\
    #define QEMU_ALIGNED(bytes) __attribute__((aligned(bytes)))\n#ifndef QEMU_HW_VERSION\n\
    #define QEMU_HW_VERSION \"2.5+\"\n#endif\n";

/// The types of the compared tables.
const TABLES: [&str; 6] = [
    "CPUCacheInfo",
    "CPUCaches",
    "CPUID2CacheDescriptorInfo",
    "FeatureDep",
    "ExtSaveArea",
    "X86CPUDefinition",
];

/// The kinds of compared rows.
const KINDS: [&str; 11] = [
    "qemu-model",
    "qemu-model-avx10",
    "qemu-model-deprecated",
    "qemu-model-word",
    "qemu-model-version",
    "qemu-model-prop",
    "qemu-model-cache",
    "qemu-dep",
    "qemu-xsave",
    "qemu-cache",
    "qemu-cache-descriptor",
];

/// A declaration, definition or function at the outermost level.
struct Item<'t> {
    text: &'t str,
    /// The text before the first brace or `=`.
    head: &'t str,
}

impl<'t> Item<'t> {
    /// Splits C without comments and directives into items.
    fn all(text: &'t str) -> Vec<Item<'t>> {
        let (mut items, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0, false);
        let bytes = text.as_bytes();
        for at in 0..bytes.len() {
            match bytes[at] {
                b'"' if at == 0 || bytes[at - 1] != b'\\' => quoted = !quoted,
                _ if quoted => {}
                b'{' | b'(' => depth += 1,
                b'}' | b')' => depth -= 1,
                _ => {}
            }
            let ends = match bytes[at] {
                b';' => true,
                b'}' => Item::new(&text[start..=at]).is_function(),
                _ => false,
            };
            if depth == 0 && !quoted && ends {
                items.push(Item::new(&text[start..=at]));
                start = at + 1;
            }
        }
        items
    }

    fn new(text: &'t str) -> Item<'t> {
        let text = text.trim();
        Item { text, head: text[..text.find(['{', '=']).unwrap_or(text.len())].trim() }
    }

    fn is_function(&self) -> bool {
        self.head.ends_with(')')
    }

    fn is_enum(&self) -> bool {
        self.head.starts_with("enum ") || self.head.starts_with("typedef enum")
    }

    /// True if it defines XSAVE components that several features enable.
    fn has_several_features(&self) -> bool {
        words(self.head).any(|word| word == "ExtSaveArea") && self.text.contains("features[")
    }

    /// True if it initializes one of the compared tables.
    fn is_table(&self) -> bool {
        let given = self.text[self.head.len()..].trim_start().starts_with('=');
        given && words(self.head).any(|word| TABLES.contains(&word))
    }

    /// The types that it defines, if any.
    fn defines(&self) -> Vec<&'t str> {
        let mut names = Vec::new();
        let mut head = words(self.head);
        let is_typedef = self.head.starts_with("typedef");
        if is_typedef {
            head.next();
        }
        if matches!(head.next(), Some("struct" | "union")) && self.text.contains('{') && !self.is_function() {
            names.extend(head.next());
        }
        if is_typedef {
            let end = self.text.rfind(['}']).map_or(self.text, |at| &self.text[at + 1..]);
            let end = &end[..end.find('[').unwrap_or(end.len())];
            names.extend(words(end).last());
        }
        names
    }

    /// The variable's name.
    fn variable(&self) -> &'t str {
        let end = self.head.find('[').unwrap_or(self.head.len());
        words(&self.head[..end]).last().unwrap()
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The tables and all types that they use, in the source's order.
fn needed<'t>(items: &'t [Item<'t>]) -> Vec<&'t Item<'t>> {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut taken = vec![false; items.len()];
    loop {
        let mut grown = false;
        for (item, taken) in items.iter().zip(&mut taken) {
            let names = if item.is_enum() { words(item.text).skip(1).collect() } else { item.defines() };
            let wanted = item.is_table() || names.iter().any(|name| *name != "enum" && used.contains(name));
            if wanted && !*taken {
                *taken = true;
                grown = true;
                used.extend(words(item.text));
            }
        }
        if !grown {
            return items.iter().zip(taken).filter(|(_, taken)| *taken).map(|(item, _)| item).collect();
        }
    }
}

/// The functions that print a cache and a model, for the fields of the release.
fn printers(of: &str) -> String {
    let has = |structure: &str, field: &str| {
        definition(of, &format!("struct {structure}"), "{")
            .is_some_and(|body| words(body).any(|w| w == field))
    };
    let mut out = String::new();
    if has("CPUCacheInfo", "type") {
        let share = has("CPUCacheInfo", "share_level");
        let share = if share {
            "if (c->share_level) printf(\"\\tshare-level=%s\", shares[c->share_level]);"
        } else {
            ""
        };
        out += "static const char *kinds[] = { \"data\", \"instruction\", \"unified\" };\n\
            static void cache(const CPUCacheInfo *c) { printf(\"type=%s\", kinds[c->type]);\n";
        for key in [
            "level",
            "size",
            "line_size",
            "associativity",
            "partitions",
            "sets",
            "lines_per_tag",
            "self_init",
        ]
        .into_iter()
        .chain(["no_invd_sharing", "inclusive", "complex_indexing"])
        {
            let name = key.replace('_', "-");
            out += &format!("if (c->{key}) printf(\"\\t{name}=%llu\", (unsigned long long)c->{key});\n");
        }
        out += &format!("{share} printf(\"\\n\"); }}\n");
    }
    if has("CPUCaches", "l1d_cache") {
        let body = definition(of, "struct CPUCaches", "{").unwrap();
        let address = if body.contains("*l1d_cache") { "" } else { "&" };
        out += "static void caches(const char *prefix, const CPUCaches *all) {\n";
        for slot in ["l1d", "l1i", "l2", "l3"] {
            out += &format!(
                "{{ const CPUCacheInfo *c = {address}all->{slot}_cache;\n\
                 if (c && c->level) {{ printf(\"%s{slot}\\t\", prefix); cache(c); }} }}\n"
            );
        }
        out += "}\n";
    }
    out
}

/// The body of `main` that prints the models.
fn models(of: &str, enum_words: &[&str]) -> String {
    let body = definition(of, "struct X86CPUDefinition", "{").unwrap();
    let has = |field: &str| words(body).any(|word| word == field);
    let version = definition(of, "struct X86CPUVersionDefinition", "{").unwrap_or_default();
    let mut out = "for (size_t i = 0; i < sizeof builtin_x86_defs / sizeof *builtin_x86_defs; i++) {\n\
        const X86CPUDefinition *d = &builtin_x86_defs[i]; char prefix[200];\n\
        const char *id = d->model_id;\n\
        printf(\"qemu-model\\t%s\\t0x%x\\t0x%x\\t%s\\t%d\\t%d\\t%d\\t%s\\n\", d->name, d->level, d->xlevel, d->vendor,\n\
        d->family, d->model, d->stepping, id ? id : \"\");\n"
        .to_owned();
    if has("avx10_version") {
        out +=
            "if (d->avx10_version) printf(\"qemu-model-avx10\\t%s\\t%d\\n\", d->name, d->avx10_version);\n";
    }
    if has("deprecation_note") {
        out += "if (d->deprecation_note) printf(\"qemu-model-deprecated\\t%s\\t%s\\n\", d->name, d->deprecation_note);\n";
    }
    for word in enum_words {
        out += &format!(
            "if (d->features[{word}]) printf(\"qemu-model-word\\t%s\\t{word}\\t0x%llx\\n\", d->name, \
             (unsigned long long)d->features[{word}]);\n"
        );
    }
    if has("cache_info") {
        out += "sprintf(prefix, \"qemu-model-cache\\t%s\\t-\\t\", d->name); if (d->cache_info) caches(prefix, d->cache_info);\n";
    }
    if has("versions") {
        // Since 11.0 a definition has a field for what is a property of its first version in facts.
        let leaf_1f = if has("cpuid_0x1f") {
            "if (v->version == 1 && d->cpuid_0x1f) \
             printf(\"qemu-model-prop\\t%s\\t1\\tx-force-cpuid-0x1f\\ton\\n\", d->name);\n"
        } else {
            ""
        };
        let note = if words(version).any(|word| word == "note") { "v->note" } else { "(char *)0" };
        out += &format!(
            "for (const X86CPUVersionDefinition *v = d->versions; v && v->version; v++) {{ const char *note = {note};\n\
             printf(\"qemu-model-version\\t%s\\t%d\\t%s\\t%s\\n\", d->name, v->version, v->alias ? v->alias : \"-\", \
             note ? note : \"-\");\n{leaf_1f}\
             for (const PropValue *p = v->props; p && p->prop; p++)\n\
             printf(\"qemu-model-prop\\t%s\\t%d\\t%s\\t%s\\n\", d->name, v->version, p->prop, p->value);\n"
        );
        if words(version).any(|word| word == "cache_info") {
            out += "sprintf(prefix, \"qemu-model-cache\\t%s\\t%d\\t\", d->name, v->version);\n\
                if (v->cache_info) caches(prefix, v->cache_info);\n";
        }
        out += "}\n";
        if has("cpuid_0x1f") {
            out += "if (d->cpuid_0x1f && !(d->versions && d->versions->version))\n\
                printf(\"qemu-model-version\\t%s\\t1\\t-\\t-\\nqemu-model-prop\\t%s\\t1\\tx-force-cpuid-0x1f\\ton\\n\", d->name, d->name);\n";
        }
    }
    out + "}\n"
}

/// The body of `main` that prints the other tables.
fn tables(items: &[&Item<'_>]) -> String {
    let word = "words[T[i].X]";
    let mut out = String::new();
    for item in items.iter().filter(|item| item.is_table()) {
        let name = item.variable();
        let each = format!("for (size_t i = 0; i < sizeof {name} / sizeof *{name}; i++)");
        let field = |field: &str| word.replace('T', name).replace('X', field);
        if name == "feature_dependencies" {
            out += &format!(
                "{each} printf(\"qemu-dep\\t%s\\t0x%llx\\t%s\\t0x%llx\\n\", {}, (unsigned long long){name}[i].from.mask, \
                 {}, (unsigned long long){name}[i].to.mask);\n",
                field("from.index"),
                field("to.index")
            );
        } else if name == "x86_ext_save_areas" && items.iter().any(|item| item.has_several_features()) {
            out += &format!(
                "{each} for (size_t j = 0; j < sizeof {name}[i].features / sizeof *{name}[i].features; j++) \
                 if ({name}[i].size && {name}[i].features[j].mask) printf(\"qemu-xsave\\t%zu\\t%s\\t%d\\t%u\\t%u\\n\", i, {}, \
                 __builtin_popcountll({name}[i].features[j].mask) == 1 ? __builtin_ctzll({name}[i].features[j].mask) : -1, \
                 (unsigned){name}[i].size, (unsigned){name}[i].offset);\n",
                field("features[j].index")
            );
        } else if name == "x86_ext_save_areas" {
            out += &format!(
                "{each} if ({name}[i].size) printf(\"qemu-xsave\\t%zu\\t%s\\t%d\\t%u\\t%u\\n\", i, {}, \
                 __builtin_popcount({name}[i].bits) == 1 ? __builtin_ctz({name}[i].bits) : -1, \
                 (unsigned){name}[i].size, (unsigned){name}[i].offset);\n",
                field("feature")
            );
        } else if name == "cpuid2_cache_descriptors" {
            out += &format!(
                "{each} if ({name}[i].level || {name}[i].size) printf(\"qemu-cache-descriptor\\t0x%zx\\t%s\\t%d\\t%d\\t%d\\t%d\\n\", \
                 i, kinds[{name}[i].type], {name}[i].level, {name}[i].size, {name}[i].line_size, {name}[i].associativity);\n"
            );
        } else if name.starts_with("legacy_") && words(item.head).any(|word| word == "CPUCaches") {
            out += &format!("caches(\"qemu-cache\\t{name}\\t\", &{name});\n");
        } else if words(item.head).any(|word| word == "CPUCacheInfo") {
            out += &format!("printf(\"qemu-cache\\t{name}\\t-\\t\"); cache(&{name});\n");
        }
    }
    out
}

/// The rows that gcc prints for a tree's tables.
fn stated(folder: &Path, tree: &Tree) -> Result<String, String> {
    let files = Files::of(&tree.path);
    let source = fs::read_to_string(&files.source).unwrap();
    let more = ["include/qemu/units.h", "include/qemu/hw-version.h"];
    let more: String = more.iter().filter_map(|path| fs::read_to_string(tree.path.join(path)).ok()).collect();
    let is_kept =
        |line: &&str| !line.trim_start().starts_with("#include") && !line.trim_start().starts_with("#error");
    let whole = files.before() + &more + MACROS + &files.header() + "\n" + &source;
    let whole: String = whole.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect();
    let text = preprocess(folder, &whole, &[OPTIONS.as_slice(), &["-P"]].concat())?;
    let items = Item::all(&text);
    let items = needed(&items);
    let chosen: String = items.iter().flat_map(|item| [item.text, "\n"]).collect();
    let enum_words = enumerators(definition(&chosen, "enum FeatureWord", "{").unwrap());
    let enum_words: Vec<&str> = enum_words.into_iter().filter(|word| *word != "FEATURE_WORDS").collect();
    let typedef = if chosen.contains("} X86CPUDefinition;") {
        ""
    } else {
        "typedef struct X86CPUDefinition X86CPUDefinition;\n"
    };
    let names: String = enum_words.iter().map(|word| format!("[{word}] = \"{word}\", ")).collect();
    let program = format!(
        "{START}{}{typedef}{chosen}\nstatic const char *words[] = {{ {names} }};\n{}\nint main(void) {{\n{}{}}}\n",
        generated(&chosen),
        printers(&chosen),
        models(&chosen, &enum_words),
        tables(&items)
    );
    compile_and_run(folder, &program, &OPTIONS)
}

/// The enums that QEMU's build generates: kinds of caches (since 10.2), and levels that share a cache, with made-up
/// numbers and their names.
fn generated(chosen: &str) -> String {
    let prefixes = ["CPU_TOPOLOGY_LEVEL_", "CPU_TOPO_LEVEL_"];
    let level = |word: &str| prefixes.iter().find_map(|prefix| word.strip_prefix(prefix)).map(str::to_owned);
    let levels: BTreeSet<(String, String)> =
        words(chosen).filter_map(|word| Some((word.to_owned(), level(word)?))).collect();
    let mut out = String::new();
    if definition(chosen, "enum CacheType", "{").is_none() {
        out += "enum CacheType { DATA_CACHE, INSTRUCTION_CACHE, UNIFIED_CACHE };\n";
    }
    if definition(chosen, "enum CPUTopoLevel", "{").is_none() {
        let names: String = levels.iter().map(|(word, _)| format!("{word}, ")).collect();
        out += &format!("enum {{ NO_LEVEL, {names} }};\n#define CPUTopoLevel CpuTopologyLevel\n");
        out += "enum CpuTopologyLevel { OF_ITS_OWN }; typedef enum CpuTopologyLevel CpuTopologyLevel;\n";
        let names: String =
            levels.iter().map(|(word, level)| format!("[{word}] = \"{}\", ", level.to_lowercase())).collect();
        out += &format!("static const char *shares[] = {{ \"\", {names} }};\n");
    }
    out
}

/// Rows of the compared kinds, without quotes and without rows that represent a zero.
fn ours(facts: &QemuFacts) -> String {
    let text = write_qemu(facts);
    let mut out = String::new();
    for line in text.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let known = KINDS.contains(&columns[0]);
        let zero = match columns[0] {
            "qemu-model-word" => columns[3] == "0x0",
            "qemu-model-avx10" => columns[2] == "0",
            _ => false,
        };
        if known && !zero {
            let plain = |column: &&str| {
                column.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(column).to_owned()
            };
            let mut columns: Vec<String> = columns.iter().map(plain).collect();
            if columns[0] == "qemu-xsave" && columns[5] == "-" {
                columns[5] = "0".to_owned();
            }
            out += &(columns.join("\t") + "\n");
        }
    }
    out
}

/// Lines in order, except for the words of a model, which C has in its own order and are sorted.
fn ordered(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    let kind = |line: &str| line.starts_with("qemu-model-word\t");
    lines
        .chunk_by_mut(|a, b| kind(a) == kind(b))
        .filter(|chunk| kind(chunk[0]))
        .for_each(<[_]>::sort_unstable);
    // The facts may have the tables in another order than C's types.
    lines.sort_by_key(|line| line.split('\t').next().unwrap().to_owned());
    lines
}

#[test]
fn cpu_models_match_gcc() {
    const TEST: &str = "cpu_models_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "qemu-") {
        let stated = stated(&folder, &tree).unwrap_or_else(|error| panic!("{}: {error}", tree.name));
        let ours = ours(&clean_qemu(&tree));
        let (stated, ours) = (ordered(&stated), ordered(&ours));
        for (stated, ours) in stated.iter().zip(&ours) {
            assert_eq!(ours, stated, "{}", tree.name);
        }
        assert_eq!(ours.len(), stated.len(), "{}", tree.name);
        let count = |kind: &str| stated.iter().filter(|line| line.split('\t').next() == Some(kind)).count();
        let counts: Vec<String> = KINDS.iter().map(|kind| format!("{} {kind}", count(kind))).collect();
        println!("{}: {} rows: {}", tree.name, stated.len(), counts.join(", "));
    }
}
