//! What to take away from a guest so that it can move, in the words of what asks for it.

use cpuid_tables::dump::{Cpu, Request};

use crate::cli::named_model::model_name;
use crate::cli::written_cpu::{WrittenCpu, libvirt_feature};

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
            let mut all = vec![format!("A guest started with these elements in its <cpu> {then}:")];
            all.extend(removed.iter().map(|name| format!("  {}", libvirt_feature(name, false))));
            all
        }
        Some(Request::Proxmox(flags)) if set.is_empty() => proxmox(a, flags, &removed, then),
        Some(_) => vec![format!("A guest started with {remedy} {then}.")],
        None => vec![format!("A guest started with -cpu MODEL,{remedy} {then}.")],
    }
}

/// A VM's `cpu:` takes only few flags: a model of its own has the others, with those that the VM has already.
fn proxmox(a: &Cpu, flags: &[String], remove: &[&str], then: &str) -> Vec<String> {
    let Some(model) = model_name(a) else { return Vec::new() };
    let name = |flag: &'_ String| flag.trim_start_matches(['+', '-']).to_owned();
    let is_off = |flag: &&String| flag.starts_with('-');
    let (off, on): (Vec<&String>, Vec<&String>) = flags.iter().partition(is_off);
    let (off, on): (Vec<String>, Vec<String>) =
        (off.into_iter().map(name).collect(), on.into_iter().map(name).collect());
    let kept = |names: &'_ [String]| -> Vec<String> {
        names.iter().filter(|name| !remove.contains(&name.as_str())).cloned().collect()
    };
    let (off, on) = (kept(&off), kept(&on));
    let cpu = WrittenCpu {
        model,
        vendor: None,
        add: on.iter().map(String::as_str).collect(),
        remove: off.iter().map(String::as_str).chain(remove.iter().copied()).collect(),
    };
    let mut all = vec![format!("A guest started with this model {then}:")];
    all.extend(cpu.proxmox(MOVABLE).lines().map(|line| format!("  {line}")));
    all
}
