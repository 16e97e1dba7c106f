//! QEMU's machine types and its accelerators' defaults: the properties set in a CPU model before a guest sees it.
//!
//! Under KVM QEMU sets the accelerator's default properties first, then the machine type's compatibility properties,
//! then the user's settings (target/i386/kvm/kvm-cpu.c; hw/i386/pc*.c; hw/core/machine.c). These are plain tables;
//! this module does not build guests.

use core::fmt;

use super::cpu_model::{AskedName, CpuModel};
use crate::bits::location::Bit;
use crate::bits::qemu_cpu::DefaultVersion;
use crate::bits::release::QemuRelease;
use crate::generated::model_tables::{Board, COMPAT, MachineRow, PropertyRow, optional, pairs, text};

/// A machine type of one release, such as `pc-q35-9.2`. QEMU's aliases of its newest ones (`pc`, `q35`) are not
/// included.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MachineType {
    release: QemuRelease,
    index: u16,
}

/// A property that a machine type sets in CPUs so that an old guest's CPU does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CompatProperty {
    /// The QOM type to which it applies: `x86_64-cpu` is every CPU, `EPYC-x86_64-cpu` those called `EPYC`.
    pub qom_type: &'static str,
    /// The property.
    pub property: &'static str,
    /// Its value.
    pub value: &'static str,
}

impl CompatProperty {
    /// The CPU to which it applies, by its name in `-cpu`; `None` if it applies to every CPU.
    #[must_use]
    pub fn cpu(&self) -> Option<&'static str> {
        cpu_of(self.qom_type)
    }

    /// True if it applies to this model by its requested name: QEMU has separate types for `EPYC`, `EPYC-v1` and the
    /// alias `EPYC-IBPB`, and a property of one does not apply to the others.
    #[must_use]
    pub fn applies_to(&self, model: CpuModel) -> bool {
        self.cpu().is_none_or(|cpu| model.is_called(cpu))
    }
}

/// The QOM type of every CPU.
const EVERY_CPU: &str = "x86_64-cpu";

/// The suffix of a CPU's QOM type after its name.
const SUFFIX: &str = "-x86_64-cpu";

/// The CPU of a QOM type, by its name in `-cpu`; `None` for every CPU.
pub(crate) fn cpu_of(qom_type: &str) -> Option<&str> {
    (qom_type != EVERY_CPU).then(|| qom_type.strip_suffix(SUFFIX).unwrap_or(qom_type))
}

/// A property of `-cpu` that is not a bit of a feature word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CpuProperty {
    /// `min-level`.
    pub name: &'static str,
    /// Its QEMU type: `bool`, `bit64`, `uint32`, `string`, ...
    pub kind: &'static str,
    /// The field of `X86CPU` that it sets; `None` if a function sets it.
    pub field: Option<&'static str>,
    /// The bit of the field.
    pub bit: Option<Bit>,
    /// Its default, if the table has one.
    pub default: Option<&'static str>,
}

impl CpuProperty {
    pub(crate) fn of_row(row: &PropertyRow) -> CpuProperty {
        CpuProperty {
            name: text(row.name),
            kind: text(row.kind),
            field: optional(row.field),
            bit: row.bit,
            default: optional(row.default),
        }
    }
}

impl MachineType {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        text(self.row().name)
    }

    /// The release.
    #[must_use]
    pub const fn release(self) -> QemuRelease {
        self.release
    }

    /// The version of a model requested without one; see [`CpuModel::for_machine`](crate::CpuModel::for_machine).
    #[must_use]
    pub fn default_version(self) -> DefaultVersion {
        self.row().default_version
    }

    /// Its compatibility properties, including those inherited from newer machine types, in the order in which QEMU
    /// sets them: later ones override earlier ones.
    pub fn compat(self) -> impl Iterator<Item = CompatProperty> {
        let MachineRow { compat_start, compat_count, .. } = self.row();
        let rows = &COMPAT[usize::from(compat_start)..][..usize::from(compat_count)];
        rows.iter().map(|row| CompatProperty {
            qom_type: text(row.of),
            property: text(row.property),
            value: text(row.value),
        })
    }

    /// KVM's default properties on this machine type; see [`QemuRelease::kvm_defaults`].
    pub fn kvm_defaults(self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        pairs(self.row().kvm_defaults)
    }

    fn row(self) -> MachineRow {
        self.release.board().machines[usize::from(self.index)]
    }
}

impl QemuRelease {
    /// A machine type by its name; case-sensitive, as in QEMU.
    ///
    /// ```
    /// use cpuid_tables::{DefaultVersion, QemuRelease};
    ///
    /// let machine = QemuRelease::NEWEST.machine("pc-q35-6.0").ok_or("no such machine type")?;
    /// assert_eq!(machine.default_version(), DefaultVersion::Version(1));
    /// assert!(machine.compat().any(|set| (set.property, set.value) == ("x-vendor-cpuid-only", "off")));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn machine(self, name: &str) -> Option<MachineType> {
        self.machines().find(|machine| machine.name() == name)
    }

    /// Every machine type, in QEMU's order.
    pub fn machines(self) -> impl Iterator<Item = MachineType> {
        let count = crate::generated::bit_tables::short(self.board().machines.len());
        (0..count).map(move |index| MachineType { release: self, index })
    }

    /// The properties that KVM's table sets in every built-in model, in order. A property without a value is not set.
    /// Code changes some before they are set: for example, `x2apic` is off without KVM's interrupt controller.
    pub fn kvm_defaults(self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        pairs(self.board().kvm_defaults)
    }

    /// The properties that TCG's table sets in every built-in model, in order.
    pub fn tcg_defaults(self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        pairs(self.board().tcg_defaults)
    }

    /// The first name of a property with two names: `sse4.1` for `sse4_1`.
    #[must_use]
    pub fn alias_of(self, property: &str) -> Option<&'static str> {
        let found = self.aliases().find(|(alias, _)| *alias == property);
        found.map(|(_, target)| target)
    }

    /// Second names of properties, each with the first.
    pub fn aliases(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        pairs(self.board().aliases).map(|(alias, target)| (alias, target.unwrap_or_default()))
    }

    /// Properties of `-cpu` that are not bits of feature words, in QEMU's order.
    pub fn cpu_properties(self) -> impl Iterator<Item = CpuProperty> {
        let Board { properties, .. } = self.board();
        properties.iter().map(CpuProperty::of_row)
    }
}

impl fmt::Debug for MachineType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for MachineType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl CpuModel {
    /// The version that a machine type selects if the model was requested without a version; otherwise the model
    /// itself.
    ///
    /// ```
    /// use cpuid_tables::QemuRelease;
    ///
    /// let qemu = QemuRelease::NEWEST;
    /// let (epyc, microvm) = (qemu.cpu_model("EPYC"), qemu.machine("microvm"));
    /// let (epyc, microvm) = epyc.zip(microvm).ok_or("neither")?;
    /// assert_eq!(epyc.for_machine(microvm).version_number(), epyc.latest().version_number());
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn for_machine(self, machine: MachineType) -> CpuModel {
        let last = self.version_count();
        let version = match (self.name, machine.default_version()) {
            (AskedName::Version | AskedName::Alias, _) => return self,
            (AskedName::Plain, DefaultVersion::Legacy) => 0,
            (AskedName::Plain, DefaultVersion::Latest) => last,
            // Every model has the version that a machine type selects; the generator checks this.
            (AskedName::Plain, DefaultVersion::Version(version)) => {
                u16::try_from(version).unwrap_or(last).min(last)
            }
        };
        let mut model = self;
        model.version = version;
        model
    }
}
