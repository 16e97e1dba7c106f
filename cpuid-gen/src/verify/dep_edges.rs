//! The dependencies of one release: a dependent bit, a required bit, and the row of the facts that states it.

use super::bit_names::of_word;
use crate::facts::{LinuxDep, QemuDep, QemuFacts, WitnessDep};
use crate::location::{Bit, Location, Msr};
use crate::source::Span;

/// A dependent or required bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node<'a> {
    Feature(Location),
    Software(&'a str),
    Msr(Msr, Bit),
}

/// The row that states an edge.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    Linux(&'a LinuxDep),
    /// With the release, which names its bits.
    Qemu(&'a QemuFacts, &'a QemuDep),
    Witness(&'static str, &'a WitnessDep),
}

/// The dependencies of one release.
pub(super) type Edges<'a> = Vec<((Node<'a>, Node<'a>), Row<'a>)>;

impl Node<'_> {
    pub(super) fn shown(&self) -> String {
        match self {
            Node::Feature(location) => location.to_string(),
            Node::Software(name) => (*name).to_owned(),
            Node::Msr(msr, bit) => msr.bit(*bit).to_string(),
        }
    }
}

impl Row<'_> {
    pub(super) fn at(&self) -> Span {
        match self {
            Row::Linux(dep) => dep.at,
            Row::Qemu(_, dep) => dep.at,
            Row::Witness(_, dep) => dep.at,
        }
    }

    pub(super) fn project(&self) -> &'static str {
        match self {
            Row::Linux(_) => "Linux",
            Row::Qemu(..) => "QEMU",
            Row::Witness(project, _) => project,
        }
    }

    /// The text of its facts row.
    pub(super) fn shown(&self) -> String {
        match self {
            Row::Linux(dep) => format!("{} {}", dep.name, dep.needs),
            Row::Qemu(_, dep) => shown(dep),
            Row::Witness(_, dep) => format!("{} {}", dep.name, dep.needs),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Row::Linux(dep) => format!("Linux: `{}` needs `{}`", dep.name, dep.needs),
            Row::Qemu(facts, QemuDep { from, to, .. }) => {
                let [dependent, needed] = [to, from].map(|(word, mask)| of_word(facts, word, *mask));
                format!("QEMU: {dependent} needs {needed}")
            }
            Row::Witness(project, dep) => format!("{project}: `{}` needs `{}`", dep.name, dep.needs),
        }
    }
}

/// A QEMU dependency in keys: the text of its facts row, with the required bits first.
pub(super) fn shown(dep: &QemuDep) -> String {
    let QemuDep { from, to, .. } = dep;
    format!("{} {:#x} {} {:#x}", from.0, from.1, to.0, to.1)
}
