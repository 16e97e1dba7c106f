//! Vendors, in the order of leaf 0: EBX, EDX, ECX.

/// `GenuineIntel`.
pub(crate) const INTEL: [u32; 3] = registers(b"GenuineIntel");
/// `AuthenticAMD`.
pub(crate) const AMD: [u32; 3] = registers(b"AuthenticAMD");
/// Both of Zhaoxin's.
pub(crate) const ZHAOXIN: [[u32; 3]; 2] = [registers(b"CentaurHauls"), registers(b"  Shanghai  ")];

/// Twelve characters as registers.
pub(crate) const fn registers(text: &[u8; 12]) -> [u32; 3] {
    let mut registers = [0; 3];
    let mut at = 0;
    while at < 3 {
        let from = at * 4;
        registers[at] = u32::from_le_bytes([text[from], text[from + 1], text[from + 2], text[from + 3]]);
        at += 1;
    }
    registers
}
