//! What people paste besides tables: names, masks, what programs print of registers.

use crate::common;
use cpuid_tables::dump::{Cpu, Format};
use cpuid_tables::{
    CpuidEntry, Feature, Leaf, MsrFeature, Named, Registers, Subleaf, feature, lookup, software,
};

use crate::formats::{fails, file, guest, one, read};

/// Whether a CPU has a feature; none where that is not stated.
pub(crate) fn has(cpu: &Cpu, feature: Feature) -> Option<bool> {
    let at = cpu.entries.iter().position(|entry| entry.answers(feature.leaf(), feature.subleaf()))?;
    let stated = cpu.known(at)[feature.register()] & feature.mask() != 0;
    stated.then(|| cpu.entries[at].register(feature.register()) & feature.mask() != 0)
}

fn notes(text: impl AsRef<[u8]>) -> Vec<String> {
    read(text).notes.iter().map(ToString::to_string).collect()
}

fn msr(name: &str) -> Named {
    Named::Msr(MsrFeature::from_qemu_name(name).unwrap())
}

pub(crate) fn find(cpu: &Cpu, leaf: u32, subleaf: u32) -> Registers {
    cpu.entries.iter().find(|entry| entry.answers(Leaf(leaf), Subleaf(subleaf))).unwrap().registers
}

#[test]
fn proc_cpuinfo() {
    let dump = read(file("cpuinfo.txt"));
    assert_eq!((dump.format, dump.cpus.len()), (Format::Cpuinfo, 2));
    let [first, second] = dump.cpus.as_slice() else { panic!() };
    assert_eq!((first.number, second.number), (Some(0), Some(1)));
    assert_eq!(find(first, 0, 0), Registers::new(16, 0x6874_7541, 0x444d_4163, 0x6974_6e65));
    assert_eq!(find(first, 1, 0).eax, 0x00a1_0f11);
    assert_eq!((has(first, feature::AVX2), has(first, feature::SVM)), (Some(true), Some(true)));
    // A complete list states what it lacks, and Linux has no flag for everything.
    assert_eq!((has(first, feature::VMX), has(second, feature::SVM)), (Some(false), None));
    assert_eq!(first.beside.bits.get(&lookup("X86_FEATURE_NOPL").unwrap()), Some(&true));
    assert_eq!(first.beside.bits.get(&lookup("X86_BUG_SPECTRE_V1").unwrap()), Some(&true));
    assert_eq!(
        notes(file("cpuinfo.txt")),
        ["line 20: `vendor_secret` is ignored: no release of Linux, KVM or QEMU has a feature of that name"]
    );
    // The line alone, as it is pasted.
    for line in ["flags\t\t: fpu avx2\n", "  flags : fpu avx2", "flags: fpu avx2"] {
        let cpu = one(line, Format::Cpuinfo);
        assert_eq!((cpu.number, has(&cpu, feature::AVX2), cpu.entries.len()), (None, Some(true), 2));
    }
}

#[test]
fn nonstop_tsc_states_the_invariant_tsc_and_constant_tsc_does_not() {
    for (flags, stated) in
        [("constant_tsc", None), ("constant_tsc nonstop_tsc", Some(true)), ("nonstop_tsc", Some(true))]
    {
        let cpu = one(format!("flags\t\t: fpu {flags}\n"), Format::Cpuinfo);
        assert_eq!(has(&cpu, feature::CONSTANT_TSC), stated, "{flags}");
        let cpu = one(format!("Vendor ID: GenuineIntel\nFlags: fpu {flags}\n"), Format::Lscpu);
        assert_eq!(has(&cpu, feature::CONSTANT_TSC), stated, "{flags}");
        let synthetic = Named::Software(software::CONSTANT_TSC);
        assert_eq!(cpu.beside.bits.contains_key(&synthetic), flags.starts_with("constant_tsc"), "{flags}");
    }
}

#[test]
fn lscpu() {
    let json = "{\n   \"lscpu\": [\n      {\n         \"field\": \"Vendor ID:\",\n         \"data\": \"GenuineIntel\"\n      },{\n         \
                \"field\": \"Flags:\",\n         \"data\": \"fpu avx2\"\n      }\n   ]\n}\n";
    // A short list is an excerpt.
    for (text, svm) in [(file("lscpu.txt"), Some(false)), (json.into(), None)] {
        let cpu = one(text, Format::Lscpu);
        assert_eq!(find(&cpu, 0, 0).ebx, 0x756e_6547);
        assert_eq!((has(&cpu, feature::AVX2), has(&cpu, feature::SVM)), (Some(true), svm));
    }
    assert_eq!(find(&one(file("lscpu.txt"), Format::Lscpu), 1, 0).eax, 0x000806f8);
}

