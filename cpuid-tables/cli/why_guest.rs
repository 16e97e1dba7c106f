//! What `why` says of a guest that QEMU builds: the builder's table decides, where no layer explains it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use cpuid_tables::guest::{BuildError, CpuOption, Filtered, GuestCpuid, WordSource};
use cpuid_tables::host::Host;
use cpuid_tables::show::{Says, Step, Story, Who, name_of};
use cpuid_tables::{Feature, Named};

use super::program::Qemu;
use super::why_cpu::AskedCpu;

/// An option of `-cpu` without which QEMU leaves features out: off by default, but for `host` and `max`.
struct Enabling {
    on: &'static str,
    off: &'static str,
}

static OPTIONS: [Enabling; 1] = [Enabling { on: "pmu=on", off: "pmu=off" }];

/// The guests with a CPU on a host, each built once.
pub(crate) struct Guests<'q> {
    host: &'q Host,
    qemu: &'q Qemu,
    /// `host` where none is given.
    cpu: Option<&'q AskedCpu>,
    /// By what is set besides the CPU's own properties.
    built: RefCell<BTreeMap<String, Rc<Result<GuestCpuid, BuildError>>>>,
}

impl<'q> Guests<'q> {
    /// None is built before it is asked for.
    pub(crate) fn new(host: &'q Host, qemu: &'q Qemu, cpu: Option<&'q AskedCpu>) -> Guests<'q> {
        Guests { host, qemu, cpu, built: RefCell::default() }
    }

    /// `-cpu` without what is asked for besides.
    fn cpu(&self) -> &str {
        self.cpu.map_or("host", |cpu| &cpu.text)
    }

    fn guest(&self, settings: &str) -> Rc<Result<GuestCpuid, BuildError>> {
        let build = || {
            let cpu = format!("{}{settings}", self.cpu()).parse::<CpuOption>()?;
            self.qemu.builder().cpu(cpu).host(self.host).build()
        };
        let mut built = self.built.borrow_mut();
        Rc::clone(built.entry(settings.to_owned()).or_insert_with(|| Rc::new(build())))
    }

    /// Completes a story with what the guest's table has. A story that a layer below QEMU ends stays as it is.
    pub(crate) fn complete(&self, story: &mut Story) {
        let Named::Feature(feature) = story.about.named else { return };
        let Some(name) = feature.qemu_name(self.qemu.release()) else { return };
        let name = name.split('|').next().unwrap_or(name);
        let by_model = story.withheld_by == Some(Who::Models);
        let undecided = story.available == Some(true) && !is_mirror(story) || by_model;
        let off = self.cpu.is_some_and(|cpu| cpu.switches(story.about.named) == Some(false));
        let question = Question { guests: self, feature, name };
        // Of a guest that QEMU does not build at all, it says nothing.
        if !undecided || off || self.guest("").is_err() {
            return;
        }
        let has = question.has("");
        match question.left_out().filter(|_| !has) {
            Some(because) => leave_out(story, &question, because, by_model),
            // A property can take away what the feature needs.
            None if self.cpu.is_some() && !has && !by_model => not_by_itself(story, &question),
            None if self.cpu.is_none() => only_with(story, &question),
            None => {}
        }
    }
}

/// A guest with one feature asked for.
struct Question<'q> {
    guests: &'q Guests<'q>,
    feature: Feature,
    /// QEMU's name for the feature.
    name: &'q str,
}

impl Question<'_> {
    fn has(&self, settings: &str) -> bool {
        (*self.guests.guest(settings)).as_ref().is_ok_and(|guest| guest.table().has(self.feature))
    }

    /// What asks for the feature where the guest does not have it anyway.
    fn asking(&self) -> String {
        if self.has("") { String::new() } else { format!(",+{}", self.name) }
    }

    /// Why QEMU leaves the feature out although it is asked for; none if the guest has it.
    fn left_out(&self) -> Option<String> {
        let asked = self.asking();
        if self.has(&asked) {
            return None;
        }
        if let Some(option) = OPTIONS.iter().find(|option| self.has(&format!("{asked},{}", option.on))) {
            return Some(format!("it needs {}", option.on));
        }
        let built = self.guests.guest(&asked);
        Some(match &*built {
            Ok(guest) => self.filtered(guest).unwrap_or_else(|| "for a reason that is not known".into()),
            Err(error) => format!("QEMU refuses -cpu {}{asked}: {error}", self.guests.cpu()),
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
    let without = |option: &&Enabling| !question.has(&format!("{},{}", question.asking(), option.off));
    if let Some(Enabling { on, .. }) = OPTIONS.iter().find(without) {
        let only = format!(" QEMU leaves it out without {on}, which only host and max have by themselves.");
        story.verdict.push_str(&only);
    }
}

/// `host` and `max` have not all that the host has: the constant TSC hinders a migration. A program's own model has what it
/// has.
fn not_by_itself(story: &mut Story, question: &Question<'_>) {
    let (cpu, name) = (question.guests.cpu(), question.name);
    let because = format!("{cpu} does not have it by itself: +{name} adds it");
    (story.available, story.withheld_by) = (Some(false), Some(Who::Models));
    story.verdict = format!("Only the model withholds {}: {because}.", name_of(question.feature));
    let step = Step { who: Who::Models, says: Says::No, text: because.clone(), because: Some(because) };
    story.steps.retain(|step| step.who != Who::Models);
    story.steps.push(step);
}
