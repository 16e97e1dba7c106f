//! Guests' tables as QEMU builds them, without a QEMU: settings, errors, warnings, vCPUs. Other tests compare them
//! with recordings of a real QEMU.

use std::collections::BTreeSet;

use cpuid_tables::guest::{
    BuildError, CpuOption, GuestCpuid, GuestCpuidBuilder, Irqchip, MachineOption, Smp, Warning,
};
use cpuid_tables::host::{Host, HostFile};
use cpuid_tables::{CpuidRead, CpuidTable, Leaf, Msr, QemuRelease, Registers, Subleaf, feature, find_entry};

use crate::common;

/// A host with every bit set; its vendor is Intel or AMD.
fn host(amd: bool) -> Host {
    let vendor = if amd { "68747541 444d4163 69746e65" } else { "756e6547 6c65746e 49656e69" };
    let entries = format!(
        "0 0 0 24 {vendor}
         1 0 0 a10f11 200800 ffffffff ffffffff
         2 0 0 feff01 f0 0 0
         4 0 1 fc004121 2c0003f 3f 0
         4 1 1 fc1fc163 380003f 1bfff 4
         4 2 1 0 0 0 0
         5 0 0 40 40 3 2020
         6 0 0 ffffffff ffffffff ffffffff ffffffff
         7 0 1 2 ffffffff ffffffff ffffffff
         7 1 1 ffffffff ffffffff ffffffff ffffffff
         7 2 1 ffffffff ffffffff ffffffff ffffffff
         a 0 0 8300805 0 f 8604
         d 0 1 602e7 2b00 2b00 0
         d 1 1 ffffffff 988 1800 0
         d 2 1 100 240 0 0
         d 5 1 40 440 0 0
         d 6 1 200 480 0 0
         d 7 1 400 680 0 0
         d 9 1 8 a80 0 0
         d 11 1 40 ac0 2 0
         d 12 1 2000 b00 6 0
         14 0 1 1 ffffffff ffffffff ffffffff
         14 1 1 ffffffff ffffffff ffffffff ffffffff
         24 0 1 1 70002 0 0
         80000000 0 0 80000028 {vendor}
         80000001 0 0 a10f11 40000000 ffffffff ffffffff
         80000002 0 0 20444d41 43595045 0 0
         80000005 0 0 ff48ff40 ff48ff40 20080140 20080140
         80000006 0 0 5c002200 6c004200 4006140 c09140
         80000007 0 0 ffffffff ffffffff ffffffff ffffffff
         80000008 0 0 3934 ffffffff 7001 ffffffff
         8000000a 0 0 1 8000 0 ffffffff
         80000021 0 0 ffffffff ffffffff ffffffff ffffffff
         80000022 0 0 ffffffff ffffffff ffffffff ffffffff
         40000001 0 0 ffffffff 0 0 ffffffff"
    );
    let mut host = Host::default();
    host.read(HostFile::Supported, &entries).unwrap();
    host.read(HostFile::Instruction, &entries).unwrap();
    host.read(HostFile::Hyperv, "40000003 0 0 2aff 100030 0 80d10\n40000004 0 0 20e24 fff 0 0").unwrap();
    for msr in [0x10a, 0xcf, 0x345, 0x480, 0x485, 0x48b, 0x48c, 0x48d, 0x48e, 0x48f, 0x490, 0x491] {
        host.msrs.insert(Msr(msr), u64::MAX << 32 | if msr == 0x345 { 5 } else { 0 });
    }
    host
}

/// A builder from QEMU's syntax.
fn builder<'h>(
    host: &'h Host,
    cpu: &str,
    smp: &str,
    machine: &str,
) -> Result<GuestCpuidBuilder<'h>, BuildError> {
    Ok(GuestCpuid::builder()
        .cpu(cpu.parse::<CpuOption>()?)
        .topology(smp.parse::<Smp>()?)
        .machine(machine.parse::<MachineOption>()?)
        .host(host))
}

