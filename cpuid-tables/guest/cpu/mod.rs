//! A CPU before its table is built: feature words and settings (`X86CPU` and `CPUX86State` of target/i386/cpu.h), and
//! setting a property by its name.

pub(crate) mod avx10;
pub(crate) mod components;
pub(crate) mod expand;
pub(crate) mod filter;
pub(crate) mod flags;
pub(crate) mod levels;
pub(crate) mod load;
pub(crate) mod properties;
pub(crate) mod realize;
pub(crate) mod saved_msrs;
pub(crate) mod settings;
pub(crate) mod supported;
pub(crate) mod xsave;

use crate::bits::location::{Registers, WordSource};
use crate::table::Vendor;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::board::machine::Machine;
use super::board::topology::Topology;
use super::cpu::components::Components;
use super::cpu::flags::{Flag, Reg, WORDS};
use super::cpu::settings::Settings;
use super::cpu::supported::Supported;
use super::error::BuildError;
use super::filtered::{Filtered, Reason};
use super::program::Model;
use super::release::Release;
use super::warning::Warning;
use crate::generated::guest_tables::{Target, WordMask};
use crate::guest::parse::values::Value;
use crate::models::cache::Caches;
use crate::models::machine::CpuProperty;

/// The requested CPU.
#[derive(Clone, Copy)]
pub(crate) enum Class<'p> {
    /// One of QEMU's models.
    Model(Model<'p>),
    /// `host`, a kind of `max`.
    Host,
    /// Everything that the host supports.
    Max,
    /// Empty.
    Base,
}

impl Class<'_> {
    /// `host` or `max`.
    pub(crate) fn is_max(self) -> bool {
        matches!(self, Class::Host | Class::Max)
    }

    /// True if a compatibility property for this name applies.
    pub(crate) fn is_called(self, name: &str) -> bool {
        match self {
            Class::Model(model) => model.is_called(name),
            Class::Host => matches!(name, "host" | "max"),
            Class::Max => name == "max",
            Class::Base => name == "base",
        }
    }

    /// Whether the CPU is of a type: its own, or one that this is derived from. `asked` is the name of the model in
    /// `-cpu`: each of a model's names is a type of its own.
    pub(crate) fn is_of_type(self, name: &str, asked: &str) -> bool {
        match name.strip_suffix(CPU_TYPE) {
            Some(name) => name == asked || matches!(self, Class::Host) && name == "max",
            None => ["x86_64-cpu", "cpu", "device"].contains(&name),
        }
    }
}

/// A CPU before its table is built; equal for all vCPUs except for their APIC ids.
pub(crate) struct Cpu<'h> {
    pub(crate) release: Release<'h>,
    pub(crate) class: Class<'h>,
    pub(crate) machine: Machine<'h>,
    pub(crate) topology: Topology,
    pub(crate) supported: Supported<'h>,
    /// The features that the host supports, by word.
    pub(crate) host_words: [u64; WORDS],
    pub(crate) words: [u64; WORDS],
    /// Bits that a property has set or cleared.
    pub(crate) user_words: [u64; WORDS],
    pub(crate) settings: Settings,
    pub(crate) components: Components,
    /// A model's own caches.
    pub(crate) caches: Option<Caches>,
    /// Leaf 5.
    pub(crate) mwait: Registers,
    pub(crate) filtered: Vec<Filtered>,
    pub(crate) warnings: Vec<Warning>,
}

/// The end of the name of a CPU's type, after the model's name.
pub(crate) const CPU_TYPE: &str = "-x86_64-cpu";

/// Properties that only `host` and `max` have.
const OF_MAX_ALONE: [&str; 2] = ["migratable", "host-cache-info"];

