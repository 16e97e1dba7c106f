//! `cpu_info` of an OpenStack compute node: of `openstack hypervisor show`, as a table or as JSON, and of nova-compute's log.
//!
//! ```text
//! | cpu_info | {"vendor": "Intel", "model": "Broadwell", "arch": "x86_64", "features": ["pge", "avx"], "topology": {}} |
//! ```
//!
//! nova takes the model and the features from libvirt's capabilities of the host (`_get_cpu_info` of
//! nova/virt/libvirt/driver.py, nova 12 to 31): the features come on top of the model's, which are not known here. Quotes may
//! have a backslash before them, or be single ones. Other text is ignored.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::lines::contains;
use super::names::{Names, Unknown};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "nova",
    about: "cpu_info of an OpenStack compute node",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(Nova::default()),
    style: None,
};

/// The reader.
#[derive(Default)]
struct Nova {
    open: Option<Names>,
    model: Option<String>,
    /// The member whose value comes.
    member: String,
    /// Between the brackets of the features.
    in_features: bool,
}

fn is_line(line: &[u8]) -> bool {
    let has = |name: &[u8]| contains(line, name);
    has(b"cpu_info") && (has(b"{") || has(b"cpu_info\":"))
        || has(b"features") && has(b"[") && has(b"vendor") && has(b"arch") && has(b"topology")
}

impl Nova {
    fn text(&mut self, text: &str, line: u64, sink: &mut Sink) {
        let names = self.open.get_or_insert_default();
        if self.in_features {
            if names.feature(text, true).is_err() {
                sink.note(line, Unknown::note(text));
            }
            return;
        }
        match self.member.as_str() {
            "model" => self.model = Some(text.into()),
            "vendor" => names.vendor(text),
            _ => {}
        }
        self.member = text.into();
    }
}

/// The quoted texts and the brackets of a line.
fn parts(line: &str) -> impl Iterator<Item = Result<String, char>> + '_ {
    // Python puts single quotes around the whole, or around each text.
    let mark = if line.contains('"') { '"' } else { '\'' };
    let mut rest = line.chars();
    core::iter::from_fn(move || {
        loop {
            match rest.next()? {
                quote if quote == mark => {
                    let text = rest.by_ref().take_while(|c| *c != mark);
                    return Some(Ok(text.filter(|c| *c != '\\').collect()));
                }
                bracket @ ('[' | ']') => return Some(Err(bracket)),
                _ => {}
            }
        }
    })
}

impl Parser for Nova {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        for part in parts(&String::from_utf8_lossy(line.text)) {
            match part {
                Ok(text) => self.text(&text, line.number, sink),
                Err('[') => self.in_features = self.member == "features",
                Err(_) => self.in_features = false,
            }
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let model = self.model.take();
        self.open.take().map_or(Ok(()), |names| names.finish(None, model, sink))
    }
}
