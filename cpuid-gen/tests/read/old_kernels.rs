//! Forms that only older kernels have, in a made-up one.

use std::fs;
use std::path::{Path, PathBuf};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{LinuxFacts, write_linux};
use cpuid_gen::linux::{Tree, capflags};
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use cpuid_gen::verify::{Differences, Scope, verify};

use crate::common::{read_linux, scratch, unpacked, write_files};

const LINUX: &str = include_str!("../fixtures/small-linux.txt");

/// The fixture with some files replaced; an empty text removes the file.
fn kernel(name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let folder = scratch(&format!("old-{name}"));
    write_files(&folder, &unpacked(LINUX));
    for (path, text) in changes {
        if text.is_empty() {
            fs::remove_file(folder.join(path)).unwrap();
        } else {
            fs::write(folder.join(path), text).unwrap();
        }
    }
    folder
}

/// The rows of these kinds, blanks for tabs.
fn rows(root: &Path, kinds: &[&str]) -> Vec<String> {
    let (facts, diagnostics) = read_linux(root);
    assert_eq!(diagnostics, "");
    rows_of(&facts.unwrap(), kinds)
}

fn rows_of(facts: &LinuxFacts, kinds: &[&str]) -> Vec<String> {
    let text = write_linux(facts).replace('\t', " ");
    let wanted = |line: &&str| kinds.iter().any(|kind| line.starts_with(&format!("{kind} ")));
    text.lines().filter(wanted).map(str::to_owned).collect()
}

const KVM: &str = "arch/x86/kvm/cpuid.c";

/// Lists in the form of 4.10 to 4.15. `12_0_eax` is a register without a word of the kernel, and LIME is its bit 0.
const MASKS: &str = "
#define F(x) bit(X86_FEATURE_##x)
#define KVM_CPUID_BIT_LIME 0
#define KVM_CPUID_BIT_NUTMEG (1 + 6)
#define KF(x) bit(KVM_CPUID_BIT_##x)
#define ALSO(x) (KF(x))
#define KVM_X86_FEATURE_GRAPE (2*32+28)
#define OWN(x) __feature_bit(KVM_X86_FEATURE_##x)
static int do_cpuid(struct entry *entry)
{
	const u32 kvm_cpuid_1_edx_x86_features = F(APPLE) | F(PEAR);
	const u32 kvm_cpuid_7_0_ebx_x86_features = F(QUINCE) | OWN(GRAPE) | KF(LIME);
	const u32 kvm_cpuid_12_0_eax_x86_features = KF(LIME) | ALSO(NUTMEG) | BIT(9);
	entry->ebx |= F(PLUM);
	return 0;
}
";

#[test]
fn capability_macros_are_understood_from_their_definitions() {
    let only = "struct cpuid_reg { u32 function; u32 index; int reg; };
static const struct cpuid_reg reverse_cpuid[] = {
	[CPUID_1_EDX] = { 1, 0, CPUID_EDX},
	[CPUID_7_0_EBX] = { 7, 0, CPUID_EBX},
};
";
    let words = "enum cpuid_leafs { CPUID_1_EDX, CPUID_LNX_1, CPUID_7_0_EBX, CPUID_LNX_2 };";
    let others = [("arch/x86/kvm/reverse_cpuid.h", only), ("arch/x86/include/asm/cpufeature.h", words)];
    let root = kernel("masks", &[(KVM, MASKS), others[0], others[1]]);
    let expected = [
        "kvm-cap - set PLUM",
        "kvm-cap CPUID_1_EDX F APPLE",
        "kvm-cap CPUID_1_EDX F PEAR",
        "kvm-cap CPUID_7_0_EBX F QUINCE",
        "kvm-cap CPUID_7_0_EBX F GRAPE",
        // LIME is not in this register.
        "kvm-cap CPUID_7_0_EBX F BIT(0)",
        "kvm-cap CPUID_12_0_EAX F LIME",
        "kvm-cap CPUID_12_0_EAX F BIT(7)",
        "kvm-cap CPUID_12_0_EAX F BIT(9)",
    ];
    let mut found = rows(&root, &["kvm-cap"]);
    found.sort();
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);

    // The model finds the bit of a register without a word, and `verify` has nothing against it.
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = cpuid_gen::linux::read_tree(&mut sources, &root, &mut diagnostics).unwrap();
    let (_, doubts) = Model::merge(std::slice::from_ref(&facts), &[]);
    let doubts: Vec<&String> = doubts.iter().map(|doubt| &doubt.message).collect();
    assert!(!doubts.iter().any(|message| message.contains("LIME")), "{doubts:?}");
    let report = verify(&[facts], &[], &Differences::none(), Scope::Given).render(&sources);
    assert!(!report.contains("CPUID_12_0_EAX"), "{report}");

    let cycle = MASKS.replace("(KF(x))", "ODD(x)\n#define ODD(x) ALSO(x)");
    let root = kernel("masks-cycle", &[(KVM, &cycle), others[0], others[1]]);
    let (_, diagnostics) = read_linux(&root);
    assert!(diagnostics.contains("error: unknown kind of capability `ALSO`"), "{diagnostics}");
    let number = MASKS.replace("(1 + 6)", "32");
    let root = kernel("masks-number", &[(KVM, &number), others[0], others[1]]);
    let (_, diagnostics) = read_linux(&root);
    assert!(diagnostics.contains("error: unknown kind of capability `ALSO`"), "{diagnostics}");
}

