//! What QEMU takes and refuses on its command line, and hosts that are unusual. Each value was seen with a real QEMU
//! of the release: `tests/qemu/sweep --adversarial` compares more.

use cpuid_tables::guest::{BuildError, GuestCpuid, Memory, Warning};
use cpuid_tables::host::Host;
use cpuid_tables::{CpuidRead, CpuidWord, Leaf, Msr, QemuRelease, Register, Subleaf, feature};

use crate::common;
use crate::oracle::case::Case;
use crate::oracle::hosts::{self, Vendor};
use crate::oracle::ours;

fn build(release: &str, host: &Host, line: &str) -> Result<GuestCpuid, BuildError> {
    let release = QemuRelease::find(release).unwrap();
    let case: Case = format!("host\t{line}").parse().unwrap();
    ours::guest(release, host, &case).unwrap()
}

/// KVM's accelerator and global properties. A global property has its exact name, and belongs to the type by whose name
/// the CPU was asked for, or to a type that this one is derived from.
#[test]
fn accelerators_and_globals_are_taken_as_qemu_takes_them() {
    if !common::pinned("accelerators_and_globals_are_taken_as_qemu_takes_them") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    for (line, taken) in [
        ("qemu64\t2\tq35\t-accel\tkvm,kernel-irqchip=split", true),
        ("qemu64\t2\tq35,kernel-irqchip=on\t-accel\tkvm,kernel-irqchip=off", false),
        ("qemu64\t2\tq35\t-accel\tkvm,kernel-irqchip=yes", false),
        ("qemu64\t2\tq35\t-accel\tkvm,kernel-irqchip", true),
        ("qemu64\t2\tq35\t-accel\tkvm,nokernel-irqchip", false),
        ("qemu64\t2\tq35\t-accel\tkvm,kernel_irqchip=split", false),
        ("qemu64\t2\tq35\t-accel\tkvm,thread=single", false),
        ("qemu64\t2\tq35\t-accel\ttcg", false),
        ("qemu64\t2\tq35\t-accel\tkvm,dirty-ring-size=4097", false),
        ("qemu64\t2\tq35\t-global\tqemu64-x86_64-cpu.avx2=on", true),
        ("qemu64\t2\tq35\t-global\tqemu64-x86_64-cpu.foo=on", false),
        ("qemu64\t2\tq35\t-global\tx86_64-cpu.foo=on", false),
        ("qemu64\t2\tq35\t-global\thost-x86_64-cpu.foo=on", true),
        ("host\t2\tq35\t-global\tmax-x86_64-cpu.foo=on", false),
        ("EPYC-v1\t2\tq35\t-global\tEPYC-x86_64-cpu.foo=on", true),
        ("qemu64\t2\tq35\t-global\tdriver=qemu64-x86_64-cpu,property=avx2,value=on", true),
        ("qemu64\t2\tq35\t-global\tdriver=qemu64-x86_64-cpu,property=avx2", false),
        ("qemu64\t2\tq35\t-global\tqemu64-x86_64-cpu.tsc_frequency=1", false),
        ("qemu64\t2\tq35\t-global\tqemu64-x86_64-cpu.avx2=maybe", false),
        ("qemu64\t2\tq35\t-global\tqemu64-x86_64-cpu.avx2", false),
    ] {
        let result = build("10.0", &host, line);
        assert_eq!(result.is_ok(), taken, "{line}: {:?}", result.err());
    }
    let has = |line: &str| build("10.0", &host, line).unwrap().table().has(feature::AVX2);
    assert!(has("base,level=7\t1\tq35\t-global\tbase-x86_64-cpu.avx2=on"));
    // `-cpu` has the last word.
    assert!(!has("base,level=7,avx2=off\t1\tq35\t-global\tcpu.avx2=on"));
    let guest = build("10.0", &host, "qemu64\t1\tq35\t-global\tQemu64-x86_64-cpu.avx2=on").unwrap();
    assert!(matches!(guest.warnings().last(), Some(Warning::NoSuchCpu(global)) if global.property == "avx2"));
}