fn build(host: &Host, cpu: &str, smp: &str, machine: &str) -> Result<GuestCpuid, BuildError> {
    builder(host, cpu, smp, machine)?.build()
}

fn guest(host: &Host, cpu: &str, smp: &str, machine: &str) -> GuestCpuid {
    build(host, cpu, smp, machine).unwrap_or_else(|error| panic!("-cpu {cpu} -smp {smp}: {error}"))
}

fn registers(table: &CpuidTable, leaf: u32, subleaf: u32) -> Option<Registers> {
    find_entry(table, Leaf(leaf), Subleaf(subleaf)).map(|entry| entry.registers)
}

/// Every property of every release has a known effect, or is known to have none.
#[test]
fn every_property_is_known() {
    if !common::recent("every_property_is_known") {
        return;
    }
    /// Read-only properties.
    const READ_ONLY: [&str; 4] =
        ["feature-words", "filtered-features", "unavailable-features", "crash-information"];
    let host = host(false);
    for release in QemuRelease::ALL {
        for property in release.cpu_properties() {
            let value = match property.kind {
                "bool" | "bit64" | "on_off_auto" => "on",
                "string" if property.name == "vendor" => "GenuineIntel",
                "string" => "text",
                _ => "0",
            };
            let builder = GuestCpuid::builder().release(release).host(&host).model("max");
            let result = builder.property(property.name, value).build();
            let modelled = !matches!(result, Err(BuildError::NotModelled(_)));
            assert_ne!(modelled, READ_ONLY.contains(&property.name), "{} of {release:?}", property.name);
        }
    }
}

/// If QEMU's table has a default, setting it changes nothing: the library has the same default.
#[test]
fn defaults_match_qemu() {
    if !common::pinned("defaults_match_qemu") {
        return;
    }
    /// Properties that a model, its accelerator or the machine sets, so that their default does not apply.
    const SET_BY_THE_MODEL: [&str; 4] = ["legacy-cache", "min-level", "min-xlevel", "avx10-version"];
    let host = host(false);
    let mut compared = 0;
    for release in QemuRelease::ALL {
        for model in ["EPYC-Milan", "Skylake-Server-v4", "qemu32"] {
            let plain = || GuestCpuid::builder().release(release).host(&host).model(model);
            let plain_table = plain().build().unwrap().table();
            for property in release.cpu_properties() {
                let Some(default) = property.default else { continue };
                let default = if property.kind == "bit64" && default == "0" { "off" } else { default };
                if SET_BY_THE_MODEL.contains(&property.name) || property.name == "apic-id" {
                    continue;
                }
                let set = plain().property(property.name, default).build();
                match set {
                    // Only `host` and `max` have it.
                    Err(BuildError::UnknownProperty { .. }) => {
                        assert!(matches!(property.name, "migratable" | "host-cache-info"));
                    }
                    set => {
                        let table = set.unwrap_or_else(|error| panic!("{}: {error}", property.name)).table();
                        assert_eq!(table, plain_table, "{}={default} of {release:?}", property.name);
                        compared += 1;
                    }
                }
            }
        }
    }
    assert!(compared > 500, "{compared} properties with defaults");
}

#[test]
fn every_model_of_every_release_is_built() {
    if !common::pinned("every_model_of_every_release_is_built") {
        return;
    }
    let host = host(true);
    let mut built = 0;
    for release in QemuRelease::ALL {
        for model in release.cpu_models().flat_map(|model| model.versions()) {
            let name = model.to_string();
            let guest = GuestCpuid::builder().release(release).model(&name).host(&host).build();
            let table = guest.unwrap_or_else(|error| panic!("{name} of {release:?}: {error}")).table();
            let Registers { eax, .. } = registers(&table, 1, 0).unwrap();
            assert_eq!(eax, model.signature(), "{name} of {release:?}");
            built += 1;
        }
    }
    assert!(built > 250, "{built} models");
}

