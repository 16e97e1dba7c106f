//! The features that KVM advertises: the lists in `kvm_set_cpu_caps` (`kvm_initialize_cpu_caps` since 7.0), and
//! before 5.7 the local variables `kvm_*_x86_features` of cpuid.c.
//!
//! A list is a bitwise or, or since 6.14 a comma-separated list, of `F(NAME)` and similar macros. A local variable
//! such as `f_gbpages` represents its value. 6.1 also has `__feature_bit(KVM_X86_FEATURE_NAME)`, for a macro of
//! cpuid.c itself, and `BIT(n)`. A bit stated by its number has the name of the feature that scattered.c reads from it.

use std::collections::HashMap;

use super::kvm_verbs::{Named, Verbs};
use super::reader::Reader;
use crate::c::declare::{find_function, inside, split_commas};
use crate::c::lexer::{Kind, Token};
use crate::c::preprocess::Unit;
use crate::diagnostic::Diagnostic;
use crate::facts::{CapKind, KvmCap};
use crate::leaf_name;
use crate::location::Bit;
use crate::source::Span;

/// Maximum number of features in a list. No list of a 32-bit word is longer; local variables could nest without
/// limit.
const MAX_MENTIONS: usize = 128;

/// Calls with a word as the first argument and lists as the others.
const LISTS: [&str; 4] =
    ["kvm_cpu_cap_mask", "kvm_cpu_cap_init", "kvm_cpu_cap_init_kvm_defined", "kvm_cpu_cap_init_scattered"];

/// Calls that change one feature after the lists.
const CHANGES: [(&str, CapKind); 3] = [
    ("kvm_cpu_cap_set", CapKind::Set),
    ("kvm_cpu_cap_check_and_set", CapKind::Set),
    ("kvm_cpu_cap_clear", CapKind::Clear),
];

/// One feature in a list.
#[derive(Clone)]
struct Mention {
    kind: CapKind,
    name: String,
    at: Span,
    /// The name and the bit, if a macro gives the bit's number.
    number: Option<(String, Bit)>,
}

/// What names in lists stand for.
#[derive(Default)]
struct Locals {
    lists: HashMap<String, Vec<Mention>>,
    verbs: Verbs,
}

impl Locals {
    fn get(&self, name: &Token<'_>) -> Option<&[Mention]> {
        self.lists.get(name.text.as_ref()).map(Vec::as_slice)
    }
}

