//! Values after a key in a line: `EAX_IN: 0x7`, `rax = 0x7`, `rax 7`.

use super::scan::Scan;
use crate::bits::location::Registers;

/// The hexadecimal number after a key, which begins a word. Its case does not matter.
pub(super) fn hex(line: &[u8], key: &str) -> Option<u32> {
    let at = line.windows(key.len()).enumerate().position(|(at, part)| {
        let begins = at == 0 || !(line[at - 1].is_ascii_alphanumeric() || line[at - 1] == b'_');
        begins && part.eq_ignore_ascii_case(key.as_bytes())
    })?;
    let mut rest = Scan::new(&line[at + key.len()..]);
    let blank = rest.blanks();
    let separator = rest.literal(b":") || rest.literal(b"=");
    rest.blanks();
    if !blank && !separator {
        return None;
    }
    rest.literal(b"0x");
    // A register of 64 bits; CPUID clears its upper half.
    let digits = rest.while_is(|byte| byte.is_ascii_hexdigit());
    let ends = rest.rest().first().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let value = u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()?;
    u32::try_from(value).ok().filter(|_| ends)
}

/// Four such numbers: EAX, EBX, ECX and EDX.
pub(super) fn registers(line: &[u8], keys: [&str; 4]) -> Option<Registers> {
    let [eax, ebx, ecx, edx] = keys.map(|key| hex(line, key));
    Some(Registers::new(eax?, ebx?, ecx?, edx?))
}
