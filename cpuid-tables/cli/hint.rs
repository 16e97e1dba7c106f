//! What to write instead of a wrong word: the nearest model, property or machine, and the range of a bit.

use cpuid_tables::guest::{BuildError, QemuProgram, upstream_machine};
use cpuid_tables::naming::{PsabiLevel, near};
use cpuid_tables::show::{Place, name_of};
use cpuid_tables::{CpuModel, Feature, QemuRelease};

use super::outcome::Failed;

/// An error of a guest, with the names that are nearest to a wrong one.
pub(crate) fn refused(error: &BuildError, release: QemuRelease) -> Failed {
    let failed = Failed::new(error);
    match error {
        BuildError::UnknownModel(name) => failed.help(model(name, release)),
        BuildError::UnknownMachine(name) => failed.help(machine(name, release)),
        BuildError::UnknownProperty { property, .. } => failed.help(property_of(property, release)),
        _ => failed,
    }
}

/// The same of a program, with its own names.
pub(crate) fn refused_by_program(error: &BuildError, program: &QemuProgram) -> Failed {
    let failed = Failed::new(error);
    let (name, known): (_, Vec<String>) = match error {
        BuildError::UnknownModel(name) => (name, program.model_names().collect()),
        BuildError::UnknownMachine(name) => {
            let all = program.machine_names().flat_map(|(name, second)| [Some(name), second]);
            (name, all.flatten().map(str::to_owned).collect())
        }
        BuildError::UnknownProperty { property, .. }
            if program.property_names().any(|known| known == property) =>
        {
            return failed.help(OF_HOST_AND_MAX);
        }
        BuildError::UnknownProperty { property, .. } => {
            (property, program.property_names().map(str::to_owned).collect())
        }
        _ => return failed,
    };
    let lists = "`--cpu help` and `--machine help` with the same --qemu list what this program has";
    failed.help(did_you_mean(&near(name, known.iter().map(String::as_str)), lists))
}

/// No CPU model has a name; a file is a host that was not given as one.
pub(crate) fn no_model(name: &str, release: QemuRelease) -> Failed {
    if std::path::Path::new(name).exists() {
        return Failed::new(format!("`{name}` is a file, and a CPU model or level is expected"))
            .help(format!("a host's file goes after --host: --host {name}"));
    }
    Failed::new(format!("QEMU {release} has no CPU model `{name}`")).help(model(name, release))
}

/// The next newer release that has something, or else the newest older one.
fn nearest(release: QemuRelease, has: impl Fn(QemuRelease) -> bool) -> Option<QemuRelease> {
    let all = || QemuRelease::ALL.into_iter().filter(|other| has(*other));
    all().find(|other| *other > release).or_else(|| all().rfind(|other| *other < release))
}

fn model(name: &str, release: QemuRelease) -> String {
    let mut known: Vec<String> = Vec::new();
    for model in release.cpu_models() {
        known.push(model.name().to_owned());
        for version in model.versions() {
            known.push(version.to_string());
            known.extend(version.alias().map(str::to_owned));
        }
    }
    if let Some(other) = nearest(release, |other| other.cpu_model(name).is_some()) {
        return format!("QEMU {other} has it: --qemu {other}");
    }
    did_you_mean(
        &near(name, known.iter().map(String::as_str)),
        "`kvm-cpuid guest --cpu help` lists the models; case matters",
    )
}

fn machine(name: &str, release: QemuRelease) -> String {
    if let Some(other) = nearest(release, |other| other.machine(name).is_some()) {
        return format!("QEMU {other} has it: --qemu {other}");
    }
    if let Some((major, minor)) = upstream_machine(name) {
        return format!(
            "no release of the tables has it; a distribution's is based on version {major}.{minor} of its kind, and \
             `--qemu PATH` asks the distribution's own program"
        );
    }
    let known = release
        .machines()
        .map(|machine| machine.name())
        .chain(machine_aliases(release).map(|(alias, _)| alias));
    did_you_mean(&near(name, known), "`kvm-cpuid guest --machine help` lists the machine types")
}

