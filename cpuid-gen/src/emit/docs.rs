//! What a constant's documentation says, from the facts.

use std::fmt::Write as _;

use crate::model::{Feature, Field, KernelBit, LinuxView, Model, MsrFeature, QemuView};

/// Why a macro of the kernel has no flag.
const HIDDEN: &str = "Not in `/proc/cpuinfo`: the header gives it no name to show.";

/// Location, `/proc/cpuinfo` name or why there is none, QEMU's name, releases.
pub(super) fn feature(model: &Model, feature: &Feature) -> String {
    let mut doc = String::with_capacity(160);
    put(&mut doc, format_args!(" `{}`. ", feature.location));
    let newest = feature.linux.iter().rev().find(|view| view.name.is_some());
    match newest {
        None => doc.push_str("Not in `/proc/cpuinfo`: Linux has no macro for it."),
        Some(LinuxView { flag: Some(flag), .. }) => put(&mut doc, format_args!("`/proc/cpuinfo`: `{flag}`.")),
        Some(LinuxView { kernel: None, .. }) => {
            doc.push_str("Not in `/proc/cpuinfo`: KVM alone has this bit.")
        }
        Some(_) => doc.push_str(HIDDEN),
    }
    qemu_name(&mut doc, &feature.qemu);
    let linux = feature.linux.iter().map(|view| view.name.is_some());
    known(&mut doc, "Linux", &model.linux, linux, |release| &release.name);
    let qemu = feature.qemu.iter().map(|view| view.name.is_some());
    known(&mut doc, "QEMU", &model.qemu, qemu, |release| &release.name);
    doc
}

/// A bit that Linux numbers: its `/proc/cpuinfo` name or why there is none, releases. `line` is where it shows.
pub(super) fn kernel_bit(model: &Model, line: &str, bit: &KernelBit) -> String {
    let mut doc = String::with_capacity(100);
    match bit.linux.iter().rev().flatten().next().and_then(|view| view.flag.as_deref()) {
        Some(flag) => put(&mut doc, format_args!(" `/proc/cpuinfo`, {line}: `{flag}`.")),
        None => put(&mut doc, format_args!(" {HIDDEN}")),
    }
    known(&mut doc, "Linux", &model.linux, bit.linux.iter().map(Option::is_some), |release| &release.name);
    doc
}

/// A bit of an MSR: where, QEMU's name, releases.
pub(super) fn msr(model: &Model, feature: &MsrFeature) -> String {
    let mut doc = format!(" Bit {} of MSR {:#x}.", feature.bit.0, feature.msr.0);
    qemu_name(&mut doc, &feature.qemu);
    let qemu = feature.qemu.iter().map(|view| view.name.is_some());
    known(&mut doc, "QEMU", &model.qemu, qemu, |release| &release.name);
    doc
}

/// A field of a leaf: where, what it is and was called, releases.
pub(super) fn field(model: &Model, field: &Field) -> String {
    let mut doc = format!(" `{field}`, `{}`.", field.name);
    let mut former: Vec<&str> = field.linux.iter().flatten().map(String::as_str).collect();
    former.dedup();
    former.retain(|name| *name != field.name);
    for name in former.iter().rev() {
        put(&mut doc, format_args!(" Formerly `{name}`."));
    }
    let linux = field.linux.iter().map(Option::is_some);
    known(&mut doc, "Linux", &model.linux, linux, |release| &release.name);
    doc
}

fn qemu_name(doc: &mut String, views: &[QemuView]) {
    match views.iter().rev().find_map(|view| view.name.as_deref()) {
        Some(name) => put(doc, format_args!(" QEMU: `{name}`.")),
        None => doc.push_str(" QEMU has no name for it."),
    }
}

/// The first and the last release that knows it.
fn known<R>(
    doc: &mut String,
    project: &str,
    releases: &[R],
    knows: impl Iterator<Item = bool>,
    name: impl Fn(&R) -> &String,
) {
    let mut all = releases.iter().zip(knows).filter(|(_, knows)| *knows).map(|(release, _)| name(release));
    let Some(first) = all.next() else { return };
    match all.last() {
        Some(last) => put(doc, format_args!(" {project} {first} to {last}.")),
        None => put(doc, format_args!(" {project} {first}.")),
    }
}

/// Writing to a String cannot fail.
fn put(doc: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = doc.write_fmt(text);
}
