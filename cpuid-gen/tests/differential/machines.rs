//! Compares machine types, default properties and the properties of `-cpu` with gcc's values of the same tables.
//!
//! gcc compiles every table and prints its rows. The tables that each options function adds are extracted from the
//! text, and gcc runs functions that only add them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cpuid_gen::facts::QemuFacts;
use cpuid_gen::facts::records::QemuDefault;

use super::qemu::{Files, OPTIONS};
use crate::common::text::{braced, directives, without_comments};
use crate::common::{Tree, clean_qemu, compile_and_run, have, scratch, trees};

/// A machine type's compatibility properties with its base's: type, property, value.
pub(crate) fn resolved<'f>(facts: &'f QemuFacts, machine: &str) -> Vec<Vec<&'f str>> {
    let row = facts.machines.iter().find(|row| row.name == machine).unwrap_or_else(|| panic!("{machine}"));
    let mut out = row.base.as_deref().map_or(Vec::new(), |base| resolved(facts, base));
    let own = facts.compat.iter().filter(|row| row.machine == machine && row.of != "kvm-default");
    out.extend(own.map(|row| vec![row.of.as_str(), row.property.as_str(), row.value.as_deref().unwrap()]));
    out
}

fn read(tree: &Path, path: &str) -> String {
    without_comments(&fs::read_to_string(tree.join(path)).unwrap_or_default())
}

