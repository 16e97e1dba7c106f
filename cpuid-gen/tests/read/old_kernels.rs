//! Forms that only older kernels have, in a made-up one.

use std::fs;
use std::path::{Path, PathBuf};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::write_linux;
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
    let text = write_linux(&facts.unwrap()).replace('\t', " ");
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
