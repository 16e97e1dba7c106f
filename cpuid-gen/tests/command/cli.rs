//! The command's output and exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common;

const UPSTREAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../upstream");

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cpuid-gen")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An empty folder for one test.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn upstream(name: &str) -> String {
    format!("{UPSTREAM}/{name}")
}

#[test]
fn the_pinned_releases_are_explained() {
    let output = run(&["verify"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("\nfindings: 0\n"));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_planted_mistake_is_exit_code_1_and_a_place() {
    let facts = fs::read_to_string(upstream("linux-7.3.tsv")).unwrap();
    let path = folder("mistake").join("moved.tsv");
    let moved = facts.replace("linux-feature\tAVX2\t9\t5\tavx2", "linux-feature\tAVX2\t9\t6\tavx2");
    assert_ne!(moved, facts);
    fs::write(&path, &moved).unwrap();
    let line = moved.lines().position(|line| line.starts_with("linux-feature\tAVX2\t")).unwrap() + 1;
    let output = run(&["verify", "--linux", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let place = format!("{}:{line}:", path.display());
    assert!(text(&output.stdout).contains(&place), "{}", text(&output.stdout));
}

/// Writes the facts of a pinned release with these replacements, each of which must change them.
fn edited(test: &str, name: &str, edits: &[(&str, &str)]) -> String {
    let mut facts = fs::read_to_string(upstream(name)).unwrap();
    for (from, to) in edits {
        assert!(facts.contains(from), "{name} has no {from}");
        facts = facts.replace(from, to);
    }
    let path = folder(test).join(name);
    fs::write(&path, facts).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn since_shows_only_what_a_change_adds() {
    let old = ("kvm-cap\tCPUID_7_0_EBX\tF\tAVX2\n", "");
    let before = edited("since-before", "linux-7.3.tsv", &[old]);
    assert!(text(&run(&["verify", "--linux", &before]).stdout).contains("`AVX2`"));
    let same = run(&["verify", "--linux", &before, "--since", &before]);
    assert_eq!((same.status.code(), text(&same.stdout).as_str()), (Some(0), "findings: 0\n"));
    let new = ("linux-feature\tBMI2\t9\t8\tbmi2", "linux-feature\tBMI2\t9\t8\tbmi3");
    let after = edited("since-after", "linux-7.3.tsv", &[old, new]);
    let output = run(&["verify", "--linux", &after, "--since", &before]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("findings: 1\n") && shown.contains("changed: linux-flag BMI2 is bmi3"), "{shown}");
    assert!(!shown.contains("`AVX2`"), "{shown}");
}

#[test]
fn since_takes_a_pinned_release_of_a_given_project() {
    let after = edited("since-pinned", "linux-7.3.tsv", &[("kvm-cap\tCPUID_7_0_EBX\tF\tAVX2\n", "")]);
    let output = run(&["verify", "--linux", &after, "--since", "linux-7.3"]);
    let shown = text(&output.stdout);
    assert!(shown.contains("kvm-omits: `AVX2`") && shown.contains("model-bit: `AVX2`"), "{shown}");
    for wrong in
        [&["verify", "--since", "linux-7.3"][..], &["verify", "--linux", &after, "--since", "qemu-10.2"]]
    {
        let output = run(wrong);
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{wrong:?}");
    }
}

#[test]
fn every_release_argument_takes_a_pinned_release_as_people_write_it() {
    let (linux, qemu) = (upstream("linux-6.12.tsv"), upstream("qemu-10.0.tsv"));
    let map = text(&run(&["capflags", "--linux", &linux]).stdout);
    for name in ["6.12", "v6.12", "linux-6.12"] {
        let output = run(&["capflags", "--linux", name]);
        assert!(text(&output.stdout) == map && !map.is_empty(), "{name}: {}", text(&output.stderr));
    }
    let by_file = text(&run(&["models", "--qemu", &qemu]).stdout);
    for name in ["10.0", "qemu-10.0", "QEMU v10.0", "qemu-kvm-10.0"] {
        assert_eq!(text(&run(&["models", "--qemu", name]).stdout), by_file, "{name}");
    }
    let by_file = run(&["diff", &linux, &upstream("linux-7.3.tsv")]);
    let by_name = run(&["diff", "linux-6.12", "v7.3"]);
    assert_eq!((by_name.status.code(), by_name.stdout), (by_file.status.code(), by_file.stdout));
    let facts = fs::read_to_string(&qemu).unwrap();
    let release = facts.lines().find_map(|line| line.strip_prefix("qemu-release\t")).unwrap();
    let debian = format!("1:{release}+ds-0+deb13u1");
    assert_eq!(run(&["diff", &debian, "qemu-10.0"]).status.code(), Some(0), "{debian}");
}

#[test]
fn a_release_that_is_not_pinned_is_an_error_that_names_those_that_are() {
    for (arguments, nearest) in [
        (&["diff", "linux-6.11", "linux-7.3"][..], "the nearest is linux-6.12"),
        (&["verify", "--linux", "5.14.0-570.el9.x86_64"], "the nearest is linux-6.1"),
        (&["verify", "--linux", "linux-7.3", "--since", "linux-7.0"], "the nearest is linux-7.3"),
        (&["models", "--qemu", "v11.0.0-rc2"], "the nearest is qemu-11.0"),
        (&["import", "--qemu", "qemu-9.2.4-1.fc42", "-o", "no-such-folder/x"], "the nearest is qemu-10.0"),
        (&["diff", "v8.0.0", "no-such-file"], "the pinned releases are linux-"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains("the pinned releases are linux-") && said.contains(nearest),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn accepted_findings_are_no_findings() {
    let after = edited("accept-after", "linux-7.3.tsv", &[("\t9\t8\tbmi2", "\t9\t8\tbmi3")]);
    let rows = folder("accept").join("intended.tsv");
    let row = "changed\tlinux-flag BMI2\tbmi2\tbmi3\tdesign\tthe flag has another name\n";
    let arguments = ["verify", "--linux", &after, "--since", "linux-7.3", "--accept", rows.to_str().unwrap()];
    fs::write(&rows, row).unwrap();
    let output = run(&arguments);
    let [shown, errors] = [text(&output.stdout), text(&output.stderr)];
    assert_eq!((output.status.code(), &*shown, &*errors), (Some(0), "findings: 0\n", ""));
    // A row that no finding needs is a warning at its place, and a row that is none is an error.
    fs::write(&rows, row.to_owned() + &row.replace("BMI2", "BMI1")).unwrap();
    let output = run(&arguments);
    let errors = text(&output.stderr);
    assert!(errors.starts_with("warning: no finding needs this accepted row\n"), "{errors}");
    assert!(output.status.success() && errors.contains("intended.tsv:2:"), "{errors}");
    fs::write(&rows, "needs\ta\tb\tqemu\tdesign\tc\n").unwrap();
    assert_eq!(run(&arguments).status.code(), Some(2));
}

/// The rows of a series and those of a maintainer, and what a script reads of them.
#[test]
fn accepted_findings_of_several_files_are_no_findings() {
    let edits = [("\t9\t8\tbmi2", "\t9\t8\tbmi3"), ("\t9\t5\tavx2", "\t9\t5\tavx3")];
    let after = edited("accept-several", "linux-7.3.tsv", &edits);
    let folder = folder("accept-files");
    let files =
        [("one.tsv", "BMI2\tbmi2\tbmi3"), ("two.tsv", "AVX2\tavx2\tavx3"), ("three.tsv", "FPU\tfpu\tfpv")];
    let paths = files.map(|(name, columns)| {
        let path = folder.join(name);
        fs::write(&path, format!("changed\tlinux-flag {columns}\tdesign\ta test\n")).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let mut arguments = vec!["verify", "--format", "json", "--linux", &after, "--since", "linux-7.3"];
    let found = run(&arguments);
    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let wanted = serde_json::json!(["changed", "linux-flag AVX2", "avx2", "avx3"]);
    let all = report["findings"].as_array().unwrap();
    assert!(all.len() == 2 && all.iter().any(|found| found["row"] == wanted), "{report:#}");
    assert!(all.iter().all(|found| found["follows"].is_null()), "{report:#}");
    arguments.extend(paths.iter().flat_map(|path| ["--accept", path.as_str()]));
    let output = run(&arguments);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    let unneeded = report["unneeded_accepted"].as_array().unwrap();
    assert!(unneeded.len() == 1 && unneeded[0]["subject"] == "linux-flag FPU", "{report:#}");
}

#[test]
fn json_output_parses() {
    let output = run(&["verify", "--format", "json", "--linux", &upstream("linux-7.3.tsv")]);
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report.is_object());
}

#[test]
fn what_cannot_be_read_is_exit_code_2() {
    let nowhere = folder("nowhere").join("absent");
    let nowhere = nowhere.to_str().unwrap();
    for arguments in [
        vec!["facts", "--linux", nowhere],
        vec!["facts", "--qemu", &upstream("linux-7.3.tsv")],
        vec!["verify", "--qemu", nowhere],
        vec!["verify", "--differences", nowhere],
        vec!["capflags", "--linux", nowhere],
        vec!["generate", "--linux", nowhere, "-o", nowhere],
        vec!["facts"],
        vec!["facts", "--linux", "a", "--qemu", "b"],
        vec!["nonsense"],
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    assert!(!Path::new(nowhere).exists());
}

#[test]
fn facts_of_a_facts_file_reproduce_it() {
    for name in ["linux-6.1.tsv", "qemu-10.2.tsv"] {
        let project = if name.starts_with("linux") { "--linux" } else { "--qemu" };
        let output = run(&["facts", project, &upstream(name)]);
        assert_eq!(text(&output.stdout), fs::read_to_string(upstream(name)).unwrap());
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn import_is_atomic() {
    let folder = folder("import");
    let path = folder.join("facts.tsv");
    fs::write(&path, "old").unwrap();
    let broken = folder.join("broken.tsv");
    fs::write(&broken, "linux-release\t7.3.4\nlinux-feature\tX\n").unwrap();
    let output = run(&["import", "--linux", broken.to_str().unwrap(), "-o", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("broken.tsv:2:"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    let output = run(&["import", "--linux", &upstream("linux-7.3.tsv"), "-o", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fs::read(&path).unwrap(), fs::read(upstream("linux-7.3.tsv")).unwrap());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

/// A pinned file is byte for byte the import of its release's tree.
#[test]
fn pinned_facts_match_their_trees() {
    const TEST: &str = "pinned_facts_match_their_trees";
    let trees = [common::trees(TEST, "linux-"), common::trees(TEST, "qemu-")].concat();
    let path = folder("pinned").join("facts.tsv");
    for (name, pinned) in cpuid_gen::pinned() {
        let series = name.trim_end_matches(".tsv");
        let release = pinned.lines().find_map(|line| line.split_once("-release\t")).unwrap();
        if pinned.starts_with("# QEMU ") && pinned.lines().any(|line| line.starts_with("# from the program "))
        {
            // Its sources were not to be had.
            continue;
        }
        let Some(tree) = trees.iter().find(|tree| tree.name == format!("{}-{}", release.0, release.1)) else {
            let pool = |row: &str| row.starts_with(name) && row.contains("\t--pool ");
            if include_str!("../../../upstream/pins.tsv").lines().any(pool)
                || trees.iter().any(|tree| tree.name.starts_with(&format!("{series}.")))
            {
                common::note(&format!("{TEST}: {name}: its tree is not here"));
            } else {
                common::skipped(TEST, &format!("the tree of {name}"));
            }
            continue;
        };
        let project = format!("--{}", release.0);
        let output = run(&["import", &project, tree.path.to_str().unwrap(), "-o", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(fs::read_to_string(&path).unwrap() == *pinned, "{name} is not what its tree gives");
    }
}

#[test]
fn generate_writes_what_the_library_returns() {
    let folder = folder("generate");
    for (arguments, names) in [
        (
            vec!["generate"],
            vec![
                "bit_tables.rs",
                "bug.rs",
                "coordinates.rs",
                "cpu_model.rs",
                "feature.rs",
                "field.rs",
                "guest_tables.rs",
                "kvm_module.rs",
                "kvm_treatment.rs",
                "model_tables.rs",
                "msr.rs",
                "name_hash.rs",
                "notation.rs",
                "register.rs",
                "release_order.rs",
                "software.rs",
                "vmx.rs",
                "xsave.rs",
            ],
        ),
        (vec!["generate", "--standalone"], vec!["cpuid.rs"]),
    ] {
        let out = folder.join(names[0]);
        let output = run(&[arguments, vec!["-o", out.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let mut found: Vec<_> = fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found, names);
    }
}

#[test]
fn the_name_map_defaults_to_the_newest_release() {
    let newest = run(&["capflags"]);
    let named = run(&["capflags", "--linux", &upstream("linux-7.3.tsv")]);
    assert_eq!(newest.stdout, named.stdout);
    assert!(text(&newest.stdout).contains("\t[X86_FEATURE_AVX2]\t\t = \"avx2\",\n"));
}

#[test]
fn help_has_examples_and_exit_codes() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
}

/// The facts of the fixture's QEMU tree.
fn small_qemu(test: &str) -> PathBuf {
    let path = folder(test).join("small-qemu.tsv");
    fs::write(&path, include_str!("../golden/diagnostics/small-qemu.tsv")).unwrap();
    path
}

#[test]
fn models_are_listed_by_version() {
    let tree = small_qemu("models");
    let output = run(&["models", "--qemu", tree.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stated = text(&output.stdout);
    let lines: Vec<&str> = stated.lines().collect();
    assert!(lines[0].ends_with(": 2 CPU models, 3 versions"), "{stated}");
    assert_eq!(
        lines[1..],
        [
            "Orchard-v1                  deprecated: use Meadow instead",
            "Orchard-v2  Orchard-noPear  no pear  deprecated: use Meadow instead",
            "Meadow-v1",
        ]
    );
    let output = run(&["models", "--format", "json", "--qemu", tree.to_str().unwrap()]);
    let stated: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stated["models"][0]["versions"][1]["alias"], "Orchard-noPear");
    assert_eq!(stated["models"][1]["deprecated"], serde_json::Value::Null);
}

#[test]
fn a_model_is_shown_with_its_version_applied() {
    let tree = small_qemu("model");
    let shown = |name: &str| {
        let output = run(&["models", "--qemu", tree.to_str().unwrap(), name]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let first = shown("Orchard");
    assert_eq!(first, shown("Orchard-v1"), "a model's name means its first version");
    assert!(first.starts_with("Orchard-v1 of QEMU "), "{first}");
    for line in [
        "  family      25, model 1, stepping 2\n",
        "  model id    Orchard CPU version ",
        "  level       0xd\n",
    ] {
        assert!(first.contains(line), "{first}");
    }
    assert!(first.contains(" pear "), "{first}");
    assert!(first.contains("\n    ") && first.contains("bit 7"), "a bit without a name is kept: {first}");
    let second = shown("Orchard-noPear");
    assert_eq!(second, shown("Orchard-v2"));
    assert!(second.contains("  model id    Orchard (no pear)\n"), "{second}");
    assert!(!second.contains(" pear "), "{second}");
    assert!(second.contains(" cache: data, "), "{second}");

    let output = run(&["models", "--qemu", tree.to_str().unwrap(), "--format", "json", "Orchard-v2"]);
    let stated: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stated["name"], "Orchard-v2");
    assert_eq!(stated["signature"]["family"], 25);
    assert!(stated["words"].as_array().is_some_and(|words| !words.is_empty()));
}

#[test]
fn an_unknown_model_lists_similar_names() {
    let tree = small_qemu("no-model");
    let failed = |name: &str| {
        let output = run(&["models", "--qemu", tree.to_str().unwrap(), name]);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        text(&output.stderr)
    };
    let stated = failed("orchad-v2");
    assert!(stated.contains("has no CPU model `orchad-v2`; similar names: Orchard-v2, "), "{stated}");
    assert!(!failed("Ocean-Liner-2000").contains("similar names"));
}

#[test]
fn diff_exit_code_shows_whether_releases_differ() {
    let (old, new) = (upstream("qemu-10.0.tsv"), upstream("qemu-10.2.tsv"));
    let same = run(&["diff", &old, &old]);
    assert_eq!((same.status.code(), text(&same.stdout).contains("\nno changes\n")), (Some(0), true));
    for (format, start) in [("text", "QEMU 10.0."), ("markdown", "# QEMU 10.0."), ("json", "{\n  \"api\": [")]
    {
        let output = run(&["diff", &old, &new, "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        let shown = text(&output.stdout);
        assert!(shown.starts_with(start) && shown.contains("its-no"), "{shown}");
        assert!(output.stderr.is_empty() && !shown.contains('\x1b'), "colour only on a terminal");
    }
    let json = run(&["diff", &old, &new, "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(shown["project"], "QEMU");
}

#[test]
fn diff_requires_two_releases_of_one_project() {
    let (linux, qemu) = (upstream("linux-7.3.tsv"), upstream("qemu-10.2.tsv"));
    let empty = folder("diff-empty");
    let empty = empty.to_str().unwrap();
    for (arguments, reason) in [
        ([&*linux, &*qemu], "cannot compare releases of different projects: "),
        ([&*qemu, &*linux], "is Linux 7.3"),
        ([&*qemu, empty], "neither a Linux nor a QEMU tree"),
        ([&*qemu, "absent"], "absent"),
    ] {
        let output = run(&["diff", arguments[0], arguments[1]]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            output.stdout.is_empty() && text(&output.stderr).contains(reason),
            "{}",
            text(&output.stderr)
        );
    }
    let help = text(&run(&["diff", "--help"]).stdout);
    assert!(help.contains("Examples:") && help.contains("Exit codes"), "{help}");
}

/// A folder of facts replaces the built-in releases.
#[test]
fn pins_can_be_a_folder() {
    let output = run(&["verify", "--pins", UPSTREAM]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(output.stdout, run(&["verify"]).stdout);
    let (old, new) = (upstream("linux-6.12.tsv"), upstream("linux-7.3.tsv"));
    let with = run(&["diff", &old, &new, "--pins", UPSTREAM, "--was", UPSTREAM]);
    assert!(text(&with.stdout).contains("\n  the pinned releases: nothing\n"), "{}", text(&with.stdout));
    assert_eq!(run(&["verify", "--pins", "absent"]).status.code(), Some(2));
    assert_eq!(run(&["diff", &old, &new, "--was", UPSTREAM]).status.code(), Some(2));
}

/// Facts that are valid but inconsistent: every command that needs the models reports each with its place.
#[test]
fn inconsistent_models_give_exit_code_1() {
    let cases = [
        (
            "qemu-model-word\tOrchard\tFEAT_BASKET\t",
            "qemu-model-word\tOrchard\tFEAT_CELLAR\t",
            "`FEAT_CELLAR`, which is not a word",
        ),
        (
            "qemu-model-prop\tOrchard\t2\tpear\t",
            "qemu-model-prop\tOrchard\t2\tpare\t",
            "`pare` is neither a feature bit nor",
        ),
        ("qemu-model-version\tOrchard\t1\t-\t-\n", "", "version 2 of `Orchard` is out of order"),
    ];
    let facts = include_str!("../golden/diagnostics/small-qemu.tsv");
    for (number, (from, to, stated)) in cases.into_iter().enumerate() {
        assert_eq!(facts.matches(from).count(), 1, "{from}");
        let path = folder(&format!("nonsense-{number}")).join("qemu.tsv");
        fs::write(&path, facts.replace(from, to)).unwrap();
        let path = path.to_str().unwrap();
        for arguments in [&["models", "--qemu", path][..], &["verify", "--qemu", path]] {
            let output = run(arguments);
            let shown = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {shown}");
            let line = shown.lines().position(|line| line.contains(stated));
            assert!(line.is_some() && shown.contains("qemu.tsv:"), "{arguments:?}: {shown}");
        }
        let generated = folder(&format!("nonsense-{number}-out"));
        let output = run(&["generate", "--qemu", path, "-o", generated.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(fs::read_dir(&generated).unwrap().count(), 0, "nothing is half-written");
    }
}

/// Every command that reads a file, with one that is not text: an error with the place, and no panic.
#[test]
fn every_command_reports_a_byte_that_is_not_utf8() {
    let folder = folder("bytes");
    let write = |name: &str, start: &[u8], rest: &str| {
        let path = folder.join(name);
        fs::write(&path, [start, rest.as_bytes()].concat()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (out, pins) = (folder.join("out"), folder.to_str().unwrap());
    let out = out.to_str().unwrap();
    for bytes in [&b"\xd0"[..], b"\xe2\x82", b"\xff\xfe"] {
        let linux = write("linux-1.tsv", bytes, "linux-release\t6.1.0\n");
        let qemu = write("qemu-1.tsv", bytes, "qemu-release\t10.0.0\n");
        let list = write("constants.tsv", bytes, "releases\t6.1.0\t10.0.0\n");
        let differences = write("differences.tsv", bytes, "\n");
        for arguments in [
            vec!["facts", "--linux", &linux],
            vec!["facts", "--qemu", &qemu],
            vec!["import", "--linux", &linux, "-o", out],
            vec!["import", "--qemu", &qemu, "-o", out],
            vec!["capflags", "--linux", &linux],
            vec!["models", "--qemu", &qemu],
            vec!["diff", &linux, &linux],
            vec!["diff", &qemu, &qemu],
            vec!["generate", "--linux", &linux, "-o", out],
            vec!["generate", "--qemu", &qemu, "-o", out],
            vec!["constants", "--pins", pins],
            vec!["verify", "--pins", pins],
            vec!["verify", "--linux", &linux],
            vec!["verify", "--qemu", &qemu],
            vec!["verify", "--differences", &differences],
        ] {
            let output = run(&arguments);
            let errors = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}\n{errors}");
            let byte = format!("error: the byte {:#04x} is not UTF-8", bytes[0]);
            assert!(errors.contains(&byte) && errors.contains(".tsv:1:1"), "{arguments:?}\n{errors}");
        }
        assert!(!list.is_empty() && !Path::new(out).exists());
    }
}

#[test]
fn errors_are_json_where_the_answer_is() {
    let folder = folder("errors-as-json");
    let faulty = folder.join("linux-9.9.tsv");
    fs::write(&faulty, "linux-release\t9.9\nlinux-word\tCPUID_1_EDX\tnone\n").unwrap();
    let faulty = faulty.to_str().unwrap();
    for (arguments, message, line) in [
        (vec!["verify", "--linux", faulty], "`none` is not a valid `WORD`", Some(2)),
        (vec!["diff", faulty, &upstream("linux-7.3.tsv")], "`none` is not a valid `WORD`", Some(2)),
        (vec!["diff", "no-such-release", &upstream("linux-7.3.tsv")], "no-such-release", None),
        (vec!["models", "Skylake-Sever"], "QEMU 11.1.3 has no CPU model `Skylake-Sever`", None),
    ] {
        let output = run(&[&arguments[..], &["--format", "json"]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let written: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = &written["errors"][0];
        assert_eq!(error["severity"], "error");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
        assert_eq!(error["at"]["line"].as_u64(), line, "{error}");
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
        let as_text = run(&arguments);
        assert!(as_text.stdout.is_empty() && as_text.stderr == output.stderr, "{arguments:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_one_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cpuid-gen"));
    let output = command.args(["models", "EPYC", "--format", "json"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert_eq!(errors.matches("cannot write the output").count(), 1, "{errors}");
}
