//! The options of `-machine` that no CPUID table depends on: which machine has them, and the values that they take
//! (class and instance properties of hw/core/machine.c and hw/i386; `qom-list` of 7.2.22, 10.0.13, 10.2.0 and 11.1.3 agrees).

use super::machine_kind::MachineKind;
use crate::guest::error::BuildError;
use crate::guest::parse::values::{boolean, signed, size, unsigned};

/// The values of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    Bool,
    OnOffAuto,
    Text,
    /// At most this many characters.
    ShortText(usize),
    /// An object's name: the object's existence is not checked.
    Object,
    Size,
    /// At most this many bytes.
    SizeUpTo(u64),
    Unsigned,
    Signed,
    OneOf(&'static [&'static str]),
    /// `name.part=value`; the parts are not checked.
    Structure,
}

/// The machines that have an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machines {
    All,
    /// `pc` and `q35`.
    Pci,
    /// Also `isapc`.
    Pcs,
    I440fx,
    Q35,
    Microvm,
}

use Machines::{All, I440fx, Microvm, Pci, Pcs, Q35};
use Values::{Bool, Object, OnOffAuto, OneOf, ShortText, Signed, Size, SizeUpTo, Structure, Text, Unsigned};

/// The releases in between are an estimate: 7.2, 10.0, 10.2 and 11.1 are certain.
const OLDEST: (u32, u32) = (0, 0);

/// Name, machines, first release, values.
static OPTIONS: &[(&str, Machines, (u32, u32), Values)] = &[
    ("acpi", All, OLDEST, OnOffAuto),
    ("append", All, OLDEST, Text),
    ("auto-kernel-cmdline", Microvm, OLDEST, Bool),
    ("aux-ram-share", All, (10, 0), Bool),
    ("boot", All, OLDEST, Structure),
    ("bus-lock-ratelimit", All, OLDEST, Unsigned),
    ("confidential-guest-support", All, OLDEST, Object),
    ("cxl", Pci, OLDEST, Bool),
    ("cxl-fmw", Pci, OLDEST, Structure),
    ("default-bus-bypass-iommu", Pcs, OLDEST, Bool),
    ("dt-compatible", All, OLDEST, Text),
    ("dtb", All, OLDEST, Text),
    ("dump-guest-core", All, OLDEST, Bool),
    ("dumpdtb", All, OLDEST, Text),
    ("fd-bootchk", Pcs, (9, 1), Bool),
    ("firmware", All, OLDEST, Text),
    ("graphics", All, OLDEST, Bool),
    ("hmat", All, OLDEST, Bool),
    ("hpet", Pcs, OLDEST, Bool),
    ("i8042", Pcs, OLDEST, Bool),
    ("igvm-cfg", Pcs, (10, 1), Object),
    // Of the accelerator for Xen: kept, and used by nothing else.
    ("igd-passthru", All, OLDEST, Text),
    ("initrd", All, OLDEST, Text),
    ("ioapic2", Microvm, OLDEST, OnOffAuto),
    ("isa-serial", Microvm, OLDEST, Bool),
    ("kernel", All, OLDEST, Text),
    // Of the accelerator for KVM.
    ("kvm-shadow-mem", All, OLDEST, Signed),
    ("max-fw-size", Pcs, OLDEST, SizeUpTo(16 << 20)),
    ("max-ram-below-4g", Pcs, OLDEST, Size),
    ("mem-merge", All, OLDEST, Bool),
    ("memory", All, OLDEST, Structure),
    ("memory-backend", All, OLDEST, Object),
    ("memory-encryption", All, OLDEST, Text),
    ("nvdimm", Pcs, OLDEST, Bool),
    ("nvdimm-persistence", Pcs, OLDEST, OneOf(&["cpu", "mem-ctrl"])),
    ("pcie", Microvm, OLDEST, OnOffAuto),
    ("pcspk-audiodev", Pcs, OLDEST, Object),
    ("phandle-start", All, OLDEST, Signed),
    ("pic", All, OLDEST, OnOffAuto),
    ("pit", All, OLDEST, OnOffAuto),
    ("rtc", Microvm, OLDEST, OnOffAuto),
    ("sata", Pcs, OLDEST, Bool),
    ("shim", All, (10, 0), Text),
    ("smbios-entry-point-type", Pcs, OLDEST, OneOf(&["32", "64"])),
    ("smbios-entry-point-type", Pcs, (9, 0), OneOf(&["32", "64", "auto"])),
    ("smbus", Pcs, OLDEST, Bool),
    ("smm", All, OLDEST, OnOffAuto),
    ("spcr", All, (10, 1), Bool),
    ("suppress-vmdesc", All, OLDEST, Bool),
    ("usb", All, OLDEST, Bool),
    ("vmport", Pcs, OLDEST, OnOffAuto),
    ("wdat", Q35, (11, 1), Bool),
    ("x-change-vmfd-on-reset", All, (11, 0), Bool),
    ("x-oem-id", All, OLDEST, ShortText(6)),
    ("x-oem-table-id", All, OLDEST, ShortText(8)),
    ("x-option-roms", Microvm, OLDEST, Bool),
    ("x-south-bridge", I440fx, (9, 0), OneOf(&["PIIX3", "piix4-isa"])),
];

/// Checks an option of a machine.
pub(super) fn check(
    kind: MachineKind,
    release: (u32, u32),
    name: &str,
    value: &str,
) -> Result<(), BuildError> {
    let (first, part) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let there = |machines: Machines| match machines {
        All => true,
        Pci => matches!(kind, MachineKind::I440fx | MachineKind::Q35),
        Pcs => kind != MachineKind::Microvm,
        I440fx => kind == MachineKind::I440fx,
        Q35 => kind == MachineKind::Q35,
        Microvm => kind == MachineKind::Microvm,
    };
    // Of several rows the newest applies.
    let row = OPTIONS
        .iter()
        .rev()
        .find(|(known, machines, since, _)| *known == first && there(*machines) && release >= *since);
    let values = row
        .map(|row| row.3)
        .filter(|values| part.is_some() == (*values == Structure))
        .ok_or_else(|| BuildError::MachineOption(name.into()))?;
    let (right, expected) = match values {
        Bool => (boolean(value).is_some(), "on or off"),
        OnOffAuto => (matches!(value, "on" | "off" | "auto"), "on, off or auto"),
        Text | Object | Structure => (true, ""),
        ShortText(length) => (value.len() <= length, "a shorter text"),
        Size => (size(value).is_some(), "a size, such as 3G"),
        SizeUpTo(max) => (size(value).is_some_and(|bytes| bytes <= max), "a smaller size"),
        Unsigned => (unsigned(value).is_some(), "a number"),
        Signed => (signed(value).is_some(), "a number"),
        OneOf(all) => (all.contains(&value), "one of the values that QEMU lists with `-machine help`"),
    };
    if right { Ok(()) } else { Err(BuildError::value(name, value, expected)) }
}
