//! Facts that a program states, completed by the facts of the nearest release, with the origin of each row.

use super::stated::{Machine, Stated, written};
use super::{ProgramError, models_of, unstated, words};
use crate::diagnostic::Diagnostics;
use crate::facts::{Facts, QemuBit, QemuCompat, QemuFacts, QemuMachine, QemuProperty, read, write_qemu};
use crate::location::WordSource;
use crate::ordered::{Set, sort_by};
use crate::source::Sources;

/// Facts, and how much of them the program stated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Overlaid {
    /// The facts.
    pub facts: QemuFacts,
    /// The text of the facts: before each run of rows of one origin, a comment states it.
    pub text: String,
    /// The number of rows that the program stated, and of rows from the base.
    pub rows: [usize; 2],
}

/// Properties of objects and of a CPU's position, which are not settings of a model.
const NOT_SETTINGS: [&str; 14] = [
    "crash-information",
    "feature-words",
    "filtered-features",
    "hotpluggable",
    "hotplugged",
    "legacy-memory",
    "memory",
    "parent_bus",
    "realized",
    "start-powered-off",
    "type",
    "unavailable-features",
    "lmce",
    "apic-id",
];

/// The program's facts, completed by those of `base`.
///
/// # Errors
///
/// [`ProgramError::UnknownWord`] if a property is a bit of a word that the base lacks, [`ProgramError::Facts`] if a name
/// or a number that the program states cannot be in facts.
pub fn overlay(stated: &Stated, base: &QemuFacts) -> Result<Overlaid, ProgramError> {
    let mut facts = base.clone();
    facts.release.clone_from(&stated.release);
    bits(stated, base, &mut facts)?;
    words::remove_absent(base, &mut facts);
    properties(stated, base, &mut facts);
    machines(stated, base, &mut facts);
    models_of::overlay(stated, &mut facts);
    unstated::apply(stated, &mut facts);
    let (text, rows) = marked(stated, base, &facts);
    check(&text, &facts)?;
    Ok(Overlaid { facts, text, rows })
}

/// Chooses among several releases the facts that complete those of a program: the oldest release that is not older than the
/// program, since words and names are only ever added, or else the newest. A stable release counts as its series.
#[must_use]
pub fn nearest(mut facts: Vec<QemuFacts>, release: &str) -> Option<QemuFacts> {
    let series = |release: &str| -> Vec<u32> {
        release.split('.').take(2).map(|part| part.parse().unwrap_or(0)).collect()
    };
    sort_by(&mut facts, |a, b| series(&a.release).cmp(&series(&b.release)));
    let at = facts.iter().position(|facts| series(&facts.release) >= series(release));
    match at {
        Some(at) => Some(facts.swap_remove(at)),
        None => facts.pop(),
    }
}

/// The named bits: the base's rows that the program has; new ones follow the others of their word.
fn bits(stated: &Stated, base: &QemuFacts, facts: &mut QemuFacts) -> Result<(), ProgramError> {
    let word_of = |source: WordSource| base.words.iter().find(|word| word.source.word_source() == source);
    let has = |row: &QemuBit| row.names().any(|name| stated.names.contains(name));
    facts.bits.retain(has);
    for bit in &stated.bits {
        let place = || format!("{} bit {}", bit.source, bit.bit.0);
        let Some(word) = word_of(bit.source) else {
            return Err(ProgramError::UnknownWord { property: bit.name.clone(), place: place() });
        };
        let same = |row: &&mut QemuBit| row.word == word.name && row.bit == bit.bit;
        match facts.bits.iter_mut().find(same) {
            Some(row) if row.names().any(|name| name == bit.name) => {}
            Some(row) => row.name.clone_from(&bit.name),
            None => {
                let before = |row: &QemuBit| row.word == word.name && row.bit < bit.bit;
                let at = facts.bits.iter().rposition(before);
                let at = at.or_else(|| facts.bits.iter().rposition(|row| row.word == word.name));
                let row =
                    QemuBit { word: word.name.clone(), bit: bit.bit, name: bit.name.clone(), at: base.at };
                facts.bits.insert(at.map_or(facts.bits.len(), |at| at + 1), row);
            }
        }
    }
    for name in &stated.names {
        if !facts.bits.iter().any(|row| row.names().any(|known| known == name)) {
            let place = "a word that the program does not show".to_owned();
            return Err(ProgramError::UnknownWord { property: name.clone(), place });
        }
    }
    Ok(())
}

/// The other properties: those that the program has.
fn properties(stated: &Stated, base: &QemuFacts, facts: &mut QemuFacts) {
    facts.properties.retain(|row| stated.properties.contains_key(&row.name));
    facts.aliases.retain(|row| stated.properties.contains_key(&row.name));
    let known: Set<String> = facts
        .bits
        .iter()
        .flat_map(|row| row.names().map(|name| name.replace('_', "-")))
        .chain(facts.properties.iter().map(|row| row.name.clone()))
        .chain(facts.aliases.iter().map(|row| row.name.clone()))
        .collect();
    let spelled = |name: &str| known.contains(name) || known.contains(&name.replace(['_', '.'], "-"));
    let field = ["vendor", "family", "model", "stepping", "model-id", "tsc-frequency"];
    for (name, kind) in &stated.properties {
        let other = NOT_SETTINGS.contains(&name.as_str())
            || field.contains(&name.as_str())
            || kind.starts_with("link<")
            || kind.starts_with("child<");
        if !other && !spelled(name) {
            let default = stated.empty.properties.get(name).map(written);
            facts.properties.push(QemuProperty {
                name: name.clone(),
                kind: kind.clone(),
                field: None,
                bit: None,
                default,
                at: base.at,
            });
        }
    }
}

