//! Whether a guest can migrate: the obstacles as text or JSON.

use std::fmt;
use std::process::ExitCode;

use cpuid_tables::dump::Cpu;
use cpuid_tables::naming::PsabiLevel;
use cpuid_tables::show::{MigrationSide, Obstacle, Style, Styled};
use cpuid_tables::{CpuidRead, Vendor, feature};
use serde_json::{Value, json};

use super::pairs::{Group, Pair, grouped};
use super::remedy;
use super::target::{Judged, Target};
use crate::cli::advice;
use crate::cli::format::Format;
use crate::cli::has::NOT_KNOWN;
use crate::cli::named_model::{model_name, newest_model, of_the_host, unknown_model, vendor_of};
use crate::cli::outcome::{Failed, Result, answer};
use crate::cli::output::{print_document, print_styled, warn};
use crate::cli::source::Source;

/// What the destination's VMM can give is judged for a host; a table that shows a hypervisor is a guest's.
fn side(cpu: &Cpu, is_destination: bool) -> MigrationSide<'_> {
    MigrationSide {
        settings: cpu.beside.settings.as_ref(),
        vendor: None,
        entries: &cpu.entries,
        // Of a CPU without any entry nothing is stated.
        known: cpu.known.as_deref().or_else(|| advice::is_open(cpu).then_some(&[])),
        msrs: cpu.msrs.as_ref(),
        is_kvm: is_destination && !cpu.entries.as_slice().has(feature::HYPERVISOR)
            || cpu.name.as_deref() == Some("supported"),
    }
}

/// B, with the vendor of its host where its table lacks that.
fn destination(pair: &Pair, host: Option<Vendor>) -> MigrationSide<'_> {
    MigrationSide { vendor: host, ..side(&pair.b, true) }
}

/// Whether a guest that was started on A can move to B, where a VMM runs it.
pub(super) fn migrate(
    (format, target): (Format, Target),
    host: Option<Vendor>,
    sources: (&Source, &Source),
    pairs: &[Pair],
) -> Result<ExitCode> {
    if let (false, Some(pair)) = (target.is_qemu(), pairs.iter().find(|pair| !is_whole_kvm(&pair.b))) {
        return Err(not_a_kvm(sources.1, &pair.b, target));
    }
    let moves = Moves::new(pairs, target, host);
    if pairs.iter().any(Pair::is_partial) {
        warn("only bits that both sides specify are compared: others may be obstacles");
    }
    if format == Format::Json {
        print_document(moves.to_json(sources))?;
    } else {
        if moves.can.is_none() {
            warn(advice::WHOLE);
        }
        print_styled(&moves.styled(sources))?;
    }
    Ok(moves.can.map_or(ExitCode::from(NOT_KNOWN), answer))
}

/// The moves from A to B, as a value from which text and JSON are made; equal ones are grouped.
struct Moves<'p> {
    target: Target,
    groups: Vec<Group<'p, Judged>>,
    /// The features that A has and B does not state.
    open: Vec<&'static str>,
    /// Where A has the rest of what it has, of which it states only some.
    rest: Option<Rest>,
    /// A's model and its vendor, and B's, which is another one, where A does not state the guest's.
    other_vendor: Option<OtherVendor>,
    /// A names a level of x86-64 and states no vendor.
    of_level: bool,
    /// None where that depends on what A or B does not state.
    can: Option<bool>,
}

