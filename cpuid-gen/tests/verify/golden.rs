//! The text of every kind of finding, on small made-up facts.
//!
//! `BLESS=1 cargo test --test verify golden` rewrites the expected texts.

use std::fs;
use std::path::Path;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::records::{LinuxSpelling, QemuCompatList, QemuHypervDep, QemuListLength};
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::verify::{Kind, Scope, verify as check};

use crate::input::Input;

/// A Linux release without findings.
const LINUX_1: &str = "\
linux-release	1.0
linux-count	NCAPINTS	4
linux-word	CPUID_1_EDX	0	0x1	0	EDX
linux-word	CPUID_8000_0001_EDX	1	0x80000001	0	EDX
linux-word	CPUID_LNX_1	2	-	-	-
linux-word	CPUID_7_0_EBX	3	0x7	0	EBX
linux-word	CPUID_12_EAX	4	0x12	0	EAX
linux-feature	FPU	0	0	fpu
linux-feature	CX8	0	8	cx8
linux-feature	NX	1	20	nx
linux-feature	SGX1	2	1	-
linux-feature	AVX2	3	5	avx2
linux-scattered	SGX1	0x12	0	EAX	0
linux-dep	AVX2	FPU
kvm-feature	SGX9	CPUID_12_EAX	9
kvm-translate	SGX1	CPUID_12_EAX	0
kvm-cap	CPUID_1_EDX	F	CX8
kvm-cap	CPUID_1_EDX	F	FPU
kvm-cap	CPUID_8000_0001_EDX	F	NX
kvm-cap	CPUID_8000_0001_EDX	ALIASED_1_EDX_F	FPU
kvm-cap	CPUID_12_EAX	SCATTERED_F	SGX1
linux-msr	RDCL_NO	0x10a	0
linux-msr	MDS_NO	0x10a	5
linux-config	required	FPU	-
linux-config	disabled	AVX2	!X86_AVX2
cpuid-field	0x1	0	0	EDX	0	0	fpu
cpuid-field	0x1	0	0	EDX	1	7	others
cpuid-field	0x12	0	0	EAX	0	0	sgx1
cpuid-field	0x12	2	31	EAX	0	3	type
";

/// A QEMU release that agrees with it.
const QEMU_1: &str = "\
qemu-release	1.0
qemu-word	FEAT_1_EDX	0	cpuid	0x1	-	EDX
qemu-word	FEAT_8000_0001_EDX	1	cpuid	0x80000001	-	EDX
qemu-word	FEAT_7_0_EBX	2	cpuid	0x7	0	EBX
qemu-word	FEAT_12_0_EAX	3	cpuid	0x12	0	EAX
qemu-word	FEAT_VMX	4	msr	0x480
qemu-word	FEAT_ARCH	5	msr	0x10a
qemu-bit	FEAT_1_EDX	0	fpu
qemu-bit	FEAT_1_EDX	8	cx8
qemu-bit	FEAT_8000_0001_EDX	20	nx
qemu-bit	FEAT_7_0_EBX	5	avx2
qemu-bit	FEAT_12_0_EAX	0	sgx1
qemu-bit	FEAT_VMX	50	vmx-high
qemu-bit	FEAT_ARCH	0	rdcl-no
qemu-bit	FEAT_ARCH	5	mds-no
qemu-mask	FEAT_7_0_EBX	tcg	0x20
qemu-macro	CPUID_7_0_EBX_AVX2	0x20
qemu-comment	FEAT_7_0_EBX	0x7	0	EBX
qemu-dep	FEAT_7_0_EBX	0x20	FEAT_VMX	0xffffffffffffffff
";

/// A witness that agrees with both, in the cases that edit it.
const XEN_1: &str = "\
witness-release	Xen	1.0
witness-bit	FPU	cpuid	0x1	0	EDX	0
witness-bit	CX8	cpuid	0x1	0	EDX	8
witness-bit	AVX2	cpuid	0x7	0	EBX	5
witness-bit	MDS_NO	msr	0x10a	5
";

/// Dependencies that the manuals of these releases have, and one that they do not have.
const NEEDS: &str = "\
needs	CPUID.(EAX=7,ECX=0):EBX[5]	CPUID.(EAX=1,ECX=0):EDX[0]	linux	design	leaves need a tree
needs	CPUID.(EAX=1,ECX=0):EDX[8]	CPUID.(EAX=1,ECX=0):EDX[0]	none	design	apples need no pears
";

/// The processors of models that the cases add.
const PROCESSORS_1: &str = "\
processor	Fuji	6/1/2,7/3	an orchard
processor-word	Fuji	0x1	0	EDX	0x101
processor-word	Fuji	0x7	0	EBX	0x0
processor-cache	Fuji	l1d	32768	8	64
processor-cache	Fuji	l2	65536	16	64
processor-cache	Fuji	l2	131072	16	64
processor-line	Red,Green,Blue
xsave-component	2	256	576
xsave-component	3	64	960
xsave-component	4	64	-
";

