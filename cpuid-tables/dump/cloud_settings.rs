//! What a cloud's agent asks libvirt for: nova's `nova.conf` and CloudStack's `agent.properties`.
//!
//! ```text
//! cpu_mode = custom
//! cpu_models = Haswell-noTSX-IBRS
//! cpu_model_extra_flags = pcid, -mtrr
//!
//! guest.cpu.model=Westmere
//! guest.cpu.features=-hle -rtm +pcid
//! ```
//!
//! Together they are one guest's CPU. A flag with `-` is switched off, one with `+` or without a sign on. Of several models nova
//! takes the first that the host runs and that has the guest's traits; the first one counts here. What the model itself has is
//! not known here. Other lines are ignored.

use std::boxed::Box;
use std::string::String;

use super::cpu::Request;
use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "cloud-settings",
    about: "CPU settings of nova.conf and of CloudStack's agent.properties",
    marks: &[Mark::Line(is_line)],
    parser: || Box::new(CloudSettings::default()),
    style: None,
};

#[derive(Clone, Copy)]
enum Setting {
    Mode,
    Model,
    Flags,
}

static SETTINGS: [(&[u8], Setting); 7] = [
    (b"cpu_mode", Setting::Mode),
    (b"cpu_model", Setting::Model),
    (b"cpu_models", Setting::Model),
    (b"cpu_model_extra_flags", Setting::Flags),
    (b"guest.cpu.mode", Setting::Mode),
    (b"guest.cpu.model", Setting::Model),
    (b"guest.cpu.features", Setting::Flags),
];
/// The mode of which the model is a part.
const CUSTOM: &str = "custom";

/// The mode that asks for no CPU, and the model that the guest then has.
const NONE: &str = "none";
const DEFAULT_MODEL: &str = "qemu64";

/// The reader.
#[derive(Default)]
struct CloudSettings {
    open: Option<Names>,
    mode: Option<String>,
    model: Option<String>,
}

fn setting(line: &[u8]) -> Option<(Setting, &[u8])> {
    let at = find(line, b"=")?;
    let name = trim(&line[..at]);
    let (_, setting) = SETTINGS.iter().find(|(known, _)| *known == name)?;
    Some((*setting, trim(&line[at + 1..])))
}

fn is_line(line: &[u8]) -> bool {
    setting(line).is_some()
}

impl Parser for CloudSettings {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let Some((setting, value)) = setting(line.text) else { return Ok(()) };
        let names = self.open.get_or_insert_default();
        names.ask_for_a_guest(Request::Manager);
        names.set("enforce", "on");
        let value = String::from_utf8_lossy(value);
        let mut words = value.split([',', ' ']).filter(|word| !word.is_empty());
        match setting {
            Setting::Mode => self.mode = words.next().map(String::from),
            Setting::Model => self.model = words.next().map(String::from),
            Setting::Flags => {
                for word in words {
                    let (name, on) = match word.strip_prefix('-') {
                        Some(name) => (name, false),
                        None => (word.strip_prefix('+').unwrap_or(word), true),
                    };
                    if names.feature(name, on).is_err() {
                        sink.note(line.number, Unknown::note(name));
                    }
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        let Some(names) = self.open.take() else { return Ok(()) };
        let of_mode = self.mode.take().filter(|mode| mode != CUSTOM);
        let of_mode = of_mode.map(|mode| if mode == NONE { String::from(DEFAULT_MODEL) } else { mode });
        names.finish(None, of_mode.or(self.model.take()), sink)
    }
}
