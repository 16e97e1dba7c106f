//! The JSON form of a CPU as dumps have it, and the documents that hold CPUs. `docs/json.md` describes them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};

use super::VERSION;
use super::number::{Hex32, Hex64};
use crate::bits::location::{Leaf, Msr, Registers, Subleaf};
use crate::dump::Cpu;
use crate::table::CpuidEntry;

/// What commands write into a document beside its CPUs; a reader of tables passes over it.
const BESIDE: [&str; 29] = [
    // A recorded host's.
    "capabilities",
    "emulated",
    "guest_xcomponents",
    "instruction",
    "mce_capabilities",
    "saved_msrs",
    "tsc_khz",
    // `show`'s.
    "answers",
    "features",
    "leaves",
    "source",
    "summary",
    // `guest`'s.
    "filtered",
    "level",
    "qemu",
    // `baseline`'s.
    "closest",
    "groups",
    "hosts",
    "model",
    "nested",
    "left_out",
    "undescribed",
    "unequal",
    "vendors",
    "warnings",
    // `probe`'s.
    "changed_by_kvm",
    "differences",
    "questions",
    "table",
];

/// Expected members, for a message.
const MEMBERS: [&str; 7] = ["version", "number", "name", "entries", "msrs", "cpus", "supported"];

/// An entry, with the bits of it that are known where these are not all.
#[derive(Serialize, DeriveDeserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownEntry {
    function: Hex32,
    #[serde(default)]
    index: Hex32,
    #[serde(default)]
    flags: Hex32,
    eax: Hex32,
    ebx: Hex32,
    ecx: Hex32,
    edx: Hex32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known: Option<[Hex32; 4]>,
}

impl KnownEntry {
    fn new(cpu: &Cpu, at: usize, entry: &CpuidEntry) -> KnownEntry {
        let [eax, ebx, ecx, edx] = entry.registers.to_array().map(Hex32);
        let known = Some(cpu.known(at)).filter(|known| *known != Registers::MAX);
        KnownEntry {
            function: Hex32(entry.function.0),
            index: Hex32(entry.index.0),
            flags: Hex32(entry.flags),
            eax,
            ebx,
            ecx,
            edx,
            known: known.map(|known| known.to_array().map(Hex32)),
        }
    }

    /// The entry.
    pub(crate) fn entry(&self) -> CpuidEntry {
        CpuidEntry {
            function: Leaf(self.function.0),
            index: Subleaf(self.index.0),
            flags: self.flags.0,
            registers: Registers::new(self.eax.0, self.ebx.0, self.ecx.0, self.edx.0),
        }
    }

    /// The bits of it that are known.
    pub(crate) fn known(&self) -> Registers {
        self.known.map_or(Registers::MAX, |known| Registers::from_array(known.map(|register| register.0)))
    }
}

/// A CPU to write: `{version, number, name, entries, msrs, excerpt}`.
#[derive(Serialize)]
pub(crate) struct WrittenCpu<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    entries: Vec<KnownEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msrs: Option<BTreeMap<Hex32, Hex64>>,
    /// Left out where it is not one.
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<bool>,
}

impl<'a> WrittenCpu<'a> {
    pub(crate) fn new(cpu: &'a Cpu) -> WrittenCpu<'a> {
        let entries = cpu.entries.iter().enumerate();
        let msrs = cpu.msrs.as_ref();
        WrittenCpu {
            version: VERSION,
            number: cpu.number,
            name: cpu.name.as_deref(),
            entries: entries.map(|(at, entry)| KnownEntry::new(cpu, at, entry)).collect(),
            msrs: msrs.map(|msrs| msrs.iter().map(|(msr, value)| (Hex32(msr.0), Hex64(*value))).collect()),
            excerpt: Some(cpu.beside.excerpt).filter(|is_one| *is_one),
        }
    }
}

/// A document: one CPU, several, or a recorded host.
#[derive(Default)]
pub(crate) struct Document {
    /// A CPU's number.
    pub(crate) number: Option<u32>,
    /// A CPU's name.
    pub(crate) name: Option<String>,
    /// A CPU's entries.
    pub(crate) entries: Option<Vec<KnownEntry>>,
    /// Feature MSRs of the CPU, or of the host.
    pub(crate) msrs: Option<BTreeMap<Msr, u64>>,
    /// True where nothing is known of leaves and subleaves that the CPU's entries lack.
    pub(crate) excerpt: bool,
    /// Several CPUs.
    pub(crate) cpus: Option<Vec<Document>>,
    /// What the host's KVM supports.
    pub(crate) supported: Option<Vec<KnownEntry>>,
    /// What the host's KVM can give of Hyper-V's leaves.
    pub(crate) hyperv: Option<Vec<KnownEntry>>,
    /// Bits outside CPUID by their usual name, and whether they are set: what `show` writes.
    pub(crate) outside: BTreeMap<String, bool>,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `entries`, `cpus` or `supported`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut document = Document::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => super::check_version(map.next_value()?)?,
                "number" => document.number = map.next_value()?,
                "name" => document.name = map.next_value()?,
                // The second is how VMMs' own states call it.
                "entries" | "cpuid" => document.entries = Some(map.next_value()?),
                "msrs" => {
                    let msrs: Option<BTreeMap<Hex32, Hex64>> = map.next_value()?;
                    document.msrs =
                        msrs.map(|msrs| msrs.into_iter().map(|(msr, value)| (Msr(msr.0), value.0)).collect());
                }
                "excerpt" => document.excerpt = map.next_value()?,
                "cpus" => document.cpus = Some(map.next_value()?),
                "supported" => document.supported = Some(map.next_value()?),
                "hyperv" => document.hyperv = map.next_value()?,
                "outside" => document.outside = map.next_value()?,
                beside if BESIDE.contains(&beside) => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => return Err(A::Error::unknown_field(&key, &MEMBERS)),
            }
        }
        let kinds = [document.entries.is_some(), document.cpus.is_some(), document.supported.is_some()];
        match kinds.iter().filter(|is_there| **is_there).count() {
            1 => Ok(document),
            0 => Err(A::Error::missing_field("entries")),
            _ => Err(A::Error::custom("more than one of `entries`, `cpus` and `supported`")),
        }
    }
}
