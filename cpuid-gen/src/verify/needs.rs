//! Compares the dependencies that Linux and QEMU state with those of the manuals, the `needs` rows of the differences.
//!
//! A project states a dependency directly or through others. QEMU lists those that its properties can break, Linux
//! those of the features that a kernel can disable; each row names the projects that must state it. A witness need not state one, but
//! must not state what a row denies.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::linux::LinuxIndex;
use super::needed::{Needed, Needs, PropertyNeeds, StatedBy};
use super::qemu::QemuIndex;
use super::release::Release;
use super::witnesses::WitnessIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{BitPlace, QemuDep, QemuHypervDep, QemuSource, QemuWord};
use crate::graph;
use crate::location::Location;
use crate::source::Span;

/// The MSRs that report VMX's controls: KVM derives them from the guest's CPUID.
const VMX_MSRS: std::ops::RangeInclusive<u32> = 0x480..=0x493;

/// Runs the checks.
pub(super) fn check(
    linux: &[LinuxIndex<'_>],
    qemu: &[QemuIndex<'_>],
    witnesses: &[WitnessIndex<'_>],
    findings: &mut Findings<'_>,
) {
    let rows = &findings.differences().needs;
    for row in rows {
        for index in linux.iter().filter(|index| !index.facts.deps.is_empty()) {
            if let Some(view) = LinuxView::new(index, row) {
                findings.use_entry(row.entry);
                judge(row, &view.stated(), matches!(row.by, StatedBy::Linux | StatedBy::Both), findings);
            }
        }
        for index in qemu.iter().filter(|index| !index.facts.deps.is_empty()) {
            if let Some(view) = QemuView::new(index, row) {
                findings.use_entry(row.entry);
                judge(row, &view.stated(), matches!(row.by, StatedBy::Qemu | StatedBy::Both), findings);
            }
        }
        for index in witnesses {
            let stated = of_witness(index, row);
            stated.iter().for_each(|stated| judge(row, stated, false, findings));
        }
    }
    for index in qemu {
        check_properties(index, findings);
        for dep in &index.facts.deps {
            check_direction(index, dep, findings);
        }
    }
}

/// Dependencies between enlightenments, directly or through others. Before 4.1 they are in no table.
fn check_properties(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    let facts = index.facts;
    let deps = facts.hyperv_deps.iter().chain(facts.hyperv_code_deps.iter().flatten());
    let edges: Vec<(&str, &str)> = deps.map(|dep| (&*dep.property, &*dep.needs)).collect();
    let stated = graph::closure(&edges, usize::MAX).unwrap_or_default();
    check_circles(index, &edges, findings);
    for row in &findings.differences().property_needs {
        check_property(index, row, &stated, findings);
    }
}

/// Enlightenments that need each other: QEMU accepts none of them without all, and checks them in an order that has none.
fn check_circles(index: &QemuIndex<'_>, edges: &[(&str, &str)], findings: &mut Findings<'_>) {
    for cycle in graph::cycles(edges) {
        let round: Vec<&str> = cycle.iter().chain(cycle.first()).copied().collect();
        let round = round.join(" > ");
        let key = Key::new(Kind::DepCircle, &round, "-", "qemu-hyperv-dep");
        findings.add(key, &[&index.release], || {
            let next = cycle.iter().cycle().skip(1);
            let facts = index.facts;
            let row = |(property, needs): (&&str, &&str)| {
                let mut deps = facts.hyperv_deps.iter().chain(facts.hyperv_code_deps.iter().flatten());
                deps.find(|dep| dep.property == *property && dep.needs == *needs)
            };
            let rows: Vec<&QemuHypervDep> = cycle.iter().zip(next).filter_map(row).collect();
            let mut found = Diagnostic::general(format!("the dependencies form a cycle: {round}"));
            found.at = rows.first().map(|dep| dep.at);
            rows.into_iter().fold(found, |found, dep| {
                found.with_label(dep.at, format!("QEMU: `{}` needs `{}`", dep.property, dep.needs))
            })
        });
    }
}

fn check_property(
    index: &QemuIndex<'_>,
    row: &PropertyNeeds,
    stated: &[(&str, &str)],
    findings: &mut Findings<'_>,
) {
    let facts = index.facts;
    let place = |name: &str| facts.hyperv.iter().find(|known| known.property == name).map(|known| known.at);
    let (Some(at), Some(needs_at)) = (place(&row.property), place(&row.needs)) else { return };
    findings.use_entry(row.entry);
    let is_shown = !row.is_code || facts.hyperv_code_deps.is_some();
    if !is_shown || stated.contains(&(&*row.property, &*row.needs)) {
        return;
    }
    let (property, needs) = (&row.property, &row.needs);
    findings.add(Key::new(Kind::DepMissing, property, needs, "QEMU"), &[&index.release], || {
        Diagnostic::error(at, format!("`{property}` needs `{needs}`, but QEMU does not state it"))
            .with_label(needs_at, "what it needs")
    });
}

/// What a release states about a row.
struct Stated<'r> {
    release: &'r Release,
    /// The place of the direct dependency.
    directly: Option<Span>,
    /// Directly or through others.
    anyhow: bool,
    /// The place of the dependent bit.
    at: Span,
}

/// What a witness states about a row; `None` if it does not state the dependency itself.
fn of_witness<'i>(index: &'i WitnessIndex<'_>, row: &Needs) -> Option<Stated<'i>> {
    let is_at = |name: &str, needed: Needed| {
        let place = match needed {
            Needed::Cpuid(location) => BitPlace::Cpuid(location),
            Needed::Msr(msr, bit) => BitPlace::Msr(msr.bit(bit)),
            Needed::Register(_) | Needed::WholeMsr(_) => return false,
        };
        index.places.get(name).is_some_and(|places| places.contains(&place))
    };
    let mut deps = index.facts.deps.iter();
    let dep = deps.find(|dep| is_at(&dep.name, row.bit) && is_at(&dep.needs, row.needs))?;
    Some(Stated { release: &index.release, directly: Some(dep.at), anyhow: true, at: dep.at })
}

fn judge(row: &Needs, stated: &Stated<'_>, must: bool, findings: &mut Findings<'_>) {
    let (bit, needs) = (row.bit.to_string(), row.needs.to_string());
    let project = stated.release.project;
    if must && !stated.anyhow {
        findings.add(Key::new(Kind::DepMissing, &bit, &needs, project), &[stated.release], || {
            Diagnostic::error(stated.at, format!("{bit} needs {needs}, but {project} does not state it"))
        });
    }
    if let Some(at) = stated.directly.filter(|_| row.by == StatedBy::Neither) {
        findings.add(Key::new(Kind::DepRefuted, &bit, &needs, project), &[stated.release], || {
            Diagnostic::error(at, format!("{bit} does not need {needs}, but {project} states it"))
        });
    }
}

/// The names that a Linux release has for a row's bits.
struct LinuxView<'i, 'a> {
    index: &'i LinuxIndex<'a>,
    bit: Vec<&'a str>,
    needs: Vec<&'a str>,
    at: Span,
}

impl<'i, 'a> LinuxView<'i, 'a> {
    /// `None` if the release does not name both.
    fn new(index: &'i LinuxIndex<'a>, row: &Needs) -> Option<LinuxView<'i, 'a>> {
        let (Needed::Cpuid(bit), Needed::Cpuid(needs)) = (row.bit, row.needs) else { return None };
        let named = |place: Location| {
            index.bits.get(&place).filter(|names| names.iter().any(|name| name.sort == "linux-feature"))
        };
        let (bit, needs) = (named(bit)?, named(needs)?);
        let at = bit.first()?.at;
        let names = |all: &Vec<super::linux::LinuxName<'a>>| all.iter().map(|name| name.name).collect();
        Some(LinuxView { index, bit: names(bit), needs: names(needs), at })
    }

    fn stated(&self) -> Stated<'i> {
        let deps = &self.index.facts.deps;
        let direct = deps
            .iter()
            .find(|dep| self.bit.contains(&dep.name.as_str()) && self.needs.contains(&dep.needs.as_str()));
        let mut reached: Vec<&str> = self.bit.clone();
        let mut next = 0;
        while let Some(&name) = reached.get(next) {
            let more: Vec<&str> =
                deps.iter().filter(|dep| dep.name == name).map(|dep| dep.needs.as_str()).collect();
            reached.extend(more.into_iter().filter(|name| !reached.contains(name)).collect::<Vec<_>>());
            next += 1;
        }
        Stated {
            release: &self.index.release,
            directly: direct.map(|dep| dep.at),
            anyhow: reached.iter().any(|name| self.needs.contains(name)),
            at: self.at,
        }
    }
}

/// A QEMU word and the mask of a row's bits in it.
type Bits<'a> = (&'a str, u64);

