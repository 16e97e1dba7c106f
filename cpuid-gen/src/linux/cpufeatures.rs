//! `X86_FEATURE_*`, `X86_BUG_*` and `VMX_FEATURE_*`: bits by number, and their names in `/proc/cpuinfo`.
//!
//! A macro in an inactive branch (`X86_BUG_ESPFIX`) is a fact too: the name map shows it.

use super::comment_words;
use super::flag_lines::{Rule, Scan};
use super::reader::Reader;
use super::tree::Tree;
use crate::c::macros::Define;
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::LinuxFlag;
use crate::location::{Bit, Word};

impl<'a> Reader<'a, '_> {
    /// Reads the features and bugs of cpufeatures.h.
    pub(super) fn features(&mut self, tree: &Tree, unit: &Unit<'a>) {
        let rule = |prefix| Rule::new(self.sources, tree.mkcapflags, tree.features, prefix);
        let [features, bugs] = ["X86_FEATURE_", "X86_BUG_"].map(|prefix| (prefix, rule(prefix)));
        let kernel = self.facts.count("NCAPINTS");
        let Some(kernel) = kernel else {
            let whole = self.sources.span(unit.file, 0, 0);
            self.diagnostics.error(whole, "NCAPINTS is not defined here");
            return;
        };
        // Before 4.6 this header also contained C code.
        if self.sources[unit.file].path.ends_with("cpufeatures.h") {
            self.macros_alone(unit);
        }
        let count = self.facts.count("NBUGINTS").unwrap_or(0);
        self.facts.features = self.flags(unit, features, 0, kernel);
        self.facts.bugs = self.flags(unit, bugs, kernel, count);
    }

    /// Reads the VMX features of vmxfeatures.h.
    pub(super) fn vmx_features(&mut self, tree: &Tree, unit: &Unit<'a>) {
        self.macros_alone(unit);
        let prefix = "VMX_FEATURE_";
        let rule = Rule::new(self.sources, tree.mkcapflags, tree.features, prefix);
        let words = self.facts.count("NVMXINTS").unwrap_or(0);
        self.facts.vmx = self.flags(unit, (prefix, rule), 0, words);
    }

    /// Reports text outside directives: it is most likely a damaged `#define`, which would be lost.
    fn macros_alone(&mut self, unit: &Unit<'a>) {
        if let Some(token) = unit.tokens.first() {
            let message = format!("unexpected `{}` outside directives in this header", token.text);
            self.diagnostics.error(token.span, message);
        }
    }

    /// Every macro with a prefix, in order. Its value should be in one of the `words` words from `first` on. Without a
    /// rule, none has a name.
    fn flags(
        &mut self,
        unit: &Unit<'a>,
        (prefix, rule): (&str, Option<Rule>),
        first: u16,
        words: u16,
    ) -> Vec<LinuxFlag> {
        let mut scan = rule.map(|rule| Scan::new(self.sources, unit.file, prefix, rule));
        let mut flags = Vec::new();
        for define in &unit.defines {
            let Some(name) = define.name.text.strip_prefix(prefix) else { continue };
            let shown = scan.as_mut().map_or(Ok(None), |scan| scan.flag_of(define.name.span, name));
            let flag = self.diagnostics.take(shown);
            self.facts.spellings.extend(comment_words::compare(self.sources, name, define.name.span));
            let place = self.place_of(define, first, words);
            if let (Some(flag), Some((word, bit))) = (flag, self.diagnostics.take(place)) {
                flags.push(LinuxFlag { name: name.to_owned(), word, bit, flag, at: define.name.span });
            }
        }
        self.diagnostics.extend(scan.into_iter().flat_map(Scan::left_over));
        flags
    }

    fn place_of(&mut self, define: &Define<'a>, first: u16, words: u16) -> Result<(Word, Bit), Diagnostic> {
        let (value, name) = (self.value_of(define)?, &define.name);
        let within = value - i128::from(first) * 32;
        let word = u16::try_from(within.div_euclid(32)).ok();
        let bit = u8::try_from(within.rem_euclid(32)).unwrap_or(0);
        let outside =
            || format!("`{}` is {value}, which is outside the {words} words from {first} on", name.text);
        let word = word.ok_or_else(|| Diagnostic::error(name.span, outside()))?;
        // Either the macro or the count is wrong: `verify` reports what follows.
        if word >= words {
            self.diagnostics.warning(name.span, outside());
        }
        Ok((Word(word), Bit(bit)))
    }
}