/// Which MSRs KVM saves decides about features too.
#[test]
fn saved_msrs_decide_about_features() {
    if !common::pinned("saved_msrs_decide_about_features") {
        return;
    }
    let mut host = hosts::all_ones(Vendor::INTEL);
    let word = |host: &Host, line: &str, register| {
        build("10.0", host, line).unwrap().table().word(CpuidWord::new(Leaf(7), Subleaf(0), register))
    };
    let [waitpkg, arch_capabilities] = [1 << 5, 1 << 29];
    let power = "host,waitpkg=off\t1\tq35\t-overcommit\tcpu-pm=on";
    for saved in [false, true] {
        host.saved_msrs = Some(if saved { vec![Msr(0xe1), Msr(0x10a)] } else { Vec::new() });
        assert_eq!(word(&host, power, Register::Ecx) & waitpkg != 0, saved);
        assert_eq!(word(&host, power, Register::Edx) & arch_capabilities != 0, saved);
    }
    // A KVM without KVM_CAP_HYPERV_CPUID has Hyper-V's features by their MSRs.
    host.capabilities.extend([(167, 0), (191, 0)]);
    let crash = "qemu64,hv-crash\t1\tq35";
    assert!(build("10.0", &host, crash).is_err());
    host.saved_msrs = Some(vec![Msr(0x4000_0105)]);
    assert!(build("10.0", &host, crash).is_ok());
}

/// 1.EAX of a guest.
fn signature(release: &str, host: &Host, line: &str) -> u32 {
    build(release, host, line).unwrap().table().registers(Leaf(1), Subleaf(0)).unwrap().eax
}

#[test]
fn options_are_taken_as_qemu_takes_them() {
    if !common::pinned("options_are_taken_as_qemu_takes_them") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    for (line, taken) in [
        ("qemu64\t2,\tq35,", true),
        ("qemu64\t2\tpc,cxl=on", true),
        ("qemu64\t1\tisapc,cxl=on", false),
        ("qemu64\t2\tq35,default_bus_bypass_iommu=on,kvm-shadow-mem=1", true),
        ("qemu64\t2\tq35,igd_passthru=foo", true),
        ("qemu64\t2,books=1,drawers=1\tq35", true),
        ("qemu64\t2,books=2\tq35", false),
        ("qemu64\t2\tq35,igd-passthru", false),
        ("qemu64\t2\tq35,kernel_irqchip=split", true),
        ("qemu64\t2\tq35,kernel-irqchip=yes", false),
        ("qemu64\t2\tq35,smm", false),
        ("qemu64\t2\tq35,usb=maybe", false),
        ("qemu64\t2\tq35,usb=yes", true),
        ("qemu64\t2\tq35,acpi=yes", false),
        ("qemu64\t2\tq35,rtc=on", false),
        ("qemu64\t2\tmicrovm,rtc=on", true),
        ("qemu64\t2\tq35,x-south-bridge=PIIX3", false),
        ("qemu64\t2\tpc,x-south-bridge=PIIX3", true),
        ("qemu64\t2\tq35,x-oem-id=ABCDEFG", false),
        ("qemu64\t2\tq35,max-ram-below-4g=5G", false),
        ("qemu64\t2\tq35,max-ram-below-4g=1", false),
        ("qemu64\t2\tq35,max-fw-size=17M", false),
        ("qemu64\t2\tmicrovm,smp-cache.0.cache=l3,smp-cache.0.topology=default", true),
        ("qemu64\t2\tmicrovm,smp-cache.0.cache=l3,smp-cache.0.topology=die", false),
        ("qemu64\t2\tq35,bus-lock-ratelimit=1", false),
        ("qemu64\t2\tq35,bus-lock-ratelimit=0", true),
        ("qemu64\t2\tq35,confidential-guest-support=sev0", true),
        // Levels of a board without them are refused by the whole number, not by its lower 32 bits.
        ("qemu64\t2,dies=4294967296\tmicrovm", false),
        ("qemu64\t2,dies=4294967297\tmicrovm", false),
        ("qemu64\t2,dies=-4294967295\tmicrovm", true),
        ("qemu64\t2,modules=4294967296\tmicrovm", false),
        ("qemu64\t2,dies=4294967296\tq35", true),
        ("qemu64\t2\tq35,smp.cores=4294967296", true),
        ("qemu64\t4294967297\tq35", true),
        ("qemu64\t4294967296,sockets=2\tq35", true),
        ("qemu64\t0\tq35", false),
        ("qemu64,node-id=0\t1\tq35", true),
        ("qemu64,node-id=1\t1\tq35", false),
        ("qemu64,start-powered-off=on\t1\tq35", true),
        ("qemu64,start-powered-off=maybe\t1\tq35", false),
        ("qemu64\t2\tq35,smp-cache.0.cache=l3,smp-cache.0.topology=default", true),
        ("qemu64\t135,sockets=9,maxcpus=135,cores=3,threads=5\tpc-i440fx-2.6", false),
        ("qemu64\t135,sockets=9,maxcpus=135,cores=3,threads=5\tpc-i440fx-2.6,acpi=off", true),
    ] {
        let result = build("10.0", &host, line);
        assert_eq!(result.is_ok(), taken, "{line}: {:?}", result.err());
    }
}

