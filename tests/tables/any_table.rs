//! Any table can be read and queried without a panic, by the rules.

use cpuid_tables::{
    AnsweredBy, ApicLayout, CacheSubleaf, CpuidEntry, CpuidRead, CpuidTable, Leaf, Lookup, OwnNumber,
    Registers, RunState, Subleaf, TopologyLevel, find_entry, host, kvm_answer,
};
use proptest::prelude::*;

/// Leaves that have a meaning, and any others.
fn leaf() -> impl Strategy<Value = u32> {
    let known = [
        0,
        1,
        2,
        4,
        7,
        0xb,
        0xd,
        0x12,
        0x1f,
        0x4000_0000,
        0x4000_0001,
        0x4000_0100,
        0x8000_0000,
        0x8000_0002,
        0x8000_0003,
        0x8000_0004,
        0x8000_0008,
        0x8000_001d,
        0x8000_001e,
        0x8000_0026,
        0xc000_0000,
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()), 1 => any::<u32>()]
}

fn subleaf() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..5_u32, 1 => any::<u32>()]
}

/// Registers of small numbers, of vendors, and of anything.
fn register() -> impl Strategy<Value = u32> {
    let vendors = [0x756e_6547, 0x6c65_746e, 0x4965_6e69, 0x6874_7541, 0x444d_4163, 0x6974_6e65, 0x4b4d_564b];
    prop_oneof![0..0x20_u32, prop::sample::select(vendors.to_vec()), any::<u32>()]
}

fn entry() -> impl Strategy<Value = CpuidEntry> {
    let registers = [register(), register(), register(), register()];
    (leaf(), subleaf(), 0..2_u32, registers).prop_map(|(function, index, flags, registers)| CpuidEntry {
        function: Leaf(function),
        index: Subleaf(index),
        flags,
        registers: registers.into(),
    })
}

proptest! {
    #[test]
    fn is_answered_by_the_rules(
        entries in prop::collection::vec(entry(), 0..40),
        leaf in leaf(),
        subleaf in subleaf(),
    ) {
        let (leaf, subleaf) = (Leaf(leaf), Subleaf(subleaf));
        let answer = kvm_answer(&entries, leaf, subleaf, Lookup::Guest);
        let exact = kvm_answer(&entries, leaf, subleaf, Lookup::ExactOnly);
        match find_entry(&entries, leaf, subleaf) {
            Some(entry) => {
                prop_assert!(matches!(answer.by, AnsweredBy::Entry(at) if entries[at] == *entry));
                prop_assert_eq!(answer, exact);
            }
            None => prop_assert!(!matches!(exact.by, AnsweredBy::Entry(_) | AnsweredBy::HighestBasic(_))),
        }
        match answer.by {
            AnsweredBy::Entry(at) => prop_assert!(entries[at].answers(leaf, subleaf)),
            AnsweredBy::HighestBasic(at) => {
                let basic = entries.iter().find(|entry| entry.function == Leaf(0)).map(|entry| entry.registers.eax);
                prop_assert_eq!(Some(entries[at].function.0), basic);
                prop_assert_ne!(leaf, entries[at].function);
            }
            AnsweredBy::LevelOne(at) => {
                prop_assert!(matches!(entries[at].function.0, 0xb | 0x1f));
                prop_assert_eq!(answer.registers, Registers::new(0, 0, subleaf.0 & 0xff, entries[at].registers.edx));
            }
            AnsweredBy::None => prop_assert_eq!(answer.registers, Registers::ZERO),
        }
    }

    #[test]
    fn is_read(entries in prop::collection::vec(entry(), 0..40), id in any::<u32>()) {
        let _ = (entries.vendor(), entries.signature(), entries.brand().map(|brand| brand.to_string()));
        let _ = entries.signature().map(|all| (all.family(), all.model(), all.stepping()));
        let _ = (entries.hypervisors().count(), entries.features());
        for leaf in [CacheSubleaf::INTEL, CacheSubleaf::AMD] {
            let sizes: Vec<_> =
                entries.caches(leaf).map(|all| (all.size(), all.threads_sharing(), all.cores(), all.kind())).collect();
            prop_assert!(sizes.len() <= 64);
        }
        for leaf in TopologyLevel::LEAVES {
            let domains: Vec<String> = entries.topology_levels(leaf).map(|level| level.domain().to_string()).collect();
            prop_assert!(domains.len() <= 256);
        }
        let _ = entries.amd_node().map(|node| (node.threads_per_core(), node.nodes_per_processor()));
        prop_assert!(entries.xsave_size(u64::MAX, false) >= 576 && entries.xsave_size(u64::MAX, true) >= 576);
        let layout = ApicLayout::from_cpuid(&entries[..]);
        let core = u64::from(layout.number(OwnNumber::Core, id));
        prop_assert!(core < 1 << layout.core_width);

        // Tables of two processors differ only in processor-specific bits.
        let mut table = CpuidTable::from_entries(&entries).map_err(|full| TestCaseError::fail(full.to_string()))?;
        table.set_apic_id(id, &layout);
        for difference in host::compare_cpus(&[(0, entries.clone()), (1, table.to_vec())]) {
            prop_assert!(difference.expected, "{difference}");
        }
        table.set_apic_id(0, &layout);
        let again = table.clone();
        table.set_apic_id(id, &layout);
        table.set_apic_id(0, &layout);
        prop_assert_eq!(again, table);
    }

    #[test]
    fn takes_a_state_once(entries in prop::collection::vec(entry(), 0..40), xcr0 in any::<u64>(), bits in any::<u8>()) {
        let bit = |at: u8| (bits >> at & 1 != 0).then_some(bits >> (at + 1) & 1 != 0);
        let state = RunState {
            osxsave: bit(0),
            ospke: bit(2),
            apic: bit(4),
            mwait: bit(6),
            xcr0,
            xss: xcr0.rotate_left(32),
            hlt_in_guest: bits & 2 != 0,
            sgx_xcr0: bit(1).map(|_| xcr0),
            ..RunState::RESET
        };
        let mut once = entries.clone();
        state.update(&mut once, &entries[..]);
        let mut twice = once.clone();
        state.update(&mut twice, &entries[..]);
        prop_assert_eq!(&once, &twice);
        for (before, after) in entries.iter().zip(&once) {
            prop_assert_eq!((before.function, before.index, before.flags), (after.function, after.index, after.flags));
        }
    }
}
