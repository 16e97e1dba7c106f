//! May a guest migrate? Every guest that fifty real processors can run, moved to every processor of the same vendor.
//!
//! `processors/` has what the CPUID instruction of each answers. A host is that with a current KVM. What the destination lacks
//! is computed twice: by comparing tables, and by building the same guest there as QEMU does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;
use std::{env, fs};

use cpuid_tables::guest;
use cpuid_tables::guest::{Filtered, GuestCpuid};
use cpuid_tables::host::{Host, HostFile};
use cpuid_tables::naming::name_of;
use cpuid_tables::show::{Migration, Obstacle};
use cpuid_tables::{Bit, CpuModel, CpuidWord, Feature, WordSource};

use super::migration::{SPEED, migration};
use crate::common;
use crate::oracle::hosts::{Vendor, of_instruction};

/// Processors of one vendor, oldest first.
const INTEL: [&str; 32] = [
    "conroe",
    "yorkfield",
    "nehalem-ep",
    "westmere-ep",
    "westmere-ex",
    "sandy-bridge-ep",
    "ivy-bridge-ep",
    "haswell-ep",
    "broadwell-ep",
    "skylake-sp",
    "cascade-lake-sp",
    "ice-lake-sp",
    "sapphire-rapids",
    "emerald-rapids",
    "granite-rapids",
    "sandy-bridge",
    "ivy-bridge",
    "haswell",
    "broadwell",
    "skylake",
    "kaby-lake",
    "coffee-lake",
    "comet-lake",
    "rocket-lake",
    "tiger-lake",
    "alder-lake",
    "raptor-lake",
    "meteor-lake",
    "arrow-lake",
    "lunar-lake",
    "denverton",
    "elkhart-lake",
];
const AMD: [&str; 18] = [
    "barcelona",
    "istanbul",
    "magny-cours",
    "interlagos",
    "abu-dhabi",
    "kaveri",
    "naples",
    "rome",
    "milan",
    "genoa",
    "bergamo",
    "turin",
    "summit-ridge",
    "pinnacle-ridge",
    "matisse",
    "vermeer",
    "raphael",
    "granite-ridge",
];

/// Successive generations of one kind: each runs the guests of the one before it.
const LINES: [&[&str]; 5] = [
    &[
        "conroe",
        "yorkfield",
        "nehalem-ep",
        "westmere-ex",
        "sandy-bridge-ep",
        "ivy-bridge-ep",
        "haswell-ep",
        "broadwell-ep",
        "skylake-sp",
        "cascade-lake-sp",
        "ice-lake-sp",
        "sapphire-rapids",
        "emerald-rapids",
        "granite-rapids",
    ],
    &[
        "sandy-bridge",
        "ivy-bridge",
        "haswell",
        "broadwell",
        "skylake",
        "kaby-lake",
        "coffee-lake",
        "comet-lake",
        "rocket-lake",
    ],
    &["alder-lake", "raptor-lake", "meteor-lake", "arrow-lake", "lunar-lake"],
    &["barcelona", "istanbul", "magny-cours"],
    &["naples", "rome", "milan", "genoa", "bergamo", "turin"],
];

/// Features that a generation has and the next one does not, and why. Everything else is kept.
const LOST: &[(&str, &str, &str)] = &[
    ("sandy-bridge-ep", "xsaveopt", "the dump of this Ivy Bridge has no subleaf 1 of leaf 0xD"),
    ("broadwell", "hle", "TSX is off in the client Skylake that was measured"),
    ("broadwell", "rtm", "TSX is off in the client Skylake that was measured"),
    ("coffee-lake", "hle", "TSX was taken out of Comet Lake"),
    ("coffee-lake", "rtm", "TSX was taken out of Comet Lake"),
];

fn host(name: &str, vendor: Vendor) -> Host {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/show/processors").join(name);
    let text = fs::read_to_string(path.with_extension("entries")).unwrap();
    let mut read = Host::default();
    read.read(HostFile::Instruction, &text).unwrap();
    assert!(read.instruction.len() > 5, "{name}");
    of_instruction(vendor, read.instruction)
}

