//! The facts of the pinned releases of Linux, KVM and QEMU as texts, for `cpuid-gen`, which reads them.
#![no_std]

/// File name and text of each: Linux first, each project oldest first.
#[must_use]
pub fn pinned() -> &'static [(&'static str, &'static str)] {
    &[
        ("linux-6.1.tsv", include_str!("linux-6.1.tsv")),
        ("linux-6.12.tsv", include_str!("linux-6.12.tsv")),
        ("linux-7.3.tsv", include_str!("linux-7.3.tsv")),
        ("qemu-7.2.tsv", include_str!("qemu-7.2.tsv")),
        ("qemu-10.0.tsv", include_str!("qemu-10.0.tsv")),
        ("qemu-10.2.tsv", include_str!("qemu-10.2.tsv")),
        ("qemu-11.0.tsv", include_str!("qemu-11.0.tsv")),
        ("qemu-11.1.tsv", include_str!("qemu-11.1.tsv")),
    ]
}

/// File name and text of the facts of each witness, sorted by project.
#[must_use]
pub fn witnesses() -> &'static [(&'static str, &'static str)] {
    const ALL: &[(&str, &str)] = &[
        ("freebsd-15.0.tsv", include_str!("freebsd-15.0.tsv")),
        ("gcc-16.tsv", include_str!("gcc-16.tsv")),
        ("libvirt-11.3.tsv", include_str!("libvirt-11.3.tsv")),
        ("llvm-23.tsv", include_str!("llvm-23.tsv")),
        ("xen-4.23.tsv", include_str!("xen-4.23.tsv")),
    ];
    ALL
}

/// The reviewed differences between them, `differences.tsv`.
pub const DIFFERENCES: &str = include_str!("differences.tsv");

/// The published constants of `cpuid-tables`, `constants.tsv`.
pub const CONSTANTS: &str = include_str!("constants.tsv");

/// What public dumps show of the processors of QEMU's CPU models, `processors.tsv`.
pub const PROCESSORS: &str = include_str!("processors.tsv");
