//! Leaf ranges: each begins with a leaf that holds the range's maximum.
//!
//! Intel SDM volume 2A, "CPUID", leaves 0 and 80000000H; AMD APM volume 3, appendix E.3 and E.4. A hypervisor's range
//! has 256 leaves, and begins at 0x40000000 or a multiple of 0x100 above. Linux guests read the maximum of leaf 0,
//! 0x80000000, 0xC0000000 and a hypervisor's signature leaf before anything else (`arch/x86/kernel/cpu/common.c`).

use alloc::collections::BTreeMap;
use alloc::format;

use super::guest::Guest;
use super::{Findings, Input, Kind, Site};
use crate::bits::location::{Leaf, Register, Registers, Subleaf};
use crate::table::{CpuidEntry, CpuidRead, Hypervisor};

/// A range of which a table has leaves.
struct Range {
    base: Leaf,
    /// Number of leaves that fit the range.
    room: u32,
}

/// Where Linux looks for ranges, besides a hypervisor's.
const BASES: [Leaf; 4] = [Leaf::BASIC, Leaf::EXTENDED, Leaf::TRANSMETA, Leaf::CENTAUR];

/// Leaves outside all ranges in which AMD's processors return text.
const EASTER_EGGS: [Leaf; 2] = [Leaf(0x8fff_fffe), Leaf(0x8fff_ffff)];

impl Range {
    fn is_known(&self) -> bool {
        BASES.contains(&self.base) || Hypervisor::bases().any(|base| base == self.base)
    }

    fn around(leaf: Leaf) -> Range {
        match leaf.0 {
            0..0x4000_0000 => Range { base: Leaf::BASIC, room: 0x4000_0000 },
            0x4000_0000..0x4001_0000 => Range { base: Leaf(leaf.0 & !0xff), room: 0x100 },
            _ => Range { base: Leaf(leaf.0 & !0xffff), room: 0x1_0000 },
        }
    }
}

/// Maxima that are missing, too low, too high, or out of range.
pub(super) fn maxima(input: &Input<'_>, findings: &mut Findings) {
    for guest in &input.guests {
        let is_basic = |leaf: Leaf| Range::around(leaf).base == Leaf::BASIC;
        let at = Site::leaf(Leaf::BASIC);
        if !guest.entries.iter().any(|entry| is_basic(entry.function)) {
            findings.add(Kind::NoBasicLeaves, guest, at, "the table has no entry below 0x40000000");
        } else if guest.registers(0, 0).is_none() {
            findings.add(Kind::NoLeafZero, guest, at, "the table has no entry for leaf 0");
        }
        // By base: the highest leaf with any non-zero register, and the highest of all.
        let mut ranges: BTreeMap<Leaf, (Range, Option<Leaf>, Leaf)> = BTreeMap::new();
        for entry in guest.given {
            let range = Range::around(entry.function);
            let holds = entry.registers != Registers::ZERO && !repeats(guest, entry);
            let (_, filled, highest) = ranges.entry(range.base).or_insert((range, None, entry.function));
            *highest = (*highest).max(entry.function);
            *filled = (*filled).max(Some(entry.function).filter(|_| holds));
        }
        for (range, filled, highest) in ranges.into_values() {
            if !range.is_known() {
                outside(guest, filled, findings);
                continue;
            }
            of_range(guest, &range, filled, highest, findings);
        }
    }
}

/// True for a leaf above the basic maximum that has what a processor other than AMD's answers there: the highest basic leaf.
/// Without the entry KVM answers the same. Dumps of tools that do not ask for the maximum have such leaves.
fn repeats(guest: &Guest<'_>, entry: &CpuidEntry) -> bool {
    let Some(Registers { eax: maximum, .. }) = guest.registers(0, 0) else { return false };
    let answer = guest.entries.registers(Leaf(maximum), entry.subleaf());
    !guest.is_amd() && entry.function.0 > maximum && answer == Some(entry.registers)
}

/// The highest leaf of a range that guests do not read.
fn outside(guest: &Guest<'_>, filled: Option<Leaf>, findings: &mut Findings) {
    if let Some(leaf) = filled.filter(|leaf| !EASTER_EGGS.contains(leaf)) {
        let what = format!("leaf {leaf} is outside the ranges that guests read");
        findings.add(Kind::LeafOutsideRanges, guest, guest.site_of_leaf(leaf), what);
    }
}

fn of_range(guest: &Guest<'_>, range: &Range, filled: Option<Leaf>, highest: Leaf, findings: &mut Findings) {
    let base = range.base;
    let Some(registers) = guest.entries.registers(base, Subleaf(0)) else {
        if let Some(filled) = filled.filter(|_| base != Leaf::BASIC) {
            let what = format!("leaf {filled} is present, but its range's first leaf {base} is missing");
            let other = guest.site(filled, Subleaf(0));
            findings.add(Kind::NoMaximum, guest, Site::leaf(base), what).and(other);
        }
        return;
    };
    let at = guest.site(base, Subleaf(0)).bits(Register::Eax, 0);
    let maximum = maximum(base, registers);
    let others = filled.filter(|&filled| filled != base);
    if maximum.0.checked_sub(base.0).is_none_or(|leaves| leaves >= range.room) {
        // A processor without extended leaves returns 0 or any smaller value there.
        if base != Leaf::BASIC && maximum < base && others.is_none() {
            return;
        }
        let what = format!("the maximum is {maximum}, outside its range, which begins at {base}");
        findings.add(Kind::MaximumOutOfRange, guest, at, what);
        return;
    }
    if let Some(above) = others.filter(|&above| above > maximum) {
        let what = format!("the maximum is {maximum}, but there is a leaf {above}");
        let other = guest.site_of_leaf(above);
        findings
            .add(Kind::LeafAboveMaximum, guest, at, what)
            .and(other)
            .help_by(format!("raise the maximum to {above}, or remove the entry"));
    } else if maximum > highest {
        let what = format!("the maximum is {maximum}, but the highest leaf is {highest}");
        findings.add(Kind::MaximumAboveLeaves, guest, at, what).and(guest.site_of_leaf(highest));
    }
}

/// The maximum from a range's first leaf. Old KVMs return 0, which stands for their feature leaf (Linux,
/// `Documentation/virt/kvm/x86/cpuid.rst`).
fn maximum(base: Leaf, registers: Registers) -> Leaf {
    let range = Hypervisor::from_registers(base, registers);
    let old_kvm = range.signature == Hypervisor::KVM && range.highest.0 == 0;
    if old_kvm && Hypervisor::bases().any(|hypervisor| hypervisor == base) {
        return Leaf(base.0 + 1);
    }
    range.highest
}
