//! The dependencies of the manuals: the `needs` rows of `upstream/differences.tsv`.

use std::fmt;

use crate::location::{Bit, CpuidWord, Location, Msr};

/// A bit, or all bits, of a CPUID register or an MSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Needed {
    /// A bit of a register.
    Cpuid(Location),
    /// All bits of a register.
    Register(CpuidWord),
    /// A bit of an MSR.
    Msr(Msr, Bit),
    /// All bits of an MSR.
    WholeMsr(Msr),
}

impl Needed {
    /// `CPUID.(EAX=7,ECX=0):EBX[2]`, `CPUID.(EAX=0x12,ECX=0):EAX`, `MSR 0x48b[26]` or `MSR 0x480`.
    pub(super) fn parse(text: &str) -> Option<Needed> {
        let Some(msr) = text.strip_prefix("MSR 0x") else {
            let bit = text.parse().ok().map(Needed::Cpuid);
            return bit.or_else(|| text.parse().ok().map(Needed::Register));
        };
        let number = |digits: &str| u32::from_str_radix(digits, 16).ok().map(Msr);
        match msr.split_once('[') {
            None => number(msr).map(Needed::WholeMsr),
            Some((msr, bit)) => {
                let bit = bit.strip_suffix(']')?.parse().ok().filter(|bit| *bit < 64)?;
                number(msr).map(|msr| Needed::Msr(msr, Bit(bit)))
            }
        }
    }
}

/// The projects that must state a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatedBy {
    Linux,
    Qemu,
    Both,
    /// There is no such dependency.
    Neither,
}

impl StatedBy {
    pub(super) const ALL: [(StatedBy, &'static str); 4] = [
        (StatedBy::Linux, "linux"),
        (StatedBy::Qemu, "qemu"),
        (StatedBy::Both, "both"),
        (StatedBy::Neither, "none"),
    ];
}

/// A dependency from the manuals.
#[derive(Clone, Debug)]
pub(super) struct Needs {
    pub(super) bit: Needed,
    pub(super) needs: Needed,
    pub(super) by: StatedBy,
    /// Its row among [`Differences::entries`](super::Differences::entries).
    pub(super) entry: usize,
}

/// A dependency between two of QEMU's Hyper-V enlightenments.
#[derive(Clone, Debug)]
pub(super) struct PropertyNeeds {
    pub(super) property: String,
    pub(super) needs: String,
    /// QEMU states it in code, which only a tree shows.
    pub(super) is_code: bool,
    /// Its row among [`Differences::entries`](super::Differences::entries).
    pub(super) entry: usize,
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Needed::Cpuid(location) => location.fmt(f),
            Needed::Register(word) => word.fmt(f),
            Needed::Msr(msr, bit) => msr.bit(*bit).fmt(f),
            Needed::WholeMsr(msr) => msr.fmt(f),
        }
    }
}
