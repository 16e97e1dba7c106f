/// Every byte as it is compared: ASCII lower case, `-` and `.` as `_`.
static FOLD: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte: u8 = 0;
    loop {
        table[byte as usize] = match byte {
            b'-' | b'.' => b'_',
            byte => byte.to_ascii_lowercase(),
        };
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// A byte as it is compared.
#[must_use]
pub(crate) fn fold(byte: u8) -> u8 {
    FOLD[usize::from(byte)]
}

/// FNV-1a of the folded name, 64 bits, and a last step that spreads what the last bytes changed over the upper half.
#[must_use]
pub(crate) fn name_hash(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(fold(byte))).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ (hash >> 32)).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
}

/// The slot of a hash under its bucket's seed.
#[must_use]
pub(crate) fn slot(hash: u64, seed: u16, slots: usize) -> usize {
    let mixed =
        (hash ^ u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    reduce(mixed >> 32, slots)
}

/// A 32-bit number scaled to `0..count`.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    reason = "the result is below `count`; clippy sees it on some targets"
)]
pub(crate) fn reduce(value: u64, count: usize) -> usize {
    ((value * (count as u64)) >> 32) as usize
}
