//! Fields against this machine: the CPUID instruction's values match Linux's data about the processor.

use std::error::Error;
use std::fs;
use std::path::Path;

use cpuid_tables::field::{
    leaf_0, leaf_1, leaf_4, leaf_80000000, leaf_80000002, leaf_80000003, leaf_80000004, leaf_80000008,
};
use cpuid_tables::host::instruction;
use cpuid_tables::{Field, Leaf, Registers, Subleaf};

use crate::common::refused;

type TestResult = Result<(), Box<dyn Error>>;

fn cpuid(leaf: u32, subleaf: u32) -> Registers {
    instruction().map_or(Registers::ZERO, |execute| execute(Leaf(leaf), Subleaf(subleaf)))
}

fn read(field: Field) -> u32 {
    field.read_from(cpuid(field.leaf().0, *field.subleaves().start()))
}

/// The text in registers, one field each.
fn text(fields: &[Field]) -> String {
    let bytes: Vec<u8> = fields.iter().flat_map(|&field| read(field).to_le_bytes()).collect();
    String::from_utf8_lossy(&bytes).trim_matches(['\0', ' ']).to_owned()
}

fn first_line<'a>(cpuinfo: &'a str, key: &str) -> Option<&'a str> {
    let named = |line: &&str| line.split(':').next().is_some_and(|name| name.trim() == key);
    cpuinfo.lines().find(named)?.split_once(':').map(|(_, value)| value.trim())
}

#[test]
fn signature_names_and_sizes_are_those_of_proc_cpuinfo() -> TestResult {
    let test = "signature_names_and_sizes_are_those_of_proc_cpuinfo";
    let Ok(cpuinfo) = fs::read_to_string("/proc/cpuinfo") else {
        refused(test, "no /proc/cpuinfo");
        return Ok(());
    };
    let line = |key| first_line(&cpuinfo, key).ok_or(format!("no {key}"));
    let vendor = [leaf_0::CPU_VENDORID_0, leaf_0::CPU_VENDORID_1, leaf_0::CPU_VENDORID_2];
    assert_eq!(text(&vendor), line("vendor_id")?);
    let (base, model) = (read(leaf_1::BASE_FAMILY_ID), read(leaf_1::BASE_MODEL));
    // As in Linux: the family's extension counts from 15, the model's from family 6.
    let family = if base == 15 { base + read(leaf_1::EXT_FAMILY) } else { base };
    let model = if family >= 6 { read(leaf_1::EXT_MODEL) << 4 | model } else { model };
    assert_eq!(family, line("cpu family")?.parse::<u32>()?);
    assert_eq!(model, line("model")?.parse::<u32>()?);
    assert_eq!(read(leaf_1::STEPPING), line("stepping")?.parse::<u32>()?);
    assert_eq!(read(leaf_1::CLFLUSH_SIZE) * 8, line("clflush size")?.parse::<u32>()?);
    assert_eq!(read(leaf_0::MAX_STD_LEAF), line("cpuid level")?.parse::<u32>()?);
    if read(leaf_80000000::MAX_EXT_LEAF) < 0x8000_0008 {
        refused(test, "no leaf 0x80000008");
        return Ok(());
    }
    let brand = [leaf_80000002::ALL, leaf_80000003::ALL, leaf_80000004::ALL].concat();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&text(&brand)), words(line("model name")?));
    let sizes: Vec<u32> = words(line("address sizes")?).iter().filter_map(|word| word.parse().ok()).collect();
    // Linux subtracts the bits that memory encryption uses.
    assert!(sizes[0] <= read(leaf_80000008::PHYS_ADDR_BITS) && sizes[0] >= 32);
    assert_eq!(sizes[1], read(leaf_80000008::VIRT_ADDR_BITS));
    Ok(())
}

#[test]
fn caches_are_those_of_sys() -> TestResult {
    let folder = Path::new("/sys/devices/system/cpu/cpu0/cache");
    // AMD has the same fields in leaf 0x8000001D.
    let leaf = if cpuid(4, 0).eax == 0 { 0x8000_001d } else { 4 };
    let mut checked = 0;
    for index in 0.. {
        let file = |name: &str| fs::read_to_string(folder.join(format!("index{index}/{name}")));
        let Ok(level) = file("level") else { break };
        let number = |name: &str| -> Result<u32, Box<dyn Error>> { Ok(file(name)?.trim().parse::<u32>()?) };
        let registers = cpuid(leaf, index);
        let read = |field: Field| field.read_from(registers);
        assert_eq!(read(leaf_4::CACHE_LEVEL), level.trim().parse::<u32>()?);
        let kinds = ["", "Data", "Instruction", "Unified"];
        assert_eq!(kinds.get(read(leaf_4::CACHE_TYPE) as usize), Some(&file("type")?.trim()));
        let line = read(leaf_4::CACHE_LINESIZE) + 1;
        let (partitions, ways) = (read(leaf_4::CACHE_NPARTITIONS) + 1, read(leaf_4::CACHE_NWAYS) + 1);
        let sets = read(leaf_4::CACHE_NSETS) + 1;
        assert_eq!(line, number("coherency_line_size")?);
        assert_eq!(ways, number("ways_of_associativity")?);
        assert_eq!(sets, number("number_of_sets")?);
        let size = line * partitions * ways * sets;
        assert_eq!(format!("{}K", size >> 10), file("size")?.trim());
        checked += 1;
    }
    if checked == 0 {
        refused("caches_are_those_of_sys", &format!("no {}", folder.display()));
    }
    Ok(())
}
