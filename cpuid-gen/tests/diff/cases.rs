//! Small releases with every kind of row and every kind of change.

use cpuid_gen::diff::Level;

/// Name, old, new.
pub(crate) const SMALL: &[(&str, &str, &str)] =
    &[("linux", LINUX_OLD, LINUX_NEW), ("qemu", QEMU_OLD, QEMU_NEW)];

/// Word 3 changes from a register to a software-defined word; KVM's words shift; APPLE is renamed at its place, PEAR
/// moves from software to hardware, PLUM's place in software goes to PRUNE, QUINCE's bit moves, FIG's flag moves to
/// another feature.
const LINUX_OLD: &str = "\
linux-release\t6.2.1
linux-count\tNCAPINTS\t4
linux-count\tNBUGINTS\t1
linux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX
linux-word\tCPUID_LNX_1\t1\t-\t-\t-
linux-word\tCPUID_7_0_EBX\t2\t0x7\t0\tEBX
linux-word\tCPUID_8000_0007_EBX\t3\t0x80000007\t0\tEBX
linux-word\tCPUID_12_EAX\t4\t0x12\t0\tEAX
linux-feature\tAPPLE\t0\t0\tapple
linux-feature\tPEAR\t1\t1\tpear
linux-feature\tPLUM\t1\t2\tplum
linux-feature\tCHERRY\t1\t3\t-
linux-feature\tDAMSON\t1\t4\tdamson
linux-feature\tQUINCE\t2\t3\tquince
linux-feature\tMEDLAR\t2\t4\tmedlar
linux-feature\tFIG\t2\t5\tfig
linux-feature\tLIME\t1\t5\tlime
linux-feature\tSLOE\t3\t0\tsloe
linux-bug\tWORM\t0\t3\tworm
linux-bug\tROT\t0\t4\trot
linux-vmx\tBASKET\t0\t0\tbasket
linux-vmx\tCRATE\t0\t5\t-
linux-scattered\tLIME\t0x12\t0\tEAX\t0
linux-dep\tPLUM\tAPPLE
linux-dep\tQUINCE\tAPPLE
linux-dep\tCHERRY\tQUINCE
kvm-feature\tMELON\tCPUID_12_EAX\t7
kvm-translate\tLIME\tCPUID_12_EAX\t0
kvm-cap\tCPUID_1_EDX\tF\tAPPLE
kvm-cap\tCPUID_7_0_EBX\tF\tQUINCE
kvm-cap\tCPUID_7_0_EBX\tF\tBIT(4)
kvm-cap\tCPUID_7_0_EBX\tF\tFIG
kvm-cap\tCPUID_12_EAX\tSF\tLIME
kvm-cap\t-\tset\tFIG
kvm-cap\t-\tclear\tCHERRY
kvm-para\tCLOCK\t0x40000001\t0\tEAX\t0
kvm-para\tNOP\t0x40000001\t0\tEAX\t1
kvm-module\tkvm_amd\tset\tAPPLE\tkvm_amd.nested
kvm-module\tkvm_intel\tclear\tQUINCE\t-
kvm-param\tkvm_amd\tnested\tfalse
leaf-field\t0x1\t0\t0\tEDX\t0\t0\tapple
leaf-field\t0x4\t0\t31\tEAX\t0\t4\tcache_type
linux-msr\tRIPE\t0x10a\t0
linux-msr\tSOUR\t0x10a\t1
linux-config\trequired\tAPPLE\t-
linux-config\tdisabled\tPLUM\tX86_64 || !ORCHARD
linux-config\tdisabled\tFIG\t-
cpuid-field\t0x1\t0\t0\tEDX\t0\t0\tapple
cpuid-field\t0x1\t0\t0\tEDX\t8\t11\tstem
cpuid-field\t0x4\t0\t31\tEAX\t0\t4\tcache_type
cpuid-field\t0x7\t0\t0\tEBX\t3\t3\tquince
";

