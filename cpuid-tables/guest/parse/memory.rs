//! QEMU's `-m` syntax (`parse_memory_options` of system/vl.c, `machine_set_mem` of hw/core/machine.c).

use core::str::FromStr;

use super::keyval::keyval;
use super::values::{size, unsigned};
use crate::guest::error::BuildError;

const MIB: u64 = 1 << 20;

/// A guest's memory: `-m`. A board refuses a CPU that cannot address all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Memory {
    /// Bytes at the start.
    pub size: u64,
    /// Bytes with all that may be plugged; equal to `size` if nothing may.
    pub max: u64,
    /// Slots for memory that is plugged later.
    pub slots: u64,
}

impl Memory {
    /// A fixed amount, in bytes.
    #[must_use]
    pub fn new(size: u64) -> Memory {
        Memory { size, max: size, slots: 0 }
    }
}

impl Default for Memory {
    /// QEMU's default: 128 MiB.
    fn default() -> Memory {
        Memory::new(128 * MIB)
    }
}

impl FromStr for Memory {
    type Err = BuildError;

    /// `4G`, `512` (in MiB), `size=4G,slots=2,maxmem=8G`.
    fn from_str(text: &str) -> Result<Memory, BuildError> {
        let mut memory = Memory::default();
        let (mut max, mut slots) = (None, None);
        for (name, value) in keyval(text, "m", "size")? {
            let wrong = |expected| BuildError::value(&name, &value, expected);
            let bytes = size(&value).ok_or_else(|| wrong("a size, such as 4G"));
            match name.as_str() {
                // Without a suffix, MiB. 0 means the default.
                "size" => {
                    let unit = if value.ends_with(|last: char| last.is_ascii_digit()) { MIB } else { 1 };
                    match bytes?.checked_mul(unit).ok_or_else(|| wrong("fewer than 2^64 bytes"))? {
                        0 => {}
                        bytes => memory.size = bytes.next_multiple_of(8192),
                    }
                }
                "maxmem" => max = Some(bytes?),
                "slots" => slots = Some(unsigned(&value).ok_or_else(|| wrong("a number"))?),
                _ => return Err(BuildError::value("m", &name, "size, slots or maxmem")),
            }
        }
        if max.is_none() && slots.is_some_and(|slots| slots != 0) {
            return Err(BuildError::value("m", text, "maxmem with slots"));
        }
        memory.max = max.unwrap_or(memory.size);
        memory.slots = slots.unwrap_or(0);
        if memory.max < memory.size || memory.slots != 0 && memory.max == memory.size {
            return Err(BuildError::value("m", text, "maxmem above the size"));
        }
        Ok(memory)
    }
}

#[cfg(test)]
mod tests {
    use super::{MIB, Memory};

    #[test]
    fn sizes_are_qemus() {
        let read = |text: &str| text.parse::<Memory>().ok();
        assert_eq!(read("4G"), Some(Memory::new(4 << 30)));
        assert_eq!(read("512"), Some(Memory::new(512 * MIB)));
        assert_eq!(read("1.5G"), Some(Memory::new(1536 * MIB)));
        assert_eq!(read("0"), Some(Memory::default()));
        let plugged = Memory { size: 4 << 30, max: 8 << 30, slots: 2 };
        assert_eq!(read("4G,slots=2,maxmem=8G"), Some(plugged));
        for wrong in
            ["4X", "4G,slots=2", "4G,maxmem=2G", "4G,slots=1,maxmem=4G", "4G,size", "-1", "4G,dimm=1"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
