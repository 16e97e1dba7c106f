//! MSRs by number, name and value.
//!
//! A VMX control MSR has two halves (Intel SDM volume 3D, appendix A.3): a control whose bit in the lower half is set must be
//! 1, and one whose bit in the upper half is clear must be 0.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::styled::{Style, Styled};
use crate::bits::location::{Bit, Msr, MsrBit};
use crate::bits::lookup::without_prefix;
use crate::bits::msr_feature::MsrFeature;
use crate::bits::name_hash::fold_eq;
use crate::bits::release::QemuRelease;

mod bits;
mod pasted;
mod table;

pub use bits::MsrBits;
pub(super) use bits::bits_of;
pub(super) use pasted::msrs_in;
pub use pasted::unknown_msr_in;

/// An MSR and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AboutMsr {
    /// Its number.
    pub msr: Msr,
    /// The manual's name; that of the first, where several in a row have one.
    pub name: &'static str,
    /// How far it is from the first of its name.
    pub index: u32,
    /// How many have the name.
    pub count: u32,
    /// QEMU's feature word.
    pub qemu_word: Option<&'static str>,
    /// What follows for a guest that cannot set it.
    pub effect: &'static str,
    bits: &'static [(u8, &'static str)],
}

/// What a bit of a VMX control MSR's value lets a guest hypervisor do with the control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// It must be 1.
    MustBe1,
    /// It may be 0 or 1.
    MayBe1,
    /// It must be 0.
    MustBe0,
    /// The lower half says that it must be 1, the upper that it must be 0: no value of the control fits.
    Contradiction,
}

impl Control {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Control::MustBe1 => "must be 1",
            Control::MayBe1 => "may be 1",
            Control::MustBe0 => "must be 0",
            Control::Contradiction => "must be 1 and may not",
        }
    }
}

/// True for an MSR of VMX controls: the upper half states which bits may be 1, the lower which must be 1 (Intel SDM volume 3D,
/// appendix A.3 to A.5).
pub(super) const fn is_control(msr: Msr) -> bool {
    matches!(msr.0, 0x481..=0x484 | 0x48b | 0x48d..=0x490)
}

/// The older control MSRs have the same controls as the true ones.
const fn true_control(msr: Msr) -> Msr {
    match msr.0 {
        old @ 0x481..=0x484 => Msr(old - 0x481 + 0x48d),
        _ => msr,
    }
}

/// The manual that a bit's name is from, where neither QEMU nor Linux has one.
pub(super) fn source_of(msr: Msr) -> Option<&'static str> {
    table::SOURCES.iter().find(|(range, _)| range.contains(&msr.0)).map(|(_, source)| *source)
}

impl AboutMsr {
    /// What is known of an MSR; nothing if its number is in no table.
    #[must_use]
    pub fn new(msr: Msr) -> Option<AboutMsr> {
        let row = table::ROWS.iter().find(|row| row.first <= msr.0 && msr.0 <= row.last)?;
        let word =
            |release| MsrFeature::all().filter(|bit| bit.msr() == msr).find_map(|bit| bit.qemu_word(release));
        let qemu_word = QemuRelease::ALL.into_iter().rev().find_map(word).map(|word| word.name);
        let (index, count) = (msr.0 - row.first, row.last - row.first + 1);
        Some(AboutMsr { msr, name: row.name, index, count, qemu_word, effect: row.effect, bits: row.bits })
    }

    /// By the manual's name, Linux's or QEMU's, with `MSR_` and `IA32_` or without, or QEMU's feature word.
    #[must_use]
    pub fn named(name: &str) -> Option<AboutMsr> {
        let name = name.trim();
        let short = core(name);
        let by_name = || table::ROWS.iter().find(|row| fold_eq(core(row.name), short)).map(|row| row.first);
        let other = || table::OTHER_NAMES.iter().find(|row| fold_eq(core(row.0), short)).map(|row| row.1);
        let word = || {
            let called = |bit: &MsrFeature| {
                let mut words = QemuRelease::ALL.into_iter().filter_map(|release| bit.qemu_word(release));
                words.any(|word| fold_eq(word.name, name))
            };
            MsrFeature::all().find(called).map(|bit| bit.msr().0)
        };
        // Few names of bits are names of MSRs: a prefix says that the MSR is meant.
        let number = by_name().or_else(other).filter(|_| short.len() < name.len() || distinct(short));
        AboutMsr::new(Msr(number.or_else(word).or_else(|| numbered(short))?))
    }

