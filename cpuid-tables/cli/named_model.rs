//! What a CPU model's name adds to a source that states a model and some bits: libvirt's `<cpu>`, `-cpu` of a command line.
//!
//! What asks for a guest's CPU has what QEMU asks of a host for it: the model with the source's features, after dependencies and KVM's
//! defaults. What describes a host has the model's own features.

use cpuid_tables::dump::{Cpu, Request};
use cpuid_tables::guest::{BuildError, CpuOption, CpuSetting, GuestCpuid, WordSource};
use cpuid_tables::host::Host;
use cpuid_tables::naming::PsabiLevel;
use cpuid_tables::{
    CpuModel, CpuidEntry, CpuidRead, CpuidWord, Feature, FeatureSet, IndexedLeaf, KvmTreatment, Leaf,
    LinuxRelease, QemuRelease, Registers, Vendor, feature,
};

use super::advice;
use super::stated::feature_stated;

/// CPUs of QEMU that are not models.
pub(crate) const NOT_MODELS: [&str; 3] = ["base", "host", "max"];
/// Names that stand for whatever the host has.
const OF_THE_HOST: [&str; 5] = ["host", "host-passthrough", "host-model", "max", "maximum"];
/// QEMU's CPU without features.
const EMPTY: &str = "base";

/// How Proxmox VE names a model of its own.
const CUSTOM: &str = "custom-";

/// The host's name, where a source that states some bits has the rest from its host.
pub(crate) fn of_the_host(cpu: &Cpu) -> Option<&str> {
    model_name(cpu).filter(|name| advice::is_open(cpu) && OF_THE_HOST.contains(name))
}

/// The model that a CPU names, or is based on.
pub(crate) fn model_name(cpu: &Cpu) -> Option<&str> {
    cpu.beside.model.as_deref().or(cpu.name.as_deref())
}

/// The model that a guest's CPU names, where no release of QEMU and no level has it.
pub(crate) fn unknown_model(cpu: &Cpu) -> Option<&str> {
    let name = model_name(cpu).filter(|_| asks(cpu))?;
    let is_known = OF_THE_HOST.contains(&name)
        || name == EMPTY
        || PsabiLevel::named(name).is_some()
        || newest_model(name).is_some();
    (!is_known).then_some(name)
}

/// The model that a guest's CPU names and that is a mistake: it is neither of QEMU's nor of Proxmox VE's cluster.
pub(crate) fn misspelt_model(cpu: &Cpu) -> Option<&str> {
    let is_custom =
        |name: &str| matches!(cpu.beside.request, Some(Request::Proxmox(_))) && name.starts_with(CUSTOM);
    unknown_model(cpu).filter(|name| !is_custom(name))
}

/// The vendor of a model.
pub(crate) fn vendor_of(model: CpuModel) -> Option<Vendor> {
    model.vendor().as_bytes().try_into().ok().map(Vendor)
}

/// A model of the newest release that has it.
pub(crate) fn newest_model(name: &str) -> Option<CpuModel> {
    QemuRelease::ALL.into_iter().rev().find_map(|release| release.cpu_model(name))
}

/// True for what asks for a guest's CPU.
fn asks(cpu: &Cpu) -> bool {
    cpu.beside.settings.is_some()
}

/// The CPU with the features of the model or level that it names, where it states only some bits. What it states itself, such as
/// a feature that is switched off, stays.
pub(crate) fn with_features(mut cpu: Cpu) -> Cpu {
    let Some(features) = features(&cpu) else { return cpu };
    let mut known = cpu.known.take().unwrap_or_else(|| vec![Registers::MAX; cpu.entries.len()]);
    for (word, mask) in features.words() {
        let at = position(&mut cpu.entries, &mut known, word);
        let new = mask & !known[at][word.register];
        cpu.entries[at].registers[word.register] |= new;
        known[at][word.register] |= new;
    }
    cpu.known = Some(known);
    cpu
}

fn features(cpu: &Cpu) -> Option<FeatureSet> {
    let name = model_name(cpu).filter(|_| advice::is_open(cpu))?;
    let model = newest_model(name);
    let of_level = || Some(PsabiLevel::named(name)?.features().collect());
    asks(cpu)
        .then(|| requested(cpu, name, model))
        .flatten()
        .or_else(|| model.map(CpuModel::features))
        .or_else(of_level)
        .or_else(|| unmigratable(cpu, name))
}

