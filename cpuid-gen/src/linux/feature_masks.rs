//! `REQUIRED_MASKn` and `DISABLED_MASKn`: the features that a kernel configuration fixes, before 6.15.
//!
//! arch/x86/include/asm/required-features.h and, since 3.16, disabled-features.h. A bit of a mask has the conditions
//! of all definitions that set it ([`super::variants`]). Other macros, such as `SSE_MASK`, are for assembly and
//! ignored.
//!
//! The facts are the computed masks. A feature that a definition names without setting its bit has a row of the kind
//! `named`: `1<<(X86_FEATURE_PGE) & 31` has always been zero.

use super::reader::Reader;
use super::variants::{Variant, variants};
use crate::c::Type;
use crate::c::expr::evaluate;
use crate::c::lexer::{Kind, Token, lex};
use crate::diagnostic::Diagnostic;
use crate::facts::{Condition, ConfigKind, LinuxFlag};
use crate::source::{FileId, Span};

const FEATURE: &str = "X86_FEATURE_";

/// A feature in a definition: whether the value has its bit, its name and its place.
type Named = (bool, String, Span);

/// A row under construction.
struct Row {
    kind: ConfigKind,
    name: String,
    at: Span,
    when: Vec<Condition>,
}

impl<'a> Reader<'a, '_> {
    /// Reads one of the two headers; `masks` is the name of its masks without their number.
    pub(super) fn feature_masks(&mut self, file: FileId, masks: &str, kind: ConfigKind) {
        let variants = variants(lex(self.sources, file), self.diagnostics);
        if !variants.iter().any(|variant| variant.name.text.starts_with(masks)) {
            let whole = self.sources.span(file, 0, 0);
            self.diagnostics.error(whole, format!("this file defines no {masks}"));
        }
        let (mut rows, mut used) = (Vec::new(), vec![false; variants.len()]);
        for mask in &variants {
            let number = mask.name.text.strip_prefix(masks).and_then(|number| number.parse().ok());
            let Some(word) = number else { continue };
            let Some(parts) = self.diagnostics.take(parts_of(mask)) else { continue };
            for part in parts {
                let of_part = |index: &usize| variants[*index].name.text == part.text;
                let indexes: Vec<usize> = (0..variants.len()).filter(of_part).collect();
                if indexes.is_empty() {
                    let message = format!("`{}` is in a mask, but this header does not define it", part.text);
                    self.diagnostics.error(part.span, message);
                }
                for index in indexes {
                    used[index] = true;
                    let when = Condition::all([mask.when.clone(), variants[index].when.clone()]);
                    let named = self.diagnostics.take(self.named_in(&variants[index], word));
                    add(&mut rows, kind, named.unwrap_or_default(), &when);
                }
            }
        }
        for (variant, _) in variants.iter().zip(used).filter(|(_, used)| !used) {
            if let Some(feature) = features_in(variant).next() {
                let message =
                    format!("`{}` names `{}`, but no mask contains it", variant.name.text, feature.text);
                self.diagnostics.error(variant.name.span, message);
            }
        }
        for row in rows {
            self.add_config((row.kind, &row.name, row.at), Condition::any(row.when));
        }
    }

    /// The features named by a part of the mask of `word`.
    fn named_in(&self, variant: &Variant<'a>, word: u16) -> Result<Vec<Named>, Diagnostic> {
        let name = &variant.name;
        if variant.body.is_empty() {
            return Err(Diagnostic::error(
                name.span,
                format!("`{}` is in a mask, but its definition is empty", name.text),
            ));
        }
        // Looked up first: errors in a feature's definition were already reported there.
        let mut flags = Vec::new();
        for feature in features_in(variant) {
            flags.push((feature, self.feature_in_word(feature, word)?));
        }
        let value = evaluate(&variant.body, name.span, &self.environment_now())?.to(Type::UINT).as_u64();
        let (mut left, mut named) = (value, Vec::new());
        for (feature, flag) in flags {
            let bit = 1u64 << flag.bit.0;
            named.push((value & bit != 0, flag.name.clone(), feature.span));
            left &= !bit;
        }
        if left != 0 {
            let message =
                format!("`{}` sets {left:#x}, which are not bits of the features that it names", name.text);
            return Err(Diagnostic::error(name.span, message));
        }
        Ok(named)
    }

    /// The feature of a macro, which must be in the word of the mask.
    fn feature_in_word(&self, feature: &Token<'a>, word: u16) -> Result<&LinuxFlag, Diagnostic> {
        let short = &feature.text[FEATURE.len()..];
        let flag = self.facts.features.iter().find(|flag| flag.name == short).ok_or_else(|| {
            let message = format!("`{}` is not a feature of this release", feature.text);
            Diagnostic::error(feature.span, message)
        })?;
        if flag.word.0 != word {
            let message = format!("`{}` is in the mask of word {word}", feature.text);
            let found = Diagnostic::error(feature.span, message);
            return Err(found.with_label(flag.at, format!("but it is in word {}", flag.word.0)));
        }
        Ok(flag)
    }
}

fn add(rows: &mut Vec<Row>, kind: ConfigKind, named: Vec<Named>, when: &Condition) {
    for (set, name, at) in named {
        let kind = if set { kind } else { ConfigKind::Named };
        match rows.iter_mut().find(|row| row.kind == kind && row.name == name) {
            Some(row) => row.when.push(when.clone()),
            None => rows.push(Row { kind, name, at, when: vec![when.clone()] }),
        }
    }
}

fn features_in<'t, 'a>(variant: &'t Variant<'a>) -> impl Iterator<Item = &'t Token<'a>> {
    variant.body.iter().filter(|token| token.kind == Kind::Ident && token.text.starts_with(FEATURE))
}

/// The parts of a mask: names separated by `|`, or 0, optionally in parentheses.
fn parts_of<'t, 'a>(mask: &'t Variant<'a>) -> Result<Vec<&'t Token<'a>>, Diagnostic> {
    let body = match mask.body.as_slice() {
        [open, inner @ .., close] if open.is("(") && close.is(")") => inner,
        whole => whole,
    };
    match body {
        [] => {
            return Err(Diagnostic::error(
                mask.name.span,
                format!("the definition of `{}` is empty", mask.name.text),
            ));
        }
        [zero] if zero.kind == Kind::Number && zero.text == "0" => return Ok(Vec::new()),
        _ => {}
    }
    let mut parts = Vec::new();
    for (index, token) in body.iter().enumerate() {
        let expected = if index % 2 == 0 { token.kind == Kind::Ident } else { token.is("|") };
        if !expected || index + 1 == body.len() && index % 2 == 1 {
            let message =
                format!("unexpected `{}` in a mask: expected names separated by |, or 0", token.text);
            return Err(Diagnostic::error(token.span, message));
        }
        if index % 2 == 0 {
            parts.push(token);
        }
    }
    Ok(parts)
}
