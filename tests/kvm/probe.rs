//! The values that a guest on a real KVM reads, against the library's rules: thousands of leaves and subleaves, in
//! and out of range, on tables of several vendors, in all three modes.

use std::collections::BTreeSet;
use std::error::Error;

use cpuid_tables::kvm::{Change, Device, KvmSystem, Mode, Probe, probe};
use cpuid_tables::{AnsweredBy, CpuidEntry, CpuidRead, IndexedLeaf, Leaf, Registers, Subleaf, Vendor};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

/// A named table, and its additions to KVM's supported table.
struct Case {
    name: &'static str,
    vendor: Vendor,
    /// Ranges to add: first leaf, number of leaves, and the highest leaf that the first one gives, relative to it.
    ranges: &'static [(u32, u32, u32)],
    /// The highest basic leaf, if not KVM's. Out-of-range leaves return 0xD, by subleaf.
    highest: Option<u32>,
}

const CASES: [Case; 9] = [
    Case { name: "Intel", vendor: Vendor::INTEL, ranges: &[], highest: None },
    Case { name: "Intel up to 0xD", vendor: Vendor::INTEL, ranges: &[], highest: Some(0xd) },
    Case {
        name: "Intel up to 0xD, hypervisors, Centaur and Transmeta",
        vendor: Vendor::INTEL,
        ranges: &[(0x4000_0100, 2, 1), (0x4000_0300, 11, 10), (0xc000_0000, 3, 2), (0x8086_0000, 2, 1)],
        highest: Some(0xd),
    },
    Case {
        name: "Intel up to 0xB, ranges with too high maxima",
        vendor: Vendor::INTEL,
        ranges: &[(0x4000_0200, 2, 0x150), (0x4fff_ff00, 2, 0xff), (0xc000_0000, 2, 0x3000_0000)],
        highest: Some(0xb),
    },
    Case { name: "Intel up to 7", vendor: Vendor::INTEL, ranges: &[(0xc000_0000, 2, 1)], highest: Some(7) },
    Case { name: "AMD", vendor: Vendor::AMD, ranges: &[], highest: Some(0xd) },
    Case {
        name: "AMD, hypervisors and Centaur",
        vendor: Vendor::AMD,
        ranges: &[(0x4000_0100, 2, 1), (0xc000_0000, 3, 2)],
        highest: Some(0xd),
    },
    Case { name: "Hygon", vendor: Vendor::HYGON, ranges: &[(0x4000_0200, 3, 2)], highest: Some(0xd) },
    Case { name: "Centaur", vendor: Vendor::CENTAUR, ranges: &[(0xc000_0000, 5, 4)], highest: Some(0xd) },
];

impl Case {
    /// KVM's supported table with this vendor, topology levels, and additional ranges; the registers of each added
    /// entry encode its location.
    fn table(&self, supported: &[CpuidEntry]) -> Vec<CpuidEntry> {
        let topology = |entry: &CpuidEntry| matches!(entry.function.0, 0xb | 0x1f);
        let mut table: Vec<CpuidEntry> = supported.iter().filter(|entry| !topology(entry)).copied().collect();
        let [ebx, ecx, edx] = self.vendor.to_registers();
        for entry in &mut table {
            if entry.function == Leaf(0) || entry.function == Leaf(0x8000_0000) {
                entry.registers = Registers::new(entry.registers.eax, ebx, ecx, edx);
            }
            if entry.function == Leaf(0) {
                entry.registers.eax = self.highest.unwrap_or(entry.registers.eax);
            }
        }
        for (leaf, levels) in [(0xb, 2), (0x1f, 3)] {
            for level in 0..levels {
                let registers = Registers::new(level + 1, 2 << level, (level + 1) << 8 | level, 0);
                table.push(CpuidEntry::indexed(Leaf(leaf), Subleaf(level), registers));
            }
        }
        for &(first, count, highest) in self.ranges {
            table.retain(|entry| !(first..first + count).contains(&entry.function.0));
            table.push(CpuidEntry::new(Leaf(first), Registers::new(first + highest, 0x0a0a, 0x0b0b, 0x0c0c)));
            let rest = (first + 1..first + count)
                .map(|leaf| CpuidEntry::new(Leaf(leaf), Registers::new(leaf, !leaf, 1, 2)));
            table.extend(rest);
        }
        table
    }
}

