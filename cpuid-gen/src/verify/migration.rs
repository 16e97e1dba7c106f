//! What QEMU allows to migrate: bits with names, unless a mask excludes them, and bits of a mask that includes them; and the
//! size and place of XSAVE components.

use super::finding::Findings;
use super::key::{Key, Kind};
use super::qemu::QemuIndex;
use crate::diagnostic::Diagnostic;
use crate::facts::{MaskKind, QemuWord, QemuXsave};
use crate::location::{CpuidWord, Leaf, Register, Subleaf};

/// The registers of leaf 0xD with the valid bits of XCR0 and of `IA32_XSS`, 32 components each.
const COMPONENTS: [(u32, Register); 4] =
    [(0, Register::Eax), (0, Register::Edx), (1, Register::Ecx), (1, Register::Edx)];

/// Runs the checks.
pub(super) fn check(index: &QemuIndex<'_>, findings: &mut Findings<'_>) {
    for component in &index.facts.xsave {
        check_state(index, component, findings);
    }
    // Releases before the mask allow either none of these words to migrate, or all of them.
    if !index.facts.masks.iter().any(|mask| mask.kind == MaskKind::Migratable) {
        return;
    }
    for word in &index.facts.words {
        check_word(index, word, findings);
    }
    for component in &index.facts.xsave {
        check_component(index, component, findings);
    }
}

fn migratable(index: &QemuIndex<'_>, word: &str) -> u64 {
    let masks = index.facts.masks.iter();
    let own = masks.filter(|mask| mask.kind == MaskKind::Migratable && mask.word == word);
    own.fold(0, |all, mask| all | mask.mask)
}

/// QEMU drops the bits of such a word from every CPU that can migrate.
fn check_word(index: &QemuIndex<'_>, word: &QemuWord, findings: &mut Findings<'_>) {
    let named = index.facts.bits.iter().any(|bit| bit.word == word.name);
    if named || migratable(index, &word.name) != 0 {
        return;
    }
    findings.add(Key::new(Kind::NoMigration, &word.name, "-", "-"), &[&index.release], || {
        let message = format!("no bit of `{}` can migrate: it has neither names nor a mask", word.name);
        Diagnostic::error(word.at, message)
    });
}

/// A component is a bit of XCR0 or of `IA32_XSS`. It must be in the mask of one of them.
fn check_component(index: &QemuIndex<'_>, component: &QemuXsave, findings: &mut Findings<'_>) {
    let number = component.component;
    let words: Vec<&QemuWord> = COMPONENTS
        .iter()
        .enumerate()
        .filter(|(half, _)| half % 2 == usize::from(number / 32))
        .filter_map(|(_, (subleaf, register))| {
            let place = CpuidWord { leaf: Leaf(0xd), subleaf: Subleaf(*subleaf), register: *register };
            index.rows.registers.get(&place).copied()
        })
        .collect();
    let held = |word: &&QemuWord| migratable(index, &word.name) >> (number % 32) & 1 == 1;
    // A release without a mask for any of them is reported by word.
    if words.iter().any(held) || words.iter().all(|word| migratable(index, &word.name) == 0) {
        return;
    }
    let subject = format!("XSAVE component {number}");
    findings.add(Key::new(Kind::StateMigration, &subject, "-", "-"), &[&index.release], || {
        Diagnostic::error(component.at, format!("{subject} is in no mask of what can migrate"))
    });
}

/// A component has the size that every processor has, and the offset of the processors that QEMU's layout follows, or none.
fn check_state(index: &QemuIndex<'_>, row: &QemuXsave, findings: &mut Findings<'_>) {
    let mut states = findings.differences().states.iter();
    let Some(real) = states.find(|state| state.component == row.component) else { return };
    let offset = row.offset.filter(|offset| *offset != 0);
    if row.size == real.size && (offset.is_none() || offset == real.offset) {
        return;
    }
    let shown = |size: u32, offset: Option<u32>| match offset {
        Some(offset) => format!("{size} bytes at {offset}"),
        None => format!("{size} bytes"),
    };
    let (own, wanted) = (shown(row.size, offset), shown(real.size, real.offset));
    let subject = format!("XSAVE component {}", row.component);
    findings.add(Key::new(Kind::StatePlace, &subject, &own, &wanted), &[&index.release], || {
        Diagnostic::error(row.at, format!("{subject} has {own}"))
            .with_label(real.at, format!("processors have {wanted}"))
    });
}
