//! What hosts have in common where some of them state only some bits, such as `/proc/cpuinfo`, `lscpu` or a node's labels.
//!
//! A host that names a CPU model states the model's features. A feature is common if every host states it; it is lacking if one states that it does not have it. What some state and
//! others leave open is kept apart: nothing is taken for 0 that nobody said.

use std::collections::{BTreeMap, BTreeSet};

use cpuid_tables::dump::Cpu;
use cpuid_tables::naming::{PsabiLevel, usual_name};
use cpuid_tables::show::{Asked, Style, Styled};
use cpuid_tables::{
    CpuModel, CpuidEntry, CpuidRead, Feature, FeatureSet, Named, QemuRelease, Vendor, feature,
};
use serde_json::{Value, json};

use super::hint::each_once;
use super::named_model::{asked_of_a_host, vendor_of};
use super::stated::{Has, stated};

/// Hosts, some of which state only some bits.
#[derive(Default)]
pub(crate) struct StatedFleet {
    /// Whole tables: how many, and what all of them have.
    whole: usize,
    on_all_whole: FeatureSet,
    on_some_whole: FeatureSet,
    /// The others: the name, and each bit that one of its CPUs states.
    open: Vec<(String, BTreeMap<Named, bool>)>,
    /// The vendors that hosts state.
    vendors: BTreeSet<Vendor>,
}

/// What is known of a bit on all hosts.
enum Known {
    Common,
    Lacking,
    /// The hosts that do not state it.
    Open(Vec<String>),
}

fn is_of(model: CpuModel, vendor: Vendor) -> bool {
    vendor_of(model) == Some(vendor)
}

impl StatedFleet {
    /// Adds a CPU's whole table.
    pub(crate) fn add_whole(&mut self, entries: &[CpuidEntry]) {
        let features = entries.features();
        self.on_all_whole = if self.whole == 0 { features } else { self.on_all_whole & features };
        self.on_some_whole |= features;
        self.whole += 1;
        self.vendors.extend(entries.vendor());
    }

    /// Adds a CPU that states only some bits. Of CPUs with one name, which are one host's, each has to have a bit.
    pub(crate) fn add_open(&mut self, name: &str, cpu: &Cpu) {
        let mut bits: BTreeMap<Named, bool> = cpu.beside.bits.clone();
        for feature in Feature::all() {
            let bit = Named::Feature(feature);
            bits.extend(stated(cpu, &Asked::Bit(bit)).map(|on| (bit, on)));
        }
        self.vendors.extend(cpu.entries.vendor().filter(|vendor| vendor.0 != [0; 12]));
        match self.open.iter_mut().find(|(other, _)| other == name) {
            None => self.open.push((name.to_owned(), bits)),
            Some((_, all)) => {
                all.retain(|bit, _| bits.contains_key(bit));
                for (bit, on) in all {
                    *on &= bits.get(bit).copied().unwrap_or_default();
                }
            }
        }
    }

    /// True if a host states only some bits.
    pub(crate) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    fn hosts(&self) -> usize {
        self.whole + self.open.len()
    }

    /// The bits that at least one host has, with what is known of them on all.
    fn bits(&self) -> Vec<(Named, Known)> {
        let stated =
            self.open.iter().flat_map(|(_, bits)| bits.iter().filter(|(_, on)| **on).map(|(bit, _)| *bit));
        let all: BTreeSet<Named> = stated.chain(self.on_some_whole.iter().map(Named::Feature)).collect();
        all.into_iter().map(|bit| (bit, self.known(bit))).collect()
    }

    fn known(&self, bit: Named) -> Known {
        let on_whole: Has = match bit {
            _ if self.whole == 0 => Some(true),
            Named::Feature(feature) => Some(self.on_all_whole.contains(feature)),
            // A table of CPUID does not state it.
            _ => None,
        };
        let lacks =
            on_whole == Some(false) || self.open.iter().any(|(_, bits)| bits.get(&bit) == Some(&false));
        if lacks {
            return Known::Lacking;
        }
        let open =
            self.open.iter().filter(|(_, bits)| !bits.contains_key(&bit)).map(|(name, _)| name.clone());
        let mut open: Vec<String> = open.collect();
        open.extend(on_whole.is_none().then(|| "whole tables".to_owned()));
        if open.is_empty() { Known::Common } else { Known::Open(open) }
    }

    /// The 64-bit CPU models all of whose features every host states, the one with the most features first, those of the
    /// hosts' vendor before all others; none for hosts of two vendors.
    fn models(&self, release: QemuRelease) -> Vec<CpuModel> {
        if self.vendors.len() > 1 {
            return Vec::new();
        }
        let common = self.common();
        let vendor = self.vendors.first();
        let is_own = |model: CpuModel| vendor.is_some_and(|vendor| is_of(model, *vendor));
        let mut all: Vec<(usize, CpuModel)> = release
            .cpu_models()
            .flat_map(CpuModel::versions)
            .filter(|model| model.has(feature::LM))
            .filter_map(|model| {
                let asked = asked_of_a_host(model);
                let fits = asked.is_subset(&common) && !asked.is_empty();
                fits.then_some((asked.len(), model))
            })
            .collect();
        all.sort_by_key(|(count, model)| std::cmp::Reverse((is_own(*model), *count)));
        all.into_iter().map(|(_, model)| model).collect()
    }

