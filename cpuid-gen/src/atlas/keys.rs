//! The keys of bits and registers in the page and its links: short, and made of characters that are valid in a link.

use std::collections::BTreeSet;

use crate::location::{CpuidWord, Location, WordSource};
use crate::model::{KernelBit, Model, MsrFeature, Node};

/// A register's key in the page: `7.0.ebx`, `MSR 0x10a`.
pub(super) fn source_key(source: WordSource) -> String {
    match source {
        WordSource::Cpuid(word) => word_key(word),
        WordSource::Msr(msr) => msr.to_string(),
    }
}

pub(super) fn word_key(CpuidWord { leaf, subleaf, register }: CpuidWord) -> String {
    let leaf = if leaf.0 < 10 { leaf.0.to_string() } else { format!("{:#x}", leaf.0) };
    format!("{leaf}.{}.{}", subleaf.0, register.name().to_lowercase())
}

/// A bit's key: `7.0.ebx[5]`.
pub(super) fn location_key(location: Location) -> String {
    format!("{}[{}]", word_key(location.word), location.bit.0)
}

/// The key of a bit that Linux numbers: `linux:REP_GOOD`.
pub(super) fn kernel_key(kind: &str, bit: &KernelBit) -> String {
    format!("{kind}:{}", bit.name)
}

pub(super) fn node_key(model: &Model, node: Node) -> String {
    match node {
        Node::Feature(at) => location_key(model.features[at].location),
        Node::Software(at) => kernel_key("linux", &model.software[at]),
        Node::Msr(at) => msr_key(&model.msr[at]),
    }
}

pub(super) fn msr_key(bit: &MsrFeature) -> String {
    bit.msr.bit(bit.bit).to_string()
}

/// Every key of a bit, which links may name.
pub(super) fn keys(model: &Model) -> BTreeSet<String> {
    let features = model.features.iter().map(|feature| location_key(feature.location));
    let kinds = [("linux", &model.software), ("bug", &model.bugs), ("vmx", &model.vmx)];
    let kernel = kinds.into_iter().flat_map(|(kind, bits)| bits.iter().map(move |bit| kernel_key(kind, bit)));
    features.chain(model.msr.iter().map(msr_key)).chain(kernel).collect()
}