#[test]
fn vcpus_differ_only_in_ids() {
    if !common::pinned("vcpus_differ_only_in_ids") {
        return;
    }
    for (amd, cpu) in [(true, "EPYC-Milan"), (false, "SapphireRapids"), (true, "EPYC,cpuid-0xb=off")] {
        for smp in
            ["1", "5,sockets=5", "12,sockets=2,dies=3,cores=2", "24,dies=2,modules=3,cores=2,threads=2"]
        {
            let host = host(amd);
            let guest = guest(&host, cpu, smp, "q35");
            let vcpus: Vec<(u32, CpuidTable)> = guest.vcpus().collect();
            let ids: BTreeSet<u32> = vcpus.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids.len(), vcpus.len(), "-cpu {cpu} -smp {smp}");
            let (first_id, first) = &vcpus[0];
            assert_eq!((*first_id, first), (0, &guest.table()));
            for (id, table) in &vcpus {
                assert_eq!(registers(table, 1, 0).unwrap().ebx >> 24, *id);
                let other = |table: &CpuidTable| -> Vec<_> {
                    let varies = |leaf| matches!(leaf, 1 | 0xb | 0x1f | 0x8000_001e);
                    table.iter().filter(|entry| !varies(entry.function.0)).copied().collect()
                };
                assert_eq!(other(table), other(first));
            }
        }
    }
}

/// An entry of zeros is omitted, which depends on the vCPU here.
#[test]
fn leaf_8000001e_of_the_first_vcpu_may_be_missing() {
    if !common::recent("leaf_8000001e_of_the_first_vcpu_may_be_missing") {
        return;
    }
    let host = host(true);
    let guest = guest(&host, "EPYC", "3,sockets=3", "q35");
    let there: Vec<bool> =
        guest.vcpus().map(|(_, table)| registers(&table, 0x8000_001e, 0).is_some()).collect();
    assert_eq!(there, [false, true, true]);
    let mut shown = Vec::new();
    guest.for_each(|_, table| shown.push(registers(table, 0x8000_001e, 0).is_some()));
    assert_eq!(shown, there);
}

#[test]
fn missing_features_are_reported_in_qemus_words() {
    if !common::recent("missing_features_are_reported_in_qemus_words") {
        return;
    }
    let mut host = host(true);
    for entry in host.supported.iter_mut().chain(&mut host.instruction) {
        if (entry.function, entry.index) == (Leaf(7), Subleaf(0)) {
            entry.registers.ebx &= !(1 << 16);
        }
    }
    let lacking = guest(&host, "EPYC-Milan,+avx512f", "1", "q35");
    assert!(!lacking.table().has(feature::AVX512F));
    // Releases write the register in different ways.
    let plain =
        |warning: &Warning| warning.to_string().replace("CPUID[eax=07h,ecx=00h].EBX", "CPUID.07H:EBX");
    let warnings: Vec<String> = lacking.warnings().iter().map(plain).collect();
    assert_eq!(
        warnings,
        [
            "host doesn't support requested feature: CPUID.07H:EBX.avx512f [bit 16]: the host's CPU does not have it"
        ]
    );
    assert_eq!(lacking.filtered()[0].name, Some("avx512f"));
    let silent = guest(&host, "EPYC-Milan,+avx512f,check=off", "1", "q35");
    assert_eq!((silent.warnings(), silent.filtered().len()), (&[][..], 1));
    let forced = guest(&host, "EPYC-Milan,+avx512f,x-force-features=on", "1", "q35");
    assert!(forced.table().has(feature::AVX512F));
    let error = build(&host, "EPYC-Milan,+avx512f,enforce", "1", "q35").unwrap_err();
    assert!(matches!(&error, BuildError::Enforced(lacking) if lacking.len() == 1), "{error}");
    // A feature that the CPU has but KVM does not offer.
    host.instruction.iter_mut().for_each(|entry| entry.registers.ebx |= 1 << 16);
    let warning = guest(&host, "EPYC-Milan,+avx512f", "1", "q35").warnings()[0].to_string();
    assert!(warning.ends_with("its KVM does not offer it"), "{warning}");
    // A feature without its dependency.
    let guest = guest(&host, "EPYC-Milan,+rdctl-no,-arch-capabilities", "1", "q35");
    let warning = guest.warnings()[0].to_string();
    assert!(warning.starts_with("This feature depends on other features"), "{warning}");
}

