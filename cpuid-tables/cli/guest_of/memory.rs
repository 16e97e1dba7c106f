//! Finds tables in a process's memory: `struct kvm_cpuid2`, a count and as many entries of 40 bytes.
//!
//! They have no marker, so only unambiguous ones count: every entry's padding is 0, its function is in a range of
//! leaves and its flags are known; leaves 0 and 1 exist, and no entry occurs twice.
//!
//! Only pages that the process has are read: reading others would give it memory, such as the whole of its guest's.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use cpuid_tables::{CpuidEntry, CpuidTable, Leaf, Registers, Subleaf, find_entry};

/// Bytes of a `struct kvm_cpuid_entry2`.
pub(super) const ENTRY: usize = 40;
/// Bytes of the count and padding before the entries.
const HEAD: usize = 8;
/// Larger mappings, such as a VMM's guest memory, are skipped: they belong to the guest, and may be terabytes.
const LARGEST: u64 = 256 << 20;
/// Bytes that are searched at once, and by which the next ones overlap them: a table of `CpuidTable::MAX` entries.
const CHUNK: u64 = 1 << 20;
const LONGEST: u64 = 8 + 256 * 40;
/// How long a search may take.
pub(super) const LIMIT: Duration = Duration::from_secs(1);
/// Bytes of a page, and of its entry in `/proc/PID/pagemap`, whose two highest bits say whether the process has the page:
/// present or swapped.
const PAGE: u64 = 4096;
const PAGE_STEP: usize = 4096;
const PAGEMAP_ENTRY: usize = 8;
const PAGEMAP_STEP: u64 = 8;

/// A mapping of a process's memory.
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) executable: bool,
    readable: bool,
    writable: bool,
}

/// A table that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) address: u64,
    pub(super) entries: Vec<CpuidEntry>,
}

/// The mappings of a process's memory, in order.
pub(super) fn ranges(pid: u32) -> io::Result<impl Iterator<Item = Range>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let ranges: Vec<Range> = maps.lines().filter_map(range).collect();
    Ok(ranges.into_iter())
}

/// `7f00-7f10 rw-p ...`.
fn range(line: &str) -> Option<Range> {
    let (place, rest) = line.split_once(' ')?;
    let (start, end) = place.split_once('-')?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let rights = rest.get(..4)?;
    Some(Range {
        start: hex(start)?,
        end: hex(end)?,
        executable: rights.contains('x'),
        readable: rights.contains('r'),
        writable: rights.contains('w'),
    })
}

/// What a search found.
pub(super) struct Found {
    /// Tables with the same entries are listed once.
    pub(super) tables: Vec<Table>,
    /// All of the memory was searched within [`LIMIT`].
    pub(super) whole: bool,
}

/// Every complete table in a process's memory, with small mappings first.
pub(super) fn tables(pid: u32) -> io::Result<Found> {
    let deadline = Instant::now() + LIMIT;
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let pagemap = File::open(format!("/proc/{pid}/pagemap")).ok();
    let mut searched: Vec<Range> = ranges(pid)?
        .filter(|range| range.readable && range.writable && range.end - range.start <= LARGEST)
        .collect();
    searched.sort_by_key(|range| range.end - range.start);
    let mut found = Found { tables: Vec::new(), whole: true };
    let mut bytes = Vec::new();
    for (start, end) in searched.iter().flat_map(|range| present(pagemap.as_ref(), range)) {
        let mut at = start;
        while at < end {
            if Instant::now() > deadline {
                return Ok(Found { whole: false, ..found });
            }
            bytes.resize(usize::try_from((end - at).min(CHUNK + LONGEST)).unwrap_or(0), 0);
            // On an error, the bytes read before it are used.
            let read = memory.read_at(&mut bytes, at).unwrap_or(0);
            for table in tables_in(&bytes[..read], at) {
                if !found.tables.iter().any(|other| other.entries == table.entries) {
                    found.tables.push(table);
                }
            }
            at += CHUNK;
        }
    }
    Ok(found)
}

/// The parts of a mapping whose pages the process has; all of it if that is unknown.
fn present(pagemap: Option<&File>, range: &Range) -> Vec<(u64, u64)> {
    let pages = usize::try_from((range.end - range.start) / PAGE).unwrap_or(0);
    let mut entries = vec![0; pages * PAGEMAP_ENTRY];
    let at = range.start / PAGE * PAGEMAP_STEP;
    if pagemap.is_none_or(|pagemap| pagemap.read_exact_at(&mut entries, at).is_err()) {
        return vec![(range.start, range.end)];
    }
    let mut parts: Vec<(u64, u64)> = Vec::new();
    let starts = (range.start..range.end).step_by(PAGE_STEP);
    for (start, entry) in starts.zip(entries.chunks_exact(PAGEMAP_ENTRY)) {
        if entry[PAGEMAP_ENTRY - 1] & 0xc0 == 0 {
            continue;
        }
        match parts.last_mut().filter(|(_, end)| *end == start) {
            Some((_, end)) => *end += PAGE,
            None => parts.push((start, start + PAGE)),
        }
    }
    parts
}

