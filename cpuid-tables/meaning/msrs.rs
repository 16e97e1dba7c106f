//! Combining feature MSRs: those that `KVM_GET_MSR_FEATURE_INDEX_LIST` lists.
//!
//! Intel SDM volume 4 for IA32_ARCH_CAPABILITIES (0x10A), IA32_PERF_CAPABILITIES (0x345) and IA32_CORE_CAPABILITIES
//! (0xCF); volume 3D, appendix A, for the VMX capabilities (0x480 to 0x492); AMD APM volume 2 for the rest.

use super::Rule;
use crate::bits::location::Msr;

use Rule::{And, Equal, Ignore, Max, Min, Or, Smaller};

/// What some bits of an MSR mean, and how to combine them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsrMeaning {
    /// The bits.
    pub mask: u64,
    /// How to combine their values.
    pub rule: Rule,
    /// Why.
    pub reason: &'static str,
}

struct Row {
    first: u32,
    last: u32,
    mask: u64,
    rule: Rule,
    reason: &'static str,
}

const fn row(msr: u32, mask: u64, rule: Rule, reason: &'static str) -> Row {
    Row { first: msr, last: msr, mask, rule, reason }
}

const fn rows(first: u32, last: u32, mask: u64, rule: Rule, reason: &'static str) -> Row {
    Row { first, last, mask, rule, reason }
}

/// The bits from `low` to `high`.
const fn bits(low: u32, high: u32) -> u64 {
    u64::MAX >> (63 - (high - low)) << low
}

const MUST_BE_1: &str = "if set, the control must be 1; a nested hypervisor that sets it runs on both";
const FIXED_1: &str = "if set, the bit of CR0 or CR4 must be 1";

/// In order of MSRs; other bits are *and*-ed.
static ROWS: &[Row] = &[
    row(0x8b, bits(0, 63), Smaller, "the microcode's revision; an older one promises less"),
    row(0xce, bits(0, 30) | bits(32, 63), Ignore, "ratios of the machine's own clock"),
    row(
        0x10a,
        1 << 2,
        Or,
        "RSBA: if set, RET may use predictors other than the return stack; a guest that does not see it relies on the return stack",
    ),
    row(0x10a, 1 << 19, Or, "RRSBA: the same under enhanced IBRS"),
    row(0x345, bits(0, 5), Equal, "the format of branch records, which a guest reads"),
    row(0x345, bits(8, 11), Equal, "the format of PEBS records, which a guest reads"),
    row(0x480, bits(0, 30), Equal, "the revision of a VMCS in the guest's memory"),
    row(0x480, bits(32, 44), Max, "the size of a VMCS; a larger one is harmless"),
    row(0x480, 1 << 48, Equal, "the width of addresses in a VMCS"),
    row(0x480, bits(50, 53), Equal, "the memory type of a VMCS"),
    rows(0x481, 0x484, bits(0, 31), Or, MUST_BE_1),
    row(0x485, bits(0, 4), Equal, "the rate of the preemption timer"),
    row(0x485, bits(16, 24), Min, "the number of CR3 targets"),
    row(0x485, bits(25, 27), Min, "the maximum length of MSR lists"),
    row(0x485, bits(32, 63), Ignore, "a revision that only SMM uses"),
    row(0x486, bits(0, 63), Or, FIXED_1),
    row(0x488, bits(0, 63), Or, FIXED_1),
    row(0x48a, bits(1, 9), Min, "the highest index of a field of a VMCS"),
    row(0x48b, bits(0, 31), Or, MUST_BE_1),
    rows(0x48d, 0x490, bits(0, 31), Or, MUST_BE_1),
];

/// Why other bits are *and*-ed.
const PROMISE: &str =
    "a guest uses the features that it sees, and skips mitigations for bugs to which it is immune";

/// The parts of an MSR: each of its 64 bits is in exactly one of them.
///
/// ```
/// use cpuid_tables::{Msr, fleet::{Rule, msr_meanings}};
///
/// let capabilities: Vec<_> = msr_meanings(Msr(0x10a)).collect();
/// let rule = |bit: u32| capabilities.iter().find(|bits| bits.mask >> bit & 1 != 0).map(|bits| bits.rule);
/// assert_eq!((rule(2), rule(5)), (Some(Rule::Or), Some(Rule::And))); // RSBA, MDS_NO
/// ```
pub fn msr_meanings(msr: Msr) -> impl Iterator<Item = MsrMeaning> {
    let own = || ROWS.iter().filter(move |row| row.first <= msr.0 && msr.0 <= row.last);
    let rest = !own().fold(0, |all, row| all | row.mask);
    let rest = (rest != 0).then_some(MsrMeaning { mask: rest, rule: And, reason: PROMISE });
    own().map(|row| MsrMeaning { mask: row.mask, rule: row.rule, reason: row.reason }).chain(rest)
}

/// Combines two hosts' values into one that a guest may have on both; a field that must be equal and differs becomes
/// 0.
///
/// No numeric field crosses bit 32, so the halves are combined separately.
#[must_use]
#[cfg(feature = "fleet")]
pub(crate) fn combine_msr(msr: Msr, one: u64, other: u64) -> u64 {
    let half = |value: u64, mask: u64| ((value & mask) & 0xffff_ffff) as u32;
    msr_meanings(msr).fold(0, |folded, MsrMeaning { mask, rule, .. }| {
        let part = |shift: u32| {
            let (one, other) = (half(one >> shift, mask >> shift), half(other >> shift, mask >> shift));
            u64::from(rule.combine(one, other).unwrap_or(0)) << shift
        };
        folded | part(0) | part(32)
    })
}

#[cfg(test)]
mod tests {
    use super::{ROWS, combine_msr, msr_meanings};
    use crate::bits::location::Msr;
    use crate::bits::msr_feature::MsrFeature;
    use crate::meaning::Rule;

    #[test]
    fn every_bit_is_in_one_meaning_and_no_number_crosses_the_halves() {
        let all = MsrFeature::all().map(MsrFeature::msr).chain(ROWS.iter().map(|row| Msr(row.first)));
        for msr in all {
            let mut seen = 0;
            for meaning in msr_meanings(msr) {
                assert_eq!(seen & meaning.mask, 0, "{msr:?}");
                seen |= meaning.mask;
                let number = matches!(meaning.rule, Rule::Min | Rule::Max | Rule::Equal);
                let halves = (meaning.mask & 0xffff_ffff != 0, meaning.mask >> 32 != 0);
                assert!(!number || halves != (true, true), "{msr:?} {meaning:?}");
            }
            assert_eq!(seen, u64::MAX, "{msr:?}");
        }
    }

    #[test]
    fn only_what_warns_is_or_ed() {
        for feature in MsrFeature::all().filter(|feature| feature.msr() == Msr(0x10a)) {
            let rule = msr_meanings(Msr(0x10a)).find(|bits| bits.mask & feature.mask() != 0);
            let warns = matches!(feature.bit().0, 2 | 19);
            let wanted = if warns { Rule::Or } else { Rule::And };
            assert_eq!(rule.map(|meaning| meaning.rule), Some(wanted), "{feature}");
        }
    }

    #[test]
    fn controls_that_must_be_1_on_either_host() {
        // Pin-based controls: bits 1, 2 and 4 must be 1 on one host, and bit 3 too on the other.
        let folded = combine_msr(Msr(0x481), 0xff_0000_0016, 0x7f_0000_001e);
        assert_eq!(folded, 0x7f_0000_001e);
        assert_eq!(combine_msr(Msr(0x10a), 0b0_0110_0100, 0b0_0010_0000), 0b0_0010_0100);
    }
}
