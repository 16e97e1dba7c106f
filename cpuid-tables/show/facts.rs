//! Facts that follow from an entry's registers together.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::descriptors;
use super::hypervisor::Kind;
use super::processors;
use super::size::size;
use super::tlbs;
use crate::bits::known_fields::{leaf_12, leaf_15};
use crate::bits::location::{Leaf, Registers, Subleaf};
use crate::bits::qemu_cpu::CacheKind;
use crate::table::{
    AmdNode, CacheSubleaf, CpuidEntry, Hypervisor, Signature, TopologyLevel, Vendor, XsaveSubleaf,
};

/// The names of XSAVE's components by number (Intel SDM volume 1, chapter 13; AMD APM volume 2, chapter 11).
static COMPONENTS: &[(u8, &str)] = &[
    (0, "x87"),
    (1, "SSE"),
    (2, "AVX"),
    (3, "BNDREGS"),
    (4, "BNDCSR"),
    (5, "opmask"),
    (6, "ZMM_Hi256"),
    (7, "Hi16_ZMM"),
    (8, "PT"),
    (9, "PKRU"),
    (10, "PASID"),
    (11, "CET_U"),
    (12, "CET_S"),
    (13, "HDC"),
    (14, "UINTR"),
    (15, "LBR"),
    (16, "HWP"),
    (17, "TILECFG"),
    (18, "TILEDATA"),
    (19, "APX"),
    (62, "LWP"),
];

/// An XSAVE component by its number.
pub(super) fn component(number: u8) -> String {
    let known = COMPONENTS.iter().find(|row| row.0 == number);
    known.map_or_else(|| format!("component {number}"), |row| row.1.to_string())
}

/// XSAVE components of a mask.
pub(super) fn components(mask: u64) -> String {
    let all: Vec<String> = (0..64).filter(|number| mask >> number & 1 != 0).map(component).collect();
    if all.is_empty() { "none".to_string() } else { all.join(" ") }
}

/// The facts of an entry; `hypervisor` is whose leaf it is, then vendor and signature of the table.
pub(super) fn entry(
    entry: &CpuidEntry,
    hypervisor: Option<Kind>,
    (vendor, processor): (Option<Vendor>, Option<Signature>),
) -> Vec<String> {
    let (leaf, subleaf, registers) = (entry.function, entry.subleaf(), entry.registers);
    let Registers { eax, .. } = registers;
    if hypervisor.is_some() {
        return of_hypervisor(leaf, registers);
    }
    match leaf.0 {
        0 | 0x8000_0000 | 0x8086_0000 => {
            let vendor = signature_text(&Vendor::from_registers(registers).0);
            vendor.map(|vendor| format!("vendor {vendor}")).into_iter().collect()
        }
        1 if eax != 0 => {
            let name = vendor.and_then(|vendor| processors::name(vendor, Signature(eax)));
            core::iter::once(signature(Signature(eax))).chain(name).collect()
        }
        0x8000_0001 if eax != 0 => alloc::vec![signature(Signature(eax))],
        2 => descriptors::describe(registers, processor),
        4 | 0x8000_001d => {
            let cache = CacheSubleaf { leaf, subleaf, registers };
            cache.kind().map(|kind| of_cache(&cache, kind)).into_iter().collect()
        }
        0xb | 0x1f | 0x8000_0026 => of_level(&TopologyLevel { leaf, subleaf, registers }),
        0xd => of_xsave(subleaf, registers),
        0x12 if subleaf.0 >= 2 => of_enclave_memory(registers),
        0x15 => of_tsc(registers),
        0x18 => tlbs::describe(registers).into_iter().collect(),
        0x8000_001e => of_node(&AmdNode(registers), processor),
        _ => Vec::new(),
    }
}

pub(super) fn signature(signature: Signature) -> String {
    let (family, model, stepping) = (signature.family(), signature.model(), signature.stepping());
    format!("family {family:#x}, model {model:#x}, stepping {stepping}")
}

fn of_hypervisor(leaf: Leaf, registers: Registers) -> Vec<String> {
    if leaf.0 & 0xff != 0 {
        return Vec::new();
    }
    let Hypervisor { signature, .. } = Hypervisor::from_registers(leaf, registers);
    signature_text(&signature).map(|name| format!("hypervisor {name}")).into_iter().collect()
}

