//! KVM's `reverse_cpuid[]`, its own features, and `__feature_translate`.
//!
//! The table has the words that KVM uses, which are not all of the kernel's: 5.4 has no row for `CPUID_7_1_EAX`. Such a
//! word is not software-defined; its location is the one that its name states.

use std::collections::HashMap;

use super::reader::Reader;
use super::rows::struct_order;
use crate::c::declare::{find_function, find_table, inside};
use crate::c::expand::expand_some;
use crate::c::init::parse_list;
use crate::c::lexer::{Kind, Token};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::KvmBit;
use crate::leaf_name;
use crate::location::{Bit, CpuidWord, Leaf, Subleaf};
use crate::source::Span;

/// The macro that abbreviates a case of `__feature_translate`.
const TRANSLATION: &str = "KVM_X86_TRANSLATE";

/// Maximum number of words in `reverse_cpuid[]`.
const MAX_WORDS: u64 = 256;

impl<'a> Reader<'a, '_> {
    /// Sets each word's location from its row, or from its name if there is none.
    pub(super) fn reverse_cpuid(&mut self, unit: &Unit<'a>) {
        let Some((open, at)) = find_table(unit, "reverse_cpuid") else { return };
        let rows = self.rows(unit, open, at);
        for (index, location) in self.diagnostics.take(rows).unwrap_or_default() {
            match self.facts.words.iter_mut().find(|word| u64::from(word.word.0) == index) {
                Some(word) => word.location = Some(location),
                None => self.diagnostics.error(at, format!("a row for word {index}, which is in no enum")),
            }
        }
        for index in 0..self.facts.words.len() {
            let word = &self.facts.words[index];
            let stated = leaf_name::from_linux(&word.name).filter(|_| word.location.is_none());
            let taken =
                |stated: &CpuidWord| self.facts.words.iter().any(|known| known.location == Some(*stated));
            // A word of KVM's own needs a row.
            if self.facts.is_kernel_word(word.word) {
                self.facts.words[index].location = stated.filter(|stated| !taken(stated)).or(word.location);
            }
        }
    }

    fn rows(&self, unit: &Unit<'a>, open: usize, at: Span) -> Result<Vec<(u64, CpuidWord)>, Diagnostic> {
        let table = parse_list(inside(&unit.tokens, open)?, at)?;
        let order = struct_order(unit, "cpuid_reg", at)?;
        let environment = self.environment(unit, at);
        let mut rows = Vec::new();
        for (index, row) in table.elements(MAX_WORDS, &environment)? {
            let fields = row.fields(&order)?;
            let [Some(function), Some(subleaf), Some(register)] =
                ["function", "index", "reg"].map(|field| fields.get(field).map(|field| field.value))
            else {
                return Err(Diagnostic::error(row.at, "expected function, index and reg"));
            };
            let word = CpuidWord {
                leaf: Leaf(function.integer32(&environment)?),
                subleaf: Subleaf(subleaf.integer32(&environment)?),
                register: self.register(register)?,
            };
            rows.push((index, word));
        }
        Ok(rows)
    }

    /// Reads the `X86_FEATURE_*` that this header defines for KVM only.
    pub(super) fn kvm_features(&mut self, unit: &Unit<'a>) {
        self.features_defined(unit, "X86_FEATURE_");
        for define in unit.defines.iter().filter(|define| !define.active) {
            if define.name.text.starts_with("X86_FEATURE_")
                || define.name.text.starts_with("KVM_X86_FEATURE_")
            {
                let message = format!("`{}` is in an inactive branch of a conditional", define.name.text);
                self.diagnostics.error(define.name.span, message);
            }
        }
    }

    /// Reads KVM's own features: every active macro with a prefix.
    pub(super) fn features_defined(&mut self, unit: &Unit<'a>, prefix: &str) {
        for define in unit.defines.iter().filter(|define| define.active) {
            let Some(name) = define.name.text.strip_prefix(prefix) else { continue };
            let bit = self.kvm_bit(name, &define.name);
            self.facts.kvm_features.extend(self.diagnostics.take(bit));
        }
    }

    /// The word and bit of a macro, with the given name.
    fn kvm_bit(&self, name: &str, token: &Token<'a>) -> Result<KvmBit, Diagnostic> {
        let macros = &self.preprocessor.macros;
        let define = macros.get(&token.text, macros.now());
        let define = define
            .ok_or_else(|| Diagnostic::error(token.span, format!("`{}` is not defined", token.text)))?;
        let value = self.value_of(define)?;
        let word = self.facts.words.iter().find(|word| i128::from(word.word.0) == value.div_euclid(32));
        let word = word.ok_or_else(|| {
            Diagnostic::error(token.span, format!("`{}` is {value}, which is in no named word", token.text))
        })?;
        let bit = Bit(u8::try_from(value.rem_euclid(32)).unwrap_or(0));
        Ok(KvmBit { name: name.to_owned(), leaf_name: word.name.clone(), bit, at: token.span })
    }

    /// Reads `__feature_translate`: an `if` or a `case` for each kernel feature that KVM keeps in another word.
    pub(super) fn translations(&mut self, unit: &Unit<'a>) {
        let found = self.find_translations(unit);
        self.facts.kvm_translates = self.diagnostics.take(found).unwrap_or_default();
        for define in unit.defines.iter().filter(|define| define.active) {
            let Some(name) = define.name.text.strip_prefix("KVM_X86_FEATURE_") else { continue };
            if !self.facts.kvm_translates.iter().any(|known| known.name == name) {
                // The rest of the tree can be read, and `verify` reports it as a finding.
                let message =
                    format!("`{}` is defined, but no feature is translated to it", define.name.text);
                self.diagnostics.warning(define.name.span, message);
                self.facts.untranslated.push((define.name.text.to_string(), define.name.span));
            }
        }
    }

    fn find_translations(&self, unit: &Unit<'a>) -> Result<Vec<KvmBit>, Diagnostic> {
        let function = find_function(unit, "__feature_translate")?;
        // Before 5.18 this was part of `__feature_leaf`.
        let function = if function.is_none() { find_function(unit, "__feature_leaf")? } else { function };
        let Some((body, _)) = function else { return Ok(Vec::new()) };
        let macros = &self.preprocessor.macros;
        // The macro that abbreviates a case has all cases at one place; its calls name the features.
        let calls =
            body.windows(3).filter(|tokens| tokens[0].text.starts_with(TRANSLATION) && tokens[1].is("("));
        let stated: HashMap<&str, Span> =
            calls.map(|tokens| (tokens[2].text.as_ref(), tokens[2].span)).collect();
        // Only the macro that abbreviates a case is expanded; the features keep their names.
        let body = expand_some(body, macros, macros.now(), &|name| name.starts_with(TRANSLATION))?;
        let mut found = Vec::new();
        for (index, token) in body.iter().enumerate() {
            let Some(name) = token.text.strip_prefix("X86_FEATURE_").filter(|_| token.kind == Kind::Ident)
            else {
                continue;
            };
            match body.get(index + 1..index + 4) {
                Some([colon, verb, to]) if (colon.is(":") || colon.is(")")) && verb.is_ident("return") => {
                    let mut bit = self.kvm_bit(name, to)?;
                    bit.at = stated.get(name).copied().unwrap_or(token.span);
                    found.push(bit);
                }
                _ => {
                    let message = format!("expected `return KVM_X86_FEATURE_...` after `{}`", token.text);
                    return Err(Diagnostic::error(token.span, message));
                }
            }
        }
        Ok(found)
    }
}
