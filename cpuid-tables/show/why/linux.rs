//! The kernel's step, by `/proc/cpuinfo`, and why it may hide a feature that the processor has.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::about::macro_prefix;
use super::parameters::{self, Configured};
use super::{Machine, Says, Step, Who, list};
use crate::bits::feature::Feature;
use crate::bits::feature_set::FeatureSet;
use crate::bits::kernel_bits::{BugSet, SoftwareSet, VmxSet};
use crate::bits::lookup::Named;
use crate::bits::release::LinuxRelease;
use crate::bits::release_order::ReleaseOrder;
use crate::cpuinfo::{self, Flag};
use crate::naming::name_of;

/// Data gathered from a running kernel.
#[derive(Clone, Debug, Default)]
pub struct RunningLinux {
    /// The release that `uname -r` prints.
    pub release: String,
    /// The hardware features that the first CPU of `/proc/cpuinfo` shows, by the names of the nearest known release.
    pub features: FeatureSet,
    /// The software-defined ones.
    pub software: SoftwareSet,
    /// The bugs.
    pub bugs: BugSet,
    /// The VMX capabilities.
    pub vmx: VmxSet,
    /// Flags that match several bits, or that the nearest known release lacks.
    pub other_flags: Vec<String>,
    /// `/proc/cmdline`.
    pub command_line: String,
    /// The configuration it was built with, if readable.
    pub config: Option<String>,
}

impl RunningLinux {
    /// From the texts in `/proc`.
    ///
    /// # Errors
    ///
    /// `/proc/cpuinfo` cannot be parsed.
    pub fn read(
        release: &str,
        cpuinfo: &str,
        command_line: &str,
        config: Option<&str>,
    ) -> Result<RunningLinux, cpuinfo::Error> {
        let near = Nearest::find(release);
        let mut linux = RunningLinux {
            release: release.trim().to_string(),
            command_line: command_line.trim().to_string(),
            config: config.map(ToString::to_string),
            ..RunningLinux::default()
        };
        if let Some(cpu) = cpuinfo::read(cpuinfo, near.release()).next().transpose()? {
            (linux.features, linux.software) = (cpu.features(), cpu.software());
            (linux.bugs, linux.vmx) = (cpu.bugs(), cpu.vmx());
            let others = cpu.flags().filter_map(|flag| match flag {
                Flag::Known(_) => None,
                Flag::Ambiguous(name, _) | Flag::Unknown(name) => Some(name.to_string()),
            });
            linux.other_flags = others.collect();
        }
        Ok(linux)
    }

    /// Whether a feature is shown; a name shared by several bits counts for each of them.
    fn shows(&self, feature: Feature) -> bool {
        let mut flags = LinuxRelease::ALL.into_iter().filter_map(|release| feature.flag(release));
        self.features.contains(feature)
            || flags.any(|flag| self.other_flags.iter().any(|other| other == flag))
    }

    fn has_parameter(&self, name: &str) -> bool {
        self.command_line.split_ascii_whitespace().any(|word| word == name)
    }

    /// The values of `clearcpuid=`: flags, or bits of Linux's words as numbers or `word:bit`.
    fn cleared(&self) -> impl Iterator<Item = &str> {
        let values =
            self.command_line.split_ascii_whitespace().filter_map(|word| word.strip_prefix("clearcpuid="));
        values.flat_map(|value| value.split(','))
    }

    fn clears(&self, feature: Feature) -> bool {
        let at = feature.linux_word(Nearest::find(&self.release).release());
        let numbers = at.map(|at| [at.number().to_string(), format!("{}:{}", at.word.0, at.bit.0)]);
        let flag_is =
            |name: &str| LinuxRelease::ALL.into_iter().any(|release| feature.flag(release) == Some(name));
        self.cleared().any(|name| flag_is(name) || numbers.iter().flatten().any(|number| number == name))
    }

    /// Whether an option is set in the configuration; `None` if unknown.
    fn configured(&self, option: &str) -> Option<bool> {
        let config = self.config.as_deref()?;
        let set = |line: &str| {
            line.strip_prefix("CONFIG_").and_then(|line| line.strip_prefix(option)) == Some("=y")
        };
        Some(config.lines().any(set))
    }
}

/// The known releases around a running one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nearest {
    /// The newest known release that is not newer.
    pub below: Option<LinuxRelease>,
    /// The oldest known release that is newer.
    pub above: Option<LinuxRelease>,
}

impl Nearest {
    /// From the release that `uname -r` prints.
    #[must_use]
    pub fn find(release: &str) -> Nearest {
        let running = ReleaseOrder::new(release.trim());
        let is_newer = |known: &LinuxRelease| ReleaseOrder::new(known.name()) > running;
        let below = LinuxRelease::ALL.into_iter().rev().find(|known| !is_newer(known));
        let above = LinuxRelease::ALL.into_iter().find(is_newer);
        Nearest { below, above }
    }

