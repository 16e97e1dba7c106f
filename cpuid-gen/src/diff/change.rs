//! The parts of a diff: sections, each about one topic, with changes, each with the rows that it comes from.

use super::identity::Identity;
use super::impact::Impact;
use crate::source::Span;

/// The project whose releases are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Project {
    /// Linux with KVM.
    Linux,
    /// QEMU.
    Qemu,
}

impl Project {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Project::Linux => "Linux",
            Project::Qemu => "QEMU",
        }
    }
}

/// The kind of change from the old release to the new one, in the order of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Action {
    /// Only the new release has it.
    Added,
    /// Only the old release has it.
    Removed,
    /// Same place, another name.
    Renamed,
    /// Same thing, another place.
    Moved,
    /// Same thing at the same place, with other properties.
    Changed,
}

impl Action {
    /// All, in order.
    pub const ALL: [Action; 5] =
        [Action::Added, Action::Removed, Action::Renamed, Action::Moved, Action::Changed];

    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Action::Added => "added",
            Action::Removed => "removed",
            Action::Renamed => "renamed",
            Action::Moved => "moved",
            Action::Changed => "changed",
        }
    }

    /// The sign at the start of a text line.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Action::Added => '+',
            Action::Removed => '-',
            Action::Renamed => '=',
            Action::Moved => '>',
            Action::Changed => '~',
        }
    }
}

/// The field of a mask with the names of the bits that only the new mask has.
pub(super) const GAINS: &str = "gains";
/// The field of a mask with the names of the bits that only the old mask has.
pub(super) const LOSES: &str = "loses";

/// The field of a capability that KVM spells differently with the same effect.
pub(super) const SPELLED: &str = "spelled";

/// A property before and after the change. Unchanged properties are not in a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Its name: `flag`, `level`, a property's name.
    pub name: String,
    /// The old value; `None` if absent, or if the thing is new.
    pub old: Option<String>,
    /// The new value; `None` if absent, or if the thing was removed.
    pub new: Option<String>,
}

/// The identities of a thing in the two releases.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// In the old release; `None` if it had none.
    pub old: Option<Identity>,
    /// In the new release; `None` if it has none.
    pub new: Option<Identity>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The kind of change.
    pub action: Action,
    /// What the changed thing is a part of, if its name alone does not say so: a machine type.
    pub owner: Option<String>,
    /// The changed thing, by its newest name.
    pub subject: String,
    /// Its old name, if it was renamed.
    pub was: Option<String>,
    /// Its identity in both releases, if that is not the name: a location.
    pub at: Option<Identity>,
    /// Its identities, if they differ.
    pub moved: Option<Moved>,
    /// The changed properties, or all properties of something added or removed.
    pub fields: Vec<Field>,
    /// The rows of the old release that this change covers.
    pub old_rows: Vec<Span>,
    /// The rows of the new release that this change covers.
    pub new_rows: Vec<Span>,
}

impl Change {
    /// The changed thing with what it is a part of: `pc-q35-9.0: qemu64-x86_64-cpu.x2apic`.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}: {}", self.subject),
            None => self.subject.clone(),
        }
    }
}

/// The topic of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Topic {
    /// Linux: registers and software-defined words, and their numbers.
    LinuxWords,
    /// Linux: the number of words of each kind.
    LinuxCounts,
    /// Linux and KVM: `X86_FEATURE_*`.
    LinuxFeatures,
    /// Linux: the names in `/proc/cpuinfo`.
    LinuxFlags,
    /// Linux: `X86_BUG_*`.
    LinuxBugs,
    /// Linux: `VMX_FEATURE_*`.
    LinuxVmx,
    /// Linux: cpuid-deps.c.
    LinuxDeps,
    /// KVM: `kvm_set_cpu_caps`.
    KvmCaps,
    /// KVM: what kvm-intel and kvm-amd change.
    KvmModules,
    /// KVM: module parameters.
    KvmParams,
    /// KVM: its own leaf.
    KvmPara,
    /// Linux: bits of MSRs.
    LinuxMsr,
    /// Linux: features that a configuration fixes.
    LinuxConfig,
    /// Linux: cpuid.csv.
    CpuidFields,
    /// Linux: leaf_types.h.
    LeafFields,
    /// QEMU: `feature_word_info[]`.
    QemuWords,
    /// QEMU: numbers of the enumerators.
    QemuIndices,
    /// QEMU: `feat_names`.
    QemuBits,
    /// QEMU: masks of feature words.
    QemuMasks,
    /// QEMU: `CPUID_*` of cpu.h.
    QemuMacros,
    /// QEMU: locations in comments.
    QemuComments,
    /// QEMU: `builtin_x86_defs[]`.
    QemuModels,
    /// QEMU: `feature_dependencies[]`.
    QemuDeps,
    /// QEMU: `x86_ext_save_areas[]`.
    QemuXsave,
    /// QEMU: caches of models that define none, and leaf 2's bytes.
    QemuCaches,
    /// QEMU: properties that an accelerator sets in every model.
    QemuDefaults,
    /// QEMU: machine types.
    QemuMachines,
    /// QEMU: compatibility properties of machine types.
    QemuCompat,
    /// QEMU: properties of `-cpu` other than the names of bits.
    QemuProperties,
    /// QEMU: bits and requirements of Hyper-V's properties.
    QemuHyperv,
}

