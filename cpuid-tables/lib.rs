//! The CPUID of a guest: the feature bits of Linux, KVM and QEMU in one table, keyed by hardware location.
//!
//! A hardware feature *is* its leaf, subleaf, register and bit. Its other properties, such as the macro, the name in
//! `/proc/cpuinfo`, the word or QEMU's name, depend on a release, and their look-ups take one:
//!
//! ```
//! use cpuid_tables::{LinuxRelease, QemuRelease, feature, lookup, Named};
//!
//! let avx2 = feature::AVX2;
//! assert_eq!(avx2.location().to_string(), "CPUID.(EAX=7,ECX=0):EBX[5]");
//! assert_eq!(avx2.flag(LinuxRelease::NEWEST), Some("avx2"));
//! assert_eq!(avx2.qemu_name(QemuRelease::NEWEST), Some("avx2"));
//! assert_eq!(lookup("X86_FEATURE_AVX2"), Ok(Named::Feature(avx2)));
//! ```
//!
//! # Five types of bits
//!
//! | type | constants | meaning |
//! |---|---|---|
//! | [`Feature`] | [`feature`] | a bit of a CPUID register |
//! | [`SoftwareFeature`] | [`software`] | an `X86_FEATURE_*` that Linux defines in software |
//! | [`Bug`] | [`bug`] | an `X86_BUG_*` |
//! | [`VmxFeature`] | [`vmx`] | a `VMX_FEATURE_*`, as Linux numbers them |
//! | [`MsrFeature`] | [`msr`] | a bit of an MSR, named by QEMU |
//!
//! Only a [`Feature`] has a CPUID location and a place in KVM's words. Separate types for the others make the compiler check
//! what KVM's `reverse_cpuid_check` checks. A software-defined bit has no location:
//!
//! ```compile_fail,E0599
//! # use cpuid_tables::SoftwareFeature;
//! fn location(bit: SoftwareFeature) -> cpuid_tables::Location {
//!     bit.location()
//! }
//! ```
//!
//! ```compile_fail,E0599
//! # use cpuid_tables::{KvmWord, LinuxRelease, SoftwareFeature};
//! fn kvm(bit: SoftwareFeature) -> Option<KvmWord> {
//!     bit.kvm_word(LinuxRelease::NEWEST)
//! }
//! ```
//!
//! It cannot be put into a set that becomes a guest's CPUID:
//!
//! ```compile_fail,E0308
//! # use cpuid_tables::{FeatureSet, SoftwareFeature};
//! fn offer(guest: &mut FeatureSet, bit: SoftwareFeature) {
//!     guest.insert(bit);
//! }
//! ```
//!
//! Neither can a bug, a VMX flag or an MSR's bit:
//!
//! ```compile_fail,E0308
//! # use cpuid_tables::{Bug, FeatureSet};
//! fn offer(guest: &mut FeatureSet, bit: Bug) {
//!     guest.insert(bit);
//! }
//! ```
//!
//! # Leaves that hold numbers
//!
//! A [`Field`] is a range of bits in a register that forms a number, such as a cache's level or a CPU's stepping. [`field`] has
//! the constants, by leaf. [`describe`] lists all parts of any register, features and fields:
//!
//! ```
//! use cpuid_tables::{CpuidWord, Register, describe, Leaf, Subleaf};
//!
//! let (ecx, value) = (CpuidWord::new(Leaf(7), Subleaf(0), Register::Ecx), 0x0042_0000);
//! let set: Vec<(&str, u32)> =
//!     describe(ecx).map(|part| (part.name(), part.read(value))).filter(|(_, value)| *value != 0).collect();
//! assert_eq!(set, [("mawau_val_lm", 1), ("RDPID", 1)]);
//! ```
//!
//! # From a host to a guest
//!
//! [`host`] describes a machine as a VMM sees it: KVM's list, the CPUID instruction's answers, feature MSRs. It reads this
//! machine, a recording, or a dump. [`guest`] builds the table of each vCPU as QEMU does, and reports what the host lacks:
//!
//! ```
//! # #[cfg(feature = "guest")] {
//! use cpuid_tables::host::{Host, HostFile};
//! use cpuid_tables::{feature, guest::GuestCpuid};
//!
//! let mut host = Host::default();
//! host.read(HostFile::Supported, "supported 7 0 1 0 20 0 0")?;
//! let guest = GuestCpuid::builder().cpu("base,+avx2,+sse3".parse()?).host(&host).build()?;
//! assert!(guest.table().has(feature::AVX2));
//! assert!(guest.filtered()[0].to_string().starts_with("host doesn't support requested feature: CPUID.01H:ECX.pni"));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`check`] finds what is wrong with a table before KVM takes it, here AVX2 without the features that it needs:
//!
//! ```
//! # #[cfg(feature = "check")] {
//! use cpuid_tables::check::{Check, Kind};
//! use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf};
//!
//! let table = [
//!     CpuidEntry::new(Leaf(0), Registers::new(7, 0x756e_6547, 0x6c65_746e, 0x4965_6e69)),
//!     CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, 0x20, 0, 0)),
//! ];
//! let report = Check::one(&table).run();
//! assert!(report.findings.iter().any(|finding| finding.kind == Kind::FeatureNeeds));
//! # }
//! ```
//!
//! [`kvm`] hands each vCPU its table and reads it back:
//!
//! ```no_run
//! # #[cfg(all(feature = "guest", feature = "kvm"))] {
//! use cpuid_tables::{guest::GuestCpuid, host::Host, kvm::Vcpus};
//!
//! let guest = GuestCpuid::builder().model("Nehalem").host(Host::this_machine()?).build()?;
//! let vm = kvm_ioctls::Kvm::new()?.create_vm()?;
//! let vcpu = vm.create_vcpu(guest.apic_id(0).into())?;
//! Vcpus::with_layout(guest.base(), guest.layout())?.set_only(&vcpu, guest.apic_id(0))?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`dump`] reads and writes the tables of other tools, and [`show`] explains them:
//!
//! ```
//! # #[cfg(feature = "dump")] {
//! use cpuid_tables::dump::{self, Options};
//! use cpuid_tables::{CpuidRead, feature};
//!
//! let text = "CPU 0:\n   0x00000007 0x00: eax=0x00000000 ebx=0x00000020 ecx=0x00000000 edx=0x00000000\n";
//! let dump = dump::read(text.as_bytes(), &Options::default())?;
//! assert!(dump.cpus[0].entries.has(feature::AVX2));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`fleet`] finds what many hosts have in common, and [`meaning`] how each field is combined:
//!
//! ```
//! # #[cfg(feature = "fleet")] {
//! use cpuid_tables::fleet::Fleet;
//! use cpuid_tables::{CpuidEntry, Leaf, Registers, Subleaf, feature};
//!
//! let host = |ebx| {
//!     let intel = CpuidEntry::new(Leaf(0), Registers::new(7, 0x756e_6547, 0x6c65_746e, 0x4965_6e69));
//!     [intel, CpuidEntry::indexed(Leaf(7), Subleaf(0), Registers::new(0, ebx, 0, 0))]
//! };
//! let mut fleet = Fleet::new();
//! fleet.add("old", &host(0x20))?;
//! fleet.add("new", &host(0x1_0020))?;
//! let features = fleet.baseline()?.features();
//! assert!(features.contains(feature::AVX2) && !features.contains(feature::AVX512F));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! The tables and [`CpuidTable`] are `no_std`, do not allocate and have no `unsafe` code. Each module has a Cargo feature, so
//! that users compile only what they use:
//!
//! | feature | what it adds |
//! |---|---|
//! | `std` (default) | the standard library's errors and readers |
//! | `alloc` | what allocates without the standard library |
//! | `host` | what a host's KVM and CPU answer, from text, a recording or the CPUID instruction |
//! | `guest` | a guest's table as QEMU builds it; includes `host` |
//! | `check` | the faults of a table |
//! | `normalize` | tables made from any base by named steps, as VMMs do that do not follow QEMU; presets of five VMMs |
//! | `show` | tables decoded, compared and explained |
//! | `fleet` | baselines of many hosts, models that run on them, exports |
//! | `dump` | tables in the common dump formats |
//! | `kvm` | `/dev/kvm`: its capabilities, and setting vCPUs |
//! | `serde` | tables, hosts, findings and reports through serde |
//! | `json` | findings, tables and reports as JSON |
//! | `cli` | the command `kvm-cpuid`, with all of these except `generate` and `trees` |
//! | `generate` (default) | tables made while building, see below; without it, ready-made ones of the pinned releases |
//! | `trees` | builds from source trees, see below |
//!
//! # Another kernel, another QEMU
//!
//! The tables come from the pinned releases. Two environment variables of the build select other releases:
//! `CPUID_TABLES_LINUX` and `CPUID_TABLES_QEMU`. Each names a facts file that `cpuid-gen import` wrote (feature `generate`) or
//! the top directory of a source tree (feature `trees`). A relative path starts at the directory in which cargo was started.
//!
//! # Stability of the constants
//!
//! A constant of [`feature`], [`software`], [`mod@bug`], [`vmx`], [`msr`] or [`field`] keeps its name and its bit in
//! every later release of this crate and in every build, regardless of the kernel and QEMU that the build is made from. When
//! upstream renames a bit, the new name becomes a constant. The old one stays, deprecated, and names its successor. When no
//! release has the bit any more, the constant stays and its look-ups return `None`. A field's place is a fact that can be
//! corrected; the constant then follows the correction. A bump of the pinned releases can add names, and can change what a
//! release's look-ups return and the documentation of a constant.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "cli"),
    allow(rustdoc::broken_intra_doc_links, reason = "some modules are left out")
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(any(feature = "guest", feature = "kvm"))]
#[macro_use]
mod debug_by_message;

