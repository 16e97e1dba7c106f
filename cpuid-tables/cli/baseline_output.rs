//! What `baseline` writes: a form of any command's, or the model in the words of a configuration.

use cpuid_tables::CpuModel;
use cpuid_tables::show::Styled;

use super::format::{Form, form};
use super::named_model::vendor_of;
use super::outcome::{Failed, Result};
use super::output::print_as_it_is;
use super::written_cpu::WrittenCpu;

/// What is written.
#[derive(Clone, Copy)]
pub(super) enum Output {
    Form(Form),
    Cpu(Dialect),
}

/// A configuration that asks for a guest's CPU.
#[derive(Clone, Copy)]
pub(super) enum Dialect {
    /// A domain's `<cpu>`.
    LibvirtDomain,
    /// Proxmox VE's `cpu-models.conf`, and a VM's `cpu:`.
    Proxmox,
}

/// The name of the model for Proxmox VE.
const MODEL: &str = "baseline";

/// An output by its name.
pub(super) fn output(name: &str) -> std::result::Result<Output, String> {
    match name {
        "libvirt-domain" => Ok(Output::Cpu(Dialect::LibvirtDomain)),
        "proxmox" => Ok(Output::Cpu(Dialect::Proxmox)),
        _ => form(name).map(Output::Form).map_err(|names| format!("{names}, libvirt-domain, proxmox")),
    }
}

pub(super) fn no_model() -> Failed {
    Failed::new("no model fits, so that there is no CPU to write")
        .help("--format text shows what the hosts have in common")
}

/// Writes a model and the features that are added and taken away.
pub(super) fn write_cpu(
    dialect: Dialect,
    model: CpuModel,
    (add, remove): (Vec<&str>, Vec<&str>),
) -> Result<()> {
    let cpu = WrittenCpu { model: &model.to_string(), vendor: vendor_of(model), add, remove };
    let text = match dialect {
        Dialect::LibvirtDomain => cpu.libvirt(),
        Dialect::Proxmox => cpu.proxmox(MODEL),
    };
    let mut styled = Styled::new();
    styled.plain(text);
    print_as_it_is(&styled)?;
    Ok(())
}
