//! Features by name, put together into a CPU: for forms that have no registers.
//!
//! A name that is listed states a bit. Nothing is known of a bit that no name states.

use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::cpu::Request;
use super::sink::{Fault, Sink};
use super::stated_bits::StatedBits;
use crate::bits::feature::Feature;
use crate::bits::location::{CpuidWord, Leaf, Register, Registers, Subleaf};
use crate::bits::lookup::{LookupError, Named};
use crate::bits::msr_feature::MsrFeature;
use crate::bits::release::LinuxRelease;
use crate::cpuinfo;
use crate::naming::named;
use crate::table::Vendor;

/// Vendors by the names that libvirt, `KubeVirt` and others use.
static VENDORS: [(&str, Vendor); 4] =
    [("Intel", Vendor::INTEL), ("AMD", Vendor::AMD), ("Hygon", Vendor::HYGON), ("Zhaoxin", Vendor::ZHAOXIN)];

/// What is stated of a CPU by names.
#[derive(Default)]
pub(super) struct Names {
    stated: StatedBits,
    bits: BTreeMap<Named, bool>,
    settings: Option<BTreeMap<String, String>>,
    request: Option<Request>,
    model: Option<String>,
}

/// No release has such a name.
pub(super) struct Unknown;

impl Unknown {
    /// What a user has to know of it.
    pub(super) fn note(name: &str) -> String {
        format!("`{}` is ignored: no release of Linux, KVM or QEMU has a feature of that name", shown(name))
    }
}