const LINUX_NEW: &str = "\
linux-release\t6.3.0
linux-count\tNCAPINTS\t4
linux-count\tNBUGINTS\t2
linux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX
linux-word\tCPUID_LNX_1\t1\t-\t-\t-
linux-word\tCPUID_7_EBX\t2\t0x7\t0\tEBX
linux-word\tCPUID_LNX_2\t3\t-\t-\t-
linux-word\tCPUID_7_1_EAX\t4\t0x7\t1\tEAX
linux-word\tCPUID_12_EAX\t5\t0x12\t0\tEAX
linux-feature\tRED_APPLE\t0\t0\tred_apple
linux-feature\tPEAR\t0\t1\tpear
linux-feature\tPRUNE\t1\t2\t-
linux-feature\tCHERRY\t1\t6\tcherry
linux-feature\tDAMSON\t1\t4\t-
linux-feature\tQUINCE\t2\t9\tquince
linux-feature\tMEDLAR\t2\t4\tmedlar
linux-feature\tDATE\t2\t7\tfig
linux-feature\tLIME\t1\t5\tlime
linux-feature\tSLOE\t3\t0\tsloe
linux-bug\tWORM\t1\t3\tworm
linux-bug\tMOULD\t0\t4\tmould
linux-vmx\tBASKET\t0\t0\twicker
linux-vmx\tCRATE\t0\t5\t-
linux-scattered\tLIME\t0x12\t0\tEAX\t0
linux-scattered\tLIME\t0x10\t0\tEBX\t3
linux-scattered\tSLOE\t0x80000007\t0\tEBX\t0
linux-dep\tPEAR\tRED_APPLE
linux-dep\tQUINCE\tRED_APPLE
linux-dep\tCHERRY\tQUINCE
kvm-feature\tMELON\tCPUID_12_EAX\t7
kvm-feature\tKIWI\tCPUID_7_1_EAX\t2
kvm-translate\tLIME\tCPUID_12_EAX\t0
kvm-cap\tCPUID_1_EDX\tEMULATED_F\tRED_APPLE
kvm-cap\tCPUID_7_EBX\tVENDOR_F\tQUINCE
kvm-cap\tCPUID_7_EBX\tF\tMEDLAR
kvm-cap\tCPUID_12_EAX\tSCATTERED_F\tLIME
kvm-cap\tCPUID_7_1_EAX\tPASSTHROUGH_F\tKIWI
kvm-cap\t-\tclear\tCHERRY
kvm-para\tCLOCK\t0x40000001\t0\tEAX\t3
kvm-para\tNOP_IO\t0x40000001\t0\tEAX\t1
kvm-module\tkvm_amd\tset\tAPPLE\tkvm_amd.nested && host:QUINCE
kvm-module\tkvm_intel\tset-if-host\tQUINCE\t-
kvm-param\tkvm_amd\tnested\ttrue
leaf-field\t0x1\t0\t0\tEDX\t0\t0\tred_apple
leaf-field\t0x4\t0\t31\tEAX\t0\t4\tcache_type
leaf-field\t0x4\t0\t31\tEAX\t5\t7\tlevel
linux-msr\tRIPE\t0x10a\t0
linux-msr\tBITTER\t0x10a\t1
linux-msr\tSOUR\t0x10a\t2
linux-config\trequired\tRED_APPLE\t-
linux-config\tdisabled\tPLUM\tX86_64
linux-config\trequired\tFIG\t-
cpuid-field\t0x1\t0\t0\tEDX\t0\t0\tred_apple
cpuid-field\t0x1\t0\t0\tEDX\t8\t12\tstem
cpuid-field\t0x4\t0\t31\tEAX\t0\t4\tcache_type
cpuid-field\t0x7\t0\t0\tEBX\t9\t9\tquince
cpuid-field\t0x80000008\t0\t0\tEAX\t0\t7\tphys
cpuid-field\t0x80000008\t0\t0\tEAX\t31\t31\tlast
";