/// A host, and the guests of QEMU's CPU models on it, some with features that they do not get.
struct Machine {
    name: &'static str,
    vendor: Vendor,
    host: Host,
    guests: BTreeMap<&'static str, GuestCpuid>,
}

static MACHINES: LazyLock<Vec<Machine>> = LazyLock::new(|| {
    let machine = |(name, vendor, host): (_, _, Host)| Machine { name, vendor, guests: guests(&host), host };
    hosts().into_iter().map(machine).collect()
});

fn hosts() -> Vec<(&'static str, Vendor, Host)> {
    let of =
        |names: &'static [&str], vendor| names.iter().map(move |name| (*name, vendor, host(name, vendor)));
    of(&INTEL, Vendor::INTEL).chain(of(&AMD, Vendor::AMD)).collect()
}

fn shown(found: &Migration) -> Vec<String> {
    found.obstacles.iter().map(ToString::to_string).collect()
}

fn guests(host: &Host) -> BTreeMap<&'static str, GuestCpuid> {
    let models = guest::default_release().cpu_models().map(CpuModel::name);
    let guest = |model| Some((model, GuestCpuid::builder().model(model).host(host).build().ok()?));
    models.chain(["host"]).filter_map(guest).collect()
}

/// The guests that get all that was asked for.
fn whole(machine: &Machine) -> impl Iterator<Item = (&'static str, &GuestCpuid)> {
    let guests = machine.guests.iter().map(|(model, guest)| (*model, guest));
    guests.filter(|(_, guest)| guest.filtered().is_empty())
}

/// The features among the obstacles, by location.
fn obstacles(found: &Migration) -> BTreeSet<(CpuidWord, u32)> {
    let bits = found.obstacles.iter().filter_map(|obstacle| match obstacle {
        Obstacle::Bits(bits) => Some(bits),
        _ => None,
    });
    bits.flat_map(|bits| {
        let missing = bits.started & !bits.there;
        let low = bits.meaning.mask.trailing_zeros();
        (0..32 - low).filter(move |bit| missing >> bit & 1 != 0).map(move |bit| (bits.word, 1 << (bit + low)))
    })
    .filter(|(word, mask)| feature(*word, *mask).is_some())
    .collect()
}

fn feature(word: CpuidWord, mask: u32) -> Option<Feature> {
    Feature::at(word.bit(Bit(u8::try_from(mask.trailing_zeros()).ok()?)))
}

/// A feature that says that something is gone: QEMU filters it, and a guest that was started with it works without it.
const GONE: &str = "no-nested-data-bp";

/// The features that QEMU would filter from a model on the destination, apart from those that say how fast it is.
fn filtered(there: &GuestCpuid) -> BTreeSet<(CpuidWord, u32)> {
    let is_needed =
        |filtered: &&Filtered| !filtered.name.is_some_and(|name| SPEED.contains(&name) || name == GONE);
    let place = |filtered: &Filtered| match filtered.source {
        WordSource::Cpuid(word) => Some((word, 1 << filtered.bit.0)),
        WordSource::Msr(_) => None,
    };
    let bits = there.filtered().iter().filter(is_needed).filter_map(place);
    // An XSAVE component is there if its feature is.
    bits.filter(|(word, mask)| feature(*word, *mask).is_some()).collect()
}

fn names(bits: &BTreeSet<(CpuidWord, u32)>) -> Vec<&'static str> {
    bits.iter().filter_map(|(word, mask)| feature(*word, *mask)).map(name_of).collect()
}

