//! Hosts to record guests on: the most permissive ones, real processors, random and strange ones, and how they are written to files.

use std::fs;
use std::path::Path;

use cpuid_tables::host::{Host, HostFile};
use cpuid_tables::{CpuidEntry, CpuidRead, Feature, Leaf, Msr, Registers, Subleaf, feature};

use super::Outcome;

mod kvm;
mod plausible;
mod processors;
mod saved;
mod strange;
mod synthetic;

pub use plausible::plausible;
pub use processors::processors;
pub use saved::saved_msrs;
pub use strange::strange;
pub use synthetic::all_ones;

/// XSAVE components that Linux uses only with a feature, and that feature (`xsave_cpuid_features`, Linux,
/// arch/x86/kernel/fpu/xstate.c).
const NEEDS: [(u32, Feature); 9] = [
    (2, feature::AVX),
    (3, feature::MPX),
    (4, feature::MPX),
    (5, feature::AVX512F),
    (6, feature::AVX512F),
    (7, feature::AVX512F),
    (9, feature::PKU),
    (17, feature::AMX_TILE),
    (18, feature::AMX_TILE),
];

/// The host of a processor with a current KVM, by the answers of its CPUID instruction. Its `IA32_ARCH_CAPABILITIES` is 0.
pub fn of_instruction(vendor: Vendor, instruction: Vec<CpuidEntry>) -> Host {
    let has =
        |feature: &Feature| CpuidRead::word(&instruction[..], feature.location().word) & feature.mask() != 0;
    let unused: u32 = NEEDS.iter().filter(|(_, feature)| !has(feature)).map(|(bit, _)| 1 << bit).sum();
    let mut host = kvm::host(vendor, instruction, 0);
    if let Some(entry) = find(&mut host.supported, 0xd, 0) {
        entry.registers.eax &= !unused;
    }
    host.supported.retain(|entry| {
        entry.function != Leaf(0xd)
            || entry.index.0 < 2
            || unused.checked_shr(entry.index.0).unwrap_or(0) & 1 == 0
    });
    host.guest_xcomponents = host.guest_xcomponents.map(|all| all & !u64::from(unused));
    host
}

/// A CPU's vendor: leaf 0's EBX, ECX and EDX, in a table's order of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vendor(pub &'static [u8; 12]);

impl Vendor {
    /// `GenuineIntel`.
    pub const INTEL: Vendor = Vendor(b"GenuineIntel");
    /// `AuthenticAMD`.
    pub const AMD: Vendor = Vendor(b"AuthenticAMD");
    /// `HygonGenuine`.
    pub const HYGON: Vendor = Vendor(b"HygonGenuine");
    /// `  Shanghai  `.
    pub const ZHAOXIN: Vendor = Vendor(b"  Shanghai  ");
    /// `CentaurHauls`.
    pub const CENTAUR: Vendor = Vendor(b"CentaurHauls");

    /// Whether it has AMD's leaves: 0x80000005, 0x8000001D and so on.
    pub fn is_amd(self) -> bool {
        self == Vendor::AMD || self == Vendor::HYGON
    }

    /// EAX and the name in EBX, ECX and EDX.
    pub fn leaf(self, eax: u32) -> Registers {
        let [first, second, third] = [0, 4, 8].map(|at| word(&self.0[at..at + 4]));
        Registers::new(eax, first, third, second)
    }
}

/// Up to four bytes as a register holds them.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// Entries in order.
#[derive(Clone, Debug, Default)]
struct Entries(Vec<CpuidEntry>);

impl Entries {
    fn leaf(&mut self, leaf: u32, registers: Registers) {
        self.0.push(CpuidEntry::new(Leaf(leaf), registers));
    }

    fn subleaf(&mut self, leaf: u32, subleaf: u32, registers: Registers) {
        self.0.push(CpuidEntry::indexed(Leaf(leaf), Subleaf(subleaf), registers));
    }

    /// Subleaves from 0 on.
    fn subleaves(&mut self, leaf: u32, all: &[Registers]) {
        (0..).zip(all).for_each(|(subleaf, registers)| self.subleaf(leaf, subleaf, *registers));
    }

    /// Leaves 0x80000002 to 0x80000004.
    fn brand(&mut self, text: &str) {
        let mut bytes = [0; 48];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        let words: Vec<u32> = bytes.chunks(4).map(word).collect();
        for (leaf, four) in (0x8000_0002..).zip(words.chunks(4)) {
            self.leaf(leaf, Registers::new(four[0], four[1], four[2], four[3]));
        }
    }
}

/// An XSAVE component: its number, and EAX, EBX and ECX of its subleaf of leaf 0xD.
type Component = (u32, [u32; 3]);

/// Leaf 0xD: XCR0's components, those of IA32_XSS, and the largest size of all in memory.
fn xsave(entries: &mut Entries, components: &[Component], features: u32) -> (u32, u32, u32) {
    let of = |supervisor: bool| {
        let all = components.iter().filter(|(_, [.., ecx])| (ecx & 1 == 1) == supervisor);
        all.fold(0, |all, (number, _)| all | 1 << number)
    };
    let (xcr0, xss) = (3 | of(false), of(true));
    let user = components.iter().filter(|(_, [.., ecx])| ecx & 1 == 0);
    let size = user.map(|(_, [size, offset, _])| size + offset).max().unwrap_or(0x240);
    entries.subleaf(0xd, 0, Registers::new(xcr0, size, size, 0));
    entries.subleaf(0xd, 1, Registers::new(features, size, xss, 0));
    for (number, [eax, ebx, ecx]) in components {
        entries.subleaf(0xd, *number, Registers::new(*eax, *ebx, *ecx, 0));
    }
    (xcr0, xss, size)
}

/// Finds a leaf and subleaf to change it.
fn find(entries: &mut [CpuidEntry], leaf: u32, subleaf: u32) -> Option<&mut CpuidEntry> {
    entries.iter_mut().find(|entry| entry.function == Leaf(leaf) && entry.subleaf() == Subleaf(subleaf))
}

/// MSRs with their values.
fn msrs(all: &[(u32, u64)]) -> std::collections::BTreeMap<Msr, u64> {
    all.iter().map(|(msr, value)| (Msr(*msr), *value)).collect()
}

/// Writes a host's files.
pub fn write(directory: &Path, name: &str, host: &Host) -> Outcome<()> {
    fs::create_dir_all(directory)?;
    Ok(host.write_files(&directory.join(name))?)
}

/// Reads a host's files, as far as there are any.
pub fn read(directory: &Path, name: &str) -> Outcome<Host> {
    let mut host = Host::default();
    for file in HostFile::ALL {
        let path = file.path(&directory.join(name));
        if path.exists() {
            host.read(file, &fs::read_to_string(&path)?)?;
        }
    }
    Ok(host)
}
