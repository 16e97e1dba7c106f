//! Queries a QEMU program over QMP with `cpuid-gen`'s reader, and converts its answers.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use cpuid_program::diagnostic::Diagnostics;
use cpuid_program::facts::{Facts, QemuFacts, read};
use cpuid_program::location as theirs;
use cpuid_program::model::cpu_models::{CpuDefinition, CpuModel as GenModel};
use cpuid_program::model::guest::{Target, WordMask as GenMask};
use cpuid_program::model::{Model as GenTables, QemuRelease as GenRelease};
use cpuid_program::program::{Answers, Program, ProgramError, Qemu, Stated, ask_for, nearest, overlay};
use cpuid_program::source::Sources;
use cpuid_program::vocabulary::cpu_model::DefaultVersion as GenVersion;

use super::{
    ProgramVersion, QemuProgram, StatedDefinition, StatedMachine, StatedModel, StatedTarget, StatedVersion,
};
use crate::bits::location::{Bit, CpuidWord, Leaf, Msr, Register, Subleaf, WordSource};
use crate::bits::qemu_cpu::DefaultVersion;
use crate::bits::release::QemuRelease;
use crate::generated::guest_tables::{Dependency, GUESTS, WordMask};
use crate::guest::filtered::name_of;

/// Why a program cannot be described.
#[derive(Debug)]
#[non_exhaustive]
pub enum QemuProgramError {
    /// It cannot be queried, or an answer is not understood.
    Program(ProgramError),
    /// The tables were built from releases whose facts this library does not have.
    Tables,
    /// Its answers contradict each other.
    Facts(String),
}

impl fmt::Display for QemuProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QemuProgramError::Program(error) => error.fmt(f),
            QemuProgramError::Tables => f.write_str(
                "the tables of this build are not those of the pinned releases, whose facts complete those of a program",
            ),
            QemuProgramError::Facts(message) => write!(f, "the program's answers are inconsistent: {message}"),
        }
    }
}

impl core::error::Error for QemuProgramError {}

impl From<ProgramError> for QemuProgramError {
    fn from(error: ProgramError) -> QemuProgramError {
        QemuProgramError::Program(error)
    }
}

/// Called before each start of the program, with the number of starts so far.
pub type Progress<'f> = &'f mut dyn FnMut(usize);

/// Counts the starts.
struct Counted<'f> {
    program: Program,
    runs: RefCell<(usize, Progress<'f>)>,
}

impl Qemu for Counted<'_> {
    fn run(&self, arguments: &[&str], commands: &[serde_json::Value]) -> Result<Answers, ProgramError> {
        {
            let mut runs = self.runs.borrow_mut();
            let (count, progress) = &mut *runs;
            progress(*count);
            *count += 1;
        }
        self.program.run(arguments, commands)
    }
}

/// The tables of facts. The facts are read from their text, so that an error has a line.
fn merged(text: &str) -> Result<GenTables, QemuProgramError> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add("the program's facts", text);
    let Some(Facts::Qemu(facts)) = read(&sources, file, &mut diagnostics) else {
        return Err(QemuProgramError::Facts(diagnostics.render(&sources)));
    };
    let (tables, more) = GenTables::merge(&[], &[facts]);
    diagnostics.append(more);
    if diagnostics.has_errors() {
        return Err(QemuProgramError::Facts(diagnostics.render(&sources).trim_end().to_string()));
    }
    Ok(tables)
}

impl QemuProgram {
    /// Queries a program, which is started about fifteen times, under TCG and without a guest; this takes a few seconds. The
    /// versions that a machine type selects are queried only for `machine`, a machine type's name or alias such as `q35`; those
    /// of other machine types are the nearest release's.
    ///
    /// # Errors
    ///
    /// A [`QemuProgramError`] if it cannot be run, does not answer as QEMU does, or has a feature word that the
    /// nearest release lacks.
    pub fn ask(path: &Path, machine: &str, progress: Progress<'_>) -> Result<QemuProgram, QemuProgramError> {
        let counted = Counted { program: Program::new(path), runs: RefCell::new((0, progress)) };
        let machine = super::name::without_suffix(machine).unwrap_or(machine);
        let stated = ask_for(&counted, machine)?;
        let base = nearest(known_facts(), &stated.release).ok_or(QemuProgramError::Tables)?;
        QemuProgram::new(&stated, &base)
    }

    fn new(stated: &Stated, base: &QemuFacts) -> Result<QemuProgram, QemuProgramError> {
        let facts_of = QemuRelease::find(&base.release).ok_or(QemuProgramError::Tables)?;
        let tables = merged(&overlay(stated, base)?.text)?;
        let release = tables.qemu.first().ok_or(QemuProgramError::Tables)?;
        let words = &GUESTS[facts_of.index()].words;
        let source = |index: theirs::Word| words.get(usize::from(index.0)).and_then(|word| word.source);
        if release.guest.words.iter().any(|(index, word)| source(*index) != Some(ours(word.source))) {
            return Err(QemuProgramError::Tables);
        }
        let mut migratable = alloc::vec![None; words.len()];
        for (index, word) in &release.guest.words {
            migratable[usize::from(index.0)] = Some(word.migratable);
        }
        let mask = |bits: &GenMask| WordMask { word: bits.word.0, mask: bits.mask };
        let deps = release.guest.deps.iter();
        let deps = deps.map(|[from, to]| Dependency { needed: mask(from), needing: mask(to) });
        Ok(QemuProgram {
            version: ProgramVersion { numbers: numbers(&stated.release), package: stated.package.clone() },
            facts_of,
            properties: properties(release, facts_of),
            migratable,
            deps: deps.collect(),
            new_names: new_names(stated, facts_of),
            models: release.models.iter().map(|model| self::model(model, release, facts_of)).collect(),
            machines: machines(stated, release),
            not_asked: stated.not_asked.clone(),
        })
    }
}

