//! What `why` says of a guest that QEMU builds: the builder's table decides, where no layer explains it.

use cpuid_tables::guest::{BuildError, CpuOption, Filtered, GuestCpuid, WordSource};
use cpuid_tables::host::Host;
use cpuid_tables::show::{Says, Step, Story, Who, name_of};
use cpuid_tables::{Feature, Named, QemuRelease};

/// An option of `-cpu` without which QEMU leaves features out: off by default, but for `host` and `max`.
struct Enabling {
    on: &'static str,
    off: &'static str,
}

static OPTIONS: [Enabling; 1] = [Enabling { on: "pmu=on", off: "pmu=off" }];

/// The models that take all of the host.
const OF_HOST: [&str; 2] = ["host", "max"];

/// Whether a CPU's name stands for all that a host has.
pub(crate) fn is_of_host(cpu: &str) -> bool {
    OF_HOST.contains(&cpu)
}

/// A guest with one feature asked for.
struct Question<'q> {
    host: &'q Host,
    /// `-cpu`'s model.
    cpu: &'q str,
    feature: Feature,
    /// QEMU's name for the feature.
    name: &'q str,
}

impl Question<'_> {
    fn build(&self, settings: &str) -> Result<GuestCpuid, BuildError> {
        let cpu = format!("{}{settings}", self.cpu).parse::<CpuOption>()?;
        GuestCpuid::builder().release(QemuRelease::NEWEST).cpu(cpu).host(self.host).build()
    }

    fn has(&self, settings: &str) -> bool {
        self.build(settings).is_ok_and(|guest| guest.table().has(self.feature))
    }

    /// Why QEMU leaves the feature out although it is asked for; none if the guest has it.
    fn left_out(&self) -> Option<String> {
        let asked = format!(",+{}", self.name);
        let built = self.build(&asked);
        if built.as_ref().is_ok_and(|guest| guest.table().has(self.feature)) {
            return None;
        }
        if let Some(option) = OPTIONS.iter().find(|option| self.has(&format!("{asked},{}", option.on))) {
            return Some(format!("it needs {}", option.on));
        }
        Some(match built {
            Ok(guest) => self.filtered(&guest).unwrap_or_else(|| "for a reason that is not known".into()),
            Err(error) => format!("QEMU refuses -cpu {}{asked}: {error}", self.cpu),
        })
    }

    /// The builder's own reason.
    fn filtered(&self, guest: &GuestCpuid) -> Option<String> {
        let is = |one: &&Filtered| match one.source {
            WordSource::Cpuid(word) => Feature::at(word.bit(one.bit)) == Some(self.feature),
            WordSource::Msr(_) => false,
        };
        guest.filtered().iter().find(is).map(|one| one.reason.to_string())
    }
}

/// Completes a story with what the guest's table has. A story that a layer below QEMU ends stays as it is.
pub(crate) fn ask(story: &mut Story, host: &Host, cpu: Option<&str>) {
    let Named::Feature(feature) = story.about.named else { return };
    let Some(name) = feature.qemu_name(QemuRelease::NEWEST) else { return };
    let name = name.split('|').next().unwrap_or(name);
    let by_model = story.withheld_by == Some(Who::Models);
    let undecided = story.available == Some(true) && !is_mirror(story) || by_model;
    let question = Question { host, cpu: cpu.unwrap_or("host"), feature, name };
    // Of a guest that QEMU does not build at all, it says nothing.
    if !undecided || question.build("").is_err() {
        return;
    }
    match question.left_out() {
        Some(because) => leave_out(story, &question, because, by_model),
        None if cpu.is_some_and(is_of_host) && !question.has("") => not_by_itself(story, &question),
        None if cpu.is_none() => only_with(story, &question),
        None => {}
    }
}

/// QEMU does not decide about what mirrors the guest's own settings.
fn is_mirror(story: &Story) -> bool {
    story.steps.iter().any(|step| step.who == Who::Qemu && step.says == Says::Nothing)
}

fn leave_out(story: &mut Story, question: &Question<'_>, because: String, by_model: bool) {
    let name = name_of(question.feature);
    let of_model = story.steps.iter().find(|step| step.who == Who::Models);
    story.verdict = match of_model.and_then(|step| step.because.as_ref()).filter(|_| by_model) {
        Some(lacks) => {
            let asked = question.name;
            format!(
                "The model withholds {name}: {lacks}. With +{asked}, QEMU leaves it out of this guest too: {because}."
            )
        }
        None => format!("QEMU leaves {name} out of this guest: {because}."),
    };
    story.available = Some(false);
    story.withheld_by.get_or_insert(Who::Qemu);
    if let Some(step) = story.steps.iter_mut().find(|step| step.who == Who::Qemu) {
        step.says = Says::No;
        step.text = format!("{}; it leaves it out of this guest: {because}", step.text);
        step.because = Some(because);
    }
}

/// A guest as `host` has the feature, one with another model needs an option for it.
fn only_with(story: &mut Story, question: &Question<'_>) {
    let without = |option: &&Enabling| !question.has(&format!(",+{},{}", question.name, option.off));
    if let Some(Enabling { on, .. }) = OPTIONS.iter().find(without) {
        let only = format!(" QEMU leaves it out without {on}, which only host and max have by themselves.");
        story.verdict.push_str(&only);
    }
}

/// `host` and `max` have not all that the host has: the constant TSC hinders a migration.
fn not_by_itself(story: &mut Story, question: &Question<'_>) {
    let (cpu, name) = (question.cpu, question.name);
    let because = format!("{cpu} does not have it by itself: +{name} adds it");
    (story.available, story.withheld_by) = (Some(false), Some(Who::Models));
    story.verdict = format!("Only the model withholds {}: {because}.", name_of(question.feature));
    let step = Step { who: Who::Models, says: Says::No, text: because.clone(), because: Some(because) };
    story.steps.retain(|step| step.who != Who::Models);
    story.steps.push(step);
}