/// The line of flags is known by its flags, and the vendor by its value.
#[test]
fn lscpu_in_another_language() {
    let cpu = one(file("lscpu-german.txt"), Format::Lscpu);
    assert_eq!(find(&cpu, 0, 0).ebx, 0x6874_7541);
    assert_eq!((has(&cpu, feature::AVX2), has(&cpu, feature::VMX)), (Some(true), None));
    let french = "Identifiant constructeur :   GenuineIntel\n    Drapaux :   fpu vme de pse tsc msr pae mce cx8 avx2\n";
    assert_eq!(has(&one(french, Format::Lscpu), feature::AVX2), Some(true));
    // `/proc/cpuinfo` has the same flags.
    one("flags\t\t: fpu vme de pse tsc msr pae mce cx8 avx2\n", Format::Cpuinfo);
}

#[test]
fn boot_messages_of_freebsd() {
    if !common::recent("boot_messages_of_freebsd") {
        return;
    }
    let cpu = one(file("freebsd-dmesg.txt"), Format::FreeBsd);
    assert_eq!((find(&cpu, 0, 0).ebx, find(&cpu, 1, 0).eax), (0x6874_7541, 0x0083_0f10));
    for (feature, stated) in [
        (feature::AVX2, Some(true)),
        (feature::SVM, Some(true)),
        (feature::RDPID, Some(true)),
        (feature::XSAVES, Some(true)),
        (feature::CLZERO, Some(true)),
        (feature::AVX512F, Some(false)),
        (feature::VMX, Some(false)),
        // The line of leaf 7's EDX is left out.
        (feature::SPEC_CTRL, None),
    ] {
        assert_eq!(has(&cpu, feature), stated, "{feature}");
    }
    let capabilities = "  Features=0x1<FPU>\n  IA32_ARCH_CAPS=0x29<RDCL_NO,SKIP_L1DFL_VME,MDS_NO>\n";
    let cpu = one(capabilities, Format::FreeBsd);
    assert_eq!(cpu.beside.bits.get(&msr("rdctl-no")), Some(&true));
    assert_eq!(cpu.beside.bits.get(&msr("taa-no")), Some(&false));
    let broken = "  Origin=\"GenuineIntel\"  Id=0x306f2\n  Features=0xbfebfbff0000<FPU>\n";
    assert!(fails(broken).contains("line 2: "), "{}", fails(broken));
}

#[test]
fn openstacks_cpu_info() {
    let cpu = one(file("nova-hypervisor.txt"), Format::Nova);
    assert_eq!(cpu.name.as_deref(), Some("Skylake-Server-IBRS"));
    assert_eq!(find(&cpu, 0, 0).ebx, 0x756e_6547);
    assert_eq!((has(&cpu, feature::AVX512F), has(&cpu, feature::RTM)), (Some(true), None));
    assert_eq!(notes(file("nova-hypervisor.txt")).len(), 1);
    let json = "{\n  \"cpu_info\": {\n    \"features\": [\n      \"avx2\"\n    ],\n    \"model\": \"Haswell\"\n  }\n}\n";
    let escaped = r#"'cpu_info': u'{\"features\": [\"avx2\"], \"model\": \"Haswell\"}'"#;
    for text in [json, escaped] {
        let cpu = one(text, Format::Nova);
        assert_eq!((cpu.name.as_deref(), has(&cpu, feature::AVX2)), (Some("Haswell"), Some(true)), "{text}");
    }
}

#[test]
fn virt_installs_policies() {
    let line = "virt-install --name a --cpu host-model,+pdpe1gb,require=pcid,force=vmx,disable=mpx,forbid=hle,optional=rtm";
    let cpu = one(line, Format::QemuArgs);
    assert_eq!(cpu.name.as_deref(), Some("host-model"));
    for (feature, stated) in [
        (feature::GBPAGES, Some(true)),
        (feature::PCID, Some(true)),
        (feature::VMX, Some(true)),
        (feature::MPX, Some(false)),
        (feature::HLE, Some(false)),
        (feature::RTM, None),
    ] {
        assert_eq!(has(&cpu, feature), stated, "{feature}");
    }
    assert_eq!(notes(line), [""; 0]);
    let cpu = one("qemu-system-x86_64 --cpu Haswell,-avx2 -m 1G", Format::QemuArgs);
    assert_eq!(has(&cpu, feature::AVX2), Some(false));
}

