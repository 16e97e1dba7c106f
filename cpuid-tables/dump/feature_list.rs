//! A list of features by name, or what libvirt says is missing.
//!
//! ```text
//! ss,fma,movbe,aes,f16c,rdrand
//! error: guest CPU doesn't match specification: missing features: svm,x2apic
//! error: ... Host CPU does not provide required features: avx512f, avx512dq
//! ... is not supported at all. Missing CPU flags: model_Haswell, pdpe1gb
//! cpuFlags = 'fpu,vme,de,model_Nehalem'
//! CPU_FLAGS_X86="aes avx avx2 f16c"
//! target_feature="avx2"
//! ```
//!
//! A list by itself states features that are there. After `missing features:` and `does not provide required features:` they
//! are ones that the host lacks; after `extra features:` ones that the guest has and was not asked to have. Other lines are
//! ignored. oVirt's `Missing CPU flags:` and VDSM's `cpuFlags` are such lists too; their `model_NAME` is a CPU model of libvirt
//! that runs there, and states no bit. Gentoo's `CPU_FLAGS_X86` and what `rustc --print cfg -C target-cpu=native` prints have
//! features that are there, by the compiler's names.

use std::boxed::Box;
use std::string::String;

use super::descriptor::{Descriptor, Mark};
use super::names::{Names, Unknown};
use super::scan::{find, trim};
use super::sink::{Fault, Line, Parser, Sink};

/// The format.
pub(super) const FORMAT: Descriptor = Descriptor {
    name: "feature-list",
    about: "a list of features, or the missing ones of libvirt's errors",
    marks: &[
        Mark::Text(MISSING),
        Mark::Text(REQUIRED),
        Mark::Text(EXTRA),
        Mark::Text(OVIRT),
        Mark::Text(VDSM),
        Mark::Text(VDSM_JSON),
        Mark::Text(GENTOO),
        Mark::Text(GENTOO_TOOL),
        Mark::Text(RUSTC),
        Mark::MayBeLine(is_list),
    ],
    parser: || Box::new(FeatureList::default()),
    style: None,
};

const MISSING: &[u8] = b"missing features: ";
const REQUIRED: &[u8] = b"not provide required features: ";
const EXTRA: &[u8] = b"extra features: ";
const OVIRT: &[u8] = b"Missing CPU flags: ";
const VDSM: &[u8] = b"cpuFlags = '";
const VDSM_JSON: &[u8] = b"\"cpuFlags\": \"";
const GENTOO: &[u8] = b"CPU_FLAGS_X86=\"";
/// What `cpuid2cpuflags` prints.
const GENTOO_TOOL: &[u8] = b"CPU_FLAGS_X86: ";
const RUSTC: &[u8] = b"target_feature=\"";
/// What comes before a list, and whether its features are there.
const LISTS: [(&[u8], bool); 9] = [
    (MISSING, false),
    (REQUIRED, false),
    (EXTRA, true),
    (OVIRT, false),
    (VDSM, true),
    (VDSM_JSON, true),
    (GENTOO, true),
    (GENTOO_TOOL, true),
    (RUSTC, true),
];
/// oVirt's prefix of a CPU model in such a list.
const MODEL: &str = "model_";

/// The reader.
#[derive(Default)]
struct FeatureList {
    names: Option<Names>,
    /// It is what rustc prints, in which other words are alone on a line, too.
    of_rustc: bool,
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b',' | b' ' | b'\t')
}

/// The names of a list.
fn items(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| is_separator(*byte)).filter(|item| !item.is_empty())
}

fn is_name(item: &[u8]) -> bool {
    item[0].is_ascii_alphanumeric()
        && item.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// True for a line of names alone, most of which are known.
fn is_list(line: &[u8]) -> bool {
    const MOST: usize = 2000;
    let (mut all, mut known) = (0, 0);
    for item in items(trim(line)).take(MOST) {
        if !is_name(item) {
            return false;
        }
        all += 1;
        let name = core::str::from_utf8(item).unwrap_or_default();
        known += usize::from(Names::default().feature(name, true).is_ok());
    }
    all > 1 && known * 2 > all
}

impl FeatureList {
    fn take(&mut self, list: &[u8], on: bool, line: u64, sink: &mut Sink) {
        let names = self.names.get_or_insert_default();
        for item in items(list) {
            let name = String::from_utf8_lossy(item);
            let name = name.trim_end_matches('.');
            if !name.is_empty() && !name.starts_with(MODEL) && names.feature(name, on).is_err() {
                sink.note(line, Unknown::note(name));
            }
        }
    }
}

impl Parser for FeatureList {
    fn line(&mut self, line: Line<'_>, sink: &mut Sink) -> Result<(), Fault> {
        let mut named = false;
        for (before, on) in LISTS {
            let Some(at) = find(line.text, before) else { continue };
            named = true;
            self.of_rustc |= before == RUSTC;
            let rest = &line.text[at + before.len()..];
            // The list ends where the sentence or a quote does, or the next list of the message begins.
            let end =
                rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_., \t".contains(byte)));
            let list = &rest[..end.unwrap_or(rest.len())];
            let next = LISTS.iter().filter_map(|(next, _)| find(rest, next)).min();
            let list = next.map_or(list, |next| &rest[..next]);
            self.take(list, on, line.number, sink);
        }
        if !named && items(trim(line.text)).next().is_some() && items(trim(line.text)).all(is_name) {
            let of_names = self.names.is_some() && !self.of_rustc || is_list(line.text);
            if of_names {
                self.take(trim(line.text), true, line.number, sink);
            }
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Fault> {
        self.names.take().map_or(Ok(()), |names| names.finish(None, None, sink))
    }
}