#[test]
fn sign_takes_precedence_over_value() {
    if !common::recent("sign_takes_precedence_over_value") {
        return;
    }
    let host = host(true);
    let guest = guest(&host, "EPYC,-avx2,avx2=on,+svm", "1", "q35");
    assert!(!guest.table().has(feature::AVX2) && guest.table().has(feature::SVM));
    assert_eq!(guest.warnings(), [Warning::Ambiguous("avx2".to_owned())]);
}

#[test]
fn guests_refused_by_qemu_are_errors() {
    if !common::pinned("guests_refused_by_qemu_are_errors") {
        return;
    }
    let host = host(true);
    for (cpu, smp, machine, expected) in [
        ("Nonesuch", "1", "q35", "unknown CPU model `Nonesuch`"),
        (",+avx", "1", "q35", "-cpu does not name a CPU model"),
        ("EPYC,nonesuch=1", "1", "q35", "`EPYC` has no property `nonesuch`"),
        ("EPYC,+nonesuch", "1", "q35", "`EPYC` has no property `nonesuch`"),
        ("EPYC,migratable=on", "1", "q35", "`EPYC` has no property `migratable`"),
        ("EPYC,avx2=maybe", "1", "q35", "`avx2` is `maybe`: expected on or off"),
        ("EPYC,level=0x", "1", "q35", "`level` is `0x`: expected a 32-bit number"),
        ("EPYC,+level", "1", "q35", "`level` is `on`: expected a 32-bit number"),
        ("EPYC,level=-1", "1", "q35", "`level` is `-1`: expected a 32-bit number"),
        ("EPYC,vendor=AMD", "1", "q35", "`vendor` is `AMD`: expected 12 characters"),
        ("EPYC,stepping=16", "1", "q35", "`stepping` is `16`: expected a number up to 15"),
        ("EPYC,tsc-freq=fast", "1", "q35", "`tsc-freq` is `fast`: expected a frequency in Hz, such as 2.5G"),
        ("EPYC,phys-bits=31", "1", "q35", "`phys-bits` is 31: expected 32 to 52"),
        ("EPYC,guest-phys-bits=41", "1", "q35", "`guest-phys-bits` is 41: expected 32 to 40"),
        ("qemu32,phys-bits=36", "1", "q35", "`phys-bits` cannot be set on a 32-bit CPU"),
        ("qemu64,legacy-cache=off", "1", "q35", "`qemu64` has only the legacy caches"),
        ("EPYC,lbr-fmt=5", "1", "q35", "branch record format 0x5 needs pmu=on"),
        ("EPYC,lbr-fmt=4,pmu=on", "1", "q35", "branch record format 0x4 differs from the host's format 0x5"),
        ("EPYC,hv-synic", "1", "q35", "`hv-synic` needs `hv-vpindex`"),
        ("EPYC,hv-tlbflush-ext", "1", "q35", "this KVM does not support `hv-tlbflush-ext`"),
        ("EPYC,core-id=1", "2", "q35", "`core-id` is 1, but a vCPU has 0"),
        (
            "EPYC,tsc-frequency=1000000000",
            "1",
            "q35",
            "the TSC cannot run at 1000000 kHz: the host's frequency is unknown, and KVM cannot scale it",
        ),
        (
            "EPYC,level-func7=200",
            "1",
            "q35",
            "QEMU supports at most 100 entries, and has no room for leaf 7, subleaf 92",
        ),
        ("EPYC", "0", "q35", "CPU topology counts must be non-zero"),
        ("EPYC", "3,cores=2", "q35", "sockets, dies, modules, cores and threads make 2 vCPUs, not maxcpus=3"),
        ("EPYC", "9,maxcpus=8", "q35", "cpus=9 exceeds maxcpus=8"),
        ("EPYC", "2,dies=2", "microvm", "this machine does not support dies: expected 1"),
        ("EPYC", "256", "pc", "256 vCPUs requested, but the machine type supports at most 255"),
        ("EPYC", "2", "isapc", "2 vCPUs requested, but the machine type supports at most 1"),
        ("EPYC", "1000,maxcpus=2000", "q35", "2000 vCPUs requested, but this KVM supports at most 1024"),
        ("EPYC", "2,cores", "q35", "`smp` is `cores`: expected name=value"),
        (
            "EPYC",
            "2,cluster=2",
            "q35",
            "unknown -smp option `cluster`: expected cpus, sockets, dies, modules, cores, threads or maxcpus",
        ),
        ("EPYC", "cpus=many", "q35", "`cpus` is `many`: expected a number"),
        ("EPYC", "1", "pc-q35-99.0", "unknown machine type `pc-q35-99.0`"),
        ("EPYC", "1", "q35,accel=tcg", "`accel` is `tcg`: expected kvm"),
        ("EPYC", "1", "q35,nonesuch=1", "unknown option `nonesuch` of this machine"),
        ("EPYC", "1", "q35,kernel-irqchip=maybe", "`kernel-irqchip` is `maybe`: expected on, off or split"),
        ("EPYC", "1", "q35,kernel-irqchip=off", "kernel-irqchip=off conflicts with an in-kernel APIC"),
        (
            "EPYC",
            "1",
            "q35,smp-cache.0.cache=l2,smp-cache.0.topology=socket",
            "a lower-level cache is shared by more processors than a higher-level one",
        ),
    ] {
        let error = build(&host, cpu, smp, machine).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected), "-cpu {cpu} -smp {smp} -machine {machine}");
    }
    let error = GuestCpuid::builder().build().unwrap_err();
    assert_eq!(error, BuildError::NoHost);
}

