//! Records of the changes that QEMU's accelerators and machine types make to a CPU model, and of the properties of
//! `-cpu`.

use crate::location::{Bit, Leaf, Register};
use crate::source::Span;
use crate::vocabulary::cpu_model::DefaultVersion;

/// A row of `kvm_default_props[]` or of TCG's table: set in every built-in model under that accelerator.
#[derive(Clone, Debug)]
pub struct QemuDefault {
    /// The property.
    pub property: String,
    /// Its value; `None` for a property that only code changes.
    pub value: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A list of compatibility properties that a machine type adds to its base's.
#[derive(Clone, Debug)]
pub struct QemuCompatList {
    /// The machine type.
    pub machine: String,
    /// The list's name: `hw_compat_4_2`, or `PC_COMPAT_2_12` before 4.0.
    pub list: String,
    /// Its place.
    pub at: Span,
}

/// The length of another list that is used with a list of compatibility properties: rows are left out, or are not the list's.
#[derive(Clone, Debug)]
pub struct QemuListLength {
    /// The list.
    pub list: String,
    /// The name whose length is used.
    pub of: String,
    /// The place of that name.
    pub at: Span,
}

/// A machine type.
#[derive(Clone, Debug)]
pub struct QemuMachine {
    /// `pc-q35-10.0`.
    pub name: String,
    /// The version it selects; `None` before 4.1, which had no versions.
    pub default_version: Option<DefaultVersion>,
    /// The next newer machine type, whose compatibility properties apply first; `None` for the newest.
    pub base: Option<String>,
    /// Its place.
    pub at: Span,
}

/// A compatibility property that a machine type adds to its base's, in application order.
#[derive(Clone, Debug)]
pub struct QemuCompat {
    /// The machine type.
    pub machine: String,
    /// The QOM type it applies to: `x86_64-cpu`, `EPYC-x86_64-cpu`. The special value `kvm-default` is not a QOM
    /// type: such a row changes KVM's default properties, which apply before all compatibility properties.
    pub of: String,
    /// The property.
    pub property: String,
    /// Its value; `None` if the row drops one of KVM's defaults.
    pub value: Option<String>,
    /// Its place.
    pub at: Span,
}

/// The bits of a CPUID register that a Hyper-V property sets under KVM, and that KVM must support.
#[derive(Clone, Debug)]
pub struct QemuHyperv {
    /// The property: `hv-relaxed`.
    pub property: String,
    /// Input EAX.
    pub leaf: Leaf,
    /// The output register.
    pub register: Register,
    /// The bits.
    pub mask: u32,
    /// Its place.
    pub at: Span,
}

/// A Hyper-V property that requires another one.
#[derive(Clone, Debug)]
pub struct QemuHypervDep {
    /// The property.
    pub property: String,
    /// The property it requires.
    pub needs: String,
    /// Its place.
    pub at: Span,
}

/// A second name of a property of `-cpu`.
#[derive(Clone, Debug)]
pub struct QemuAlias {
    /// The second name: `sse4_1`.
    pub name: String,
    /// The primary name: `sse4.1`.
    pub target: String,
    /// Its place.
    pub at: Span,
}

/// A property of `-cpu` that is not a bit of a feature word.
#[derive(Clone, Debug)]
pub struct QemuProperty {
    /// Its name: `min-level`, `hv-relaxed`.
    pub name: String,
    /// Its type: `bool`, `bit64`, `uint32`, `string`: the macro's name without `DEFINE_PROP_`, in lower case.
    pub kind: String,
    /// The field of `X86CPU` that it sets; `None` if a function sets it.
    pub field: Option<String>,
    /// The bit of the field.
    pub bit: Option<Bit>,
    /// Its default value, if the table states one.
    pub default: Option<String>,
    /// Its place.
    pub at: Span,
}