/// The first existing file of these names, without comments; empty if none exists.
fn first(tree: &Path, paths: &[&str]) -> String {
    paths.iter().map(|path| read(tree, path)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// The `{...}` of every `TYPE NAME[] = {...}`, by name; `scope` distinguishes tables of the same name.
fn tables(text: &str, of: &str, scope: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (at, _) in text.match_indices(&format!("{of} ")) {
        let rest = &text[at + of.len() + 1..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap();
        if rest[end..].starts_with("[] = {") {
            found.insert(format!("{scope}{}", &rest[..end]), braced(rest, end).to_owned());
        }
    }
    found
}

/// Compiles and runs; a name that gcc does not know becomes a string, like the names of other devices.
fn with_unknown_names(folder: &Path, start: &str, rest: &str) -> String {
    let mut unknown = BTreeSet::new();
    loop {
        let defines: String = unknown.iter().map(|name| format!("#define {name} \"{name}\"\n")).collect();
        match compile_and_run(folder, &format!("{start}{defines}{rest}"), &OPTIONS) {
            Ok(stated) => return stated,
            Err(errors) => {
                let before = unknown.len();
                for line in errors.lines().filter(|line| line.contains("undeclared")) {
                    let quoted = line.split(['\'', '‘', '’']).nth(1).unwrap();
                    unknown.insert(quoted.to_owned());
                }
                // Next to a string, an unknown name is just a syntax error.
                for line in errors.lines().filter(|line| line.contains("before")) {
                    let quoted = line.split(['\'', '‘', '’']).nth(1).unwrap_or_default();
                    unknown.extend(quoted.starts_with("TYPE_").then(|| quoted.to_owned()));
                }
                assert!(unknown.len() > before, "{errors}");
            }
        }
    }
}

/// One file with machine types, as text.
struct Board {
    /// Options functions: their calls and additions, in order, as C.
    functions: BTreeMap<String, String>,
    /// Machine types and their options functions.
    machines: BTreeMap<String, String>,
}

fn board(text: &str, tables_of: &mut BTreeMap<String, String>) -> Board {
    let mut board = Board { functions: BTreeMap::new(), machines: BTreeMap::new() };
    for (at, head) in text.match_indices("_options(MachineClass *m)\n{") {
        let start = text[..at].rfind(|c: char| !c.is_alphanumeric() && c != '_').unwrap() + 1;
        let name = text[start..at + "_options".len()].to_owned();
        let body = braced(text, at + head.len() - 1);
        let local = tables(body, "GlobalProperty", &format!("{name}_"));
        let mut calls: Vec<(usize, String)> = Vec::new();
        for (at, call) in body.match_indices("_options(m);") {
            let start = body[..at].rfind(|c: char| !c.is_alphanumeric() && c != '_').unwrap() + 1;
            calls.push((at, format!("{};", &body[start..at + call.len() - 3].replace("(", "()"))));
        }
        for (at, _) in body.match_indices("compat_props_add(m->compat_props,") {
            let table = body[at..].split(',').nth(1).unwrap().trim();
            let own = format!("{name}_{table}");
            let table = if local.contains_key(&own) { own } else { table.to_owned() };
            calls.push((at, format!("SHOW({table});")));
        }
        for (at, _) in body.match_indices("SET_MACHINE_COMPAT(m, ") {
            let rows = body[at..].split([',', ')']).nth(1).unwrap().trim();
            tables_of.insert(format!("{name}_set"), format!("{{ {rows} {{ }} }}"));
            // 2.5 replaces the list.
            calls.push((at, format!("SET({name}_set);")));
        }
        calls.sort();
        tables_of.extend(local);
        board.functions.insert(name, calls.into_iter().map(|(_, call)| call).collect());
    }
    let defined = text.match_indices("\nDEFINE_").map(|(at, _)| &text[at + 1..]);
    for define in defined {
        let arguments = &define[define.find('(').unwrap() + 1..define.find(')').unwrap()];
        let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
        let family = if define.contains("Q35") { "q35" } else { "i440fx" };
        let (machine, options) = if arguments[0].parse::<u32>().is_ok() {
            let options = format!("pc_{family}_machine_{}_options", arguments.join("_"));
            (format!("pc-{family}-{}", arguments.join(".")), options)
        } else {
            (arguments[1].trim_matches('"').to_owned(), arguments.last().unwrap().to_string())
        };
        if !machine.starts_with("xenfv") && !machine.contains("igd") {
            board.machines.insert(machine, options);
        }
    }
    board
}

/// The properties that each machine type sets in CPUs according to gcc, and the number of compiled tables.
fn stated(folder: &Path, tree: &Path) -> (BTreeMap<String, Vec<Vec<String>>>, usize) {
    let mut known = BTreeMap::new();
    let headers = ["include/hw/compat.h", "include/hw/i386/pc.h"];
    let mut start = "#include <stdbool.h>\n#include <stddef.h>\n#include <stdio.h>\n#include <string.h>\n\
        typedef struct GlobalProperty { const char *driver, *property, *value; int used, optional; } GlobalProperty;\n"
        .to_owned();
    let qom = first(tree, &["target/i386/cpu-qom.h", "target-i386/cpu-qom.h"]);
    start.push_str(&directives(&qom));
    start.push_str("#define tostring(s) #s\n#define stringify(s) tostring(s)\n");
    for path in headers {
        start.push_str(&directives(&read(tree, path)));
    }
    for path in ["hw/core/machine.c", "hw/i386/pc.c"] {
        let text = read(tree, path);
        start.push_str(&directives(&text));
        known.extend(tables(&text, "GlobalProperty", ""));
    }
    let mut boards = Vec::new();
    for path in ["hw/i386/pc_piix.c", "hw/i386/pc_q35.c"] {
        let text = read(tree, path);
        start.push_str(&directives(&text));
        known.extend(tables(&text, "GlobalProperty", ""));
        boards.push(board(&text, &mut known));
    }
    let mut program = String::new();
    for (name, rows) in &known {
        program.push_str(&format!("GlobalProperty {name}[] = {rows};\n"));
    }
    let replaces = start.contains("(m)->compat_props = props");
    program.push_str(&format!(
        "GlobalProperty *list[9999]; int length;\n\
         static void show(GlobalProperty *rows, int count) {{ for (int i = 0; i < count; i++) \
         if (rows[i].driver) list[length++] = rows + i; }}\n\
         #define SHOW(t) show(t, sizeof(t) / sizeof(*t))\n#define SET(t) {} SHOW(t)\n",
        if replaces { "length = 0;" } else { "" }
    ));
    let declared: BTreeSet<&String> = boards.iter().flat_map(|board| board.functions.keys()).collect();
    program.extend(declared.iter().map(|name| format!("static void {name}(void);\n")));
    for board in &boards {
        program.extend(
            board.functions.iter().map(|(name, calls)| format!("static void {name}(void) {{ {calls} }}\n")),
        );
    }
    program.push_str("int main(void) {\n");
    for (machine, options) in boards.iter().flat_map(|board| &board.machines) {
        program.push_str(&format!(
            "length = 0; {options}(); printf(\"{machine}\\n\"); for (int i = 0; i < length; i++) {{\n\
             const char *end = strstr(list[i]->driver, \"x86_64-cpu\");\n\
             if (end && !end[10]) printf(\"\\t%s\\t%s\\t%s\\n\", list[i]->driver, list[i]->property, list[i]->value); }}\n"
        ));
    }
    program.push_str("}\n");
    let mut machines: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    let mut machine = String::new();
    for line in with_unknown_names(folder, &start, &program).lines() {
        match line.strip_prefix('\t') {
            None => {
                machine = line.to_owned();
                machines.entry(machine.clone()).or_default();
            }
            Some(row) => {
                let row = row.split('\t').map(str::to_owned).collect();
                machines.get_mut(&machine).unwrap().push(row);
            }
        }
    }
    (machines, known.len())
}

#[test]
fn compatibility_properties_match_gcc() {
    const TEST: &str = "compatibility_properties_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "qemu-") {
        let facts = clean_qemu(&tree);
        let (machines, tables) = stated(&folder, &tree.path);
        let mut rows = 0;
        for machine in &facts.machines {
            match machines.get(&machine.name) {
                Some(stated) => {
                    assert_eq!(&resolved(&facts, &machine.name), stated, "{}: {}", tree.name, machine.name)
                }
                // Their files have no tables for CPUs.
                None => assert!(
                    ["isapc", "microvm"].contains(&machine.name.as_str()),
                    "{}: gcc doesn't see {}",
                    tree.name,
                    machine.name
                ),
            }
            rows += resolved(&facts, &machine.name).len();
        }
        for machine in machines.keys() {
            let ours = facts.machines.iter().any(|ours| ours.name == *machine);
            assert!(ours || is_deleted(&facts.release, machine), "{}: {machine} is missing", tree.name);
        }
        println!("{}: {} machine types, {tables} tables, {rows} properties", tree.name, facts.machines.len());
    }
}

/// Since 10.1, machine types older than six years are removed: in 10.2 that of 4.2.
fn is_deleted(release: &str, machine: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap()).collect() };
    let (release, machine) = (numbers(release), numbers(machine.rsplit('-').next().unwrap()));
    let release = (release[0], release[1]);
    release >= (10, 1) && release >= (machine[0] + 6, machine[1])
}