/// A word of the input, as a message has it.
pub(super) fn shown(word: &str) -> String {
    word.chars().take(60).collect::<String>().escape_debug().to_string()
}

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.stated.is_empty() && self.bits.is_empty()
    }

    /// Whether a bit is set, where that is stated.
    pub(super) fn stated(&self, bit: Named) -> Option<bool> {
        let Named::Feature(feature) = bit else { return self.bits.get(&bit).copied() };
        let word = feature.location().word;
        let (registers, known) = self.stated.get(&(word.leaf.0, word.subleaf.0))?;
        let mask = feature.mask();
        (known[word.register] & mask != 0).then(|| registers[word.register] & mask != 0)
    }

    /// The vendor, where it is stated.
    pub(super) fn stated_vendor(&self) -> Option<Vendor> {
        let (registers, known) = self.stated.get(&(0, 0))?;
        (known.ebx != 0).then(|| Vendor::from_registers(*registers))
    }

    /// The names ask a VMM for a guest's CPU.
    pub(super) fn ask_for_a_guest(&mut self, request: Request) {
        self.settings.get_or_insert_default();
        self.request = Some(request);
    }

    /// A flag of Proxmox VE's, as it is written.
    pub(super) fn flag_of_proxmox(&mut self, flag: &str) {
        if let Some(Request::Proxmox(flags)) = &mut self.request {
            flags.push(flag.into());
        }
    }

    /// The CPU model on which the CPU is based, where that is not its name.
    pub(super) fn based_on(&mut self, model: &str) {
        self.model = Some(model.into());
    }

    /// The model of [`Names::based_on`].
    pub(super) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// What a guest's CPU is set to besides features, by QEMU's name of the property.
    pub(super) fn set(&mut self, property: &str, value: &str) {
        let value = match value {
            "true" | "yes" | "y" => "on",
            "false" | "no" | "n" => "off",
            other => other,
        };
        self.settings.get_or_insert_default().insert(property.replace('_', "-"), value.into());
    }

    /// Some bits of a register.
    pub(super) fn state(&mut self, word: CpuidWord, bits: u32, value: u32) {
        let (registers, known) = self.stated.entry((word.leaf.0, word.subleaf.0)).or_default();
        let register = &mut registers[word.register];
        *register = *register & !bits | value & bits;
        known[word.register] |= bits;
    }

    /// A whole register of a leaf without subleaves.
    pub(super) fn register(&mut self, leaf: u32, register: Register, bits: u32, value: u32) {
        self.state(CpuidWord::new(Leaf(leaf), Subleaf(0), register), bits, value);
    }

    /// A bit.
    pub(super) fn bit(&mut self, bit: Named, on: bool) {
        if let Named::Feature(feature) = bit {
            let value = if on { feature.mask() } else { 0 };
            self.state(feature.location().word, feature.mask(), value);
        } else {
            self.bits.insert(bit, on);
        }
    }

    /// A feature by QEMU's, libvirt's or any other name that is known.
    pub(super) fn feature(&mut self, name: &str, on: bool) -> Result<(), Unknown> {
        match Feature::from_qemu_name(name) {
            Ok(feature) => self.bit(Named::Feature(feature), on),
            // QEMU's name for several bits sets all of them.
            Err(LookupError::Ambiguous(all)) => all.iter().for_each(|bit| self.bit(bit, on)),
            Err(LookupError::Unknown) => match MsrFeature::from_qemu_name(name) {
                Ok(bit) => self.bit(Named::Msr(bit), on),
                Err(LookupError::Ambiguous(all)) => all.iter().for_each(|bit| self.bit(bit, on)),
                Err(LookupError::Unknown) => return self.any(named(name), on),
            },
        }
        Ok(())
    }

    /// A flag of `/proc/cpuinfo`, of whichever release has it.
    pub(super) fn flag(&mut self, flag: &str) -> Result<(), Unknown> {
        if let Some((_, stated)) = cpuinfo::STATED.iter().find(|(name, _)| *name == flag) {
            stated.iter().for_each(|bit| self.bit(*bit, true));
            return Ok(());
        }
        let of_release = |release: LinuxRelease| release.flag(flag);
        self.of_linux(flag, of_release)
    }

    /// A name on the line `vmx flags`.
    pub(super) fn vmx_flag(&mut self, flag: &str) -> Result<(), Unknown> {
        self.of_linux(flag, |release| release.vmx_flag(flag))
    }

    /// A name on the line `bugs`.
    pub(super) fn bug(&mut self, flag: &str) -> Result<(), Unknown> {
        self.of_linux(flag, |release| release.bug_flag(flag))
    }

    fn of_linux(
        &mut self,
        flag: &str,
        of_release: impl Fn(LinuxRelease) -> Result<Named, LookupError>,
    ) -> Result<(), Unknown> {
        let newest_first = LinuxRelease::ALL.into_iter().rev();
        let mut found = newest_first.map(of_release);
        let known = found.find(|found| *found != Err(LookupError::Unknown));
        self.any(known.unwrap_or_else(|| named(flag)), true)
    }

    /// One bit that was found. Of several, none is known to be set, since any of them may be; all are if none is set.
    fn any(&mut self, found: Result<Named, LookupError>, on: bool) -> Result<(), Unknown> {
        match found {
            Ok(bit) => self.bit(bit, on),
            Err(LookupError::Unknown) => return Err(Unknown),
            Err(LookupError::Ambiguous(all)) => {
                let features: Vec<Named> =
                    all.iter().filter(|bit| matches!(bit, Named::Feature(_))).collect();
                match features.as_slice() {
                    [only] => self.bit(*only, on),
                    _ if !on => all.iter().for_each(|bit| self.bit(bit, on)),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The vendor by its twelve characters, or by a short name. Others state nothing.
    pub(super) fn vendor(&mut self, name: &str) {
        let known = VENDORS.into_iter().find(|(short, _)| *short == name).map(|(_, vendor)| vendor);
        let Some(vendor) = known.or_else(|| name.as_bytes().try_into().ok().map(Vendor)) else { return };
        let [ebx, ecx, edx] = vendor.to_registers();
        for (register, value) in [(Register::Ebx, ebx), (Register::Edx, edx), (Register::Ecx, ecx)] {
            self.register(0, register, u32::MAX, value);
        }
    }

    /// Leaf 1's EAX from the family, model and stepping as Linux and QEMU count them, as far as they are stated.
    pub(super) fn signature(&mut self, family: Option<u32>, model: Option<u32>, stepping: Option<u32>) {
        let mut part = |bits: u32, value: u32| self.register(1, Register::Eax, bits, value);
        if let Some(family) = family.filter(|family| *family <= 0xf + 0xff) {
            let (base, extended) = (family.min(0xf), family.saturating_sub(0xf));
            part(0x0ff0_0f00, base << 8 | extended << 20);
        }
        if let Some(model) = model.filter(|model| *model <= 0xff) {
            part(0x000f_00f0, (model & 0xf) << 4 | model >> 4 << 16);
        }
        if let Some(stepping) = stepping.filter(|stepping| *stepping <= 0xf) {
            part(0xf, stepping);
        }
    }

    /// Gives the sink a CPU.
    pub(super) fn finish(
        self,
        number: Option<u32>,
        name: Option<String>,
        sink: &mut Sink,
    ) -> Result<(), Fault> {
        sink.start(number, name);
        sink.beside().bits = self.bits;
        sink.beside().settings = self.settings;
        sink.beside().request = self.request;
        sink.beside().model = self.model;
        for ((leaf, subleaf), (registers, known)) in self.stated {
            sink.answer(leaf, subleaf, registers)?;
            sink.only_known(known);
        }
        sink.finish();
        Ok(())
    }
}

/// A CPU whose answers come in any order, or again: the last one counts. What was not asked is not known.
#[derive(Default)]
pub(super) struct Answers {
    answers: BTreeMap<(u32, u32), Registers>,
}

impl Answers {
    /// What CPUID answered to a leaf and subleaf. Where a leaf has no subleaves, the index says nothing.
    pub(super) fn add(&mut self, leaf: u32, index: u32, registers: Registers) -> Result<(), Fault> {
        let subleaf = if crate::table::IndexedLeaf::get(Leaf(leaf)).is_some() { index } else { 0 };
        self.answers.insert((leaf, subleaf), registers);
        if self.answers.len() > super::cpu::Cpu::MAX_ENTRIES { Err(Fault::TooManyEntries) } else { Ok(()) }
    }

    /// Gives the sink a CPU.
    pub(super) fn finish(
        self,
        number: Option<u32>,
        name: Option<String>,
        sink: &mut Sink,
    ) -> Result<(), Fault> {
        sink.start(number, name);
        sink.beside().excerpt = true;
        for ((leaf, subleaf), registers) in self.answers {
            sink.answer(leaf, subleaf, registers)?;
        }
        sink.finish();
        Ok(())
    }
}
