//! Forms and places of QEMU's tables that only some releases have, in a made-up one.

use std::fs;
use std::path::{Path, PathBuf};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::write_qemu;
use cpuid_gen::input;
use cpuid_gen::source::{Sources, Span};

use crate::common::{read_qemu, scratch, unpacked, write_files};

const QEMU: &str = include_str!("../fixtures/small-qemu.txt");
const CPU: &str = "target/i386/cpu.c";
const HEADER: &str = "target/i386/cpu.h";
const KVM: &str = "target/i386/kvm/kvm.c";
const KVM_DEFAULTS: &str =
    "static PropValue kvm_default_props[] = { { \"kvmtimer\", \"on\" }, { NULL, NULL } };\n";
const TCG_DEFAULTS: &str =
    "static PropValue tcg_default_props[] = { { \"pear\", \"off\" }, { NULL, NULL } };\n";

/// The fixture's tree in a folder of this test, whose thread has its name.
fn qemu(name: &str) -> PathBuf {
    let test = std::thread::current().name().unwrap_or_default().replace("::", "-");
    let folder = scratch(&format!("{test}-{name}"));
    write_files(&folder, &unpacked(QEMU));
    folder
}

/// Replaces a text that occurs once in a file.
fn replace(root: &Path, path: &str, from: &str, to: &str) {
    let old = fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(old.matches(from).count(), 1, "{from}");
    fs::write(root.join(path), old.replace(from, to)).unwrap();
}

/// Adds a text to the end of a file.
fn append(root: &Path, path: &str, text: &str) {
    let old = fs::read_to_string(root.join(path)).unwrap();
    fs::write(root.join(path), old + text).unwrap();
}

/// The rows of a tree that must read without diagnostics, blanks for tabs, without the release.
fn rows(root: &Path) -> Vec<String> {
    let (facts, diagnostics) = read_qemu(root);
    assert_eq!(diagnostics, "");
    let text = write_qemu(&facts.unwrap()).replace('\t', " ");
    text.lines().filter(|line| !line.starts_with("qemu-release ")).map(str::to_owned).collect()
}

/// The rows that a tree has and the fixture has not, and the other way round.
fn changes(root: &Path) -> (Vec<String>, Vec<String>) {
    let (old, new) = (rows(&qemu("plain")), rows(root));
    let only = |a: &[String], b: &[String]| a.iter().filter(|row| !b.contains(row)).cloned().collect();
    (only(&new, &old), only(&old, &new))
}

/// What a tree should have follows from its contents. Snapshots such as 5.2.92 have the next release's.
#[test]
fn the_stated_release_decides_nothing() {
    for release in ["2.5.1.1", "3.1.50", "4.0.92", "5.2.92", "6.0.0", "9.3.1-rc2", "12.0.0"] {
        let root = qemu("release");
        fs::write(root.join("VERSION"), release).unwrap();
        let (facts, diagnostics) = read_qemu(&root);
        assert_eq!(diagnostics, "", "{release}");
        assert_eq!(facts.unwrap().release, release);
        // One macro of the fixture depends on it.
        if release.starts_with('9') {
            assert_eq!(changes(&root), (vec![], vec![]), "{release}");
        }
    }
}

#[test]
fn a_field_about_apic_ids_changes_no_row() {
    let root = qemu("apic");
    replace(&root, CPU, ".name = \"Meadow\",", ".name = \"Meadow\", .use_epyc_apic_id_encoding = 1,");
    assert_eq!(changes(&root), (vec![], vec![]));
}

