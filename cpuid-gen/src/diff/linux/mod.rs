//! Compares two Linux releases.

mod caps;
mod features;
mod fields;
mod flags;
mod tables;
mod tree;
mod words;

use super::change::{Change, Topic};
use crate::facts::LinuxFacts;
use tree::Tree;

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
        (Topic::KvmModules, tables::modules(old, new)),
        (Topic::KvmParams, tables::params(old, new)),
        (Topic::LinuxBugs, bugs),
        (Topic::LinuxVmx, vmx),
        (Topic::LinuxDeps, tables::deps(old, new, &features)),
        (Topic::LinuxConfig, tables::configs(old, new)),
        (Topic::KvmPara, tables::para(old, new)),
        (Topic::LinuxMsr, tables::msr_bits(old, new)),
        (Topic::CpuidFields, fields::changes(&old.cpuid_fields, &new.cpuid_fields)),
        (Topic::LeafFields, fields::changes(&old.leaf_fields, &new.leaf_fields)),
        (Topic::LinuxCounts, tables::counts(old, new)),
    ]
}
