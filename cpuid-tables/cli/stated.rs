//! What a CPU states of what is asked, and how the answers to an ambiguous name become one.

use cpuid_tables::dump::Cpu;
use cpuid_tables::show::{Asked, Enlightenment, MsrAnswer, msr_answer};
use cpuid_tables::{
    CpuidEntry, CpuidRead as _, CpuidWord, Feature, Hypervisor, Leaf, MsrBit, Named, SoftwareFeature, Subleaf,
};

use super::outcome::{Failed, Result};
use super::{advice, feature};

/// Whether a CPU has it; none where that is not stated.
pub(crate) type Has = Option<bool>;

/// Whether a CPU has what is asked.
pub(crate) fn stated(cpu: &Cpu, asked: &Asked) -> Has {
    match asked {
        Asked::Bit(Named::Feature(feature)) => feature_stated(cpu, *feature),
        Asked::Bit(bit) => {
            let linux = |named: Named| cpu.beside.bits.get(&named).copied();
            let capability = || linux(Named::Vmx(asked.capability()?));
            linux(*bit).or_else(capability).or_else(|| msr_bits_stated(cpu, &asked.msr_bits()))
        }
        Asked::MsrBit(..) => msr_bits_stated(cpu, &asked.msr_bits()),
        Asked::Msr(about) => {
            let here = cpu.msrs.as_ref()?.contains_key(&about.msr);
            // Of an MSR that is not a feature MSR, the list says nothing.
            let listed = cpu.beside.all_msrs && about.qemu_word.is_some();
            if here { Some(true) } else { listed.then_some(false) }
        }
        Asked::Field(field) => {
            let word = CpuidWord::new(field.leaf(), Subleaf(*field.subleaves().start()), field.register());
            any_bit(cpu, word, field.mask())
        }
        Asked::Leaf(leaf, subleaf) => leaf_stated(cpu, *leaf, *subleaf),
        Asked::Enlightenment(one) => enlightenment_stated(cpu, one),
        _ => None,
    }
}

/// Of flags of Linux's own with the name of a bit, the one of the bit that is asked for, where a CPU lists it.
pub(crate) fn own_flag(
    cpu: &Cpu,
    asked: &Asked,
    flags: &[(Feature, SoftwareFeature)],
) -> Option<(Feature, SoftwareFeature)> {
    let is_listed = |flag: SoftwareFeature| cpu.beside.bits.get(&Named::Software(flag)) == Some(&true);
    flags.iter().copied().find(|(bit, flag)| asked.feature() == Some(*bit) && is_listed(*flag))
}

/// A flag of Linux's own, for a message.
pub(crate) fn flag_name(flag: SoftwareFeature) -> String {
    format!("Linux's own flag {}", flag.linux_macro().to_lowercase())
}

/// Whether a CPU has a feature.
pub(crate) fn feature_stated(cpu: &Cpu, feature: Feature) -> Has {
    any_bit(cpu, feature.location().word, feature.mask())
}

/// Whether one of some bits of a register is set, all of which have to be known to be 0.
fn any_bit(cpu: &Cpu, word: CpuidWord, mask: u32) -> Has {
    if is_above_maximum(cpu, word.leaf) || is_above_subleaves(cpu, word.leaf, word.subleaf) {
        return Some(false);
    }
    let Some(at) = cpu.entries.iter().position(|entry| entry.answers(word.leaf, word.subleaf)) else {
        return if advice::is_piece(cpu) { None } else { Some(false) };
    };
    if cpu.entries[at].register(word.register) & mask != 0 {
        return Some(true);
    }
    (cpu.known(at)[word.register] & mask == mask).then_some(false)
}

/// A leaf without a value is one that the CPU does not have.
fn leaf_stated(cpu: &Cpu, leaf: Leaf, subleaf: Option<Subleaf>) -> Has {
    if is_above_maximum(cpu, leaf) {
        return Some(false);
    }
    let here = |entry: &CpuidEntry| {
        entry.function == leaf && subleaf.is_none_or(|subleaf| entry.answers(leaf, subleaf))
    };
    let mut there = cpu.entries.iter().filter(|entry| here(entry));
    if there.any(|entry| !entry.registers.is_zero()) {
        return Some(true);
    }
    if advice::is_piece(cpu) { None } else { Some(false) }
}