/// Names and values of a `PropValue` table, from gcc.
fn prop_values(folder: &Path, text: &str, names: &[&str]) -> Option<Vec<(String, Option<String>)>> {
    let known = tables(text, "PropValue", "");
    let rows = names.iter().find_map(|name| known.get(*name))?;
    let program = format!(
        "#include <stdio.h>\nstruct {{ const char *prop, *value; }} rows[] = {rows}, *row;\n\
         int main(void) {{ for (row = rows; row->prop; row++) printf(\"%s\\t%s\\n\", row->prop, row->value ? row->value : \"-\"); }}\n"
    );
    let stated = compile_and_run(folder, &program.replace("NULL", "0"), &OPTIONS).unwrap();
    let row = |line: &str| {
        let (property, value) = line.split_once('\t').unwrap();
        (property.to_owned(), (value != "-").then(|| value.to_owned()))
    };
    Some(stated.lines().map(row).collect())
}

#[test]
fn default_properties_match_gcc() {
    const TEST: &str = "default_properties_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "qemu-") {
        let facts = clean_qemu(&tree);
        let paths = ["cpu.c", "kvm/kvm-cpu.c", "tcg/tcg-cpu.c"];
        let text: String = paths
            .iter()
            .flat_map(|path| ["target", "target-"].map(|top| format!("{top}/i386/{path}").replace("-/", "-")))
            .map(|path| read(&tree.path, &path))
            .collect();
        let plain = |rows: &[QemuDefault]| -> Vec<(String, Option<String>)> {
            rows.iter().map(|row| (row.property.clone(), row.value.clone())).collect()
        };
        let kvm = prop_values(&folder, &text, &["kvm_default_props"]).unwrap();
        let tcg = prop_values(&folder, &text, &["x86_tcg_default_props", "tcg_default_props"]);
        assert_eq!(plain(&facts.kvm_defaults), kvm, "{}", tree.name);
        assert_eq!(plain(&facts.tcg_defaults), tcg.unwrap_or_default(), "{}", tree.name);
        println!("{}: {} for KVM, {} for TCG", tree.name, kvm.len(), facts.tcg_defaults.len());
    }
}

