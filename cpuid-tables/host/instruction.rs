//! The CPUID instruction: the crate's only `unsafe` besides KVM's.
#![expect(unsafe_code, reason = "the compiler's function for the instruction is unsafe before Rust 1.94")]

use crate::bits::location::{Leaf, Registers, Subleaf};

/// A source of CPUID values: EAX, EBX, ECX and EDX of a leaf and subleaf.
pub type Instruction = fn(Leaf, Subleaf) -> Registers;

/// This processor's instruction; `None` if it is not an x86-64.
#[must_use]
pub fn instruction() -> Option<Instruction> {
    #[cfg(target_arch = "x86_64")]
    return Some(execute);
    #[cfg(not(target_arch = "x86_64"))]
    return None;
}

#[cfg(target_arch = "x86_64")]
#[allow(unused_unsafe, reason = "see above: it is safe in newer compilers")]
fn execute(leaf: Leaf, subleaf: Subleaf) -> Registers {
    // SAFETY: every x86-64 has the instruction, and it changes only the registers that it returns.
    let answer = unsafe { core::arch::x86_64::__cpuid_count(leaf.0, subleaf.0) };
    Registers::new(answer.eax, answer.ebx, answer.ecx, answer.edx)
}