#[test]
fn of_settings_of_one_feature_minus_counts_before_plus_and_plus_before_a_value() {
    for (settings, stated) in [
        ("-avx2,avx2=on", false),
        ("-avx2,avx2", false),
        ("-avx2,+avx2", false),
        ("+avx2,-avx2", false),
        ("avx2=on,-avx2", false),
        ("+avx2,avx2=off", true),
        ("avx2=on,avx2=off", false),
        ("avx2=off,avx2=on", true),
    ] {
        let cpu = one(format!("-cpu Haswell,{settings}"), Format::QemuArgs);
        assert_eq!(has(&cpu, feature::AVX2), Some(stated), "{settings}");
    }
}

#[test]
fn flags_of_ovirt() {
    let cpu = one("Missing CPU flags: model_Cascadelake-Server, vmx, pdpe1gb", Format::FeatureList);
    assert_eq!((has(&cpu, feature::VMX), has(&cpu, feature::AVX2)), (Some(false), None));
    for text in ["    cpuFlags = 'fpu,vme,avx2,model_Haswell'", "  \"cpuFlags\": \"avx2,fpu,model_Haswell\","]
    {
        let cpu = one(text, Format::FeatureList);
        assert_eq!(has(&cpu, feature::AVX2), Some(true), "{text}");
        assert_eq!(notes(text), [""; 0]);
    }
}

/// Of what was not asked nothing is known.
#[test]
fn excerpts() {
    for name in ["kvm-trace.txt", "libcpuid.raw"] {
        assert!(read(file(name)).cpus.iter().all(|cpu| cpu.beside.excerpt), "{name}");
    }
    assert!(read(file("cpuid-r.txt")).cpus.iter().all(|cpu| !cpu.beside.excerpt));
    // Our own form keeps it.
    let excerpt = read(file("libcpuid.raw")).cpus.remove(0);
    let written = excerpt.to_json().to_string();
    assert!(read(&written).cpus[0].beside.excerpt, "{written}");
}

/// A kernel's time in brackets does not begin a list of JSON.
#[test]
fn brackets_begin_more_than_json() {
    for text in ["[    0.000000] Command line: quiet", "[pid 12] nothing", "[1.5] x"] {
        assert!(fails(text).starts_with("not recognised"), "{text}");
    }
    assert_eq!(Format::recognise(b"[ {\"entries\": []} ]"), Some(Format::Json));
}

#[test]
fn libvirt_cpus() {
    if !common::recent("libvirt_cpus") {
        return;
    }
    let cpu = one(file("libvirt-domain.xml"), Format::LibvirtCpu);
    assert_eq!(cpu.name.as_deref(), Some("Cascadelake-Server"));
    for (feature, stated) in [
        (feature::VMX, Some(true)),
        (feature::GBPAGES, Some(true)),
        (feature::MPX, Some(false)),
        (feature::HLE, Some(false)),
        (feature::RTM, None),
        (feature::AVX2, None),
    ] {
        assert_eq!(has(&cpu, feature), stated, "{feature}");
    }
    assert_eq!(cpu.beside.bits.get(&msr("rdctl-no")), Some(&true));
    assert_eq!(
        notes(file("libvirt-domain.xml")),
        ["line 21: `no-such-thing` is ignored: no release of Linux, KVM or QEMU has a feature of that name"]
    );
    // The host's model alone counts; what blocks another model is what the host lacks.
    let cpu = one(file("libvirt-domcaps.xml"), Format::LibvirtCpu);
    assert_eq!(cpu.name.as_deref(), Some("EPYC-Milan"));
    assert_eq!(find(&cpu, 0, 0).ebx, 0x6874_7541);
    for (feature, stated) in [
        (feature::TSC_ADJUST, Some(true)),
        (feature::PCID, Some(false)),
        (feature::AVX512F, Some(false)),
        (feature::AVX2, None),
    ] {
        assert_eq!(has(&cpu, feature), stated, "{feature}");
    }
    let capabilities = "<capabilities>\n<host>\n<cpu>\n<arch>x86_64</arch>\n<model>Haswell</model>\n<feature name='vme'/>\n</cpu>\n</host>\n</capabilities>";
    let cpu = one(capabilities, Format::LibvirtCpu);
    assert_eq!((cpu.name.as_deref(), has(&cpu, feature::VME)), (Some("Haswell"), Some(true)));
    let lines = "  <feature policy='require' name='vme'/>\n  <feature policy='disable' name='svm'/>\n";
    assert_eq!(has(&one(lines, Format::LibvirtCpu), feature::SVM), Some(false));
}

