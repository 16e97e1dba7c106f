//! Decoding, comparing and finding: properties of any table and any text.

use std::collections::BTreeSet;

use cpuid_tables::fleet::{Rule, meanings};
use cpuid_tables::show::{
    Difference, Found, Migration, MigrationSide, NoFeature, Obstacle, Place, Side, compare, decode,
    decode_register, feature_named, find, name_of, names_near, obstacles,
};
use cpuid_tables::{
    Bit, CpuidEntry, CpuidWord, Feature, FeatureSet, Field, Leaf, Named, Register, Registers, Subleaf,
    Vendor, feature,
};
use proptest::prelude::*;

use crate::common;

/// Every described register.
fn words() -> Vec<CpuidWord> {
    let of_fields = Field::all()
        .map(|field| CpuidWord::new(field.leaf(), Subleaf(*field.subleaves().start()), field.register()));
    let of_features = FeatureSet::ALL.words().map(|(word, _)| word);
    of_fields.chain(of_features).collect::<BTreeSet<_>>().into_iter().collect()
}

fn any_word() -> impl Strategy<Value = CpuidWord> {
    let known = prop::sample::select(words());
    let leaf = prop_oneof![Just(0x4000_0001), Just(0x4000_0003), Just(0x4000_0104), any::<u32>()];
    let any = (leaf, 0..70_u32, prop::sample::select(Register::ALL.to_vec()));
    prop_oneof![4 => known, 1 => any.prop_map(|(leaf, subleaf, register)| CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register))]
}

fn any_table() -> impl Strategy<Value = Vec<CpuidEntry>> {
    let entry = (any_word(), any::<bool>(), any::<[u32; 4]>(), prop_oneof![Just(0_u32), Just(6)]).prop_map(
        |(word, indexed, registers, flags)| {
            let entry = if indexed {
                CpuidEntry::indexed(word.leaf, word.subleaf, Registers::from_array(registers))
            } else {
                CpuidEntry::new(word.leaf, Registers::from_array(registers))
            };
            CpuidEntry { flags: entry.flags | flags, ..entry }
        },
    );
    prop::collection::vec(entry, 0..20)
}

