//! The emitted text of small made-up facts, against golden files. `BLESS=1 cargo test` rewrites them.
//!
//! The runtime crate's build shows that the output of the pinned releases compiles.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts, LinuxFacts, QemuFacts};
use cpuid_gen::location::{Bit, CpuidWord, Leaf, Location, Register, Subleaf, Word, WordBit};
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use cpuid_gen::{GenerateError, format, generate, generate_standalone, input};

use crate::compare_with_golden;

type TestResult = Result<(), Box<dyn Error>>;

const OLD_LINUX: &str = "\
linux-release\t6.9.1
linux-count\tNCAPINTS\t3
linux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX
linux-word\tCPUID_LNX_1\t1\t-\t-\t-
linux-word\tCPUID_7_0_EBX\t2\t0x7\t0\tEBX
linux-feature\tFPU\t0\t0\tfpu
linux-feature\t3DTHING\t0\t1\t3dthing
linux-feature\tFENCE\t1\t2\t-
linux-feature\tSHARED\t1\t3\tshared
linux-feature\tPAIR\t2\t4\tone two
linux-bug\tMELT\t0\t14\tmelt
linux-vmx\tEPT\t1\t1\tept
linux-scattered\tSHARED\t0x10\t0\tEBX\t3
linux-scattered\tSHARED\t0x80000008\t0\tEBX\t6
linux-dep\t3DTHING\tFPU
linux-dep\tPAIR\t3DTHING
linux-dep\tSHARED\tFPU
kvm-cap\tCPUID_1_EDX\tF\tFPU
kvm-cap\tCPUID_7_0_EBX\tF\tBIT(7)
cpuid-field\t0x4\t0\t0\tEAX\t0\t4\ttype
cpuid-field\t0x4\t0\t0\tEAX\t5\t8\tlevel
cpuid-field\t0x9\t0\t0\tECX\t0\t31\tgone
";

const NEW_LINUX: &str = "\
linux-release\t6.12.0-rc2
linux-count\tNCAPINTS\t3
linux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX
linux-word\tCPUID_7_0_EBX\t1\t0x7\t0\tEBX
linux-word\tCPUID_LNX_1\t2\t-\t-\t-
linux-word\tCPUID_7_1_EAX\t3\t0x7\t1\tEAX
linux-feature\tFPU\t0\t0\tfpu
linux-feature\tPAIR\t1\t4\tone two
linux-feature\tFENCE\t1\t7\tfence
linux-feature\tSHARED\t2\t3\tshared
linux-feature\tSYNTH\t2\t4\t-
linux-feature\tMOVED\t2\t5\tmoved
linux-bug\tMELT\t1\t0\tmelt
linux-scattered\tSHARED\t0x10\t0\tEBX\t3
linux-scattered\tSHARED\t0x80000008\t0\tEBX\t6
kvm-feature\tALONE\tCPUID_7_1_EAX\t9
kvm-translate\tMOVED\tCPUID_7_1_EAX\t10
linux-dep\tPAIR\tFPU
linux-dep\tFENCE\tSHARED
linux-dep\tFENCE\tSYNTH
linux-dep\tSYNTH\tPAIR
kvm-cap\tCPUID_1_EDX\tEMULATED_F\tFPU
kvm-cap\tCPUID_7_0_EBX\tX86_64_F\tPAIR
kvm-cap\tCPUID_7_1_EAX\tF\tALONE
kvm-cap\t-\tset\tFPU
cpuid-field\t0x1\t0\t0\tEDX\t0\t0\tfpu
cpuid-field\t0x1\t0\t0\tEDX\t2\t2\tno-feature
cpuid-field\t0x4\t0\t31\tEAX\t0\t4\tcache_type
cpuid-field\t0x4\t0\t31\tEAX\t5\t7\tlevel
cpuid-field\t0x4\t0\t31\tEAX\t8\t8\t1st
cpuid-field\t0x7\t1\t2\tEAX\t9\t9\talone
cpuid-field\t0x80000008\t0\t0\tEAX\t0\t7\tsize
cpuid-field\t0x80000008\t0\t0\tEAX\t8\t15\tsize
cpuid-field\t0x80000008\t1\t1\tEAX\t0\t15\tall
";

const QEMU: &str = "\
qemu-release\t9.2.0
qemu-word\tFEAT_1_EDX\t0\tcpuid\t0x1\t-\tEDX
qemu-word\tFEAT_KVM\t1\tcpuid\t0x40000001\t-\tEAX
qemu-word\tFEAT_ARCH\t2\tmsr\t0x10a
qemu-bit\tFEAT_1_EDX\t0\tfpu
qemu-bit\tFEAT_1_EDX\t1\tthing|3d.thing
qemu-bit\tFEAT_KVM\t0\tclock
qemu-bit\tFEAT_KVM\t3\tclock
qemu-bit\tFEAT_ARCH\t5\tsecond
qemu-bit\tFEAT_ARCH\t63\trdcl-no
qemu-dep\tFEAT_KVM\t0x8\tFEAT_ARCH\t0xffffffffffffffff
qemu-dep\tFEAT_ARCH\t0x20\tFEAT_ARCH\t0xffffffffffffffff
";

