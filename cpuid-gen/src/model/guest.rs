//! The data of one QEMU release's code that turns a CPU model into a guest: feature words with their masks,
//! dependencies, properties by name, Hyper-V's features, XSAVE components.
//!
//! Invariants: every named word, property and Hyper-V feature exists; properties ascend by name. Dependencies and
//! components with unknown words are reported by `deps` and `xsave`.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{MaskKind, QemuFacts, QemuSource};
use crate::index::{Property, QemuRows};
use crate::location::{Bit, Leaf, Register, Word, WordSource};
use crate::ordered::{Map, sort_by};
use crate::source::Span;

/// The data of a release's code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guest {
    /// Feature words by index.
    pub words: Map<Word, GuestWord>,
    /// `feature_dependencies[]` in its order: required and dependent bits.
    pub deps: Vec<[WordMask; 2]>,
    /// Every property of `-cpu`, including aliases.
    pub properties: Map<String, Target>,
    /// Registers' bits of Hyper-V features, in QEMU's order.
    pub hyperv: Vec<HypervBits>,
    /// Dependencies of Hyper-V features, by bit: a feature, and another that it needs.
    pub hyperv_deps: Vec<[u8; 2]>,
    /// XSAVE components, ascending.
    pub xsave: Vec<Component>,
}

/// Bits of a feature word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordMask {
    /// Its index.
    pub word: Word,
    /// The bits.
    pub mask: u64,
}

/// A feature word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuestWord {
    /// The register it represents.
    pub source: WordSource,
    /// QEMU names the word with its subleaf.
    pub has_subleaf: bool,
    /// The bits that `-cpu host` may have in a migratable guest.
    pub migratable: u64,
    /// The bits that `-cpu host` does not enable.
    pub no_autoenable: u64,
}

/// The target of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Bits of a feature word.
    Bits(WordMask),
    /// The property with this index in the board's list.
    Other(usize),
}

/// The bits that a Hyper-V feature sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HypervBits {
    /// The feature's bit in `hyperv_features`.
    pub feature: u8,
    /// Input EAX.
    pub leaf: Leaf,
    /// The output register.
    pub register: Register,
    /// The bits.
    pub mask: u32,
}

/// An XSAVE component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Component {
    /// Its bit in XCR0 or `IA32_XSS`.
    pub number: u8,
    /// The feature that enables it.
    pub feature: WordMask,
    /// Bytes.
    pub size: u32,
}

/// Converts the facts. Rows with unknown names are omitted.
pub(super) fn guest(rows: &QemuRows<'_>, diagnostics: &mut Diagnostics) -> Guest {
    let mut names = Names { rows, diagnostics };
    names.resolve()
}

struct Names<'r, 'f, 'd> {
    rows: &'r QemuRows<'f>,
    diagnostics: &'d mut Diagnostics,
}

impl Names<'_, '_, '_> {
    fn resolve(&mut self) -> Guest {
        let facts = self.rows.facts;
        let mut guest = Guest { words: words(facts), properties: properties(self.rows), ..Guest::default() };
        for dep in &facts.deps {
            let [from, to] = [&dep.from, &dep.to].map(|(word, mask)| self.word(word, *mask));
            guest.deps.extend(from.zip(to).map(|(from, to)| [from, to]));
        }
        for row in &facts.hyperv {
            let feature = self.hyperv(&row.property, row.at);
            let bits =
                |feature| HypervBits { feature, leaf: row.leaf, register: row.register, mask: row.mask };
            guest.hyperv.extend(feature.map(bits));
        }
        for row in &facts.hyperv_deps {
            let (feature, needs) = (self.hyperv(&row.property, row.at), self.hyperv(&row.needs, row.at));
            guest.hyperv_deps.extend(feature.zip(needs).map(|(feature, needs)| [feature, needs]));
        }
        for row in &facts.xsave {
            let feature = self.word(&row.word, mask(row.bit));
            let component = |feature| Component { number: row.component, feature, size: row.size };
            guest.xsave.extend(feature.map(component));
        }
        sort_by(&mut guest.xsave, |a, b| a.number.cmp(&b.number));
        guest
    }

    fn word(&self, name: &str, mask: u64) -> Option<WordMask> {
        self.rows.words.get(name).map(|word| WordMask { word: word.index, mask })
    }

    /// The bit of `hyperv_features` that a property sets.
    fn hyperv(&mut self, name: &str, at: Span) -> Option<u8> {
        let property = self.rows.facts.properties.iter().find(|property| property.name == name);
        let found = property.and_then(|property| property.bit).map(|bit| bit.0);
        if found.is_none() {
            self.diagnostics.push(Diagnostic::error(at, format!("`{name}` is not a property with a bit")));
        }
        found
    }
}

fn words(facts: &QemuFacts) -> Map<Word, GuestWord> {
    let word = |word: &crate::facts::QemuWord| {
        let masked = |kind| {
            let masks = facts.masks.iter().filter(|mask| mask.kind == kind && mask.word == word.name);
            masks.fold(0, |all, mask| all | mask.mask)
        };
        let bits = facts.bits.iter().filter(|bit| bit.word == word.name);
        let named = bits.fold(0, |all, bit| all | mask(bit.bit));
        let migratable = masked(MaskKind::Migratable) | named & !masked(MaskKind::Unmigratable);
        let no_autoenable = masked(MaskKind::NoAutoenable);
        let has_subleaf = matches!(word.source, QemuSource::Cpuid { subleaf: Some(_), .. });
        (word.index, GuestWord { source: word.source.word_source(), has_subleaf, migratable, no_autoenable })
    };
    facts.words.iter().map(word).collect()
}

/// A bit as a mask, or `None` if the word does not have it.
fn mask(bit: Bit) -> u64 {
    1u64.checked_shl(bit.0.into()).unwrap_or(0)
}

/// Every name in [`Properties`], with its target.
fn properties(rows: &QemuRows<'_>) -> Map<String, Target> {
    let facts = rows.facts;
    let bits = facts.bits.iter().flat_map(|bit| bit.names().map(|name| name.replace('_', "-")));
    let aliases = facts.aliases.iter().map(|alias| alias.name.clone());
    let others = facts.properties.iter().map(|property| property.name.clone());
    let target = |name: String| {
        let target = match rows.properties.get(&name)? {
            Property::Bits(word, mask) => Target::Bits(WordMask { word, mask }),
            Property::Other => {
                let alias = facts.aliases.iter().find(|alias| alias.name == name);
                let first = alias.map_or(&name, |alias| &alias.target);
                Target::Other(facts.properties.iter().position(|property| property.name == *first)?)
            }
        };
        Some((name, target))
    };
    bits.chain(aliases).chain(others).filter_map(target).collect()
}
