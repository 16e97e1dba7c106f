//! CPU models and machine types: the emitted text of small made-up facts, against a golden file (`BLESS=1 cargo test`
//! rewrites it), and the model's errors.

use std::error::Error;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts, QemuFacts};
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use cpuid_gen::{GeneratedFile, format, generate};

use crate::compare_with_golden;

type TestResult = Result<(), Box<dyn Error>>;

const LINUX: &str = "linux-release\t6.12\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\n";

const OLD: &str = "\
qemu-release\t9.2.0
qemu-word\tFEAT_1_EDX\t0\tcpuid\t0x1\t-\tEDX
qemu-word\tFEAT_ARCH\t1\tmsr\t0x10a
qemu-word\tFEAT_7_0_EBX\t2\tcpuid\t0x7\t0\tEBX
qemu-bit\tFEAT_1_EDX\t0\tfpu
qemu-bit\tFEAT_7_0_EBX\t5\twide
qemu-bit\tFEAT_ARCH\t63\trdcl-no
qemu-model\tOne\t0xd\t0x80000008\tMadeUpVendor\t6\t15\t3\tThe first
qemu-model-word\tOne\tFEAT_ARCH\t0x8000000000000000
qemu-model-word\tOne\tFEAT_1_EDX\t0x3
qemu-model-version\tOne\t1\t-\t-
qemu-model-version\tOne\t2\tOne-wide\ta note
qemu-model-prop\tOne\t2\twide\ton
qemu-model-prop\tOne\t2\todd\toff
qemu-model\tTwo\t0x1\t0x0\tMadeUpVendor\t4\t0\t0\t\"\"
qemu-model-deprecated\tTwo\tuse One
qemu-model-word\tTwo\tFEAT_1_EDX\t0x1
qemu-model-cache\tTwo\t-\tl1d\ttype=data\tlevel=1\tsize=32768\tline-size=64\tassociativity=8\tpartitions=1\tsets=64\tself-init=1\tshare-level=core
qemu-xsave\t2\tFEAT_7_0_EBX\t5\t256\t-
qemu-cache\tlegacy_l2\t-\ttype=unified\tlevel=2\tsize=5000000000\tline-size=64\tassociativity=16\tinclusive=1\tcomplex-indexing=1\tshare-level=invalid
qemu-cache-descriptor\t0x2c\tdata\t1\t32768\t64\t8
qemu-kvm-default\tfpu\ton
qemu-kvm-default\twide\ton
qemu-tcg-default\todd\toff
qemu-machine\tnew\t1\t-
qemu-machine\told\t1\tnew
qemu-machine\tsmall\tlatest\t-
qemu-compat\tnew\tx86_64-cpu\todd\ton
qemu-compat\told\tOne-x86_64-cpu\tfpu\toff
qemu-compat\told\tkvm-default\twide\t-
qemu-alias\twide_\twide
qemu-property\todd\tbool\tfield\t-\ttrue
";

/// A later release that is mostly the same.
fn newer() -> String {
    let moved = OLD
        .replace("9.2.0", "10.0.0")
        .replace("qemu-xsave\t2\tFEAT_7_0_EBX\t5\t256\t-", "qemu-xsave\t2\tFEAT_7_0_EBX\t5\t256\t576");
    // Words change their index, but not their location.
    let moved = moved.replace("FEAT_1_EDX\t0\tcpuid", "FEAT_1_EDX\t5\tcpuid");
    moved.replace("share-level=core", "share-level=socket") + "qemu-machine\tnewest\t1\t-\n"
}

/// The model of these texts, and its diagnostics.
fn merged(texts: &[&str]) -> Result<(Model, String), Box<dyn Error>> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let mut linux = Vec::new();
    let mut qemu: Vec<QemuFacts> = Vec::new();
    for (name, text) in ["linux", "old", "new"].into_iter().zip([LINUX].iter().chain(texts)) {
        let id = sources.add(name, *text);
        match facts::read(&sources, id, &mut diagnostics) {
            Some(Facts::Linux(facts)) => linux.push(facts),
            Some(Facts::Qemu(facts)) => qemu.push(facts),
            None => return Err(diagnostics.render(&sources).into()),
        }
    }
    let (model, found) = Model::merge(&linux, &qemu);
    Ok((model, found.render(&sources)))
}

