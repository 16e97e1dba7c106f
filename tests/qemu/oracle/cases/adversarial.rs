//! Random cases of what people type: options of other machines, unusual spellings, wrong values, odd amounts of memory.

use cpuid_tables::QemuRelease;

use super::models;
use super::random;
use crate::oracle::case::Case;
use crate::oracle::random::Random;

const MACHINES: [&str; 7] = ["q35", "pc", "isapc", "microvm", "q35", "pc", "q35"];

/// Names of machine options, some of which no machine or only another machine has.
const OPTIONS: &[&str] = &[
    "acpi",
    "auto-kernel-cmdline",
    "aux-ram-share",
    "bus-lock-ratelimit",
    "cxl",
    "default-bus-bypass-iommu",
    "default_bus_bypass_iommu",
    "dt-compatible",
    "dump-guest-core",
    "fd-bootchk",
    "graphics",
    "hmat",
    "hpet",
    "i8042",
    "ioapic2",
    "isa-serial",
    "kernel-irqchip",
    "kernel_irqchip",
    "kvm-shadow-mem",
    "kvm-type",
    "max-fw-size",
    "max-ram-below-4g",
    "mem-merge",
    "nvdimm",
    "nvdimm-persistence",
    "option-roms",
    "pcie",
    "pic",
    "pit",
    "rtc",
    "sata",
    "smbios-entry-point-type",
    "smbus",
    "smm",
    "suppress-vmdesc",
    "usb",
    "vmport",
    "x-oem-id",
    "x-oem-table-id",
    "x-option-roms",
    "x-south-bridge",
];

const VALUES: &[&str] =
    &["on", "off", "auto", "yes", "no", "true", "y", "1", "0", "0x10", "2G", "split", "maybe", "", "32"];

const COUNTS: &[&str] = &["0", "1", "2", "3", "4", "6", "16", "0x4", "010", "-1", "4294967296", "4294967298"];

const MEMORY: &[&str] = &[
    "64",
    "512",
    "0",
    "2G",
    "3G",
    "3.4G",
    "3584M",
    "4G",
    "1.5G",
    "2G,maxmem=4G",
    "2G,slots=2,maxmem=8G",
    "1G,slots=1",
    "1G,maxmem=512M",
    "size=1G,",
    "1G,slots=300,maxmem=4G",
    "1X",
];

const SETTINGS: &[&str] = &[
    "family=0",
    "family=6,model=5,stepping=2",
    "host-phys-bits-limit=34",
    "lm=off",
    "-lm",
    "lm=on,family=0",
    "model-id=",
    "node-id=-1",
    "node-id=0",
    "node-id=1",
    "phys-bits=32",
    "phys-bits=33",
    "phys-bits=36",
    "start-powered-off=off",
    "start-powered-off=maybe",
    "start_powered_off=on",
    "thread-id=0",
    "socket-id=1",
    "tsc-freq=.5G",
    "tsc-frequency=1e9",
    "hv_relaxed,hv_time",
    "check,,enforce=off",
    "host_phys_bits",
    "+host-phys-bits",
    "level=0xd",
    "xlevel=0x80000008",
    "vendor=short",
];

/// This many cases from a seed.
pub fn adversarial(release: QemuRelease, hosts: &[&str], count: usize, seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed ^ 0x6164_7665_7273_6172);
    let models = models(release);
    let machines: Vec<&str> = release.machines().map(|machine| machine.name()).collect();
    let cases = (0..count).map(|_| {
        let mut cpu = match random.below(3) {
            0 => (*random.choose(&["host", "max"])).to_owned(),
            _ => random.choose(&models).clone(),
        };
        for _ in 0..random.below(2) {
            cpu += ",";
            let setting: &&str = random.choose(SETTINGS);
            cpu += setting;
        }
        let mut machine =
            if random.percent(20) { *random.choose(&machines) } else { *random.choose(&MACHINES) }.to_owned();
        for _ in 0..random.below(2) {
            machine += &option(&mut random);
        }
        let memory = random.percent(20).then(|| (*random.choose(MEMORY)).to_owned());
        let more = memory.map_or(Vec::new(), |memory| vec!["-m".to_owned(), memory]);
        let smp = smp(&mut random);
        let host: &&str = random.choose(hosts);
        Case { more, ..Case::new(host, &cpu, &smp, &machine) }
    });
    cases.collect()
}

fn option(random: &mut Random) -> String {
    match random.below(12) {
        0 => ",".to_owned(),
        // A multiple of 2^32 here would undo -smp's number, which the library does not model.
        1 => format!(",smp.{}={}", random.choose(&["cpus", "cores", "threads"]), random.choose(&COUNTS[..8])),
        2 => format!(
            ",smp-cache.0.cache={},smp-cache.0.topology={}",
            random.choose(&["l1d", "l1i", "l2", "l3"]),
            random.choose(&["default", "core", "module", "die", "socket"])
        ),
        3 => format!(",{}", random.choose(OPTIONS)),
        // Most often a value that the option takes.
        4..=8 => format!(",{}={}", random.choose(OPTIONS), random.choose(&VALUES[..3])),
        _ => format!(",{}={}", random.choose(OPTIONS), random.choose(VALUES)),
    }
}

fn smp(random: &mut Random) -> String {
    match random.below(8) {
        0..=2 => String::new(),
        3..=5 => random::smp(random),
        6 => (*random.choose(COUNTS)).to_owned(),
        _ => {
            let mut text = (*random.choose(COUNTS)).to_owned();
            for level in ["sockets", "dies", "cores", "threads", "maxcpus"] {
                if random.percent(30) {
                    text += &format!(",{level}={}", random.choose(COUNTS));
                }
            }
            if random.percent(10) { text + "," } else { text }
        }
    }
}
