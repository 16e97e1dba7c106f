//! A tree in the form of x86-cpuid-db's series: without `enum cpuid_leafs`, the registers of the kernel's words come from
//! leaf_types.h.

use std::fs;
use std::path::PathBuf;

use cpuid_gen::facts::{LinuxFacts, write_linux};

use crate::common::text::copy;
use crate::common::{read_linux, scratch, trees, unpacked, write_files};

const LINUX: &str = include_str!("../fixtures/small-linux.txt");
const HEADER: &str = "arch/x86/include/asm/cpuid/leaf_types.h";

/// The leafs of the fixture's words 0 to 3: `CPUID_1_EDX`, `CPUID_LNX_1`, `CPUID_7_0_EBX` and `CPUID_8000_0001_ECX`. One
/// name differs, as real ones do.
const LEAFS: &str = "\
struct leaf_0x1_0 {
	u32 stepping : 32;
	u32 : 32;
	u32 : 32;
	u32 apple : 1, pear : 1, prune : 1, : 29;
};
struct leaf_0x7_0 {
	u32 : 32;
	u32 : 3, quince : 1, _3fig : 1, : 27;
	u32 : 3, lemon : 1, : 28;
	u32 : 32;
};
struct leaf_0x7_1 {
	u32 : 32;
	u32 : 32;
	u32 : 32;
	u32 : 32;
};
struct leaf_0x4c780001_0 {
	u32 : 31, cherry : 1;
	u32 : 32;
	u32 : 32;
	u32 : 32;
};
struct leaf_0x80000001_0 {
	u32 : 32;
	u32 : 32;
	u32 lime : 1, lemon : 1, : 30;
	u32 : 32;
};
";

/// The fixture without its enum, with these leaf types.
fn series(name: &str, leafs: &str) -> PathBuf {
    let folder = scratch(&format!("leaf-words-{name}"));
    write_files(&folder, &unpacked(LINUX));
    fs::write(folder.join("arch/x86/include/asm/cpufeature.h"), "/* no enum */\n").unwrap();
    fs::create_dir_all(folder.join(HEADER).parent().unwrap()).unwrap();
    fs::write(folder.join(HEADER), leafs).unwrap();
    folder
}

/// The rows, but those that only leaf_types.h has.
fn rows(facts: &LinuxFacts) -> String {
    let text = write_linux(facts);
    text.lines()
        .filter(|line| !line.starts_with("leaf-field"))
        .fold(String::new(), |all, row| all + row + "\n")
}

#[test]
fn words_come_from_leaf_types_if_no_enum_names_them() {
    let old = scratch("leaf-words-old");
    write_files(&old, &unpacked(LINUX));
    let (old, diagnostics) = read_linux(&old);
    assert_eq!(diagnostics, "");
    let (new, diagnostics) = read_linux(&series("good", LEAFS));
    assert_eq!(diagnostics, "");
    let new = new.unwrap();
    assert_eq!(rows(&new), rows(&old.unwrap()));
    assert!(write_linux(&new).contains("leaf-field\t0x80000001\t0\t0\tECX\t0\t0\tlime\n"));
}

#[test]
fn a_word_without_a_register_is_an_error_at_its_first_feature() {
    let cases = [
        ("none", LEAFS.replace("cherry", "sloe"), "no register of leaf_types.h has the names of word 1"),
        // One name of two is too few.
        ("doubtful", LEAFS.replace("lime", "limes"), "no register of leaf_types.h has the names of word 3"),
        // Two registers have the same names.
        (
            "twice",
            LEAFS.replace(
                "struct leaf_0x7_1 {\n\tu32 : 32;\n\tu32 : 32;",
                "struct leaf_0x7_1 {\n\tu32 : 32;\n\tu32 : 3, quince : 1, _3fig : 1, : 27;",
            ),
            "no register of leaf_types.h has the names of word 2",
        ),
    ];
    for (name, leafs, message) in cases {
        let (_, diagnostics) = read_linux(&series(name, &leafs));
        assert!(diagnostics.contains(message), "{name}: {diagnostics}");
        assert!(diagnostics.contains("arch/x86/include/asm/cpufeatures.h:"), "{name}: {diagnostics}");
    }
}

/// The real leaf types name the registers of every word as the real enum does.
#[test]
fn the_leaf_types_of_7_3_name_the_same_words_as_its_enum() {
    const TEST: &str = "the_leaf_types_of_7_3_name_the_same_words_as_its_enum";
    let Some(tree) = trees(TEST, "linux-7.3").pop() else { return };
    let root = tree.path;
    let folder = scratch("leaf-words-7.3");
    copy(&root, &folder);
    let header = folder.join("arch/x86/include/asm/cpufeature.h");
    let text = fs::read_to_string(&header).unwrap();
    assert!(text.contains("enum cpuid_leafs"));
    fs::write(&header, text.replace("enum cpuid_leafs", "enum words_of_another_form")).unwrap();
    let (new, diagnostics) = read_linux(&folder);
    assert_eq!(diagnostics, "");
    let (old, _) = read_linux(&root);
    let (new, old) = (write_linux(&new.unwrap()), write_linux(&old.unwrap()));
    // The enum numbers these two in another order than the leaf type.
    let old = old.replace("CPUID_LNX_6\t17", "CPUID_LNX_5\t17").replace("CPUID_LNX_5\t21", "CPUID_LNX_6\t21");
    let differs = new.lines().zip(old.lines()).find(|(new, old)| new != old);
    assert_eq!(differs, None);
    assert_eq!(new.lines().count(), old.lines().count());
}
