//! A processor's identity: vendor, family, model, stepping and brand; and the hypervisors that run it.
//!
//! Intel SDM volume 2A, "CPUID", leaves 0, 1 and 80000002H; AMD APM volume 3, appendix E.3.1 and E.4.2.

use core::fmt;

use crate::bits::known_fields::leaf_1;
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::table::cpuid_fn::CpuidFn;

impl Leaf {
    /// Where the basic leaves begin.
    pub const BASIC: Leaf = Leaf(0);
    /// Where a hypervisor's leaves begin; with several hypervisors, the first range.
    pub const HYPERVISOR: Leaf = Leaf(0x4000_0000);
    /// Where the extended leaves begin.
    pub const EXTENDED: Leaf = Leaf(0x8000_0000);
    /// Where Transmeta's leaves begin.
    pub const TRANSMETA: Leaf = Leaf(0x8086_0000);
    /// Where Centaur's and Zhaoxin's leaves begin.
    pub const CENTAUR: Leaf = Leaf(0xc000_0000);
}

/// The twelve characters of a vendor, in their order: EBX, EDX, ECX of leaf 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vendor(pub [u8; 12]);

impl Vendor {
    /// Intel.
    pub const INTEL: Vendor = Vendor(*b"GenuineIntel");
    /// AMD.
    pub const AMD: Vendor = Vendor(*b"AuthenticAMD");
    /// AMD's first engineering samples of the K5; KVM treats it as AMD.
    pub const AMD_K5: Vendor = Vendor(*b"AMDisbetter!");
    /// Hygon, whose processors have AMD's design.
    pub const HYGON: Vendor = Vendor(*b"HygonGenuine");
    /// Centaur, of VIA and later Zhaoxin.
    pub const CENTAUR: Vendor = Vendor(*b"CentaurHauls");
    /// Zhaoxin.
    pub const ZHAOXIN: Vendor = Vendor(*b"  Shanghai  ");
    /// Transmeta.
    pub const TRANSMETA: Vendor = Vendor(*b"GenuineTMx86");

    /// From the registers of leaf 0.
    #[must_use]
    pub const fn from_registers(registers: Registers) -> Vendor {
        let Registers { ebx, ecx, edx, .. } = registers;
        Vendor(text_of([ebx, edx, ecx]))
    }

    /// EBX, ECX and EDX of leaf 0.
    #[must_use]
    pub const fn to_registers(self) -> [u32; 3] {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = self.0;
        [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([i, j, k, l]), u32::from_le_bytes([e, f, g, h])]
    }

    /// True if KVM applies AMD's rules: AMD and Hygon (`is_guest_vendor_amd`, `is_guest_vendor_hygon`).
    #[must_use]
    pub fn is_amd_compatible(self) -> bool {
        [Vendor::AMD, Vendor::AMD_K5, Vendor::HYGON].contains(&self)
    }
}

/// The bytes of three registers, concatenated.
const fn text_of(registers: [u32; 3]) -> [u8; 12] {
    let ([a, b, c, d], [e, f, g, h], [i, j, k, l]) =
        (registers[0].to_le_bytes(), registers[1].to_le_bytes(), registers[2].to_le_bytes());
    [a, b, c, d, e, f, g, h, i, j, k, l]
}

impl fmt::Display for Vendor {
    /// The characters; unprintable ones are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vendor({self})")
    }
}

/// EAX of leaf 1: family, model and stepping.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub u32);

impl Signature {
    /// The family: the extended family is added if the base family is 0xF.
    #[must_use]
    pub const fn family(self) -> u32 {
        let base = leaf_1::BASE_FAMILY_ID.read(self.0);
        if base == 0xf { base + leaf_1::EXT_FAMILY.read(self.0) } else { base }
    }

    /// The model: the extended model counts from family 6 on, as in Linux (`x86_model`).
    #[must_use]
    pub const fn model(self) -> u32 {
        let base = leaf_1::BASE_MODEL.read(self.0);
        if self.family() >= 6 { leaf_1::EXT_MODEL.read(self.0) << 4 | base } else { base }
    }

    /// The stepping.
    #[must_use]
    pub const fn stepping(self) -> u32 {
        leaf_1::STEPPING.read(self.0)
    }

