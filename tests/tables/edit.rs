//! Tables changed by names.

use std::error::Error;

use cpuid_tables::field::{leaf_1, leaf_1f, leaf_4, leaf_80000001, leaf_b};
use cpuid_tables::{
    AddressWidths, Brand, CpuidEntry, CpuidRead, CpuidTable, Feature, FeatureSet, Field, Leaf, Registers,
    SetFieldError, Signature, Subleaf, TableFull, Vendor, feature,
};

type TestResult = Result<(), Box<dyn Error>>;

fn amd() -> Result<CpuidTable, TableFull> {
    CpuidTable::from_entries(&[
        CpuidEntry::new(Leaf(0), Registers::new(0xd, 0x6874_7541, 0x444d_4163, 0x6974_6e65)),
        CpuidEntry::new(Leaf(1), Registers::new(0x00a2_0f12, 0x0010_0800, 0, 0)),
        CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(1, 0x20, 0, 0)),
        CpuidEntry::indexed(Leaf(7), Subleaf(1), Registers::ZERO),
        CpuidEntry::new(
            Leaf(0x8000_0000),
            Registers::new(0x8000_0008, 0x6874_7541, 0x444d_4163, 0x6974_6e65),
        ),
        CpuidEntry::new(Leaf(0x8000_0001), Registers::new(0x00a2_0f12, 0, 0, 0x2000_0000)),
        CpuidEntry::new(Leaf(0x8000_0008), Registers::new(0x0030, 0, 0, 0)),
    ])
}

/// Every field that exists in the leaf of an entry can be written with its maximum, and nothing else changes.
#[test]
fn every_field_is_written_where_it_is_read() -> TestResult {
    let mut tried = 0;
    for field in Field::all() {
        let first = Subleaf(*field.subleaves().start());
        let mut table = CpuidTable::from_entries(&[CpuidEntry::indexed(
            field.leaf(),
            first,
            Registers::new(0x5a5a_a5a5, 0xa5a5_5a5a, 0x1234_5678, 0x8765_4321),
        )])?;
        let before = table.clone();
        table.set_field(field, first, field.max())?;
        assert_eq!(table.field_in(field, first), Some(field.max()), "{field:?}");
        let (now, then) = (table[0].register(field.register()), before[0].register(field.register()));
        assert_eq!(now & !field.mask(), then & !field.mask(), "{field:?}");
        table.set_field(field, first, field.read_from(before[0].registers))?;
        assert_eq!(table, before);
        if field.width() < 32 {
            let error = table.set_field(field, first, field.max() + 1);
            assert!(matches!(error, Err(SetFieldError::TooLarge(_))), "{field:?}");
        }
        tried += 1;
    }
    assert!(tried > 300, "{tried} fields");
    Ok(())
}

#[test]
fn a_field_that_cannot_be_written_changes_nothing() -> TestResult {
    let mut table = amd()?;
    let before = table.clone();
    let outside = table.set_field(leaf_b::X2APIC_ID, Subleaf(7), 1).map_err(|error| error.to_string());
    assert_eq!(outside, Err("x2apic_id exists in subleaves 0 to 1 of leaf 0xB, not in 7".to_owned()));
    let missing = table.set_field(leaf_4::CACHE_LEVEL, Subleaf(0), 1);
    assert_eq!(missing, Err(SetFieldError::NoEntry(leaf_4::CACHE_LEVEL, Subleaf(0))));
    let wide = table.set_address_widths(AddressWidths { physical: 48, linear: 256, guest_physical: 0 });
    assert!(matches!(wide, Err(SetFieldError::TooLarge(_))));
    assert_eq!(table, before);
    assert_eq!(table.field_in(leaf_b::X2APIC_ID, Subleaf(7)), None);
    Ok(())
}

#[test]
fn a_field_is_written_in_every_subleaf() -> TestResult {
    let level = |subleaf| CpuidEntry::indexed(Leaf(0x1f), Subleaf(subleaf), Registers::ZERO);
    let mut table = CpuidTable::from_entries(&[level(0), level(1), level(2), level(9)])?;
    assert_eq!(table.set_field_everywhere(leaf_1f::X2APIC_ID, 5), Ok(3));
    assert_eq!(table.iter().map(|entry| entry.registers.edx).collect::<Vec<_>>(), [5, 5, 5, 0]);
    assert!(table.set_field_everywhere(leaf_1f::DOMAIN_LEVEL, 256).is_err());
    Ok(())
}

#[test]
fn an_entry_is_replaced_or_inserted_in_order() -> TestResult {
    let mut table = amd()?;
    let fresh = CpuidEntry::indexed(Leaf(7), Subleaf(2), Registers::new(0, 0, 0, 1));
    assert_eq!(table.replace(fresh)?, None);
    assert_eq!(table[4], fresh);
    let newer = CpuidEntry::indexed(Leaf(7), Subleaf(2), Registers::new(0, 0, 0, 2));
    assert_eq!(table.replace(newer)?, Some(fresh));
    assert_eq!(table.take(Leaf(7), Subleaf(2)), Some(newer));
    assert_eq!(table.remove_leaf(Leaf(7)), 2);
    assert_eq!(table.take(Leaf(7), Subleaf(0)), None);
    let mut full = CpuidTable::from_entries(&[CpuidEntry::new(Leaf(1), Registers::ZERO); CpuidTable::MAX])?;
    assert_eq!(full.replace(fresh), Err(TableFull));
    Ok(())
}

