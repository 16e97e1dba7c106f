//! The CPU that `why` asks about: `-cpu` of a QEMU, a model with its properties.

use cpuid_tables::guest::{BuildError, CpuOption, CpuSetting};
use cpuid_tables::show::{Machine, Says, Step, Story, Who, name_of, why};
use cpuid_tables::{CpuModel, Feature, LookupError, MsrFeature, Named, QemuRelease};

use super::guest::cpu_option;
use super::hint;
use super::named_model::NOT_MODELS;
use super::outcome::Result;
use super::program::Qemu;

/// `-cpu`.
pub(crate) struct AskedCpu {
    /// In QEMU's syntax, with a model of QEMU's.
    pub(crate) text: String,
    /// `None` for `host`, `max` and `base`, and for a program's own.
    model: Option<CpuModel>,
    /// The bits that properties switch on or off, in the order in which QEMU applies them.
    switched: Vec<(Named, bool)>,
}

impl AskedCpu {
    /// Refuses a model and a property that the QEMU does not have.
    pub(crate) fn new(text: &str, qemu: &Qemu) -> Result<AskedCpu> {
        let release = qemu.release();
        let text = cpu_option(text, release)?.into_owned();
        let option = text.parse::<CpuOption>().map_err(|error| hint::refused(&error, release))?;
        let name = option.model.clone();
        let model = match qemu {
            _ if NOT_MODELS.contains(&name.as_str()) => None,
            Qemu::Program(program) => {
                if !program.model_names().any(|known| known == name) {
                    return Err(hint::refused_by_program(&BuildError::UnknownModel(name), program));
                }
                release.cpu_model(&name)
            }
            Qemu::Release(_) => Some(hint::model_named(&name, release)?),
        };
        let switched = switched(&option, qemu)?;
        Ok(AskedCpu { text, model, switched })
    }

    /// Whether a property switches a bit on or off.
    pub(crate) fn switches(&self, bit: Named) -> Option<bool> {
        self.switched.iter().rfind(|(switched, _)| *switched == bit).map(|(_, on)| *on)
    }

    /// Explains a bit on a machine: what a property switches is not the model's.
    pub(crate) fn story(&self, bit: Named, machine: &Machine) -> Story {
        let Some(on) = self.switches(bit) else { return why(bit, machine, self.model) };
        let mut story = why(bit, machine, None);
        let at = story.steps.iter_mut().find(|step| step.who == Who::Models);
        let Some(step) = at else { return story };
        let because = format!("-cpu {} switches it {}", self.text, if on { "on" } else { "off" });
        let says = if on { Says::Yes } else { Says::No };
        *step =
            Step { who: Who::Models, says, text: because.clone(), because: (!on).then(|| because.clone()) };
        let name = match bit {
            Named::Feature(feature) => name_of(feature),
            other => other.name(),
        };
        if !on && story.available != Some(false) {
            (story.available, story.withheld_by) = (Some(false), Some(Who::Models));
            story.verdict = format!("Only -cpu withholds {name}: {because}.");
        }
        story
    }
}

/// The bits of an option's properties: each `name=value`, then each `+name`, then each `-name`.
fn switched(option: &CpuOption, qemu: &Qemu) -> Result<Vec<(Named, bool)>> {
    let mut all: Vec<(u8, Vec<Named>, bool)> = Vec::new();
    for setting in &option.settings {
        let (turn, name) = match setting {
            CpuSetting::Set(name, _) => (0, name),
            CpuSetting::Plus(name) => (1, name),
            CpuSetting::Minus(name) => (2, name),
            _ => continue,
        };
        let bits = bits(name);
        if bits.is_empty() && !is_property(name, qemu) {
            let (cpu, property) = (option.model.clone(), name.clone());
            let error = BuildError::UnknownProperty { cpu, property };
            return Err(match qemu {
                Qemu::Release(release) => hint::refused(&error, *release),
                Qemu::Program(program) => hint::refused_by_program(&error, program),
            });
        }
        all.extend(setting.switches().map(|on| (turn, bits, on)));
    }
    all.sort_by_key(|(turn, ..)| *turn);
    Ok(all.into_iter().flat_map(|(_, bits, on)| bits.into_iter().map(move |bit| (bit, on))).collect())
}

/// The bits of CPUID or of an MSR that a property stands for.
fn bits(name: &str) -> Vec<Named> {
    let several = |error: LookupError| match error {
        LookupError::Ambiguous(all) => all.iter().collect(),
        _ => Vec::new(),
    };
    let of_msr = || MsrFeature::from_qemu_name(name).map(|bit| vec![Named::Msr(bit)]).unwrap_or_else(several);
    match Feature::from_qemu_name(name) {
        Ok(bit) => vec![Named::Feature(bit)],
        Err(LookupError::Unknown) => of_msr(),
        Err(error) => several(error),
    }
}

fn is_property(name: &str, qemu: &Qemu) -> bool {
    let name = &name.replace('_', "-");
    let of = |release: QemuRelease| {
        release.cpu_properties().any(|known| known.name == name)
            || release.aliases().any(|(alias, _)| alias == name)
    };
    match qemu {
        Qemu::Release(release) => of(*release),
        Qemu::Program(program) => program.property_names().any(|known| known == name),
    }
}