impl<'a> Reader<'a, '_> {
    /// Reads the lists in any of their forms.
    pub(super) fn kvm_caps(&mut self, unit: &Unit<'a>) {
        // Features that cpuid.c defines itself.
        self.features_defined(unit, "KVM_X86_FEATURE_");
        for name in ["kvm_initialize_cpu_caps", "kvm_set_cpu_caps"] {
            let function = find_function(unit, name);
            if let Some((body, _)) = self.diagnostics.take(function).flatten() {
                return self.calls(unit, body);
            }
        }
        self.lists_in_locals(unit);
    }

    /// Reads the calls in one function.
    fn calls(&mut self, unit: &Unit<'a>, body: &[Token<'a>]) {
        let locals = self.locals(unit, body);
        for (index, token) in body.iter().enumerate() {
            let next = |punct: &str| body.get(index + 1).is_some_and(|next| next.is(punct));
            if token.is_ident("kvm_cpu_caps") && next("[") {
                let change = changed_word(&body[index..], &locals);
                self.add_change(change);
            }
            if token.kind != Kind::Ident || !next("(") || !token.text.starts_with("kvm_cpu_cap_") {
                continue;
            }
            let Some(arguments) = self.diagnostics.take(inside(body, index + 1)) else { return };
            let change = CHANGES.iter().find(|(name, _)| token.text == *name);
            if let Some((_, kind)) = change {
                let cap = changed(*kind, arguments, token.span);
                self.facts.kvm_caps.extend(self.diagnostics.take(cap));
            } else if LISTS.contains(&token.text.as_ref()) {
                self.list(arguments, &locals, token.span);
            } else if token.text != "kvm_cpu_cap_has" {
                self.diagnostics.error(token.span, format!("unknown call `{}`", token.text));
            }
        }
    }

    fn list(&mut self, arguments: &[Token<'a>], locals: &Locals, at: Span) {
        let parts = split_commas(arguments);
        let Some(([leaf], lists)) = parts.split_first().map(|(first, rest)| (*first, rest)) else {
            self.diagnostics.error(at, "expected a word and a list");
            return;
        };
        for list in lists {
            let mentions = mentions(list, locals, at);
            for mention in self.diagnostics.take(mentions).unwrap_or_default() {
                self.add(Some(leaf.text.clone().into_owned()), mention.kind, mention);
            }
        }
    }

    fn add(&mut self, leaf_name: Option<String>, kind: CapKind, mention: Mention) {
        let leaf = leaf_name.as_deref();
        let numbered = mention.number.filter(|(name, bit)| self.is_scattered(name, leaf, *bit));
        let name = numbered.map_or(mention.name, |(name, _)| name);
        self.facts.kvm_caps.push(KvmCap { leaf_name, kind, name, at: mention.at });
    }

    /// True if scattered.c reads a feature from this bit.
    fn is_scattered(&self, name: &str, leaf_name: Option<&str>, bit: Bit) -> bool {
        let Some(leaf_name) = leaf_name else { return false };
        let known = self.facts.words.iter().find(|word| word.name == leaf_name);
        let word = known.map_or_else(|| leaf_name::from_linux(leaf_name), |word| word.location);
        let mut rows = self.facts.scattered.iter().filter(|row| row.name == name);
        rows.any(|row| row.location.bit == bit && Some(row.location.word) == word)
    }

    fn add_change(&mut self, change: Result<Change, Diagnostic>) {
        let Some(Change { leaf, kind, mentions }) = self.diagnostics.take(change) else { return };
        for mention in mentions {
            // A feature's name determines its word; a number does not.
            let leaf = leaf.clone().filter(|_| mention.name.starts_with("BIT("));
            self.add(leaf, kind, mention);
        }
    }

    /// The local variables whose names start with `f_`, and their features.
    fn locals(&mut self, unit: &Unit<'a>, body: &[Token<'a>]) -> Locals {
        let mut locals = Locals { verbs: self.verbs(unit), ..Locals::default() };
        let mut end = 0;
        for (index, token) in body.iter().enumerate() {
            if index < end {
                continue;
            }
            let assigned = body.get(index + 1).is_some_and(|next| next.is("="));
            if token.kind != Kind::Ident || !token.text.starts_with("f_") || !assigned {
                continue;
            }
            let rest = statement(&body[index + 2..]);
            end = index + 2 + rest.len();
            let declared = index > 0 && body[index - 1].kind == Kind::Ident;
            let held = if declared {
                mentions(rest, &locals, token.span)
            } else {
                masked(rest, &locals, token.span)
            };
            if let Some(held) = self.diagnostics.take(held) {
                locals.lists.insert(token.text.clone().into_owned(), held);
            }
        }
        locals
    }

    /// Before 5.7: `const u32 kvm_cpuid_7_0_ebx_x86_features = F(...)
    ///
    /// ...;` (4.6 and later) or `kvm_supported_word9_x86_features` (earlier), and `entry->ebx |= F(...);` for
    /// emulated features.
    fn lists_in_locals(&mut self, unit: &Unit<'a>) {
        let locals = self.locals(unit, &unit.tokens);
        let mut found = false;
        for (index, token) in unit.tokens.iter().enumerate() {
            let rest = &unit.tokens[index + 1..];
            if let Some(change) = changed_entry(&unit.tokens[index..], &locals) {
                self.add_change(change);
            }
            let Some(name) = list_name(token).filter(|_| rest.first().is_some_and(|next| next.is("=")))
            else {
                continue;
            };
            found = true;
            let Some(leaf) = self.leaf_of_list(name) else {
                self.diagnostics.error(token.span, format!("`{}` names an unknown word", token.text));
                continue;
            };
            let mentions = mentions(statement(&rest[1..]), &locals, token.span);
            for mention in self.diagnostics.take(mentions).unwrap_or_default() {
                self.add(Some(leaf.clone()), mention.kind, mention);
            }
        }
        if !found {
            let whole = self.sources.span(unit.file, 0, 0);
            self.diagnostics.error(
                whole,
                "this file has neither `kvm_set_cpu_caps` nor lists named `kvm_*_x86_features`",
            );
        }
    }

    /// The word that a variable's name states, by location, so that `7_0_ecx` finds `CPUID_7_ECX`, or by index.
    fn leaf_of_list(&self, name: &str) -> Option<String> {
        if let Some(index) = name.strip_prefix("supported_word") {
            let index = index.parse::<u16>().ok()?;
            return self.facts.words.iter().find(|word| word.word.0 == index).map(|word| word.name.clone());
        }
        let own = name.to_ascii_uppercase();
        let location = leaf_name::from_linux(&own)?;
        let known = self.facts.words.iter().find(|word| word.location == Some(location));
        Some(known.map_or(own, |word| word.name.clone()))
    }
}

/// A change of individual features.
struct Change {
    leaf: Option<String>,
    kind: CapKind,
    mentions: Vec<Mention>,
}

/// The tokens up to the end of a statement or of one declarator.
fn statement<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let end = tokens.iter().position(|token| token.is(";") || token.is(",")).unwrap_or(tokens.len());
    &tokens[..end]
}

/// `cpuid_7_0_ebx` of `kvm_cpuid_7_0_ebx_x86_features`.
fn list_name<'t>(token: &'t Token<'_>) -> Option<&'t str> {
    let name = token.text.strip_prefix("kvm_")?.strip_suffix("_x86_features")?;
    (name.starts_with("cpuid_") || name.starts_with("supported_word")).then_some(name)
}