mod bits;
#[cfg(feature = "host")]
mod capability;
#[cfg(feature = "check")]
pub mod check;
pub mod cpuinfo;
#[cfg(feature = "dump")]
pub mod dump;
#[cfg(feature = "fleet")]
pub mod fleet;
mod generated;
#[cfg(feature = "guest")]
pub mod guest;
#[cfg(feature = "host")]
pub mod host;
#[cfg(feature = "kvm")]
pub mod kvm;
#[cfg(any(feature = "fleet", feature = "show"))]
pub mod meaning;
mod models;
#[cfg(any(feature = "check", feature = "dump", feature = "fleet", feature = "show"))]
pub mod naming;
#[cfg(feature = "normalize")]
pub mod normalize;
#[cfg(feature = "serde")]
mod serialized;
#[cfg(feature = "show")]
pub mod show;
mod table;
mod vocabulary;

#[cfg(feature = "serde")]
pub use serialized::VERSION as STORED_VERSION;

pub use bits::description::{Part, describe};
pub use bits::feature::Feature;
pub use bits::feature_set::{FeatureSet, FeatureSetIter};
pub use bits::field::{Field, TooLarge};
pub use bits::kernel_bits::{Bug, BugSet, SoftwareFeature, SoftwareSet, VmxFeature, VmxSet};
pub use bits::kvm_module::{KvmModule, KvmModuleRule, KvmParameter, ModuleAction};
pub use bits::kvm_treatment::{KvmTreatment, KvmWord};
pub use bits::location::{
    Bit, CpuidPlace, CpuidWord, FieldPlace, Leaf, Location, Msr, MsrBit, NotAPlace, Place, Register,
    RegisterIn, Registers, Subleaf, Word, WordBit, WordSource,
};
pub use bits::lookup::{Candidates, LookupError, Named, lookup};
pub use bits::msr_feature::{MsrFeature, MsrValue};
pub use bits::qemu_cpu::{Cache, CacheDescriptor, CacheKind, CacheSlot, DefaultVersion, SharedBy};
pub use bits::release::{LinuxRelease, QemuRelease, QemuWord};
pub use bits::xsave::XsaveComponent;
pub use models::cache::{Caches, LegacyCache};
pub use models::cpu_model::CpuModel;
pub use models::machine::{CompatProperty, CpuProperty, MachineType};
#[cfg(feature = "alloc")]
pub use table::VcpuBase;
pub use table::{
    AddressWidths, AmdNode, Answer, AnsweredBy, ApicLayout, Brand, CacheSubleaf, CpuidEntry, CpuidRead,
    CpuidTable, Hypervisor, IndexedLeaf, Lookup, OwnBits, OwnNumber, RunState, SetFieldError, Signature,
    TableFull, Terminator, TopologyDomain, TopologyLevel, Vendor, XsaveSubleaf, find_entry, kvm_answer,
};

