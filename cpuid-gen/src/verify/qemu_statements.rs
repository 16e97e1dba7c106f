//! The statements of a QEMU release; `guest_statements.rs` has those on which guests rely.

use super::guest_statements;
use super::qemu::QemuIndex;
use super::statements::{Statements, Text};
use crate::facts::{QemuFacts, QemuSource};

impl<'a> Statements<'a> {
    /// The statements of a QEMU release.
    pub(super) fn from_qemu(index: &'a QemuIndex<'a>) -> Statements<'a> {
        let facts: &QemuFacts = index.facts;
        let mut all = Statements::new(&index.release, facts.at);
        for word in &facts.words {
            let source = match word.source {
                QemuSource::Cpuid { leaf, subleaf, register } => Text::Cpuid(leaf, subleaf, register),
                QemuSource::Msr(msr) => Text::Msr(msr),
            };
            all.add("qemu-word", Text::Name(&word.name), source, word.at);
        }
        for bit in &facts.bits {
            all.add("qemu-bit", Text::BitOf(&bit.word, bit.bit), Text::Name(&bit.name), bit.at);
        }
        for mask in &facts.masks {
            all.add("qemu-mask", Text::Mask(&mask.word, mask.kind), Text::Hex(mask.mask), mask.at);
        }
        for constant in &facts.macros {
            all.add("qemu-macro", Text::Name(&constant.name), Text::Hex(constant.value), constant.at);
        }
        for dep in &facts.deps {
            let (from, to) = ((dep.from.0.as_str(), dep.from.1), (dep.to.0.as_str(), dep.to.1));
            all.add("qemu-dep", Text::Dep(from, to), Text::Nothing, dep.at);
        }
        for comment in &facts.comments {
            let source = Text::Cpuid(comment.leaf, comment.subleaf, comment.register);
            all.add("qemu-comment", Text::Name(&comment.word), source, comment.at);
        }
        guest_statements::add(&mut all, facts);
        all
    }
}