/// The words and bits that a QEMU release has for a row.
struct QemuView<'i, 'a> {
    index: &'i QemuIndex<'a>,
    bit: Bits<'a>,
    needs: Bits<'a>,
    at: Span,
}

impl<'i, 'a> QemuView<'i, 'a> {
    /// `None` if the release does not name both.
    fn new(index: &'i QemuIndex<'a>, row: &Needs) -> Option<QemuView<'i, 'a>> {
        let bits = |needed: Needed| -> Option<(&'a QemuWord, u64)> {
            let word = index.facts.words.iter().find(|word| held_by(needed, word.source))?;
            match needed {
                Needed::Cpuid(Location { bit, .. }) | Needed::Msr(_, bit) => {
                    index.named.get(&(word.name.as_str(), bit.0)).map(|_| (word, 1 << bit.0))
                }
                Needed::Register(_) | Needed::WholeMsr(_) => Some((word, u64::MAX)),
            }
        };
        let ((word, mask), (needs, needed)) = (bits(row.bit)?, bits(row.needs)?);
        Some(QemuView { index, bit: (&word.name, mask), needs: (&needs.name, needed), at: word.at })
    }

    fn stated(&self) -> Stated<'i> {
        let direct = self.rows(self.bit).find(|dep| holds(&dep.from, self.needs));
        Stated {
            release: &self.index.release,
            directly: direct.map(|dep| dep.at),
            anyhow: self.reaches(self.rows(self.bit).collect(), &mut Vec::new()),
            at: direct.map_or(self.at, |dep| dep.at),
        }
    }

    /// The dependencies of all these bits. For a whole word its named bits, or half of an MSR, are enough.
    fn rows(&self, (word, mask): Bits<'a>) -> impl Iterator<Item = &'i QemuDep> + use<'_, 'i, 'a> {
        let named = self.index.facts.bits.iter().filter(|bit| bit.word == word);
        let named = named.fold(0, |all, bit| all | 1u64 << bit.bit.0);
        let wanted = if mask == u64::MAX { if named == 0 { 0xffff_ffff } else { named } } else { mask };
        let deps = self.index.facts.deps.iter();
        deps.filter(move |dep| dep.to.0 == word && dep.to.1 & wanted == wanted)
    }

    /// True if these bits need the row's prerequisite, directly or through others.
    fn reaches(&self, rows: Vec<&'i QemuDep>, seen: &mut Vec<Bits<'i>>) -> bool {
        rows.into_iter().any(|dep| {
            let from: Bits<'i> = (dep.from.0.as_str(), dep.from.1);
            if holds(&dep.from, self.needs) {
                return true;
            }
            if seen.contains(&from) {
                return false;
            }
            seen.push(from);
            let deps = self.index.facts.deps.iter();
            self.reaches(deps.filter(|dep| dep.to.0 == from.0 && dep.to.1 & from.1 == from.1).collect(), seen)
        })
    }
}

