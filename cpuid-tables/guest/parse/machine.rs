//! QEMU's `-machine` syntax, as far as it affects CPUs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;

use super::keyval::keyval;
use super::smp::Smp;
use super::values::unsigned;
use crate::bits::qemu_cpu::{CacheSlot, SharedBy};
use crate::guest::error::BuildError;

/// The location of the interrupt controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Irqchip {
    /// All in the kernel: `kernel-irqchip=on`.
    On,
    /// Only the local APICs in the kernel: `kernel-irqchip=split`.
    Split,
    /// None in the kernel: `kernel-irqchip=off`.
    Off,
}

impl Irqchip {
    /// The values that QEMU takes.
    pub(crate) const VALUES: &'static str = "on, off or split";

    /// By the value in QEMU's options.
    pub(crate) fn named(value: &str) -> Option<Irqchip> {
        match value {
            "split" => Some(Irqchip::Split),
            "on" => Some(Irqchip::On),
            "off" => Some(Irqchip::Off),
            _ => None,
        }
    }
}

/// A parsed `-machine` option.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MachineOption {
    /// The machine type; `pc` and `q35` are the release's newest.
    pub name: String,
    /// The location of the interrupt controllers; `None` for the machine type's default.
    pub irqchip: Option<Irqchip>,
    /// `smp.cpus=` and so on; they override `-smp`.
    pub smp: Smp,
    /// The topology level that shares each cache: `smp-cache.0.cache=l2,smp-cache.0.topology=module`; `None` for
    /// `default`, the CPU's own.
    pub caches: Vec<(CacheSlot, Option<SharedBy>)>,
    /// Other options by name, such as `smm=on`: the machine must have them and take their values.
    pub others: Vec<(String, String)>,
}

impl MachineOption {
    /// A machine type without options.
    #[must_use]
    pub fn new(name: &str) -> MachineOption {
        MachineOption {
            name: name.to_string(),
            irqchip: None,
            smp: Smp::default(),
            caches: Vec::new(),
            others: Vec::new(),
        }
    }
}

impl Default for MachineOption {
    /// QEMU's default: `pc`.
    fn default() -> MachineOption {
        MachineOption::new("pc")
    }
}

impl FromStr for MachineOption {
    type Err = BuildError;

    /// `q35,kernel-irqchip=split,smp.cpus=4`.
    fn from_str(text: &str) -> Result<MachineOption, BuildError> {
        let mut option = MachineOption::default();
        let mut caches: Vec<CacheOption> = Vec::new();
        for (name, value) in keyval(text, "machine", "type")? {
            option.set(&name, &value, &mut caches)?;
        }
        for CacheOption { slot, level, .. } in caches {
            let (slot, level) = slot.zip(level).ok_or_else(|| {
                BuildError::value("smp-cache", text, "a cache and a topology for each index")
            })?;
            if option.caches.iter().any(|(known, _)| *known == slot) {
                return Err(BuildError::value("smp-cache", text, "each cache once"));
            }
            option.caches.push((slot, level));
        }
        Ok(option)
    }
}

/// One index of `smp-cache`, as far as it was read; the list ascends.
struct CacheOption {
    index: u64,
    slot: Option<CacheSlot>,
    /// The inner `None` is `default`.
    level: Option<Option<SharedBy>>,
}

impl MachineOption {
    fn set(&mut self, name: &str, value: &str, caches: &mut Vec<CacheOption>) -> Result<(), BuildError> {
        let unknown = || BuildError::MachineOption(name.to_string());
        // In the first part of a name, an underscore is a hyphen (`keyval_dashify`).
        let (first, rest) = match name.split_once('.') {
            Some((first, rest)) => (first.replace('_', "-"), Some(rest)),
            None => (name.replace('_', "-"), None),
        };
        match (first.as_str(), rest) {
            ("type", None) => self.name = value.to_string(),
            ("accel", None) if value == "kvm" || value.starts_with("kvm:") => {}
            ("accel", None) => return Err(BuildError::value(name, value, "kvm")),
            ("kernel-irqchip", None) => {
                let irqchip = Irqchip::named(value);
                self.irqchip = Some(irqchip.ok_or_else(|| BuildError::value(name, value, Irqchip::VALUES))?);
            }
            ("smp", Some(level)) => self.smp.set(level, value)?,
            ("smp-cache", Some(rest)) => {
                let (index, key) = rest.split_once('.').ok_or_else(unknown)?;
                cache(caches, unsigned(index).ok_or_else(unknown)?, key, value)?;
            }
            (first, _) => {
                let name = rest.map_or_else(|| first.to_string(), |rest| [first, rest].join("."));
                self.others.push((name, value.to_string()));
            }
        }
        Ok(())
    }
}

fn cache(caches: &mut Vec<CacheOption>, index: u64, key: &str, value: &str) -> Result<(), BuildError> {
    let at = caches.binary_search_by_key(&index, |known| known.index).unwrap_or_else(|at| {
        caches.insert(at, CacheOption { index, slot: None, level: None });
        at
    });
    let wrong = |expected| BuildError::value(key, value, expected);
    match key {
        "cache" => {
            caches[at].slot = Some(match value {
                "l1d" => CacheSlot::L1d,
                "l1i" => CacheSlot::L1i,
                "l2" => CacheSlot::L2,
                "l3" => CacheSlot::L3,
                _ => return Err(wrong("l1d, l1i, l2 or l3")),
            });
        }
        "topology" => {
            caches[at].level = Some(match value {
                "core" => Some(SharedBy::Core),
                "module" => Some(SharedBy::Module),
                "die" => Some(SharedBy::Die),
                "socket" => Some(SharedBy::Socket),
                "default" => None,
                _ => return Err(wrong("core, module, die, socket or default")),
            });
        }
        _ => return Err(wrong("cache or topology")),
    }
    Ok(())
}
