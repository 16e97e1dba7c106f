//! What the tables know about a bit: its names, its location, and since which pinned release.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::styled::{Style, Styled};
use super::{name_of, vmx_bits};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::known_places::KVM_FEATURES;
use crate::bits::kvm_module::KvmModuleRule;
use crate::bits::kvm_treatment::KvmTreatment;
use crate::bits::location::WordBit;
use crate::bits::lookup::Named;
use crate::bits::release::{LinuxRelease, QemuRelease};

/// Something that is true for consecutive releases.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span<R, T> {
    /// The oldest.
    pub first: R,
    /// The newest.
    pub last: R,
    /// The value.
    pub what: T,
}

impl<R: Copy + PartialEq + ToString, T> Span<R, T> {
    /// `6.1.192 to 7.3.4`, or one release.
    #[must_use]
    pub fn releases(&self) -> String {
        if self.first == self.last {
            self.first.to_string()
        } else {
            format!("{} to {}", self.first.to_string(), self.last.to_string())
        }
    }
}

/// The values for consecutive releases; releases without a value are left out.
pub(super) fn spans<R: Copy, T: PartialEq>(
    all: impl IntoIterator<Item = R>,
    what: impl Fn(R) -> Option<T>,
) -> Vec<Span<R, T>> {
    let mut spans: Vec<Span<R, T>> = Vec::new();
    let mut unbroken = false;
    for release in all {
        let Some(what) = what(release) else {
            unbroken = false;
            continue;
        };
        match spans.last_mut() {
            Some(span) if unbroken && span.what == what => span.last = release,
            _ => spans.push(Span { first: release, last: release, what }),
        }
        unbroken = true;
    }
    spans
}

/// A bit in Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InLinux {
    /// The macro without its prefix.
    pub linux_macro: &'static str,
    /// The name in `/proc/cpuinfo`.
    pub flag: Option<&'static str>,
    /// Its location in the kernel's own array, or in KVM's if only KVM has the word.
    pub place: Option<WordBit>,
}

/// A bit in QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InQemu {
    /// Its name, alternatives with `|` between them.
    pub name: &'static str,
    /// The feature word.
    pub word: Option<&'static str>,
}

/// A bit of any sort, and everything that the tables know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// The bit.
    pub named: Named,
    /// Linux's view.
    pub linux: Vec<Span<LinuxRelease, InLinux>>,
    /// KVM's, for a CPUID feature.
    pub kvm: Vec<Span<LinuxRelease, KvmTreatment>>,
    /// What KVM's vendor modules do with it: one entry for each rule.
    pub modules: Vec<Span<LinuxRelease, KvmModuleRule>>,
    /// QEMU's.
    pub qemu: Vec<Span<QemuRelease, InQemu>>,
    /// Its dependencies, direct and indirect.
    pub needs: Vec<Feature>,
    /// The features that depend on it directly.
    pub needed_by: Vec<Feature>,
}

impl About {
    /// Everything known about a bit.
    #[must_use]
    pub fn new(named: Named) -> About {
        let feature = if let Named::Feature(feature) = named { Some(feature) } else { None };
        let list = |set: Option<FeatureSet>| set.map(|set| set.into_iter().collect()).unwrap_or_default();
        let needs = match named {
            Named::Feature(feature) => Some(feature.needs()),
            Named::Msr(bit) => Some(bit.needs()),
            _ => None,
        };
        About {
            named,
            linux: spans(LinuxRelease::ALL, |release| in_linux(named, release)),
            kvm: spans(LinuxRelease::ALL, |release| {
                feature.map(|feature| feature.kvm(release)).filter(|kvm| *kvm != KvmTreatment::Unknown)
            }),
            modules: feature.map(module_spans).unwrap_or_default(),
            qemu: spans(QemuRelease::ALL, |release| in_qemu(named, release)),
            needs: list(needs),
            needed_by: list(feature.map(Feature::needed_by_directly)),
        }
    }

    /// Its location as text.
    #[must_use]
    pub fn place(&self) -> String {
        match self.named {
            Named::Feature(feature) => feature.location().to_string(),
            Named::Msr(bit) => bit.location().to_string(),
            Named::Software(_) => "defined by Linux in software, not in a CPUID register".to_string(),
            Named::Bug(_) => "a bug that Linux tracks, not in a CPUID register".to_string(),
            Named::Vmx(_) => {
                let places: Vec<String> =
                    vmx_bits::places(self.named).iter().map(ToString::to_string).collect();
                format!("a VMX capability, {}", places.join(" and "))
            }
        }
    }
}

