//! Random cases: any CPU with any properties, numbers of processors, board and host.

use cpuid_tables::{Feature, QemuRelease};

use super::lists::{HYPERV_SETS, PROPERTIES};
use super::models;
use crate::oracle::case::Case;
use crate::oracle::random::Random;

/// This many cases from a seed, each on one of the hosts.
pub fn random(release: QemuRelease, hosts: &[String], count: usize, seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed ^ 0x6361_7365_735f_6f66);
    let models = models(release);
    let machines: Vec<&str> = release.machines().map(|machine| machine.name()).collect();
    let features: Vec<&str> = Feature::all().filter_map(|feature| feature.qemu_name(release)).collect();
    let cases = (0..count).map(|_| {
        let mut cpu = match random.below(5) {
            0 => (*random.choose(&["host", "max"])).to_owned(),
            _ => random.choose(&models).clone(),
        };
        for _ in 0..random.below(4) {
            cpu += &property(&mut random, &features);
        }
        let machine =
            if random.percent(30) { *random.choose(&machines) } else { *random.choose(&["q35", "pc"]) };
        Case::new(random.choose(hosts).as_str(), &cpu, &smp(&mut random), machine)
    });
    cases.collect()
}

fn property(random: &mut Random, features: &[&str]) -> String {
    match random.below(10) {
        0..=1 => format!(",+{}", random.choose(features)),
        2..=3 => format!(",-{}", random.choose(features)),
        4 => format!(",{}={}", random.choose(features), random.choose(&["on", "off"])),
        5 => format!(",{}", random.choose(HYPERV_SETS)),
        6 => format!(",level={}", random.below(40)),
        _ => format!(",{}", random.choose(PROPERTIES)),
    }
}

/// Mostly small and often odd numbers; some of them hot-pluggable.
pub(super) fn smp(random: &mut Random) -> String {
    if random.percent(30) {
        return (1 + random.below(4)).to_string();
    }
    let [sockets, dies, modules, cores, threads] = [3, 3, 3, 6, 3].map(|end| 1 + random.below(end));
    let (dies, modules) =
        (if random.percent(60) { 1 } else { dies }, if random.percent(70) { 1 } else { modules });
    let all = sockets * dies * modules * cores * threads;
    let present = if random.percent(20) { 1 + random.below(all) } else { all.min(24) };
    let mut text = format!("{present},maxcpus={all},sockets={sockets},cores={cores},threads={threads}");
    if dies > 1 {
        text += &format!(",dies={dies}");
    }
    if modules > 1 {
        text += &format!(",modules={modules}");
    }
    text
}