const QEMU_OLD: &str = "\
qemu-release\t9.3.1
qemu-word\tFEAT_1_EDX\t0\tcpuid\t0x1\t-\tEDX
qemu-word\tFEAT_7_0_EBX\t1\tcpuid\t0x7\t0\tEBX
qemu-word\tFEAT_BASKET\t2\tmsr\t0x10a
qemu-word\tFEAT_OLD\t3\tcpuid\t0x19\t0\tEAX
qemu-bit\tFEAT_1_EDX\t0\tapple
qemu-bit\tFEAT_1_EDX\t1\tpear|sse3pear
qemu-bit\tFEAT_7_0_EBX\t3\tquince
qemu-bit\tFEAT_BASKET\t0\thandle
qemu-bit\tFEAT_BASKET\t63\tlid
qemu-bit\tFEAT_OLD\t1\told
qemu-mask\tFEAT_1_EDX\ttcg\t0x3
qemu-mask\tFEAT_BASKET\tmigratable\t0x8000000000000000
qemu-macro\tCPUID_APPLE\t0x1
qemu-macro\tCPUID_PEAR\t0x2
qemu-comment\tFEAT_1_EDX\t0x1\t-\tEDX
qemu-model\tGala\t0xd\t0x80000008\tOrchardOnes!\t6\t85\t4\tGala, an apple
qemu-model-word\tGala\tFEAT_1_EDX\t0x7
qemu-model-word\tGala\tFEAT_7_0_EBX\t0x8
qemu-model-cache\tGala\t-\tl1d\ttype=data\tlevel=1\tsize=32768\tself-init=1
qemu-model-version\tGala\t1\t-\t-
qemu-model-version\tGala\t2\tGala-Sweet\tsweet
qemu-model-prop\tGala\t2\tpear\ton
qemu-model-prop\tGala\t2\tstepping\t5
qemu-model-cache\tGala\t2\tl2\ttype=unified\tlevel=2\tsize=1048576
qemu-model\tRusset\t0x1\t0x0\t\"  Orchard   \"\t5\t1\t1\t\"\"
qemu-model-avx10\tRusset\t1
qemu-model-deprecated\tRusset\tuse Gala
qemu-model-word\tRusset\tFEAT_OLD\t0x2
qemu-dep\tFEAT_1_EDX\t0x1\tFEAT_7_0_EBX\t0xffffffffffffffff
qemu-dep\tFEAT_1_EDX\t0x2\tFEAT_7_0_EBX\t0x8
qemu-xsave\t2\tFEAT_7_0_EBX\t3\t256\t576
qemu-cache\tlegacy_l1\t-\ttype=data\tlevel=1\tsize=32768\tsets=64
qemu-cache-descriptor\t0x6\tinstruction\t1\t8192\t32\t4
qemu-kvm-default\tx2apic\ton
qemu-kvm-default\tsvm\t-
qemu-tcg-default\tpear\toff
qemu-machine\tpc-9.3\t1\t-
qemu-machine\tpc-9.2\t1\tpc-9.3
qemu-compat\tpc-9.2\tGala-cpu\txlevel\t0x8000000a
qemu-compat\tpc-9.2\tcpu\tpear\toff
qemu-compat\tpc-9.2\tkvm-default\tsvm\t-
qemu-alias\tsse3_pear\tpear
qemu-property\tmin-level\tuint32\tenv.min\t-\t0
qemu-property\thv-ripe\tbit64\thyperv\t3\t-
qemu-hyperv\thv-ripe\t0x40000003\tEAX\t0x10
qemu-hyperv\thv-sour\t0x40000003\tEAX\t0x1
qemu-hyperv-dep\thv-ripe\thv-sour
";

