//! The state of reading a witness's tree, and what its C headers need.

use std::collections::HashMap;

use crate::c::Value;
use crate::c::expr::{Environment, evaluate};
use crate::c::lexer::Token;
use crate::c::macros::Define;
use crate::c::preprocess::{Preprocessor, Unit};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{BitPlace, WitnessBit, WitnessFacts};
use crate::location::{Bit, WordSource};
use crate::source::{FileId, Sources, Span};

/// The definitions that these projects' headers expect, in addition to the kernel's configuration. Xen's BIT takes the type's
/// suffix.
const CONFIGURATION: &str = "\
#define __x86_64__ 1
#undef BIT
#define BIT(number, suffix) (1UL << (number))
";

/// Adds the configuration to `sources`: the common prelude and these projects' own.
pub(super) fn configuration(sources: &mut Sources) -> [FileId; 2] {
    [Preprocessor::add_prelude(sources), sources.add("<configuration of witnesses>", CONFIGURATION)]
}

/// The reader's state.
pub(super) struct Reader<'a, 'd> {
    pub(super) sources: &'a Sources,
    preprocessor: Preprocessor<'a>,
    names: HashMap<String, Value>,
    pub(super) facts: WitnessFacts,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl<'a, 'd> Reader<'a, 'd> {
    pub(super) fn new(
        sources: &'a Sources,
        [prelude, own]: [FileId; 2],
        facts: WitnessFacts,
        diagnostics: &'d mut Diagnostics,
    ) -> Self {
        let mut preprocessor = Preprocessor::new(sources, prelude, diagnostics);
        preprocessor.read(own, diagnostics);
        Reader { sources, preprocessor, names: HashMap::new(), facts, diagnostics }
    }

    /// Follows a header's directives.
    pub(super) fn read(&mut self, file: FileId) -> Unit<'a> {
        self.preprocessor.read_declarations(file, self.diagnostics)
    }

    /// The value of an expression.
    pub(super) fn value(&self, tokens: &[Token<'a>], at: Span) -> Result<i128, Diagnostic> {
        let macros = &self.preprocessor.macros;
        Ok(evaluate(tokens, at, &Environment::new(macros, macros.now(), &self.names))?.number())
    }

    /// The number of the only bit in a macro's value, below `width`. A 32-bit `1 << 31` counts as its bits.
    pub(super) fn bit_of(&self, define: &Define<'a>, width: u8) -> Result<Bit, Diagnostic> {
        let name = &define.name;
        if !define.active {
            let message = format!("`{}` is in an inactive branch of a conditional", name.text);
            return Err(Diagnostic::error(name.span, message));
        }
        if define.params.is_some() || define.body.is_empty() {
            let message = format!("`{}` is not a number: expected a single bit", name.text);
            return Err(Diagnostic::error(name.span, message));
        }
        let value = self.value(&define.body, name.span)?;
        let value = if value == i128::from(i32::MIN) { 1 << 31 } else { value };
        let bits = u64::try_from(value).ok().filter(|bits| bits.is_power_of_two());
        let bit = bits.and_then(|bits| u8::try_from(bits.trailing_zeros()).ok()).filter(|bit| *bit < width);
        bit.map(Bit).ok_or_else(|| {
            let message = format!("`{}` is {value:#x}: expected a single bit below {width}", name.text);
            Diagnostic::error(name.span, message)
        })
    }

    /// Adds a name of a bit.
    pub(super) fn add(&mut self, name: &str, source: WordSource, bit: Bit, at: Span) {
        let place = match source {
            WordSource::Cpuid(word) => BitPlace::Cpuid(word.bit(bit)),
            WordSource::Msr(msr) => BitPlace::Msr(msr.bit(bit)),
        };
        if name.is_empty() || name == "-" || name.contains(char::is_whitespace) {
            self.diagnostics.error(at, format!("`{name}` is not a name of a bit"));
            return;
        }
        self.facts.bits.push(WitnessBit { name: name.to_owned(), place, at });
    }
}
