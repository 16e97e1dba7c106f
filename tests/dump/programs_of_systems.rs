//! What programs of systems print of their CPU: glibc's ld.so, isainfo, Java.

use crate::common;
use crate::formats::{fails, file, one, read};
use crate::forms::{find, has};
use cpuid_tables::dump::Format;
use cpuid_tables::{CpuidRead, Leaf, Registers, Subleaf, feature};

/// A fixture as text.
fn text(name: &str) -> String {
    String::from_utf8(file(name)).unwrap()
}

fn notes(text: impl AsRef<[u8]>) -> Vec<String> {
    read(text).notes.iter().map(ToString::to_string).collect()
}

#[test]
fn the_registers_that_glibc_keeps() {
    let cpu = one(file("ld-so.txt"), Format::LdSo);
    assert_eq!(find(&cpu, 0, 0), Registers::new(0x16, 0x756e_6547, 0x6c65_746e, 0x4965_6e69));
    assert_eq!(find(&cpu, 7, 0), Registers::new(2, 0xf3bf_a7eb, 0x1b41_5fee, 0xfc18_4432));
    assert_eq!(find(&cpu, 0xd, 1).eax, 0x1f);
    assert_eq!(find(&cpu, 7, 1).eax, 0x1c30);
    assert_eq!((has(&cpu, feature::AVX512F), has(&cpu, feature::SVM)), (Some(true), Some(false)));
    // Leaf 0x19 is above the highest one, and leaf 4 is not printed.
    assert!(!cpu.entries.iter().any(|entry| matches!(entry.function.0, 0x19 | 4)), "{:?}", cpu.entries);
    // Hygon's processors are of AMD's kind.
    let amd = text("ld-so.txt").replace("kind=0x1", "kind=0x2");
    assert_eq!(find(&one(&amd, Format::LdSo), 0, 0).ebx, 0x6874_7541);
    let hygon = amd.replace("family=0x6", "family=0x18");
    assert_eq!(find(&one(&hygon, Format::LdSo), 0, 0).ebx, 0);
    // An older one calls what programs may use `usable`.
    let older = text("ld-so.txt").replace("active[", "usable[");
    assert_eq!(one(&older, Format::LdSo).entries, cpu.entries);
}

#[test]
fn the_processors_that_glibc_asks() {
    let dump = read(file("ld-so-processors.txt"));
    let [first, second] = dump.cpus.as_slice() else { panic!("{:?}", dump.cpus) };
    assert_eq!((dump.format, first.number, second.number), (Format::LdSo, Some(2), Some(3)));
    assert!(first.known.is_none() && first.entries.vendor().is_some());
    // Two subleaves with one answer, and one whose answer is that of all up to the limit.
    assert_eq!(find(first, 4, 1), find(first, 4, 2));
    assert_eq!(find(first, 0xb, 2).ecx, 2);
    let levels = |cpu: &cpuid_tables::dump::Cpu| {
        cpu.entries.iter().filter(|entry| entry.function == Leaf(0xb)).count()
    };
    assert_eq!((levels(first), levels(second)), (3, 3));
    // Of the second only what differs is printed; what became zero is gone.
    assert_eq!(find(second, 0, 0), find(first, 0, 0));
    assert_eq!((find(second, 0xb, 0).edx, find(second, 1, 0).ebx), (5, 0x0502_0800));
    let has_subleaf =
        |cpu: &cpuid_tables::dump::Cpu| cpu.entries.iter().any(|entry| entry.answers(Leaf(7), Subleaf(1)));
    assert!(has_subleaf(first) && !has_subleaf(second));
    // A range that ends before the limit is written out, and the lowest byte of ECX is the subleaf's.
    let range = text("ld-so-processors.txt").replace("ecx[0x2].until_ecx=0x1ff", "ecx[0x2].until_ecx=0x4");
    let cpus = read(&range).cpus;
    assert_eq!((levels(&cpus[0]), find(&cpus[0], 0xb, 4).ecx), (5, 4));
}

#[test]
fn what_glibc_prints_wrongly_is_an_error() {
    let line = "x86.processor[0x0].cpuid.eax[0x1].eax=0x806f8\n";
    for wrong in [
        "x86.processor[0x0].cpuid.eax[0x1].eax=806f8\n",
        "x86.processor[0x0].cpuid.eax[0x1].efx=0x1\n",
        "x86.processor[0].cpuid.eax[0x1].eax=0x1\n",
        "x86.processor[0x0].cpuid.subleaf_eax[0x1].eax=0x1\n",
        "x86.processor[0x0].cpuid.subleaf_eax[0x1].ecx[0x0].ecx_query_mask=0xf\n",
        "x86.processor[0x0].ecx_limit=x\n",
        "x86.cpu_features.features[0x0].cpuid[0x4]=0x1\n",
        "x86.cpu_features.features[0x63].cpuid[0x0]=0x1\n",
        "x86.cpu_features.basic.max_cpuid=16\n",
    ] {
        let message = fails(&format!("{line}{wrong}"));
        assert!(message.starts_with("line 2: ") && message.contains("is not ld-so"), "{wrong}: {message}");
    }
}

