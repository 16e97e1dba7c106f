//! The target for the text of hosts and for a processor's values. Neither may panic, and everything read can be
//! written and read again.

use cpuid_tables::Registers;
use cpuid_tables::host::{self, Host, HostFile};

/// The first byte selects the file, `a` for the first and so on; after any other byte the rest is a processor's
/// values: four bytes per register, in turn.
pub(crate) fn host(data: &[u8]) {
    let Some((first, input)) = data.split_first() else { return };
    match HostFile::ALL.get(usize::from(first.wrapping_sub(b'a'))) {
        Some(file) => text(*file, &String::from_utf8_lossy(input)),
        None => processor(input),
    }
}

fn text(file: HostFile, text: &str) {
    let mut host = Host::default();
    match host.read(file, text) {
        Ok(()) => {
            let written = host.text(file).unwrap_or_else(|| panic!("{file:?} was read"));
            let mut again = Host::default();
            assert_eq!(again.read(file, &written), Ok(()));
            assert_eq!(again, host);
        }
        Err(error) => {
            let line = text.lines().nth(error.line - 1).unwrap_or_else(|| panic!("{error}"));
            assert_eq!(line.trim(), error.text);
        }
    }
}

fn processor(input: &[u8]) {
    let word = |at: usize| -> u32 {
        let bytes =
            [0, 1, 2, 3].map(|byte| input.get((at * 4 + byte) % input.len().max(1)).copied().unwrap_or(0));
        u32::from_le_bytes(bytes)
    };
    let answer = |leaf: u32, subleaf: u32| {
        // Small numbers near the start, so that an input determines leaf 0 and similar leaves.
        let at = (leaf >> 28) as usize * 4 + (leaf & 0xff) as usize * 4 + subleaf as usize;
        Registers::new(word(at), word(at + 1), word(at + 2), word(at + 3))
    };
    let entries = host::enumerate(|leaf, subleaf| answer(leaf.0, subleaf.0));
    assert!(
        entries.windows(2).all(|pair| (pair[0].function, pair[0].index) < (pair[1].function, pair[1].index))
    );
    assert!(entries.iter().all(|entry| entry.registers == answer(entry.function.0, entry.index.0)));
    assert_eq!(host::compare_cpus(&[(0, entries.clone()), (1, entries)]), []);
}
