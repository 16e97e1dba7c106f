//! The model: what several releases of Linux, KVM and QEMU say, joined by hardware location.
//!
//! A word's number is no identity: word 17 of Linux was 0x80000007.EBX once and is software-defined now, and
//! synthetic bits move from release to release. So a hardware feature *is* its leaf, subleaf, register and bit, and
//! everything that a release says about it hangs below. What has no location is kept apart by sort: bits that Linux
//! defines in software, its bugs, its VMX flags, and QEMU's bits of MSRs.
//!
//! What always holds: releases ascend by number, features by location, the other sorts by constant's name; each
//! list of views is as long as its list of releases; constants' names are Rust identifiers and unique within a sort.
//! A published constant is there whether or not a release has its bit.

pub mod board;
mod constants;
pub mod cpu_models;
mod deps;
mod field_constants;
mod fields;
pub mod guest;
mod kvm;
mod linux;
mod qemu;
mod release;
pub mod xsave;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{CapKind, LinuxFacts, QemuFacts};
use crate::location::{Bit, Location, Msr, Word, WordBit, WordSource};
use crate::ordered::Map;
use crate::published::{Published, PublishedBit, PublishedConstant};

pub use crate::vocabulary::kvm_treatment::KvmTreatment;
pub use deps::{Dependencies, Dependency, Node};
pub use fields::Field;

/// Several releases of both projects as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Linux releases, oldest first.
    pub linux: Vec<LinuxRelease>,
    /// QEMU releases, oldest first.
    pub qemu: Vec<QemuRelease>,
    /// Bits of CPUID registers, by location.
    pub features: Vec<Feature>,
    /// `X86_FEATURE_*` bits that no CPUID register mirrors.
    pub software: Vec<KernelBit>,
    /// `X86_BUG_*`.
    pub bugs: Vec<KernelBit>,
    /// `VMX_FEATURE_*`, numbered by Linux.
    pub vmx: Vec<KernelBit>,
    /// Bits of MSRs, by MSR and bit.
    pub msr: Vec<MsrFeature>,
    /// Which of these bits needs which.
    pub dependencies: Dependencies,
    /// Bit fields of leaves, by leaf, subleaves, register and bits.
    pub fields: Vec<Field>,
    /// Published constants of fields that cpuid.csv no longer has, or has under another name.
    pub former_fields: Vec<PublishedConstant>,
    /// XSAVE state components by number.
    pub xsave: Vec<xsave::XsaveComponent>,
}

/// A release of Linux with the words it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinuxRelease {
    /// `6.12.117`.
    pub name: String,
    /// Enumerators of the kernel's and KVM's words, in the order of their indices.
    pub words: Map<Word, String>,
}

/// A release of QEMU with the words it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QemuRelease {
    /// `10.0.13`.
    pub name: String,
    /// `FeatureWord` enumerators, in the order of their indices.
    pub words: Map<Word, String>,
    /// What each of them is read from.
    pub sources: Map<Word, WordSource>,
    /// CPU models in QEMU's order.
    pub models: Vec<cpu_models::CpuModel>,
    /// What surrounds them.
    pub board: board::Board,
    /// What turns one into a guest.
    pub guest: guest::Guest,
}

/// A bit of a CPUID register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The constant's name.
    pub constant: String,
    /// Names of deprecated constants, oldest first.
    pub former: Vec<String>,
    /// What identifies it.
    pub location: Location,
    /// What each Linux release says, in the order of [`Model::linux`].
    pub linux: Vec<LinuxView>,
    /// What each QEMU release says, in the order of [`Model::qemu`].
    pub qemu: Vec<QemuView>,
}

/// What one Linux release says about a location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinuxView {
    /// The macro without `X86_FEATURE_`, the kernel's own or KVM's.
    pub name: Option<String>,
    /// As `/proc/cpuinfo` shows it.
    pub flag: Option<String>,
    /// The kernel's bit; none when only KVM has it. A scattered feature stands in a software-defined word here.
    pub kernel: Option<WordBit>,
    /// The bit among KVM's words, which contain the kernel's hardware words.
    pub kvm: Option<WordBit>,
    /// How KVM's capability set-up names it, sorted.
    pub caps: Vec<CapKind>,
}

/// What one QEMU release says about a location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QemuView {
    /// Index of the feature word that holds it.
    pub word: Option<Word>,
    /// Its name; alternatives, which old releases have, stand between `|`.
    pub name: Option<String>,
}

/// A bit that only Linux's numbering identifies: its macro's name is what stays the same between releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelBit {
    /// The constant's name.
    pub constant: String,
    /// The macro without its prefix.
    pub name: String,
    /// Place and flag in each Linux release; none where it is absent (or, for a feature, stands in hardware).
    pub linux: Vec<Option<KernelView>>,
}

/// What one Linux release says about a [`KernelBit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelView {
    /// Where it stands.
    pub place: WordBit,
    /// As `/proc/cpuinfo` shows it.
    pub flag: Option<String>,
}

/// A bit of an MSR that QEMU knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MsrFeature {
    /// The constant's name.
    pub constant: String,
    /// Names of deprecated constants, oldest first.
    pub former: Vec<String>,
    /// The MSR.
    pub msr: Msr,
    /// Bit, 0 to 63.
    pub bit: Bit,
    /// What each QEMU release says, in the order of [`Model::qemu`].
    pub qemu: Vec<QemuView>,
}