#[test]
fn lists_of_features() {
    let cpu = one("ss,fma,avx2,no-such\n", Format::FeatureList);
    assert_eq!(
        (has(&cpu, feature::AVX2), has(&cpu, feature::FMA), has(&cpu, feature::BMI1)),
        (Some(true), Some(true), None)
    );
    for text in [
        "error: guest CPU doesn't match specification: missing features: fma,avx2",
        "Host CPU does not provide required features: fma, avx2; try using 'Haswell' CPU model",
        "msg='virError(Code=9, Message='...missing features: avx2')'",
        "guest CPU doesn't match specification: extra features: vme, missing features: avx2",
    ] {
        let cpu = one(text, Format::FeatureList);
        assert_eq!(has(&cpu, feature::AVX2), Some(false), "{text}");
        assert!(has(&cpu, feature::VME) != Some(false));
    }
    for text in ["Hello, world, and others", "a, b", "avx2"] {
        assert!(fails(text).starts_with("not recognised"), "{text}");
    }
}

#[test]
fn qemus_command_line_and_warnings() {
    if !common::recent("qemus_command_line_and_warnings") {
        return;
    }
    let ps = "root 4711 /usr/bin/qemu-system-x86_64 -name a -cpu Haswell-noTSX,+pcid,-x2apic,avx2=on,bmi1=off,enforce,hv_relaxed,level=13,whatever=on -smp 4";
    let cpu = one(ps, Format::QemuArgs);
    assert_eq!(cpu.name.as_deref(), Some("Haswell-noTSX"));
    for (feature, stated) in [
        (feature::PCID, Some(true)),
        (feature::X2APIC, Some(false)),
        (feature::AVX2, Some(true)),
        (feature::BMI1, Some(false)),
        (feature::FMA, None),
    ] {
        assert_eq!(has(&cpu, feature), stated, "{feature}");
    }
    assert_eq!(find(&cpu, 0, 0).eax, 13);
    assert_eq!(notes(ps).len(), 1);
    for text in ["-cpu 'host,-avx2' \\", "    -cpu \"host,avx2=off\"", "\"-cpu\", \"host,-avx2\", \"-smp\""] {
        let cpu = one(text, Format::QemuArgs);
        assert_eq!((cpu.name.as_deref(), has(&cpu, feature::AVX2)), (Some("host"), Some(false)), "{text}");
    }
    let cpu = one(file("qemu-warnings.txt"), Format::QemuWarnings);
    for feature in [feature::AVX2, feature::ABM] {
        assert_eq!(has(&cpu, feature), Some(false));
    }
    assert_eq!(cpu.beside.bits.get(&msr("rdctl-no")), Some(&false));
    // A bit without a name, by its place.
    assert_eq!((cpu.entries[1].function, cpu.known(1)), (Leaf(0xd), Registers::new(1 << 2, 0, 0, 0)));
}

