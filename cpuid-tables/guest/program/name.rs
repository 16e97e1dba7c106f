//! Versions and machine types as distributions write them.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use crate::guest::error::BuildError;

/// The version of a QEMU program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgramVersion {
    /// Major, minor and micro number.
    pub numbers: [u32; 3],
    /// The distribution's name for the package: `Debian 1:9.2.0+ds-5`, `pve-qemu-kvm_9.0.2-4`; empty if there is none.
    pub package: String,
}

impl ProgramVersion {
    /// The series that it belongs to: major and minor number. A micro number from 50 on means the development of the
    /// next series, of which each year has three.
    #[must_use]
    pub fn series(&self) -> (u32, u32) {
        match self.numbers {
            [major, minor, micro] if micro < 50 => (major, minor),
            [major, minor, _] if minor < 2 => (major, minor + 1),
            [major, ..] => (major + 1, 0),
        }
    }
}

impl fmt::Display for ProgramVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, micro] = self.numbers;
        write!(f, "{major}.{minor}.{micro}")?;
        if self.package.is_empty() { Ok(()) } else { write!(f, " ({})", self.package) }
    }
}

impl FromStr for ProgramVersion {
    type Err = BuildError;

    /// The first version in a text: `9.2`, `9.2.0 (Debian 1:9.2.0+ds-5)`, `pve-qemu-kvm_9.0.2-4`,
    /// `qemu-kvm-8.2.0-11.el9`, or the first line of `--version`. A tag of QEMU's repository is one, too: `v11.0.0-rc2` has the
    /// numbers that this release candidate's `--version` has, 10.2.92, and `v10.0.0-1234-gabcdef0`, a commit after a release,
    /// those of the development after it, 10.0.50.
    fn from_str(text: &str) -> Result<ProgramVersion, BuildError> {
        let wrong = || {
            BuildError::value(
                "version",
                text,
                "a version of QEMU, such as 9.2 or 9.2.0 (Debian 1:9.2.0+ds-5)",
            )
        };
        let starts = text.char_indices().filter(|(at, digit)| {
            let before = text[..*at].strip_suffix('v').unwrap_or(&text[..*at]).chars().next_back();
            digit.is_ascii_digit() && before.is_none_or(|before| !before.is_alphanumeric() && before != '.')
        });
        let found = starts.filter_map(|(at, _)| Some((at, numbers(&text[at..])?))).next();
        let (at, (numbers, length)) = found.ok_or_else(wrong)?;
        let numbers = of_tag(numbers, &text[at + length..]);
        let in_parentheses = text[at + length..].trim().strip_prefix('(');
        let package = in_parentheses.and_then(|rest| rest.split_once(')')).map_or("", |(package, _)| package);
        // A package's name and version identify it.
        let is_bare = text[at + length..].trim().is_empty() && at == 0;
        let package = if package.is_empty() && !is_bare { text.trim() } else { package };
        Ok(ProgramVersion { numbers, package: package.to_string() })
    }
}

/// The numbers of what a tag names with a suffix: a release candidate, which is counted from 90 on after the release before it,
/// or a commit after a release.
fn of_tag([major, minor, micro]: [u32; 3], suffix: &str) -> [u32; 3] {
    let digits = |text: &str| text[..text.bytes().take_while(u8::is_ascii_digit).count()].parse::<u32>().ok();
    if let Some(candidate) = suffix.strip_prefix("-rc").and_then(digits) {
        let micro = 90u32.saturating_add(candidate);
        return match minor {
            0 => [major.saturating_sub(1), 2, micro],
            _ => [major, minor - 1, micro],
        };
    }
    let mut parts = suffix.strip_prefix('-').unwrap_or_default().split('-');
    let count = parts.next().is_some_and(|part| digits(part).is_some());
    let is_hash = |part: &str| part.len() >= 7 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let commit = parts.next().and_then(|part| part.strip_prefix('g')).is_some_and(is_hash);
    if count && commit && micro == 0 { [major, minor, 50] } else { [major, minor, micro] }
}

/// `9.2.0` or `9.2` at the start of a text, with its length.
fn numbers(text: &str) -> Option<([u32; 3], usize)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut numbers = [0; 3];
    let mut at = 0;
    for (place, number) in numbers.iter_mut().enumerate() {
        let rest = if place == 0 { text } else { text[at..].strip_prefix('.').unwrap_or_default() };
        let length = digits(rest);
        if length == 0 {
            // The micro number may be missing.
            return (place == 2).then_some((numbers, at));
        }
        *number = rest[..length].parse().ok()?;
        at += length + usize::from(place > 0);
    }
    Some((numbers, at))
}

