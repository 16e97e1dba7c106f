//! What is wrong with a guest's CPUID table, before KVM is given it.
//!
//! KVM accepts almost anything, and the guest dies later. A [`Check`] takes the tables of one vCPU or of all, and the host
//! that they are for if that is known, runs every pass over them and returns all findings at once, sorted by place, each
//! with the other side of its conflict. An [error](Severity::Error) is what KVM refuses or what a guest is told wrongly, a
//! [warning](Severity::Warning) what is true and guests can live with.
//!
//! What always holds: a check never fails and never panics, whatever the entries are; the same fault in several vCPUs is
//! one finding, and one finding for more than three even where its numbers are each vCPU's own; what only a host can tell is left out without one, and the report says so.
//!
//! ```
//! use cpuid_tables::CpuidEntry;
//! use cpuid_tables::{check::{Check, Kind}, Leaf, Registers, Subleaf};
//!
//! // AVX2 set by hand.
//! let table = [
//!     CpuidEntry::new(Leaf(0), Registers::new(7, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
//!     CpuidEntry::new(Leaf(1), Registers::new(0x0008_06f8, 0, 0, 0x0788_abfd)),
//!     CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0)),
//! ];
//! let report = Check::one(&table).run();
//! let finding = &report.findings[0];
//! assert_eq!((finding.kind, finding.feature), (Kind::FeatureNeeds, Some(cpuid_tables::feature::AVX2)));
//! assert_eq!(finding.what, "avx2 is set without xsave, avx");
//! assert!(report.skipped().any(|kind| kind == Kind::FeatureNotSupported));
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::host::Host;
use crate::table::CpuidEntry;

mod addresses;
mod alike;
mod apic_ids;
mod caches;
mod census;
mod entries;
mod features;
mod finding;
mod guest;
mod hypervisor;
#[cfg(feature = "json")]
mod json;
mod kind;
mod levels;
mod own_needs;
mod ranges;
mod reserved;
mod support;
mod topology;
mod unbacked;
mod unknown;
mod vendor;
mod xsave;
mod xsave_host;

pub use features::{NOT_NEEDED, NotNeeded};
pub use finding::{Finding, Site};
pub use kind::{Kind, Severity};
pub use own_needs::{OWN_NEEDS, OwnNeed};
pub use support::{ALLOWED, Allowed, When};

use guest::Guest;

/// A pass over the tables of all vCPUs.
type Pass = fn(&Input<'_>, &mut Findings);

/// All passes, by domain.
const PASSES: &[Pass] = &[
    ranges::maxima,
    entries::count,
    entries::duplicates,
    entries::flags,
    entries::subleaves,
    support::features,
    features::needs,
    features::differences,
    unknown::bits,
    reserved::bits,
    unbacked::leaves,
    xsave::leaf,
    xsave::components,
    xsave::sizes,
    xsave_host::support,
    addresses::widths,
    levels::each_leaf,
    levels::between_leaves,
    levels::between_vcpus,
    topology::logical_count,
    topology::amd_threads,
    topology::amd_core_threads,
    topology::amd_cores,
    caches::sharing,
    caches::cores,
    census::units,
    census::uneven_caches,
    apic_ids::of_one_vcpu,
    apic_ids::of_all_vcpus,
    vendor::identity,
    vendor::leaves,
    vendor::aliases,
    hypervisor::presence,
    hypervisor::interfaces,
];

/// What is checked, and against which host.
#[derive(Clone, Debug, Default)]
pub struct Check<'a> {
    vcpus: Vec<(u32, &'a [CpuidEntry])>,
    host: Option<&'a Host>,
    emulated: &'a [CpuidEntry],
}

impl<'a> Check<'a> {
    /// A check of nothing yet.
    #[must_use]
    pub fn new() -> Check<'a> {
        Check::default()
    }

    /// A check of one table, of vCPU 0. It may have more entries than KVM takes.
    #[must_use]
    pub fn one(entries: &'a [CpuidEntry]) -> Check<'a> {
        Check::new().vcpu(0, entries)
    }

    /// One vCPU more, by a number that findings name it by.
    #[must_use]
    pub fn vcpu(mut self, number: u32, entries: &'a [CpuidEntry]) -> Check<'a> {
        self.vcpus.push((number, entries));
        self
    }

    /// Against this host too. One whose `supported` is empty counts as none.
    #[must_use]
    pub fn with_host(mut self, host: &'a Host) -> Check<'a> {
        self.host = Some(host).filter(|host| !host.supported.is_empty());
        self
    }

    /// What the host's `KVM_GET_EMULATED_CPUID` answers, so that features which KVM emulates without advertising them
    /// count as supported.
    #[must_use]
    pub fn emulated(mut self, entries: &'a [CpuidEntry]) -> Check<'a> {
        self.emulated = entries;
        self
    }

    /// Runs every pass.
    #[must_use]
    pub fn run(&self) -> Report {
        let input = Input {
            guests: self.vcpus.iter().map(|&(number, entries)| Guest::new(number, entries)).collect(),
            host: self.host,
            emulated: self.emulated,
        };
        let mut findings = Findings::default();
        for pass in PASSES {
            pass(&input, &mut findings);
        }
        Report { findings: findings.merged(), with_host: self.host.is_some() }
    }
}

/// What passes look at.
struct Input<'a> {
    guests: Vec<Guest<'a>>,
    host: Option<&'a Host>,
    emulated: &'a [CpuidEntry],
}

/// What passes found.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// Takes one in, to be completed.
    fn add(&mut self, kind: Kind, guest: &Guest<'_>, at: Site, what: impl Into<String>) -> &mut Finding {
        let finding = Finding {
            kind,
            vcpus: Vec::from([guest.number]),
            at,
            feature: None,
            others: Vec::new(),
            what: what.into(),
            advice: None,
        };
        let index = self.0.len();
        self.0.push(finding);
        &mut self.0[index]
    }

    /// Sorted by place, the same fault of several vCPUs as one, and that of many although its numbers differ.
    fn merged(mut self) -> Vec<Finding> {
        self.0.sort_by(|a, b| a.fault().cmp(&b.fault()).then_with(|| a.vcpus.cmp(&b.vcpus)));
        let mut merged: Vec<Finding> = Vec::new();
        for finding in self.0 {
            match merged.last_mut() {
                Some(last) if last.fault() == finding.fault() => {
                    last.vcpus.extend(finding.vcpus);
                    last.vcpus.dedup();
                }
                _ => merged.push(finding),
            }
        }
        alike::grouped(merged)
    }
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// All findings, sorted by place.
    pub findings: Vec<Finding>,
    with_host: bool,
}

impl Report {
    /// How many findings are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity() == Severity::Error).count()
    }

    /// How many findings are warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.errors()
    }

    /// The kinds that were not looked for, since only a host could tell them.
    pub fn skipped(&self) -> impl Iterator<Item = Kind> {
        let with_host = self.with_host;
        Kind::ALL.iter().copied().filter(move |kind| kind.needs_host() && !with_host)
    }
}

impl fmt::Display for Report {
    /// The findings, a blank line after each, and their count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}\n")?;
        }
        write!(f, "{} errors, {} warnings", self.errors(), self.warnings())
    }
}
