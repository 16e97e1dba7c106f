//! Names of the constants.
//!
//! A hardware feature is called by the newest macro of the kernel; failing that by KVM's newest; failing that by
//! QEMU's newest name in upper case, with `_` for whatever an identifier cannot hold. A leading digit gets a `_`.
//!
//! Where several want one name, the strongest claim in that order keeps it if it is the only one of its strength; all
//! others have their location appended (`MBA_80000008_EBX_6`, `MBA_10_EBX_3`: Linux's MBA stands at both).

use std::collections::{BTreeMap, BTreeSet};

use super::{Feature, KernelBit, Model, MsrFeature};
use crate::location::Location;

/// How good a claim to a name is; the first is the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Kernel,
    Kvm,
    Qemu,
}

/// Names everything in the model.
pub(super) fn name_all(model: &mut Model) {
    let wanted: Vec<(String, Claim, String)> = model.features.iter().map(feature).collect();
    for (feature, constant) in model.features.iter_mut().zip(settle(&wanted)) {
        feature.constant = constant;
    }
    let wanted: Vec<(String, Claim, String)> = model.msr.iter().map(msr).collect();
    for (feature, constant) in model.msr.iter_mut().zip(settle(&wanted)) {
        feature.constant = constant;
    }
    for bits in [&mut model.software, &mut model.bugs, &mut model.vmx] {
        kernel_bits(bits);
    }
}

fn feature(feature: &Feature) -> (String, Claim, String) {
    let newest = || feature.linux.iter().rev().filter(|view| view.name.is_some());
    let kernel = newest().find(|view| view.kernel.is_some());
    let macro_name = kernel.or_else(|| newest().next()).and_then(|view| view.name.as_deref());
    let suffix = location_suffix(feature.location);
    match macro_name {
        Some(name) if kernel.is_some() => (identifier(name), Claim::Kernel, suffix),
        Some(name) => (identifier(name), Claim::Kvm, suffix),
        None => (identifier(qemu_name(&feature.qemu)), Claim::Qemu, suffix),
    }
}

fn msr(feature: &MsrFeature) -> (String, Claim, String) {
    let suffix = format!("{:X}_{}", feature.msr.0, feature.bit.0);
    (identifier(qemu_name(&feature.qemu)), Claim::Qemu, suffix)
}

fn qemu_name(views: &[super::QemuView]) -> &str {
    let newest = views.iter().rev().find_map(|view| view.name.as_deref()).unwrap_or_default();
    newest.split('|').next().unwrap_or_default()
}

fn location_suffix(location: Location) -> String {
    let word = location.word;
    let subleaf = if word.subleaf.0 == 0 { String::new() } else { format!("_{}", word.subleaf.0) };
    format!("{:X}{subleaf}_{}_{}", word.leaf.0, word.register, location.bit.0)
}

/// An identifier for a constant: ASCII capitals, digits and `_`.
fn identifier(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let mut out: String = name.chars().map(plain).collect();
    if !out.starts_with(|c: char| c.is_ascii_uppercase()) {
        out.insert(0, '_');
    }
    // A lone `_` is no name.
    if out.bytes().all(|b| b == b'_') { format!("X{out}") } else { out }
}

/// Names for what has no claim better than another's: each its own, or its own with its suffix where several want it.
pub(super) fn settle_alike<'a>(wanted: impl Iterator<Item = (&'a str, String)>) -> Vec<String> {
    let wanted: Vec<(String, Claim, String)> =
        wanted.map(|(name, suffix)| (identifier(name), Claim::Kernel, suffix)).collect();
    settle(&wanted)
}

fn settle(wanted: &[(String, Claim, String)]) -> Vec<String> {
    let mut claims: BTreeMap<&str, (Claim, u32)> = BTreeMap::new();
    for (name, claim, _) in wanted {
        let best = claims.entry(name).or_insert((*claim, 0));
        if *claim < best.0 {
            *best = (*claim, 0);
        }
        best.1 += u32::from(*claim == best.0);
    }
    let keeps = |name: &str, claim: Claim| claims.get(name) == Some(&(claim, 1));
    let mut taken: BTreeSet<String> = claims.keys().map(|&name| name.to_owned()).collect();
    let mut unique = |mut name: String| {
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    let constant = |(name, claim, suffix): &(String, Claim, String)| {
        if keeps(name, *claim) { name.clone() } else { unique(format!("{name}_{suffix}")) }
    };
    wanted.iter().map(constant).collect()
}

/// Macros are identifiers and unique already; only case and a leading digit could get in the way.
fn kernel_bits(bits: &mut [KernelBit]) {
    let mut taken = BTreeSet::new();
    for bit in bits.iter_mut() {
        let mut name = identifier(&bit.name);
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        bit.constant = name;
    }
    bits.sort_by(|a, b| a.constant.cmp(&b.constant));
}

#[cfg(test)]
mod tests {
    use super::{Claim, identifier, settle};

    #[test]
    fn identifiers() {
        assert_eq!(identifier("sse4.1"), "SSE4_1");
        assert_eq!(identifier("3dnow"), "_3DNOW");
        assert_eq!(identifier("kvmclock-stable-bit"), "KVMCLOCK_STABLE_BIT");
        assert_eq!(identifier("..."), "X____");
        assert_eq!(identifier(""), "X_");
    }

    #[test]
    fn the_only_best_claim_keeps_the_name() {
        let claim = |name: &str, claim, suffix: &str| (name.to_owned(), claim, suffix.to_owned());
        let settled = settle(&[
            claim("A", Claim::Qemu, "1"),
            claim("A", Claim::Kernel, "2"),
            claim("B", Claim::Kernel, "3"),
            claim("B", Claim::Kernel, "4"),
            claim("B_4", Claim::Qemu, "5"),
        ]);
        assert_eq!(settled, ["A_1", "A", "B_3", "B_4_", "B_4"]);
    }
}
