//! What asks for a guest's CPU besides command lines and domains, other systems' boot messages, and pastes that a terminal has changed.

use cpuid_tables::dump::{Cpu, Format};
use cpuid_tables::feature;

use crate::formats::{fails, file, one, read};
use crate::forms::{find, has};

fn model(cpu: &Cpu) -> Option<&str> {
    assert!(cpu.beside.settings.is_some(), "a guest's");
    cpu.name.as_deref()
}

#[test]
fn settings_of_clouds() {
    let nova = "[libvirt]\nvirt_type = kvm\ncpu_mode = custom\ncpu_models = Haswell-noTSX-IBRS,Westmere\n\
                cpu_model_extra_flags = pcid, ssbd, -mtrr\n";
    let nova = one(nova, Format::CloudSettings);
    assert_eq!(model(&nova), Some("Haswell-noTSX-IBRS"));
    let stated = [feature::PCID, feature::MTRR, feature::AVX2].map(|feature| has(&nova, feature));
    assert_eq!(stated, [Some(true), Some(false), None]);
    let cloudstack =
        "guest.cpu.mode=custom\nguest.cpu.model=Westmere\nguest.cpu.features=-hle -rtm +pcid nosuch\n";
    let dump = read(cloudstack);
    assert_eq!(dump.notes.len(), 1, "{:?}", dump.notes);
    assert_eq!((model(&dump.cpus[0]), has(&dump.cpus[0], feature::HLE)), (Some("Westmere"), Some(false)));
    assert_eq!(model(&one("guest.cpu.mode=host-model\n", Format::CloudSettings)), Some("host-model"));
}

#[test]
fn a_vm_of_kubevirt() {
    let vms = read(file("kubevirt-vm.yaml"));
    assert_eq!((vms.format, vms.cpus.len()), (Format::KubevirtVm, 2), "{:?}", vms.notes);
    assert_eq!(model(&vms.cpus[0]), Some("Haswell-noTSX"));
    let stated =
        [feature::APIC, feature::MPX, feature::PCID, feature::VMX].map(|feature| has(&vms.cpus[0], feature));
    assert_eq!(stated, [Some(true), Some(false), Some(true), None]);
    assert_eq!(model(&vms.cpus[1]), Some("host-passthrough"));
    let part = "domain:\n  cpu:\n    cores: 2\n    model: \"EPYC\"\n  devices: {}\n";
    assert_eq!(model(&one(part, Format::KubevirtVm)), Some("EPYC"));
}

#[test]
fn boot_messages_of_openbsd() {
    let cpu = one(file("openbsd-dmesg.txt"), Format::OpenBsd);
    assert_eq!((find(&cpu, 1, 0).eax, find(&cpu, 0xd, 1).eax), (0x00a0_0f11, 0xf));
    for (feature, stated) in [
        (feature::AVX2, Some(true)),
        (feature::SVM, Some(true)),
        (feature::CONSTANT_TSC, Some(true)),
        (feature::AVX512F, Some(false)),
        (feature::AVX_VNNI, None),
    ] {
        assert_eq!(has(&cpu, feature), stated, "{feature}");
    }
    let broken = "cpu0: cpuid 1 edx=178bfbff<FPU>\ncpu0: cpuid 7.0 ebx=xyz<AVX2>\n";
    assert!(fails(broken).contains("line 2: "), "{}", fails(broken));
}

#[test]
fn cpuid_of_an_esxi_host() {
    let cpu = one(file("esxi-hosthardware.txt"), Format::Esxi);
    assert_eq!((find(&cpu, 0, 0).ebx, find(&cpu, 1, 0).eax), (0x756e_6547, 0x0005_0654));
    assert_eq!(find(&cpu, 0x8000_0001, 0).ecx, 0x121);
    assert_eq!((has(&cpu, feature::VMX), has(&cpu, feature::AVX2)), (Some(true), None));
    // A mask leaves the bits open that are neither 0 nor 1.
    assert_eq!((has(&cpu, feature::LM), has(&cpu, feature::SYSCALL)), (Some(true), None));
    let short = "cpuFeature = (vim.host.CpuIdInfo) [\n level = 1,\n eax = \"0101\",\n";
    assert!(fails(short).contains("line 3: "), "{}", fails(short));
}

#[test]
fn what_a_terminal_adds_and_wraps() {
    let prompt = "[root@kvm1 ~]# virsh dumpxml vm | sed -n '/<cpu /,/<\\/cpu>/p'\n  <cpu mode='custom' match='exact'>\n    \
                  <model>Westmere</model>\n    <feature policy='disable' name='x2apic'/>\n  </cpu>\n[root@kvm1 ~]# \n";
    let cpu = one(prompt, Format::LibvirtCpu);
    assert_eq!((model(&cpu), has(&cpu, feature::X2APIC)), (Some("Westmere"), Some(false)));
    let lscpu = "Architecture:        x86_64\nVendor ID:           AuthenticAMD\nFlags:               fpu vme de\n   \
                 cmov pat\n   avx2 svm\nVirtualization:      AMD-V\nnot a flag sse4a\n";
    let cpu = one(lscpu, Format::Lscpu);
    let stated = [feature::CMOV, feature::SVM, feature::SSE4A].map(|feature| has(&cpu, feature));
    assert_eq!(stated, [Some(true), Some(true), None]);
    let cpuinfo = "processor\t: 0\nflags\t\t: fpu vme\ncmov avx2\nbugs\t\t:\n";
    let cpu = one(cpuinfo, Format::Cpuinfo);
    assert_eq!((has(&cpu, feature::CMOV), has(&cpu, feature::AVX2)), (Some(true), Some(true)));
}