#[test]
fn emitted_models_match_the_golden_file() -> TestResult {
    let (model, stated) = merged(&[OLD, &newer()])?;
    assert_eq!(stated, "");
    let files: Vec<GeneratedFile> = generate(&model)?.into_iter().map(format).collect::<Result<_, _>>()?;
    let files: Vec<_> =
        files.iter().filter(|file| ["model_tables.rs", "xsave.rs"].contains(&file.name)).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        compare_with_golden(&format!("emit-models/{}", file.name), &file.text);
    }
    Ok(())
}

#[test]
fn a_machine_type_starts_with_the_properties_of_its_base() -> TestResult {
    let (model, _) = merged(&[OLD])?;
    let board = &model.qemu[0].board;
    let compat: Vec<&str> = board.machines[1].compat.iter().map(|set| set.property.as_str()).collect();
    assert_eq!(compat, ["odd", "fpu"]);
    assert_eq!(board.machines[0].compat.len(), 1);
    // Only the old one drops a default, which keeps its place in the order.
    let kvm = |at: usize| -> Vec<(&str, Option<&str>)> {
        let all = board.machines[at].kvm_defaults.iter();
        all.map(|(name, value)| (name.as_str(), value.as_deref())).collect()
    };
    assert_eq!(kvm(0), [("fpu", Some("on")), ("wide", Some("on"))]);
    assert_eq!(kvm(1), [("fpu", Some("on")), ("wide", None)]);
    Ok(())
}

#[test]
fn a_missing_xsave_offset_comes_from_another_release() -> TestResult {
    let (model, _) = merged(&[OLD, &newer()])?;
    let offsets: Vec<Option<u32>> = model.xsave.iter().map(|component| component.offset).collect();
    assert_eq!(offsets, [Some(576)]);
    Ok(())
}

#[test]
fn errors_have_places() -> TestResult {
    let cases = [
        (
            "1_EDX\t0x3\n",
            "1_EDX\t0x100000003\n",
            "old:10:1: error: 0x100000003 does not fit `FEAT_1_EDX`, a CPUID register\n",
        ),
        (
            "share-level=core",
            "share-level=hall",
            "\
old:18:1: error: `hall` is not a level that can share a cache
  help: expected one of thread, core, module, die, socket, invalid\n",
        ),
        (
            "old\t1\tnew",
            "old\t1\tnone",
            "\
old:26:1: error: the base of `old`, `none`, is not defined before it
old:29:1: error: `old` is not a machine type
old:30:1: error: `old` is not a machine type\n",
        ),
        (
            "old\t1\tnew",
            "old\t2\tnew",
            "old:26:1: error: `old` selects version 2, which `Two` does not have\n",
        ),
        (
            "kvm-default\twide\t-",
            "kvm-default\todd\t-",
            "old:30:1: error: `odd` is not a default property of KVM\n",
        ),
        ("cpu\tfpu\toff", "cpu\tfpu\t-", "old:29:1: error: the compatibility property `fpu` has no value\n"),
        (
            "FEAT_7_0_EBX\t5\t256",
            "FEAT_7_0_EBX\t6\t256",
            "old:19:1: error: component 2 is enabled by CPUID.(EAX=7,ECX=0):EBX[6], which has no name\n",
        ),
        (
            "FEAT_7_0_EBX\t5\t256",
            "FEAT_ARCH\t5\t256",
            "old:19:1: error: `FEAT_ARCH` is an MSR, which cannot enable a component\n",
        ),
        (
            "FEAT_7_0_EBX\t5\t256",
            "FEAT_9\t5\t256",
            "old:19:1: error: `FEAT_9` is not a word of this release\n",
        ),
    ];
    for (right, wrong, expected) in cases {
        assert!(OLD.contains(right), "{right}");
        let (_, stated) = merged(&[&OLD.replacen(right, wrong, 1)])?;
        assert_eq!(stated, expected, "{wrong}");
    }
    let (_, stated) = merged(&[OLD, &newer().replace("\t5\t256\t", "\t5\t512\t")])?;
    let expected =
        "new:19:1: error: component 2 differs from another row or release\nold:19:1: note: the other one\n";
    assert_eq!(stated, expected);
    let (_, stated) = merged(&[&OLD.replace("\t256\t-", "\t256\t0"), &newer()])?;
    assert_eq!(stated, expected);
    // Errors in data that only guests need.
    let line = OLD.lines().count() + 1;
    for row in ["qemu-hyperv\thv-no\t0x40000003\tEAX\t0x1", "qemu-hyperv-dep\thv-no\todd"] {
        let (_, stated) = merged(&[&format!("{OLD}{row}\n")])?;
        let expected = format!("old:{line}:1: error: `hv-no` is not a property with a bit\n");
        assert!(stated.starts_with(&expected), "{stated}");
    }
    Ok(())
}