proptest! {
    #[test]
    fn every_bit_of_a_register_is_accounted_for(word in any_word(), value: u32) {
        let decoded = decode_register(word, value);
        let features = decoded.features.iter().fold(0, |bits, feature| bits | feature.mask());
        let fields = decoded.fields.iter().fold(0, |bits, (field, value)| bits | field.write(0, *value).unwrap());
        let masks = decoded.fields.iter().fold(0, |bits, (field, _)| bits | field.mask());
        prop_assert_eq!(features | fields | decoded.unknown, value);
        prop_assert_eq!(decoded.unknown & (features | masks), 0);
    }

    #[test]
    fn every_set_bit_is_in_the_text(word in any_word(), bit in 0..32_u8) {
        let decoded = decode_register(word, 1 << bit);
        let text = decoded.to_string();
        let named = decoded.features.iter().map(|feature| name_of(*feature).to_owned())
            .chain(decoded.fields.iter().filter(|(_, value)| *value != 0).map(|(field, _)| field.name().to_owned()))
            .chain((decoded.unknown != 0).then(|| format!("unknown bits: {bit} ")));
        let named: Vec<String> = named.collect();
        prop_assert!(!named.is_empty());
        for name in named {
            prop_assert!(text.contains(&name), "{name}: {text}");
        }
    }

    #[test]
    fn any_table_is_decoded_entry_by_entry(table in any_table()) {
        let decoded = decode(&table);
        prop_assert!(decoded.iter().map(|entry| entry.entry).eq(table.iter().copied()));
        for entry in decoded {
            let text = entry.to_string();
            prop_assert!(text.ends_with('\n') && text.lines().all(|line| line.trim_end() == line), "{text}");
            let registers = entry.entry.registers.iter().filter(|_| entry.entry.registers != Registers::ZERO);
            for (_, value) in registers {
                prop_assert!(text.contains(&format!(" {value:#010x}")), "{text}");
            }
        }
    }

    #[test]
    fn table_does_not_differ_from_itself(table in any_table()) {
        prop_assert_eq!(compare(&table, &table), []);
        let side = MigrationSide { entries: &table, is_kvm: true, ..MigrationSide::default() };
        prop_assert_eq!(Migration::compared(side, side).obstacles, []);
    }

    #[test]
    fn comparison_is_symmetric(a in any_table(), b in any_table()) {
        let (there, back) = (compare(&a, &b), compare(&b, &a));
        prop_assert_eq!(there.len(), back.len());
        for (there, back) in there.iter().zip(&back) {
            prop_assert!(!there.differences.is_empty());
            let turned: Vec<Difference> = back.differences.iter().map(|difference| turn(difference.clone())).collect();
            prop_assert_eq!(&there.differences, &turned);
        }
    }

    #[test]
    fn changed_bit_is_reported(word in any_word(), registers: [u32; 4], bit in 0..32_u8) {
        let entry = CpuidEntry::indexed(word.leaf, word.subleaf, Registers::from_array(registers));
        let mut other = entry;
        *other.register_mut(word.register) ^= 1 << bit;
        let found = compare(&[entry], &[other]);
        prop_assert_eq!(found.len(), 1);
        let masks = found[0].differences.iter().fold(0, |bits, difference| bits | match difference {
            Difference::Feature(feature, _) => feature.mask(),
            Difference::Field(_, field, ..) => field.mask(),
            Difference::Unknown(_, a, b) => a ^ b,
            _ => 0,
        });
        // A hypervisor's signature determines the meaning of its other leaves.
        prop_assert!(masks & 1 << bit != 0 || word.leaf.0 >> 16 == 0x4000, "{:?}", found);
    }

    #[test]
    fn find_accepts_any_text(text in "\\PC{0,40}") {
        let _ = (text.parse::<Place>(), find(&text).len(), feature_named(&text).is_ok(), names_near(&text).len());
    }

    #[test]
    fn find_accepts_location_like_text(text in "[0-9a-fxXhH.:,()\\[\\]=_ECXAB*+ -]{0,24}") {
        let _ = (text.parse::<Place>(), find(&text).len());
    }
}

