//! CPU models at run time against the generator's model of the same facts, and against known facts.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Debug;

use cpuid_gen::diagnostic::Diagnostics;
use cpuid_gen::input;
use cpuid_gen::location::WordSource;
use cpuid_gen::model::cpu_models::CpuDefinition;
use cpuid_gen::model::{self, Model};
use cpuid_gen::ordered::Map;
use cpuid_gen::source::Sources;
use cpuid_tables::{CpuModel, CpuidWord, Feature, Msr, QemuRelease, SharedBy, XsaveComponent, feature, msr};

use crate::common;

type TestResult = Result<(), Box<dyn Error>>;

/// The generator's model of the pinned facts.
fn generated() -> Result<Model, Box<dyn Error>> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let (linux, qemu) = input::pinned(&mut sources, &mut diagnostics);
    let published = input::published(&mut sources, &mut diagnostics);
    let (model, doubts) = Model::merge_published(&linux, &qemu, &published);
    assert_eq!(doubts.render(&sources), "");
    assert_eq!(model.qemu.len(), QemuRelease::ALL.len());
    Ok(model)
}

fn release(name: &str) -> Result<QemuRelease, Box<dyn Error>> {
    QemuRelease::find(name).ok_or_else(|| format!("no QEMU {name}").into())
}

fn cpu(release: QemuRelease, name: &str) -> Result<CpuModel, Box<dyn Error>> {
    release.cpu_model(name).ok_or_else(|| format!("QEMU {release} has no `{name}`").into())
}

fn newest(name: &str) -> Result<CpuModel, Box<dyn Error>> {
    cpu(QemuRelease::NEWEST, name)
}

