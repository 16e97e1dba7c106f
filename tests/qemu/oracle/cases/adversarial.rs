//! Random cases of what people type: options of other machines, unusual spellings, wrong values, odd amounts of memory;
//! features, Hyper-V, VMX, levels and widths in every combination.

use cpuid_tables::{Feature, MsrFeature, QemuRelease};

use super::lists::HYPERV_SETS;
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
    &["on", "off", "auto", "yes", "no", "true", "y", "n", "1", "0", "0x10", "2G", "split", "maybe", "", "32"];

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

/// Numbers for properties that take one.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "0xd",
    "0x10",
    "0x14",
    "0x1f",
    "0x24",
    "0x29",
    "31",
    "32",
    "36",
    "39",
    "40",
    "47",
    "48",
    "52",
    "53",
    "57",
    "64",
    "255",
    "256",
    "0x80000000",
    "0x80000008",
    "0x8000001d",
    "0x80000021",
    "0xc0000001",
    "4294967295",
    "4294967296",
    "-1",
    " 1",
    "1 ",
    "010",
    "0X10",
    "1e3",
    "",
];

const NUMBER_PROPERTIES: &[&str] = &[
    "avx10-version",
    "family",
    "guest-phys-bits",
    "host-phys-bits-limit",
    "hv-spinlocks",
    "hv-version-id-build",
    "hv-version-id-major",
    "hv-version-id-minor",
    "hv-version-id-sbranch",
    "hv-version-id-snumber",
    "hv-version-id-spack",
    "lbr-fmt",
    "level",
    "level-func7",
    "min-level",
    "min-xlevel",
    "min-xlevel2",
    "model",
    "phys-bits",
    "stepping",
    "tsc-frequency",
    "ucode-rev",
    "x-hv-max-vps",
    "xlevel",
    "xlevel2",
];

const SWITCHES: &[&str] = &[
    "check",
    "cpuid-0xb",
    "enforce",
    "fill-mtrr-mask",
    "full-cpuid-auto-level",
    "host-cache-info",
    "host-phys-bits",
    "hv-apicv",
    "hv-avic",
    "hv-crash",
    "hv-emsr-bitmap",
    "hv-enforce-cpuid",
    "hv-evmcs",
    "hv-frequencies",
    "hv-ipi",
    "hv-passthrough",
    "hv-reenlightenment",
    "hv-relaxed",
    "hv-reset",
    "hv-runtime",
    "hv-stimer",
    "hv-stimer-direct",
    "hv-synic",
    "hv-syndbg",
    "hv-time",
    "hv-tlbflush",
    "hv-tlbflush-direct",
    "hv-tlbflush-ext",
    "hv-vapic",
    "hv-vpindex",
    "hv-xmm-input",
    "kvm",
    "kvm-pv-enforce-cpuid",
    "l3-cache",
    "legacy-cache",
    "legacy-multi-node",
    "lmce",
    "migratable",
    "pmu",
    "tcg-cpuid",
    "vmware-cpuid-freq",
    "x-amd-topoext-features-only",
    "x-arch-cap-always-on",
    "x-consistent-cache",
    "x-force-cpuid-0x1f",
    "x-force-features",
    "x-hv-synic-kvm-only",
    "x-intel-pt-auto-level",
    "x-l1-cache-per-thread",
    "x-pdcm-on-even-without-pmu",
    "x-vendor-cpuid-only",
    "x-vendor-cpuid-only-v2",
];

const VENDORS: &[&str] = &[
    "GenuineIntel",
    "AuthenticAMD",
    "HygonGenuine",
    "CentaurHauls",
    "  Shanghai  ",
    "aaaaaaaaaaaa",
    "thirteen-byte",
];

/// This many cases from a seed.
pub fn adversarial(release: QemuRelease, hosts: &[&str], count: usize, seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed ^ 0x6164_7665_7273_6172);
    let models = models(release);
    let machines: Vec<&str> = release.machines().map(|machine| machine.name()).collect();
    let mut features: Vec<&str> = Feature::all().filter_map(|feature| feature.qemu_name(release)).collect();
    features.extend(MsrFeature::all().filter_map(|feature| feature.qemu_name(release)));
    let properties: Vec<&str> = release.cpu_properties().map(|property| property.name).collect();
    let cases = (0..count).map(|_| {
        let mut cpu = match random.below(4) {
            0 => (*random.choose(&["host", "max"])).to_owned(),
            _ => random.choose(&models).clone(),
        };
        for _ in 0..random.below(5) {
            cpu += &setting(&mut random, &features);
        }
        if random.percent(15) {
            cpu += &any_property(&mut random, &properties);
        }
        let mut machine =
            if random.percent(40) { *random.choose(&machines) } else { *random.choose(&MACHINES) }.to_owned();
        if random.percent(30) {
            machine += &option(&mut random);
        }
        let memory = random.percent(12).then(|| (*random.choose(MEMORY)).to_owned());
        let mut more = memory.map_or(Vec::new(), |memory| vec!["-m".to_owned(), memory]);
        if random.percent(8) {
            more.extend(["-overcommit".to_owned(), "cpu-pm=on".to_owned()]);
        }
        if random.percent(8) {
            more.extend(["-accel".to_owned(), accel(&mut random)]);
        }
        for _ in 0..random.below(8).saturating_sub(5) {
            more.extend(["-global".to_owned(), global(&mut random, &cpu, &models, &features)]);
        }
        let smp = smp(&mut random);
        let host: &&str = random.choose(hosts);
        Case { more, ..Case::new(host, &cpu, &smp, &machine) }
    });
    cases.collect()
}