/// Macros that expand a property's row to text: name, kind, field, bit, default.
const PROPERTY_MACROS: &str = "\
    #define DEFINE_PROP_BOOL(n, s, f, d) { n, \"bool\", #f, -1, d, 1 }\n\
    #define DEFINE_PROP_UINT8(n, s, f, d) { n, \"uint8\", #f, -1, (unsigned char)(d) }\n\
    #define DEFINE_PROP_UINT16(n, s, f, d) { n, \"uint16\", #f, -1, (unsigned short)(d) }\n\
    #define DEFINE_PROP_UINT32(n, s, f, d) { n, \"uint32\", #f, -1, (unsigned)(d) }\n\
    #define DEFINE_PROP_UINT64(n, s, f, d) { n, \"uint64\", #f, -1, (unsigned long)(d) }\n\
    #define DEFINE_PROP_INT32(n, s, f, d) { n, \"int32\", #f, -1, (int)(d) }\n\
    #define DEFINE_PROP_BIT64(n, s, f, b, d) { n, \"bit64\", #f, b, d }\n\
    #define DEFINE_PROP_STRING(n, s, f) { n, \"string\", #f, -1, 0, 2 }\n\
    #define DEFINE_PROP_UINT64_CHECKMASK(n, s, f, d) { n, \"uint64_checkmask\", #f, -1, 0, 2 }\n\
    #define DEFINE_PROP_ON_OFF_AUTO(n, s, f, d) { n, \"on_off_auto\", #f, -1, d, 3 }\n\
    #define DEFINE_PROP_END_OF_LIST() { }\n\
    #define CPU_UNSET_NUMA_NODE_ID -1\n\
    enum { ON_OFF_AUTO_AUTO, ON_OFF_AUTO_ON, ON_OFF_AUTO_OFF };\n\
    enum { qdev_prop_spinlocks };\n\
    struct row { const char *name, *kind, *field; int bit; long value; int form; const char *info; };\n";

#[test]
fn properties_match_gcc() {
    const TEST: &str = "properties_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "qemu-") {
        let facts = clean_qemu(&tree);
        let files = Files::of(&tree.path);
        let source = without_comments(&fs::read_to_string(&files.source).unwrap());
        let known = tables(&source, "Property", "");
        let names = ["x86_cpu_properties", "max_x86_cpu_properties", "host_x86_cpu_properties"];
        let mut program = files.definitions("") + PROPERTY_MACROS;
        let mut main = String::new();
        for name in names.iter().filter(|name| known.contains_key(**name)) {
            let rows =
                known[*name].replace(".info  = &", ".info = ").replace(".info = qdev", ".info = #qdev");
            let rows = rows.replace(".info = #qdev_prop_spinlocks", ".info = \"spinlocks\"");
            let rows = rows.replace("#ifdef", "\n#ifdef");
            program.push_str(&format!("struct row {name}[] = {rows};\n"));
            main.push_str(&format!("show({name}, sizeof({name}) / sizeof(*{name}));\n"));
        }
        program.push_str(
            "static void show(struct row *r, int count) { for (; count--; r++) { if (!r->name) continue;\n\
             if (r->info) { printf(\"%s %s - - -\\n\", r->name, r->info); continue; }\n\
             printf(\"%s %s %s \", r->name, r->kind, r->field); if (r->bit < 0) printf(\"- \"); else printf(\"%d \", r->bit);\n\
             if (r->form == 1) puts(r->value ? \"true\" : \"false\"); else if (r->form == 2) puts(\"-\");\n\
             else if (r->form == 3) puts(r->value == 0 ? \"auto\" : r->value == 1 ? \"on\" : \"off\");\n\
             else printf(\"%ld\\n\", r->value); } }\n",
        );
        program.push_str(&format!("int main(void) {{ {main} }}\n"));
        let stated = compile_and_run(&folder, &program, &OPTIONS).unwrap();
        let from_tables =
            facts.properties.iter().filter(|row| row.field.is_some() || row.kind == "spinlocks");
        let ours: Vec<String> = from_tables
            .map(|row| {
                let bit = row.bit.map_or("-".to_owned(), |bit| bit.0.to_string());
                let or = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
                format!("{} {} {} {bit} {}", row.name, row.kind, or(&row.field), or(&row.default))
            })
            .collect();
        assert_eq!(ours, stated.lines().collect::<Vec<_>>(), "{}", tree.name);
        println!("{}: {} rows", tree.name, ours.len());
    }
}

