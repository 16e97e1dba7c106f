//! Checks a guest's CPUID table before it is passed to KVM.
//!
//! KVM accepts almost any table, and the guest crashes later. A [`Check`] takes the tables of one or all vCPUs, and
//! optionally the host that they are for. It runs every pass and returns all findings, sorted by location, each with
//! the other side of its conflict. An [error](Severity::Error) means that KVM refuses the table or that the guest
//! sees something untrue. A [warning](Severity::Warning) is unusual but harmless.
//!
//! A check never fails or panics, whatever the entries are. The same fault in several vCPUs is one finding; so are
//! more than three that differ only in numbers. Kinds that need a host are skipped without one, and the report lists
//! them.
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
mod confidential;
mod entries;
mod features;
mod finding;
mod guest;
mod hypervisor;
#[cfg(feature = "json")]
mod json;
mod kind;
mod levels;
mod msrs;
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

pub use confidential::Target;
pub use features::{NOT_NEEDED, NotNeeded};
pub use finding::{Finding, Site};
pub use kind::{Kind, Severity};
pub use msrs::{MsrFinding, MsrKind, check_msrs};
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
    confidential::findings,
];

/// The tables to check, and the host to check them against.
#[derive(Clone, Debug, Default)]
pub struct Check<'a> {
    vcpus: Vec<(u32, &'a [CpuidEntry])>,
    host: Option<&'a Host>,
    emulated: &'a [CpuidEntry],
    target: Option<Target>,
    excerpt: bool,
}

impl<'a> Check<'a> {
    /// A check without tables.
    #[must_use]
    pub fn new() -> Check<'a> {
        Check::default()
    }

    /// A check of one table, as vCPU 0. It may have more entries than KVM accepts.
    #[must_use]
    pub fn one(entries: &'a [CpuidEntry]) -> Check<'a> {
        Check::new().vcpu(0, entries)
    }

    /// Adds a vCPU's table. Findings identify the vCPU by `number`.
    #[must_use]
    pub fn vcpu(mut self, number: u32, entries: &'a [CpuidEntry]) -> Check<'a> {
        self.vcpus.push((number, entries));
        self
    }

    /// Also checks against this host. A host with an empty `supported` counts as none.
    #[must_use]
    pub fn with_host(mut self, host: &'a Host) -> Check<'a> {
        self.host = Some(host).filter(|host| !host.supported.is_empty());
        self
    }

    /// Adds the host's `KVM_GET_EMULATED_CPUID` entries, so that features which KVM emulates without advertising them
    /// count as supported.
    #[must_use]
    pub fn emulated(mut self, entries: &'a [CpuidEntry]) -> Check<'a> {
        self.emulated = entries;
        self
    }

    /// Also checks what this kind of confidential guest does with the tables. With an AMD host, SEV-SNP's firmware is
    /// taken to accept what its processor has; without one, what Genoa's has.
    #[must_use]
    pub fn target(mut self, target: Target) -> Check<'a> {
        self.target = Some(target);
        self
    }

    /// The tables are excerpts, such as a trace's: nothing is known of leaves and subleaves that they lack, and findings
    /// that rest on a missing one are left out.
    #[must_use]
    pub fn excerpt(mut self) -> Check<'a> {
        self.excerpt = true;
        self
    }

    /// Runs every pass.
    #[must_use]
    pub fn run(&self) -> Report {
        let input = Input {
            guests: self.vcpus.iter().map(|&(number, entries)| Guest::new(number, entries)).collect(),
            host: self.host,
            emulated: self.emulated,
            target: self.target,
        };
        let mut findings = Findings::default();
        for pass in PASSES {
            pass(&input, &mut findings);
        }
        findings.0.retain(|finding| !input.is_about_hidden(finding));
        if self.excerpt {
            let is_there = |site: &Site| site.entry.is_some();
            findings.0.retain(|finding| is_there(&finding.at) && finding.others.iter().all(is_there));
        }
        Report { findings: findings.merged(), with_host: self.host.is_some() }
    }
}

/// The input of the passes.
struct Input<'a> {
    guests: Vec<Guest<'a>>,
    host: Option<&'a Host>,
    emulated: &'a [CpuidEntry],
    target: Option<Target>,
}

impl Input<'_> {
    /// True for a finding about a leaf above the maximum of its range, which guests do not read. That there is such a leaf is a
    /// finding of its own; KVM and a firmware look at every entry.
    fn is_about_hidden(&self, finding: &Finding) -> bool {
        let kind = finding.kind;
        let of_all_entries = kind == Kind::LeafAboveMaximum || kind.is_confidential() || kind.is_refused();
        let guest = self.guests.iter().find(|guest| finding.vcpus.first() == Some(&guest.number));
        let hides = |site: &Site| guest.is_some_and(|guest| guest.hides(site.leaf));
        !of_all_entries && (hides(&finding.at) || finding.others.iter().any(hides))
    }
}

/// The findings of the passes.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding, which the caller may complete.
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

    /// Sorts by location, and merges the same fault of several vCPUs, or of many with different numbers.
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

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// All findings, sorted by location.
    pub findings: Vec<Finding>,
    with_host: bool,
}

impl Report {
    /// Number of errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity() == Severity::Error).count()
    }

    /// Number of warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.errors()
    }

    /// The kinds that were not checked, since they need a host.
    pub fn skipped(&self) -> impl Iterator<Item = Kind> {
        let with_host = self.with_host;
        Kind::ALL.iter().copied().filter(move |kind| kind.needs_host() && !with_host)
    }
}

impl fmt::Display for Report {
    /// The findings, each followed by a blank line, and their counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}\n")?;
        }
        write!(f, "{} errors, {} warnings", self.errors(), self.warnings())
    }
}
