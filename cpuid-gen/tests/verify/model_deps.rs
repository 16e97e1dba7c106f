//! A model, or a version of one, that has a feature without one that it depends on: the finding is at the property or the word.

use cpuid_gen::verify::{Scope, verify};

use crate::input::{Input, text_of};

const LINUX: &str = "linux-7.3.tsv";
const QEMU: &str = "qemu-11.1.tsv";

/// The findings about dependencies of a text that has these rows after the last version of a model, or before the first
/// model, and the text.
fn findings(after: Option<&str>, rows: &str) -> (Vec<String>, String) {
    let text = text_of(QEMU);
    let mut lines: Vec<&str> = text.lines().collect();
    let is_of =
        |line: &str, model: &str| line.starts_with("qemu-model") && line.split('\t').nth(1) == Some(model);
    let at = match after {
        Some(model) => lines.iter().rposition(|line| is_of(line, model)).unwrap() + 1,
        None => lines.iter().position(|line| line.starts_with("qemu-model\t")).unwrap(),
    };
    lines.splice(at..at, rows.lines());
    let planted = lines.join("\n");
    let input =
        Input::try_read(&[(LINUX, &text_of(LINUX)), (QEMU, &planted)], &text_of("differences.tsv")).unwrap();
    let report =
        verify(&input.linux, &input.qemu, &input.differences, Scope::Given).findings.render(&input.sources);
    let of_kind =
        report.lines().filter(|line| line.contains("error: model-dep: ")).map(str::to_owned).collect();
    (of_kind, planted)
}

/// The number of the line, from 1, that has a text.
fn line_of(text: &str, row: &str) -> usize {
    text.lines().position(|line| line == row).unwrap() + 1
}

#[test]
fn the_pinned_models_have_what_their_features_need() {
    assert_eq!(findings(None, "").0, Vec::<String>::new());
}

#[test]
fn a_version_that_turns_on_a_dependent_feature_is_reported_at_the_property() {
    let cases = [
        // Linux states the first two, QEMU the last.
        ("Denverton", "4", "avx512f", "avx", "CPUID.(EAX=7,ECX=0):EBX[16]", "CPUID.(EAX=1,ECX=0):ECX[28]"),
        (
            "Snowridge",
            "5",
            "amx-int8",
            "amx-tile",
            "CPUID.(EAX=7,ECX=0):EDX[25]",
            "CPUID.(EAX=7,ECX=0):EDX[24]",
        ),
        ("KnightsMill", "2", "sgxlc", "sgx", "CPUID.(EAX=7,ECX=0):ECX[30]", "CPUID.(EAX=7,ECX=0):EBX[2]"),
    ];
    for (model, version, name, needed, bit, needs) in cases {
        let row = format!("qemu-model-prop	{model}	{version}	{name}	on");
        let first =
            if version == "2" { format!("qemu-model-version	{model}	1	-	-\n") } else { String::new() };
        let rows = format!("{first}qemu-model-version	{model}	{version}	-	-\n{row}");
        let (found, text) = findings(Some(model), &rows);
        let at = format!("{QEMU}:{}:1: error: ", line_of(&text, &row));
        let wanted = format!("`{model}-v{version}` has `{name}` ({bit}) without `{needed}` ({needs})");
        assert!(
            found.iter().any(|found| found.starts_with(&at) && found.contains(&wanted)),
            "{wanted}\n{found:?}"
        );
        assert!(
            found.iter().all(|found| found.contains(&format!("`{model}-v{version}` has `{name}`"))),
            "{found:?}"
        );
    }
}

/// Each feature that needs it is reported once, at the property, and not again for later versions.
#[test]
fn a_version_that_turns_off_a_required_feature_is_reported_at_the_property() {
    let row = "qemu-model-prop	DiamondRapids	9	amx-tile	off";
    let mut rows = String::new();
    let text = text_of(QEMU);
    let known = text.lines().filter(|line| line.starts_with("qemu-model-version	DiamondRapids	")).count();
    for version in known + 1..=10 {
        rows.push_str(&format!("qemu-model-version	DiamondRapids	{version}	-	-\n"));
        if version == 9 {
            rows.push_str(&format!("{row}\n"));
        }
    }
    let (found, text) = findings(Some("DiamondRapids"), &rows);
    let at = format!("{QEMU}:{}:1: error: ", line_of(&text, row));
    assert!(found.len() >= 3, "{found:?}");
    for found in &found {
        assert!(found.starts_with(&at) && found.contains("`DiamondRapids-v9` has `amx-"), "{found}");
        assert!(found.contains(" without `amx-tile` "), "{found}");
    }
}

#[test]
fn a_new_model_without_what_its_features_need_is_reported_at_the_word() {
    let word = "qemu-model-word	Testlake	FEAT_7_0_EBX	0x20";
    let model = "qemu-model	Testlake	0x1f	0x80000008	GenuineIntel	6	250	1	Testlake";
    let (found, text) = findings(None, &format!("{model}\n{word}"));
    let at = format!("{QEMU}:{}:1: error: ", line_of(&text, word));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&at) && found[0].contains("`Testlake` has `avx2` "), "{found:?}");
    assert!(found[0].contains(" without `avx` "), "{found:?}");
}
