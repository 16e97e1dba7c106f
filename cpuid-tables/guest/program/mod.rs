//! A QEMU program as it describes itself: its CPU models, machine types and properties replace a release's.
//!
//! Everything else is that of the nearest release in the tables, [`QemuProgram::facts_of`]: dependencies, XSAVE
//! components, caches, KVM's defaults. The code's behaviour is that of [`QemuProgram::behaves_as`]. A program does
//! not describe these parts, nor how a distribution patched its code; what is known of both is in `cpuid-gen`. Feature `program` makes one: `QemuProgram::ask`.

#[cfg(feature = "program")]
mod ask;
mod machine;
mod model;
mod name;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "program")]
pub use ask::{Progress, QemuProgramError};
pub(crate) use machine::{MachineRef, StatedMachine};
pub(crate) use model::{Asked, Model, StatedModel};
#[cfg(feature = "program")]
use model::{StatedDefinition, StatedVersion};
pub use name::{ProgramVersion, upstream_machine};

use super::behaviour::{KNOWN, is_compared};
use crate::bits::location::{Bit, WordSource};
use crate::bits::release::QemuRelease;
use crate::generated::guest_tables::{Dependency, WordMask};

/// A QEMU program: its models, machine types and properties are its own; everything else is that of the nearest release.
#[derive(Clone, Debug)]
pub struct QemuProgram {
    pub(crate) version: ProgramVersion,
    pub(crate) facts_of: QemuRelease,
    /// By name.
    pub(crate) properties: BTreeMap<String, StatedTarget>,
    /// By word: the bits that `-cpu host` may have in a migratable guest; `None` for a word that the program lacks.
    pub(crate) migratable: Vec<Option<u64>>,
    /// Features without which others are removed.
    pub(crate) deps: Vec<Dependency>,
    /// The names of bits that the nearest release does not have.
    pub(crate) new_names: Vec<(WordSource, Bit, &'static str)>,
    pub(crate) models: Vec<StatedModel>,
    pub(crate) machines: Vec<StatedMachine>,
    pub(crate) not_asked: Vec<String>,
}

/// What a property of a program sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "program"), expect(dead_code, reason = "only the reader of programs makes them"))]
pub(crate) enum StatedTarget {
    /// Bits of a feature word.
    Bits(WordMask),
    /// The property with this index in the nearest release's list.
    Other(u16),
    /// Something that the nearest release does not have.
    NotModelled,
}

impl QemuProgram {
    /// Its version, with the distribution's name for the package.
    #[must_use]
    pub fn version(&self) -> &ProgramVersion {
        &self.version
    }

    /// The release whose facts replace those that a program does not state.
    #[must_use]
    pub fn facts_of(&self) -> QemuRelease {
        self.facts_of
    }

    /// The release, by major and minor number, whose code's behaviour is assumed: its own, or the nearest that is known.
    #[must_use]
    pub fn behaves_as(&self) -> (u32, u32) {
        let [first, last] = KNOWN;
        self.version.series().clamp(first, last)
    }

    /// True if no program of the release in [`behaves_as`](Self::behaves_as) was compared: its behaviour is an estimate
    /// between the nearest older and the nearest newer one.
    #[must_use]
    pub fn is_estimate(&self) -> bool {
        !is_compared(self.behaves_as())
    }

    /// The queries that the program does not support.
    pub fn not_asked(&self) -> impl Iterator<Item = &str> {
        self.not_asked.iter().map(String::as_str)
    }

    /// The names of its CPU models, their versions and aliases, in its order.
    pub fn model_names(&self) -> impl Iterator<Item = String> + use<'_> {
        self.models.iter().flat_map(StatedModel::names)
    }

    /// Its PC machine types, in its order, each with its alias.
    pub fn machine_names(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.machines.iter().map(|machine| (machine.name.as_str(), machine.alias.as_deref()))
    }

    /// The properties of its CPUs, by name.
    pub fn property_names(&self) -> impl Iterator<Item = &str> {
        self.properties.keys().map(String::as_str)
    }

    /// The name of a bit that the nearest release does not name.
    pub(crate) fn new_name(&self, source: WordSource, bit: Bit) -> Option<&'static str> {
        let found = self.new_names.iter().find(|(known, at, _)| (*known, *at) == (source, bit));
        found.map(|(_, _, name)| *name)
    }
}

impl fmt::Display for QemuProgram {
    /// Which parts are the program's, and which are not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QemuProgram { version, facts_of, .. } = self;
        write!(
            f,
            "QEMU {version}: its models, machine types and properties are the program's; dependencies, XSAVE components, \
             caches and KVM's defaults are QEMU {facts_of}'s; "
        )?;
        let (major, minor) = self.behaves_as();
        write!(f, "its code is assumed to behave as QEMU {major}.{minor}'s")?;
        if self.behaves_as() != version.series() {
            f.write_str(", the nearest known")?;
        }
        if self.is_estimate() { f.write_str(", which is an estimate") } else { Ok(()) }
    }
}