    /// The model that [`StatedFleet::styled`] names.
    pub(crate) fn model(&self, release: QemuRelease) -> Option<CpuModel> {
        self.models(release).first().copied()
    }

    /// The model of the hosts' vendor with the most features that none is known to lack, and the features that not every host
    /// states; `None` if that is not more than another model has.
    fn perhaps(&self, release: QemuRelease, than: Option<CpuModel>) -> Option<(CpuModel, FeatureSet)> {
        let (vendor, common) = (self.vendors.first().filter(|_| self.vendors.len() == 1)?, self.common());
        let lacking: FeatureSet = Feature::all()
            .filter(|feature| matches!(self.known(Named::Feature(*feature)), Known::Lacking))
            .collect();
        let own = release.cpu_models().flat_map(CpuModel::versions);
        let own = own.filter(|model| is_of(*model, *vendor) && model.has(feature::LM));
        let possible = own.map(|model| (model, asked_of_a_host(model)));
        let possible = possible.filter(|(_, asked)| asked.intersection(lacking).is_empty());
        let (best, asked) = possible.max_by_key(|(_, asked)| asked.len())?;
        let more = than.is_none_or(|than| asked.len() > asked_of_a_host(than).len());
        more.then_some((best, asked - common))
    }

    /// The features that every host has.
    fn common(&self) -> FeatureSet {
        let features = self.bits().into_iter().filter_map(|(bit, known)| match (bit, known) {
            (Named::Feature(feature), Known::Common) => Some(feature),
            _ => None,
        });
        features.collect()
    }

    /// Whether a model is known to run on every host; it is not known that none does.
    pub(crate) fn has_model(&self, release: QemuRelease) -> Has {
        (!self.models(release).is_empty()).then_some(true)
    }

    pub(crate) fn styled(&self, release: QemuRelease) -> Styled {
        let mut text = Styled::new();
        let (hosts, open) = (self.hosts(), self.open.len());
        let plural = if hosts == 1 { "" } else { "s" };
        text.push(Style::Heading, format_args!("{hosts} host{plural}"));
        let states = if open == 1 { "states" } else { "state" };
        text.plain(format_args!(", {open} of which {states} only some features\n"));
        match self.models(release).first() {
            Some(model) => {
                text.plain("model:   ").push(Style::Good, model);
                text.plain(": every host states all of its features\n");
                if let Some(vendor) = self.vendors.first().filter(|vendor| !is_of(*model, **vendor)) {
                    text.plain(format_args!(
                        "         it is {}'s: no model of {vendor} fits\n",
                        model.vendor()
                    ));
                }
            }
            None if self.vendors.len() > 1 => {
                let vendors: Vec<String> = self.vendors.iter().map(ToString::to_string).collect();
                text.plain("model:   ").push(Style::Doubt, "none");
                text.plain(format_args!(": a guest cannot move between {}\n", vendors.join(" and ")));
            }
            None => {
                text.plain("model:   ").push(Style::Doubt, "not known");
                text.plain(": no model of which every host states all features\n");
            }
        }
        if let Some((model, open)) = self.perhaps(release, self.models(release).first().copied()) {
            let names: Vec<&str> = open.iter().map(|feature| usual_name(Named::Feature(feature))).collect();
            text.plain("perhaps: ").push(Style::Doubt, model);
            text.plain(format_args!(
                ": no host is known to lack its features; not stated by every host: {}\n",
                each_once(names).join(" ")
            ));
        }
        match PsabiLevel::highest_in(&self.common()) {
            Some(level) => text.plain(format_args!("level:   {}: every host states it\n", level.name())),
            None => text.plain("level:   not known: no level of x86-64 that every host states\n"),
        };
        let (mut common, mut lacking, mut not_stated) = (Vec::new(), Vec::new(), Vec::new());
        for (bit, known) in self.bits() {
            match known {
                Known::Common => common.push(usual_name(bit)),
                Known::Lacking => lacking.push(usual_name(bit)),
                Known::Open(_) => not_stated.push(usual_name(bit)),
            }
        }
        for (heading, names) in [
            ("Every host has", common),
            ("Some host states that it lacks", lacking),
            ("Not stated by every host, and lacking nowhere", not_stated),
        ] {
            if !names.is_empty() {
                text.plain('\n')
                    .line(Style::Heading, heading)
                    .plain(format_args!("  {}\n", each_once(names).join(" ")));
            }
        }
        text
    }

    pub(crate) fn to_json(&self, release: QemuRelease) -> Value {
        let bits = self.bits();
        let names = |wanted: fn(&Known) -> bool| -> Vec<&str> {
            bits.iter().filter(|(_, known)| wanted(known)).map(|(bit, _)| usual_name(*bit)).collect()
        };
        let open = bits.iter().filter_map(|(bit, known)| match known {
            Known::Open(hosts) => Some(json!({ "name": usual_name(*bit), "hosts": hosts })),
            _ => None,
        });
        json!({
            "hosts": self.hosts(),
            "open": self.open.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "models": self.models(release).iter().map(ToString::to_string).collect::<Vec<_>>(),
            "features": names(|known| matches!(known, Known::Common)),
            "lacking": names(|known| matches!(known, Known::Lacking)),
            "not_stated": open.collect::<Vec<_>>(),
            "level": PsabiLevel::highest_in(&self.common()).map(PsabiLevel::name),
        })
    }
}