#[test]
fn the_levels_of_ld_so_s_help() {
    let help = "Subdirectories of glibc-hwcaps directories, in priority order:\n  x86-64-v4\n  x86-64-v3 (supported, searched)\n  \
                x86-64-v2 (supported, searched)\n";
    let cpu = one(help, Format::LdSo);
    assert_eq!((has(&cpu, feature::AVX2), has(&cpu, feature::XMM3)), (Some(true), Some(true)));
    assert!(!cpu.entries.is_empty() && has(&cpu, feature::AVX512F).is_none());
}

#[test]
fn isainfo_of_illumos() {
    if !common::pinned("isainfo_of_illumos") {
        return;
    }
    let cpu = one(file("isainfo.txt"), Format::Isainfo);
    for feature in
        [feature::AVX2, feature::VMX, feature::RDTSCP, feature::LAHF_LM, feature::ABM, feature::SYSCALL]
    {
        assert_eq!(has(&cpu, feature), Some(true), "{feature}");
    }
    assert_eq!(has(&cpu, feature::SEP), Some(true));
    assert_eq!((has(&cpu, feature::SVM), notes(file("isainfo.txt")).len()), (None, 1));
    let short = "amd64: avx2 sse2 amd_svm\ni386: sse2 pause\n";
    let cpu = one(short, Format::Isainfo);
    assert_eq!((has(&cpu, feature::SVM), notes(short).len()), (Some(true), 0));
}

#[test]
fn names_in_old_boot_messages_of_openbsd() {
    if !common::pinned("names_in_old_boot_messages_of_openbsd") {
        return;
    }
    let cpu = one(file("openbsd-names.txt"), Format::OpenBsd);
    assert_eq!(find(&cpu, 1, 0).eax, 0x0001_0676);
    for feature in [
        feature::VMX,
        feature::X2APIC,
        feature::MWAIT,
        feature::NX,
        feature::LM,
        feature::LAHF_LM,
        feature::TSC_DEADLINE_TIMER,
        feature::CONSTANT_TSC,
        feature::DTHERM,
        feature::XMM4_1,
    ] {
        assert_eq!(has(&cpu, feature), Some(true), "{feature}");
    }
    // Another CPU's line is not this one's, and what is not listed is not known.
    assert_eq!((has(&cpu, feature::SVM), has(&cpu, feature::AVX2)), (None, None));
    let notes = notes(file("openbsd-names.txt"));
    assert!(notes.len() == 1 && notes[0].contains("SECRETSET"), "{notes:?}");
}

#[test]
fn flags_of_compilers_and_gentoo() {
    if !common::pinned("flags_of_compilers_and_gentoo") {
        return;
    }
    for text in [
        "# a comment\nCPU_FLAGS_X86=\"aes avx avx2 f16c fma3 pclmul popcnt sse4_2 secretset\"\n",
        "CPU_FLAGS_X86: aes avx avx2 fma3 pclmul sse4_2 secretset\n",
        "debug_assertions\ntarget_arch=\"x86_64\"\ntarget_feature=\"avx2\"\ntarget_feature=\"fma\"\n\
         target_feature=\"pclmulqdq\"\ntarget_feature=\"sse4.2\"\ntarget_feature=\"secretset\"\nunix\n",
    ] {
        let cpu = one(text, Format::FeatureList);
        for feature in [feature::AVX2, feature::FMA, feature::PCLMULQDQ, feature::XMM4_2] {
            assert_eq!(has(&cpu, feature), Some(true), "{feature}: {text}");
        }
        assert_eq!((has(&cpu, feature::AVX512F), notes(text).len()), (None, 1), "{:?}", notes(text));
    }
}

#[test]
fn crash_reports_of_java() {
    if !common::pinned("crash_reports_of_java") {
        return;
    }
    let cpu = one(file("hs_err.log"), Format::Java);
    assert_eq!(find(&cpu, 1, 0).eax, 0x0008_06f8);
    for feature in [
        feature::AVX512F,
        feature::PCLMULQDQ,
        feature::ABM,
        feature::VAES,
        feature::SHA_NI,
        feature::HYPERVISOR,
    ] {
        assert_eq!(has(&cpu, feature), Some(true), "{feature}");
    }
    assert_eq!(has(&cpu, feature::CONSTANT_TSC), Some(true));
    assert_eq!(has(&cpu, feature::VMX), None);
    assert_eq!(notes(file("hs_err.log")).len(), 1, "{:?}", notes(file("hs_err.log")));
    // Java 8's line alone.
    let line = "CPU:total 4 (2 cores per cpu, 2 threads per core) family 6 model 61 stepping 4, cmov, cx8, fxsr, mmx, avx2";
    let cpu = one(line, Format::Java);
    assert_eq!((find(&cpu, 1, 0).eax, has(&cpu, feature::AVX2)), (0x0003_06d4, Some(true)));
    // On Linux the report has the flags of /proc/cpuinfo, which are more, after more text than tells a format.
    let long = format!("{}{}flags\t\t: fpu vmx\n", text("hs_err.log"), "0x1 lib.so\n".repeat(9000));
    assert_eq!(has(&one(&long, Format::Java), feature::VMX), Some(true));
    let arm = "CPU: total 8 (initial active 8) 0x41:0x0:0xd0c:1, fp, asimd\n";
    assert!(fails(arm).contains("not recognised"), "{}", fails(arm));
    assert!(fails("CPU: total 4 family x, avx2\n").contains("is not java"));
}