/// Replacements in the text of the named release: `linux` and `qemu` are those above, `newer-...` a 2.0 of each.
type Edit = (&'static str, &'static str, &'static str);

struct Case {
    /// The kind that must be among the findings, and the file's name.
    kind: Kind,
    edits: &'static [Edit],
}

const CASES: [Case; 65] = [
    Case {
        kind: Kind::LeafTypeName,
        edits: &[(
            "linux",
            "EAX	0	3	type\n",
            "EAX	0	3	type\nleaf-field	0x1	0	0	EDX	0	0	float\nleaf-field	0x1	0	0	EDX	1	7	others\n",
        )],
    },
    Case {
        kind: Kind::LeafTypePlace,
        edits: &[(
            "linux",
            "EAX	0	3	type\n",
            "EAX	0	3	type\nleaf-field	0x12	0	0	EAX	0	1	sgx1\nleaf-field	0x12	2	31	EBX	0	3	type\n",
        )],
    },
    Case { kind: Kind::LeafName, edits: &[("linux", "3	0x7	0	EBX", "3	0x7	0	ECX")] },
    Case { kind: Kind::WordTwice, edits: &[("qemu", "FEAT_7_0_EBX	2", "FEAT_7_0_EBX	1")] },
    Case { kind: Kind::WordMissing, edits: &[("linux", "linux-word	CPUID_LNX_1	2	-	-	-\n", "")] },
    Case { kind: Kind::Count, edits: &[("linux", "NCAPINTS	4", "NCAPINTS	5")] },
    Case { kind: Kind::NoWord, edits: &[("qemu", "qemu-bit	FEAT_7_0_EBX", "qemu-bit	FEAT_7_9_EBX")] },
    Case { kind: Kind::KvmWord, edits: &[("linux", "SGX9	CPUID_12_EAX", "SGX9	CPUID_7_0_EBX")] },
    Case { kind: Kind::NameTwice, edits: &[("qemu", "8	cx8", "8	fpu")] },
    Case { kind: Kind::BitTwice, edits: &[("linux", "CX8	0	8", "CX8	0	0")] },
    Case { kind: Kind::FlagTwice, edits: &[("linux", "8	cx8", "8	fpu")] },
    Case { kind: Kind::RowTwice, edits: &[("linux", "AVX2	FPU\n", "AVX2	FPU\nlinux-dep	AVX2	FPU\n")] },
    Case { kind: Kind::Unresolved, edits: &[("linux", "AVX2	FPU", "AVX2	FPV")] },
    Case { kind: Kind::Scattered, edits: &[("linux", "SGX1	2	1", "SGX1	3	1")] },
    Case { kind: Kind::Translation, edits: &[("linux", "0x12	0	EAX	0", "0x12	0	EAX	1")] },
    Case { kind: Kind::Cap, edits: &[("linux", "CPUID_1_EDX	F	CX8", "CPUID_7_0_EBX	F	CX8")] },
    Case { kind: Kind::BitRange, edits: &[("qemu", "FEAT_7_0_EBX	5", "FEAT_7_0_EBX	33")] },
    Case {
        kind: Kind::Comment,
        edits: &[
            ("qemu", "0x7	0	EBX\n", "0x7	0	EBX\n"),
            ("qemu", "comment	FEAT_7_0_EBX	0x7	0", "comment	FEAT_7_0_EBX	0x7	1"),
        ],
    },
    Case { kind: Kind::Macro, edits: &[("qemu", "AVX2	0x20", "AVX2	0x60")] },
    Case { kind: Kind::MacroName, edits: &[("qemu", "AVX2	0x20", "AVX2	0x40")] },
    Case {
        kind: Kind::WordOneSided,
        edits: &[
            ("qemu", "FEAT_12_0_EAX	3	cpuid	0x12	0	EAX", "FEAT_SGX	3	cpuid	0x12	0	EBX"),
            ("qemu", "qemu-bit	FEAT_12_0_EAX	0	sgx1\n", ""),
        ],
    },
    Case { kind: Kind::Config, edits: &[("linux", "config	disabled	AVX2", "config	named	AVX2")] },
    Case { kind: Kind::FieldName, edits: &[("linux", "EDX	0	0	fpu", "EDX	8	8	fpu")] },
    Case { kind: Kind::FieldWide, edits: &[("linux", "EDX	1	7	others", "EDX	1	8	others")] },
    Case { kind: Kind::FieldElsewhere, edits: &[("linux", "EAX	0	0	sgx1", "EAX	1	1	avx2")] },
    Case { kind: Kind::FieldOverlap, edits: &[("linux", "0x12	2	31	EAX", "0x12	0	31	EAX")] },
    Case { kind: Kind::BitName, edits: &[("qemu", "8	cx8", "8	cx9"), ("linux", "MDS_NO", "MDS_YES")] },
    Case {
        kind: Kind::NameElsewhere,
        edits: &[("qemu", "8	cx8", "9	cx8"), ("linux", "MDS_NO	0x10a	5", "MDS_NO	0x10a	6")],
    },
    Case {
        kind: Kind::DepCircle,
        edits: &[("linux", "AVX2	FPU\n", "AVX2	FPU\nlinux-dep	FPU	CX8\nlinux-dep	CX8	AVX2\n")],
    },
    Case {
        kind: Kind::DepOpposite,
        edits: &[
            ("linux", "AVX2	FPU\n", "AVX2	NX\nlinux-dep	NX	FPU\n"),
            // The prerequisite that AVX2 has through NX needs AVX2.
            ("qemu", "qemu-dep", "qemu-dep	FEAT_7_0_EBX	0x20	FEAT_1_EDX	0x1\nqemu-dep"),
        ],
    },
    Case { kind: Kind::Changed, edits: &[("newer-linux", "SGX1	2	1", "SGX1	2	2")] },
    Case { kind: Kind::Gone, edits: &[("newer-qemu", "50	vmx-high", "51	vmx-high")] },
    Case {
        kind: Kind::ModelBit,
        edits: &[
            ("linux", "kvm-cap	CPUID_1_EDX	F	CX8\n", ""),
            (
                "qemu",
                "qemu-dep",
                "qemu-model	old	0xd	0x80000008	GenuineIntel	6	1	1	Old\nqemu-model-word	old	FEAT_1_EDX	0x100\nqemu-dep",
            ),
        ],
    },
    Case { kind: Kind::KvmOmits, edits: &[("linux", "kvm-cap	CPUID_1_EDX	F	CX8\n", "")] },
    Case {
        kind: Kind::Synthesized,
        edits: &[("linux", "CPUID_12_EAX	SCATTERED_F	SGX1", "CPUID_12_EAX	SYNTHESIZED_F	SGX9")],
    },
    Case {
        kind: Kind::NewestCompat,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-machine	pc-q35-1.0	1	-\nqemu-compat	pc-q35-1.0	x86_64-cpu	avx2	off\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelId,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-property	model-id	string	-	-	-\nqemu-machine	pc-1.0	1	-\nqemu-machine	pc-0.9	1	pc-1.0\n\
             qemu-compat	pc-0.9	qemu64-x86_64-cpu	model-id	Virtual CPU version 0.8\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::DepDirection,
        edits: &[("qemu", "qemu-dep", "qemu-dep	FEAT_VMX	0x4000000000000	FEAT_7_0_EBX	0x20\nqemu-dep")],
    },
    Case { kind: Kind::DepMissing, edits: &[("linux", "linux-dep	AVX2	FPU", "linux-dep	AVX2	CX8")] },
    Case {
        kind: Kind::DepRefuted,
        edits: &[("linux", "linux-dep	AVX2	FPU", "linux-dep	AVX2	FPU\nlinux-dep	CX8	FPU")],
    },
    Case {
        kind: Kind::NoMigration,
        edits: &[
            ("qemu", "qemu-bit	FEAT_12_0_EAX	0	sgx1\n", ""),
            ("qemu", "qemu-mask", "qemu-mask	FEAT_7_0_EBX	migratable	0x1\nqemu-mask"),
        ],
    },
    Case {
        kind: Kind::StateMigration,
        edits: &[(
            "qemu",
            "qemu-bit	FEAT_1_EDX	0	fpu\n",
            "qemu-word	FEAT_XCR0	6	cpuid	0xd	0	EAX\nqemu-bit	FEAT_1_EDX	0	fpu\n\
             qemu-mask	FEAT_XCR0	migratable	0x4\nqemu-xsave	2	FEAT_7_0_EBX	5	256	576\n\
             qemu-xsave	3	FEAT_7_0_EBX	5	64	960\n",
        )],
    },
    Case { kind: Kind::MacroCase, edits: &[("qemu", "CPUID_7_0_EBX_AVX2", "CPUID_7_0_EBX_Avx2")] },
    Case {
        kind: Kind::UnnamedBit,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	old	0xd	0x80000008	GenuineIntel	6	1	1	Old\nqemu-model-word	old	FEAT_7_0_EBX	0x40\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::AliasModelId,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	old	0xd	0x80000008	GenuineIntel	6	1	1	Old\nqemu-model-version	old	1	-	-\n\
             qemu-model-version	old	2	older	-\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::NoteTwice,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	old	0xd	0x80000008	GenuineIntel	6	1	1	Old\nqemu-model-version	old	1	-	ripe\n\
             qemu-model-version	old	2	-	ripe\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelLacks,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Fuji	0xd	0x80000008	GenuineIntel	6	1	2	Fuji\nqemu-model-word	Fuji	FEAT_1_EDX	0x1\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelExtra,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Fuji	0xd	0x80000008	GenuineIntel	7	3	9	Fuji\nqemu-model-word	Fuji	FEAT_1_EDX	0x101\n\
             qemu-model-word	Fuji	FEAT_7_0_EBX	0x20\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelNumber,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Fuji	0xd	0x80000008	GenuineIntel	6	1	3	Fuji\nqemu-model-word	Fuji	FEAT_1_EDX	0x101\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelGap,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Red	0xd	0x80000008	GenuineIntel	6	1	1	Red\nqemu-model-word	Red	FEAT_ARCH	0x1\n\
             qemu-model	Green	0xd	0x80000008	GenuineIntel	6	2	1	Green\nqemu-model	Blue	0xd	0x80000008	GenuineIntel	6	3	1	Blue\nqemu-model-word	Blue	FEAT_ARCH	0x1\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelOdd,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Red	0xd	0x80000008	GenuineIntel	6	1	1	Red\n\
             qemu-model	Green	0xd	0x80000008	GenuineIntel	6	2	1	Green\nqemu-model-word	Green	FEAT_ARCH	0x1\nqemu-model	Blue	0xd	0x80000008	GenuineIntel	6	3	1	Blue\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelParam,
        edits: &[
            (
                "linux",
                "linux-msr	RDCL",
                "kvm-module	kvm_intel	set	CX8	kvm_intel.nested\nkvm-param	kvm_intel	nested	1\nlinux-msr	RDCL",
            ),
            (
                "qemu",
                "qemu-dep",
                "qemu-model	old	0xd	0x80000008	GenuineIntel	6	1	1	Old\nqemu-model-word	old	FEAT_1_EDX	0x100\nqemu-dep",
            ),
        ],
    },
    Case { kind: Kind::BitElsewhere, edits: &[("xen", "EBX	5", "EBX	6")] },
    Case {
        kind: Kind::BitWord,
        edits: &[("xen", "MDS_NO	msr	0x10a	5", "RDCL_MORE_NO	msr	0x10a	5\nwitness-bit	MDS_HIGH	msr	0x10a	6")],
    },
    Case { kind: Kind::DepUnstated, edits: &[("xen", "0x10a	5\n", "0x10a	5\nwitness-dep	AVX2	FPU\n")] },
    Case {
        kind: Kind::SameSignature,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	old	0xd	0x80000008	GenuineIntel	6	1	1	Old\nqemu-model	older	0xd	0x80000008	GenuineIntel	6	1	1	Old\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::MachineBase,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-machine	pc-q35-1.0	1	-\nqemu-machine	pc-q35-0.9	1	pc-q35-1.0\n\
             qemu-machine	pc-q35-0.8	1	pc-q35-1.0\nqemu-machine	pc-0.7	1	-\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelVendor,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Red	0xd	0x80000008	GenuineIntel	6	1	1	Red\n\
             qemu-model	Green	0xd	0x80000008	AuthenticAMD	6	2	1	Green\nqemu-model	Blue	0xd	0x80000008	GenuineIntel	6	3	1	Blue\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::DepProcessor,
        edits: &[
            ("linux", "linux-dep	AVX2	FPU", "linux-dep	AVX2	FPU\nlinux-dep	CX8	AVX2"),
            (
                "qemu",
                "qemu-dep",
                "qemu-model	Fuji	0xd	0x80000008	GenuineIntel	6	1	2	Fuji\nqemu-model-word	Fuji	FEAT_1_EDX	0x101\nqemu-dep",
            ),
        ],
    },
    Case {
        kind: Kind::ModuleVendor,
        edits: &[
            (
                "linux",
                "linux-msr	RDCL",
                "kvm-module	kvm_amd	set	FPU	-\nkvm-module	kvm_amd	set	AVX2	-\nkvm-module	kvm_intel	set	FPU	-\nlinux-msr	RDCL",
            ),
            (
                "qemu",
                "qemu-dep",
                "qemu-model	Fuji	0xd	0x80000008	GenuineIntel	6	1	2	Fuji\nqemu-model-word	Fuji	FEAT_1_EDX	0x101\nqemu-dep",
            ),
        ],
    },
    Case {
        kind: Kind::Inconsistent,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Red	0xd	0x80000008	GenuineIntel	6	1	1	Red\nqemu-model-version	Red	2	-	-\nqemu-model-prop	Red	2	avx3	on\n\
             qemu-machine	pc-q35-1.0	1	-\nqemu-machine	pc-q35-0.9	1	pc-q35-1.1\nqemu-compat	pc-q35-0.9	x86_64-cpu	avx4	off\n\
             qemu-compat	pc-q35-0.8	x86_64-cpu	avx2	off\nqemu-kvm-default	avx5	on\nqemu-alias	avx-6	avx6\nqemu-xsave	2	FEAT_XCR0	0	8	8\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::ModelDep,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Red	0xd	0x80000008	GenuineIntel	6	1	1	Red\nqemu-model-word	Red	FEAT_7_0_EBX	0x20\n\
             qemu-model	Blue	0xd	0x80000008	GenuineIntel	6	3	1	Blue\nqemu-model-word	Blue	FEAT_1_EDX	0x1\n\
             qemu-model-word	Blue	FEAT_7_0_EBX	0x20\nqemu-model-version	Blue	1	-	-\n\
             qemu-model-version	Blue	2	-	-\nqemu-model-prop	Blue	2	vmx-high	on\nqemu-model-version	Blue	3	-	-\n\
             qemu-model-prop	Blue	3	avx2	off\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::CacheNumbers,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Red	0xd	0x80000008	GenuineIntel	6	1	1	Red\n\
             qemu-model-cache	Red	-	l1d	type=data	level=1	size=32768	line-size=64	associativity=8	partitions=1	sets=32\n\
             qemu-model-version	Red	1	-	-\nqemu-model-version	Red	2	-	-\n\
             qemu-model-cache	Red	2	l1i	type=data	level=1	size=32768	line-size=64	associativity=8	partitions=1	sets=64\n\
             qemu-cache	legacy	-	type=unified	level=2	size=2097152	line-size=64	associativity=8\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::CacheReal,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-model	Fuji	0xd	0x80000008	GenuineIntel	6	1	2	Fuji\nqemu-model-word	Fuji	FEAT_1_EDX	0x101\n\
             qemu-model-cache	Fuji	-	l1d	type=data	level=1	size=32768	line-size=64	associativity=8	partitions=1	sets=64\n\
             qemu-model-cache	Fuji	-	l2	type=unified	level=2	size=65536	line-size=64	associativity=8	partitions=1	sets=128\n\
             qemu-model-version	Fuji	1	-	-\nqemu-model-version	Fuji	2	-	-\nqemu-dep",
        )],
    },
    Case {
        kind: Kind::StatePlace,
        edits: &[(
            "qemu",
            "qemu-dep",
            "qemu-xsave	2	FEAT_7_0_EBX	5	256	576\nqemu-xsave	3	FEAT_7_0_EBX	5	64	576\n\
             qemu-xsave	4	FEAT_7_0_EBX	5	128	-\nqemu-xsave	5	FEAT_7_0_EBX	5	8	-\nqemu-dep",
        )],
    },
];

fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} differs; BLESS=1 writes it anew", path.display());
}

/// The releases with these edits; a 2.0 only if it has an edit.
fn edited(edits: &[Edit]) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> =
        vec![("linux".to_owned(), LINUX_1.to_owned()), ("qemu".to_owned(), QEMU_1.to_owned())];
    if edits.iter().any(|(name, ..)| *name == "xen") {
        files.push(("xen".to_owned(), XEN_1.to_owned()));
    }
    for (name, from, to) in edits {
        if let Some(older) = name.strip_prefix("newer-") {
            let text = files.iter().find(|(known, _)| known == older).unwrap().1.clone();
            files.push(((*name).to_owned(), text.replace("release	1.0", "release	2.0")));
        }
        let text = &mut files.iter_mut().find(|(known, _)| known == name).unwrap().1;
        assert!(text.contains(from), "{from}");
        *text = text.replacen(from, to, 1);
    }
    files
}

fn report(edits: &[Edit], differences: &str, scope: Scope) -> String {
    let files = edited(edits);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    match Input::try_read_with(&files, differences, PROCESSORS_1) {
        Ok(input) => check(&input.linux, &input.qemu, &input.differences, scope).render(&input.sources),
        Err(error) => error,
    }
}

#[test]
fn every_kind_of_finding_has_its_text() {
    for case in &CASES {
        let text = report(case.edits, NEEDS, Scope::Given);
        let name = case.kind.name();
        assert!(text.contains(&format!("error: {name}: ")), "{name}\n{text}");
        golden(&format!("{name}.txt"), &text);
    }
    // Facts have neither comments, nor the uses of words, nor lists of properties; and these have no pinned releases.
    let others = [
        Kind::CommentName,
        Kind::NotHandedOut,
        Kind::MachineCompat,
        Kind::Misspelled,
        Kind::NameLost,
        Kind::WordMoved,
        Kind::Added,
        Kind::DepAdded,
        Kind::ListLength,
    ];
    for (kind, name) in Kind::ALL.iter().filter(|(kind, _)| !others.contains(kind)) {
        assert!(CASES.iter().any(|case| case.kind == *kind), "{name} has no case");
    }
}

