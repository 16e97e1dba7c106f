//! The guest that executes CPUID: a loop over a list of questions in its memory, in the three processor modes.
//!
//! The loop is the same in all modes; in real mode its instructions have prefixes for 32-bit operands and addresses.
//! Intel SDM volume 2A, chapters 2 and 3: instruction formats, CPUID; volume 3A, 3.4 and 4.5: segments and paging.

use std::vec::Vec;

use kvm_bindings::{kvm_segment, kvm_sregs};

/// The mode in which the guest executes CPUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 16 bits, without protection.
    Real,
    /// 32 bits, protected, without paging.
    Protected,
    /// 64 bits.
    Long,
}

impl Mode {
    /// All modes.
    pub const ALL: [Mode; 3] = [Mode::Real, Mode::Protected, Mode::Long];
}

/// A question takes 24 bytes: the input EAX and ECX, then the output EAX, EBX, ECX and EDX.
pub(super) const QUESTION: usize = 24;
/// Questions per run: they fit a real-mode segment.
pub(super) const BATCH: usize = 2048;

/// The physical address of the guest's code.
pub(super) const CODE: usize = 0x1000;
/// Three tables of 4096 bytes, for long mode.
const TABLES: usize = 0x2000;
/// The questions, at the start of a real-mode segment.
pub(super) const QUESTIONS: usize = 0x1_0000;
/// Bytes of memory.
pub(super) const MEMORY: usize = 0x2_0000;

/// The port that the guest writes to when it is done.
pub(super) const DONE: u8 = 0x42;

/// The guest's code for a mode. It expects the address of the questions in ESI and their number, at least one, in
/// EDI.
pub(super) fn code(mode: Mode) -> Vec<u8> {
    // Prefixes for 32-bit operands and addresses, if they are not the mode's default.
    let (operand, both): (&[u8], &[u8]) = match mode {
        Mode::Real => (&[0x66], &[0x66, 0x67]),
        Mode::Protected | Mode::Long => (&[], &[]),
    };
    let mut code = Vec::new();
    let mut emit = |prefix: &[u8], instruction: &[u8]| code.extend([prefix, instruction].concat());
    emit(both, &[0x8b, 0x06]); // mov eax, [esi]
    emit(both, &[0x8b, 0x4e, 4]); // mov ecx, [esi + 4]
    emit(&[], &[0x0f, 0xa2]); // cpuid
    emit(both, &[0x89, 0x46, 8]); // mov [esi + 8], eax
    emit(both, &[0x89, 0x5e, 12]); // mov [esi + 12], ebx
    emit(both, &[0x89, 0x4e, 16]); // mov [esi + 16], ecx
    emit(both, &[0x89, 0x56, 20]); // mov [esi + 20], edx
    emit(operand, &[0x83, 0xc6, 24]); // add esi, 24
    emit(operand, &[0xff, 0xcf]); // dec edi
    let back = i8::try_from(code.len() + 2).map_or(0, |length| -length);
    code.extend([0x75, back.to_le_bytes()[0]]); // jnz, to the first instruction
    code.extend([0xe6, DONE]); // out, al
    code.push(0xf4); // hlt
    code
}

/// Page tables of long mode, with their address: the first 2 MiB are identity-mapped.
pub(super) fn page_tables() -> (usize, Vec<u8>) {
    const PRESENT_WRITABLE: u64 = 3;
    const LARGE: u64 = 1 << 7;
    let table = |at: usize| (TABLES + at * 0x1000) as u64;
    let mut bytes = std::vec![0; 3 * 0x1000];
    let firsts = [table(1) | PRESENT_WRITABLE, table(2) | PRESENT_WRITABLE, PRESENT_WRITABLE | LARGE];
    for (page, entry) in bytes.chunks_exact_mut(0x1000).zip(firsts) {
        page[..8].copy_from_slice(&entry.to_le_bytes());
    }
    (TABLES, bytes)
}

/// Sets a vCPU's special registers for a mode.
pub(super) fn enter(mode: Mode, sregs: &mut kvm_sregs) {
    const PE: u64 = 1;
    const PG: u64 = 1 << 31;
    const PAE: u64 = 1 << 5;
    const LME_LMA: u64 = 1 << 8 | 1 << 10;
    let (code, data) = match mode {
        Mode::Real => (real(0), real(QUESTIONS as u64)),
        Mode::Protected => (flat(1, 0xb, false), flat(2, 3, false)),
        Mode::Long => (flat(1, 0xb, true), flat(2, 3, false)),
    };
    sregs.cs = code;
    for segment in [&mut sregs.ds, &mut sregs.es, &mut sregs.fs, &mut sregs.gs, &mut sregs.ss] {
        *segment = data;
    }
    match mode {
        Mode::Real => {}
        Mode::Protected => sregs.cr0 |= PE,
        Mode::Long => {
            sregs.cr3 = TABLES as u64;
            sregs.cr4 |= PAE;
            sregs.efer |= LME_LMA;
            sregs.cr0 |= PE | PG;
        }
    }
}

/// A real-mode segment.
fn real(base: u64) -> kvm_segment {
    let selector = u16::try_from(base >> 4).unwrap_or(0);
    kvm_segment { base, limit: 0xffff, selector, type_: 3, present: 1, s: 1, ..Default::default() }
}

/// A segment over the whole address space; `type_` is 0xB for code, 3 for data.
fn flat(index: u16, type_: u8, long: bool) -> kvm_segment {
    kvm_segment {
        limit: u32::MAX,
        selector: index << 3,
        type_,
        present: 1,
        s: 1,
        g: 1,
        l: u8::from(long),
        db: u8::from(!long),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_goes_back_to_its_start() {
        for mode in Mode::ALL {
            let code = code(mode);
            let jump = code.windows(2).position(|pair| pair == [0xe6, DONE]).unwrap_or(0);
            assert_eq!(code[jump - 2], 0x75, "{mode:?}");
            let offset = i64::from(i8::from_le_bytes([code[jump - 1]]));
            assert_eq!(i64::try_from(jump), Ok(-offset), "{mode:?}: relative to the next instruction");
        }
    }

    #[test]
    fn a_batch_fits_a_segment() {
        const { assert!(BATCH * QUESTION <= 0x1_0000 && QUESTIONS + BATCH * QUESTION <= MEMORY) };
        let (start, tables) = page_tables();
        assert!(CODE + code(Mode::Real).len() <= start && start + tables.len() <= QUESTIONS);
    }
}