fn held_by(needed: Needed, source: QemuSource) -> bool {
    match (needed, source) {
        (Needed::Cpuid(Location { word, .. }) | Needed::Register(word), _) => {
            source.cpuid_word() == Some(word)
        }
        (Needed::Msr(msr, _) | Needed::WholeMsr(msr), QemuSource::Msr(own)) => msr == own,
        _ => false,
    }
}

fn holds((word, mask): &(String, u64), (wanted, bits): Bits<'_>) -> bool {
    word == wanted && mask & bits != 0
}

/// A VMX control that a CPUID bit needs: guests see the bit regardless of the control, so the dependency is
/// reversed.
pub(super) fn is_reversed(index: &QemuIndex<'_>, dep: &QemuDep) -> bool {
    let source = |word: &str| index.rows.words.get(word).map(|word| word.source);
    let vmx = matches!(source(&dep.from.0), Some(QemuSource::Msr(msr)) if VMX_MSRS.contains(&msr.0));
    vmx && source(&dep.to.0).is_some_and(|source| source.cpuid_word().is_some())
}

fn check_direction(index: &QemuIndex<'_>, dep: &QemuDep, findings: &mut Findings<'_>) {
    if !is_reversed(index, dep) {
        return;
    }
    let named = |(word, mask): &(String, u64)| {
        let bit = u8::try_from(mask.trailing_zeros()).unwrap_or(u8::MAX);
        index
            .named
            .get(&(word.as_str(), bit))
            .map_or_else(|| format!("{word} {mask:#x}"), |bit| bit.name.clone())
    };
    let (from, to) = (named(&dep.from), named(&dep.to));
    findings.add(Key::new(Kind::DepDirection, &to, &from, "-"), &[&index.release], || {
        Diagnostic::error(dep.at, format!("`{to}` depends on the VMX control `{from}`"))
            .with_help("the control follows from CPUID: the dependency is reversed")
    });
}