#[test]
fn every_model_version_and_alias_is_found_and_resolved_as_generated() -> TestResult {
    if !common::pinned("every_model_version_and_alias_is_found_and_resolved_as_generated") {
        return Ok(());
    }
    let mut checked = 0;
    for release in generated()?.qemu {
        let ours = QemuRelease::find(&release.name).ok_or("no such release")?;
        assert!(ours.cpu_models().map(CpuModel::name).eq(release.models.iter().map(|model| &model.name)));
        for model in &release.models {
            let plain = cpu(ours, &model.name)?;
            assert!(plain.is_unversioned() && plain.is_called(&model.name), "{plain}");
            assert_eq!(plain.to_string(), model.name);
            assert_eq!(plain.version_number(), 1, "{plain}");
            assert_eq!(plain.deprecated(), model.deprecated.as_deref());
            assert_eq!((plain.base().alias(), plain.base().note()), (None, None));
            same(plain.base(), &model.base, &release)?;
            assert_eq!(plain.versions().count(), model.versions.len());
            assert_eq!(usize::from(plain.latest().version_number()), model.versions.len());
            for (found, version) in plain.versions().zip(&model.versions) {
                let name = format!("{}-v{}", model.name, version.version);
                assert_eq!(found.to_string(), name);
                assert_eq!(cpu(ours, &name)?, found);
                assert!(found.is_called(&name) && !found.is_called(&model.name) && !found.is_unversioned());
                assert_eq!(found.alias(), version.alias.as_deref());
                assert_eq!(found.note(), version.note.as_deref());
                same(found, &version.definition, &release)?;
                if let Some(alias) = &version.alias {
                    let by_alias = cpu(ours, alias)?;
                    assert_eq!(by_alias.to_string(), *alias);
                    assert_eq!(by_alias.version_number(), found.version_number());
                    assert!(by_alias.is_called(alias) && !by_alias.is_called(&name));
                    same(by_alias, &version.definition, &release)?;
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 200, "only {checked} versions");
    Ok(())
}

/// Compares every field of a definition.
fn same(found: CpuModel, definition: &CpuDefinition, release: &model::QemuRelease) -> TestResult {
    assert_eq!((found.level(), found.xlevel()), (definition.level, definition.xlevel), "{found}");
    assert_eq!((found.vendor(), found.model_id()), (&*definition.vendor, &*definition.model_id), "{found}");
    let numbers = [found.family(), found.model_number(), found.stepping()].map(u32::from);
    assert_eq!(numbers, [definition.family, definition.model, definition.stepping], "{found}");
    assert_eq!(found.avx10_version(), definition.avx10, "{found}");
    let (mut words, mut msrs) = (BTreeMap::new(), BTreeMap::new());
    for (word, mask) in &definition.words {
        match release.sources.get(word).ok_or("no such word")? {
            WordSource::Cpuid(word) => {
                let place = word.to_string().parse::<CpuidWord>()?;
                assert_eq!(words.insert(place, u32::try_from(*mask)?), None);
            }
            WordSource::Msr(msr) => assert_eq!(msrs.insert(Msr(msr.0), *mask), None),
        }
    }
    // By location, like the maps.
    assert!(found.words().eq(words.iter().map(|(word, mask)| (*word, *mask))), "{found}");
    assert!(found.msrs().eq(msrs.iter().map(|(msr, mask)| (*msr, *mask))), "{found}");
    assert!(words.iter().all(|(word, mask)| found.word(*word) == *mask));
    let known = |(word, mask): (&CpuidWord, &u32)| mask & cpuid_tables::FeatureSet::ALL.word(*word);
    let bits: u32 = words.iter().map(known).map(u32::count_ones).sum();
    assert_eq!(found.features().len(), usize::try_from(bits)?, "{found}");
    assert!(Feature::all().all(|feature| found.has(feature) == found.features().contains(feature)));
    assert!(found.msr_features().all(|feature| found.has_msr(feature)), "{found}");
    let properties: Map<String, String> =
        found.properties().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(properties, definition.props, "{found}");
    let caches: Vec<_> = found.caches().iter().flat_map(|caches| caches.iter().collect::<Vec<_>>()).collect();
    same_text(&caches, definition.caches.iter().collect::<Vec<_>>());
    assert_eq!(found.caches().is_some(), !caches.is_empty());
    Ok(())
}

/// Both crates compile the same definition, so equal values have the same text.
fn same_text(found: impl Debug, expected: impl Debug) {
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
}

#[test]
fn names_are_case_sensitive() -> TestResult {
    if !common::recent("names_are_case_sensitive") {
        return Ok(());
    }
    let wrong =
        ["", "epyc", "EPYC-v", "EPYC-v0", "EPYC-v01", "EPYC-v+1", "EPYC-v99", "EPYC-v70000", "EPYC-v1 "];
    for name in wrong.into_iter().chain(["host", "max", "base", "-v1"]) {
        assert_eq!(QemuRelease::NEWEST.cpu_model(name), None, "{name}");
    }
    let epyc = newest("EPYC")?;
    assert_eq!(epyc.version(0), None);
    assert_eq!(epyc.version(u16::MAX), None);
    assert!(!newest("EPYC-v1")?.is_called("EPYC-v2"));
    // One model's name may be the prefix of another's.
    assert_eq!(newest("EPYC-Milan-v1")?.name(), "EPYC-Milan");
    Ok(())
}

#[test]
fn versions_add_to_what_came_before() -> TestResult {
    if !common::recent("versions_add_to_what_came_before") {
        return Ok(());
    }
    let (old, new) = (newest("Cascadelake-Server-v2")?, newest("Cascadelake-Server-noTSX")?);
    assert_eq!((new.version_number(), new.to_string()), (3, "Cascadelake-Server-noTSX".to_owned()));
    assert_eq!(new.version(3), Some(newest("Cascadelake-Server-v3")?));
    assert!(old.has(feature::HLE) && old.has(feature::RTM));
    assert_eq!(old.features() - new.features(), [feature::HLE, feature::RTM].into_iter().collect());
    assert!((new.features() - old.features()).is_empty());
    // Off in version 2, on again in version 3.
    let has = |name: &str| newest(name).map(|model| (model.has(feature::HLE), model.stepping()));
    assert_eq!(has("Haswell-v1")?, (true, 4));
    assert_eq!(has("Haswell-noTSX")?, (false, 1));
    assert_eq!(has("Haswell-IBRS")?, (true, 4));
    assert!(newest("EPYC-Milan")?.has(feature::PCID) && !newest("EPYC-Milan")?.has(feature::AVX512F));
    assert!(newest("Icelake-Server-v3")?.has_msr(msr::RDCTL_NO));
    assert!(!newest("Icelake-Server-v1")?.has_msr(msr::RDCTL_NO));
    Ok(())
}

#[test]
fn registers_match_the_guest_leaves() -> TestResult {
    if !common::pinned("registers_match_the_guest_leaves") {
        return Ok(());
    }
    let qemu64 = newest("qemu64")?;
    assert_eq!((qemu64.level(), qemu64.xlevel()), (0xd, 0x8000_000a));
    assert_eq!(qemu64.vendor_registers(), [0x6874_7541, 0x6974_6e65, 0x444d_4163]);
    assert_eq!((qemu64.family(), qemu64.model_number(), qemu64.stepping()), (15, 107, 1));
    assert_eq!(qemu64.signature(), 0x60fb1);
    // Family 25, model 1.
    assert_eq!(newest("EPYC-Milan")?.signature(), 0x00a0_0f11);
    assert_eq!(newest("SapphireRapids")?.signature(), 0x000806f4);
    assert_eq!(newest("486")?.signature(), 0x480);
    let brand: Vec<u8> =
        qemu64.brand_registers().iter().flat_map(|register| register.to_le_bytes()).collect();
    assert_eq!(brand[..29], *b"QEMU Virtual CPU version 2.5+");
    assert_eq!((brand.len(), brand[29..].iter().all(|byte| *byte == 0)), (48, true));
    assert_eq!(newest("486")?.brand_registers(), [0; 12]);
    // The hypervisor bit is in no model.
    assert!(QemuRelease::NEWEST.cpu_models().all(|model| !model.has(feature::HYPERVISOR)));
    Ok(())
}

#[test]
fn machine_type_selects_the_version_of_a_plain_name() -> TestResult {
    if !common::pinned("machine_type_selects_the_version_of_a_plain_name") {
        return Ok(());
    }
    let (q35, microvm, isapc) = ("pc-q35-9.0", "microvm", "isapc");
    let on = |name: &str, machine: &str| -> Result<u16, Box<dyn Error>> {
        let machine = QemuRelease::NEWEST.machine(machine).ok_or("no such machine type")?;
        Ok(newest(name)?.for_machine(machine).version_number())
    };
    assert_eq!(
        (on("EPYC", q35)?, on("EPYC", microvm)?, on("EPYC", isapc)?),
        (1, newest("EPYC")?.latest().version_number(), 0)
    );
    assert!(newest("EPYC")?.latest().version_number() > 3);
    for machine in [q35, microvm, isapc] {
        assert_eq!((on("EPYC-v2", machine)?, on("EPYC-IBPB", machine)?), (2, 2));
    }
    let machine = release("7.2")?.machine("pc-q35-3.1").ok_or("no such machine type")?;
    assert_eq!(machine.release(), release("7.2")?);
    let mpx = machine.compat().find(|set| set.cpu() == Some("Skylake-Server")).ok_or("nothing set")?;
    let cpu = |name| cpu(release("7.2")?, name);
    assert!(mpx.applies_to(cpu("Skylake-Server")?) && !mpx.applies_to(cpu("Skylake-Server-v1")?));
    assert!(!mpx.applies_to(cpu("Skylake-Server-IBRS")?));
    let every = machine.compat().find(|set| set.cpu().is_none()).ok_or("nothing set")?;
    assert!(every.applies_to(cpu("486-v1")?));
    Ok(())
}

#[test]
fn boards_are_as_generated() -> TestResult {
    if !common::pinned("boards_are_as_generated") {
        return Ok(());
    }
    for release in generated()?.qemu {
        let (ours, board) = (QemuRelease::find(&release.name).ok_or("no such release")?, &release.board);
        let pairs = |all: &[(String, Option<String>)]| -> Vec<(String, Option<String>)> { all.to_vec() };
        let owned = |(name, value): (&str, Option<&str>)| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(ours.kvm_defaults().map(owned).collect::<Vec<_>>(), pairs(&board.kvm_defaults));
        assert_eq!(ours.tcg_defaults().map(owned).collect::<Vec<_>>(), pairs(&board.tcg_defaults));
        let aliases = ours.aliases().map(|(name, target)| (name.to_owned(), target.to_owned()));
        assert_eq!(aliases.collect::<Vec<_>>(), board.aliases);
        assert!(board.aliases.iter().all(|(name, target)| ours.alias_of(name) == Some(&**target)));
        assert_eq!(ours.machines().count(), board.machines.len());
        for (machine, expected) in ours.machines().zip(&board.machines) {
            assert_eq!(ours.machine(&expected.name), Some(machine));
            assert_eq!(machine.to_string(), expected.name);
            same_text(machine.default_version(), expected.default_version);
            let compat =
                machine.compat().map(|set| [set.qom_type, set.property, set.value].map(str::to_owned));
            let rows = expected.compat.iter().cloned().map(|set| [set.of, set.property, set.value]);
            assert!(compat.eq(rows), "{machine}");
            assert_eq!(machine.kvm_defaults().map(owned).collect::<Vec<_>>(), pairs(&expected.kvm_defaults));
        }
        assert_eq!(ours.legacy_caches().count(), board.legacy_caches.len());
        for (found, expected) in ours.legacy_caches().zip(&board.legacy_caches) {
            assert_eq!(found.name, expected.name);
            same_text((found.slot, found.cache), (expected.slot, expected.cache));
        }
        assert_eq!(ours.cache_descriptors().count(), board.cache_descriptors.len());
        for (found, expected) in ours.cache_descriptors().zip(&board.cache_descriptors) {
            same_text(found, expected);
        }
        assert_eq!(ours.cpu_properties().count(), board.properties.len());
        for (found, expected) in ours.cpu_properties().zip(&board.properties) {
            assert_eq!((found.name, found.kind), (&*expected.name, &*expected.kind));
            assert_eq!(
                (found.field, found.default),
                (expected.field.as_deref(), expected.default.as_deref())
            );
            assert_eq!(found.bit.map(|bit| bit.0), expected.bit.map(|bit| bit.0));
        }
    }
    Ok(())
}

#[test]
fn machine_types_collect_what_newer_ones_changed() -> TestResult {
    if !common::pinned("machine_types_collect_what_newer_ones_changed") {
        return Ok(());
    }
    // Rows of pc-q35-6.0 come after those of the newer types that it inherits from.
    let machine = release("10.2")?.machine("pc-q35-6.0").ok_or("no such machine type")?;
    let order: Vec<&str> = machine.compat().map(|set| set.property).collect();
    let at = |name: &str| order.iter().position(|property| *property == name).ok_or("not set");
    assert!(at("x-consistent-cache")? < at("legacy-multi-node")? && at("legacy-multi-node")? < at("family")?);
    assert!(!order.contains(&"kvm-msi-ext-dest-id"));
    // Properties that old machine types remove from KVM's defaults.
    let old = release("7.2")?.machine("pc-i440fx-1.7").ok_or("no such machine type")?;
    let value =
        |name: &str| old.kvm_defaults().find(|(property, _)| *property == name).map(|(_, value)| value);
    assert_eq!(
        (value("x2apic"), value("svm"), value("kvmclock")),
        (Some(None), Some(None), Some(Some("on")))
    );
    Ok(())
}

#[test]
fn caches_and_their_descriptors() -> TestResult {
    if !common::pinned("caches_and_their_descriptors") {
        return Ok(());
    }
    let epyc = newest("EPYC")?.caches().ok_or("no caches")?;
    let l3 = epyc.l3.ok_or("no level 3")?;
    assert_eq!((l3.size, l3.associativity, l3.shared_by), (8 << 20, 16, Some(SharedBy::Die)));
    assert_eq!(newest("qemu64")?.caches(), None);
    assert!(
        newest("SapphireRapids-v3")?.caches().is_none() && newest("SapphireRapids-v4")?.caches().is_some()
    );
    let release = release("10.0")?;
    let byte = |name: &str| {
        let found = release.legacy_caches().find(|legacy| legacy.name == name);
        found.and_then(|legacy| release.cache_descriptor(&legacy.cache))
    };
    assert_eq!(byte("legacy_l1d_cache"), Some(0x2c));
    assert_eq!(byte("legacy_l1i_cache"), Some(0x30));
    assert_eq!(byte("legacy_l2_cache_cpuid2"), Some(0x7d));
    assert_eq!(byte("legacy_l1d_cache_amd"), None);
    Ok(())
}

#[test]
fn xsave_components_are_as_generated() -> TestResult {
    if !common::pinned("xsave_components_are_as_generated") {
        return Ok(());
    }
    let model = generated()?;
    assert_eq!(XsaveComponent::all().count(), model.xsave.len());
    for (found, expected) in XsaveComponent::all().zip(&model.xsave) {
        let locations: Vec<String> = found.features().map(|feature| feature.location().to_string()).collect();
        let wanted: Vec<String> = expected.features.iter().map(ToString::to_string).collect();
        assert_eq!((found.number, locations), (expected.number, wanted));
        assert_eq!((found.size, found.offset), (expected.size, expected.offset));
        assert_eq!(XsaveComponent::numbered(found.number), Some(found));
    }
    let of =
        |feature| XsaveComponent::enabled_by(feature).map(|component| component.number).collect::<Vec<u8>>();
    assert_eq!((of(feature::AVX), of(feature::AVX512F)), (vec![2], vec![5, 6, 7]));
    assert_eq!((of(feature::SHSTK), of(feature::IBT)), (vec![11, 12], vec![11, 12]));
    assert_eq!(XsaveComponent::numbered(18).map(|tiles| tiles.size), Some(8192));
    assert_eq!(XsaveComponent::numbered(8), None);
    Ok(())
}