#[test]
fn consistent_facts_have_no_findings() {
    golden("nothing-wrong.txt", &report(&[], "", Scope::Pinned));
}

#[test]
fn explained_findings_are_omitted_and_stale_entries_reported() {
    let edits: &[Edit] =
        &[("qemu", "8	cx8", "8	cx9"), ("qemu", "macro	CPUID_7_0_EBX_AVX2", "macro	CPUID_OLD_AVX2")];
    let differences = "\
# a comment
bit-name	CPUID.(EAX=1,ECX=0):EDX[8]	CX8	cx9	upstream-bug	the wrong digit
bit-name	CPUID.(EAX=1,ECX=0):EDX[0]	FPU	fpu	alias	not needed
macro-family	CPUID_OLD_	FEAT_7_0_EBX	-	design	an old prefix
macro-family	CPUID_OLDER_	-	-	design	not needed
rewritten	cpuid-field	1.0	2.0	history	not needed
";
    golden("stale-pinned.txt", &report(edits, differences, Scope::Pinned));
    golden("stale-given.txt", &report(edits, differences, Scope::Given));
}

#[test]
fn unreadable_differences_are_reported() {
    let differences = "\
bit-nam	a	b	c	alias	no such kind
bit-name	a	b	c	maybe	no such verdict
bit-name	a	b	c	alias
bit-name	a	b	c	alias	a reason	and more
bit-name	a		c	alias	an empty side
bit-name	a	b	c	alias	once
bit-name	a	b	c	design	twice
bit-name	a	b	c	design	three times
macro-family	CPUID_A_	-	-	design	once
macro-family	CPUID_A_	FEAT_1_EDX	-	design	twice
macro-family	CPUID_A_	FEAT_1_EDX	-	design	three times
rewritten	cpuid-field	6.1	6.2	history	once
rewritten	cpuid-field	6.1	6.2	history	twice
rewritten	cpuid-field	6.1	6.2	history	three times
needs	CPUID.(EAX=7,ECX=0):EBX[5]	MSR 0x48b[26]	qemu	design	once
needs	CPUID.(EAX=7,ECX=0):EBX[5]	MSR 0x48b[26]	none	design	twice
needs	CPUID.(EAX=7,ECX=0):EBX[32]	MSR 0x480	qemu	design	no such bit
needs	CPUID.(EAX=7,ECX=0):EBX[5]	MSR 0x48b[64]	qemu	design	no such bit
needs	CPUID.(EAX=7,ECX=0):EBX	MSR 480	qemu	design	not hexadecimal
needs	CPUID.(EAX=7,ECX=0):EBX	MSR 0x480	kvm	design	no such project
bit-name	d	b	c	alias	no range	QEMU
bit-name	e	b	c	alias	no project	KVM 1-2
bit-name	f	b	c	alias	no end	QEMU -
bit-name	g	b	c	alias	good	QEMU 1.0-2.0
bit-name	h	b	c	alias	too much	QEMU 1.0-	more
bit-name	i	b	c	alias	no row	QEMU while
bit-name	j	b	c	alias	no columns	QEMU 1.0- without	qemu-bit
bit-name	k	b	c	alias	another project's row	Linux while	qemu-bit	FEAT_1_EDX
bit-name	l	b	c	alias	no such word	QEMU 1.0- until	qemu-bit	FEAT_1_EDX
bit-name	m	b	c	alias	good	QEMU 1.0- while	qemu-bit	FEAT_1_EDX
bit-name	n	b	c	alias	good	Linux 1.0-, QEMU 1.0- while	qemu-bit	FEAT_1_EDX
bit-name	o	b	c	alias	good	QEMU 1.0-, QEMU -2.0
bit-name	p	b	c	alias	a range after a row	QEMU while, Linux 1.0-	qemu-bit	FEAT_1_EDX
bit-name	q	b	c	alias	nothing after the comma	QEMU 1.0-, 
";
    golden("unreadable-differences.txt", &report(&[], differences, Scope::Given));
}