fn turn(difference: Difference) -> Difference {
    let other = |side| if side == Side::A { Side::B } else { Side::A };
    match difference {
        Difference::Entry(side) => Difference::Entry(other(side)),
        Difference::Flags(a, b) => Difference::Flags(b, a),
        Difference::Feature(feature, side) => Difference::Feature(feature, other(side)),
        Difference::Field(word, field, a, b) => Difference::Field(word, field, b, a),
        Difference::Unknown(word, a, b) => Difference::Unknown(word, b, a),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_name_finds_its_feature_again() {
    if !common::pinned("every_name_finds_its_feature_again") {
        return;
    }
    let mut names = BTreeSet::new();
    for feature in Feature::all() {
        assert!(names.insert(name_of(feature)), "{}", name_of(feature));
        assert_eq!(feature_named(name_of(feature)), Ok(feature));
        assert_eq!(feature_named(&feature.location().to_string()), Ok(feature));
        let found = find(&feature.location().to_string());
        let own =
            |found: &Found| matches!(found, Found::Bit(about) if about.named == Named::Feature(feature));
        assert!(found.iter().any(own), "{feature}: {found:?}");
    }
}

#[test]
fn unknown_names_are_errors() {
    if !common::recent("unknown_names_are_errors") {
        return;
    }
    assert!(matches!(feature_named("no-such"), Err(NoFeature::Unknown(_))));
    assert!(matches!(feature_named("7.0.eax[9]"), Err(NoFeature::Nothing(_))));
    assert!(matches!(feature_named("0x8"), Err(NoFeature::Nothing(_))));
    assert!(matches!(feature_named("kvmclock"), Err(NoFeature::Ambiguous(_, all)) if all.len() == 2));
    assert!(matches!(feature_named("spectre_v1"), Err(NoFeature::Elsewhere(Named::Bug(_)))));
    assert_eq!(names_near("avx512vlbw")[..2], ["avx512bw", "avx512vl"]);
    for (alias, feature) in [("sse3", feature::XMM3), ("XD", feature::NX), ("i64", feature::LM)] {
        assert_eq!(feature_named(alias), Ok(feature), "{alias}");
    }
}

/// A table of one register, whose entry is indexed.
fn one(word: CpuidWord, value: u32) -> Vec<CpuidEntry> {
    let mut entry = CpuidEntry::indexed(word.leaf, word.subleaf, Registers::ZERO);
    *entry.register_mut(word.register) = value;
    // A second non-zero register, so that the entry exists even if the first is 0.
    *entry.register_mut(if word.register == Register::Edx { Register::Ecx } else { Register::Edx }) |=
        1 << 31;
    vec![entry]
}

/// Components that are not promised without their features.
const OF_FEATURES: [&str; 3] = ["xcr0_tileconfig", "xcr0_tiledata", "xss_lbr"];

/// Fields that the VMM writes itself.
const HIGHEST: [&str; 11] = [
    "virt_addr_bits",
    "max_std_leaf",
    "max_ext_leaf",
    "max_cntr_leaf",
    "leaf7_n_subleaves",
    "pt_max_subleaf",
    "amx_max_palette",
    "hreset_nr_subleaves",
    "avx10_max_subleaf",
    "max_hyp_leaf",
    "subleaf_bmp_lo",
];

/// Each field and feature is an obstacle or a note when its rule says so, and only then.
#[test]
fn migration_follows_every_rule() {
    let mut seen = BTreeSet::new();
    for word in words() {
        for meaning in meanings(word).filter(|meaning| meaning.part.is_some()) {
            let [low, high] = [1, 3].map(|value| value << meaning.mask.trailing_zeros() & meaning.mask);
            let high = if low == high { 0 } else { high };
            let blocked = |from: u32, to: u32| {
                let (from, to) = (one(word, from), one(word, to));
                let side = |entries| MigrationSide { entries, ..MigrationSide::default() };
                let found = Migration::new(side(&from), side(&to));
                found.obstacles.iter().chain(&found.notes).any(|obstacle| match obstacle {
                    Obstacle::Vendor { .. } => word.leaf == Leaf(0),
                    Obstacle::Bits(bits) => bits.meaning == meaning,
                    _ => false,
                })
            };
            let expected = match meaning.rule {
                // From 1 to 3 or, for one bit, to 0; and back.
                Rule::And if high == 0 => (true, false),
                Rule::Or if high == 0 => (false, true),
                Rule::And | Rule::Min | Rule::MinNonZero if high != 0 => (false, true),
                Rule::Or | Rule::Max if high != 0 => (true, false),
                Rule::Equal if high == 0 => (true, false),
                Rule::Equal => (true, true),
                _ => (false, false),
            };
            let vendor = [0, 0x8000_0000].contains(&word.leaf.0) && word.register != Register::Eax;
            // What the VMM writes itself: highest leaves, hypervisors' leaves and details of MWAIT.
            let highest = meaning.part.map(|part| part.name());
            let highest = highest.is_some_and(|name| HIGHEST.contains(&name) || OF_FEATURES.contains(&name));
            if !vendor && !highest && word.leaf != Leaf(5) && word.leaf.0 >> 28 != 4 {
                assert_eq!((blocked(low, high), blocked(high, low)), expected, "{word} {meaning:?}");
                seen.insert(meaning.rule);
            }
        }
    }
    assert!(seen.len() >= 6, "{seen:?}");
}

#[test]
fn different_vendor_is_one_obstacle() {
    let of = |vendor: Vendor| {
        let [ebx, ecx, edx] = vendor.to_registers();
        vec![
            CpuidEntry::new(Leaf(0), Registers::new(1, ebx, ecx, edx)),
            CpuidEntry::new(Leaf(0x8000_0000), Registers::new(0x8000_0000, ebx, ecx, edx)),
        ]
    };
    let found = obstacles(&of(Vendor::AMD), &of(Vendor::INTEL));
    assert_eq!(found, [Obstacle::Vendor { started: Vendor::AMD, there: Vendor::INTEL }]);
    // KVM's supported table may lack a vendor.
    assert_eq!(obstacles(&of(Vendor::AMD), &of(Vendor([0; 12]))), []);
}

#[test]
fn missing_and_new_features_have_a_reason() {
    if !common::pinned("missing_and_new_features_have_a_reason") {
        return;
    }
    let texts = |from: &[CpuidEntry], to: &[CpuidEntry]| -> Vec<String> {
        let side = |entries| MigrationSide { entries, ..MigrationSide::default() };
        let found = Migration::new(side(from), side(to));
        found.obstacles.iter().chain(&found.notes).map(ToString::to_string).collect()
    };
    let ebx = CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx);
    assert_eq!(
        texts(&one(ebx, 1 << 5), &one(ebx, 1 << 13)),
        [
            "avx2 (CPUID.(EAX=7,ECX=0):EBX[5]): the guest has it, but B does not",
            "zero-fcs-fds (CPUID.(EAX=7,ECX=0):EBX[13]): B has it, but the guest was started without it; if set, x87's CS and DS \
             are zero: something is missing",
        ]
    );
    let eax = CpuidWord::new(Leaf(0x8000_0008), Subleaf(0), Register::Eax);
    assert_eq!(
        texts(&one(eax, 0x3930), &one(eax, 0x3930 - 2)),
        [
            "phys_addr_bits (CPUID.(EAX=0x80000008,ECX=0):EAX[7:0]): B has 46 bits, below the guest's 48 bits: a guest \
             places memory up to this width"
        ]
    );
    let ecx = CpuidWord::new(Leaf(0x8000_0021), Subleaf(0), Register::Ecx);
    assert!(texts(&one(ecx, 1 << 30), &one(ecx, 0))[0].starts_with("unknown bit 30 ("));
}

#[test]
fn signature_determines_the_hypervisor_leaves() {
    let hyperv = CpuidEntry::new(
        Leaf(0x4000_0000),
        Registers::new(0x4000_0005, 0x7263_694d, 0x666f_736f, 0x7648_2074),
    );
    let kvm = |base| CpuidEntry::new(Leaf(base), Registers::new(base + 1, 0x4b4d_564b, 0x564b_4d56, 0x4d));
    let bit = |leaf| CpuidEntry::new(Leaf(leaf), Registers::new(1, 0, 0, 0));
    let first = |table: &[CpuidEntry], at: usize| decode(table)[at].registers[0].clone();
    let clock =
        Feature::at(CpuidWord::new(Leaf(0x4000_0001), Subleaf(0), Register::Eax).bit(Bit(0))).unwrap();
    // KVM's features are recognized at any base of its range.
    assert_eq!(first(&[kvm(0x4000_0000), bit(0x4000_0001)], 1).features, [clock]);
    assert_eq!(first(&[hyperv, kvm(0x4000_0100), bit(0x4000_0101)], 2).features, [clock]);
    // Other hypervisors' leaves are not KVM's.
    let of_hyperv = first(&[hyperv, bit(0x4000_0001)], 1);
    assert!(of_hyperv.features.is_empty() && of_hyperv.fields[0].0.name() == "interface_signature");
    let other = CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0x4000_0001, 1, 2, 3));
    assert_eq!(first(&[other, bit(0x4000_0001)], 1).unknown, 1);
}

#[test]
fn levels_beyond_the_described_ones_look_the_same() {
    let table = [CpuidEntry::indexed(Leaf(0xb), Subleaf(2), Registers::new(0, 0, 2, 7))];
    let decoded = &decode(&table)[0];
    assert!(decoded.registers.iter().all(|register| register.unknown == 0), "{decoded}");
    let deep = [CpuidEntry::indexed(Leaf(4), Subleaf(40), Registers::new(0x21, 0, 0, 0))];
    assert_eq!(decode(&deep)[0].registers[0].unknown, 0x21, "a list of caches has an end");
}

#[test]
fn locations_parse_as_printed() {
    assert_eq!("7".parse(), Ok(Place::Leaf(Leaf(7), None)));
    assert_eq!("0xd.1".parse(), Ok(Place::Leaf(Leaf(0xd), Some(Subleaf(1)))));
    let word = CpuidWord::new(Leaf(7), Subleaf(0), Register::Ebx);
    assert_eq!("7.ebx[5]".parse(), Ok(Place::Bits(word, Bit(5), Bit(5))));
}
