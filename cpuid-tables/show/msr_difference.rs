//! Feature MSRs of two dumps, compared bit by bit.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::msr::is_control;
use super::styled::{Style, Styled};
use crate::bits::location::{Bit, Msr};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::QemuRelease;

/// An MSR whose values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsrDifference {
    /// The MSR.
    pub msr: Msr,
    /// The value in A; `None` if A does not state it.
    pub a: Option<u64>,
    /// The value in B; `None` if B does not state it.
    pub b: Option<u64>,
}

/// The MSRs that differ, by number. Where only one side states MSRs, each of its MSRs differs.
#[must_use]
pub fn compare_msrs(a: Option<&BTreeMap<Msr, u64>>, b: Option<&BTreeMap<Msr, u64>>) -> Vec<MsrDifference> {
    let none = BTreeMap::new();
    let (a, b) = (a.unwrap_or(&none), b.unwrap_or(&none));
    let all: BTreeSet<Msr> = a.keys().chain(b.keys()).copied().collect();
    let pairs =
        all.into_iter().map(|msr| MsrDifference { msr, a: a.get(&msr).copied(), b: b.get(&msr).copied() });
    pairs.filter(|pair| pair.a != pair.b).collect()
}

impl MsrDifference {
    /// The bits that one side alone has: their names, `bit N` for one without.
    fn bits(&self, has: impl Fn(u64, u64) -> u64) -> Vec<String> {
        let bits = has(self.a.unwrap_or(0), self.b.unwrap_or(0));
        (0..64_u8).filter(|bit| bits >> bit & 1 != 0).map(|bit| bit_name(self.msr, bit)).collect()
    }

    /// The MSR with both values, then the bits that each side alone has.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        let shown =
            |value: Option<u64>| value.map_or("not stated".to_string(), |value| format!("{value:#x}"));
        text.line(Style::Heading, format_args!("{}: {}, {}", self.msr, shown(self.a), shown(self.b)));
        if self.a.is_some() && self.b.is_some() {
            for name in self.bits(|a, b| a & !b) {
                text.line(Style::Error, format_args!("  - {name}"));
            }
            for name in self.bits(|a, b| b & !a) {
                text.line(Style::Good, format_args!("  + {name}"));
            }
        }
        text
    }

    /// `msr`, `a` and `b` in hexadecimal, and the names of the bits that `a_only` and `b_only` have.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let shown = |value: Option<u64>| value.map(|value| format!("{value:#x}"));
        serde_json::json!({
            "msr": format!("{:#x}", self.msr.0),
            "a": shown(self.a),
            "b": shown(self.b),
            "a_only": self.bits(|a, b| a & !b),
            "b_only": self.bits(|a, b| b & !a),
        })
    }
}

/// A VMX control has a bit in both halves: the upper states that it may be 1, the lower that it must be 1.
fn bit_name(msr: Msr, bit: u8) -> String {
    let (bit, half) =
        if is_control(msr) { (bit % 32, if bit < 32 { ", must be 1" } else { "" }) } else { (bit, "") };
    let feature = MsrFeature::at(msr.bit(Bit(bit)));
    let name = feature.map(|feature| feature.qemu_name(QemuRelease::NEWEST).unwrap_or(feature.name()));
    format!("{}{half} ({})", name.unwrap_or("unknown"), msr.bit(Bit(bit)))
}