/// Machine types up to 8.0 have SMBIOS' 32-bit entry point.
#[test]
fn a_package_fits_the_board_s_smbios() {
    if !common::pinned("a_package_fits_the_board_s_smbios") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    for (smp, machine, new) in [
        ("1,maxcpus=288", "pc-q35-7.2", false),
        ("1,maxcpus=288", "pc-q35-6.1", true),
        ("1,maxcpus=255", "pc-i440fx-7.2", false),
        ("1,maxcpus=254", "pc-i440fx-7.2", true),
        ("1,maxcpus=255,cores=85,threads=1", "pc-q35-7.2", true),
        ("1,maxcpus=255,dies=5", "pc-q35-7.2", false),
        ("1,maxcpus=288", "pc-q35-7.2,smbios-entry-point-type=64", true),
        ("1,maxcpus=288", "q35,smbios-entry-point-type=32", false),
        ("1,maxcpus=288", "microvm", true),
    ] {
        for (release, taken) in [("7.2", true), ("10.0", new)] {
            let result = build(release, &host, &format!("max\t{smp}\t{machine}"));
            assert_eq!(result.is_ok(), taken, "{release}: {smp} {machine}: {:?}", result.err());
        }
    }
}

/// Books and drawers are known since 8.2 and modules since 9.1; a PC has one.
#[test]
fn levels_are_known_since_their_release() {
    if !common::pinned("levels_are_known_since_their_release") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    for (smp, old, new) in [
        ("2,books=1", false, true),
        ("drawers=1", false, true),
        ("2,modules=1", false, true),
        ("2,clusters=1", true, true),
        ("2,drawers=2", false, false),
        // Before 9.0 a count is cut to 32 bits first, which 7.2.22, 8.2.2, 9.2.1 and 10.0.13 show.
        ("2,clusters=4294967296", true, false),
        ("2,clusters=4294967297", true, false),
        ("2,clusters=4294967298", false, false),
        ("2,clusters=-4294967295", true, true),
        ("2,clusters=-4294967296", true, true),
        ("2,clusters=-5", false, false),
        ("2,clusters=0", true, false),
        ("2,books=-4294967295", false, true),
        ("2,books=4294967297", false, false),
    ] {
        for (release, taken) in [("7.2", old), ("10.0", new)] {
            for line in
                [format!("qemu64\t{smp}\tq35"), format!("qemu64\t\tq35,smp.{}", smp.replace("2,", ""))]
            {
                let result = build(release, &host, &line);
                assert_eq!(result.is_ok(), taken, "{release}: {line}: {:?}", result.err());
            }
        }
    }
}

#[test]
fn dies_above_32_bits_on_a_board_without_dies() {
    if !common::pinned("dies_above_32_bits_on_a_board_without_dies") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    for (dies, old) in [("4294967296", true), ("4294967297", true), ("4294967298", false)] {
        for (release, taken) in [("7.2", old), ("10.0", false)] {
            let result = build(release, &host, &format!("qemu64\t2,dies={dies}\tmicrovm"));
            assert_eq!(result.is_ok(), taken, "{release}: {dies}: {:?}", result.err());
        }
    }
}

