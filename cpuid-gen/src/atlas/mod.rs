//! The atlas: every bit of the facts as one HTML page that needs no network.
//!
//! The page is the files of this folder, and the facts as JSON. Its script draws grids of 32 bits, answers searches,
//! compares CPU models, and decodes a table that the reader pastes. Its Content-Security-Policy forbids
//! loading anything.
//!
//! Invariants: the page has each bit, field, model and known difference of the facts once; the same facts give the
//! same bytes.
//!
//! ```
//! use cpuid_gen::verify::{Differences, Scope, verify};
//! use cpuid_gen::{atlas::Atlas, diagnostic::Diagnostics, input, model::Model, source::Sources};
//!
//! let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
//! let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
//! let (model, _) = Model::merge(&linux, &qemu);
//! let report = verify(&linux, &qemu, &Differences::none(), Scope::Given);
//! let atlas =
//!     Atlas { model: &model, linux: &linux, qemu: &qemu, witnesses: &[], report: &report, sources: &sources };
//! assert!(atlas.page().starts_with("<!DOCTYPE html>"));
//! ```

mod bits;
mod keys;
mod known;
mod models;
mod notes;
mod per_release;

use serde_json::{Value, json};

use crate::facts::{LinuxFacts, QemuFacts, Witness, WitnessFacts};
use crate::model::{KvmTreatment, Model};
use crate::source::Sources;
use crate::verify::Report;

/// The page, in which each marker is replaced by one of the parts.
const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// The script's files, in the order in which a browser reads them.
const SCRIPT: [&str; 9] = [
    include_str!("facts.js"),
    include_str!("place.js"),
    include_str!("dom.js"),
    include_str!("grid.js"),
    include_str!("detail.js"),
    include_str!("search.js"),
    include_str!("models.js"),
    include_str!("table.js"),
    include_str!("main.js"),
];

/// Everything that the page shows.
#[derive(Clone, Copy, Debug)]
pub struct Atlas<'a> {
    /// The merged releases.
    pub model: &'a Model,
    /// The Linux facts from which the model was merged.
    pub linux: &'a [LinuxFacts],
    /// The QEMU facts from which the model was merged.
    pub qemu: &'a [QemuFacts],
    /// The facts of other projects, for their names of bits.
    pub witnesses: &'a [WitnessFacts],
    /// What `verify` reports about the same facts.
    pub report: &'a Report,
    /// The sources of the report's places.
    pub sources: &'a Sources,
}

impl Atlas<'_> {
    /// The page.
    #[must_use]
    pub fn page(&self) -> String {
        let data = for_html(&self.data().to_string());
        let script = SCRIPT.concat();
        let mut out = String::with_capacity(data.len() + script.len() + STYLE.len() + PAGE.len());
        let mut rest = PAGE;
        for (marker, part) in [("/*STYLE*/", STYLE), ("/*DATA*/", &data), ("/*SCRIPT*/", &script)] {
            let (before, after) = rest.split_once(marker).unwrap_or((rest, ""));
            out.push_str(before);
            out.push_str(part);
            rest = after;
        }
        out + rest
    }

    /// The facts of each release of Linux, by its index in the model.
    fn linux(&self) -> impl Iterator<Item = (usize, &LinuxFacts)> {
        let index = |facts: &LinuxFacts| self.model.linux.iter().position(|one| one.name == facts.release);
        self.linux.iter().filter_map(move |facts| Some((index(facts)?, facts)))
    }

    /// The facts of each release of QEMU, by its index in the model.
    fn qemu(&self) -> impl Iterator<Item = (usize, &QemuFacts)> {
        let index = |facts: &QemuFacts| self.model.qemu.iter().position(|one| one.name == facts.release);
        self.qemu.iter().filter_map(move |facts| Some((index(facts)?, facts)))
    }

    /// The releases of a witness.
    fn releases_of(&self, project: Witness) -> impl Iterator<Item = &WitnessFacts> {
        self.witnesses.iter().filter(move |facts| facts.project == project)
    }

    /// The facts as JSON: the page has them in the element `facts`.
    #[must_use]
    pub fn data(&self) -> Value {
        let linux: Vec<&str> = self.model.linux.iter().map(|release| release.name.as_str()).collect();
        let qemu: Vec<&str> = self.model.qemu.iter().map(|release| release.name.as_str()).collect();
        let witnesses: Vec<Value> = Witness::ALL
            .into_iter()
            .map(|(project, title)| {
                let releases: Vec<&str> =
                    self.releases_of(project).map(|facts| facts.release.as_str()).collect();
                json!({"id": title.to_ascii_lowercase(), "title": title, "releases": releases})
            })
            .collect();
        let (known, by_bit) = known::known(self);
        json!({
            "linux": linux,
            "qemu": qemu,
            "witnesses": witnesses,
            "treatments": KvmTreatment::ALL.map(|treatment| treatment.to_string()),
            "leaves": notes::leaves(),
            "registers": bits::registers(self, &by_bit),
            "bits": bits::hardware(self, &by_bit),
            "fields": bits::fields(self.model),
            "kernel": bits::kernel(self, &by_bit),
            "needs": bits::needs(self.model),
            "models": models::models(self.model),
            "known": known,
            "findings": known::findings(self),
        })
    }
}

/// JSON in which no character can end the element that holds it.
fn for_html(json: &str) -> String {
    json.replace('<', "\\u003c")
}
