//! What is at a place, or has a value there.

use alloc::vec::Vec;

use super::found::Found;
use super::names::all_of;
use crate::bits::description::{Part, describe};
use crate::bits::feature::Feature;
use crate::bits::field::Field;
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, Place, Register, Subleaf};
use crate::bits::lookup::Named;
use crate::bits::msr_feature::MsrFeature;
use crate::bits::own_fields;
use crate::bits::release::{LinuxRelease, QemuRelease};
use crate::show::hypervisor::{self, Kind};
use crate::show::msr::{AboutMsr, MsrBits};
use crate::show::{About, decode_register};

/// A register or one of its bits by its word's name: QEMU's `FEAT_7_0_EBX[5]`, Linux's and KVM's `CPUID_7_0_EBX`.
pub(super) fn of_word(text: &str) -> Option<Place> {
    let (name, bit) = text.split_once('[').map_or((text, None), |(name, bit)| (name, Some(bit)));
    let is_called = |feature: &Feature| {
        let qemu = QemuRelease::ALL.into_iter().filter_map(|release| feature.qemu_word(release));
        let kvm = LinuxRelease::ALL.into_iter().filter_map(|release| feature.kvm_word(release));
        let mut names = qemu.map(|word| word.name).chain(kvm.map(|word| word.leaf));
        names.any(|known| known.eq_ignore_ascii_case(name))
    };
    let word = Feature::all().find(is_called)?.location().word;
    let Some(bit) = bit else { return Some(Place::Register(word)) };
    let bit = bit.strip_suffix(']')?.parse().ok().filter(|bit| *bit < 32)?;
    Some(Place::Bits(word, Bit(bit), Bit(bit)))
}

pub(super) fn at(place: Place) -> Vec<Found> {
    match place {
        Place::Leaf(leaf, subleaf) => {
            let leaves = in_leaf(leaf, subleaf);
            // A number without a leaf may be an MSR's.
            let msr = || subleaf.is_none().then(|| AboutMsr::new(Msr(leaf.0))).flatten().map(Found::Msr);
            if leaves.is_empty() { msr().into_iter().collect() } else { leaves }
        }
        Place::Register(word) => {
            let parts: Vec<Part> = parts_of(word).collect();
            if parts.is_empty() { Vec::new() } else { alloc::vec![Found::Register(word, parts)] }
        }
        Place::Bits(word, low, high) => {
            let wanted = u32::MAX >> (31 - (high.0 - low.0)) << low.0;
            let there = parts_of(word).filter(|part| part.mask() & wanted != 0);
            there
                .map(|part| match part {
                    Part::Feature(feature) => Found::Bit(About::new(Named::Feature(feature))),
                    Part::Field(field) => Found::Field(field),
                })
                .collect()
        }
        Place::Value(word, value) => alloc::vec![Found::Value(decode_register(word, value))],
        Place::LinuxBit(at) => {
            let in_release = |release: LinuxRelease| {
                let there = all_of(release.feature_at(at.word, at.bit));
                (!there.is_empty()).then_some(Found::LinuxBit(at, release, there))
            };
            LinuxRelease::ALL.into_iter().filter_map(in_release).collect()
        }
        Place::Msr(msr) => AboutMsr::new(msr).map(Found::Msr).into_iter().collect(),
        Place::MsrValue(msr, value) => {
            AboutMsr::new(msr).map(|about| Found::MsrValue(about, value)).into_iter().collect()
        }
        Place::MsrBit(at) => {
            let feature = MsrFeature::at(at).map(|bit| Found::Bit(About::new(Named::Msr(bit))));
            let manual = || Some(Found::MsrBit(at, AboutMsr::new(at.msr)?.bit_name(at.bit)?));
            let other = || MsrBits::new(at.msr, at.bit, at.bit).map(Found::MsrBits);
            feature.or_else(manual).or_else(other).into_iter().collect()
        }
    }
}

/// The parts of a register, Hyper-V's leaves included.
fn parts_of(word: CpuidWord) -> impl Iterator<Item = Part> {
    let hypervisors = hypervisor::all_fields().map(|(_, field)| field).filter(move |field| field.is_in(word));
    describe(word).chain(hypervisors.map(Part::Field))
}

/// The parts of all registers of a leaf; a part of several subleaves is listed at the first one. A hypervisor's leaf
/// that KVM and Hyper-V both have is listed twice.
fn in_leaf(leaf: Leaf, subleaf: Option<Subleaf>) -> Vec<Found> {
    let hyperv =
        |part: &Part| matches!(part, Part::Field(field) if hypervisor::whose(*field) == Some(Kind::Hyperv));
    let (of_hyperv, others): (Vec<_>, Vec<_>) =
        parts_in(leaf, subleaf).into_iter().partition(|(_, part)| hyperv(part));
    let lists = [others, of_hyperv].into_iter().filter(|parts| !parts.is_empty());
    lists.map(|parts| Found::Leaf(leaf, subleaf, parts)).collect()
}

fn parts_in(leaf: Leaf, subleaf: Option<Subleaf>) -> Vec<(CpuidWord, Part)> {
    let fields = || {
        let own = hypervisor::all_fields().map(|(_, field)| field).filter(move |field| field.leaf() == leaf);
        Field::in_leaf(leaf).chain(own_fields::in_leaf(leaf)).chain(own)
    };
    let subleaves: Vec<u32> = match subleaf {
        Some(subleaf) => alloc::vec![subleaf.0],
        None => {
            let of_fields = fields().map(|field| *field.subleaves().start());
            let of_features = Feature::all().filter(|bit| bit.leaf() == leaf).map(|bit| bit.subleaf().0);
            let mut all: Vec<u32> = of_fields.chain(of_features).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
    };
    let words = subleaves.into_iter().flat_map(|subleaf| {
        Register::ALL.map(|register| CpuidWord { leaf, subleaf: Subleaf(subleaf), register })
    });
    let first = |(word, part): &(CpuidWord, Part)| match part {
        Part::Field(field) => subleaf.is_some() || *field.subleaves().start() == word.subleaf.0,
        Part::Feature(_) => true,
    };
    words.flat_map(|word| parts_of(word).map(move |part| (word, part))).filter(first).collect()
}
