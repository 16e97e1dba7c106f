//! Setting vCPUs' tables on a real `/dev/kvm`: with `Vcpus`, with the bare ioctls and prepared tables, and by
//! querying KVM again for each vCPU, as some VMMs do.
//!
//! `cargo bench --features kvm --bench kvm`. Rounds of all ways take turns; each number is the median of a vCPU's share,
//! with the minimum.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use cpuid_tables::kvm::{Device, KvmSystem, Vcpus};
use cpuid_tables::{ApicLayout, CpuidTable};
use kvm_bindings::{CpuId, KVM_MAX_CPUID_ENTRIES};
use kvm_ioctls::VcpuFd;

/// Rounds of each measurement.
const ROUNDS: usize = 401;
/// Numbers of vCPUs.
const VCPUS: [u32; 5] = [1, 8, 32, 128, 255];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let device = Device::open()?;
    let supported = device.supported_cpuid()?;
    let vcpus = Vcpus::new(&supported)?;
    say(&format!("{} entries", supported.len()));
    patching(vcpus.try_clone()?, &CpuidTable::from_entries(&supported)?);
    for count in VCPUS {
        setting(&device, &vcpus, count)?;
    }
    Ok(())
}

/// A copy patched, which is what `Vcpus` does beside the ioctl.
fn patching(mut vcpus: Vcpus, table: &CpuidTable) {
    let mut table = table.clone();
    let layout = ApicLayout::from_cpuid(&table);
    let copy = table.clone();
    let mut in_kvms_form = |id| {
        black_box(vcpus.table(black_box(id)));
    };
    let mut in_ours = |id| table.set_apic_id(black_box(id), &layout);
    let mut copied = |id| {
        let mut table = black_box(&copy).clone();
        table.set_apic_id(black_box(id), &layout);
        black_box(&table);
    };
    let ways: [(&str, &mut dyn FnMut(u32)); 3] = [
        ("Vcpus::table", &mut in_kvms_form),
        ("CpuidTable::set_apic_id", &mut in_ours),
        ("CpuidTable cloned, set_apic_id", &mut copied),
    ];
    for (what, patch) in ways {
        let times = (0..ROUNDS).map(|_| {
            let start = Instant::now();
            (0..255).for_each(&mut *patch);
            start.elapsed().as_secs_f64() * 1e9 / 255.0
        });
        let mut times: Vec<f64> = times.collect();
        let (median, minimum) = median(&mut times);
        say(&format!("  {what:<44} {median:8.1} ns (minimum {minimum:.1})"));
    }
}

/// A way to give all vCPUs their tables.
type Way<'a> = (&'static str, Box<dyn FnMut() -> Result<()> + 'a>);

fn setting(device: &Device, vcpus: &Vcpus, count: u32) -> Result<()> {
    let vm = device.kvm().create_vm()?;
    let fds: Vec<VcpuFd> = (0..count).map(|id| Ok(vm.create_vcpu(id.into())?)).collect::<Result<_>>()?;
    let mut ours = vcpus.try_clone()?;
    let ready: Vec<CpuId> = (0..count).map(|id| ours.table(id).clone()).collect();
    let (mut quiet, mut checked) = (vcpus.try_clone()?, vcpus.try_clone()?);
    let each = || (0..count).zip(&fds);
    let mut ways: [Way<'_>; 6] = [
        (
            "KVM_SET_CPUID2, ready tables",
            Box::new(|| {
                for (table, fd) in ready.iter().zip(&fds) {
                    fd.set_cpuid2(table)?;
                }
                Ok(())
            }),
        ),
        (
            "Vcpus::set_only",
            Box::new(|| {
                for (id, fd) in each() {
                    ours.set_only(fd, id)?;
                }
                Ok(())
            }),
        ),
        (
            "the same and KVM_GET_CPUID2, ready tables",
            Box::new(|| {
                for (table, fd) in ready.iter().zip(&fds) {
                    fd.set_cpuid2(table)?;
                    black_box(fd.get_cpuid2(KVM_MAX_CPUID_ENTRIES)?);
                }
                Ok(())
            }),
        ),
        (
            "Vcpus::set",
            Box::new(|| {
                for (id, fd) in each() {
                    black_box(quiet.set(fd, id)?);
                }
                Ok(())
            }),
        ),
        (
            "Vcpus::set, every change looked at",
            Box::new(|| {
                for (id, fd) in each() {
                    black_box(checked.set(fd, id)?.unexpected().count());
                }
                Ok(())
            }),
        ),
        (
            "asking KVM anew, patching, KVM_SET_CPUID2",
            Box::new(|| {
                for (id, fd) in each() {
                    let mut table = device.kvm().get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)?;
                    for entry in table.as_mut_slice() {
                        match entry.function {
                            1 => entry.ebx = entry.ebx & 0x00ff_ffff | id << 24,
                            0xb | 0x1f => entry.edx = id,
                            _ => {}
                        }
                    }
                    fd.set_cpuid2(&table)?;
                }
                Ok(())
            }),
        ),
    ];
    say(&format!("{count} vCPUs, a vCPU's share"));
    let mut times = vec![Vec::with_capacity(ROUNDS); ways.len()];
    let rounds = ROUNDS.min(ROUNDS * 64 / count as usize).max(101);
    for round in 0..rounds {
        // Each way is first in its turn: none has the others' caches always.
        for at in 0..ways.len() {
            let at = (at + round) % ways.len();
            let start = Instant::now();
            ways[at].1()?;
            times[at].push(start.elapsed().as_secs_f64() * 1e9 / f64::from(count));
        }
    }
    let medians: Vec<(f64, f64)> = times.iter_mut().map(|times| median(times)).collect();
    for ((what, _), (middle, minimum)) in ways.iter().zip(&medians) {
        say(&format!("  {what:<44} {middle:8.0} ns (minimum {minimum:.0})"));
    }
    let ratio = |a: usize, b: usize| (medians[a].0 / medians[b].0, medians[a].1 / medians[b].1);
    for (what, (median, minimum)) in [
        ("set_only / bare", ratio(1, 0)),
        ("set / bare with reading back", ratio(3, 2)),
        ("set / bare without reading back", ratio(3, 0)),
        ("asking anew / set_only", ratio(5, 1)),
        ("asking anew / set", ratio(5, 3)),
    ] {
        say(&format!("  {what:<44} {median:8.3}    (of minima {minimum:.3})"));
    }
    Ok(())
}

/// The median and the minimum.
fn median(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn say(line: &str) {
    println!("{line}");
}