#[test]
fn proxmox_and_kubevirt() {
    if !common::recent("proxmox_and_kubevirt") {
        return;
    }
    let dump = read(file("cpu-models.conf"));
    assert_eq!(dump.format, Format::Proxmox);
    let names: Vec<_> = dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect();
    assert_eq!(names, [Some("build"), Some("plain")]);
    assert_eq!(
        (has(&dump.cpus[0], feature::AVX2), has(&dump.cpus[0], feature::HLE)),
        (Some(true), Some(false))
    );
    let cpu = one("bios: ovmf\ncpu: x86-64-v2-AES,flags=+pcid;-spec-ctrl,hidden=1\n", Format::Proxmox);
    assert_eq!(cpu.name.as_deref(), Some("x86-64-v2-AES"));
    assert_eq!((has(&cpu, feature::PCID), has(&cpu, feature::SPEC_CTRL)), (Some(true), Some(false)));
    assert_eq!(one("cores: 4\ncpu: host\n", Format::Proxmox).name.as_deref(), Some("host"));

    let dump = read(file("kubevirt-nodes.txt"));
    assert_eq!((dump.format, dump.cpus.len()), (Format::Kubevirt, 2));
    assert_eq!(dump.cpus[0].name.as_deref(), Some("Icelake-Server"));
    assert_eq!(
        (has(&dump.cpus[0], feature::AVX2), has(&dump.cpus[0], feature::PKU)),
        (Some(true), Some(true))
    );
    assert_eq!(dump.cpus[0].beside.bits.get(&msr("vmx-ept")), Some(&true));
    assert_eq!(
        (has(&dump.cpus[1], feature::SHA_NI), has(&dump.cpus[1], feature::AES)),
        (Some(true), Some(true))
    );
    let label = "cpu-feature.node.kubevirt.io/";
    let nodes =
        format!("NAME  LABELS\na  {label}adx=true,{label}aes=true\nb  x=y,{label}adx=true,{label}abm=true\n");
    assert_eq!(read(nodes).cpus.len(), 2);
}

#[test]
fn names_of_cpu_models() {
    let text = "486\nHaswell-noTSX\nno-such-model\n";
    let dump = read(text);
    let names: Vec<_> = dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect();
    assert_eq!((dump.format, names), (Format::ModelList, vec![Some("486"), Some("Haswell-noTSX")]));
    assert!(dump.cpus[0].entries.is_empty() && dump.notes.len() == 1);
}

#[test]
fn windows_hypervisors() {
    let cpu = one(file("coreinfo.txt"), Format::Coreinfo);
    for (feature, stated) in [
        (feature::HYPERVISOR, Some(false)),
        (feature::SVM, Some(true)),
        (feature::LM, Some(true)),
        (feature::ABM, Some(true)),
        (feature::SMX, Some(false)),
        (feature::AVX2, None),
    ] {
        assert_eq!(has(&cpu, feature), stated, "{feature}");
    }
    let dump = read(file("vmware.vmx"));
    assert_eq!(dump.format, Format::Vmware);
    let names: Vec<_> = dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect();
    assert_eq!(names, [Some("mask"), Some("guest")]);
    let mask = &dump.cpus[0];
    assert_eq!((find(mask, 1, 0).ecx, mask.known(0).ecx), (1 << 5, 1 << 31 | 1 << 17 | 1 << 5));
    assert_eq!((find(mask, 0x8000_0001, 0).edx, mask.known(1).edx), (0, 1 << 29));
    assert_eq!(find(&dump.cpus[1], 1, 0), Registers::new(0x0005_06e3, 0x0010_0800, 0xfffa_320b, 0x1f8b_fbff));
    assert!(fails("cpuid.1.ecx = \"----\"").contains("with 32 of 0, 1, -"));

    let dump = read(file("virtualbox.log"));
    let names: Vec<_> = dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect();
    assert_eq!((dump.format, names), (Format::VirtualBox, vec![Some("guest"), Some("host")]));
    assert_eq!((find(&dump.cpus[0], 7, 0).ebx, find(&dump.cpus[1], 7, 0).ebx), (0x0084_2421, 0x029c_67af));
    let set = "VBoxManage modifyvm \"mac\" --cpuidset 00000001 000106e5 00100800 0098e3fd bfebfbff\n";
    let table = "Leaf no.  EAX      EBX      ECX      EDX\n00000001  000106e5 00100800 0098e3fd bfebfbff\n";
    for text in [set, table] {
        assert_eq!(find(&one(text, Format::VirtualBox), 1, 0).ecx, 0x0098_e3fd);
        // What `--cpuidset` writes into the machine's settings.
        let cpu = one(file("virtualbox.vbox"), Format::VirtualBox);
        assert_eq!((find(&cpu, 0, 0).eax, find(&cpu, 1, 0).ecx), (22, 0xfeda_f387));
        assert_eq!((cpu.entries.len(), has(&cpu, feature::AVX2)), (3, Some(true)));
        let broken = "<CpuIdTree>\n<CpuIdLeaf id=\"1\" eax=\"x\" ebx=\"0\" ecx=\"0\" edx=\"0\"/>\n";
        assert!(fails(broken).contains("line 2: "), "{}", fails(broken));
    }
}

