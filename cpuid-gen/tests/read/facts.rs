//! Facts files: every kind of row is written as it was read, and each faulty row has its own diagnostic.

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{self, Facts};
use cpuid_gen::source::Sources;

const QEMU: &str = "\
qemu-release\t10.9.0
qemu-model\tNew-Model\t0xd\t0x80000008\t\"  Shanghai  \"\t6\t85\t11\tA (new) one
qemu-model-avx10\tNew-Model\t1
qemu-model-deprecated\tNew-Model\tuse another
qemu-model-word\tNew-Model\tFEAT_1_EDX\t0x1
qemu-model-cache\tNew-Model\t-\tl1d\ttype=data\tlevel=1\tsize=49152\tline-size=64\tassociativity=12\tpartitions=1\tsets=64\tlines-per-tag=1\tself-init=1\tno-invd-sharing=1\tinclusive=1\tcomplex-indexing=1\tshare-level=core
qemu-model-version\tNew-Model\t1\t-\t-
qemu-model-version\tNew-Model\t2\tNewer-Model\tno TSX
qemu-model-prop\tNew-Model\t2\tmodel-id\t\"\"
qemu-model-prop\tNew-Model\t2\thle\toff
qemu-model-cache\tNew-Model\t2\tl3\ttype=unified\tlevel=3\tsize=4294967296
qemu-dep\tFEAT_1_EDX\t0x1\tFEAT_1_ECX\t0xffffffffffffffff
qemu-xsave\t2\tFEAT_1_ECX\t28\t256\t576
qemu-xsave\t9\tFEAT_7_0_ECX\t3\t8\t-
qemu-cache\tlegacy_amd_cache_info\tl2\ttype=unified\tlevel=2
qemu-cache\tlegacy_l2_cache\t-\ttype=instruction
qemu-cache-descriptor\t0x6\tinstruction\t1\t8192\t32\t4
qemu-kvm-default\tx2apic\ton
qemu-kvm-default\tsvm\t-
qemu-tcg-default\tvme\toff
qemu-machine\tpc-q35-10.9\t1\t-
qemu-machine\tpc-q35-4.0\tlegacy\tpc-q35-10.9
qemu-machine\tmicrovm\tlatest\t-
qemu-machine\tpc-i440fx-2.9\t-\t-
qemu-compat\tpc-q35-4.0\tEPYC-x86_64-cpu\txlevel\t0x8000000a
qemu-compat\tpc-i440fx-2.9\tkvm-default\tsvm\t-
qemu-alias\tsse4_1\tsse4.1
qemu-property\thv-relaxed\tbit64\thyperv_features\t0\t0
qemu-property\tmodel-id\tstring\t-\t-\t-
qemu-hyperv\thv-relaxed\t0x40000004\tEAX\t0x20
qemu-hyperv-dep\thv-stimer\thv-synic
";

const LINUX: &str = "\
linux-release\t7.9.0
kvm-para\tCLOCKSOURCE\t0x40000001\t0\tEAX\t0
linux-msr\tRDCL_NO\t0x10a\t0
linux-config\trequired\tFPU\t-
linux-config\tdisabled\tVME\tX86_64 || !X86_VM86
cpuid-field\t0x4\t0\t31\tEAX\t0\t4\tcache_type
";

fn read(text: &str) -> (Option<Facts>, Sources, Diagnostics) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add("facts.tsv", text);
    let facts = facts::read(&sources, file, &mut diagnostics);
    (facts, sources, diagnostics)
}

#[test]
fn every_kind_of_row_round_trips() {
    for text in [QEMU, LINUX] {
        let written = match read(text).0.expect("facts") {
            Facts::Linux(facts) => facts::write_linux(&facts),
            Facts::Qemu(facts) => facts::write_qemu(&facts),
        };
        assert_eq!(written, text);
    }
}

#[test]
fn each_faulty_row_has_its_diagnostic() {
    let cases = [
        ("qemu-model-word\tB\tW\t0x1", "must be below the `qemu-model` row of `B`"),
        ("qemu-model-prop\tA\t3\tx\ton", "must be below the `qemu-model-version` row of `3`"),
        ("qemu-model-colour\tA\tred", "`qemu-model-colour` is not a row of a QEMU facts file"),
        ("qemu-model-cache\tA\t2\tl1d\tlevel=1", "no `type=`"),
        ("qemu-model-cache\tA\t2\tl4\ttype=data", "`l4` is not a valid cache"),
        ("qemu-model-cache\tA\t2\tl1d\ttype=data\ttype=data", "repeats a key"),
        ("qemu-model-cache\tA\t2\tl1d\ttype=data\tinclusive=0", "must be 1 or absent"),
        ("qemu-model-prop\tA\t2\tx\t\"open", "opens a quote that is not closed"),
        ("qemu-machine\tm\tnewest\t-", "`newest` is not a version"),
        ("qemu-property\tp\tbit\tf\t64\t-", "`64` is not a bit"),
        (
            "qemu-hyperv\tp\t0x40000004\tEAX\t0x100000000",
            "`0x100000000` is not a valid `MASK`: expected a 32-bit",
        ),
        ("qemu-hyperv-dep\tp\tq\tr", "unexpected column `r`: the row is complete"),
        ("qemu-cache-descriptor\t0x100\tdata\t1\t1\t1\t1", "`0x100` is not a valid `BYTE`"),
        ("qemu-xsave\t2\tW\t28\t256\t576\t1", "unexpected column `1`: the row is complete"),
    ];
    for (row, expected) in cases {
        let head =
            "qemu-release\t10.9.0\nqemu-model\tA\t0x1\t0x0\tv\t1\t1\t1\tid\nqemu-model-version\tA\t2\t-\t-\n";
        let (facts, _, diagnostics) = read(&format!("{head}{row}\n"));
        let messages: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
        assert!(facts.is_none(), "{row}");
        assert!(messages.len() == 1 && messages[0].contains(expected), "{row}: {messages:?}");
    }
}
