//! What can be wrong in a Linux tree.

use crate::Case;

const MAKEFILE: &str = "Makefile";
const FEATURES: &str = "arch/x86/include/asm/cpufeatures.h";
const VMX: &str = "arch/x86/include/asm/vmxfeatures.h";
const LEAFS: &str = "arch/x86/include/asm/cpufeature.h";
const REVERSE: &str = "arch/x86/kvm/reverse_cpuid.h";
const KVM: &str = "arch/x86/kvm/cpuid.c";
const SCATTERED: &str = "arch/x86/kernel/cpu/scattered.c";
const DEPS: &str = "arch/x86/kernel/cpu/cpuid-deps.c";
const SCRIPT_PATH: &str = "arch/x86/kernel/cpu/mkcapflags.sh";

/// One change each.
pub(crate) const CASES: &[Case] = &[
    ("no Makefile", MAKEFILE, "", "-"),
    ("no release", MAKEFILE, "SUBLEVEL", "SUB"),
    ("a release that is no number", MAKEFILE, "= 2", "= two"),
    ("no feature header", FEATURES, "", "-"),
    ("no scattered.c", SCATTERED, "", "-"),
    ("no kvm/cpuid.c", KVM, "", "-"),
    ("an enum in two headers", "arch/x86/include/asm/zebra.h", "", "enum cpuid_leafs { CPUID_A };\n"),
    ("no NCAPINTS", FEATURES, "#define NCAPINTS	4	/* words */", ""),
    ("a count that is none", FEATURES, "NBUGINTS	2", "NBUGINTS	-2"),
    ("text outside directives", FEATURES, "#define X86_FEATURE_QUINCE", "define X86_FEATURE_QUINCE"),
    (
        "a hash in the middle of a line",
        FEATURES,
        "#define X86_FEATURE_QUINCE",
        "/* */ x #define X86_FEATURE_QUINCE",
    ),
    ("a define over two lines", FEATURES, "#define X86_FEATURE_QUINCE	", "#define \\\nX86_FEATURE_QUINCE	"),
    ("a define after a comment", FEATURES, "#define X86_FEATURE_QUINCE", "/* */ #define X86_FEATURE_QUINCE"),
    (
        "a define in a comment at the start of a line",
        FEATURES,
        " * #define X86_FEATURE_GHOST",
        "#define X86_FEATURE_GHOST",
    ),
    ("a flag with a tail", FEATURES, "/* \"lime\" */", "/* \"lime\" */ /* */ x"),
    ("a flag that is blank", FEATURES, "/* \"lime\" */", "/* \" \" */"),
    ("a bit beyond the words", FEATURES, "( 2*32+ 3)", "( 4*32+ 3)"),
    ("a negative bit", FEATURES, "( 2*32+ 3)", "(-1)"),
    ("a bug beyond the words", FEATURES, "X86_BUG(9)", "X86_BUG(64)"),
    ("a feature with parameters", FEATURES, "X86_FEATURE_QUINCE	", "X86_FEATURE_QUINCE(x)	"),
    ("a feature without a value", FEATURES, "( 2*32+ 3)", ""),
    ("a feature of an unknown name", FEATURES, "( 2*32+ 3)", "( 2*BITS+ 3)"),
    ("a VMX feature beyond the words", VMX, "( 0*32+ 5)", "( 1*32+ 5)"),
    ("text in the VMX header", VMX, "#define NVMXINTS", "extern int x;\n#define NVMXINTS"),
    ("a word that is no int", LEAFS, "= 0,", "= 1 << 31 >> 1 << 40,"),
    ("a word above all", LEAFS, "1 + 1", "-3"),
    ("a word with another name", LEAFS, "CPUID_LNX_1", "LNX_1"),
    ("an unknown register", SCATTERED, "CPUID_EAX,  0", "CPUID_ESI,  0"),
    ("a register that is none of the four", SCATTERED, "CPUID_EAX,  0", "CPUID_NONE,  0"),
    ("a row of a word without a name", REVERSE, "[CPUID_7_0_EBX]  ", "[9]  "),
    ("a row twice", REVERSE, "[CPUID_7_0_EBX]  ", "[CPUID_1_EDX]  "),
    ("a row that is short", REVERSE, "{         1, 0, CPUID_EDX}", "{         1, 0 }"),
    ("a row that is long", REVERSE, "{         1, 0, CPUID_EDX}", "{ 1, 0, CPUID_EDX, 4 }"),
    ("a row with a field that is none", REVERSE, ".function = 0x80000001", ".leaf = 0x80000001"),
    ("a row with a field twice", REVERSE, ".function = 0x80000001", ".reg = 0x80000001"),
    ("a row with an element", REVERSE, ".function = 0x80000001", "[1] = 0x80000001"),
    ("a row that is no struct", REVERSE, "{         1, 0, CPUID_EDX}", "7"),
    ("a leaf of 33 bits", REVERSE, "0x80000001", "0x180000001"),
    ("a leaf that is a list", REVERSE, "0x80000001", "{ 1 }"),
    ("rows without their struct", REVERSE, "struct cpuid_reg {", "struct other_reg {"),
    ("a struct with an odd field", REVERSE, "u32 index;", "u32 index[2];"),
    ("an element that is none", REVERSE, "[CPUID_7_0_EBX]  ", ".x "),
    ("an element beyond all", REVERSE, "[CPUID_7_0_EBX]  ", "[256]"),
    ("an element without a value", REVERSE, "= {         1, 0, CPUID_EDX}", "="),
    ("an element without an equals sign", REVERSE, "= {         1, 0, CPUID_EDX}", "{ 1, 0, CPUID_EDX}"),
    ("KVM's own bit in no word", REVERSE, "CPUID_12_EAX, 7", "99, 7"),
    (
        "KVM's own bit under a condition",
        REVERSE,
        "#define X86_FEATURE_MELON",
        "#ifdef NO\n#define X86_FEATURE_ODD 1\n#endif\n#define X86_FEATURE_MELON",
    ),
    ("a bit that nothing is translated to", REVERSE, "KVM_X86_TRANSLATE_FEATURE(LIME);", ""),
    (
        "a translation to nothing",
        REVERSE,
        "KVM_X86_TRANSLATE_FEATURE(LIME);",
        "KVM_X86_TRANSLATE_FEATURE(FIG);",
    ),
    (
        "a translation of another form",
        REVERSE,
        "KVM_X86_TRANSLATE_FEATURE(LIME);",
        "case X86_FEATURE_LIME: break;",
    ),
    ("no lists", KVM, "void kvm_set_cpu_caps(void)", "void kvm_set_caps(void)"),
    ("a list's unknown call", KVM, "kvm_cpu_cap_clear(", "kvm_cpu_cap_toggle("),
    ("a list without a word", KVM, "kvm_cpu_cap_mask(CPUID_7_0_EBX,", "kvm_cpu_cap_mask(0 | 1,"),
    ("a list's unknown kind", KVM, "F(QUINCE)", "G(QUINCE)"),
    ("a list's unknown local", KVM, "| f_pear", "| f_fig"),
    ("a list's odd separator", KVM, "F(QUINCE) |", "F(QUINCE) +"),
    ("a list that ends with its separator", KVM, "| BIT(6)", "|"),
    ("a local of another form", KVM, "f_pear = F(PEAR);", "f_pear = pear(1, 2);"),
    ("a set of two", KVM, "kvm_cpu_cap_set(X86_FEATURE_PLUM)", "kvm_cpu_cap_set(X86_FEATURE_PLUM, 1)"),
    ("a set of another name", KVM, "kvm_cpu_cap_set(X86_FEATURE_PLUM)", "kvm_cpu_cap_set(PLUM)"),
    ("a word assigned otherwise", KVM, "|= BIT(9)", "= BIT(9)"),
    ("a word's odd index", KVM, "kvm_cpu_caps[CPUID_7_0_EBX]", "kvm_cpu_caps[1 + 2]"),
    ("a word at the end", KVM, "kvm_cpu_caps[CPUID_7_0_EBX] |= BIT(9);", "kvm_cpu_caps["),
    (
        "a word that is not assigned",
        KVM,
        "kvm_cpu_cap_clear(X86_FEATURE_CHERRY);",
        "kvm_cpu_caps[CPUID_1_EDX]",
    ),
    (
        "an older list of an unknown word",
        KVM,
        "void kvm_set_cpu_caps(void)\n{",
        "void set(void)\n{\n\tconst u32 kvm_cpuid_fruit_x86_features = F(PEAR);",
    ),
    ("a feature of cpuid.c in no word", KVM, "(2*32+28)", "(77*32+28)"),
    ("no table of scattered features", SCATTERED, "cpuid_bits[]", "bits[]"),
    ("scattered features without their struct", SCATTERED, "struct cpuid_bit {", "struct bit {"),
    ("a scattered bit above 31", SCATTERED, "CPUID_ECX, 31", "CPUID_ECX, 32"),
    ("a scattered feature of another name", SCATTERED, "X86_FEATURE_LEMON", "LEMON"),
    (
        "a scattered feature without a level",
        SCATTERED,
        "{ X86_FEATURE_LEMON,	CPUID_ECX, 31, 0x00000006, 1 }",
        "{ X86_FEATURE_LEMON, CPUID_ECX, 31 }",
    ),
    ("no table of dependencies", DEPS, "cpuid_deps[]", "deps[]"),
    ("half a dependency", DEPS, "X86_FEATURE_PLUM,	X86_FEATURE_PEAR", "X86_FEATURE_PLUM, 0"),
    ("a dependency on something else", DEPS, "X86_FEATURE_PLUM,	X86_FEATURE_PEAR", "X86_FEATURE_PLUM, PEAR"),
    ("no enum of words", LEAFS, "", "-"),
];

/// What can be wrong in the script that prints the name map.
pub(crate) const SCRIPT: &[Case] = &[
    ("no block that prints", SCRIPT_PATH, ") > $OUT", ") > $OTHER"),
    ("an unknown command", SCRIPT_PATH, "echo \"\"", "print \"\""),
    ("an array with an argument too few", SCRIPT_PATH, " \"\" $2", " $2"),
];