#[test]
fn xen() {
    let dump = read(file("xe-host.txt"));
    let names: Vec<_> = dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect();
    assert_eq!((dump.format, names), (Format::Xen, vec![Some("features_pv"), Some("features_hvm")]));
    let hvm = &dump.cpus[1];
    assert_eq!((find(hvm, 1, 0).edx, find(hvm, 1, 0).ecx), (0x178b_fbff, 0xf6f8_3203));
    assert_eq!(
        (find(hvm, 7, 0).ebx, find(hvm, 0xd, 1).eax, find(hvm, 0x8000_0008, 0).ebx),
        (0x219c_07a9, 0xf, 0x110d_1205)
    );
    // Four words are those of older releases.
    let old = one("features: 0098e3fd-bfebfbff-00000001-28100800\n", Format::Xen);
    assert_eq!((find(&old, 1, 0).ecx, find(&old, 0x8000_0001, 0).edx), (0x0098_e3fd, 0x2810_0800));
    let info =
        "hw_caps                : bfebfbff:77fef3ff:2c100800:00000121:0000000f:009c6fbf:00000000:00000100\n";
    assert_eq!(find(&one(info, Format::Xen), 7, 0).ebx, 0x009c_6fbf);
    let sets = "Raw                             178bfbff:7ed8320b:2fd3fbff:75c237ff:0000000f:219c91a9:00400004:00000100\n";
    assert_eq!(one(sets, Format::Xen).name.as_deref(), Some("Raw"));

    let cpu = one(file("xl.cfg"), Format::Xl);
    assert_eq!((find(&cpu, 1, 0).eax, cpu.known(0)), (0x0006_06f1, Registers::new(u32::MAX, 0, 1 << 5, 0)));
    assert_eq!((find(&cpu, 7, 0).ebx, cpu.known(1).ebx), (1 << 5, 1 << 5));
    let named = one("cpuid = \"host,tm=0,sse3=1,avx2=x\"\n", Format::Xl);
    assert_eq!(
        (has(&named, feature::ACC), has(&named, feature::XMM3), has(&named, feature::AVX2)),
        (Some(false), Some(true), None)
    );
}

#[test]
fn answers_that_were_traced() {
    let dump = read(file("kvm-trace.txt"));
    assert_eq!((dump.format, dump.cpus.len()), (Format::KvmTrace, 2));
    assert_eq!((dump.cpus[0].number, dump.cpus[1].number), (Some(0), Some(1)));
    // The last answer counts, and the index only where the leaf has subleaves.
    assert_eq!(find(&dump.cpus[0], 1, 0).ecx, 0xf7fa_3223);
    assert_eq!(dump.cpus[0].entries[2].index, Subleaf(1));
    assert_eq!(dump.notes.len(), 1);
    let perf =
        "qemu 99 [001]  1.5: kvm:kvm_cpuid:     func d rax 7 rbx 340 rcx 340 rdx 0, cpuid entry found\n";
    assert_eq!(find(&one(perf, Format::KvmTrace), 0xd, 0).ecx, 0x340);

    let cpu = one(file("snp.txt"), Format::SevSnp);
    assert_eq!((cpu.entries.len(), find(&cpu, 0xd, 1).ecx), (3, 0x1800));
    let query = "CPUID query: leaf/subleaf 0x00000007/0x00000000, returns rax = 0x0, rbx = 0x20, rcx = 0x0, rdx = 0x0\n";
    let cpu = one(query.repeat(2), Format::PropolisDtrace);
    assert_eq!(cpu.entries, [CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0))]);
}

#[test]
fn libcpuids_raw_dump() {
    let dump = read(file("libcpuid.raw"));
    let leaves: Vec<u32> = dump.cpus[0].entries.iter().map(|entry| entry.function.0).collect();
    // What is all zero and beyond the maximum is padding; what is not is what the CPU answered.
    assert_eq!((dump.format, leaves), (Format::Libcpuid, vec![0, 1, 2, 0x8000_0000, 0x8000_0001]));
    assert_eq!(dump.notes.len(), 1);
}