/// What QEMU asks of a host for a model with the features that the source switches on and off; `None` where that is not a model
/// or level, or QEMU refuses it.
fn requested(cpu: &Cpu, name: &str, model: Option<CpuModel>) -> Option<FeatureSet> {
    let release = model.map_or(QemuRelease::NEWEST, CpuModel::release);
    let option = match model {
        Some(_) => name.to_owned(),
        None => PsabiLevel::named(name)?.cpu_option(release)?,
    };
    let mut option: CpuOption = option.parse().ok()?;
    for feature in Feature::all() {
        let (Some(on), Some(name)) = (feature_stated(cpu, feature), feature.qemu_name(release)) else {
            continue;
        };
        let name = name.to_owned();
        option.settings.push(if on { CpuSetting::Plus(name) } else { CpuSetting::Minus(name) });
    }
    let pmu = cpu.beside.settings.as_ref().and_then(|all| all.get("pmu"));
    option.settings.extend(pmu.map(|value| CpuSetting::Set("pmu".to_owned(), value.clone())));
    let stated = cpu.entries.vendor().filter(|vendor| vendor.0 != [0; 12]);
    asked_features(release, option, stated.or(model.and_then(vendor_of))).ok()
}

/// The features that QEMU asks of a host for a model, except those that it or KVM gives every guest.
pub(crate) fn asked_of_a_host(model: CpuModel) -> FeatureSet {
    let option = CpuOption::new(&model.to_string());
    let Ok(features) = asked_features(model.release(), option, vendor_of(model)) else {
        return model.features();
    };
    let is_given = |feature: &Feature| {
        *feature == feature::HYPERVISOR || feature.kvm(LinuxRelease::NEWEST) == KvmTreatment::Emulated
    };
    // What the model does not have comes from QEMU's defaults for KVM, which KVM can give: x2apic.
    features.iter().filter(|feature| model.has(*feature) && !is_given(feature)).collect()
}

/// The features that QEMU asks for of a host of which only the vendor is known, Intel if not even that. A hypervisor's leaves are
/// the accelerator's, whatever the host has.
fn asked_features(
    release: QemuRelease,
    option: CpuOption,
    vendor: Option<Vendor>,
) -> Result<FeatureSet, BuildError> {
    let [ebx, ecx, edx] = vendor.unwrap_or(Vendor::INTEL).to_registers();
    let leaf_0 = CpuidEntry::new(Leaf(0), Registers::new(1, ebx, ecx, edx));
    let host = Host { instruction: vec![leaf_0], ..Host::default() };
    let words = GuestCpuid::builder().release(release).cpu(option).host(&host).requested()?;
    let mut features = FeatureSet::new();
    for (source, value) in words {
        match source {
            WordSource::Cpuid(word) if word.leaf.0 >> 28 != 4 => {
                // Bits without a name are no features.
                let _ = features.set_word(word, (value & 0xffff_ffff) as u32);
            }
            _ => {}
        }
    }
    Ok(features)
}

/// What the host's CPU has where it need not be migratable: a TSC of constant frequency, as every processor does that runs
/// a current QEMU.
fn unmigratable(cpu: &Cpu, name: &str) -> Option<FeatureSet> {
    let settings = cpu.beside.settings.as_ref().filter(|_| OF_THE_HOST.contains(&name))?;
    let off = settings.get("migratable").is_some_and(|value| value == "off");
    off.then(|| FeatureSet::from_iter([feature::CONSTANT_TSC]))
}

/// The entry of a word; a new one states nothing.
fn position(entries: &mut Vec<CpuidEntry>, known: &mut Vec<Registers>, word: CpuidWord) -> usize {
    let (leaf, subleaf) = (word.leaf, word.subleaf);
    if let Some(at) = entries.iter().position(|entry| entry.answers(leaf, subleaf)) {
        return at;
    }
    entries.push(match IndexedLeaf::get(leaf) {
        Some(_) => CpuidEntry::indexed(leaf, subleaf, Registers::ZERO),
        None => CpuidEntry::new(leaf, Registers::ZERO),
    });
    known.push(Registers::ZERO);
    entries.len() - 1
}
