//! The kinds of findings, as data: name, severity, why it matters and what to do.
//!
//! Names are stable, for scripts that read them. A kind has one severity: where the same thing may be harmless or not,
//! there are two kinds.

use core::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// True, and guests can live with it.
    Warning,
    /// KVM refuses the table, or a guest is told what does not hold.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// Defines [`Kind`]: doc, kind, name, severity, `host` where it takes a host to tell; why it matters; what to do.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident $name:literal $severity:ident $($host:ident)? $why:literal $help:literal)+) => {
        /// What a finding is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])+ $kind,)+
        }

        impl Kind {
            /// All of them, by domain.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            /// Its name, which stays as it is.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)+
                }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self {
                    $(Kind::$kind => Severity::$severity,)+
                }
            }

            /// Why it matters.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self {
                    $(Kind::$kind => $why,)+
                }
            }

            /// What to do.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self {
                    $(Kind::$kind => $help,)+
                }
            }

            /// True when KVM refuses a table for it: `KVM_SET_CPUID2` fails.
            #[must_use]
            pub const fn is_refused(self) -> bool {
                matches!(self, Kind::TooManyEntries | Kind::VirtualWidth | Kind::ComponentPermission)
            }

            /// True when only what a host's KVM says can tell it.
            #[must_use]
            pub const fn needs_host(self) -> bool {
                match self {
                    $(Kind::$kind => kinds!(@host $($host)?),)+
                }
            }
        }
    };
    (@host host) => { true };
    (@host) => { false };
}

