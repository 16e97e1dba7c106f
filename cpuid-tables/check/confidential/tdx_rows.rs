//! What TDX makes of a guest's CPUID.
//!
//! All but the refused ones are of QEMU 11.0.3, target/i386/kvm/tdx.c; those are of tdx_unsupported_cpuid in
//! arch/x86/kvm/vmx/tdx.c of Linux 7.1. Intel's TDX module specification was not at hand.
//!
//! Written by upstream/confidential.

use super::rows::TdRow;
use super::rows::TdRule::{Attribute, Fixed, Kvm, Refused, Xfam};
use crate::bits::location::Register::{Eax, Ebx, Ecx, Edx};

/// The bits, by rule.
pub(super) static ROWS: &[TdRow] = &[
    TdRow::new(Fixed, 1, 0, Ecx, 0xc6fa_a217),
    TdRow::new(Fixed, 1, 0, Edx, 0x7a9_fbff),
    TdRow::new(Fixed, 6, 0, Eax, 4),
    TdRow::new(Fixed, 7, 0, Ebx, 0x2194_24c1),
    TdRow::new(Fixed, 7, 0, Ecx, 0x1900_0000),
    TdRow::new(Fixed, 7, 0, Edx, 0xfc00_0400),
    TdRow::new(Fixed, 7, 2, Edx, 0x17),
    TdRow::new(Fixed, 0xd, 0, Eax, 3),
    TdRow::new(Fixed, 0xd, 1, Eax, 0xf),
    TdRow::new(Fixed, 0x8000_0001, 0, Ecx, 0x121),
    TdRow::new(Fixed, 0x8000_0001, 0, Edx, 0x2c10_0800),
    TdRow::new(Fixed, 0x8000_0007, 0, Edx, 0x100),
    TdRow::new(Attribute(27), 7, 1, Eax, 0x40),
    TdRow::new(Attribute(30), 7, 0, Ecx, 0x8000_0000),
    TdRow::new(Attribute(31), 7, 0, Ecx, 0x80_0000),
    TdRow::new(Xfam(2), 1, 0, Ecx, 0x1000),
    TdRow::new(Xfam(2), 7, 0, Ebx, 0x20),
    TdRow::new(Xfam(5), 7, 0, Ecx, 2),
    TdRow::new(Xfam(5), 7, 0, Edx, 0x80_0000),
    TdRow::new(Xfam(8), 7, 0, Ebx, 0x200_0000),
    TdRow::new(Xfam(9), 7, 0, Ecx, 8),
    TdRow::new(Xfam(11), 7, 0, Ecx, 0x80),
    TdRow::new(Xfam(11), 7, 0, Edx, 0x10_0000),
    TdRow::new(Xfam(17), 7, 0, Edx, 0x40_0000),
    TdRow::new(Xfam(17), 7, 0, Edx, 0x100_0000),
    TdRow::new(Xfam(17), 7, 0, Edx, 0x200_0000),
    TdRow::new(Kvm, 0x4000_0001, 0, Eax, 0xba82),
    TdRow::new(Refused, 7, 0, Ebx, 0x810),
    TdRow::new(Refused, 7, 0, Ecx, 0x20),
];
