//! Compares what is read of KVM's vendor modules with gcc: their functions are compiled as they are, and run with
//! random parameters, features and answers of the other functions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use cpuid_gen::facts::LinuxFacts;
use cpuid_gen::facts::records::{Condition, KvmModuleCap};
use cpuid_gen::source::Sources;
use cpuid_gen::vocabulary::kvm_module::{KvmModule, ModuleAction};

use crate::common::rng::Rng;
use crate::common::text::without_comments;
use crate::common::{clean_linux, have, scratch, trees};

const RUNS: usize = 300;

/// The main function of each module, and the files that can have functions that it calls.
const MODULES: [(KvmModule, &str, [&str; 4]); 2] = [
    (KvmModule::Intel, "vmx_set_cpu_caps", ["vmx/capabilities.h", "vmx/vmx.c", "pmu.c", "x86.c"]),
    (KvmModule::Amd, "svm_set_cpu_caps", ["svm/svm.c", "svm/sev.c", "pmu.c", "x86.c"]),
];

/// Names of C and of the harness.
const KNOWN: [&str; 9] = ["if", "else", "return", "true", "false", "void", "bool", "static", "inline"];

/// The text of a function of these sources, without its attributes.
fn function(source: &str, name: &str) -> Option<String> {
    let mut from = 0;
    while let Some(at) = source[from..].find(&format!("{name}(void)\n{{")).map(|at| from + at) {
        let start = source[..at].rfind('\n').map_or(0, |at| at + 1);
        if source[start..].starts_with("static")
            || source[start..].starts_with("void")
            || source[start..].starts_with("bool")
        {
            let body = &source[at + name.len() + "(void)".len()..];
            let end = body.find("\n}\n")? + 3;
            return Some(body[..end].to_owned());
        }
        from = at + 1;
    }
    None
}

fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(is_word)?;
        let word = &rest[start..];
        let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
        rest = &word[end..];
        Some((&word[..end], rest))
    })
}

/// A program that reads lines of numbers, one for each input in order, and prints the features that end up set.
struct Harness {
    source: String,
    inputs: Vec<String>,
    features: Vec<String>,
}