/// A row for some releases explains nothing in others, and is stale only if one of its releases is there.
#[test]
fn a_row_for_some_releases_holds_for_these() {
    let edits: &[Edit] = &[("qemu", "8	cx8", "8	cx9")];
    let row = |range: &str| format!("bit-name	CPUID.(EAX=1,ECX=0):EDX[8]	CX8	cx9	alias	a digit	{range}\n");
    for range in [
        "QEMU 1.0-",
        "QEMU -1.0",
        "QEMU 0.9-1",
        "Linux 1.0-1.0",
        "Linux 1.0-, QEMU -1.0",
        "QEMU -0.8, QEMU 1.0-1.1",
    ] {
        let found = report(edits, &row(range), Scope::Pinned);
        assert!(found.contains("findings: 0\n"), "{range}: {found}");
        assert!(report(&[], &row(range), Scope::Pinned).contains("error: stale"), "{range}");
    }
    for range in [
        "QEMU 1.1-",
        "QEMU -0.9",
        "Linux 2.0-3.0",
        "Linux 1.0-, QEMU 1.1-",
        "QEMU -1.0, Linux 1.1-",
        "QEMU -0.8, QEMU 1.1-",
    ] {
        let found = report(edits, &row(range), Scope::Pinned);
        assert!(found.contains("findings: 1\n") && found.contains("error: bit-name"), "{range}: {found}");
    }
}

/// A row about what a release's facts read holds in those that read so, and is stale if none does.
#[test]
fn a_row_holds_while_the_facts_read_so() {
    let edits: &[Edit] = &[("qemu", "8	cx8", "8	cx9")];
    let row =
        |reading: &str| format!("bit-name	CPUID.(EAX=1,ECX=0):EDX[8]	CX8	cx9	alias	a digit	{reading}\n");
    for reading in [
        "QEMU while	qemu-bit	FEAT_1_EDX	8	cx9",
        "QEMU while	qemu-bit	FEAT_1_EDX	*	cx9",
        "QEMU while	qemu-word	FEAT_7_0_EBX	2",
        "QEMU without	qemu-bit	FEAT_1_EDX	8	cx8",
        "QEMU 1.0- while	qemu-bit	FEAT_1_EDX	8	cx9",
        "Linux while	linux-feature	CX8	0	8",
        "Linux -1.0 without	kvm-cap	*	*	AVX2",
    ] {
        let found = report(edits, &row(reading), Scope::Pinned);
        assert!(found.contains("findings: 0\n"), "{reading}: {found}");
        let gone = report(&[], &row(reading), Scope::Pinned);
        assert!(gone.contains("error: stale"), "{reading}: {gone}");
    }
    for reading in [
        "QEMU while	qemu-bit	FEAT_1_EDX	8	cx8",
        "QEMU without	qemu-bit	FEAT_1_EDX	8	cx9",
        "QEMU 1.1- while	qemu-bit	FEAT_1_EDX	8	cx9",
        "Linux without	linux-feature	CX8",
    ] {
        let found = report(edits, &row(reading), Scope::Pinned);
        assert!(found.contains("error: bit-name"), "{reading}: {found}");
        // The finding is there, but no release reads so: the row explains nothing any more.
        assert_eq!(found.contains("error: stale"), !reading.contains("1.1-"), "{reading}: {found}");
    }
}