#[test]
fn a_models_flag_is_a_property_of_its_first_version() {
    let root = qemu("flag");
    replace(&root, CPU, ".name = \"Meadow\",", ".name = \"Meadow\", .cpuid_0x1f = true,");
    replace(&root, CPU, ".name = \"Orchard\",", ".name = \"Orchard\", .cpuid_0x1f = 1,");
    let added = [
        "qemu-model-prop Orchard 1 x-force-cpuid-0x1f on",
        "qemu-model-version Meadow 1 - -",
        "qemu-model-prop Meadow 1 x-force-cpuid-0x1f on",
    ];
    assert_eq!(changes(&root), (added.map(str::to_owned).to_vec(), vec![]));
    replace(&root, CPU, ".cpuid_0x1f = true,", ".cpuid_0x1f = false,");
    replace(&root, CPU, ".cpuid_0x1f = 1,", ".cpuid_0x1f = 0,");
    assert_eq!(changes(&root), (vec![], vec![]));
}

#[test]
fn a_component_may_have_several_features() {
    let root = qemu("areas");
    replace(&root, HEADER, "    uint32_t feature, bits;\n", "    const FeatureMask features[2];\n");
    let either = ".features = { { FEAT_1_EDX, CPUID_PEAR }, { FEAT_7_1_EAX, 1 << 5 } },";
    replace(&root, CPU, ".feature = FEAT_1_EDX, .bits = CPUID_PEAR,", either);
    replace(
        &root,
        CPU,
        ".feature = FEAT_7_1_EAX, .bits = 1 << 5,",
        ".features = { { FEAT_7_1_EAX, 1 << 5 } },",
    );
    let (added, removed) = changes(&root);
    assert_eq!((added.len(), removed.len()), (1, 0), "{added:?} {removed:?}");
    assert!(added[0].starts_with("qemu-xsave 2 FEAT_7_1_EAX 5 "), "{added:?}");
    replace(&root, CPU, "{ FEAT_7_1_EAX, 1 << 5 } }, .size", "{ FEAT_7_1_EAX, 3 << 5 } }, .size");
    let (_, diagnostics) = read_qemu(&root);
    assert!(diagnostics.contains("error: 0x60 is not a single bit"), "{diagnostics}");
}

/// Like 6.0: the tables are in cpu.c, and tcg-cpu.c exists without one.
#[test]
fn default_properties_are_read_from_the_file_that_has_them() {
    let plain = rows(&qemu("plain"));
    let root = qemu("defaults");
    fs::remove_file(root.join("target/i386/kvm/kvm-cpu.c")).unwrap();
    fs::write(root.join("target/i386/tcg/tcg-cpu.c"), "static void tcg_cpu_init(void) {}\n").unwrap();
    append(&root, CPU, &format!("{KVM_DEFAULTS}{TCG_DEFAULTS}"));
    let (added, removed) = changes(&root);
    assert_eq!((added, removed), (vec![], vec!["qemu-kvm-default lid -".to_owned()]));
    assert!(plain.iter().any(|row| row == "qemu-tcg-default pear off"));

    // Like 2.7, which has no table for TCG.
    let root = qemu("defaults");
    fs::remove_file(root.join("target/i386/kvm/kvm-cpu.c")).unwrap();
    fs::remove_file(root.join("target/i386/tcg/tcg-cpu.c")).unwrap();
    append(&root, CPU, KVM_DEFAULTS);
    assert_eq!(changes(&root).1, ["qemu-kvm-default lid -", "qemu-tcg-default pear off"]);

    // In 6.1 and later both files are needed.
    let root = qemu("defaults");
    fs::remove_file(root.join("target/i386/tcg/tcg-cpu.c")).unwrap();
    let (_, diagnostics) = read_qemu(&root);
    assert!(diagnostics.contains("target/i386/tcg/tcg-cpu.c: not found"), "{diagnostics}");
}

#[test]
fn a_release_that_is_too_old_is_refused_before_anything_else() {
    let root = qemu("old");
    append(&root, CPU, "static uint32_t kvm_default_features[FEATURE_WORDS];\n");
    fs::remove_file(root.join("hw/i386/pc_q35.c")).unwrap();
    let (facts, diagnostics) = read_qemu(&root);
    assert!(facts.is_none());
    assert_eq!(diagnostics.matches("error: ").count(), 1, "{diagnostics}");
    assert!(diagnostics.contains("error: QEMU 9.3.1 is too old to be read"), "{diagnostics}");
    assert!(diagnostics.contains("help: QEMU 2.5 and later are read"), "{diagnostics}");
}

