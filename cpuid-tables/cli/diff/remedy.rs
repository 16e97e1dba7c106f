//! What to take away from a guest so that it can move, in the words of what asks for it.

use cpuid_tables::QemuRelease;
use cpuid_tables::dump::{Cpu, Request};
use cpuid_tables::naming::PsabiLevel;

use crate::cli::named_model::model_name;
use crate::cli::written_cpu::{WrittenCpu, in_libvirt, libvirt_feature};

/// The name of Proxmox VE's model that the text suggests.
const MOVABLE: &str = "movable";

/// The lines of text. `remedy` has QEMU's options: `-avx2,-erms`; `then` is what holds with them.
pub(super) fn lines(a: &Cpu, remedy: &str, then: &str) -> Vec<String> {
    let is_removal = |option: &&str| option.starts_with('-');
    let (removed, set): (Vec<&str>, Vec<&str>) = remedy.split(',').partition(is_removal);
    let removed: Vec<&str> = removed.into_iter().map(|option| option.trim_start_matches('-')).collect();
    match &a.beside.request {
        Some(Request::Qemu(option)) => vec![format!("A guest started with -cpu {option},{remedy} {then}.")],
        // libvirt's and Proxmox VE's other settings have no option of `-cpu`.
        Some(Request::Libvirt) if set.is_empty() => {
            let mut all = vec![format!(
                "A guest started with these elements in its <cpu>, in place of others of their names, {then}:"
            )];
            all.extend(removed.iter().map(|name| format!("  {}", libvirt_feature(name, false))));
            all
        }
        Some(Request::Proxmox(flags)) if set.is_empty() => proxmox(a, flags, &removed, then),
        Some(Request::Manager) if set.is_empty() => {
            let names: Vec<&str> = removed.iter().map(|name| in_libvirt(name)).collect();
            vec![format!("A guest started with these features disabled {then}: {}", names.join(", "))]
        }
        Some(_) => vec![format!("A guest started with {remedy} {then}.")],
        None => vec![format!("A guest started with -cpu MODEL,{remedy} {then}.")],
    }
}

/// A VM's `cpu:` takes only few flags: a model of its own has the others, with those that the VM has already. A level is not a
/// model that another one can be based on.
fn proxmox(a: &Cpu, flags: &[String], remove: &[&str], then: &str) -> Vec<String> {
    let Some(name) = model_name(a) else { return Vec::new() };
    let option = PsabiLevel::named(name).and_then(|level| level.cpu_option(QemuRelease::NEWEST));
    let option = option.unwrap_or_else(|| name.to_owned());
    let mut items = option.split(',');
    let model = items.next().unwrap_or_default();
    let (mut add, mut off): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for flag in items.chain(flags.iter().map(String::as_str)) {
        match flag.strip_prefix('-') {
            Some(name) => off.push(name),
            None => add.push(flag.trim_start_matches('+')),
        }
    }
    add.retain(|name| !remove.contains(name));
    off.retain(|name| !remove.contains(name));
    off.extend(remove);
    let cpu = WrittenCpu { model, vendor: None, add, remove: off };
    let mut all = vec![format!("A guest started with this model {then}:")];
    all.extend(cpu.proxmox(MOVABLE).lines().map(|line| format!("  {line}")));
    all
}
