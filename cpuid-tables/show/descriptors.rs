//! The bytes of leaf 2, each of which stands for a cache, a TLB or a prefetcher.
//!
//! Intel SDM volume 2A, "CPUID", table 3-12, "Encoding of CPUID Leaf 2 Descriptors".

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::size::size;
use crate::bits::location::Registers;
use crate::table::Signature;

/// A cache: level, what it holds, KiB, ways, bytes of a line, lines of a sector.
struct Cache(u8, u32, &'static str, u64, u32, u32, u32);

const DATA: &str = " data";
const CODE: &str = " instruction";
const BOTH: &str = "";

/// By byte.
static CACHES: &[Cache] = &[
    Cache(0x06, 1, CODE, 8, 4, 32, 1),
    Cache(0x08, 1, CODE, 16, 4, 32, 1),
    Cache(0x09, 1, CODE, 32, 4, 64, 1),
    Cache(0x0a, 1, DATA, 8, 2, 32, 1),
    Cache(0x0c, 1, DATA, 16, 4, 32, 1),
    Cache(0x0d, 1, DATA, 16, 4, 64, 1),
    Cache(0x0e, 1, DATA, 24, 6, 64, 1),
    Cache(0x1d, 2, BOTH, 128, 2, 64, 1),
    Cache(0x21, 2, BOTH, 256, 8, 64, 1),
    Cache(0x22, 3, BOTH, 512, 4, 64, 2),
    Cache(0x23, 3, BOTH, 1024, 8, 64, 2),
    Cache(0x24, 2, BOTH, 1024, 16, 64, 1),
    Cache(0x25, 3, BOTH, 2048, 8, 64, 2),
    Cache(0x29, 3, BOTH, 4096, 8, 64, 2),
    Cache(0x2c, 1, DATA, 32, 8, 64, 1),
    Cache(0x30, 1, CODE, 32, 8, 64, 1),
    Cache(0x41, 2, BOTH, 128, 4, 32, 1),
    Cache(0x42, 2, BOTH, 256, 4, 32, 1),
    Cache(0x43, 2, BOTH, 512, 4, 32, 1),
    Cache(0x44, 2, BOTH, 1024, 4, 32, 1),
    Cache(0x45, 2, BOTH, 2048, 4, 32, 1),
    Cache(0x46, 3, BOTH, 4096, 4, 64, 1),
    Cache(0x47, 3, BOTH, 8192, 8, 64, 1),
    Cache(0x48, 2, BOTH, 3072, 12, 64, 1),
    Cache(0x49, 2, BOTH, 4096, 16, 64, 1),
    Cache(0x4a, 3, BOTH, 6144, 12, 64, 1),
    Cache(0x4b, 3, BOTH, 8192, 16, 64, 1),
    Cache(0x4c, 3, BOTH, 12288, 12, 64, 1),
    Cache(0x4d, 3, BOTH, 16384, 16, 64, 1),
    Cache(0x4e, 2, BOTH, 6144, 24, 64, 1),
    Cache(0x60, 1, DATA, 16, 8, 64, 1),
    Cache(0x66, 1, DATA, 8, 4, 64, 1),
    Cache(0x67, 1, DATA, 16, 4, 64, 1),
    Cache(0x68, 1, DATA, 32, 4, 64, 1),
    Cache(0x78, 2, BOTH, 1024, 4, 64, 1),
    Cache(0x79, 2, BOTH, 128, 8, 64, 2),
    Cache(0x7a, 2, BOTH, 256, 8, 64, 2),
    Cache(0x7b, 2, BOTH, 512, 8, 64, 2),
    Cache(0x7c, 2, BOTH, 1024, 8, 64, 2),
    Cache(0x7d, 2, BOTH, 2048, 8, 64, 1),
    Cache(0x7f, 2, BOTH, 512, 2, 64, 1),
    Cache(0x80, 2, BOTH, 512, 8, 64, 1),
    Cache(0x82, 2, BOTH, 256, 8, 32, 1),
    Cache(0x83, 2, BOTH, 512, 8, 32, 1),
    Cache(0x84, 2, BOTH, 1024, 8, 32, 1),
    Cache(0x85, 2, BOTH, 2048, 8, 32, 1),
    Cache(0x86, 2, BOTH, 512, 4, 64, 1),
    Cache(0x87, 2, BOTH, 1024, 8, 64, 1),
    Cache(0xd0, 3, BOTH, 512, 4, 64, 1),
    Cache(0xd1, 3, BOTH, 1024, 4, 64, 1),
    Cache(0xd2, 3, BOTH, 2048, 4, 64, 1),
    Cache(0xd6, 3, BOTH, 1024, 8, 64, 1),
    Cache(0xd7, 3, BOTH, 2048, 8, 64, 1),
    Cache(0xd8, 3, BOTH, 4096, 8, 64, 1),
    Cache(0xdc, 3, BOTH, 1536, 12, 64, 1),
    Cache(0xdd, 3, BOTH, 3072, 12, 64, 1),
    Cache(0xde, 3, BOTH, 6144, 12, 64, 1),
    Cache(0xe2, 3, BOTH, 2048, 16, 64, 1),
    Cache(0xe3, 3, BOTH, 4096, 16, 64, 1),
    Cache(0xe4, 3, BOTH, 8192, 16, 64, 1),
    Cache(0xea, 3, BOTH, 12288, 24, 64, 1),
    Cache(0xeb, 3, BOTH, 18432, 24, 64, 1),
    Cache(0xec, 3, BOTH, 24576, 24, 64, 1),
];

/// What is not a cache of a level, by byte.
static OTHERS: &[(u8, &str)] = &[
    (0x01, "instruction TLB: 4 KiB pages, 4 ways, 32 entries"),
    (0x02, "instruction TLB: 4 MiB pages, fully associative, 2 entries"),
    (0x03, "data TLB: 4 KiB pages, 4 ways, 64 entries"),
    (0x04, "data TLB: 4 MiB pages, 4 ways, 8 entries"),
    (0x05, "L1 data TLB: 4 MiB pages, 4 ways, 32 entries"),
    (0x0b, "instruction TLB: 4 MiB pages, 4 ways, 4 entries"),
    (0x40, "no L2 cache or, where there is one, no L3 cache"),
    (0x4f, "instruction TLB: 4 KiB pages, 32 entries"),
    (0x50, "instruction TLB: 4 KiB and 2 MiB or 4 MiB pages, 64 entries"),
    (0x51, "instruction TLB: 4 KiB and 2 MiB or 4 MiB pages, 128 entries"),
    (0x52, "instruction TLB: 4 KiB and 2 MiB or 4 MiB pages, 256 entries"),
    (0x55, "instruction TLB: 2 MiB or 4 MiB pages, fully associative, 7 entries"),
    (0x56, "L0 data TLB: 4 MiB pages, 4 ways, 16 entries"),
    (0x57, "L0 data TLB: 4 KiB pages, 4 ways, 16 entries"),
    (0x59, "L0 data TLB: 4 KiB pages, fully associative, 16 entries"),
    (0x5a, "L0 data TLB: 2 MiB or 4 MiB pages, 4 ways, 32 entries"),
    (0x5b, "data TLB: 4 KiB and 4 MiB pages, 64 entries"),
    (0x5c, "data TLB: 4 KiB and 4 MiB pages, 128 entries"),
    (0x5d, "data TLB: 4 KiB and 4 MiB pages, 256 entries"),
    (0x61, "instruction TLB: 4 KiB pages, fully associative, 48 entries"),
    (
        0x63,
        "data TLB: 2 MiB or 4 MiB pages, 4 ways, 32 entries, and a separate array: 1 GiB pages, 4 ways, 4 entries",
    ),
    (0x64, "data TLB: 4 KiB pages, 4 ways, 512 entries"),
    (0x6a, "uTLB: 4 KiB pages, 8 ways, 64 entries"),
    (0x6b, "data TLB: 4 KiB pages, 8 ways, 256 entries"),
    (0x6c, "data TLB: 2 MiB or 4 MiB pages, 8 ways, 128 entries"),
    (0x6d, "data TLB: 1 GiB pages, fully associative, 16 entries"),
    (0x70, "trace cache: 12K uops, 8 ways"),
    (0x71, "trace cache: 16K uops, 8 ways"),
    (0x72, "trace cache: 32K uops, 8 ways"),
    (0x76, "instruction TLB: 2 MiB or 4 MiB pages, fully associative, 8 entries"),
    (0xa0, "data TLB: 4 KiB pages, fully associative, 32 entries"),
    (0xb0, "instruction TLB: 4 KiB pages, 4 ways, 128 entries"),
    (0xb1, "instruction TLB: 2 MiB pages, 4 ways, 8 entries, or 4 MiB pages, 4 ways, 4 entries"),
    (0xb2, "instruction TLB: 4 KiB pages, 4 ways, 64 entries"),
    (0xb3, "data TLB: 4 KiB pages, 4 ways, 128 entries"),
    (0xb4, "L1 data TLB: 4 KiB pages, 4 ways, 256 entries"),
    (0xb5, "instruction TLB: 4 KiB pages, 8 ways, 64 entries"),
    (0xb6, "instruction TLB: 4 KiB pages, 8 ways, 128 entries"),
    (0xba, "L1 data TLB: 4 KiB pages, 4 ways, 64 entries"),
    (0xc0, "data TLB: 4 KiB and 4 MiB pages, 4 ways, 8 entries"),
    (0xc1, "shared L2 TLB: 4 KiB and 2 MiB pages, 8 ways, 1024 entries"),
    (0xc2, "data TLB: 4 KiB and 2 MiB pages, 4 ways, 16 entries"),
    (0xc3, "shared L2 TLB: 4 KiB and 2 MiB pages, 6 ways, 1536 entries, and 1 GiB pages, 4 ways, 16 entries"),
    (0xc4, "data TLB: 2 MiB or 4 MiB pages, 4 ways, 32 entries"),
    (0xca, "shared L2 TLB: 4 KiB pages, 4 ways, 512 entries"),
    (0xf0, "prefetches 64 bytes"),
    (0xf1, "prefetches 128 bytes"),
    (0xfe, "leaf 0x18 describes the TLBs"),
    (0xff, "leaf 4 describes the caches"),
];

/// The level that byte 0x49 stands for: 3 on the Xeon MP of family 0xF, model 6, 2 on all others.
fn level(cache: &Cache, signature: Option<Signature>) -> u32 {
    let xeon_mp = signature.is_some_and(|signature| (signature.family(), signature.model()) == (0xf, 6));
    if cache.0 == 0x49 && xeon_mp { 3 } else { cache.1 }
}

/// What the bytes of leaf 2 stand for, in the order of the registers; `signature` is the processor's.
pub(super) fn describe(registers: Registers, signature: Option<Signature>) -> Vec<String> {
    let valid = registers.to_array().into_iter().map(|value| if value >> 31 == 0 { value } else { 0 });
    // The lowest byte of EAX is no descriptor.
    let bytes = valid.flat_map(u32::to_le_bytes).skip(1).filter(|byte| *byte != 0);
    bytes.map(|byte| format!("{byte:#04x}: {}", one(byte, signature))).collect()
}

fn one(byte: u8, signature: Option<Signature>) -> String {
    if let Some(cache) = CACHES.iter().find(|cache| cache.0 == byte) {
        let &Cache(_, _, holds, kib, ways, line, sector) = cache;
        let sector = if sector > 1 { format!(", {sector} lines per sector") } else { String::new() };
        let (level, size) = (level(cache, signature), size(kib << 10));
        return format!("L{level}{holds} cache: {size}, {ways} ways, lines of {line} bytes{sector}");
    }
    let other = OTHERS.iter().find(|row| row.0 == byte);
    other.map_or_else(|| "not in Intel's table".to_string(), |row| row.1.to_string())
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{CACHES, OTHERS, one};
    use crate::bits::qemu_cpu::CacheKind;
    use crate::bits::release::QemuRelease;
    use crate::show::size::size;

    #[test]
    fn bytes_ascend_and_none_is_a_cache_and_another() {
        assert!(CACHES.is_sorted_by(|one, other| one.0 < other.0));
        assert!(OTHERS.is_sorted_by(|one, other| one.0 < other.0));
        assert!(CACHES.iter().all(|cache| OTHERS.iter().all(|other| other.0 != cache.0)));
    }

    #[test]
    fn caches_are_as_qemu_describes_them() {
        let mut compared = 0;
        for known in QemuRelease::ALL.into_iter().flat_map(|release| release.cache_descriptors()) {
            let kind = match known.kind {
                CacheKind::Data => " data",
                CacheKind::Instruction => " instruction",
                CacheKind::Unified => "",
            };
            let expected = format!(
                "L{}{kind} cache: {}, {} ways, lines of {} bytes",
                known.level,
                size(u64::from(known.size)),
                known.associativity,
                known.line_size
            );
            let described = one(known.byte, None);
            assert!(described.starts_with(&expected), "{:#x}: {described}, QEMU {expected}", known.byte);
            compared += 1;
        }
        // Releases before 3.1 have no such table.
        assert!(compared > 0 || QemuRelease::find("7.2").is_none());
    }
}