impl<'p> Moves<'p> {
    fn new(pairs: &'p [Pair], target: Target, host: Option<Vendor>) -> Moves<'p> {
        let groups = grouped(pairs, |pair| target.judge(side(&pair.a, false), destination(pair, host)));
        let other_vendor =
            pairs.iter().find_map(|pair| other_vendor(&pair.a, destination(pair, host).vendor()));
        let only_a = |pair: &Pair| {
            let [only_a, _] = pair.stated_by_one();
            only_a
        };
        let mut open: Vec<&str> = pairs.iter().flat_map(only_a).collect();
        open.sort_unstable();
        open.dedup();
        let can = groups.iter().all(|group| group.found.can_move());
        let rest = pairs.iter().find_map(|pair| Rest::of(&pair.a));
        let can = if can && (!open.is_empty() || rest.is_some() || other_vendor.is_some()) {
            None
        } else {
            Some(can)
        };
        let of_level = pairs.iter().any(|pair| is_level(&pair.a));
        Moves { target, groups, open, rest, other_vendor, of_level, can }
    }

    fn to_json(&self, (a, b): (&Source, &Source)) -> Value {
        let one = |group: &Group<'_, Judged>| {
            let judged = &group.found;
            let found = &judged.found;
            json!({
                "pairs": group.numbers(),
                "obstacles": found.obstacles.iter().map(Obstacle::to_json).collect::<Vec<Value>>(),
                "notes": found.notes.iter().map(Obstacle::to_json).collect::<Vec<Value>>(),
                "msrs_compared": !found.msrs_not_compared,
                "remedy": found.remedy().filter(|_| self.target.is_qemu()),
                "taken_by_vmm": judged.taken,
                "refused_by_vmm": judged.refused,
            })
        };
        let groups: Vec<Value> = self.groups.iter().map(one).collect();
        json!({
            "a": a.to_string(), "b": b.to_string(), "vmm": self.target.name(), "can_move": self.can,
            "not_stated": self.open, "comparisons": groups,
        })
    }

    fn styled(&self, (a, b): (&Source, &Source)) -> Styled {
        let mut text = Styled::new();
        for group in &self.groups {
            describe(&mut text, group.sides((a, b)), &group.found, self.target);
            self.advise(&mut text, group);
        }
        match self.can {
            Some(true) => {
                text.line(
                    Style::Good,
                    format_args!("A guest started on A ({a}) can move to B ({b}){}", under(self.target)),
                );
            }
            Some(false) => {}
            None => {
                let why = self.doubt();
                text.line(
                    Style::Doubt,
                    format_args!("Not known whether a guest started on A ({a}) can move to B ({b}){why}"),
                );
            }
        }
        if self.of_level && self.can != Some(false) {
            let note = "vendor: a level is of no vendor, and QEMU with KVM gives a guest its host's: A's host must have B's vendor";
            text.line(Style::Doubt, format_args!("  note: {note}"));
        }
        if let Some(other) = &self.other_vendor {
            text.line(Style::Doubt, format_args!("  note: {other}"));
        }
        text
    }

    /// Why it is not known whether the guest can move.
    fn doubt(&self) -> String {
        match &self.rest {
            _ if !self.open.is_empty() => format!(", which does not state: {}", self.open.join(" ")),
            Some(rest) => format!(": {rest}"),
            None => ", whose vendor it must have".to_owned(),
        }
    }

    /// Adds what to take away from the guest so that it can move.
    fn advise(&self, text: &mut Styled, group: &Group<'_, Judged>) {
        let found = &group.found.found;
        let (true, Some(pair)) = (self.target.is_qemu(), group.pairs.first()) else { return };
        let Some(remedy) = found.remedy() else { return };
        let is_enforced = side(&pair.a, false).is_enforced();
        if found.obstacles.is_empty() {
            if !is_enforced {
                let needs = "QEMU with enforce, which Proxmox VE sets, and libvirt's check start no guest there without";
                text.line(Style::Doubt, format_args!("  note: {needs} {remedy}"));
            }
            return;
        }
        if let Some(rest) = &self.rest {
            text.plain(format_args!("  With {remedy} it is not known whether it can move: {rest}.\n"));
            return;
        }
        let vendor = if self.other_vendor.is_some() { " if its vendor is B's" } else { "" };
        for line in remedy::lines(&pair.a, &remedy, &format!("can move{vendor}")) {
            text.plain(format!("  {line}").trim_end()).plain('\n');
        }
        let slower: Vec<String> = found.slower().map(Obstacle::name).collect();
        if !slower.is_empty() {
            let why = if is_enforced {
                "QEMU with enforce, as Proxmox VE sets it, or libvirt's check starts no guest without them"
            } else {
                "only QEMU with enforce, which Proxmox VE sets, or libvirt's check needs them"
            };
            text.line(Style::Doubt, format_args!("  note: speed alone: {}; {why}", slower.join(" ")));
        }
    }
}

/// Where a guest has what A does not state.
enum Rest {
    /// From A's host, which this name means.
    Host(String),
    /// From a definition of this CPU that is not in A.
    Elsewhere(String),
    /// From a model that A does not name.
    Nowhere,
}