#[test]
fn omitted_topology_counts_match_qemu() {
    if !common::recent("omitted_topology_counts_match_qemu") {
        return;
    }
    let (host, qemu) = (host(true), cpuid_tables::guest::default_release());
    for (smp, machine, [sockets, dies, cores, threads]) in [
        ("8", "q35", [1, 1, 8, 1]),
        ("8", "pc-q35-6.1", [8, 1, 1, 1]),
        ("8,threads=2", "q35", [1, 1, 4, 2]),
        ("8,sockets=2,cores=2", "q35", [2, 1, 2, 2]),
        ("8,cores=2", "q35", [4, 1, 2, 1]),
        ("8,dies=2", "q35", [1, 2, 4, 1]),
        ("8,dies=2,cores=2", "pc-i440fx-5.0", [2, 2, 2, 1]),
        ("sockets=3,cores=2", "q35", [3, 1, 2, 1]),
        ("2,maxcpus=12,sockets=3", "q35", [3, 1, 4, 1]),
    ] {
        // Newer releases lack machine types that are too old.
        if machine != "q35" && qemu.machine(machine).is_none() {
            continue;
        }
        let topology = guest(&host, "EPYC", smp, machine).topology();
        let found = [topology.sockets, topology.dies, topology.cores, topology.threads];
        assert_eq!(found, [sockets, dies, cores, threads], "-smp {smp} -machine {machine}");
    }
    let machine = guest(&host, "EPYC", "8", "q35,smp.cpus=2,smp.threads=2").topology();
    assert_eq!((machine.cpus, machine.threads), (2, 2));
}