/// A witness's dependencies against those of the others and of the manuals.
#[test]
fn dependencies_of_a_witness_are_compared() {
    let with = |deps: &'static str| report(&[("xen", "0x10a	5\n", deps)], NEEDS, Scope::Given);
    let found = with("0x10a	5\nwitness-dep	FPU	AVX2\n");
    assert!(found.contains("error: dep-opposite: "), "{found}");
    assert!(found.contains("Xen: `FPU` needs `AVX2`") && found.contains("(Linux 1.0; Xen 1.0)"), "{found}");
    let found = with("0x10a	5\nwitness-dep	CX8	FPU\n");
    let refuted =
        "dep-refuted: CPUID.(EAX=1,ECX=0):EDX[8] does not need CPUID.(EAX=1,ECX=0):EDX[0], but Xen states it";
    assert!(found.contains("findings: 1\n") && found.contains(refuted), "{found}");
    let found = with("0x10a	5\nwitness-dep	MDS_NO	CX8\nwitness-dep	CX8	AVX2\nwitness-dep	AVX2	MDS_NO\n");
    assert!(found.contains("error: dep-circle: ") && found.contains("(Xen 1.0)"), "{found}");
}

/// A row without bits explains what a project does not mean to state, and a row of a place holds for both orders.
#[test]
fn rows_about_witnesses_explain_their_findings() {
    let edits: &[Edit] = &[("xen", "0x10a	5\n", "0x10a	5\nwitness-dep	AVX2	FPU\n")];
    let row = "dep-unstated	-	-	QEMU	design	another purpose\n";
    assert!(report(edits, row, Scope::Pinned).contains("findings: 0\n"));
    let edits: &[Edit] = &[("xen", "EBX	5", "EBX	6")];
    for (one, other) in [("5", "6"), ("6", "5")] {
        let row = format!(
            "bit-elsewhere	avx2	CPUID.(EAX=7,ECX=0):EBX[{one}]	CPUID.(EAX=7,ECX=0):EBX[{other}]	design	a twin\n"
        );
        assert!(report(edits, &row, Scope::Pinned).contains("findings: 0\n"), "{row}");
    }
}

/// CPU models of a witness that no processor is known for.
#[test]
fn signatures_of_a_witness_are_compared() {
    let fuji = "qemu-model	Pear	0xd	0x80000008	GenuineIntel	6	1	3	Pear\nqemu-dep";
    let with = |signatures: &str| {
        let text = format!("0x10a	5\nwitness-model	Pear	{signatures}\n");
        report(&[("qemu", "qemu-dep", fuji), ("xen", "0x10a	5\n", text.leak())], NEEDS, Scope::Given)
    };
    assert!(with("7/2,6/1").contains("findings: 0\n"), "{}", with("7/2,6/1"));
    let found = with("7/2,6/11");
    assert!(
        found.contains("findings: 1\n") && found.contains("error: model-number: `Pear` is 6/1 (QEMU"),
        "{found}"
    );
    assert!(found.contains("its processors are 7/2,6/11 in Xen"), "{found}");
}

#[test]
fn unreadable_witnesses_are_reported() {
    let witness = "\
witness-release	Hurd	1
witness-bit	FPU	cpuid	0x1	0	EDX	0
witness-release	Xen	1.0
witness-release	Xen	1.0
witness-bit	FPU	cpuid	0x1	0	EDX	32
witness-bit	FPU	cpuid	0x1	0	EFX	0
witness-bit	FPU	msr	0x10a	64
witness-bit	FPU	io	0x10a	1
witness-bit	FPU	msr	0x10a	1	more
witness-dep	FPU
witness-model	Fuji	6
witness-model	Fuji	6/1,x/2
witness-word	FPU
linux-release	1.0
";
    let found = Input::try_read_with(&[("xen.tsv", witness)], "", "").err().unwrap_or_default();
    golden("unreadable-witnesses.txt", &found);
    let found = Input::try_read_with(&[("xen.tsv", "# witness-release\nwitness-release	\n")], "", "");
    assert!(found.err().is_some());
}

#[test]
fn unreadable_processors_are_reported() {
    let processors = "\
processor	Fuji	6/1	once
processor	Fuji	6/1	twice
processor	Gala	6	no model
processor	Gala	6/1/2/3	too much
processor	Gala	6/1,6/x	no number
processor	Gala	6/1	good
processor-word	Fuji	0x1	0	EDX	0x1
processor-word	Gala	0x1	0	EDX	0x1
processor-word	Gala	0x1	0	EDX	0x2
processor-word	Gala	0x1	0	EFX	0x1
processor-word	Gala	0x1	0	EAX	0x1ffffffff
processors	Gala
processor-line	Gala,Fuji,Gala
processor-line	Gala	Fuji
processor-cache	Fuji	l1d	1	1	1
processor-cache	Gala	l1d	1	1	1
processor-cache	Gala	l1d	1	1	1
processor-cache	Gala	l4	1	1	1
processor-cache	Gala	l2	1	1
xsave-component	2	256	576
xsave-component	2	256	-
xsave-component	256	256	576
xsave-component	3	64
";
    let found = Input::try_read_with(&[("linux", LINUX_1)], "", processors).err().unwrap_or_default();
    golden("unreadable-processors.txt", &found);
}

/// A finding of a tree: the word of a list is none of those that KVM's CPUID code uses.
#[test]
fn a_list_that_no_guest_sees_is_reported() {
    let mut input = Input::try_read_with(&[("linux", LINUX_1), ("qemu", QEMU_1)], NEEDS, "").unwrap();
    input.linux[0].handed_out = ["CPUID_1_EDX", "CPUID_12_EAX"].map(str::to_owned).to_vec();
    let report = check(&input.linux, &input.qemu, &input.differences, Scope::Given);
    golden("not-handed-out.txt", &report.render(&input.sources));
}

/// A finding of a tree: facts have translated features only.
#[test]
fn a_feature_of_kvm_without_a_translation_is_reported() {
    let mut input = Input::try_read_with(&[("linux", LINUX_1), ("qemu", QEMU_1)], NEEDS, "").unwrap();
    let at = input.linux[0].kvm_features[0].at;
    input.linux[0].untranslated = vec![("KVM_X86_FEATURE_AVX2".to_owned(), at)];
    let report = check(&input.linux, &input.qemu, &input.differences, Scope::Given);
    golden("untranslated.txt", &report.render(&input.sources));
}

