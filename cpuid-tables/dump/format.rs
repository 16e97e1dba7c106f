//! The formats, and which one an input is in.

use core::fmt;
use core::str::FromStr;

use super::descriptor::{Descriptor, Mark};
use super::{lines, other};

/// Makes the public type from a line for each format: its variant, and the file that has its descriptor.
macro_rules! formats {
    ($($(#[doc = $doc:literal])* $format:ident = $file:ident,)+) => {
        /// A form in which people have CPUID tables.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[doc = $doc])* $format,)+
        }

        impl Format {
            /// All of them.
            pub const ALL: [Format; [$(Format::$format),+].len()] = [$(Format::$format),+];

            pub(super) const fn descriptor(self) -> &'static Descriptor {
                match self {
                    $(Format::$format => &super::$file::FORMAT,)+
                }
            }
        }
    };
}

formats! {
    /// Ours: `function index flags eax ebx ecx edx` in hexadecimal, a line each; a word before them tells the CPU.
    Entries = entries,
    /// Ours: an object for each CPU, or one with several; a recorded host.
    Json = json,
    /// What `kvm-cpuid show` prints.
    Decoded = decoded,
    /// What `cpuid -r` prints (the package `cpuid` of Linux distributions).
    CpuidR = cpuid_r,
    /// What `kcpuid -r` prints, of Linux's `tools/arch/x86/kcpuid`.
    Kcpuid = kcpuid,
    /// The dumps of InstLatx64, and AIDA64's, which they are made with.
    InstLatx64 = instlatx64,
    /// `cpuid_entries` as gdb and crash print them.
    Gdb = gdb,
    /// What strace prints of `KVM_SET_CPUID2`.
    Strace = strace,
    /// libvirt's `<cpuid .../>`: the data of its CPU tests, and its map of features.
    Libvirt = libvirt,
    /// Firecracker's CPU templates, and what its `cpu-template-helper` dumps.
    Firecracker = firecracker,
    /// The `cpuid` profiles of propolis' configuration.
    Propolis = propolis,
    /// The property `feature-words` of a CPU in QEMU, as its monitor prints it.
    QemuMonitor = qemu_monitor,
    /// The answer of QEMU's `query-cpu-model-expansion`.
    QemuModel = qemu_model,
    /// Rust's `{:?}` of KVM's entries.
    RustDebug = rust_debug,
    /// KVM's trace event `kvm_cpuid`.
    KvmTrace = kvm_trace,
    /// Cloud Hypervisor's log at level debug.
    CloudHypervisorLog = cloud_hypervisor,
    /// The CPUID page of an SEV-SNP guest, printed.
    SevSnp = snp,
    /// A guest's queries, as propolis' `DTrace` script prints them.
    PropolisDtrace = dtrace,
    /// libcpuid's raw dumps.
    Libcpuid = libcpuid,
    /// Xen's feature sets.
    Xen = xen,
    /// The setting `cpuid` of `xl`'s configuration.
    Xl = xl,
    /// The masks and tables of VMware's `.vmx`.
    Vmware = vmware,
    /// What `VBoxManage` prints and takes, and VBox.log.
    VirtualBox = virtualbox,
    /// What `cpuid` prints without `-r`.
    CpuidText = cpuid_text,
    /// Sysinternals' Coreinfo.
    Coreinfo = coreinfo,
    /// Linux's `/proc/cpuinfo`.
    Cpuinfo = cpuinfo,
    /// `lscpu`.
    Lscpu = lscpu,
    /// `cpu_info` of an OpenStack compute node.
    Nova = nova,
    /// FreeBSD's boot messages.
    FreeBsd = freebsd,
    /// `sysctl machdep.cpu` of an Intel Mac.
    MacOs = macos,
    /// OpenBSD's boot messages.
    OpenBsd = openbsd,
    /// The CPUID of an `ESXi` host.
    Esxi = esxi,
    /// nova's and `CloudStack`'s settings of guests' CPUs.
    CloudSettings = cloud_settings,
    /// `KubeVirt`'s VMs.
    KubevirtVm = vmi,
    /// libvirt's `<cpu>`.
    LibvirtCpu = libvirt_cpu,
    /// A list of features by name.
    FeatureList = feature_list,
    /// `-cpu` of a QEMU command line.
    QemuArgs = qemu_args,
    /// QEMU's warnings of features that the host lacks.
    QemuWarnings = qemu_warnings,
    /// Proxmox VE's CPU models, and a VM's `cpu:`.
    Proxmox = proxmox,
    /// Labels of Kubernetes nodes.
    Kubevirt = kubevirt,
    /// Names of CPU models.
    ModelList = model_list,
    /// What glibc's `ld.so` prints.
    LdSo = glibc,
    /// `isainfo` of illumos and Solaris.
    Isainfo = isainfo,
    /// A crash report of Java's `HotSpot`.
    Java = java,
}

