//! All steps of the generator in one process: read a Linux and a QEMU tree, check them against each other and against the
//! witnesses, merge, emit. Uses the newest trees in `upstream/trees`, or else the pinned facts of the same releases.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and panics if it cannot measure"
)]
#![allow(missing_docs, reason = "not an interface")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::facts::{LinuxFacts, QemuFacts};
use cpuid_gen::model::Model;
use cpuid_gen::source::Sources;
use cpuid_gen::verify::{Differences, Scope, verify};
use cpuid_gen::{DIFFERENCES, PROCESSORS, generate, input};

const ROUNDS: usize = 200;

fn main() {
    let upstream = Path::new(env!("CARGO_MANIFEST_DIR")).join("upstream");
    let linux = newest(&upstream, "linux-7.3");
    let qemu = newest(&upstream, "qemu-10.2");
    println!("from {} and {}", shown(&linux), shown(&qemu));
    let (mut reading, mut checking, mut emitting, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut without = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let (linux, qemu) = read(&linux, &qemu);
        let read = start.elapsed();
        check(&linux, &qemu, true);
        let checked = start.elapsed();
        let (model, _) = Model::merge(&linux, &qemu);
        black_box(generate(&model).unwrap());
        let done = start.elapsed();
        reading.push(read);
        checking.push(checked - read);
        emitting.push(done - checked);
        all.push(done);
        // Beside it, the same check without the witnesses.
        let start = Instant::now();
        check(&linux, &qemu, false);
        without.push(start.elapsed());
    }
    let median = |times: &[Duration]| {
        let mut sorted = times.to_vec();
        sorted.sort();
        sorted[sorted.len() / 2].as_secs_f64()
    };
    let ratio = median(&checking) / median(&without);
    for (what, times) in [
        ("read", reading),
        ("check", checking),
        ("  no witnesses", without),
        ("merge and emit", emitting),
        ("everything", all),
    ] {
        report(what, times);
    }
    println!("check with witnesses / without: {ratio:.2}");
}

fn read(linux: &Path, qemu: &Path) -> (Vec<LinuxFacts>, Vec<QemuFacts>) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let facts = input::pinned_or(&mut sources, Some(linux), Some(qemu), &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&sources));
    facts
}

fn check(linux: &[LinuxFacts], qemu: &[QemuFacts], with_witnesses: bool) {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add("differences.tsv", DIFFERENCES);
    let differences = if with_witnesses {
        input::judgements(&mut sources, file, None, &mut diagnostics).unwrap()
    } else {
        let mut differences = Differences::read(&sources, file, &mut diagnostics).unwrap();
        let processors = sources.add("processors.tsv", PROCESSORS);
        differences.read_processors(&sources, processors, &mut diagnostics);
        differences
    };
    black_box(verify(linux, qemu, &differences, Scope::Given));
}

/// The newest tree of a series, or its facts.
fn newest(upstream: &Path, series: &str) -> PathBuf {
    let entries = std::fs::read_dir(upstream.join("trees")).into_iter().flatten().flatten();
    let trees = entries.map(|entry| entry.path()).filter(|path| shown(path).starts_with(series));
    let newest = trees.max_by_key(|path| (shown(path).len(), shown(path)));
    newest.unwrap_or_else(|| upstream.join(format!("{series}.tsv")))
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (least, median) = (times[0], times[times.len() / 2]);
    println!("{what:<16} min {:7.2} ms   median {:7.2} ms", milliseconds(least), milliseconds(median));
}
