//! A guest's enclave memory.

/// A section of a guest's SGX memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SgxSection {
    /// Its address in the guest, a multiple of a page.
    pub base: u64,
    /// Its bytes, a multiple of a page.
    pub size: u64,
}
