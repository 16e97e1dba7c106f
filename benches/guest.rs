//! Building a guest's tables: from a model on a given host, and for every vCPU of a large guest; and starting a QEMU
//! process to get one, where QEMU is installed.
//!
//! `cargo bench --bench guest`. Each line is the median and the minimum of several rounds.

#![allow(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cpuid_tables::CpuidTable;
use cpuid_tables::guest::{CpuOption, GuestCpuid, MachineOption, Smp};
use cpuid_tables::host::{Host, HostFile};

/// Rounds of each measurement.
const ROUNDS: usize = 31;

fn main() {
    let host = host();
    say("a table from a model on a given host");
    for (cpu, machine) in [
        ("EPYC-Milan", "q35"),
        ("Cascadelake-Server-noTSX", "q35"),
        ("SapphireRapids,-avx512f,+vmx,x2apic=on,hv-relaxed,hv-vapic,hv-time", "q35"),
        ("host", "q35"),
        ("EPYC", "pc-i440fx-2.9"),
    ] {
        build(&host, cpu, machine, "1");
    }
    say("the same, parsed from text each time");
    measure("EPYC-Milan,+avx512f,-svm,x2apic=on", 200, || {
        let cpu: CpuOption = "EPYC-Milan,+avx512f,-svm,x2apic=on".parse().expect("valid QEMU syntax");
        GuestCpuid::builder().cpu(cpu).host(&host).build().expect("QEMU can build it")
    });
    vcpus(&host);
    qemu();
}

fn build(host: &Host, cpu: &str, machine: &str, smp: &str) {
    let builder = builder(host, cpu, machine, smp);
    measure(&format!("{cpu} on {machine}"), 200, || builder.build().expect("QEMU can build it"));
}

fn builder<'h>(
    host: &'h Host,
    cpu: &str,
    machine: &str,
    smp: &str,
) -> cpuid_tables::guest::GuestCpuidBuilder<'h> {
    let cpu: CpuOption = cpu.parse().expect("valid QEMU syntax");
    let smp: Smp = smp.parse().expect("valid QEMU syntax");
    let machine: MachineOption = machine.parse().expect("valid QEMU syntax");
    GuestCpuid::builder().cpu(cpu).topology(smp).machine(machine).host(host)
}

/// 255 vCPUs: one table modified for each vCPU, a new table for each, and all tables kept.
fn vcpus(host: &Host) {
    let smp = "255,sockets=5,cores=17,threads=3";
    let guest = builder(host, "EPYC-Milan", "q35", smp).build().expect("QEMU can build it");
    say("255 vCPUs' tables");
    measure("one table, modified", 20, || {
        guest.for_each(|apic_id, table| {
            black_box((apic_id, table.len()));
        });
    });
    measure("a new table for each", 20, || {
        for (apic_id, table) in guest.vcpus() {
            black_box((apic_id, table.len()));
        }
    });
    let mut all: Vec<CpuidTable> = guest.vcpus().map(|(_, table)| table).collect();
    measure("all tables kept, rewritten", 20, || {
        for (index, table) in (0..).zip(&mut all) {
            black_box(guest.write(index, table));
        }
    });
}

/// From start to exit of a stopped QEMU, the minimum cost of querying one.
fn qemu() {
    let start = || {
        let mut child = Command::new("qemu-system-x86_64")
            .args("-nodefaults -no-user-config -m 64 -display none -S -monitor stdio -serial none".split(' '))
            .args("-accel kvm -machine q35 -cpu qemu64".split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(b"quit\n")?;
        }
        child.wait()
    };
    match start() {
        Ok(status) if status.success() => {
            say("a QEMU process, started and stopped");
            measure("qemu-system-x86_64", 1, || start().expect("it was started before"));
        }
        Ok(status) => say(&format!("qemu-system-x86_64 ends with {status}: not measured")),
        Err(error) => say(&format!("qemu-system-x86_64 cannot be started ({error}): not measured")),
    }
}

/// Median and minimum of one call.
fn measure<T>(what: &str, calls: u32, mut call: impl FnMut() -> T) {
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..calls {
                black_box(call());
            }
            start.elapsed() / calls
        })
        .collect();
    rounds.sort();
    let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
    say(&format!("  {what}: {:.1} us (minimum {:.1})", micros(rounds[ROUNDS / 2]), micros(rounds[0])));
}

/// A host with every bit set, so that nothing is filtered and every step runs.
fn host() -> Host {
    let entries = "\
        00000000 00000000 0 00000024 756e6547 6c65746e 49656e69\n\
        00000001 00000000 0 000806f8 00200800 ffffffff ffffffff\n\
        00000006 00000000 0 ffffffff ffffffff ffffffff ffffffff\n\
        00000007 00000000 1 00000002 ffffffff ffffffff ffffffff\n\
        00000007 00000001 1 ffffffff ffffffff ffffffff ffffffff\n\
        00000007 00000002 1 ffffffff ffffffff ffffffff ffffffff\n\
        0000000a 00000000 0 08300805 00000000 0000000f 00008604\n\
        0000000d 00000000 1 000602e7 00002b00 00002b00 00000000\n\
        0000000d 00000001 1 ffffffff 00000988 00001800 00000000\n\
        0000000d 00000002 1 00000100 00000240 00000000 00000000\n\
        0000000d 00000005 1 00000040 00000440 00000000 00000000\n\
        0000000d 00000006 1 00000200 00000480 00000000 00000000\n\
        0000000d 00000007 1 00000400 00000680 00000000 00000000\n\
        0000000d 00000009 1 00000008 00000a80 00000000 00000000\n\
        0000000d 00000011 1 00000040 00000ac0 00000002 00000000\n\
        0000000d 00000012 1 00002000 00000b00 00000006 00000000\n\
        80000000 00000000 0 80000028 68747541 444d4163 69746e65\n\
        80000001 00000000 0 00a10f11 40000000 ffffffff ffffffff\n\
        80000007 00000000 0 ffffffff ffffffff ffffffff ffffffff\n\
        80000008 00000000 0 00003934 ffffffff 00007001 ffffffff\n\
        8000000a 00000000 0 00000001 00008000 00000000 ffffffff\n\
        8000001f 00000000 0 ffffffff ffffffff ffffffff ffffffff\n\
        80000021 00000000 0 ffffffff ffffffff ffffffff ffffffff\n\
        80000022 00000000 0 ffffffff ffffffff ffffffff ffffffff\n\
        40000000 00000000 0 40000001 4b4d564b 564b4d56 0000004d\n\
        40000001 00000000 0 ffffffff 00000000 00000000 ffffffff\n";
    let hyperv = "40000003 0 0 2aff 100030 0 80d10\n40000004 0 0 20e24 fff 0 0\n";
    let mut host = Host::default();
    for (file, text) in
        [(HostFile::Supported, entries), (HostFile::Instruction, entries), (HostFile::Hyperv, hyperv)]
    {
        host.read(file, text).expect("valid host text");
    }
    for msr in [0x10a, 0xcf, 0x480, 0x485, 0x48b, 0x48c, 0x48d, 0x48e, 0x48f, 0x490, 0x491] {
        host.msrs.insert(cpuid_tables::Msr(msr), u64::MAX << 32);
    }
    host
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn say(line: &str) {
    println!("{line}");
}
