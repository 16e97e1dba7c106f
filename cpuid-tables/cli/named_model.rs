//! What a CPU model's name adds to a source that states a model and some bits: libvirt's `<cpu>`, `-cpu` of a command line.

use cpuid_tables::dump::Cpu;
use cpuid_tables::naming::PsabiLevel;
use cpuid_tables::{CpuidEntry, CpuidWord, FeatureSet, IndexedLeaf, QemuRelease, Registers, feature};

use super::advice;

/// Names that stand for whatever the host has.
const OF_THE_HOST: [&str; 5] = ["host", "host-passthrough", "host-model", "max", "maximum"];

/// The host's name, where a source that states some bits has the rest from its host.
pub(crate) fn of_the_host(cpu: &Cpu) -> Option<&str> {
    cpu.name.as_deref().filter(|name| advice::is_open(cpu) && OF_THE_HOST.contains(name))
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
    let name = cpu.name.as_deref().filter(|_| advice::is_open(cpu))?;
    let of_level = || Some(PsabiLevel::named(name)?.features().collect());
    QemuRelease::NEWEST
        .cpu_model(name)
        .map(|model| model.features())
        .or_else(of_level)
        .or_else(|| unmigratable(cpu, name))
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
