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
    /// The kind that a machine type's name states, and its version; (0, 0) if the name has none.
    pub(super) fn and_version(name: &str) -> Option<(MachineKind, (u32, u32))> {
        let (kind, version) = match name {
            "isapc" => (MachineKind::Isapc, ""),
            "microvm" => (MachineKind::Microvm, ""),
            _ => match (name.strip_prefix("pc-i440fx-"), name.strip_prefix("pc-q35-")) {
                (Some(version), _) => (MachineKind::I440fx, version),
                (_, Some(version)) => (MachineKind::Q35, version),
                // pc-1.3 and similar names.
                _ => (MachineKind::I440fx, name.strip_prefix("pc-")?),
            },
        };
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        Some((kind, (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))))
    }
}