const QEMU_NEW: &str = "\
qemu-release\t10.0.0
qemu-word\tFEAT_1_EDX\t0\tcpuid\t0x1\t-\tEDX
qemu-word\tFEAT_7_0_EBX\t2\tcpuid\t0x7\t0\tEBX
qemu-word\tFEAT_CRATE\t3\tmsr\t0x10a
qemu-word\tFEAT_7_1_EAX\t1\tcpuid\t0x7\t1\tEAX
qemu-bit\tFEAT_1_EDX\t0\tred-apple
qemu-bit\tFEAT_1_EDX\t1\tpear
qemu-bit\tFEAT_7_0_EBX\t4\tquince
qemu-bit\tFEAT_CRATE\t0\thandle
qemu-bit\tFEAT_CRATE\t63\tlid
qemu-bit\tFEAT_7_1_EAX\t5\tkiwi
qemu-mask\tFEAT_1_EDX\ttcg\t0xfa
qemu-mask\tFEAT_7_1_EAX\ttcg\t0x20
qemu-macro\tCPUID_APPLE\t0x1
qemu-macro\tCPUID_PEAR\t0x4
qemu-macro\tCPUID_KIWI\t0x20
qemu-comment\tFEAT_1_EDX\t0x1\t0\tEDX
qemu-comment\tFEAT_7_1_EAX\t0x7\t1\tEAX
qemu-model\tGala\t0x14\t0x80000008\tOrchardOnes!\t6\t85\t4\tGala, an apple
qemu-model-avx10\tGala\t1
qemu-model-word\tGala\tFEAT_1_EDX\t0x16
qemu-model-word\tGala\tFEAT_7_1_EAX\t0x20
qemu-model-cache\tGala\t-\tl1d\ttype=data\tlevel=1\tsize=49152
qemu-model-version\tGala\t1\tGala-Plain\t-
qemu-model-version\tGala\t2\tGala-Sweet\tvery sweet
qemu-model-prop\tGala\t2\tpear\toff
qemu-model-prop\tGala\t2\tkiwi\ton
qemu-model-cache\tGala\t2\tl2\ttype=unified\tlevel=2\tsize=2097152
qemu-model-version\tGala\t3\t-\t-
qemu-model-prop\tGala\t3\tmodel-id\t\"\"
qemu-model-prop\tGala\t3\tkiwi\toff
qemu-model-cache\tGala\t3\tl3\ttype=unified\tlevel=3\tsize=4194304\tshare-level=die
qemu-model\tFuji\t0x14\t0x80000008\tOrchardOnes!\t6\t90\t1\tFuji, an apple
qemu-model-deprecated\tFuji\tnot ripe
qemu-model-word\tFuji\tFEAT_1_EDX\t0x1
qemu-model-cache\tFuji\t-\tl2\ttype=unified\tlevel=2
qemu-model-version\tFuji\t1\t-\t-
qemu-dep\tFEAT_1_EDX\t0x1\tFEAT_7_0_EBX\t0xffffffffffffffff
qemu-dep\tFEAT_1_EDX\t0x2\tFEAT_7_0_EBX\t0x18
qemu-dep\tFEAT_1_EDX\t0x2\tFEAT_7_1_EAX\t0x20
qemu-xsave\t2\tFEAT_7_0_EBX\t4\t256\t-
qemu-xsave\t9\tFEAT_7_1_EAX\t5\t8\t2688
qemu-cache\tlegacy_l1\t-\ttype=data\tlevel=1\tsize=32768\tinclusive=1
qemu-cache\tlegacy_all\tl3\ttype=unified\tlevel=3
qemu-cache-descriptor\t0x6\tinstruction\t1\t16384\t32\t4
qemu-cache-descriptor\t0x8\tdata\t1\t16384\t32\t4
qemu-kvm-default\tx2apic\ton
qemu-kvm-default\tsvm\toff
qemu-tcg-default\tkiwi\toff
qemu-machine\tpc-10.0\t1\t-
qemu-machine\tpc-9.3\t1\tpc-10.0
qemu-machine\tpc-9.2\tlegacy\tpc-9.3
qemu-compat\tpc-9.3\tcpu\tkiwi\t\"\"
qemu-compat\tpc-9.2\tGala-cpu\txlevel\t0x80000008
qemu-compat\tpc-9.2\tkvm-default\tsvm\ton
qemu-alias\tsse3_pear\tred-apple
qemu-alias\tkiwi_fruit\tkiwi
qemu-property\tmin-level\tuint32\tenv.least\t-\t0
qemu-property\thv-ripe\tbit64\thyperv\t4\ton
qemu-hyperv\thv-ripe\t0x40000003\tEAX\t0x30
qemu-hyperv\thv-sour\t0x40000003\tEDX\t0x1
qemu-hyperv-dep\thv-ripe\thv-sweet
";

const ONE: &str = "linux-release\t6.2.1\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
linux-feature\tAPPLE\t0\t0\tapple\nlinux-feature\tPEAR\t1\t1\tpear\n";

