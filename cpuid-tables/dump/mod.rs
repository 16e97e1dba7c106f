//! CPUID tables in every form in which people have them, read and written.
//!
//! Every [`Format`] is a file of its own with one descriptor, and a line in `format.rs`. [`read`] recognises the format
//! by the head of the input; [`Reader`] gives one CPU at a time and holds no more than that one, so that an input may be
//! of any size. What makes no sense is a [`ReadError`] with its line; under [`Options::lenient`] it is kept as a warning
//! and reading goes on.
//!
//! ```
//! use cpuid_tables::dump::{self, Format, Options};
//!
//! let text = "CPU 0:\n   0x00000007 0x00: eax=0x00000002 ebx=0x00000020 ecx=0x00000000 edx=0x00000000\n";
//! let dump = dump::read(text.as_bytes(), &Options::default())?;
//! assert_eq!((dump.format, dump.cpus[0].number), (Format::CpuidR, Some(0)));
//! let mut out = Vec::new();
//! dump::write(&mut out, Format::Entries, &dump.cpus)?;
//! assert_eq!(out, b"vcpu0 7 0 1 2 20 0 0\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The flag that says that the index counts
//!
//! Formats made of what the CPUID instruction answered have no flags. An entry read from one gets
//! [`CpuidEntry::SIGNIFICANT_INDEX`](crate::CpuidEntry::SIGNIFICANT_INDEX) where the leaf has subleaves by [`IndexedLeaf`](crate::IndexedLeaf), or where the dump
//! itself holds a subleaf of it other than 0. Such a format can hold a table whose flags are the same, and [`write()`] says
//! so of any other.

use std::io::{Read, Write};
use std::vec::Vec;

mod cloud_hypervisor;
mod cloud_settings;
mod coreinfo;
mod cpu;
mod cpuid_r;
mod cpuid_text;
mod cpuinfo;
mod decoded;
mod descriptor;
mod documents;
mod dtrace;
mod entries;
mod error;
mod esxi;
mod feature_list;
mod firecracker;
mod format;
mod freebsd;
mod gdb;
mod glibc;
mod instlatx64;
mod isainfo;
mod java;
mod json;
mod kcpuid;
mod keyed;
mod kubevirt;
mod kvm_trace;
mod libcpuid;
mod libvirt;
mod libvirt_cpu;
mod lines;
mod linux_flags;
mod lscpu;
mod macos;
mod model_list;
mod names;
mod nova;
mod openbsd;
mod other;
mod propolis;
mod proxmox;
mod proxmox_flags;
mod qemu_args;
mod qemu_model;
mod qemu_monitor;
mod qemu_warnings;
mod reader;
mod rust_debug;
mod scan;
mod sink;
mod snp;
mod stated_bits;
mod strace;
mod tags;
mod virtualbox;
mod vmi;
mod vmware;
mod writer;
mod xen;
mod xl;

pub use cpu::{Beside, Cpu, Request};
pub use error::{ReadError, WriteError};
pub use firecracker::firecracker_template;
pub use format::{Format, UnknownFormat};
pub use reader::{Options, Reader};
pub use sink::Note;
pub use writer::Writer;

/// What an input held.
#[derive(Debug)]
pub struct Dump {
    /// In which format it is.
    pub format: Format,
    /// The CPUs, in order.
    pub cpus: Vec<Cpu>,
    /// What was wrong with it, when it was read leniently; at most [`Options::MAX_WARNINGS`].
    pub warnings: Vec<ReadError>,
    /// How many warnings there were beyond those.
    pub more_warnings: u64,
    /// What a user has to know of it: names that are not known, calls that failed.
    pub notes: Vec<Note>,
}

/// Reads a whole input.
///
/// # Errors
///
/// [`ReadError`]: the input can't be read, is in no format that is known, or has a line that makes no sense.
pub fn read(input: impl Read, options: &Options) -> Result<Dump, ReadError> {
    let mut reader = Reader::new(input, options)?;
    let cpus = reader.by_ref().collect::<Result<Vec<Cpu>, ReadError>>()?;
    let format = reader.format();
    let notes = reader.notes().0.to_vec();
    let (warnings, more_warnings) = reader.into_warnings();
    Ok(Dump { format, cpus, warnings, more_warnings, notes })
}

/// Writes CPUs in a format.
///
/// # Errors
///
/// [`WriteError`]: the output can't be written, or the format can't hold what the CPUs have.
pub fn write(out: impl Write, format: Format, cpus: &[Cpu]) -> Result<(), WriteError> {
    let mut writer = Writer::new(out, format)?;
    for cpu in cpus {
        writer.write(cpu)?;
    }
    writer.finish().map(drop)
}
