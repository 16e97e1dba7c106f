//! Compares two Linux releases.

mod caps;
mod features;
mod fields;
mod flags;
mod tables;
mod words;

use std::collections::HashMap;

use super::change::{Change, Topic};
use crate::facts::{LinuxFacts, LinuxWord};
use crate::location::{CpuidWord, Location, Word};

/// All passes, in the order of the report.
pub(super) fn passes(old: &LinuxFacts, new: &LinuxFacts) -> Vec<(Topic, Vec<Change>)> {
    let (before, after) = (Tree::new(old), Tree::new(new));
    let features = features::changes(&before, &after);
    let bugs = features::kernel_bits(&old.bugs, &new.bugs);
    let vmx = features::kernel_bits(&old.vmx, &new.vmx);
    let flags = flags::changes(&[("flags", &features), ("bugs", &bugs), ("vmx flags", &vmx)]);
    vec![
        (Topic::LinuxWords, words::changes(old, new)),
        (Topic::LinuxFeatures, features.clone()),
        (Topic::LinuxFlags, flags),
        (Topic::KvmCaps, caps::changes(&before, &after)),
        (Topic::LinuxBugs, bugs),
        (Topic::LinuxVmx, vmx),
        (Topic::LinuxDeps, tables::deps(old, new, &features)),
        (Topic::LinuxConfig, tables::configs(old, new)),
        (Topic::KvmPara, tables::para(old, new)),
        (Topic::LinuxMsr, tables::msr_bits(old, new)),
        (Topic::CpuidFields, fields::changes(&old.cpuid_fields, &new.cpuid_fields)),
        (Topic::LinuxCounts, tables::counts(old, new)),
    ]
}

/// One release's facts, indexed.
struct Tree<'a> {
    facts: &'a LinuxFacts,
    words: HashMap<Word, &'a LinuxWord>,
    leaves: HashMap<&'a str, CpuidWord>,
    bits: Vec<features::Known<'a>>,
    /// The hardware locations of each macro.
    named: HashMap<&'a str, Vec<Location>>,
}

impl<'a> Tree<'a> {
    fn new(facts: &'a LinuxFacts) -> Tree<'a> {
        let words = facts.words.iter().map(|word| (word.word, word)).collect();
        let leaves =
            facts.words.iter().filter_map(|word| Some((word.name.as_str(), word.location?))).collect();
        let mut tree = Tree { facts, words, leaves, bits: Vec::new(), named: HashMap::new() };
        tree.bits = features::known(&tree);
        for bit in &tree.bits {
            if let Some(location) = bit.home {
                tree.named.entry(bit.name).or_default().push(location);
            }
        }
        tree
    }
}
