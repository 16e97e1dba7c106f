//! Names of the constants.
//!
//! A hardware feature has the name of the kernel's newest macro; without one, of KVM's newest macro; without one,
//! QEMU's newest name in upper case, with `_` for every character that is not valid in an identifier. A leading digit
//! gets a `_`.
//!
//! A published constant keeps its name. If upstream renames its bit, the new name becomes the bit's constant and the
//! published one is deprecated. In a build from older releases than the list's, the published name is the newer one
//! and the upstream name is deprecated.
//!
//! If several bits want one name, the best claim in this order gets it, if it is the only one of its rank and the
//! name is not published. The others get their location appended (`MBA_80000008_EBX_6`, `MBA_10_EBX_3`: Linux's MBA
//! has both locations).

use super::release;
use super::types::{Feature, KernelBit, Model, MsrFeature, QemuView};
use crate::location::Location;
use crate::ordered::{Map, Set, sort_by};
use crate::published::{Published, PublishedBit, PublishedConstant};

/// The rank of a claim to a name; the first is the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Kernel,
    Kvm,
    Qemu,
}

/// The upstream name of a bit.
struct Wanted {
    /// As an identifier; `None` if no release has a name for it.
    name: Option<String>,
    claim: Claim,
    /// Distinguishes it from other bits of the same name.
    suffix: String,
}

/// The constants of one bit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    current: String,
    former: Vec<String>,
}

/// Whether the tables are from older releases than the published names.
#[derive(Clone, Copy)]
struct Age {
    older_linux: bool,
    older_qemu: bool,
}

impl Age {
    fn new(model: &Model, published: &Published) -> Age {
        let older = |newest: Option<&String>, published: &String| {
            newest.is_some_and(|newest| release::is_older(newest, published))
        };
        Age {
            older_linux: older(model.linux.last().map(|release| &release.name), &published.linux),
            older_qemu: older(model.qemu.last().map(|release| &release.name), &published.qemu),
        }
    }

    /// True if a name with this claim may be newer than the published one.
    fn may_rename(self, claim: Claim) -> bool {
        !self.older_linux && (claim != Claim::Qemu || !self.older_qemu)
    }
}

/// Assigns the names of all constants in the model.
pub(super) fn name_all(model: &mut Model, published: &Published) {
    let age = Age::new(model, published);
    let of_sort = |is: fn(&PublishedBit) -> bool| {
        published.constants.iter().filter(move |constant| is(&constant.bit)).collect::<Vec<_>>()
    };
    let known = of_sort(|bit| matches!(bit, PublishedBit::Feature(_)));
    let place = |feature: &Feature| PublishedBit::Feature(feature.location);
    let wanted = model.features.iter().map(|bit| (wanted_feature(bit), place(bit))).collect();
    for (feature, names) in model.features.iter_mut().zip(settle(wanted, &known, age)) {
        (feature.constant, feature.former) = (names.current, names.former);
    }
    let known = of_sort(|bit| matches!(bit, PublishedBit::Msr(..)));
    let place = |bit: &MsrFeature| PublishedBit::Msr(bit.msr, bit.bit);
    let wanted = model.msr.iter().map(|bit| (wanted_msr(bit), place(bit))).collect();
    for (feature, names) in model.msr.iter_mut().zip(settle(wanted, &known, age)) {
        (feature.constant, feature.former) = (names.current, names.former);
    }
    for bits in [&mut model.software, &mut model.bugs, &mut model.vmx] {
        kernel_bits(bits);
    }
}

fn wanted_feature(feature: &Feature) -> Wanted {
    let newest = || feature.linux.iter().rev().filter(|view| view.name.is_some());
    let kernel = newest().find(|view| view.kernel.is_some());
    let macro_name = kernel.or_else(|| newest().next()).and_then(|view| view.name.as_deref());
    let (name, claim) = match macro_name {
        Some(name) if kernel.is_some() => (Some(name), Claim::Kernel),
        Some(name) => (Some(name), Claim::Kvm),
        None => (qemu_name(&feature.qemu), Claim::Qemu),
    };
    Wanted { name: name.map(identifier), claim, suffix: location_suffix(feature.location) }
}

