//! The properties of `-cpu` in one release of QEMU, by name.

use crate::facts::{QemuFacts, QemuWord};
use crate::location::Word;
use crate::ordered::Map;
use crate::source::Span;

/// Properties that set a field of the definition.
const FIELDS: [&str; 8] =
    ["min-level", "min-xlevel", "vendor", "family", "model", "stepping", "model-id", "avx10-version"];

/// The target of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// These bits of a feature word.
    Bits(Word, u64),
    /// A field of the definition, or another property without a bit.
    Other,
}

/// The properties of `-cpu` in one release.
#[derive(Clone, Debug)]
pub struct Properties<'f> {
    bits: Map<String, (Word, u64)>,
    aliases: Map<&'f str, &'f str>,
    others: Map<&'f str, Span>,
    /// `avx10-version` also sets features: it has a setter, and not a field.
    pub(crate) avx10_sets_features: bool,
}

impl<'f> Properties<'f> {
    /// The properties of a release, by its words.
    pub(super) fn with_words(facts: &'f QemuFacts, words: &Map<&str, &QemuWord>) -> Properties<'f> {
        let mut bits: Map<String, (Word, u64)> = Map::new();
        for bit in &facts.bits {
            let Some(word) = words.get(bit.word.as_str()) else { continue };
            let mask = 1u64.checked_shl(bit.bit.0.into()).unwrap_or(0);
            for name in bit.names() {
                // QEMU registers properties without `_`.
                let entry = bits.or_insert(name.replace('_', "-"), (word.index, 0));
                if entry.0 == word.index {
                    entry.1 |= mask;
                }
            }
        }
        let aliases =
            facts.aliases.iter().map(|alias| (alias.name.as_str(), alias.target.as_str())).collect();
        let others = facts.properties.iter().map(|property| (property.name.as_str(), property.at)).collect();
        let avx10 = facts.properties.iter().find(|property| property.name == "avx10-version");
        let avx10_sets_features = avx10.is_some_and(|property| property.field.is_none());
        Properties { bits, aliases, others, avx10_sets_features }
    }

    /// The target of a property; `None` if the property does not exist.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Property> {
        let name = self.aliases.get(name).copied().unwrap_or(name);
        if let Some((word, mask)) = self.bits.get(name) {
            return Some(Property::Bits(*word, *mask));
        }
        // Old releases also accept names with `_`.
        if let Some((word, mask)) = self.bits.get(&name.replace('_', "-")) {
            return Some(Property::Bits(*word, *mask));
        }
        (FIELDS.contains(&name) || self.others.contains_key(name)).then_some(Property::Other)
    }
}
