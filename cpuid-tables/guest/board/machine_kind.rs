//! The kinds of machine types, each of which has its own board and options.

/// A kind of machine types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MachineKind {
    I440fx,
    Q35,
    Isapc,
    Microvm,
}

impl MachineKind {
    /// The kind that a machine type's name states.
    pub(super) fn from_name(name: &str) -> Option<MachineKind> {
        Some(match name {
            "isapc" => MachineKind::Isapc,
            "microvm" => MachineKind::Microvm,
            _ if name.starts_with("pc-q35-") => MachineKind::Q35,
            // pc-1.3 and similar names, too.
            _ if name.starts_with("pc-") => MachineKind::I440fx,
            _ => return None,
        })
    }
}