/// Leaves and subleaves around all entries of a table, at the ends of KVM's ranges, and random ones.
fn questions(table: &[CpuidEntry]) -> Vec<(Leaf, Subleaf)> {
    let edges = [
        0x0,
        0x3fff_ffff,
        0x4000_00ff,
        0x4000_0200,
        0x4000_ffff,
        0x4001_0000,
        0x4fff_ffff,
        0x5000_0000,
        0x7fff_ffff,
        0x8000_0000,
        0x8086_0000,
        0x8086_0007,
        0xbfff_ffff,
        0xc000_0000,
        0xcfff_ffff,
        0xefff_ffff,
        0xf000_0001,
        0x4000_0301,
        0x4000_0351,
        0xffff_ffff,
    ];
    let subleaves = [0, 1, 2, 3, 4, 0x3f, 0xff, 0x100, 0x1_0001, 0xffff_ffff_u32];
    let highest =
        [Leaf::BASIC, Leaf::EXTENDED, Leaf::CENTAUR].into_iter().filter_map(|base| table.highest_leaf(base));
    let mut leaves: BTreeSet<u32> = table.iter().map(|entry| entry.function.0).chain(edges).collect();
    leaves.extend(IndexedLeaf::all().map(|indexed| indexed.leaf.0));
    leaves.extend(highest.map(|leaf| leaf.0));
    let around: BTreeSet<u32> =
        leaves.iter().flat_map(|leaf| [leaf.wrapping_sub(1), *leaf, leaf.wrapping_add(1)]).collect();
    let pairs = around.iter().flat_map(|&leaf| subleaves.map(|subleaf| (Leaf(leaf), Subleaf(subleaf))));
    // A number generator with the same sequence everywhere (xorshift).
    let mut state = 0x9e37_79b9_u32;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let at_random = (0..2000).map(move |_| {
        let (leaf, subleaf) = (random(), random());
        let leaf = [leaf, leaf & 0xf000_00ff, leaf & 0x4000_0fff, leaf & 0xff][(leaf >> 20 & 3) as usize];
        (Leaf(leaf), Subleaf(if subleaf & 1 == 0 { subleaf >> 28 } else { subleaf }))
    });
    pairs.chain(at_random).collect()
}

/// The first answers that differ from the library's.
fn wrong(asked: &[(Leaf, Subleaf)], answers: &Probe) -> Vec<String> {
    let compared = asked.iter().zip(&answers.answers).filter_map(|((leaf, subleaf), guest)| {
        let ours = answers.stored.answer(*leaf, *subleaf);
        let differs = ours.registers != *guest;
        differs.then(|| format!("{:#x}.{:#x}: guest {guest:x?}, ours {ours:x?}", leaf.0, subleaf.0))
    });
    compared.take(5).collect()
}

/// A line that lists KVM's changes.
fn rewritten(name: &str, changes: &[Change]) -> String {
    let unexpected: Vec<&Change> = changes.iter().filter(|change| !change.is_expected()).collect();
    let words: BTreeSet<String> = unexpected
        .iter()
        .map(|change| match change {
            Change::Part(part) => part.word.to_string(),
            _ => change.to_string(),
        })
        .collect();
    let words: Vec<String> = words.into_iter().collect();
    let expected = changes.len() - unexpected.len();
    format!(
        "{name}: KVM changed {expected} parts as expected, {} more: {}",
        unexpected.len(),
        words.join("; ")
    )
}

#[test]
fn guest_reads_what_the_rules_predict() -> TestResult {
    let device = match Device::open() {
        Ok(device) => device,
        Err(error) => {
            common::refused("kvm_probe::guest_reads_what_the_rules_predict", &error.to_string());
            return Ok(());
        }
    };
    let supported = device.supported_cpuid()?;
    let mut compared = 0;
    let mut kinds = [0; 4];
    for case in CASES {
        let table = case.table(&supported);
        let asked = questions(&table);
        assert!(asked.len() > 2500, "{}", asked.len());
        for mode in Mode::ALL {
            let answers = probe(&device, &table, &asked, mode)?;
            assert_eq!(answers.answers.len(), asked.len());
            assert_eq!(wrong(&asked, &answers), [""; 0], "{}, {mode:?} mode", case.name);
            compared += asked.len();
            for (leaf, subleaf) in &asked {
                kinds[match answers.stored.answer(*leaf, *subleaf).by {
                    AnsweredBy::Entry(_) => 0,
                    AnsweredBy::HighestBasic(_) => 1,
                    AnsweredBy::LevelOne(_) => 2,
                    AnsweredBy::None => 3,
                }] += 1;
            }
            if mode == Mode::Long {
                common::say(&rewritten(case.name, &answers.changes));
            }
            // The vendor selects one of two rules: if KVM changed it, one of them would be untested.
            assert_eq!(answers.stored.vendor(), Some(case.vendor));
        }
    }
    common::say(&format!(
        "{compared} answers of guests compared; by entry, highest basic leaf, level 1, nothing: {kinds:?}"
    ));
    assert!(kinds.iter().all(|count| *count > 100), "{kinds:?}");
    Ok(())
}

#[test]
fn guest_has_its_own_apic_id() -> TestResult {
    let Ok(device) = Device::open() else {
        common::refused("kvm_probe::guest_has_its_own_apic_id", common::NO_KVM);
        return Ok(());
    };
    let table = CASES[0].table(&device.supported_cpuid()?);
    let asked = [(Leaf(1), Subleaf(0)), (Leaf(0xb), Subleaf(9))];
    let answers = probe(&device, &table, &asked, Mode::Long)?.answers;
    assert_eq!((answers[0].ebx >> 24, answers[1]), (0, Registers::new(0, 0, 9, 0)));
    Ok(())
}
