//! QEMU's `hv-*` properties, and the bits of Hyper-V's leaves that they set (`kvm_hyperv_properties[]` and
//! `hyperv_fill_cpuids` of target/i386/kvm/kvm.c).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::hypervisor;
use super::styled::{Style, Styled};
use crate::bits::field::Field;
use crate::bits::location::{CpuidWord, Leaf, Register, Subleaf};
use crate::bits::name_hash::fold_eq;
use crate::bits::release::QemuRelease;
use crate::generated::guest_tables::GUESTS;

/// A property for a Hyper-V enlightenment, as one of the releases has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enlightenment {
    /// QEMU's name.
    pub name: &'static str,
    /// The oldest release that has it so.
    pub first: QemuRelease,
    /// The newest.
    pub last: QemuRelease,
    /// The bits that it sets, by register; none for a property that sets none by itself.
    pub bits: Vec<(CpuidWord, u32)>,
    /// Names of other properties that it needs.
    pub needs: Vec<&'static str>,
}

/// Numbers and texts, which no mask of the tables holds: the property's field in QEMU, leaf, register and mask.
static NUMBERS: &[(&str, u32, Register, u32)] = &[
    ("hyperv_spinlock_attempts", 0x4000_0004, Register::Ebx, u32::MAX),
    ("hyperv_no_nonarch_cs", 0x4000_0004, Register::Eax, 1 << 18),
    ("hyperv_ver_id_build", 0x4000_0002, Register::Eax, u32::MAX),
    ("hyperv_ver_id_major", 0x4000_0002, Register::Ebx, 0xffff_0000),
    ("hyperv_ver_id_minor", 0x4000_0002, Register::Ebx, 0xffff),
    ("hyperv_ver_id_sp", 0x4000_0002, Register::Ecx, u32::MAX),
    ("hyperv_ver_id_sb", 0x4000_0002, Register::Edx, 0xff00_0000),
    ("hyperv_ver_id_sn", 0x4000_0002, Register::Edx, 0x00ff_ffff),
    ("hyperv_vendor", 0x4000_0000, Register::Ebx, u32::MAX),
    ("hyperv_vendor", 0x4000_0000, Register::Ecx, u32::MAX),
    ("hyperv_vendor", 0x4000_0000, Register::Edx, u32::MAX),
    ("hv_max_vps", 0x4000_0005, Register::Eax, u32::MAX),
];

/// True for the field of a property for Hyper-V.
pub(super) fn is_hyperv(field: &str) -> bool {
    field.starts_with("hyperv_") || field.starts_with("hv_")
}

/// The enlightenment that a name stands for, release by release: `hv-time`, `hv_time`; libvirt's `time` with `bare`.
pub(super) fn named(name: &str, bare: bool) -> Vec<Enlightenment> {
    let mut all: Vec<Enlightenment> = Vec::new();
    for release in QemuRelease::ALL {
        let Some(found) = in_release(name, bare, release) else { continue };
        match all.last_mut() {
            Some(last) if (&last.bits, &last.needs) == (&found.bits, &found.needs) => last.last = release,
            _ => all.push(found),
        }
    }
    all
}

fn in_release(name: &str, bare: bool, release: QemuRelease) -> Option<Enlightenment> {
    let is_called = |known: &str| {
        fold_eq(known, name) || bare && known.strip_prefix("hv-").is_some_and(|short| fold_eq(short, name))
    };
    let alias = release.aliases().find(|(alias, _)| is_called(alias)).map(|(_, property)| property);
    let mut properties = release.cpu_properties();
    let property = properties.find(|property| alias == Some(property.name) || is_called(property.name))?;
    let field = property.field.filter(|field| is_hyperv(field))?;
    let tables = &GUESTS[release.index()];
    let feature = property.bit.filter(|_| field == "hyperv_features").map(|bit| bit.0);
    let of_feature = tables.hyperv.iter().filter(|row| Some(row.feature) == feature);
    let number = |&(_, leaf, register, mask): &(&str, u32, Register, u32)| {
        (CpuidWord::new(Leaf(leaf), Subleaf(0), register), mask)
    };
    let of_number = NUMBERS.iter().filter(|row| row.0 == field).map(number);
    let called = |wanted: u8| {
        let mut properties = release.cpu_properties();
        properties.find(|other| {
            other.field == Some("hyperv_features") && other.bit.is_some_and(|bit| bit.0 == wanted)
        })
    };
    let needs = tables.hyperv_deps.iter().filter(|row| Some(row.feature) == feature);
    Some(Enlightenment {
        name: property.name,
        first: release,
        last: release,
        bits: of_feature.map(|row| (row.register, row.mask)).chain(of_number).collect(),
        needs: needs.filter_map(|row| called(row.needs)).map(|property| property.name).collect(),
    })
}

impl Enlightenment {
    /// `CPUID.(EAX=0x40000003,ECX=0):EAX[1]`, one for each run of bits.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let runs = |mask: u32| {
            let mut left = mask;
            core::iter::from_fn(move || {
                let low = (left != 0).then(|| left.trailing_zeros())?;
                // A feature's bits stand for themselves, a number's for one thing.
                let width = if mask.count_ones() > 4 { (left >> low).trailing_ones() } else { 1 };
                left &= u32::MAX.checked_shl(low + width).unwrap_or(0);
                Some((low, low + width - 1))
            })
        };
        let one = |(low, high): (u32, u32), word: CpuidWord| {
            if low == high { format!("{word}[{low}]") } else { format!("{word}[{high}:{low}]") }
        };
        self.bits.iter().flat_map(|(word, mask)| runs(*mask).map(move |run| one(run, *word))).collect()
    }

    /// Hyper-V's names of the bits.
    fn fields(&self) -> impl Iterator<Item = Field> {
        self.bits.iter().flat_map(|(word, mask)| {
            hypervisor::hyperv_fields(*word).filter(move |field| field.mask() & mask != 0)
        })
    }

    /// A heading with its bits, their names, its releases, and what it needs.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = Styled::new();
        let places = self.places();
        let heading =
            if places.is_empty() { String::from("sets no bit by itself") } else { places.join(", ") };
        text.line(Style::Heading, format_args!("{}: {heading}", self.name));
        let names: Vec<&str> = self.fields().map(Field::name).collect();
        if !names.is_empty() {
            text.plain(format_args!("  Hyper-V    {}\n", names.join(" ")));
        }
        let (first, last) = (self.first, self.last);
        let releases = if first == last { format!("{first}") } else { format!("{first} to {last}") };
        text.plain(format_args!("  QEMU       {}; {releases}\n", self.name));
        if !self.needs.is_empty() {
            text.plain(format_args!("  needs      {}\n", self.needs.join(" ")));
        }
        text
    }
}
