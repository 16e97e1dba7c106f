//! The tables as JSON, as `schema.json` describes them.

use serde_json::{Value, json};

use super::{flag, linux_name, qemu_name, versions};
use crate::location::{CpuidWord, WordSource};
use crate::model::{KernelBit, KvmTreatment, Model, Node, QemuRelease};

/// The document.
pub(super) fn tables(model: &Model, qemu: &QemuRelease) -> Value {
    json!({
        "version": 1,
        "linux": model.linux.iter().map(|release| &release.name).collect::<Vec<_>>(),
        "qemu": model.qemu.iter().map(|release| &release.name).collect::<Vec<_>>(),
        "features": features(model),
        "fields": fields(model),
        "msr": msr(model),
        "software": kernel(&model.software),
        "bugs": kernel(&model.bugs),
        "vmx": kernel(&model.vmx),
        "models": models(qemu),
    })
}

fn features(model: &Model) -> Vec<Value> {
    let all = model.features.iter().enumerate().map(|(at, feature)| {
        let CpuidWord { leaf, subleaf, register } = feature.location.word;
        let kvm = feature.linux.last().map_or(KvmTreatment::Unknown, KvmTreatment::from_view);
        json!({
            "constant": feature.constant,
            "leaf": leaf.0,
            "subleaf": subleaf.0,
            "register": register.name().to_lowercase(),
            "bit": feature.location.bit.0,
            "linux": linux_name(feature),
            "flag": flag(feature),
            "qemu": qemu_name(&feature.qemu),
            "kvm": kvm.to_string(),
            "needs": needs(model, Node::Feature(at)),
        })
    });
    all.collect()
}

/// The constants that it needs directly, without alternatives.
fn needs(model: &Model, node: Node) -> Vec<&str> {
    let direct = model.dependencies.direct().filter(|(from, _)| *from == node);
    direct.map(|(_, needs)| model.constant(needs)).collect()
}

fn fields(model: &Model) -> Vec<Value> {
    let all = model.fields.iter().map(|field| {
        let place = &field.place;
        json!({
            "name": field.name,
            "leaf": place.leaf.0,
            "first_subleaf": place.first.0,
            "last_subleaf": place.last.0,
            "register": place.register.name().to_lowercase(),
            "low": place.low.0,
            "high": place.high.0,
        })
    });
    all.collect()
}

fn msr(model: &Model) -> Vec<Value> {
    let all = model.msr.iter().map(|bit| {
        json!({"constant": bit.constant, "msr": bit.msr.0, "bit": bit.bit.0, "qemu": qemu_name(&bit.qemu)})
    });
    all.collect()
}

/// Bits that only Linux numbers, in the newest release that has them.
fn kernel(bits: &[KernelBit]) -> Vec<Value> {
    let all = bits.iter().map(|bit| {
        let newest = bit.linux.iter().rev().flatten().next();
        json!({"constant": bit.constant, "name": bit.name, "flag": newest.and_then(|view| view.flag.as_deref())})
    });
    all.collect()
}

fn models(qemu: &QemuRelease) -> Vec<Value> {
    let all = versions(qemu).map(|(name, model, version)| {
        let definition = &version.definition;
        let words = definition.words.iter().filter_map(|(word, mask)| {
            Some(match qemu.sources.get(word)? {
                WordSource::Cpuid(CpuidWord { leaf, subleaf, register }) => json!({
                    "leaf": leaf.0,
                    "subleaf": subleaf.0,
                    "register": register.name().to_lowercase(),
                    "mask": format!("{mask:#x}"),
                }),
                WordSource::Msr(msr) => json!({"msr": msr.0, "mask": format!("{mask:#x}")}),
            })
        });
        json!({
            "name": name,
            "alias": version.alias,
            "deprecated": model.deprecated,
            "vendor": definition.vendor,
            "family": definition.family,
            "model": definition.model,
            "stepping": definition.stepping,
            "level": definition.level,
            "xlevel": definition.xlevel,
            "model_id": definition.model_id,
            "words": words.collect::<Vec<_>>(),
        })
    });
    all.collect()
}
