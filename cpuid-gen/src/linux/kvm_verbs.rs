//! The macros that name a capability in KVM's lists, by their definitions in cpuid.c.
//!
//! A macro in mask form pastes its argument onto a prefix, `#define KF(x) bit(KVM_CPUID_BIT_##x)`: what it names
//! follows from the prefix. Linux 4.10 to 4.15 have KF for bits that the kernel keeps elsewhere, by their numbers. A
//! macro that only calls another is that one. All other macros are known by name ([`CapKind`]): their definitions state
//! when KVM advertises the bit in code that is not evaluated.

use std::collections::HashMap;

use super::reader::Reader;
use crate::c::expr::evaluate;
use crate::c::lexer::{Kind, Token};
use crate::c::macros::Define;
use crate::c::preprocess::Unit;
use crate::facts::CapKind;

/// The functions of masks.
const MASKS: [&str; 4] = ["bit", "BIT", "feature_bit", "__feature_bit"];

/// What a macro in mask form, or a call of another, does with its argument.
enum Verb {
    /// It makes the mask of the macro with this prefix.
    Mask(String),
    /// It calls this macro.
    Same(String),
}

/// What a macro does, after all calls of others.
enum Meaning<'v> {
    Mask(&'v str),
    List(CapKind),
}

/// A feature that a macro names.
pub(super) enum Named {
    /// A feature of the kernel, or of KVM if it is in another word, in a list of this kind.
    Feature(CapKind, String),
    /// The bit of the list's word with this number.
    Number(u8),
}

/// The macros of one file.
#[derive(Default)]
pub(super) struct Verbs {
    verbs: HashMap<String, Verb>,
    /// The values of macros that number a bit of a word.
    bits: HashMap<String, u8>,
}

impl Verbs {
    /// What `verb(name)` names; `None` if that is not known.
    pub(super) fn named(&self, verb: &str, name: &str) -> Option<Named> {
        match self.meaning(verb) {
            Some(Meaning::Mask(prefix)) => self.in_mask(&format!("{prefix}{name}")),
            Some(Meaning::List(kind)) => Some(Named::Feature(kind, name.to_owned())),
            None => MASKS.contains(&verb).then(|| self.in_mask(name)).flatten(),
        }
    }

    /// True for a macro that names capabilities.
    pub(super) fn is_verb(&self, verb: &str) -> bool {
        self.meaning(verb).is_some()
    }

    fn meaning<'v>(&'v self, verb: &'v str) -> Option<Meaning<'v>> {
        let mut verb = verb;
        // A longer chain than there are macros is a cycle.
        for _ in 0..=self.verbs.len() {
            match self.verbs.get(verb) {
                Some(Verb::Same(other)) => verb = other,
                Some(Verb::Mask(prefix)) => return Some(Meaning::Mask(prefix)),
                None => {
                    let call = |kind: &CapKind| matches!(kind, CapKind::Set | CapKind::Clear);
                    return CapKind::from_name(verb).filter(|kind| !call(kind)).map(Meaning::List);
                }
            }
        }
        None
    }

    /// What the argument of a mask names.
    fn in_mask(&self, name: &str) -> Option<Named> {
        let feature = name.strip_prefix("KVM_X86_FEATURE_").or_else(|| name.strip_prefix("X86_FEATURE_"));
        if let Some(feature) = feature.filter(|feature| !feature.is_empty()) {
            return Some(Named::Feature(CapKind::F, feature.to_owned()));
        }
        let number = name.parse().ok().filter(|bit| *bit < 32);
        number.or_else(|| self.bits.get(name).copied()).map(Named::Number)
    }
}

impl<'a> Reader<'a, '_> {
    /// The macros that a file defines.
    pub(super) fn verbs(&self, unit: &Unit<'a>) -> Verbs {
        let mut found = Verbs::default();
        for define in unit.defines.iter().filter(|define| define.active) {
            let name = define.name.text.as_ref();
            if let Some(verb) = verb(define) {
                found.verbs.insert(name.to_owned(), verb);
            } else if define.params.is_none() {
                let value = evaluate(&define.body, define.name.span, &self.environment_now());
                let bit = value.ok().and_then(|value| u8::try_from(value.number()).ok());
                found.bits.extend(bit.filter(|bit| *bit < 32).map(|bit| (name.to_owned(), bit)));
            }
        }
        found
    }
}

/// `bit(PREFIX##x)` or `F(x)`.
fn verb(define: &Define<'_>) -> Option<Verb> {
    let params = define.params.as_ref().filter(|params| !params.variadic)?;
    let [param] = params.names.as_slice() else { return None };
    let body = match define.body.as_slice() {
        [open, body @ .., close] if open.is("(") && close.is(")") => body,
        body => body,
    };
    let of_param = |token: &Token<'_>| token.is_ident(param);
    match body {
        [mask, open, prefix, paste, name, close]
            if MASKS.contains(&mask.text.as_ref())
                && open.is("(")
                && prefix.kind == Kind::Ident
                && paste.is("##")
                && of_param(name)
                && close.is(")") =>
        {
            Some(Verb::Mask(prefix.text.clone().into_owned()))
        }
        [other, open, name, close]
            if other.kind == Kind::Ident && open.is("(") && of_param(name) && close.is(")") =>
        {
            Some(Verb::Same(other.text.clone().into_owned()))
        }
        _ => None,
    }
}