/// A vendor reserves words after the kernel's own and uses the last one: only that one needs a row, and its features are no
/// findings of their own.
#[test]
fn a_reserved_word_needs_a_row_once_it_has_features() {
    let reserved = ("linux", "NCAPINTS	4", "NCAPINTS	9");
    let moved = ("linux", "linux-word	CPUID_12_EAX	4", "linux-word	CPUID_12_EAX	9");
    let used = (
        "linux",
        "linux-feature	SGX1	2	1	-",
        "linux-feature	SGX1	2	1	-\nlinux-feature	ON_ENTRY	8	0	-\nlinux-feature	ON_EXIT	8	1	-",
    );
    let found = report(&[reserved, moved, used], "", Scope::Pinned);
    assert_eq!(found.matches("error: ").count(), 1, "{found}");
    assert!(found.contains("word-missing: word 8 of 10 has no row"), "{found}");
    assert!(found.contains("`ON_ENTRY`, `ON_EXIT` are in the word"), "{found}");
    let found = report(&[reserved, moved], "", Scope::Pinned);
    assert!(
        found.matches("error: ").count() == 1 && found.contains("error: count: NCAPINTS is 9"),
        "{found}"
    );
}

/// A feature that QEMU would turn off in a model, for lack of another one, is not missing from the model.
#[test]
fn what_a_model_cannot_have_is_not_missing() {
    let processors = "processor	Fuji	6/1	an orchard\nprocessor-word	Fuji	0x12	0	EAX	0x1\n";
    let model = "qemu-model	Fuji	0x12	0x80000008	GenuineIntel	6	1	2	Fuji\n";
    let dep = "qemu-dep	FEAT_7_0_EBX	0x20	FEAT_12_0_EAX	0x1\n";
    let count = |more: &str| {
        let qemu = format!("{QEMU_1}{more}");
        let files = [("linux", LINUX_1), ("qemu", qemu.as_str())];
        let input = Input::try_read_with(&files, NEEDS, processors).unwrap();
        let report = check(&input.linux, &input.qemu, &input.differences, Scope::Given);
        report.findings.iter().filter(|found| found.kind == Some("model-lacks")).count()
    };
    assert_eq!([count(model), count(&format!("{dep}{model}"))], [1, 0]);
    let with = format!("{dep}{model}qemu-model-word	Fuji	FEAT_7_0_EBX	0x20\n");
    assert_eq!(count(&with), 1, "the model has what the feature needs");
}

/// A finding of a tree: the list of compatibility properties is of another release than its machine type.
#[test]
fn a_list_of_another_release_is_reported() {
    let mut input = Input::try_read_with(&[("linux", LINUX_1), ("qemu", QEMU_1)], NEEDS, "").unwrap();
    let at = input.qemu[0].bits[0].at;
    let lists = [
        ("pc-q35-5.0", "hw_compat_4_2"),
        ("pc-q35-4.2", "pc_compat_4_2"),
        ("pc-q35-4.0.1", "hw_compat_4_0"),
        ("pc-i440fx-3.0", "PC_COMPAT_2_12"),
        ("pc-q35-4.1", "pc_q35_defaults"),
        ("isapc", "hw_compat_4_2"),
    ];
    input.qemu[0].compat_lists = lists
        .map(|(machine, list)| QemuCompatList { machine: machine.to_owned(), list: list.to_owned(), at })
        .to_vec();
    let report = check(&input.linux, &input.qemu, &input.differences, Scope::Given);
    golden("machine-compat.txt", &report.render(&input.sources));
}

/// A finding of a tree: the length of one list is used with another.
#[test]
fn the_length_of_another_list_is_reported() {
    let mut input = Input::try_read_with(&[("linux", LINUX_1), ("qemu", QEMU_1)], NEEDS, "").unwrap();
    let at = input.qemu[0].bits[0].at;
    let [list, of] = ["hw_compat_0_9", "hw_compat_0_8"].map(str::to_owned);
    input.qemu[0].list_lengths.push(QemuListLength { list, of, at });
    let report = check(&input.linux, &input.qemu, &input.differences, Scope::Given);
    golden("list-length.txt", &report.render(&input.sources));
}

/// A finding of a tree: code has no check of what an enlightenment needs.
#[test]
fn a_missing_check_of_enlightenments_is_reported() {
    let rows = "qemu-hyperv	hv-calm	0x40000003	EAX	0x10\nqemu-hyperv	hv-bell	0x40000003	EAX	0x20\n";
    let needs = "needs	hv-bell	hv-calm	qemu-code	design	a bell breaks the silence\n";
    let found = |deps: Option<Vec<(&str, &str)>>| {
        let qemu = format!("{QEMU_1}{rows}");
        let mut input = Input::try_read_with(&[("linux", LINUX_1), ("qemu", &qemu)], needs, "").unwrap();
        let at = input.qemu[0].hyperv[0].at;
        let dep = |(property, needs): (&str, &str)| {
            let [property, needs] = [property, needs].map(str::to_owned);
            QemuHypervDep { property, needs, at }
        };
        input.qemu[0].hyperv_code_deps = deps.map(|deps| deps.into_iter().map(dep).collect());
        check(&input.linux, &input.qemu, &input.differences, Scope::Given).render_findings(&input.sources)
    };
    // A facts file does not show it.
    assert_eq!(found(None), "findings: 0\n");
    assert_eq!(found(Some(vec![("hv-bell", "hv-calm")])), "findings: 0\n");
    let missing = found(Some(Vec::new()));
    assert!(missing.contains("error: dep-missing: `hv-bell` needs `hv-calm`"), "{missing}");
    let circle = found(Some(vec![("hv-bell", "hv-calm"), ("hv-calm", "hv-bell")]));
    assert!(
        circle.contains("error: dep-circle: the dependencies form a cycle: hv-bell > hv-calm > hv-bell"),
        "{circle}"
    );
}

