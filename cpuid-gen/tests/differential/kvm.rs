//! Compares KVM's capability lists with gcc's preprocessor output for the same lists with printing macros.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cpuid_gen::facts::records::{CapKind, KvmCap};

use crate::common::text::{braced, without_comments};
use crate::common::{clean_linux, have, preprocess, scratch, trees};

/// All macros of lists, old and new, defined as the text `@ KIND "NAME"`.
fn markers() -> String {
    let mut out = String::new();
    for (kind, name) in CapKind::ALL {
        if !matches!(kind, CapKind::Set | CapKind::Clear) {
            out.push_str(&format!("#define {name}(x) @ {name} #x\n"));
        }
    }
    out.push_str("#define __feature_bit(x) @ F #x\n#define BIT(x) @ F \"BIT(\" #x \")\"\n");
    for call in ["mask", "init", "init_kvm_defined", "init_scattered"] {
        out.push_str(&format!("#define kvm_cpu_cap_{call}(word, ...) @ leaf #word __VA_ARGS__ @ end ;\n"));
    }
    for (call, kind) in [("set", "set"), ("check_and_set", "set"), ("clear", "clear")] {
        out.push_str(&format!("#define kvm_cpu_cap_{call}(x) @ {kind} #x\n"));
    }
    out
}

/// The function's body after conditionals, without comments.
fn function(folder: &Path, tree: &Path) -> Option<String> {
    let source = fs::read_to_string(tree.join("arch/x86/kvm/cpuid.c")).unwrap();
    let names = ["void kvm_initialize_cpu_caps(void)", "void kvm_set_cpu_caps(void)"];
    let at = names.iter().find_map(|name| source.find(&format!("{name}\n")))?;
    let end = at + source[at..].find("\n}\n").unwrap() + 3;
    let active = preprocess(folder, &source[at..end], &["-P", "-DCONFIG_X86_64"]).unwrap();
    Some(braced(&active, 0).to_owned())
}

/// Leaf, kind and name of each mention, in order.
fn stated(folder: &Path, body: &str) -> Vec<(String, String, String)> {
    let mut source = markers();
    for (at, _) in body.match_indices("unsigned int f_") {
        let (name, rest) = body[at + "unsigned int ".len()..].split_once('=').unwrap();
        source.push_str(&format!("#define {name} {}\n", rest.split(';').next().unwrap().replace('\n', " ")));
    }
    let body = body.replace("unsigned int f_", "unsigned int local_");
    // `if (cpuid_ecx(7) & F(LA57))` is a test, not a list.
    let body = without_conditions(&body);
    let out = preprocess(folder, &(source + &body), &["-P"]).unwrap();
    let parts: Vec<&str> = out.split('@').collect();
    let mut found = Vec::new();
    let mut leaf = String::from("-");
    for (index, part) in parts.iter().enumerate().skip(1) {
        let mut words = part.split_whitespace();
        let kind = words.next().unwrap();
        let name: String = part.split('"').skip(1).step_by(2).collect();
        match kind {
            "leaf" => leaf = name,
            "end" => leaf = "-".to_owned(),
            "set" | "clear" => {
                found.push(("-".to_owned(), kind.to_owned(), name.replace("X86_FEATURE_", "")));
            }
            // The features in a local variable count where the variable is used.
            _ if is_local(parts[index - 1]) => {}
            _ if parts[index - 1].contains("kvm_cpu_caps[") => {
                let word = parts[index - 1].split("kvm_cpu_caps[").nth(1).unwrap();
                found.push((word[..word.find(']').unwrap()].to_owned(), "set".to_owned(), name));
            }
            _ => found.push((leaf.clone(), kind.to_owned(), name.replace("KVM_X86_FEATURE_", ""))),
        }
    }
    found
}

fn is_local(before: &str) -> bool {
    before.rsplit(';').next().unwrap().contains("local_")
}

/// The same body without the text in the parentheses of each `if`.
fn without_conditions(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find("if (") {
        out.push_str(&rest[..at]);
        let mut depth = 0;
        let end = rest[at..].find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == ')' && depth == 0
        });
        rest = &rest[at + end.unwrap() + 1..];
    }
    out + rest
}

fn ours(caps: &[KvmCap]) -> Vec<(String, String, String)> {
    let leaf = |cap: &KvmCap| cap.leaf_name.clone().unwrap_or_else(|| "-".to_owned());
    caps.iter().map(|cap| (leaf(cap), cap.kind.name().to_owned(), cap.name.clone())).collect()
}

#[test]
fn capability_lists_match_gcc() {
    const TEST: &str = "capability_lists_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let facts = clean_linux(&tree);
        let Some(body) = function(&folder, &tree.path) else {
            lists_in_locals(&folder, &tree.path, &facts.kvm_caps);
            continue;
        };
        let stated = stated(&folder, &body);
        assert!(stated.len() > 100, "{}: {}", tree.name, stated.len());
        assert_eq!(ours(&facts.kvm_caps), stated, "{}", tree.name);
        println!("{}: {} capabilities", tree.name, stated.len());
    }
}

/// Before 5.7 each list is a local variable. Only names are compared, as sets, without those that a list takes from
/// another variable (`f_nx`), which are in no list.
fn lists_in_locals(folder: &Path, tree: &Path, caps: &[KvmCap]) {
    let source = without_comments(&fs::read_to_string(tree.join("arch/x86/kvm/cpuid.c")).unwrap());
    let mut lists = markers();
    let mut locals = markers();
    for (at, _) in source.match_indices("_x86_features =") {
        lists.push_str(source[at..].split(['=', ';']).nth(1).unwrap());
    }
    for (at, _) in source.match_indices("unsigned f_") {
        locals.push_str(source[at..].split(';').next().unwrap());
    }
    let names = |text: &str| -> BTreeSet<String> {
        let out = preprocess(folder, text, &["-P"]).unwrap();
        out.split('@').skip(1).map(|part| part.split('"').nth(1).unwrap().to_owned()).collect()
    };
    let (stated, of_locals) = (names(&lists), names(&locals));
    let listed = caps.iter().filter(|cap| cap.leaf_name.is_some()).map(|cap| cap.name.clone());
    let (shared, ours): (BTreeSet<String>, BTreeSet<String>) =
        listed.partition(|name| of_locals.contains(name) && !stated.contains(name));
    assert!(stated.len() > 80 && shared.len() > 2, "{}: {} {}", tree.display(), stated.len(), shared.len());
    assert_eq!(ours, stated, "{}", tree.display());
}
