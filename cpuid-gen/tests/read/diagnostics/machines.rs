//! Errors in machine types, default properties, and the properties of `-cpu`.

use super::Case;

const VERSION: &str = "VERSION";
const CPU: &str = "target/i386/cpu.c";
const KVM_CPU: &str = "target/i386/kvm/kvm-cpu.c";
const KVM: &str = "target/i386/kvm/kvm.c";
const PC_HEADER: &str = "include/hw/i386/pc.h";
const MACHINE: &str = "hw/core/machine.c";
const PC: &str = "hw/i386/pc.c";
const PIIX: &str = "hw/i386/pc_piix.c";
const Q35: &str = "hw/i386/pc_q35.c";
const MICROVM: &str = "hw/i386/microvm.c";

/// The machine type that has its own file since 10.2.
const ISAPC: &str = "#ifdef CONFIG_ISAPC
static void isapc_options(MachineClass *m)
{
    m->max_cpus = 1;
}

DEFINE_STALL_IMPL(isapc, \"isapc\", 9, open_stall, isapc_options)
#endif
";

/// One change each.
pub(crate) const CASES: &[Case] = &[
    ("a release of two numbers", VERSION, "9.3.1", "9.3"),
    ("a release with a large number", VERSION, "9.3.1", "9.99999999999.1"),
    ("no kvm-cpu.c", KVM_CPU, "", "-"),
    ("no tcg-cpu.c", "target/i386/tcg/tcg-cpu.c", "", "-"),
    ("no kvm.c", KVM, "", "-"),
    ("no hyperv-proto.h", "target/i386/kvm/hyperv-proto.h", "", "-"),
    ("no boards.h", "include/hw/boards.h", "", "-"),
    ("no pc.h", PC_HEADER, "", "-"),
    ("no machine.c", MACHINE, "", "-"),
    ("no pc_q35.c", Q35, "", "-"),
    ("no microvm.c", MICROVM, "", "-"),
    ("no isapc.c where it should be", PIIX, ISAPC, ""),
    ("a header that is included but absent", PIIX, "", "#include \"hw/compat.h\"\n"),
    // Default properties.
    ("no default properties", KVM_CPU, "kvm_default_props", "kvm_props"),
    ("a default without a value", KVM_CPU, "\"lid\", NULL", "\"lid\""),
    ("a default's value that is invalid", KVM_CPU, "\"on\"", "ON"),
    ("a default with a third value", KVM_CPU, "\"on\"", "\"on\", 1"),
    // The definitions of machine types.
    ("an unknown macro", PIIX, "DEFINE_STALL(9, 3)", "DEFINE_STAND(9, 3)"),
    ("a macro with too few arguments", PIIX, "DEFINE_STALL(9, 3)", "DEFINE_STALL(9)"),
    ("a class function that is missing", MICROVM, "microvm_class_init(ObjectClass", "class_init(ObjectClass"),
    ("no class function", MICROVM, "    .class_init = microvm_class_init,\n", ""),
    ("no name", MICROVM, "    .name = TYPE_MICROVM_MACHINE,\n", ""),
    ("a name that is invalid", MICROVM, "TYPE_MICROVM_MACHINE", "\"microvm\""),
    ("a name of an unknown macro", MICROVM, "TYPE_MICROVM_MACHINE", "TYPE_TINYVM"),
    ("an unregistered type", MICROVM, "type_init(microvm_machine_init);", ""),
    ("a parent of an unknown macro", PC_HEADER, "#define TYPE_PC_MACHINE", "#define TYPE_PCS"),
    ("a type that ends early", MICROVM, "microvm_machine_info = {", "microvm_machine_info ="),
    (
        "an end that no braces enclose",
        PC_HEADER,
        "year < 3) { \\\n                    return; \\\n                } \\",
        "year < 3) return; \\",
    ),
    ("an end whose condition is not a number", PC_HEADER, "year < 3", "year < now()"),
    ("an end in a loop", PC_HEADER, "        do { \\", "        for (;;) { \\"),
    // The effects of their functions.
    ("a table under a condition", PIIX, "m->is_default = false;", "compat_props_add(m->compat_props, a, 1);"),
    ("a version under a condition", PIIX, "m->is_default = false;", "pcmc->default_cpu_version = 3;"),
    ("options under a condition", PIIX, "m->is_default = false;", "stall_options(m);"),
    ("options of another file", PIIX, "    stall_9_3_options(m);", "    grove_options(m);"),
    ("an unknown call", PIIX, "    stall_9_3_options(m);", "    stall_compat(m);"),
    ("options that never end", PIIX, "    m->is_default = true;", "    stall_9_3_options(m);"),
    ("another list", PIIX, "compat_props_add(m->compat_props, compat,", "compat_props_add(m->props, compat,"),
    ("an odd use of the list", PIIX, "m->is_default = true;", "m->compat_props = NULL;"),
    (
        "the length of another table",
        PIIX,
        "hw_compat_3, G_N_ELEMENTS(hw_compat_3)",
        "hw_compat_3, pc_compat_3_len",
    ),
    (
        "a length that is defined as another list's",
        MACHINE,
        "GlobalProperty hw_compat_3[]",
        "const size_t hw_compat_9_len = G_N_ELEMENTS(hw_compat_3);\nGlobalProperty hw_compat_3[]",
    ),
    ("two arguments", PIIX, "compat, G_N_ELEMENTS(compat));", "compat);"),
    ("an unknown table", MACHINE, "hw_compat_9[]", "hw_compat_8[]"),
    ("a version that is not a number", PIIX, "= CPU_VERSION_LEGACY", "= CPU_VERSION_OLD"),
    ("a version below all", PIIX, "= CPU_VERSION_LEGACY", "= -3"),
    ("a version that is not a number at the start", Q35, "CPU_VERSION_LATEST", "machine->version"),
    (
        "a property before the base's",
        PIIX,
        "    stall_3_1_options(m);
    compat_props_add(m->compat_props, hw_compat_3, G_N_ELEMENTS(hw_compat_3));
    compat_props_add(m->compat_props, pc_compat_3, G_N_ELEMENTS(pc_compat_3));
}

DEFINE_STALL(2, 0);",
        "    compat_props_add(m->compat_props, hw_compat_3, G_N_ELEMENTS(hw_compat_3));
    stall_3_1_options(m);
}

DEFINE_STALL_IMPL(two, \"pc-i440fx-2.0\", 9, stall_init_2_0, stall_2_0_options)",
    ),
    ("an unknown form of the old macro", PIIX, "m->is_default = true;", "SET_MACHINE_COMPAT(m, { });"),
    (
        "a default under a condition",
        PIIX,
        "    open_stall(machine);\n}\n\nstatic void stall_init_2_0",
        "    if (machine) {\n        old_stall(machine);\n    }\n}\n\nstatic void stall_init_2_0",
    ),
    (
        "a default after a condition",
        PIIX,
        "    x86_cpu_change_kvm_default(\"lid\", \"on\");",
        "    if (machine) x86_cpu_change_kvm_default(\"lid\", \"on\");",
    ),
    ("a default that is not text", PIIX, "\"lid\", \"on\"", "\"lid\", on"),
    (
        "a default that is named elsewhere",
        PIIX,
        "x86_cpu_change_kvm_default(\"lid\", \"on\")",
        "x86_cpu_change_kvm_default",
    ),
    // Tables.
    ("a type that may be a CPU", PC, "{ TYPE_X86_CPU, \"quince\"", "{ TYPE_HOST_CPU, \"quince\""),
    ("a type that is not a name", PC, "{ TYPE_X86_CPU, \"quince\"", "{ cpu_type(), \"quince\""),
    ("a property that is not text", PC, "\"quince\"", "quince"),
    ("a property with a blank", PC, "\"quince\"", "\"quince tree\""),
    ("a value that is not text", PC, "\"off\"", "0x10"),
    ("a row without a value", PC, ", \"off\"", ""),
    ("an unknown field of a row", MACHINE, ".optional", ".wanted"),
    ("a row that is not a struct", PC, "{ TYPE_X86_CPU, \"quince\", \"off\" }", "TYPE_X86_CPU"),
    ("rows with an index", PC, "{ TYPE_X86_CPU, \"quince\"", "[0] = { TYPE_X86_CPU, \"quince\""),
    // Properties.
    ("no properties", CPU, "Property x86_cpu_properties[]", "Property x86_properties[]"),
    (
        "no properties of max",
        CPU,
        "Property max_x86_cpu_properties[]",
        "Property some[];\nvoid max_x86_cpu_class_init(void);\nstatic const Property some_x86_cpu_properties[]",
    ),
    ("no class function of CPUs", CPU, "x86_cpu_common_class_init(", "x86_cpu_class_init("),
    ("no Hyper-V", KVM, "kvm_hyperv_properties[]", "kvm_properties[]"),
    ("an unknown kind", CPU, "DEFINE_PROP_UINT8(", "DEFINE_PROP_UINT7("),
    ("a row that is not a macro", CPU, "DEFINE_PROP_STRING(\"orchard\", X86CPU, orchard)", "orchard"),
    ("an unknown macro for a row", CPU, "DEFINE_PROP_STRING(", "PROP_STRING("),
    ("a bit that is invalid", CPU, "HYPERV_FEAT_CALM, 0)", "64, 0)"),
    ("a bit that is unknown", CPU, "HYPERV_FEAT_CALM, 0)", "HYPERV_FEAT_ROAR, 0)"),
    ("a truth that is invalid", CPU, "portable, true)", "portable, maybe)"),
    ("a choice that is invalid", CPU, "ON_OFF_AUTO_OFF", "OFF"),
    ("an extra default", CPU, "X86CPU, orchard)", "X86CPU, orchard, 1)"),
    ("a name that is not text", CPU, "DEFINE_PROP_STRING(\"orchard\"", "DEFINE_PROP_STRING(orchard"),
    ("a name with a blank", CPU, "DEFINE_PROP_STRING(\"orchard\"", "DEFINE_PROP_STRING(\"or chard\""),
    ("an info that is invalid", CPU, "&qdev_prop_spins", "spins"),
    (
        "a property under a condition",
        CPU,
        "        load(cpu);",
        "        object_property_add_str(obj, \"a\", b, c);",
    ),
    (
        "a property of an unknown kind",
        CPU,
        "object_class_property_add_str(oc",
        "object_class_property_add_link(oc",
    ),
    ("a property whose name is not text", CPU, "oc, \"kind\"", "oc, kind"),
    ("an alias without a target", CPU, "\"sourapple\", obj, \"apple\"", "\"sourapple\""),
    // Hyper-V.
    (
        "a bit that no property sets",
        CPU,
        "DEFINE_PROP_BIT64(\"hv-bell\", X86CPU, hyperv_features,\n                      HYPERV_FEAT_BELL",
        "DEFINE_PROP_BIT64(\"hv-bell\", X86CPU, hyperv_features,\n                      2",
    ),
    ("bits without a register", KVM, ".reg = R_EAX, ", ""),
    ("bits of an odd register", KVM, ".reg = R_EAX", ".reg = 4"),
    ("bits that do not fit", KVM, ".bits = HV_CALM }", ".bits = 1UL << 32 }"),
    ("an unknown field", KVM, ".desc = \"quiet\"", ".note = \"quiet\""),
    ("a word that is invalid", KVM, ".func = HV_CPUID_CALM, .reg = R_EAX", ".fw = 9"),
    ("a word of an MSR", KVM, ".func = HV_CPUID_CALM, .reg = R_EAX", ".fw = FEAT_BASKET"),
];
