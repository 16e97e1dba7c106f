//! Tables of confidential guests, in which more than KVM decides what the guest sees: SEV-SNP's firmware checks the page
//! that holds the table, and TDX's module builds the table itself.
//!
//! The facts are the rows of `sev_snp_rows` and `tdx_rows`, each with its source. What is modelled, and what is not, is in
//! docs/confidential.md.

mod rows;
mod sev_snp;
mod sev_snp_rows;
mod tdx;
mod tdx_rows;

use super::{Findings, Input};

/// A kind of confidential guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Target {
    /// AMD's SEV-SNP: the firmware refuses a CPUID page with values that the processor does not have.
    SevSnp,
    /// Intel's TDX: the module sets bits, and KVM refuses some.
    Tdx,
}

/// What the target does with the tables.
pub(super) fn findings(input: &Input<'_>, findings: &mut Findings) {
    match input.target {
        Some(Target::SevSnp) => sev_snp::page(input, findings),
        Some(Target::Tdx) => tdx::guest(input, findings),
        None => {}
    }
}
