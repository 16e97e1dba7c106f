//! Facts of other projects that define the bits of CPUID: witnesses, which check Linux and QEMU, and each other.
//!
//! Unlike the facts of Linux and QEMU they are not merged into the tables. Text form: see `upstream/README.md`.

use std::fmt::Write as _;

use super::columns::{Columns, rows, unknown_kind};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::location::{Bit, CpuidWord, Location, Msr, MsrBit, WordSource};
use crate::source::{FileId, Sources, Span};

/// A project that names bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Witness {
    /// Xen: cpufeatureset.h, gen-cpuid.py and vmcs.h.
    Xen,
    /// libvirt: the CPU map.
    Libvirt,
    /// FreeBSD: specialreg.h.
    FreeBsd,
    /// LLVM: clang's cpuid.h.
    Llvm,
    /// GCC: cpuid.h.
    Gcc,
}

impl Witness {
    /// All, with their names in facts and messages.
    pub const ALL: [(Witness, &'static str); 5] = [
        (Witness::Xen, "Xen"),
        (Witness::Libvirt, "libvirt"),
        (Witness::FreeBsd, "FreeBSD"),
        (Witness::Llvm, "LLVM"),
        (Witness::Gcc, "GCC"),
    ];

    /// The project's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Witness::ALL.iter().find(|(witness, _)| *witness == self).map_or("", |(_, name)| name)
    }
}

/// A bit of a CPUID register, or of an MSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BitPlace {
    /// A bit of a register.
    Cpuid(Location),
    /// A bit of an MSR.
    Msr(MsrBit),
}

impl BitPlace {
    /// The bit's register or MSR, and its number.
    #[must_use]
    pub fn split(self) -> (WordSource, Bit) {
        match self {
            BitPlace::Cpuid(location) => (WordSource::Cpuid(location.word), location.bit),
            BitPlace::Msr(bit) => (WordSource::Msr(bit.msr), bit.bit),
        }
    }
}

impl std::fmt::Display for BitPlace {
    /// `CPUID.(EAX=7,ECX=0):EBX[5]` or `MSR 0x10a[8]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BitPlace::Cpuid(location) => location.fmt(f),
            BitPlace::Msr(bit) => bit.fmt(f),
        }
    }
}

/// `witness-bit`: a name of a bit.
#[derive(Clone, Debug)]
pub struct WitnessBit {
    /// As the project spells it, without the prefix of its macros.
    pub name: String,
    /// The bit.
    pub place: BitPlace,
    /// Its place in the source.
    pub at: Span,
}

/// `witness-dep`: a dependency.
#[derive(Clone, Debug)]
pub struct WitnessDep {
    /// The dependent bit's name.
    pub name: String,
    /// The required bit's name.
    pub needs: String,
    /// Its place in the source.
    pub at: Span,
}

/// `witness-model`: a CPU model and the processors that it stands for.
#[derive(Clone, Debug)]
pub struct WitnessModel {
    /// Its name.
    pub name: String,
    /// Family and model of each processor.
    pub signatures: Vec<(u32, u32)>,
    /// Its place in the source.
    pub at: Span,
}

/// The facts of one release of a witness.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WitnessFacts {
    /// The project.
    pub project: Witness,
    /// Its release, as its tree states it.
    pub release: String,
    /// The place of the release.
    #[doc(hidden)]
    pub at: Span,
    /// The names of bits, in upstream's order.
    #[doc(hidden)]
    pub bits: Vec<WitnessBit>,
    /// The dependencies, in upstream's order.
    #[doc(hidden)]
    pub deps: Vec<WitnessDep>,
    /// The CPU models that state signatures, sorted by file name.
    #[doc(hidden)]
    pub models: Vec<WitnessModel>,
}

impl WitnessFacts {
    /// Facts without rows.
    #[must_use]
    pub(crate) fn new(project: Witness, release: String, at: Span) -> WitnessFacts {
        WitnessFacts { project, release, at, bits: Vec::new(), deps: Vec::new(), models: Vec::new() }
    }
}

/// Maximum number of rows; the longest real file has a tenth of that.
const MAX_ROWS: usize = 1 << 14;

