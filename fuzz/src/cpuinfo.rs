//! The target for the parser of `/proc/cpuinfo`. It must not panic and must not drop a name.

use cpuid_tables::{LinuxRelease, cpuinfo};

/// All releases parse the text in the same way, apart from their names; each flag is known, unknown or ambiguous.
pub(crate) fn cpuinfo(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for release in LinuxRelease::ALL {
        for cpu in cpuinfo::read(&text, release).flatten() {
            let named = cpu.flags().count();
            let left = cpu.unknown().count() + cpu.ambiguous().count();
            assert!(left <= named, "{left} of {named} names");
            assert!(cpu.unknown().all(|name| text.contains(name)));
            let sets = cpu.features().len() + cpu.software().len() + cpu.bugs().len() + cpu.vmx().len();
            assert!(sets <= named, "{sets} bits of {named} names");
        }
    }
}
