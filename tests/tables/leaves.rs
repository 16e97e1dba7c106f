//! Fields and descriptions of leaves, against each other and against their source rows.
//!
//! The expected values are those of the pinned releases, as in `runtime.rs`.

use std::collections::{BTreeSet, HashSet};
use std::error::Error;

use cpuid_tables::field::{leaf_0, leaf_1, leaf_4, leaf_12, leaf_80000026};
use cpuid_tables::{
    CpuidWord, Feature, Field, Leaf, Part, Register, Registers, Subleaf, TooLarge, describe, feature,
};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

/// All of this is evaluated, and would fail, at compile time.
#[test]
fn the_compiler_builds_and_reads_registers() {
    const SIGNATURE: u32 =
        leaf_1::EXT_FAMILY.encode(10) | leaf_1::BASE_FAMILY_ID.encode(15) | leaf_1::BASE_MODEL.encode(1);
    const OWN: Field = Field::new("own", Leaf(0x4000_0100), 0..=0, Register::Ecx, 3..=31).unwrap();
    const {
        assert!(SIGNATURE == 0x00a0_0f10);
        assert!(leaf_1::EXT_FAMILY.read(SIGNATURE) == 10 && leaf_1::STEPPING.read(SIGNATURE) == 0);
        assert!(leaf_0::MAX_STD_LEAF.encode(u32::MAX) == u32::MAX);
        assert!(matches!(leaf_4::CACHE_TYPE.write(u32::MAX, 0), Ok(0xffff_ffe0)));
        assert!(matches!(leaf_4::CACHE_TYPE.write(0, 32), Err(TooLarge { value: 32, .. })));
        assert!(*leaf_4::CACHE_TYPE.subleaves().end() == 31);
        assert!(leaf_4::COMPLEX_INDEXING.read_from(Registers::new(0, 0, 0, 4)) == 1);
        assert!(leaf_4::ALL.len() == 13 && leaf_4::ALL[0].width() == 5);
        assert!(OWN.mask() == 0xffff_fff8);
    }
}

/// Every register that contains the field.
fn words(field: Field) -> impl Iterator<Item = CpuidWord> {
    field.subleaves().map(move |subleaf| CpuidWord::new(field.leaf(), Subleaf(subleaf), field.register()))
}

fn overlap(a: Field, b: Field) -> bool {
    let subleaves =
        a.subleaves().start() <= b.subleaves().end() && b.subleaves().start() <= a.subleaves().end();
    a.leaf() == b.leaf() && a.register() == b.register() && subleaves && a.mask() & b.mask() != 0
}

#[test]
fn every_field_reads_what_was_written() {
    for field in Field::all() {
        let (mask, max) = (field.mask(), field.max());
        assert_eq!(mask.count_ones(), u32::from(field.width()), "{field:?}");
        assert_eq!(mask.trailing_zeros(), u32::from(*field.bits().start()), "{field:?}");
        assert_eq!(31 - mask.leading_zeros(), u32::from(*field.bits().end()), "{field:?}");
        let values = (0..32).map(|bit| (1 << bit) & max).chain([max, max / 2, max / 3, max & 0x5555_5555]);
        for value in values {
            for register in [0, u32::MAX, 0xdead_beef] {
                let Ok(changed) = field.write(register, value) else { panic!("{value} into {field:?}") };
                assert_eq!(field.read(changed), value, "{field:?}");
                assert_eq!(changed & !mask, register & !mask, "{field:?} changed what is not its own");
                let mut registers = Registers::ZERO.map(|_| !changed);
                registers[field.register()] = changed;
                assert_eq!(field.read_from(registers), value, "{field:?}");
            }
            assert_eq!(field.write(0, value), Ok(field.encode(value)));
        }
        for value in max.checked_add(1).into_iter().chain((max < u32::MAX).then_some(u32::MAX)) {
            assert_eq!(field.write(0, value), Err(TooLarge { field, value }));
        }
    }
}

#[test]
fn fields_are_ordered_disjoint_and_found_by_every_look_up() {
    let all: Vec<Field> = Field::all().collect();
    assert_eq!(all.len(), 597);
    assert!(all.is_sorted());
    let mut names = HashSet::new();
    for (index, &field) in all.iter().enumerate() {
        assert!(names.insert((field.leaf(), field.name())), "{field:?}: its leaf has two of the name");
        assert_eq!(all[..index].iter().find(|&&other| overlap(field, other)), None, "{field:?}");
        assert!(Field::in_leaf(field.leaf()).any(|found| found == field));
        let shouted = field.name().to_uppercase().replace('_', "-");
        assert!(Field::named(&shouted).any(|found| found == field), "{field:?}");
        for word in words(field) {
            assert!(field.is_in(word));
            assert_eq!(Field::at(word).filter(|&found| found == field).count(), 1);
        }
    }
    assert_eq!(Field::in_leaf(Leaf(3)).chain(Field::in_leaf(Leaf(u32::MAX))).count(), 0);
    assert_eq!(Field::named("no such field").count(), 0);
    assert_eq!(Field::at(CpuidWord::new(Leaf(4), Subleaf(32), Register::Eax)).count(), 0);
}

