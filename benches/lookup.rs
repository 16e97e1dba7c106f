//! Look-up by name and tests of a set, against what one would write without the tables.
//!
//! `cargo bench --bench lookup`. Each line is the median and the minimum of several rounds.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::time::Instant;

use cpuid_tables::{Feature, FeatureSet, LinuxRelease, Named, feature, lookup};

/// Rounds of each measurement.
const ROUNDS: usize = 31;
/// How often each round walks the names.
const WALKS: usize = 20;

fn main() {
    let names = names();
    let texts: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    let map: HashMap<&str, Named> = names.iter().copied().collect();
    let misses: Vec<String> = texts.iter().map(|name| format!("{name}_not")).collect();
    let misses: Vec<&str> = misses.iter().map(String::as_str).collect();
    say(&format!("{} flags of Linux {}", texts.len(), LinuxRelease::NEWEST));
    let ours = per_item("look-up by any name", &texts, |name| lookup(name).is_ok());
    let exact = |name: &str| LinuxRelease::NEWEST.flag(name).is_ok();
    per_item("look-up of a release's flag", &texts, exact);
    let std = per_item("std HashMap", &texts, |name| map.contains_key(name));
    let scan = |name: &str| names.iter().any(|(known, _)| *known == name);
    let linear = per_item("linear scan", &texts, scan);
    say(&format!("  HashMap / ours {:.2}, scan / ours {:.2}", std / ours, linear / ours));
    say("unknown names");
    per_item("look-up by any name", &misses, |name| lookup(name).is_ok());
    per_item("std HashMap", &misses, |name| map.contains_key(name));
    per_item("linear scan", &misses, scan);
    sets();
}

/// Test of every feature on a set.
fn sets() {
    let all: Vec<Feature> = Feature::all().collect();
    let half: FeatureSet = all.iter().copied().step_by(2).collect();
    let std: HashSet<Feature> = half.iter().collect();
    say(&format!("{} features, half of them in the set", all.len()));
    per_item("FeatureSet::contains", &all, |bit| black_box(&half).contains(bit));
    per_item("std HashSet", &all, |bit| std.contains(&bit));
    // Through a pointer, so that the compiler leaves the function as it is written.
    let constant: fn(&FeatureSet) -> bool = black_box(has_avx2);
    per_item("one constant feature", &all, |_| constant(black_box(&half)));
}

/// For the assembly: `cargo rustc --release --bench lookup -- --emit asm`, then look for `has_avx2`.
#[inline(never)]
fn has_avx2(set: &FeatureSet) -> bool {
    set.contains(feature::AVX2)
}

/// Every flag that stands for one bit.
fn names() -> Vec<(&'static str, Named)> {
    let release = LinuxRelease::NEWEST;
    let flags = Feature::all().filter_map(|bit| bit.flag(release));
    flags.filter_map(|flag| Some((flag, lookup(flag).ok()?))).collect()
}

/// Nanoseconds per item: prints the median and the minimum, returns the median.
fn per_item<T: Copy>(what: &str, items: &[T], mut of: impl FnMut(T) -> bool) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..WALKS {
                for &item in items {
                    black_box(of(black_box(item)));
                }
            }
            start.elapsed().as_secs_f64() * 1e9 / (WALKS * items.len()) as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let median = rounds[ROUNDS / 2];
    say(&format!("  {what:<28} {median:8.2} ns (minimum {:.2})", rounds[0]));
    median
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn say(line: &str) {
    println!("{line}");
}
