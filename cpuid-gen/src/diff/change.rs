//! What a diff is made of: sections, each about one topic, and in them changes, each with the rows it comes from.

use super::impact::Impact;
use crate::source::Span;

/// Whose releases are compared.
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

/// What happened to a thing from the old release to the new one. In reports they stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The new release has it and the old one has not.
    Added,
    /// The old release has it and the new one has not.
    Removed,
    /// Same place, another name.
    Renamed,
    /// Same thing, another place.
    Moved,
    /// Same thing at the same place, with something else about it.
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

    /// The sign in front of a line of text.
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

/// The field of a mask that names the bits which only the new one has.
pub(super) const GAINS: &str = "gains";
/// The field of a mask that names the bits which only the old one has.
pub(super) const LOSES: &str = "loses";

/// The field of a capability that KVM names by other words to the same effect.
pub(super) const SPELLED: &str = "spelled";

/// Something about a thing, before and after. What is the same in both is not in a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is: `flag`, `level`, a property's name.
    pub name: String,
    /// In the old release; none if it had none, or if the thing is new.
    pub old: Option<String>,
    /// In the new release; none if it has none, or if the thing is gone.
    pub new: Option<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub action: Action,
    /// The thing, by its newest name.
    pub subject: String,
    /// Its old name, if it was renamed.
    pub was: Option<String>,
    /// What identifies it, where that is not its name: a location.
    pub at: Option<String>,
    /// What is different, or of something added or removed, what there is to say of it.
    pub fields: Vec<Field>,
    /// The rows of the old release that differ by this.
    pub old_rows: Vec<Span>,
    /// The rows of the new release that differ by this.
    pub new_rows: Vec<Span>,
}

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Linux: registers and software-defined words, and their numbers.
    LinuxWords,
    /// Linux: how many words of each sort.
    LinuxCounts,
    /// Linux and KVM: `X86_FEATURE_*`.
    LinuxFeatures,
    /// Linux: what `/proc/cpuinfo` shows.
    LinuxFlags,
    /// Linux: `X86_BUG_*`.
    LinuxBugs,
    /// Linux: `VMX_FEATURE_*`.
    LinuxVmx,
    /// Linux: cpuid-deps.c.
    LinuxDeps,
    /// KVM: `kvm_set_cpu_caps`.
    KvmCaps,
    /// KVM: its own leaf.
    KvmPara,
    /// Linux: bits of MSRs.
    LinuxMsr,
    /// Linux: what a configuration fixes.
    LinuxConfig,
    /// Linux: cpuid.csv.
    CpuidFields,
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
    /// QEMU: caches of models without their own, and leaf 2's bytes.
    QemuCaches,
    /// QEMU: what an accelerator sets in every model.
    QemuDefaults,
    /// QEMU: machine types.
    QemuMachines,
    /// QEMU: compatibility properties of machine types.
    QemuCompat,
    /// QEMU: what `-cpu` accepts besides the names of bits.
    QemuProperties,
    /// QEMU: what Hyper-V's properties set and need.
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
            Topic::KvmPara => ("KVM's own leaf", "kvm_paravirtual"),
            Topic::LinuxMsr => ("Bits of MSRs", "msr_bits"),
            Topic::LinuxConfig => ("Fixed by the configuration", "configuration"),
            Topic::CpuidFields => ("Fields in cpuid.csv", "cpuid_fields"),
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

    /// True where changes stand by action; false where they belong together otherwise.
    pub(super) fn is_by_action(self) -> bool {
        !matches!(self, Topic::QemuModels)
    }

    /// True where there are many changes of one kind: people see them in a few lines, programs see each.
    #[must_use]
    pub fn is_brief(self) -> bool {
        matches!(
            self,
            Topic::CpuidFields
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
pub struct Section {
    /// The topic.
    pub topic: Topic,
    /// The changes, by action; within one action in the order of the facts.
    pub changes: Vec<Change>,
}

impl Section {
    /// How many changes of each action there are: `12 added, 1 moved`.
    #[must_use]
    pub fn counts(&self) -> String {
        let count = |action| self.changes.iter().filter(|change| change.action == action).count();
        let counts = Action::ALL.map(|action| (count(action), action.name()));
        let shown =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// From one release to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// Whose releases.
    pub project: Project,
    /// The old release: `6.12.117`.
    pub old: String,
    /// The new one.
    pub new: String,
    /// What changed, by topic; topics without a change are left out.
    pub sections: Vec<Section>,
    /// What that means for the Rust API, one entry for each way of taking the new release in.
    pub api: Vec<Impact>,
}

impl Changes {
    /// True when the two releases say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// The changes of one topic.
    pub fn of(&self, topic: Topic) -> impl Iterator<Item = &Change> {
        self.sections
            .iter()
            .filter(move |section| section.topic == topic)
            .flat_map(|section| &section.changes)
    }
}