/// Every bit that `cpuid` names is as the dump has it that it was given.
#[test]
fn cpuid_without_r() {
    let mut dump = read(file("cpuid-text.txt"));
    assert_eq!((dump.format, dump.cpus.len()), (Format::CpuidText, 2));
    let text = dump.cpus.remove(0);
    let numbers = read(file("cpuid-r.txt")).cpus.remove(0);
    let mut bits = 0;
    for (at, entry) in text.entries.iter().enumerate() {
        let expected = numbers.entries.iter().find(|other| other.answers(entry.function, entry.subleaf()));
        let expected = expected.map_or(Registers::ZERO, |entry| entry.registers);
        for word in entry.words() {
            let known = text.known(at)[word.register];
            assert_eq!(entry.register(word.register), expected[word.register] & known, "{word}");
            bits += known.count_ones();
        }
    }
    assert!(bits > 400, "{bits}");
}

#[test]
fn rusts_debug_output() {
    let entry = |entry: &CpuidEntry| {
        let Registers { eax, ebx, ecx, edx } = entry.registers;
        let (function, index, flags) = (entry.function.0, entry.index.0, entry.flags);
        format!(
            "kvm_cpuid_entry2 {{ function: {function}, index: {index}, flags: {flags}, eax: {eax}, ebx: {ebx}, ecx: {ecx}, edx: {edx}, padding: [0, 0, 0] }}"
        )
    };
    let all: Vec<String> = guest().iter().map(entry).collect();
    let list = format!("[{}]", all.join(", "));
    assert_eq!(one(&list, Format::RustDebug).entries, guest());
    // Under `{:#?}`, and as a test's output shows it.
    let pretty = list.replace("{ ", "{\n    ").replace(", ", ",\n    ").replace(" }", ",\n}");
    assert_eq!(one(format!("left: {pretty}"), Format::RustDebug).entries, guest());
    let wrapper = format!(
        "FamStructWrapper {{ fam_struct: kvm_cpuid2 {{ nent: {}, padding: 0, entries: __IncompleteArrayField }}, entries: {list} }}",
        all.len()
    );
    let dump = read(format!("{wrapper}\n{wrapper}\n"));
    assert_eq!((dump.cpus.len(), dump.notes.len()), (2, 0));
    assert!(dump.cpus.iter().all(|cpu| cpu.entries == guest()));
    // Under `{:x?}` without a prefix, under `{:#x?}` with one.
    let hex = "[kvm_cpuid_entry2 { function: 80000000, index: 0, flags: 0, eax: 8000001e, ebx: 68747541, ecx: 444d4163, edx: 69746e65, padding: [0, 0, 0] }]";
    let cpu = one(hex, Format::RustDebug);
    assert_eq!((cpu.entries[0].function, find(&cpu, 0x8000_0000, 0).ecx), (Leaf(0x8000_0000), 0x444d_4163));
    assert!(fails("[kvm_cpuid_entry2 { function: 1, eax: 2 }]").contains("expected the fields function"));
    let firecracker = "{CpuidKey { leaf: 0x7, subleaf: 0x0 }: CpuidEntry { flags: KvmCpuidFlags(1), result: CpuidRegisters { eax: 0x0, ebx: 0x20, ecx: 0x0, edx: 0x0 } }}";
    assert_eq!(
        one(firecracker, Format::RustDebug).entries,
        [CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0))]
    );
}

/// What `kvm-bindings` itself prints.
#[cfg(feature = "kvm")]
#[test]
fn kvm_bindings_debug_output() {
    use kvm_bindings::{CpuId, kvm_cpuid_entry2};
    let entries: Vec<kvm_cpuid_entry2> = guest()
        .iter()
        .map(|entry| {
            let Registers { eax, ebx, ecx, edx } = entry.registers;
            let (function, index, flags) = (entry.function.0, entry.index.0, entry.flags);
            kvm_cpuid_entry2 { function, index, flags, eax, ebx, ecx, edx, ..kvm_cpuid_entry2::default() }
        })
        .collect();
    let table = CpuId::from_entries(&entries).unwrap();
    for text in [
        format!("{entries:?}"),
        format!("{entries:#?}"),
        format!("{entries:#x?}"),
        format!("{entries:x?}"),
        format!("{table:?}"),
        format!("{table:#?}"),
    ] {
        assert_eq!(one(&text, Format::RustDebug).entries, guest(), "{text}");
    }
}