impl Cpu<'_> {
    /// True when the CPU has a feature.
    pub(crate) fn has(&self, flag: Flag) -> bool {
        self.release.index(flag.reg).is_some_and(|at| self.words[at] & u64::from(flag.mask) != 0)
    }

    /// A register's features.
    pub(crate) fn word(&self, reg: Reg) -> u32 {
        self.release.index(reg).map_or(0, |at| (self.words[at] & 0xffff_ffff) as u32)
    }

    /// Replaces a register's features; no effect if the release has no word for it.
    pub(crate) fn set_word(&mut self, reg: Reg, value: u32) {
        if let Some(at) = self.release.index(reg) {
            self.words[at] = value.into();
        }
    }

    /// Sets a feature.
    pub(crate) fn set(&mut self, flag: Flag) {
        self.set_word(flag.reg, self.word(flag.reg) | flag.mask);
    }

    /// Clears a feature.
    pub(crate) fn clear(&mut self, flag: Flag) {
        self.set_word(flag.reg, self.word(flag.reg) & !flag.mask);
    }

    pub(crate) fn is_amd(&self) -> bool {
        self.settings.vendor == Vendor::AMD
    }

    pub(crate) fn is_intel(&self) -> bool {
        self.settings.vendor == Vendor::INTEL
    }

    pub(crate) fn is_zhaoxin(&self) -> bool {
        [Vendor::CENTAUR, Vendor::ZHAOXIN].contains(&self.settings.vendor)
    }

    /// The name by which the CPU was requested.
    pub(crate) fn name(&self) -> alloc::string::String {
        match self.class {
            Class::Model(model) => model.to_string(),
            Class::Host => "host".to_string(),
            Class::Max => "max".to_string(),
            Class::Base => "base".to_string(),
        }
    }

    /// Sets a property by its name.
    pub(crate) fn set_property(&mut self, name: &str, value: Value<'_>) -> Result<(), BuildError> {
        let unknown = || BuildError::UnknownProperty { cpu: self.name(), property: name.to_string() };
        let Some(target) = self.release.property(name)? else {
            // A property of every architecture's CPUs, without effect on a table (cpu-target.c).
            return match value {
                Value::Text(text) if name == "start-powered-off" => super::parse::values::boolean(text)
                    .map(|_| ())
                    .ok_or_else(|| BuildError::value(name, text, "on or off")),
                _ => Err(unknown()),
            };
        };
        let WordMask { word, mask } = match target {
            Target::Bits(bits) => bits,
            Target::Other(index) => {
                let property = self.property(index).ok_or_else(unknown)?;
                if OF_MAX_ALONE.contains(&property.name) && !self.class.is_max() {
                    return Err(unknown());
                }
                return self.set_other(property, value);
            }
        };
        let on = match value {
            Value::Bool(on) => Some(on),
            Value::Text(text) => super::parse::values::boolean(text),
        };
        let wrong = |value: Value<'_>| match value {
            Value::Text(text) => BuildError::value(name, text, "on or off"),
            Value::Bool(_) => unknown(),
        };
        let on = on.ok_or_else(|| wrong(value))?;
        let at = usize::from(word);
        if let Some(bits) = self.words.get_mut(at) {
            *bits = if on { *bits | mask } else { *bits & !mask };
            self.user_words[at] |= mask;
        }
        Ok(())
    }

    fn property(&self, index: u16) -> Option<CpuProperty> {
        self.release.qemu.board().properties.get(usize::from(index)).map(CpuProperty::of_row)
    }

    /// The feature words as they are now, each with its source.
    pub(crate) fn sourced_words(&self) -> Vec<(WordSource, u64)> {
        let all = 0..self.release.tables.words.len();
        all.filter_map(|at| Some((self.release.source(at)?, *self.words.get(at)?))).collect()
    }

    /// Removes features and records them (`mark_unavailable_features`).
    pub(crate) fn mark_unavailable(&mut self, word: usize, mask: u64, reason: impl Fn(&Self, u64) -> Reason) {
        if mask == 0 {
            return;
        }
        if !self.settings.force_features {
            self.words[word] &= !mask;
        }
        let Some(source) = self.release.source(word) else { return };
        for bit in (0..64u8).filter(|bit| mask >> bit & 1 != 0) {
            let reason = reason(self, 1 << bit);
            self.filtered.push(self.release.filtered(source, bit, reason));
        }
    }
}