    /// `IA32_PMC, 3 of 8`.
    fn called(&self) -> String {
        let name = self.name;
        if self.count == 1 { name.into() } else { format!("{name}, {} of {}", self.index + 1, self.count) }
    }

    /// The name of a bit: QEMU's, else the manual's.
    #[must_use]
    pub fn bit_name(&self, bit: Bit) -> Option<&'static str> {
        self.qemu_bit(bit).or_else(|| self.manual_bit(bit))
    }

    fn qemu_bit(&self, bit: Bit) -> Option<&'static str> {
        let feature = MsrFeature::at(true_control(self.msr).bit(bit))?;
        QemuRelease::ALL.into_iter().rev().find_map(|release| feature.qemu_names(release).next())
    }

    fn manual_bit(&self, bit: Bit) -> Option<&'static str> {
        let new = true_control(self.msr);
        let of_new = table::ROWS.iter().find(|row| row.first == new.0 && new != self.msr);
        self.bits
            .iter()
            .chain(of_new.map_or(&[][..], |row| row.bits))
            .find(|(number, _)| *number == bit.0)
            .map(|(_, name)| *name)
    }

    /// True for a control MSR with a half for what must be and a half for what may be.
    #[must_use]
    pub const fn has_controls(&self) -> bool {
        is_control(self.msr)
    }

    /// What a value says of each control, for control MSRs.
    pub fn controls(&self, value: u64) -> impl Iterator<Item = (Bit, Control)> {
        let count = if self.has_controls() { 32 } else { 0 };
        (0..count).map(move |bit| {
            let control = match (value >> bit & 1 != 0, value >> (bit + 32) & 1 != 0) {
                (true, true) => Control::MustBe1,
                (false, true) => Control::MayBe1,
                (false, false) => Control::MustBe0,
                (true, false) => Control::Contradiction,
            };
            (Bit(bit), control)
        })
    }

    /// A heading, the effect, and the names of its bits.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let mut text = self.headed(None);
        for bit in (0..64).map(Bit) {
            if let Some(name) = self.bit_name(bit) {
                line(&mut text, bit, name);
            }
        }
        text
    }

    /// A heading, the effect, and the bits that are set in a value; of a control MSR, every control.
    #[must_use]
    pub fn styled_value(&self, value: u64) -> Styled {
        let mut text = self.headed(Some(value));
        if self.has_controls() {
            for (bit, control) in self.controls(value) {
                let name = self.bit_name(bit);
                if name.is_some() || control != Control::MustBe0 {
                    line(
                        &mut text,
                        bit,
                        format_args!(
                            "{:9}  {}",
                            control.text(),
                            name.unwrap_or("reserved, or without a name here")
                        ),
                    );
                }
            }
            return text;
        }
        let set = (0..64).map(Bit).filter(|bit| value >> bit.0 & 1 != 0);
        let (named, unnamed): (Vec<Bit>, Vec<Bit>) = set.partition(|bit| self.bit_name(*bit).is_some());
        for bit in named {
            line(&mut text, bit, self.bit_name(bit).unwrap_or_default());
        }
        let rest = unnamed.iter().fold(0, |all, bit| all | 1_u64 << bit.0);
        if rest != 0 {
            text.plain("  ").line(Style::Plain, format_args!("other  {rest:#x}"));
        }
        text
    }

    fn headed(&self, value: Option<u64>) -> Styled {
        let value = value.map(|value| format!(" = {value:#x}")).unwrap_or_default();
        let word = self.qemu_word.map(|word| format!(" (QEMU: {word})")).unwrap_or_default();
        let mut text = Styled::new();
        text.line(Style::Heading, format_args!("{}{value}: {}{word}", self.msr, self.called()));
        text.plain(format_args!("  {}\n", self.effect));
        text
    }
}

fn line(text: &mut Styled, bit: Bit, what: impl fmt::Display) {
    text.plain(format_args!("  {:6} {what}\n", format!("[{}]", bit.0)));
}

/// A bit that the manual names and QEMU does not.
pub(super) fn bit_named(name: &str) -> Option<(MsrBit, &'static str)> {
    let prefixes = ["MSR_ARCH_CAP_", "ARCH_CAP_"];
    let name = prefixes.iter().find_map(|prefix| without_prefix(name, prefix)).unwrap_or(name);
    let mut all =
        table::ROWS.iter().flat_map(|row| row.bits.iter().map(move |(bit, name)| (row.first, *bit, *name)));
    let (msr, bit, name) = all.find(|(.., known)| fold_eq(known, name))?;
    Some((Msr(msr).bit(Bit(bit)), name))
}

