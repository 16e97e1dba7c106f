//! Serde formats of tables, hosts and findings. Stored formats have a version, so that later releases of this crate can
//! read them.
//!
//! | type | format |
//! |---|---|
//! | [`Leaf`], [`Subleaf`], [`Msr`], [`Bit`] | a number |
//! | [`Register`] | `"EBX"` |
//! | [`CpuidWord`], [`Location`] | `"CPUID.(EAX=7,ECX=0):EBX"`, `"CPUID.(EAX=7,ECX=0):EBX[5]"` |
//! | [`Feature`] | the name of its constant, `"AVX2"` |
//! | [`FeatureSet`] | a list of features, by location |
//! | [`Registers`] | `{eax, ebx, ecx, edx}` |
//! | [`CpuidEntry`] | `{function, index, flags, eax, ebx, ecx, edx}` |
//! | [`CpuidTable`] | `{version: 1, entries}` |
//! | [`VcpuBase`](crate::VcpuBase), [`ApicLayout`](crate::ApicLayout) | `{version: 1, entries, layout, counted_id}`, `{core_shift, core_width, node_shift}` |
//! | [`MsrValue`] | `{msr, value}` |
//! | `Host` | `{version: 1, supported, instruction, msrs, saved_msrs, capabilities, ...}` |
//! | `Finding`, `Report` | `{severity, kind, at, ...}`, `{errors, warnings, skipped, findings}` |
//!
//! Registers' values, an entry's other numbers, and MSRs are hexadecimal text in formats that people read, such as JSON:
//! `"0x20"`. They are read from numbers too. `docs/json.md` describes the JSON that the command writes and reads.

use alloc::string::String;
use alloc::vec::Vec;

mod base;
#[cfg(feature = "dump")]
mod cpu;
#[cfg(feature = "check")]
mod findings;
#[cfg(feature = "guest")]
mod guest;
#[cfg(feature = "host")]
mod host;
mod number;

#[cfg(feature = "dump")]
pub(crate) use cpu::{Document, KnownEntry, WrittenCpu};
#[cfg(feature = "dump")]
pub(crate) use number::Hex32 as Number;
use number::{Hex32, Hex64};

use serde::de::{Deserializer, Error};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::location::{Bit, CpuidWord, Leaf, Location, Msr, Register, Registers, Subleaf};
use crate::bits::msr_feature::MsrValue;
use crate::table::{CpuidEntry, CpuidTable};

/// The version of the stored formats: tables, hosts, and the documents that the command prints as JSON.
pub const VERSION: u32 = 1;

/// Coordinates stored as a number.
macro_rules! numbers {
    ($($ty:ident($number:ty)),+) => {
        $(
            impl Serialize for $ty {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    self.0.serialize(serializer)
                }
            }

            impl<'de> Deserialize<'de> for $ty {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$ty, D::Error> {
                    <$number>::deserialize(deserializer).map($ty)
                }
            }
        )+
    };
}

numbers!(Leaf(u32), Subleaf(u32), Msr(u32), Bit(u8));

/// Coordinates stored as text.
macro_rules! texts {
    ($($ty:ident),+) => {
        $(
            impl Serialize for $ty {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $ty {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$ty, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(|error| D::Error::custom(alloc::format!("`{text}`: {error}")))
                }
            }
        )+
    };
}

texts!(Register, CpuidWord, Location);

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Feature, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = || D::Error::custom(alloc::format!("`{name}` is not the name of a feature's constant"));
        Feature::all().find(|feature| feature.name() == name).ok_or_else(unknown)
    }
}

impl Serialize for FeatureSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for FeatureSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FeatureSet, D::Error> {
        Ok(Vec::<Feature>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[derive(Serialize, Deserialize)]
struct RegistersForm {
    eax: Hex32,
    ebx: Hex32,
    ecx: Hex32,
    edx: Hex32,
}

impl Serialize for Registers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [eax, ebx, ecx, edx] = self.to_array().map(Hex32);
        RegistersForm { eax, ebx, ecx, edx }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Registers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Registers, D::Error> {
        let RegistersForm { eax, ebx, ecx, edx } = RegistersForm::deserialize(deserializer)?;
        Ok(Registers::new(eax.0, ebx.0, ecx.0, edx.0))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryForm {
    function: Hex32,
    #[serde(default)]
    index: Hex32,
    #[serde(default)]
    flags: Hex32,
    eax: Hex32,
    ebx: Hex32,
    ecx: Hex32,
    edx: Hex32,
}

impl Serialize for CpuidEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CpuidEntry { function, index, flags, registers } = *self;
        let [eax, ebx, ecx, edx] = registers.to_array().map(Hex32);
        let (function, index, flags) = (Hex32(function.0), Hex32(index.0), Hex32(flags));
        EntryForm { function, index, flags, eax, ebx, ecx, edx }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CpuidEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CpuidEntry, D::Error> {
        let EntryForm { function, index, flags, eax, ebx, ecx, edx } = EntryForm::deserialize(deserializer)?;
        let registers = Registers::new(eax.0, ebx.0, ecx.0, edx.0);
        Ok(CpuidEntry { function: Leaf(function.0), index: Subleaf(index.0), flags: flags.0, registers })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MsrForm {
    msr: Hex32,
    value: Hex64,
}

impl Serialize for MsrValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MsrForm { msr: Hex32(self.msr.0), value: Hex64(self.value) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MsrValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MsrValue, D::Error> {
        let MsrForm { msr, value } = MsrForm::deserialize(deserializer)?;
        Ok(MsrValue { msr: Msr(msr.0), value: value.0 })
    }
}

/// An unknown version is an error.
fn check_version<E: Error>(version: u32) -> Result<(), E> {
    if version == VERSION {
        return Ok(());
    }
    Err(E::custom(alloc::format!("version {version}: this release of cpuid-tables reads version {VERSION}")))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableForm {
    version: u32,
    entries: Vec<CpuidEntry>,
}

impl Serialize for CpuidTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TableForm { version: VERSION, entries: self.to_vec() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CpuidTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CpuidTable, D::Error> {
        let form = TableForm::deserialize(deserializer)?;
        check_version(form.version)?;
        CpuidTable::from_entries(&form.entries).map_err(D::Error::custom)
    }
}