/// A constant for every [`Feature`], named after its newest macro, or else after QEMU's name in upper case.
///
/// When several bits have the same name, the location is part of the constant's name: Linux's MBA has two locations,
/// `MBA_10_EBX_3` and `MBA_80000008_EBX_6`.
///
/// ```
/// use cpuid_tables::{FeatureSet, feature};
///
/// let guest: FeatureSet = [feature::AVX2, feature::BMI2].into_iter().collect();
/// assert!(guest.contains(feature::AVX2) && !guest.contains(feature::AVX512F));
/// assert_eq!(feature::AVX2.mask(), 1 << 5);
/// ```
pub mod feature {
    include!(concat!(env!("OUT_DIR"), "/feature.rs"));
}

/// A constant for every [`SoftwareFeature`].
///
/// ```
/// use cpuid_tables::{LinuxRelease, software};
///
/// assert_eq!(software::REP_GOOD.flag(LinuxRelease::NEWEST), Some("rep_good"));
/// ```
pub mod software {
    include!(concat!(env!("OUT_DIR"), "/software.rs"));
}

/// A constant for every [`Bug`].
///
/// ```
/// use cpuid_tables::{LinuxRelease, bug};
///
/// assert_eq!(bug::SPECTRE_V2.flag(LinuxRelease::NEWEST), Some("spectre_v2"));
/// ```
pub mod bug {
    include!(concat!(env!("OUT_DIR"), "/bug.rs"));
}

