//! `feature_word_info[]` of cpu.c.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::c::declare::{find_definition, find_table, inside, split_commas};
use crate::c::expand::expand;
use crate::c::expr::{Environment, evaluate};
use crate::c::init::{Init, InitKind, parse_list};
use crate::c::lexer::{Kind, Token};
use crate::c::preprocess::Unit;
use crate::c::{Type, Value};
use crate::diagnostic::Diagnostic;
use crate::facts::{MaskKind, QemuBit, QemuMask, QemuSource, QemuWord};
use crate::location::{Bit, Leaf, Msr, Register, Subleaf, Word};
use crate::source::Span;

type Row<'i, 't, 'a> = BTreeMap<String, &'i Init<'t, 'a>>;

/// Fields that hold a mask.
const MASKS: [(&str, MaskKind); 4] = [
    ("tcg_features", MaskKind::Tcg),
    ("unmigratable_flags", MaskKind::Unmigratable),
    ("migratable_flags", MaskKind::Migratable),
    ("no_autoenable_flags", MaskKind::NoAutoenable),
];

/// All other fields, in their old and new forms.
///
/// `msr.cpuid_dep` (3.1 to 4.1) names the CPUID bit that enumerates the MSR: a dependency, not part of the word.
const FIELDS: [&str; 12] = [
    "type",
    "feat_names",
    "cpuid.eax",
    "cpuid.needs_ecx",
    "cpuid.ecx",
    "cpuid.reg",
    "msr.index",
    "msr.cpuid_dep",
    "cpuid_eax",
    "cpuid_needs_ecx",
    "cpuid_ecx",
    "cpuid_reg",
];

/// The declarations of fields in `struct FeatureWordInfo`.
struct Layout {
    /// Length of `feat_names`.
    names: u64,
    /// Type of each mask.
    masks: Vec<(MaskKind, Type)>,
}

