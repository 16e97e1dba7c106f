//! What a seccomp filter answers to a system call: classic BPF over `struct seccomp_data`, as Linux runs it.

/// The answer that lets a system call pass, and the one that also logs it (`linux/seccomp.h`).
const ALLOW: u32 = 0x7fff_0000;
const LOG: u32 = 0x7ffc_0000;
/// `AUDIT_ARCH_X86_64`.
const ARCH: u32 = 0xc000_003e;

/// A system call as filters see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) number: u32,
    /// The address after the instruction.
    pub(super) after: u64,
    pub(super) arguments: [u64; 6],
}

impl Call {
    /// A word of `struct seccomp_data`, by its offset.
    fn word(&self, offset: u32) -> Option<u32> {
        let half = |value: u64| {
            let shift = if offset % 8 == 0 { 0 } else { 32 };
            u32::try_from(value >> shift & 0xffff_ffff).ok()
        };
        match offset {
            0 => Some(self.number),
            4 => Some(ARCH),
            8 | 12 => half(self.after),
            16..64 if offset % 4 == 0 => half(self.arguments[(offset as usize - 16) / 8]),
            _ => None,
        }
    }
}

/// Whether all filters of a thread let the call pass.
pub(super) fn allow(filters: &[Vec<libc::sock_filter>], call: &Call) -> bool {
    filters.iter().all(|filter| matches!(run(filter, call), Some(ALLOW | LOG)))
}

/// The answer of one filter, without its data; `None` for an instruction that seccomp does not accept.
fn run(filter: &[libc::sock_filter], call: &Call) -> Option<u32> {
    let (mut a, mut x, mut memory) = (0_u32, 0_u32, [0_u32; 16]);
    let mut at = 0;
    while let Some(instruction) = filter.get(at) {
        let &libc::sock_filter { code, jt, jf, k } = instruction;
        let slot = k as usize;
        let mut skip = 0;
        match (code & 7, code & 0xf8) {
            // Loads: a number, a word of the data, a memory slot, the length of the data.
            (0, 0x00) => a = k,
            (0, 0x20) => a = call.word(k)?,
            (0, 0x60) => a = *memory.get(slot)?,
            (0, 0x80) => a = 64,
            (1, 0x00) => x = k,
            (1, 0x60) => x = *memory.get(slot)?,
            (1, 0x80) => x = 64,
            (2, 0) => *memory.get_mut(slot)? = a,
            (3, 0) => *memory.get_mut(slot)? = x,
            (4, operation) => a = calculate(operation & 0xf0, a, if operation & 8 == 0 { k } else { x })?,
            (5, 0x00) => skip = slot,
            (5, operation) => {
                let other = if operation & 8 == 0 { k } else { x };
                let holds = match operation & 0xf0 {
                    0x10 => a == other,
                    0x20 => a > other,
                    0x30 => a >= other,
                    0x40 => a & other != 0,
                    _ => return None,
                };
                skip = usize::from(if holds { jt } else { jf });
            }
            (6, 0x00) => return Some(k & 0xffff_0000),
            (6, 0x10) => return Some(a & 0xffff_0000),
            (7, 0x00) => x = a,
            (7, 0x80) => a = x,
            _ => return None,
        }
        at = at.checked_add(skip)?.checked_add(1)?;
    }
    None
}