/// The pinned facts of the releases in the tables.
fn known_facts() -> Vec<QemuFacts> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (_, mut qemu) = cpuid_program::input::pinned(&mut sources, &mut diagnostics);
    qemu.retain(|facts| QemuRelease::ALL.iter().any(|release| release.name() == facts.release));
    qemu
}

fn numbers(release: &str) -> [u32; 3] {
    let mut numbers = release.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// The generator's location in this crate's types.
fn ours(source: theirs::WordSource) -> WordSource {
    match source {
        theirs::WordSource::Msr(msr) => WordSource::Msr(Msr(msr.0)),
        theirs::WordSource::Cpuid(theirs::CpuidWord { leaf, subleaf, register }) => {
            let register = match register {
                theirs::Register::Eax => Register::Eax,
                theirs::Register::Ebx => Register::Ebx,
                theirs::Register::Ecx => Register::Ecx,
                theirs::Register::Edx => Register::Edx,
            };
            WordSource::Cpuid(CpuidWord::new(Leaf(leaf.0), Subleaf(subleaf.0), register))
        }
    }
}

fn properties(release: &GenRelease, facts_of: QemuRelease) -> BTreeMap<String, StatedTarget> {
    let known: Vec<&str> = facts_of.cpu_properties().map(|property| property.name).collect();
    let target = |target: &Target| match target {
        Target::Bits(bits) => StatedTarget::Bits(WordMask { word: bits.word.0, mask: bits.mask }),
        Target::Other(index) => {
            let name = release.board.properties.get(*index).map(|property| property.name.as_str());
            let at =
                known.iter().position(|known| Some(*known) == name).and_then(|at| u16::try_from(at).ok());
            at.map_or(StatedTarget::NotModelled, StatedTarget::Other)
        }
    };
    release.guest.properties.iter().map(|(name, found)| (name.clone(), target(found))).collect()
}

/// The names of bits that the nearest release names differently, or does not name.
fn new_names(stated: &Stated, facts_of: QemuRelease) -> Vec<(WordSource, Bit, &'static str)> {
    let new = stated.bits.iter().filter_map(|named| {
        let (source, bit) = (ours(named.source), Bit(named.bit.0));
        name_of(facts_of, source, bit).is_none().then(|| (source, bit, interned(&named.name)))
    });
    new.collect()
}

/// A name that lives as long as the process, each stored once: findings refer to names of static tables.
fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.to_string().into_boxed_str());
    names.insert(kept);
    kept
}

fn model(model: &GenModel, release: &GenRelease, facts_of: QemuRelease) -> StatedModel {
    let known = facts_of.cpu_model(&model.name);
    // A program does not state caches: a version that the release lacks gets those of the version before.
    let caches = |version: u32| {
        let versions = known.into_iter().flat_map(|known| known.versions().rev());
        let before =
            versions.filter(|known| u32::from(known.version_number()) <= version).map(|known| known.caches());
        before.into_iter().next().unwrap_or_else(|| known.and_then(|known| known.base().caches()))
    };
    let definition = |definition: &CpuDefinition, version: u32| StatedDefinition {
        level: definition.level,
        xlevel: definition.xlevel,
        family: definition.family,
        model: definition.model,
        stepping: definition.stepping,
        model_id: definition.model_id.clone(),
        avx10: definition.avx10,
        masks: definition
            .words
            .iter()
            .filter_map(|(word, mask)| Some((ours(*release.sources.get(word)?), *mask)))
            .collect(),
        properties: definition.props.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        caches: caches(version),
    };
    let versions = model.versions.iter().map(|version| StatedVersion {
        alias: version.alias.clone(),
        definition: definition(&version.definition, version.version),
    });
    StatedModel { name: model.name.clone(), base: definition(&model.base, 0), versions: versions.collect() }
}

fn machines(stated: &Stated, release: &GenRelease) -> Vec<StatedMachine> {
    let version = |version: GenVersion| match version {
        GenVersion::Legacy => DefaultVersion::Legacy,
        GenVersion::Latest => DefaultVersion::Latest,
        GenVersion::Version(number) => DefaultVersion::Version(number),
    };
    let of = |name: &str| stated.machines.iter().find(|machine| machine.name == name);
    let machines = release.board.machines.iter().map(|machine| {
        let of = of(&machine.name);
        StatedMachine {
            name: machine.name.clone(),
            alias: of.and_then(|of| of.alias.clone()),
            max_cpus: of.and_then(|of| of.max_cpus),
            default_version: version(machine.default_version),
            compat: machine
                .compat
                .iter()
                .map(|row| (row.of.clone(), row.property.clone(), row.value.clone()))
                .collect(),
            kvm_defaults: machine.kvm_defaults.clone(),
        }
    });
    machines.collect()
}