/// A name without what not everybody writes.
fn core(name: &str) -> &str {
    let mut rest = name;
    for prefix in ["msr_", "ia32_", "amd64_"] {
        rest = without_prefix(rest, prefix).unwrap_or(rest);
    }
    rest
}

/// Names that say by themselves that an MSR is meant; others, such as `TSC`, are features too.
fn distinct(name: &str) -> bool {
    name.contains(['_', '-']) || matches!(name.len(), 4..)
}

/// `MC4_CTL`, `PMC2`, `PERFEVTSEL1`: one of several in a row.
fn numbered(name: &str) -> Option<u32> {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (stem, number) = name.split_at_checked(name.len() - digits)?;
    let number: u32 = number.parse().ok()?;
    let row = table::ROWS.iter().find(|row| fold_eq(core(row.name), stem) && row.last > row.first)?;
    // FRED's stack pointers are counted from 1 where the first is another register's.
    let first = u32::from(row.name == "IA32_FRED_SSP");
    let at = row.first + number.checked_sub(first)?;
    (at <= row.last).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::table::{OTHER_NAMES, ROWS};
    use super::{AboutMsr, Control, QemuRelease, core, numbered};
    use crate::bits::location::{Bit, Msr};
    use crate::bits::msr_feature::MsrFeature;

    #[test]
    fn rows_are_in_order_and_do_not_overlap() {
        assert!(ROWS.windows(2).all(|pair| pair[0].first <= pair[0].last && pair[0].last < pair[1].first));
        for row in ROWS {
            assert!(row.bits.is_sorted_by(|a, b| a.0 < b.0), "{}", row.name);
            assert!(row.effect.ends_with('.'), "{}", row.name);
            assert_eq!(
                AboutMsr::named(row.name).map(|about| about.msr),
                Some(Msr(row.first)),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn other_names_are_of_rows_and_new() {
        for (name, number) in OTHER_NAMES {
            assert!(AboutMsr::new(Msr(*number)).is_some(), "{name}");
            assert!(ROWS.iter().all(|row| core(row.name) != core(name)), "{name} is the row's own name");
        }
    }

    #[test]
    fn every_feature_word_s_msr_is_known() {
        for bit in MsrFeature::all() {
            // Releases before 3.1 have no words of MSRs.
            let has_word = |about: AboutMsr| about.qemu_word.is_some() || QemuRelease::find("7.2").is_none();
            assert!(AboutMsr::new(bit.msr()).is_some_and(has_word), "{bit}");
        }
    }

    #[test]
    fn names_of_linux_qemu_and_the_manuals() {
        if !crate::naming::pinned() {
            return;
        }
        for (name, number) in [
            ("IA32_VMX_TRUE_PROCBASED_CTLS", 0x48e),
            ("MSR_IA32_VMX_TRUE_PROCBASED_CTLS", 0x48e),
            ("FEAT_VMX_PROCBASED_CTLS", 0x48e),
            ("MSR_IA32_ARCH_CAPABILITIES", 0x10a),
            ("MSR_CORE_PERF_GLOBAL_CTRL", 0x38f),
            ("MSR_K7_HWCR", 0xc001_0015),
            ("EFER", 0xc000_0080),
            ("IA32_TSX_CTRL", 0x122),
        ] {
            assert_eq!(AboutMsr::named(name).map(|about| about.msr), Some(Msr(number)), "{name}");
        }
        assert_eq!(
            (numbered("PMC2"), numbered("PMC8"), numbered("FRED_SSP1")),
            (Some(0xc3), None, Some(0x1d1))
        );
    }

    #[test]
    fn halves_of_a_control_msr() {
        let about = AboutMsr::new(Msr(0x48e)).unwrap_or_else(|| panic!("0x48e is in the table"));
        let at = |wanted: u8| about.controls(0xfff9_fffe_0400_6172).find(|(bit, _)| *bit == Bit(wanted));
        assert_eq!(at(1), Some((Bit(1), Control::MustBe1)));
        assert_eq!(at(2), Some((Bit(2), Control::MayBe1)));
        assert_eq!(at(0), Some((Bit(0), Control::MustBe0)));
        assert_eq!(at(26), Some((Bit(26), Control::MustBe1)));
        assert_eq!(about.controls(1).next(), Some((Bit(0), Control::Contradiction)));
    }
}