#[test]
fn the_board_must_reach_its_addresses() {
    if !common::pinned("the_board_must_reach_its_addresses") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    for (release, line, taken) in [
        ("10.0", "qemu64,phys-bits=35\t1\tq35", false),
        ("10.0", "qemu64,phys-bits=36\t1\tq35", true),
        ("10.0", "qemu64,phys-bits=32\t1\tpc", false),
        ("10.0", "qemu64,phys-bits=33\t1\tpc", true),
        ("10.0", "qemu64,phys-bits=33\t1\tpc\t-m\t6G", false),
        ("10.0", "qemu64,phys-bits=32\t1\tmicrovm", true),
        ("10.0", "qemu64,phys-bits=32\t1\tisapc", true),
        ("10.0", "486\t1\tq35", true),
        ("10.0", "486\t1\tq35\t-m\t4G", false),
        ("10.0", "486\t1\tpc-q35-8.1\t-m\t4G", true),
        ("7.2", "qemu64,phys-bits=32\t1\tq35", true),
        ("7.2", "qemu64,phys-bits=35\t1\tq35", false),
        ("10.2", "qemu64\t1\tisapc\t-m\t4G", false),
    ] {
        let result = build(release, &host, line);
        assert_eq!(result.is_ok(), taken, "{release}: {line}: {:?}", result.err());
    }
    assert_eq!(Memory::default().size, 128 << 20);
}

#[test]
fn a_family_of_0_is_replaced_for_host_and_max() {
    if !common::pinned("a_family_of_0_is_replaced_for_host_and_max") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    for (line, expected) in [
        ("max,family=0\t1\tq35", 0x663),
        ("host,family=0,model=5,stepping=2\t1\tq35", 0x663),
        ("host,lm=on,family=0\t1\tq35", 0x60fb1),
        ("qemu64,family=0,model=5,stepping=2\t1\tq35", 0x52),
    ] {
        let eax = signature("10.0", &host, line);
        assert_eq!(eax, expected, "{line}: {eax:#x}");
    }
}

/// A host whose extended family is set beside a family other than 15, and whose vendor, brand and model are the test's.
fn strange(version: u32) -> Host {
    let mut host = hosts::all_ones(Vendor::INTEL);
    for entry in &mut host.instruction {
        match entry.function {
            Leaf(1) => entry.registers.eax = version,
            Leaf(0x8000_0002..=0x8000_0004) => entry.registers = [0; 4].into(),
            _ => {}
        }
    }
    host
}

#[test]
fn the_hosts_identity_is_read_as_the_release_reads_it() {
    if !common::pinned("the_hosts_identity_is_read_as_the_release_reads_it") {
        return;
    }
    for (version, old, new) in
        [(0x0136_02b0, 0x0066_0fb0, 0x0000_02b0), (0x0000_06e8, 0x0000_06e8, 0x0000_06e8)]
    {
        let host = strange(version);
        for (release, expected) in [("10.0", old), ("10.2", new)] {
            let eax = signature(release, &host, "host\t1\tq35");
            assert_eq!(eax, expected, "{release}: {version:#x} gives {eax:#x}");
        }
    }
    let host = strange(0x6e8);
    let brand = |release: &str| {
        let guest = build(release, &host, "host\t1\tq35").unwrap();
        guest.table().registers(Leaf(0x8000_0002), Subleaf(0)).map_or(0, |registers| registers.eax)
    };
    assert_eq!(brand("10.0"), 0);
    assert_eq!(brand("10.2"), u32::from_le_bytes(*b"QEMU"), "TCG's brand string");
}

#[test]
fn a_vendor_with_zeros_is_refused() {
    if !common::pinned("a_vendor_with_zeros_is_refused") {
        return;
    }
    let mut host = hosts::all_ones(Vendor::INTEL);
    host.instruction[0].registers.ecx = 0;
    for line in ["host\t1\tq35", "qemu64\t1\tq35"] {
        let result = build("10.0", &host, line);
        assert_eq!(result.err(), Some(BuildError::HostVendor), "{line}");
    }
}

