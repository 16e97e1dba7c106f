//! `CPUID_*` constants of cpu.h, and the locations in comments beside `enum FeatureWord`: redundant information that
//! is checked against `feature_word_info[]`.

use regex::Captures;

use super::reader::Reader;
use crate::c::expr::{Environment, evaluate};
use crate::c::lexer::Kind;
use crate::c::preprocess::Unit;
use crate::facts::{QemuComment, QemuMacro};
use crate::location::{Leaf, Register, Subleaf};
use crate::pattern;

impl<'a> Reader<'a, '_> {
    /// Reads both, in the order of the header.
    pub(super) fn constants(&mut self, header: &Unit<'a>) {
        self.macros(header);
        self.comments(header);
    }

    /// Reads every `CPUID_*` except the vendor strings.
    fn macros(&mut self, header: &Unit<'a>) {
        for define in header.defines.iter().filter(|define| define.active) {
            let name = &define.name.text;
            let text = define.body.first().is_some_and(|token| token.kind == Kind::Str);
            if !name.starts_with("CPUID_") || text || define.params.is_some() {
                continue;
            }
            let macros = &self.preprocessor.macros;
            let environment = Environment::new(macros, macros.now(), &self.names);
            let value = evaluate(&define.body, define.name.span, &environment);
            if let Some(value) = self.diagnostics.take(value) {
                let (name, value, at) = (name.clone().into_owned(), value.as_u64(), define.name.span);
                self.facts.macros.push(QemuMacro { name, value, at });
            }
        }
    }

    /// Reads the locations in the comments beside the enumerators.
    fn comments(&mut self, header: &Unit<'a>) {
        let Some(form) = self.diagnostics.take(pattern::compile(pattern::QEMU_LOCATION)) else { return };
        for word in &self.words {
            let Some(comment) = header.comment_after(self.sources, word.at) else { continue };
            let stated = form.captures(self.sources.text(comment)).and_then(|groups| parts(&groups));
            if let Some((leaf, subleaf, register)) = stated {
                let (word, at) = (word.name.clone(), comment);
                self.facts.comments.push(QemuComment { word, leaf, subleaf, register, at });
            }
        }
    }
}

fn parts(groups: &Captures<'_>) -> Option<(Leaf, Option<Subleaf>, Register)> {
    let subleaf = match groups.get(2) {
        Some(text) => Some(Subleaf(number(text.as_str())?)),
        None => None,
    };
    Some((Leaf(number(&groups[1])?), subleaf, groups[3].parse().ok()?))
}

/// `0xd` and `8000_0001` are hexadecimal; other numbers are decimal.
fn number(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).ok();
    }
    if text.contains('_') {
        return u32::from_str_radix(&text.replace('_', ""), 16).ok();
    }
    text.parse().ok()
}
