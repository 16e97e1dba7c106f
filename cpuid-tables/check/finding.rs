//! A finding: what is wrong, where, and the other side of a conflict.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::kind::{Kind, Severity};
use crate::bits::feature::Feature;
use crate::bits::location::{CpuidPlace, Leaf, Register, Subleaf};
use crate::naming::bit_list;

/// A location in a table, as precise as the finding.
///
/// Ordered by leaf, subleaf, register and bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Site {
    /// CPUID's input EAX.
    pub leaf: Leaf,
    /// CPUID's input ECX; `None` for the whole leaf or a leaf without subleaves.
    pub subleaf: Option<Subleaf>,
    /// The register; `None` for all registers.
    pub register: Option<Register>,
    /// The bits of the register, as a mask; 0 for all bits.
    pub bits: u32,
    /// The entry's index in its table, from 0; `None` if there is no such entry. In a finding of several vCPUs, the
    /// first vCPU's index.
    pub entry: Option<usize>,
    /// The vCPU, if it is not the finding's own.
    pub vcpu: Option<u32>,
}

impl Site {
    /// A leaf, whether or not the table has it.
    #[must_use]
    pub const fn leaf(leaf: Leaf) -> Site {
        Site { leaf, subleaf: None, register: None, bits: 0, entry: None, vcpu: None }
    }

    pub(super) const fn bits(self, register: Register, bits: u32) -> Site {
        Site { register: Some(register), bits, ..self }
    }

    /// The location without the entry index, which differs between vCPUs that have other entries before it.
    pub(super) const fn place(self) -> Site {
        Site { entry: None, ..self }
    }

    pub(super) const fn of_vcpu(self, vcpu: u32) -> Site {
        Site { vcpu: Some(vcpu), ..self }
    }
}

impl fmt::Display for Site {
    /// Such as `entry 3, CPUID.(EAX=7,ECX=0):EBX[5]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(vcpu) = self.vcpu {
            write!(f, "vCPU {vcpu}, ")?;
        }
        match self.entry {
            Some(entry) => write!(f, "entry {entry}, ")?,
            None => f.write_str("no entry, ")?,
        }
        let Site { leaf, subleaf, register, bits, .. } = *self;
        CpuidPlace { leaf, subleaf, register, bits }.fmt(f)
    }
}

/// `1 thread`, `2 threads`.
pub(super) fn counted(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `bit 6`, `bits 6, 24`.
pub(super) fn bits_in_words(bits: u32) -> String {
    let noun = if bits.is_power_of_two() { "bit" } else { "bits" };
    format!("{noun} {}", bit_list(bits))
}

/// More vCPUs than these are counted for the reader.
const MANY: usize = 8;

/// Something wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The kind.
    pub kind: Kind,
    /// The affected vCPUs, ascending.
    pub vcpus: Vec<u32>,
    /// The location in each of these vCPUs' tables.
    pub at: Site,
    /// The feature that the finding is about.
    pub feature: Option<Feature>,
    /// The other locations of a conflict.
    pub others: Vec<Site>,
    /// What is wrong: the offending value and the expected one.
    pub what: String,
    /// What to do, if more specific than [`Kind::help`].
    pub advice: Option<String>,
}

impl Finding {
    /// Its severity.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.kind.severity()
    }

    /// Why it matters.
    #[must_use]
    pub const fn why(&self) -> &'static str {
        self.kind.why()
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> &str {
        self.advice.as_deref().unwrap_or(self.kind.help())
    }

    /// The vCPUs as text: `vCPU 0`, `vCPUs 0-3, 6`.
    #[must_use]
    pub fn vcpu_list(&self) -> String {
        use core::fmt::Write as _;
        let mut text = String::from(if self.vcpus.len() == 1 { "vCPU " } else { "vCPUs " });
        let mut left = self.vcpus.as_slice();
        let mut comma = "";
        while let Some((&first, _)) = left.split_first() {
            let run = (first..=u32::MAX).zip(left).take_while(|(expected, vcpu)| expected == *vcpu).count();
            // Writing to a string does not fail.
            let _ = match left.get(run - 1) {
                Some(&last) if last > first => write!(text, "{comma}{first}-{last}"),
                _ => write!(text, "{comma}{first}"),
            };
            left = left.get(run..).unwrap_or_default();
            comma = ", ";
        }
        text
    }

    pub(super) fn feature(&mut self, feature: Feature) -> &mut Finding {
        self.feature = Some(feature);
        self
    }

    pub(super) fn and(&mut self, other: Site) -> &mut Finding {
        self.others.push(other);
        self
    }

    pub(super) fn help_by(&mut self, advice: impl Into<String>) -> &mut Finding {
        self.advice = Some(advice.into());
        self
    }

    /// What distinguishes it from other findings, apart from the vCPUs.
    pub(super) fn fault(&self) -> impl Ord + '_ {
        let others: Vec<Site> = self.others.iter().map(|other| other.place()).collect();
        (self.at.place(), self.kind, self.feature, &self.what, others, &self.advice)
    }
}

impl fmt::Display for Finding {
    /// Several lines, without a line feed after the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}[{}]: {}", self.severity(), self.kind, self.what)?;
        match self.vcpus.len() {
            0..=MANY => writeln!(f, "  at: {}, {}", self.vcpu_list(), self.at)?,
            count => writeln!(f, "  at: {} ({count}), {}", self.vcpu_list(), self.at)?,
        }
        for other in &self.others {
            writeln!(f, "  and: {other}")?;
        }
        writeln!(f, "  why: {}", self.why())?;
        write!(f, "  help: {}", self.help())
    }
}