impl Format {
    /// Its name, as `--from` and `--format` take it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.descriptor().name
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        self.descriptor().about
    }

    /// The format of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// True when tables can be written in it.
    #[must_use]
    pub const fn can_be_written(self) -> bool {
        self.descriptor().style.is_some()
    }

    /// The format of an input, by its head: the first line that is of one format alone decides; for JSON and XML, the
    /// contents.
    #[must_use]
    pub fn recognise(head: &[u8]) -> Option<Format> {
        // A time in brackets before a kernel's messages, or a process before strace's, begins no list.
        let first = match head.trim_ascii_start() {
            [b'[', rest @ ..] if is_text_next(rest) => None,
            head => head.first().copied(),
        };
        let is_document = matches!(first, Some(b'{' | b'['));
        lines::split(head)
            .find_map(|line| Format::of_line(line, is_document))
            .or_else(|| {
                let begins = |mark: &Mark| matches!(mark, Mark::MayBegin(byte) if Some(*byte) == first);
                Format::with_mark(begins).filter(|_| !other::is_no_document(head))
            })
            .or_else(|| lines::split(head).find_map(Format::shared_line))
            .or_else(|| lines::split(head).find_map(Format::perhaps_of_line))
    }

    /// The format that alone has such a line.
    fn of_line(line: &[u8], is_document: bool) -> Option<Format> {
        Format::with_mark(|mark| matches!(mark, Mark::Line(is_line) if is_line(line)))
            .or_else(|| {
                Format::with_mark(|mark| matches!(mark, Mark::Text(text) if lines::contains(line, text)))
            })
            .or_else(|| {
                let is_in = |text: &[u8]| is_document && lines::contains(line, text);
                Format::with_mark(|mark| matches!(mark, Mark::SharedText(text) if is_in(text)))
            })
    }

    /// The format that has such a line among others.
    fn shared_line(line: &[u8]) -> Option<Format> {
        Format::with_mark(|mark| matches!(mark, Mark::SharedLine(is_line) if is_line(line)))
    }

    /// The format that may have such a line.
    fn perhaps_of_line(line: &[u8]) -> Option<Format> {
        Format::with_mark(|mark| matches!(mark, Mark::MayBeLine(is_line) if is_line(line)))
    }

    /// The first format that has a mark in the input.
    fn with_mark(is_there: impl Fn(&Mark) -> bool) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.descriptor().marks.iter().any(&is_there))
    }
}

/// True where a letter or digit comes next in the line.
fn is_text_next(rest: &[u8]) -> bool {
    rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')).is_some_and(u8::is_ascii_alphanumeric)
}

/// The names of all formats, for a message.
pub(super) struct Names;

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, format) in Format::ALL.into_iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ", " }, format.name())?;
        }
        Ok(())
    }
}

/// No format has such a name; the message lists the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the formats are {Names}")
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    /// Reads a format's [`name`](Format::name).
    fn from_str(name: &str) -> Result<Format, UnknownFormat> {
        Format::find(name).ok_or(UnknownFormat)
    }
}
