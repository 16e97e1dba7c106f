//! What a constant's documentation says, from the facts.

use crate::model::{Feature, KernelBit, LinuxView, Model, MsrFeature, QemuView};

/// Location, `/proc/cpuinfo` name or why there is none, QEMU's name, releases.
pub(super) fn feature(model: &Model, feature: &Feature) -> String {
    let mut doc = format!(" `{}`. {}", feature.location, cpuinfo(&feature.linux));
    let linux = known(&model.linux, feature.linux.iter().map(|view| view.name.is_some()), |r| &r.name);
    push_qemu(&mut doc, model, &feature.qemu, linux.map(|known| format!("Linux {known}")));
    doc
}

/// A bit that Linux numbers: its `/proc/cpuinfo` name or why there is none, releases.
pub(super) fn kernel_bit(model: &Model, line: &str, bit: &KernelBit) -> String {
    let flag = bit.linux.iter().rev().flatten().next().and_then(|view| view.flag.as_deref());
    let shown = match flag {
        Some(flag) => format!("`/proc/cpuinfo` ({line}): `{flag}`."),
        None => HIDDEN.to_owned(),
    };
    let known = known(&model.linux, bit.linux.iter().map(Option::is_some), |release| &release.name);
    format!(" {shown} Linux {}.", known.unwrap_or_default())
}

/// A bit of an MSR: where, QEMU's name, releases.
pub(super) fn msr(model: &Model, feature: &MsrFeature) -> String {
    let mut doc = format!(" Bit {} of MSR {:#x}.", feature.bit.0, feature.msr.0);
    push_qemu(&mut doc, model, &feature.qemu, None);
    doc
}

const HIDDEN: &str = "Not in `/proc/cpuinfo`: the header gives it no name to show.";

fn cpuinfo(views: &[LinuxView]) -> String {
    let newest = views.iter().rev().find(|view| view.name.is_some());
    match newest {
        None => "Not in `/proc/cpuinfo`: Linux has no macro for it.".to_owned(),
        Some(LinuxView { flag: Some(flag), .. }) => format!("`/proc/cpuinfo`: `{flag}`."),
        Some(LinuxView { kernel: None, .. }) => {
            "Not in `/proc/cpuinfo`: KVM alone has this bit.".to_owned()
        }
        Some(_) => HIDDEN.to_owned(),
    }
}

fn push_qemu(doc: &mut String, model: &Model, views: &[QemuView], linux: Option<String>) {
    let name = views.iter().rev().find_map(|view| view.name.as_deref());
    let named = name.map_or(" QEMU has no name for it.".to_owned(), |name| format!(" QEMU: `{name}`."));
    doc.push_str(&named);
    let qemu = known(&model.qemu, views.iter().map(|view| view.name.is_some()), |release| &release.name);
    let qemu = qemu.map(|known| format!("QEMU {known}"));
    let both: Vec<String> = linux.into_iter().chain(qemu).collect();
    doc.push_str(&format!(" {}.", both.join("; ")));
}

/// The first and the last release that knows it.
fn known<R>(
    releases: &[R],
    knows: impl Iterator<Item = bool>,
    name: impl Fn(&R) -> &String,
) -> Option<String> {
    let mut all = releases.iter().zip(knows).filter(|(_, knows)| *knows).map(|(release, _)| name(release));
    let first = all.next()?;
    Some(all.last().map_or_else(|| first.clone(), |last| format!("{first} to {last}")))
}