#[test]
fn typed_builder_matches_the_syntax() {
    if !common::recent("typed_builder_matches_the_syntax") {
        return;
    }
    let host = host(false);
    let parsed = guest(&host, "Denverton,+avx2,-aes,sse4_1=off", "4,threads=2", "q35,kernel-irqchip=split");
    let smp = Smp { cpus: Some(4), threads: Some(2), ..Smp::default() };
    let typed = GuestCpuid::builder()
        .model("Denverton")
        .plus("avx2")
        .minus("aes")
        .property("sse4_1", "off")
        .topology(smp)
        .machine(MachineOption::new("q35"))
        .irqchip(Irqchip::Split)
        .host(&host)
        .build()
        .unwrap();
    assert_eq!(parsed.table(), typed.table());
    assert!(!typed.table().has(feature::XMM4_1) && typed.table().has(feature::AVX2));
}

#[test]
fn hypervisor_leaves_move_for_hyperv() {
    if !common::recent("hypervisor_leaves_move_for_hyperv") {
        return;
    }
    let host = host(false);
    let function = |cpu: &str| -> Vec<u32> {
        let table = guest(&host, cpu, "1", "q35").table();
        let hypervisor = |leaf: &u32| (0x4000_0000..0x8000_0000).contains(leaf);
        table.iter().map(|entry| entry.function.0).filter(hypervisor).collect()
    };
    assert_eq!(function("Nehalem"), [0x4000_0000, 0x4000_0001]);
    assert_eq!(function("Nehalem,kvm=off"), [0; 0]);
    let hyperv = [0, 1, 2, 3, 4, 5, 0x100, 0x101].map(|leaf| 0x4000_0000 + leaf);
    assert_eq!(function("Nehalem,hv-relaxed"), hyperv);
    assert_eq!(function("Nehalem,hv-relaxed,kvm=off"), hyperv[..6]);
}

/// VMware's leaf comes after all others, and KVM's first leaf includes it in the maximum.
#[test]
fn fixed_frequency_adds_the_frequency_leaf() {
    if !common::recent("fixed_frequency_adds_the_frequency_leaf") {
        return;
    }
    let mut host = host(false);
    host.tsc_khz = Some(2_596_120);
    let table = guest(&host, "Nehalem,tsc-freq=2596120k", "1", "q35").table();
    let last = table.last().unwrap();
    assert_eq!(
        (last.function, last.registers),
        (Leaf(0x4000_0010), Registers::new(2_596_120, 1_000_000, 0, 0))
    );
    assert_eq!(registers(&table, 0x4000_0000, 0).unwrap().eax, 0x4000_0010);
    let hidden = guest(&host, "Nehalem,tsc-freq=2596120k,vmware-cpuid-freq=off", "1", "q35").table();
    assert_eq!(registers(&hidden, 0x4000_0010, 0), None);
}

/// The recorded table of QEMU's `host` equals the host's data, except for necessary changes.
#[test]
fn cpu_host_matches_the_host() {
    if !common::pinned("cpu_host_matches_the_host") {
        return;
    }
    let host = host(false);
    let guest = guest(&host, "host,migratable=off", "1", "q35");
    let table = guest.table();
    assert_eq!(table.vendor(), host.supported.as_slice().vendor());
    assert_eq!(registers(&table, 1, 0).unwrap().eax, 0x00a1_0f11);
    assert!(guest.filtered().is_empty(), "{:?}", guest.filtered());
    let words: Vec<(cpuid_tables::CpuidWord, u32)> = guest.words().collect();
    assert!(words.iter().any(|(word, value)| word.leaf == Leaf(7) && *value != 0));
    assert!(guest.msr_words().any(|(msr, _)| msr == Msr(0x10a)));
}

