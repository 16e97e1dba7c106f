//! A guest's CPU as the configurations of libvirt and Proxmox VE ask for it: a model, and features that are added and taken away.

use std::fmt::Write as _;

use cpuid_tables::Vendor;

/// Where libvirt has another name for a feature than QEMU's: QEMU's, and libvirt's (its `src/cpu_map/x86_features.xml`).
pub(crate) static LIBVIRT_NAMES: [(&str, &str); 10] = [
    ("pclmulqdq", "pclmuldq"),
    ("ds-cpl", "ds_cpl"),
    ("fxsr-opt", "fxsr_opt"),
    ("lahf-lm", "lahf_lm"),
    ("cmp-legacy", "cmp_legacy"),
    ("nodeid-msr", "nodeid_msr"),
    ("perfctr-core", "perfctr_core"),
    ("perfctr-nb", "perfctr_nb"),
    ("tsc-adjust", "tsc_adjust"),
    ("vmx-invept-single-context-noglobals", "vmx-invvpid-single-context-noglobals"),
];

/// Vendors by libvirt's names.
const LIBVIRT_VENDORS: [(Vendor, &str); 3] =
    [(Vendor::INTEL, "Intel"), (Vendor::AMD, "AMD"), (Vendor::HYGON, "Hygon")];

/// A guest's CPU; features have QEMU's names.
pub(crate) struct WrittenCpu<'a> {
    /// The model.
    pub(crate) model: &'a str,
    /// The guest's vendor, where that is known.
    pub(crate) vendor: Option<Vendor>,
    pub(crate) add: Vec<&'a str>,
    pub(crate) remove: Vec<&'a str>,
}

/// libvirt's name of a feature.
pub(crate) fn in_libvirt(name: &str) -> &str {
    LIBVIRT_NAMES.iter().find(|(qemu, _)| *qemu == name).map_or(name, |(_, libvirt)| libvirt)
}

/// libvirt's element of a feature.
pub(crate) fn libvirt_feature(name: &str, on: bool) -> String {
    let policy = if on { "require" } else { "disable" };
    format!("<feature policy='{policy}' name='{}'/>", in_libvirt(name))
}

impl WrittenCpu<'_> {
    /// A domain's `<cpu>`, with which libvirt starts the guest only where it gets all of it.
    pub(crate) fn libvirt(&self) -> String {
        // Version 1 has no name of its own in libvirt.
        let model = self.model.strip_suffix("-v1").unwrap_or(self.model);
        let mut text = String::from("<cpu mode='custom' match='exact' check='full'>\n");
        let _ = writeln!(text, "  <model fallback='forbid'>{model}</model>");
        let vendor = LIBVIRT_VENDORS.iter().find(|(vendor, _)| Some(*vendor) == self.vendor);
        if let Some((_, name)) = vendor {
            let _ = writeln!(text, "  <vendor>{name}</vendor>");
        }
        for (names, on) in [(&self.add, true), (&self.remove, false)] {
            for name in names {
                let _ = writeln!(text, "  {}", libvirt_feature(name, on));
            }
        }
        text.push_str("</cpu>\n");
        text
    }

    /// A model of Proxmox VE's `cpu-models.conf`, and the line of a VM that has it: `cpu:` itself takes only few flags.
    pub(crate) fn proxmox(&self, name: &str) -> String {
        let signed = |sign: char, names: &[&str]| names.iter().map(|name| format!("{sign}{name}")).collect();
        let (mut flags, removed): (Vec<String>, Vec<String>) =
            (signed('+', &self.add), signed('-', &self.remove));
        flags.extend(removed);
        let mut text = format!(
            "# in /etc/pve/virtual-guest/cpu-models.conf\ncpu-model: {name}\n    reported-model {}\n",
            self.model
        );
        if !flags.is_empty() {
            let _ = writeln!(text, "    flags {}", flags.join(";"));
        }
        let _ = writeln!(text, "\n# in /etc/pve/qemu-server/VMID.conf\ncpu: custom-{name}");
        text
    }
}