    /// The release whose words apply: the newest that is not newer, else the oldest.
    #[must_use]
    pub fn release(self) -> LinuxRelease {
        self.below.or(self.above).unwrap_or(LinuxRelease::NEWEST)
    }
}

/// A feature's name in `/proc/cpuinfo`, or why it has none.
enum Shown {
    Named(&'static str),
    NoMacro,
    KvmAlone(&'static str),
    NoName(&'static str),
    SinceNewer(LinuxRelease),
}

fn shown(feature: Feature, near: LinuxRelease) -> Shown {
    if let Some(flag) = feature.flag(near) {
        return Shown::Named(flag);
    }
    match feature.linux_macro(near) {
        Some(name) if feature.linux_word(near).is_none() => Shown::KvmAlone(name),
        Some(name) => Shown::NoName(name),
        None => {
            feature.linux_releases().find(|release| *release > near).map_or(Shown::NoMacro, Shown::SinceNewer)
        }
    }
}

pub(super) fn step(feature: Feature, machine: &Machine, cpu: Says) -> Step {
    let Some(linux) = &machine.linux else {
        return Step::new(Who::Linux, Says::Nothing, without_machine(feature));
    };
    let near = Nearest::find(&linux.release).release();
    let release = &linux.release;
    if linux.shows(feature) {
        let newest_first = LinuxRelease::ALL.into_iter().rev();
        let flag = feature.flag(near).or_else(|| newest_first.filter_map(|known| feature.flag(known)).next());
        let own = if cpu == Says::No { "; Linux sets it itself, since CPUID does not show it" } else { "" };
        let (flag, scattered) = (flag.unwrap_or("it"), scattered(feature, near));
        let text = format!("{release} shows {flag} in /proc/cpuinfo{scattered}{own}");
        return Step::new(Who::Linux, Says::Yes, text);
    }
    let hidden = match shown(feature, near) {
        Shown::Named(flag) => {
            let text = format!("{release} would show it as {flag}, but does not");
            if cpu == Says::No {
                return Step::no(Who::Linux, text, "CPUID does not show it to Linux either");
            }
            let because = taken_away(feature, linux);
            return Step::no(Who::Linux, format!("{text}: {because}"), because);
        }
        Shown::NoMacro => "no known release has a macro for it, so /proc/cpuinfo has no name".to_string(),
        Shown::KvmAlone(name) => {
            let name = with_prefix(feature, name);
            format!("{name} is a bit that only KVM has, so /proc/cpuinfo never shows it")
        }
        Shown::NoName(name) => {
            format!("the header gives X86_FEATURE_{name} no quoted name, so /proc/cpuinfo hides it")
        }
        Shown::SinceNewer(since) => {
            let name = feature.flag(since).map(|flag| format!(" as {flag}")).unwrap_or_default();
            format!("{release} may not know it: Linux {since} does{name}, but Linux {near} does not")
        }
    };
    Step::new(Who::Linux, Says::Nothing, hidden)
}

/// A macro as the headers write it.
fn with_prefix(feature: Feature, name: &str) -> String {
    format!("{}{name}", macro_prefix(Named::Feature(feature)))
}

/// Notes that a feature is in one of Linux's own words.
fn scattered(feature: Feature, near: LinuxRelease) -> String {
    let word = feature.linux_word(near).and_then(|at| near.word_name(at.word));
    match word {
        Some(word) if word.contains("LNX") => format!(" (scattered: kept in its own word {word})"),
        _ => String::new(),
    }
}

/// What the newest release would do, if no kernel was queried.
fn without_machine(feature: Feature) -> String {
    let newest = LinuxRelease::NEWEST;
    let what = match shown(feature, newest) {
        Shown::Named(flag) => format!("Linux {newest} calls it {flag}"),
        Shown::NoMacro | Shown::SinceNewer(_) => format!("Linux {newest} has no macro for it"),
        Shown::KvmAlone(name) => {
            format!("Linux {newest} has {}, a bit that only KVM has", with_prefix(feature, name))
        }
        Shown::NoName(name) => format!("Linux {newest} hides X86_FEATURE_{name} from /proc/cpuinfo"),
    };
    format!("not queried; {what}")
}

/// Why Linux does not show what CPUID does: certain reasons first.
fn taken_away(feature: Feature, linux: &RunningLinux) -> String {
    if linux.clears(feature) {
        return "clearcpuid= on its command line clears it".to_string();
    }
    let needs = feature.needs();
    let cleared: Vec<Feature> = needs.into_iter().filter(|need| linux.clears(*need)).collect();
    if !cleared.is_empty() {
        return format!("clearcpuid= on its command line clears {}, on which it depends", list(cleared));
    }
    for (parameter, taken) in parameters::found(|name| linux.has_parameter(name)) {
        if taken == feature {
            return format!("{parameter} on its command line clears it");
        }
        if needs.contains(taken) {
            return format!("{parameter} on its command line clears {}, on which it depends", name_of(taken));
        }
    }
    let near = Nearest::find(&linux.release).release();
    let hidden = |need: &Feature| need.flag(near).is_some() && !linux.shows(*need);
    let missing: Vec<Feature> = feature.needs_directly().into_iter().filter(hidden).collect();
    if !missing.is_empty() {
        return format!("it depends on {}, which is not shown either", list(missing));
    }
    let linux_macro = feature.linux_macro(near).unwrap_or_default();
    let mut maybe: Vec<String> = Vec::new();
    match parameters::configured(linux_macro, |option| linux.configured(option)) {
        Configured::Without(how) => return format!("this kernel is built {how}"),
        Configured::Perhaps(how) => maybe.push(format!("it may be built {how}")),
        Configured::Kept => {}
    }
    maybe.extend(parameters::firmware(feature).map(ToString::to_string));
    maybe.push("it may work around an erratum, or clear the feature for another reason".to_string());
    maybe.join("; or ")
}

/// The macro of a bit that is not a CPUID feature.
const fn macro_of(named: Named) -> &'static str {
    match named {
        Named::Software(bit) => bit.linux_macro(),
        Named::Bug(bit) => bit.linux_macro(),
        Named::Vmx(bit) => bit.linux_macro(),
        Named::Feature(_) | Named::Msr(_) => "",
    }
}

/// The step for a software-defined feature, a bug or a VMX capability.
pub(super) fn of_software(named: Named, machine: &Machine) -> Option<Step> {
    let flag = |release| named.flag(release);
    let newest = LinuxRelease::ALL.into_iter().rev().find_map(flag);
    if matches!(named, Named::Msr(_) | Named::Feature(_)) {
        return None;
    }
    let Some(linux) = &machine.linux else {
        let what = newest.map_or("/proc/cpuinfo never shows it".to_string(), |flag| {
            format!("it would be shown as {flag}")
        });
        return Some(Step::new(Who::Linux, Says::Nothing, format!("not queried; {what}")));
    };
    let near = Nearest::find(&linux.release).release();
    let release = &linux.release;
    let (there, known, line) = match named {
        Named::Software(bit) => (linux.software.contains(bit), bit.known_to_linux(near), "flags"),
        Named::Bug(bit) => (linux.bugs.contains(bit), bit.known_to_linux(near), "bugs"),
        Named::Vmx(bit) => (linux.vmx.contains(bit), bit.known_to_linux(near), "vmx flags"),
        Named::Feature(_) | Named::Msr(_) => return None,
    };
    let other = newest.is_some_and(|flag| linux.other_flags.iter().any(|other| other == flag));
    Some(match flag(near).or(newest) {
        Some(flag) if there || other => {
            let text = format!("{release} shows {flag} on the line {line} of /proc/cpuinfo");
            Step::new(Who::Linux, Says::Yes, text)
        }
        _ if !known => {
            let because = format!("Linux {near} does not know it");
            Step::no(Who::Linux, format!("{release} may not know it: {because}"), because)
        }
        Some(flag) => {
            let text = format!("{release} does not show {flag} on the line {line} of /proc/cpuinfo");
            not_set(named, linux, text)
        }
        None => {
            let text =
                "the header gives it no quoted name, so /proc/cpuinfo hides it whether it is set or not";
            Step::new(Who::Linux, Says::Nothing, text)
        }
    })
}

/// Why Linux did not set a bit that only Linux decides.
fn not_set(named: Named, linux: &RunningLinux, text: String) -> Step {
    match parameters::configured(macro_of(named), |option| linux.configured(option)) {
        Configured::Without(how) => {
            let because = format!("this kernel is built {how}");
            Step::no(Who::Linux, format!("{text}: {because}"), because)
        }
        _ => Step::no(Who::Linux, text, "no CPUID bit announces it; only Linux decides"),
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{LinuxRelease, Nearest};

    #[test]
    fn the_nearest_release_of_what_uname_prints() {
        for known in LinuxRelease::ALL {
            for running in
                [known.name().into(), format!("{}-18-amd64", known.name()), format!("{}+", known.name())]
            {
                assert_eq!(Nearest::find(&running).below, Some(known), "{running}");
            }
            let candidate = Nearest::find(&format!("{}-rc7", known.name()));
            assert_eq!(candidate.above, Some(known));
            assert!(candidate.below < Some(known));
        }
        assert_eq!(Nearest::find("0.99").release(), LinuxRelease::ALL[0]);
        assert_eq!(Nearest::find("99.1-427.el20").release(), LinuxRelease::NEWEST);
    }
}
