//! The atlas: the page has every bit of the facts and needs no network; a real browser shows, searches and compares them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod browser;
mod page;
mod webdriver;

use std::sync::OnceLock;

use cpuid_gen::atlas::Atlas;
use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{LinuxFacts, QemuFacts};
use cpuid_gen::input;
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use cpuid_gen::verify::{Scope, verify};

/// The pinned facts and their page.
struct Pinned {
    linux: Vec<LinuxFacts>,
    qemu: Vec<QemuFacts>,
    page: String,
    /// How many differences of the pinned facts are known.
    known: usize,
}

fn pinned() -> &'static Pinned {
    static PINNED: OnceLock<Pinned> = OnceLock::new();
    PINNED.get_or_init(make)
}

fn make() -> Pinned {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
    let published = input::published(&mut sources, &mut diagnostics);
    let (model, _) = Model::merge_published(&linux, &qemu, &published);
    let file = sources.add("differences.tsv", cpuid_gen::DIFFERENCES);
    let differences = input::judgements(&mut sources, file, None, &mut diagnostics).unwrap();
    let witnesses = input::pinned_witnesses(&mut sources, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    let report = verify(&linux, &qemu, &differences, Scope::Pinned);
    let atlas = Atlas {
        model: &model,
        linux: &linux,
        qemu: &qemu,
        witnesses: &witnesses,
        report: &report,
        sources: &sources,
    };
    let page = atlas.page();
    let known = report.explained.len();
    Pinned { linux, qemu, page, known }
}
