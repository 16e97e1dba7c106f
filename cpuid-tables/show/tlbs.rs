//! TLBs of leaf 0x18 in words. Intel SDM volume 2A, "CPUID", leaf 18H.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::bits::location::Registers;

/// Sizes of pages, by EBX's bit.
const PAGES: [(u32, &str); 4] = [(0, "4 KiB"), (1, "2 MiB"), (2, "4 MiB"), (3, "1 GiB")];

/// `L1 instruction TLB: 4 KiB pages, 8 ways, 256 entries, shared by 2 threads`; none for a subleaf without a TLB.
pub(super) fn describe(registers: Registers) -> Option<String> {
    let Registers { ebx, ecx: sets, edx, .. } = registers;
    let kind = match edx & 0x1f {
        1 => "data",
        2 => "instruction",
        3 => "unified",
        4 => "load",
        5 => "store",
        _ => return None,
    };
    let pages: Vec<&str> =
        PAGES.into_iter().filter(|(bit, _)| ebx >> bit & 1 != 0).map(|(_, size)| size).collect();
    let (level, ways) = (edx >> 5 & 7, ebx >> 16);
    let organised = if edx >> 8 & 1 != 0 { "fully associative".to_string() } else { format!("{ways} ways") };
    let entries = u64::from(ways) * u64::from(sets);
    let shared = match (edx >> 14 & 0xfff) + 1 {
        1 => String::new(),
        threads => format!(", shared by up to {threads} threads"),
    };
    Some(format!(
        "L{level} {kind} TLB: {} pages, {organised}, {entries} entries{shared}",
        pages.join(" and ")
    ))
}

#[cfg(test)]
mod tests {
    use super::describe;
    use crate::bits::location::Registers;

    #[test]
    fn a_tlb_in_words() {
        for (registers, expected) in [
            (
                [0, 0x0008_0001, 0x20, 0x4022],
                "L1 instruction TLB: 4 KiB pages, 8 ways, 256 entries, shared by up to 2 threads",
            ),
            ([0, 0x0004_0008, 2, 0x21], "L1 data TLB: 1 GiB pages, 4 ways, 8 entries"),
            (
                [0, 0x0010_0003, 1, 0x0125],
                "L1 store TLB: 4 KiB and 2 MiB pages, fully associative, 16 entries",
            ),
        ] {
            assert_eq!(describe(Registers::from_array(registers)).as_deref(), Some(expected));
        }
        assert_eq!(describe(Registers::from_array([8, 0, 0, 0])), None);
        assert!(describe(Registers::MAX).is_none());
    }
}
