//! The kinds of findings, as data: name, severity, why it matters and what to do.
//!
//! Names are stable, so that scripts can match them. A kind has one severity: where a fault may or may not be
//! harmless, there are two kinds.

use core::fmt;

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Unusual but harmless.
    Warning,
    /// KVM refuses the table, or the guest sees something that is not true.
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

/// Defines [`Kind`]: doc, kind, name, severity, `host` if the check needs a host; why it matters; what to do.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident $name:literal $severity:ident $($host:ident)? $why:literal $help:literal)+) => {
        /// What a finding is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])+ $kind,)+
        }

        impl Kind {
            /// All kinds, by domain.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            /// Its stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)+
                }
            }

            /// Its severity.
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

            /// True if it is about what a confidential guest's firmware or module does, which look at every entry.
            pub(super) const fn is_confidential(self) -> bool {
                matches!(
                    self,
                    Kind::SevSnpRefused
                        | Kind::SevSnpDiffers
                        | Kind::TdxRefused
                        | Kind::TdxForced
                        | Kind::TdxWithheld
                        | Kind::TdxDiffers
                )
            }

            /// True if it can be found only with a host's KVM.
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
    /// There are basic leaves, but no leaf 0.
    NoLeafZero "no-leaf-0" Error
    "leaf 0 holds the vendor and the highest basic leaf; KVM needs it for the vendor's rules, guests for everything else"
    "add an entry for leaf 0"
    /// There are no basic leaves.
    NoBasicLeaves "no-basic-leaves" Warning
    "the guest sees a processor without vendor and features, on which no operating system runs"
    "start from KVM_GET_SUPPORTED_CPUID's answer or a CPU model"
    /// A range has leaves, but its first leaf, which holds the maximum, is missing.
    NoMaximum "no-maximum" Error
    "a guest reads the range's highest leaf from its first leaf, and reads no other leaf if it is missing"
    "add the range's first leaf, with its highest leaf in EAX"
    /// A leaf is above its range's maximum.
    LeafAboveMaximum "leaf-above-maximum" Error
    "guests do not read leaves above the maximum; Linux turns off the features that need them"
    "raise the maximum, or remove the entry"
    /// The maximum is above every leaf of the range.
    MaximumAboveLeaves "maximum-above-leaves" Warning
    "the missing leaves read as zeros, and by Intel's rules leaves above the maximum then read as zeros instead of the highest leaf"
    "lower the maximum to the highest leaf, unless zeros are intended"
    /// The maximum is outside its range.
    MaximumOutOfRange "maximum-out-of-range" Error
    "guests conclude that the processor lacks these leaves; Linux then sees no extended feature, not even 64-bit mode"
    "set EAX to the highest leaf of the range"

    /// A leaf is outside the ranges that guests read.
    LeafOutsideRanges "leaf-outside-ranges" Warning
    "guests read only the ranges from 0, 0x40000000, 0x80000000, 0x80860000 (Transmeta) and 0xC0000000 (Centaur)"
    "remove the entry"

    /// More entries than KVM accepts.
    TooManyEntries "too-many-entries" Error
    "KVM_SET_CPUID2 fails with E2BIG and sets no entry (the limit is 80 before Linux 5.11, 256 since)"
    "remove entries whose registers are all zero: without them KVM returns zeros too"
    /// Shadowed by an earlier entry with different values.
    UnreachableEntry "unreachable-entry" Error
    "KVM uses the first matching entry: the guest never reads this one"
    "remove one of them"
    /// Shadowed by an earlier entry with the same values.
    RepeatedEntry "repeated-entry" Warning
    "KVM uses the first matching entry: this one only takes up space"
    "remove one of them"
    /// An entry of a leaf with subleaves lacks `KVM_CPUID_FLAG_SIGNIFCANT_INDEX`.
    IndexNotFlagged "index-not-flagged" Error
    "without KVM_CPUID_FLAG_SIGNIFCANT_INDEX the entry answers for every subleaf: later entries are hidden, and a guest enumerating subleaves may loop forever"
    "set bit 0 of flags"
    /// An entry of a leaf without subleaves has the flag.
    FlagOnPlainLeaf "flag-on-plain-leaf" Error
    "with KVM_CPUID_FLAG_SIGNIFCANT_INDEX the guest reads the entry only if its ECX happens to hold the index, and zeros if not"
    "clear bit 0 of flags"
    /// A flag that KVM does not define for this entry.
    UnknownFlag "unknown-flag" Warning
    "KVM stores the flag but ignores it"
    "clear it"
    /// A leaf has subleaves, but not subleaf 0.
    NoFirstSubleaf "no-first-subleaf" Error
    "subleaf 0 lists the existing subleaves: a guest reads zeros there and stops"
    "add subleaf 0"
    /// A list of subleaves has no terminator.
    NoTerminator "no-terminator" Warning
    "KVM returns zeros beyond the list, which end it; other readers of the table may not"
    "add a subleaf whose type is 0"
    /// A subleaf that a guest's enumeration does not reach.
    SubleafNotReached "subleaf-not-reached" Error
    "a guest stops before it and never reads it"
    "close the gap, or raise the count in subleaf 0"

    /// A feature that this host's KVM does not support.
    FeatureNotSupported "feature-not-supported" Error host
    "the guest uses the feature and gets an exception: a C library or kernel that selects code by CPUID crashes with an invalid-opcode or general-protection exception"
    "remove the feature from the guest's table"
    /// An unnamed bit that this host's KVM does not support.
    BitNotSupported "bit-not-supported" Error host
    "KVM does not know what the bit promises the guest"
    "clear the bit"
    /// A feature without a feature that it depends on.
    FeatureNeeds "feature-needs" Error
    "software that sees the feature relies on its dependency and gets an invalid-opcode exception; Linux turns the feature off and logs it"
    "add the missing feature, or remove this one"
    /// A feature that depends on one of several, and has none of them.
    FeatureNeedsOneOf "feature-needs-one-of" Warning
    "software sees the feature but has no way to use it"
    "add one of them, or remove the feature"
    /// A feature without another that processors with it have.
    FeatureExpects "feature-expects" Warning
    "no processor has only the first feature, or it is useless alone: software was never tested with this combination"
    "add the missing feature, or remove this one"
    /// A feature whose leaf is missing or zeros.
    LeafMissing "leaf-missing" Warning
    "the leaf describes the feature, and a guest reads zeros there as sizes, counts or ids"
    "add the leaf, or remove the feature"
    /// vCPUs have different features.
    FeaturesDiffer "features-differ" Warning
    "a guest reads one processor's features and assumes them on all: a program that migrates to another vCPU crashes"
    "give all vCPUs the same features"
    /// A bit that no release names.
    UnknownBit "unknown-bit" Warning
    "it is unknown what the bit promises the guest"
    "clear it, unless a newer release defines it"
    /// Reserved bits of a leaf that holds numbers.
    ReservedBits "reserved-bits" Warning
    "the vendor's manual reserves the bits, and processors have zeros there: SEV-SNP's firmware rejects a CPUID page with such a bit, and a later processor may define it"
    "clear them"

    /// XSAVE without leaf 0xD.
    NoXsaveLeaf "no-xsave-leaf" Error
    "a guest that turns on XSAVE reads the size of the area from leaf 0xD, and gets 0"
    "add leaf 0xD with its subleaves, or remove XSAVE"
    /// Leaf 0xD without XSAVE.
    XsaveLeafAlone "xsave-leaf-without-xsave" Warning
    "without XSAVE guests do not read leaf 0xD"
    "remove leaf 0xD, or add XSAVE"
    /// XCR0 has components that XSETBV refuses in this combination.
    Xcr0Invalid "xcr0-invalid" Error
    "a guest that turns on every offered component gets a general protection fault from XSETBV, and its kernel crashes at boot"
    "set the components that belong together, or none of them"
    /// A feature that kernels use on their own, and whose state component is not in XCR0.
    FeatureWithoutComponent "feature-without-component" Error
    "a guest cannot enable the feature's registers: its instructions raise invalid-opcode exceptions, or its state is lost on a task switch"
    "set the component's bit in 0xD.0, or remove the feature"
    /// A feature that programs must request from the kernel, and whose state component is not in XCR0.
    FeatureUnusable "feature-unusable" Warning
    "the guest's kernel cannot enable the state: programs that only check the feature crash, and those that request it are refused"
    "set the component's bit in 0xD.0, or remove the feature"
    /// A component without its feature.
    ComponentWithoutFeature "component-without-feature" Warning
    "the guest saves a component that nothing uses"
    "clear the component's bit, or add the feature"
    /// A component in XCR0 or IA32_XSS without a subleaf.
    ComponentNotDescribed "component-not-described" Error
    "a guest reads size and offset 0 for it: Linux then turns XSAVE off, or lets components overlap"
    "add the component's subleaf, with the host's values"
    /// A component that kernels save separately, and that has no subleaf.
    ComponentSizeUnknown "component-size-unknown" Warning
    "Linux saves last branch records separately, with the size that it knows"
    "add the component's subleaf, with the host's values"
    /// A subleaf for a component that is in neither XCR0 nor IA32_XSS.
    ComponentNotEnabled "component-not-enabled" Warning
    "guests ignore components that are neither in 0xD.0 nor in 0xD.1"
    "remove the subleaf, or set the component's bit"
    /// A component whose size differs from its size on every processor.
    ComponentSize "component-size" Error
    "the processor always stores the component's full size: Linux compares the size with its own and turns XSAVE off"
    "set the size to the component's"
    /// A component whose offset differs from its offset on every processor.
    ComponentOffset "component-offset" Error
    "XSAVE uses the processor's offset, whatever the table holds: at any other offset a guest reads another component"
    "set EBX to the offset in the manual"
    /// Two components overlap, or a component overlaps the legacy region.
    ComponentOverlap "component-overlap" Error
    "the processor overwrites one component with the other"
    "take offsets and sizes from the host's leaf 0xD"
    /// ECX and the masks disagree about whether a component is a user or a supervisor component.
    ComponentMask "component-mask" Error
    "by the mask the component belongs to one of XCR0 and IA32_XSS, by its subleaf to the other"
    "make bit 0 of ECX agree with the mask: 0 for 0xD.0, 1 for 0xD.1"
    /// A component's offset or size differs from this host's.
    ComponentPlace "component-place" Error host
    "XSAVE uses this processor's offset and size, whatever the table holds"
    "take offsets and sizes from the host's leaf 0xD"
    /// XCR0 or IA32_XSS has a component that this host's KVM does not support.
    ComponentNotSupported "component-not-supported" Error host
    "the guest's XSETBV, or its write to IA32_XSS, causes a general protection fault"
    "clear the component's bit, and the features that depend on it"
    /// A component that KVM accepts only after the process has requested it.
    ComponentPermission "component-permission" Warning host
    "KVM_SET_CPUID2 fails with EPERM unless the process has requested the component before creating its first vCPU"
    "call arch_prctl(ARCH_REQ_XCOMP_GUEST_PERM, component) first"
    /// The size of the area is smaller than its components need.
    XsaveSize "xsave-size" Error
    "a guest allocates too little memory, and XSAVE writes past its end"
    "set 0xD.0's ECX to the end of the last component"
    /// The size of the area is larger than its components need.
    XsaveSizeLarge "xsave-size-large" Warning
    "a guest allocates more memory per task than it needs"
    "set 0xD.0's ECX to the end of the last component"
    /// The size for the enabled components is out of bounds.
    XsaveCurrentSize "xsave-current-size" Warning
    "KVM replaces it by the size for the guest's XCR0; other readers see the table's value"
    "set 0xD.0's EBX to 576, or to ECX"
    /// The compacted size does not match the components.
    XsaveCompactedSize "xsave-compacted-size" Warning
    "KVM replaces it by the size for the guest's XCR0 and IA32_XSS; other readers see the table's value"
    "set 0xD.1's EBX to the compacted size of all components"

    /// A linear address width that KVM refuses.
    VirtualWidth "virtual-width" Error
    "KVM_SET_CPUID2 fails with EINVAL: it accepts only 0, 48 and 57"
    "set bits 15 to 8 of 0x80000008's EAX to 48, or to 57 with LA57"
    /// The linear address width contradicts LA57.
    VirtualWidthPaging "virtual-width-la57" Warning
    "57 bits need five-level paging, which LA57 announces"
    "set the width to 57 with LA57, else to 48"
    /// A physical address width that no processor has.
    PhysicalWidth "physical-width" Error
    "KVM uses it as the guest's MAXPHYADDR: page tables reserve the bits above it, and have no bits above 52"
    "set bits 7 to 0 of 0x80000008's EAX to at least 36 and at most the host's width"
    /// A physical address width above the host's.
    PhysicalWidthHost "physical-width-host" Warning host
    "a guest that places a device or memory at such an address cannot reach it, or gets an unexpected page fault"
    "set the width to the host's"
    /// Fewer physical bits than the host has.
    PhysicalWidthLow "physical-width-low" Warning host
    "a guest uses only addresses below this width: large memory or large BARs do not fit, and KVM on Intel reports no page fault for the bits in between"
    "set the width to the host's (QEMU: host-phys-bits=on)"
    /// A guest-physical address width above the physical one.
    GuestPhysicalWidth "guest-physical-width" Warning
    "it is the part of the physical addresses that a guest can map, and cannot exceed them"
    "set bits 23 to 16 of 0x80000008's EAX to 0, or to at most bits 7 to 0"

    /// Levels are out of order or of an unknown type.
    LevelOrder "level-order" Error
    "guests expect level types to ascend from thread; if they do not, guests stop or misplace processors"
    "list thread, then core, then any higher level"
    /// A level holds another level's number.
    LevelNumber "level-number" Warning
    "bits 7 to 0 of ECX repeat the requested subleaf"
    "set them to the subleaf"
    /// Shifts decrease.
    LevelShift "level-shift" Error
    "a guest splits the APIC id by these shifts: units of a level would be larger than those of the next"
    "set each level's shift to at least the previous level's"
    /// A level's processor count does not fit its shift or the level below.
    LevelCount "level-count" Error
    "a unit's processors must fit its part of the APIC id and be at least as many as on the level below; Linux stops at a level without processors"
    "correct EBX, or the shift in EAX"
    /// Two topology leaves have different counts.
    LevelCountsDiffer "level-counts-differ" Warning
    "the counts are only for display, since guests split APIC ids by the shifts; which count they show depends on the leaf they read"
    "set the same counts for thread and package in both leaves"
    /// Two topology leaves split APIC ids differently.
    LevelsDiffer "levels-differ" Error
    "the topology that the guest sees depends on which leaf its kernel reads"
    "set the same shifts for thread and package in both leaves"
    /// Two vCPUs have different topologies.
    TopologiesDiffer "topologies-differ" Error
    "a guest splits all APIC ids by one processor's shifts"
    "give all vCPUs the same levels, apart from the x2APIC id"
    /// A core, die or package has more vCPUs than the table states.
    UnitOverfull "unit-overfull" Error
    "a guest cuts APIC ids at the shifts: it sees a unit that is larger than the table says, and others that are smaller than they should be"
    "begin the APIC ids of each unit with a multiple of two to the power of its shift"
    /// A package has more vCPUs than 0xB or 0x80000008 counts, and room for twice as many as that.
    UnitCountLow "unit-count-low" Warning
    "guests cut APIC ids by the shifts, and the number is for display: tools show a smaller package (QEMU 7.2 counts one die here)"
    "let EBX of 0xB's last level and ECX of 0x80000008 count the whole package"
    /// Leaf 1 counts fewer logical processors than the levels.
    LogicalCountLow "logical-count-low" Warning
    "kernels that do not use leaf 0xB split the APIC id by this count, and see too many packages"
    "set bits 23 to 16 of 1.EBX to the package's processors (AMD), or the number of ids it has room for (Intel)"
    /// Leaf 1 counts more logical processors than the levels have room for.
    LogicalCount "logical-count" Error
    "kernels that do not use leaf 0xB split the APIC id by this count, and merge packages"
    "set bits 23 to 16 of 1.EBX to the package's processors (AMD), or the number of ids it has room for (Intel)"
    /// A logical processor count without HTT.
    LogicalCountHidden "logical-count-without-htt" Warning
    "without HTT (bit 28 of 1.EDX) a guest assumes one processor per package and ignores the count"
    "set HTT, or clear bits 23 to 16 of 1.EBX"
    /// HTT without a logical processor count.
    HttAlone "htt-without-count" Warning
    "HTT means that bits 23 to 16 of 1.EBX hold the logical processor count"
    "set the count, or clear HTT"
    /// CMP_LEGACY without HTT, or on another vendor's processor.
    CmpLegacy "cmp-legacy" Warning
    "CMP_LEGACY means that HTT's count is a core count; it has no meaning without HTT, and only AMD has it"
    "clear it, or set HTT"
    /// A cache is shared by more APIC ids than the package has.
    CacheSharing "cache-sharing" Warning
    "Linux groups processors by shared cache: groups larger than a package merge sockets, and the scheduler warns"
    "lower bits 25 to 14 of the cache's EAX"
    /// The vCPUs that share a cache depend on how a guest rounds.
    CacheSharingUneven "cache-sharing-uneven" Warning
    "Linux divides APIC ids by the number, and other guests shift them by its width: the two find different vCPUs that share the cache (QEMU rounds since 9.1)"
    "set bits 25 to 14 of the cache's EAX to a power of two, less one"
    /// Leaf 4 has fewer core ids than the levels count cores.
    CoreCountLow "core-count-low" Warning
    "kernels that do not use leaf 0xB treat several cores as threads of one core"
    "set bits 31 to 26 of leaf 4's EAX to the number of core ids of a package minus one"
    /// Leaf 4 has more core ids than the levels have room for.
    CoreCount "core-count" Error
    "kernels that do not use leaf 0xB treat a core's threads as cores, or merge packages"
    "set bits 31 to 26 of leaf 4's EAX to the number of core ids of a package minus one"
    /// 0x80000008 counts fewer threads than the levels.
    AmdThreadCountLow "amd-thread-count-low" Warning
    "on AMD, kernels that do not use leaf 0xB see more and smaller packages"
    "set bits 7 to 0 to the package's threads minus one"
    /// 0x80000008 splits APIC ids differently than the levels, or has no room for its own threads.
    AmdThreadCount "amd-thread-count" Error
    "on AMD, kernels that do not use leaf 0xB split the APIC id by 0x80000008's ECX"
    "set bits 7 to 0 to the package's threads minus one, and bits 15 to 12 to the width of their ids"
    /// 0x8000001E and the levels count a core's threads differently.
    AmdCoreThreads "amd-core-threads" Error
    "which threads share a core depends on which leaf the guest's kernel reads"
    "set bits 15 to 8 of 0x8000001E's EBX to the threads of a core minus one"
    /// Threads of one core have different core ids.
    CoreIds "core-ids" Error
    "Linux finds a core's threads by the core id, and schedules parts of cores as whole cores"
    "give the threads of a core the same core id"
    /// One node spans two packages.
    NodeIds "node-ids" Error
    "Linux treats the node as the die: processors of two sockets would share a die and its cache"
    "use different node ids in each package"

    /// Leaves of one vCPU contain different APIC ids.
    ApicIdsDiffer "apic-ids-differ" Error
    "the guest finds its processors by APIC id, and KVM has one per vCPU: with two ids a vCPU does not start, or interrupts are misrouted"
    "write the vCPU's APIC id into 1.EBX (low 8 bits), 0xB, 0x1F and 0x8000001E"
    /// Two vCPUs have the same APIC id.
    ApicIdUsedTwice "apic-id-used-twice" Error
    "the guest sees one processor instead of two, and an interrupt for one reaches the other"
    "give each vCPU the id with which it was created"
    /// An APIC id too large for the guest.
    ApicIdTooWide "apic-id-too-wide" Error
    "without x2APIC an id has 8 bits, and 255 addresses all processors"
    "set x2APIC, or choose a smaller id"
    /// An APIC id that this host's KVM cannot create.
    ApicIdLimit "apic-id-limit" Error host
    "KVM_CREATE_VCPU accepts only ids below KVM_CAP_MAX_VCPU_ID, and an APIC id is a vCPU's id"
    "choose smaller ids, with a topology of fewer gaps"

    /// A vendor unknown to KVM and Linux.
    UnknownVendor "unknown-vendor" Warning
    "KVM applies Intel's rules; a Linux guest applies no vendor's mitigations and workarounds"
    "set the vendor to the host's"
    /// A leaf of another vendor.
    VendorLeaf "leaf-of-another-vendor" Warning
    "this vendor's manual reserves the leaf: guests ignore or misread it"
    "remove the entry"
    /// A feature of another vendor.
    VendorFeature "feature-of-another-vendor" Warning
    "KVM offers the host vendor's virtualization; a guest with the other vendor cannot use it"
    "remove the feature"
    /// Leaves 0 and 0x80000000 name different vendors.
    VendorsDiffer "vendors-differ" Error
    "which vendor's rules apply depends on which leaf is read"
    "set EBX, ECX and EDX of 0x80000000 to those of leaf 0 (on Intel, zeros are valid too)"
    /// AMD's 0x80000000 does not repeat the vendor.
    VendorNotRepeated "vendor-not-repeated" Warning
    "AMD's processors repeat the vendor in 0x80000000"
    "copy EBX, ECX and EDX of leaf 0 to 0x80000000"
    /// AMD's 0x80000001 and leaf 1 have different signatures.
    SignaturesDiffer "signatures-differ" Warning
    "AMD's processors repeat family, model and stepping in 0x80000001's EAX"
    "copy 1.EAX to 0x80000001's EAX"
    /// AMD's copies in 0x80000001.EDX differ from 1.EDX.
    AliasesDiffer "aliases-differ" Error
    "AMD's processors repeat 18 bits of 1.EDX in 0x80000001's EDX: the features that the guest sees depend on which it reads"
    "copy those bits of 1.EDX to 0x80000001's EDX"
    /// AMD's copies of 1.EDX with another vendor.
    AliasesReserved "aliases-reserved" Warning
    "only AMD repeats bits of 1.EDX there; other vendors reserve them"
    "clear them in 0x80000001's EDX"

    /// The hypervisor bit without hypervisor leaves.
    HypervisorBitAlone "hypervisor-bit-alone" Warning
    "the guest reads what KVM returns for an out-of-range leaf, and detects no known hypervisor: no kvmclock, no paravirtual features"
    "add 0x40000000 and 0x40000001, unless KVM must stay hidden from the guest"
    /// Hypervisor leaves without the hypervisor bit.
    HypervisorLeavesHidden "hypervisor-leaves-hidden" Warning
    "guests read the leaves from 0x40000000 only if bit 31 of 1.ECX is set"
    "set it, or remove the leaves"
    /// KVM's signature without its feature leaf.
    KvmFeaturesMissing "kvm-features-missing" Warning
    "the guest detects KVM but sees none of its features"
    "add the leaf after the signature's, with 0x40000001's values from KVM_GET_SUPPORTED_CPUID"
    /// Hyper-V's signature without its interface identifier.
    HypervInterface "hyperv-interface" Warning
    "KVM enables its Hyper-V emulation, and Windows its enlightenments, by \"Hv#1\" in 0x40000001's EAX"
    "take Hyper-V's leaves from KVM_GET_SUPPORTED_HV_CPUID"

    /// SEV-SNP's firmware refuses the CPUID page.
    SevSnpRefused "sev-snp-refused" Error
    "the firmware refuses a CPUID page with a value that the processor does not have, and the launch fails with SEV_RET_INVALID_PARAM"
    "take it from the host's CPUID instruction, or clear it"
    /// An SEV-SNP guest's table has more than this one.
    SevSnpDiffers "sev-snp-differs" Warning
    "QEMU builds a different table for an SEV-SNP guest, with its encryption leaf"
    "set SEV, SEV-ES and SEV-SNP, the C-bit's place and the lost address bits in 0x8000001F, as QEMU does"
    /// KVM or the TDX module refuses the table.
    TdxRefused "tdx-refused" Error
    "KVM_TDX_INIT_VM fails with EINVAL"
    "clear it; guest-phys-bits of QEMU's -cpu sets the width"
    /// The TDX module sets bits that the table lacks.
    TdxForced "tdx-forced" Warning
    "the guest sees the feature although the table lacks it; QEMU warns of it, and with enforce=on refuses"
    "set it"
    /// The guest does not see a feature of the table.
    TdxWithheld "tdx-withheld" Error
    "the TDX module answers CPUID by the TD's ATTRIBUTES and XFAM: the guest does not see the feature"
    "clear it, or add the component"
    /// QEMU builds another table for a TD.
    TdxDiffers "tdx-differs" Warning
    "QEMU builds a different table for a TD: host and max only, with leaf 0x1F, and few of KVM's features"
    "use the table of a QEMU that runs the TD: --guest-of"
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