fn facts(texts: &[&str]) -> Result<(Vec<LinuxFacts>, Vec<QemuFacts>), Box<dyn Error>> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (mut linux, mut qemu) = (Vec::new(), Vec::new());
    for (index, text) in texts.iter().enumerate() {
        let id = sources.add(format!("{index}.tsv"), *text);
        match facts::read(&sources, id, &mut diagnostics) {
            Some(Facts::Linux(facts)) => linux.push(facts),
            Some(Facts::Qemu(facts)) => qemu.push(facts),
            None => return Err(diagnostics.render(&sources).into()),
        }
    }
    Ok((linux, qemu))
}

fn model(texts: &[&str]) -> Result<Model, Box<dyn Error>> {
    let (linux, qemu) = facts(texts)?;
    let (model, diagnostics) = Model::merge(&linux, &qemu);
    assert_eq!(diagnostics.len(), 0, "{diagnostics:?}");
    Ok(model)
}

fn location(leaf: u32, register: Register, bit: u8) -> Location {
    Location { word: CpuidWord { leaf: Leaf(leaf), subleaf: Subleaf(0), register }, bit: Bit(bit) }
}

#[test]
fn emitted_text_matches_the_golden_files() -> TestResult {
    let model = model(&[NEW_LINUX, OLD_LINUX, QEMU])?;
    let sources = [
        "coordinates.rs",
        "cpu_model.rs",
        "kvm_treatment.rs",
        "name_hash.rs",
        "notation.rs",
        "register.rs",
        "release_order.rs",
    ];
    for file in generate(&model)?.into_iter().map(format).chain([generate_standalone(&model)]) {
        let file = file?;
        // The vocabulary's sources are copied as they are.
        if sources.contains(&file.name) {
            continue;
        }
        compare_with_golden(&format!("emit/{}", file.name), &file.text);
    }
    Ok(())
}

#[test]
fn the_standalone_file_compiles_by_itself() -> TestResult {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
    let (model, _) = Model::merge(&linux, &qemu);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = folder.join("cpuid.rs");
    fs::write(&source, format!("//! The crate.\n{}", generate_standalone(&model)?.text))?;
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let lints = ["-D", "warnings", "-D", "missing_docs"];
    let result = Command::new(compiler)
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--out-dir"])
        .arg(folder)
        .args(lints)
        .arg(&source)
        .output()?;
    assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
    Ok(())
}

#[test]
fn the_same_facts_in_any_order_give_the_same_bytes() -> TestResult {
    let first = generate(&model(&[OLD_LINUX, NEW_LINUX, QEMU])?)?;
    assert_eq!(first, generate(&model(&[QEMU, NEW_LINUX, OLD_LINUX])?)?);
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
    let (pinned, doubts) = Model::merge(&linux, &qemu);
    assert_eq!(doubts.render(&sources), "", "the pinned facts merge without a doubt");
    let first = generate(&pinned)?;
    for _ in 0..3 {
        let (mut linux, mut qemu) = (linux.clone(), qemu.clone());
        linux.rotate_left(1);
        qemu.reverse();
        assert_eq!(first, generate(&Model::merge(&linux, &qemu).0)?);
    }
    Ok(())
}

#[test]
fn a_location_has_the_views_of_every_release() -> TestResult {
    let model = model(&[NEW_LINUX, OLD_LINUX, QEMU])?;
    let releases: Vec<&str> = model.linux.iter().map(|release| release.name.as_str()).collect();
    assert_eq!(releases, ["6.9.1", "6.12.0-rc2"]);
    let constants: Vec<&str> = model.features.iter().map(|feature| feature.constant.as_str()).collect();
    let expected = ["FPU", "_3DTHING", "PAIR", "FENCE", "ALONE", "MOVED", "SHARED_10_EBX_3"];
    assert_eq!(constants[..7], expected);
    assert_eq!(constants[7..], ["CLOCK_40000001_EAX_0", "CLOCK_40000001_EAX_3", "SHARED_80000008_EBX_6"]);
    let find = |at| model.features.iter().find(|feature| feature.location == at).ok_or("absent");
    // Software-defined first, hardware later: one bit of each kind.
    let fence = find(location(7, Register::Ebx, 7))?;
    assert_eq!((&fence.linux[0].name, fence.linux[0].caps.len()), (&None, 1));
    assert_eq!(fence.linux[1].kernel, Some(WordBit { word: Word(1), bit: Bit(7) }));
    let software: Vec<&str> = model.software.iter().map(|bit| bit.name.as_str()).collect();
    assert_eq!(software, ["FENCE", "SYNTH"]);
    // The kernel's place of a scattered bit is in a software-defined word; KVM has none.
    let shared = find(location(0x10, Register::Ebx, 3))?;
    assert_eq!(shared.linux[0].kernel, Some(WordBit { word: Word(1), bit: Bit(3) }));
    assert_eq!(shared.linux[0].kvm, None);
    let moved = model.features.iter().find(|feature| feature.constant == "MOVED").ok_or("absent")?;
    assert_eq!(moved.linux[1].kernel, Some(WordBit { word: Word(2), bit: Bit(5) }));
    assert_eq!(moved.linux[1].kvm, Some(WordBit { word: Word(3), bit: Bit(10) }));
    Ok(())
}

