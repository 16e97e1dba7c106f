//! The statements of a Linux release, KVM's included.

use super::linux::LinuxIndex;
use super::linux_names::call_of;
use super::statements::{LOCATION, Statements, Text};
use crate::facts::{LinuxFacts, LinuxFlag};

/// Fields of cpuid.csv.
const FIELD: &str = "cpuid-field";

impl<'a> Statements<'a> {
    /// The statements of a Linux release.
    pub(super) fn from_linux(index: &'a LinuxIndex<'a>) -> Statements<'a> {
        let facts: &LinuxFacts = index.facts;
        let mut all = Statements::new(&index.release, facts.at);
        for count in &facts.counts {
            all.add("linux-count", Text::Name(&count.name), Text::Count(count.value), count.at);
        }
        for word in &facts.words {
            // The kernel counts on from words of registers; a word of its own has its number only.
            let place = word.location.map_or(Text::SoftwareWord(word.word), Text::Register);
            all.add("linux-word", Text::Name(&word.name), place, word.at);
        }
        all.say_flags(("linux-feature", "linux-flag"), &facts.features, |flag| {
            let word = index.kernel_word(flag.word).filter(|word| word.location.is_none());
            word.map(|word| Text::BitOf(&word.name, flag.bit))
        });
        let numbered = |flag: &LinuxFlag| Some(Text::Numbered(flag.word, flag.bit));
        all.say_flags(("linux-bug", "linux-bug-flag"), &facts.bugs, numbered);
        all.say_flags(("linux-vmx", "linux-vmx-flag"), &facts.vmx, numbered);
        for (&location, names) in &index.bits {
            for name in names {
                all.add(name.sort, Text::Name(name.name), Text::Place(location), name.at);
                all.add(LOCATION, Text::Place(location), Text::Name(name.name), name.at);
            }
        }
        all.say_names(facts);
        all
    }

    fn say_flags(
        &mut self,
        (sort, flag_sort): (&'static str, &'static str),
        flags: &'a [LinuxFlag],
        place: impl Fn(&LinuxFlag) -> Option<Text<'a>>,
    ) {
        for flag in flags {
            let name = Text::Name(&flag.name);
            if let Some(place) = place(flag) {
                self.add(sort, name, place, flag.at);
            }
            self.add(flag_sort, name, Text::Name(flag.flag.as_deref().unwrap_or("hidden")), flag.at);
        }
    }

    fn say_names(&mut self, facts: &'a LinuxFacts) {
        for bit in &facts.scattered {
            self.add("linux-scattered", Text::NameAt(&bit.name, bit.location), Text::Nothing, bit.at);
        }
        for bit in &facts.kvm_translates {
            self.add("kvm-translate", Text::Name(&bit.name), Text::BitOf(&bit.leaf_name, bit.bit), bit.at);
        }
        for dep in &facts.deps {
            self.add("linux-dep", Text::Pair(&dep.name, &dep.needs), Text::Nothing, dep.at);
        }
        for cap in &facts.kvm_caps {
            let subject = Text::Cap(cap.leaf_name.as_deref(), call_of(cap), &cap.name);
            self.add("kvm-cap", subject, Text::Name(cap.kind.name()), cap.at);
        }
        for cap in &facts.kvm_modules {
            let subject = Text::Module(cap.module, cap.action, &cap.name);
            let condition = cap.condition.as_deref().unwrap_or("always");
            self.add("kvm-module", subject, Text::Name(condition), cap.at);
        }
        for param in &facts.kvm_params {
            let subject = Text::Pair(param.module.name(), &param.name);
            self.add("kvm-param", subject, Text::Name(&param.default), param.at);
        }
        for bit in &facts.msr_bits {
            self.add("linux-msr", Text::Name(&bit.name), Text::MsrBit(bit.msr, bit.bit), bit.at);
        }
        for config in &facts.configs {
            let condition = config.condition.as_deref().unwrap_or("-");
            let subject = Text::Pair(config.kind.name(), &config.name);
            self.add("linux-config", subject, Text::Name(condition), config.at);
        }
        for field in &facts.cpuid_fields {
            let place = Text::Field(field.place());
            self.add(FIELD, place, Text::Name(&field.name), field.at);
        }
        for field in &facts.leaf_fields {
            let place = Text::Field(field.place());
            self.add("leaf-field", place, Text::Name(&field.name), field.at);
        }
    }
}