const SCRIPT: &str = "arch/x86/kernel/cpu/mkcapflags.sh";
const FEATURES: &str = "arch/x86/include/asm/cpufeatures.h";
const REVERSE: &str = "arch/x86/kvm/reverse_cpuid.h";

/// A script like those before 3.17: one array, which the block itself writes.
const ONE_ARRAY: &str = "#!/bin/sh
OUT=$2
(
	echo \"#ifndef MADE_UP_FRUIT\"
	echo \"#include <fruit.h>\"
	echo \"#endif\"
	echo \"\"
	echo \"const char * const x86_cap_flags[NCAPINTS*32] = {\"

	sed -n 's/^ *# *define *X86_FEATURE_//p' $1 | while read fruit
	do
		[ \"$fruit\" == '\"\"' ] && continue
		echo \"$fruit\"
	done
	echo \"};\"
) > $OUT
";

fn name_map(root: &Path) -> String {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let tree = Tree::open(&mut sources, root, &mut diagnostics).unwrap();
    capflags::from_tree(&sources, &tree).unwrap()
}

#[test]
fn a_script_with_one_array_writes_its_own_header() {
    let root = kernel("script", &[(SCRIPT, ONE_ARRAY)]);
    let map = name_map(&root);
    let head = "#ifndef MADE_UP_FRUIT\n#include <fruit.h>\n#endif\n\nconst char * const x86_cap_flags[NCAPINTS*32] = {\n";
    assert!(map.starts_with(head) && map.ends_with("\t = \"lemon\",\n};\n"), "{map}");
    assert_eq!(map.matches("const char").count(), 1, "{map}");
    // Names that only an array of bugs or of VMX features would show are in no row.
    let flags = rows(&root, &["linux-feature", "linux-bug", "linux-vmx"]);
    let named = |kind: &str| flags.iter().filter(|row| row.starts_with(kind) && !row.ends_with(" -")).count();
    assert_eq!((named("linux-feature"), named("linux-bug"), named("linux-vmx")), (7, 0, 0), "{flags:?}");
    assert!(flags.contains(&"linux-bug WORM 0 3 -".to_owned()), "{flags:?}");

    let lost = ONE_ARRAY.replace("define *", "define ");
    let root = kernel("script-lost", &[(SCRIPT, &lost)]);
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let tree = Tree::open(&mut sources, &root, &mut diagnostics).unwrap();
    let error = capflags::from_tree(&sources, &tree).unwrap_err().render(&sources);
    assert!(error.contains("error: no line states which macros the array `x86_cap_flags` has"), "{error}");
}

/// KVM's table has only the words that it uses.
#[test]
fn a_hardware_word_without_a_row_keeps_its_register() {
    let root = kernel("row", &[]);
    let reverse = fs::read_to_string(root.join(REVERSE)).unwrap();
    let row = reverse.lines().find(|line| line.contains("[CPUID_7_0_EBX]")).unwrap();
    let root = kernel("row", &[(REVERSE, &reverse.replace(row, ""))]);
    let words = rows(&root, &["linux-word"]);
    assert!(words.contains(&"linux-word CPUID_7_0_EBX 2 0x7 0 EBX".to_owned()), "{words:?}");
    assert!(words.contains(&"linux-word CPUID_LNX_1 1 - - -".to_owned()), "{words:?}");

    // Only the row can place a word of KVM's own; its absence is a finding of `verify`.
    let row = reverse.lines().find(|line| line.contains("[CPUID_12_EAX]")).unwrap();
    let root = kernel("row", &[(REVERSE, &reverse.replace(row, ""))]);
    assert!(rows(&root, &["linux-word"]).contains(&"linux-word CPUID_12_EAX 4 - - -".to_owned()));
}

/// Vendors count words that no feature uses yet.
#[test]
fn reserved_words_at_the_end_are_no_errors() {
    let root = kernel("reserved", &[]);
    let features = fs::read_to_string(root.join(FEATURES)).unwrap().replace("NCAPINTS\t4", "NCAPINTS\t9");
    let reverse = fs::read_to_string(root.join(REVERSE)).unwrap();
    let root = kernel("reserved", &[(FEATURES, &features), (REVERSE, &reverse)]);
    assert_eq!(rows(&root, &["linux-word"]).len(), 5);
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = cpuid_gen::linux::read_tree(&mut sources, &root, &mut diagnostics).unwrap();
    let report = verify(&[facts], &[], &Differences::none(), Scope::Given).render(&sources);
    let missing: Vec<&str> = report.lines().filter(|line| line.contains("has no row")).collect();
    // KVM's word follows the reserved ones, so those before it are missing.
    assert!(missing.len() <= 5, "{missing:?}");

    // A kernel without `enum cpuid_leafs`, whose words are described by comments.
    let comments = "
#define NCAPINTS 6
/* AMD-defined features, CPUID level 0x00000001 (edx), word 0 */
#define X86_FEATURE_APPLE (0*32+ 0)
/* Made up, CPUID level 0x80000001 (edx), word 1 */
#define X86_FEATURE_PEAR (1*32+ 1)
";
    let kvm = "
#define F(x) bit(X86_FEATURE_##x)
static int list(void)
{
	const u32 kvm_supported_word0_x86_features = F(APPLE);
	return 0;
}
";
    let scattered = fs::read_to_string(root.join("arch/x86/kernel/cpu/scattered.c")).unwrap();
    let scattered: String = scattered
        .lines()
        .filter(|line| !line.contains("X86_FEATURE_L"))
        .map(|line| format!("{line}\n"))
        .collect();
    let changes = [
        (FEATURES, ""),
        ("arch/x86/include/asm/cpufeature.h", comments),
        (REVERSE, ""),
        (KVM, kvm),
        ("arch/x86/kernel/cpu/scattered.c", &*scattered),
        ("arch/x86/kernel/cpu/cpuid-deps.c", ""),
        ("arch/x86/Kconfig.cpufeatures", ""),
        ("arch/x86/include/asm/required-features.h", ""),
        ("arch/x86/include/asm/disabled-features.h", ""),
        ("arch/x86/include/asm/vmxfeatures.h", ""),
        (SCRIPT, ONE_ARRAY),
    ];
    let root = kernel("comments", &changes);
    let expected =
        ["linux-word CPUID_1_EDX 0 0x1 0 EDX", "linux-word CPUID_8000_0001_EDX 1 0x80000001 0 EDX"];
    assert_eq!(rows(&root, &["linux-word"]), expected);
    let used = comments.replace("1*32+ 1", "4*32+ 1");
    let mut changes = changes;
    changes[1].1 = &used;
    let (_, diagnostics) = read_linux(&kernel("comments", &changes));
    assert!(diagnostics.contains("error: no comment describes word 4"), "{diagnostics}");
}

/// The vendor modules before 5.7, in the forms of 3.10 to 5.6.
const INTEL: &str = "
static bool __read_mostly nested = 0;
module_param(nested, bool, S_IRUGO);
static void vmx_set_supported_cpuid(u32 func, struct kvm_cpuid_entry2 *entry)
{
	if (func == 1 && nested)
		entry->edx |= bit(X86_FEATURE_APPLE);
}
";
const AMD: &str = "
#define SVM_FEATURE_QUINCE (1 << 3)
#if defined(CONFIG_X86_64)
static bool npt_enabled = true;
#else
static bool npt_enabled;
#endif
static int npt = true;
module_param(npt, int, S_IRUGO);
static int avic;
module_param(avic, int, S_IRUGO);
static void svm_set_supported_cpuid(u32 func, struct kvm_cpuid_entry2 *entry)
{
	switch (func) {
	case 0x1:
		if (avic)
			entry->edx &= ~F(PEAR);
		break;
	case 0x7:
		entry->eax = 1;
		if (boot_cpu_has(X86_FEATURE_LEMON) ||
		     boot_cpu_has(X86_FEATURE_QUINCE))
			entry->ebx |= SVM_FEATURE_QUINCE | (1 << 4);
		if (npt_enabled)
			entry->ebx |= F(QUINCE);
		break;
	case 0x12:
		if (boot_cpu_has(X86_FEATURE_LIME))
			cpuid(0x12, &entry->eax, &entry->ebx, &entry->ecx, &entry->edx);
	}
}
";

#[test]
fn older_modules_change_the_entries_of_leaves() {
    let new = [("arch/x86/kvm/vmx/vmx.c", ""), ("arch/x86/kvm/svm/svm.c", ""), ("arch/x86/kvm/x86.c", "")];
    let folder = kernel("modules", &new);
    fs::write(folder.join("arch/x86/kvm/vmx.c"), INTEL).unwrap();
    fs::write(folder.join("arch/x86/kvm/svm.c"), AMD).unwrap();
    let expected = [
        "kvm-module kvm_intel set APPLE kvm_intel.nested",
        "kvm-module kvm_amd clear PEAR kvm_amd.avic",
        "kvm-module kvm_amd set QUINCE host:LEMON || host:QUINCE",
        "kvm-module kvm_amd set 3FIG host:LEMON || host:QUINCE",
        "kvm-module kvm_amd set QUINCE npt_enabled",
        "kvm-module kvm_amd set-if-host LIME host:LIME",
        "kvm-param kvm_intel nested false",
        "kvm-param kvm_amd avic 0",
    ];
    assert_eq!(rows(&folder, &["kvm-module", "kvm-param"]), expected);
    // A condition that ends a case holds for what follows in it.
    let breaks = AMD.replace("entry->eax = 1;", "if (avic) break;");
    fs::write(folder.join("arch/x86/kvm/svm.c"), breaks).unwrap();
    let found = rows(&folder, &["kvm-module"]);
    assert_eq!(found[4], "kvm-module kvm_amd set QUINCE !kvm_amd.avic && npt_enabled");
    // A bit without a macro, and a register that the leaf does not have, are errors.
    for (from, to, error) in [
        ("(1 << 4)", "(1 << 9)", "bit 9 of CPUID.(EAX=7,ECX=0):EBX has no macro"),
        ("entry->edx &=", "entry->esi &=", "cannot tell which register this is"),
        ("&= ~F(PEAR)", "^= F(PEAR)", "expected `|=`, or `&= ~`, and features"),
        ("entry->eax = 1;", "if (avic) return;", "a switch over the leaf that leaves the function"),
    ] {
        fs::write(folder.join("arch/x86/kvm/svm.c"), AMD.replace(from, to)).unwrap();
        let (_, diagnostics) = read_linux(&folder);
        assert!(diagnostics.contains(error), "{from}: {diagnostics}");
    }
}

#[test]
fn a_tree_without_the_modules_has_no_facts_of_them() {
    let without = kernel("no-modules", &[("arch/x86/kvm/vmx/vmx.c", ""), ("arch/x86/kvm/svm/svm.c", "")]);
    assert_eq!(rows(&without, &["kvm-module", "kvm-param"]), [""; 0]);
    let one = kernel("one-module", &[("arch/x86/kvm/svm/svm.c", "")]);
    fs::write(one.join("arch/x86/kvm/svm/sev.c"), "static int sev;\nmodule_param(sev, int, 0444);\n")
        .unwrap();
    let (facts, diagnostics) = read_linux(&one);
    assert!(
        diagnostics.contains("warning: TREE: the tree has kvm_intel, but not kvm_amd\n"),
        "{diagnostics}"
    );
    let rows = rows_of(&facts.unwrap(), &["kvm-module"]);
    assert!(!rows.is_empty() && rows.iter().all(|row| row.starts_with("kvm-module kvm_intel ")), "{rows:?}");
}

#[test]
fn leaf_types_without_a_leaf_are_an_error() {
    let folder =
        kernel("no-leaves", &[("arch/x86/include/asm/cpuid/leaf_types.h", "struct page { int x; };\n")]);
    let (_, diagnostics) = read_linux(&folder);
    assert!(diagnostics.contains("this file has no `struct leaf_*`"), "{diagnostics}");
    let without = kernel("without-leaves", &[("arch/x86/include/asm/cpuid/leaf_types.h", "")]);
    assert_eq!(rows(&without, &["leaf-field"]), [""; 0]);
}