/// The machine types, each after its base, and what each adds.
fn machines(stated: &Stated, base: &QemuFacts, facts: &mut QemuFacts) {
    let mut ordered: Vec<&Machine> = stated.machines.iter().collect();
    // In the base's order. A new machine type is the newest of its family and comes before all others.
    let place = |name: &str| base.machines.iter().position(|machine| machine.name == name);
    let rank = |machine: &Machine| {
        let family = family(&machine.name);
        let at = base.machines.iter().position(|known| self::family(&known.name) == family);
        at.unwrap_or(usize::MAX)
    };
    sort_by(&mut ordered, |a, b| rank(a).cmp(&rank(b)));
    facts.machines.clear();
    facts.compat.clear();
    for (at, machine) in ordered.iter().enumerate() {
        let newer = at.checked_sub(1).map(|at| ordered[at]).filter(|newer| is_next(newer, machine));
        let known = place(&machine.name).map(|at| &base.machines[at]);
        facts.machines.push(QemuMachine {
            name: machine.name.clone(),
            default_version: machine.default_version.or(known.and_then(|known| known.default_version)),
            base: newer.map(|newer| newer.name.clone()),
            at: base.at,
        });
        let own: Vec<&QemuCompat> = base.compat.iter().filter(|row| row.machine == machine.name).collect();
        let adds = added(machine, newer);
        let same =
            own.iter().filter(|row| row.of != "kvm-default").map(|row| three(row)).eq(adds.iter().cloned());
        if machine.compat.is_none() || same {
            facts.compat.extend(own.into_iter().cloned());
            continue;
        }
        facts.compat.extend(own.into_iter().filter(|row| row.of == "kvm-default").cloned());
        facts.compat.extend(adds.into_iter().map(|(of, property, value)| QemuCompat {
            machine: machine.name.clone(),
            of,
            property,
            value: Some(value),
            at: base.at,
        }));
    }
}

fn three(row: &QemuCompat) -> (String, String, String) {
    (row.of.clone(), row.property.clone(), row.value.clone().unwrap_or_default())
}

/// True if a machine type has the properties of another of its family, and then its own.
fn is_next(newer: &Machine, machine: &Machine) -> bool {
    let inherits = match (&newer.compat, &machine.compat) {
        (Some(newer), Some(all)) => all.starts_with(newer),
        (newer, all) => newer.is_none() && all.is_none(),
    };
    newer.name.contains('-') && family(&newer.name) == family(&machine.name) && inherits
}

/// What a machine type adds to the next newer one, whose properties come first.
fn added(machine: &Machine, newer: Option<&Machine>) -> Vec<(String, String, String)> {
    let all = machine.compat.as_deref().unwrap_or_default();
    let inherited = newer.and_then(|newer| newer.compat.as_deref()).unwrap_or_default();
    all.strip_prefix(inherited).unwrap_or(all).to_vec()
}

/// `pc-q35` of `pc-q35-11.1`.
fn family(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(family, _)| family)
}

/// Kinds of rows that a program states.
const STATED: [&str; 9] = [
    "qemu-release",
    "qemu-bit",
    "qemu-model",
    "qemu-model-word",
    "qemu-model-avx10",
    "qemu-model-version",
    "qemu-model-prop",
    "qemu-property",
    "qemu-alias",
];

/// The text must be read back as the same facts: a program can state any name and number.
fn check(text: &str, facts: &QemuFacts) -> Result<(), ProgramError> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let id = sources.add("the program's facts", text);
    let again = read(&sources, id, &mut diagnostics);
    match again {
        _ if diagnostics.has_errors() => Err(ProgramError::Facts(diagnostics.render(&sources))),
        Some(Facts::Qemu(again)) if write_qemu(&again) == write_qemu(facts) => Ok(()),
        _ => Err(ProgramError::Facts("a name with a line break or a tab".to_owned())),
    }
}

/// The facts as text with their origins, and the numbers of rows by origin.
fn marked(stated: &Stated, base: &QemuFacts, facts: &QemuFacts) -> (String, [usize; 2]) {
    let shown: Set<&str> = stated.bits.iter().map(|bit| bit.name.as_str()).collect();
    let states_compat = |name: Option<&str>| {
        stated.machines.iter().any(|machine| Some(machine.name.as_str()) == name && machine.compat.is_some())
    };
    let is_stated = |line: &str| {
        let mut columns = line.split('\t');
        match columns.next().unwrap_or_default() {
            "qemu-bit" => {
                columns.next_back().is_some_and(|name| name.split('|').any(|name| shown.contains(name)))
            }
            // The program states whether a model is deprecated, but not why.
            "qemu-model-deprecated" => false,
            "qemu-machine" => true,
            "qemu-compat" => {
                let machine = columns.next();
                states_compat(machine) && columns.next() != Some("kvm-default")
            }
            kind => STATED.contains(&kind),
        }
    };
    let (mut text, mut rows, mut last) = (String::new(), [0, 0], None);
    for line in write_qemu(facts).lines() {
        let program = is_stated(line);
        if last != Some(program) {
            text += &match program {
                true => format!("# from the program {}\n", stated.release),
                false => format!("# from the facts of {}\n", base.release),
            };
            last = Some(program);
        }
        rows[usize::from(!program)] += 1;
        text += line;
        text.push('\n');
    }
    (text, rows)
}
