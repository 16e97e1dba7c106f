//! QEMU's CPU models, and the features that keep each from running on a host: `query-cpu-definitions`
//! (`x86_cpu_class_check_missing_features` and `x86_cpu_definition_entry` of target/i386/cpu.c).
//!
//! QEMU creates each CPU without user settings, expands and filters its features, and does not realize it: errors of
//! later steps are not reported.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::board::machine::Machine;
use super::builder::GuestCpuidBuilder;
use super::cpu::flags::Reg;
use super::cpu::{Class, Cpu};
use super::error::BuildError;
use super::filtered::{Filtered, Reason};
use super::parse::cpu::CpuOption;
use super::parse::machine::MachineOption;
use super::release::Release;
use crate::bits::location::WordSource;
use crate::generated::guest_tables::Component;
use crate::models::cpu_model::CpuModel;

/// A CPU model of `-cpu`, on a host.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name: `EPYC`, `EPYC-v2`, `EPYC-IBPB`, `host`.
    pub name: String,
    /// The version that an alias refers to on this machine type.
    pub alias_of: Option<String>,
    /// The model; `None` for `host`, `max` and `base`, and for a [program](super::QemuProgram)'s own.
    pub model: Option<CpuModel>,
    /// Its features that the host lacks, by word and bit; empty if it runs.
    pub unavailable: Vec<Filtered>,
    /// The same by the names that QEMU lists, in its order: an XSAVE component has the name of the feature that
    /// enables it, an unnamed bit an empty name, and a CPU that cannot be created is `type`.
    pub unavailable_names: Vec<&'static str>,
    /// Its requested feature words, before filtering by the host.
    words: Vec<(WordSource, u64)>,
}

impl Definition {
    /// True if it runs unchanged on the host.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.unavailable_names.is_empty()
    }

    /// Its requested feature words, before filtering by the host but after dependencies and the settings of the
    /// accelerator and the machine type.
    #[must_use]
    pub fn words(&self) -> &[(WordSource, u64)] {
        &self.words
    }
}

impl<'h> GuestCpuidBuilder<'h> {
    /// Every CPU model of `-cpu`, in the order of `query-cpu-definitions`, with the features that the host lacks. The
    /// builder's own CPU and vCPUs have no effect. The machine type may be `none` here.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if QEMU would not start on the host.
    pub fn definitions(&self) -> Result<Vec<Definition>, BuildError> {
        if self.is_for_no_machine() {
            return self.clone().machine(MachineOption::default()).definitions();
        }
        let machine = self.resolved_machine()?;
        let mut names = names(self, &machine);
        // QEMU sorts, then lists from the end.
        names.sort_by(|(a, class_a, _), (b, class_b, _)| (order(*class_b), b).cmp(&(order(*class_a), a)));
        names.into_iter().map(|(name, class, alias_of)| self.definition(name, class, alias_of)).collect()
    }

    /// True for QEMU's `none`, under which libvirt asks: no board, no compatibility properties, and models of version 1
    /// (`default_cpu_version`), as the newest `pc` has them.
    fn is_for_no_machine(&self) -> bool {
        self.machine_name() == "none"
    }

    fn definition(
        &self,
        name: String,
        class: Class<'_>,
        alias_of: Option<String>,
    ) -> Result<Definition, BuildError> {
        let option = CpuOption::new(&name);
        let one = self.clone().cpu(option.clone()).topology(super::Smp::default());
        let mut cpu = one.prepared()?;
        cpu.load(&option, &[])?;
        let made = cpu.expand(&option);
        let release = cpu.release;
        let words = cpu.sourced_words();
        cpu.filter();
        let mut names = Vec::new();
        if made.is_err() {
            names.push("type");
        }
        let unavailable = by_word(&cpu);
        names.extend(unavailable.iter().map(|filtered| listed_name(release, filtered)));
        let model = match class {
            Class::Model(model) => model.of_table(),
            _ => None,
        };
        Ok(Definition { name, alias_of, model, unavailable, unavailable_names: names, words })
    }
}

/// True if `-cpu host` may have the bit in a guest that can migrate: QEMU neither considers it bound to the host
/// (`invtsc`) nor leaves it out.
#[cfg(feature = "fleet")]
pub(crate) fn migrates(
    release: crate::bits::release::QemuRelease,
    source: WordSource,
    bit: crate::bits::location::Bit,
) -> bool {
    let tables = &crate::generated::guest_tables::GUESTS[release.index()];
    let word = tables.words.iter().find(|word| word.source == Some(source));
    word.is_some_and(|word| word.migratable & !word.no_autoenable & 1 << bit.0 != 0)
}

/// The names of `-cpu`, the CPU of each, and for an alias its version.
fn names<'h>(
    builder: &GuestCpuidBuilder<'h>,
    machine: &Machine<'_>,
) -> Vec<(String, Class<'h>, Option<String>)> {
    let mut all = Vec::new();
    for (name, class) in [("base", Class::Base), ("host", Class::Host), ("max", Class::Max)] {
        all.push((name.to_string(), class, None));
    }
    for plain in builder.models() {
        let model = plain.for_machine(machine.machine_type);
        let number = model.version_number();
        let versioned = |number: u16| format!("{}-v{number}", plain.name());
        // An old machine type's version number may not be a named version.
        let alias_of = (number > 0).then(|| versioned(number));
        all.push((plain.name().to_string(), Class::Model(model), alias_of));
        for version in plain.versions() {
            let named = versioned(version.version_number());
            if let Some(alias) = version.alias() {
                let alias_of = (number > 0).then(|| named.clone());
                all.push((alias.to_string(), Class::Model(version), alias_of));
            }
            all.push((named, Class::Model(version), None));
        }
    }
    all
}

/// `X86CPUClass::ordering`.
const fn order(class: Class<'_>) -> u8 {
    match class {
        Class::Model(_) => 0,
        Class::Base | Class::Host => 8,
        Class::Max => 9,
    }
}

/// The filtered bits, each once, in the order of words.
fn by_word(cpu: &Cpu<'_>) -> Vec<Filtered> {
    let words = 0..cpu.release.tables.words.len();
    let index =
        |filtered: &Filtered| words.clone().find(|at| cpu.release.source(*at) == Some(filtered.source));
    let mut all: Vec<Filtered> = cpu.filtered.clone();
    all.sort_by_key(|filtered| (index(filtered), filtered.bit));
    all.dedup_by_key(|filtered| (filtered.source, filtered.bit));
    all
}

/// How QEMU lists a bit (`x86_cpu_feature_name`): a component of XCR0 by the feature that enables it.
fn listed_name(release: Release<'_>, filtered: &Filtered) -> &'static str {
    let half = |reg: Reg| WordSource::Cpuid(reg.word()) == filtered.source;
    let number = match (half(Reg::LdEax), half(Reg::LdEdx)) {
        (true, _) => Some(filtered.bit.0),
        (_, true) => Some(filtered.bit.0 + 32),
        _ => None,
    };
    let component = number.and_then(|number| {
        release.tables.xsave.iter().find(|row| row.number == number && row.feature.mask != 0)
    });
    let Some(&Component { feature, .. }) = component else { return filtered.name.unwrap_or_default() };
    let source = release.source(usize::from(feature.word));
    let [bit, ..] = feature.mask.trailing_zeros().to_le_bytes();
    let enabling = source.map(|source| release.filtered(source, bit, Reason::HostLacks));
    enabling.and_then(|filtered| filtered.name).unwrap_or_default()
}
