//! KVM's answers for tables, computed without KVM, and how a vCPU's state changes them.

use std::error::Error;

use cpuid_tables::{
    Answer, AnsweredBy, CpuidEntry, CpuidRead, CpuidTable, Feature, Hypervisor, Leaf, Lookup, Registers,
    RunState, Subleaf, Vendor, feature, kvm_answer,
};

type TestResult = Result<(), Box<dyn Error>>;

fn first(highest: u32, vendor: Vendor) -> CpuidEntry {
    let [ebx, ecx, edx] = vendor.to_registers();
    CpuidEntry::new(Leaf(0), Registers::new(highest, ebx, ecx, edx))
}

/// Except in first leaves, every entry's EAX is its own number, so that an answer shows its source.
fn table(vendor: Vendor) -> Vec<CpuidEntry> {
    vec![
        first(0xd, vendor),
        CpuidEntry::new(Leaf(1), Registers::new(0x101, 0, 0, 0)),
        CpuidEntry::indexed(Leaf(0xb), Subleaf(0), Registers::new(0xb00, 2, 0x100, 5)),
        CpuidEntry::indexed(Leaf(0xb), Subleaf(1), Registers::new(0xb01, 4, 0x201, 5)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(0), Registers::new(0xd00, 0, 0, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(1), Registers::new(0xd01, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0x4000_0001, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0001), Registers::new(0x401, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0100), Registers::new(0x4000_0101, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0101), Registers::new(0x411, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x8000_0000), Registers::new(0x8000_0008, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x8000_0008), Registers::new(0x808, 0, 0, 0)),
        CpuidEntry::new(Leaf(0xc000_0000), Registers::new(0xc000_0001, 0, 0, 0)),
        CpuidEntry::new(Leaf(0xc000_0001), Registers::new(0xc01, 0, 0, 0)),
    ]
}

fn ask(entries: &[CpuidEntry], leaf: u32, subleaf: u32) -> Answer {
    kvm_answer(entries, Leaf(leaf), Subleaf(subleaf), Lookup::Guest)
}

#[test]
fn out_of_range_leaves_follow_the_vendor() {
    let intel = table(Vendor::INTEL);
    // Leaf, subleaf, EAX: within the range of its class, whose first leaf gives the maximum.
    let expected = [
        (0x1, 77, 0x101),
        (0x2, 0, 0),
        (0xe, 0, 0xd00),
        (0xe, 1, 0xd01),
        (0xe, 2, 0),
        (0x3fff_ffff, 1, 0xd01),
        (0x4000_0001, 0, 0x401),
        (0x4000_0002, 0, 0xd00),
        (0x4000_00ff, 0, 0xd00),
        (0x4000_0101, 9, 0x411),
        (0x4000_0102, 0, 0xd00),
        (0x4000_0200, 1, 0xd01),
        (0x4fff_ffff, 1, 0xd01),
        (0x5000_0000, 0, 0xd00),
        (0x7fff_ffff, 0, 0xd00),
        (0x8000_0001, 0, 0),
        (0x8000_0008, 3, 0x808),
        (0x8000_0009, 0, 0xd00),
        (0x8086_0000, 0, 0xd00),
        (0xbfff_ffff, 0, 0xd00),
        (0xc000_0001, 0, 0xc01),
        (0xc000_0002, 1, 0xd01),
        (0xffff_ffff, 0, 0xd00),
    ];
    for (leaf, subleaf, eax) in expected {
        assert_eq!(ask(&intel, leaf, subleaf).registers.eax, eax, "{leaf:#x} {subleaf:#x}");
    }
    for vendor in [Vendor::AMD, Vendor::AMD_K5, Vendor::HYGON] {
        let entries = table(vendor);
        for (leaf, subleaf, eax) in expected {
            let answer = ask(&entries, leaf, subleaf);
            let exact = matches!(answer.by, AnsweredBy::Entry(_));
            assert_eq!(answer.registers.eax, if exact { eax } else { 0 }, "{vendor} {leaf:#x}");
        }
        assert_eq!(ask(&entries, 0xe, 0).by, AnsweredBy::None);
    }
    for vendor in [Vendor::CENTAUR, Vendor::ZHAOXIN, Vendor(*b"no such cpu!")] {
        assert_eq!(ask(&table(vendor), 0xe, 0).registers.eax, 0xd00, "{vendor}");
    }
}

#[test]
fn transmeta_has_the_extended_class() {
    let mut intel = table(Vendor::INTEL);
    intel.push(CpuidEntry::new(Leaf(0x8086_0000), Registers::new(0x8086_0001, 0, 0, 0)));
    assert_eq!(ask(&intel, 0x8086_0000, 0).registers.eax, 0x8086_0001);
    // Within Transmeta's range, and above the highest extended leaf, which KVM compares.
    assert_eq!(ask(&intel, 0x8086_0001, 0).by, AnsweredBy::HighestBasic(4));
}

#[test]
fn leaf_without_a_first_leaf_has_no_class() {
    let entries = [CpuidEntry::new(Leaf(1), Registers::new(7, 7, 7, 7))];
    assert_eq!(
        ask(&entries, 2, 0),
        Answer { registers: Registers::ZERO, by: AnsweredBy::None, leaf: Leaf(2) }
    );
    let entries = [first(1, Vendor::INTEL), CpuidEntry::new(Leaf(1), Registers::new(7, 7, 7, 7))];
    assert_eq!(ask(&entries, 0x8000_0000, 0).by, AnsweredBy::HighestBasic(1), "no extended class");
    assert_eq!(ask(&[], 0, 0).by, AnsweredBy::None);
}

#[test]
fn subleaves_beyond_the_last_level_are_filled_in() {
    let entries = table(Vendor::AMD);
    let answer = ask(&entries, 0xb, 0x1234);
    assert_eq!((answer.registers, answer.by), (Registers::new(0, 0, 0x34, 5), AnsweredBy::LevelOne(3)));
    assert_eq!(ask(&entries, 0x1f, 2).registers, Registers::ZERO, "there is no leaf 0x1F");
    // Without a subleaf 1 the leaf does not exist.
    let shorter: Vec<CpuidEntry> = entries.into_iter().filter(|entry| entry.index != Subleaf(1)).collect();
    assert_eq!(ask(&shorter, 0xb, 2).by, AnsweredBy::None);

    // The highest basic leaf, returned for another leaf, is filled in too.
    let mut intel = table(Vendor::INTEL);
    intel.retain(|entry| entry.function != Leaf(0xd));
    intel[0].registers.eax = 0xb;
    assert_eq!(ask(&intel, 0x123, 0).registers.eax, 0xb00);
    let answer = ask(&intel, 0x123, 7);
    assert_eq!((answer.registers, answer.leaf), (Registers::new(0, 0, 7, 5), Leaf(0xb)));
    let exact = kvm_answer(&intel, Leaf(0x123), Subleaf(7), Lookup::ExactOnly);
    assert_eq!(exact, Answer { registers: Registers::ZERO, by: AnsweredBy::None, leaf: Leaf(0x123) });
    let exact = kvm_answer(&intel, Leaf(0xb), Subleaf(7), Lookup::ExactOnly);
    assert_eq!(exact.registers, Registers::new(0, 0, 7, 5));
}

#[test]
fn first_matching_entry_answers() {
    let entries = [
        first(7, Vendor::INTEL),
        CpuidEntry::indexed(Leaf(7), Subleaf(1), Registers::new(71, 0, 0, 0)),
        CpuidEntry::new(Leaf(7), Registers::new(70, 0, 0, 0)),
        CpuidEntry::indexed(Leaf(7), Subleaf(2), Registers::new(72, 0, 0, 0)),
    ];
    let eax = |subleaf| ask(&entries, 7, subleaf).registers.eax;
    assert_eq!((eax(0), eax(1), eax(2)), (70, 71, 70));
    // A first leaf matches even under an index, since KVM looks it up without one.
    let odd = [CpuidEntry { index: Subleaf(3), flags: 1, ..first(1, Vendor::INTEL) }, entries[2]];
    assert_eq!(ask(&odd, 7, 0).by, AnsweredBy::Entry(1));
    assert_eq!(ask(&odd, 8, 0).by, AnsweredBy::None, "the highest is leaf 1, which has no entry");
    assert_eq!(ask(&odd, 0, 0).by, AnsweredBy::None, "and in range");
}

/// A host with x87, SSE, AVX at 576, and a supervisor component of 40 bytes and one of 16 that is aligned.
fn stateful() -> CpuidTable {
    let all = Vec::from([
        first(0x12, Vendor::INTEL),
        CpuidEntry::new(Leaf(1), Registers::ZERO),
        CpuidEntry::indexed(
            Leaf(7),
            Subleaf(0),
            Registers::new(0, feature::RTM.mask() | feature::HLE.mask() | 1, 0, 0),
        ),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(0), Registers::new(7, 1, 832, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(1), Registers::new(feature::XSAVES.mask(), 1, 0x1800, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(2), Registers::new(256, 576, 0, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(11), Registers::new(40, 0, 1, 0)),
        CpuidEntry::indexed(Leaf(0xd), Subleaf(12), Registers::new(16, 0, 3, 0)),
        CpuidEntry::indexed(Leaf(0x12), Subleaf(1), Registers::new(0, 0, 0xffff_ffff, 0xffff_ffff)),
        CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0, 0, 0, 0)),
        CpuidEntry::new(Leaf(0x4000_0100), Registers::new(0x4000_0101, 0x4b4d_564b, 0x564b_4d56, 0x4d)),
        CpuidEntry::new(
            Leaf(0x4000_0101),
            Registers::new(feature::KVM_FEATURE_PV_UNHALT.mask() | 1, 0, 0, 0),
        ),
        CpuidEntry::new(Leaf(0x8000_0007), Registers::new(0, 0, 0, feature::CONSTANT_TSC.mask() | 1)),
    ]);
    CpuidTable::from_entries(&all).unwrap_or_default()
}

#[test]
fn bits_that_follow_the_state() {
    type Set = fn(&mut RunState, Option<bool>);
    let bits: [(Feature, Set); 4] = [
        (feature::OSXSAVE, |state, shown| state.osxsave = shown),
        (feature::OSPKE, |state, shown| state.ospke = shown),
        (feature::APIC, |state, shown| state.apic = shown),
        (feature::MWAIT, |state, shown| state.mwait = shown),
    ];
    for (bit, set) in bits {
        for before in [false, true] {
            for shown in [None, Some(false), Some(true)] {
                let mut table = stateful();
                if before {
                    assert!(table.set(bit));
                }
                let mut state = RunState::RESET;
                set(&mut state, shown);
                let host = table.clone();
                state.update(&mut table, &host);
                assert_eq!(table.has(bit), shown.unwrap_or(before), "{bit} {before} {shown:?}");
            }
        }
    }
}

#[test]
fn xsave_sizes_follow_xcr0_and_xss() {
    let host = stateful();
    let sizes = |xcr0, xss, table: &mut CpuidTable| {
        RunState { xcr0, xss, ..RunState::RESET }.update(table, &host);
        let ebx = |subleaf| table.find(Leaf(0xd), Subleaf(subleaf)).map_or(0, |entry| entry.registers.ebx);
        (ebx(0), ebx(1))
    };
    assert_eq!(sizes(1, 0, &mut stateful()), (576, 576));
    assert_eq!(sizes(7, 0, &mut stateful()), (832, 832));
    assert_eq!(sizes(3, 1 << 11, &mut stateful()), (576, 616));
    assert_eq!(sizes(3, 3 << 11, &mut stateful()), (576, 640 + 16), "the second one is aligned");
    assert_eq!(sizes(7, 3 << 11, &mut stateful()), (832, 896 + 16));
    // Without XSAVEC and XSAVES there is no compacted format.
    let mut table = stateful();
    table.clear(feature::XSAVES);
    assert_eq!(sizes(7, 0, &mut table), (832, 1));
    // The guest's own subleaves are ignored.
    let mut table = stateful();
    table.retain(|entry| entry.function != Leaf(0xd) || entry.index < Subleaf(2));
    assert_eq!(sizes(7, 0, &mut table), (832, 832));
}

#[test]
fn answers_that_follow_the_state() {
    let table = stateful();
    let ask = |state: RunState, leaf, subleaf| {
        state.answer(&table, Leaf(leaf), Subleaf(subleaf), Lookup::Guest).registers
    };
    let hidden = RunState { tsx_cpuid_clear: true, ..RunState::RESET };
    assert_eq!((ask(RunState::RESET, 7, 0).ebx, ask(hidden, 7, 0).ebx), (0x811, 1));
    let suppressed = RunState { hyperv_invtsc_suppressed: true, ..RunState::RESET };
    assert_eq!((ask(RunState::RESET, 0x8000_0007, 5).edx, ask(suppressed, 0x8000_0007, 5).edx), (0x101, 1));
    assert_eq!(ask(suppressed, 7, 0), ask(RunState::RESET, 7, 0));

    // Subleaf 0 is also hidden in an out-of-range leaf, since 7 is the highest basic leaf.
    let mut short = stateful();
    short[0].registers.eax = 7;
    let ebx = |subleaf| hidden.answer(&short, Leaf(0x99), Subleaf(subleaf), Lookup::Guest).registers.ebx;
    assert_eq!((ebx(0), ebx(1)), (1, 0));
}

#[test]
fn paravirtual_features() {
    let table = stateful();
    let mut halting = table.clone();
    RunState { hlt_in_guest: true, ..RunState::RESET }.update(&mut halting, &table);
    // The leaf after KVM's signature, at any base.
    let eax =
        |table: &CpuidTable| table.find(Leaf(0x4000_0101), Subleaf(0)).map_or(0, |entry| entry.registers.eax);
    assert_eq!((eax(&table), eax(&halting)), (0x81, 1));
    assert_eq!(RunState::RESET.pv_features(&table), u32::MAX);
    let enforced = RunState { enforce_pv_features: true, ..RunState::RESET };
    assert_eq!((enforced.pv_features(&table), enforced.pv_features(&halting)), (0x81, 1));
    assert_eq!(enforced.pv_features(&table[..4]), 0, "no leaf of KVM's");
    assert_eq!(table.hypervisors().nth(1).map(|range| range.signature), Some(Hypervisor::KVM));
}

#[test]
fn enclaves_get_the_components_of_the_guest() {
    let table = stateful();
    let xfrm = |sgx_xcr0| {
        let mut table = table.clone();
        RunState { sgx_xcr0, ..RunState::RESET }.update(&mut table, &stateful());
        table.find(Leaf(0x12), Subleaf(1)).map(|entry| [entry.registers.ecx, entry.registers.edx])
    };
    assert_eq!(xfrm(None), Some([u32::MAX, u32::MAX]));
    assert_eq!(xfrm(Some(1 << 33 | 4)), Some([7, 2]), "x87 and SSE in any case");
}

#[test]
fn whole_tables_follow_the_rules() -> TestResult {
    // An empty table has no answers; a full one is searched to its end.
    let entries: Vec<CpuidEntry> =
        (0..256).map(|leaf| CpuidEntry::new(Leaf(leaf), Registers::new(leaf, leaf, leaf, leaf))).collect();
    let table = CpuidTable::from_entries(&entries)?;
    assert_eq!(table.answer(Leaf(255), Subleaf(9)).registers, Registers::new(255, 255, 255, 255));
    assert_eq!(table.answer(Leaf(256), Subleaf(9)).registers, Registers::ZERO, "the highest basic leaf is 0");
    Ok(())
}
