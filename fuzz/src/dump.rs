//! The target for the dump readers. They must not panic, and everything read can be written and read again.

#[path = "../../tests/dump/pieces.rs"]
mod pieces;

use cpuid_tables::dump::{self, Cpu, Dump, Format, Options, ReadError, WriteError};
use pieces::Pieces;

/// The first byte selects the format, `a` for the first and so on; any other byte means detection. The rest is the
/// input.
pub(crate) fn dump(data: &[u8]) {
    let Some((first, input)) = data.split_first() else { return };
    let format = Format::ALL.get(usize::from(first.wrapping_sub(b'a'))).copied();
    let strict = read(input, format, false);
    let lenient = read(input, format, true);
    // An input in pieces of any size gives the same result.
    let options = Options { format, lenient: true };
    let pieces = dump::read(Pieces(7, input), &options);
    match (&lenient, &pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(whole.cpus, pieces.cpus);
            assert_eq!(whole.warnings.len(), pieces.warnings.len());
        }
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        _ => panic!("{lenient:?} read as a whole, {pieces:?} read in pieces"),
    }
    let Ok(strict) = strict else { return };
    let lenient = lenient.unwrap_or_else(|error| panic!("lenient reading failed: {error}"));
    assert_eq!((&strict.cpus, 0), (&lenient.cpus, lenient.warnings.len()));
    for cpu in &strict.cpus {
        assert!(cpu.entries.len() <= Cpu::MAX_ENTRIES);
        assert!(cpu.known.as_ref().is_none_or(|known| known.len() == cpu.entries.len()));
        Format::ALL
            .into_iter()
            .filter(|format| format.can_be_written())
            .for_each(|format| again(cpu, format));
    }
}

fn read(input: &[u8], format: Option<Format>, lenient: bool) -> Result<Dump, ReadError> {
    dump::read(input, &Options { format, lenient })
}

/// A CPU that a format can hold reads back unchanged.
fn again(cpu: &Cpu, format: Format) {
    let mut text = Vec::new();
    match dump::write(&mut text, format, std::slice::from_ref(cpu)) {
        Ok(()) => {}
        Err(WriteError::Io(error)) => panic!("{error}"),
        Err(error) => return assert!(!error.to_string().is_empty() && text.is_empty()),
    }
    if cpu.entries.is_empty() {
        return;
    }
    let back = read(&text, Some(format), false);
    let back = back.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&text)));
    assert_eq!(back.cpus.len(), 1, "{}", String::from_utf8_lossy(&text));
    let same = cpu.entries.len() == back.cpus[0].entries.len()
        && cpu.entries.iter().zip(&back.cpus[0].entries).all(|(entry, back)| entry.same_answer(back));
    assert!(same, "{cpu:?} in {}: {}", format.name(), String::from_utf8_lossy(&text));
}