impl<'a> Reader<'a, '_> {
    /// Reads the table; `declares` is the unit that defines the struct.
    pub(super) fn feature_words(&mut self, unit: &Unit<'a>, declares: &Unit<'a>) {
        let Some((open, at)) = find_table(unit, "feature_word_info") else {
            let whole = self.sources.span(unit.file, 0, 0);
            self.diagnostics
                .error(whole, "this file does not define `feature_word_info[]`, which QEMU has since 1.4");
            return;
        };
        let layout = self.layout(declares, at);
        if let (Some(layout), Some(tokens)) =
            (self.diagnostics.take(layout), self.table_tokens(unit, open, at))
        {
            self.rows(unit, &tokens, at, &layout);
        }
        for word in &self.words {
            if !self.facts.words.iter().any(|row| row.name == word.name) {
                let message = format!("`{}` has no valid row in feature_word_info[]", word.name);
                self.diagnostics.push(Diagnostic::error(word.at, message).with_label(at, "the table"));
            }
        }
    }

    /// A table's tokens with macros expanded.
    pub(super) fn table_tokens(&mut self, unit: &Unit<'a>, open: usize, at: Span) -> Option<Vec<Token<'a>>> {
        let body = self.diagnostics.take(inside(&unit.tokens, open))?;
        self.diagnostics.take(expand(body, &self.preprocessor.macros, unit.moment(at)))
    }

    fn rows(&mut self, unit: &Unit<'a>, tokens: &[Token<'a>], at: Span, layout: &Layout) {
        let Some(table) = self.diagnostics.take(parse_list(tokens, at)) else { return };
        let count = u64::try_from(self.words.len()).unwrap_or(0);
        let environment = self.environment(unit, at);
        let elements = table.elements(count, &environment);
        let mut rows: Vec<_> = self.diagnostics.take(elements).unwrap_or_default().into_iter().collect();
        rows.sort_by_key(|(_, row)| row.at);
        for (index, row) in rows {
            let Some(word) = self.words.iter().find(|word| u64::try_from(word.value) == Ok(index)) else {
                continue;
            };
            let name = word.name.clone();
            let read = self.row(unit, &name, index, row, layout);
            self.diagnostics.take(read);
        }
    }

    /// The macros as of `at`, and all enumerators.
    pub(super) fn environment(&self, unit: &Unit<'a>, at: Span) -> Environment<'_, 'a> {
        Environment::new(&self.preprocessor.macros, unit.moment(at), &self.names)
    }

    fn row(
        &mut self,
        unit: &Unit<'a>,
        name: &str,
        index: u64,
        init: &Init<'_, 'a>,
        layout: &Layout,
    ) -> Result<(), Diagnostic> {
        let row = init.paths()?;
        if let Some((field, value)) = row.iter().find(|(field, _)| {
            !FIELDS.contains(&field.as_str()) && !MASKS.iter().any(|(mask, _)| mask == field)
        }) {
            return Err(Diagnostic::error(value.at, format!("unknown field `{field}`")));
        }
        let index = Word(u16::try_from(index).unwrap_or(u16::MAX));
        let source = self.source(unit, &row, init.at)?;
        let names = match row.get("feat_names") {
            Some(names) => self.names_of(unit, names, layout)?,
            None => Vec::new(),
        };
        let masks = self.masks(unit, (init, &row), layout)?;
        self.facts.words.push(QemuWord { name: name.to_owned(), index, source, at: init.at });
        let word = || name.to_owned();
        self.facts.bits.extend(names.into_iter().map(|(bit, name, at)| QemuBit {
            word: word(),
            bit,
            name,
            at,
        }));
        self.facts.masks.extend(masks.into_iter().map(|(kind, mask, at)| QemuMask {
            word: word(),
            kind,
            mask,
            at,
        }));
        Ok(())
    }

    /// The register that the word represents.
    fn source(&self, unit: &Unit<'a>, row: &Row<'_, '_, 'a>, at: Span) -> Result<QemuSource, Diagnostic> {
        let environment = self.environment(unit, at);
        let msr = match row.get("type").map(|value| value.scalar()).transpose()? {
            None => false,
            Some([name]) if name.is_ident("CPUID_FEATURE_WORD") => false,
            Some([name]) if name.is_ident("MSR_FEATURE_WORD") => true,
            Some(_) => {
                return Err(Diagnostic::error(
                    at,
                    "expected the type CPUID_FEATURE_WORD or MSR_FEATURE_WORD",
                ));
            }
        };
        let number = |new: &str, old: &str| match row.get(new).or_else(|| row.get(old)) {
            Some(value) => value.integer32(&environment).map(Some),
            None => Ok(None),
        };
        if msr {
            let index = number("msr.index", "")?;
            return index
                .map(|index| QemuSource::Msr(Msr(index)))
                .ok_or_else(|| Diagnostic::error(at, "the row has no MSR"));
        }
        let leaf =
            number("cpuid.eax", "cpuid_eax")?.ok_or_else(|| Diagnostic::error(at, "the row has no leaf"))?;
        let needs_ecx = row.get("cpuid.needs_ecx").or_else(|| row.get("cpuid_needs_ecx"));
        let needs_ecx = needs_ecx.map(|value| value.truth(&environment)).transpose()?.unwrap_or(false);
        let subleaf = number("cpuid.ecx", "cpuid_ecx")?;
        if subleaf.is_some() && !needs_ecx {
            return Err(Diagnostic::error(at, "the row has a subleaf, but needs_ecx is not set"));
        }
        let register = row.get("cpuid.reg").or_else(|| row.get("cpuid_reg"));
        let register = register.ok_or_else(|| Diagnostic::error(at, "the row has no register"))?;
        let register = self.register(register, &environment)?;
        let subleaf = needs_ecx.then(|| Subleaf(subleaf.unwrap_or(0)));
        Ok(QemuSource::Cpuid { leaf: Leaf(leaf), subleaf, register })
    }

    /// The register whose `R_*` has this value, an enumerator, or a macro in older releases.
    pub(super) fn register(
        &self,
        value: &Init<'_, 'a>,
        environment: &Environment<'_, 'a>,
    ) -> Result<Register, Diagnostic> {
        let wanted = value.integer(environment)?.number();
        let found = Register::ALL.into_iter().find(|register| {
            let name = format!("R_{}", register.name());
            let number = match self.names.get(&name) {
                Some(value) => Some(*value),
                None => self.macro_value(&name, environment),
            };
            number.is_some_and(|number| number.number() == wanted)
        });
        found.ok_or_else(|| {
            Diagnostic::error(
                value.at,
                format!("{wanted} is not a register: expected R_EAX, R_EBX, R_ECX or R_EDX"),
            )
        })
    }

    fn macro_value(&self, name: &str, environment: &Environment<'_, 'a>) -> Option<Value> {
        let macros = &self.preprocessor.macros;
        let define = macros.get(name, macros.now())?;
        evaluate(&define.body, define.name.span, environment).ok()
    }

    /// Reads `feat_names`: a list, or the name of an array.
    fn names_of(
        &self,
        unit: &Unit<'a>,
        names: &Init<'_, 'a>,
        layout: &Layout,
    ) -> Result<Vec<(Bit, String, Span)>, Diagnostic> {
        if let InitKind::Scalar([array]) = &names.kind {
            let (open, at) = find_table(unit, &array.text).ok_or_else(|| {
                Diagnostic::error(array.span, format!("`{}` is not an array in this file", array.text))
            })?;
            let tokens = expand(inside(&unit.tokens, open)?, &self.preprocessor.macros, unit.moment(at))?;
            return self.strings(unit, &parse_list(&tokens, at)?, layout);
        }
        self.strings(unit, names, layout)
    }

    fn strings(
        &self,
        unit: &Unit<'a>,
        list: &Init<'_, 'a>,
        layout: &Layout,
    ) -> Result<Vec<(Bit, String, Span)>, Diagnostic> {
        let mut names = Vec::new();
        for (bit, value) in list.elements(layout.names, &self.environment(unit, list.at))? {
            let Some(name) = value.string()? else { continue };
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(Diagnostic::error(value.at, format!("{name:?} is not a valid feature name")));
            }
            names.push((Bit(u8::try_from(bit).unwrap_or(u8::MAX)), name, value.at));
        }
        Ok(names)
    }

    fn masks(
        &self,
        unit: &Unit<'a>,
        (init, row): (&Init<'_, 'a>, &Row<'_, '_, 'a>),
        layout: &Layout,
    ) -> Result<Vec<(MaskKind, u64, Span)>, Diagnostic> {
        let mut masks = Vec::new();
        for (field, kind) in MASKS {
            let Some(value) = row.get(field) else { continue };
            let of = layout.masks.iter().find(|(known, _)| *known == kind).map(|(_, of)| *of);
            let of = of.ok_or_else(|| {
                Diagnostic::error(value.at, format!("the struct does not declare `{field}`"))
            })?;
            let mask = value.integer(&self.environment(unit, value.at))?.to(of).as_u64();
            if mask != 0 {
                masks.push((kind, mask, self.field_place(unit, init, field).unwrap_or(value.at)));
            }
        }
        Ok(masks)
    }

    /// Where a field's value is written: in the table, or in the definition of a macro that lists others. `None` if the field has
    /// no name there.
    pub(super) fn field_place(&self, unit: &Unit<'a>, init: &Init<'_, 'a>, field: &str) -> Option<Span> {
        let name = init.designator(field)?;
        let at = unit.tokens.binary_search_by_key(&name.start, |token| token.span.start).ok()?;
        let [own, equals, rest @ ..] = &unit.tokens[at..] else { return None };
        if own.span != name || !equals.is("=") {
            return None;
        }
        let value = split_commas(rest.split(|token| token.is("}")).next()?).first().copied()?;
        let (first, last) = (value.first()?, value.last()?);
        let lists = |token: &Token<'a>| {
            let define = self.preprocessor.macros.get(&token.text, unit.moment(token.span))?;
            define.body.iter().any(|token| token.kind == Kind::Ident).then_some(define.name.span)
        };
        let of_macro = (value.len() == 1).then(|| lists(first)).flatten();
        Some(of_macro.unwrap_or_else(|| first.span.to(last.span)))
    }

    /// The array length and the types of the masks in the struct's declaration.
    fn layout(&self, unit: &Unit<'a>, at: Span) -> Result<Layout, Diagnostic> {
        let open = find_definition(unit, "struct", "FeatureWordInfo");
        let open = open.ok_or_else(|| Diagnostic::error(at, "`struct FeatureWordInfo` was not found"))?;
        let body = inside(&unit.tokens, open)?;
        let mut layout = Layout { names: 32, masks: Vec::new() };
        for (index, token) in body.iter().enumerate().filter(|(_, token)| token.kind == Kind::Ident) {
            if let Some((_, kind)) = MASKS.iter().find(|(field, _)| token.text == *field) {
                let of =
                    index.checked_sub(1).and_then(|before| Type::from_names(&[body[before].text.as_ref()]));
                let of = of.ok_or_else(|| Diagnostic::error(token.span, "unknown type of this field"))?;
                layout.masks.push((*kind, of));
            }
            if token.is_ident("feat_names") && body.get(index + 1).is_some_and(|next| next.is("[")) {
                let length =
                    evaluate(inside(body, index + 1)?, token.span, &self.environment(unit, token.span))?;
                let length = u64::try_from(length.number()).ok().filter(|length| *length <= 64);
                layout.names =
                    length.ok_or_else(|| Diagnostic::error(token.span, "a word has at most 64 bits"))?;
            }
        }
        Ok(layout)
    }
}