#[test]
fn feature_takes_precedence_over_a_field_of_several_subleaves() {
    let eax = CpuidWord::new(Leaf(0x8000_0026), Subleaf(0), Register::Eax);
    let parts: Vec<Part> = describe(eax).collect();
    // Linux has a feature for the first subleaf, its description a field for four.
    assert_eq!(parts[2], Part::Feature(feature::AMD_HTR_CORES));
    let second: Vec<Part> = describe(CpuidWord::new(Leaf(0x8000_0026), Subleaf(1), Register::Eax)).collect();
    assert_eq!(second[2], Part::Field(leaf_80000026::DOMAIN_HAS_HYBRID_CORES));
    assert_eq!(parts.len(), second.len());
    assert_eq!(parts.iter().map(|part| part.read(1 << 30 | 7)).collect::<Vec<_>>(), [7, 0, 1, 0]);
    assert_eq!(describe(CpuidWord::new(Leaf(0xdead), Subleaf(0), Register::Eax)).count(), 0);
}

/// No bit is described twice; a bit that is a feature is a field only in another subleaf.
#[test]
fn no_bit_is_both_a_feature_and_a_field() {
    let mut also_features = BTreeSet::new();
    let mut registers: BTreeSet<CpuidWord> = Feature::all().map(|bit| bit.location().word).collect();
    registers.extend(Field::all().flat_map(words));
    for &word in &registers {
        let mut known = 0;
        for part in describe(word) {
            assert_eq!(known & part.mask(), 0, "{} in {word}", part.name());
            assert!(part.mask() > known, "{} in {word} is out of order", part.name());
            known |= part.mask();
        }
        let features = Feature::all().filter(|bit| bit.location().word == word);
        let features = features.fold(0, |bits, bit| bits | bit.mask());
        assert_eq!(features & !known, 0, "{word}");
        also_features.extend(Field::at(word).filter(|field| field.mask() & features != 0));
    }
    assert_eq!(also_features.into_iter().collect::<Vec<_>>(), [leaf_80000026::DOMAIN_HAS_HYBRID_CORES]);
    assert!(registers.len() > 400);
}

#[test]
fn fields_are_shown_by_name_and_location() {
    assert_eq!(leaf_4::CACHE_TYPE.to_string(), "cache_type");
    assert_eq!(format!("{:?}", leaf_4::CACHE_TYPE), "cache_type CPUID.(EAX=4,ECX=0-31):EAX[4:0]");
    assert_eq!(format!("{:?}", leaf_12::SECS_ATTR_INIT), "secs_attr_init CPUID.(EAX=0x12,ECX=1):EAX[0]");
    for (first, low, high) in [(1, 0, 1), (0, 2, 1), (0, 0, 32)] {
        assert_eq!(Field::new("none", Leaf(1), first..=0, Register::Eax, low..=high), None);
    }
}

/// Every row of the newest release's cpuid.csv is described, in each of its subleaves, bit by bit.
#[test]
fn every_row_is_described() -> TestResult {
    let rows = common::facts("linux-7.3").lines();
    let mut checked = 0;
    for row in rows.filter_map(|row| row.strip_prefix("cpuid-field\t")) {
        let [leaf, first, last, register, low, high, name] = *row.split('\t').collect::<Vec<_>>() else {
            return Err(row.into());
        };
        let leaf = u32::from_str_radix(leaf.trim_start_matches("0x"), 16)?;
        let register = Register::ALL.into_iter().find(|known| known.name() == register).ok_or("register")?;
        let (low, high): (u32, u32) = (low.parse()?, high.parse()?);
        let mask = (low..=high).fold(0, |mask, bit| mask | 1 << bit);
        for subleaf in first.parse()?..=last.parse()? {
            let mut parts = describe(CpuidWord::new(Leaf(leaf), Subleaf(subleaf), register));
            let part = parts.find(|part| part.mask() == mask).ok_or(row)?;
            assert!(matches!(part, Part::Feature(_)) || part.name() == name, "{row}: {part:?}");
        }
        checked += 1;
    }
    assert_eq!(checked, 937);
    Ok(())
}