/// Names of a release that is not pinned, beside those of the pinned ones next to it.
#[test]
fn names_unlike_those_of_the_pinned_release_are_reported() {
    let shown = |linux: &str, qemu: &str| {
        let mut input = Input::try_read_with(&[("linux", linux), ("qemu", qemu)], NEEDS, "").unwrap();
        let mut diagnostics = Diagnostics::new();
        let mut read = |name: &str, text: &str| {
            let file = input.sources.add(name, text);
            facts::read(&input.sources, file, &mut diagnostics).unwrap()
        };
        let newer = |text: &str| text.replace("release	1.0", "release	1.2");
        let pinned = [read("pinned-linux", LINUX_1), read("newer-pinned-linux", &newer(LINUX_1))];
        let pinned_qemu = [read("pinned-qemu", QEMU_1), read("newer-pinned-qemu", &newer(QEMU_1))];
        let linux = pinned.into_iter().filter_map(|facts| match facts {
            Facts::Linux(facts) => Some(facts),
            Facts::Qemu(_) => None,
        });
        let qemu = pinned_qemu.into_iter().filter_map(|facts| match facts {
            Facts::Qemu(facts) => Some(facts),
            Facts::Linux(_) => None,
        });
        input.differences.add_pinned(linux.collect(), qemu.collect());
        check(&input.linux, &input.qemu, &input.differences, Scope::Given).render(&input.sources)
    };
    // Between two pinned releases a name can be missing, but not misspelled.
    let between = |text: &str| text.replace("release	1.0", "release	1.1");
    let last = |text: &str| text.replace("release	1.0", "release	2.0");
    let wrong = |text: &str| text.replace("others", "ohters").replace("qemu-bit	FEAT_ARCH	0	rdcl-no\n", "");
    assert!(shown(LINUX_1, QEMU_1).contains("findings: 0\n"));
    assert!(shown(&between(LINUX_1), &between(QEMU_1)).contains("findings: 0\n"));
    let found = shown(&between(&wrong(LINUX_1)), &between(&wrong(QEMU_1)));
    assert!(found.contains("findings: 1\n") && found.contains("error: misspelled: "), "{found}");
    golden("misspelled.txt", &found);
    golden("name-lost.txt", &shown(&last(LINUX_1), &last(&wrong(QEMU_1))));
}

/// A finding of a tree: facts have no comments.
#[test]
fn a_name_unlike_its_comment_is_reported() {
    let mut input = Input::try_read_with(&[("linux", LINUX_1), ("qemu", QEMU_1)], NEEDS, "").unwrap();
    let at = input.linux[0].features[0].at;
    input.linux[0].spellings.push(LinuxSpelling { name: "FPU".to_owned(), word: "FPV".to_owned(), at });
    let report = check(&input.linux, &input.qemu, &input.differences, Scope::Given);
    golden("comment-name.txt", &report.render(&input.sources));
}

/// A property of a CPU that the release does not have, and of a model without its hyphen.
#[test]
fn compatibility_properties_of_unknown_cpus_are_reported() {
    let last = "qemu-dep	FEAT_7_0_EBX	0x20	FEAT_VMX	0xffffffffffffffff\n";
    let rows = "\
qemu-model	Pear	0xd	0x0	PearPearPear	6	1	1	Pear CPU
qemu-model-version	Pear	1	-	-
qemu-model-version	Pear	2	Pear-noFlesh	-
qemu-machine	pc-1	-	-
qemu-compat	pc-1	x86_64-cpu	avx2	off
qemu-compat	pc-1	Pear-x86_64-cpu	avx2	off
qemu-compat	pc-1	Pear-v1-x86_64-cpu	avx2	off
qemu-compat	pc-1	Pear-v2-x86_64-cpu	avx2	off
qemu-compat	pc-1	Pear-noFlesh-x86_64-cpu	avx2	off
qemu-compat	pc-1	max-x86_64-cpu	avx2	off
qemu-compat	pc-1	Pear-v3-x86_64-cpu	avx2	off
qemu-compat	pc-1	Pear-noFleshx86_64-cpu	avx2	off
qemu-compat	pc-1	Plum-x86_64-cpu	avx2	off
qemu-compat	pc-1	Plum-x86_64-cpu	fpu	off
";
    let text = format!("{last}{rows}");
    golden("compat-type.txt", &report(&[("qemu", last, text.leak())], "", Scope::Given));
}

/// A replaced table is not compared with the older one; other tables are.
#[test]
fn rewritten_tables_are_not_compared() {
    let edits: &[Edit] = &[(
        "newer-linux",
        "5\nlinux-config	required	FPU	-\nlinux-config	disabled	AVX2	!X86_AVX2\ncpuid-field	0x1	0	0	EDX	0	0	fpu",
        "6\nlinux-config	required	FPU	-\nlinux-config	disabled	AVX2	!X86_AVX2\ncpuid-field	0x1	0	0	EDX	20	20	fpv",
    )];
    let differences = "rewritten	cpuid-field	1	2.0	history	in other words\n";
    let found = report(edits, differences, Scope::Pinned);
    assert!(found.contains("error: changed: linux-msr MDS_NO is MSR 0x10a[6] in 2.0"), "{found}");
    assert!(!found.contains("cpuid-field") && !found.contains("stale"), "{found}");
    assert!(report(edits, "", Scope::Pinned).contains("error: gone: cpuid-field"));
}

/// KVM's own leaf: QEMU's names without the prefix of their word's family.
#[test]
fn kvm_leaf_names_are_compared_without_their_prefix() {
    let linux = "linux-release	1.0\nlinux-word	CPUID_LNX_1	0	-	-	-\nkvm-para	PV_EOI	0x40000001	0	EAX	6\nkvm-para	PV_IPI	0x40000001	0	EAX	11\n";
    let qemu = "qemu-release	1.0\nqemu-word	FEAT_KVM	0	cpuid	0x40000001	-	EAX\n\
                qemu-bit	FEAT_KVM	6	kvm-pv-eoi\nqemu-bit	FEAT_KVM	11	kvm-pv-api\n\
                qemu-macro	CPUID_KVM_PV_EOI	0x40\n";
    let differences = "macro-family	CPUID_KVM_	FEAT_KVM	kvm-	design	a prefix\n\
                       word-one-sided	CPUID.(EAX=0x40000001,ECX=0):EAX	-	FEAT_KVM	one-sided	KVM's\n";
    let input = Input::try_read(&[("linux", linux), ("qemu", qemu)], differences).unwrap();
    let report = check(&input.linux, &input.qemu, &input.differences, Scope::Pinned);
    let text = report.findings.render(&input.sources);
    assert_eq!(report.findings.len(), 1, "{text}");
    assert!(text.contains("bit-name: CPUID.(EAX=0x40000001,ECX=0):EAX[11] is `PV_IPI` in Linux"), "{text}");
}
