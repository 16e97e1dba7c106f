//! Proxmox VE's lists of flags: `+pcid;-spec-ctrl`.

use std::format;

use super::names::{Names, Unknown};
use super::sink::Sink;

/// Proxmox VE's own flag since 9.1.
const NESTED: &str = "nested-virt";

/// Takes in `+a;-b`.
pub(super) fn flags(list: &str, names: &mut Names, line: u64, sink: &mut Sink) {
    for flag in list.split([';', ' ']).map(str::trim).filter(|flag| !flag.is_empty()) {
        let (name, on) = match flag.strip_prefix('-') {
            Some(name) => (name, false),
            None => (flag.strip_prefix('+').unwrap_or(flag), true),
        };
        names.flag_of_proxmox(flag);
        if name == NESTED {
            sink.note(line, format!("`{NESTED}` is ignored: it is vmx or svm, by the vendor of the host"));
        } else if !name.starts_with("hv-") && names.feature(name, on).is_err() {
            sink.note(line, Unknown::note(name));
        }
    }
}