/// Every one of some bits of MSRs.
fn msr_bits_stated(cpu: &Cpu, bits: &[MsrBit]) -> Has {
    let one = |at: &MsrBit| {
        let answer = cpu.msrs.as_ref().and_then(|msrs| msr_answer(msrs, *at));
        answer.map(MsrAnswer::is_available).or(cpu.beside.all_msrs.then_some(false))
    };
    let all: Vec<Has> = bits.iter().map(one).collect();
    if all.contains(&Some(false)) {
        Some(false)
    } else {
        (!all.is_empty() && !all.contains(&None)).then_some(true)
    }
}

/// By what a KVM can give, else by a guest's own leaves.
fn enlightenment_stated(cpu: &Cpu, one: &Enlightenment) -> Has {
    let is_set = |entries: &[CpuidEntry]| one.bits.iter().all(|(word, mask)| set(entries, *word, *mask));
    if one.bits.is_empty() {
        return None;
    }
    if let Some(entries) = &cpu.beside.hyperv {
        return Some(is_set(entries));
    }
    // What KVM supports does not contain Hyper-V's leaves, whatever KVM can do.
    if advice::is_open(cpu) || matches!(cpu.name.as_deref(), Some("supported" | "emulated")) {
        return None;
    }
    let hyperv = cpu.entries.hypervisors().any(|found| found.signature == Hypervisor::HYPERV);
    Some(hyperv && is_set(&cpu.entries))
}

/// All bits of a mask; of a number, any, unless it is the number that turns the thing off.
fn set(entries: &[CpuidEntry], word: CpuidWord, mask: u32) -> bool {
    let value = entries.iter().find(|entry| entry.answers(word.leaf, word.subleaf));
    let value = value.map_or(0, |entry| entry.register(word.register)) & mask;
    let is_number = mask.count_ones() > 4;
    if is_number { value != 0 && value != u32::MAX } else { value == mask }
}

/// True for a leaf that is above the highest of its range, where the table states that. The hypervisor's ranges are whatever
/// it makes of them.
pub(crate) fn is_above_maximum(cpu: &Cpu, leaf: Leaf) -> bool {
    let first = Leaf(leaf.0 & 0xffff_0000);
    if !matches!(first.0, 0 | 0x8000_0000 | 0xc000_0000) {
        return false;
    }
    let head = cpu.entries.iter().position(|entry| entry.answers(first, Subleaf(0)));
    head.is_some_and(|at| {
        cpu.known(at).eax == u32::MAX && leaf.0 > cpu.entries[at].registers.eax.max(first.0)
    })
}

/// True for a subleaf of leaf 7 above its highest, where the table states that.
fn is_above_subleaves(cpu: &Cpu, leaf: Leaf, subleaf: Subleaf) -> bool {
    let first = cpu.entries.iter().position(|entry| entry.answers(Leaf(7), Subleaf(0)));
    leaf == Leaf(7)
        && first.is_some_and(|at| cpu.known(at).eax == u32::MAX && subleaf.0 > cpu.entries[at].registers.eax)
}

/// One that has it not decides.
pub(crate) const fn both(one: Has, other: Has) -> Has {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, _) | (_, None) => None,
        _ => Some(true),
    }
}

/// The answer to what was asked: of a list of names, whether all of them are there; of a name that stands for several things,
/// theirs if they have the same one.
///
/// # Errors
///
/// The things of one name have different answers.
pub(crate) fn answer(name: &str, answers: &[(&Asked, Has)]) -> Result<Has> {
    if feature::is_list(name) {
        return Ok(answers.iter().map(|(_, has)| *has).fold(Some(true), both));
    }
    the_same(name, answers)
}

/// The answer to a name that stands for several things: theirs if they have the same one.
///
/// # Errors
///
/// They have different ones: each with its answer and its place.
fn the_same(name: &str, answers: &[(&Asked, Has)]) -> Result<Has> {
    let first = answers.first().and_then(|(_, has)| *has);
    if answers.iter().all(|(_, has)| *has == first) {
        return Ok(first);
    }
    let answer = |has: Has| match has {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not stated",
    };
    let each =
        answers.iter().map(|(one, has)| format!("{} at {}: {}", one.name(), one.place(), answer(*has)));
    let places: Vec<String> = answers.iter().map(|(one, _)| one.place()).collect();
    Err(Failed::new(format!("`{name}` is ambiguous: {}", each.collect::<Vec<_>>().join("; ")))
        .help(format!("select one by its location: '{}'", places.join("' or '"))))
}