/// QEMU ignores such a row. It is kept, so that `verify` reports it, and reading warns of it.
#[test]
fn a_compatibility_property_of_no_cpu_is_not_dropped() {
    let root = qemu("type");
    replace(&root, "hw/i386/pc.c", "\"fruit64-\" TYPE_X86_CPU", "\"fruit64\" TYPE_X86_CPU");
    let (facts, diagnostics) = read_qemu(&root);
    let warning = "hw/i386/pc.c:2:5: warning: `fruit64x86_64-cpu` is the type of no CPU";
    assert!(diagnostics.contains(warning) && !diagnostics.contains("error"), "{diagnostics}");
    assert!(facts.unwrap().compat.iter().any(|row| row.of == "fruit64x86_64-cpu"));
}

/// The dependencies between enlightenments that a tree has in code.
fn code_deps(root: &Path) -> Option<Vec<(String, String)>> {
    let (facts, diagnostics) = read_qemu(root);
    assert_eq!(diagnostics, "");
    let deps = facts.unwrap().hyperv_code_deps?;
    Some(deps.into_iter().map(|dep| (dep.property, dep.needs)).collect())
}

#[test]
fn a_condition_that_ends_in_an_error_is_a_dependency_of_enlightenments() {
    let bell = Some(vec![("hv-bell".to_owned(), "hv-calm".to_owned())]);
    let root = qemu("code");
    assert_eq!(code_deps(&root), bell);
    // QEMU before 6.0.
    replace(&root, KVM, "bool hyperv_expand_features(", "static int hyperv_handle_properties(");
    replace(&root, KVM, "        return false;", "        r |= 1;");
    assert_eq!(code_deps(&root), bell);
    replace(&root, KVM, "        r |= 1;", "        r = 1;");
    assert_eq!(code_deps(&root), Some(vec![]));
    replace(&root, KVM, "static int hyperv_handle_properties(", "static int another(");
    let (facts, diagnostics) = read_qemu(&root);
    assert_eq!(facts.unwrap().hyperv_code_deps.map(|deps| deps.len()), None);
    assert!(diagnostics.contains("warning: no function here checks the properties: "), "{diagnostics}");
    let root = qemu("or");
    replace(&root, KVM, "cpu->basket &&", "(cpu->basket ||");
    replace(&root, KVM, "HYPERV_FEAT_CALM)) {\n        error", "HYPERV_FEAT_CALM))) {\n        error");
    let (_, diagnostics) = read_qemu(&root);
    assert!(
        diagnostics.contains("error: cannot tell which property this condition requires"),
        "{diagnostics}"
    );
}

/// A row is where a maintainer edits it, not where the macros in it are defined.
#[test]
fn places_are_in_the_tables() {
    let root = qemu("places");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = input::qemu(&mut sources, &root, &mut diagnostics).unwrap();
    let text = |at: Span| sources.text(at).to_owned();
    let deps: Vec<String> = facts.hyperv_deps.iter().map(|dep| text(dep.at)).collect();
    assert_eq!(deps, ["BIT(HYPERV_FEAT_CALM)"]);
    let of_macro = facts.masks.iter().find(|mask| !sources.place(mask.at).file.ends_with("cpu.c"));
    assert!(of_macro.is_none(), "{of_macro:?}");
    let meadow = facts.models.iter().find(|model| model.name == "Meadow").unwrap();
    let places: Vec<(&str, String)> = meadow.places.iter().map(|(name, at)| (*name, text(*at))).collect();
    assert!(places.contains(&("model-id", "model_id".to_owned())), "{places:?}");
}
