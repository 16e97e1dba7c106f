//! The facts of the pinned releases, kept in `upstream/` and compiled into this library.

/// File name and text of each: Linux first, each project oldest first.
#[must_use]
pub fn pinned() -> &'static [(&'static str, &'static str)] {
    &[
        ("linux-6.1.tsv", include_str!("../upstream/linux-6.1.tsv")),
        ("linux-6.12.tsv", include_str!("../upstream/linux-6.12.tsv")),
        ("linux-7.3.tsv", include_str!("../upstream/linux-7.3.tsv")),
        ("qemu-7.2.tsv", include_str!("../upstream/qemu-7.2.tsv")),
        ("qemu-10.0.tsv", include_str!("../upstream/qemu-10.0.tsv")),
        ("qemu-10.2.tsv", include_str!("../upstream/qemu-10.2.tsv")),
        ("qemu-11.0.tsv", include_str!("../upstream/qemu-11.0.tsv")),
        ("qemu-11.1.tsv", include_str!("../upstream/qemu-11.1.tsv")),
    ]
}

/// File name and text of the facts of each witness, sorted by project.
#[cfg(feature = "verify")]
#[must_use]
pub fn witnesses() -> &'static [(&'static str, &'static str)] {
    const ALL: &[(&str, &str)] = &[
        ("freebsd-13.0.tsv", include_str!("../upstream/freebsd-13.0.tsv")),
        ("gcc-16.tsv", include_str!("../upstream/gcc-16.tsv")),
        ("libvirt-11.3.tsv", include_str!("../upstream/libvirt-11.3.tsv")),
        ("llvm-23.tsv", include_str!("../upstream/llvm-23.tsv")),
        ("xen-4.23.tsv", include_str!("../upstream/xen-4.23.tsv")),
    ];
    ALL
}

/// The reviewed differences between them, `upstream/differences.tsv`.
pub const DIFFERENCES: &str = include_str!("../upstream/differences.tsv");

/// The published constants of `cpuid-tables`, `upstream/constants.tsv`.
pub const CONSTANTS: &str = include_str!("../upstream/constants.tsv");

/// What public dumps show of the processors of QEMU's CPU models, `upstream/processors.tsv`.
pub const PROCESSORS: &str = include_str!("../upstream/processors.tsv");
