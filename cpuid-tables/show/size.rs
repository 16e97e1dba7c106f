//! Sizes in bytes, KiB or MiB.

use alloc::format;
use alloc::string::{String, ToString};

/// `48 KiB`, `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    match bytes {
        0 => "0 bytes".to_string(),
        _ if bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
        _ if bytes > MIB && bytes % (MIB / 4) == 0 => {
            let quarters = bytes / (MIB / 4);
            format!(
                "{}.{} MiB",
                quarters / 4,
                ["0", "25", "5", "75"][usize::try_from(quarters % 4).unwrap_or(0)]
            )
        }
        _ if bytes % KIB == 0 => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} bytes"),
    }
}
