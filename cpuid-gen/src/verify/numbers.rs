//! Checks of Linux's bits outside feature words: KVM's own leaf, bits of MSRs, and what kernel configurations fix.

use super::finding::Findings;
use super::fold::fold;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::linux_names;
use super::qemu::QemuIndex;
use super::twice::{Claim, check_repeated, check_unique};
use crate::diagnostic::Diagnostic;
use crate::facts::{ConfigKind, KvmPara, LinuxConfig, LinuxMsrBit};
use crate::location::{Bit, Location, Msr};

/// Checks within one release.
pub(super) fn check(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let (facts, release) = (index.facts, &index.release);
    let by_name = |para: &KvmPara| Claim { by: para.name.clone(), at: para.at };
    let by_place = |para: &KvmPara| Claim { by: para.location.to_string(), at: para.at };
    let places = facts.kvm_para.iter().map(|para| (para.location, para));
    check_unique(
        findings,
        release,
        Kind::BitTwice,
        places,
        |at: &Location| format!("kvm-para {at}"),
        by_name,
    );
    let names = facts.kvm_para.iter().map(|para| (&para.name, para));
    check_unique(findings, release, Kind::NameTwice, names, |name| format!("kvm-para {name}"), by_place);
    let by_name = |bit: &LinuxMsrBit| Claim { by: bit.name.clone(), at: bit.at };
    let by_place = |bit: &LinuxMsrBit| Claim { by: shown(bit.msr, bit.bit), at: bit.at };
    let places = facts.msr_bits.iter().map(|bit| ((bit.msr, bit.bit), bit));
    let what = |(msr, bit): &(Msr, Bit)| format!("linux-msr {}", shown(*msr, *bit));
    check_unique(findings, release, Kind::BitTwice, places, what, by_name);
    let names = facts.msr_bits.iter().map(|bit| (&bit.name, bit));
    check_unique(findings, release, Kind::NameTwice, names, |name| format!("linux-msr {name}"), by_place);
    check_configs(index, findings);
}

/// A bit of an MSR in a key.
pub(super) fn shown(msr: Msr, bit: Bit) -> String {
    msr.bit(bit).to_string()
}

/// Checks that configurations fix existing features, each once and with an effect.
fn check_configs(index: &LinuxIndex<'_>, findings: &mut Findings<'_>) {
    let configs = &index.facts.configs;
    let rows = configs.iter().map(|config| ((config.kind.name(), &config.name), config.at));
    check_repeated(findings, &index.release, rows, |(kind, name)| format!("linux-config {kind} {name}"));
    for config in configs {
        linux_names::check_resolves(index, "linux-config", &config.name, config.at, findings);
        if config.kind == ConfigKind::Named {
            check_effect(index, config, findings);
        }
    }
}

fn check_effect(index: &LinuxIndex<'_>, config: &LinuxConfig, findings: &mut Findings<'_>) {
    let condition = config.condition.as_deref().unwrap_or("-");
    let key = Key::new(Kind::Config, format!("linux-config {}", config.name), condition, "-");
    findings.add(key, &[&index.release], || {
        let message = format!("`{}` is named in a mask whose value does not have its bit", config.name);
        let found = Diagnostic::error(config.at, message);
        match index.features.get(config.name.as_str()) {
            Some(feature) => found.with_label(feature.at, "the feature"),
            None => found,
        }
    });
}

/// Compares Linux's bits of MSRs with QEMU's feature words of the same MSRs.
pub(super) fn check_pair(linux: &LinuxIndex<'_>, qemu: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let releases = [&linux.release, &qemu.release];
    for bit in &linux.facts.msr_bits {
        let (place, folded) = (shown(bit.msr, bit.bit), fold(&bit.name));
        if let Some(other) = qemu.msr_bits.get(&(bit.msr, bit.bit)) {
            if !other.folded.contains(&folded) {
                let key = Key::new(Kind::BitName, &place, &bit.name, &other.bit.name);
                findings.add(key, &releases, || {
                    Diagnostic::error(bit.at, format!("{place} is `{}` in Linux", bit.name))
                        .with_label(other.bit.at, format!("and `{}` in QEMU", other.bit.name))
                });
            }
        }
        for (&(msr, number), other) in qemu.msr_bits.iter().filter(|((msr, _), _)| *msr == bit.msr) {
            if number == bit.bit || !other.folded.contains(&folded) {
                continue;
            }
            let key = Key::new(Kind::NameElsewhere, &other.bit.name, &place, shown(msr, number));
            findings.add(key, &releases, || {
                Diagnostic::error(bit.at, format!("`{}` is {place} in Linux", bit.name))
                    .with_label(other.bit.at, format!("and {} in QEMU", shown(msr, number)))
            });
        }
    }
}
