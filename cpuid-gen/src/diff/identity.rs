//! What a changed thing is identified by, if that is not its name.

use std::fmt;

use crate::facts::QemuSource;
use crate::location::{CpuidPlace, CpuidWord, FieldPlace, Location, Msr, MsrBit};

/// The identity of a thing in two releases.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// A bit of a register.
    Bit(Location),
    /// A field of a register.
    Field(FieldPlace),
    /// A register, perhaps without a subleaf.
    Register(CpuidPlace),
    /// An MSR.
    Msr(Msr),
    /// A bit of an MSR.
    MsrBit(MsrBit),
    /// Linux or KVM defines it in software.
    Software,
    /// A name in the sources: of a feature word, or of a line of `/proc/cpuinfo`.
    Name(String),
}

impl fmt::Display for Identity {
    /// A place in the manuals' notation, or the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Identity::Bit(location) => location.fmt(f),
            Identity::Field(place) => place.fmt(f),
            Identity::Register(place) => place.fmt(f),
            Identity::Msr(msr) => msr.fmt(f),
            Identity::MsrBit(bit) => bit.fmt(f),
            Identity::Software => f.write_str("software-defined"),
            Identity::Name(name) => f.write_str(name),
        }
    }
}

impl From<Location> for Identity {
    fn from(location: Location) -> Identity {
        Identity::Bit(location)
    }
}

impl From<FieldPlace> for Identity {
    fn from(place: FieldPlace) -> Identity {
        Identity::Field(place)
    }
}

impl From<MsrBit> for Identity {
    fn from(bit: MsrBit) -> Identity {
        Identity::MsrBit(bit)
    }
}

impl From<CpuidWord> for Identity {
    fn from(CpuidWord { leaf, subleaf, register }: CpuidWord) -> Identity {
        QemuSource::Cpuid { leaf, subleaf: Some(subleaf), register }.into()
    }
}

impl From<QemuSource> for Identity {
    fn from(source: QemuSource) -> Identity {
        match source {
            QemuSource::Cpuid { leaf, subleaf, register } => {
                Identity::Register(CpuidPlace { leaf, subleaf, register: Some(register), bits: 0 })
            }
            QemuSource::Msr(msr) => Identity::Msr(msr),
        }
    }
}
