//! `upstream/bump` with made-up releases, on a copy of everything that it changes: its effects, and that it changes
//! nothing on errors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{have, scratch, texts, unpacked, write_files};

const LINUX: &str = include_str!("../fixtures/small-linux.txt");
const QEMU: &str = include_str!("../golden/diagnostics/small-qemu.tsv");
const GENERATOR: &str = env!("CARGO_BIN_EXE_cpuid-gen");

const CHANGELOG: &str =
    "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Something.\n\n## [0.1.0]\n\n- All of it.\n";
const PINNED: &str = "//! A list.\n\npub fn pinned() -> &'static [(&'static str, &'static str)] {\n    &[\n        \
(\"linux-6.2.tsv\", include_str!(\"linux-6.2.tsv\")),\n        \
(\"qemu-9.3.tsv\", include_str!(\"qemu-9.3.tsv\")),\n    ]\n}\n";
const PINS: &str = "# A list.\nlinux-6.2.tsv\t6.2.1\t--debian linux-source-6.2=6.2.1 --suite orchard\n\
qemu-9.3.tsv\t9.3.1\t-\n";

/// A repository to run it in, and source trees.
struct Orchard {
    root: PathBuf,
    trees: PathBuf,
}

impl Orchard {
    /// Linux 6.2.1 and QEMU 9.3.1, pinned and explained; `None` without bash.
    fn new(test: &str) -> Option<Orchard> {
        if !have(test, "bash") {
            return None;
        }
        let folder = scratch(&format!("bump-{test}"));
        let orchard = Orchard { root: folder.join("repository"), trees: folder.join("trees") };
        for below in ["upstream/trees", "docs/bumps"] {
            fs::create_dir_all(orchard.root.join(below)).unwrap();
        }
        for script in ["bump", "fetch"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../upstream").join(script);
            fs::copy(from, orchard.path("upstream").join(script)).unwrap();
        }
        fs::write(orchard.path("CHANGELOG.md"), CHANGELOG).unwrap();
        fs::write(orchard.path("upstream/lib.rs"), PINNED).unwrap();
        fs::write(orchard.path("upstream/pins.tsv"), PINS).unwrap();
        let tree = orchard.tree("old", LINUX, &[]);
        let facts = orchard.path("upstream/linux-6.2.tsv");
        let import =
            Command::new(GENERATOR).args(["import", "--linux"]).arg(tree).arg("-o").arg(facts).status();
        assert!(import.unwrap().success());
        fs::write(orchard.path("upstream/qemu-9.3.tsv"), QEMU).unwrap();
        orchard.explain();
        Some(orchard)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    /// Explains the findings of `verify`, repeatedly until there are none.
    fn explain(&self) {
        let (upstream, mut rows) = (self.path("upstream"), String::new());
        for _ in 0..5 {
            fs::write(upstream.join("differences.tsv"), &rows).unwrap();
            let output = Command::new(GENERATOR).arg("verify").arg("--pins").arg(&upstream).output().unwrap();
            if output.status.success() {
                return;
            }
            for line in text(&output.stdout).lines() {
                if let Some((_, row)) = line.split_once("explain it in differences.tsv: ") {
                    let row = row.replace(" | ", "\t").replace("VERDICT\tREASON", "design\tmade up");
                    rows.push_str(&format!("{row}\n"));
                }
            }
        }
        panic!("not explained");
    }

    /// A tree with text replacements: file, old text, new text.
    fn tree(&self, name: &str, archive: &str, changes: &[(&str, &str, &str)]) -> PathBuf {
        let mut files = unpacked(archive);
        for (path, from, to) in changes {
            let (_, text) = files.iter_mut().find(|(known, _)| known == path).unwrap();
            assert_eq!(text.matches(from).count(), 1, "{from} in {path}");
            *text = text.replace(from, to);
        }
        let tree = self.trees.join(name);
        write_files(&tree, &files);
        tree
    }

    fn bump(&self, arguments: &[&str]) -> Output {
        let script = self.path("upstream/bump");
        Command::new("bash").arg(script).args(arguments).env("CPUID_GEN", GENERATOR).output().unwrap()
    }

    /// Runs a bump that must succeed.
    fn bumps(&self, arguments: &[&str]) -> String {
        let output = self.bump(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stderr)
    }

    /// Runs a bump that must fail with this code and reason, and change nothing.
    fn refuses(&self, arguments: &[&str], code: i32, reason: &str) {
        let before = texts(&self.root);
        let output = self.bump(arguments);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
        assert!(shown.contains(reason), "{arguments:?}: {shown}");
        assert_eq!(shown.contains("nothing was changed"), code == 1, "{shown}");
        assert_eq!(texts(&self.root), before, "{arguments:?}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Another release of the made-up kernel.
fn release<'a>(patch: &'a str, more: &[(&'a str, &'a str, &'a str)]) -> Vec<(&'a str, &'a str, &'a str)> {
    [&[("Makefile", "PATCHLEVEL = 2\nSUBLEVEL = 1", patch)], more].concat()
}

const HEADER: &str = "arch/x86/include/asm/cpufeatures.h";
/// Removes a flag.
const HARMLESS: (&str, &str, &str) = (HEADER, "/* Load \"kernel\" (userspace) PEAR */", "/* \"\" PEAR */");
/// Adds a software-defined bit.
const ADDITION: (&str, &str, &str) = (
    HEADER,
    "#define X86_FEATURE_QUINCE",
    "#define X86_FEATURE_MEDLAR\t( 1*32+ 5)\n#define X86_FEATURE_QUINCE",
);
/// A bit that has a different name in QEMU.
const CONFLICT: (&str, &str, &str) =
    (HEADER, "X86_FEATURE_APPLE\t( 0*32+ 0)", "X86_FEATURE_APPLE\t( 0*32+30)");

#[test]
fn a_point_release_replaces_the_pinned_one() {
    let Some(orchard) = Orchard::new("a_point_release_replaces_the_pinned_one") else { return };
    let tree = orchard.tree("new", LINUX, &release("PATCHLEVEL = 2\nSUBLEVEL = 2", &[HARMLESS]));
    let shown = orchard.bumps(&["linux", "--tree", tree.to_str().unwrap()]);
    assert!(
        shown.contains("wrote docs/bumps/linux-6.2.1-to-6.2.2.md") && shown.contains("done. "),
        "{shown}"
    );
    assert!(orchard.read("upstream/linux-6.2.tsv").contains("\nlinux-release\t6.2.2\n"));
    let pins = PINS.replace("6.2.1", "6.2.2");
    assert_eq!(orchard.read("upstream/pins.tsv"), pins);
    assert_eq!(orchard.read("upstream/lib.rs"), PINNED);
    let report = orchard.read("docs/bumps/linux-6.2.1-to-6.2.2.md");
    assert!(report.starts_with("# Linux 6.2.1 to 6.2.2\n") && report.contains("- `PEAR`: "), "{report}");
    assert!(report.contains("\n**the pinned releases: patch.**\n"), "{report}");
    let entry = "- Linux 6.2.2 pinned in place of 6.2.1. Constants of `cpuid-tables`: patch; \
                 [docs/bumps/linux-6.2.1-to-6.2.2.md](docs/bumps/linux-6.2.1-to-6.2.2.md) lists the changes.\n";
    let expected = CHANGELOG.replace("\n## [0.1.0]", &format!("\n### Changed\n\n{entry}\n## [0.1.0]"));
    assert_eq!(orchard.read("CHANGELOG.md"), expected);
    assert!(orchard.path("upstream/trees/linux-6.2.2/Makefile").exists());
    let leftovers = fs::read_dir(orchard.path("upstream/trees")).unwrap().count();
    assert_eq!(leftovers, 1, "only the tree");

    // Again: nothing to do. An older release: refused.
    let before = texts(&orchard.root);
    assert!(orchard.bumps(&["linux", "--tree", tree.to_str().unwrap()]).contains("nothing to do"));
    assert_eq!(texts(&orchard.root), before);
    let older = orchard.trees.join("old");
    orchard.refuses(&["linux", "--tree", older.to_str().unwrap()], 1, "6.2.1 is older than the pinned 6.2.2");
}

#[test]
fn a_release_candidate_is_older_than_its_release() {
    let Some(orchard) = Orchard::new("a_release_candidate_is_older_than_its_release") else { return };
    let tree = |name: &str, suffix: &str| {
        let patch = format!("SUBLEVEL = 2\nEXTRAVERSION ={suffix}");
        orchard.tree(name, LINUX, &[("Makefile", "SUBLEVEL = 1\nEXTRAVERSION =", &patch), HARMLESS])
    };
    for (name, suffix) in [("rc2", " -rc2"), ("rc10", " -rc10"), ("final", "")] {
        let tree = tree(name, suffix);
        orchard.bumps(&["linux", "--tree", tree.to_str().unwrap()]);
        let pinned = format!("\nlinux-release\t6.2.2{}\n", suffix.trim());
        assert!(orchard.read("upstream/linux-6.2.tsv").contains(&pinned), "{pinned}");
    }
    let older = orchard.trees.join("rc10");
    let reason = "6.2.2-rc10 is older than the pinned 6.2.2";
    orchard.refuses(&["linux", "--tree", older.to_str().unwrap()], 1, reason);
}

#[test]
fn errors_change_nothing() {
    let Some(orchard) = Orchard::new("errors_change_nothing") else { return };
    let conflict = orchard.tree("conflict", LINUX, &release("PATCHLEVEL = 2\nSUBLEVEL = 2", &[CONFLICT]));
    let conflict = conflict.to_str().unwrap();
    orchard.refuses(&["linux", "--tree", conflict], 1, "verify has unexplained findings");
    let broken = (HEADER, "( 2*32+ 3)", "( 2*32+)");
    let broken = orchard.tree("broken", LINUX, &release("PATCHLEVEL = 2\nSUBLEVEL = 2", &[broken]));
    orchard.refuses(&["linux", "--tree", broken.to_str().unwrap()], 1, "could not be read");
    orchard.refuses(&["qemu", "--tree", conflict], 1, "this is a tree of linux, not of qemu");
    orchard.refuses(&["linux", "--tree", "/nonexistent"], 1, "could not be fetched");
    orchard.refuses(&["linux", "--drop", "6.2", "--yes"], 1, "the last series of linux");
    orchard.refuses(
        &["linux", "--drop", "5.4", "--yes"],
        1,
        "no pinned series 5.4 of linux; pinned are: 6.2",
    );
    for wrong in [
        vec![],
        vec!["windows"],
        vec!["linux"],
        vec!["linux", "--tree"],
        vec!["linux", "--tree", "a", "--debian", "b"],
        vec!["linux", "--suite", "sid"],
        vec!["linux", "--differences", "/nonexistent", "--tree", conflict],
        vec!["reports", "--drop", "6.2"],
        vec!["linux", "tree"],
    ] {
        orchard.refuses(&wrong, 2, "(see --help)");
    }
    // With an explanation it succeeds.
    let explained = orchard.trees.join("differences.tsv");
    fs::write(&explained, orchard.read("upstream/differences.tsv")).unwrap();
    let output = orchard.bump(&["linux", "--tree", conflict]);
    let more: String = text(&output.stderr)
        .lines()
        .filter_map(|line| line.split_once("explain it in differences.tsv: "))
        .map(|(_, row)| row.replace(" | ", "\t").replace("VERDICT\tREASON", "design\tmade up") + "\n")
        .collect();
    assert!(!more.is_empty());
    fs::write(&explained, orchard.read("upstream/differences.tsv") + &more).unwrap();
    orchard.bumps(&["linux", "--tree", conflict, "--differences", explained.to_str().unwrap()]);
    assert!(orchard.read("upstream/differences.tsv").ends_with(&more));
}

#[test]
fn a_new_series_is_added_and_an_old_one_dropped() {
    let Some(orchard) = Orchard::new("a_new_series_is_added_and_an_old_one_dropped") else { return };
    let tree = orchard.tree("new", LINUX, &release("PATCHLEVEL = 13\nSUBLEVEL = 0", &[ADDITION]));
    orchard.bumps(&["linux", "--tree", tree.to_str().unwrap()]);
    let pins = PINS.replace("qemu-9.3", "linux-6.13.tsv\t6.13.0\t-\nqemu-9.3");
    assert_eq!(orchard.read("upstream/pins.tsv"), pins);
    let line = "        (\"linux-6.13.tsv\", include_str!(\"linux-6.13.tsv\")),\n";
    let both = PINNED.replace("        (\"qemu", &format!("{line}        (\"qemu"));
    assert_eq!(orchard.read("upstream/lib.rs"), both);
    let report = orchard.read("docs/bumps/linux-6.2-to-6.13.md");
    assert!(report.starts_with("# Linux 6.2.1 to 6.13.0\n"), "{report}");
    assert!(orchard.read("CHANGELOG.md").contains(
        "- Linux 6.13.0 pinned in addition to the others. Constants of `cpuid-tables`: minor (constants: 1 added); ["
    ));

    orchard.refuses(&["linux", "--drop", "6.2"], 1, "must be confirmed on a terminal or with --yes");
    orchard.bumps(&["linux", "--drop", "6.2", "--yes"]);
    assert!(!orchard.path("upstream/linux-6.2.tsv").exists());
    assert_eq!(
        orchard.read("upstream/pins.tsv"),
        "# A list.\nlinux-6.13.tsv\t6.13.0\t-\nqemu-9.3.tsv\t9.3.1\t-\n"
    );
    assert!(orchard.read("CHANGELOG.md").contains("\n- Linux 6.2.1 is no longer pinned.\n- Linux 6.13.0"));
}

#[test]
fn help_has_examples_and_exit_codes() {
    let Some(orchard) = Orchard::new("help_has_examples_and_exit_codes") else { return };
    let output = orchard.bump(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
}

const XEN: &str = include_str!("../fixtures/witness-xen.txt");
const WITNESSES: &str = "# A list.\ngcc-1.tsv\t1\t-\tnone\nxen-9.2.tsv\t9.2\t--git URL v9.2\tmade up\n";
const OF_WITNESSES: &str = "pub fn witnesses() -> &'static [(&'static str, &'static str)] {
    const ALL: &[(&str, &str)] = &[
        (\"gcc-1.tsv\", include_str!(\"gcc-1.tsv\")),
        (\"xen-9.2.tsv\", include_str!(\"xen-9.2.tsv\")),
    ];
    ALL
}
";

#[test]
fn a_witness_is_replaced() {
    let Some(orchard) = Orchard::new("a_witness_is_replaced") else { return };
    fs::write(orchard.path("upstream/witnesses.tsv"), WITNESSES).unwrap();
    fs::write(orchard.path("upstream/lib.rs"), format!("{PINNED}{OF_WITNESSES}")).unwrap();
    fs::write(orchard.path("upstream/gcc-1.tsv"), "witness-release\tGCC\t1\n").unwrap();
    fs::write(orchard.path("upstream/xen-9.2.tsv"), "witness-release\tXen\t9.2\n").unwrap();
    // A tree that cannot be read, and one of a project that is not in the list.
    let broken = orchard.tree("broken", XEN, &[("xen/tools/gen-cpuid.py", "APPLE: [", "APPLE [")]);
    orchard.refuses(&["witness", "--tree", broken.to_str().unwrap()], 1, "could not be read");
    let other = orchard.tree("other", include_str!("../fixtures/witness-llvm.txt"), &[]);
    orchard.refuses(
        &["witness", "--tree", other.to_str().unwrap()],
        1,
        "this is a tree of llvm, which is not",
    );
    orchard.refuses(&["witness", "--drop", "9.2"], 2, "a witness cannot be dropped");
    // A bit that the pinned releases have elsewhere must be explained.
    let moved =
        ("xen/include/public/arch-x86/cpufeatureset.h", "(APPLE,     0*32+ 0)", "(APPLE,     0*32+ 9)");
    let wrong = orchard.tree("wrong", XEN, &[moved]);
    orchard.refuses(&["witness", "--tree", wrong.to_str().unwrap()], 1, "bit-elsewhere: `APPLE`");
    let tree = orchard.tree("new", XEN, &[]);
    // What the witness has elsewhere in these made-up facts on purpose.
    let mut explained = orchard.read("upstream/differences.tsv");
    for row in [
        "plum\tCPUID.(EAX=1,ECX=0):EDX[3]\tCPUID.(EAX=1,ECX=0):EDX[2]",
        "quince\tCPUID.(EAX=7,ECX=1):EAX[5]\tCPUID.(EAX=7,ECX=0):EBX[3]",
        "pear\tCPUID.(EAX=1,ECX=0):EDX[31]\tCPUID.(EAX=1,ECX=0):EDX[1]",
        "handle\tMSR 0x10a[62]\tMSR 0x10a[0]",
    ] {
        explained += &format!("bit-elsewhere\t{row}\tdesign\tmade up\n");
    }
    let differences = orchard.path("explained.tsv");
    fs::write(&differences, explained).unwrap();
    let [tree, differences] = [&tree, &differences].map(|path| path.to_str().unwrap());
    let shown = orchard.bumps(&["witness", "--tree", tree, "--differences", differences]);
    assert!(shown.contains("removed upstream/xen-9.2.tsv") && shown.contains("done. "), "{shown}");
    assert!(orchard.read("upstream/xen-9.3.tsv").contains("\nwitness-release\tXen\t9.3.1\n"));
    assert!(!orchard.path("upstream/xen-9.2.tsv").exists() && orchard.path("upstream/gcc-1.tsv").exists());
    let list = WITNESSES.replace("xen-9.2.tsv\t9.2\t--git URL v9.2", "xen-9.3.tsv\t9.3.1\t-");
    assert_eq!(orchard.read("upstream/witnesses.tsv"), list);
    let pinned = format!("{PINNED}{}", OF_WITNESSES.replace("xen-9.2", "xen-9.3"));
    assert_eq!(orchard.read("upstream/lib.rs"), pinned);
    assert!(orchard.read("CHANGELOG.md").contains("- The witness xen is 9.3.1 in place of 9.2.\n"));
    let shown = orchard.bumps(&["witness", "--tree", tree]);
    assert!(shown.contains("nothing to do"), "{shown}");
}