/// The runtime's table for a vCPU of the base is QEMU's table, possibly with an empty 0x8000001E.
#[cfg(feature = "kvm")]
#[test]
fn base_gives_each_vcpu_the_same_table() {
    if !common::pinned("base_gives_each_vcpu_the_same_table") {
        return;
    }
    use cpuid_tables::kvm::Vcpus;
    for (cpu, smp) in [
        ("EPYC-Milan", "7"),
        ("EPYC-Milan", "24,sockets=2,dies=3,cores=2,threads=2"),
        ("EPYC-Rome", "12,sockets=3,cores=2,threads=2"),
        ("EPYC,legacy-multi-node=on", "24,dies=3,cores=4,threads=2"),
        ("SapphireRapids", "24,dies=2,modules=3,cores=2,threads=2"),
        ("qemu64", "3,sockets=3"),
    ] {
        let host = host(cpu.starts_with("EPYC"));
        let guest = guest(&host, cpu, smp, "q35");
        let mut vcpus = Vcpus::with_layout(guest.base(), guest.layout()).unwrap();
        for (apic_id, table) in guest.vcpus() {
            let given: Vec<_> = vcpus.table(apic_id).as_slice().to_vec();
            let given = given.iter().map(|entry| {
                (
                    entry.function,
                    entry.index,
                    entry.flags,
                    Registers::new(entry.eax, entry.ebx, entry.ecx, entry.edx),
                )
            });
            let given: Vec<_> =
                given.filter(|entry| entry.0 != 0x8000_001e || entry.3 != Registers::ZERO).collect();
            let expected = table.iter();
            let expected =
                expected.map(|entry| (entry.function.0, entry.index.0, entry.flags, entry.registers));
            assert_eq!(given, expected.collect::<Vec<_>>(), "-cpu {cpu} -smp {smp}, APIC id {apic_id}");
        }
    }
}

#[test]
fn the_machine_none_has_the_models_of_the_newest_machine_types() {
    if !common::recent("the_machine_none_has_the_models_of_the_newest_machine_types") {
        return;
    }
    for release in QemuRelease::ALL {
        let host = host(false);
        let of = |machine: &str| {
            let builder = GuestCpuid::builder().release(release).host(&host);
            builder.machine(MachineOption::new(machine)).definitions().unwrap()
        };
        let (none, pc) = (of("none"), of("pc"));
        assert_eq!(none.len(), pc.len());
        for (none, pc) in none.iter().zip(&pc) {
            assert_eq!((&none.name, &none.alias_of), (&pc.name, &pc.alias_of));
            assert_eq!(none.unavailable_names, pc.unavailable_names, "{}", none.name);
        }
        let alias =
            |name: &str| none.iter().find(|definition| definition.name == name).unwrap().alias_of.clone();
        if release.cpu_models().any(|model| model.versions().next().is_some()) {
            assert_eq!(alias("Cascadelake-Server").as_deref(), Some("Cascadelake-Server-v1"));
            assert_eq!((alias("Cascadelake-Server-v1"), alias("qemu64-v1")), (None, None));
        }
        // There is no guest on it.
        let guest = GuestCpuid::builder().release(release).host(&host).machine(MachineOption::new("none"));
        assert_eq!(guest.build().map(|_| ()), Err(BuildError::UnknownMachine("none".into())));
    }
}

/// QEMU's limit of 100 entries is one of each vCPU's table: leaf 0x8000001E, all zero on the first vCPU, counts only where
/// another vCPU starts with it.
#[test]
fn an_entry_that_no_vcpu_has_takes_no_room() {
    if !common::pinned("an_entry_that_no_vcpu_has_takes_no_room") {
        return;
    }
    let most = |smp: &str| {
        let fits = |last: &u32| {
            let cpu = format!("max,level-func7={last},topoext=on").parse().unwrap();
            GuestCpuid::builder().cpu(cpu).topology(smp.parse().unwrap()).host(&host(true)).build().is_ok()
        };
        (0..100).take_while(fits).last().unwrap()
    };
    let alone = most("1");
    assert_eq!((most("1,maxcpus=2"), most("2")), (alone, alone - 1));
    let cpu = format!("max,level-func7={alone},topoext=on").parse().unwrap();
    let guest = GuestCpuid::builder().cpu(cpu).host(&host(true)).build().unwrap();
    assert_eq!(guest.table().len(), 100);
}