/// Reads a witness's facts file. Every faulty row is a diagnostic, and the result is then `None`.
pub fn read_witness(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<WitnessFacts> {
    let (mut found, mut facts) = (Diagnostics::new(), None);
    for (count, columns) in rows(sources, file).enumerate() {
        if count == MAX_ROWS {
            found.push(columns.error(&format!("the file has more than {MAX_ROWS} rows")));
            break;
        }
        found.take(read_row(columns, &mut facts));
    }
    if facts.is_none() && found.is_empty() {
        let whole = sources.span(file, 0, 0);
        found.error(whole, "no facts found: expected `witness-release` in the first row");
    }
    let good = !found.has_errors();
    diagnostics.extend(found);
    facts.filter(|_| good)
}

fn read_row(mut c: Columns<'_>, facts: &mut Option<WitnessFacts>) -> Result<(), Diagnostic> {
    let (kind, at) = c.text("KIND")?;
    match (facts.as_mut(), kind) {
        (None, "witness-release") => {
            let project = c.choice("PROJECT", &Witness::ALL)?;
            *facts = Some(WitnessFacts::new(project, c.name("RELEASE")?, at));
        }
        (None, _) => {
            let message = format!("`{kind}` before the first row, which must be `witness-release`");
            return Err(Diagnostic::error(at, message));
        }
        (Some(_), "witness-release") => {
            return Err(Diagnostic::error(at, "a second release: a facts file holds one"));
        }
        (Some(facts), "witness-bit") => {
            facts.bits.push(WitnessBit { name: c.name("NAME")?, place: place(&mut c)?, at });
        }
        (Some(facts), "witness-dep") => {
            facts.deps.push(WitnessDep { name: c.name("NAME")?, needs: c.name("NEEDS")?, at });
        }
        (Some(facts), "witness-model") => {
            let name = c.name("NAME")?;
            let (text, at_signatures) = c.text("SIGNATURES")?;
            let signatures = text.split(',').map(signature).collect::<Option<Vec<_>>>().ok_or_else(|| {
                let message = format!("`{text}` is not a list of signatures: expected 6/85,6/106");
                Diagnostic::error(at_signatures, message)
            })?;
            facts.models.push(WitnessModel { name, signatures, at });
        }
        _ => return Err(unknown_kind(kind, at, "a witness's")),
    }
    c.end()
}

fn place(c: &mut Columns<'_>) -> Result<BitPlace, Diagnostic> {
    if c.choice("SOURCE", &[(true, "cpuid"), (false, "msr")])? {
        let word = CpuidWord { leaf: c.leaf()?, subleaf: c.subleaf()?, register: c.register()? };
        return Ok(BitPlace::Cpuid(word.bit(c.bit(31)?)));
    }
    let msr: Msr = c.msr()?;
    Ok(BitPlace::Msr(msr.bit(c.bit(63)?)))
}

/// `6/85`
fn signature(text: &str) -> Option<(u32, u32)> {
    let (family, model) = text.split_once('/')?;
    Some((family.parse().ok()?, model.parse().ok()?))
}

/// The text of a facts file, without its head.
#[must_use]
pub fn write_witness(facts: &WitnessFacts) -> String {
    let mut out = format!("witness-release\t{}\t{}\n", facts.project.name(), facts.release);
    for WitnessBit { name, place, .. } in &facts.bits {
        // Writing to a String cannot fail.
        let _ = match place {
            BitPlace::Cpuid(Location { word: CpuidWord { leaf, subleaf, register }, bit }) => writeln!(
                out,
                "witness-bit\t{name}\tcpuid\t{:#x}\t{}\t{register}\t{}",
                leaf.0, subleaf.0, bit.0
            ),
            BitPlace::Msr(MsrBit { msr, bit }) => {
                writeln!(out, "witness-bit\t{name}\tmsr\t{:#x}\t{}", msr.0, bit.0)
            }
        };
    }
    for dep in &facts.deps {
        let _ = writeln!(out, "witness-dep\t{}\t{}", dep.name, dep.needs);
    }
    for model in &facts.models {
        let signatures: Vec<String> =
            model.signatures.iter().map(|(family, number)| format!("{family}/{number}")).collect();
        let _ = writeln!(out, "witness-model\t{}\t{}", model.name, signatures.join(","));
    }
    out
}
