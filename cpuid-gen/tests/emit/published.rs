//! The published constants: the list is complete, and tables from any release have every constant.

use std::collections::BTreeSet;
use std::error::Error;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts, LinuxFacts, QemuFacts};
use cpuid_gen::model::Model;
use cpuid_gen::published::{self, Published};
use cpuid_gen::source::Sources;
use cpuid_gen::{CONSTANTS, generate, input};

type TestResult = Result<(), Box<dyn Error>>;

fn read(text: &str) -> Result<Published, String> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add("constants.tsv", text);
    Published::read(&sources, file, &mut diagnostics).ok_or_else(|| diagnostics.render(&sources))
}

fn pinned() -> (Vec<LinuxFacts>, Vec<QemuFacts>) {
    input::pinned(&mut Sources::new(), &mut Diagnostics::new())
}

/// Module and name of every constant.
fn names(list: &Published) -> BTreeSet<(String, String)> {
    list.constants.iter().map(|constant| (constant.bit.module(), constant.name.clone())).collect()
}

#[test]
fn the_list_matches_the_pinned_releases() -> TestResult {
    let (linux, qemu) = pinned();
    let list = read(CONSTANTS)?;
    assert_eq!(published::write(&list), CONSTANTS, "the list in its own form");
    let (model, _) = Model::merge_published(&linux, &qemu, &list);
    assert!(published::write(&model.published()) == CONSTANTS, "`cpuid-gen constants` adds to the list");
    Ok(())
}

#[test]
fn tables_from_any_release_have_every_constant() -> TestResult {
    let (linux, qemu) = pinned();
    let list = read(CONSTANTS)?;
    let published = names(&list);
    assert!(published.len() > 1300);
    let bare: LinuxFacts = match facts_of("linux-release\t5.4.1\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\n")?
    {
        Facts::Linux(facts) => facts,
        Facts::Qemu(_) => return Err("of Linux".into()),
    };
    let mut combinations: Vec<(Vec<LinuxFacts>, Vec<QemuFacts>)> = Vec::new();
    for linux in linux.iter().chain([&bare]) {
        for qemu in &qemu {
            combinations.push((vec![linux.clone()], vec![qemu.clone()]));
        }
    }
    for (linux, qemu) in combinations {
        let name = format!("Linux {}, QEMU {}", linux[0].release, qemu[0].release);
        let (model, _) = Model::merge_published(&linux, &qemu, &list);
        let now = model.published();
        let missing: Vec<_> = published.difference(&names(&now)).cloned().collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
        for constant in &list.constants {
            let same = now
                .constants
                .iter()
                .find(|other| other.name == constant.name && other.bit.module() == constant.bit.module());
            assert_eq!(same.map(|same| &same.bit), Some(&constant.bit), "{name}: {}", constant.name);
        }
        assert!(generate(&model).is_ok(), "{name}");
    }
    Ok(())
}

fn facts_of(text: &str) -> Result<Facts, String> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add("facts.tsv", text);
    facts::read(&sources, file, &mut diagnostics).ok_or_else(|| diagnostics.render(&sources))
}

#[test]
fn a_renamed_bit_has_both_names_and_the_old_one_is_deprecated() -> TestResult {
    let (mut linux, qemu) = pinned();
    let list = read(CONSTANTS)?;
    let mut newest = linux.pop().ok_or("a release")?;
    let avx2 = newest.features.iter_mut().find(|flag| flag.name == "AVX2").ok_or("AVX2")?;
    avx2.name = "AVX_TWO".to_owned();
    let (model, _) = Model::merge_published(&[newest], &qemu, &list);
    let feature = model.features.iter().find(|feature| feature.constant == "AVX_TWO").ok_or("AVX_TWO")?;
    assert_eq!(feature.former, ["AVX2"]);
    let text = generate(&model)?.into_iter().find(|file| file.name == "feature.rs").ok_or("a file")?.text;
    let deprecated =
        "#[deprecated(note = \"renamed to `AVX_TWO`\")]\npub const AVX2: crate::Feature = AVX_TWO;\n";
    assert!(text.contains(deprecated));
    Ok(())
}

#[test]
fn errors_in_a_list_have_places() {
    let list = "\
releases\t7.3.4\t10.2.2
feature\tA\t0x1\t0\tEDX\t0\tB
feature\tA\t0x1\t0\tEDX\t1\t-
feature\tC\t0x1\t0\tEDX\t32\t-
software\tD\t-
field\tE\t0x4\t2\t1\tEAX\t0\t4\te\t-
thing\tF
msr\tG\t0x10a\t3\t-
msr\tH\t0x10a\t3\t-
msr\tI\t0x10a\t4\tG
";
    let expected = "\
constants.tsv:3:1: error: duplicate constant `A` in a module
constants.tsv:2:1: note: first here
constants.tsv:2:1: error: the successor `B` is not a current constant of its module
constants.tsv:4:21: error: `32` is not a valid `BIT`: expected a decimal number from 0 to 31
constants.tsv:5:12: error: unexpected column `-`: the row is complete
constants.tsv:6:1: error: the end of the field is before its start
constants.tsv:7:1: error: `thing` is not a row of a list of constants
  help: expected releases, feature, msr, software, bug, vmx or field
constants.tsv:9:1: error: `H` and `G` have the same bit: one must succeed the other
constants.tsv:8:1: note: the other constant
constants.tsv:10:1: error: the successor `G` has another bit, MSR 0x10a[3]
constants.tsv:8:1: note: the successor
";
    let mut found: Vec<String> = read(list).unwrap_err().lines().map(str::to_owned).collect();
    let mut expected: Vec<String> = expected.lines().map(str::to_owned).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}
