//! The smaller tables, in which each row is compared separately.

use std::collections::HashMap;

use crate::diff::bits::{self, Bit};
use crate::diff::change::Change;
use crate::diff::rows::{Line, table};
use crate::facts::{
    KvmModuleCap, KvmPara, KvmParam, LinuxConfig, LinuxCount, LinuxDep, LinuxFacts, LinuxMsrBit,
};

/// `linux-count`.
pub(super) fn counts(old: &LinuxFacts, new: &LinuxFacts) -> Vec<Change> {
    let line = |count: &LinuxCount| Line::new(&count.name, count.at).with("words", count.value);
    table(&old.counts, &new.counts, |count| &count.name, line)
}

/// `linux-dep`: a pair, identified also after renames of its features.
pub(super) fn deps(old: &LinuxFacts, new: &LinuxFacts, features: &[Change]) -> Vec<Change> {
    let renamed = |change: &'_ Change| Some((change.was.clone()?, change.subject.clone()));
    let renames: HashMap<String, String> = features.iter().filter_map(renamed).collect();
    let key = |dep: &LinuxDep, old: bool| {
        let newest = |name: &String| renames.get(name).filter(|_| old).unwrap_or(name).clone();
        (newest(&dep.name), newest(&dep.needs))
    };
    let keyed = |all: &[LinuxDep], old: bool| -> Vec<_> {
        all.iter().map(|dep| (key(dep, old), dep.clone())).collect()
    };
    let line = |(_, dep): &(_, LinuxDep)| Line::new(format!("{} needs {}", dep.name, dep.needs), dep.at);
    table(&keyed(&old.deps, true), &keyed(&new.deps, false), |(key, _)| key, line)
}

/// `linux-config`.
pub(super) fn configs(old: &LinuxFacts, new: &LinuxFacts) -> Vec<Change> {
    let line = |config: &LinuxConfig| {
        let condition = config.condition.as_deref().unwrap_or("always");
        Line::new(&config.name, config.at).with(config.kind.name(), condition)
    };
    table(&old.configs, &new.configs, |config| &config.name, line)
}

/// `kvm-module`: a module's action on a feature, with its conditions.
pub(super) fn modules(old: &LinuxFacts, new: &LinuxFacts) -> Vec<Change> {
    let key = |cap: &KvmModuleCap| (cap.module, cap.action, cap.name.clone());
    let line = |cap: &KvmModuleCap| {
        let condition = cap.condition.as_deref().unwrap_or("always");
        Line::new(format!("{} by {}", cap.name, cap.module), cap.at).with(cap.action.name(), condition)
    };
    table(&old.kvm_modules, &new.kvm_modules, key, line)
}

/// `kvm-param`.
pub(super) fn params(old: &LinuxFacts, new: &LinuxFacts) -> Vec<Change> {
    let line = |param: &KvmParam| Line::new(param.full_name(), param.at).with("default", &param.default);
    table(&old.kvm_params, &new.kvm_params, KvmParam::full_name, line)
}

/// `kvm-para`.
pub(super) fn para(old: &LinuxFacts, new: &LinuxFacts) -> Vec<Change> {
    let bits = |facts: &LinuxFacts| {
        let bit = |para: &KvmPara| Bit { home: Some(para.location), line: Line::new(&para.name, para.at) };
        facts.kvm_para.iter().map(bit).collect()
    };
    bits::changes(bits(old), bits(new))
}

/// `linux-msr`.
pub(super) fn msr_bits(old: &LinuxFacts, new: &LinuxFacts) -> Vec<Change> {
    let bits = |facts: &LinuxFacts| {
        let bit =
            |bit: &LinuxMsrBit| Bit { home: Some(bit.msr.bit(bit.bit)), line: Line::new(&bit.name, bit.at) };
        facts.msr_bits.iter().map(bit).collect()
    };
    bits::changes(bits(old), bits(new))
}