kinds! {
    /// There are basic leaves, and no leaf 0.
    NoLeafZero "no-leaf-0" Error
    "leaf 0 says who made the processor and how far the leaves go; KVM needs it for the vendor's rules, guests for all else"
    "add an entry for leaf 0"
    /// There is no basic leaf at all.
    NoBasicLeaves "no-basic-leaves" Warning
    "a guest sees a processor without maker and without features, on which nothing runs"
    "begin with what KVM_GET_SUPPORTED_CPUID answers, or with a CPU model"
    /// A range has leaves, and none that says how far it goes.
    NoMaximum "no-maximum" Error
    "a guest asks the first leaf of a range how far it goes, and looks at no further leaf if that says nothing"
    "add the range's first leaf, with its highest leaf in EAX"
    /// A leaf is above what its range's first leaf says.
    LeafAboveMaximum "leaf-above-maximum" Error
    "a guest does not look at leaves above the maximum: what they hold is lost, and Linux turns off the features that need them"
    "raise the maximum, or remove the entry"
    /// The maximum is above every leaf of the range.
    MaximumAboveLeaves "maximum-above-leaves" Warning
    "the leaves between read as zeros, and by Intel's rules a leaf above the maximum does too instead of repeating the highest one"
    "lower the maximum to the highest leaf, unless zeros are meant"
    /// The maximum is no leaf of its range.
    MaximumOutOfRange "maximum-out-of-range" Error
    "guests take such a maximum for a processor without these leaves; Linux then sees no extended feature, 64-bit mode among them"
    "set EAX to the highest leaf of the range"

    /// A leaf is in no range that guests ask for.
    LeafOutsideRanges "leaf-outside-ranges" Warning
    "guests know the ranges from 0, 0x40000000, 0x80000000, 0x80860000 (Transmeta) and 0xC0000000 (Centaur), and ask for no other leaf"
    "remove the entry"

    /// More entries than KVM takes.
    TooManyEntries "too-many-entries" Error
    "KVM_SET_CPUID2 fails with E2BIG, and no entry is set (80 entries before Linux 5.11, 256 since)"
    "remove entries whose registers are all zero: KVM answers zeros without them"
    /// An earlier entry answers in its place, and otherwise.
    UnreachableEntry "unreachable-entry" Error
    "KVM takes the first entry that matches: what this one says never reaches the guest"
    "remove one of the two"
    /// An earlier entry gives the same answer.
    RepeatedEntry "repeated-entry" Warning
    "KVM takes the first entry that matches: this one only takes a place"
    "remove one of the two"
    /// An entry of a leaf with subleaves lacks `KVM_CPUID_FLAG_SIGNIFCANT_INDEX`.
    IndexNotFlagged "index-not-flagged" Error
    "without KVM_CPUID_FLAG_SIGNIFCANT_INDEX the entry answers for every subleaf: those after it are hidden, and a guest that walks the list may not come to its end"
    "set bit 0 of flags"
    /// An entry of a leaf without subleaves has the flag.
    FlagOnPlainLeaf "flag-on-plain-leaf" Error
    "with KVM_CPUID_FLAG_SIGNIFCANT_INDEX the entry answers only when the guest's ECX happens to hold the index; else it reads zeros"
    "clear bit 0 of flags"
    /// A flag that KVM has no meaning for here.
    UnknownFlag "unknown-flag" Warning
    "KVM keeps the flag and pays no regard to it"
    "clear it"
    /// A leaf has subleaves, and not the first.
    NoFirstSubleaf "no-first-subleaf" Error
    "subleaf 0 says which others there are: a guest reads zeros there and looks no further"
    "add subleaf 0"
    /// A list of subleaves has no end.
    NoTerminator "no-terminator" Warning
    "KVM answers zeros beyond, so that the list ends; other readers of the table need not"
    "add a subleaf whose type is 0"
    /// A subleaf that a guest's walk does not come to.
    SubleafNotReached "subleaf-not-reached" Error
    "a guest stops before it: what it says is lost"
    "close the gap, or raise the count in subleaf 0"

    /// A feature that this host's KVM does not support.
    FeatureNotSupported "feature-not-supported" Error host
    "the guest uses it and gets an exception instead: a C library or kernel that picks its code by CPUID dies of an invalid opcode or a general protection fault"
    "take the feature out of the guest's table"
    /// A bit without a name that this host's KVM does not support.
    BitNotSupported "bit-not-supported" Error host
    "KVM does not know what the guest is told"
    "clear the bit"
    /// A feature without what it needs.
    FeatureNeeds "feature-needs" Error
    "software that sees the one relies on the other: it runs into an invalid opcode, or Linux turns the feature off and says so"
    "add what is missing, or take the feature out"
    /// A feature without any of several, of which it needs one.
    FeatureNeedsOneOf "feature-needs-one-of" Warning
    "software finds the feature there and no way to use it"
    "add one of them, or take the feature out"
    /// Features of one vCPU are not those of another.
    FeaturesDiffer "features-differ" Warning
    "a guest looks at one processor and runs on all: a program that moves to another dies there"
    "give all vCPUs the same features"
    /// A bit that no release has a name for.
    UnknownBit "unknown-bit" Warning
    "nobody can tell what the guest is promised by it"
    "clear it, unless it is known to a newer release than these"

    /// XSAVE without leaf 0xD.
    NoXsaveLeaf "no-xsave-leaf" Error
    "a guest that turns XSAVE on asks leaf 0xD how large the area is, and reads 0"
    "add leaf 0xD with its subleaves, or take XSAVE out"
    /// Leaf 0xD without XSAVE.
    XsaveLeafAlone "xsave-leaf-without-xsave" Warning
    "without XSAVE a guest does not look at leaf 0xD"
    "remove leaf 0xD, or add XSAVE"
    /// XCR0 has components that XSETBV refuses in this combination.
    Xcr0Invalid "xcr0-invalid" Error
    "a guest that turns on all that it is offered gets a general protection fault from XSETBV, and the kernel dies at boot"
    "set the components that belong together, or none of them"
    /// A feature that kernels use unasked, and whose state component is not in XCR0.
    FeatureWithoutComponent "feature-without-component" Error
    "a guest cannot turn the feature's registers on: the instruction is an invalid opcode, or its state is lost when tasks are switched"
    "set the component's bit in 0xD.0, or take the feature out"
    /// A feature that programs have to ask the kernel for, and whose state component is not in XCR0.
    FeatureUnusable "feature-unusable" Warning
    "the guest's kernel has nothing to turn on: programs that look at the feature alone die, those that ask first go without"
    "set the component's bit in 0xD.0, or take the feature out"
    /// A component whose feature is not there.
    ComponentWithoutFeature "component-without-feature" Warning
    "the guest saves a component that nothing uses"
    "clear the component's bit, or add the feature"
    /// A component in XCR0 or IA32_XSS without subleaf.
    ComponentNotDescribed "component-not-described" Error
    "a guest reads size and offset 0 for it: Linux then distrusts all of XSAVE and turns it off, or lets components overlap"
    "add the component's subleaf, as the host has it"
    /// A component that kernels keep apart from the others, and that has no subleaf.
    ComponentSizeUnknown "component-size-unknown" Warning
    "Linux saves last branch records apart, and takes the size that it knows for them"
    "add the component's subleaf, as the host has it"
    /// A subleaf for a component that is in neither mask.
    ComponentNotEnabled "component-not-enabled" Warning
    "a guest does not look at components that neither 0xD.0 nor 0xD.1 names"
    "remove the subleaf, or set the component's bit"
    /// A component has another size than every processor gives it.
    ComponentSize "component-size" Error
    "the processor stores as many bytes as the component has: Linux compares the size with the one that it knows and gives up XSAVE"
    "set the size to the component's"
    /// A component whose place is the same on every processor has another.
    ComponentOffset "component-offset" Error
    "XSAVE stores it at its own place, whatever the table says: a guest that reads it elsewhere reads another component"
    "set EBX to the place that the manual gives it"
    /// Two components share bytes, or one lies in the legacy region.
    ComponentOverlap "component-overlap" Error
    "the processor stores one component over the other"
    "take offsets and sizes from the host's leaf 0xD"
    /// ECX says user and the masks say supervisor, or the other way round.
    ComponentMask "component-mask" Error
    "a guest takes the component for one of XCR0 or of IA32_XSS by the mask, and for the other by its subleaf"
    "let bit 0 of ECX agree with the mask: 0 for 0xD.0, 1 for 0xD.1"
    /// A component has another place or size than on this host.
    ComponentPlace "component-place" Error host
    "XSAVE stores it where this processor has its place, whatever the table says"
    "take offsets and sizes from the host's leaf 0xD"
    /// XCR0 or IA32_XSS has a component that this host's KVM does not support.
    ComponentNotSupported "component-not-supported" Error host
    "the guest's XSETBV, or its write to IA32_XSS, is a general protection fault"
    "clear the component's bit, and the features that need it"
    /// A component that KVM only accepts after the process has asked for it.
    ComponentPermission "component-permission" Warning host
    "KVM_SET_CPUID2 fails with EPERM unless the process has asked for the component before its first vCPU"
    "call arch_prctl(ARCH_REQ_XCOMP_GUEST_PERM, component) first"
    /// The size of the area is less than its components need.
    XsaveSize "xsave-size" Error
    "a guest reserves too little memory, and XSAVE writes past its end"
    "set 0xD.0's ECX to the end of the last component"
    /// The size of the area is more than its components need.
    XsaveSizeLarge "xsave-size-large" Warning
    "a guest reserves more memory than it needs for each task"
    "set 0xD.0's ECX to the end of the last component"
    /// The size for what is enabled now is out of bounds.
    XsaveCurrentSize "xsave-current-size" Warning
    "KVM puts in the size for the guest's own XCR0; other readers of the table see what stands here"
    "set 0xD.0's EBX to 576, or to ECX"
    /// The compacted size is not that of the components.
    XsaveCompactedSize "xsave-compacted-size" Warning
    "KVM puts in the size for the guest's own XCR0 and IA32_XSS; other readers of the table see what stands here"
    "set 0xD.1's EBX to the compacted size of all components"

    /// A width of linear addresses that KVM refuses.
    VirtualWidth "virtual-width" Error
    "KVM_SET_CPUID2 fails with EINVAL: it takes 0, 48 and 57"
    "set bits 15 to 8 of 0x80000008's EAX to 48, or to 57 where LA57 is shown"
    /// The width of linear addresses and LA57 do not agree.
    VirtualWidthPaging "virtual-width-la57" Warning
    "57 bits take five-level paging, which is LA57's to offer"
    "let the width be 57 if LA57 is shown, else 48"
    /// A width of physical addresses that no processor has.
    PhysicalWidth "physical-width" Error
    "KVM takes it for the guest's MAXPHYADDR: all above is reserved in page tables, and above 52 there are no such bits"
    "set bits 7 to 0 of 0x80000008's EAX to the host's width or less, 36 at least"
    /// More physical bits than the host has.
    PhysicalWidthHost "physical-width-host" Warning host
    "a guest that puts a device or memory at such an address does not reach it, or takes a page fault that it cannot explain"
    "set the width to the host's"
    /// A width of guest-physical addresses above the width of physical ones.
    GuestPhysicalWidth "guest-physical-width" Warning
    "it says how much of the physical addresses a guest can map, and cannot be more than them"
    "set bits 23 to 16 of 0x80000008's EAX to 0, or to no more than bits 7 to 0"

    /// Levels are not in order, or of no known type.
    LevelOrder "level-order" Error
    "guests expect the types of the levels to ascend from the thread up, and stop or misplace processors otherwise"
    "list thread, core, and then what there is above"
    /// A level does not bear its own number.
    LevelNumber "level-number" Warning
    "bits 7 to 0 of ECX repeat the subleaf that was asked for"
    "set them to the subleaf"
    /// Shifts do not ascend.
    LevelShift "level-shift" Error
    "a guest cuts the APIC id by these shifts: units of a level would be larger than those of the next"
    "let each level's shift be at least the one before"
    /// A level's number of processors does not fit.
    LevelCount "level-count" Error
    "the processors of a unit must fit its part of the APIC id and be no fewer than those of the level below; Linux stops at a level of none"
    "correct EBX, or the shift in EAX"
    /// Two leaves of levels count otherwise.
    LevelCountsDiffer "level-counts-differ" Warning
    "the manual has the numbers of processors for display alone, and guests cut APIC ids by the shifts; which number they show depends on the leaf"
    "let the leaves give the same processors for thread and package"
    /// Two leaves of levels cut APIC ids otherwise.
    LevelsDiffer "levels-differ" Error
    "which topology the guest has depends on which leaf its kernel looks at"
    "let the leaves give the same shifts for thread and package"
    /// Topologies of two vCPUs do not agree.
    TopologiesDiffer "topologies-differ" Error
    "a guest cuts all APIC ids by one processor's shifts"
    "give all vCPUs the same levels, apart from the x2APIC id"
    /// Leaf 1 counts fewer logical processors than the levels.
    LogicalCountLow "logical-count-low" Warning
    "kernels that do not use leaf 0xB cut the APIC id by this number, and see more packages than others"
    "set bits 23 to 16 of 1.EBX to the package's processors (AMD), or to the ids that it has room for (Intel)"
    /// Leaf 1 counts more logical processors than the levels have room for.
    LogicalCount "logical-count" Error
    "kernels that do not use leaf 0xB cut the APIC id by this number, and join packages"
    "set bits 23 to 16 of 1.EBX to the package's processors (AMD), or to the ids that it has room for (Intel)"
    /// A number of logical processors without HTT.
    LogicalCountHidden "logical-count-without-htt" Warning
    "without HTT (bit 28 of 1.EDX) a guest takes the package for a single processor, and does not read the number"
    "set HTT, or clear bits 23 to 16 of 1.EBX"
    /// HTT without a number of logical processors.
    HttAlone "htt-without-count" Warning
    "HTT says that bits 23 to 16 of 1.EBX hold the number of logical processors"
    "set the number, or clear HTT"
    /// CMP_LEGACY without HTT, or on another vendor's processor.
    CmpLegacy "cmp-legacy" Warning
    "CMP_LEGACY says that what HTT counts are cores; it means nothing without HTT, and only AMD has it"
    "clear it, or set HTT"
    /// A cache is shared by more than the package has room for.
    CacheSharing "cache-sharing" Warning
    "Linux groups processors by the cache that they share: groups larger than the package join sockets, and the scheduler complains"
    "lower bits 25 to 14 of the cache's EAX"
    /// Leaf 4 has fewer ids of cores than the levels count cores.
    CoreCountLow "core-count-low" Warning
    "kernels that do not use leaf 0xB take several cores for threads of one"
    "set bits 31 to 26 of leaf 4's EAX to the core ids of a package, less one"
    /// Leaf 4 has more ids of cores than the levels have room for.
    CoreCount "core-count" Error
    "kernels that do not use leaf 0xB take a core's threads for cores, or join packages"
    "set bits 31 to 26 of leaf 4's EAX to the core ids of a package, less one"
    /// 0x80000008 counts fewer threads than the levels.
    AmdThreadCountLow "amd-thread-count-low" Warning
    "AMD's kernels that do not use leaf 0xB see a smaller package, and more of them"
    "set bits 7 to 0 to the package's threads less one"
    /// 0x80000008 cuts APIC ids otherwise than the levels, or has no room for its own threads.
    AmdThreadCount "amd-thread-count" Error
    "AMD's kernels cut the APIC id by 0x80000008's ECX where they do not use leaf 0xB"
    "set bits 7 to 0 to the package's threads less one, and bits 15 to 12 to the width of their ids"
    /// 0x8000001E counts a core's threads otherwise than the levels.
    AmdCoreThreads "amd-core-threads" Error
    "which threads share a core depends on which leaf the guest's kernel looks at"
    "let bits 15 to 8 of 0x8000001E's EBX be the threads of a core, less one"
    /// Threads of one core have two core ids.
    CoreIds "core-ids" Error
    "Linux finds a core's threads by the core id, and schedules on halves of cores as if they were whole"
    "give the threads of a core the same core id"
    /// One node in two packages.
    NodeIds "node-ids" Error
    "Linux takes the node for the die: processors of two sockets would share a die and its cache"
    "give each package node ids of its own"

    /// Leaves of one vCPU give it two APIC ids.
    ApicIdsDiffer "apic-ids-differ" Error
    "the guest finds its processors by APIC id, and KVM knows one for each vCPU: with two ids one of them does not start, or interrupts go astray"
    "write the vCPU's APIC id into 1.EBX (low 8 bits), 0xB, 0x1F and 0x8000001E"
    /// Two vCPUs have the same APIC id.
    ApicIdUsedTwice "apic-id-used-twice" Error
    "the guest sees one processor where there are two, and an interrupt to the one reaches the other"
    "give each vCPU the id that it was created with"
    /// An APIC id that does not fit what the guest may use.
    ApicIdTooWide "apic-id-too-wide" Error
    "without x2APIC an id has 8 bits, and 255 means all processors"
    "show x2APIC, or choose a smaller id"
    /// An APIC id that this host's KVM cannot create.
    ApicIdLimit "apic-id-limit" Error host
    "KVM_CREATE_VCPU takes ids below KVM_CAP_MAX_VCPU_ID, and an APIC id is a vCPU's id"
    "choose smaller ids, with a topology of fewer gaps"

    /// A vendor that KVM and Linux do not know.
    UnknownVendor "unknown-vendor" Warning
    "KVM answers by Intel's rules, and a Linux guest by none: it applies no mitigation and no quirk"
    "set the vendor to the host's"
    /// A leaf of another vendor.
    VendorLeaf "leaf-of-another-vendor" Warning
    "the manual of this vendor has the leaf as reserved: a guest does not look, or takes it for something else"
    "remove the entry"
    /// A feature of another vendor.
    VendorFeature "feature-of-another-vendor" Warning
    "KVM offers virtualization as the host's vendor has it; a guest of the other vendor finds no use for it"
    "take the feature out"
    /// Leaves 0 and 0x80000000 name two vendors.
    VendorsDiffer "vendors-differ" Error
    "which vendor's rules apply depends on which leaf is asked"
    "let EBX, ECX and EDX of 0x80000000 be those of leaf 0 (on Intel, or zeros)"
    /// AMD's 0x80000000 does not repeat the vendor.
    VendorNotRepeated "vendor-not-repeated" Warning
    "AMD's processors repeat the vendor in 0x80000000"
    "copy EBX, ECX and EDX of leaf 0 to 0x80000000"
    /// AMD's 0x80000001 has another signature than leaf 1.
    SignaturesDiffer "signatures-differ" Warning
    "AMD's processors repeat family, model and stepping in 0x80000001's EAX"
    "copy 1.EAX to 0x80000001's EAX"
    /// AMD's copies in 0x80000001.EDX are not those of 1.EDX.
    AliasesDiffer "aliases-differ" Error
    "AMD's processors repeat 18 bits of 1.EDX in 0x80000001's EDX: which features the guest has depends on which it reads"
    "copy these bits of 1.EDX to 0x80000001's EDX"
    /// AMD's copies on another vendor's processor.
    AliasesReserved "aliases-reserved" Warning
    "only AMD repeats bits of 1.EDX there; other vendors have them reserved"
    "clear them in 0x80000001's EDX"

    /// The hypervisor bit without leaves.
    HypervisorBitAlone "hypervisor-bit-alone" Warning
    "the guest reads what KVM answers for a leaf out of range, and finds no hypervisor that it knows: no kvmclock, no paravirtual features"
    "add 0x40000000 and 0x40000001, unless the guest must not know KVM"
    /// Hypervisor leaves without the bit.
    HypervisorLeavesHidden "hypervisor-leaves-hidden" Warning
    "guests look at the leaves from 0x40000000 on only where bit 31 of 1.ECX is set"
    "set it, or remove the leaves"
    /// KVM's signature without its features.
    KvmFeaturesMissing "kvm-features-missing" Warning
    "the guest knows that it runs on KVM, and is offered nothing"
    "add the leaf after the signature's, as KVM_GET_SUPPORTED_CPUID has 0x40000001"
    /// Hyper-V's signature without its interface.
    HypervInterface "hyperv-interface" Warning
    "KVM turns its Hyper-V emulation on by \"Hv#1\" in 0x40000001's EAX, and Windows its enlightenments"
    "take Hyper-V's leaves from KVM_GET_SUPPORTED_HV_CPUID"
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