fn calculate(operation: u16, a: u32, other: u32) -> Option<u32> {
    Some(match operation {
        0x00 => a.wrapping_add(other),
        0x10 => a.wrapping_sub(other),
        0x20 => a.wrapping_mul(other),
        0x30 => a.checked_div(other)?,
        0x40 => a | other,
        0x50 => a & other,
        0x60 => a.checked_shl(other).unwrap_or(0),
        0x70 => a.checked_shr(other).unwrap_or(0),
        0x80 => a.wrapping_neg(),
        0xa0 => a ^ other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Call, allow, run};

    const CALL: Call =
        Call { number: 16, after: 0x7f00_0000_1002, arguments: [11, 0xc008_ae91, 0x7ffd_0000, 0, 0, 0] };

    fn filter(rows: &[(u16, u8, u8, u32)]) -> Vec<libc::sock_filter> {
        rows.iter().map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k }).collect()
    }

    /// Lets `ioctl` with one request pass, and kills the process for anything else.
    fn only(request: u32) -> Vec<libc::sock_filter> {
        filter(&[
            (0x20, 0, 0, 4),
            (0x15, 0, 5, 0xc000_003e),
            (0x20, 0, 0, 0),
            (0x15, 0, 3, 16),
            (0x20, 0, 0, 24),
            (0x15, 0, 1, request),
            (0x06, 0, 0, 0x7fff_0000),
            (0x06, 0, 0, 0x8000_0000),
        ])
    }

    #[test]
    fn a_request_passes_only_where_every_filter_allows_it() {
        let all = filter(&[(0x06, 0, 0, 0x7fff_0000)]);
        let logged = filter(&[(0x06, 0, 0, 0x7ffc_0000)]);
        assert!(allow(&[], &CALL));
        assert!(allow(&[all.clone(), only(0xc008_ae91), logged], &CALL));
        assert!(!allow(&[all.clone(), only(0xae80)], &CALL));
        assert!(!allow(&[only(0xc008_ae91)], &Call { number: 17, ..CALL }));
        // An errno, a trap, a tracer's decision, a user's notification.
        for answer in [0x0005_0016, 0x0003_0000, 0x7ff0_0000, 0x7fc0_0000, 0] {
            assert!(!allow(&[all.clone(), filter(&[(0x06, 0, 0, answer)])], &CALL), "{answer:#x}");
        }
    }

    #[test]
    fn each_kind_of_instruction_has_its_effect() {
        let of = |rows: &[(u16, u8, u8, u32)]| run(&filter(rows), &CALL);
        let answer = |rows: &[(u16, u8, u8, u32)]| {
            // Whether A is 0x70000 afterwards.
            of(&[rows, &[(0x15, 0, 1, 0x7_0000), (0x06, 0, 0, 0x7fff_0000), (0x06, 0, 0, 0)]].concat())
        };
        let yes = Some(0x7fff_0000);
        assert_eq!(answer(&[(0x00, 0, 0, 7), (0x64, 0, 0, 16)]), yes);
        assert_eq!(answer(&[(0x01, 0, 0, 0x7_0000), (0x87, 0, 0, 0)]), yes);
        assert_eq!(answer(&[(0x00, 0, 0, 0x7_0000), (0x02, 0, 0, 3), (0x00, 0, 0, 0), (0x60, 0, 0, 3)]), yes);
        assert_eq!(answer(&[(0x80, 0, 0, 0), (0x14, 0, 0, 57), (0x24, 0, 0, 0x1_0000)]), yes);
        assert_eq!(answer(&[(0x00, 0, 0, 0xf_0000), (0x54, 0, 0, 0x7_ffff)]), yes);
        assert_eq!(answer(&[(0x00, 0, 0, 0x7_0000), (0x05, 0, 0, 1), (0x00, 0, 0, 0)]), yes);
        // The upper half of the address, and words that do not exist.
        assert_eq!(
            of(&[(0x20, 0, 0, 12), (0x15, 0, 1, 0x7f00), (0x06, 0, 0, 0x7fff_0000), (0x06, 0, 0, 0)]),
            yes
        );
        assert_eq!(of(&[(0x20, 0, 0, 64), (0x06, 0, 0, 0x7fff_0000)]), None);
        assert_eq!(of(&[(0x20, 0, 0, 2), (0x06, 0, 0, 0x7fff_0000)]), None);
        // A division by zero, an unknown instruction, no end.
        assert_eq!(of(&[(0x34, 0, 0, 0), (0x06, 0, 0, 0x7fff_0000)]), None);
        assert_eq!(of(&[(0xff, 0, 0, 0), (0x06, 0, 0, 0x7fff_0000)]), None);
        assert_eq!(of(&[(0x00, 0, 0, 0)]), None);
    }
}