/// Name, old, new, the required API level, and the constants that change.
pub(crate) const API: &[(&str, &str, &str, Level, &[&str])] = &[
    ("nothing", ONE, ONE, Level::Nothing, &[]),
    (
        "another flag",
        ONE,
        "linux-release\t6.2.1\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
         linux-feature\tAPPLE\t0\t0\t-\nlinux-feature\tPEAR\t1\t1\tpear\n",
        Level::Patch,
        &[],
    ),
    (
        "a software-defined bit moves",
        ONE,
        "linux-release\t6.2.2\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
         linux-feature\tAPPLE\t0\t0\tapple\nlinux-feature\tPEAR\t1\t9\tpear\n",
        Level::Patch,
        &[],
    ),
    (
        "more bits",
        ONE,
        "linux-release\t6.2.2\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
         linux-feature\tAPPLE\t0\t0\tapple\nlinux-feature\tPEAR\t1\t1\tpear\nlinux-feature\tPLUM\t0\t7\t-\n\
         linux-bug\tWORM\t0\t0\tworm\n",
        Level::Minor,
        &["+bug::WORM", "+feature::PLUM"],
    ),
    (
        "another name in hardware",
        ONE,
        "linux-release\t6.2.2\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
         linux-feature\tRED_APPLE\t0\t0\tapple\nlinux-feature\tPEAR\t1\t1\tpear\n",
        Level::Minor,
        &["feature::APPLE -> feature::RED_APPLE", "+feature::RED_APPLE"],
    ),
    (
        "another name in software",
        ONE,
        "linux-release\t6.2.2\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
         linux-feature\tAPPLE\t0\t0\tapple\nlinux-feature\tQUINCE\t1\t1\tpear\n",
        Level::Minor,
        &["=software::PEAR", "+software::QUINCE"],
    ),
    (
        "from software into hardware",
        ONE,
        "linux-release\t6.2.2\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
         linux-feature\tAPPLE\t0\t0\tapple\nlinux-feature\tPEAR\t0\t1\tpear\n",
        Level::Minor,
        &["=software::PEAR (feature::PEAR)", "+feature::PEAR"],
    ),
    (
        "a name at another bit: the first one keeps it",
        ONE,
        "linux-release\t6.2.2\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\nlinux-word\tCPUID_LNX_1\t1\t-\t-\t-\n\
         linux-feature\tAPPLE\t0\t3\tapple\nlinux-feature\tPEAR\t1\t1\tpear\n",
        Level::Minor,
        &["=feature::APPLE", "+feature::APPLE_1_EDX_3"],
    ),
    (
        "QEMU's bits of an MSR",
        "qemu-release\t9.3.1\nqemu-word\tFEAT_BASKET\t0\tmsr\t0x10a\nqemu-bit\tFEAT_BASKET\t0\thandle\n",
        "qemu-release\t9.3.2\nqemu-word\tFEAT_BASKET\t0\tmsr\t0x10a\nqemu-bit\tFEAT_BASKET\t0\tgrip\n\
         qemu-bit\tFEAT_BASKET\t5\tlid\n",
        Level::Minor,
        &["msr::HANDLE -> msr::GRIP", "+msr::GRIP", "+msr::LID"],
    ),
    (
        "a field that was corrected",
        "linux-release\t6.2.1\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\ncpuid-field\t0x4\t0\t31\tEAX\t0\t3\ttype\n",
        "linux-release\t6.2.2\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\ncpuid-field\t0x4\t0\t31\tEAX\t0\t4\ttype\n",
        Level::Minor,
        &["field::leaf_4::TYPE: CPUID.(EAX=4,ECX=0-31):EAX[4:0]"],
    ),
    (
        "a field of another name, and one that is gone",
        "linux-release\t6.2.1\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\ncpuid-field\t0x4\t0\t31\tEAX\t0\t4\ttype\n\
         cpuid-field\t0x4\t0\t31\tEBX\t0\t4\tgone\n",
        "linux-release\t6.2.2\nlinux-word\tCPUID_1_EDX\t0\t0x1\t0\tEDX\ncpuid-field\t0x4\t0\t31\tEAX\t0\t4\tkind\n",
        Level::Minor,
        &["field::leaf_4::TYPE -> field::leaf_4::KIND", "=field::leaf_4::GONE", "+field::leaf_4::KIND"],
    ),
];
