//! What every format holds: the table of a CPU.

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use crate::bits::location::{Msr, Registers};
use crate::bits::lookup::Named;
use crate::table::CpuidEntry;

/// The table of one CPU, of a guest or of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Its number, where the dump tells: the processor's in `/proc/cpuinfo` order, or a vCPU's APIC id.
    pub number: Option<u32>,
    /// What it is called, where the dump tells: a profile's or CPU model's name, `supported`.
    pub name: Option<String>,
    /// Its entries, in the dump's order.
    pub entries: Vec<CpuidEntry>,
    /// Which bits of each entry's registers the dump tells; none where it tells all of them. A template or a list of
    /// features tells some bits and leaves the others open; these are 0 in `entries`. As long as `entries`.
    pub known: Option<Vec<Registers>>,
    /// Feature MSRs that the dump states; `None` where it has none.
    pub msrs: Option<BTreeMap<Msr, u64>>,
    /// What the dump states besides registers.
    pub beside: Beside,
}

/// How a VMM is asked for a guest's CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// QEMU's `-cpu`, with its value.
    Qemu(String),
    /// Proxmox VE's: a VM's line `cpu:`, or one of its CPU models, with the flags, such as `+aes`.
    Proxmox(Vec<String>),
    /// libvirt's `<cpu>`.
    Libvirt,
    /// A manager that asks libvirt for it: nova, `CloudStack`, `KubeVirt`.
    Manager,
}

/// What a dump states of a CPU besides its registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Bits outside CPUID that it names, and whether they are set: those of MSRs, and what Linux defines in software.
    pub bits: BTreeMap<Named, bool>,
    /// True where it names every feature that the CPU can have: what it does not name is known to be 0. A full expansion
    /// of a CPU model by QEMU does.
    pub complete: bool,
    /// True for an excerpt: leaves and subleaves that it lacks are not known, because nobody asked for them or the form has
    /// no place for them.
    pub excerpt: bool,
    /// True for a template: what it does not state is as the host has it, and the host must have each of its leaves.
    pub template: bool,
    /// The error with which KVM refused the table, such as `EINVAL`.
    pub refused: Option<String>,
    /// The file descriptor through which the table was set, where the dump tells: tables with one are one vCPU's.
    pub file: Option<u32>,
    /// Of a guest's CPU as its VMM is asked for it: what is set besides features, by QEMU's name of the property, such as
    /// `tsc-frequency`. `None` for what does not ask for a guest's CPU.
    pub settings: Option<BTreeMap<String, String>>,
    /// How a VMM is asked for this CPU; `None` for what does not ask for a guest's CPU.
    pub request: Option<Request>,
    /// The CPU model on which it is based, where that is not its name: `reported-model` of Proxmox VE.
    pub model: Option<String>,
    /// True where the feature MSRs are all that its KVM has: a recorded host's are. Of one that is missing nothing is known
    /// otherwise.
    pub all_msrs: bool,
    /// The entries of Hyper-V's leaves that its KVM can give a guest; `None` where they are not stated.
    pub hyperv: Option<Vec<CpuidEntry>>,
}

impl Cpu {
    /// How many entries a CPU may have in a dump. KVM takes 256; hosts have some more.
    pub const MAX_ENTRIES: usize = 1 << 16;

    /// How many CPUs of a dump may take turns: a machine has at most 8192 under Linux.
    pub const MAX_TURNS: usize = 1 << 13;

    /// A CPU of which nothing but its table is known.
    #[must_use]
    pub fn from_entries(entries: Vec<CpuidEntry>) -> Cpu {
        Cpu { entries, ..Cpu::default() }
    }

    /// The bits of an entry's registers that are stated.
    #[must_use]
    pub fn known(&self, entry: usize) -> Registers {
        self.known.as_ref().and_then(|known| known.get(entry)).copied().unwrap_or(Registers::MAX)
    }
}
