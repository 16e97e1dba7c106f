//! QEMU's `-machine` syntax, as far as it affects CPUs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;

use super::smp::Smp;
use super::values::{boolean, unsigned};
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
    /// The topology level that shares each cache: `smp-cache.0.cache=l2,smp-cache.0.topology=module`.
    pub caches: Vec<(CacheSlot, SharedBy)>,
}

impl MachineOption {
    /// A machine type without options.
    #[must_use]
    pub fn new(name: &str) -> MachineOption {
        MachineOption { name: name.to_string(), irqchip: None, smp: Smp::default(), caches: Vec::new() }
    }
}

impl Default for MachineOption {
    /// QEMU's default: `pc`.
    fn default() -> MachineOption {
        MachineOption::new("pc")
    }
}

/// Machine options that no CPUID table depends on. A part before a dot covers all options below it.
static WITHOUT_EFFECT: &[&str] = &[
    "acpi",
    "append",
    "auto-kernel-cmdline",
    "aux-ram-share",
    "boot",
    "bus-lock-ratelimit",
    "default-bus-bypass-iommu",
    "dtb",
    "dump-guest-core",
    "dumpdtb",
    "fd-bootchk",
    "firmware",
    "graphics",
    "hmat",
    "hpet",
    "i8042",
    "initrd",
    "ioapic2",
    "isa-serial",
    "kernel",
    "kvm-type",
    "max-fw-size",
    "max-ram-below-4g",
    "mem-merge",
    "memory",
    "memory-backend",
    "nvdimm",
    "nvdimm-persistence",
    "option-roms",
    "pcie",
    "pcspk-audiodev",
    "phandle-start",
    "pic",
    "pit",
    "rtc",
    "sata",
    "shell",
    "smbios-entry-point-type",
    "smbus",
    "smm",
    "suppress-vmdesc",
    "usb",
    "vmport",
    "x-oem-id",
    "x-oem-table-id",
    "x-option-roms",
];

impl FromStr for MachineOption {
    type Err = BuildError;

    /// `q35,kernel-irqchip=split,smp.cpus=4`.
    fn from_str(text: &str) -> Result<MachineOption, BuildError> {
        let mut option = MachineOption::default();
        let mut caches: Vec<(u64, Option<CacheSlot>, Option<SharedBy>)> = Vec::new();
        for (at, part) in text.split(',').enumerate() {
            match part.split_once('=') {
                None if at == 0 => option.name = part.to_string(),
                // A name alone means on.
                None => option.set(part, "on", &mut caches)?,
                Some((name, value)) => option.set(name, value, &mut caches)?,
            }
        }
        caches.sort_by_key(|(index, ..)| *index);
        for (_, slot, level) in caches {
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

impl MachineOption {
    fn set(
        &mut self,
        name: &str,
        value: &str,
        caches: &mut Vec<(u64, Option<CacheSlot>, Option<SharedBy>)>,
    ) -> Result<(), BuildError> {
        let unknown = || BuildError::MachineOption(name.to_string());
        match name {
            "type" => self.name = value.to_string(),
            "accel" if value == "kvm" || value.starts_with("kvm:") => {}
            "accel" => return Err(BuildError::value(name, value, "kvm")),
            "kernel-irqchip" => {
                self.irqchip = Some(match (value, boolean(value)) {
                    ("split", _) => Irqchip::Split,
                    (_, Some(true)) => Irqchip::On,
                    (_, Some(false)) => Irqchip::Off,
                    _ => return Err(BuildError::value(name, value, "on, off or split")),
                });
            }
            _ => match name.split_once('.') {
                Some(("smp", level)) => self.smp.set(level, value)?,
                Some(("smp-cache", rest)) => {
                    let (index, key) = rest.split_once('.').ok_or_else(unknown)?;
                    cache(caches, unsigned(index).ok_or_else(unknown)?, key, value)?;
                }
                Some((first, _)) if WITHOUT_EFFECT.contains(&first) => {}
                None if WITHOUT_EFFECT.contains(&name) => {}
                _ => return Err(unknown()),
            },
        }
        Ok(())
    }
}

fn cache(
    caches: &mut Vec<(u64, Option<CacheSlot>, Option<SharedBy>)>,
    index: u64,
    key: &str,
    value: &str,
) -> Result<(), BuildError> {
    let at = caches.iter().position(|(known, ..)| *known == index).unwrap_or_else(|| {
        caches.push((index, None, None));
        caches.len() - 1
    });
    let wrong = |expected| BuildError::value(key, value, expected);
    match key {
        "cache" => {
            caches[at].1 = Some(match value {
                "l1d" => CacheSlot::L1d,
                "l1i" => CacheSlot::L1i,
                "l2" => CacheSlot::L2,
                "l3" => CacheSlot::L3,
                _ => return Err(wrong("l1d, l1i, l2 or l3")),
            });
        }
        "topology" => {
            caches[at].2 = Some(match value {
                "core" => SharedBy::Core,
                "module" => SharedBy::Module,
                "die" => SharedBy::Die,
                "socket" => SharedBy::Socket,
                _ => return Err(wrong("core, module, die or socket")),
            });
        }
        _ => return Err(wrong("cache or topology")),
    }
    Ok(())
}