/// The version of upstream's machine type on which a distribution's is based, by the version in its name. The numbers
/// follow the QEMU of each distribution's release; the patches that define the types were not available.
static DISTRIBUTIONS: &[(&str, (u32, u32))] = &[
    // Ubuntu, newest first.
    ("questing", (10, 1)),
    ("plucky", (9, 2)),
    ("oracular", (9, 0)),
    ("noble", (8, 2)),
    ("mantic", (8, 0)),
    ("lunar", (7, 2)),
    ("kinetic", (7, 0)),
    ("jammy", (6, 2)),
    ("impish", (6, 0)),
    ("hirsute", (5, 2)),
    ("groovy", (5, 0)),
    ("focal", (4, 2)),
    ("eoan", (4, 0)),
    ("disco", (3, 1)),
    ("cosmic", (2, 12)),
    ("bionic", (2, 11)),
    ("artful", (2, 10)),
    ("zesty", (2, 8)),
    ("yakkety", (2, 6)),
    ("xenial", (2, 5)),
    ("wily", (2, 3)),
    ("vivid", (2, 2)),
    ("utopic", (2, 1)),
    ("trusty", (2, 0)),
    // Red Hat Enterprise Linux.
    ("rhel10.2.0", (10, 1)),
    ("rhel10.0.0", (9, 1)),
    ("rhel9.8.0", (10, 1)),
    ("rhel9.6.0", (9, 1)),
    ("rhel9.4.0", (8, 2)),
    ("rhel9.2.0", (7, 2)),
    ("rhel9.0.0", (6, 2)),
    ("rhel8.6.0", (6, 2)),
    ("rhel8.5.0", (6, 0)),
    ("rhel8.4.0", (5, 2)),
    ("rhel8.3.0", (5, 1)),
    ("rhel8.2.0", (4, 2)),
    ("rhel8.1.0", (4, 1)),
    ("rhel8.0.0", (3, 1)),
    ("rhel7.6.0", (2, 12)),
    ("rhel7.5.0", (2, 10)),
    ("rhel7.4.0", (2, 9)),
    ("rhel7.3.0", (2, 6)),
];

/// The version of upstream's machine type that a machine type is, or is based on: of `pc-q35-9.0` and Proxmox's
/// `pc-q35-9.0+pve0` 9.0, of RHEL's `pc-q35-rhel9.4.0` and Ubuntu's `pc-q35-noble` 8.2. `None` for a name without one.
#[must_use]
pub fn upstream_machine(name: &str) -> Option<(u32, u32)> {
    let name = without_suffix(name).unwrap_or(name);
    let version = ["pc-i440fx-", "pc-q35-", "pc-"].iter().find_map(|family| name.strip_prefix(family))?;
    let is = |known: &str| {
        // Variants: `noble-v2`, `jammy-hpb`, `mantic-maxcpus`.
        version.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if let Some((_, upstream)) = DISTRIBUTIONS.iter().find(|(known, _)| is(known)) {
        return Some(*upstream);
    }
    let mut numbers = version.split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}

/// A machine type without Proxmox's suffix: `pc-q35-9.0+pve0`, `pc+pve1`.
pub(crate) fn without_suffix(name: &str) -> Option<&str> {
    let (machine, digits) = name.rsplit_once("+pve")?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then_some(machine)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{ProgramVersion, upstream_machine};

    #[test]
    fn versions_of_distributions() {
        for (text, numbers, series, package) in [
            ("9.2", [9, 2, 0], (9, 2), ""),
            ("10.0.13", [10, 0, 13], (10, 0), ""),
            ("9.2.0 (Debian 1:9.2.0+ds-5)", [9, 2, 0], (9, 2), "Debian 1:9.2.0+ds-5"),
            ("pve-qemu-kvm_9.0.2-4", [9, 0, 2], (9, 0), "pve-qemu-kvm_9.0.2-4"),
            ("9.0.2 (pve-qemu-kvm_9.0.2-4)", [9, 0, 2], (9, 0), "pve-qemu-kvm_9.0.2-4"),
            ("qemu-kvm-8.2.0-11.el9_4.6", [8, 2, 0], (8, 2), "qemu-kvm-8.2.0-11.el9_4.6"),
            ("1:8.2.2+ds-0ubuntu1.4", [8, 2, 2], (8, 2), "1:8.2.2+ds-0ubuntu1.4"),
            (
                "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)",
                [10, 0, 2],
                (10, 0),
                "Debian 1:10.0.2+ds-2",
            ),
            // Tags.
            ("v10.0.13", [10, 0, 13], (10, 0), "v10.0.13"),
            ("v11.0.0-rc2", [10, 2, 92], (11, 0), "v11.0.0-rc2"),
            ("qemu-9.1.0-rc0", [9, 0, 90], (9, 1), "qemu-9.1.0-rc0"),
            ("v10.0.0-1234-gabcdef0", [10, 0, 50], (10, 1), "v10.0.0-1234-gabcdef0"),
            ("10.0.50-1234-gabcdef0", [10, 0, 50], (10, 1), "10.0.50-1234-gabcdef0"),
            ("v10.0.13-3-gabcdef0", [10, 0, 13], (10, 0), "v10.0.13-3-gabcdef0"),
            // Development versions of 9.2 and 10.0.
            ("9.1.91", [9, 1, 91], (9, 2), ""),
            ("9.2.50", [9, 2, 50], (10, 0), ""),
        ] {
            let version: ProgramVersion = text.parse().unwrap();
            assert_eq!((version.numbers, version.series()), (numbers, series), "{text}");
            assert_eq!(version.package, package, "{text}");
        }
        for wrong in ["", "qemu-system-x86_64", "9", "version 9", "x9.2", "99999999999.1"] {
            assert!(wrong.parse::<ProgramVersion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn machine_types_of_distributions() {
        for (name, version) in [
            ("pc-q35-9.0", Some((9, 0))),
            ("pc-q35-9.0+pve0", Some((9, 0))),
            ("pc-i440fx-8.1+pve12", Some((8, 1))),
            ("pc-q35-rhel9.4.0", Some((8, 2))),
            ("pc-i440fx-rhel7.6.0", Some((2, 12))),
            ("pc-q35-noble", Some((8, 2))),
            ("pc-q35-noble-v2", Some((8, 2))),
            ("pc-i440fx-jammy-hpb", Some((6, 2))),
            ("pc-q35-4.0.1", Some((4, 0))),
            ("pc-q35-nobler", None),
            ("pc-q35-9.0+pvex", None),
            ("q35", None),
            ("microvm", None),
        ] {
            assert_eq!(upstream_machine(name), version, "{name}");
        }
    }
}