impl Model {
    /// Joins facts. Whatever does not fit, such as a bit in a word that its release does not have, is left out and
    /// named by a diagnostic; the rest is in the model all the same.
    #[must_use]
    pub fn merge(linux: &[LinuxFacts], qemu: &[QemuFacts]) -> (Model, Diagnostics) {
        Model::merge_published(linux, qemu, &Published::default())
    }

    /// The same, with every published constant kept.
    #[must_use]
    pub fn merge_published(
        linux: &[LinuxFacts],
        qemu: &[QemuFacts],
        published: &Published,
    ) -> (Model, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let linux = release::sorted(linux, |facts| (&facts.release, facts.at), &mut diagnostics);
        let qemu = release::sorted(qemu, |facts| (&facts.release, facts.at), &mut diagnostics);
        let mut joined = Joined {
            linux: linux.len(),
            qemu: qemu.len(),
            features: Map::new(),
            software: Map::new(),
            bugs: Map::new(),
            vmx: Map::new(),
            msr: Map::new(),
        };
        let mut trees = Vec::new();
        for (release, facts) in linux.iter().enumerate() {
            trees.push(linux::add(&mut joined, release, facts, &mut diagnostics));
        }
        for (release, facts) in qemu.iter().enumerate() {
            qemu::add(&mut joined, release, facts, &mut diagnostics);
        }
        for tree in &trees {
            tree.kvm_caps(&mut joined, &mut diagnostics);
        }
        joined.keep(published);
        joined.fill_qemu_words(&qemu);
        let releases = qemu.iter().map(|facts| qemu::release(facts, &mut diagnostics)).collect();
        let mut model = joined.into_model();
        model.xsave = xsave::merge(&qemu, &model.features, &mut diagnostics);
        (model.fields, model.former_fields) =
            fields::merge(&linux, &model.features, published, &mut diagnostics);
        model.linux = linux.iter().map(|facts| linux::release(facts)).collect();
        model.qemu = releases;
        constants::name_all(&mut model, published);
        model.dependencies = deps::find(&model, &trees, &qemu, &mut diagnostics);
        diagnostics.sort();
        (model, diagnostics)
    }
}

/// The model while releases are added to it.
struct Joined {
    linux: usize,
    qemu: usize,
    features: Map<Location, (Vec<LinuxView>, Vec<QemuView>)>,
    software: Map<String, Vec<Option<KernelView>>>,
    bugs: Map<String, Vec<Option<KernelView>>>,
    vmx: Map<String, Vec<Option<KernelView>>>,
    msr: Map<(Msr, Bit), Vec<QemuView>>,
}

impl Joined {
    fn feature(&mut self, location: Location) -> &mut (Vec<LinuxView>, Vec<QemuView>) {
        let (linux, qemu) = (self.linux, self.qemu);
        self.features
            .or_insert_with(location, || (vec![LinuxView::default(); linux], vec![QemuView::default(); qemu]))
    }

    /// Published bits are in the model even where no release has them.
    fn keep(&mut self, published: &Published) {
        let (linux, qemu) = (self.linux, self.qemu);
        for constant in &published.constants {
            let bits = match constant.bit {
                PublishedBit::Feature(location) => {
                    self.feature(location);
                    continue;
                }
                PublishedBit::Msr(msr, bit) => {
                    self.msr.or_insert_with((msr, bit), || vec![QemuView::default(); qemu]);
                    continue;
                }
                PublishedBit::Software => &mut self.software,
                PublishedBit::Bug => &mut self.bugs,
                PublishedBit::Vmx => &mut self.vmx,
                PublishedBit::Field(..) => continue,
            };
            bits.or_insert_with(constant.name.clone(), || vec![None; linux]);
        }
    }

    /// A feature word covers its whole register: also the bits that only others name.
    fn fill_qemu_words(&mut self, releases: &[&QemuFacts]) {
        for (release, facts) in releases.iter().enumerate() {
            let words = qemu::registers(facts);
            for (location, (_, views)) in self.features.iter_mut() {
                views[release].word = words.get(&location.word).copied();
            }
        }
    }

    fn into_model(self) -> Model {
        let features: Vec<Feature> = self
            .features
            .into_iter()
            .map(|(location, (linux, qemu))| Feature {
                constant: String::new(),
                former: Vec::new(),
                location,
                linux,
                qemu,
            })
            .collect();
        let msr: Vec<MsrFeature> = self
            .msr
            .into_iter()
            .map(|((msr, bit), qemu)| MsrFeature {
                constant: String::new(),
                former: Vec::new(),
                msr,
                bit,
                qemu,
            })
            .collect();
        Model {
            features,
            software: kernel_bits(self.software),
            bugs: kernel_bits(self.bugs),
            vmx: kernel_bits(self.vmx),
            msr,
            ..Model::default()
        }
    }
}

fn kernel_bits(bits: Map<String, Vec<Option<KernelView>>>) -> Vec<KernelBit> {
    bits.into_iter().map(|(name, linux)| KernelBit { constant: String::new(), name, linux }).collect()
}

/// Left out of the model, but not fatal: `verify` judges it.
fn doubt(diagnostics: &mut Diagnostics, at: crate::source::Span, message: String) {
    diagnostics.push(Diagnostic::warning(at, message));
}