fn harness(main: &str, files: &str, facts: &LinuxFacts) -> Harness {
    let (mut functions, mut bodies) = (vec![main.to_owned()], String::new());
    let mut done = BTreeSet::new();
    // Functions that change capabilities, and those whose name is in no condition, since it was replaced by its own.
    let mentioned = |name: &str| {
        let all = facts.kvm_modules.iter().filter_map(|cap| cap.condition.as_deref());
        all.flat_map(words).any(|(word, _)| word == name)
    };
    while let Some(name) = functions.pop() {
        let Some(body) = function(files, &name).filter(|_| !done.contains(&name)) else { continue };
        done.insert(name.clone());
        for (called, after) in words(&body) {
            let calls = after.starts_with("()");
            let expands = !mentioned(called)
                && function(files, called)
                    .is_some_and(|body| body.contains("return") && body.matches(';').count() == 1);
            if calls && (called.ends_with("_cpu_caps") || expands) {
                functions.push(called.to_owned());
            }
        }
        // The functions that it calls come first.
        bodies =
            format!("static int {name}(void)\n{}\n{bodies}", body.replace("\n}\n", "\n\treturn 0;\n}\n"));
    }
    // Members become variables.
    let bodies = bodies.replace("kvm_pmu_cap.", "kvm_pmu_cap_").replace("kvm_caps.", "kvm_caps_");
    let (mut features, mut functions, mut variables) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (word, after) in words(&bodies) {
        if word.starts_with("X86_FEATURE_") {
            features.insert(word.to_owned());
        } else if KNOWN.contains(&word)
            || word == "int"
            || done.contains(word)
            || word.starts_with(|c: char| c.is_ascii_digit())
        {
        } else if after.starts_with("()") {
            functions.insert(word.to_owned());
        } else if !after.starts_with('(') {
            variables.insert(word.to_owned());
        }
    }
    let (features, mut inputs): (Vec<String>, Vec<String>) = (features.into_iter().collect(), Vec::new());
    let mut source = String::from(
        "#include <stdio.h>\n#include <stdbool.h>\n#define BIT(n) (1UL << (n))\n#define min(a, b) ((a) < (b) ? (a) : (b))\n",
    );
    writeln!(source, "enum {{ {} }};", features.join(", ")).unwrap();
    writeln!(source, "static int host[{0}], cap[{0}], input;", features.len()).unwrap();
    source.push_str(
        "static bool boot_cpu_has(int x) { return host[x]; }\n#define cpu_feature_enabled boot_cpu_has\n",
    );
    source.push_str("static bool kvm_cpu_cap_has(int x) { return cap[x]; }\nstatic void kvm_cpu_cap_set(int x) { cap[x] = 1; }\n");
    source.push_str("static void kvm_cpu_cap_clear(int x) { cap[x] = 0; }\nstatic void kvm_cpu_cap_check_and_set(int x) { if (host[x]) cap[x] = 1; }\n");
    let mut reads = String::new();
    for name in functions.iter().chain(&variables) {
        let variable = if functions.contains(name) { format!("of_{name}") } else { name.clone() };
        writeln!(source, "static int {variable};").unwrap();
        if functions.contains(name) {
            writeln!(source, "static int {name}(void) {{ return {variable}; }}").unwrap();
        }
        writeln!(reads, "if (scanf(\"%d\", &{variable}) != 1) return 0;").unwrap();
        inputs.push(name.clone());
    }
    source.push_str(&bodies);
    let count = features.len();
    let all = format!("for (int i = 0; i < {count}; i++)");
    writeln!(
        source,
        "int main(void) {{ for (;;) {{ {all} if (scanf(\"%d %d\", &host[i], &cap[i]) != 2) return 0;\n{reads}"
    )
    .unwrap();
    writeln!(source, "{main}(); {all} printf(\"%d\", cap[i]); puts(\"\"); }} }}").unwrap();
    Harness { source, inputs, features }
}

/// The variables of parameters: `kvm_amd.npt` is `npt_enabled`.
fn parameters(module: KvmModule, files: &str, all: &mut BTreeMap<String, String>) {
    for (at, _) in files.match_indices("module_param") {
        let Some((call, rest)) = files[at..].split_once('(') else { continue };
        let arguments: Vec<&str> =
            rest.split(')').next().unwrap_or_default().split(',').map(str::trim).collect();
        let variable = if call.ends_with("_named") || call.ends_with("_named_unsafe") {
            arguments[1]
        } else {
            arguments[0]
        };
        all.entry(format!("{module}.{}", arguments[0])).or_insert_with(|| variable.to_owned());
    }
}

/// One run: the values of inputs, the host's features, and KVM's.
struct State<'s> {
    values: BTreeMap<&'s str, i64>,
    host: BTreeMap<&'s str, bool>,
    caps: BTreeMap<&'s str, bool>,
    parameters: &'s BTreeMap<String, String>,
}

impl State<'_> {
    fn value(&self, name: &str) -> i64 {
        let variable =
            self.parameters.get(name).map_or(name, String::as_str).replace("kvm_pmu_cap.", "kvm_pmu_cap_");
        let known = self.values.get(variable.as_str()).copied();
        known.or_else(|| name.parse().ok()).unwrap_or_else(|| panic!("the source has no `{name}`"))
    }

    fn holds(&self, name: &str) -> bool {
        if let Some(feature) = name.strip_prefix("host:") {
            return self.host[format!("X86_FEATURE_{feature}").as_str()];
        }
        if let Some(feature) = name.strip_prefix("kvm:") {
            return self.caps[format!("X86_FEATURE_{feature}").as_str()];
        }
        match name.split(' ').collect::<Vec<_>>().as_slice() {
            [left, operator, right] => {
                let (left, right) = (self.value(left), self.value(right));
                match *operator {
                    "==" => left == right,
                    "!=" => left != right,
                    "<" => left < right,
                    "<=" => left <= right,
                    ">" => left > right,
                    ">=" => left >= right,
                    other => panic!("unknown operator {other}"),
                }
            }
            _ => self.value(name) != 0,
        }
    }
}