impl Rest {
    fn of(a: &Cpu) -> Option<Rest> {
        let of_host = of_the_host(a).map(|name| Rest::Host(name.to_owned()));
        let elsewhere = || unknown_model(a).map(|name| Rest::Elsewhere(name.to_owned()));
        let names_none = a.beside.settings.is_some() && model_name(a).is_none();
        of_host.or_else(elsewhere).or(names_none.then_some(Rest::Nowhere))
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rest::Host(name) => write!(f, "with `{name}` it has what A's host has"),
            Rest::Nowhere => f.write_str("A names no CPU model"),
            Rest::Elsewhere(name) => write!(
                f,
                "`{name}` is defined in its cluster's /etc/pve/virtual-guest/cpu-models.conf, which `kvm-cpuid diff` reads as A"
            ),
        }
    }
}

/// A model of one vendor, and a destination of another.
struct OtherVendor {
    model: &'static str,
    of: Vendor,
    there: Vendor,
}

impl fmt::Display for OtherVendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OtherVendor { model, of, there } = self;
        write!(
            f,
            "vendor: {model} is of {of}, and B of {there}. QEMU with KVM gives a guest its host's vendor unless vendor= is set: \
             one that was started on a host of {there} keeps it; for one that was started on another host it changes, and \
             with it the instructions and MSRs that the guest uses"
        )
    }
}

/// True where a guest's CPU is a level of x86-64, without a vendor.
fn is_level(a: &Cpu) -> bool {
    let named = model_name(a).and_then(PsabiLevel::named);
    named.is_some() && a.beside.settings.is_some() && side(a, false).vendor().is_none()
}

/// The vendors, where a guest's CPU names a model of another vendor than the destination, and does not state its own.
fn other_vendor(a: &Cpu, there: Option<Vendor>) -> Option<OtherVendor> {
    let (settings, there) = (a.beside.settings.as_ref(), there?);
    settings.filter(|_| side(a, false).vendor().is_none())?;
    let model = newest_model(model_name(a)?)?;
    let of = vendor_of(model)?;
    (of != there).then_some(OtherVendor { model: model.name(), of, there })
}

/// A KVM's answer with every bit: what a VMM's steps need.
fn is_whole_kvm(cpu: &Cpu) -> bool {
    !advice::is_open(cpu) && side(cpu, true).is_kvm
}

fn not_a_kvm(source: &Source, cpu: &Cpu, target: Target) -> Failed {
    if advice::is_open(cpu) {
        return advice::open_destination(source);
    }
    Failed::new(format!(
        "{source} is a guest's table: with --vmm {}, B must be what a host's KVM supports",
        target.name()
    ))
    .help(advice::HOST)
}

/// ` with firecracker`: nothing for QEMU.
fn under(target: Target) -> String {
    if target.is_qemu() { String::new() } else { format!(" with {}", target.name()) }
}

/// The obstacles with what removes them, the notes, and what could not be compared.
fn describe(text: &mut Styled, (a, b): (String, String), judged: &Judged, target: Target) {
    let (found, under) = (&judged.found, under(target));
    let cannot = format!("A guest started on A ({a}) cannot move to B ({b}){under}");
    if let Some(reason) = &judged.refused {
        text.line(Style::Error, format_args!("{cannot}: {} starts no guest there", target.name()));
        text.plain(format_args!("  {reason}\n"));
        return;
    }
    let count = found.obstacles.len();
    if count > 0 {
        let obstacles = if count == 1 { "obstacle" } else { "obstacles" };
        text.line(Style::Error, format_args!("{cannot}: {count} {obstacles}"));
        for obstacle in &found.obstacles {
            let taken = judged.taken.contains(&obstacle.name());
            let taken = if taken {
                format!("; KVM there has it, {} takes it away", target.name())
            } else {
                String::new()
            };
            text.plain(format_args!("  {obstacle}{taken}\n"));
        }
    }
    for note in &found.notes {
        text.line(Style::Doubt, format_args!("  note: {note}"));
    }
    if found.msrs_not_compared {
        let why = "feature MSRs (IA32_ARCH_CAPABILITIES, VMX) are not compared: one side does not state them";
        text.line(Style::Doubt, format_args!("  note: {why}"));
    }
}