/// Every complete table in some bytes. Allocators and stacks align them to at least 4 bytes.
fn tables_in(bytes: &[u8], start: u64) -> Vec<Table> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + HEAD) {
        // Most memory is zeros.
        if head == [0; HEAD] {
            at += HEAD;
            continue;
        }
        match table_at(head, &bytes[at + HEAD..]) {
            Some(entries) => {
                let length = HEAD + entries.len() * ENTRY;
                found.push(Table { address: start + u64::try_from(at).unwrap_or(0), entries });
                at += length;
            }
            None => at += 4,
        }
    }
    found
}

fn table_at(head: &[u8], rest: &[u8]) -> Option<Vec<CpuidEntry>> {
    let count = usize::try_from(word(head, 0)?).ok().filter(|count| (4..=CpuidTable::MAX).contains(count))?;
    if word(head, 1)? != 0 {
        return None;
    }
    let all = rest.get(..count * ENTRY)?;
    let entries: Option<Vec<CpuidEntry>> = all.chunks_exact(ENTRY).map(entry).collect();
    let entries = entries?;
    let keys: BTreeSet<(Leaf, Subleaf)> =
        entries.iter().map(|entry| (entry.function, entry.subleaf())).collect();
    let registers = |leaf| find_entry(&entries, Leaf(leaf), Subleaf(0)).map(|entry| entry.registers);
    let (first, version) = (registers(0)?, registers(1)?);
    let whole = keys.len() == entries.len()
        && first.eax != 0
        && first.ebx != 0
        && version.eax != 0
        && version.edx != 0;
    whole.then_some(entries)
}

/// The entries of KVM's answer.
pub(super) fn entries(bytes: &[u8]) -> Option<Vec<CpuidEntry>> {
    let count = usize::try_from(word(bytes, 0)?).ok()?;
    bytes.get(HEAD..HEAD + count.checked_mul(ENTRY)?)?.chunks_exact(ENTRY).map(fields).collect()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at * 4..at * 4 + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// An entry of ten words, three of them padding.
fn fields(bytes: &[u8]) -> Option<CpuidEntry> {
    let [function, index, flags, eax, ebx, ecx, edx] = {
        let mut words = [0; 7];
        for (at, place) in words.iter_mut().enumerate() {
            *place = word(bytes, at)?;
        }
        words
    };
    Some(CpuidEntry {
        function: Leaf(function),
        index: Subleaf(index),
        flags,
        registers: Registers { eax, ebx, ecx, edx },
    })
}

/// An entry that can be one of a table.
fn entry(bytes: &[u8]) -> Option<CpuidEntry> {
    let found = fields(bytes)?;
    let padding = [word(bytes, 7)?, word(bytes, 8)?, word(bytes, 9)?];
    let function = found.function.0;
    let leaf = matches!(function, 0..=0xff | 0x4000_0000..=0x4000_ffff | 0x8000_0000..=0x8000_00ff | 0x8086_0000..=0x8086_00ff | 0xc000_0000..=0xc000_00ff);
    (leaf && found.flags <= 7 && padding == [0; 3]).then_some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use cpuid_tables::{Leaf, Registers, Subleaf};

    use super::{Table, tables_in};
    use cpuid_tables::CpuidEntry;

    fn entries() -> Vec<CpuidEntry> {
        vec![
            CpuidEntry::new(Leaf(0x4000_0000), Registers::new(0x4000_0001, 1, 2, 3)),
            CpuidEntry::new(Leaf(0), Registers::new(7, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
            CpuidEntry::new(Leaf(1), Registers::new(0x806f8, 0, 0, 1)),
            CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0)),
        ]
    }

    /// A table in KVM's format.
    fn bytes(entries: &[CpuidEntry]) -> Vec<u8> {
        let count = u32::try_from(entries.len()).unwrap();
        let mut words = vec![count, 0];
        for entry in entries {
            words.extend([entry.function.0, entry.index.0, entry.flags]);
            words.extend(entry.registers.to_array());
            words.extend([0; 3]);
        }
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    #[test]
    fn a_table_among_other_things() {
        let table = bytes(&entries());
        let memory = [&[0xff; 12][..], &table, &[1, 2, 3, 4], &table, &[0; 400]].concat();
        let second = 0x1000 + 12 + u64::try_from(table.len()).unwrap() + 4;
        let found = tables_in(&memory, 0x1000);
        let at = |address| Table { address, entries: entries() };
        assert_eq!(found, [at(0x100c), at(second)]);
    }

    #[test]
    fn what_is_no_whole_table() {
        let whole = bytes(&entries());
        // Changing any fixed byte makes it invalid.
        for (at, value) in [(4, 1), (8 + 3, 0x50), (8 + 2 * 4, 8), (8 + 7 * 4, 1), (8 + 40 + 3, 0x90)] {
            let mut broken = whole.clone();
            broken[at] = value;
            assert!(tables_in(&broken, 0).is_empty(), "{at}");
        }
        assert!(tables_in(&whole[..whole.len() - 1], 0).is_empty());
        let twice: Vec<CpuidEntry> = entries().into_iter().chain([entries()[3]]).collect();
        assert!(tables_in(&bytes(&twice), 0).is_empty());
        assert!(tables_in(&bytes(&entries()[..2]), 0).is_empty());
    }
}
