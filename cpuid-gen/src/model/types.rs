//! The model's types: bits, fields, dependencies and XSAVE components, each with one view per release.

use super::board::Board;
use super::cpu_models::CpuModel;
use super::guest::Guest;
use crate::facts::{CapKind, QemuSource};
use crate::location::{Bit, FieldPlace, Location, Msr, Word};
use crate::ordered::Map;
use crate::published::PublishedConstant;

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
    pub xsave: Vec<XsaveComponent>,
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
    pub sources: Map<Word, QemuSource>,
    /// CPU models in QEMU's order.
    pub models: Vec<CpuModel>,
    /// What surrounds them.
    pub board: Board,
    /// What turns one into a guest.
    pub guest: Guest,
}

/// A place among Linux's words: within one release only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index of the word.
    pub word: Word,
    /// Bit, 0 to 31.
    pub bit: Bit,
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
    pub kernel: Option<Place>,
    /// The bit among KVM's words, which contain the kernel's hardware words.
    pub kvm: Option<Place>,
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
    pub place: Place,
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

/// A bit field of a leaf, where no [`Feature`] is all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The constant's name, unique within the leaf.
    pub constant: String,
    /// The short name of the newest release.
    pub name: String,
    /// Where it stands.
    pub place: FieldPlace,
    /// What each Linux release calls it, in the order of [`Model::linux`].
    pub linux: Vec<Option<String>>,
}

/// A bit of the model, by its index in the list of its sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// One of [`Model::features`].
    Feature(usize),
    /// One of [`Model::software`].
    Software(usize),
    /// One of [`Model::msr`].
    Msr(usize),
}

/// One bit needs another, or one of several others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The bit that depends.
    pub node: Node,
    /// What it needs one of, ascending and never empty. Nearly always it is one alone.
    pub needs: Vec<Node>,
    /// Which Linux releases state it, in the order of [`Model::linux`].
    pub linux: Vec<bool>,
    /// Which QEMU releases state it, in the order of [`Model::qemu`].
    pub qemu: Vec<bool>,
    /// Every project that stated it has a newer release that knows the bits and does not.
    pub withdrawn: bool,
}

/// All dependencies of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// As they are stated, ascending by bit and what it needs.
    pub stated: Vec<Dependency>,
    /// Every bit with each one that it needs, transitively; ascending.
    pub closed: Vec<(Node, Node)>,
}

impl Dependencies {
    /// What stands and has no alternatives, ascending: the edges that are closed over.
    pub fn direct(&self) -> impl Iterator<Item = (Node, Node)> {
        self.stated.iter().filter(|dependency| !dependency.withdrawn).filter_map(Dependency::edge)
    }

    /// What stands for one bit, with and without alternatives.
    pub fn of(&self, node: Node) -> impl Iterator<Item = &Dependency> {
        let start = self.stated.partition_point(|dependency| dependency.node < node);
        let own = self.stated[start..].iter().take_while(move |dependency| dependency.node == node);
        own.filter(|dependency| !dependency.withdrawn)
    }

    /// What stands and has alternatives, ascending.
    pub fn one_of(&self) -> impl Iterator<Item = &Dependency> {
        self.stated.iter().filter(|dependency| !dependency.withdrawn && dependency.needs.len() > 1)
    }
}

impl Dependency {
    pub(super) fn edge(&self) -> Option<(Node, Node)> {
        if let [needs] = self.needs.as_slice() { Some((self.node, *needs)) } else { None }
    }
}

/// A state component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XsaveComponent {
    /// Its bit in XCR0 or `IA32_XSS`.
    pub number: u8,
    /// The bit that enables it.
    pub feature: Location,
    /// Bytes. Components 0 and 1 share the legacy region and the header, whose size both have.
    pub size: u32,
    /// Bytes from the area's start in the standard format, where a release fixes it.
    pub offset: Option<u32>,
}