fn wanted_msr(feature: &MsrFeature) -> Wanted {
    let suffix = format!("{:X}_{}", feature.msr.0, feature.bit.0);
    Wanted { name: qemu_name(&feature.qemu).map(identifier), claim: Claim::Qemu, suffix }
}

fn qemu_name(views: &[QemuView]) -> Option<&str> {
    let newest = views.iter().rev().find_map(|view| view.name.as_deref());
    newest.map(|names| names.split('|').next().unwrap_or_default())
}

fn location_suffix(location: Location) -> String {
    let word = location.word;
    let subleaf = if word.subleaf.0 == 0 { String::new() } else { format!("_{}", word.subleaf.0) };
    format!("{:X}{subleaf}_{}_{}", word.leaf.0, word.register, location.bit.0)
}

/// An identifier for a constant: ASCII capitals, digits and `_`.
pub(super) fn identifier(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let mut out: String = name.chars().map(plain).collect();
    if !out.starts_with(|c: char| c.is_ascii_uppercase()) {
        out.insert(0, '_');
    }
    // `_` alone is not an identifier.
    if out.bytes().all(|b| b == b'_') { format!("X{out}") } else { out }
}

/// Names for claims of the same rank: the name itself if only one wants it, or the name with its suffix. Names in
/// `taken` are not used.
pub(super) fn settle_alike(wanted: Vec<(&str, String)>, taken: &[&str]) -> Vec<String> {
    let count = |name: &str| wanted.iter().filter(|(other, _)| identifier(other) == name).count();
    let mut used: Set<String> = taken.iter().map(|&name| name.to_owned()).collect();
    used.extend(wanted.iter().map(|(name, _)| identifier(name)));
    let name = |(name, suffix): &(&str, String)| {
        let plain = identifier(name);
        let alone = count(&plain) == 1 && !taken.contains(&plain.as_str());
        if alone { plain } else { unique(&mut used, format!("{plain}_{suffix}")) }
    };
    wanted.iter().map(name).collect()
}