/// Names of machine types that stand for the newest of their kind, each with that.
pub(crate) fn machine_aliases(release: QemuRelease) -> impl Iterator<Item = (&'static str, &'static str)> {
    let kinds = [("pc", "pc-i440fx-"), ("q35", "pc-q35-")].into_iter();
    kinds.filter_map(move |(alias, kind)| {
        let newest = release.machines().find(|machine| machine.name().starts_with(kind));
        newest.map(|machine| (alias, machine.name()))
    })
}

/// What is said of a property that exists, and is refused all the same.
const OF_HOST_AND_MAX: &str = "of the models only host and max have this property";

fn property_of(property: &str, release: QemuRelease) -> String {
    if release.cpu_properties().any(|known| known.name == property) {
        return OF_HOST_AND_MAX.to_owned();
    }
    let features = Feature::all().filter_map(|feature| feature.qemu_name(release));
    let others = release.cpu_properties().map(|property| property.name);
    let aliases = release.aliases().map(|(alias, _)| alias);
    did_you_mean(
        &near(property, features.chain(others).chain(aliases)),
        "a property is a feature by QEMU's name, or one of its other properties; `kvm-cpuid find` takes any name",
    )
}

fn did_you_mean(near: &[&str], otherwise: &str) -> String {
    if near.is_empty() { otherwise.to_owned() } else { format!("did you mean {}?", near.join(", ")) }
}

/// Nothing has a name: the range of a bit that is too high, or names that are near.
pub(crate) fn no_match(text: &str) -> Option<String> {
    if let Some(most) = too_high_a_bit(text) {
        return Some(format!("bits are 0 to {most}"));
    }
    if has_too_wide_a_value(text) {
        return Some("a register's value has 32 bits".to_owned());
    }
    if let Some(model) = QemuRelease::ALL.into_iter().rev().find_map(|release| release.cpu_model(text)) {
        let release = model.release();
        return Some(format!(
            "{text} is a CPU model of QEMU {release}: `kvm-cpuid guest --cpu {text}` shows its guest, `kvm-cpuid models {text}` \
             whether it runs here"
        ));
    }
    let levels = PsabiLevel::all().map(PsabiLevel::name);
    let properties = QemuRelease::ALL.into_iter().flat_map(QemuRelease::cpu_properties);
    let mut near = near(text, Feature::all().map(name_of).chain(properties.map(|property| property.name)));
    if text.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case("x86-64-")) {
        near = self::near(text, levels);
    }
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(", ")))
}

/// True where a text would be a register's value if that had fewer digits.
fn has_too_wide_a_value(text: &str) -> bool {
    let Some((place, value)) = text.trim().split_once('=') else { return false };
    let digits = value.trim().strip_prefix("0x").unwrap_or_default();
    digits.len() > 8
        && u64::from_str_radix(digits, 16).is_ok()
        && matches!(place.parse(), Ok(Place::Register(_)))
}

/// The highest bit, where a text would be a place if its bit were not higher.
pub(crate) fn too_high_a_bit(text: &str) -> Option<u64> {
    let (before, bits) = text.trim().strip_suffix(']')?.split_once('[')?;
    let bits = bits.split(':').map(|bit| bit.parse::<u64>().ok()).collect::<Option<Vec<u64>>>()?;
    let most = match format!("{before}[0]").parse::<Place>().ok()? {
        Place::MsrBit(..) => 63,
        _ => 31,
    };
    bits.iter().any(|bit| *bit > most).then_some(most)
}

/// A CPU model by its name, version or alias.
pub(crate) fn model_named(name: &str, release: QemuRelease) -> Result<CpuModel, Failed> {
    release.cpu_model(name).ok_or_else(|| no_model(name, release))
}

/// Names without those that came before: two bits may share one, as `kvmclock` does.
pub(crate) fn each_once<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// Names of features in a line.
pub(crate) fn names(features: impl IntoIterator<Item = Feature>) -> String {
    features.into_iter().map(name_of).collect::<Vec<_>>().join(" ")
}
