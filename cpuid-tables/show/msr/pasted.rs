//! MSRs in lines that QEMU and Linux print: `failed to set MSR 0x48e to 0xfff9fffe04006172` (`kvm_buf_set_msrs` of
//! target/i386/kvm/kvm.c), `unhandled wrmsr: 0x1c9 data 0x3`, `WRMSR to 0x10f (tried to write 0x0)`.

use alloc::vec::Vec;

use super::AboutMsr;
use crate::bits::location::Msr;

/// The MSRs of a line, with the value that follows one.
pub(in crate::show) fn msrs_in(line: &str) -> Vec<(Msr, Option<u64>)> {
    let folded = line.to_ascii_lowercase();
    let (mut all, mut from) = (Vec::new(), 0);
    while let Some(at) = folded[from..].find("msr").map(|found| from + found + 3) {
        from = at;
        let Some((number, rest)) = number(skip(&folded[at..], &["from", "to", "index", "number", "at"]))
        else {
            continue;
        };
        let Some(msr) = known(number) else { continue };
        // Without the bracket's other side the number may be cut off.
        if folded[at..].starts_with('(') && !rest.starts_with(['h', ')']) {
            continue;
        }
        let rest = rest.strip_prefix('h').unwrap_or(rest);
        // Bits that are not understood: the whole MSR is not what was asked for.
        let after = rest.strip_prefix(')').unwrap_or(rest);
        if after.starts_with('[') && !after.starts_with("[bit") {
            continue;
        }
        let after = skip(rest, &["to", "data", "tried to write", "value", "with"]);
        let value = self::number(after)
            .filter(|(_, end)| after.len() < rest.len() && !end.starts_with(|c: char| c.is_alphanumeric()));
        all.push((msr, value.and_then(|(value, _)| hex_or_decimal(value))));
    }
    all
}

/// The first MSR of a line about MSRs that no table has, such as a processor's own.
///
/// ```
/// use cpuid_tables::{Msr, show::unknown_msr_in};
///
/// assert_eq!(unknown_msr_in("unchecked MSR access error: RDMSR from 0xec0 at rIP"), Some(Msr(0xec0)));
/// assert_eq!(unknown_msr_in("unchecked MSR access error: RDMSR from 0x10a at rIP"), None);
/// ```
#[must_use]
pub fn unknown_msr_in(line: &str) -> Option<Msr> {
    let folded = line.to_ascii_lowercase();
    let places = folded.match_indices("msr").map(|(at, _)| &folded[at + 3..]);
    let numbers = places.filter_map(|rest| number(skip(rest, &["from", "to", "index", "number", "at"])));
    let of_text = |digits: &str| {
        let digits = digits.strip_prefix("0x")?;
        u32::from_str_radix(digits, 16).ok().map(Msr)
    };
    let mut msrs = numbers.filter_map(|(digits, _)| of_text(digits));
    msrs.next().filter(|msr| AboutMsr::new(*msr).is_none())
}

/// What follows punctuation and one of these words.
fn skip<'t>(text: &'t str, words: &[&str]) -> &'t str {
    const BETWEEN: [char; 5] = [' ', '(', ')', ':', '='];
    let text = text.trim_start_matches(BETWEEN);
    let word = words.iter().find_map(|word| text.strip_prefix(word));
    word.filter(|rest| rest.starts_with(BETWEEN)).unwrap_or(text).trim_start_matches(BETWEEN)
}

/// The digits that a text starts with, and the rest.
fn number(text: &str) -> Option<(&str, &str)> {
    let prefix = if text.starts_with("0x") { 2 } else { 0 };
    let end = text[prefix..].find(|c: char| !c.is_ascii_hexdigit()).map_or(text.len(), |end| prefix + end);
    (end > prefix).then(|| text.split_at(end))
}

fn hex_or_decimal(digits: &str) -> Option<u64> {
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok().or_else(|| u64::from_str_radix(digits, 16).ok()),
    }
}

/// Decimal where that is a known MSR and nothing says otherwise; messages without `0x` are hexadecimal as a rule.
fn known(digits: &str) -> Option<Msr> {
    let hexadecimal = u32::from_str_radix(digits.strip_prefix("0x").unwrap_or(digits), 16).ok();
    let decimal = digits.parse().ok();
    [hexadecimal, decimal].into_iter().flatten().map(Msr).find(|msr| AboutMsr::new(*msr).is_some())
}

#[cfg(test)]
mod tests {
    use super::msrs_in;
    use crate::bits::location::Msr;

    #[test]
    fn lines_of_qemu_and_linux() {
        for (line, msr, value) in [
            (
                "qemu-kvm: error: failed to set MSR 0x48f to 0x7fefff00036dfb",
                0x48f,
                Some(0x007f_efff_0003_6dfb),
            ),
            ("error: failed to get MSR 0x1a0", 0x1a0, None),
            ("kvm [77]: vcpu0, guest rIP: 0xfff0 unhandled rdmsr: 0x606", 0x606, None),
            ("kvm: vcpu1, guest rIP: 0x1 ignored wrmsr: 0x1c9 data 0x3", 0x1c9, Some(3)),
            ("kvm: vcpu1 Unhandled WRMSR(0x38d) = 0xb0", 0x38d, Some(0xb0)),
            (
                "unchecked MSR access error: WRMSR to 0x10f (tried to write 0x0000000000000001) at",
                0x10f,
                Some(1),
            ),
            ("unchecked MSR access error: RDMSR from 0xc0010299 at rIP", 0xc001_0299, None),
            ("MSR 38f", 0x38f, None),
            ("MSR(38FH)", 0x38f, None),
        ] {
            assert_eq!(msrs_in(line), [(Msr(msr), value)], "{line}");
        }
        for line in ["msr é msr 0xffffffffffff msr", "MSR 0x48e[-1]", "MSR(48EH)[63:", "rdmsr 0x10a[x]"] {
            assert!(msrs_in(line).is_empty(), "{line}");
        }
    }
}