/// The table of Hyper-V's properties, from gcc: the property's bit, location and mask; and its dependencies.
fn hyperv_said(folder: &Path, tree: &Tree, text: &str) -> Option<String> {
    let end = text.find("} kvm_hyperv_properties[] = {")?;
    let start = text[..end].rfind("static struct {").unwrap();
    let rows = braced(text, end + 1);
    let layout = &text[start + "static ".len()..end + 1];
    let files = Files::of(&tree.path);
    let proto = first(&tree.path, &["target/i386/kvm/hyperv-proto.h", "target/i386/hyperv-proto.h"]);
    let word = layout.contains("fw;");
    let place = if word { "f->fw" } else { "f->func, f->reg" };
    let format = if word { "word %d" } else { "%u %d" };
    let program = format!(
        "{}{}{layout} rows[] = {rows};\nint main(void) {{ for (int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {{\n\
         for (int j = 0; j < sizeof(rows[i].flags) / sizeof(rows[i].flags[0]); j++) {{ __typeof__(rows[0].flags[0]) *f = \
         &rows[i].flags[j]; if (f->bits) printf(\"%d {format} %x\\n\", i, {place}, f->bits); }}\n\
         for (int j = 0; j < 64; j++) if (rows[i].dependencies >> j & 1) printf(\"%d needs %d\\n\", i, j); }} }}\n",
        files.definitions(""),
        directives(&proto),
    );
    Some(compile_and_run(folder, &program, &OPTIONS).unwrap())
}

#[test]
fn hyperv_properties_match_gcc() {
    const TEST: &str = "hyperv_properties_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "qemu-") {
        let facts = clean_qemu(&tree);
        let text = first(&tree.path, &["target/i386/kvm/kvm.c", "target/i386/kvm.c"]);
        let Some(stated) = hyperv_said(&folder, &tree, &text) else {
            assert!(facts.hyperv.is_empty(), "{}", tree.name);
            continue;
        };
        let bit = |name: &str| {
            let row = facts.properties.iter().find(|row| row.name == name).unwrap();
            row.bit.unwrap().0
        };
        let mut ours = BTreeSet::new();
        for row in &facts.hyperv {
            let register = [0, 3, 1, 2][row.register as usize];
            ours.insert(format!("{} {} {register} {:x}", bit(&row.property), row.leaf.0, row.mask));
        }
        let words: BTreeMap<u16, String> = facts
            .words
            .iter()
            .filter_map(|word| {
                let at = word.source.cpuid_word()?;
                let register = [0, 3, 1, 2][at.register as usize];
                Some((word.index.0, format!("{} {register}", at.leaf.0)))
            })
            .collect();
        for dep in &facts.hyperv_deps {
            ours.insert(format!("{} needs {}", bit(&dep.property), bit(&dep.needs)));
        }
        let located = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
            [index, "word", word, mask] => format!("{index} {} {mask}", words[&word.parse().unwrap()]),
            _ => line.to_owned(),
        };
        let stated: BTreeSet<String> = stated.lines().map(located).collect();
        assert_eq!(ours, stated, "{}", tree.name);
        assert_eq!(ours.len(), facts.hyperv.len() + facts.hyperv_deps.len(), "{}", tree.name);
        println!("{}: {} rows", tree.name, ours.len());
    }
}

/// Aliases: each `object_property_add_alias` in the text.
#[test]
fn aliases_match_the_text() {
    const TEST: &str = "aliases_match_the_text";
    for tree in trees(TEST, "qemu-") {
        let facts = clean_qemu(&tree);
        let source: PathBuf = Files::of(&tree.path).source;
        let text = without_comments(&fs::read_to_string(source).unwrap());
        let calls =
            text.match_indices("object_property_add_alias(").map(|(at, call)| &text[at + call.len()..]);
        let literal = calls.filter(|rest| rest.starts_with("obj, \""));
        let stated: Vec<(&str, &str)> = literal
            .map(|rest| {
                let mut quoted = rest.split('"');
                (quoted.nth(1).unwrap(), quoted.nth(1).unwrap())
            })
            .collect();
        let ours: Vec<(&str, &str)> =
            facts.aliases.iter().map(|alias| (alias.name.as_str(), alias.target.as_str())).collect();
        assert_eq!(ours, stated, "{}", tree.name);
        println!("{}: {} second names", tree.name, ours.len());
    }
}