fn apply<'c>(caps: impl Iterator<Item = &'c KvmModuleCap>, state: &mut State<'_>) {
    let mut sources = Sources::new();
    let file = sources.add("condition", "");
    let at = sources.span(file, 0, 0);
    for cap in caps {
        let condition = cap
            .condition
            .as_deref()
            .map_or(Condition::Always, |text| Condition::of_module(text, at).unwrap());
        if !condition.holds(&|name| state.holds(name)) {
            continue;
        }
        let name = format!("X86_FEATURE_{}", cap.name);
        let has = state.host[name.as_str()];
        let state = state.caps.get_mut(name.as_str()).unwrap();
        *state = match cap.action {
            ModuleAction::Set => true,
            ModuleAction::SetIfHost => *state || has,
            ModuleAction::Clear => false,
        };
    }
}

fn compare(folder: &Path, harness: &Harness, caps: &[&KvmModuleCap], parameters: &BTreeMap<String, String>) {
    let (source, program) = (folder.join("module.c"), folder.join("module"));
    fs::write(&source, &harness.source).unwrap();
    let built = Command::new("gcc").args(["-w", "-o"]).arg(&program).arg(&source).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let (mut rng, mut input, mut expected) = (Rng(13), String::new(), String::new());
    for _ in 0..RUNS {
        let mut random = |below: usize| i64::try_from(rng.below(below)).unwrap();
        let host = harness.features.iter().map(|name| (name.as_str(), random(2) == 1)).collect();
        let now = harness.features.iter().map(|name| (name.as_str(), random(2) == 1)).collect();
        let values = harness.inputs.iter().map(|name| (name.as_str(), random(4) / 2 + random(2))).collect();
        let mut state = State { values, host, caps: now, parameters };
        for name in &harness.features {
            write!(input, "{} {} ", u8::from(state.host[name.as_str()]), u8::from(state.caps[name.as_str()]))
                .unwrap();
        }
        for name in &harness.inputs {
            write!(input, "{} ", state.values[name.as_str()]).unwrap();
        }
        apply(caps.iter().copied(), &mut state);
        expected
            .extend(harness.features.iter().map(|name| if state.caps[name.as_str()] { '1' } else { '0' }));
        expected.push('\n');
    }
    let inputs = folder.join("inputs");
    fs::write(&inputs, input).unwrap();
    let output = Command::new(&program).stdin(fs::File::open(&inputs).unwrap()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn vendor_modules_match_gcc() {
    const TEST: &str = "vendor_modules_match_gcc";
    if !have(TEST, "gcc") {
        return;
    }
    let folder = scratch(TEST);
    for tree in trees(TEST, "linux-") {
        let facts = clean_linux(&tree);
        if facts.kvm_modules.is_empty() {
            println!("{}: has no vendor modules", tree.name);
            continue;
        }
        for (module, main, files) in MODULES {
            let (mut text, mut variables) = (String::new(), BTreeMap::new());
            for file in files {
                let Ok(source) = fs::read_to_string(tree.path.join("arch/x86/kvm").join(file)) else {
                    continue;
                };
                let is_common = ["pmu.c", "x86.c"].contains(&file);
                let of = if is_common { KvmModule::Kvm } else { module };
                parameters(of, &source, &mut variables);
                if !is_common {
                    text.push_str(&without_comments(&source));
                }
            }
            let sgx = fs::read_to_string(tree.path.join("arch/x86/kvm/vmx/sgx.c")).unwrap_or_default();
            parameters(KvmModule::Intel, &sgx, &mut variables);
            let caps: Vec<&KvmModuleCap> =
                facts.kvm_modules.iter().filter(|cap| cap.module == module).collect();
            compare(&folder, &harness(main, &text, &facts), &caps, &variables);
            println!("{}: {module}: {} rules in {RUNS} runs", tree.name, caps.len());
        }
    }
}