impl Topic {
    /// The heading, and the name in JSON.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Topic::LinuxWords => ("Words", "words"),
            Topic::LinuxCounts => ("Counts", "counts"),
            Topic::LinuxFeatures => ("Features", "features"),
            Topic::LinuxFlags => ("Names in /proc/cpuinfo", "cpuinfo"),
            Topic::LinuxBugs => ("Bugs", "bugs"),
            Topic::LinuxVmx => ("VMX flags", "vmx"),
            Topic::LinuxDeps => ("Dependencies", "dependencies"),
            Topic::KvmCaps => ("KVM's capability lists", "kvm"),
            Topic::KvmModules => ("Capabilities of kvm-intel and kvm-amd", "kvm_modules"),
            Topic::KvmParams => ("Module parameters of KVM", "kvm_parameters"),
            Topic::KvmPara => ("KVM's own leaf", "kvm_paravirtual"),
            Topic::LinuxMsr => ("Bits of MSRs", "msr_bits"),
            Topic::LinuxConfig => ("Fixed by the configuration", "configuration"),
            Topic::CpuidFields => ("Fields in cpuid.csv", "cpuid_fields"),
            Topic::LeafFields => ("Fields in leaf_types.h", "leaf_fields"),
            Topic::QemuWords => ("Feature words", "words"),
            Topic::QemuIndices => ("Numbers of feature words", "word_numbers"),
            Topic::QemuBits => ("Feature bits", "bits"),
            Topic::QemuMasks => ("Masks of feature words", "masks"),
            Topic::QemuMacros => ("Constants of cpu.h", "macros"),
            Topic::QemuComments => ("Locations in comments", "comments"),
            Topic::QemuModels => ("CPU models", "models"),
            Topic::QemuDeps => ("Dependencies", "dependencies"),
            Topic::QemuXsave => ("XSAVE components", "xsave"),
            Topic::QemuCaches => ("Caches of models without their own", "caches"),
            Topic::QemuDefaults => ("Set by accelerators", "defaults"),
            Topic::QemuMachines => ("Machine types", "machines"),
            Topic::QemuCompat => ("Compatibility properties", "compat"),
            Topic::QemuHyperv => ("Hyper-V enlightenments", "hyperv"),
            Topic::QemuProperties => ("Properties of -cpu", "properties"),
        }
    }

    /// True if changes are ordered by action; false if they are grouped in another way.
    pub(super) fn is_by_action(self) -> bool {
        !matches!(self, Topic::QemuModels)
    }

    /// True for topics with many similar changes, which human-readable reports summarize.
    #[must_use]
    pub fn is_brief(self) -> bool {
        matches!(
            self,
            Topic::CpuidFields
                | Topic::LeafFields
                | Topic::KvmCaps
                | Topic::QemuMachines
                | Topic::QemuCompat
                | Topic::QemuIndices
                | Topic::QemuMacros
                | Topic::QemuComments
        )
    }
}

/// The changes of one topic; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The topic.
    pub topic: Topic,
    /// The changes, by action; within one action in the order of the facts.
    pub changes: Vec<Change>,
}

impl Section {
    /// The number of changes of each action: `12 added, 1 moved`.
    #[must_use]
    pub fn counts(&self) -> String {
        let count = |action| self.changes.iter().filter(|change| change.action == action).count();
        let counts = Action::ALL.map(|action| (count(action), action.name()));
        let shown =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// The differences between two releases.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// The project.
    pub project: Project,
    /// The old release: `6.12.117`.
    pub old: String,
    /// The new release.
    pub new: String,
    /// The changes by topic, without topics that did not change.
    pub sections: Vec<Section>,
    /// The effects on the Rust API, one entry for each way of adopting the new release.
    pub api: Vec<Impact>,
}

impl Changes {
    /// True if the facts of the two releases are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// The changes of one topic.
    pub fn in_topic(&self, topic: Topic) -> impl Iterator<Item = &Change> {
        self.sections
            .iter()
            .filter(move |section| section.topic == topic)
            .flat_map(|section| &section.changes)
    }
}