/// The name, with `_` appended until it is unique.
fn unique(used: &mut Set<String>, mut name: String) -> String {
    while !used.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// The constants of each bit; published names have priority.
fn settle(wanted: Vec<(Wanted, PublishedBit)>, published: &[&PublishedConstant], age: Age) -> Vec<Names> {
    let mut known: Map<&PublishedBit, Names> = Map::new();
    for constant in published {
        let names = known.or_default(&constant.bit);
        match constant.successor {
            Some(_) => names.former.push(constant.name.clone()),
            None => names.current.clone_from(&constant.name),
        }
    }
    let published: Set<&str> = published.iter().map(|constant| constant.name.as_str()).collect();
    // By name that is not published: the best claim, and how many have it.
    let mut claims: Map<&str, (Claim, u32)> = Map::new();
    for (Wanted { name, claim, .. }, _) in &wanted {
        let Some(name) = name.as_deref().filter(|name| !published.contains(name)) else { continue };
        let best = claims.or_insert(name, (*claim, 0));
        if *claim < best.0 {
            *best = (*claim, 0);
        }
        best.1 += u32::from(*claim == best.0);
    }
    let mut used: Set<String> = published.iter().chain(claims.keys()).map(|&name| name.to_owned()).collect();
    let settled = wanted.iter().map(|(Wanted { name, claim, suffix }, bit)| {
        let gets = name.as_ref().filter(|name| claims.get(name.as_str()) == Some(&(*claim, 1)));
        match (known.remove(bit), gets) {
            (Some(names), None) => names,
            (Some(names), Some(name)) => names.with(name, age.may_rename(*claim)),
            (None, Some(name)) => Names { current: name.clone(), former: Vec::new() },
            (None, None) => {
                let name = name.as_deref().unwrap_or_default();
                Names { current: unique(&mut used, format!("{name}_{suffix}")), former: Vec::new() }
            }
        }
    });
    settled.collect()
}

impl Names {
    /// Adds a name, which becomes the current one if it is newer.
    fn with(mut self, name: &str, newer: bool) -> Names {
        if newer {
            self.former.push(std::mem::replace(&mut self.current, name.to_owned()));
        } else {
            self.former.push(name.to_owned());
        }
        self
    }
}

/// Macros are unique identifiers; conflicts can only come from case and leading digits.
fn kernel_bits(bits: &mut [KernelBit]) {
    let mut used = Set::new();
    for bit in bits.iter_mut() {
        bit.constant = unique(&mut used, identifier(&bit.name));
    }
    sort_by(bits, |a, b| a.constant.cmp(&b.constant));
}

#[cfg(test)]
mod tests {
    use super::{Age, Claim, Names, Wanted, identifier, settle};
    use crate::location::{Bit, Msr};
    use crate::published::{PublishedBit, PublishedConstant};

    const NEWER: Age = Age { older_linux: false, older_qemu: false };

    fn wanted(rows: &[(&str, Claim, &str)]) -> Vec<(Wanted, PublishedBit)> {
        let row = |(index, &(name, claim, suffix)): (u8, &(&str, Claim, &str))| {
            let name = (!name.is_empty()).then(|| name.to_owned());
            let wanted = Wanted { name, claim, suffix: suffix.to_owned() };
            (wanted, PublishedBit::Msr(Msr(1), Bit(index)))
        };
        (0..).zip(rows).map(row).collect()
    }

    fn published(bit: u8, name: &str, successor: Option<&str>) -> PublishedConstant {
        let bit = PublishedBit::Msr(Msr(1), Bit(bit));
        PublishedConstant { bit, name: name.to_owned(), successor: successor.map(str::to_owned) }
    }

    fn current(settled: &[Names]) -> Vec<&str> {
        settled.iter().map(|names| names.current.as_str()).collect()
    }

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
        let rows = [
            ("A", Claim::Qemu, "1"),
            ("A", Claim::Kernel, "2"),
            ("B", Claim::Kvm, "3"),
            ("B", Claim::Kvm, "4"),
            ("B_4", Claim::Qemu, "5"),
        ];
        let settled = settle(wanted(&rows), &[], NEWER);
        assert_eq!(current(&settled), ["A_1", "A", "B_3", "B_4_", "B_4"]);
    }

    #[test]
    fn published_names_stay_with_their_bits() {
        let list = [published(0, "A", None), published(1, "B", None), published(2, "C", None)];
        let list: Vec<&PublishedConstant> = list.iter().collect();
        // A second A, a renamed B, a removed C, and a new bit with B's former name.
        let rows = [
            ("A", Claim::Kernel, "0"),
            ("NEW_B", Claim::Kernel, "1"),
            ("", Claim::Qemu, "2"),
            ("A", Claim::Kernel, "3"),
            ("B", Claim::Kernel, "4"),
        ];
        let settled = settle(wanted(&rows), &list, NEWER);
        assert_eq!(current(&settled), ["A", "NEW_B", "C", "A_3", "B_4"]);
        assert_eq!(settled[1].former, ["B"]);
        // In an older release, the published name is the newer one.
        let older = Age { older_linux: true, older_qemu: false };
        let settled = settle(wanted(&rows), &list, older);
        assert_eq!((current(&settled)[1], &settled[1].former[..]), ("B", &["NEW_B".to_owned()][..]));
    }

    #[test]
    fn a_former_name_that_upstream_goes_back_to_changes_nothing() {
        let list = [published(0, "OLD", Some("NEW")), published(0, "NEW", None)];
        let list: Vec<&PublishedConstant> = list.iter().collect();
        let settled = settle(wanted(&[("OLD", Claim::Kernel, "0")]), &list, NEWER);
        assert_eq!(settled, [Names { current: "NEW".to_owned(), former: vec!["OLD".to_owned()] }]);
    }
}
