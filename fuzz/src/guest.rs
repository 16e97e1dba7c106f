//! The target for QEMU's `-cpu`, `-smp`, `-machine`, `-m`, `-accel` and `-global`, and for building a guest on any host.

use std::collections::BTreeSet;

use cpuid_tables::guest::{AccelOption, CpuOption, GlobalOption, GuestCpuid, MachineOption, Memory, Smp};
use cpuid_tables::host::{Host, HostFile};
use cpuid_tables::{CpuidTable, QemuRelease};

/// The first lines are a release, `-cpu`, `-smp` and `-machine`, with `-m`, `-accel` and any number of `-global` after blanks; then follow a host's files, each after a line `== `
/// with its extension. Nothing panics on any input. If there is a table, KVM accepts each vCPU's, and every way of
/// building it gives the same one.
pub(crate) fn guest(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let release = QemuRelease::find(line()).unwrap_or(QemuRelease::NEWEST);
    let (cpu, smp) = (line().parse::<CpuOption>(), line().parse::<Smp>());
    let last = line();
    let mut options = last.split(' ');
    let machine = options.next().unwrap_or_default().parse::<MachineOption>();
    let memory = options.next().unwrap_or("128").parse::<Memory>();
    let accel = options.next().unwrap_or("kvm").parse::<AccelOption>();
    let globals = options.map(str::parse).collect::<Result<Vec<GlobalOption>, _>>();
    let host = host(line());
    let (Ok(cpu), Ok(smp), Ok(machine), Ok(memory)) = (cpu, smp, machine, memory) else { return };
    let (Ok(accel), Ok(globals)) = (accel, globals) else { return };
    let builder = GuestCpuid::builder().release(release).cpu(cpu).topology(smp).machine(machine);
    let builder = globals.into_iter().fold(builder.memory(memory).accel(accel), |all, one| all.global(one));
    let guest = match builder.host(&host).build() {
        Ok(guest) => guest,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let (mut ids, mut table) = (BTreeSet::new(), CpuidTable::new());
    let mut vcpus = guest.vcpus();
    let mut index = 0;
    guest.for_each(|apic_id, shown| {
        let (id, own) = vcpus.next().unwrap_or_else(|| panic!("for_each has more vCPUs"));
        assert_eq!((apic_id, shown), (id, &own));
        assert_eq!((guest.write(index, &mut table), &table), (id, &own));
        assert!(own.len() <= CpuidTable::MAX && ids.insert(id), "APIC id {id}");
        index += 1;
    });
    assert_eq!(index, guest.topology().cpus);
    assert!(vcpus.next().is_none());
    assert!(guest.msrs().count() >= guest.vcpu_msrs(1).count());
    guest.warnings().iter().for_each(|warning| assert!(!warning.to_string().is_empty()));
}

/// Invalid files are skipped.
fn host(text: &str) -> Host {
    let mut host = Host::default();
    for part in text.split("== ") {
        let (name, text) = part.split_once('\n').unwrap_or_default();
        let file = HostFile::ALL.into_iter().find(|file| file.extension() == name);
        if let Some(file) = file {
            let _ = host.read(file, text);
        }
    }
    host
}