/// A constant for every [`VmxFeature`].
///
/// ```
/// use cpuid_tables::{LinuxRelease, vmx};
///
/// assert_eq!(vmx::UNRESTRICTED_GUEST.flag(LinuxRelease::NEWEST), Some("unrestricted_guest"));
/// ```
pub mod vmx {
    include!(concat!(env!("OUT_DIR"), "/vmx.rs"));
}

/// A constant for every [`MsrFeature`].
///
/// ```
/// use cpuid_tables::{QemuRelease, msr};
///
/// assert_eq!(msr::MDS_NO.location().to_string(), "MSR 0x10a[5]");
/// assert_eq!(msr::MDS_NO.qemu_name(QemuRelease::NEWEST), Some("mds-no"));
/// ```
pub mod msr {
    include!(concat!(env!("OUT_DIR"), "/msr.rs"));
}

/// A constant for every [`Field`] that Linux describes, by leaf. The fields come from kcpuid's `cpuid.csv` of the newest
/// release that has it.
///
/// A field has its short name from that file, in capitals. A bit that is a [`Feature`] is not repeated here.
///
/// ```
/// use cpuid_tables::{Registers, field::{leaf_4, leaf_80000008}};
///
/// // A cache as leaf 4 describes it; sizes, counts and numbers of threads are stored minus one.
/// let [eax, ebx, ecx, edx] = [0x0400_0121, 0x01c0_003f, 0x3f, 0];
/// let size = [
///     leaf_4::CACHE_LINESIZE.read(ebx),
///     leaf_4::CACHE_NPARTITIONS.read(ebx),
///     leaf_4::CACHE_NWAYS.read(ebx),
///     leaf_4::CACHE_NSETS.read(ecx),
/// ];
/// assert_eq!(size.into_iter().map(|less_one| less_one + 1).product::<u32>(), 32 << 10);
/// assert_eq!(leaf_4::CACHE_LEVEL.read_from(Registers { eax, ebx, ecx, edx }), 1);
///
/// // The address sizes of a guest: an error if the configured values do not fit.
/// fn address_sizes(host: u32, physical: u32, linear: u32) -> Result<u32, cpuid_tables::TooLarge> {
///     let eax = leaf_80000008::PHYS_ADDR_BITS.write(host, physical)?;
///     leaf_80000008::VIRT_ADDR_BITS.write(eax, linear)
/// }
/// assert_eq!(address_sizes(0x3034, 46, 48), Ok(0x302e));
/// assert!(address_sizes(0x3034, 460, 48).is_err());
/// ```
pub mod field {
    include!(concat!(env!("OUT_DIR"), "/field.rs"));
}

/// The README's examples are tests.
#[cfg(all(doctest, feature = "kvm"))]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// The package's README is tested, too.
#[cfg(all(doctest, feature = "kvm"))]
#[doc = include_str!("README.md")]
pub struct PackageReadme;
