//! Identity, caches, topology and XSAVE components, read from tables.

use crate::common;
use cpuid_tables::{
    AmdNode, CacheKind, CacheSubleaf, CpuidEntry, CpuidRead, CpuidTable, Hypervisor, Leaf, Registers,
    Signature, Subleaf, TopologyDomain, Vendor, feature,
};

#[test]
fn vendors() {
    for vendor in [Vendor::INTEL, Vendor::AMD, Vendor::HYGON, Vendor::ZHAOXIN] {
        let [ebx, ecx, edx] = vendor.to_registers();
        assert_eq!(Vendor::from_registers(Registers::new(9, ebx, ecx, edx)), vendor);
    }
    assert_eq!(Vendor::AMD.to_registers(), [0x6874_7541, 0x444d_4163, 0x6974_6e65]);
    assert_eq!(Vendor(*b"a\0\xff bcd\n    ").to_string(), "a\\x00\\xff bcd\\n    ");
    assert!(Vendor::HYGON.is_amd_compatible() && !Vendor::CENTAUR.is_amd_compatible());
}

#[test]
fn signatures() {
    let parts = |eax| (Signature(eax).family(), Signature(eax).model(), Signature(eax).stepping());
    assert_eq!(parts(0x0040_06f1), (6, 0xf, 1), "no extended model");
    assert_eq!(parts(0x0004_06f1), (6, 0x4f, 1));
    assert_eq!(parts(0x00a2_0f12), (0x19, 0x21, 2), "a family above 0xF");
    assert_eq!(parts(0x0000_0f4a), (0xf, 4, 0xa));
    assert_eq!(parts(0x0001_0543), (5, 4, 3), "the extended model is not family 5's");
}

#[test]
fn brands() {
    let mut text = *b"  A brand\0 and what was there before it, 48 byte";
    let entries = |text: &[u8; 48]| -> Vec<CpuidEntry> {
        let words: Vec<u32> =
            text.chunks_exact(4).map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]])).collect();
        let leaves = words.chunks_exact(4).zip(0x8000_0002..);
        leaves.map(|(w, leaf)| CpuidEntry::new(Leaf(leaf), Registers::new(w[0], w[1], w[2], w[3]))).collect()
    };
    assert_eq!(entries(&text).brand().map(|brand| brand.to_string()).as_deref(), Some("A brand"));
    text[9] = b'!';
    let brand = entries(&text).brand().map(|brand| brand.to_string());
    assert_eq!(brand.as_deref(), Some("A brand! and what was there before it, 48 byte"));
    assert_eq!(entries(&text)[1..].brand(), None);
}

#[test]
fn hypervisors_and_highest_leaves() {
    let entries = [
        CpuidEntry::new(Leaf(0), Registers::new(0x16, 0, 0, 0)),
        CpuidEntry::new(
            Leaf(0x4000_0000),
            Registers::new(0x4000_0005, 0x7263_694d, 0x666f_736f, 0x7648_2074),
        ),
        CpuidEntry::new(Leaf(0x4000_0100), Registers::new(0, 0x4b4d_564b, 0x564b_4d56, 0x4d)),
        CpuidEntry::new(Leaf(0x4001_0000), Registers::ZERO),
        CpuidEntry::new(Leaf(0x8000_0000), Registers::new(0x8000_0008, 0, 0, 0)),
    ];
    let found: Vec<Hypervisor> = entries.hypervisors().collect();
    assert_eq!(found.len(), 2, "Linux looks below 0x40010000");
    assert_eq!((found[0].signature, found[0].highest), (Hypervisor::HYPERV, Leaf(0x4000_0005)));
    assert_eq!((found[1].signature, found[1].base), (Hypervisor::KVM, Leaf(0x4000_0100)));
    assert_eq!(entries.highest_basic_leaf(), Some(Leaf(0x16)));
    assert_eq!(entries.highest_extended_leaf(), Some(Leaf(0x8000_0008)));
    assert_eq!(entries.highest_leaf(Leaf::CENTAUR), None);
}

#[test]
fn caches() {
    let entries = [
        CpuidEntry::indexed(Leaf(4), Subleaf(0), Registers::new(0x0400_0121, 0x01c0_003f, 0x3f, 0)),
        CpuidEntry::indexed(Leaf(4), Subleaf(1), Registers::new(0xfc1f_c363, 0x04c0_003f, 0x1_ffff, 4)),
        CpuidEntry::indexed(Leaf(4), Subleaf(2), Registers::ZERO),
        CpuidEntry::indexed(Leaf(4), Subleaf(3), Registers::new(0x121, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x8000_001d), Registers::new(0x121, 0, 0, 0)),
    ];
    let found: Vec<CacheSubleaf> = entries.caches(CacheSubleaf::INTEL).collect();
    assert_eq!(found.len(), 2, "what comes after the terminator is not the list's");
    assert_eq!((found[0].kind(), found[0].level(), found[0].size()), (Some(CacheKind::Data), 1, 32 << 10));
    assert_eq!(
        (found[0].ways(), found[0].sets(), found[0].line_size(), found[0].partitions()),
        (8, 64, 64, 1)
    );
    assert_eq!((found[0].threads_sharing(), found[0].cores()), (1, Some(2)));
    assert_eq!((found[1].kind(), found[1].level()), (Some(CacheKind::Unified), 3));
    assert_eq!((found[1].threads_sharing(), found[1].cores()), (128, Some(64)));
    assert_eq!(found[1].size(), 64 * 20 * 131_072);
    assert!(!found[0].is_fully_associative());
    // An entry that answers for every subleaf makes an endless list.
    let endless: Vec<CacheSubleaf> = entries.caches(CacheSubleaf::AMD).collect();
    assert_eq!((endless.len(), endless[63].cores()), (64, None));
    let reserved = [CpuidEntry::indexed(Leaf(4), Subleaf(0), Registers::new(9, 0, 0, 0))];
    assert_eq!(reserved.caches(CacheSubleaf::INTEL).next().map(|cache| cache.kind()), Some(None));
}