/// The releases of each rule of a vendor module, in the order of the newest release's code, then the older ones'.
fn module_spans(feature: Feature) -> Vec<Span<LinuxRelease, KvmModuleRule>> {
    let mut rules: Vec<KvmModuleRule> = Vec::new();
    for release in LinuxRelease::ALL.into_iter().rev() {
        for rule in feature.kvm_modules(release) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
    let of = |rule| {
        let has = move |release| feature.kvm_modules(release).find(|other| *other == rule);
        spans(LinuxRelease::ALL, has)
    };
    rules.into_iter().flat_map(of).collect()
}

fn in_linux(named: Named, release: LinuxRelease) -> Option<InLinux> {
    let (linux_macro, place) = match named {
        Named::Feature(bit) => {
            let kvm = bit.kvm_word(release).map(|word| word.at);
            (bit.linux_macro(release)?, bit.linux_word(release).or(kvm))
        }
        Named::Software(bit) => (bit.linux_macro(), Some(bit.linux_word(release)?)),
        Named::Bug(bit) => (bit.linux_macro(), Some(bit.linux_word(release)?)),
        Named::Vmx(bit) => (bit.linux_macro(), Some(bit.linux_word(release)?)),
        Named::Msr(_) => return None,
    };
    Some(InLinux { linux_macro, flag: named.flag(release), place })
}

fn in_qemu(named: Named, release: QemuRelease) -> Option<InQemu> {
    let (name, word) = match named {
        Named::Feature(bit) => (bit.qemu_name(release)?, bit.qemu_word(release)),
        Named::Msr(bit) => (bit.qemu_name(release)?, bit.qemu_word(release)),
        _ => return None,
    };
    Some(InQemu { name, word: word.map(|word| word.name) })
}

/// The prefix of Linux's macros for a sort of bit. Those of KVM's own leaf are whole.
pub(super) fn macro_prefix(named: Named) -> &'static str {
    match named {
        Named::Feature(feature) if feature.leaf() == KVM_FEATURES => "",
        Named::Feature(_) | Named::Software(_) => "X86_FEATURE_",
        Named::Bug(_) => "X86_BUG_",
        Named::Vmx(_) => "VMX_FEATURE_",
        Named::Msr(_) => "",
    }
}

fn names(features: &[Feature]) -> String {
    let names: Vec<&str> = features.iter().map(|feature| name_of(*feature)).collect();
    names.join(" ")
}

impl About {
    /// A heading, then Linux's, KVM's and QEMU's view, with a line for each change.
    #[must_use]
    pub fn styled(&self) -> Styled {
        let name = match self.named {
            Named::Feature(feature) => name_of(feature),
            other => other.name(),
        };
        let mut text = Styled::new();
        text.line(Style::Heading, format_args!("{name}: {}", self.place()));
        for span in &self.linux {
            let InLinux { linux_macro, flag, place } = span.what;
            text.plain(format_args!("  Linux      {}{linux_macro}", macro_prefix(self.named)));
            if let Some(place) = place {
                text.plain(format_args!(" ({place})"));
            }
            match flag {
                Some(flag) => text.plain(format_args!(", {flag} in /proc/cpuinfo")),
                None => text.plain(", not in /proc/cpuinfo"),
            };
            text.plain(format_args!("; {}\n", span.releases()));
        }
        for span in &self.kvm {
            text.plain(format_args!("  KVM        {}; {}\n", span.what, span.releases()));
        }
        for span in &self.modules {
            text.plain(format_args!("             {}; {}\n", span.what, span.releases()));
        }
        for span in &self.qemu {
            let InQemu { name, word } = span.what;
            let word = word.map(|word| format!(" ({word})")).unwrap_or_default();
            text.plain(format_args!(
                "  QEMU       {}{word}; {}\n",
                name.replace('|', " or "),
                span.releases()
            ));
        }
        let known = (self.linux.is_empty(), self.qemu.is_empty());
        if known.0 && !matches!(self.named, Named::Msr(_)) {
            text.plain("  Linux      has no macro for it\n");
        }
        if known.1 && matches!(self.named, Named::Feature(_)) {
            text.plain("  QEMU       has no name for it\n");
        }
        if !self.needs.is_empty() {
            text.plain(format_args!("  needs      {}\n", names(&self.needs)));
        }
        if !self.needed_by.is_empty() {
            text.plain(format_args!("  needed by  {}\n", names(&self.needed_by)));
        }
        text
    }
}

impl fmt::Display for About {
    /// The text of [`About::styled`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled().fmt(f)
    }
}