/// A signature without trailing zeros; `None` if it is not text.
pub(super) fn signature_text(signature: &[u8; 12]) -> Option<String> {
    let end = signature.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = &signature[..end];
    let prints = text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    (prints && !text.is_empty()).then(|| text.escape_ascii().to_string())
}

const fn kind(kind: CacheKind) -> &'static str {
    match kind {
        CacheKind::Data => " data",
        CacheKind::Instruction => " instruction",
        CacheKind::Unified => "",
    }
}

pub(super) fn of_cache(cache: &CacheSubleaf, kind: CacheKind) -> String {
    let kind = self::kind(kind);
    let ways = if cache.is_fully_associative() {
        "fully associative".to_string()
    } else {
        format!("{} ways", cache.ways())
    };
    let (level, size, line) = (cache.level(), size(cache.size()), cache.line_size());
    let shared = match cache.threads_sharing() {
        1 => "private to one thread".to_string(),
        threads => format!("shared by up to {threads} threads"),
    };
    format!("L{level}{kind} cache: {size}, {ways}, lines of {line} bytes, {shared}")
}

fn of_level(level: &TopologyLevel) -> Vec<String> {
    if level.registers.ecx >> 8 & 0xff == 0 {
        return Vec::new();
    }
    let (domain, processors, shift) = (level.domain(), level.processors(), level.shift());
    alloc::vec![format!(
        "level of {domain}s: {processors} logical processors, x2APIC id {} shifted right by {shift}",
        level.x2apic_id()
    )]
}

fn of_xsave(subleaf: Subleaf, Registers { eax, ebx, ecx, edx }: Registers) -> Vec<String> {
    let wide = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    match subleaf.0 {
        0 => alloc::vec![format!("allowed in XCR0: {}", components(wide(eax, edx)))],
        1 => alloc::vec![format!("allowed in IA32_XSS: {}", components(wide(ecx, edx)))],
        _ if eax == 0 => Vec::new(),
        number => {
            let Ok(number) = u8::try_from(number) else { return Vec::new() };
            let saved = XsaveSubleaf { number, registers: Registers { eax, ebx, ecx, edx } };
            let place = if saved.is_supervisor() {
                "of IA32_XSS".to_string()
            } else {
                format!("at offset {}", saved.offset())
            };
            let aligned = if saved.is_aligned() { ", aligned to 64 bytes when compacted" } else { "" };
            alloc::vec![format!("{}: {} bytes {place}{aligned}", component(number), saved.size())]
        }
    }
}

fn of_enclave_memory(registers: Registers) -> Vec<String> {
    let [eax, ebx, ecx, edx] = registers.to_array().map(u64::from);
    if leaf_12::SUBLEAF_TYPE.read_from(registers) == 0 {
        return Vec::new();
    }
    let base = (ebx & 0xf_ffff) << 32 | eax & 0xffff_f000;
    let bytes = (edx & 0xf_ffff) << 32 | ecx & 0xffff_f000;
    alloc::vec![format!("enclave memory: {} at {base:#x}", size(bytes))]
}

fn of_tsc(registers: Registers) -> Vec<String> {
    let denominator = u64::from(leaf_15::TSC_DENOMINATOR.read_from(registers));
    let numerator = u64::from(leaf_15::TSC_NUMERATOR.read_from(registers));
    let crystal = u64::from(leaf_15::CPU_CRYSTAL_HZ.read_from(registers));
    if denominator == 0 || numerator == 0 || crystal == 0 {
        return Vec::new();
    }
    alloc::vec![format!("TSC {} kHz", crystal * numerator / denominator / 1000)]
}

fn of_node(node: &AmdNode, processor: Option<Signature>) -> Vec<String> {
    let (id, core, threads) = (node.apic_id(), node.core(), node.threads_per_core());
    let nodes = (node.node(), node.nodes_per_processor());
    let units = processor.is_some_and(|signature| signature.family() < AmdNode::FIRST_FAMILY_WITH_THREADS);
    let (unit, part) = if units { ("compute unit", "core") } else { ("core", "thread") };
    let plural = if threads == 1 && units { "" } else { "s" };
    alloc::vec![format!(
        "APIC id {id}: {unit} {core} of {threads} {part}{plural} each, node {} of {} in the processor",
        nodes.0, nodes.1
    )]
}