/// `kvm_cpu_cap_set(X86_FEATURE_NAME)`.
fn changed(kind: CapKind, arguments: &[Token<'_>], at: Span) -> Result<KvmCap, Diagnostic> {
    let name = match arguments {
        [one] => one.text.strip_prefix("X86_FEATURE_"),
        _ => None,
    };
    let name = name.ok_or_else(|| Diagnostic::error(at, "expected one X86_FEATURE_* macro in this call"))?;
    Ok(KvmCap { leaf_name: None, kind, name: name.to_owned(), at })
}

/// `kvm_cpu_caps[LEAF] |= BIT(2);`
fn changed_word(tokens: &[Token<'_>], locals: &Locals) -> Result<Change, Diagnostic> {
    let at = tokens[0].span;
    let [_, _, leaf, close, operator, rest @ ..] = tokens else {
        return Err(Diagnostic::error(at, "expected an assignment to a word"));
    };
    if !close.is("]") {
        return Err(Diagnostic::error(leaf.span, "expected one enumerator in the brackets"));
    }
    let (kind, list) = assignment(operator, rest)
        .ok_or_else(|| Diagnostic::error(operator.span, "expected `|=`, or `&= ~`, and features"))?;
    let leaf = Some(leaf.text.clone().into_owned());
    Ok(Change { leaf, kind, mentions: mentions(statement(list), locals, at)? })
}

/// `entry->ebx |= F(NAME);` and `entry->ecx &= ~F(NAME);`. Other masks and numbers are not features.
fn changed_entry(tokens: &[Token<'_>], locals: &Locals) -> Option<Result<Change, Diagnostic>> {
    let [entry, arrow, _, operator, rest @ ..] = tokens else { return None };
    if !(entry.is_ident("entry") && arrow.is("->")) {
        return None;
    }
    let (kind, list) = assignment(operator, rest)?;
    let first = list.first()?;
    let named = locals.verbs.is_verb(&first.text) || locals.get(first).is_some();
    let mentions = named.then(|| mentions(statement(list), locals, entry.span))?;
    Some(mentions.map(|mentions| Change { leaf: None, kind, mentions }))
}

fn assignment<'t, 'a>(operator: &Token<'_>, rest: &'t [Token<'a>]) -> Option<(CapKind, &'t [Token<'a>])> {
    match rest {
        [tilde, list @ ..] if operator.is("&=") && tilde.is("~") => Some((CapKind::Clear, list)),
        _ if operator.is("|=") => Some((CapKind::Set, rest)),
        _ => None,
    }
}

/// `entry->ecx & F(NAME)`: the features of a mask.
fn masked(tokens: &[Token<'_>], locals: &Locals, at: Span) -> Result<Vec<Mention>, Diagnostic> {
    let mut found = Vec::new();
    for part in tokens.split(|token| token.is("&")) {
        if !part.iter().any(|token| token.is("->")) {
            found.extend(mentions(part, locals, at)?);
        }
    }
    Ok(found)
}

/// The features of a list: `F(A)
///
/// SF(B)
///
/// 0
///
/// f_local`, and `condition ? F(A) : 0`, whose condition is evaluated at run time and ignored.
fn mentions(tokens: &[Token<'_>], locals: &Locals, at: Span) -> Result<Vec<Mention>, Diagnostic> {
    let mut found = Vec::new();
    let question = tokens.iter().position(|token| token.is("?"));
    let mut rest = &tokens[question.map_or(0, |index| index + 1)..];
    loop {
        rest = match rest {
            [zero, after @ ..] if zero.kind == Kind::Number && zero.text == "0" => after,
            [local, after @ ..] if locals.get(local).is_some() => {
                found.extend(locals.get(local).into_iter().flatten().cloned());
                after
            }
            [verb, open, name, close, after @ ..]
                if open.is("(") && close.is(")") && matches!(name.kind, Kind::Ident | Kind::Number) =>
            {
                found.push(mention(verb, name, &locals.verbs)?);
                after
            }
            _ => {
                let (at, what) =
                    rest.first().map_or((at, "the end".into()), |token| (token.span, token.text.clone()));
                return Err(Diagnostic::error(
                    at,
                    format!("expected `F(NAME)`, a local variable or 0, found `{what}`"),
                ));
            }
        };
        if found.len() > MAX_MENTIONS {
            return Err(Diagnostic::error(at, format!("a list of more than {MAX_MENTIONS} features")));
        }
        let separated =
            rest.first().is_some_and(|token| token.is("|") || (token.is(":") && question.is_some()));
        match rest {
            [] => return Ok(found),
            [_, after @ ..] if separated => rest = after,
            [other, ..] => {
                return Err(Diagnostic::error(
                    other.span,
                    format!("expected `|` or the end, found `{}`", other.text),
                ));
            }
        }
    }
}

/// `F(NAME)` and similar macros.
fn mention(verb: &Token<'_>, name: &Token<'_>, verbs: &Verbs) -> Result<Mention, Diagnostic> {
    let at = verb.span;
    match verbs.named(&verb.text, &name.text) {
        Some(Named::Feature(kind, name)) => Ok(Mention { kind, name, at, number: None }),
        Some(Named::Number(bit)) => {
            let number = Some((name.text.clone().into_owned(), Bit(bit)));
            Ok(Mention { kind: CapKind::F, name: format!("BIT({bit})"), at, number })
        }
        None => {
            let message = format!("unknown kind of capability `{}`", verb.text);
            Err(Diagnostic::error(at, message))
        }
    }
}