    /// EAX of leaf 1 for a family, model and stepping; `None` if one does not fit: a family above 0x10E, a model above
    /// 0xFF (0xF below family 6, which has no extended model), a stepping above 0xF.
    ///
    /// ```
    /// use cpuid_tables::Signature;
    ///
    /// assert_eq!(Signature::new(6, 0x8f, 8), Some(Signature(0x0008_06f8)));
    /// assert_eq!(Signature::new(0x19, 0x11, 1), Some(Signature(0x00a1_0f11)));
    /// assert_eq!(Signature::new(5, 0x10, 0), None);
    /// ```
    #[must_use]
    pub const fn new(family: u32, model: u32, stepping: u32) -> Option<Signature> {
        let (base, extended) = if family < 0xf { (family, 0) } else { (0xf, family - 0xf) };
        let models = if family >= 6 { 0xff } else { 0xf };
        if extended > leaf_1::EXT_FAMILY.max() || model > models || stepping > leaf_1::STEPPING.max() {
            return None;
        }
        Some(Signature(
            leaf_1::EXT_FAMILY.encode(extended)
                | leaf_1::EXT_MODEL.encode(model >> 4)
                | leaf_1::BASE_FAMILY_ID.encode(base)
                | leaf_1::BASE_MODEL.encode(model & 0xf)
                | leaf_1::STEPPING.encode(stepping),
        ))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, model, stepping) = (self.family(), self.model(), self.stepping());
        write!(f, "Signature({:#x}: family {family:#x}, model {model:#x}, stepping {stepping})", self.0)
    }
}

/// The 48 bytes of a brand string, padded with zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Brand(pub [u8; 48]);

impl Brand {
    /// A text of at most 47 bytes, padded with zeros; `None` if it is longer or contains a zero.
    #[must_use]
    pub fn new(text: &str) -> Option<Brand> {
        let mut brand = [0; 48];
        let text = text.as_bytes();
        if text.len() >= brand.len() || text.contains(&0) {
            return None;
        }
        brand[..text.len()].copy_from_slice(text);
        Some(Brand(brand))
    }

    /// The leaves 0x80000002 to 0x80000004 with their registers.
    pub fn to_leaves(&self) -> impl Iterator<Item = (Leaf, Registers)> + '_ {
        let leaves = (0x8000_0002..=0x8000_0004).map(Leaf);
        leaves.zip(self.0.chunks_exact(16)).map(|(leaf, part)| {
            let mut registers = [0; 4];
            for (register, bytes) in registers.iter_mut().zip(part.chunks_exact(4)) {
                *register = bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
            }
            (leaf, Registers::from_array(registers))
        })
    }

    /// The bytes before the first zero, without surrounding blanks.
    #[must_use]
    pub fn trimmed(&self) -> &[u8] {
        let text = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        text.trim_ascii()
    }
}

impl fmt::Display for Brand {
    /// The text before the first zero, without surrounding blanks; unprintable bytes are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.trimmed().escape_ascii(), f)
    }
}

impl fmt::Debug for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Brand({self})")
    }
}

pub(crate) fn brand(cpuid: impl CpuidFn) -> Option<Brand> {
    let mut brand = [0; 48];
    let leaves = 0x8000_0002..=0x8000_0004_u32;
    for (part, leaf) in brand.chunks_exact_mut(16).zip(leaves) {
        let registers = cpuid(Leaf(leaf), Subleaf(0))?;
        for (bytes, register) in part.chunks_exact_mut(4).zip(registers.to_array()) {
            bytes.copy_from_slice(&register.to_le_bytes());
        }
    }
    Some(Brand(brand))
}

/// The first leaf of a hypervisor's range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hypervisor {
    /// Where its leaves begin: 0x40000000, 0x40000100 and so on.
    pub base: Leaf,
    /// Its highest leaf; older KVMs report 0, which stands for `base + 1`.
    pub highest: Leaf,
    /// EBX, ECX and EDX, twelve characters in this order.
    pub signature: [u8; 12],
}

impl Hypervisor {
    /// KVM.
    pub const KVM: [u8; 12] = *b"KVMKVMKVM\0\0\0";
    /// Hyper-V.
    pub const HYPERV: [u8; 12] = *b"Microsoft Hv";
    /// Xen.
    pub const XEN: [u8; 12] = *b"XenVMMXenVMM";
    /// VMware.
    pub const VMWARE: [u8; 12] = *b"VMwareVMware";
    /// QEMU without an accelerator.
    pub const TCG: [u8; 12] = *b"TCGTCGTCGTCG";

    /// The bases that Linux searches: 0x40000000 to 0x4000FF00, in steps of 0x100
    /// (`for_each_possible_cpuid_base_hypervisor`).
    pub fn bases() -> impl Iterator<Item = Leaf> {
        (0x4000_0000..0x4001_0000).step_by(0x100).map(Leaf)
    }

    /// From the registers of its first leaf.
    #[must_use]
    pub const fn from_registers(base: Leaf, registers: Registers) -> Hypervisor {
        let Registers { eax: highest, ebx, ecx, edx } = registers;
        Hypervisor { base, highest: Leaf(highest), signature: text_of([ebx, ecx, edx]) }
    }
}

pub(crate) fn hypervisors(cpuid: impl CpuidFn) -> impl Iterator<Item = Hypervisor> {
    Hypervisor::bases().filter_map(move |base| {
        cpuid(base, Subleaf(0)).map(|registers| Hypervisor::from_registers(base, registers))
    })
}