#[test]
fn kvm_must_have_what_qemu_asks_of_it() {
    if !common::pinned("kvm_must_have_what_qemu_asks_of_it") {
        return;
    }
    const MCE: u32 = 31;
    const RECOMMENDED: u32 = 9;
    const MAX: u32 = 66;
    type Row<'a> = (&'a str, &'a [(u32, i64)], &'a str, bool);
    let cases: [Row<'_>; 11] = [
        ("10.0", &[(193, 3)], "qemu64\t2\tq35,bus-lock-ratelimit=1", true),
        ("10.0", &[(193, 1)], "qemu64\t2\tq35,bus-lock-ratelimit=1", false),
        ("10.0", &[(193, 0)], "qemu64\t2\tq35,bus-lock-ratelimit=1", false),
        ("10.0", &[(117, 0)], "qemu64\t2\tmicrovm,smm=on", false),
        ("11.1", &[(117, 0)], "qemu64\t2\tmicrovm,smm=on", true),
        ("10.0", &[(MCE, 0)], "qemu64\t2\tq35", false),
        ("7.2", &[(MCE, 0)], "qemu64\t2\tq35", true),
        ("7.2", &[(MCE, 9)], "qemu64\t2\tq35", false),
        // The maximum counts only above the recommended number, and 0 is 4.
        ("10.0", &[(RECOMMENDED, 8), (MAX, 2)], "qemu64\t8\tq35", true),
        ("10.0", &[(RECOMMENDED, 0), (MAX, 2)], "qemu64\t4\tq35", true),
        ("10.0", &[(RECOMMENDED, 0), (MAX, 2)], "qemu64\t5\tq35", false),
    ];
    for (release, capabilities, line, taken) in cases {
        let mut host = hosts::all_ones(Vendor::INTEL);
        host.capabilities.extend(capabilities.iter().copied());
        let result = build(release, &host, line);
        assert_eq!(result.is_ok(), taken, "{release} {capabilities:?} {line}: {:?}", result.err());
    }
}

#[test]
fn components_are_the_hosts_since_11_0() {
    if !common::pinned("components_are_the_hosts_since_11_0") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    let of = |release: &str, line: &str| build(release, &host, line).unwrap();
    let size = |release: &str, subleaf: u32| {
        let table = of(release, "Haswell\t1\tq35");
        table.table().registers(Leaf(0xd), Subleaf(subleaf)).map_or(0, |registers| registers.eax)
    };
    // Haswell has no AVX-512 and no CET.
    assert_eq!([size("10.2", 6), size("11.0", 6), size("11.1", 11)], [0, 0x200, 0x10]);
    // CET: one of two features is enough, and it needs XSAVES.
    let xss = |line: &str| of("11.1", line).table().registers(Leaf(0xd), Subleaf(1)).unwrap().ecx;
    assert_eq!(xss("Haswell,+xsaves,+cet-ibt\t1\tq35"), 3 << 11);
    assert_eq!(xss("Haswell,-xsaves,+cet-ibt\t1\tq35"), 0);
}

#[test]
fn apx_and_mpx_exclude_each_other() {
    if !common::pinned("apx_and_mpx_exclude_each_other") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    let both = build("11.1", &host, "max\t1\tq35").unwrap();
    let text: Vec<String> = both.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 2, "{text:?}");
    assert!(text[0].starts_with("this feature conflicts with APX: CPUID[eax=07h,ecx=00h].EBX.mpx [bit 14]"));
    assert!(text[1].starts_with("this feature conflicts with MPX: CPUID[eax=07h,ecx=01h].EDX.apxf [bit 21]"));
    let apx = build("11.1", &host, "max,-mpx\t1\tq35").unwrap();
    assert_eq!(apx.table().registers(Leaf(0x29), Subleaf(0)).map(|registers| registers.ebx), Some(1));
    let old = build("10.2", &host, "max\t1\tq35").unwrap();
    assert_eq!(old.table().registers(Leaf(0x29), Subleaf(0)), None);
}

#[test]
fn an_avx10_version_adds_features_since_11_0() {
    if !common::pinned("an_avx10_version_adds_features_since_11_0") {
        return;
    }
    let host = hosts::all_ones(Vendor::INTEL);
    let leaf = |release: &str, line: &str, subleaf: u32| {
        let table = build(release, &host, line).unwrap();
        table.table().registers(Leaf(0x24), Subleaf(subleaf)).unwrap_or_default()
    };
    let first = leaf("11.1", "Skylake-Server,avx10-version=2\t1\tq35", 0);
    assert_eq!((first.eax, first.ebx), (1, 0x7_0002));
    assert_eq!(leaf("11.1", "Skylake-Server,avx10-version=2\t1\tq35", 1).ecx, 1 << 2);
    assert_eq!(leaf("10.2", "Skylake-Server,avx10-version=2\t1\tq35", 0).ebx, 0);
    let error = build("11.1", &host, "Skylake-Server,avx10-version=3\t1\tq35").unwrap_err();
    assert_eq!(error.to_string(), "`avx10-version` is 3: expected at most 2");
    // A version of the model sets it too.
    assert_eq!(leaf("11.1", "DiamondRapids,-mpx\t1\tq35", 0).ebx, 0x7_0002);
}