/// A setting of `-cpu`, with its comma.
fn setting(random: &mut Random, features: &[&str]) -> String {
    let spelled = |random: &mut Random, name: &str| {
        if random.percent(20) { name.replace('-', "_") } else { name.to_owned() }
    };
    let feature: &&str = random.choose(features);
    let (number, switch): (&&str, &&str) = (random.choose(NUMBER_PROPERTIES), random.choose(SWITCHES));
    // Most often a value that the property takes.
    let (values, numbers) =
        if random.percent(85) { (&VALUES[..8], &NUMBERS[..24]) } else { (VALUES, NUMBERS) };
    match random.below(14) {
        0 | 12 => format!(",+{}", spelled(random, feature)),
        1 | 13 => format!(",-{}", spelled(random, feature)),
        2 => format!(",{}={}", spelled(random, feature), random.choose(&values[..values.len().min(2)])),
        3 => format!(",{}", spelled(random, feature)),
        4 => format!(",{}", random.choose(HYPERV_SETS)),
        5..=6 => format!(",{}={}", spelled(random, number), random.choose(numbers)),
        7 => format!(",{}", spelled(random, switch)),
        8 => format!(",{}={}", spelled(random, switch), random.choose(values)),
        9 => format!(",vendor={}", random.choose(VENDORS)),
        10 => format!(",{}", random.choose(SETTINGS)),
        _ => format!(",{}", random.choose(&["+svm", "+vmx", "-vmx", "pmu=on", "migratable=off"])),
    }
}

/// Any property of the release's CPUs, with any value.
fn any_property(random: &mut Random, properties: &[&str]) -> String {
    if random.percent(25) {
        return format!(",{}", random.choose(OF_ANY_DEVICE));
    }
    let value = if random.percent(50) { random.choose(VALUES) } else { random.choose(NUMBERS) };
    format!(",{}={value}", random.choose(properties))
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

/// Values of KVM's accelerator.
const ACCEL: &[&str] = &[
    "kernel-irqchip=on",
    "kernel-irqchip=split",
    "kernel-irqchip=off",
    "kernel-irqchip",
    "kernel_irqchip=split",
    "kernel-irqchip=auto",
    "kvm-shadow-mem=0x1000",
    "dirty-ring-size=4096",
    "dirty-ring-size=4097",
    "notify-vmexit=disable",
    "notify-vmexit=maybe",
    "notify-window=10",
    "xen-version=0",
    "thread=multi",
    "tb-size=1",
];

fn accel(random: &mut Random) -> String {
    let mut text = (*random.choose(&["kvm", "kvm", "kvm", "accel=kvm"])).to_owned();
    for _ in 0..=random.below(2) {
        text += &format!(",{}", random.choose(ACCEL));
    }
    text
}

/// Types of which a CPU is, and one that no CPU has.
const TYPES: &[&str] = &["x86_64-cpu", "cpu", "max-x86_64-cpu", "host-x86_64-cpu", "Itanium-x86_64-cpu"];

/// Global properties of other devices, as libvirt sets them.
const OF_DEVICES: &[&str] = &[
    "kvm-pit.lost_tick_policy=delay",
    "ICH9-LPC.disable_s3=1",
    "driver=PIIX4_PM,property=disable_s4,value=1",
];

/// Properties of every device, most of which a user cannot set, and texts for those that take one.
const OF_ANY_DEVICE: &[&str] = &[
    "apic-id=1",
    "crash-information=1",
    "feature-words=1",
    "hotpluggable=on",
    "hotplugged=on",
    "hv-no-nonarch-coresharing=auto",
    "hv-no-nonarch-coresharing=on",
    "hv-vendor-id=",
    "hv-vendor-id=KVMKVMKVM",
    "hv-vendor-id=more than twelve",
    "memory=ram",
    "parent_bus=x",
    "realized=on",
    "type=host",
    "unavailable-features=1",
    "x-misaligned-mem=on",
];

/// Most often of the guest's own CPU, and a property that it has.
fn global(random: &mut Random, cpu: &str, models: &[String], features: &[&str]) -> String {
    if random.percent(10) {
        return (*random.choose(OF_DEVICES)).to_owned();
    }
    let model = cpu.split(',').next().unwrap_or_default();
    let driver = match random.below(8) {
        0 => format!("{}-x86_64-cpu", random.choose(models)),
        1..=2 => (*random.choose(TYPES)).to_owned(),
        _ => format!("{model}-x86_64-cpu"),
    };
    let (name, value) = match random.below(6) {
        0 => (random.choose(SWITCHES), random.choose(&VALUES[..4])),
        1 => (random.choose(NUMBER_PROPERTIES), random.choose(&NUMBERS[..20])),
        _ => (random.choose(features), random.choose(&VALUES[..2])),
    };
    match random.below(10) {
        0 => format!("driver={driver},property={name},value={value}"),
        1 => format!("{driver}.{}={value}", name.replace('-', "_")),
        _ => format!("{driver}.{name}={value}"),
    }
}

/// The numbers of `-smp`, some of which no PC has.
const LEVELS: [&str; 9] =
    ["sockets", "dies", "cores", "threads", "maxcpus", "modules", "clusters", "books", "drawers"];

fn smp(random: &mut Random) -> String {
    match random.below(8) {
        0..=2 => String::new(),
        3..=5 => random::smp(random),
        6 => (*random.choose(COUNTS)).to_owned(),
        _ => {
            let mut text = (*random.choose(COUNTS)).to_owned();
            for level in LEVELS {
                if random.percent(30) {
                    text += &format!(",{level}={}", random.choose(COUNTS));
                }
            }
            if random.percent(10) { text + "," } else { text }
        }
    }
}
