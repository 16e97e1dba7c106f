//! The model's types: bits, fields, dependencies and XSAVE components, each with one view per release.

use super::board::Board;
use super::cpu_models::CpuModel;
use super::guest::Guest;
use super::linux_view::LinuxView;
use crate::facts::KvmModule;
use crate::location::{Bit, FieldPlace, Location, Msr, Word, WordBit, WordSource};
use crate::ordered::Map;
use crate::published::PublishedConstant;

/// Several releases of both projects as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
    /// Linux releases, oldest first.
    pub linux: Vec<LinuxRelease>,
    /// QEMU releases, oldest first.
    pub qemu: Vec<QemuRelease>,
    /// Bits of CPUID registers, by location.
    pub features: Vec<Feature>,
    /// `X86_FEATURE_*` bits that have no CPUID register.
    pub software: Vec<KernelBit>,
    /// `X86_BUG_*`.
    pub bugs: Vec<KernelBit>,
    /// `VMX_FEATURE_*`, numbered by Linux.
    pub vmx: Vec<KernelBit>,
    /// Bits of MSRs, by MSR and bit.
    pub msr: Vec<MsrFeature>,
    /// The dependencies between these bits.
    pub dependencies: Dependencies,
    /// Bit fields of leaves, by leaf, subleaves, register and bits.
    pub fields: Vec<Field>,
    /// Published constants of fields that cpuid.csv no longer has or has renamed.
    pub former_fields: Vec<PublishedConstant>,
    /// XSAVE state components by number.
    pub xsave: Vec<XsaveComponent>,
}

/// A release of Linux and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinuxRelease {
    /// `6.12.117`.
    pub name: String,
    /// Enumerators of the kernel's and KVM's words, in the order of their indices.
    pub words: Map<Word, String>,
    /// The module parameters on which capabilities depend.
    pub parameters: Vec<ModuleParameter>,
}

/// A release of QEMU and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QemuRelease {
    /// `10.0.13`.
    pub name: String,
    /// `FeatureWord` enumerators, in the order of their indices.
    pub words: Map<Word, String>,
    /// The register that each word represents.
    pub sources: Map<Word, WordSource>,
    /// CPU models in QEMU's order.
    pub models: Vec<CpuModel>,
    /// The rest of the release's definitions of CPUs.
    pub board: Board,
    /// The data that turns a model into a guest.
    pub guest: Guest,
}

/// A bit of a CPUID register.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Feature {
    /// The constant's name.
    pub constant: String,
    /// Names of deprecated constants, oldest first.
    pub former: Vec<String>,
    /// Its identity.
    pub location: Location,
    /// The view of each Linux release, in the order of [`Model::linux`].
    pub linux: Vec<LinuxView>,
    /// The view of each QEMU release, in the order of [`Model::qemu`].
    pub qemu: Vec<QemuView>,
}

/// A module parameter on which capabilities depend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleParameter {
    /// The module.
    pub module: KvmModule,
    /// Its name.
    pub name: String,
    /// Its value without options.
    pub default: String,
}

/// One QEMU release's view of a location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QemuView {
    /// Index of the feature word that contains it.
    pub word: Option<Word>,
    /// Its name; old releases have alternatives separated by `|`.
    pub name: Option<String>,
}

/// A bit that only Linux numbers, identified across releases by its macro's name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KernelBit {
    /// The constant's name.
    pub constant: String,
    /// The macro without its prefix.
    pub name: String,
    /// Place and flag in each Linux release; `None` if it is absent, or, for a feature, if it has a hardware
    /// location.
    pub linux: Vec<Option<KernelView>>,
}

/// One Linux release's view of a [`KernelBit`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KernelView {
    /// Its place.
    pub place: WordBit,
    /// The name in `/proc/cpuinfo`.
    pub flag: Option<String>,
}

/// A bit of an MSR in a QEMU feature word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsrFeature {
    /// The constant's name.
    pub constant: String,
    /// Names of deprecated constants, oldest first.
    pub former: Vec<String>,
    /// The MSR.
    pub msr: Msr,
    /// Bit, 0 to 63.
    pub bit: Bit,
    /// The view of each QEMU release, in the order of [`Model::qemu`].
    pub qemu: Vec<QemuView>,
}

/// A bit field of a leaf that is not itself a [`Feature`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// The constant's name, unique within the leaf.
    pub constant: String,
    /// The short name in the newest release.
    pub name: String,
    /// Its location.
    pub place: FieldPlace,
    /// The name in each Linux release, in the order of [`Model::linux`].
    pub linux: Vec<Option<String>>,
}

/// A bit of the model, by its index in the list of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Node {
    /// One of [`Model::features`].
    Feature(usize),
    /// One of [`Model::software`].
    Software(usize),
    /// One of [`Model::msr`].
    Msr(usize),
}

/// A dependency of one bit on another, or on one of several others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// The dependent bit.
    pub node: Node,
    /// The bits of which it needs one, ascending and never empty. Nearly always a single bit.
    pub needs: Vec<Node>,
    /// True for each Linux release that states it, in the order of [`Model::linux`].
    pub linux: Vec<bool>,
    /// True for each QEMU release that states it, in the order of [`Model::qemu`].
    pub qemu: Vec<bool>,
    /// True if every project that stated it has a newer release that knows the bits and does not state it, or if the known
    /// differences deny it.
    pub withdrawn: bool,
}

/// All dependencies of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependencies {
    /// As stated, ascending by bit and needed bits.
    pub stated: Vec<Dependency>,
    /// Every bit with each bit that it needs, transitively; ascending.
    pub closed: Vec<(Node, Node)>,
}

impl Dependencies {
    /// Current dependencies without alternatives, ascending: the edges of the closure.
    pub fn direct(&self) -> impl Iterator<Item = (Node, Node)> {
        self.stated.iter().filter(|dependency| !dependency.withdrawn).filter_map(Dependency::edge)
    }

    /// A bit's current dependencies, with and without alternatives.
    pub fn for_node(&self, node: Node) -> impl Iterator<Item = &Dependency> {
        let start = self.stated.partition_point(|dependency| dependency.node < node);
        let own = self.stated[start..].iter().take_while(move |dependency| dependency.node == node);
        own.filter(|dependency| !dependency.withdrawn)
    }

    /// Current dependencies with alternatives, ascending.
    pub fn one_of(&self) -> impl Iterator<Item = &Dependency> {
        self.stated.iter().filter(|dependency| !dependency.withdrawn && dependency.needs.len() > 1)
    }
}

impl Dependency {
    pub(super) fn edge(&self) -> Option<(Node, Node)> {
        if let [needs] = self.needs.as_slice() { Some((self.node, *needs)) } else { None }
    }
}

/// An XSAVE state component.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct XsaveComponent {
    /// Its bit in XCR0 or `IA32_XSS`.
    pub number: u8,
    /// The bits that enable it, each alone, in QEMU's order: at least one.
    pub features: Vec<Location>,
    /// Bytes. Components 0 and 1 share the legacy region and the header, and have the size of both.
    pub size: u32,
    /// Offset in the standard format in bytes, if a release fixes it.
    pub offset: Option<u32>,
}
