//! The form of a check's findings, which is only written.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;
use serde::ser::Serializer;

use crate::check::{Finding, Kind, Report, Site};
use crate::naming::name_of;

#[derive(Serialize)]
struct ReportForm<'a> {
    errors: usize,
    warnings: usize,
    skipped: Vec<&'static str>,
    findings: &'a [Finding],
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let skipped = self.skipped().map(Kind::name).collect();
        let (errors, warnings, findings) = (self.errors(), self.warnings(), &*self.findings);
        ReportForm { errors, warnings, skipped, findings }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct FindingForm<'a> {
    severity: String,
    kind: &'static str,
    feature: Option<&'static str>,
    vcpus: &'a [u32],
    at: Site,
    others: &'a [Site],
    what: &'a str,
    why: &'static str,
    help: &'a str,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = FindingForm {
            severity: self.severity().to_string(),
            kind: self.kind.name(),
            feature: self.feature.map(name_of),
            vcpus: &self.vcpus,
            at: self.at,
            others: &self.others,
            what: &self.what,
            why: self.why(),
            help: self.help(),
        };
        form.serialize(serializer)
    }
}

#[derive(Serialize)]
struct SiteForm {
    vcpu: Option<u32>,
    entry: Option<usize>,
    leaf: String,
    subleaf: Option<u32>,
    register: Option<&'static str>,
    bits: Option<Vec<u32>>,
}

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bits: Vec<u32> = (0..32).filter(|bit| self.bits >> bit & 1 != 0).collect();
        let form = SiteForm {
            vcpu: self.vcpu,
            entry: self.entry,
            leaf: alloc::format!("{:#x}", self.leaf.0),
            subleaf: self.subleaf.map(|subleaf| subleaf.0),
            register: self.register.map(|register| register.name()),
            bits: Some(bits).filter(|bits| !bits.is_empty()),
        };
        form.serialize(serializer)
    }
}