#[test]
fn a_guest_moves_to_its_own_host_and_elsewhere_if_nothing_is_missing() {
    if !common::pinned("a_guest_moves_to_its_own_host_and_elsewhere_if_nothing_is_missing") {
        return;
    }
    let machines = &*MACHINES;
    assert!(machines.len() >= 40);
    let (mut wrong, mut counts) = (Vec::new(), [0; 3]);
    // The oldest host of a vendor that runs a model.
    let mut oldest: BTreeMap<(&str, &[u8; 12]), &Machine> = BTreeMap::new();
    for machine in machines {
        let newer = |(model, _): &(&'static str, _)| !oldest.contains_key(&(*model, machine.vendor.0));
        let new: Vec<&str> = whole(machine).filter(newer).map(|(model, _)| model).collect();
        oldest.extend(new.iter().map(|model| ((*model, machine.vendor.0), machine)));
        // All of them would take minutes: those for the first time, and the one with everything.
        for model in new.into_iter().chain(["host"]) {
            let own = migration(&machine.guests[model], &machine.host);
            if !own.can_move() {
                wrong.push(format!("{model} on {} itself: {:?}", machine.name, shown(&own)));
            }
            counts[0] += 1;
        }
    }
    for ((model, vendor), from) in oldest.into_iter().filter(|((model, _), _)| *model != "host") {
        for there in machines.iter().filter(|there| there.vendor.0 == vendor) {
            let Some(same) = there.guests.get(model) else { continue };
            let found = migration(&from.guests[model], &there.host);
            let (is, expected) = (obstacles(&found), filtered(same));
            if is != expected || found.can_move() != expected.is_empty() {
                let differ = names(&is.symmetric_difference(&expected).copied().collect());
                let can = found.can_move();
                wrong
                    .push(format!("{model} from {} to {}: {can}, differ: {differ:?}", from.name, there.name));
            }
            counts[1 + usize::from(found.can_move())] += 1;
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    // On its own host, no, yes.
    assert_eq!(counts, [103, 321, 947]);
}

#[test]
fn each_generation_takes_the_guests_of_the_one_before() {
    if !common::pinned("each_generation_takes_the_guests_of_the_one_before") {
        return;
    }
    let machines: BTreeMap<&str, &Machine> = MACHINES.iter().map(|machine| (machine.name, machine)).collect();
    let mut lost: Vec<(&str, &str)> = Vec::new();
    for line in LINES {
        for pair in line.windows(2) {
            let (from, to) = (machines[pair[0]], machines[pair[1]]);
            let mut missing = BTreeSet::new();
            for (_, guest) in whole(from).filter(|(model, _)| *model != "host") {
                missing.extend(names(&obstacles(&migration(guest, &to.host))));
            }
            lost.extend(missing.into_iter().map(|name| (pair[0], name)));
        }
    }
    let known: Vec<(&str, &str)> = LOST.iter().map(|(from, name, _)| (*from, *name)).collect();
    assert_eq!(lost, known);
}

/// The matrix: how many obstacles there are for `-cpu host` of each row on each column.
#[test]
fn the_matrix_is_the_published_one() {
    if !common::pinned("the_matrix_is_the_published_one") {
        return;
    }
    let mut text = String::new();
    for vendor in [Vendor::INTEL, Vendor::AMD] {
        let of_vendor: Vec<&Machine> = MACHINES.iter().filter(|machine| machine.vendor == vendor).collect();
        let width = of_vendor.iter().map(|machine| machine.name.len()).max().unwrap_or(0);
        let numbers: Vec<String> = (1..=of_vendor.len()).map(|number| format!("{number:4}")).collect();
        writeln!(text, "{:width$}     {}", "", numbers.concat()).unwrap();
        for (number, machine) in (1..).zip(&of_vendor) {
            let guest = &machine.guests["host"];
            let counts = of_vendor.iter().map(|there| match migration(guest, &there.host).obstacles.len() {
                0 => "   .".to_owned(),
                count => format!("{count:4}"),
            });
            writeln!(text, "{number:3}  {:width$}{}", machine.name, counts.collect::<String>()).unwrap();
        }
        text.push('\n');
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/show/processors/matrix.txt");
    if env::var("BLESS").as_deref() == Ok("1") {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text);
}
