//! Records of what QEMU's accelerators and machine types change in a CPU model, and of the properties that `-cpu` takes.

use crate::location::{Bit, Leaf, Register};
use crate::source::Span;
use crate::vocabulary::cpu_model::DefaultVersion;

/// A row of `kvm_default_props[]` or of TCG's table: set in every built-in model under that accelerator.
#[derive(Clone, Debug)]
pub struct QemuDefault {
    /// The property.
    pub property: String,
    /// Its value; none for a property that only code changes.
    pub value: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A machine type.
#[derive(Clone, Debug)]
pub struct QemuMachine {
    /// `pc-q35-10.0`.
    pub name: String,
    /// The version that it takes; none before 4.1, which had no versions.
    pub default_version: Option<DefaultVersion>,
    /// The next newer machine type, whose compatibility properties apply first; none for the newest.
    pub base: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A compatibility property that a machine type adds to its base's, in the order in which they are set.
#[derive(Clone, Debug)]
pub struct QemuCompat {
    /// The machine type.
    pub machine: String,
    /// The QOM type that it is for: `x86_64-cpu`, `EPYC-x86_64-cpu`. `kvm-default` is none: such a row changes the
    /// value in KVM's default properties, which apply before all compatibility properties.
    pub of: String,
    /// The property.
    pub property: String,
    /// Its value; none for a default of KVM's that is dropped.
    pub value: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A CPUID register's bits that a Hyper-V property sets under KVM, and those that KVM must offer for it.
#[derive(Clone, Debug)]
pub struct QemuHyperv {
    /// The property: `hv-relaxed`.
    pub property: String,
    /// Input EAX.
    pub leaf: Leaf,
    /// Which of the four.
    pub register: Register,
    /// The bits.
    pub mask: u32,
    /// Its place.
    pub at: Span,
}

/// A Hyper-V property that is not accepted without another one.
#[derive(Clone, Debug)]
pub struct QemuHypervDep {
    /// The property.
    pub property: String,
    /// The one that must be on as well.
    pub needs: String,
    /// Its place.
    pub at: Span,
}

/// A second name of a property of `-cpu`.
#[derive(Clone, Debug)]
pub struct QemuAlias {
    /// The second name: `sse4_1`.
    pub name: String,
    /// The first: `sse4.1`.
    pub target: String,
    /// Its place.
    pub at: Span,
}

/// A property of `-cpu` that is no bit of a feature word.
#[derive(Clone, Debug)]
pub struct QemuProperty {
    /// `min-level`, `hv-relaxed`.
    pub name: String,
    /// `bool`, `bit64`, `uint32`, `string`: the macro's name without `DEFINE_PROP_`, in small letters.
    pub kind: String,
    /// The field of `X86CPU` that it sets; none where a function sets it.
    pub field: Option<String>,
    /// The bit of the field.
    pub bit: Option<Bit>,
    /// Its default, where the table states one.
    pub default: Option<String>,
    /// Its place.
    pub at: Span,
}