#[test]
fn topology() {
    let mut entries = vec![
        CpuidEntry::indexed(Leaf(0xb), Subleaf(0), Registers::new(1, 2, 0x100, 9)),
        CpuidEntry::indexed(Leaf(0xb), Subleaf(1), Registers::new(4, 16, 0x201, 9)),
        CpuidEntry::indexed(Leaf(0xb), Subleaf(2), Registers::new(0, 0, 2, 9)),
        CpuidEntry::indexed(Leaf(0x8000_0026), Subleaf(0), Registers::new(1, 2, 0x100, 9)),
        CpuidEntry::indexed(Leaf(0x8000_0026), Subleaf(1), Registers::new(3, 8, 0x201, 9)),
        CpuidEntry::indexed(Leaf(0x8000_0026), Subleaf(2), Registers::new(3, 8, 0x903, 9)),
        CpuidEntry::new(Leaf(0x8000_001e), Registers::new(9, 0x0103, 0x0201, 0)),
    ];
    let domains = |entries: &[CpuidEntry], leaf| -> Vec<(TopologyDomain, u32, u32)> {
        let levels = entries.topology_levels(Leaf(leaf));
        levels.map(|level| (level.domain(), level.shift(), level.processors())).collect()
    };
    assert_eq!(domains(&entries, 0xb), [(TopologyDomain::Thread, 1, 2), (TopologyDomain::Core, 4, 16)]);
    assert_eq!(
        domains(&entries, 0x8000_0026),
        [(TopologyDomain::Core, 1, 2), (TopologyDomain::Complex, 3, 8), (TopologyDomain::Unknown(9), 3, 8)]
    );
    assert!(entries.topology_levels(Leaf(0xb)).all(|level| level.x2apic_id() == 9));
    assert!(entries.topology_levels(Leaf(0xb)).all(|level| level.number() == level.subleaf.0));
    assert_eq!(entries.topology_leaf(), Some(Leaf(0xb)));
    entries.push(CpuidEntry::indexed(Leaf(0x1f), Subleaf(0), Registers::new(1, 2, 0x500, 9)));
    assert_eq!(entries.topology_leaf(), Some(Leaf(0x1f)));
    assert_eq!(domains(&entries, 0x1f), [(TopologyDomain::Die, 1, 2)]);
    let node = entries.amd_node();
    assert_eq!(
        node.map(|node: AmdNode| (node.apic_id(), node.core(), node.threads_per_core())),
        Some((9, 3, 2))
    );
    assert_eq!(node.map(|node| (node.node(), node.nodes_per_processor())), Some((1, 3)));
}

#[test]
fn xsave() {
    if !common::recent("xsave") {
        return;
    }
    let mut table = CpuidTable::new();
    let subleaves = [
        CpuidEntry::indexed(Leaf(0xd), Subleaf(0), Registers::new(0x7, 832, 832, 1)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(1), Registers::new(0xf, 0, 0x1800, 2)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(2), Registers::new(256, 576, 0, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(3), Registers::ZERO),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(12), Registers::new(24, 0, 3, 0)),
    ];
    for entry in subleaves {
        assert_eq!(table.push(entry), Ok(()));
    }
    assert_eq!((table.xcr0(), table.xss()), (0x1_0000_0007, 0x2_0000_1800));
    let found: Vec<_> = table.xsave_components().collect();
    assert_eq!(found.iter().map(|component| component.number).collect::<Vec<_>>(), [2, 12]);
    assert_eq!((found[0].size(), found[0].offset(), found[0].is_supervisor()), (256, 576, false));
    assert!(found[1].is_supervisor() && found[1].is_aligned() && !found[0].is_aligned());
    assert_eq!(found[0].component().map(|component| component.feature), Some(feature::AVX));
    assert_eq!(table.xsave_size(u64::MAX, true), 832 + 24);
    assert_eq!(table.xsave_size(3, false), 576);
    // Invalid values do not overflow.
    table[2].registers = Registers::new(u32::MAX, u32::MAX, 0, 0);
    assert_eq!(table.xsave_size(4, false), u32::MAX);
    assert_eq!(table.xsave_size(u64::MAX, true), u32::MAX);
}
