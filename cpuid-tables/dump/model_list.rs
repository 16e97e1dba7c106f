//! A list of CPU models, one a line: `virsh cpu-models x86_64`.
//!
//! ```text
//! 486
//! Haswell-noTSX
//! EPYC-Rome
//! ```
//!
//! Each is a CPU with that name, of which nothing else is stated: `kvm-cpuid models` tells which of them a host runs. A line
//! that is not a model's name is a note.

use std::boxed::Box;
use std::format;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::shown;
use super::scan::trim;
use super::sink::{Fault, Line, Parser, Sink};
use crate::bits::release::QemuRelease;

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "model-list",
    about: "names of CPU models: virsh cpu-models",
    marks: &[Mark::MayBeLine(is_line)],
    parser: || Box::new(ModelList),
    style: None,
};

/// The reader.
struct ModelList;

fn is_line(line: &[u8]) -> bool {
    core::str::from_utf8(trim(line)).is_ok_and(is_model)
}

fn is_model(name: &str) -> bool {
    QemuRelease::ALL.into_iter().any(|release| release.cpu_model(name).is_some())
}

impl Parser for ModelList {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let text = String::from_utf8_lossy(trim(line.text));
        if text.is_empty() {
            return Ok(());
        }
        if is_model(&text) {
            sink.start(None, Some(text.into_owned()));
            sink.finish();
        } else {
            let text = format!("`{}` is ignored: QEMU has no CPU model of that name", shown(&text));
            sink.note(line.number, text);
        }
        Ok(())
    }
}
