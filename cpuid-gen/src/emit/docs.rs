//! The documentation of constants.

use std::fmt::Write as _;

use crate::model::{Feature, Field, KernelBit, KvmTreatment, LinuxView, Model, MsrFeature, Node, QemuView};

/// The reason why a macro of the kernel has no flag.
const HIDDEN: &str = "Not in `/proc/cpuinfo`: the header gives it no name to show.";

/// The documentation of the feature with index `at`: location, `/proc/cpuinfo` name or why there is none, QEMU's
/// name, releases of Linux, KVM and QEMU, dependencies.
pub(super) fn feature(model: &Model, at: usize, feature: &Feature) -> String {
    let mut doc = String::with_capacity(256);
    put(&mut doc, format_args!(" `{}`. ", feature.location));
    let newest = feature.linux.iter().rev().find(|view| view.name.is_some());
    match newest {
        None => doc.push_str("Not in `/proc/cpuinfo`: Linux has no macro for it."),
        Some(LinuxView { flag: Some(flag), .. }) => put(&mut doc, format_args!("`/proc/cpuinfo`: `{flag}`.")),
        Some(LinuxView { kernel: None, .. }) => {
            doc.push_str("Not in `/proc/cpuinfo`: only KVM has this bit.")
        }
        Some(_) => doc.push_str(HIDDEN),
    }
    qemu_name(&mut doc, &feature.qemu);
    let linux = feature.linux.iter().map(|view| view.name.is_some());
    known(&mut doc, "Linux", &model.linux, linux, |release| &release.name);
    kvm(&mut doc, model, feature);
    let qemu = feature.qemu.iter().map(|view| view.name.is_some());
    known(&mut doc, "QEMU", &model.qemu, qemu, |release| &release.name);
    needs(&mut doc, model, Node::Feature(at));
    doc
}

/// A bit that Linux numbers: its `/proc/cpuinfo` name or why there is none, and releases. `line` is the line that
/// shows it.
pub(super) fn kernel_bit(model: &Model, line: &str, bit: &KernelBit) -> String {
    let mut doc = String::with_capacity(100);
    match bit.linux.iter().rev().flatten().next().and_then(|view| view.flag.as_deref()) {
        Some(flag) => put(&mut doc, format_args!(" `/proc/cpuinfo`, {line}: `{flag}`.")),
        None => put(&mut doc, format_args!(" {HIDDEN}")),
    }
    known(&mut doc, "Linux", &model.linux, bit.linux.iter().map(Option::is_some), |release| &release.name);
    doc
}

/// The documentation of the MSR bit with index `at`: location, QEMU's name, releases, dependencies.
pub(super) fn msr(model: &Model, at: usize, feature: &MsrFeature) -> String {
    let mut doc = format!(" Bit {} of {}.", feature.bit.0, feature.msr);
    qemu_name(&mut doc, &feature.qemu);
    let qemu = feature.qemu.iter().map(|view| view.name.is_some());
    known(&mut doc, "QEMU", &model.qemu, qemu, |release| &release.name);
    needs(&mut doc, model, Node::Msr(at));
    doc
}

/// A field of a leaf: location, name, former names, releases.
pub(super) fn field(model: &Model, field: &Field) -> String {
    let mut doc = format!(" `{}`, `{}`.", field.place, field.name);
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

/// The releases in which KVM may advertise it, and the condition in the newest of them.
fn kvm(doc: &mut String, model: &Model, feature: &Feature) {
    let treatments = || feature.linux.iter().map(KvmTreatment::from_view);
    let Some(condition) = treatments().rev().find_map(KvmTreatment::condition) else {
        if treatments().any(|treatment| treatment != KvmTreatment::Unknown) {
            doc.push_str(" KVM does not advertise it.");
        }
        return;
    };
    let advertised = treatments().map(|treatment| treatment.condition().is_some());
    known(doc, "KVM", &model.linux, advertised, |release| &release.name);
    // Insert before the full stop.
    doc.pop();
    put(doc, format_args!(", {condition}."));
}

/// The stated dependencies: those without alternatives in one sentence, and a sentence for each set of alternatives.
fn needs(doc: &mut String, model: &Model, node: Node) {
    let (choices, plain): (Vec<_>, Vec<_>) =
        model.dependencies.for_node(node).partition(|dependency| dependency.needs.len() > 1);
    let plain: Vec<Node> = plain.iter().flat_map(|dependency| &dependency.needs).copied().collect();
    let choices = choices.iter().map(|dependency| (dependency.needs.as_slice(), " or "));
    for (nodes, between) in [(plain.as_slice(), ", ")].into_iter().chain(choices) {
        for (index, &needs) in nodes.iter().enumerate() {
            let before = if index == 0 { " Needs " } else { between };
            put(doc, format_args!("{before}`{}`", model.constant(needs)));
        }
        doc.push_str(if nodes.is_empty() { "" } else { "." });
    }
}

/// The releases that have it, as ranges of consecutive releases.
fn known<R>(
    doc: &mut String,
    project: &str,
    releases: &[R],
    knows: impl Iterator<Item = bool>,
    name: impl Fn(&R) -> &String,
) {
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    for (at, _) in knows.enumerate().filter(|(_, knows)| *knows) {
        match stretches.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => stretches.push((at, at)),
        }
    }
    for (index, &(first, last)) in stretches.iter().enumerate() {
        let before = if index == 0 { format!(" {project} ") } else { ", ".to_owned() };
        put(doc, format_args!("{before}{}", name(&releases[first])));
        if last > first {
            put(doc, format_args!(" to {}", name(&releases[last])));
        }
    }
    if !stretches.is_empty() {
        doc.push('.');
    }
}

/// Writing to a String cannot fail.
fn put(doc: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = doc.write_fmt(text);
}