/// Sorting changes no answer, even if several entries answer for a leaf.
#[test]
fn sorting_keeps_every_answer() -> TestResult {
    let mut table = amd()?;
    table.rotate_left(3);
    table.push(CpuidEntry::new(Leaf(7), Registers::new(9, 9, 9, 9)))?;
    table.push(CpuidEntry::new(Leaf(1), Registers::new(8, 8, 8, 8)))?;
    let ask: Vec<(Leaf, Subleaf)> = table.iter().map(|entry| (entry.function, entry.subleaf())).collect();
    let answers = |table: &CpuidTable| -> Vec<_> {
        ask.iter().map(|&(leaf, subleaf)| table.find(leaf, subleaf).copied()).collect()
    };
    let before = answers(&table);
    table.sort();
    assert_eq!(answers(&table), before);
    assert!(table.is_sorted_by_key(|entry| entry.function));
    let mut indexed = amd()?;
    indexed.reverse();
    indexed.sort();
    assert_eq!(indexed, amd()?);
    Ok(())
}

#[test]
fn highest_leaves_follow_the_entries_of_their_range() -> TestResult {
    let mut table = amd()?;
    table.push(CpuidEntry::new(Leaf(0x4000_0000), Registers::ZERO))?;
    table.push(CpuidEntry::new(Leaf(0x4000_0001), Registers::ZERO))?;
    table.push(CpuidEntry::new(Leaf(0x4000_0100), Registers::ZERO))?;
    table.push(CpuidEntry::new(Leaf(0xc000_0001), Registers::ZERO))?;
    table.fit_highest_leaves();
    let highest = |base| table.highest_leaf(Leaf(base)).map(|leaf| leaf.0);
    assert_eq!(highest(0), Some(7));
    assert_eq!(highest(0x8000_0000), Some(0x8000_0008));
    assert_eq!((highest(0x4000_0000), highest(0x4000_0100)), (Some(0x4000_0001), Some(0x4000_0100)));
    assert_eq!(highest(0xc000_0000), None);
    Ok(())
}

#[test]
fn features_are_set_and_cleared_by_set() -> TestResult {
    let mut table = amd()?;
    let set: FeatureSet = [feature::AVX2, feature::AVX, feature::SGX1].into_iter().collect();
    let without: Vec<Feature> = table.set_features(&set).iter().collect();
    assert_eq!(without, [feature::SGX1]);
    assert!(table.has(feature::AVX) && table.has(feature::AVX2) && table.has(feature::LM));
    table.retain_features(&FeatureSet::new().with(feature::AVX));
    assert_eq!(table.features().iter().collect::<Vec<_>>(), [feature::AVX]);
    assert_eq!(table.field_in(leaf_1::CLFLUSH_SIZE, Subleaf(0)), Some(8));
    table.clear_features(&set);
    assert!(table.features().is_empty());
    Ok(())
}

#[test]
fn an_identity_is_written_as_it_is_read() -> TestResult {
    let mut table = amd()?;
    let signature = Signature::new(0x1a, 0x24, 0).ok_or("a signature")?;
    table.set_signature(signature)?;
    assert_eq!(table.signature(), Some(signature));
    assert_eq!(table.field(leaf_80000001::EXT_FAMILY), Some(0xb));
    let brand = Brand::new("An invented processor @ 2.50GHz").ok_or("a brand")?;
    table.set_brand(&brand)?;
    assert_eq!(table.brand(), Some(brand));
    table.set_vendor(Vendor::INTEL)?;
    assert_eq!(table.vendor(), Some(Vendor::INTEL));
    assert_eq!(table.find(Leaf(0x8000_0000), Subleaf(0)).map(|entry| entry.registers.ebx), Some(0));
    let widths = AddressWidths { physical: 52, linear: 57, guest_physical: 48 };
    table.set_address_widths(widths)?;
    assert_eq!(table.address_widths(), Some(widths));
    assert_eq!((Brand::new(&"x".repeat(48)), Brand::new("a\0b")), (None, None));
    Ok(())
}

/// Every signature that fits is read back as it was composed.
#[test]
fn signatures_are_composed_as_they_are_decomposed() {
    for family in 0..0x120 {
        for (model, stepping) in [(0, 0), (0xf, 0xf), (0x10, 1), (0xff, 3), (0x100, 0), (1, 0x10)] {
            let fits = family <= 0x10e && model <= if family < 6 { 0xf } else { 0xff } && stepping <= 0xf;
            let made = Signature::new(family, model, stepping);
            assert_eq!(
                made.map(|made| (made.family(), made.model(), made.stepping())),
                fits.then_some((family, model, stepping))
            );
        }
    }
}

/// One field has one name in every leaf that has it.
#[test]
fn shared_fields_have_one_name() {
    let places = [
        [leaf_b::DOMAIN_LEVEL.place(), leaf_1f::DOMAIN_LEVEL.place()],
        [leaf_1::STEPPING.place(), leaf_80000001::STEPPING.place()],
        [leaf_1::EXT_FAMILY.place(), leaf_80000001::EXT_FAMILY.place()],
    ];
    for [first, second] in places {
        assert_eq!((first.register, first.low, first.high), (second.register, second.low, second.high));
    }
}