/// A vendor reserves words without a row, below NCAPINTS, and defines features of its own in them.
#[test]
fn a_feature_in_a_word_without_a_row_is_software() -> TestResult {
    let reserved = "linux-release\t6.1\nlinux-count\tNCAPINTS\t9\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\n\
        linux-feature\tA\t0\t1\t-\nlinux-feature\tON_ENTRY\t8\t1\ton_entry\n";
    let model = model(&[reserved, QEMU])?;
    let software: Vec<&str> = model.software.iter().map(|bit| bit.name.as_str()).collect();
    assert_eq!(software, ["ON_ENTRY"]);
    let files = generate(&model)?;
    let constants = files.iter().find(|file| file.name == "software.rs").ok_or("no software.rs")?;
    assert!(constants.text.contains("pub const ON_ENTRY"), "{}", constants.text);
    Ok(())
}

#[test]
fn inconsistent_rows_are_reported() -> TestResult {
    let odd = "linux-release\t6.1\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-feature\tFAR\t9\t1\t-\n\
        linux-feature\tA\t0\t1\t-\nlinux-feature\tB\t0\t1\t-\nkvm-feature\tK\tCPUID_9_EAX\t1\nkvm-cap\t-\tset\tNONE\n";
    let twice = "linux-release\t6.1\n";
    let bad = "qemu-release\t1.0\nqemu-bit\tFEAT_X\t1\tx\n";
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (mut linux, mut qemu) = (Vec::new(), Vec::new());
    for (name, text) in [("odd", odd), ("twice", twice), ("bad", bad)] {
        let id = sources.add(name, text);
        match facts::read(&sources, id, &mut diagnostics).ok_or("unreadable")? {
            Facts::Linux(facts) => linux.push(facts),
            Facts::Qemu(facts) => qemu.push(facts),
        }
    }
    let (model, diagnostics) = Model::merge(&linux, &qemu);
    let expected = "\
odd:3:1: error: `FAR` is in word 9, which this release lacks
odd:5:1: warning: ignored `B`: CPUID.(EAX=1,ECX=0):EDX[1] is already `A`
odd:6:1: error: `K` is in `CPUID_9_EAX`, a word without a location
odd:7:1: warning: KVM names `NONE`, which has no location in this release
twice:1:1: error: release `6.1` is given twice
odd:1:1: note: first here
bad:2:1: error: `x` is in `FEAT_X`, which is not a word of this release
";
    assert_eq!(diagnostics.render(&sources), expected);
    assert_eq!(model.features.len(), 1);
    Ok(())
}

#[test]
fn tables_need_a_release_of_each_project() -> TestResult {
    let missing = |texts: &[&str]| -> Result<_, Box<dyn Error>> { Ok(generate(&model(texts)?)) };
    assert_eq!(missing(&[QEMU])?, Err(GenerateError::NoRelease("Linux")));
    assert_eq!(missing(&[NEW_LINUX])?, Err(GenerateError::NoRelease("QEMU")));
    Ok(())
}

#[test]
fn hostile_names_are_refused_or_quoted() -> TestResult {
    let (linux, qemu) = facts(&[OLD_LINUX, QEMU])?;
    let mut quoted = linux.clone();
    quoted[0].features[0].flag = Some("a\"b\\c".to_owned());
    let files = generate(&Model::merge(&quoted, &qemu).0)?;
    assert!(files.iter().any(|file| file.text.contains(r#"a\"b\\c"#)));
    let mut broken = linux;
    broken[0].features[0].flag = Some("a\nb".to_owned());
    let refused = generate(&Model::merge(&broken, &qemu).0);
    assert_eq!(refused, Err(GenerateError::Name("a\\nb".to_owned())));
    Ok(())
}