#[test]
fn a_failed_call() {
    let dump = read(file("strace-failed.txt"));
    assert_eq!(dump.format, Format::Strace);
    let names: Vec<_> = dump.cpus.iter().map(|cpu| cpu.name.as_deref()).collect();
    assert_eq!(names, [Some("supported"), None]);
    assert_eq!(dump.cpus[1].beside.refused.as_deref(), Some("EINVAL"));
    let notes: Vec<String> = dump.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "line 2: KVM_GET_SUPPORTED_CPUID failed with E2BIG: nent=8 is too few for what KVM has; ask with 256 (KVM_MAX_CPUID_ENTRIES)",
            "line 4: KVM_SET_CPUID2 failed with EINVAL: KVM refused this table; `kvm-cpuid check` shows why",
        ]
    );
    // Alone it is what is wrong with the input.
    let alone =
        "ioctl(3, KVM_GET_EMULATED_CPUID, {nent=0, entries=[]}) = -1 E2BIG (Argument list too long)\n";
    assert!(fails(alone).starts_with("line 1: KVM_GET_EMULATED_CPUID failed with E2BIG: nent=0 is too few"));
}

/// Dumps of InstLatx64 as they were made over the years.
#[test]
fn instlatx64s_untagged_lines() {
    let text = "CPU 3:\nCPUID 00000000: 0000000D-68747541-444D4163-69746E65 [AuthenticAMD\n\
                CPUID 0000000D: 00000007-00000340-000003C0-40000000\n\
                CPUID 0000000D: 00000100-00000240-00000000-00000000\n\
                CPUID 0000000D: 00000080-00000340-00000000-00000000\n";
    let cpu = one(text, Format::InstLatx64);
    let subleaves: Vec<u32> = cpu.entries.iter().skip(1).map(|entry| entry.index.0).collect();
    assert_eq!((cpu.number, subleaves), (Some(3), vec![0, 2, 62]));
    // With subleaf 1, and with empty ones that were not left out.
    let text = "CPUID 0000000D: 00000207-00000A88-00000A88-00000000\n\
                CPUID 0000000D: 0000000F-00000340-00000100-00000000\n\
                CPUID 0000000D: 00000100-00000240-00000000-00000000\n\
                CPUID 0000000D: 00000080-00000000-00000001-00000000\n\
                CPUID 0000000D: 00000008-00000A80-00000000-00000000\n";
    let cpu = one(text, Format::InstLatx64);
    let subleaves: Vec<u32> = cpu.entries.iter().map(|entry| entry.index.0).collect();
    assert_eq!(subleaves, [0, 1, 2, 8, 9]);
    let zeros = "CPUID 0000000D: 00000000-00000000-00000000-00000000\n".repeat(6);
    let text = format!("{}{zeros}{}", &text[..52 * 3], &text[52 * 4..]);
    let cpu = one(text, Format::InstLatx64);
    assert_eq!(cpu.entries.last().map(|entry| entry.index.0), Some(9));
}

#[test]
fn a_profile_of_propolis_cpuid_gen() {
    let text =
        "[cpuid]\n\"0\" = [0xd, 0x68747541, 0x444d4163, 0x69746e65]\n\"7-0\" = [0x0, 0x20, 0x0, 0x0]\n";
    let cpu = one(text, Format::Propolis);
    assert_eq!((cpu.name.as_deref(), cpu.entries.len(), find(&cpu, 7, 0).ebx), (None, 2, 0x20));
}

/// A full expansion names every feature that a guest can have; a static one only some.
#[test]
fn a_full_expansion_is_complete() {
    if !common::recent("a_full_expansion_is_complete") {
        return;
    }
    let full = "{\"return\": {\"model\": {\"name\": \"host\", \"props\": {\"avx2\": true, \"vmx-ept\": true, \"vendor\": \"GenuineIntel\"}}}}";
    let cpu = one(full, Format::QemuModel);
    assert!(cpu.beside.complete);
    assert_eq!((has(&cpu, feature::AVX2), has(&cpu, feature::AVX512F)), (Some(true), Some(false)));
    assert_eq!(cpu.beside.bits.get(&msr("vmx-ept")), Some(&true));
    assert_eq!(cpu.beside.bits.get(&msr("vmx-rdseed-exit")), Some(&false));
    let cpu = one(full.replace("host", "base"), Format::QemuModel);
    assert_eq!((cpu.beside.complete, has(&cpu, feature::AVX512F)), (false, None));
    assert_eq!(cpu.beside.bits.len(), 1);
}
